"""The first visit: account, workspace, first datastore. Once somebody has been here, it is over for everybody else."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from metamapper.accounts.models import User
from metamapper.accounts.services import AlreadyFounded, create_founder, founded
from metamapper.web import example
from metamapper.web.doors import posted
from metamapper.web.welcome.forms import AccountForm, WorkspaceForm
from metamapper.workspaces.selectors import first_workspace
from metamapper.workspaces.services import AddressTaken, found_first

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@require_safe
@never_cache
def arrive(request: HttpRequest) -> HttpResponse:
    """``/``: to one's workspace, to the first visit, or to the sign-in."""
    workspace = first_workspace(request.user)
    if workspace is not None:
        return redirect("home", workspace.slug)
    if isinstance(request.user, User):
        return redirect("welcome_workspace") if request.user.is_founder else render(request, "welcome/nowhere.html")
    return redirect("account_login") if founded() else redirect("welcome")


@require_http_methods(["GET", "POST"])
@sensitive_post_parameters("password")
@never_cache
def account(request: HttpRequest) -> HttpResponse:
    """Step 1: who you are."""
    if founded():
        return redirect("arrive")
    form = AccountForm(posted(request))
    if form.is_valid():
        try:
            user = create_founder(**form.cleaned_data)
        except AlreadyFounded as error:
            messages.info(request, str(error))
            return redirect("account_login")
        login(request, user, backend=BACKEND)
        return redirect("welcome_workspace")
    return render(request, "welcome/account.html", {"form": form, "step": 1}, status=_status(form))


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def workspace(request: HttpRequest) -> HttpResponse:
    """Step 2: what the walls around your datastores are called."""
    if first_workspace(request.user) is not None or not _user(request).is_founder:
        return redirect("arrive")
    form = WorkspaceForm(posted(request))
    if form.is_valid():
        try:
            made = found_first(_user(request), **form.cleaned_data)
        except AddressTaken as error:
            form.add_error("address", str(error))
        else:
            if settings.METAMAPPER_EXAMPLE:
                example.load(made, _user(request))
            return redirect("welcome_datastore")
    return render(request, "welcome/workspace.html", {"form": form, "step": 2}, status=_status(form))


@require_safe
@login_required
@never_cache
def datastore(request: HttpRequest) -> HttpResponse:
    """Step 3: what to look at first."""
    mine = first_workspace(request.user)
    if mine is None:
        return redirect("arrive")
    context = {"step": 3, "mine": mine, "example": example.of(mine, _user(request))}
    return render(request, "welcome/datastore.html", context)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - behind login_required; tells the type
    return request.user


def _status(form: AccountForm | WorkspaceForm) -> int:
    return 422 if form.is_bound else 200
