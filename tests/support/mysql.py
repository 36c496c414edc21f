"""MariaDB and MySQL servers of the tests' own: started from what is installed, on loopback, with TLS, gone afterwards.

Nobody else's server is used, for a read of everything would find what others keep there. MySQL is not in every
distribution; any folder will do that holds one with its libraries, as ``usr/sbin/mysqld`` below it:

    python -m tests.support.mysql [FOLDER]        makes one from Debian sid, as root, with debootstrap

``MM_TEST_MYSQL`` names the folder; it needs neither root nor a chroot to run.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql

from tests.support.certificates import certificate
from tests.support.servers import LOOPBACK, Missing, _unprivileged, free_port, running

ADMIN = "admin"
"""Signs in from anywhere without a password, and may do everything."""
START = (
    f"CREATE USER {ADMIN}@'%' IDENTIFIED BY ''",
    f"GRANT ALL PRIVILEGES ON *.* TO {ADMIN}@'%' WITH GRANT OPTION",
)
QUICK = (
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=64M",
    "--skip-name-resolve",
    f"--bind-address={LOOPBACK}",
    "--max-connections=60",
)
DEFAULT_FOLDER = Path.home() / ".cache" / "metamapper" / "mysql"
SECONDS = 90
"""Making the first files takes a busy machine a while."""


@dataclass(frozen=True, slots=True)
class MysqlServer:
    """``authority`` is the PEM text of who signed its certificate."""

    port: int
    origin: str
    authority: str

    def connect(self, **options: Any) -> "pymysql.Connection[Any]":
        return pymysql.connect(host=LOOPBACK, port=self.port, **({"user": ADMIN, "autocommit": True} | options))

    def run(self, *statements: str) -> None:
        with self.connect() as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@dataclass(frozen=True, slots=True)
class Programs:
    """How to make the files of a server, and how to start one; the words of the commands."""

    initialize: tuple[str, ...]
    serve: tuple[str, ...]
    origin: str


def mariadb_programs() -> Programs:
    """Raises ``Missing``."""
    server = _on_path("mariadbd", "mysqld")
    install = _on_path("mariadb-install-db", "mysql_install_db")
    if not (server and install) or "MariaDB" not in _version(server):
        raise Missing("MariaDB is not installed (mariadbd, mariadb-install-db)")
    quiet = ("--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db")
    return Programs((install, *quiet), (server, "--no-defaults"), f"started from {server}")


def mysql_programs() -> Programs:
    """Raises ``Missing``."""
    server = shutil.which("mysqld")
    if server and "MariaDB" not in _version(server):
        start: tuple[str, ...] = (server, "--no-defaults")
    else:
        folder = Path(os.environ.get("MM_TEST_MYSQL") or DEFAULT_FOLDER)
        start = _with_its_own_libraries(folder)
    start = (*start, "--secure-file-priv=NULL", "--mysqlx=OFF", "--skip-log-bin")
    return Programs((*start, "--initialize-insecure"), start, f"started from {start[0]}")


def _with_its_own_libraries(folder: Path) -> tuple[str, ...]:
    """A server from another system's folder, run by that system's loader."""
    loader = next((path for name in ("lib64", "lib") for path in (folder / name).glob("ld-linux-*.so.*")), None)
    libraries = [str(path.parent) for path in (folder / "usr" / "lib").glob("*/libc.so.6")]
    if loader is None or not libraries or not (folder / "usr" / "sbin" / "mysqld").exists():
        raise Missing(
            f"MySQL (not MariaDB) is neither installed nor in {folder}; `python -m tests.support.mysql` puts it there"
        )
    shared = folder / "usr" / "share" / "mysql"
    return (
        str(loader),
        "--library-path",
        ":".join(libraries),
        str(folder / "usr" / "sbin" / "mysqld"),
        "--no-defaults",
        f"--basedir={folder / 'usr'}",
        f"--lc-messages-dir={shared}",
        f"--character-sets-dir={shared / 'charsets'}",
        f"--plugin-dir={folder / 'usr' / 'lib' / 'mysql' / 'plugin'}",
    )


@contextmanager
def started(programs: Programs, *, settings: Sequence[str] = ()) -> Iterator[MysqlServer]:
    """A throw-away server without durability; raises ``Missing``. It refuses to run as root."""
    owner = _unprivileged()
    run_as: dict[str, Any] = {**owner, "extra_groups": []} if owner else {}
    with tempfile.TemporaryDirectory(prefix="mm-mysql-") as place:
        folder = Path(place)
        files, script, passing = folder / "files", folder / "start.sql", folder / "passing"
        script.write_text(";\n".join(START) + ";\n")
        passing.mkdir()
        authority = certificate(folder).authority
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, **owner) if owner else None  # type: ignore[call-overload]  # a user and a group
        # Servers that share a folder for passing files delete each other's when they start.
        settings = (f"--datadir={files}", f"--tmpdir={passing}", *settings)
        _initialize([*programs.initialize, *settings], folder, run_as)
        port = free_port()
        command = [
            *(*programs.serve, f"--port={port}", f"--socket={folder / 'socket'}", f"--init-file={script}"),
            *(f"--ssl-cert={folder / 'server.crt'}", f"--ssl-key={folder / 'server.key'}"),
            *QUICK,
            *settings,
        ]
        server = MysqlServer(port, f"{programs.origin} on port {port}", authority)
        ready = {"ready": lambda: _answers(server), "seconds": SECONDS, "whole_group": True, "patience": 3}
        with running(command, folder=place, **ready, **run_as):
            yield server


def _initialize(command: Sequence[str], folder: Path, run_as: dict[str, Any]) -> None:
    made = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=SECONDS * 2, check=False, **run_as
    )
    if made.returncode:
        raise Missing(f"{command[0]} made no files: {(made.stdout + made.stderr)[-500:]}")


def _answers(server: MysqlServer) -> bool:
    try:
        server.connect(connect_timeout=2).close()
    except pymysql.Error:
        return False
    return True


def _on_path(*names: str) -> str | None:
    return next((path for name in names if (path := shutil.which(name))), None)


def _version(program: str) -> str:
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout


def _make(folder: Path) -> None:
    """MySQL from Debian sid, with all that it needs, in a folder. A mirror may be older than its own promise."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["debootstrap", "--variant=minbase", "sid", folder], check=True)
    apt = "apt-get --quiet --yes --option Acquire::Check-Valid-Until=false"
    script = f"{apt} update && {apt} install --no-install-recommends mysql-server-core"
    subprocess.run(["chroot", folder, "sh", "-c", script], check=True)


if __name__ == "__main__":
    _make(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_FOLDER)
