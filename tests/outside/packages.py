"""Packages of somebody else, built and installed into a folder of their own."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from metamapper.connectors.registry import registry

HERE = Path(__file__).resolve().parent


def installed(name: str, folder: Path) -> Path:
    """The folder into which pip has installed the package; nothing is downloaded."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", folder, HERE / name], check=True, timeout=120)
    return folder


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """As if what is in the folder was installed beside us."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    registry.cache_clear()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if name.startswith(("metamapper_avro", "metamapper_broken")):
                del sys.modules[name]
        importlib.invalidate_caches()
        registry.cache_clear()
