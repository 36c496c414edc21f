"""A PostgreSQL of our own that asks for passwords and speaks TLS, with a certificate authority that nobody knows."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import psycopg
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support import servers

PASSWORD = "correct horse, battery %41 staple"
AUTHORITY = "Larkspur Internal CA"
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "ssl": "on",
    "ssl_cert_file": "server.crt",
    "ssl_key_file": "server.key",
    "max_connections": "8",
    "superuser_reserved_connections": "2",
}
ACCESS = """\
hostnossl tls_only all 127.0.0.1/32 reject
host      all      all 127.0.0.1/32 scram-sha-256
"""


@dataclass(frozen=True)
class Guarded:
    """``url`` is the superuser's, with the password in it; ``authority`` is PEM text."""

    url: str
    authority: str


@contextmanager
def guarded_postgresql() -> Iterator[Guarded]:
    """Raises ``servers.Missing`` where no server is installed."""
    programs = servers._postgresql_programs()
    if programs is None:
        raise servers.Missing("No PostgreSQL is installed that could be started with passwords and TLS")
    with tempfile.TemporaryDirectory(prefix="mm-guarded-") as folder:
        owner = servers._unprivileged()
        if owner:
            shutil.chown(folder, **owner)
        run_as = {**owner, "extra_groups": []} if owner else {}
        cluster, secret = Path(folder) / "cluster", Path(folder) / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        initdb = [
            programs / "initdb",
            "-D",
            cluster,
            "-A",
            "scram-sha-256",
            f"--pwfile={secret}",
            "-U",
            "postgres",
            "-N",
        ]
        subprocess.run(
            [*initdb, "-E", "UTF8", "--locale=C"], check=True, stdout=subprocess.DEVNULL, cwd=folder, **run_as
        )
        authority = _certify(cluster, owner)
        (cluster / "pg_hba.conf").write_text(ACCESS)
        port = servers.free_port()
        options = [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
        url = f"postgresql://postgres:{_encoded(PASSWORD)}@127.0.0.1:{port}/postgres"
        command = [programs / "postgres", "-D", cluster, "-p", str(port), *options]
        with servers.running(command, ready=lambda: _answers(url), folder=folder, **run_as):
            yield Guarded(url, authority)


def _encoded(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="")


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _certify(cluster: Path, owner: dict[str, str]) -> str:
    """Make an authority, and a certificate that it signed; the authority as PEM."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate(AUTHORITY, root_key, None, root_key)
    leaf = _certificate("localhost", key, root, root_key)
    (cluster / "server.crt").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    private = cluster / "server.key"
    private.touch(0o600)
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    for path in (private, cluster / "server.crt"):
        if owner:
            shutil.chown(path, **owner)
    return root.public_bytes(serialization.Encoding.PEM).decode()


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    signer: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=issuer is None,
                crl_sign=issuer is None,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )
