"""What can go wrong on the way through SSH hosts, with what mends it."""

from metamapper.connectors.errors import ConnectorError


class HostKeyUnknown(ConnectorError):
    """Nobody has said yet that this is the host. ``offered`` is the key it shows, as a line of OpenSSH's."""

    code = "tunnel.host_key_unknown"
    title = "Nobody has confirmed yet which key this SSH host has"
    permanent = True
    offered: str = ""
    hop: int = 0


class HostKeyChanged(ConnectorError):
    """The host shows another key than the one that is pinned. Nothing was sent to it."""

    code = "tunnel.host_key_changed"
    title = "The SSH host shows another key than the one that is pinned"
    permanent = True
    offered: str = ""
    hop: int = 0


class HopSignInFailed(ConnectorError):
    code = "tunnel.sign_in"
    title = "The SSH host does not accept this user with these keys"
    permanent = True


class NoCommonLanguage(ConnectorError):
    code = "tunnel.no_common_algorithm"
    title = "The SSH host offers no way to encrypt that is accepted here"
    permanent = True


class ForwardRefused(ConnectorError):
    code = "tunnel.forward_refused"
    title = "The SSH host does not let connections through to this address"
    permanent = True


class TunnelLost(ConnectorError):
    code = "tunnel.lost"
    title = "The tunnel was cut"
