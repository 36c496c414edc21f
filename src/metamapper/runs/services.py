"""The ledger's services, for the layers above: what they may do with schedules, runs and leases."""

from metamapper.runs.clock import metastore_now
from metamapper.runs.doorbell import wait as wait_for_doorbell
from metamapper.runs.endings import cancelled, fail, finish
from metamapper.runs.heartbeats import Heartbeat
from metamapper.runs.leases import Lease, LeaseLost, Standing, claim, guard, heartbeat, standing
from metamapper.runs.requests import cancel_run, hold_still, request_run
from metamapper.runs.schedules import INTERVALS, set_schedule

__all__ = [
    "INTERVALS",
    "Heartbeat",
    "Lease",
    "LeaseLost",
    "Standing",
    "cancel_run",
    "cancelled",
    "claim",
    "fail",
    "finish",
    "guard",
    "heartbeat",
    "hold_still",
    "metastore_now",
    "request_run",
    "set_schedule",
    "standing",
    "wait_for_doorbell",
]
