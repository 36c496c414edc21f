"""The one gate. Every read of workspace data passes ``visible_to(user)`` on its queryset."""

from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from metamapper.accounts.models import User

M = TypeVar("M", bound=models.Model)


class VisibleQuerySet(models.QuerySet[M]):
    """A queryset whose model names, in ``visible_through``, its path to the workspace (blank for the workspace itself)."""

    def visible_to(self, user: "User | AnonymousUser") -> Self:
        """Only what this person may see; nothing for somebody who is not signed in."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        path: str = getattr(self.model, "visible_through")  # noqa: B009 - every model of the gate declares it
        prefix = f"{path}__" if path else ""
        condition: dict[str, Any] = {f"{prefix}memberships__user": user}
        return self.filter(**condition)
