"""Where secrets are sealed: under the administrator's keys."""

from django.conf import settings

from metamapper.lib.crypto import Vault


def vault() -> Vault:
    return Vault(settings.METAMAPPER_FERNET_KEYS)
