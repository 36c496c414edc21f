"""The outbox: mail, webhooks and whatever else is to be done outside a request, by the same machine as inspections.

``put`` belongs to the caller's transaction: what is rolled back was never asked for, what is committed is done, whatever
becomes of brokers and workers. An errand is done at least once and by one worker at a time; a handler that writes to the
metastore does so within ``Held.settling`` and its effect happens exactly once.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import Error, connections, transaction
from django.db.models import F, Q, QuerySet

from metamapper.lib.crypto import Vault
from metamapper.runs.clock import metastore_now, reached
from metamapper.runs.dispatch import Publish, publish_all
from metamapper.runs.doorbell import Doorbell
from metamapper.runs.fences import next_fence
from metamapper.runs.models import Errand
from metamapper.runs.slots import jittered
from metamapper.runs.timing import timing

State = Errand.State
NO_LEASE: Mapping[str, Any] = {"lease_owner": None, "lease_expires_at": None}
log = structlog.get_logger(__name__)


class Hopeless(Exception):
    """Trying again cannot help; its text says why, without secrets."""


class Overtaken(Exception):
    """Another worker has the errand by now, or it has ended: write nothing."""


@dataclass(frozen=True, slots=True)
class Held:
    """An errand under a lease; ``attempt`` counts from 1."""

    id: UUID
    kind: str
    attempt: int
    fence: int
    sealed: bytes = field(repr=False)

    @property
    def what(self) -> Mapping[str, Any]:
        """What was put; raises ``WrongKey``."""
        return _vault().open(self.sealed)

    @contextmanager
    def settling(self) -> Iterator[None]:
        """One transaction for what a handler writes to the metastore and for the errand's end; raises ``Overtaken``."""
        with transaction.atomic():
            if not _end(self, State.DONE):
                raise Overtaken
            yield


Handler = Callable[[Held], None]
"""Does one kind of errand. Whatever it raises is tried again later, ``Hopeless`` is not."""

_handlers: dict[str, Handler] = {}


def handles(kind: str) -> Callable[[Handler], Handler]:
    """Decorates the handler of a kind. Its module must be imported when applications are ready."""

    def register(handler: Handler) -> Handler:
        _handlers[kind] = handler
        return handler

    return register


def put(kind: str, what: Mapping[str, Any], *, key: str | None = None) -> None:
    """Ask for an errand, within the transaction that it belongs to; a ``key`` that was put before is not put again."""
    if kind not in _handlers:
        raise ValueError(f"Nobody handles errands of the kind “{kind}”")
    now = metastore_now()
    errand = Errand(kind=kind, key=key, sealed=_vault().seal(what), available_at=now, created_at=now)
    Errand.objects.bulk_create([errand], ignore_conflicts=key is not None)
    transaction.on_commit(partial(_doorbell.ring, errand.pk))


def dispatch_errands(publish: Publish) -> int:
    """Wake workers for what waits, no more at once than a window; how many messages were sent."""
    now, limits = metastore_now(), timing()
    stale = now - timedelta(seconds=limits.redispatch)
    waiting = Errand.objects.filter(state=State.WAITING)
    unsent = Q(dispatched_at=None) | Q(dispatched_at__lte=stale) | Q(dispatched_at__gt=now)
    room = limits.errand_window - waiting.exclude(unsent).count()
    due = waiting.filter(unsent, reached("available_at", now, within=2 * max(limits.errand_backoff)))
    with transaction.atomic():
        chosen = list(due.select_for_update(skip_locked=True).order_by("available_at")[: max(room, 0)])
        ids = [each.pk for each in chosen]
        Errand.objects.filter(pk__in=ids).update(dispatched_at=now, dispatch_count=F("dispatch_count") + 1)
    return publish_all(Errand.objects.filter(state=State.WAITING), ids, publish)


def execute_errand(message: object, *, owner: str) -> None:
    """Do what the errand stands for, if it waits. A message that names nothing to do is passed over."""
    try:
        held = _claim(UUID(str(message)), owner)
    except ValueError:
        log.warning("errand.message_ignored", reason="it names no errand")
        return
    except Error as error:
        connections.close_all()
        log.warning("errand.not_claimed", error=type(error).__name__)
        return
    if held is None:
        return
    with structlog.contextvars.bound_contextvars(errand=str(held.id), kind=held.kind, attempt=held.attempt):
        _do(held)


def _do(held: Held) -> None:
    try:
        _handlers.get(held.kind, _unknown)(held)
        _end(held, State.DONE)
    except Overtaken:
        log.warning("errand.overtaken")
    except Hopeless as error:
        _fail(held, str(error), permanent=True)
    except SoftTimeLimitExceeded:
        _fail(held, "It took too long.", permanent=False)
    except Exception as error:  # whatever it is, the errand must not stay open
        log.exception("errand.failed")
        connections.close_all()
        _fail(held, type(error).__name__, permanent=False)


def _unknown(held: Held) -> None:
    """A newer sender's, or an extension's that is not installed here: another worker may know it."""
    raise LookupError(held.kind)


def _claim(errand_id: UUID, owner: str) -> Held | None:
    now = metastore_now()
    with transaction.atomic():
        claimable = Errand.objects.filter(reached("available_at", now, within=2 * max(timing().errand_backoff)))
        fence = next_fence()
        claimed = claimable.filter(pk=errand_id, state=State.WAITING).update(
            state=State.WORKING,
            attempt=F("attempt") + 1,
            fence=fence,
            lease_owner=owner,
            lease_expires_at=now + timedelta(seconds=timing().errand_lease),
        )
        if not claimed:
            return None
        errand = Errand.objects.get(pk=errand_id)
    return Held(errand.pk, errand.kind, errand.attempt, fence, bytes(errand.sealed))


def _ours(held: Held) -> QuerySet[Errand]:
    return Errand.objects.filter(pk=held.id, fence=held.fence, state=State.WORKING)


def _end(held: Held, state: Errand.State, error: str = "") -> bool:
    """Its end, once; what was to be done is forgotten with it."""
    done = _ours(held).update(state=state, ended_at=metastore_now(), error=error, sealed=b"", **NO_LEASE)
    return bool(done)


def _fail(held: Held, error: str, *, permanent: bool) -> None:
    """Try again later, or give up. A metastore that is away leaves the errand to the reaper."""
    waits = timing().errand_backoff
    try:
        if permanent or held.attempt > len(waits):
            _end(held, State.FAILED, error)
        else:
            again = metastore_now() + jittered(waits[held.attempt - 1], timing().jitter)
            _wait_again(_ours(held), again, error=error)
    except Error as away:
        connections.close_all()
        log.warning("errand.left_to_the_reaper", error=type(away).__name__)


def _wait_again(errands: QuerySet[Errand], at: datetime, **changes: Any) -> int:
    return errands.update(
        state=State.WAITING, fence=next_fence(), available_at=at, dispatched_at=None, **NO_LEASE, **changes
    )


def reap_errands() -> int:
    """Those whose lease is over wait again, or have failed if that happened too often; how many."""
    now, limits = metastore_now(), timing()
    over = Errand.objects.filter(reached("lease_expires_at", now, within=2 * limits.errand_lease), state=State.WORKING)
    return _take_back(over, now)


def take_errands_from(owners: list[str]) -> int:
    """Errands of processes that are known to be gone; how many."""
    return _take_back(Errand.objects.filter(state=State.WORKING, lease_owner__in=owners), metastore_now())


def hand_over_errands(worker: str) -> int:
    """All errands of a worker that stops; how many. Nothing counts against them."""
    return _wait_again(errands_leased_to(worker), metastore_now(), attempt=F("attempt") - 1)


def errands_leased_to(worker: str) -> QuerySet[Errand]:
    """What the processes of one worker hold. An owner is ``<worker>/<pid>``."""
    return Errand.objects.filter(state=State.WORKING, lease_owner__startswith=f"{worker}/")


def _take_back(errands: QuerySet[Errand], now: datetime) -> int:
    most = len(timing().errand_backoff) + 1
    worn_out = errands.filter(attempt__gte=most).update(
        state=State.FAILED,
        fence=next_fence(),
        ended_at=now,
        error="Its worker was lost each time.",
        sealed=b"",
        **NO_LEASE,
    )
    return worn_out + _wait_again(errands.filter(attempt__lt=most), now)


def sweep_errands(now: datetime) -> None:
    """Forget those that ended a week ago; those that failed are kept as long."""
    Errand.objects.filter(ended_at__lt=now - timedelta(seconds=timing().errand_forgotten)).delete()


def _vault() -> Vault:
    return Vault(settings.METAMAPPER_FERNET_KEYS)


_doorbell = Doorbell("METAMAPPER_ERRAND_PUBLISHER", lambda _ids, publish: dispatch_errands(publish))
