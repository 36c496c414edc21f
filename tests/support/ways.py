"""Ways to a datastore that are no tunnel, but are asked as one is."""

from dataclasses import dataclass, field

from metamapper.connectors import errors
from metamapper.connectors.reach import Route

NOT_LET_THROUGH = "the tunnel did not let it through"


@dataclass
class Blocked:
    """A way that leads nowhere, and remembers where it was asked to."""

    asked: list[tuple[str, int]] = field(default_factory=list)

    def route(self, host: str, port: int) -> Route:
        self.asked.append((host, port))
        raise errors.HostUnreachable(NOT_LET_THROUGH)

    def leads_through(self, address: str, port: int) -> bool:
        return False


@dataclass(frozen=True)
class Straight:
    """A way whose beginning is a port of this machine, whatever host is asked for."""

    port: int

    def route(self, host: str, port: int) -> Route:
        return Route(("127.0.0.1",), self.port, "Left to somebody")

    def leads_through(self, address: str, port: int) -> bool:
        return (address, port) == ("127.0.0.1", self.port)
