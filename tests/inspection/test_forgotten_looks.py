"""What history says stays true when the runs that wrote none are forgotten."""

from datetime import datetime, timedelta

from django.utils import timezone
from msgspec.structs import replace

from metamapper.catalog.models import Hold
from metamapper.history import about
from metamapper.history.models import Change
from metamapper.runs.forgetting import forget_runs
from metamapper.runs.models import NOTED, Run
from metamapper.runs.tallies import tally
from tests.cast import Cast
from tests.inspection.looking import Register, look
from tests.inspection.tables import table
from tests.support.scripted import show
from tests.web.clients import as_user

OLD = timedelta(days=100)


def aged(run: Run, ago: timedelta) -> datetime:
    """The run, as if it had ended that long ago; when that was."""
    moment = timezone.now() - ago
    Run.objects.filter(pk=run.pk).update(created_at=moment, started_at=moment, finished_at=moment)
    tally()
    return moment


def test_a_moment_whose_looks_are_forgotten_names_none(register: Register, cast: Cast) -> None:
    datastore = register()
    show(table("orders", "id integer", native="1"))
    first = aged(look(datastore), OLD)
    hour = timedelta(hours=1)
    for number in range(1, 4):
        aged(look(datastore), OLD - number * hour)
    last = aged(look(datastore), timedelta(days=1))
    moment = first + 2 * hour + hour / 2
    found = about.last_look(cast.ana, datastore, moment)
    assert found
    assert found.number == 3
    assert forget_runs() == 3
    assert about.last_look(cast.ana, datastore, moment) is None
    known = about.last_look(cast.ana, datastore, last + hour)
    assert known
    assert known.finished_at == last
    page = as_user(cast.ana).get(f"/larkspur/datastores/{datastore.slug}/", {"as_of": moment.isoformat()})
    assert page.status_code == 200
    text = page.content.decode()
    assert "Not seen yet" not in text
    assert ">Seen " not in text


def test_a_run_that_wrote_only_quiet_history_stays(register: Register) -> None:
    """Columns that are numbered anew, as after a table was rebuilt: history keeps their positions and tells nobody."""
    datastore = register()
    orders = table("orders", "id integer", "total numeric", native="1")
    show(orders)
    look(datastore)
    columns = tuple(replace(column, position=column.position + 1) for column in orders.columns)
    show(replace(orders, columns=columns))
    run = look(datastore)
    assert set(Change.objects.filter(run_id=run.pk).values_list("quiet", flat=True)) == {True}
    assert run.outcome_code == NOTED
    for each in (run, look(datastore)):
        aged(each, OLD)
    aged(look(datastore), timedelta())
    forget_runs()
    assert Run.objects.filter(pk=run.pk).exists()


def test_a_run_that_held_something_back_stays(register: Register) -> None:
    datastore = register()
    show(*(table(f"t{number}", "id integer", native=str(number)) for number in range(40)))
    look(datastore)
    show(*(table(f"t{number}", "id integer", native=str(number)) for number in range(2)))
    run = look(datastore)
    assert Hold.objects.get().run_id == run.pk
    assert run.outcome_code == NOTED
