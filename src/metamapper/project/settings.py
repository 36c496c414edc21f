"""Django's settings, from the environment. Read them through ``django.conf``, never from here."""

import importlib
from pathlib import Path
from typing import Any

import dj_database_url

from metamapper.lib.errors import ConfigurationError
from metamapper.project.environment import effective, private_file, read_environment

_env = read_environment()
PACKAGE = Path(__file__).resolve().parent.parent

ENVIRONMENT: str = _env["ENVIRONMENT"]
METAMAPPER_EFFECTIVE: dict[str, str] = effective(_env)
"""For `metamapper check`: every variable as it is in force, with secrets masked."""
METAMAPPER_HOME: Path = _env["METAMAPPER_HOME"]
METAMAPPER_ORIGIN: str = _env["METAMAPPER_WEBSERVER_ORIGIN"]
METAMAPPER_FERNET_KEYS: list[str] = _env["METAMAPPER_FERNET_KEY"]
METAMAPPER_BROKER_URL: str = _env["METAMAPPER_CELERY_BROKER_URL"]
METAMAPPER_RUNS: dict[str, Any] = {
    "stop": _env["METAMAPPER_STOP_SECONDS"],
    "runs_kept": 86_400 * _env["METAMAPPER_RUNS_KEPT_DAYS"],
}
"""Durations and limits of the ledger that differ from ``runs.timing``, by name."""
METAMAPPER_ALIVE_FILE: str = _env["METAMAPPER_ALIVE_FILE"]
METAMAPPER_PUBLISHER = "metamapper.celery.publish"
"""Sends the message that wakes a worker; blank rings no bell."""
METAMAPPER_ERRAND_PUBLISHER = "metamapper.celery.publish_errand"
METAMAPPER_CELERY_MODULE: str = _env["METAMAPPER_CELERY_CONFIG_MODULE"]
METAMAPPER_GUNICORN_CONFIG: str = _env["METAMAPPER_GUNICORN_CONFIG_PATH"]
METAMAPPER_ALLOWED_FOLDERS: list[str] = [folder for folder in _env["METAMAPPER_ALLOWED_FOLDERS"].split(":") if folder]
METAMAPPER_ALLOW_OWN_ACCOUNT: bool = _env["METAMAPPER_ALLOW_OWN_ACCOUNT"]
METAMAPPER_ALLOWED_NETWORKS: list[str] = _env["METAMAPPER_ALLOWED_NETWORKS"]
METAMAPPER_EXAMPLE: bool = _env["METAMAPPER_INCLUDE_EXAMPLE_DATASTORES"]

SECRET_KEY: str = _env["METAMAPPER_SECRET_KEY"]
DEBUG = False
ALLOWED_HOSTS = ["*"] if ENVIRONMENT == "development" else [METAMAPPER_ORIGIN.split("://")[1].split(":", maxsplit=1)[0]]
CSRF_TRUSTED_ORIGINS = [METAMAPPER_ORIGIN]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "metamapper.accounts",
    "metamapper.workspaces",
    "metamapper.datastores",
    "metamapper.runs",
    "metamapper.catalog",
    "metamapper.history",
    "metamapper.annotations",
    "metamapper.notifications",
    "metamapper.search",
    "metamapper.inspection",
    "metamapper.web",
]

MIDDLEWARE = [
    "metamapper.web.middleware.headers_middleware",
    "metamapper.web.middleware.reference_middleware",
    "metamapper.web.health.health_middleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "metamapper.web.middleware.zone_middleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "metamapper.project.urls"
WSGI_APPLICATION = "metamapper.project.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "metamapper.web.context.page",
            ]
        },
    }
]


def _metastore() -> dict[str, Any]:
    """PostgreSQL by URL or by parts, else SQLite in the data folder, in write-ahead mode with immediate transactions."""
    url = _env["METAMAPPER_DATABASE_URL"]
    if url:
        parsed: dict[str, Any] = dict(dj_database_url.parse(url, conn_max_age=300, conn_health_checks=True))
        given: dict[str, Any] = parsed.get("OPTIONS", {})
        return parsed | {"OPTIONS": _options(url) | given}
    if _env["METAMAPPER_DB_HOST"]:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "CONN_MAX_AGE": 300,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": _options("postgresql"),
        } | {part: _env[f"METAMAPPER_DB_{part}"] for part in ("HOST", "PORT", "NAME", "USER", "PASSWORD")}
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": private_file(METAMAPPER_HOME / "metamapper.sqlite3"),
        "OPTIONS": _options("sqlite"),
    }


def _options(url: str) -> dict[str, Any]:
    """A host that vanished without a word is noticed in seconds; SQLite's file is written by many."""
    if not url.startswith("sqlite"):
        return {
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,
        }
    pragmas = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY;"
    return {"transaction_mode": "IMMEDIATE", "timeout": 30, "init_command": pragmas}


DATABASES = {"default": _metastore()}
# In the metastore, which every process shares: attempts to sign in are counted here, whoever of them answers.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "shared_cache"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_ADAPTER = "metamapper.accounts.adapter.AccountAdapter"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
EMAIL_BACKEND = "metamapper.notifications.mail.OutboxBackend"
METAMAPPER_EMAIL_BACKEND: str = _env["METAMAPPER_EMAIL_BACKEND"]
"""What workers send mail with."""
EMAIL_HOST: str = _env["METAMAPPER_EMAIL_HOST"]
EMAIL_PORT: int = _env["METAMAPPER_EMAIL_PORT"]
EMAIL_HOST_USER: str = _env["METAMAPPER_EMAIL_USER"]
EMAIL_HOST_PASSWORD: str = _env["METAMAPPER_EMAIL_PASSWORD"]
EMAIL_USE_TLS: bool = _env["METAMAPPER_EMAIL_USE_TLS"]
EMAIL_USE_SSL: bool = _env["METAMAPPER_EMAIL_USE_SSL"]
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = SERVER_EMAIL = _env["METAMAPPER_EMAIL_FROM_ADDRESS"]

_https = METAMAPPER_ORIGIN.startswith("https://")
SESSION_COOKIE_NAME = "__Host-session" if _https else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _https else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_AGE = 7 * 24 * 3600
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _https else None
SECURE_REFERRER_POLICY = "same-origin"
CSRF_FAILURE_VIEW = "metamapper.web.errors.csrf_failure"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

STATIC_URL = "/static/"
WHITENOISE_USE_FINDERS = True  # straight from the package: nothing to collect before a start
LOGGING_CONFIG = "metamapper.lib.logs.configure"
LOGGING: dict[str, Any] = {"development": ENVIRONMENT == "development"}


def _override(module_name: str) -> dict[str, Any]:
    """The upper-case names of the administrator's own module."""
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigurationError(
            f"METAMAPPER_SETTINGS_OVERRIDE_MODULE names {module_name}, which cannot be imported: {error}."
        ) from error
    return {name: value for name, value in vars(module).items() if name.isupper()}


if _env["METAMAPPER_SETTINGS_OVERRIDE_MODULE"]:
    globals().update(_override(_env["METAMAPPER_SETTINGS_OVERRIDE_MODULE"]))
