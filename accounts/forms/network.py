"""Forms of the network: filters, resellers, contacts, tags."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts import choices
from accounts.addresses import FREE_MAILERS, normalize_address
from accounts.enums import ConsentBasis, Function, LinkStatus
from accounts.imports.vocabulary import language_tag
from accounts.models import Contact, NetworkLink, NetworkTag

STATUSES = [choice for choice in LinkStatus.choices if choice[0] != LinkStatus.INVITED]


class NetworkFilterForm(forms.Form):
    """Search and filters of the network list; the choices are what the network has."""

    q = forms.CharField(label=_("Search name, city, number, person"), required=False, max_length=100)
    status = forms.ChoiceField(label=_("Status"), required=False)
    tag = forms.ChoiceField(label=_("Tag"), required=False)
    country = forms.ChoiceField(label=_("Country"), required=False)
    segment = forms.ChoiceField(label=_("Segment"), required=False)

    def __init__(self, *args: Any, tags: list[NetworkTag], countries: list[str], segments: list[str], **kwargs: Any):
        super().__init__(*args, **kwargs)
        names = dict(choices.countries())
        options: dict[str, tuple[Any, list[tuple[str, Any]]]] = {
            "status": (_("Not ended"), [*STATUSES, ("all", _("All, also ended"))]),
            "tag": (_("Every tag"), [(str(tag.pk), tag.name) for tag in tags]),
            "country": (_("Every country"), sorted(((c, names.get(c, c)) for c in countries), key=lambda p: p[1])),
            "segment": (_("Every segment"), [(segment, segment) for segment in segments]),
        }
        for name, (everything, values) in options.items():
            self.fields[name].choices = [("", everything), *values]  # type: ignore[attr-defined]
            if name != "status" and not values:
                del self.fields[name]


class TagsField(forms.CharField):
    """Tags, separated by commas."""

    def clean(self, value: Any) -> list[str]:
        """The names, without doubles."""
        names = [" ".join(name.split()) for name in re.split(r"[,;]", super().clean(value) or "")]
        if any(len(name) > 60 for name in names):
            raise forms.ValidationError(_("A tag has at most 60 characters."))
        return list({name.casefold(): name for name in names if name}.values())


class ResellerForm(forms.ModelForm):
    """What the distributor knows of a reseller."""

    tags = TagsField(label=_("Tags"), required=False, help_text=_("Separate with commas."))

    class Meta:
        model = NetworkLink
        fields = ["name_as_known", "city", "customer_number", "segment", "territory", "product_lines", "is_preferred"]
        labels = {"name_as_known": _("Name"), "is_preferred": _("Preferred partner")}
        help_texts = {
            "name_as_known": _("As you know it; only your organization sees this."),
            "product_lines": _("What you sell them."),
        }

    field_order = ["name_as_known", "country", "city", "website", "customer_number", "segment", "territory"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name_as_known"].required = True
        if self.instance.pk:
            self.fields["name_as_known"].initial = self.initial["name_as_known"] = self.instance.display_name
            self.fields["tags"].initial = ", ".join(tag.name for tag in self.instance.tags.all())

    def known(self) -> dict[str, Any]:
        """Fields of the link."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class NewResellerForm(ResellerForm):
    """A reseller to take into the network."""

    country = forms.ChoiceField(label=_("Country"))
    website = forms.CharField(
        label=_("Website or e-mail domain"),
        required=False,
        max_length=200,
        help_text=_("Such as meyer-it.de; tells two companies of one name apart."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [("", "—"), *choices.countries()]  # type: ignore[attr-defined]

    def clean_website(self) -> str:
        """The domain alone; empty for a free mailer, which stands for nobody."""
        given = self.cleaned_data["website"].strip().lower()
        if not given:
            return ""
        host = re.sub(r"^https?://", "", given).partition("/")[0].rpartition("@")[2].removeprefix("www.")
        domain = normalize_address(f"someone@{host}").partition("@")[2]
        return "" if domain in FREE_MAILERS else domain


class ContactForm(forms.ModelForm):
    """A person at a reseller."""

    language = forms.CharField(
        label=_("Language"), required=False, max_length=40, help_text=_("A name or code, such as German or pt-BR.")
    )

    class Meta:
        model = Contact
        fields = ["name", "function", "language"]

    def clean_language(self) -> str:
        """A BCP 47 tag."""
        given = self.cleaned_data["language"].strip()
        tag = language_tag(given) if given else ""
        if tag is None:
            raise forms.ValidationError(_("We do not know this language."))
        return tag


class NewContactForm(ContactForm):
    """A person, their address, and why they may be mailed."""

    email = forms.CharField(label=_("E-mail address"), max_length=254, widget=forms.EmailInput)
    basis = forms.ChoiceField(
        label=_("Why you may mail them"),
        choices=[c for c in ConsentBasis.choices if c[0] != ConsentBasis.MEMBERSHIP],
        widget=forms.RadioSelect,
    )
    source = forms.CharField(
        label=_("Where this is recorded"),
        max_length=180,
        required=False,
        help_text=_("Such as: partner contract of 4 May 2026, trade fair form, CRM."),
    )

    field_order = ["name", "email", "function", "language", "basis", "source"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["function"].initial = Function.OTHER

    def clean_email(self) -> str:
        """Normalized, or the reason why not."""
        return normalize_address(self.cleaned_data["email"])


class BasisForm(forms.Form):
    """Why a contact without a basis may be mailed."""

    basis = NewContactForm.base_fields["basis"]
    source = forms.CharField(
        label=_("Where this is recorded"), max_length=180, help_text=NewContactForm.base_fields["source"].help_text
    )


class NewConsentForm(forms.Form):
    """The person asked to get mail again."""

    evidence = forms.CharField(
        label=_("How do you know?"),
        max_length=180,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("When and how the person asked, such as: by phone on 12 November, to Anna Berg. It is kept."),
    )


class TagForm(forms.ModelForm):
    """A tag's name."""

    class Meta:
        model = NetworkTag
        fields = ["name"]


class BulkForm(forms.Form):
    """What to do with chosen resellers."""

    ACTIONS = [
        ("tag", _("Add tag")),
        ("untag", _("Remove tag")),
        ("active", _("Resume")),
        ("paused", _("Pause")),
        ("ended", _("End")),
    ]
    action = forms.ChoiceField(choices=ACTIONS)
    name = forms.CharField(max_length=60, required=False)
    everything = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        """A tag needs a name."""
        cleaned = super().clean() or self.cleaned_data
        cleaned["name"] = " ".join(cleaned.get("name", "").split())
        if cleaned.get("action") in ("tag", "untag") and not cleaned["name"]:
            self.add_error("name", _("Name the tag."))
        return cleaned
