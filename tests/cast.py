"""The people and places that tests are about, by name.

Ana owns Larkspur and Rui works in it; Kim may only read there. Oskar owns Elsewhere and has no business in Larkspur. A
passage that needs somebody asks for the fixture ``cast`` and says their name.
"""

from dataclasses import dataclass
from functools import cache

from django.contrib.auth.hashers import make_password

from metamapper.accounts.models import User
from metamapper.workspaces.models import Membership, Role, Workspace

PASSWORD = "correct-horse-battery-staple"


@cache
def hashed() -> str:
    """Once for all tests: a password's hash is slow on purpose."""
    return make_password(PASSWORD)


def person(email: str, name: str, *, is_founder: bool = False) -> User:
    return User.objects.create(email=email, name=name, password=hashed(), is_founder=is_founder)


@dataclass(frozen=True)
class Cast:
    ana: User
    rui: User
    kim: User
    oskar: User
    larkspur: Workspace
    elsewhere: Workspace


def assemble() -> Cast:
    """Everybody, freshly made."""
    larkspur = Workspace.objects.create(name="Larkspur", slug="larkspur")
    elsewhere = Workspace.objects.create(name="Elsewhere", slug="elsewhere")
    ana = person("ana@larkspur.example", "Ana Duarte", is_founder=True)
    rui = person("rui@larkspur.example", "Rui Costa")
    kim = person("kim@larkspur.example", "Kim Reader")
    oskar = person("oskar@elsewhere.example", "Oskar Lind")
    for user, workspace, role in (
        (ana, larkspur, Role.OWNER),
        (rui, larkspur, Role.MEMBER),
        (kim, larkspur, Role.READONLY),
        (oskar, elsewhere, Role.OWNER),
    ):
        Membership.objects.create(user=user, workspace=workspace, role=role)
    return Cast(ana, rui, kim, oskar, larkspur, elsewhere)
