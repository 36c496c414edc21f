"""Opening and testing a datastore through a tunnel: the same connector of its engine, with another way to its host."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from metamapper.connectors.base import Ability, Connector, Engine, EngineSettings, Session, Step, StepState
from metamapper.connectors.diagnosis import Check, Finding, run_checks
from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.reach import Reach
from metamapper.connectors.tunnel.errors import ForwardRefused, HopSignInFailed
from metamapper.connectors.tunnel.values import Hop, Tunnel, authorized, fingerprint

if TYPE_CHECKING:
    from metamapper.connectors.tunnel.line import Line

SignedIn = Callable[[Hop, str], None]
"""Told of a hop and the fingerprint of the key that was taken there."""


def connect(
    engine: Engine,
    settings: EngineSettings,
    reach: Reach,
    tunnel: Tunnel | None = None,
    *,
    on_sign_in: SignedIn | None = None,
) -> Connector:
    """A connector that goes through the tunnel, if there is one; raises ``DriverMissing`` and ``SettingsInvalid``."""
    if tunnel is None or not tunnel.hops:
        return engine.connect(settings, reach)
    if not engine.capabilities[Ability.NETWORK]:
        raise SettingsInvalid(f"{engine.title} is a file of this machine: no tunnel leads there.")
    engine.connect(settings, reach)  # whether its driver is there is known before anything is opened
    return Tunnelled(engine, settings, reach, tunnel, on_sign_in)


class Tunnelled:
    """``on_sign_in`` is told which key was taken at each hop."""

    def __init__(
        self, engine: Engine, settings: EngineSettings, reach: Reach, tunnel: Tunnel, on_sign_in: SignedIn | None = None
    ) -> None:
        self._engine = engine
        self._settings = settings
        self._reach = reach
        self._tunnel = tunnel
        self._on_sign_in = on_sign_in

    @contextmanager
    def open(self) -> Iterator[Session]:
        """A session for as long as the tunnel that carries it; raises a ``ConnectorError``."""
        from metamapper.connectors.tunnel.line import opened  # which is slow to import, and seldom needed

        with opened(self._tunnel, self._reach) as line, self._through(line).open() as session:
            self._tell(line)
            yield session

    def test(self) -> Iterator[Step]:
        """Each hop is a step of its own, before those of the engine; raises nothing."""
        from metamapper.connectors.tunnel.line import opened

        with opened(self._tunnel, self._reach) as line:
            failed = False
            for step in run_checks(self._checks(line)):
                failed = failed or step.state is StepState.FAILED
                yield step
            self._tell(line)
            if not failed:
                yield from self._through(line).test()

    def _tell(self, line: "Line") -> None:
        if self._on_sign_in is not None:
            for landing in line.landings():
                self._on_sign_in(landing.hop, landing.judge.signed_in_with)

    def _through(self, line: "Line") -> Connector:
        return self._engine.connect(self._settings, replace(self._reach, way=line, sockets=False))

    def _checks(self, line: "Line") -> list[tuple[str, Check]]:
        steps: list[tuple[str, Check]] = [
            (f"SSH host {hop}", partial(self._hop, line, number)) for number, hop in enumerate(self._tunnel.hops)
        ]
        destination = self._settings.destination
        if destination is not None:
            host, port = destination
            steps.append((f"Way from there to {host}, port {port}", partial(self._way, line, host, port)))
        return steps

    def _hop(self, line: "Line", number: int) -> Finding:
        try:
            landing = line.land_on(number)
        except HopSignInFailed as error:
            error.remedy = "\n".join(authorized(each, self._beyond(number)) for each in self._tunnel.keys.public)
            raise
        where = f"{landing.address}. " if landing.address not in {"", landing.hop.host} else ""
        return Finding(
            f"{where}Host key {fingerprint(landing.judge.shown)}, as pinned;"
            f" signed in as {landing.hop.user} with {landing.judge.signed_in_with}"
        )

    def _way(self, line: "Line", host: str, port: int) -> Finding:
        try:
            line.route(host, port)
        except ForwardRefused as error:
            keys = "\n".join(authorized(each, (host, port)) for each in self._tunnel.keys.public)
            error.remedy = f"# sshd_config\n{error.remedy}\n# or authorized_keys\n{keys}" if keys else error.remedy
            raise
        return Finding("Let through, and it is reached")

    def _beyond(self, number: int) -> tuple[str, int] | None:
        """What lies behind a hop: the next one, or the datastore."""
        if number + 1 < len(self._tunnel.hops):
            hop = self._tunnel.hops[number + 1]
            return hop.host, hop.port
        return self._settings.destination
