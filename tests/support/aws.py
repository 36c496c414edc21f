"""AWS for tests: moto's server with an extension (``aws_stand_in``), reached by the real driver over loopback."""

import json
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import botocore.session
from botocore.config import Config

from tests.support.servers import LOOPBACK, free_port, running

REGION = "eu-west-1"
ACCOUNT = "123456789012"
SECONDS = 30
READER, ROLE, EXTERNAL_ID = "reader", "catalog-reader", "an external id"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@dataclass(frozen=True)
class Key:
    id: str
    secret: str


@dataclass(frozen=True)
class Aws:
    """A stand-in that listens at ``url``."""

    url: str

    def reset(self) -> None:
        """Empty, with nobody asked who they are, and nothing that goes wrong."""
        self._post("/moto-api/reset-auth", "Infinity")
        self._post("/moto-api/reset", "")
        self.faults()

    def guard(self) -> None:
        """From now on keys and policies are checked."""
        self._post("/moto-api/reset-auth", "0")

    def unguard(self) -> None:
        self._post("/moto-api/reset-auth", "Infinity")

    def faults(self, *, cut: bool = False, fill: Mapping[str, int] | None = None, **faults: Mapping[str, Any]) -> None:
        """What goes wrong from now on, by operation: ``GetTables={"times": 2, "code": "ThrottlingException"}``."""
        self._post("/stand-in", json.dumps({"faults": faults, "cut": cut, "fill": fill or {}}))

    def calls(self) -> Mapping[str, int]:
        """By operation, since the last time that faults were set."""
        with urlopen(f"{self.url}/stand-in", timeout=SECONDS) as answer:
            found: Mapping[str, int] = json.load(answer)
        return found

    @cache  # noqa: B019 - one for each worker of a run
    def client(self, service: str) -> Any:
        """A client that may do everything, while nobody is asked who they are."""
        session = botocore.session.Session()
        config = Config(retries={"total_max_attempts": 1}, ignore_configured_endpoint_urls=True)
        return session.create_client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id="administrator",
            aws_secret_access_key="anything",
            config=config,
        )

    def _post(self, path: str, body: str) -> None:
        headers = {"Content-Type": "text/plain"}
        urlopen(Request(f"{self.url}{path}", body.encode(), headers, method="POST"), timeout=SECONDS).close()


@contextmanager
def aws_stand_in(*certificate: Path) -> Iterator[Aws]:
    """A stand-in of our own, with TLS if there is a certificate and its key; raises ``Missing`` where it does not start."""
    port = free_port()
    program = Path(__file__).with_name("aws_stand_in.py")
    with (
        tempfile.TemporaryDirectory(prefix="mm-aws-") as folder,
        running(
            [sys.executable, program, port, *certificate],
            ready=lambda: _listens(port),
            folder=folder,
            stop=signal.SIGTERM,
        ),
    ):
        yield Aws(f"https://localhost:{port}" if certificate else f"http://{LOOPBACK}:{port}")


def _listens(port: int) -> bool:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


class People:
    """Who signs in: a user with a key, and a role that asks for an external id."""

    def __init__(self, aws: Aws, statements: list[dict[str, Any]]) -> None:
        self._aws = aws
        self._iam = aws.client("iam")
        self._iam.create_user(UserName=READER)
        made = self._iam.create_access_key(UserName=READER)["AccessKey"]
        self.key = Key(made["AccessKeyId"], made["SecretAccessKey"])
        self.let("least", statements)

    def let(self, policy: str, statements: list[dict[str, Any]]) -> None:
        """Give the reader a policy, or another in place of one."""
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self._iam.put_user_policy(UserName=READER, PolicyName=policy, PolicyDocument=document)

    def forbid(self, policy: str) -> None:
        self._iam.delete_user_policy(UserName=READER, PolicyName=policy)

    def make_role(self, statements: list[dict[str, Any]]) -> str:
        """The ARN of a role that only the reader may assume, and only with the external id."""
        trust = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{READER}"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}},
        }
        arn: str = self._iam.create_role(
            RoleName=ROLE, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        )["Role"]["Arn"]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self._iam.put_role_policy(RoleName=ROLE, PolicyName="least", PolicyDocument=document)
        return arn
