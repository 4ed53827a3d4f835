"""Imports of the distributor acted for: upload, map, look at the dry run, confirm."""

from __future__ import annotations

import json
from typing import Any

from babel import Locale
from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import content_disposition_header
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.generic import FormView, View

from accounts.enums import ConsentBasis, Function, ImportState, RowOutcome
from accounts.exports import XLSX
from accounts.forms.imports import FormatForm, MappingForm, RowFilterForm, UploadForm
from accounts.imports import steps
from accounts.imports.problems import NOTES, PROBLEMS, Finding
from accounts.imports.reading import DELIMITERS, ENCODINGS, Format, Unreadable
from accounts.imports.vocabulary import Field
from accounts.models import ImportRow, NetworkImport
from accounts.views.network import NetworkView

ROWS_PER_PAGE = 50
HTMX_STOP_POLLING = 286


class ImportView(NetworkView):
    """A page about imports; managers only, since rows hold people's addresses before anything is decided."""

    managers_only = True

    def imports(self) -> QuerySet[NetworkImport]:
        """The distributor's own."""
        own = NetworkImport.objects.visible_to(self.request.user).filter(owner=self.owner)
        return own.select_related("owner", "uploaded_by")

    @cached_property
    def network_import(self) -> NetworkImport:
        """The import of the address bar; 404 for anybody else's."""
        return get_object_or_404(self.imports(), pk=self.kwargs["pk"])  # type: ignore[attr-defined]

    def words(self, title: str, purpose: str = "", **more: Any) -> dict[str, Any]:
        """What every page about one import shows."""
        crumbs = [(_("Network"), reverse("network")), (_("Import"), reverse("network_imports"))]
        return {"import": self.network_import, "title": title, "purpose": purpose, "crumbs": crumbs, **more}

    def back(self) -> HttpResponse:
        """To the import."""
        return redirect("network_import", self.network_import.pk)


class Imports(ImportView, FormView):
    """Upload a file; earlier imports below."""

    form_class = UploadForm
    template_name = "accounts/network/imports.html"
    extra_context = {
        "title": gettext_lazy("Import"),
        "purpose": gettext_lazy("Resellers and their people from a CSV or XLSX file."),
    }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Earlier imports, newest first."""
        kept = self.imports().exclude(state=ImportState.DISCARDED)
        page = Paginator(kept, 20).get_page(self.request.GET.get("page"))
        crumbs = [(_("Network"), reverse("network"))]
        return super().get_context_data(page_obj=page, crumbs=crumbs, **kwargs)

    def form_valid(self, form: UploadForm) -> HttpResponse:
        """Keep it and go on to its columns; a file that cannot be read says why at the field."""
        file = form.cleaned_data["file"]
        try:
            uploaded = steps.upload(self.owner, file, file.name, by=self.request.user)  # type: ignore[arg-type]
        except Unreadable as error:
            form.add_error("file", str(error))
            return self.form_invalid(form)
        return redirect("network_import_columns", uploaded.pk)


class Import(ImportView, View):
    """One import: where it is, and its rows."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """By state: on to the columns, the progress, or the rows."""
        shown = self.network_import
        if shown.state == ImportState.UPLOADED:
            return redirect("network_import_columns", pk)
        if shown.is_working or shown.state in (ImportState.FAILED, ImportState.DISCARDED):
            context = self.words(shown.filename, parts=progress_parts(shown))
            return render(request, "accounts/network/import_progress.html", context)
        filters = RowFilterForm(request.GET)
        chosen = filters.cleaned_data if filters.is_valid() else {}
        page = Paginator(rows_of(shown, chosen), ROWS_PER_PAGE).get_page(request.GET.get("page"))
        context = self.words(
            shown.filename,
            filter_form=filters,
            page_obj=page,
            rows=described(page, shown),
            tiles=tiles(shown),
            reasons=reasons(shown.report.get("problems", {}), PROBLEMS),
            notes=reasons(shown.report.get("notes", {}), NOTES),
            code=chosen.get("code", ""),
            will_write=sum(shown.report.get(outcome, 0) for outcome in (RowOutcome.CREATED, RowOutcome.CHANGED)),
        )
        return render(request, "accounts/network/import_rows.html", context)


class ImportProgress(ImportView, View):
    """The progress bar alone, polled; ends the polling and loads the page when the worker is done."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A fragment."""
        shown = self.network_import
        context = {"import": shown, "parts": progress_parts(shown)}
        answer = render(request, "accounts/network/_progress.html", context)
        if not self.network_import.is_working:
            answer.status_code = HTMX_STOP_POLLING
            answer["HX-Refresh"] = "true"
        return answer


class ImportColumns(ImportView, FormView):
    """What the columns mean."""

    form_class = MappingForm
    template_name = "accounts/network/import_columns.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        """The import's headers and sample."""
        return {**super().get_form_kwargs(), "network_import": self.network_import}

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Only while there is something to decide."""
        if self.network_import.state not in (ImportState.UPLOADED, ImportState.CHECKED):
            return self.back()
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """How the file was read, to be corrected."""
        found = Format(**self.network_import.format)
        kwargs.setdefault("format_form", FormatForm(found=found, prefix="format"))
        kwargs |= self.words(_("What do the columns mean?"), self.network_import.filename)
        kwargs |= {
            "read_as": [
                ENCODINGS.get(found.encoding, found.encoding),
                DELIMITERS.get(found.delimiter, ""),
                found.sheet,
            ],
            "format": found,
        }
        return super().get_context_data(**kwargs)

    def form_valid(self, form: MappingForm) -> HttpResponse:
        """Remember the mapping and start the dry run."""
        chosen = {name: form.cleaned_data[name] for name in ("basis", "basis_source", "default_country")}
        try:
            steps.map_columns(self.network_import, form.meanings(), by=self.request.user, **chosen)  # type: ignore[arg-type]
        except steps.NotNow as error:
            messages.warning(self.request, str(error))
        return self.back()


class ImportFormat(ImportColumns):
    """Read the file differently."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Read it again, or say at the form why it cannot be read like that."""
        form = FormatForm(request.POST, found=Format(**self.network_import.format), prefix="format")
        if form.is_valid():
            try:
                steps.choose_format(self.network_import, **form.wanted(), by=request.user)  # type: ignore[arg-type]
                return redirect("network_import_columns", self.network_import.pk)
            except (Unreadable, steps.NotNow) as error:
                form.add_error(None, str(error))
        mapping = MappingForm(network_import=self.network_import)
        return self.render_to_response(self.get_context_data(form=mapping, format_form=form))


class ImportConfirm(ImportView, View):
    """Write what the dry run showed."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Queue it; of two people who press at once one import runs."""
        try:
            steps.confirm(self.network_import, by=request.user)  # type: ignore[arg-type]
        except steps.NotNow as error:
            messages.info(request, str(error))
        return self.back()


class ImportDiscard(ImportView, View):
    """Forget a file that was not imported."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Discard it."""
        try:
            steps.discard(self.network_import, by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("Discarded; nothing was imported."))
        except steps.NotNow as error:
            messages.warning(request, str(error))
            return self.back()
        return redirect("network_imports")


class ImportRefused(ImportView, View):
    """The refused rows with their reasons, as the same type of file."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A download."""
        content, name = steps.refused_file(self.network_import)
        kind = XLSX if name.endswith(".xlsx") else "text/csv; charset=utf-8"
        answer = HttpResponse(content, content_type=kind)
        answer["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
        return answer


def progress_parts(network_import: NetworkImport) -> list[tuple[str, str, int]]:
    """The pieces of the progress bar."""
    done = min(network_import.rows_done, network_import.rows_total)
    return [(_("done"), "info", done), (_("waiting"), "neutral", network_import.rows_total - done)]


# --- what a person reads -----------------------------------------------------------------------------------------
def rows_of(network_import: NetworkImport, chosen: dict[str, Any]) -> QuerySet[ImportRow]:
    """The rows that match the filters, in the order of the file."""
    rows = network_import.rows.order_by("number")
    if chosen.get("outcome"):
        rows = rows.filter(outcome=chosen["outcome"])
    if code := chosen.get("code"):
        quoted = f'"{code}"'
        rows = rows.filter(Q(problems__icontains=quoted) | Q(notes__icontains=quoted))
    for word in (chosen.get("q") or "").split():
        # SQLite keeps JSON as text with "ü" written as an escape, PostgreSQL as the letter itself.
        in_cells = Q(cells__icontains=word) | Q(cells__icontains=json.dumps(word)[1:-1])
        rows = rows.filter(in_cells | Q(email__icontains=word.lower()))
    return rows


def described(page: Page, network_import: NetworkImport) -> list[dict[str, Any]]:
    """Rows in words: who, what happens, and why."""
    headers = {field: header for header, field in network_import.columns.items()}
    places = {header: index for index, header in enumerate(network_import.format["headers"])}

    def cell(row: ImportRow, *fields: Field) -> str:
        found = (places.get(headers.get(field.value, "")) for field in fields)
        return " ".join(row.cells[i][:120] for i in found if i is not None and i < len(row.cells) and row.cells[i])

    return [
        {
            "row": row,
            "company": row.data.get("company") or cell(row, Field.COMPANY),
            "person": row.data.get("name") or cell(row, Field.NAME, Field.FIRST_NAME, Field.LAST_NAME),
            "email": row.email or cell(row, Field.EMAIL),
            "new": [str(_NEW[thing]) for thing in row.data.get("new", [])] if row.outcome == "created" else [],
            "changes": [change_in_words(*change) for change in row.changes],
            "problems": [Finding.from_json(problem).text for problem in row.problems],
            "notes": [Finding.from_json(note).text for note in row.notes],
        }
        for row in page.object_list
    ]


_NEW = {"reseller": gettext_lazy("New reseller"), "contact": gettext_lazy("New person")}


def change_in_words(name: str, old: str, new: str) -> dict[str, str]:
    """A change with the words of the screen for codes."""
    label = str(_("Basis") if name == "basis" else Field(name).label)
    if name == "function":
        old, new = (str(Function(value).label) if value else "" for value in (old, new))
    elif name == "basis":
        new = str(ConsentBasis(new).label)
    elif name == "language":
        old, new = language_name(old), language_name(new)
    return {"label": label, "old": old, "new": new}


def language_name(tag: str) -> str:
    """The name of a language in the active language; the tag when nobody knows it."""
    if not tag:
        return ""
    try:
        return Locale.parse(tag, sep="-").get_display_name(get_language() or "en") or tag
    except ValueError:
        return tag


def tiles(network_import: NetworkImport) -> list[dict[str, Any]]:
    """Counts by outcome, each leading to its rows."""
    report = network_import.report
    details = {
        RowOutcome.CREATED: _("%(resellers)s resellers, %(contacts)s people")
        % {
            "resellers": intcomma(report.get("new_resellers", 0)),
            "contacts": intcomma(report.get("new_contacts", 0)),
        }
        if report.get("created")
        else "",
    }
    return [
        {
            "value": outcome.value,
            "label": outcome.label,
            "count": report.get(outcome.value, 0),
            "detail": details.get(outcome, ""),
            "is_bad": outcome == RowOutcome.REFUSED and report.get("refused"),
        }
        for outcome in RowOutcome
    ]


_SHORT = {
    "truncated_quote": gettext_lazy("Cut off"),
    "broken_quote": gettext_lazy("Quotation marks"),
    "short_row": gettext_lazy("Too few cells"),
    "long_row": gettext_lazy("Too many cells"),
    "nul": gettext_lazy("Damaged (NUL)"),
    "mojibake": gettext_lazy("Unreadable characters"),
    "control": gettext_lazy("Control characters"),
    "formula": gettext_lazy("Formula"),
    "cell_error": gettext_lazy("Spreadsheet error"),
    "overlong": gettext_lazy("Too long"),
    "no_company": gettext_lazy("No company"),
    "no_country": gettext_lazy("No country"),
    "unknown_country": gettext_lazy("Unknown country"),
    "unknown_language": gettext_lazy("Unknown language"),
    "email_empty": gettext_lazy("No e-mail address"),
    "email_control": gettext_lazy("Line break in address"),
    "email_several": gettext_lazy("Several addresses"),
    "email_local_part": gettext_lazy("Letters an address cannot have"),
    "email_domain": gettext_lazy("Invalid domain"),
    "email_too_long": gettext_lazy("Address too long"),
    "email_invalid": gettext_lazy("Not an e-mail address"),
    "duplicate": gettext_lazy("Duplicate"),
    "duplicate_company": gettext_lazy("Duplicate"),
    "ambiguous_company": gettext_lazy("Several fit"),
    "differs": gettext_lazy("Differs from first row"),
    "unknown_function": gettext_lazy("Unknown function"),
    "starts_like_formula": gettext_lazy("Begins like a formula"),
    "markup": gettext_lazy("Looks like HTML"),
    "unsubscribed": gettext_lazy("Unsubscribed from you"),
    "suppressed": gettext_lazy("Suppressed for you"),
    "link_paused": gettext_lazy("Paused relation"),
    "link_ended": gettext_lazy("Ended relation"),
    "contact_inactive": gettext_lazy("Switched off"),
    "same_domain": gettext_lazy("Maybe known already"),
}


def reasons(counts: dict[str, int], known: dict[str, Any]) -> list[dict[str, Any]]:
    """Codes with their short words, the most frequent first."""
    pairs = sorted(counts.items(), key=lambda pair: -pair[1])
    return [{"code": code, "label": _SHORT[code], "count": count} for code, count in pairs if code in known]
