"""What a datastore talks to, in a word: native ids mean one object only as long as that is the same."""

from hashlib import blake2b

import msgspec

from metamapper.datastores.models import Datastore

UNSURE = "unsure"
"""In place of an address: ids of another one may be among those that the catalog holds."""

_HOW = frozenset(
    {
        "user",
        "sign_in",
        "role",
        "tls",
        "ca_certificate",
        "attempts",
        "parallel",
        "shows",
        "sees_all",
        "intent",
        "warehouse",
    }
)
"""Settings that say how it is talked to. One that is not known to be such may lead elsewhere."""


def address_of(datastore: Datastore) -> str:
    """The same for two settings that lead to one place by one way; never blank."""
    where = {
        name: value
        for name, value in datastore.public_settings.items()
        if name not in _HOW and not name.endswith("_timeout") and value not in (None, "")
    }
    place = msgspec.json.encode([where, datastore.hops], order="deterministic")
    return blake2b(place, digest_size=16).hexdigest()
