"""From what Google's libraries raise to errors with a next step.

Reasons are those of https://cloud.google.com/bigquery/docs/error-messages.
"""

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

from metamapper.connectors import errors
from metamapper.connectors.engines.bigquery.settings import BigquerySettings
from metamapper.connectors.sql.redaction import redact
from metamapper.connectors.wire import HINTS, refused

ROLE = "roles/bigquery.metadataViewer"
"""What a reader needs: on the project to see every dataset, or on single datasets."""

_STRANGE = (ValueError, KeyError, TypeError, AttributeError)
"""What Google's client does with answers that are not BigQuery's."""
RAISED = (GoogleAPICallError, GoogleAuthError, requests.RequestException, OSError, *_STRANGE)
"""What a call of a library can raise."""

BUSY = frozenset({"rateLimitExceeded", "quotaExceeded", "userRateLimitExceeded"})
_FAILING = frozenset({"backendError", "internalError", "badGateway"})
_TOO_MANY, _SERVER_FAULT = 429, 500
_UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 401, 403, 404
_CLOCK = "invalid_grant"
_QUOTA = "BigQuery's quota of calls is used up for now; fewer calls at a time may help, or a higher quota."
_BROKEN = "BigQuery has a fault or is under maintenance; the next attempt may succeed."


def translated(error: Exception, settings: BigquerySettings) -> errors.ConnectorError:
    """The error with its next step; nothing of a key is in it."""
    if isinstance(error, GoogleAPICallError):
        return _of_call(error, settings)
    if isinstance(error, TransportError) and error.args and isinstance(error.args[0], Exception):
        return _of_network(error.args[0])
    if isinstance(error, GoogleAuthError):
        return _of_sign_in(error, settings)
    if isinstance(error, (requests.RequestException, OSError)) and not isinstance(error, requests.JSONDecodeError):
        return _of_network(error)
    return errors.ServerForeign(
        "The answer is not one of BigQuery's.", hint=HINTS[errors.ServerForeign], server_said=type(error).__name__
    )


def reason_of(error: GoogleAPICallError) -> str:
    """BigQuery's own word for what was wrong, such as accessDenied; blank where it gave none."""
    given: list[Any] = list(error.errors or ())
    found = given[0].get("reason") if given and isinstance(given[0], Mapping) else None
    return str(found or "")


def _of_call(error: GoogleAPICallError, settings: BigquerySettings) -> errors.ConnectorError:
    said = redact(str(error.message or ""), settings.secrets())
    reason, code = reason_of(error), int(error.code or 0)
    if reason in BUSY or code == _TOO_MANY:
        return errors.Throttled(server_said=said, hint=_QUOTA)
    if reason in _FAILING or code >= _SERVER_FAULT:
        return errors.ServerUnavailable(server_said=said, hint=_BROKEN)
    if code == _UNAUTHORIZED:
        return errors.SignInFailed("BigQuery takes no token of this account.", server_said=said, hint=_ASK_AGAIN)
    if code == _FORBIDDEN:
        return _forbidden(reason, said, settings)
    if code == _NOT_FOUND:
        return errors.DatabaseUnknown("There is no such project.", server_said=said, hint=_PROJECT)
    return errors.ServerForeign(server_said=said, hint=HINTS[errors.ServerForeign])


def _forbidden(reason: str, said: str, settings: BigquerySettings) -> errors.PermissionMissing:
    project = shlex.quote(settings.project)
    if reason == "accessNotConfigured" or "has not been used in project" in said:
        enable = f"gcloud services enable bigquery.googleapis.com --project={project}"
        return errors.PermissionMissing(
            "BigQuery is not switched on in this project.", server_said=said, remedy=enable, hint=_PASTE
        )
    if "VPC Service Controls" in said or "vpcServiceControls" in said:
        return errors.PermissionMissing(
            server_said=said, hint="Let the workers into the perimeter of VPC Service Controls."
        )
    return errors.PermissionMissing(server_said=said, hint=f"The account needs the role {ROLE} on the project.")


def _of_sign_in(error: GoogleAuthError, settings: BigquerySettings) -> errors.ConnectorError:
    said = redact(str(error.args[0]) if error.args else "", settings.secrets())
    if getattr(error, "retryable", False):
        return errors.ServerUnavailable("Google gives no token at the moment.", server_said=said, hint=_BROKEN)
    answer = error.args[1] if len(error.args) > 1 else None
    if isinstance(error, RefreshError) and not isinstance(answer, Mapping):
        return errors.ServerForeign("What was asked for a token is not Google.", hint=HINTS[errors.ServerForeign])
    return errors.SignInFailed(
        "Google gives this account no token.", server_said=said, hint=_KEY if _CLOCK in said else _ASK_AGAIN
    )


def _of_network(error: Exception) -> errors.ConnectorError:
    if isinstance(error, requests.exceptions.SSLError):
        return errors.TlsFailed(server_said=_deepest(error), hint=HINTS[errors.TlsFailed])
    if isinstance(error, requests.Timeout):
        return errors.ConnectionTimeout(hint=HINTS[errors.ConnectionTimeout])
    if isinstance(error, requests.TooManyRedirects):
        return errors.ServerForeign("It wants to send us elsewhere.", hint=HINTS[errors.ServerForeign])
    for cause in _causes(error):
        if isinstance(cause, TimeoutError):
            return errors.ConnectionTimeout(hint=HINTS[errors.ConnectionTimeout])
        if isinstance(cause, OSError) and not isinstance(cause, requests.RequestException):
            found = refused(cause)
            return found if not isinstance(found, errors.HostUnreachable) else _lost(error)
    return _lost(error)


def _lost(error: Exception) -> errors.ConnectionLost:
    return errors.ConnectionLost(server_said=_deepest(error), hint=HINTS[errors.ConnectionLost])


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made of: requests and urllib3 keep that as arguments, as causes and as reasons."""
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop(0)
        if isinstance(each, BaseException) and not any(each is one for one in seen):
            seen.append(each)
            waiting += [*each.args, each.__cause__, each.__context__, getattr(each, "reason", None)]
            yield each


def _deepest(error: BaseException) -> str:
    return str(list(_causes(error))[-1]) or type(error).__name__


def grant_on_dataset(project: str, dataset: str, member: str) -> str:
    """The statement that opens a dataset, to be pasted into BigQuery's own editor."""
    return f'GRANT `{ROLE}` ON SCHEMA `{project}`.`{dataset}` TO "{member}";'


def grant_on_project(project: str, member: str) -> str:
    """The command that opens a whole project."""
    return f"gcloud projects add-iam-policy-binding {shlex.quote(project)} \\\n  --member={shlex.quote(member)} --role={ROLE}"


_KEY = "The key was deleted or disabled, or belongs to an account that is gone: make a new one. A wrong clock does this, too."
_ASK_AGAIN = "Check that the account exists and is not disabled."
_PROJECT = "Check the project's id: not its name, not its number."
_PASTE = "Paste this as an administrator."
