"""Browsers of the cast."""

from django.test import Client

from metamapper.accounts.models import User

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def as_user(user: User | None, *, check_forms: bool = False) -> Client:
    """A browser in which this person is signed in, or nobody."""
    client = Client(enforce_csrf_checks=check_forms)
    if user is not None:
        client.force_login(user, backend=BACKEND)
    return client
