"""A real Hive metastore: the one inside Spark's package (Hive 2.3.9), on a PostgreSQL of ours, with its Thrift service.

Spark's package is 320 MB, so it is fetched once, with pip, and what is needed of it is kept in the user's cache folder. The
service of this version listens on every interface; here it is put together in a Java machine that is led through py4j, so
that it listens on loopback. The Java machine ends with the process that started it.
"""

import fcntl
import logging
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from platformdirs import user_cache_path
from py4j.java_gateway import GatewayParameters, JavaGateway, launch_gateway
from py4j.protocol import Py4JError

from tests.support.eventually import eventually
from tests.support.servers import (
    LOOPBACK,
    Missing,
    _postgresql_programs,
    free_port,
    install_package,
    started_postgresql,
)

SPARK = "3.5.9"
HIVE = "2.3.9"
KEPT = (
    *("hive-", "datanucleus-", "hadoop-client-", "libthrift", "libfb303", "javax.jdo", "jdo-api", "transaction-api"),
    *(
        "slf4j-api",
        "log4j",
        "jul-to-slf4j",
        "jcl-over-slf4j",
        "commons-",
        "guava",
        "antlr",
        "json-1",
        "jackson-",
        "py4j",
    ),
    *(
        "HikariCP",
        "bonecp",
        "aopalliance",
        "derby",
        "metrics-",
        "htrace",
        "stax",
        "joda",
        "orc-shims",
        "kryo",
        "objenesis",
        "jakarta.servlet",
        "jsr305",
        "gson",
    ),
)
JDBC = Path("/usr/share/java/postgresql.jar")
logging.getLogger("py4j").setLevel(logging.CRITICAL + 1)  # it tells at length that the Java machine is gone
INSTALL_SECONDS = 600
MODELS = (
    *("MFunction", "MDelegationToken", "MNotificationLog", "MTableColumnPrivilege", "MResourceUri", "MGlobalPrivilege"),
    *("MPrincipalDesc", "MFieldSchema", "MTablePrivilege", "MRoleMap", "MPartitionColumnStatistics", "MStringList"),
    *("MMasterKey", "MNotificationNextId", "MSerDeInfo", "MDatabase", "MConstraint", "MOrder", "MPartition", "MRole"),
    *("MPartitionColumnPrivilege", "MColumnDescriptor", "MTable", "MVersionTable", "MTableColumnStatistics", "MIndex"),
    *("MPartitionPrivilege", "MStorageDescriptor", "MPartitionEvent", "MDBPrivilege", "MType"),
)
"""Without them the first tables are made while others wait for them, for ever."""
JAVA_OPTIONS = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true")


@dataclass(frozen=True)
class Metastore:
    """``url`` is that of its database, as an administrator of the whole server."""

    port: int
    url: str
    warehouse: str


@contextmanager
def metastore() -> Iterator[Metastore]:
    """A metastore of its own, empty; raises ``Missing``."""
    jars = _jars()
    if not shutil.which("java") and not (install_package("openjdk-17-jre-headless") and shutil.which("java")):
        raise Missing("Java is not installed")
    if not JDBC.exists() and not (install_package("libpostgresql-jdbc-java") and JDBC.exists()):
        raise Missing("PostgreSQL's JDBC driver is not installed (libpostgresql-jdbc-java)")
    if not _postgresql_programs() and not install_package("postgresql"):
        raise Missing("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="mm-hive-") as folder, started_postgresql() as server:
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE metastore")
        url = server.url.rpartition("/")[0] + "/metastore"
        with _served(jars, url, Path(folder)) as port:
            yield Metastore(port, url, f"file:{folder}/warehouse")


@contextmanager
def _served(jars: Path, url: str, folder: Path) -> Iterator[int]:
    log = folder / "log"
    with log.open("w") as output:
        classes = f"{jars}/*:{JDBC}"
        options = [*JAVA_OPTIONS, f"-Dderby.stream.error.file={folder}/derby.log", f"-Djava.io.tmpdir={folder}"]
        started: Any = launch_gateway(
            classpath=classes, javaopts=options, die_on_exit=True, return_proc=True,
            redirect_stdout=output, redirect_stderr=output,
        )  # fmt: skip
        number, process = started
        gateway = JavaGateway(gateway_parameters=GatewayParameters(port=number, auto_convert=True))
        try:
            yield _serve(gateway, url, folder)
        except Py4JError as error:
            raise Missing(f"The metastore did not start: {error}; {log.read_text(errors='replace')[-500:]}") from None
        finally:
            gateway.close()
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                with suppress(OSError):
                    stream and stream.close()


def _serve(gateway: Any, url: str, folder: Path) -> int:
    """Put the service together, on loopback; its port."""
    apache = gateway.jvm.org.apache
    hive = apache.hadoop.hive
    settings = hive.conf.HiveConf()
    for name, value in _settings(url, folder).items():
        settings.set(name, value)
    plain = hive.metastore.HiveMetaStore.HMSHandler("loopback", settings, False)
    handler = hive.metastore.HiveMetaStore.newRetryingHMSHandler(plain, settings, True)
    port = free_port()
    place = apache.thrift.transport.TServerSocket(gateway.jvm.java.net.InetSocketAddress(LOOPBACK, port))
    processor = hive.metastore.TSetIpAddressProcessor(handler)
    arguments = apache.thrift.server.TThreadPoolServer.Args(place).processor(processor)
    server = apache.thrift.server.TThreadPoolServer(arguments)
    threading.Thread(target=_until_the_end, args=(server,), name="metastore", daemon=True).start()
    eventually(lambda: _listens(port), what="the service listens")
    return port


def _until_the_end(server: Any) -> None:
    with suppress(Exception):
        server.serve()


def _settings(url: str, folder: Path) -> dict[str, str]:
    prefix = "org.apache.hadoop.hive.metastore.model."
    return {
        "javax.jdo.option.ConnectionURL": "jdbc:postgresql://" + url.rpartition("@")[2],
        "javax.jdo.option.ConnectionDriverName": "org.postgresql.Driver",
        "javax.jdo.option.ConnectionUserName": "postgres",
        "javax.jdo.option.ConnectionPassword": "",
        "datanucleus.connectionPoolingType": "none",
        "datanucleus.schema.autoCreateAll": "true",
        "datanucleus.autoStartMechanism": "Classes",
        "datanucleus.autoStartClassNames": ",".join(prefix + name for name in MODELS),
        "hive.metastore.schema.verification": "false",
        "hive.async.log.enabled": "false",
        "hive.hmshandler.retry.attempts": "2",
        "hive.hmshandler.retry.interval": "200ms",
        "hive.metastore.disallow.incompatible.col.type.changes": "false",
        "hive.metastore.warehouse.dir": f"file:{folder}/warehouse",
    }


def _listens(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


# --- Spark's package -------------------------------------------------------------------------------------------------


def _jars() -> Path:
    """The folder of the jars, which is made if it is not there."""
    cache = user_cache_path("metamapper-tests", ensure_exists=True)
    folder = cache / f"hive-{HIVE}-spark-{SPARK}"
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go of at the end, when the file is closed
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            _fetch(folder)
            (folder / "complete").touch()
    return folder


def _fetch(folder: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="mm-spark-") as place:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("METAMAPPER_")}
        try:
            done = subprocess.run(
                [*command, "--dest", place, f"pyspark=={SPARK}"],
                env=environment, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Missing(f"Spark's package could not be fetched: {error}") from None
        if done.returncode:
            raise Missing(f"Spark's package could not be fetched: {done.stderr[-300:]}")
        (package,) = Path(place).glob("pyspark-*.tar.gz")
        with tarfile.open(package) as opened:
            for member in opened:
                name = member.name.rpartition("/")[2]
                if "/deps/jars/" in member.name and name.startswith(KEPT) and (source := opened.extractfile(member)):
                    with source, (folder / name).open("wb") as target:
                        shutil.copyfileobj(source, target)
