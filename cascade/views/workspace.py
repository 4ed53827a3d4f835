"""The workspace: where a distributor's people decide, and what every page of it shares."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.generic import View

from accounts.enums import OrganizationKind
from accounts.models import Organization, User
from accounts.policies import NotAllowed
from accounts.viewer import Viewer
from cascade import first_run, hops
from cascade.forms.workspace import DeclineForm, InboxForm
from cascade.hops import HopStatus, NotPossible
from cascade.inbox import TABS, hops_for, inbox, open_conflicts
from cascade.models import Hop


class WorkspaceRequest(HttpRequest):
    """What the middleware adds to a request here; for type checkers."""

    user: User
    viewer: Viewer


class WorkspaceView(LoginRequiredMixin, View):
    """A page for a distributor's people; for anybody else there is no such page."""

    request: WorkspaceRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse who is not acting for a distributor, and turn refusals of verbs into answers."""
        if not request.user.is_authenticated:
            return self.handle_no_permission()
        viewer: Viewer = request.viewer  # type: ignore[attr-defined]
        if viewer.kind != OrganizationKind.DISTRIBUTOR:
            raise Http404
        self.look_up()
        try:
            return super().dispatch(request, *args, **kwargs)
        except NotAllowed as refusal:
            raise PermissionDenied(str(refusal)) from refusal

    def look_up(self) -> None:
        """Raise Http404 for rows in the address that are not the distributor's, whatever is asked of them."""

    @property
    def organization(self) -> Organization:
        """The distributor acted for."""
        organization = self.request.viewer.organization
        assert organization is not None
        return organization

    @property
    def can_manage(self) -> bool:
        """Whether the person may decide and send; the verbs ask again."""
        return self.request.viewer.can_manage

    def page(self, template: str, code: int = 200, **context: Any) -> HttpResponse:
        """A page of the workspace."""
        context = {"organization": self.organization, "can_manage": self.can_manage, **context}
        return render(self.request, f"cascade/workspace/{template}", context, status=code)


class HopView(WorkspaceView):
    """A page about one hop of the distributor. Somebody else's hop does not exist."""

    tab = ""

    def look_up(self) -> None:
        """The hop first: no method answers for another's."""
        _found = self.hop

    @cached_property
    def hop(self) -> Hop:
        """The hop named in the address."""
        found = hops_for(self.request.user, self.organization).select_related(
            "cascade", "organization", "organization__brand"
        )
        return get_object_or_404(found, pk=self.kwargs["pk"])

    @cached_property
    def status(self) -> HopStatus:
        """Where the hop stands now."""
        conflicts = open_conflicts(self.organization, [self.hop])
        return hops.hop_status(self.hop, conflicts=conflicts.get(self.hop.pk, 0))

    @cached_property
    def closed_because(self) -> str:
        """Why nothing may be changed or sent, if so."""
        return hops.closed_because(self.hop)

    @property
    def may_prepare(self) -> bool:
        """Whether the person may adapt, choose and send now."""
        return self.can_manage and self.hop.state == "accepted" and not self.closed_because

    def page(self, template: str, code: int = 200, **context: Any) -> HttpResponse:
        """A page under the hop's head."""
        shared = {
            "hop": self.hop,
            "cascade": self.hop.cascade,
            "status": self.status,
            "closed_because": self.closed_because,
            "may_prepare": self.may_prepare,
            "hop_tab": self.tab,
        }
        return super().page(template, code, **{**shared, **context})


class InboxView(WorkspaceView):
    """What the vendor asks this distributor to pass on."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """One tab of the inbox."""
        form = InboxForm(request.GET)
        tab = request.GET.get("tab", "open")
        tab = tab if tab in TABS else "open"
        words = form.cleaned_data["q"] if form.is_valid() else ""
        found = inbox(self.request.user, self.organization, tab=tab, words=words, page=number(request.GET.get("page")))
        need = ngettext("%(n)d needs you", "%(n)d need you", found.need) % {"n": found.need}
        return self.page(
            "inbox.html",
            title=need if found.need else _("Nothing needs you"),
            inbox=found,
            tab=tab,
            words=words,
            standing=hops.standing(self.organization.pk),
            first_run=self.first_run(),
        )

    def first_run(self) -> list[first_run.Step]:
        """The steps of the first run while one is open; a distributor that has sent needs none."""
        if not self.can_manage:
            return []
        found = first_run.steps(self.organization)
        return [] if all(step.is_done for step in found) else found


class HopHomeView(HopView):
    """The address of a hop: leads to the step that is next."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Results once something was sent, else the adaptation."""
        return redirect("workspace_results" if self.status.has_sent else "workspace_adapt", pk=pk)


class AcceptView(HopView):
    """Pass it on."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Accept, and go on to adapting."""
        try:
            hops.accept(self.hop, by=self.request.user)
        except NotPossible as refusal:
            messages.error(request, str(refusal))
            return redirect("workspace_inbox")
        messages.success(request, _("Accepted. Make it yours, choose who gets it, and send."))
        return redirect("workspace_adapt", pk=pk)


class DeclineView(HopView):
    """Do not pass it on, and say why."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask for the reason."""
        return self.page("decline.html", title=_("Decline"), form=DeclineForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Decline with the reason."""
        form = DeclineForm(request.POST)
        if form.is_valid():
            try:
                hops.decline(self.hop, form.cleaned_data["reason"], by=self.request.user)
            except NotPossible as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, _("Declined. The vendor sees your reason."))
                return redirect("workspace_inbox")
        return self.page("decline.html", code=422, title=_("Decline"), form=form)


class WithdrawView(HopView):
    """Take the decision back."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Offer it to ourselves again."""
        try:
            hops.withdraw(self.hop, by=self.request.user)
        except NotPossible as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Decision taken back."))
        return redirect("workspace_adapt", pk=pk)


def number(text: str | None) -> int:
    """A page number from a query; 1 for anything else."""
    return int(text) if text and text.isdecimal() and len(text) < 7 else 1
