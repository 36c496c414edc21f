"""A row of the table that ``make bench`` prints."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Promise:
    """What was measured, against its limit; ``at_least`` turns the limit round."""

    work: str
    reached: float
    limit: float
    unit: str = "x the floor"
    at_least: bool = False

    @property
    def kept(self) -> bool:
        return self.reached >= self.limit if self.at_least else self.reached <= self.limit

    def __str__(self) -> str:
        digits = 0 if self.reached >= 10 else 2 if self.reached < 1 or "x" in self.unit else 1
        must = f"{'at least ' if self.at_least else ''}{self.limit:g} {self.unit}"
        return f"| {self.work} | {must} | {self.reached:.{digits}f} | {'yes' if self.kept else 'NO'} |"


HEAD = "| work | must | reached | kept |\n|---|---|---|---|"
