"""How allauth behaves here: nobody signs up by themselves, and links in mail use the address people type."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc] # allauth carries no types
    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        """Later accounts come by invitation; the first one is made by the first visit."""
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        """From the configured origin, never from the request's Host header, which anybody can write."""
        uid, _, token = key.partition("-")
        return _absolute(reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token}))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        super().send_mail(template_prefix, email, context | {"origin": settings.METAMAPPER_ORIGIN})


def _absolute(path: str) -> str:
    return f"{settings.METAMAPPER_ORIGIN}{path}"
