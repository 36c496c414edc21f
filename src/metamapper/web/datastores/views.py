"""The list of datastores, connecting one, its settings, and the acts on it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from metamapper.connectors.base import Engine, StepState
from metamapper.connectors.errors import ConnectorError
from metamapper.connectors.registry import offered, registry
from metamapper.connectors.tunnel.connector import SignedIn
from metamapper.datastores import services
from metamapper.datastores.models import Datastore, SshKey
from metamapper.datastores.tunnels import ensure_key, hops_of, note_sign_ins, tunnel_for
from metamapper.inspection.connecting import StillWritten, disconnect
from metamapper.inspection.connecting import connect as connect_datastore
from metamapper.lib.crypto import WrongKey
from metamapper.runs import services as runs
from metamapper.runs.models import Run, Trigger
from metamapper.web import example
from metamapper.web.datastores.forms import DatastoreForm, form_of, reshaped, stored
from metamapper.web.datastores.hops import address, changed
from metamapper.web.datastores.proof import is_proved, prove
from metamapper.web.doors import DatastoreVisit, Visit, in_datastore, in_workspace, posted
from metamapper.web.paging import page_of
from metamapper.web.stores import schedule_of, stores, visible

PER_PAGE = 100
CHOOSE = "choose"
"""The button that shows the fields of what was chosen, where no script does."""
UNTESTED = "Test the connection first, or save it untested."


@require_safe
@in_workspace
def listing(request: Visit) -> HttpResponse:
    page = page_of(visible(request.user, request.workspace), ("name",), request.GET.get("after", ""), limit=PER_PAGE)
    context = {
        "here": "datastores",
        "stores": stores(request.user, page.rows),
        "next": page.next_address(request),
    }
    return render(request, "datastores/list.html", context)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
@in_workspace
def connect(request: Visit) -> HttpResponse:
    """The form of one engine; sent in, it becomes a datastore whose first run starts at once."""
    engine = _engine(request)
    form = form_of(engine)(posted(request), initial={"name": request.GET.get("name", "")})
    if CHOOSE in request.POST:
        form = reshaped(engine, request.POST)
    elif form.is_valid() and _may_save(request, form):
        run = _connected(request, form)
        if run is not None:
            return _go(request, redirect("run", request.workspace.slug, run.datastore.slug, run.number).url)
    return _form_page(request, "datastores/connect.html", form, {"engines": offered()})


def _connected(request: Visit, form: DatastoreForm) -> Run | None:
    """The first run of the new datastore, or None with the reason at its field."""
    assert form.settings is not None  # noqa: S101 - a valid form has them
    try:
        datastore = connect_datastore(
            request.workspace,
            name=form.cleaned_data["name"],
            engine=form.engine.name,
            settings=form.settings,
            user=request.user,
            interval_seconds=form.cleaned_data["interval"],
            include_schemas=form.cleaned_data["schemas"],
            include_tables=form.cleaned_data["tables"],
            hops=form.hops,
            tested="untested" not in request.POST,
        )
    except services.NameTaken as error:
        form.add_error("name", str(error))
        return None
    return Run.objects.visible_to(request.user).filter(datastore=datastore).select_related("datastore").latest("number")


@require_POST
@sensitive_post_parameters()
@in_workspace
def test(request: Visit) -> HttpResponse:
    """Try the settings of the form, whether they are saved or not."""
    return _tested(request, form_of(_engine(request))(request.POST), "datastores/connect.html")


def _tested(request: Visit, form: DatastoreForm, template: str, extra: dict[str, Any] | None = None) -> HttpResponse:
    """The steps of the test, with the proof that lets the form be saved if they all passed."""
    context: dict[str, Any] = {"engines": offered(), **(extra or {})}
    if form.is_valid() and form.settings is not None and _keys_open(request, form):
        tunnel = tunnel_for(request.workspace.pk, form.hops)
        steps = list(services.test(form.engine, form.settings, tunnel, on_sign_in=_noting(request, form)))
        failed = next((step for step in steps if step.state is StepState.FAILED), None)
        context |= {"steps": steps, "tested_at": timezone.now()}
        if failed is not None and failed.error is not None:
            form.blame(failed.error)
        elif failed is None:
            context["proof"] = prove(request.workspace.pk, form.engine.name, form.settings, form.hops)
    return _form_page(request, "datastores/tested.html" if request.htmx else template, form, context)


def _noting(request: Visit, form: DatastoreForm) -> SignedIn | None:
    """Writes down which key a host takes, where it is one of a datastore that is there."""
    datastore: Datastore | None = getattr(request, "datastore", None)
    return note_sign_ins(datastore) if datastore and form.hops == form.present_hops else None


def _keys_open(request: Visit, form: DatastoreForm) -> bool:
    """Whether the workspace's SSH keys can be decrypted, where they are needed."""
    try:
        tunnel_for(request.workspace.pk, form.hops)
    except WrongKey as error:
        form.add_error(None, str(error))
        return False
    return True


@require_POST
@sensitive_post_parameters()
@in_workspace
def ssh(request: Visit) -> HttpResponse:
    """Add, take away, accept or forget what an SSH host is; nothing is saved yet but the workspace's key pair."""
    return _rehopped(
        request, form_of(_engine(request))(request.POST), "datastores/connect.html", {"engines": offered()}
    )


def _rehopped(request: Visit, form: DatastoreForm, template: str, extra: dict[str, Any]) -> HttpResponse:
    form.hop_rows = changed(form.hop_rows, request.POST.get("hops", ""))
    if form.hop_rows:
        ensure_key(request.workspace, request.user)
    context = {"here": "datastores", "form": form, "engine": form.engine, **_addresses(request), **extra}
    _address_hops(request, form)
    return render(request, "datastores/rehopped.html" if request.htmx else template, context)


def _address_hops(request: Visit, form: DatastoreForm) -> None:
    """Tell at each host which line lets us in there."""
    newest = SshKey.objects.visible_to(request.user).filter(workspace=request.workspace).first()
    if newest is not None and form.hop_rows:
        address(form.hop_rows, newest.public, form.destination)


@require_POST
@sensitive_post_parameters()
@in_workspace
def preview(request: Visit) -> HttpResponse:
    """Which schemas and tables would be seen and left out by the patterns, once the test has passed."""
    return _previewed(request, form_of(_engine(request))(request.POST))


def _previewed(request: Visit, form: DatastoreForm) -> HttpResponse:
    context: dict[str, Any] = _addresses(request)
    if form.is_valid() and form.settings is not None and _is_proved(request, form) and _keys_open(request, form):
        try:
            tunnel = tunnel_for(request.workspace.pk, form.hops)
            context["found"] = services.preview(form.engine, form.settings, form.scope, tunnel)
        except ConnectorError as error:
            context["error"] = error
    return render(request, "datastores/preview.html", context)


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters()
@in_datastore
def settings(request: DatastoreVisit) -> HttpResponse:
    """The same form about a datastore that is there; secrets left blank stay as they are."""
    form = _form_about(request)
    if form.is_bound and form.is_valid() and _may_save(request, form) and _changed(request, form):
        messages.success(request, "Saved. The next run reads with these settings.")
        return _go(request, request.path)
    return _form_page(request, "datastores/settings.html", form, _about(request))


def _form_about(request: DatastoreVisit) -> DatastoreForm:
    datastore, schedule = request.datastore, schedule_of(request.datastore)
    engine = _known(datastore.engine)
    try:
        present = services.settings_of(datastore)
    except WrongKey:
        present = None
    initial = {
        "name": datastore.name,
        "interval": schedule.interval_seconds if schedule else None,
        "schemas": datastore.include_schemas,
        "tables": datastore.include_tables,
    }
    if CHOOSE in request.POST:
        return reshaped(engine, request.POST, present, hops_of(datastore))
    values = initial | (stored(present) if present else {})
    return form_of(engine)(posted(request), present=present, hops=hops_of(datastore), initial=values)


def _changed(request: DatastoreVisit, form: DatastoreForm) -> bool:
    assert form.settings is not None  # noqa: S101 - a valid form has them
    try:
        services.update_datastore(
            request.datastore,
            name=form.cleaned_data["name"],
            settings=form.settings,
            include_schemas=form.cleaned_data["schemas"],
            include_tables=form.cleaned_data["tables"],
            hops=form.hops,
            tested=_is_proved(request, form),
        )
    except services.NameTaken as error:
        form.add_error("name", str(error))
        return False
    runs.set_schedule(request.datastore, interval_seconds=form.cleaned_data["interval"], user=request.user)
    return True


def _about(request: DatastoreVisit) -> dict[str, Any]:
    return {"datastore": request.datastore, "schedule": schedule_of(request.datastore), "place": "settings"}


@require_POST
@sensitive_post_parameters()
@in_datastore
def settings_test(request: DatastoreVisit) -> HttpResponse:
    return _tested(request, _form_about(request), "datastores/settings.html", _about(request))


@require_POST
@sensitive_post_parameters()
@in_datastore
def settings_ssh(request: DatastoreVisit) -> HttpResponse:
    return _rehopped(request, _form_about(request), "datastores/settings.html", _about(request))


@require_POST
@sensitive_post_parameters()
@in_datastore
def settings_preview(request: DatastoreVisit) -> HttpResponse:
    return _previewed(request, _form_about(request))


@require_POST
@in_datastore
def inspect(request: DatastoreVisit) -> HttpResponse:
    """Inspect now: the waiting run if there is one, else a new one; then its page."""
    run = runs.request_run(request.datastore, trigger=Trigger.MANUAL, user=request.user)
    return _go(request, redirect("run", request.workspace.slug, request.datastore.slug, run.number).url)


@require_POST
@in_datastore
def pause(request: DatastoreVisit) -> HttpResponse:
    """Switch its schedule off, or on again."""
    enabled = "resume" in request.POST
    runs.set_schedule(request.datastore, enabled=enabled, user=request.user)
    said = "Resumed." if enabled else "Paused. Nothing is looked at until somebody resumes it or presses Inspect now."
    messages.success(request, said)
    return redirect("datastore_settings", request.workspace.slug, request.datastore.slug)


@require_http_methods(["GET", "POST"])
@in_datastore
def delete(request: DatastoreVisit) -> HttpResponse:
    """Forget it, for whoever types its name."""
    name = request.datastore.name
    if request.method == "POST" and request.POST.get("name", "").strip() == name:
        try:
            disconnect(request.datastore)
        except StillWritten as error:
            return render(request, "datastores/delete.html", _about(request) | {"busy": str(error)}, status=409)
        messages.success(request, f"{name} is forgotten. Nothing in it was touched.")
        return redirect("datastores", request.workspace.slug)
    context = _about(request) | {"wrong": request.method == "POST"}
    return render(request, "datastores/delete.html", context, status=422 if context["wrong"] else 200)


@require_POST
@in_workspace
def load_example(request: Visit) -> HttpResponse:
    """Connect the built-in example, with its history."""
    try:
        example.load(request.workspace, request.user)
    except services.NameTaken as error:
        messages.error(request, f"{error} The example wants this name.")
    return redirect("home", request.workspace.slug)


def _engine(request: HttpRequest) -> Engine:
    """The chosen engine, or the first; one that is not installed is no page."""
    engines = registry().engines
    chosen = request.POST.get("engine") or request.GET.get("engine") or next(iter(engines), "")
    return _known(chosen)


def _known(name: str) -> Engine:
    found = registry().engines.get(name)
    if found is None:
        raise Http404
    return found


def _is_proved(request: Visit, form: DatastoreForm) -> bool:
    proof = request.POST.get("proof", "")
    found = form.settings
    return found is not None and is_proved(proof, request.workspace.pk, form.engine.name, found, form.hops)


def _may_save(request: Visit, form: DatastoreForm) -> bool:
    """Everything but the interval is saved after a good test, or knowingly without one."""
    if form.is_unchanged or "untested" in request.POST or _is_proved(request, form):
        return True
    form.add_error(None, UNTESTED)
    return False


def _form_page(request: Visit, template: str, form: DatastoreForm, context: dict[str, Any]) -> HttpResponse:
    """The form with what is wrong beside its fields. Into a page that is open, only what changed is sent: secrets that
    were typed stay typed, for we never send one back."""
    failed = form.is_bound and bool(form.errors)
    if request.htmx and failed and "steps" not in context:
        template = "datastores/tested.html"
    _address_hops(request, form)
    content = {"here": "datastores", "form": form, "engine": form.engine, **_addresses(request), **context}
    return render(request, template, content, status=422 if failed and not request.htmx else 200)


def _addresses(request: Visit) -> dict[str, str]:
    """Where the form is saved, tested and previewed: about a new datastore, or about one that is there."""
    datastore = getattr(request, "datastore", None)
    names = ("connect", "connect_test", "connect_preview", "connect_ssh")
    if datastore is not None:
        names = ("datastore_settings", "datastore_test", "datastore_preview", "datastore_ssh")
    parts = [request.workspace.slug, *([datastore.slug] if datastore else [])]
    return dict(
        zip(
            ("save_url", "test_url", "preview_url", "ssh_url"),
            (reverse(name, args=parts) for name in names),
            strict=True,
        )
    )


def _go(request: Visit, address: str) -> HttpResponse:
    return HttpResponseClientRedirect(address) if request.htmx else redirect(address)
