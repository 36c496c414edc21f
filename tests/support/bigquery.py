"""A stand-in for BigQuery's REST interface and for Google's token service, over HTTP on loopback.

It keeps datasets and tables as resources of the interface, checks tokens and permissions, and answers page by page; it
knows no SQL. What it answers is kept, so that a test can hold it against Google's own description of the interface.
"""

import json
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import google.auth.jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

Json = dict[str, Any]
PROJECT = "acme-warehouse"
VIEWER = frozenset({"bigquery.datasets.get", "bigquery.tables.list", "bigquery.tables.get"})
"""What the role BigQuery Metadata Viewer holds, as far as it matters here."""
PAGE = 7
AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whom Google's library writes an assertion for, wherever it is sent."""
ERRORS = {400: "invalid", 401: "authError", 403: "accessDenied", 404: "notFound", 500: "backendError"}


class Refused(Exception):
    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.reason = status, message, reason or ERRORS.get(status, "backendError")


@dataclass
class Account:
    """A service account with one key. ``project`` and ``datasets`` are the permissions it has there."""

    email: str
    key: str
    public: Any
    project: set[str] = field(default_factory=lambda: set(VIEWER))
    datasets: dict[str, set[str]] = field(default_factory=dict)

    def may(self, permission: str, dataset: str) -> bool:
        return permission in self.datasets.get(dataset, self.project)


@dataclass
class BigQuery:
    """``before`` is called with each path before it is answered: it may wait, or raise ``Refused`` or ``Hangup``."""

    url: str = ""
    datasets: dict[str, Json] = field(default_factory=dict)
    tables: dict[str, dict[str, Json]] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[str, Json]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    keys: Iterator[int] = field(default_factory=count)
    redirect: str = ""
    """Where every call is sent instead of being answered."""
    before: Callable[[str], None] = lambda path: None

    def account(self, name: str = "metamapper") -> Account:
        """A new account, and the JSON of its key."""
        private = _private_key(next(self.keys))
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        email = f"{name}@{PROJECT}.iam.gserviceaccount.com"
        key = {"type": "service_account", "client_email": email, "private_key": pem, "private_key_id": "planted-key-id"}
        made = Account(email, json.dumps({**key, "token_uri": f"{self.url}/token"}), public)
        self.accounts[email] = made
        return made

    def add_dataset(self, name: str, **facts: Any) -> None:
        reference = {"projectId": PROJECT, "datasetId": name}
        self.datasets[name] = {
            "kind": "bigquery#dataset",
            "id": f"{PROJECT}:{name}",
            "datasetReference": reference,
            "location": "EU",
            **facts,
        }
        self.tables.setdefault(name, {})

    def add_table(self, dataset: str, name: str, fields: list[Json], **facts: Any) -> Json:
        reference = {"projectId": PROJECT, "datasetId": dataset, "tableId": name}
        resource = {
            "kind": "bigquery#table",
            "id": f"{PROJECT}:{dataset}.{name}",
            "tableReference": reference,
            "type": "TABLE",
            "schema": {"fields": fields},
            "numRows": "0",
            "numBytes": "0",
            "creationTime": "1700000000000",
            "etag": "planted",
            **facts,
        }
        self.tables[dataset][name] = resource
        return resource

    # --- What it answers ---------------------------------------------------------------------------------------------

    def token(self, form: dict[str, list[str]]) -> Json:
        assertion = form.get("assertion", [""])[0]
        try:
            claims = google.auth.jwt.decode(assertion, verify=False)
            known = self.accounts.get(claims["iss"])
            if known is None:
                return {"error": "invalid_grant", "error_description": "Invalid grant: account not found"}
            google.auth.jwt.decode(assertion, certs=known.public, audience=AUDIENCE)
        except (ValueError, google.auth.exceptions.GoogleAuthError):
            return {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        token = f"ya29.planted-token-{len(self.tokens)}"
        self.tokens[token] = f"{claims['iss']} {claims['scope']}"
        return {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    def answer(self, method: str, path: str, query: dict[str, list[str]], bearer: str, body: Json) -> tuple[str, Json]:
        """The name of the answer's schema, and the answer; raises ``Refused``."""
        if bearer not in self.tokens:
            raise Refused(401, "Request had invalid authentication credentials.")
        account = self.accounts[self.tokens[bearer].split()[0]]
        words = [unquote(word) for word in path.removeprefix("/bigquery/v2/projects/").split("/")]
        if words[0] != PROJECT:
            raise Refused(404, f"Not found: Project {words[0]}")
        match words[1:]:
            case ["datasets"]:
                seen = [each for name, each in self.datasets.items() if account.may("bigquery.datasets.get", name)]
                kept = ("kind", "id", "datasetReference", "location", "labels", "friendlyName", "type")
                return "DatasetList", _page("datasets", seen, kept, query)
            case ["datasets", dataset]:
                self._allow(account, "bigquery.datasets.get", dataset)
                return "Dataset", self._dataset(dataset)
            case ["datasets", dataset, "tables"]:
                self._allow(account, "bigquery.tables.list", dataset)
                self._dataset(dataset)
                tables = list(self.tables[dataset].values())
                kept = ("kind", "id", "tableReference", "type", "labels", "creationTime")
                return "TableList", {**_page("tables", tables, kept, query), "totalItems": len(tables)}
            case ["datasets", dataset, "tables", name] if method == "POST":
                held = account.datasets.get(dataset, account.project)
                granted = [each for each in body["permissions"] if each in held]
                return "TestIamPermissionsResponse", {"permissions": granted} if granted else {}
            case ["datasets", dataset, "tables", name]:
                self._allow(account, "bigquery.tables.get", dataset)
                if name not in self.tables.get(dataset, {}):
                    raise Refused(404, f"Not found: Table {PROJECT}:{dataset}.{name}")
                return "Table", self.tables[dataset][name]
        raise Refused(404, "Not Found")

    def _allow(self, account: Account, permission: str, dataset: str) -> None:
        if not account.may(permission, dataset):
            what = f"Access Denied: Dataset {PROJECT}:{dataset}: Permission {permission} denied on dataset"
            raise Refused(403, f"{what} {PROJECT}:{dataset} (or it may not exist).")

    def _dataset(self, name: str) -> Json:
        if name not in self.datasets:
            raise Refused(404, f"Not found: Dataset {PROJECT}:{name}")
        return self.datasets[name]


@cache
def _private_key(number: int) -> rsa.RSAPrivateKey:
    """Making one takes a while; servers of different tests may have the same."""
    return rsa.generate_private_key(65537, 2048)


class Hangup(Exception):
    """The connection is closed without an answer."""


def _page(key: str, items: list[Json], kept: tuple[str, ...], query: dict[str, list[str]]) -> Json:
    start = int(query.get("pageToken", ["0"])[0])
    end = start + min(PAGE, int(query.get("maxResults", ["1000"])[0]))
    shown = [{name: item[name] for name in kept if name in item} for item in items[start:end]]
    page: Json = {"kind": f"bigquery#{key[:-1]}List", "etag": "planted"}
    page |= {key: shown} if shown else {}
    return page | ({"nextPageToken": str(end)} if end < len(items) else {})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    bigquery: BigQuery

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        path, _, verb = parts.path.partition(":testIam")
        try:
            self.bigquery.calls[f"{method} {path}"] += 1
            self.bigquery.before(path)
            if self.bigquery.redirect:
                self._send(302, {}, location=self.bigquery.redirect)
                return
            if path == "/token":
                answer = self.bigquery.token(parse_qs(body.decode()))
                self._send(400 if "error" in answer else 200, answer)
                return
            bearer = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
            given = json.loads(body) if verb and body else {}
            kind, answer = self.bigquery.answer(method, path, parse_qs(parts.query), bearer, given)
            self.bigquery.answers.append((kind, answer))
            self._send(200, answer)
        except Refused as refused:
            one = {"reason": refused.reason, "message": refused.message, "domain": "global"}
            self._send(refused.status, {"error": {"code": refused.status, "message": refused.message, "errors": [one]}})
        except Hangup:
            self.close_connection = True

    def _send(self, status: int, answer: Json, location: str = "") -> None:
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(text)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments: Any) -> None:
        """Nothing: a test says what it wants to know."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments: Any) -> None:
        """A client that went away in mid-answer is what some tests are about."""


@contextmanager
def bigquery(certificate: tuple[Path, Path] | None = None) -> Iterator[BigQuery]:
    """A project without datasets. ``certificate`` (its file and its key's) makes it speak TLS."""
    found = BigQuery()
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"bigquery": found}))
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    found.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
