"""Making accounts. The very first one founds the installation; there is only ever one of those."""

from django.contrib.auth.password_validation import validate_password
from django.db import IntegrityError, transaction

from metamapper.accounts.models import User


class AlreadyFounded(Exception):
    """Somebody made the first account before: later ones come by invitation."""

    def __init__(self) -> None:
        super().__init__("Somebody has set this installation up already. Sign in, or ask them to invite you.")


def create_founder(*, email: str, name: str, password: str) -> User:
    """The account of the first visit; of any number of first visits at once, one gets it.

    Raises ``AlreadyFounded``, and Django's ``ValidationError`` where the password is too weak.
    """
    if User.objects.exists():
        raise AlreadyFounded
    validate_password(password, User(email=email, name=name))
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name, is_founder=True)
    except IntegrityError as error:
        raise AlreadyFounded from error


def founded() -> bool:
    """Whether anybody has an account here yet."""
    return User.objects.exists()
