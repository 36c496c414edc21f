"""Who signs in: a database user with its password, or one that AWS makes a temporary password for.

https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetClusterCredentials.html and, for Serverless,
https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_GetCredentials.html.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from metamapper.connectors import errors
from metamapper.connectors.engines.redshift.settings import RedshiftSettings, SignIn, Tls
from metamapper.connectors.reach import Reach
from metamapper.connectors.sql.redaction import redact

OWN_DOMAINS = (".redshift.amazonaws.com", ".redshift-serverless.amazonaws.com")
_NOT_OURS = "Give an access key, or ask the administrator for METAMAPPER_ALLOW_OWN_ACCOUNT."
SECONDS_VALID = 900
"""As short as AWS lets it be: it is used once, at once."""
_UNKNOWN = ("ClusterNotFound", "ResourceNotFound", "ClusterNotFoundFault", "ResourceNotFoundException")


@dataclass(frozen=True, slots=True)
class Account:
    user: str
    password: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    """All that must not be repeated in an error."""


def account(settings: RedshiftSettings, reach: Reach) -> Account:
    """Whom the session signs in as; asks AWS where IAM says so. Raises a ``ConnectorError``."""
    if settings.sign_in is SignIn.PASSWORD:
        if not settings.user:
            raise errors.SettingsInvalid("User: it is needed.", hint="Or choose IAM as the way to sign in.")
        return Account(settings.user, settings.password, settings.secrets())
    _refuse_incomplete(settings)
    _refuse_strangers(settings, reach)
    return _asked_of_aws(settings)


def _refuse_incomplete(settings: RedshiftSettings) -> None:
    if not settings.region:
        raise errors.SettingsInvalid("AWS region: it is needed for IAM.")
    if bool(settings.cluster) == bool(settings.workgroup):
        raise errors.SettingsInvalid("IAM needs the identifier of a cluster or the name of a workgroup, one of them.")
    if bool(settings.access_key_id) != bool(settings.secret_access_key):
        raise errors.SettingsInvalid("An access key has two parts, the ID and the secret: give both, or none.")
    if settings.tls is Tls.OFF:
        raise errors.SettingsInvalid("A temporary password is not sent without TLS.", hint="Set TLS to verify.")


def _refuse_strangers(settings: RedshiftSettings, reach: Reach) -> None:
    """A password that AWS makes for somebody goes to AWS alone, over a connection that it has proved to be its own.

    The workers' own identity signs in only where the administrator says so.
    """
    host = settings.host.rstrip(".").lower()
    if not settings.access_key_id and not reach.own_account:
        raise errors.SettingsInvalid("The workers' own AWS account signs in to nothing here.", hint=_NOT_OURS)
    if settings.access_key_id:
        return
    if not host.endswith(OWN_DOMAINS):
        raise errors.SettingsInvalid(
            "The workers' own AWS account signs in to hosts of Amazon Redshift only.",
            hint=f"Give the endpoint's name, which ends in {' or '.join(OWN_DOMAINS)}, or an access key.",
        )
    if settings.tls is Tls.UNVERIFIED or settings.ca_certificate.strip():
        raise errors.SettingsInvalid(
            "The workers' own AWS account signs in over verified TLS with Amazon's own authorities only.",
            hint="Set TLS to verify and leave the certificate authority blank, or give an access key.",
        )


def _asked_of_aws(settings: RedshiftSettings) -> Account:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        said = _serverless(settings) if settings.workgroup else _provisioned(settings)
    except ClientError as error:
        raise _refused(error.response.get("Error", {}), settings) from None
    except BotoCoreError as error:
        raise _unreachable(error, settings) from None
    user, password = said
    return Account(user, password, (*settings.secrets(), password))


def _serverless(settings: RedshiftSettings) -> tuple[str, str]:
    said = _client("redshift-serverless", settings).get_credentials(
        workgroupName=settings.workgroup, dbName=settings.database, durationSeconds=SECONDS_VALID
    )
    return said["dbUser"], said["dbPassword"]


def _provisioned(settings: RedshiftSettings) -> tuple[str, str]:
    """For a database user that exists, or for the one that belongs to the identity."""
    client = _client("redshift", settings)
    whose = {"ClusterIdentifier": settings.cluster, "DbName": settings.database, "DurationSeconds": SECONDS_VALID}
    if settings.user:
        said = client.get_cluster_credentials(DbUser=settings.user, AutoCreate=False, **whose)
    else:
        said = client.get_cluster_credentials_with_iam(**whose)
    return said["DbUser"], said["DbPassword"]


def _client(service: str, settings: RedshiftSettings) -> Any:
    import boto3
    from botocore.config import Config

    # At DEBUG they write whole answers, and the answer here is a password.
    for name in ("boto3", "botocore"):
        logging.getLogger(name).setLevel(logging.INFO)
    keys = {}
    if settings.access_key_id:
        keys = {
            "aws_access_key_id": settings.access_key_id,
            "aws_secret_access_key": settings.secret_access_key,
        }
    limits = Config(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.connect_timeout,
        retries={"total_max_attempts": 2},
    )
    session = boto3.session.Session(region_name=settings.region, **keys)
    return session.client(service, config=limits)


def _refused(said: Mapping[str, Any], settings: RedshiftSettings) -> errors.ConnectorError:
    code, message = str(said.get("Code", "")), str(said.get("Message", ""))
    text = redact(f"{message} ({code})", settings.secrets())
    if code in _UNKNOWN:
        name = settings.workgroup or settings.cluster
        return errors.SettingsInvalid(
            f"AWS knows no “{name}” in {settings.region}.", server_said=text, hint="Check its name and the region."
        )
    if "Throttl" in code:
        return errors.ServerUnavailable(server_said=text, hint="AWS is asked too often; the next attempt may succeed.")
    return errors.SignInFailed(
        "AWS gives this identity no password for the database.",
        server_said=text,
        hint="Attach this policy to the role or user of the workers, with the ARN narrowed down as you like.",
        remedy=policy(settings),
    )


def _unreachable(error: Exception, settings: RedshiftSettings) -> errors.ConnectorError:
    said = redact(str(error), settings.secrets())
    if "redentials" in type(error).__name__:
        return errors.SignInFailed(
            "No AWS credentials were found where the workers run.",
            server_said=said,
            hint="Give an access key, or run the workers with a role that AWS knows.",
        )
    hint = "Check that the workers reach the API of AWS in this region."
    return errors.HostUnreachable(server_said=said, hint=hint)


def policy(settings: RedshiftSettings) -> str:
    """What the identity needs, to be pasted: the one call that is made."""
    if settings.workgroup:
        action, resource = "redshift-serverless:GetCredentials", f"workgroup/{settings.workgroup}"
    elif settings.user:
        action, resource = "redshift:GetClusterCredentials", f"dbuser:{settings.cluster}/{settings.user}"
    else:
        action, resource = "redshift:GetClusterCredentialsWithIAM", f"dbname:{settings.cluster}/{settings.database}"
    service = action.partition(":")[0]
    arn = f"arn:aws:{service}:{settings.region}:*:{resource if not settings.workgroup else 'workgroup/*'}"
    return (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",\n'
        f'  "Action": "{action}",\n'
        f'  "Resource": "{arn}"}}]}}'
    )
