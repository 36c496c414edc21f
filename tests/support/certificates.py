"""Certificates for servers of the tests, signed by an authority that nobody knows."""

import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

AUTHORITY = "Larkspur Internal CA"
OURS = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Certificate:
    """``authority`` is PEM text, ``file`` and ``key`` are the files of a server."""

    authority: str
    file: Path
    key: Path


@dataclass(frozen=True)
class Certified:
    """``authority`` is PEM text; ``server`` is what a server secures connections with."""

    authority: str
    server: ssl.SSLContext


def certified(*names: str) -> Certified:
    """For these names and addresses, or for this machine's own; ready to be used, without files."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory(prefix="mm-certificate-") as folder:
        made = certificate(Path(folder), *names)
        context.load_cert_chain(made.file, made.key)
    return Certified(made.authority, context)


def certificate(folder: Path, *names: str) -> Certificate:
    """Files for these names and addresses, or for this machine's own."""
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _signed(AUTHORITY, root_key, None, root_key)
    leaf = _signed("a server", key, root, root_key, names or OURS)
    text = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.crt").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").touch(0o600)
    (folder / "server.key").write_bytes(key.private_bytes(*text))
    authority = root.public_bytes(serialization.Encoding.PEM).decode()
    return Certificate(authority, folder / "server.crt", folder / "server.key")


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    signer: ec.EllipticCurvePrivateKey,
    names: Sequence[str] = ("authority.invalid",),
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(
            issuer.subject if issuer else subject, subject, key.public_key(), x509.random_serial_number()
        )
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(list(map(_named, names))), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
