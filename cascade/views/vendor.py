"""The vendor's screens in the Wagtail admin: cascades, a release, how far it got, and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import django_filters
from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import FormView, TemplateView, View
from wagtail.admin import messages
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import Column, TitleColumn
from wagtail.admin.views.generic.base import BaseListingView, WagtailAdminTemplateMixin
from wagtail.admin.widgets.button import Button, HeaderButton

from accounts import policies
from accounts.policies import NotAllowed
from cascade import exports, ledger, releases
from cascade.audience import Audience
from cascade.columns import BarColumn, CountColumn, DayColumn, NudgeColumn, TagColumn
from cascade.enums import CascadeState, GoalScope, Tier
from cascade.forms.vendor import DatesForm, RecallForm, ReleaseForm, WidenForm
from cascade.hops import NotPossible
from cascade.models import Cascade, Edge, Hop
from cascade.progress import SORT_KEYS, Funnel, HopRow, Stage, Summary, funnel, hop_rows, reseller_edges, summaries

if TYPE_CHECKING:
    from accounts.models import User

TIMELINE_LENGTH = 30
_CASCADE_TONES = {CascadeState.OPEN: "good", CascadeState.RECALLED: "bad"}
_STAGE_TONES = {
    Stage.OVERDUE: "bad",
    Stage.RECALLED: "bad",
    Stage.DECLINED: "bad",
    Stage.DONE: "good",
    Stage.SENT: "good",
    Stage.SCHEDULED: "busy",
    Stage.SENDING: "busy",
    Stage.READY: "busy",
}


class VendorView(WagtailAdminTemplateMixin):
    """For the vendor's staff. Changing anything takes who manages the vendor, and is asked of the policy by each verb.

    What a verb refuses is said on the page it was pressed on.
    """

    request: HttpRequest
    kwargs: dict[str, Any]
    header_icon = "resubmit"
    page_title: str | Promise = gettext_lazy("Cascades")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let vendor staff in; turn refusals into words."""
        if not self.user.is_vendor:
            raise PermissionDenied
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotAllowed as error:
            messages.error(request, str(error))
        except (NotPossible, releases.NotReleasable) as error:
            messages.error(request, str(error))
        return redirect(self.way_back())

    @property
    def user(self) -> User:
        """Who looks."""
        return self.request.user  # type: ignore[return-value]

    @cached_property
    def cascade(self) -> Cascade:
        """The one in the address."""
        return get_object_or_404(Cascade.objects.visible_to(self.user), pk=self.kwargs["pk"])

    @cached_property
    def can_release(self) -> bool:
        """Whether this person may change cascades."""
        return policies.can(self.user, "release", Cascade())

    def way_back(self) -> str:
        """Where a refusal is shown."""
        return (
            reverse("cascades:detail", args=[self.kwargs["pk"]]) if "pk" in self.kwargs else reverse("cascades:index")
        )

    def get_breadcrumbs_items(self) -> list[dict[str, str]]:
        """Home, cascades, this cascade, this step."""
        items = [*self.breadcrumbs_items, {"url": reverse("cascades:index"), "label": _("Cascades")}]
        if "pk" in self.kwargs:
            items.append({"url": reverse("cascades:detail", args=[self.cascade.pk]), "label": self.cascade.name})
        if (title := str(self.get_page_title())) != items[-1]["label"]:
            items.append({"url": "", "label": title})
        return items

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What every screen shows."""
        return super().get_context_data(**kwargs) | {"can_release": self.can_release}


class ExportMixin:
    """``?export=csv`` or ``xlsx``: the list as it is filtered and sorted, all of it."""

    request: HttpRequest
    export_columns: ClassVar[Sequence[exports.Column]] = ()

    def export_name(self) -> str:
        """What the file is called."""
        raise NotImplementedError

    def export_rows(self) -> Any:
        """The rows of the list, not only of the page."""
        return self.get_queryset()  # type: ignore[attr-defined]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The file, or the screen."""
        if (wanted := request.GET.get("export")) in exports.FORMATS:
            return exports.export(wanted, self.export_name(), self.export_columns, self.export_rows())
        return super().get(request, *args, **kwargs)  # type: ignore[misc]

    def export_buttons(self) -> list[Button]:
        """Links that keep the filter and the order."""
        query = self.request.GET.copy()
        query.pop("p", None)
        buttons = []
        for number, file_format in enumerate(exports.FORMATS):
            query["export"] = file_format
            label = _("Download as %(format)s") % {"format": file_format.upper()}
            url = f"{self.request.path.removesuffix('results/')}?{query.urlencode()}"
            buttons.append(Button(label, url=url, icon_name="download", priority=90 + number))
        return buttons


# --- all cascades ------------------------------------------------------------------------------------------------
class CascadeFilters(WagtailFilterSet):
    """Which cascades are listed."""

    state = django_filters.MultipleChoiceFilter(
        label=gettext_lazy("State"), choices=CascadeState.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Cascade
        fields: ClassVar = ["state"]


def _summary(cascade: Cascade) -> Summary:
    return cascade.summary  # type: ignore[attr-defined]


def _cascade_url(cascade: Cascade) -> str:
    is_draft = cascade.state == CascadeState.DRAFT
    return reverse("cascades:review" if is_draft else "cascades:detail", args=[cascade.pk])


class CascadeList(ExportMixin, VendorView, BaseListingView):
    """Every cascade with how far it got."""

    results_template_name = "cascade/admin/index_results.html"
    template_name = "cascade/admin/index.html"
    index_url_name = "cascades:index"
    index_results_url_name = "cascades:index_results"
    paginate_by = 30
    is_searchable = True
    default_ordering = "-created_at"
    filterset_class = CascadeFilters
    verbose_name_plural = gettext_lazy("cascades")
    columns: ClassVar = [
        TitleColumn("name", label=gettext_lazy("Cascade"), get_url=_cascade_url, sort_key="name"),
        TagColumn(
            "get_state_display",
            label=gettext_lazy("State"),
            tone=lambda cascade: _CASCADE_TONES.get(cascade.state, "plain"),
            sort_key="state",
        ),
        BarColumn(
            "passed_on",
            label=gettext_lazy("Passed on"),
            part=lambda cascade: _summary(cascade).sent,
            whole=lambda cascade: _summary(cascade).offered,
        ),
        BarColumn(
            "done",
            label=gettext_lazy("Resellers done"),
            part=lambda cascade: _summary(cascade).resellers_done,
            whole=lambda cascade: _summary(cascade).resellers,
            tone="good",
        ),
        CountColumn("late", label=gettext_lazy("Overdue"), accessor=lambda cascade: _summary(cascade).late or ""),
        DayColumn("pass_on_by", label=gettext_lazy("Pass on by"), sort_key="pass_on_by"),
        DayColumn("due_at", label=gettext_lazy("Due"), sort_key="due_at"),
        DayColumn("created_at", label=gettext_lazy("Prepared"), sort_key="created_at"),
    ]
    export_columns = (
        exports.Column(gettext_lazy("Cascade"), lambda row: row.name),
        exports.Column(gettext_lazy("State"), lambda row: row.get_state_display()),
        exports.Column(gettext_lazy("Distributors"), lambda row: _summary(row).offered),
        exports.Column(gettext_lazy("Passed on"), lambda row: _summary(row).sent),
        exports.Column(gettext_lazy("Overdue"), lambda row: _summary(row).late),
        exports.Column(gettext_lazy("Resellers"), lambda row: _summary(row).resellers),
        exports.Column(gettext_lazy("Resellers done"), lambda row: _summary(row).resellers_done),
        exports.Column(gettext_lazy("Pass on by"), lambda row: row.pass_on_by),
        exports.Column(gettext_lazy("Due"), lambda row: row.due_at),
        exports.Column(gettext_lazy("Released"), lambda row: row.released_at),
    )

    def get_base_queryset(self) -> QuerySet[Cascade]:
        """What this person may see."""
        return Cascade.objects.visible_to(self.user)

    def search_queryset(self, queryset: QuerySet[Cascade]) -> QuerySet[Cascade]:
        """By name, reason or title of the item."""
        if not (words := self.search_query):
            return queryset
        found = Q(name__icontains=words) | Q(reason__icontains=words)
        return queryset.filter(found | Q(contents__page__title__icontains=words)).distinct()

    def get_table(self, object_list: Any) -> Any:
        """With the numbers of the rows on this page."""
        return super().get_table(_with_summaries(object_list))

    def export_name(self) -> str:
        """The list's own title."""
        return _("Cascades")

    def export_rows(self) -> list[Cascade]:
        """All of the list, with their numbers."""
        return _with_summaries(self.get_queryset())

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        """The first step."""
        if not self.can_release:
            return []
        return [HeaderButton(_("Release an item"), url=reverse("cascades:create"), icon_name="plus")]

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        """Downloads."""
        return self.export_buttons()


def _with_summaries(cascades: Any) -> list[Cascade]:
    cascades = list(cascades)
    numbers = summaries(cascades)
    for cascade in cascades:
        cascade.summary = numbers[cascade.pk]
    return cascades


# --- preparing a release -----------------------------------------------------------------------------------------
class Prepare(VendorView, FormView):
    """A new release: of the page in ``?page=``, or of one chosen here."""

    template_name = "cascade/admin/release_form.html"
    form_class = ReleaseForm
    page_title = gettext_lazy("Release an item")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Only who may release gets the form."""
        if not self.can_release:
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get_initial(self) -> dict[str, Any]:
        """The page asked for, and dates one and three weeks ahead."""
        page = self.request.GET.get("page", "")
        return {"page": int(page) if page.isdigit() else None, **ReleaseForm.suggested_dates()}

    def form_valid(self, form: ReleaseForm) -> HttpResponse:
        """Keep it as a draft and show what will happen."""
        cascade = releases.draft(form.cleaned_data["page"], by=self.user, audience=form.audience(), **form.settings())
        return redirect("cascades:review", cascade.pk)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the form's scripts."""
        context = super().get_context_data(**kwargs)
        return context | {"media": context["form"].media}


class Revise(Prepare):
    """A draft, changed."""

    page_title = gettext_lazy("Change")

    def get_form_kwargs(self) -> dict[str, Any]:
        """The draft as it is."""
        return super().get_form_kwargs() | {"instance": self.draft}

    @cached_property
    def draft(self) -> Cascade:
        """Drafts only; what was released has verbs of its own."""
        if self.cascade.state != CascadeState.DRAFT:
            raise NotPossible(_("It was released in the meantime."))
        return self.cascade

    def get_initial(self) -> dict[str, Any]:
        """The item and whom it is for; the rest comes from the draft."""
        audience = Audience.from_json(releases.vendor_hop(self.draft).audience)
        return {"page": releases.source_page(self.draft).pk, **ReleaseForm.initial_of(audience)}

    def form_valid(self, form: ReleaseForm) -> HttpResponse:
        """Keep the change and show what will happen."""
        releases.revise(
            self.draft, form.cleaned_data["page"], by=self.user, audience=form.audience(), **form.settings()
        )
        return redirect("cascades:review", self.cascade.pk)


class Review(VendorView, TemplateView):
    """What a release will do and what speaks against it; the button repeats the numbers."""

    template_name = "cascade/admin/review.html"
    page_title = gettext_lazy("Review")

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """A released cascade has its own page."""
        if self.cascade.state != CascadeState.DRAFT:
            return redirect("cascades:detail", self.cascade.pk)
        return super().get(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Release. Pressed twice it is one release."""
        was_draft = self.cascade.state == CascadeState.DRAFT
        released = releases.release(self.cascade, self.distributors, by=self.user)
        if was_draft:
            count = released.hops.of_distributors().count()
            messages.success(
                request,
                ngettext(
                    "Released to %(count)d distributor. Its people are being told.",
                    "Released to %(count)d distributors. Their people are being told.",
                    count,
                )
                % {"count": count},
            )
        return redirect("cascades:detail", released.pk)

    @cached_property
    def distributors(self) -> list[Any]:
        """Whom the draft names, as of now."""
        audience = Audience.from_json(releases.vendor_hop(self.cascade).audience)
        return list(releases.chosen_distributors(audience).order_by("name", "pk"))

    def way_back(self) -> str:
        """Here: the problems are listed."""
        return reverse("cascades:review", args=[self.kwargs["pk"]])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The draft, its problems, each with where it is mended."""
        page = releases.source_page(self.cascade)
        edit = reverse("cascades:edit", args=[self.cascade.pk])
        fixes = {"page": reverse("wagtailadmin_pages:edit", args=[page.pk])}
        problems = releases.check_draft(self.cascade, self.distributors)
        return super().get_context_data(**kwargs) | {
            "cascade": self.cascade,
            "page": page,
            "distributors": self.distributors,
            "problems": [(problem, fixes.get(problem.part, f"{edit}#{problem.part}")) for problem in problems],
            "is_blocked": any(problem.is_blocking for problem in problems),
            "edit_url": edit,
            "goal_sentence": goal_sentence(self.cascade),
        }


def goal_sentence(cascade: Cascade) -> str:
    """What counts as done, in words."""
    goal = cascade.get_goal_display().lower()
    match cascade.goal_scope:
        case GoalScope.EVERYONE:
            return _("A reseller is done when every contact has %(goal)s it.") % {"goal": goal}
        case GoalScope.FUNCTION:
            names = {"goal": goal, "function": cascade.get_goal_function_display().lower()}
            return _("A reseller is done when somebody in %(function)s has %(goal)s it.") % names
    return _("A reseller is done when anyone there has %(goal)s it.") % {"goal": goal}


# --- one cascade -------------------------------------------------------------------------------------------------
def _hop_url(row: HopRow) -> str:
    return reverse("cascades:resellers", args=[row.hop.cascade_id, row.pk])


class CascadeDetail(ExportMixin, VendorView, BaseListingView):
    """The live picture: funnel, every distributor, who is late, what happened."""

    template_name = "cascade/admin/detail.html"
    paginate_by = 50
    default_ordering = "stage"
    columns: ClassVar = [
        TitleColumn("name", label=gettext_lazy("Distributor"), get_url=_hop_url, sort_key="name"),
        TagColumn(
            "stage_label",
            label=gettext_lazy("State"),
            tone=lambda row: _STAGE_TONES.get(row.stage, "plain"),
            sort_key="stage",
        ),
        CountColumn("resellers", label=gettext_lazy("Resellers"), sort_key="resellers"),
        CountColumn("delivered", label=gettext_lazy("E-mails delivered"), sort_key="delivered"),
        BarColumn(
            "done",
            label=gettext_lazy("Resellers done"),
            part=lambda row: row.resellers_done,
            whole=lambda row: row.resellers,
            tone="good",
            sort_key="done",
        ),
        CountColumn("people_done", label=gettext_lazy("People done"), sort_key="people_done"),
        DayColumn(
            "first_sent_at",
            label=gettext_lazy("Passed on"),
            accessor=lambda row: row.hop.first_sent_at,
            sort_key="first_sent_at",
        ),
        NudgeColumn("nudge", label=""),
    ]
    export_columns = (
        exports.Column(gettext_lazy("Distributor"), lambda row: row.name),
        exports.Column(gettext_lazy("Country"), lambda row: row.country),
        exports.Column(gettext_lazy("State"), lambda row: row.stage_label),
        exports.Column(gettext_lazy("Overdue"), lambda row: _("yes") if row.is_late else ""),
        exports.Column(gettext_lazy("Offered"), lambda row: row.hop.offered_at),
        exports.Column(gettext_lazy("Decided"), lambda row: row.hop.decided_at),
        exports.Column(gettext_lazy("Reason declined"), lambda row: row.hop.decline_reason),
        exports.Column(gettext_lazy("Adapted"), lambda row: row.hop.adapted_at),
        exports.Column(gettext_lazy("Passed on"), lambda row: row.hop.first_sent_at),
        exports.Column(gettext_lazy("Resellers"), lambda row: row.resellers),
        exports.Column(gettext_lazy("E-mails sent"), lambda row: row.sent),
        exports.Column(gettext_lazy("E-mails delivered"), lambda row: row.delivered),
        exports.Column(gettext_lazy("E-mails failed or unconfirmed"), lambda row: row.failed),
        exports.Column(gettext_lazy("Resellers done"), lambda row: row.resellers_done),
        exports.Column(gettext_lazy("People done"), lambda row: row.people_done),
    )

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A draft has nothing to show yet."""
        if self.cascade.state == CascadeState.DRAFT:
            return redirect("cascades:review", self.cascade.pk)
        return super().get(request, *args, **kwargs)

    def get_page_title(self) -> str:
        """The cascade's name."""
        return self.cascade.name

    def get_index_url(self) -> str:
        """This page."""
        return reverse("cascades:detail", args=[self.cascade.pk])

    @cached_property
    def funnel(self) -> Funnel:
        """Everything known of the cascade."""
        return funnel(self.cascade)

    @cached_property
    def stage(self) -> str:
        """The filter that is on: a stage, or ``late``."""
        wanted = self.request.GET.get("stage", "")
        return wanted if wanted in {*Stage.values, "late"} else ""

    def get_queryset(self) -> list[HopRow]:
        """Filtered and sorted; a thousand rows are sorted here in milliseconds, from counters no SQL can sort by."""
        words = self.request.GET.get("q", "").casefold().strip()
        rows = [row for row in self.funnel.rows if words in row.name.casefold() and self._is_wanted(row)]
        key = self.ordering.removeprefix("-")
        return sorted(rows, key=SORT_KEYS[key], reverse=self.ordering.startswith("-"))

    def _is_wanted(self, row: HopRow) -> bool:
        return not self.stage or (row.is_late if self.stage == "late" else row.stage == self.stage)

    def export_name(self) -> str:
        """The cascade's name."""
        return self.cascade.name

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        """What may be done now, and downloads."""
        return [*_action_buttons(self.cascade, can_release=self.can_release), *self.export_buttons()]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Funnel, filter chips, facts, timeline."""
        late = len(self.funnel.late)
        counts = {stage: sum(row.stage == stage for row in self.funnel.rows) for stage in Stage}
        chips = [("", _("All"), len(self.funnel.rows)), ("late", _("Overdue"), late)]
        chips += [(stage.value, str(stage.label), n) for stage, n in counts.items() if n and stage != Stage.OVERDUE]
        return super().get_context_data(**kwargs) | {
            "cascade": self.cascade,
            "funnel": self.funnel,
            "chips": chips,
            "stage": self.stage,
            "q": self.request.GET.get("q", ""),
            "page": releases.source_page(self.cascade),
            "timeline": timeline(self.cascade),
            "goal_sentence": goal_sentence(self.cascade),
            "tone": _CASCADE_TONES.get(CascadeState(self.cascade.state), "plain"),
            "now": timezone.now(),
        }


class CascadeLive(VendorView, TemplateView):
    """The part of the cascade's page that is asked for again every few seconds."""

    template_name = "cascade/admin/funnel.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Only the funnel."""
        found = funnel(self.cascade)
        return {"funnel": found, "cascade": self.cascade, "can_release": self.can_release}


def timeline(cascade: Cascade) -> list[Any]:
    """Latest steps. Names of people only where they are the vendor's own."""
    events = list(ledger.steps(cascade).select_related("hop")[:TIMELINE_LENGTH])
    for event in events:
        if event.hop is not None and event.hop.tier != Tier.DISTRIBUTORS:
            event.actor = None
    return events


def _action_buttons(cascade: Cascade, *, can_release: bool) -> list[Button]:
    """Links to what may be done with ``cascade`` in its state."""
    if not can_release:
        return []
    actions = [("duplicate", _("Duplicate"), "copy")]
    if cascade.is_open:
        actions += [
            ("extend", _("Move due dates"), "calendar-alt"),
            ("widen", _("Add distributors"), "plus"),
            ("close", _("Close"), "lock"),
        ]
    if cascade.state in {CascadeState.OPEN, CascadeState.CLOSED}:
        actions.append(("recall", _("Recall"), "warning"))
    return [
        Button(label, url=reverse(f"cascades:{name}", args=[cascade.pk]), icon_name=icon, priority=number)
        for number, (name, label, icon) in enumerate(actions)
    ]


# --- one distributor ---------------------------------------------------------------------------------------------
def _edge_state(edge: Edge) -> str:
    if edge.is_done:  # type: ignore[attr-defined]
        return "done"
    return "overdue" if edge.cascade.due_at < timezone.now() else "open"


_EDGE_LABELS = {"done": gettext_lazy("Done"), "overdue": gettext_lazy("Overdue"), "open": gettext_lazy("Open")}
_EDGE_TONES = {"done": "good", "overdue": "bad", "open": "plain"}


class Resellers(ExportMixin, VendorView, BaseListingView):
    """Resellers a distributor gave the item to: organizations and counts, never people."""

    template_name = "cascade/admin/resellers.html"
    paginate_by = 50
    default_ordering = "organization__name"
    columns: ClassVar = [
        Column("organization.name", label=gettext_lazy("Reseller"), sort_key="organization__name"),
        Column("organization.country", label=gettext_lazy("Country"), sort_key="organization__country"),
        TagColumn(
            "state",
            label=gettext_lazy("State"),
            accessor=lambda edge: _EDGE_LABELS[_edge_state(edge)],
            tone=lambda edge: _EDGE_TONES[_edge_state(edge)],
            sort_key="is_done",
        ),
        CountColumn(
            "people_done",
            label=gettext_lazy("People done"),
            accessor=lambda edge: edge.people_done or 0,
            sort_key="people_done",
        ),
        DayColumn("created_at", label=gettext_lazy("Given"), sort_key="created_at"),
        DayColumn("done_at", label=gettext_lazy("Done"), sort_key="done_at"),
    ]
    export_columns = (
        exports.Column(gettext_lazy("Reseller"), lambda edge: edge.organization.name),
        exports.Column(gettext_lazy("Country"), lambda edge: edge.organization.country),
        exports.Column(gettext_lazy("State"), lambda edge: _EDGE_LABELS[_edge_state(edge)]),
        exports.Column(gettext_lazy("People done"), lambda edge: edge.people_done or 0),
        exports.Column(gettext_lazy("Given"), lambda edge: edge.created_at),
        exports.Column(gettext_lazy("Done"), lambda edge: edge.done_at),
    )

    @cached_property
    def hop(self) -> Hop:
        """The distributor's step of this cascade."""
        hops = self.cascade.hops.of_distributors().select_related("organization", "cascade")
        return get_object_or_404(hops, pk=self.kwargs["hop"])

    @cached_property
    def row(self) -> HopRow:
        """The distributor's line of the cascade's page."""
        return next(row for row in hop_rows(self.cascade) if row.pk == self.hop.pk)

    def get_page_title(self) -> str:
        """The distributor's name."""
        return self.hop.organization.name

    def get_index_url(self) -> str:
        """This page."""
        return self.request.path

    def get_base_queryset(self) -> QuerySet[Edge]:
        """Searched by name and filtered by state."""
        edges = reseller_edges(self.hop).select_related("organization", "cascade")
        if words := self.request.GET.get("q", "").strip():
            edges = edges.filter(organization__name__icontains=words)
        match self.request.GET.get("state"):
            case "done":
                return edges.filter(done_at__isnull=False)  # type: ignore[misc]  # an annotation
            case "open":
                return edges.filter(done_at=None)  # type: ignore[misc]  # an annotation
        return edges

    def export_name(self) -> str:
        """Cascade and distributor."""
        return f"{self.cascade.name} {self.hop.organization.name}"

    @cached_property
    def header_more_buttons(self) -> list[Button]:
        """Downloads."""
        return self.export_buttons()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With the distributor's numbers."""
        return super().get_context_data(**kwargs) | {
            "cascade": self.cascade,
            "row": self.row,
            "q": self.request.GET.get("q", ""),
            "state": self.request.GET.get("state", ""),
            "tone": _STAGE_TONES.get(self.row.stage, "plain"),
        }


# --- verbs -------------------------------------------------------------------------------------------------------
class Nudge(VendorView, View):
    """Remind one late distributor (``hop``), or all."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Mail, and say how many."""
        hops = releases.not_passed_on(self.cascade.hops.all())
        wanted = request.POST.get("hop", "")
        if wanted.isdigit():
            hops = hops.filter(pk=int(wanted))
        elif wanted == "late":
            hops = hops.filter(cascade__pass_on_by__lt=timezone.now())
        nudged = releases.nudge(hops, by=self.user)
        text = ngettext("Reminded %(count)d distributor.", "Reminded %(count)d distributors.", nudged)
        messages.success(request, text % {"count": nudged})
        return redirect(self.way_back())


class ActionView(VendorView, FormView):
    """A verb with a form, or with nothing but a question."""

    template_name = "cascade/admin/action.html"
    form_class: type[forms.Form] = forms.Form
    button = gettext_lazy("Save")
    question: str | Promise = ""
    is_serious = False
    done: str | Promise = ""

    def act(self, form: Any) -> str | None:
        """Call the verb; where to go then, when that is not the cascade's page."""
        raise NotImplementedError

    def form_valid(self, form: Any) -> HttpResponse:
        """Act, say so, go back."""
        target = self.act(form)
        if self.done:
            messages.success(self.request, self.done)
        return redirect(target or self.way_back())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Question, form, button."""
        context = super().get_context_data(**kwargs)
        return context | {"cascade": self.cascade, "media": context["form"].media, "way_back": self.way_back()}


class Extend(ActionView):
    """Move the due dates."""

    form_class = DatesForm
    page_title = gettext_lazy("Move due dates")
    button = gettext_lazy("Move due dates")
    done = gettext_lazy("The due dates were moved. Nobody is mailed about it.")

    def get_initial(self) -> dict[str, Any]:
        """As they are."""
        return {"pass_on_by": self.cascade.pass_on_by, "due_at": self.cascade.due_at}

    def act(self, form: DatesForm) -> None:
        """See ``releases.extend``."""
        releases.extend(self.cascade, by=self.user, **form.cleaned_data)


class Widen(ActionView):
    """Offer it to more distributors."""

    form_class = WidenForm
    page_title = gettext_lazy("Add distributors")
    button = gettext_lazy("Offer it to them")

    def get_form_kwargs(self) -> dict[str, Any]:
        """The form leaves out who has it."""
        return super().get_form_kwargs() | {"cascade": self.cascade}

    def act(self, form: WidenForm) -> None:
        """See ``releases.widen``."""
        added = releases.widen(self.cascade, form.chosen(), by=self.user)
        text = ngettext("Offered to %(count)d more distributor.", "Offered to %(count)d more distributors.", added)
        messages.success(self.request, text % {"count": added})


class Duplicate(ActionView):
    """A new draft like this one."""

    page_title = gettext_lazy("Duplicate")
    question = gettext_lazy("This makes a draft of the same item for the same distributors, with new due dates.")
    button = gettext_lazy("Make a draft")

    def act(self, form: forms.Form) -> str:
        """See ``releases.duplicate``."""
        return reverse("cascades:edit", args=[releases.duplicate(self.cascade, by=self.user).pk])


class Close(ActionView):
    """End it."""

    page_title = gettext_lazy("Close")
    question = gettext_lazy(
        "Nothing more will be sent and nothing more counts as done. What was passed on stays readable."
    )
    button = gettext_lazy("Close the cascade")
    done = gettext_lazy("The cascade is closed.")
    is_serious = True

    def act(self, form: forms.Form) -> None:
        """See ``releases.close``."""
        releases.close(self.cascade, by=self.user)


class Recall(ActionView):
    """Withdraw it."""

    form_class = RecallForm
    page_title = gettext_lazy("Recall")
    question = gettext_lazy(
        "Pages, files and the web view of e-mails are closed at once and show your reason instead. "
        "E-mails that have not left never will. What is already in inboxes stays there."
    )
    button = gettext_lazy("Recall the item")
    done = gettext_lazy("The item was recalled.")
    is_serious = True

    def act(self, form: RecallForm) -> None:
        """See ``releases.recall``."""
        releases.recall(self.cascade, form.cleaned_data["reason"], by=self.user)


class Discard(ActionView):
    """Throw a draft away."""

    page_title = gettext_lazy("Discard the draft")
    question = gettext_lazy("Nobody outside has seen it. The item itself stays.")
    button = gettext_lazy("Discard the draft")
    done = gettext_lazy("The draft was thrown away.")
    is_serious = True

    def act(self, form: forms.Form) -> str:
        """See ``releases.discard``."""
        releases.discard(self.cascade, by=self.user)
        return reverse("cascades:index")
