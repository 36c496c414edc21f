"""What the first visit asks."""

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from metamapper.accounts.models import User
from metamapper.workspaces.services import ADDRESS_LENGTH


class AccountForm(forms.Form):
    name = forms.CharField(max_length=80)
    email = forms.EmailField()
    password = forms.CharField(strip=False, max_length=1024)

    def clean_password(self) -> str:
        """Checked here so that every weakness is named at once, next to the field."""
        password: str = self.cleaned_data["password"]
        person = User(email=self.cleaned_data.get("email", ""), name=self.cleaned_data.get("name", ""))
        validate_password(password, person)
        return password


class WorkspaceForm(forms.Form):
    name = forms.CharField(max_length=60)
    address = forms.SlugField(
        max_length=ADDRESS_LENGTH, error_messages={"invalid": "Letters, digits and dashes only, as in a web address."}
    )

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        if not address.strip("-_"):
            raise ValidationError("An address needs a letter or a digit.")
        return address.lower()
