"""Whom a TLS connection trusts, and what to say where that text is none that could be trusted."""

import ssl

from metamapper.connectors.errors import SettingsInvalid


def trusting(authority: str, *, otherwise: str | None = None) -> ssl.SSLContext:
    """Trust this PEM text; blank trusts the file ``otherwise``, or whom this machine trusts. Raises ``SettingsInvalid``."""
    try:
        if authority.strip():
            return ssl.create_default_context(cadata=authority.strip())
        return ssl.create_default_context(cafile=otherwise)
    except (OSError, ValueError, TypeError):  # ssl.SSLError is an OSError; text beyond ASCII is a TypeError
        raise SettingsInvalid(
            "Certificate authority: this is no certificate.",
            hint="Paste the PEM text, from BEGIN CERTIFICATE to END CERTIFICATE.",
        ) from None
