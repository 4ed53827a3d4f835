"""The dry run: every row of a file with what the import would do, and nothing written to the network."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from accounts.enums import ImportState, RowOutcome
from accounts.imports.comparing import CHUNK, Comparison, Plan, fit
from accounts.imports.leases import chunk, keep
from accounts.imports.mapping import LINK_FIELDS, Interpreter
from accounts.imports.problems import Finding, merge_counts
from accounts.imports.reading import Format, Row, read
from accounts.imports.vocabulary import Field
from accounts.models import ImportRow, NetworkImport


@dataclass(slots=True)
class Company:
    """One company of the file, as its first row has it."""

    number: int
    row: int
    fits_by: tuple[str, str, str]  # customer number, domain, city
    values: tuple[str, ...]  # of LINK_FIELDS
    name: str
    domains: set[str] = field(default_factory=set)
    tags: set[str] = field(default_factory=set)


class Companies:
    """Groups the rows of a file by company. Two companies may share a name; see ``fit``."""

    def __init__(self) -> None:
        self.by_name: dict[tuple[str, str], list[Company]] = defaultdict(list)
        self.count = 0

    def place(self, number: int, data: dict[str, Any]) -> tuple[Company, bool]:
        """The company of row ``number`` and whether this is its first row."""
        same_name = self.by_name[data["country"], data["match_name"]]
        fits_by = (data["customer_number"], data["domain"], data["city"])
        best, best_score = None, 0
        for company in same_name:
            score = 5 if data["domain"] in company.domains else fit(*fits_by, company.fits_by)
            if score > best_score:
                best, best_score = company, score
        is_first = best is None
        if best is None:
            self.count += 1
            values = tuple(data[name.value] for name in LINK_FIELDS)
            best = Company(self.count, number, fits_by, values, data["company"])
            same_name.append(best)
        if data["domain"]:
            best.domains.add(data["domain"])
        return best, is_first


class Checker:
    """Turns rows of a file into ImportRows; keeps one small record per company and a digest per person."""

    def __init__(self, checked: NetworkImport) -> None:
        self.checked = checked
        self.format = Format(**checked.format)
        self.interpreter = Interpreter(self.format.headers, checked.columns, checked.default_country)
        self.companies = Companies()
        self.comparison = Comparison(checked.owner)
        self.seen: dict[bytes, int] = {}
        self.leaders: dict[int, ImportRow] = {}

    def rows(self, source: Iterable[Row]) -> list[ImportRow]:
        """ImportRows with their outcome, in the order of ``source``."""
        rows = [self._row(row) for row in source]
        good = [row for row in rows if not row.problems]
        for plan in self.comparison.plan(good, self._leaders_of(good)):
            settle(plan, self.checked.basis)
        return rows

    def _row(self, source: Row) -> ImportRow:
        data, problems, notes = self.interpreter.interpret(source)
        row = ImportRow(
            network_import=self.checked,
            number=source.number,
            outcome=RowOutcome.REFUSED,
            # PostgreSQL keeps no NUL in JSON; its picture shows a person where it was.
            cells=[cell.replace("\0", "\u2400") for cell in source.cells],
        )
        if not problems:
            company, row.is_leader = self.companies.place(source.number, data)
            row.company = company.number
            problems = self._duplicates(company, row, data)
            notes += self._differences(company, row, data)
        if not problems:
            row.data, row.email = data, data["email"]
            if row.is_leader:
                self.leaders[row.company] = row
        row.problems = [problem.as_json() for problem in problems]
        row.notes = [note.as_json() for note in notes] if not problems else []
        return row

    def _duplicates(self, company: Company, row: ImportRow, data: dict[str, Any]) -> list[Finding]:
        new_tags = {tag.casefold() for tag in data["tags"]} - company.tags
        company.tags |= new_tags
        if not data["email"]:
            is_double = not row.is_leader and not new_tags
            return [Finding("duplicate_company", params={"row": company.row})] if is_double else []
        digest = hashlib.blake2b(f"{company.number} {data['email']}".encode(), digest_size=12).digest()
        first = self.seen.setdefault(digest, row.number)
        return [Finding("duplicate", params={"row": first})] if first != row.number else []

    def _differences(self, company: Company, row: ImportRow, data: dict[str, Any]) -> list[Finding]:
        if row.is_leader:
            return []
        found = []
        for name, counts in zip((Field.COMPANY, *LINK_FIELDS), (company.name, *company.values), strict=True):
            value = data[name.value]
            if value and value != counts:
                params = {"value": value[:60], "row": company.row}
                found.append(Finding("differs", self.interpreter.header_of[name], params))
        return found

    def _leaders_of(self, rows: Sequence[ImportRow]) -> dict[int, ImportRow]:
        found = {row.company: self.leaders[row.company] for row in rows if row.company in self.leaders}
        self.leaders = {}  # earlier ones are read back from the database, so that memory stays bounded
        missing = {row.company for row in rows} - set(found)
        return found | stored_leaders(self.checked, missing)


def stored_leaders(network_import: NetworkImport, companies: Iterable[int]) -> dict[int, ImportRow]:
    """The first rows of these companies, already checked."""
    companies = set(companies)
    if not companies:
        return {}
    rows = ImportRow.objects.filter(network_import=network_import, company__in=companies, is_leader=True)
    return {row.company: row for row in rows}


def settle(plan: Plan, basis: str) -> None:
    """Write what ``plan`` says into its row (not saved)."""
    row = plan.row
    row.outcome = plan.outcome
    row.changes = plan.changes(basis)
    row.notes = [*row.notes, *(note.as_json() for note in plan.notes)]
    if plan.problem:
        row.problems, row.notes = [plan.problem.as_json()], []
    row.data |= {"new": [word for word, is_new in _new_things(plan) if is_new]}


def _new_things(plan: Plan) -> list[tuple[str, bool]]:
    return [("reseller", plan.creates_link), ("contact", plan.creates_contact)]


def count(report: dict[str, Any], rows: Iterable[ImportRow]) -> None:
    """Add ``rows`` to the counts of ``report``."""
    for row in rows:
        report["rows"] = report.get("rows", 0) + 1
        report[row.outcome] = report.get(row.outcome, 0) + 1
        new = row.data.get("new", []) if row.outcome != RowOutcome.REFUSED else []
        changed = {name for name, _old, _new in row.changes}
        touched = {
            "new_resellers": "reseller" in new,
            "new_contacts": "contact" in new,
            "changed_resellers": bool(changed & {"company", "tags", *(name.value for name in LINK_FIELDS)}),
            "changed_contacts": bool(changed & {"name", "function", "language", "basis"}),
        }
        for name, is_touched in touched.items():
            report[name] = report.get(name, 0) + is_touched
        merge_counts(report.setdefault("problems", {}), row.problems)
        merge_counts(report.setdefault("notes", {}), row.notes)


def check(leased: NetworkImport) -> None:
    """Check the whole file of a leased import and leave it ready to confirm. Raises Unreadable, LeaseLost.

    A worker that takes over starts again: nothing outside the import's own rows has been written.
    """
    with chunk(leased, rows_done=0, report={}):
        leased.rows.all().delete()
    checker = Checker(leased)
    report: dict[str, Any] = {}
    with leased.file.open("rb") as file:
        for source in _batches(read(file, checker.format)):
            rows = checker.rows(source)
            count(report, rows)
            with chunk(leased, rows_done=report["rows"]):
                ImportRow.objects.bulk_create(rows)
    keep(leased, state=ImportState.CHECKED, report=report, rows_total=report.get("rows", 0), lease_until=None)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(islice(rows, CHUNK)):
        yield batch
