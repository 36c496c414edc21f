"""The promises of a read that something disturbs: rights, passwords, networks, drops, cancels."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic
from typing import cast

from msgspec.structs import replace

from metamapper.connectors import errors
from metamapper.connectors.base import Ability, EngineSettings, Session, Step, StepState
from metamapper.connectors.conformance.operations import CreateTable, CreateView, DropView, NewColumn, Table
from metamapper.connectors.conformance.promises import PromiseBroken, holds, promise, same
from metamapper.connectors.conformance.reads import EVERYTHING, look, opened, read
from metamapper.connectors.conformance.secrets import everything_said
from metamapper.connectors.conformance.seed import PURCHASE, seed
from metamapper.connectors.conformance.subject import GuardedSource, NetworkSource, Source, Subject
from metamapper.connectors.reach import Reach, Route
from metamapper.schema import Completeness

PATIENCE = 15.0
"""Seconds within which anything that failed must have said so."""
LONG_VIEWS = 12
LENGTH_OF_A_SECRET = 8
LONG_VIEW = 1_000_000
BAD_AUTHORITIES = (
    "no certificate",
    "certificaté",
    "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----",
)


class FaultSuite:
    """Each method gets a subject and raises ``AssertionError`` where a promise is broken."""

    @promise(Ability.PRIVILEGES)
    def test_a_plain_reader_sees_what_the_owner_sees(self, subject: Subject) -> None:
        with subject.fresh() as source:
            guarded = cast("GuardedSource", source)
            source.perform(*seed(subject.engine))
            same(read(subject, source, settings=guarded.reader).relations, read(subject, source).relations, "Relations")

    @promise(Ability.PRIVILEGES)
    def test_lost_rights_make_a_scope_unreadable_and_the_remedy_mends_it(self, subject: Subject) -> None:
        with subject.fresh() as source:
            guarded, main = cast("GuardedSource", source), subject.schemas["main"]
            source.perform(*seed(subject.engine))
            before = read(subject, source, settings=guarded.reader)
            looked = look(subject, source, settings=guarded.reader)
            guarded.revoke("main")
            (scope,) = (s for s in read(subject, source, settings=guarded.reader).scopes if s.name == main)
            same(scope.completeness, Completeness.UNREADABLE, "A schema that may not be seen")
            holds(scope.reason and scope.remedy, "An unreadable scope says why, and what would mend it")
            if subject.engine.capabilities[Ability.PROBE]:
                token = look(subject, source, settings=guarded.reader).token
                holds(token != looked.token, "Lost rights change the token")
            guarded.paste(scope.remedy or "")
            same(read(subject, source, settings=guarded.reader), before, "What is read after the remedy")

    @promise(Ability.PRIVILEGES)
    def test_rights_that_are_lost_in_mid_read_make_nothing_look_gone(self, subject: Subject) -> None:
        for at_once in (True, False):
            with subject.fresh() as source:
                guarded, main = cast("GuardedSource", source), subject.schemas["main"]
                source.perform(*seed(subject.engine))
                there = {r.name for r in read(subject, source, settings=guarded.reader).relations if r.schema == main}
                try:
                    seen, found, whole = _read_meanwhile(subject, guarded, at_once=at_once)
                except errors.ConnectorError:
                    continue  # a run that failed changes nothing
                holds(main in found or not whole, "A list of schemas that lacks what may not be seen is not whole")
                holds(
                    seen == there or found.get(main) is not Completeness.COMPLETE,
                    "A scope of which something was not seen is not complete",
                )

    @promise(Ability.PRIVILEGES)
    def test_the_connection_test_tells_lost_rights_and_what_is_not_seen(self, subject: Subject) -> None:
        """Or somebody believes that everything can be seen; what it offers to paste mends it."""
        with subject.fresh() as source:
            guarded = cast("GuardedSource", source)
            source.perform(*seed(subject.engine))
            guarded.revoke("main")
            told = [step.error for step in _tested(subject, source, guarded.reader) if step.error and step.error.unseen]
            holds(told, "A step says what is not seen")
            holds(all(error.remedy for error in told), "Whatever says what is not seen says what mends it")
            guarded.paste(told[0].remedy)
            after = _tested(subject, source, guarded.reader)
            blind = [step.name for step in after if step.error and step.error.unseen]
            same(blind, [], "Steps that tell of something unseen after the remedy")

    @promise(Ability.PASSWORDS)
    def test_the_right_password_signs_in(self, subject: Subject) -> None:
        with subject.right_password() as settings, subject.engine.connect(settings).open() as session:
            holds(session.server.version, "The version of the server")

    @promise(Ability.PASSWORDS)
    def test_a_wrong_password_is_said_and_never_shown(self, subject: Subject) -> None:
        with subject.wrong_passwords() as refused:
            holds(refused, "The subject has settings that are refused")
            for settings in refused:
                error = _error_of(subject, settings)
                same(type(error), errors.SignInFailed, "The error of a wrong password")
                holds(error.hint, "The error of a wrong password says what to do")
                _failing_step_is(subject, settings, "sign_in.failed")

    @promise(Ability.PASSWORDS)
    def test_no_secret_is_in_any_error_or_log(self, subject: Subject) -> None:
        with subject.wrong_passwords() as refused:
            holds(refused, "The subject has settings that are refused")
            for settings in refused:
                secrets = settings.secrets()
                holds(
                    secrets and all(len(secret) >= LENGTH_OF_A_SECRET for secret in secrets),
                    "Settings with secrets to look for",
                )
                said = everything_said(subject.engine, settings)
                leaked = [place for place, text in said.items() if any(secret in text for secret in secrets)]
                same(leaked, [], "Places that show a secret")

    @promise(Ability.NETWORK)
    def test_nobody_listens(self, subject: Subject) -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            self._fails(subject, "127.0.0.1", holder.getsockname()[1], errors.ConnectionRefused)

    @promise(Ability.NETWORK)
    def test_the_host_is_unknown(self, subject: Subject) -> None:
        self._fails(subject, "no-such-host.invalid", 1, errors.HostUnknown)

    @promise(Ability.NETWORK)
    def test_the_host_is_silent(self, subject: Subject) -> None:
        with _listener() as port:
            self._fails(subject, "127.0.0.1", port, errors.ConnectionTimeout)

    @promise(Ability.NETWORK)
    def test_somebody_else_listens(self, subject: Subject) -> None:
        with _listener(answer=b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
            self._fails(subject, "127.0.0.1", port, errors.ConnectorError)

    @promise(Ability.NETWORK)
    def test_whoever_listens_hangs_up(self, subject: Subject) -> None:
        with _listener(answer=b"") as port:
            self._fails(subject, "127.0.0.1", port, errors.ConnectorError)

    @promise(Ability.NETWORK)
    def test_it_goes_only_where_its_reach_leads(self, subject: Subject) -> None:
        """Through a tunnel, that is: a way that is closed says why, and nobody is connected to past it."""
        with subject.fresh() as source, socket.create_server(("127.0.0.1", 0)) as listener:
            settings = cast("NetworkSource", source).aimed_at("127.0.0.1", listener.getsockname()[1])
            error = _error_of(subject, settings, Reach(way=_Closed()))
            listener.settimeout(0.1)
            with contextlib.suppress(TimeoutError):
                holds(not listener.accept(), "Nobody is connected to past the way")
        same((type(error), error.detail), (errors.HostUnreachable, _Closed.WHY), "The error of a way that is closed")

    @promise(Ability.NETWORK)
    def test_a_denied_address_is_not_connected_to(self, subject: Subject) -> None:
        with subject.fresh() as source, socket.create_server(("127.0.0.1", 0)) as listener:
            settings = cast("NetworkSource", source).aimed_at("127.0.0.1", listener.getsockname()[1])
            error = _error_of(subject, settings, Reach(denies=lambda _: "It is ours."))
            same(type(error), errors.AddressDenied, "The error of a denied address")
            listener.settimeout(0)
            try:
                listener.accept()
            except BlockingIOError:
                return
            raise PromiseBroken("A denied address was connected to")

    @promise()
    def test_a_bad_certificate_authority_is_a_failed_step(self, subject: Subject) -> None:
        """Whatever somebody pastes; also where the server has no TLS to try it on."""
        with subject.fresh() as source:
            for settings in _with_bad_authorities(source.settings):
                _failing_step_is(subject, settings, errors.SettingsInvalid.code)

    @promise(Ability.NETWORK)
    def test_a_session_that_is_cut_fails_for_now(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine), *_many_long_views())
            with opened(subject, source) as session:
                session.scopes(EVERYTHING)
                rest = session.relations(EVERYTHING)
                next(rest)
                cast("NetworkSource", source).cut()
                error = _raised(lambda: (list(rest), session.scopes(EVERYTHING)))
        same(type(error), errors.ConnectionLost, "The error of a session that was cut")

    @promise(Ability.VIEWS)
    def test_what_is_dropped_in_mid_read_hides_nothing_else(self, subject: Subject) -> None:
        """Every relation that is still there was seen, or its scope does not claim to be complete."""
        views = [operation.view for operation in _many_long_views()]
        with subject.fresh() as source:
            source.perform(*seed(subject.engine), *_many_long_views())
            with opened(subject, source) as session, ThreadPoolExecutor(1) as other:
                seen, complete = _seen_while(session, other, lambda: source.perform(DropView(views[-1])))
            for relation in read(subject, source).relations:
                key = (relation.schema, relation.name)
                holds(key in seen or relation.schema not in complete, f"{key} is there and was not seen")

    @promise()
    def test_a_cancel_stops_the_read(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine), *(CreateTable(Table(f"t{n}"), (NewColumn("id"),)) for n in range(20)))
            with opened(subject, source) as session, ThreadPoolExecutor(1) as other:
                session.scopes(EVERYTHING)
                rest = session.relations(EVERYTHING)
                next(rest)
                other.submit(session.cancel).result(PATIENCE)
                same(type(_raised(lambda: list(rest))), errors.Cancelled, "The error of a read that was cancelled")
                again = _raised(lambda: list(session.relations(EVERYTHING)))
                same(
                    type(again),
                    errors.Cancelled,
                    "What is asked afterwards",
                )

    @promise()
    def test_a_cancel_that_comes_too_late_is_nothing(self, subject: Subject) -> None:
        """Whoever cancels cannot know that the session has just ended."""
        with subject.fresh() as source:
            with opened(subject, source) as session:
                session.scopes(EVERYTHING)
            session.cancel()

    @promise()
    def test_the_connection_test_passes(self, subject: Subject) -> None:
        with subject.fresh() as source:
            source.perform(*seed(subject.engine))
            steps = list(subject.engine.connect(source.settings, source.reach).test())
        holds(steps, "A connection test has steps")
        same(
            [step.name for step in steps if step.state in {StepState.FAILED, StepState.WAITING}],
            [],
            "Steps that failed",
        )

    def _fails(self, subject: Subject, host: str, port: int, kind: type[errors.ConnectorError]) -> None:
        """Opening and testing both fail in time, with an error of this kind that says what to do."""
        with subject.fresh() as source:
            settings = cast("NetworkSource", source).aimed_at(host, port)
        started = monotonic()
        error = _error_of(subject, settings)
        holds(isinstance(error, kind), f"{error!r} is no {kind.__name__}")
        holds(monotonic() - started < PATIENCE, "A failure to connect took too long")
        holds(error.hint, f"{error.code} says what to do")
        _failing_step_is(subject, settings, None)


def _with_bad_authorities(settings: EngineSettings) -> Iterator[EngineSettings]:
    """Nothing where the engine does not ask for an authority."""
    fields = settings.__struct_fields__
    if "ca_certificate" not in fields:
        return
    verified = {"tls": type(settings.tls)("verify")} if "tls" in fields else {}  # type: ignore[attr-defined]
    for pasted in BAD_AUTHORITIES:
        yield replace(settings, ca_certificate=pasted, **verified)


class _Closed:
    """A way to nowhere, see ``reach.Way``."""

    WHY = "The way is closed, to prove that there is no other."

    def route(self, host: str, port: int) -> Route:
        del host, port
        raise errors.HostUnreachable(self.WHY)

    def leads_through(self, address: str, port: int) -> bool:
        del address, port
        return False


def _tested(subject: Subject, source: Source, settings: EngineSettings) -> list[Step]:
    return list(subject.engine.connect(settings, source.reach).test())


def _error_of(subject: Subject, settings: EngineSettings, reach: Reach = Reach()) -> errors.ConnectorError:  # noqa: B008 - it is frozen
    def connect() -> None:
        with subject.engine.connect(settings, reach).open():
            pass

    return _raised(connect)


def _raised(act: Callable[[], object]) -> errors.ConnectorError:
    try:
        act()
    except errors.ConnectorError as error:
        return error
    raise PromiseBroken("Nothing failed where something must")


def _failing_step_is(subject: Subject, settings: EngineSettings, code: str | None) -> None:
    """One step fails, with its error; what comes before it is done, what comes after it waits."""
    steps = list(subject.engine.connect(settings).test())
    states = [step.state for step in steps]
    same(states.count(StepState.FAILED), 1, "Steps that failed")
    place = states.index(StepState.FAILED)
    same(set(states[place + 1 :]) - {StepState.WAITING}, set(), "Steps after the one that failed")
    error = steps[place].error
    holds(error is not None and (code is None or error.code == code), f"The failing step has {error!r}")


def _many_long_views() -> list[CreateView]:
    """More than a network holds in its buffers, so that a read cannot be over before it has begun."""
    return [
        CreateView(Table(f"long_{place}"), PURCHASE, ("id",), literal="x" * LONG_VIEW) for place in range(LONG_VIEWS)
    ]


def _seen_while(
    session: Session, other: ThreadPoolExecutor, act: Callable[[], None]
) -> tuple[set[tuple[str, str]], set[str]]:
    """What a read saw while somebody else did something, and the scopes that it then calls complete."""
    session.scopes(EVERYTHING)
    seen: set[tuple[str, str]] = set()
    doing: Future[None] | None = None
    try:
        for observation in session.relations(EVERYTHING):
            seen.add((observation.schema, observation.name))
            if doing is None:
                doing = other.submit(act)
                _waited(doing)
        scopes, _ = session.scopes(EVERYTHING)
    except errors.ConnectorError as error:
        holds(not error.permanent, f"A drop in mid-read is not for ever: {error!r}")
        return seen, set()
    return seen, {scope.name for scope in scopes if scope.completeness is Completeness.COMPLETE}


def _waited(doing: "Future[None]") -> None:
    """A moment for it to be done; a database that makes it wait for the reader is right, too."""
    try:
        doing.result(timeout=1)
    except Exception:  # noqa: BLE001 - refused, or still waiting for our locks: then nothing is dropped in mid-read
        return


@contextmanager
def _listener(answer: bytes | None = None) -> Iterator[int]:
    """A port where somebody listens who says nothing (None), or says this and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as other:
        if answer is not None:
            other.submit(_answer_all, listener, answer)
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _answer_all(listener: socket.socket, answer: bytes) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(64)
            connection.sendall(answer)


def _read_meanwhile(
    subject: Subject, source: GuardedSource, *, at_once: bool
) -> tuple[set[str], dict[str, Completeness], bool]:
    """The relations of the main schema, each scope's completeness, and whether the list of scopes is whole, of a read
    whose rights are taken away after the first look at the scopes: before the relations are read, or after that.
    """
    main = subject.schemas["main"]
    with opened(subject, source, settings=source.reader) as session:
        session.scopes(EVERYTHING)
        if at_once:
            source.revoke("main")
        seen = {found.name for found in session.relations(EVERYTHING) if found.schema == main}
        if not at_once:
            source.revoke("main")
        scopes, whole = session.scopes(EVERYTHING)
    return seen, {scope.name: scope.completeness for scope in scopes}, whole
