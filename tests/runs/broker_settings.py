"""What the processes run with where each test has a broker's queues to itself: as ``stand_in_settings``, with a prefix."""

import os
from typing import Any

from tests.runs.stand_in_settings import *  # noqa: F403 - the same and more

_prefix = os.environ["MM_TEST_PREFIX"]
_queues = ("inspections", "default")
broker_transport_options: dict[str, Any] = {"wait_time_seconds": 1}
if address := os.environ.get("MM_TEST_PREDEFINED"):
    broker_transport_options["predefined_queues"] = {name: {"url": f"{address}/{_prefix}-{name}"} for name in _queues}
else:
    broker_transport_options["queue_name_prefix"] = f"{_prefix}-"
