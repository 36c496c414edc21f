"""`metamapper check`: what is in force is shown without a secret; what does not work is said with the fix."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from metamapper.cli.commands import metamapper
from metamapper.connectors import registry
from metamapper.project.environment import VARIABLES, effective, read_environment
from metamapper.runs import configuration


def findings(*, exit_code: int | None = None) -> dict[str, Any]:
    result = CliRunner().invoke(metamapper, ["check", "--format", "json"])
    assert exit_code in {None, result.exit_code}, result.output
    return {each["subject"]: each for each in json.loads(result.output)["findings"]}


@pytest.mark.django_db
def test_the_metastore_answers_with_all_its_tables() -> None:
    found = findings()
    assert found["metastore"]["state"] == "good"
    assert found["tables"]["state"] == "good"


@pytest.mark.django_db
def test_a_broken_engine_is_named_with_what_its_import_said(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = registry.Registry({}, {"mydb": "ModuleNotFoundError: No module named 'mydb'"})
    monkeypatch.setattr(registry, "registry", lambda: broken)
    found = findings(exit_code=1)
    assert found["engine mydb"]["state"] == "bad"
    assert "No module named 'mydb'" in found["engine mydb"]["detail"]


@pytest.mark.django_db
def test_a_broker_that_is_down_says_that_no_run_is_lost(settings: Any) -> None:
    settings.METAMAPPER_PUBLISHER = "no.such.broker"
    broker = findings(exit_code=1)["broker"]
    assert broker["state"] == "bad"
    assert "none is lost" in broker["hint"]


@pytest.mark.django_db
def test_celery_s_settings_are_shown_with_what_they_break(monkeypatch: pytest.MonkeyPatch) -> None:
    settings_in_force, _ = configuration.celery_settings()
    broken = (settings_in_force | {"task_acks_late": True}, ["task_acks_late: delivered twice"])
    monkeypatch.setattr(configuration, "celery_settings", lambda: broken)
    result = CliRunner().invoke(metamapper, ["check"])
    assert "task_queues" in result.output
    assert "inspections, default" in result.output
    assert "warning  celery: task_acks_late: delivered twice" in result.output


def test_no_secret_is_shown(tmp_path: Path) -> None:
    key = Fernet.generate_key().decode()
    planted = {
        "METAMAPPER_HOME": str(tmp_path),
        "METAMAPPER_SECRET_KEY": "planted-secret" * 10,
        "METAMAPPER_FERNET_KEY": key,
        "METAMAPPER_DB_PASSWORD": "planted-word",
        "METAMAPPER_DATABASE_URL": "postgresql://ana:planted-password@127.0.0.1:1/x",
        "METAMAPPER_CELERY_BROKER_URL": "redis://:planted-broker@127.0.0.1:1/0",
    }
    program = "from metamapper.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "check"], env=os.environ | planted, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "planted" not in done.stdout + done.stderr
    assert key not in done.stdout
    assert "postgresql://ana:***@127.0.0.1:1/x" in done.stdout
    assert "bad      metastore" in done.stdout


def test_every_variable_is_shown(tmp_path: Path) -> None:
    shown = effective(read_environment({"METAMAPPER_HOME": str(tmp_path)}))
    assert set(shown) == {variable.name for variable in VARIABLES}
    assert shown["METAMAPPER_SECRET_KEY"] == "set"
    assert shown["METAMAPPER_DB_PASSWORD"] == ""
    assert shown["METAMAPPER_INCLUDE_EXAMPLE_DATASTORES"] == "yes"
