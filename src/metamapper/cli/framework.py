"""Django for the commands that need it."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.conf import LazySettings

SETTINGS = "metamapper.project.settings"


def start_django() -> None:
    """Make models and settings usable; raises ``ConfigurationError`` for a wrong environment."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    django.setup()


def settings_read() -> "LazySettings":
    """Django's settings alone, read now; raises ``ConfigurationError`` for a wrong environment."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    from django.conf import settings

    _ = settings.METAMAPPER_HOME
    return settings
