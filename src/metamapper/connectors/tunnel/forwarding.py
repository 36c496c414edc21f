"""What it means that an SSH host did not open a connection to a place behind it, and what mends that."""

from asyncssh import OPEN_ADMINISTRATIVELY_PROHIBITED, OPEN_RESOURCE_SHORTAGE

from metamapper.connectors import errors
from metamapper.connectors.tunnel.errors import ForwardRefused
from metamapper.connectors.tunnel.values import Hop

_SAID: tuple[tuple[tuple[str, ...], type[errors.ConnectorError], str], ...] = (
    (("refused",), errors.ConnectionRefused, "{by} reached {host}, but nothing listens on port {port}."),
    (
        ("timed out", "timeout"),
        errors.ConnectionTimeout,
        "{by} reached out to {host}:{port}, which did not answer in time.",
    ),
    (
        ("name or service", "not known", "resolution", "unknown host", "resolve", "no address"),
        errors.HostUnknown,
        "{by} knows no address of {host}.",
    ),
)
"""Words of the system calls of the host, which is asked in English or not at all (RFC 4254, 5.1)."""


def meaning(code: int, said: str, host: str, port: int, *, by: Hop) -> errors.ConnectorError:
    """The error for a connection that ``by`` did not open to ``host``."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if code == OPEN_ADMINISTRATIVELY_PROHIBITED:
        return ForwardRefused(
            f"{by} lets no connection through to {where}.",
            server_said=said,
            hint="Allow it in the host's sshd_config, for this user if it should be for nobody else, and in the key's line"
            " of authorized_keys, where permitopen or restrict may forbid it. Reload sshd afterwards.",
            remedy=f"Match User {by.user}\n  AllowTcpForwarding local\n  PermitOpen {where}",
        )
    if code == OPEN_RESOURCE_SHORTAGE:
        return errors.TooManyConnections(f"{by} has no connection to spare.", server_said=said)
    for words, kind, text in _SAID:
        if any(word in said.lower() for word in words):
            return kind(text.format(by=by, host=host, port=port), server_said=said, hint=_HINTS[kind])
    return errors.HostUnreachable(
        f"{by} found no way to {where}.", server_said=said, hint=_HINTS[errors.HostUnreachable]
    )


def silent(host: str, port: int, seconds: float, *, by: Hop) -> errors.ConnectionTimeout:
    return errors.ConnectionTimeout(
        f"{by} could not open a connection to {host}:{port} within {seconds:g} seconds.",
        hint=_HINTS[errors.ConnectionTimeout],
    )


_HINTS: dict[type[errors.ConnectorError], str] = {
    errors.ConnectionRefused: "Check the port, and that the server listens there for others than itself.",
    errors.ConnectionTimeout: "Check the host and the port, and the firewall between it and the SSH host.",
    errors.HostUnknown: "The name is looked up on the SSH host: check its spelling, and that it is known there.",
    errors.HostUnreachable: "Check the host and the network between it and the SSH host.",
}
