"""Celery's settings for this installation: the shipped ones, what the broker needs, and the administrator's over both."""

from functools import cache
from typing import Any

from django.conf import settings

from metamapper.conf import celery as shipped
from metamapper.lib.celery_settings import settings_in_force
from metamapper.lib.errors import ConfigurationError


@cache
def celery_settings() -> tuple[dict[str, Any], list[str]]:
    """All settings in force, and a line for each that is unknown or breaks a promise; raises ``ConfigurationError``."""
    return settings_in_force(
        shipped,
        override=settings.METAMAPPER_CELERY_MODULE,
        broker_url=settings.METAMAPPER_BROKER_URL,
        home=settings.METAMAPPER_HOME,
    )


@cache
def hard_limit() -> float | None:
    """Seconds after which Celery kills a task; None where the settings do not say, or cannot be read (a start says so)."""
    try:
        limit: float | None = celery_settings()[0].get("task_time_limit")
    except ConfigurationError:
        return None
    return limit or None
