"""The embedded metastore holds sessions and sealed credentials: nobody else on the machine may read it."""

from pathlib import Path

import pytest

from metamapper.lib.errors import ConfigurationError
from metamapper.project.environment import private_file


def test_it_is_made_for_us_alone_in_a_folder_open_to_all(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert private_file(tmp_path / "metastore").stat().st_mode & 0o077 == 0


def test_one_that_others_could_read_is_closed_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "metastore"
    path.write_text("kept")
    path.chmod(0o644)
    assert private_file(path).stat().st_mode & 0o077 == 0
    assert path.read_text() == "kept"


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="METAMAPPER_HOME"):
        private_file(tmp_path / "file" / "metastore")
