"""The verbs of an import: upload, choose the format, map the columns, confirm, discard; and the worker's."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import PurePath
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import audit
from accounts.enums import OPEN_IMPORT_STATES, WORKING_IMPORT_STATES, ImportState, OrganizationKind, RowOutcome
from accounts.exports import csv_lines, xlsx_bytes
from accounts.imports import checking, leases, mapping, writing
from accounts.imports.problems import Finding
from accounts.imports.reading import Format, Unreadable, count_rows, detect, reread
from accounts.imports.vocabulary import Field
from accounts.models import ImportRow, NetworkImport, Organization, Person, User
from accounts.policies import NotAllowed, require

log = logging.getLogger(__name__)
RETENTION = timedelta(days=settings.IMPORT_RETENTION_DAYS)


class NotNow(Exception):
    """The import is not in a state for this; the text says what it is doing."""


def upload(owner: Organization, file: IO[bytes], filename: str, *, by: User | None) -> NetworkImport:
    """Keep the file and detect how to read it; columns are mapped as last time, or guessed from the headers.

    ``by`` is None for the operator's command. Raises NotAllowed; Unreadable, with nothing kept.
    """
    _require(by, owner)
    filename = PurePath(filename.replace("\\", "/")).name[-200:] or "network.csv"
    found = detect(file, filename)
    rows_total = count_rows(file, found)
    file.seek(0)
    uploaded = NetworkImport(
        owner=owner,
        uploaded_by=by,
        filename=filename,
        format=found.as_json(),
        columns=mapping.recall(owner, found.headers) or mapping.guess(found.headers),
        default_country=owner.country,
        rows_total=rows_total,
    )
    uploaded.file.save(f"network.{found.kind}", File(file), save=False)  # the person's file name stays a label
    uploaded.save()
    audit.record("import.uploaded", by=by, owner=owner, obj=uploaded)
    return uploaded


def choose_format(
    uploaded: NetworkImport, *, encoding: str, delimiter: str, sheet: str, header_row: int, by: User | None
) -> None:
    """Read the file differently from now on; columns are guessed anew. Raises NotAllowed, NotNow, Unreadable."""
    _require(by, uploaded.owner)
    _require_state(uploaded, ImportState.UPLOADED, ImportState.CHECKED)
    wanted = Format(**uploaded.format)
    if wanted.kind == "csv":
        wanted.encoding, wanted.delimiter = encoding or wanted.encoding, delimiter or wanted.delimiter
    else:
        wanted.sheet = sheet or wanted.sheet
    wanted.header_row = header_row
    with uploaded.file.open("rb") as file:
        found = reread(file, wanted)
    uploaded.format = found.as_json()
    uploaded.columns = mapping.recall(uploaded.owner, found.headers) or mapping.guess(found.headers)
    uploaded.state = ImportState.UPLOADED
    uploaded.save(update_fields=["format", "columns", "state"])


def map_columns(
    uploaded: NetworkImport,
    columns: Mapping[str, str],
    *,
    basis: str,
    basis_source: str = "",
    default_country: str = "",
    by: User | None,
) -> None:
    """Say what the columns mean and on what basis the people may be mailed, and queue the dry run.

    The mapping is remembered for files with the same headers. Raises NotAllowed, NotNow.
    """
    _require(by, uploaded.owner)
    _require_state(uploaded, ImportState.UPLOADED, ImportState.CHECKED)
    uploaded.columns = {header: field for header, field in columns.items() if field}
    uploaded.basis = basis if Field.EMAIL in uploaded.columns.values() else ""
    uploaded.basis_source = basis_source
    uploaded.default_country = default_country
    with transaction.atomic():
        mapping.remember(uploaded.owner, uploaded.format["headers"], uploaded.columns)
        fields = ("columns", "basis", "basis_source", "default_country")
        _move(uploaded, ImportState.CHECKING, **{name: getattr(uploaded, name) for name in fields})


def confirm(checked: NetworkImport, *, by: User | None) -> None:
    """Queue the writing of a checked import. Of two people who confirm at once one gets NotNow; one import runs.

    Raises NotAllowed, NotNow.
    """
    _require(by, checked.owner)
    _require_state(checked, ImportState.CHECKED)
    with transaction.atomic():
        _move(checked, ImportState.RUNNING)
        audit.record("import.confirmed", by=by, owner=checked.owner, obj=checked)


def discard(unwanted: NetworkImport, *, by: User | None) -> None:
    """Forget the file and its rows; nothing of it was written. Raises NotAllowed; NotNow once it is confirmed."""
    _require(by, unwanted.owner)
    _require_state(unwanted, ImportState.UPLOADED, ImportState.CHECKING, ImportState.CHECKED, ImportState.FAILED)
    _move(unwanted, ImportState.DISCARDED)
    _forget_content(unwanted)
    audit.record("import.discarded", by=by, owner=unwanted.owner, obj=unwanted)


def _move(moved: NetworkImport, state: ImportState, **updates: Any) -> None:
    """Change the state if nobody else did in the meantime, and wake a worker where the new state needs one."""
    # The next round of epochs: a worker of an earlier state, should it still run, finds its lease gone for good.
    next_round = F("lease_epoch") - F("lease_epoch") % leases.ROUND + leases.ROUND
    updates |= {"state": state, "rows_done": 0, "lease_until": None, "error": ""}
    if not NetworkImport.objects.filter(pk=moved.pk, state=moved.state).update(**updates, lease_epoch=next_round):
        moved.refresh_from_db()
        raise NotNow(_in_words(moved))
    for name, value in updates.items():
        setattr(moved, name, value)
    if state in WORKING_IMPORT_STATES:
        from accounts.tasks import work_on_import  # deferred: tasks call these verbs

        work_on_import.delay_on_commit(moved.pk)


def _require(by: User | None, owner: Organization) -> None:
    if by is not None:
        require(by, "manage", owner)
    if owner.kind != OrganizationKind.DISTRIBUTOR:
        raise NotAllowed(_("Only distributors import a network."))


def _require_state(network_import: NetworkImport, *states: ImportState) -> None:
    if network_import.state not in states:
        raise NotNow(_in_words(network_import))


def _in_words(network_import: NetworkImport) -> str:
    return _("This import is in another state by now: %s.") % network_import.get_state_display()


# --- the worker --------------------------------------------------------------------------------------------------
def work(pk: int) -> None:
    """Do what an import waits for, if nobody else does it. Safe to call twice, late, or never."""
    leased = leases.claim(pk)
    if leased is None:
        return
    if leased.lease_epoch % leases.ROUND > leases.MAX_ATTEMPTS:
        _fail(
            leased, _("The import stopped several times. What was written stays; upload the file again for the rest.")
        )
        return
    language = leased.uploaded_by.person.language if leased.uploaded_by else ""
    try:
        with translation.override(language or settings.LANGUAGE_CODE):
            if leased.state == ImportState.CHECKING:
                checking.check(leased)
            else:
                writing.write(leased)
                _delete_file(leased)
    except Unreadable as error:
        _fail(leased, str(error))
    except leases.LeaseLost:
        log.info("import.lease_lost", extra={"import": pk})


def unattended() -> list[int]:
    """Imports that wait for a worker although nobody holds a lease: a message was lost or a worker died."""
    now = timezone.now()
    working = NetworkImport.objects.filter(state__in=WORKING_IMPORT_STATES)
    return list(working.exclude(lease_until__gt=now).values_list("pk", flat=True))


def _fail(leased: NetworkImport, reason: str) -> None:
    leases.keep(leased, state=ImportState.FAILED, error=reason, finished_at=timezone.now(), lease_until=None)


# --- what was refused --------------------------------------------------------------------------------------------
def refused_rows(network_import: NetworkImport) -> Iterator[list[str]]:
    """Header and refused rows as in the file, with row number and reasons."""
    headers = network_import.format["headers"]
    yield [*headers, _("Row in your file"), _("Why it was refused")]
    rows = network_import.rows.filter(outcome=RowOutcome.REFUSED).order_by("number")
    for row in rows.iterator(chunk_size=500):
        cells = (row.cells + [""] * len(headers))[: len(headers)]
        yield [*cells, str(row.number), " ".join(Finding.from_json(problem).text for problem in row.problems)]


def refused_file(network_import: NetworkImport) -> tuple[bytes, str]:
    """The refused rows as a file of the same type, and its file name; a CSV keeps its delimiter.

    CSV is UTF-8 with its mark, whatever the original was: it opens right everywhere and holds every letter.
    """
    stem = PurePath(network_import.filename).stem
    rows = refused_rows(network_import)
    if network_import.format["kind"] == "xlsx":
        return xlsx_bytes(rows, _("Refused rows")), f"{stem}-refused.xlsx"
    return "".join(csv_lines(rows, network_import.format["delimiter"])).encode(), f"{stem}-refused.csv"


# --- forgetting --------------------------------------------------------------------------------------------------
def purge() -> int:
    """Forget files and rows of imports older than the retention (IMPORT_RETENTION_DAYS); returns how many."""
    old = NetworkImport.objects.filter(created_at__lt=timezone.now() - RETENTION).exclude(
        state__in=WORKING_IMPORT_STATES
    )
    forgotten = list(old.filter(rows__isnull=False).distinct()) + list(old.exclude(file=""))
    for network_import in {row.pk: row for row in forgotten}.values():
        if network_import.state in OPEN_IMPORT_STATES:
            NetworkImport.objects.filter(pk=network_import.pk).update(state=ImportState.DISCARDED)
        _forget_content(network_import)
    return len(forgotten)


def forget_address(email: str) -> int:
    """Erase one person (a normalized address) from rows of every import; returns how many rows it was in.

    Refused rows have no understood address: their cells are searched as text.
    """
    rows = ImportRow.objects.filter(email=email) | ImportRow.objects.filter(
        outcome=RowOutcome.REFUSED, cells__icontains=email
    )
    return rows.update(cells=[], data={}, changes=[], problems=[], notes=[], email="", outcome=RowOutcome.REFUSED)


def rows_about(person: Person) -> list[dict[str, Any]]:
    """Rows of kept imports about ``person``, for the export of everything held about somebody."""
    emails = person.addresses.values("email")
    return list(ImportRow.objects.filter(email__in=emails).values("network_import__filename", "cells"))


def _forget_content(network_import: NetworkImport) -> None:
    network_import.rows.all().delete()
    NetworkImport.objects.filter(pk=network_import.pk).update(format={**network_import.format, "sample": []})
    _delete_file(network_import)


def _delete_file(network_import: NetworkImport) -> None:
    """Its personal data is not needed any more."""
    if network_import.file:
        network_import.file.delete(save=False)
        NetworkImport.objects.filter(pk=network_import.pk).update(file="")
