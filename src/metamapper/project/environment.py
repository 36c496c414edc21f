"""The environment variables Metamapper reads: each named, explained and checked once, at start.

The documentation and ``metamapper check`` are derived from ``VARIABLES``. A variable marked ``secret`` can also be given
as a file by its ``_FILE`` twin.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from platformdirs import user_data_path

from metamapper.lib.errors import ConfigurationError
from metamapper.lib.masking import masked
from metamapper.lib.net import networks


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    help: str
    default: str = ""
    secret: bool = False
    choices: tuple[str, ...] = ()
    parse: Callable[[str], Any] = str

    def read(self, environ: Mapping[str, str]) -> Any:
        """Its value; raises ``ConfigurationError`` naming the variable and the fix."""
        text = environ.get(self.name) or self._from_file(environ) or self.default
        if self.choices and text not in self.choices:
            raise ConfigurationError(f"{self.name} is “{text}”; it must be one of: {', '.join(self.choices)}.")
        try:
            return self.parse(text)
        except ValueError as error:
            raise ConfigurationError(f"{self.name} cannot be read: {error}.") from error

    def _from_file(self, environ: Mapping[str, str]) -> str:
        path = environ.get(f"{self.name}_FILE") if self.secret else None
        if not path:
            return ""
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ConfigurationError(
                f"{self.name}_FILE names {path}, which cannot be read: {error.strerror}."
            ) from error


def _list(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _networks(text: str) -> list[str]:
    return [str(network) for network in networks(_list(text))]


def _flag(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"", "0", "false", "no", "off"}:
        return False
    raise ValueError(f"“{text}” is neither yes nor no")


def _days(text: str) -> int:
    if text.isdecimal() and int(text) <= MOST_DAYS:
        return int(text)
    raise ValueError(f"“{text}” is no number of days")


def _email_backend(text: str) -> str:
    return text if "." in text else f"django.core.mail.backends.{text}.EmailBackend"


def _origin(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("it must start with http:// or https://")
    return text.rstrip("/")


MOST_DAYS = 366_000
"""A thousand years: before the first year there is no date."""

VARIABLES: tuple[Variable, ...] = (
    Variable("ENVIRONMENT", "Where this runs.", "development", choices=("development", "staging", "production")),
    Variable(
        "METAMAPPER_HOME",
        "The data folder of the embedded metastore, broker and keys.",
        str(user_data_path("metamapper")),
    ),
    Variable("METAMAPPER_SECRET_KEY", "Signs sessions. At least 50 random characters.", secret=True),
    Variable(
        "METAMAPPER_FERNET_KEY",
        "Encrypts stored credentials: a comma list, the first encrypts.",
        secret=True,
        parse=_list,
    ),
    Variable("METAMAPPER_WEBSERVER_ORIGIN", "The address people type.", "http://localhost:5050", parse=_origin),
    Variable("METAMAPPER_DATABASE_URL", "The metastore; blank is SQLite in the data folder.", secret=True),
    Variable("METAMAPPER_DB_HOST", "The metastore's host, if no URL is given."),
    Variable("METAMAPPER_DB_PORT", "The metastore's port.", "5432"),
    Variable("METAMAPPER_DB_NAME", "The metastore's database.", "metamapper"),
    Variable("METAMAPPER_DB_USER", "The metastore's user.", "metamapper"),
    Variable("METAMAPPER_DB_PASSWORD", "The metastore's password.", secret=True),
    Variable("METAMAPPER_CELERY_BROKER_URL", "The broker; blank is the embedded one in the data folder.", secret=True),
    Variable(
        "METAMAPPER_CELERY_CONFIG_MODULE", "A module of Celery settings; what it names wins.", "metamapper.conf.celery"
    ),
    Variable(
        "METAMAPPER_STOP_SECONDS",
        "How many seconds a stopping worker lets its runs finish before it hands them over.",
        "25",
        parse=float,
    ),
    Variable(
        "METAMAPPER_RUNS_KEPT_DAYS",
        "How many days runs are kept that found nothing; 0 keeps them for ever. Runs that found changes always stay.",
        "30",
        parse=_days,
    ),
    Variable(
        "METAMAPPER_ALIVE_FILE",
        "A file that a worker or scheduler touches every few seconds; `metamapper alive` tells by its age whether it lives.",
    ),
    Variable(
        "METAMAPPER_EMAIL_BACKEND",
        "What sends mail: smtp, console (the worker's log), or the dotted path of a Django e-mail backend.",
        "console",
        parse=_email_backend,
    ),
    Variable("METAMAPPER_EMAIL_HOST", "The mail server.", "localhost"),
    Variable("METAMAPPER_EMAIL_PORT", "The mail server's port.", "25", parse=int),
    Variable("METAMAPPER_EMAIL_USER", "Who signs in to the mail server; blank signs nobody in."),
    Variable("METAMAPPER_EMAIL_PASSWORD", "The password of that user.", secret=True),
    Variable("METAMAPPER_EMAIL_USE_TLS", "Speak STARTTLS with the mail server.", "no", parse=_flag),
    Variable("METAMAPPER_EMAIL_USE_SSL", "Speak TLS with the mail server from the first byte.", "no", parse=_flag),
    Variable("METAMAPPER_EMAIL_FROM_ADDRESS", "Whom mail comes from.", "metamapper@localhost"),
    Variable("METAMAPPER_GUNICORN_CONFIG_PATH", "A gunicorn configuration file that replaces ours."),
    Variable("METAMAPPER_SETTINGS_OVERRIDE_MODULE", "A module whose upper-case names override Django's settings."),
    Variable("METAMAPPER_ALLOWED_FOLDERS", "Folders whose files may be connected as datastores, separated by colons."),
    Variable(
        "METAMAPPER_ALLOWED_NETWORKS",
        "Private networks that datastores may be in, as a comma list; in development all are open.",
        parse=_networks,
    ),
    Variable(
        "METAMAPPER_ALLOW_OWN_ACCOUNT",
        "Whether a datastore may be signed in to with the worker's own cloud account; in development it may.",
        "no",
        parse=_flag,
    ),
    Variable(
        "METAMAPPER_INCLUDE_EXAMPLE_DATASTORES",
        "Connect the example when the first workspace is made.",
        "yes",
        parse=_flag,
    ),
)

MINIMUM_SECRET = 50


def read_environment(environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Every variable by name, checked; raises ``ConfigurationError`` at the first that is wrong.

    Production refuses missing or weak keys. Elsewhere keys are made once and kept in the data folder.
    """
    values = {variable.name: variable.read(environ) for variable in VARIABLES}
    home = Path(values["METAMAPPER_HOME"]).expanduser()
    values["METAMAPPER_HOME"] = home
    production = values["ENVIRONMENT"] == "production"
    if not values["METAMAPPER_SECRET_KEY"] and not production:
        values["METAMAPPER_SECRET_KEY"] = _kept(home / "secret_key", lambda: secrets.token_urlsafe(64))
    if not values["METAMAPPER_FERNET_KEY"] and not production:
        values["METAMAPPER_FERNET_KEY"] = [_kept(home / "fernet_key", lambda: Fernet.generate_key().decode())]
    _check_keys(values)
    if values["METAMAPPER_EMAIL_USE_TLS"] and values["METAMAPPER_EMAIL_USE_SSL"]:
        raise ConfigurationError(
            "METAMAPPER_EMAIL_USE_TLS and METAMAPPER_EMAIL_USE_SSL exclude each other; choose one."
        )
    return values


def effective(values: Mapping[str, Any]) -> dict[str, str]:
    """Each variable as it is in force, fit to be shown: a secret is a URL without its password, or only "set"."""
    secret = {variable.name for variable in VARIABLES if variable.secret}
    return {name: _shown(value, secret=name in secret) for name, value in values.items()}


def _shown(value: Any, *, secret: bool) -> str:
    text = ", ".join(value) if isinstance(value, list) else {True: "yes", False: "no"}.get(value, str(value))
    if secret and text and "://" not in text:
        return "set"
    return masked(text)


def private_file(path: Path) -> Path:
    """The file, there and readable by nobody but us, whatever the rights of its folder are.

    Raises ``ConfigurationError`` where it cannot be made.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise ConfigurationError(
            f"METAMAPPER_HOME: {path} cannot be written: {error.strerror}. Name another folder."
        ) from error
    return path


def _kept(path: Path, make: Callable[[], str]) -> str:
    """What the file holds, written first if it is not there; two processes at once agree on one."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        if not path.exists():
            draft.touch(mode=0o600)
            draft.write_text(make(), encoding="ascii")
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise ConfigurationError(
            f"METAMAPPER_HOME: {path.parent} cannot be written: {error.strerror}. Name another folder."
        ) from error


def _check_keys(values: Mapping[str, Any]) -> None:
    if len(values["METAMAPPER_SECRET_KEY"]) < MINIMUM_SECRET:
        raise ConfigurationError(
            f"METAMAPPER_SECRET_KEY must have at least {MINIMUM_SECRET} characters; "
            "`python -c 'import secrets; print(secrets.token_urlsafe(64))'` makes one."
        )
    if not values["METAMAPPER_FERNET_KEY"]:
        raise ConfigurationError("METAMAPPER_FERNET_KEY is missing; `metamapper make-key` prints a new one.")
    for key in values["METAMAPPER_FERNET_KEY"]:
        try:
            Fernet(key)
        except ValueError as error:
            raise ConfigurationError(
                "METAMAPPER_FERNET_KEY holds a key that is not 32 url-safe base64 bytes; `metamapper make-key` prints one."
            ) from error
