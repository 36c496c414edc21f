"""Measurements in processes of their own, over a fresh metastore on the same PostgreSQL."""

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

import psycopg

SERVER = os.environ.get("METAMAPPER_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
METASTORE = "mm_bench_metastore"


def metastore() -> dict[str, str]:
    """A fresh metastore, and the environment that names it."""
    _reset()
    environment = os.environ | {
        "METAMAPPER_HOME": tempfile.mkdtemp(prefix="metamapper-bench-"),
        "METAMAPPER_DATABASE_URL": SERVER.rsplit("/", 1)[0] + f"/{METASTORE}",
        "DJANGO_SETTINGS_MODULE": "metamapper.project.settings",
    }
    subprocess.run([sys.executable, "-m", "django", "migrate", "--verbosity", "0"], env=environment, check=True)
    return environment


def _reset() -> None:
    with psycopg.connect(SERVER, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {METASTORE} WITH (FORCE)")  # type: ignore[arg-type] # our own name
        connection.execute(f"CREATE DATABASE {METASTORE}")  # type: ignore[arg-type] # our own name


def run(environment: dict[str, str], module: str, *arguments: str) -> dict[str, Any]:
    """What a measurement printed last, as JSON; a failed one ends everything."""
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{module} {arguments[1:]} failed:\n{done.stderr[-4000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if result.get("state", "succeeded") != "succeeded":
        raise SystemExit(f"{module} {arguments[1:]} ended as {result['state']}: {result['outcome']}")
    return result
