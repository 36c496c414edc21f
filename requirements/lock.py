"""Renew the lock files: every dependency with its hashes, no address of where it came from."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMON = [
    "--python-version",
    "3.11",
    "--universal",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--quiet",
]


def compile_lock(target: str, *extra: str) -> None:
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        *COMMON,
        *extra,
        "pyproject.toml",
        "-o",
        f"requirements/{target}",
    ]
    subprocess.run(command, cwd=ROOT, check=True)  # noqa: S603 - a fixed command on our own files


if __name__ == "__main__":
    compile_lock("run.txt", "--group", "setup", "--extra", "all")
    compile_lock("dev.txt", "--group", "dev", "--all-extras")
