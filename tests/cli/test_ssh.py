"""`--ssh`: through SSH hosts with a person's own keys, to hosts that they know and no other."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result

from metamapper.cli.commands import metamapper
from metamapper.connectors.errors import SettingsInvalid
from metamapper.connectors.tunnel.keys import Algorithm, KeyPair, make
from metamapper.connectors.tunnel.own import own_hops, own_keys
from metamapper.connectors.tunnel.values import bare, fingerprint
from metamapper.datastores.models import Datastore, SshKey
from metamapper.datastores.tunnels import hops_of
from tests.cast import Cast
from tests.support import sshd
from tests.support.databases import run_sql
from tests.support.eventually import eventually
from tests.support.sshd import Sshd

MINE = make(Algorithm.ED25519, "ana@laptop")
HOST = make(Algorithm.ED25519, "host")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's folder with nothing in it, and no agent."""
    (tmp_path / ".ssh").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return tmp_path / ".ssh"


@pytest.fixture
def host(openssh: str, postgresql_url: str) -> Iterator[Sshd]:
    run_sql(postgresql_url, "CREATE TABLE behind_the_host (id bigint)")
    with sshd.started(MINE.public, permit=[urlsplit(postgresql_url).port or 0]) as server:
        yield server


def key_in(folder: Path, pair: KeyPair = MINE, name: str = "id_ed25519") -> Path:
    path = folder / name
    path.write_text(pair.private)
    path.chmod(0o600)
    return path


def know(home: Path, host: Sshd, key: str = "") -> None:
    (home / "known_hosts").write_text(f"[127.0.0.1]:{host.port} {key or host.host_key}\n")


def inspected(url: str, host: Sshd, *more: str) -> Result:
    return CliRunner().invoke(metamapper, ["inspect", url, "--ssh", f"{host.user}@127.0.0.1:{host.port}", *more])


@pytest.mark.live
def test_with_a_key_of_one_s_own_to_a_host_that_is_known(home: Path, host: Sshd, postgresql_url: str) -> None:
    know(home, host)
    key_in(home)
    done = inspected(postgresql_url, host)
    assert done.exit_code == 0, done.output
    assert "behind_the_host" in done.output


@pytest.mark.live
def test_a_host_that_nobody_knows_is_never_accepted(home: Path, host: Sshd, postgresql_url: str) -> None:
    key_in(home)
    for _ in range(2):
        done = inspected(postgresql_url, host)
        assert done.exit_code == 2
        assert fingerprint(host.host_key) in done.output
        assert "known_hosts" in done.output
    assert "Accepted" not in host.log()
    assert not (home / "known_hosts").exists()


@pytest.mark.live
def test_the_doctor_says_at_a_terminal_what_accepts_a_host_there(home: Path, host: Sshd, postgresql_url: str) -> None:
    key_in(home)
    through = ["--ssh", f"{host.user}@127.0.0.1:{host.port}"]
    unknown = CliRunner().invoke(metamapper, ["doctor", postgresql_url, *through])
    assert unknown.exit_code == 2
    assert "Connect to it once by `ssh`" in unknown.output
    assert "ccept it" not in unknown.output
    know(home, host, bare(HOST.public))
    assert "ssh-keygen -R" in CliRunner().invoke(metamapper, ["doctor", postgresql_url, *through]).output


@pytest.mark.live
def test_a_changed_host_is_refused(home: Path, host: Sshd, postgresql_url: str) -> None:
    know(home, host, bare(HOST.public))
    key_in(home)
    done = inspected(postgresql_url, host)
    assert done.exit_code == 2
    assert fingerprint(HOST.public) in done.output
    assert fingerprint(host.host_key) in done.output
    assert "ssh-keygen -R" in done.output


@pytest.mark.live
def test_only_the_named_key_is_offered(home: Path, host: Sshd, postgresql_url: str, tmp_path: Path) -> None:
    know(home, host)
    key_in(home)
    other = key_in(tmp_path, HOST, "other")
    refused = inspected(postgresql_url, host, "--ssh-key", str(other))
    assert refused.exit_code == 2
    assert "does not accept" in refused.output
    assert inspected(postgresql_url, host, "--ssh-key", str(key_in(tmp_path, MINE, "mine"))).exit_code == 0


@pytest.mark.live
def test_an_agent_signs_in(home: Path, host: Sshd, postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    know(home, host)
    socket = home / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        eventually(socket.exists)
        subprocess.run(["ssh-add", "-q", "-"], input=MINE.private.encode(), check=True)
        done = inspected(postgresql_url, host)
        assert done.exit_code == 0, done.output
    finally:
        agent.terminate()
        agent.wait()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ana@bastion.invalid", [("bastion.invalid", 22, "ana")]),
        ("ana@bastion.invalid:2222", [("bastion.invalid", 2222, "ana")]),
        ("ana@[fd00::1]:2222", [("fd00::1", 2222, "ana")]),
        ("ana@fd00::1", [("fd00::1", 22, "ana")]),
        ("ana@one.invalid, rui@two.invalid:24", [("one.invalid", 22, "ana"), ("two.invalid", 24, "rui")]),
        ("ana@lan\\me@bastion.invalid", [("bastion.invalid", 22, "ana@lan\\me")]),
    ],
)
def test_how_hosts_are_written(home: Path, text: str, expected: list[tuple[str, int, str]]) -> None:
    assert [(hop.host, hop.port, hop.user) for hop in own_hops(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "ana@localhost:x",
        "ana@:22",
        "ana@localhost:0",
        "ana@localhost:99999",
        "ana@ho st.invalid",
        "a@b.invalid,,c@d.invalid",
    ],
)
def test_what_is_no_host_is_refused(home: Path, text: str) -> None:
    with pytest.raises(SettingsInvalid):
        own_hops(text)


def test_known_hosts_are_found_hashed_by_port_and_without_the_revoked(home: Path) -> None:
    other = bare(make(Algorithm.ED25519, "other").public)
    lines = (
        f"bastion.invalid {bare(HOST.public)}",
        f"[bastion.invalid]:2222 {other}",
        f"old.invalid {bare(HOST.public)}",
        f"@revoked old.invalid {bare(HOST.public)}",
    )
    (home / "known_hosts").write_text("\n".join(lines) + "\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(home / "known_hosts")], check=True, capture_output=True)
    assert "bastion.invalid " not in (home / "known_hosts").read_text()
    one, two, three = own_hops("a@bastion.invalid,a@bastion.invalid:2222,a@old.invalid")
    assert (one.host_keys, two.host_keys, three.host_keys) == ((bare(HOST.public),), (other,), ())


def test_one_s_own_keys_are_the_usual_files_and_the_agent(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key_in(home)
    monkeypatch.setenv("SSH_AUTH_SOCK", "/run/agent")
    keys = own_keys()
    assert (keys.agent, keys.files) == ("/run/agent", (home / "id_ed25519",))
    assert own_keys(home / "x").agent == ""


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
def test_a_datastore_is_added_with_the_workspace_s_key(cast: Cast, home: Path, host: Sshd, postgresql_url: str) -> None:
    """The hosts' keys are those that the person at the terminal knows, and stay pinned."""
    know(home, host)
    where = ["--workspace", "larkspur"]
    line = CliRunner().invoke(metamapper, ["datastore", "ssh-key", *where]).output.strip()
    assert line.startswith("restrict,port-forwarding ssh-ed25519 ")
    assert SshKey.objects.get().public in line
    add = ["datastore", "add", "shop", postgresql_url, "--ssh", f"{host.user}@127.0.0.1:{host.port}", *where]
    refused = CliRunner().invoke(metamapper, add)
    assert refused.exit_code == 2, refused.output
    assert os.environ["HOME"] not in refused.output
    host.authorize(line)
    done = CliRunner().invoke(metamapper, add)
    assert done.exit_code == 0, done.output
    (hop,) = hops_of(Datastore.objects.get())
    assert hop.host_keys == (host.host_key,)
