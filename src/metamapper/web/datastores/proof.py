"""Proof that these very settings passed the connection test: signed by us, so that no form can claim it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from django.core import signing
from django.utils.crypto import salted_hmac

from metamapper.connectors.base import EngineSettings
from metamapper.connectors.tunnel.values import Hop

SALT = "metamapper.datastores.tested"
LASTS = 3600
"""Seconds for which a test is believed."""


def prove(workspace: UUID, engine: str, settings: EngineSettings, hops: Sequence[Hop] = ()) -> str:
    """A token to hand in with the form. It holds a keyed digest: nothing of the settings can be read or guessed from it."""
    return signing.dumps(_digest(workspace, engine, settings, hops), salt=SALT)


def is_proved(token: str, workspace: UUID, engine: str, settings: EngineSettings, hops: Sequence[Hop] = ()) -> bool:
    try:
        proved: str = signing.loads(token, salt=SALT, max_age=LASTS)
    except signing.BadSignature:
        return False
    return proved == _digest(workspace, engine, settings, hops)


def _digest(workspace: UUID, engine: str, settings: EngineSettings, hops: Sequence[Hop]) -> str:
    content = msgspec.json.encode([str(workspace), engine, settings, list(hops)], order="deterministic")
    return salted_hmac(SALT, content, algorithm="sha256").hexdigest()
