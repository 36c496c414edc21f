"""From what AWS and its driver say to errors with a next step.

Codes that all services share: https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from metamapper.connectors import errors
from metamapper.connectors.aws import policy
from metamapper.connectors.aws.settings import AwsSettings, SignIn
from metamapper.connectors.sql.redaction import redact

Kind = type[errors.ConnectorError]


class SourceFailed(errors.ConnectorError):
    """What a catalog only leads to: a metastore of one's own, another vendor's database."""

    code = "source.failed"
    title = "A source behind the catalog cannot be asked"


LONGEST = 1000
"""Characters of what a service says that are kept."""

_SIGN_IN = (
    "UnrecognizedClientException InvalidSignatureException InvalidClientTokenId SignatureDoesNotMatch ExpiredToken"
    " ExpiredTokenException MissingAuthenticationToken MissingAuthenticationTokenException IncompleteSignature"
    " IncompleteSignatureException InvalidAccessKeyId AuthFailure NotAuthorized OptInRequired RequestExpired"
)
_REFUSED = "AccessDenied AccessDeniedException UnauthorizedOperation GlueEncryptionException"
_THROTTLED = (
    "Throttling ThrottlingException ThrottledException RequestLimitExceeded TooManyRequestsException LimitExceededException"
    " RequestThrottled RequestThrottledException BandwidthLimitExceeded SlowDown ProvisionedThroughputExceededException"
)
_BUSY = (
    "InternalServiceException InternalServerException InternalFailure ServiceUnavailable ServiceUnavailableException"
)
_MISSING = "EntityNotFoundException ResourceNotFoundException"
_SLOW = "OperationTimeoutException RequestTimeout RequestTimeoutException"
_MEANING: dict[str, Kind] = {
    code: kind
    for codes, kind in (
        (_SIGN_IN, errors.SignInFailed),
        (_REFUSED, errors.PermissionMissing),
        (_THROTTLED, errors.Throttled),
        (_BUSY, errors.ServerUnavailable),
        (_MISSING, errors.DatabaseUnknown),
        (_SLOW, errors.StatementTimeout),
        ("InvalidInputException ValidationException ValidationError InvalidRequestException", errors.SettingsInvalid),
        ("FederationSourceException MetadataException", SourceFailed),
        ("FederationSourceRetryableException", errors.ServerUnavailable),
    )
    for code in codes.split()
}
_CODE_WITHIN = re.compile(r"Error Code: (\w+)")
"""Athena wraps what another service said: ``MetadataException: … (Service: AmazonDataCatalog; … Error Code: …)``."""

_HINTS: dict[Kind, str] = {
    SourceFailed: "Look at the source, or at the function or connection that leads to it; what was known of it stays.",
    errors.Throttled: "Other users of the account make calls, too; the next attempt may succeed. Raise the attempts if not.",
    errors.ServerUnavailable: "The service is in trouble of its own; the next attempt may succeed.",
    errors.ServerForeign: "What answers at this endpoint is no service of AWS: check the endpoint.",
    errors.ConnectionLost: "The service, or something between, cut the connection; the next attempt may succeed.",
    errors.ConnectionTimeout: "Check the region and the endpoint, and that no firewall drops what the workers send.",
    errors.DatabaseUnknown: "Check the spelling of the catalog, and the region.",
    errors.StatementTimeout: "The service gave the call up; the next attempt may succeed.",
    errors.SettingsInvalid: "Check the catalog and the region.",
}


@contextmanager
def in_our_words(settings: AwsSettings) -> Iterator[None]:
    """Within the block, what the driver raises becomes a ``ConnectorError``; no secret is in it."""
    try:
        yield
    except ClientError as error:
        raise from_answer(error, settings) from None
    except (BotoCoreError, ResponseParserError) as error:
        raise from_driver(error, settings) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        # How the driver's parser fails at an answer that is nobody's of AWS.
        raise foreign() from None


def from_answer(error: ClientError, settings: AwsSettings) -> errors.ConnectorError:
    """The error of a call that AWS refused."""
    answer: dict[str, Any] = error.response
    told = answer.get("Error", {})
    said, code = str(told.get("Message") or ""), str(told.get("Code") or "")
    kind = _kind(code, said, answer.get("ResponseMetadata", {}))
    # A page of HTML is no sentence.
    text = "" if said.lstrip().startswith("<") else redact(" ".join(said.split()), settings.hidden)[:LONGEST]
    hint, remedy = _advice(kind, code, text, error.operation_name, settings)
    detail = "AWS does not accept these credentials." if kind is errors.SignInFailed else ""
    return kind(detail, server_said=f"{text} ({code})".strip() if code else text, hint=hint, remedy=remedy)


def from_driver(error: Exception, settings: AwsSettings) -> errors.ConnectorError:
    """The error of a call that got no answer, or none that can be read."""
    kind: Kind = errors.ConnectorError
    if isinstance(error, (ConnectTimeoutError, ReadTimeoutError)):
        kind = errors.ConnectionTimeout
    elif isinstance(error, (ConnectionClosedError, EndpointConnectionError)):
        kind = errors.ConnectionLost
    elif isinstance(error, ResponseParserError):
        kind = errors.ServerForeign
    elif isinstance(error, ParamValidationError):
        kind = errors.SettingsInvalid
    elif isinstance(error, (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)):
        return errors.SignInFailed(
            "The worker has no credentials of its own that can be used.",
            hint="Give the workers a role, or sign in with an access key.",
        )
    said = "" if kind is errors.ConnectionLost else redact(" ".join(str(error).split()), settings.hidden)
    return kind(server_said=said, hint=_HINTS.get(kind, ""))


def foreign() -> errors.ServerForeign:
    return errors.ServerForeign(hint=_HINTS[errors.ServerForeign])


def _kind(code: str, said: str, metadata: dict[str, Any]) -> Kind:
    """By the code, or by the one that stands within the text; a bare status is nobody's of AWS."""
    within = _CODE_WITHIN.search(said)
    if policy.denied(said) or "Insufficient Lake Formation permission" in said:
        return errors.PermissionMissing
    for each in (within[1] if within else "", code):
        if each in _MEANING:
            return _MEANING[each]
    if int(metadata.get("HTTPStatusCode") or 0) >= 500:  # noqa: PLR2004 - HTTP's
        return errors.ServerUnavailable
    is_bare = not code or code.isdecimal() or code == "Unknown"
    return errors.ServerForeign if is_bare and "RequestId" not in metadata else errors.ConnectorError


def _advice(kind: Kind, code: str, said: str, operation: str, settings: AwsSettings) -> tuple[str, str]:
    """What to do, and what to paste where something can be pasted."""
    if kind is errors.SignInFailed:
        return _sign_in_advice(code, settings), ""
    if kind is errors.PermissionMissing and operation == "AssumeRole":
        return _ASSUME, policy.statement(["sts:AssumeRole"], [settings.role_arn])
    if kind is errors.PermissionMissing and code == "GlueEncryptionException":
        return "The Data Catalog is encrypted: let the principal use its key (kms:Decrypt).", ""
    if kind is errors.PermissionMissing and (named := policy.denied(said)):
        action, resource = named
        return _ADD, policy.statement([action], [resource or "*"])
    return _HINTS.get(kind, ""), ""


_ADD = "Add this statement to a policy of the role or user that reads."
_ASSUME = (
    "Who signs in needs this statement, and the role's trust policy must name them and, if it asks for one, the external ID"
    " that stands in the settings."
)


def _sign_in_advice(code: str, settings: AwsSettings) -> str:
    if settings.sign_in is SignIn.OWN_ACCOUNT:
        return "The worker's own credentials are refused: look at its role, its profile or its variables."
    if "Expired" in code:
        return "The keys were temporary and have ended: give new ones, or use a role."
    if settings.session_token:
        return "The key, its secret and its session token belong together, and end after some hours."
    return "The key is not known, not active, or its secret is another one; a key that starts with ASIA needs its session token."
