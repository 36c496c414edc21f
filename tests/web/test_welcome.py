"""The first visit founds the installation once; everybody after it signs in."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client

from metamapper.accounts.models import User
from metamapper.accounts.services import AlreadyFounded, create_founder
from metamapper.datastores.models import Datastore
from metamapper.workspaces import services
from metamapper.workspaces.models import Membership, Role, Workspace
from tests.cast import PASSWORD, Cast
from tests.web.clients import as_user

ACCOUNT = {"name": "Ana Duarte", "email": "Ana@Larkspur.example", "password": PASSWORD}


@pytest.mark.django_db
def test_the_first_visit_leads_to_a_workspace_with_the_example(client: Client, settings: Any, tmp_path: Any) -> None:
    settings.METAMAPPER_HOME = tmp_path
    assert client.get("/").headers["Location"] == "/welcome/"
    assert client.post("/welcome/", ACCOUNT).headers["Location"] == "/welcome/workspace/"
    assert client.get("/").headers["Location"] == "/welcome/workspace/"
    assert client.post("/welcome/workspace/", {"name": "Larkspur", "address": "larkspur"}).status_code == 302
    page = client.get("/welcome/datastore/").content.decode()
    assert "Larkspur is ready" in page
    assert "/larkspur/datastores/connect/" in page
    assert client.get("/").headers["Location"] == "/larkspur/"
    assert Membership.objects.get().role == Role.OWNER
    assert Datastore.objects.get().is_example
    assert "shop" in client.get("/larkspur/").content.decode()


@pytest.mark.django_db
def test_without_the_example_home_offers_what_comes_next(client: Client, settings: Any) -> None:
    settings.METAMAPPER_EXAMPLE = False
    client.post("/welcome/", ACCOUNT)
    client.post("/welcome/workspace/", {"name": "Larkspur", "address": "larkspur"})
    page = client.get("/larkspur/").content.decode()
    assert "Nothing is connected yet" in page
    assert "Load the built-in example" in page


def test_once_founded_the_first_visit_is_over(cast: Cast, client: Client) -> None:
    assert client.get("/welcome/").headers["Location"] == "/"
    assert client.post("/welcome/", ACCOUNT).headers["Location"] == "/"
    assert client.get("/").headers["Location"] == "/sign-in/"
    assert User.objects.count() == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "password123"),
        ("password", "larkspur.example"),
        ("email", "nobody"),
        ("name", ""),
        ("name", "x" * 81),
    ],
)
@pytest.mark.django_db
def test_what_is_wrong_is_said_at_its_field(client: Client, field: str, value: str) -> None:
    response = client.post("/welcome/", ACCOUNT | {field: value})
    assert response.status_code == 422
    assert "mm-error" in response.content.decode()
    assert not User.objects.exists()


@pytest.mark.parametrize("address", ["sign-in", "static", "API", "welcome", "a b", "ä", "---", "x" * 41, "../etc"])
@pytest.mark.django_db
def test_addresses_that_cannot_be_are_refused(client: Client, settings: Any, address: str) -> None:
    settings.METAMAPPER_EXAMPLE = False
    client.post("/welcome/", ACCOUNT)
    assert client.post("/welcome/workspace/", {"name": "Larkspur", "address": address}).status_code == 422
    assert not Workspace.objects.exists()


def at_once(work: Callable[[int], Any], number: int = 6) -> list[Any]:
    """What each of several threads that start together got, or raised."""
    barrier, results = threading.Barrier(number), [None] * number

    def one(place: int) -> None:
        barrier.wait()
        try:
            results[place] = work(place)
        except Exception as error:  # noqa: BLE001 - what was raised is the result
            results[place] = error  # type: ignore[call-overload]
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(place,)) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_of_many_first_visits_at_once_one_gets_the_account() -> None:
    results = at_once(lambda place: create_founder(email=f"a{place}@x.example", name="A", password=PASSWORD))
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, AlreadyFounded) for result in results) == 5
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_many_times_founds_one_workspace() -> None:
    user = create_founder(email="a@x.example", name="A", password=PASSWORD)
    results = at_once(lambda place: services.found_first(user, name="A", address=f"a{place}"))
    assert {type(result) for result in results} == {Workspace}
    assert Workspace.objects.count() == 1
    assert Membership.objects.count() == 1


def test_somebody_without_a_workspace_is_told_so(cast: Cast) -> None:
    Membership.objects.filter(user=cast.rui).delete()
    response = as_user(cast.rui).get("/")
    assert response.status_code == 200
    assert "You belong to no workspace yet" in response.content.decode()
    assert as_user(cast.rui).get("/welcome/workspace/").headers["Location"] == "/"


def test_signing_in_and_out(cast: Cast, client: Client) -> None:
    wrong = client.post("/sign-in/", {"login": "ana@larkspur.example", "password": "wrong"})
    unknown = client.post("/sign-in/", {"login": "nobody@larkspur.example", "password": "wrong"})
    said = "The email address and/or password you specified are not correct."
    assert said in wrong.content.decode()
    assert said in unknown.content.decode()
    before = client.cookies.get("session")
    response = client.post(
        "/sign-in/?next=/larkspur/runs/",
        {"login": "ana@larkspur.example", "password": PASSWORD, "next": "/larkspur/runs/"},
    )
    assert response.headers["Location"] == "/larkspur/runs/"
    assert client.cookies["session"] != before
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/larkspur/").headers["Location"] == "/sign-in/?next=/larkspur/"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_signing_in_never_leads_elsewhere(cast: Cast, client: Client, elsewhere: str) -> None:
    response = client.post("/sign-in/", {"login": "ana@larkspur.example", "password": PASSWORD, "next": elsewhere})
    assert response.headers["Location"] == "/"


def test_a_forgotten_password_is_reset_by_a_link_to_our_own_address(cast: Cast, client: Client) -> None:
    for address in ("ana@larkspur.example", "nobody@larkspur.example"):
        assert client.post("/password/", {"email": address}, headers={"host": "evil.example"}).status_code == 302
    assert [message.to for message in mail.outbox] == [["ana@larkspur.example"]]
    body = str(mail.outbox[0].body)
    assert "evil.example" not in body
    link = next(line for line in body.splitlines() if "/password/" in line).removeprefix("http://localhost:5050")
    form = client.get(link, follow=True)
    assert "Choose a new password" in form.content.decode()
    new = "another-long-passphrase"
    done = client.post(form.redirect_chain[-1][0], {"password1": new, "password2": new}, follow=True)
    assert "The password is changed" in done.content.decode()
    assert Client().login(email="ana@larkspur.example", password=new)
    assert "does not work any more" in Client().get(link, follow=True).content.decode()


def test_nobody_signs_up_by_themselves(client: Client, db: None) -> None:
    assert "by invitation" in client.get("/sign-up/").content.decode()
    client.post("/sign-up/", {"email": "x@x.example", "password1": PASSWORD})
    assert not User.objects.exists()
