"""What the processes of the tests run with: Celery's settings, and durations scaled down by configuration."""

imports = ["tests.runs.stand_in"]
worker_concurrency = 2
worker_max_tasks_per_child = 50

METAMAPPER_RUNS = {
    "lease": 3.0,
    "heartbeat": 0.5,
    "progress": 0.1,
    "tick": 0.2,
    "leader": 1.0,
    "trust_after_gap": 2.0,
    "redispatch": 2.0,
    "backoff": (1.0, 2.0, 4.0),
    "worker_beat": 1.0,
    "stop": 1.0,
    "canary": 0.5,
    "canary_late": 2.0,
}
