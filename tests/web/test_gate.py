"""Every address with every role of the cast. A new address without a rule here fails the build (SECURITY S11)."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from metamapper.web.middleware import HEADERS
from tests.cast import Cast
from tests.web.clients import as_user
from tests.web.rules import RULES
from tests.web.scenery import PASSWORD, Scenery

SIGN_IN = "/sign-in/"


def patterns(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, str]]:
    """Every address of the site as (name, route)."""
    for each in (resolver or get_resolver()).url_patterns:
        route = before + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from patterns(each, route)
        else:
            assert isinstance(each, URLPattern)
            yield str(each.name), route


ROUTES = dict(patterns())


_PART = re.compile(r"<(?:\w+:)?(\w+)>")


def address(name: str, scenery: Scenery) -> str:
    """The address with every part filled in from the scenery."""
    if name == "account_reset_password_from_key":
        return "/password/abc-def-0123/"
    given = scenery.parts()
    return "/" + _PART.sub(lambda part: str(given[part[1]]), ROUTES[name])


INSIDE = [name for name, rule in RULES.items() if rule.inside]


def test_strangers_and_outsiders_learn_nothing(cast: Cast, scenery: Scenery) -> None:
    stranger, outsider = as_user(None), as_user(cast.oskar)
    for name in INSIDE:
        url = address(name, scenery)
        for method in ("get", "post"):
            answer = getattr(stranger, method)(url)
            assert answer.status_code in {302, 405}, name
            assert answer.status_code == 405 or answer.headers["Location"].startswith(SIGN_IN), name
            answer = getattr(outsider, method)(url)
            assert answer.status_code in {404, 405}, name
            assert b"warehouse" not in answer.content.replace(url.encode(), b""), name


def test_an_address_of_others_and_one_of_nobody_are_answered_alike(cast: Cast, scenery: Scenery) -> None:
    outsider = as_user(cast.oskar)
    for name in INSIDE:
        url = address(name, scenery)
        theirs, nobodys = (outsider.get(each) for each in (url, url.replace("/larkspur/", "/nobodys/")))
        assert theirs.status_code == nobodys.status_code, name
        assert _bare(theirs.content) == _bare(nobodys.content), name


def _bare(body: bytes) -> str:
    """A page without what differs each time: tokens, references, and the address that was asked for."""
    text = body.decode().replace("larkspur", "nobodys")
    return re.sub(r"[A-Za-z0-9]{64}|[0-9A-HJKMNP-TV-Z]{10}", "", text)


def test_who_belongs_there_gets_it(cast: Cast, scenery: Scenery) -> None:
    member = as_user(cast.rui)
    found = {name: member.get(address(name, scenery)).status_code for name in RULES}
    assert found == {name: rule.member for name, rule in RULES.items()}


def test_members_may_change_and_readers_may_not(cast: Cast, scenery: Scenery) -> None:
    for name in INSIDE:
        if RULES[name].post:
            url = address(name, scenery)
            assert as_user(cast.kim).post(url).status_code == 403, name
            assert as_user(cast.rui).post(url).status_code == RULES[name].post, name


def test_a_change_without_a_token_is_refused(cast: Cast, scenery: Scenery) -> None:
    client = as_user(cast.ana, check_forms=True)
    for name in RULES:
        assert client.post(address(name, scenery)).status_code in {403, 405}, name


def pages(cast: Cast, scenery: Scenery) -> Iterator[tuple[str, Any]]:
    """Every page as Ana, and as nobody."""
    for user in (cast.ana, None):
        client = as_user(user)
        for name in RULES:
            yield name, client.get(address(name, scenery))
    for extra in (
        f"/larkspur/datastores/{scenery.crm.slug}/runs/4/",
        f"/larkspur/datastores/{scenery.ledger.slug}/runs/1/",
    ):
        yield extra, as_user(cast.ana).get(extra)


def test_every_answer_carries_the_headers_and_no_inline_code(cast: Cast, scenery: Scenery) -> None:
    for name, response in pages(cast, scenery):
        assert {header: response.headers.get(header) for header in HEADERS} == HEADERS, name
        text = response.content.decode()
        assert " style=" not in text, name
        assert "<style" not in text, name
        assert " onclick=" not in text, name
        assert " hx-on" not in text, name
        assert all("src=" in script.partition(">")[0] for script in text.split("<script")[1:]), name
        assert "javascript:" not in text, name


def test_no_page_shows_a_planted_secret(cast: Cast, scenery: Scenery) -> None:
    for name, response in pages(cast, scenery):
        assert PASSWORD not in response.content.decode(), name


def test_every_address_has_a_rule() -> None:
    missing = set(ROUTES) - set(RULES)
    assert not missing, f"Say in tests/web/rules.py who may open: {', '.join(sorted(missing))}"
    gone = set(RULES) - set(ROUTES)
    assert not gone, f"No address has these names any more: {', '.join(sorted(gone))}"
