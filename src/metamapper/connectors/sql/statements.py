"""Recording what is sent: every statement of a session, with how long it took, for the run's page."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from metamapper.connectors.base import Statement


class StatementLog(list[Statement]):
    """The statements of one session, in the order they were sent."""

    @contextmanager
    def sent(self, label: str, sql: str) -> Iterator[Statement]:
        """Record a statement before it is sent; its time is known when the block ends, however it ends."""
        statement = Statement(label, sql)
        self.append(statement)
        started = monotonic()
        try:
            yield statement
        finally:
            statement.seconds = monotonic() - started
