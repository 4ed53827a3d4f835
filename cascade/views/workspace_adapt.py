"""Adapting an item: zones beside a live preview, saved one by one, never over a colleague's work."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import Locale

from accounts.models import Contact, User
from cascade import hops
from cascade.differences import marked
from cascade.forms.zones import ZoneForm, editable_html
from cascade.models import CascadeContent
from cascade.previews import PreviewReader, preview_document
from cascade.views.workspace import HopView
from cms import adaptation
from cms.adaptation import Conflict, EditRefused, StaleEdit
from cms.effective import EffectivePage, EffectiveZone, effective
from cms.models import ZonedPage
from cms.text import plain_text
from cms.zones import is_empty

VIEWS = ("mail", "web", "text")
READERS_OFFERED = 40  # contacts in the preview's "as" list


@dataclass
class ZoneRow:
    """A zone as the editor lists it."""

    shown: EffectiveZone
    form: ZoneForm
    number: int
    is_editable: bool
    conflict: ConflictRow | None = None
    errors: list[str] | None = None
    stale: Stale | None = None

    @property
    def zone(self) -> Any:
        """The zone's own definition."""
        return self.shown.zone

    @property
    def is_missing(self) -> bool:
        """Whether it must be filled and is not."""
        return self.zone.presence == "required" and is_empty(self.zone.kind, self.shown.value)

    @property
    def html(self) -> str:
        """A rich text's content for reading."""
        return editable_html(self.shown.value) if self.zone.kind == "rich_text" else ""


@dataclass
class ConflictRow:
    """A conflict with its words compared."""

    conflict: Conflict

    @property
    def was(self) -> str:
        """The vendor's words when the distributor wrote its own; empty when they are gone."""
        return plain_text(self.conflict.zone.kind, self.conflict.was)

    @property
    def theirs(self) -> str:
        """The vendor's new words, changes marked."""
        return marked(self.was, plain_text(self.conflict.zone.kind, self.conflict.theirs))

    @property
    def mine(self) -> str:
        """The distributor's words."""
        return "" if self.conflict.is_dropped else plain_text(self.conflict.zone.kind, self.conflict.mine)


@dataclass
class Stale:
    """A colleague's save that came first."""

    message: str
    theirs: str
    version: int


class ContentView(HopView):
    """A page about the item's content in one language."""

    tab = "adapt"

    @cached_property
    def contents(self) -> list[CascadeContent]:
        """The item's languages."""
        return list(self.hop.cascade.contents.select_related("locale", "page").order_by("locale__language_code"))

    @cached_property
    def content(self) -> CascadeContent:
        """The language asked for, else the distributor's own, else the first."""
        wanted = self.request.GET.get("language") or self.request.POST.get("language") or self.organization.language
        by_code = {content.locale.language_code: content for content in self.contents}
        if not by_code:
            raise Http404
        return by_code.get(wanted) or by_code.get(wanted.split("-")[0]) or self.contents[0]

    @property
    def locale(self) -> Locale:
        """The language's locale."""
        return self.content.locale

    @cached_property
    def source(self) -> ZonedPage:
        """The vendor's live page in this language."""
        return self.content.page.specific

    def read(self) -> EffectivePage:
        """What this distributor's readers get now."""
        return effective(self.source, self.organization, self.locale)

    def url(self, name: str, **query: str) -> str:
        """An address of this hop in this language."""
        return reverse(name, args=[self.hop.pk]) + f"?language={self.locale.language_code}"

    def rows(self, data: Any = None) -> list[ZoneRow]:
        """The page's zones in reading order, with their forms."""
        conflicts = {
            found.zone.key: ConflictRow(found)
            for found in adaptation.conflicts(self.source, self.organization, self.locale)
        }
        return [
            ZoneRow(
                shown,
                ZoneForm(shown, self.organization, number, data),
                number,
                is_editable=self.may_prepare and shown.zone.is_adaptable,
                conflict=conflicts.get(shown.key),
            )
            for number, shown in enumerate(self.read().zones)
        ]

    def save(self, form: ZoneForm, by: User) -> Any:
        """Write what ``form`` holds, and note the first change of the hop."""
        edit = adaptation.save_edit(
            self.source,
            self.organization,
            self.locale,
            form.zone.key,
            None if form.dropped else form.raw,
            dropped=form.dropped,
            by=by,
            version=form.seen_version,
        )
        hops.note_adapted(self.hop, by=by)
        return edit

    def stale_row(self, refusal: StaleEdit, row: ZoneRow) -> Stale:
        """What a colleague wrote meanwhile, beside what was refused."""
        now = self.read().zone(row.zone.key)
        theirs = _("(left out)") if now.is_dropped else plain_text(now.zone.kind, now.value)
        return Stale(str(refusal), theirs, now.version)


class AdaptView(ContentView):
    """The editor. Without JavaScript it is one form with one button."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All zones and the preview."""
        return self.editor(self.rows())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Save every zone that differs from what was shown; a refused one says why and keeps what was typed."""
        if not self.may_prepare:
            role = "" if self.can_manage else _("Only owners and managers may change this.")
            messages.error(request, self.closed_because or role or _("Accept the item before you change it."))
            return redirect(self.url("workspace_adapt"))
        rows, saved = self.rows(request.POST), 0
        for row in rows:
            if not row.form.is_posted or not row.form.is_valid() or not self._differs(row):
                continue
            try:
                self.save(row.form, self.request.user)
                saved += 1
            except StaleEdit as refusal:
                row.stale = self.stale_row(refusal, row)
            except EditRefused as refusal:
                row.errors = [str(refusal)]
            except ValidationError as error:
                row.errors = error.messages
        if any(row.errors or row.stale for row in rows):
            return self.editor(rows, code=422)
        messages.success(request, _("Saved.") if saved else _("Nothing to save."))
        return redirect(self.url("workspace_adapt"))

    @staticmethod
    def _differs(row: ZoneRow) -> bool:
        """Locked zones are never in an honest form, so whatever comes for one goes to the verb, which refuses."""
        return row.form.is_changed or not row.zone.is_adaptable

    def editor(self, rows: list[ZoneRow], code: int = 200) -> HttpResponse:
        """The page."""
        view = self.request.GET.get("view", "mail")
        return self.page(
            "adapt.html",
            code=code,
            title=_("Adapt"),
            rows=rows,
            contents=self.contents,
            content=self.content,
            language=self.locale.language_code,
            todo=todo(rows),
            archived=adaptation.archived_edits(self.source, self.organization, self.locale),
            view=view if view in VIEWS else "mail",
            views=[("mail", _("Mail")), ("web", _("Web")), ("text", _("Text"))],
            readers=self.readers(),
        )

    def readers(self) -> list[Contact]:
        """People the preview may be shown as."""
        return list(
            Contact.objects.visible_to(self.request.user)
            .filter(owner=self.organization, is_active=True)
            .select_related("organization")[:READERS_OFFERED]
        )


class ZoneView(ContentView):
    """One zone, saved by itself while the person types."""

    def post(self, request: HttpRequest, pk: int) -> JsonResponse:
        """Save and answer with the zone's new state: 200 saved, 409 a colleague was first, 422 or 403 refused."""
        rows = self.rows(request.POST)
        row = next((row for row in rows if row.zone.key == request.POST.get("zone")), None)
        if row is None:
            return self.answer(None, 422, _("The vendor removed this part."))
        if not self.may_prepare:
            return self.answer(row, 403, self.closed_because or _("Only managers may change this."))
        if not row.form.is_valid():
            return self.answer(row, 422, " ".join(str(e) for errors in row.form.errors.values() for e in errors))
        try:
            self.save(row.form, self.request.user)
        except StaleEdit as refusal:
            row.stale = self.stale_row(refusal, row)
            return self.answer(row, 409, str(refusal))
        except EditRefused as refusal:
            return self.answer(row, 403, str(refusal))
        except ValidationError as error:
            return self.answer(row, 422, " ".join(error.messages))
        return self.answer(row, 200)

    def answer(self, row: ZoneRow | None, code: int, error: str = "") -> JsonResponse:
        """State of the zone and of the whole, as words and small pieces of HTML."""
        data: dict[str, Any] = {"error": error}
        if row is not None:
            fresh = self.rows()
            now = next(found for found in fresh if found.zone.key == row.zone.key)
            now.stale = row.stale
            shared = {"row": now, "hop": self.hop, "language": self.locale.language_code, "may_prepare": True}
            data |= {
                "version": row.shown.version if code != 200 else now.shown.version,
                "marks": render_to_string("cascade/workspace/_zone_marks.html", shared, self.request),
                "stale": render_to_string("cascade/workspace/_zone_stale.html", shared, self.request),
                "bar": render_to_string("cascade/workspace/_todo.html", {"todo": todo(fresh), "hop": self.hop}),
                "is_own": now.shown.is_own,
                "is_dropped": now.shown.is_dropped,
            }
        if code == 200:
            data["saved"] = _("Saved %(time)s") % {"time": timezone.localtime().strftime("%H:%M")}
        return JsonResponse(data, status=code)


class ResetView(ContentView):
    """Back to the vendor's text."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Drop the own version of one zone."""
        if self.may_prepare:
            try:
                adaptation.reset_edit(
                    self.source,
                    self.organization,
                    self.locale,
                    request.POST.get("zone", ""),
                    by=self.request.user,
                    version=_id(request.POST.get("version")),
                )
                messages.success(request, _("The vendor's text is back."))
            except EditRefused as refusal:
                messages.error(request, str(refusal))
        return redirect(self.url("workspace_adapt"))


class ResolveView(ContentView):
    """Decide a conflict."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take the vendor's new text or keep the own one."""
        take = request.POST.get("take")
        if self.may_prepare and take in ("vendor", "mine"):
            try:
                adaptation.resolve_conflict(
                    self.source,
                    self.organization,
                    self.locale,
                    request.POST.get("zone", ""),
                    take="vendor" if take == "vendor" else "mine",
                    by=self.request.user,
                    version=_id(request.POST.get("version")),
                )
            except EditRefused as refusal:
                messages.error(request, str(refusal))
            else:
                done = {"vendor": _("The vendor's new text is taken."), "mine": _("Your text stays.")}
                messages.success(request, done[take])
        return redirect(self.url("workspace_adapt"))


class PreviewView(ContentView):
    """The item as one reader gets it, in a frame of its own: no script runs in it."""

    def get(self, request: HttpRequest, pk: int, view: str) -> HttpResponse:
        """Mail, web page or text, as a contact of this distributor or as oneself."""
        if view not in VIEWS or self.status.value == "recalled":
            raise Http404
        reader = self.reader()
        html = preview_document(self.hop, self.read(), view, reader)
        response = HttpResponse(html)
        # Images and styles of our own, inline styles as mails need them, and nothing that runs or leaves the frame.
        response["Content-Security-Policy"] = (
            "default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; font-src 'self'; "
            "frame-ancestors 'self'; form-action 'none'; base-uri 'none'"
        )
        response["Cache-Control"] = "no-store"
        return response

    def reader(self) -> PreviewReader:
        """The contact asked for, if it is one of ours, else the person themselves."""
        number = _id(self.request.GET.get("as"))
        contact = (
            Contact.objects.visible_to(self.request.user)
            .filter(owner=self.organization, pk=number)
            .select_related("organization", "address")
            .first()
        )
        if contact is None:
            user = self.request.user
            return PreviewReader(user.get_full_name(), self.organization.name, user.email)
        return PreviewReader(contact.name, contact.organization.name, contact.address.email)


@dataclass(frozen=True)
class Todo:
    """What is left to do before an adaptation can be sent."""

    conflicts: int
    missing: int
    changed: int
    open: int

    @property
    def is_clear(self) -> bool:
        """Whether nothing stands in the way."""
        return not (self.conflicts or self.missing)


def todo(rows: list[ZoneRow]) -> Todo:
    """Count what is left in ``rows``."""
    return Todo(
        conflicts=sum(row.conflict is not None for row in rows),
        missing=sum(row.is_missing for row in rows),
        changed=sum(row.shown.is_own or row.shown.is_dropped for row in rows),
        open=sum(row.zone.is_adaptable for row in rows),
    )


def _id(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 12 else 0
