"""Files of the shapes that real exports have, and the way an import goes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import openpyxl

from accounts.enums import ConsentBasis, ImportState
from accounts.imports import steps
from accounts.imports.problems import Finding
from accounts.models import ImportRow, NetworkImport, Organization

HEADERS = ("Company", "Country", "City", "E-mail", "Name", "Function", "Language")
GERMAN = ("Firma", "Land", "Ort", "E-Mail", "Ansprechpartner", "Funktion", "Sprache")


def csv_file(
    rows: Sequence[Sequence[str]],
    *,
    headers: Sequence[str] = HEADERS,
    delimiter: str = ",",
    encoding: str = "utf-8",
    newline: str = "\r\n",
) -> bytes:
    """A file without quotation marks, as most programs write it."""
    return "".join(delimiter.join(row) + newline for row in [headers, *rows]).encode(encoding)


def xlsx_file(rows: Sequence[Sequence[Any]], *, headers: Sequence[Any] = HEADERS, title: str = "Contacts") -> bytes:
    """A workbook with a sheet of notes in front of the table."""
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    book.active.append(["exported from CRM"])
    sheet = book.create_sheet(title)
    for row in [headers, *rows]:
        sheet.append(list(row))
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def people(count: int, *, company: int = 4) -> list[tuple[str, ...]]:
    """``count`` rows, ``company`` people at each reseller."""
    return [
        (
            f"Reseller {n // company}",
            "DE",
            "Hamburg",
            f"p{n}@r{n // company}.example",
            f"Person {n}",
            "sales",
            "de",
        )
        for n in range(count)
    ]


def upload(owner: Organization, content: bytes, name: str = "network.csv", by: Any = None) -> NetworkImport:
    return steps.upload(owner, io.BytesIO(content), name, by=by)


def check(owner: Organization, content: bytes, name: str = "network.csv", **chosen: Any) -> NetworkImport:
    """Upload and dry run, with the columns as guessed."""
    network_import = upload(owner, content, name)
    chosen = {"basis": ConsentBasis.CONTRACT, "basis_source": "contracts 2026", "default_country": "", **chosen}
    steps.map_columns(network_import, network_import.columns, by=None, **chosen)
    steps.work(network_import.pk)
    network_import.refresh_from_db()
    return network_import


def run(owner: Organization, content: bytes, name: str = "network.csv", **chosen: Any) -> NetworkImport:
    """Upload, dry run, confirm, write."""
    network_import = check(owner, content, name, **chosen)
    assert network_import.state == ImportState.CHECKED, network_import.error
    steps.confirm(network_import, by=None)
    steps.work(network_import.pk)
    network_import.refresh_from_db()
    return network_import


def counts(network_import: NetworkImport) -> dict[str, int]:
    """Outcome → rows, without zeros."""
    outcomes = ("created", "changed", "unchanged", "refused")
    return {name: n for name in outcomes if (n := network_import.report.get(name))}


def refusals(network_import: NetworkImport) -> dict[int, list[str]]:
    """Row number → "column: code" of everything refused."""
    rows = ImportRow.objects.filter(network_import=network_import, outcome="refused").order_by("number")
    return {row.number: [f"{problem[1]}: {problem[0]}" for problem in row.problems] for row in rows}


def notes(network_import: NetworkImport) -> dict[int, list[str]]:
    """Row number → codes of notes."""
    rows = ImportRow.objects.filter(network_import=network_import).exclude(notes=[]).order_by("number")
    return {row.number: [note[0] for note in row.notes] for row in rows}


def texts(row: ImportRow) -> list[str]:
    """The problems of a row in words."""
    return [Finding.from_json(problem).text for problem in row.problems]
