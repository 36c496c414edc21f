"""The Celery application: ``celery --app metamapper worker -l info``, ``celery --app metamapper beat -l info``."""

import logging
import os
import sys
from typing import Any

import click
import structlog
from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "metamapper.project.settings")

from django.conf import settings

from metamapper.lib import tracing
from metamapper.lib.celery_settings import shown
from metamapper.lib.errors import ConfigurationError
from metamapper.runs.configuration import celery_settings
from metamapper.runs.publishing import ERRAND, publisher

log = structlog.get_logger(__name__)


def make_app() -> Celery:
    """The application, configured; raises ``ConfigurationError``. Says in a line each what the settings break."""
    in_force, warnings = celery_settings()
    application = Celery("metamapper")
    application.config_from_object(in_force)
    application.autodiscover_tasks()
    for warning in warnings:
        log.warning("celery.settings", problem=warning)
    return application


def _started_by_celery() -> bool:
    """Whether the ``celery`` command imports us: it would answer an exception with a page of traceback."""
    context = click.get_current_context(silent=True)
    return context is not None and context.find_root().command.name == "celery"


@signals.setup_logging.connect
def keep_our_logging(loglevel: Any = None, **_: Any) -> None:
    """Celery would replace our log format; only its level is taken over."""
    if loglevel:
        logging.getLogger().setLevel(loglevel)


@signals.celeryd_init.connect
@signals.beat_init.connect
def tell_configuration(**_: Any) -> None:
    """Every start says what is in force, a line each, secrets masked: the first thing that anybody who helps asks for."""
    for name, value in {**settings.METAMAPPER_EFFECTIVE, **shown(celery_settings()[0])}.items():
        log.info("configuration", name=name, value=value)
    if missing := tracing.problem():
        log.warning("tracing", problem=missing)


@signals.celeryd_init.connect
def tie_to_the_ledger(**kwargs: Any) -> None:
    """In a worker's main process, before anything is consumed. Imported late: models need Django to be set up."""
    import django

    django.setup()
    from metamapper.runs.worker import Installed

    global _installed  # noqa: PLW0603 - signals hold their receivers weakly
    _installed = Installed()
    _installed.on_init(**kwargs)


_installed: Any = None

try:
    app = make_app()
except ConfigurationError as error:
    if _started_by_celery():
        sys.exit(f"Error: {error}")
    raise

publish = publisher(app)
"""Wakes a worker for a run: what ``settings.METAMAPPER_PUBLISHER`` names."""
publish_errand = publisher(app, ERRAND)
"""Wakes a worker for an errand: what ``settings.METAMAPPER_ERRAND_PUBLISHER`` names."""
