"""Review and send: the preflight, a test to oneself, now or at a set time, and ten seconds to think again."""

from __future__ import annotations

import uuid
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import audit
from cascade import preflight, waves
from cascade.audience import Audience
from cascade.enums import CLAIMING_KINDS, WaveKind, WaveState
from cascade.first_run import TEST_SENT
from cascade.forms.workspace import RescheduleForm, SendForm, zone_words
from cascade.freeze import audience_counts
from cascade.hops import NotPossible
from cascade.models import Wave
from cascade.templatetags.workspace import moment
from cascade.views.workspace import HopView


class SendView(HopView):
    """What is sent, to whom, when, and whether anything stands in the way."""

    tab = "send"

    @property
    def audience(self) -> Audience:
        """As chosen."""
        return Audience.from_json(self.hop.audience)

    @cached_property
    def kind(self) -> WaveKind:
        """The first sending, or to those who came later."""
        return WaveKind.LATE_JOINERS if self.status.has_sent else WaveKind.INITIAL

    @cached_property
    def report(self) -> preflight.Report:
        """The checks, as of now."""
        return preflight.check(self.hop, self.audience, kind=self.kind)

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The review."""
        return self.review(SendForm(self.organization.timezone, initial=self.fresh()))

    def fresh(self) -> dict[str, Any]:
        """A new key, what the button promises, and tomorrow at nine as a first idea of later."""
        zone = SendForm(self.organization.timezone).zone
        tomorrow = (timezone.now().astimezone(zone) + timedelta(days=1)).replace(hour=9, minute=0)
        return {
            "send_key": uuid.uuid4(),
            "people": self.report.counts.people,
            "how": "now",
            "at": tomorrow.strftime("%Y-%m-%dT%H:%M"),
        }

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send or schedule. What was promised on the button must still be true."""
        form = SendForm(self.organization.timezone, request.POST)
        if not form.is_valid():
            return self.review(form, code=422)
        data = form.cleaned_data
        if earlier := self.hop.waves.filter(send_key=data["send_key"]).first():
            return self.follow(earlier)
        if self.report.red:
            messages.error(request, self.report.red[0].text)
            return self.review(form, code=422)
        if data["people"] is not None and data["people"] != self.report.counts.people:
            changed = _("The audience has changed to %(n)d people since you opened this page. Look again, then send.")
            messages.warning(request, changed % {"n": self.report.counts.people})
            return redirect("workspace_send", pk=pk)
        try:
            return self.follow(self.send(data))
        except NotPossible as refusal:
            messages.error(request, str(refusal))
            return redirect("workspace_send", pk=pk)

    def send(self, data: dict[str, Any]) -> Wave:
        """Call the verb."""
        by = self.request.user
        if data["how"] == "now":
            return waves.send_now(self.hop, self.audience, by, kind=self.kind, send_key=data["send_key"])
        wave = waves.prepare(self.hop, self.audience, by=by, kind=self.kind, send_key=data["send_key"])
        return waves.schedule(wave, data["at"], by)

    def follow(self, wave: Wave) -> HttpResponse:
        """Where the person goes after sending."""
        if wave.state == WaveState.SCHEDULED and wave.undo_until is None:
            words = _("Scheduled for %(when)s.") % {"when": moment(wave.scheduled_at, self.organization.timezone)}
            messages.success(self.request, words)
            return redirect("workspace_send", pk=self.hop.pk)
        return redirect("workspace_results", pk=self.hop.pk)

    def review(self, form: SendForm, code: int = 200) -> HttpResponse:
        """The page."""
        scheduled = self.hop.waves.filter(state=WaveState.SCHEDULED, undo_until=None, kind__in=CLAIMING_KINDS).first()
        counts = self.report.counts
        numbers = {"people": counts.people, "resellers": counts.resellers}
        words = ngettext("Send to %(people)d person", "Send to %(people)d people", counts.people) % numbers
        words += " " + ngettext("at %(resellers)d reseller", "at %(resellers)d resellers", counts.resellers) % numbers
        return self.page(
            "send.html",
            code=code,
            title=_("Review and send"),
            form=form,
            report=self.report,
            counts=counts,
            send_words=words,
            scheduled=scheduled,
            scheduled_counts=audience_counts(self.hop, Audience.from_json(scheduled.audience)) if scheduled else None,
            reschedule_form=self.reschedule_form(scheduled) if scheduled else None,
            zone_words=zone_words(form.zone),
            is_late=self.kind == WaveKind.LATE_JOINERS,
        )

    def reschedule_form(self, wave: Wave) -> RescheduleForm:
        """The time it has now, in the distributor's zone."""
        form = RescheduleForm(self.organization.timezone, prefix="move")
        assert wave.scheduled_at is not None
        form.initial["at"] = wave.scheduled_at.astimezone(form.zone).strftime("%Y-%m-%dT%H:%M")
        return form


class TestView(HopView):
    """A test to oneself."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Mail it as it is now to the person who asked."""
        if self.status.value == "recalled":
            messages.error(request, self.closed_because)
        else:
            waves.send_test(self.hop, self.request.user)
            audit.record(TEST_SENT, by=self.request.user, owner=self.organization, obj=self.hop)
            words = _("A test is on its way to %(email)s. It looks exactly like the real one.")
            messages.success(request, words % {"email": self.request.user.email})
        return redirect("workspace_send", pk=pk)


class WaveView(HopView):
    """Something done to one of the hop's waves."""

    tab = "results"

    def look_up(self) -> None:
        """The hop, and the wave in it."""
        super().look_up()
        _found = self.wave

    @cached_property
    def wave(self) -> Wave:
        """The wave named in the address; another hop's does not exist."""
        found = Wave.objects.visible_to(self.request.user).filter(hop=self.hop).select_related("hop__cascade")
        return get_object_or_404(found, pk=self.kwargs["wave"])

    def act(self, verb: Any, done: str, after: str = "workspace_results", **options: Any) -> HttpResponse:
        """Call ``verb`` and say what came of it."""
        try:
            verb(self.wave, self.request.user, **options)
        except NotPossible as refusal:
            messages.error(self.request, str(refusal))
        else:
            messages.success(self.request, done)
        return redirect(after, pk=self.hop.pk)


class UndoView(WaveView):
    """Within ten seconds of Send."""

    def post(self, request: HttpRequest, pk: int, wave: int) -> HttpResponse:
        """Nothing left; back to the review."""
        return self.act(waves.undo, _("Undone. Nothing was sent."), "workspace_send")


class PauseView(WaveView):
    """Stop for now."""

    def post(self, request: HttpRequest, pk: int, wave: int) -> HttpResponse:
        """Let nothing more leave."""
        return self.act(waves.pause, _("Paused. A few messages already under way may still arrive."))


class ResumeView(WaveView):
    """Go on."""

    def post(self, request: HttpRequest, pk: int, wave: int) -> HttpResponse:
        """Continue where it stopped; nobody gets it twice."""
        return self.act(waves.resume, _("Sending goes on where it stopped. Nobody gets it twice."))


class CancelView(WaveView):
    """End a sending for good, after asking."""

    def get(self, request: HttpRequest, pk: int, wave: int) -> HttpResponse:
        """Say what that means."""
        progress = waves.progress(self.wave) if self.wave.frozen_at else None
        return self.page("cancel.html", title=_("Cancel the sending"), wave=self.wave, progress=progress)

    def post(self, request: HttpRequest, pk: int, wave: int) -> HttpResponse:
        """Cancel."""
        was_scheduled = self.wave.state == WaveState.SCHEDULED
        after = "workspace_send" if was_scheduled else "workspace_results"
        return self.act(waves.cancel, _("Cancelled. Who has not been mailed will not be by this sending."), after)


class RescheduleView(WaveView):
    """Move a scheduled sending."""

    tab = "send"

    def get(self, request: HttpRequest, pk: int, wave: int) -> HttpResponse:
        """The form is on the review page."""
        return redirect("workspace_send", pk=pk)

    def post(self, request: HttpRequest, pk: int, wave: int) -> HttpResponse:
        """Another time."""
        form = RescheduleForm(self.organization.timezone, request.POST, prefix="move")
        if not form.is_valid():
            title = _("Change the time")
            return self.page("reschedule.html", code=422, title=title, form=form, wave=self.wave)
        when = moment(form.cleaned_data["at"], self.organization.timezone)
        try:
            waves.schedule(self.wave, form.cleaned_data["at"], self.request.user)
        except NotPossible as refusal:
            messages.error(request, str(refusal))
        else:
            messages.success(request, _("Now scheduled for %(when)s.") % {"when": when})
        return redirect("workspace_send", pk=pk)
