"""What became of it: honest progress while it leaves, then who got it, who did what, and who is still missing."""

from __future__ import annotations

import uuid
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from cascade import delivery as deliveries
from cascade import results, waves
from cascade.audience import Audience
from cascade.enums import DeliveryState, WaveKind, WaveState
from cascade.exports import FORMATS, download
from cascade.forms.workspace import KeyForm, PeopleFilterForm
from cascade.freeze import audience_counts
from cascade.hops import NotPossible
from cascade.models import Wave
from cascade.views.workspace import HopView, number

STOP_POLLING = 286  # htmx: the last answer
PER_PAGE = 50
STAGES = {
    "done": gettext_lazy("Done"),
    "clicked": gettext_lazy("Clicked"),
    "delivered": gettext_lazy("Delivered"),
    "sent": gettext_lazy("Sent"),
    "queued": gettext_lazy("Waiting"),
    "retrying": gettext_lazy("Retrying"),
    "bounced": gettext_lazy("Bounced"),
    "complained": gettext_lazy("Complained"),
    "failed": gettext_lazy("Failed"),
    "unconfirmed": gettext_lazy("Unconfirmed"),
    "suppressed": gettext_lazy("Not mailed"),
    "cancelled": gettext_lazy("Cancelled"),
}
RESELLER_STAGES = ("done", "clicked", "sent", "queued", "suppressed")


class ResultsBase(HopView):
    """A page about what was sent."""

    tab = "results"

    @cached_property
    def waves(self) -> list[Wave]:
        """Sendings of the hop, the newest first; drafts were never sent."""
        return list(self.hop.waves.exclude(state=WaveState.DRAFT).select_related("created_by"))

    def live(self) -> dict[str, Any]:
        """Each wave that still moves or is stopped, with its numbers."""
        rows = []
        for wave in self.waves:
            is_scheduled = wave.state == WaveState.SCHEDULED and wave.undo_until is None
            if (wave.state in {WaveState.DONE, WaveState.CANCELLED} and not wave.stop_requested) or is_scheduled:
                continue
            wave.hop = self.hop
            progress = waves.progress(wave)
            rows.append(
                {
                    "wave": wave,
                    "progress": progress,
                    "bar": results.bar(progress),
                    "is_moving": results.is_moving(wave, progress),
                }
            )
        return {"live": rows, "is_moving": any(row["is_moving"] for row in rows)}


class ResultsView(ResultsBase):
    """The overview."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Progress, funnel, who is missing, what was sent."""
        if not self.waves:
            return redirect("workspace_send", pk=pk)
        live = self.live()
        counts = results.funnel(self.hop)
        may_send = self.may_prepare and not live["live"]
        return self.page(
            "results.html",
            title=_("Results"),
            funnel=counts,
            waves=self.waves,
            missing=results.resellers(self.hop).filter(done_at=None).order_by("shown_name")[:8],
            remind=audience_counts(self.hop, Audience(), kind=WaveKind.REMINDER).people if may_send else 0,
            newcomers=newcomers(self) if may_send else 0,
            **live,
        )


class LiveView(ResultsBase):
    """The moving part, asked for every two seconds; the last answer says so and lets the page catch up."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Progress alone."""
        live = self.live()
        context = {"hop": self.hop, "may_prepare": self.may_prepare, "organization": self.organization, **live}
        response = render(request, "cascade/workspace/_live.html", context)
        if not live["is_moving"]:
            response.status_code = STOP_POLLING
            response["HX-Refresh"] = "true"
        return response


def newcomers(view: HopView) -> int:
    """People the audience names now who got nothing yet."""
    return audience_counts(view.hop, Audience.from_json(view.hop.audience), kind=WaveKind.LATE_JOINERS).people


class ResellersView(ResultsBase):
    """Every reseller that was given the item."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Search, filter, sort, paginate, download."""
        form = PeopleFilterForm(request.GET)
        form.is_valid()
        rows = results.resellers(self.hop)
        counts = _counts(rows, RESELLER_STAGES)
        for word in form.cleaned_data.get("q", "").split()[:5]:
            rows = rows.filter(shown_name__icontains=word)
        if (stage := form.cleaned_data.get("state")) in RESELLER_STAGES:
            rows = rows.filter(stage=stage)
        elif stage == "open":
            rows = rows.filter(done_at=None)
        rows = rows.order_by(_order(results.RESELLER_SORTS, request.GET.get("sort"), "shown_name"), "pk")
        if request.GET.get("format") in FORMATS:
            return self.file(request.GET["format"], rows)
        return self.page(
            "resellers.html",
            title=_("Resellers"),
            rows=Paginator(rows, PER_PAGE).get_page(number(request.GET.get("page"))),
            chips=_chips(request, counts, RESELLER_STAGES),
            words=form.cleaned_data.get("q", ""),
            stage=stage,
        )

    def file(self, form: str, rows: QuerySet) -> HttpResponseBase:
        """What the screen shows, as a file."""
        heads = [_("Reseller"), _("State"), _("People"), _("People done"), _("Done at")]
        lines = [[r.shown_name, str(STAGES[r.stage]), r.people, r.people_done, r.done_at] for r in rows]
        return download(form, f"{self.hop.cascade.name} resellers", heads, lines)


class PersonsView(ResultsBase):
    """Every person the audience named."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Search, filter, sort, paginate, download."""
        form = PeopleFilterForm(request.GET)
        form.is_valid()
        rows = results.people(self.hop)
        counts = _counts(rows, tuple(STAGES))
        for word in form.cleaned_data.get("q", "").split()[:5]:
            rows = rows.filter(Q(name__icontains=word) | Q(company__icontains=word) | Q(email__icontains=word))
        if (stage := form.cleaned_data.get("state")) in STAGES:
            rows = rows.filter(stage=stage)
        rows = rows.order_by(_order(results.PEOPLE_SORTS, request.GET.get("sort"), "company"), "pk")
        if request.GET.get("format") in FORMATS:
            return self.file(request.GET["format"], rows)
        return self.page(
            "persons.html",
            title=_("People"),
            rows=Paginator(rows, PER_PAGE).get_page(number(request.GET.get("page"))),
            chips=_chips(request, counts, tuple(STAGES)),
            words=form.cleaned_data.get("q", ""),
            stage=stage,
            unconfirmed=counts.get("unconfirmed", 0),
        )

    def file(self, form: str, rows: QuerySet) -> HttpResponseBase:
        """What the screen shows, as a file."""
        heads = [_("Name"), _("Company"), _("E-mail"), _("State"), _("Why not"), _("Sent at"), _("Done at")]
        lines = [
            [
                row.name,
                row.company,
                row.email,
                str(STAGES.get(row.stage, row.stage)),
                row.get_reason_display() if row.stage == "suppressed" else "",
                row.apparent_sent_at,
                row.done_at,
            ]
            for row in rows
        ]
        return download(form, f"{self.hop.cascade.name} people", heads, lines)


class PersonView(ResultsBase):
    """One person's history with this item."""

    def get(self, request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
        """The timeline, newest last."""
        row = get_object_or_404(results.people(self.hop), pk=delivery)
        return self.page("person.html", title=row.name or row.email, row=row, moments=results.timeline(self.hop, row))


class UnconfirmedView(ResultsBase):
    """Messages of which nobody knows whether they left: what that means, and what a person may decide."""

    verbs = {"arrived": deliveries.confirm, "failed": deliveries.give_up, "again": deliveries.send_again}

    @property
    def rows(self) -> QuerySet:
        """The hop's own unconfirmed messages of any wave."""
        return results.with_outcome(
            deliveries.Delivery.objects.filter(wave__hop=self.hop, state=DeliveryState.UNCONFIRMED)
        ).order_by("company", "pk")

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Explain and list."""
        page = Paginator(self.rows, PER_PAGE).get_page(number(request.GET.get("page")))
        return self.page("unconfirmed.html", title=_("Unconfirmed messages"), rows=page)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Settle one or all in the way the person chose."""
        verb = self.verbs.get(request.POST.get("decision", ""))
        if verb is None:
            return redirect("workspace_unconfirmed", pk=pk)
        rows = deliveries.Delivery.objects.filter(wave__hop=self.hop, state=DeliveryState.UNCONFIRMED)
        if one := number(request.POST.get("delivery")) if request.POST.get("delivery") else None:
            rows = rows.filter(pk=one)
        settled = verb(rows, by=self.request.user)
        words = ngettext("%(n)d message decided.", "%(n)d messages decided.", settled) % {"n": settled}
        messages.success(request, words)
        return redirect("workspace_results", pk=pk)


class ConfirmedWaveView(ResultsBase):
    """A further sending that a person confirms after seeing the numbers."""

    kind: WaveKind
    template = "further.html"

    @property
    def audience(self) -> Audience:
        """Whom it is for."""
        return Audience() if self.kind == WaveKind.REMINDER else Audience.from_json(self.hop.audience)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say to how many, and what they get."""
        counts = audience_counts(self.hop, self.audience, kind=self.kind)
        return self.page(
            self.template,
            title=str(self.kind.label),
            kind=self.kind.value,
            counts=counts,
            send_key=uuid.uuid4(),
        )

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send, with ten seconds to undo."""
        form = KeyForm(request.POST)
        if not form.is_valid():
            return redirect(request.path)
        key = form.cleaned_data["send_key"]
        try:
            waves.send_now(self.hop, self.audience, self.request.user, kind=self.kind, send_key=key)
        except NotPossible as refusal:
            messages.error(request, str(refusal))
        return redirect("workspace_results", pk=pk)


class RemindView(ConfirmedWaveView):
    """A reminder to those who are not done."""

    kind = WaveKind.REMINDER


class NewcomersView(ConfirmedWaveView):
    """The item for those who joined since it was sent."""

    kind = WaveKind.LATE_JOINERS


def _order(sorts: dict[str, str], asked: str | None, default: str) -> Any:
    """The ordering asked for; rows without a date come last in either direction."""
    name = sorts.get(asked or "", default)
    field = F(name.removeprefix("-"))
    return field.desc(nulls_last=True) if name.startswith("-") else field.asc(nulls_last=True)


def _counts(rows: QuerySet, stages: tuple[str, ...]) -> dict[str, int]:
    """Rows per stage, before search and filter."""
    return rows.aggregate(**{stage: Count("pk", filter=Q(stage=stage)) for stage in stages})


def _chips(request: HttpRequest, counts: dict[str, int], stages: tuple[str, ...]) -> list[dict[str, Any]]:
    """Filter chips: a stage, its number, its address; only those that occur."""
    query = request.GET.copy()
    query.pop("page", None)
    query.pop("format", None)
    chosen = query.pop("state", [""])[-1]
    rest = query.urlencode()
    tail = f"&{rest}" if rest else ""
    every = {"label": _("All"), "count": sum(counts.values()), "url": f"?{rest}", "is_current": not chosen}
    return [every] + [
        {"label": STAGES[s], "count": counts[s], "url": f"?state={s}{tail}", "is_current": s == chosen}
        for s in stages
        if counts.get(s)
    ]
