"""Tunnels of datastores: the hosts they go through, and the workspace's key pairs that sign in there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec
from django.db import transaction

from metamapper.accounts.models import User
from metamapper.connectors.tunnel.connector import SignedIn
from metamapper.connectors.tunnel.keys import Algorithm, make
from metamapper.connectors.tunnel.values import Hop, Keys, Tunnel, fingerprint
from metamapper.datastores.models import Datastore, SshKey
from metamapper.datastores.vault import vault
from metamapper.workspaces.models import Workspace

PRIVATE = "private"


MOST_KEYS = 6
"""Key pairs of a workspace: a host hangs up on who offers more."""


class TooManyKeys(Exception):
    """A workspace has as many key pairs as hosts put up with."""

    def __init__(self) -> None:
        super().__init__(f"There are {MOST_KEYS} key pairs. Retire one first.")


class LastKey(Exception):
    """The only key pair of a workspace cannot be retired: nothing would sign in any more."""

    def __init__(self) -> None:
        super().__init__("It is the only key pair. Make another one first, and let the hosts know it.")


class StillUsed(Exception):
    """Hosts took this key when they were last signed in to. ``uses`` are those."""

    def __init__(self, uses: Sequence["Use"]) -> None:
        super().__init__("Hosts sign in with it still.")
        self.uses = uses


@dataclass(frozen=True, slots=True)
class Use:
    """A host of a datastore that took a key."""

    datastore: Datastore
    host: str


def hops_of(datastore: Datastore) -> tuple[Hop, ...]:
    """The SSH hosts that it is reached through, the first first."""
    return tuple(msgspec.convert(each, Hop) for each in datastore.hops)


def as_stored(hops: Sequence[Hop]) -> list[dict[str, object]]:
    """As JSON gives them back, so that both can be compared."""
    return msgspec.json.decode(msgspec.json.encode(list(hops)), type=list[dict[str, object]])


def tunnel_for(workspace: UUID, hops: Sequence[Hop]) -> Tunnel | None:
    """A tunnel through these hosts with the workspace's keys, the newest first; raises ``WrongKey``."""
    if not hops:
        return None
    found = list(SshKey.objects.filter(workspace_id=workspace))
    private = tuple(str(vault().open(bytes(each.sealed_private))[PRIVATE]) for each in found)
    return Tunnel(tuple(hops), Keys(private=private, public=tuple(each.public for each in found)))


def note_sign_ins(datastore: Datastore) -> SignedIn:
    """Writes down which key a host took, where it is another than before."""

    def note(hop: Hop, key: str) -> None:
        name = as_named(hop)
        if datastore.signed_in_with.get(name) == key:
            return
        with transaction.atomic():
            now = _locked(datastore)
            if now is None or hop not in hops_of(now):
                return  # it is not reached through this host any more
            datastore.signed_in_with = {**now.signed_in_with, name: key}
            Datastore.objects.filter(pk=now.pk).update(signed_in_with=datastore.signed_in_with)

    return note


def still_signed_in(datastore: Datastore, hops: Sequence[Hop]) -> dict[str, str]:
    """Which keys are known to be taken where only some of the hosts change. Within a transaction, until whose end it stays."""
    now = _locked(datastore)
    kept = {as_named(each) for each in hops if now is not None and each in hops_of(now)}
    return {name: key for name, key in now.signed_in_with.items() if name in kept} if now else {}


def _locked(datastore: Datastore) -> Datastore | None:
    """As it is now: several runs, tests and people may write to it."""
    return Datastore.objects.select_for_update(no_key=True).filter(pk=datastore.pk).first()


def as_named(hop: Hop) -> str:
    return f"{hop.user}@{hop}"


# --- Key pairs --------------------------------------------------------------------------------------------------------


def ensure_key(workspace: Workspace, user: User | None) -> None:
    """Make the workspace's key pair, unless it has one."""
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        if not SshKey.objects.filter(workspace=workspace).exists():
            make_key(workspace, Algorithm.ED25519, user)


def make_key(workspace: Workspace, algorithm: Algorithm, user: User | None) -> SshKey:
    """A new key pair, which is offered before the others from now on; raises ``TooManyKeys``."""
    if SshKey.objects.filter(workspace=workspace).count() >= MOST_KEYS:
        raise TooManyKeys
    pair = make(algorithm, f"metamapper-{workspace.slug}")  # which takes seconds, and no lock
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        if SshKey.objects.filter(workspace=workspace).count() >= MOST_KEYS:
            raise TooManyKeys
        return SshKey.objects.create(
            workspace=workspace,
            algorithm=algorithm,
            public=pair.public,
            fingerprint=fingerprint(pair.public),
            sealed_private=vault().seal({PRIVATE: pair.private}),
            created_by=user,
        )


def retire_key(key: SshKey, *, although_used: bool = False) -> None:
    """Forget a key pair for good; raises ``LastKey``, and ``StillUsed`` unless that is known."""
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=key.workspace_id)
        if SshKey.objects.filter(workspace=key.workspace_id).exclude(pk=key.pk).count() == 0:
            raise LastKey
        uses = uses_of(key.workspace_id).get(key.fingerprint, ())
        if uses and not although_used:
            raise StillUsed(uses)
        key.delete()


def uses_of(workspace: UUID) -> Mapping[str, Sequence[Use]]:
    """Which hosts took which key, by its fingerprint, as far as they have been signed in to."""
    found: dict[str, list[Use]] = {}
    for datastore in Datastore.objects.filter(workspace_id=workspace).exclude(signed_in_with={}).order_by("name"):
        for host, key in datastore.signed_in_with.items():
            found.setdefault(key, []).append(Use(datastore, host))
    return found
