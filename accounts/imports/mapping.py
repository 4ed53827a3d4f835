"""Which column means what, and what a row says once that is known."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model
from django.utils import timezone

from accounts.addresses import company_domain, normalize_address
from accounts.enums import Function
from accounts.imports.problems import Finding
from accounts.imports.reading import Row
from accounts.imports.vocabulary import Field, country_code, fold, function_of, header_meaning, language_tag
from accounts.models import ColumnMapping, Contact, NetworkLink, NetworkTag, Organization
from accounts.names import normalize_company

LINK_FIELDS = (Field.CITY, Field.SEGMENT, Field.CUSTOMER_NUMBER, Field.TERRITORY, Field.PRODUCT_LINES)
SEVERAL_COLUMNS = frozenset({Field.TAGS})  # every other meaning belongs to one column


def _limit(model: type[Model], name: str) -> int:
    return getattr(model._meta.get_field(name), "max_length")  # noqa: B009  # a relation has none, so types forbid it


LIMITS: dict[Field, int] = {
    Field.COMPANY: _limit(NetworkLink, "name_as_known"),
    Field.NAME: _limit(Contact, "name"),
    Field.TAGS: _limit(NetworkTag, "name"),
    **{name: _limit(NetworkLink, name.value) for name in LINK_FIELDS},
}
MAX_CELL = 2000  # characters; for cells without a limit of their own
_SPREADSHEET_ERRORS = frozenset(
    ("#N/A", "#NV", "#REF!", "#BEZUG!", "#VALUE!", "#WERT!", "#NAME?", "#DIV/0!", "#NUM!", "#ZAHL!", "#NULL!")
)
_NAMED_ADDRESS = re.compile(r"[^<>@]*<([^<>]+)>")
_SHOWN = 60  # characters of a refused value


# --- columns -----------------------------------------------------------------------------------------------------
def guess(headers: Sequence[str]) -> dict[str, str]:
    """Header → field for every header we understand; of two with the same meaning the first is taken."""
    columns: dict[str, str] = {}
    for header in headers:
        meaning = header_meaning(header)
        if meaning and (meaning in SEVERAL_COLUMNS or meaning.value not in columns.values()):
            columns[header] = meaning.value
    taken = set(columns.values())
    # "Name" beside "Vorname" is the last name; without a company column "Name" is more likely the company.
    by_meaning = {meaning: header for header, meaning in columns.items()}
    if Field.FIRST_NAME in taken and Field.LAST_NAME not in taken and Field.NAME in taken:
        columns[by_meaning[Field.NAME]] = Field.LAST_NAME.value
    elif Field.LAST_NAME in taken and Field.FIRST_NAME not in taken and Field.NAME not in taken:
        columns[by_meaning[Field.LAST_NAME]] = Field.NAME.value
    if Field.COMPANY not in taken and Field.NAME in taken and Field.EMAIL not in taken:
        columns[by_meaning[Field.NAME]] = Field.COMPANY.value
    return columns


def header_digest(headers: Sequence[str]) -> str:
    """Stands for a set of headers, whatever their order and case; 64 hex digits."""
    return hashlib.sha256("\x1f".join(sorted(fold(header) for header in headers)).encode()).hexdigest()


def recall(owner: Organization, headers: Sequence[str]) -> dict[str, str] | None:
    """How ``owner`` last mapped a file with these headers; None for the first such file."""
    known = ColumnMapping.objects.filter(owner=owner, header_digest=header_digest(headers)).first()
    return {header: known.columns[header] for header in headers if header in known.columns} if known else None


def remember(owner: Organization, headers: Sequence[str], columns: Mapping[str, str]) -> None:
    """Offer ``columns`` again for the next file of ``owner`` with these headers."""
    ColumnMapping.objects.update_or_create(
        owner=owner,
        header_digest=header_digest(headers),
        defaults={"columns": dict(columns), "used_at": timezone.now()},
    )


# --- rows --------------------------------------------------------------------------------------------------------
class Interpreter:
    """Turns rows of text into data, or into the reasons why not; every reason names the column.

    ``columns`` is header → field; ``default_country`` (ISO code) stands in for an empty or missing country cell.
    """

    def __init__(self, headers: Sequence[str], columns: Mapping[str, str], default_country: str = "") -> None:
        self.default_country = default_country
        self.places: list[tuple[int, str, Field]] = [
            (index, header, Field(columns[header])) for index, header in enumerate(headers) if columns.get(header)
        ]
        self.header_of = {field: header for _index, header, field in reversed(self.places)}
        self.has_people = Field.EMAIL in self.header_of

    def interpret(self, row: Row) -> tuple[dict[str, Any], list[Finding], list[Finding]]:
        """Data, problems and notes of ``row``. With problems the data is not to be used."""
        problems, notes = list(row.problems), []
        if problems:  # cut off or shifted: nothing more can be said about its cells
            return {}, problems, []
        values: dict[Field, str] = {}
        tags: list[str] = []
        for index, header, field in self.places:
            raw = row.cells[index]
            if problem := _damage(raw, header, field):
                problems.append(problem)
                continue
            value = unicodedata.normalize("NFC", raw if field is Field.EMAIL else " ".join(raw.split()))
            if field is Field.TAGS:
                tags += [tag for part in re.split(r"[,;|]", value) if (tag := part.strip())]
            elif value:
                values.setdefault(field, value)
                notes += _oddities(value, header, field)
        data = self._company(values, problems)
        data |= self._contact(values, problems, notes)
        if (longest := max(map(len, tags), default=0)) > LIMITS[Field.TAGS]:
            problems.append(self._overlong(Field.TAGS, longest))
        data["tags"] = list({tag.casefold(): tag for tag in tags}.values())
        return data, problems, notes

    def _company(self, values: Mapping[Field, str], problems: list[Finding]) -> dict[str, Any]:
        name = values.get(Field.COMPANY, "")
        data: dict[str, Any] = {"company": name, "match_name": normalize_company(name)}
        if not data["match_name"] and not self._spoiled(Field.COMPANY, problems):
            problems.append(Finding("no_company", self.header_of.get(Field.COMPANY, "")))
        country = values.get(Field.COUNTRY, "")
        code = country_code(country) if country else self.default_country
        if country and not code:
            problems.append(
                Finding("unknown_country", self.header_of[Field.COUNTRY], {"value": country[:_SHOWN]}),
            )
        elif not code and not self._spoiled(Field.COUNTRY, problems):
            problems.append(Finding("no_country", self.header_of.get(Field.COUNTRY, "")))
        data["country"] = code or ""
        for field in LINK_FIELDS:
            data[field.value] = values.get(field, "")
        for field in (Field.COMPANY, *LINK_FIELDS):
            if len(values.get(field, "")) > LIMITS[field]:
                problems.append(self._overlong(field, len(values[field])))
        return data

    def _contact(self, values: Mapping[Field, str], problems: list[Finding], notes: list[Finding]) -> dict[str, Any]:
        empty = {"email": "", "name": "", "function": "", "language": "", "domain": ""}
        if not self.has_people:
            return empty
        header = self.header_of[Field.EMAIL]
        parts = [values.get(Field.NAME), values.get(Field.FIRST_NAME), values.get(Field.LAST_NAME)]
        name = " ".join(part for part in (parts[:1] if parts[0] else parts[1:]) if part)
        if len(name) > LIMITS[Field.NAME]:
            column = Field.NAME if Field.NAME in self.header_of else Field.LAST_NAME
            problems.append(self._overlong(column, len(name)))
        email, raw = "", values.get(Field.EMAIL, "").strip()
        if not raw:
            if self._spoiled(Field.EMAIL, problems) or not name:
                return empty
            problems.append(Finding("email_empty", header, {"value": name[:_SHOWN]}))
        else:
            if named := _NAMED_ADDRESS.fullmatch(raw):
                raw = named[1]
            try:
                email = normalize_address(raw.removeprefix("mailto:"))
            except ValidationError as error:
                problems.append(Finding(f"email_{error.code}", header, {"value": " ".join(raw.split())[:_SHOWN]}))
        language = values.get(Field.LANGUAGE, "")
        tag = language_tag(language) if language else ""
        if tag is None:
            problems.append(
                Finding("unknown_language", self.header_of[Field.LANGUAGE], {"value": language[:_SHOWN]}),
            )
        title = values.get(Field.FUNCTION, "")
        function = function_of(title) if title else None
        if title and function is None:
            notes.append(Finding("unknown_function", self.header_of[Field.FUNCTION], {"value": title[:_SHOWN]}))
            function = Function.OTHER
        return {
            "email": email,
            "name": name or email.partition("@")[0],
            "function": function.value if function else "",
            "language": tag or "",
            "domain": company_domain(email) if email else "",
        }

    def _spoiled(self, field: Field, problems: list[Finding]) -> bool:
        """Whether the cell has been refused already, so that "it is empty" would mislead."""
        return any(problem.column == self.header_of.get(field) for problem in problems)

    def _overlong(self, field: Field, length: int) -> Finding:
        return Finding("overlong", self.header_of[field], {"length": length, "limit": LIMITS[field]})


def _damage(value: str, header: str, field: Field) -> Finding | None:
    if "\0" in value:
        return Finding("nul", header)
    if "\ufffd" in value:
        return Finding("mojibake", header)
    if value.startswith("="):
        return Finding("formula", header)
    if value in _SPREADSHEET_ERRORS:
        return Finding("cell_error", header, {"value": value})
    if len(value) > MAX_CELL:
        return Finding("overlong", header, {"length": len(value), "limit": LIMITS.get(field, MAX_CELL)})
    # An address is judged by its own rules; elsewhere line breaks become spaces, the rest is damage.
    if field is not Field.EMAIL and any(unicodedata.category(c) == "Cc" and not c.isspace() for c in value):
        return Finding("control", header)
    return None


def _oddities(value: str, header: str, field: Field) -> list[Finding]:
    if field not in (Field.COMPANY, Field.NAME, Field.FIRST_NAME, Field.LAST_NAME):
        return []
    found = []
    if value[0] in "+-@":
        found.append(Finding("starts_like_formula", header, {"value": value[0]}))
    if re.search(r"<\s*/?\w+[^>]*>", value):
        found.append(Finding("markup", header))
    return found
