"""Snowflake's wire protocol over HTTPS on loopback, for the stand-in of ``tests.support.snowflake``."""

import gzip
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.certificates import Certificate
from tests.support.snowflake import Hangup, Json, Refused, Snowflake


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    snowflake: Snowflake

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        text = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        given: Json = json.loads(text) if text else {}
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            if self.snowflake.gone:
                raise Hangup  # noqa: TRY301 - where the answer is sent
            self._send({"success": True, "data": self._answer(parts.path, query, given), "code": None, "message": None})
        except Refused as refused:
            data = {"errorCode": refused.number, "sqlState": refused.state}
            self._send({"success": False, "data": data, "code": refused.number, "message": refused.message})
        except Hangup:
            self.close_connection = True

    def _answer(self, path: str, query: Json, given: Json) -> Json | None:
        if path == "/session/v1/login-request":
            return self.snowflake.login(query, given["data"])
        token = (self.headers.get("Authorization") or "").partition('Token="')[2].rstrip('"')
        session = self.snowflake.sessions.get(token)
        if session is None:
            raise Refused("390104", "08001", "User must login again to access the service.")
        if path == "/queries/v1/query-request":
            return self.snowflake.query(session, given["sqlText"], given.get("bindings") or {})
        return None

    def do_GET(self) -> None:
        """A part of a large result, without anybody's token: its address is the secret."""
        text = self.snowflake.chunks.pop(urlsplit(self.path).path, b"")
        self.send_response(200 if text else 404)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _send(self, answer: Json) -> None:
        text = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments: Any) -> None:
        """Nothing: a test says what it wants to know."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments: Any) -> None:
        """A client that went away in mid-answer is what some tests are about."""


@contextmanager
def snowflake(certificate: Certificate) -> Iterator[Snowflake]:
    """An account without databases or users."""
    found = Snowflake(authority=certificate.authority)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"snowflake": found}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.file, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        found.db.close()
