"""The statements that an administrator of AWS pastes, to let a principal read what it may not."""

import json
import re
from collections.abc import Iterable, Sequence

_DENIED = re.compile(
    r"not authorized to perform: (?P<action>[\w-]+:\w+)(?: on (?:the )?resource: (?P<resource>arn:\S+))?"
)
_WHO = re.compile(r"User: (?P<arn>arn:\S+)")
_ARN = re.compile(r"arn:(?P<partition>aws[\w-]*):[\w-]+:[\w-]*:(?P<account>\d{12}):")


def statement(actions: Iterable[str], resources: Iterable[str]) -> str:
    """One statement of an IAM policy, to be added to those of the role or user that reads.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_statement.html
    """
    found = {"Effect": "Allow", "Action": _one_or_many(actions), "Resource": _one_or_many(resources)}
    return json.dumps(found, indent=2, ensure_ascii=False)


def _one_or_many(values: Iterable[str]) -> str | Sequence[str]:
    listed = list(dict.fromkeys(values))
    return listed[0] if len(listed) == 1 else listed


def denied(said: str) -> tuple[str, str | None] | None:
    """The action and the resource that a refusal names, if it names them."""
    found = _DENIED.search(said)
    return (found["action"], found["resource"] and found["resource"].rstrip(".,;")) if found else None


def principal(said: str) -> str | None:
    """The ARN of who was refused, if the refusal names it."""
    found = _WHO.search(said)
    return found["arn"] if found else None


def home(*texts: str | None) -> tuple[str, str]:
    """Partition and account of the first ARN in these texts; placeholders where there is none."""
    found = next((match for text in texts if text and (match := _ARN.search(text))), None)
    return (found["partition"], found["account"]) if found else ("aws", "<account>")


def lake_formation_grant(database: str, who: str | None) -> str:
    """The command that lets a principal see a database and its tables where Lake Formation decides.

    https://docs.aws.amazon.com/cli/latest/reference/lakeformation/grant-permissions.html
    """
    resource = json.dumps({"Table": {"DatabaseName": database, "TableWildcard": {}}}, ensure_ascii=False)
    quoted = "'" + resource.replace("'", "'\\''") + "'"
    return (
        "aws lakeformation grant-permissions --permissions DESCRIBE"
        f" --principal DataLakePrincipalIdentifier={who or '<ARN of the role>'} --resource {quoted}"
    )
