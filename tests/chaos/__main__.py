"""`make chaos BROKER=redis|rabbitmq|sqs SECONDS=… SEED=…`: real workers and schedulers under random faults.

Prints its seed first, then the faults, the runs and the invariants; the exit code is 1 if one was violated. The
durations of the ledger are scaled down by configuration: a lease is 3 s. With MUTANT=… the ledger lacks something, and
the violation must be found.
"""

import argparse
import contextlib
import os
import secrets
import sys
import tempfile
from pathlib import Path

from tests.support import servers
from tests.support.databases import fresh_postgresql

_ONCE = {
    "applied_exactly_once_under_the_last_fence",
    "nothing_applied_by_a_run_that_did_not_succeed",
    "succeeded_means_applied_once_under_the_last_fence",
    "ended_means_finished",
    "an_attempt_is_open_while_its_run_is_running",
}
_ENDS = {"every_run_ends", "work_goes_on_after_faults", "no_run_open_past_its_age"}
CAUGHT_BY: dict[str, set[str]] = {
    "without_the_fence": _ONCE,
    "without_the_guard": _ONCE,
    "without_the_unique_index": {"at_most_one_running_each"},
    "without_sending_again": _ENDS,
    "without_the_reaper": _ENDS,
}
"""What may find each mutant: that no process can start, for one, proves nothing."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--broker", choices=["redis", "rabbitmq", "sqs"], default="redis")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--datastores", type=int, default=16)
    parser.add_argument("--mutant", choices=CAUGHT_BY, help="the processes' ledger lacks this, which must be found")
    options = parser.parse_args()
    print(f"{options.broker}, {options.seconds:.0f} s, seed {options.seed}", flush=True)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(servers.postgresql())
        metastore = stack.enter_context(fresh_postgresql(server.url))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mm-chaos-")))
        return _run(options, metastore, home)


def _run(options: argparse.Namespace, metastore: str, home: Path) -> int:
    """Django is set up only now: what needs it is imported here."""
    os.environ |= {
        "METAMAPPER_DATABASE_URL": metastore,
        "METAMAPPER_HOME": str(home),
        "METAMAPPER_SETTINGS_OVERRIDE_MODULE": "tests.runs.stand_in_settings",
        "DJANGO_SETTINGS_MODULE": "metamapper.project.settings",
    }
    from tests.chaos.grounds import GROUNDS
    from tests.runs.processes import site

    with GROUNDS[options.broker]() as ground:
        os.environ |= {"METAMAPPER_CELERY_BROKER_URL": ground.url, **ground.environment}
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        from tests.chaos.trial import trial
        from tests.runs import mutants

        if options.mutant:
            os.environ[mutants.VARIABLE] = options.mutant
        if options.mutant == "without_the_unique_index":
            mutants.drop_the_unique_index()

        with site(home, ground.url) as place:
            report = trial(ground, place, seed=options.seed, seconds=options.seconds, datastores=options.datastores)
            for line in report.lines():
                print(line, flush=True)
            if options.mutant:
                return 0 if CAUGHT_BY[options.mutant] & report.violations.keys() else 1
            if report.violations:
                _keep_logs(place.home)
    return 1 if report.violations else 0


def _keep_logs(home: Path) -> None:
    for log in sorted(home.glob("*.log")):
        print(f"--- {log.name}\n{log.read_text(encoding='utf-8', errors='replace')[-4000:]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
