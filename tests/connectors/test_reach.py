from ipaddress import ip_address
from pathlib import Path

import pytest

from metamapper.connectors.errors import AddressDenied, HostUnknown
from metamapper.connectors.reach import UNRESTRICTED, Address, Reach


def test_without_being_told_no_file_may_be_read(tmp_path: Path) -> None:
    with pytest.raises(AddressDenied):
        Reach().file(str(tmp_path / "a.sqlite3"))


@pytest.mark.parametrize(
    "path", ["../outside.db", "inside/../../outside.db", "link/secret.db", "/etc/passwd", "~/x.db"]
)
def test_no_spelling_leads_out_of_the_folder(tmp_path: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed, outside = tmp_path / "allowed", tmp_path / "outside"
    for folder in (allowed, outside):
        folder.mkdir()
    (allowed / "link").symlink_to(outside)
    monkeypatch.chdir(allowed)
    with pytest.raises(AddressDenied):
        Reach(folders=(allowed,)).file(path if path.startswith(("/", "~")) else str(allowed / path))


def test_a_link_to_an_allowed_folder_is_followed(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    found = Reach(folders=(tmp_path / "link",)).file(str(tmp_path / "link" / "a.db"))
    assert found == (real / "a.db").resolve()
    assert UNRESTRICTED.file("/etc/passwd") == Path("/etc/passwd").resolve()


def test_every_address_of_a_host_is_judged() -> None:
    judged: list[Address] = []

    def deny_ipv6(address: Address) -> str | None:
        judged.append(address)
        return "No." if address.version == 6 else None

    assert Reach(denies=deny_ipv6).addresses("127.0.0.1", 1) == ("127.0.0.1",)
    with pytest.raises(AddressDenied):
        Reach(denies=deny_ipv6).addresses("::1", 1)
    assert judged == [ip_address("127.0.0.1"), ip_address("::1")]


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a..b.invalid", "x" * 300 + ".invalid"])
def test_what_is_no_host_is_unknown(host: str) -> None:
    with pytest.raises(HostUnknown) as caught:
        Reach().addresses(host, 1)
    assert caught.value.hint
