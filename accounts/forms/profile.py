"""Forms of one's own profile and data."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import choices, profiles
from accounts.addresses import normalize_address
from accounts.models import Address, User


class ProfileForm(forms.Form):
    """Name, language and timezone."""

    name = forms.CharField(label=_("Name"), max_length=200)
    language = forms.ChoiceField(
        label=_("Language"), required=False, help_text=_("For the portal and for every message you get through it.")
    )
    timezone = forms.ChoiceField(
        label=_("Timezone"), required=False, help_text=_("Times are shown in this zone. Empty: your organization's.")
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        present = {"name": user.name, "language": user.person.language, "timezone": user.person.timezone}
        kwargs["initial"] = {**present, **(kwargs.get("initial") or {})}
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", _("As my browser asks")), *choices.languages()]  # type: ignore[attr-defined]
        self.fields["timezone"].choices = [("", _("My organization's")), *choices.timezones()]  # type: ignore[attr-defined]
        self.fields["name"].widget.attrs["autocomplete"] = "name"

    def save(self) -> None:
        """Change the profile."""
        profiles.change(self.user, **self.cleaned_data)


class EraseForm(forms.Form):
    """The password once more, before everything goes."""

    password = forms.CharField(
        label=_("Your password"), widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}), strip=False
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        """Only the person at the keyboard who knows it."""
        if not self.user.check_password(self.cleaned_data["password"]):
            raise forms.ValidationError(_("This is not your password."))
        return self.cleaned_data["password"]


class DataRequestForm(forms.Form):
    """The address of somebody who asks what is held about them."""

    email = forms.CharField(label=_("E-mail address"), max_length=254)

    def clean_email(self) -> str:
        """An address that the installation knows."""
        email = normalize_address(self.cleaned_data["email"])
        if not Address.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Nothing is held about this address."))
        return email

    @property
    def address(self) -> Address:
        """The address row; valid forms only."""
        return Address.objects.select_related("person").get(email=self.cleaned_data["email"])
