"""Pages and the button with a broker, with one that is frozen, and with one that is down: people must not notice."""

import json
import os
import signal
import time
from statistics import median

import django

from benchmarks.processes import SERVER
from tests.support import servers

ROUNDS, TIMES = 4, 20


def main() -> None:
    took: dict[str, list[float]] = {"with": [], "frozen": [], "down": []}
    port = servers.free_port()
    os.environ["METAMAPPER_CELERY_BROKER_URL"] = f"redis://127.0.0.1:{port}/0"
    django.setup()
    visit = _visit()
    for _ in range(10):
        visit()
    for _ in range(ROUNDS):
        with servers.started_redis(port=port) as server:
            assert server.pid
            took["with"] += [visit() for _ in range(TIMES)]
            os.kill(server.pid, signal.SIGSTOP)
            took["frozen"] += [visit() for _ in range(TIMES)]
            os.kill(server.pid, signal.SIGCONT)
        took["down"] += [visit() for _ in range(TIMES)]
    print(json.dumps({f"{name}_ms": median(times) * 1000 for name, times in took.items()}))


def _visit():  # type: ignore[no-untyped-def] # needs Django to be set up
    from django.test import Client
    from django.urls import reverse

    from benchmarks.inspection import datastore_at
    from metamapper.accounts.models import User
    from metamapper.runs.models import Run
    from metamapper.workspaces.models import Membership, Role

    store = datastore_at(SERVER, name="pages", anew=True)
    user = User.objects.get()
    Membership.objects.create(workspace=store.workspace, user=user, role=Role.OWNER)
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    where = {"workspace": store.workspace.slug}

    def visit() -> float:
        """Seconds of a press of the button, the page after it, and the list of runs; each press makes a run."""
        Run.objects.all().delete()
        began = time.perf_counter()
        pressed = client.post(reverse("inspect", kwargs=where | {"datastore": store.slug}), follow=True)
        listed = client.get(reverse("runs", kwargs=where))
        seconds = time.perf_counter() - began
        assert (pressed.status_code, listed.status_code, Run.objects.count()) == (200, 200, 1)
        return seconds

    return visit


if __name__ == "__main__":
    main()
