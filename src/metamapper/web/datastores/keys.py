"""The workspace's SSH keys: shown for ``authorized_keys``, made, and retired once no host needs them."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from metamapper.connectors.tunnel.keys import Algorithm
from metamapper.connectors.tunnel.values import authorized
from metamapper.datastores.models import SshKey
from metamapper.datastores.tunnels import MOST_KEYS, LastKey, StillUsed, TooManyKeys, Use, make_key, retire_key, uses_of
from metamapper.web.doors import Visit, in_workspace


@dataclass(frozen=True, slots=True)
class Shown:
    key: SshKey
    line: str
    uses: list[Use]


@require_http_methods(["GET", "POST"])
@in_workspace
def ssh_keys(request: Visit) -> HttpResponse:
    """What there is; sent in, a key is made or retired."""
    context: dict[str, Any] = {}
    if request.method == "POST":
        if request.POST.get("make") in set(Algorithm):
            _make(request, Algorithm(request.POST["make"]))
        elif "retire" in request.POST:
            context["still"] = _retire(request, request.POST["retire"])
        if not context.get("still"):
            return redirect("ssh_keys", request.workspace.slug)
    uses = uses_of(request.workspace.pk)
    shown = [Shown(key, authorized(key.public, None), list(uses.get(key.fingerprint, ()))) for key in _keys(request)]
    context |= {"here": "datastores", "keys": shown, "full": len(shown) >= MOST_KEYS}
    return render(request, "datastores/ssh_keys.html", context, status=422 if context.get("still") else 200)


def _keys(request: Visit) -> list[SshKey]:
    mine = SshKey.objects.visible_to(request.user).filter(workspace=request.workspace)
    return list(mine.select_related("created_by"))


def _make(request: Visit, algorithm: Algorithm) -> None:
    try:
        make_key(request.workspace, algorithm, request.user)
    except TooManyKeys as error:
        messages.error(request, str(error))
        return
    messages.success(request, "Made. It is offered first from now on; let the hosts know it, then retire the old one.")


def _retire(request: Visit, which: str) -> UUID | None:
    """The key that is used still, for its retirement to be asked for once more; None where it is settled."""
    key = next((each for each in _keys(request) if str(each.pk) == which), None)
    if key is None:
        raise Http404
    try:
        retire_key(key, although_used="sure" in request.POST)
    except StillUsed:
        return key.pk
    except LastKey as error:
        messages.error(request, str(error))
        return None
    messages.success(request, f"Retired {key.fingerprint}. It can be taken out of authorized_keys.")
    return None
