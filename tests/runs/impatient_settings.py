"""As ``stand_in_settings``, with a broker's time-outs scaled down: what takes a minute as shipped takes seconds here."""

import os
from typing import Any

from tests.runs.stand_in_settings import *  # noqa: F403 - the same and more

broker_heartbeat = 4
broker_transport_options: dict[str, Any] = (
    {"socket_timeout": 2, "socket_connect_timeout": 2, "health_check_interval": 1}
    if os.environ["METAMAPPER_CELERY_BROKER_URL"].startswith("redis")
    else {"read_timeout": 3, "write_timeout": 3}
)
