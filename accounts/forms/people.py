"""Forms about an organization and its people."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.utils.translation import gettext_lazy as _

from accounts import choices
from accounts.addresses import normalize_address
from accounts.enums import Role
from accounts.models import Organization, User


class WebsiteField(forms.URLField):
    """A web address; people leave the scheme out."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"assume_scheme": "https", **kwargs})


class OrganizationForm(forms.ModelForm):
    """What an organization says about itself."""

    class Meta:
        model = Organization
        field_classes = {"website": WebsiteField}
        fields = ["name", "country", "language", "timezone", "website", "imprint", "privacy"]
        help_texts = {
            "language": _("Of people who have not chosen one."),
            "timezone": _("Scheduled sendings are planned and shown in this zone."),
            "imprint": _("Who is responsible: name, address, register, contact. Linked from every page and mail."),
            "privacy": _("How you treat personal data. Linked from every page and mail."),
        }
        widgets = {"imprint": forms.Textarea(attrs={"rows": 6}), "privacy": forms.Textarea(attrs={"rows": 8})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"] = forms.ChoiceField(
            label=_("Country"), choices=[("", _("Not given")), *choices.countries()], required=False
        )
        self.fields["language"] = forms.ChoiceField(label=_("Language"), choices=choices.languages())
        self.fields["timezone"] = forms.ChoiceField(
            label=_("Timezone"), choices=choices.timezones(), help_text=self.Meta.help_texts["timezone"]
        )
        if not (self.instance.is_vendor or self.instance.is_distributor):
            del self.fields["imprint"], self.fields["privacy"]


class InviteForm(forms.Form):
    """Whom to invite, as what."""

    email = forms.CharField(label=_("E-mail address"), max_length=254, widget=forms.EmailInput)
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    role = forms.ChoiceField(
        label=_("Role"),
        choices=Role.choices,
        initial=Role.MEMBER,
        help_text=_("Owners manage people, managers edit and send, members read and act."),
    )

    def clean_email(self) -> str:
        """In its normal form."""
        return normalize_address(self.cleaned_data["email"])


class RoleForm(forms.Form):
    """Another role for a member."""

    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)


class JoinForm(forms.Form):
    """Name and password of somebody who accepts an invitation for the first time."""

    name = forms.CharField(label=_("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label=_("Choose a password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=password_validators_help_text_html,
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        self.email = email
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        """The password must not resemble the person."""
        data = super().clean() or {}
        if password := data.get("password"):
            try:
                validate_password(password, User(email=self.email, name=data.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return data
