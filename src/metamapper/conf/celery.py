"""The shipped Celery settings. ``METAMAPPER_CELERY_CONFIG_MODULE`` names another module: what that names wins, the rest stays.

The broker is ``METAMAPPER_CELERY_BROKER_URL``; what each kind of broker needs beside these is added to them. Runs live in the
metastore, so messages are acknowledged early, carry an id and nothing else, and leave no results.
"""

from kombu import Exchange, Queue

# Messages: JSON and nothing else. A message that could carry code would let whoever reaches the broker run it.
task_serializer = "json"
accept_content = ["json"]
result_accept_content = ["json"]
task_ignore_result = True
result_expires = None

# People's mail never waits behind a warehouse.
task_queues = [
    Queue("inspections", Exchange("inspections", type="direct"), routing_key="inspections"),
    Queue("default", Exchange("default", type="direct"), routing_key="default"),
]
task_default_queue = "default"
task_default_exchange = "default"
task_default_routing_key = "default"
task_routes = {
    "metamapper.inspect": {"queue": "inspections"},
    "metamapper.canary": {"queue": "inspections"},
    "metamapper.errand": {"queue": "default"},
}

# A broker that is away is waited for, without end; a publish tries twice, quickly, for the ledger sends again anyway.
broker_connection_retry = True
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
broker_connection_timeout = 5
broker_heartbeat = 10
task_publish_retry_policy = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}

# The ledger owns retry: a long task that acknowledges late runs twice at once on some brokers.
task_acks_late = False
worker_prefetch_multiplier = 1

# A pool of processes: only they can be stopped in C, and only they give their memory back.
worker_pool = "prefork"
worker_max_tasks_per_child = 200
worker_max_memory_per_child = 512_000  # KB
task_soft_time_limit = 1500
task_time_limit = 1560
worker_soft_shutdown_timeout = 25
# A child that died is noticed after this many seconds; no result of its can still be under way, for there are none.
worker_lost_wait = 0.5

# Schedules are in the metastore.
beat_scheduler = "metamapper.runs.beat:LedgerScheduler"
beat_max_loop_interval = 5
timezone = "UTC"
enable_utc = True
