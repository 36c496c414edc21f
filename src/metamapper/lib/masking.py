"""Texts that may be shown: the passwords of the URLs in them are masked."""

import re

MASK = "***"
_USERINFO = re.compile(r"(?<=://)([^/@\s:]*):([^\s]*)@")
_PARAMETER = re.compile(r"([?&][^=&\s]*(?:pass|secret|token|key|credential)[^=&\s]*=)[^&\s]+", re.IGNORECASE)


def masked(text: str) -> str:
    """The same text without the passwords of the URLs in it: neither before the host nor among the parameters."""
    return _PARAMETER.sub(rf"\1{MASK}", _USERINFO.sub(rf"\1:{MASK}@", text))
