"""What a distributor's people enter in the workspace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel import Locale as BabelLocale
from babel import UnknownLocaleError
from django import forms
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.enums import Function, LinkStatus, OrganizationKind
from accounts.models import Contact, NetworkLink, NetworkTag
from accounts.viewer import zone
from cascade.audience import Audience

if TYPE_CHECKING:
    from accounts.models import Organization


class InboxForm(forms.Form):
    """Search in the inbox."""

    q = forms.CharField(required=False, max_length=100, label=_("Search by title or reason"))


class DeclineForm(forms.Form):
    """Why an item is not passed on."""

    reason = forms.CharField(
        max_length=300,
        label=_("Why not?"),
        help_text=_("One line; the vendor reads it."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class AudienceForm(forms.Form):
    """Whom a cascade goes to, out of the distributor's own network."""

    who = forms.ChoiceField(
        label=_("Who gets it"),
        choices=[
            ("all", _("Everybody in your network")),
            ("some", _("Those who match")),
            ("picked", _("Resellers you pick")),
        ],
        widget=forms.RadioSelect,
    )
    tags = forms.MultipleChoiceField(required=False, label=_("Tags"), widget=forms.CheckboxSelectMultiple)
    countries = forms.MultipleChoiceField(required=False, label=_("Countries"), widget=forms.CheckboxSelectMultiple)
    languages = forms.MultipleChoiceField(required=False, label=_("Languages"), widget=forms.CheckboxSelectMultiple)
    functions = forms.MultipleChoiceField(
        required=False, label=_("Functions"), choices=Function.choices, widget=forms.CheckboxSelectMultiple
    )
    organizations = forms.MultipleChoiceField(required=False, label=_("Resellers"))
    q = forms.CharField(required=False, max_length=100, label=_("Search your resellers"))

    def __init__(self, organization: Organization, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        links = NetworkLink.objects.filter(
            upstream=organization, status=LinkStatus.ACTIVE, downstream__kind=OrganizationKind.RESELLER
        )
        tags = NetworkTag.objects.filter(owner=organization, links__in=links).distinct()
        countries = links.exclude(downstream__country="").values_list("downstream__country", flat=True).distinct()
        spoken = set(links.values_list("downstream__language", flat=True).distinct())
        spoken |= set(Contact.objects.filter(owner=organization).values_list("language", flat=True).distinct())
        self.links = links
        self._choices("tags", [(str(tag.pk), tag.name) for tag in tags])
        self._choices("countries", sorted(((code, country_name(code)) for code in countries), key=lambda pair: pair[1]))
        self._choices("languages", sorted(((c, language_name(c)) for c in spoken if c), key=lambda pair: pair[1]))
        # Any reseller of the network may be picked, shown or not; others are no choice.
        picked = self.picked_ids()
        known = links.filter(downstream__in=picked).values_list("downstream_id", flat=True)
        self._choices("organizations", [(str(pk), str(pk)) for pk in known])

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def picked_ids(self) -> list[int]:
        """Ids in the data or the initial audience, whatever they are worth."""
        if self.is_bound:
            raw = self.data.getlist("organizations") if hasattr(self.data, "getlist") else []
        else:
            raw = self.initial.get("organizations") or []
        return [int(value) for value in map(str, raw) if value.isdecimal() and len(value) < 19][:2000]

    @classmethod
    def initial_for(cls, audience: Audience) -> dict[str, Any]:
        """The form's values for a stored audience."""
        who = "all" if audience.is_everyone else "picked" if audience.organizations else "some"
        values = {key: [str(value) for value in values] for key, values in audience.to_json().items()}
        return {"who": who, **values}

    def audience(self) -> Audience:
        """What was chosen. Call after ``is_valid``. Parts of a way that is not chosen do not count."""
        data = self.cleaned_data
        people = {"languages": tuple(data["languages"]), "functions": tuple(data["functions"])}
        if data["who"] == "picked":
            return Audience(organizations=tuple(sorted(int(pk) for pk in data["organizations"])), **people)
        if data["who"] == "some":
            return Audience(tags=tuple(int(pk) for pk in data["tags"]), countries=tuple(data["countries"]), **people)
        return Audience()

    def clean(self) -> dict[str, Any]:
        """Picking means at least one."""
        data = super().clean() or {}
        if data.get("who") == "picked" and not data.get("organizations"):
            self.add_error("organizations", _("Pick at least one reseller."))
        return data


def country_name(code: str) -> str:
    """A country's name in the active language; the code itself where it is not known."""
    return _locale().territories.get(code.upper(), code)


def language_name(code: str) -> str:
    """A language's name in the active language."""
    name = _locale().languages.get(code.replace("-", "_")) or _locale().languages.get(code.split("-")[0])
    return name[:1].upper() + name[1:] if name else code


def _locale() -> BabelLocale:
    try:
        return BabelLocale.parse(get_language() or "en", sep="-")
    except (ValueError, UnknownLocaleError):
        return BabelLocale("en")


class WallClockField(forms.DateTimeField):
    """A day and time as it was typed, without a zone: whose clock it is, is for the form to say."""

    def to_python(self, value: Any) -> datetime | None:
        """The naive moment. Read in UTC, which skips no hour, whatever the reader's own zone does that night."""
        with timezone.override(UTC):
            moment = super().to_python(value)
        return moment.replace(tzinfo=None) if moment else None


class SendForm(forms.Form):
    """Send now or at a time in the distributor's own timezone. ``send_key`` makes a double submit one sending."""

    send_key = forms.UUIDField(widget=forms.HiddenInput)
    people = forms.IntegerField(widget=forms.HiddenInput, required=False)
    how = forms.ChoiceField(
        label=_("When"), choices=[("now", _("Now")), ("later", _("At a set time"))], widget=forms.RadioSelect
    )
    at = WallClockField(
        required=False,
        label=_("Day and time"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, timezone_name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone(timezone_name)
        self.fields["at"].help_text = zone_words(self.zone)

    def clean_at(self) -> datetime | None:
        """The moment in UTC; what was typed is a time on the distributor's clock."""
        typed: datetime | None = self.cleaned_data["at"]
        if typed is None:
            return None
        aware = typed.replace(tzinfo=self.zone)
        if aware.astimezone(UTC).astimezone(self.zone).replace(tzinfo=None) != typed:
            raise forms.ValidationError(_("This time does not exist: the clocks change that night."))
        if aware <= timezone.now():
            raise forms.ValidationError(_("This time has passed. Choose a later one."))
        if aware > timezone.now() + timedelta(days=365):
            raise forms.ValidationError(_("Choose a time within a year."))
        return aware.astimezone(UTC)

    def clean(self) -> dict[str, Any]:
        """A later sending needs its time."""
        data = super().clean() or {}
        if data.get("how") == "later" and not data.get("at") and "at" not in self.errors:
            self.add_error("at", _("Say when."))
        return data


class RescheduleForm(SendForm):
    """Another time for what is scheduled."""

    send_key = None  # type: ignore[assignment]
    people = None  # type: ignore[assignment]
    how = None  # type: ignore[assignment]

    def __init__(self, timezone_name: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(timezone_name, *args, **kwargs)
        self.fields["at"].required = True


def zone_words(place: ZoneInfo) -> str:
    """A timezone for people: its name and how far it is from UTC today."""
    offset = timezone.now().astimezone(place).strftime("%z")
    return _("Time in %(zone)s (UTC%(offset)s)") % {
        "zone": place.key.replace("_", " "),
        "offset": f"{offset[:3]}:{offset[3:]}",
    }


class PeopleFilterForm(forms.Form):
    """Search and state of the tables of results."""

    q = forms.CharField(required=False, max_length=100, label=_("Search"))
    state = forms.CharField(required=False, max_length=20)


class KeyForm(forms.Form):
    """Confirms a further sending; the key makes a double submit one sending."""

    send_key = forms.UUIDField(widget=forms.HiddenInput)
