"""Tables as files that open in a spreadsheet program without surprises."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.text import slugify
from openpyxl import Workbook

FORMATS = ("csv", "xlsx")
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def download(form: str, name: str, heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> HttpResponse:
    """``lines`` below ``heads`` as ``csv`` (UTF-8 with BOM, which Excel needs) or ``xlsx``, called after ``name``."""
    content = _csv(heads, lines) if form == "csv" else _xlsx(heads, lines)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8" if form == "csv" else _XLSX)
    filename = f"{slugify(name)[:80] or 'export'}-{timezone.localdate():%Y-%m-%d}.{form}"
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    return response


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe; times are local and without a zone."""
    if isinstance(value, datetime):
        return timezone.localtime(value).replace(tzinfo=None, microsecond=0)
    if isinstance(value, int | float):
        return value
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _csv(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(heads)
    writer.writerows([_cell(value) for value in line] for line in lines)
    return out.getvalue().encode("utf-8-sig")


def _xlsx(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> bytes:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(heads))
    for line in lines:
        sheet.append([_cell(value) for value in line])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
