"""Celery's settings: what the administrator's module names wins, all the rest keeps its safe default, and slips are told."""

import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from metamapper.conf import celery as shipped
from metamapper.lib.celery_settings import settings_in_force, shown
from metamapper.lib.errors import ConfigurationError
from metamapper.runs.timing import Timing, timing

REDIS = "redis://localhost:6379/0"


@pytest.fixture
def override(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A module of an administrator's, to be filled."""
    module = types.ModuleType("their_settings")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def in_force(
    module: str = shipped.__name__, *, url: str = REDIS, home: str = "/data"
) -> tuple[dict[str, Any], list[str]]:
    return settings_in_force(shipped, override=module, broker_url=url, home=Path(home))


def test_by_itself_the_shipped_module_is_in_force_and_nothing_is_to_be_said() -> None:
    settings, warnings = in_force()
    assert warnings == []
    assert settings["broker_url"] == REDIS
    assert settings["accept_content"] == ["json"]
    assert settings["broker_transport_options"]["socket_timeout"] == 15


def test_queues_of_the_administrators_own_bear_the_names_they_were_given(override: types.ModuleType) -> None:
    queues = {name: {"url": f"https://sqs.example/1/{name}"} for name in ("inspections", "default")}
    override.broker_transport_options = {"predefined_queues": queues}  # type: ignore[attr-defined]
    settings, warnings = in_force("their_settings", url="sqs://")
    assert (settings["broker_transport_options"]["queue_name_prefix"], warnings) == ("", [])
    override.broker_transport_options = {"predefined_queues": queues, "queue_name_prefix": "ours-"}  # type: ignore[attr-defined]
    settings, warnings = in_force("their_settings", url="sqs://")
    assert settings["broker_transport_options"]["queue_name_prefix"] == "ours-"
    assert [each for each in warnings if "lacks ours-inspections" in each]


def test_a_missing_queue_of_the_administrators_own_is_told(override: types.ModuleType) -> None:
    override.broker_transport_options = {"predefined_queues": {"inspections": {"url": "https://q"}}}  # type: ignore[attr-defined]
    (warning,) = in_force("their_settings", url="sqs://")[1]
    assert "lacks default" in warning


def test_secrets_are_masked_wherever_they_stand() -> None:
    settings, _ = in_force(url="redis://ana:planted@localhost:6379/0")
    options = {
        "predefined_queues": {
            "inspections": {"url": "https://q", "access_key_id": "planted", "secret_access_key": "planted"}
        }
    }
    more = {"broker_transport_options": options, "redis_password": "planted", "result_backend": "db+x://a:planted@h/x"}
    text = shown(settings | more)
    assert "planted" not in str(text)
    assert text["broker_url"] == "redis://ana:***@localhost:6379/0"
    assert text["task_queues"] == "inspections, default"
    assert "https://q" in text["broker_transport_options"]


def test_a_module_that_names_only_the_broker_keeps_every_safe_default(override: types.ModuleType) -> None:
    override.broker_url = "redis://elsewhere:6379/3"  # type: ignore[attr-defined]
    settings, warnings = in_force("their_settings")
    default, _ = in_force()
    assert warnings == []
    assert settings == default | {"broker_url": "redis://elsewhere:6379/3"}


def test_the_broker_of_the_module_decides_what_a_broker_needs(override: types.ModuleType) -> None:
    override.broker_url = "amqp://guest:guest@elsewhere:5672/metamapper"  # type: ignore[attr-defined]
    settings, _ = in_force("their_settings")
    assert settings["broker_transport_options"]["confirm_publish"]
    assert settings["task_queues"][0].queue_arguments == {"x-queue-type": "quorum"}


def test_one_broker_option_keeps_the_others(override: types.ModuleType) -> None:
    override.broker_transport_options = {"visibility_timeout": 7200}  # type: ignore[attr-defined]
    options = in_force("their_settings")[0]["broker_transport_options"]
    assert (options["visibility_timeout"], options["socket_timeout"]) == (7200, 15)


def test_what_the_module_names_wins(override: types.ModuleType) -> None:
    override.task_queues = ["inspections", "default", "mine"]  # type: ignore[attr-defined]
    override.beat_schedule = {"mine": {"task": "mine.task", "schedule": 60}}  # type: ignore[attr-defined]
    override.worker_concurrency = 7  # type: ignore[attr-defined]
    settings, warnings = in_force("their_settings")
    assert warnings == []
    assert settings["task_queues"] == ["inspections", "default", "mine"]
    assert settings["worker_concurrency"] == 7


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("task_acks_lates", "task_acks_late"),
        ("CELERY_BROKER_URL", "broker_url"),
        ("worker_concurency", "worker_concurrency"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(override: types.ModuleType, name: str, nearest: str) -> None:
    setattr(override, name, 1)
    settings, warnings = in_force("their_settings")
    assert name not in settings
    assert warnings == [
        f"METAMAPPER_CELERY_CONFIG_MODULE: their_settings.{name} is not a Celery setting and does nothing; did you mean {nearest}?"
    ]


def test_what_the_module_keeps_to_itself_is_not_told(override: types.ModuleType) -> None:
    override.our_region = "x"  # type: ignore[attr-defined]
    override._private = 1  # type: ignore[attr-defined]
    override.Path = Path  # type: ignore[attr-defined]
    assert in_force("their_settings")[1] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_acks_late", True),
        ("beat_scheduler", "celery.beat:PersistentScheduler"),
        ("accept_content", ["json", "pickle"]),
        ("worker_pool", "threads"),
        ("task_queues", ["mine"]),
        ("task_queues", ["inspections"]),
        ("task_soft_time_limit", 1560),
        ("broker_url", "confluentkafka://localhost"),
        ("task_time_limit", None),
        ("broker_transport_options", {"visibility_timeout": 60}),
    ],
)
def test_a_setting_that_breaks_a_promise_is_told_in_a_line(
    override: types.ModuleType, name: str, value: object
) -> None:
    setattr(override, name, value)
    settings, (warning,) = in_force("their_settings")
    assert settings[name] == value or name == "broker_transport_options"
    assert warning.startswith(f"{name}: ")


def test_a_module_that_is_not_there_stops_the_start_with_its_name() -> None:
    with pytest.raises(ConfigurationError, match=r"METAMAPPER_CELERY_CONFIG_MODULE names no\.such\.module"):
        in_force("no.such.module")


@pytest.mark.parametrize(
    ("url", "hint"), [("rediss1://x", "rediss://"), ("ampq://x", "amqp://"), ("zzz://x", "use redis://")]
)
def test_a_broker_that_does_not_exist_is_told_with_the_nearest(url: str, hint: str) -> None:
    with pytest.raises(ConfigurationError, match=hint):
        in_force(url=url)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://localhost:abc/0", "its port is no number"),
        ("redis://localhost:99999/0", "its port is no number"),
        ("amqp://me:secret@localhost:x", "its port is no number"),
        ("redis://localhost:6379/first", "“first” is no number"),
        ("redis//localhost", "no kind of broker called “”"),
        ("localhost:6379", "no kind of broker called “localhost”"),
    ],
)
def test_a_url_with_a_typing_error_is_told_in_a_line(url: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        in_force(url=url)
    assert "secret" not in str(caught.value)


def test_pgmq_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metamapper.lib.brokers.find_spec", lambda _name: None)
    with pytest.raises(ConfigurationError, match=r"metamapper\[pgmq\]"):
        in_force(url="pgmq://me@localhost/x")


def test_a_longer_limit_of_the_administrator_moves_the_deadline_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert timing().deadline == Timing().deadline == shipped.task_time_limit
    monkeypatch.setattr("metamapper.runs.timing.hard_limit", lambda: 7200)
    assert timing().deadline == 7200


def test_without_a_url_the_broker_is_a_folder_of_the_data_folder() -> None:
    settings, _ = in_force(url="", home="/data")
    assert settings["broker_transport_options"]["folder"] == "/data/broker"


def test_the_celery_command_says_it_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METAMAPPER_CELERY_CONFIG_MODULE", "no.such.module")
    monkeypatch.setenv("METAMAPPER_HOME", str(tmp_path))
    command = [sys.executable, "-m", "celery", "--app", "metamapper", "worker"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "Error: METAMAPPER_CELERY_CONFIG_MODULE names no.such.module, which cannot be imported"
    )
    assert done.stderr.count("\n") == 1
