"""Django for the commands that need it."""

import os

SETTINGS = "metamapper.project.settings"


def start_django() -> None:
    """Make models and settings usable; raises ``ConfigurationError`` for a wrong environment."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    django.setup()
