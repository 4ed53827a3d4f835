"""Choosing whom an item goes to, with what that comes to in plain numbers, each with its list."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from accounts.models import NetworkLink
from cascade import hops
from cascade.audience import Audience, AudienceCounts
from cascade.enums import Exclusion
from cascade.exports import FORMATS, download
from cascade.forms.workspace import AudienceForm
from cascade.freeze import audience_counts, audience_rows
from cascade.views.workspace import HopView, number

RESELLERS_SHOWN = 50  # search results offered for picking
PEOPLE_PER_PAGE = 50

# After a number: "7 unsubscribed".
EXCLUSION_WORDS = {
    Exclusion.UNSUBSCRIBED: ngettext_lazy("%(n)s unsubscribed", "%(n)s unsubscribed", "n"),
    Exclusion.BOUNCED: ngettext_lazy("%(n)s bounced", "%(n)s bounced", "n"),
    Exclusion.COMPLAINED: ngettext_lazy("%(n)s marked a mail as spam", "%(n)s marked a mail as spam", "n"),
    Exclusion.NO_CONSENT: ngettext_lazy("%(n)s without consent", "%(n)s without consent", "n"),
    Exclusion.BY_HAND: ngettext_lazy("%(n)s blocked by hand", "%(n)s blocked by hand", "n"),
    Exclusion.INACTIVE: ngettext_lazy("%(n)s no longer there", "%(n)s no longer there", "n"),
}


class AudienceBase(HopView):
    """A page about the audience being prepared."""

    tab = "audience"

    @property
    def audience(self) -> Audience:
        """As stored on the hop."""
        return Audience.from_json(self.hop.audience)

    def excluded(self, counts: AudienceCounts) -> list[dict[str, Any]]:
        """Why people will not get it: words with the number, and the list behind it."""
        url = reverse("workspace_people", args=[self.hop.pk])
        return [
            {"words": EXCLUSION_WORDS[Exclusion(reason)] % {"n": people}, "url": f"{url}?reason={reason}"}
            for reason, people in counts.excluded.items()
            if people
        ]


class AudienceView(AudienceBase):
    """Filters left, the sentence right. Each change is saved at once; without JavaScript by the button."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form, filled with what was chosen before."""
        return self.shown(AudienceForm(self.organization, initial=AudienceForm.initial_for(self.audience)))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Keep the choice. An htmx request gets the new sentence, a search the form again, the button the next step."""
        form = AudienceForm(self.organization, request.POST)
        valid = form.is_valid()
        if valid and self.may_prepare:
            hops.choose_audience(self.hop, form.audience(), by=self.request.user)
        if request.headers.get("HX-Request"):
            return self.sentence(form, valid)
        if "search" in request.POST or not valid:
            return self.shown(form, code=200 if "search" in request.POST else 422)
        if not self.may_prepare:
            messages.error(request, self.closed_because or _("Only owners and managers may change this."))
            return redirect("workspace_audience", pk=pk)
        return redirect("workspace_send", pk=pk)

    def sentence(self, form: AudienceForm, valid: bool) -> HttpResponse:
        """Only the numbers, for htmx; an incomplete choice says what is missing."""
        context = self.numbers() if valid else {"problems": [e for errors in form.errors.values() for e in errors]}
        return render(self.request, "cascade/workspace/_audience_counts.html", {"hop": self.hop, **context})

    def numbers(self) -> dict[str, Any]:
        """What the stored audience comes to."""
        counts = audience_counts(self.hop, self.audience)
        return {"counts": counts, "excluded": self.excluded(counts), "status": self.status}

    def shown(self, form: AudienceForm, code: int = 200) -> HttpResponse:
        """The page."""
        picked = form.picked_ids()
        return self.page(
            "audience.html",
            code=code,
            title=_("Audience"),
            form=form,
            picked=form.links.filter(downstream__in=picked).select_related("downstream").order_by("downstream__name"),
            found=found_resellers(form, exclude=picked),
            searching="search" in self.request.POST,
            **self.numbers(),
        )


class ResellerSearchView(AudienceBase):
    """Resellers to pick from, as one types."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The list alone."""
        form = AudienceForm(self.organization, request.GET)
        found = found_resellers(form, exclude=form.picked_ids())
        return render(request, "cascade/workspace/_resellers_found.html", {"found": found})


class PeopleView(AudienceBase):
    """The people behind a number of the sentence."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """A page of them, or all as a file."""
        reason = request.GET.get("reason", "")
        if reason not in Exclusion.values:
            reason = ""
        rows = audience_rows(self.hop, self.audience, reason)
        if (form := request.GET.get("format")) in FORMATS:
            return self.file(form, rows)
        counts = audience_counts(self.hop, self.audience)
        return self.page(
            "people.html",
            title=_("Who will not get it") if reason else _("Who gets it"),
            people=Paginator(rows, PEOPLE_PER_PAGE).get_page(number(request.GET.get("page"))),
            reason=reason,
            counts=counts,
            reasons=self.excluded(counts),
            reason_words={key: str(Exclusion(key).label) for key in counts.excluded},
        )

    def file(self, form: str, rows: Any) -> HttpResponseBase:
        """The list as a download."""
        heads = [_("Company"), _("Name"), _("E-mail"), _("Language"), _("Why not")]
        lines = [[row.company, row.name, row.email, row.language, row.reason_label] for row in rows]
        return download(form, f"{self.hop.cascade.name} audience", heads, lines)


def found_resellers(form: AudienceForm, *, exclude: list[int]) -> list[NetworkLink]:
    """Up to 50 resellers of the network that match the search, without those already picked."""
    words = str(form["q"].value() or "").split()[:5]
    found = form.links.exclude(downstream__in=exclude).select_related("downstream")
    for word in words:
        found = found.filter(
            Q(downstream__name__icontains=word)
            | Q(name_as_known__icontains=word)
            | Q(customer_number__icontains=word)
            | Q(city__icontains=word)
        )
    return list(found.order_by("downstream__name")[:RESELLERS_SHOWN])
