"""The vendor's forms: prepare a release, move its dates, add distributors, recall it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, cast

from django import forms
from django.apps import apps
from django.db import models
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.widgets import AdminDateTimeInput, AdminPageChooser
from wagtail.models import Page

from accounts.enums import LinkStatus, OrganizationKind
from accounts.models import NetworkLink, NetworkTag, Organization
from cascade import releases
from cascade.audience import Audience
from cascade.enums import Goal, GoalScope
from cascade.interfaces import CascadablePage
from cascade.models import Cascade

PASS_ON_DAYS, DUE_DAYS = 7, 21  # suggested, from now


class Whom(models.TextChoices):
    """How distributors are chosen."""

    ALL = "all", gettext_lazy("All distributors")
    TAGS = "tags", gettext_lazy("Distributors with a tag")
    CHOSEN = "chosen", gettext_lazy("Chosen distributors")


def cascadable_models() -> list[type[Page]]:
    """Every kind of page that can be released."""
    return [model for model in apps.get_models() if issubclass(model, CascadablePage)]


@dataclass(frozen=True)
class DistributorOption:
    """One line of the checklist. ``words`` is what the search box looks through."""

    pk: int
    name: str
    country: str
    tags: tuple[str, ...]

    @property
    def words(self) -> str:
        """Lower case, for the browser's filter."""
        return " ".join([self.name, self.country, *self.tags]).casefold()


def distributor_options(*, leave_out: Collection[int] = ()) -> list[DistributorOption]:
    """Active distributors with the vendor's tags, by name. Two queries, whatever their number."""
    links = (
        NetworkLink.objects.filter(upstream__kind=OrganizationKind.VENDOR, status=LinkStatus.ACTIVE)
        .filter(downstream__kind=OrganizationKind.DISTRIBUTOR)
        .select_related("downstream")
        .prefetch_related("tags")
        .order_by("downstream__name", "pk")
    )
    return [
        DistributorOption(
            link.downstream_id,
            link.downstream.name,
            link.downstream.country,
            tuple(tag.name for tag in link.tags.all()),
        )
        for link in links
        if link.downstream_id not in leave_out
    ]


class Checklist(forms.CheckboxSelectMultiple):
    """A searchable list of distributors; without JavaScript an ordinary long one."""

    template_name = "cascade/admin/checklist.html"
    distributors: Sequence[DistributorOption] = ()

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The options, with those that are chosen."""
        chosen = {str(one) for one in value or ()}
        lines = [(option, str(option.pk) in chosen) for option in self.distributors]
        context = super().get_context(name, value, attrs)
        context["widget"] |= {"lines": lines, "chosen": sum(is_chosen for _option, is_chosen in lines)}
        return context

    def _render(self, template_name: str, context: dict[str, Any], renderer: Any = None) -> SafeString:
        """Through the project's templates, which Django's renderer of forms does not know."""
        return render_to_string(template_name, context)

    def optgroups(self, name: str, value: Any, attrs: dict[str, Any] | None = None) -> list[Any]:
        """Not used by the template; a thousand of them cost a second."""
        return []


class DistributorsField(forms.TypedMultipleChoiceField):
    """Ids of distributors, picked from a checklist."""

    widget = Checklist

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(coerce=int, **kwargs)

    def offer(self, options: Sequence[DistributorOption]) -> None:
        """What may be picked."""
        self.choices = [(option.pk, option.name) for option in options]
        self._ids = {str(option.pk) for option in options}
        self.widget.distributors = options

    def valid_value(self, value: Any) -> bool:
        """As Django's, without walking through a thousand choices for each of a thousand values."""
        return str(value) in self._ids


class DatesForm(forms.Form):
    """The two due dates, in the zone of the person who sets them."""

    pass_on_by = forms.DateTimeField(label=gettext_lazy("Distributors pass it on by"), widget=AdminDateTimeInput)
    due_at = forms.DateTimeField(label=gettext_lazy("Resellers are done by"), widget=AdminDateTimeInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = _("Time in %(zone)s.") % {"zone": timezone.get_current_timezone_name()}
        for name in ("pass_on_by", "due_at"):
            self.fields[name].help_text = zone


class ReleaseForm(DatesForm, forms.ModelForm):
    """Everything a release needs; saving it makes or changes a draft."""

    page = forms.ModelChoiceField(label=gettext_lazy("Item"), queryset=Page.objects.all())
    whom = forms.ChoiceField(
        label=gettext_lazy("Distributors"), choices=Whom.choices, initial=Whom.ALL, widget=forms.RadioSelect
    )
    tags = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Tags"),
        queryset=NetworkTag.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    distributors = DistributorsField(label=gettext_lazy("Choose"), required=False)

    class Meta:
        model = Cascade
        fields: ClassVar = [
            "name", "reason", "goal", "goal_scope", "goal_function", "pass_on_by", "due_at", "is_mandatory"
        ]  # fmt: skip
        widgets: ClassVar = {"goal_scope": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["page"].widget = AdminPageChooser(target_models=cascadable_models())
        self.fields["name"].required = False
        self.fields["name"].help_text = _("Shown in lists. Empty: the item's title.")
        goals = self._possible_goals()
        cast("forms.ChoiceField", self.fields["goal"]).choices = [(g.value, g.label) for g in Goal if g in goals]
        tags = NetworkTag.objects.filter(owner__kind=OrganizationKind.VENDOR)
        cast("forms.ModelMultipleChoiceField", self.fields["tags"]).queryset = tags
        cast("DistributorsField", self.fields["distributors"]).offer(distributor_options())

    @staticmethod
    def suggested_dates(now: datetime | None = None) -> dict[str, datetime]:
        """Ends of working days one and three weeks ahead."""
        start = timezone.localtime(now or timezone.now()).replace(hour=18, minute=0, second=0, microsecond=0)
        return {"pass_on_by": start + timedelta(days=PASS_ON_DAYS), "due_at": start + timedelta(days=DUE_DAYS)}

    @staticmethod
    def initial_of(audience: Audience) -> dict[str, Any]:
        """How a stored audience looks in this form."""
        whom = Whom.CHOSEN if audience.organizations else Whom.TAGS if audience.tags else Whom.ALL
        return {"whom": whom, "tags": list(audience.tags), "distributors": list(audience.organizations)}

    def clean(self) -> dict[str, Any]:
        """What one field says about another."""
        data = super().clean() or self.cleaned_data
        page = data.get("page")
        if page is not None:
            data["page"] = page = page.specific
            if not isinstance(page, CascadablePage):
                self.add_error("page", _("This kind of page cannot be released."))
            elif data.get("goal") and Goal(data["goal"]) not in page.goals():
                self.add_error("goal", _("“%(page)s” has no such goal.") % {"page": page.title})
        if data.get("goal_scope") != GoalScope.FUNCTION:
            data["goal_function"] = ""
        elif not data.get("goal_function"):
            self.add_error("goal_function", _("Choose the function."))
        if data.get("whom") == Whom.TAGS and not data.get("tags"):
            self.add_error("tags", _("Choose at least one tag."))
        if data.get("whom") == Whom.CHOSEN and not data.get("distributors"):
            self.add_error("distributors", _("Choose at least one distributor."))
        if data.get("pass_on_by") and data.get("due_at"):
            for problem in releases.check_dates(data["pass_on_by"], data["due_at"]):
                self.add_error("pass_on_by" if problem.code == "pass_on_past" else "due_at", problem.message)
        return data

    def _post_clean(self) -> None:
        """Not the model's: a draft is written by its verb, which has the same rules."""

    def audience(self) -> Audience:
        """Whom the form names."""
        match self.cleaned_data["whom"]:
            case Whom.TAGS:
                return Audience(tags=tuple(tag.pk for tag in self.cleaned_data["tags"]))
            case Whom.CHOSEN:
                return Audience(organizations=tuple(self.cleaned_data["distributors"]))
        return Audience()

    def settings(self) -> dict[str, Any]:
        """The fields of the cascade itself."""
        return {name: self.cleaned_data[name] for name in self.Meta.fields}

    def _possible_goals(self) -> set[Goal]:
        page = Page.objects.filter(pk=self.initial.get("page") or 0).first()
        specific = page.specific if page else None
        if isinstance(specific, CascadablePage):
            return set(specific.goals())
        return {goal for model in cascadable_models() for goal in model().goals()}


class WidenForm(forms.Form):
    """Distributors that do not have the item yet."""

    distributors = DistributorsField(label=gettext_lazy("Distributors"))

    def __init__(self, *args: Any, cascade: Cascade, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = set(cascade.hops.values_list("organization_id", flat=True))
        cast("DistributorsField", self.fields["distributors"]).offer(distributor_options(leave_out=known))

    def chosen(self) -> list[Organization]:
        """The picked organizations."""
        return list(releases.chosen_distributors(Audience(organizations=tuple(self.cleaned_data["distributors"]))))


class RecallForm(forms.Form):
    """Why an item is withdrawn."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Distributors and resellers read it in place of the item."),
    )
