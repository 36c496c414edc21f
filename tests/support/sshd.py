"""Real OpenSSH servers of the tests' own: on loopback, with their own host key, letting through to the ports that are named.

A server signs in only whoever runs the tests, for it runs as them; where that is root it behaves alike.
"""

import os
import pwd
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from metamapper.connectors.tunnel.keys import Algorithm, KeyPair, make
from metamapper.connectors.tunnel.values import Hop, bare
from tests.support.servers import LOOPBACK, Missing, free_port, running

CONFIG = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile none
UsePAM no
StrictModes no
LogLevel VERBOSE
AuthorizedKeysFile {folder}/authorized_keys
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitTTY no
X11Forwarding no
AllowAgentForwarding no
AllowTcpForwarding local
MaxAuthTries 20
MaxStartups 100
PermitOpen {permitted}
"""
PRIVILEGE_SEPARATION = Path("/run/sshd")


@dataclass(frozen=True, slots=True)
class Sshd:
    """A server that runs. ``hop`` is how it is reached, its key pinned."""

    port: int
    user: str
    host_key: str
    folder: Path
    pid: int

    @property
    def hop(self) -> Hop:
        return Hop(LOOPBACK, self.port, self.user, (self.host_key,))

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def authorize(self, *lines: str) -> None:
        (self.folder / "authorized_keys").write_text("".join(f"{line}\n" for line in lines))

    def sessions(self) -> list[int]:
        """The processes that serve connections which are open now."""
        return _below(self.pid)

    def cut(self) -> None:
        """End every connection at once, as a host does that loses its power; the server itself stays."""
        for each in self.sessions():
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGKILL)

    def freeze(self) -> None:
        for each in [self.pid, *self.sessions()]:
            os.kill(each, signal.SIGSTOP)

    def thaw(self) -> None:
        for each in [self.pid, *self.sessions()]:
            with suppress(ProcessLookupError):
                os.kill(each, signal.SIGCONT)


def program() -> str:
    """The path of a server; raises ``Missing``. It is not installed by tests: a package would start one for everybody."""
    found = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Missing("OpenSSH's server (apt install openssh-server)")
    return found


@contextmanager
def started(
    *authorized: str,
    permit: Sequence[int] = (),
    port: int | None = None,
    host_key: KeyPair | None = None,
    more: str = "",
) -> Iterator[Sshd]:
    """A server that lets these keys through to these ports of this machine and nowhere else; raises ``Missing``."""
    server = program()
    port = free_port()
    host_key = host_key or make(Algorithm.ED25519, "host")
    if os.geteuid() == 0:
        PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mm-sshd-") as name:
        folder = Path(name)
        key = folder / "host_key"
        key.write_text(host_key.private)
        key.chmod(0o600)
        named = None if permit is None else " ".join(f"{LOOPBACK}:{each} localhost:{each}" for each in permit)
        permitted = "any" if named is None else named or "none"
        (folder / "config").write_text(CONFIG.format(port=port, folder=folder, permitted=permitted))
        command = [server, "-D", "-e", "-f", folder / "config"]
        with running(command, ready=lambda: _answers(folder), folder=name, stop=signal.SIGTERM) as pid:
            made = Sshd(port, pwd.getpwuid(os.geteuid()).pw_name, bare(host_key.public), folder, pid)
            made.authorize(*authorized)
            try:
                yield made
            finally:
                made.thaw()
                made.cut()


def _answers(folder: Path) -> bool:
    return "Server listening on" in (folder / "log").read_text(errors="replace")


def _below(pid: int) -> list[int]:
    """Every process that descends from this one."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                parents.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        below = parents.get(waiting.pop(), [])
        found += below
        waiting += below
    return found
