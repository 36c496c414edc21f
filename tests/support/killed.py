"""``python -m tests.support.killed RUN_ID N``: execute a run in this process, and kill -9 it before its Nth SQL statement.

N counts the statements of the inspection alone. Prints how many there were if it lives to the end.
"""

import os
import signal
import sys
from uuid import UUID

import django

django.setup()


def main(run_id: str, limit: int) -> None:
    from django.db import connection

    from metamapper.inspection.services import execute

    count = 0

    def counting(run, sql, parameters, many, context):  # type: ignore[no-untyped-def] # Django's hook
        nonlocal count
        count += 1
        if count == limit:
            os.kill(os.getpid(), signal.SIGKILL)
        return run(sql, parameters, many, context)

    with connection.execute_wrapper(counting):
        execute(UUID(run_id), owner=f"killed/{os.getpid()}")
    print(count)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
