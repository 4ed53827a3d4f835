"""Lists as files, CSV and XLSX: what the screen shows, in its columns and order, safe to open in a spreadsheet.

Times are in the zone of the person who asked, without naming it, because spreadsheets know no zones.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import slugify
from django.utils.translation import get_language, override
from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

FORMATS = ("csv", "xlsx")
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # OWASP: CSV injection
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")  # not allowed in XML 1.0
_CELL_LIMIT = 32_767  # characters, Excel's


@dataclass(frozen=True)
class Column:
    """One column of a file: its heading and how to get its value from a row."""

    label: str | Promise
    value: Callable[[Any], Any]


def export(file_format: str, name: str, columns: Sequence[Column], rows: Iterable[Any]) -> HttpResponseBase:
    """``rows`` in ``columns`` as a file called after ``name`` and today; see ``download``."""
    lines = ([column.value(row) for column in columns] for row in rows)
    return download(file_format, name, [str(column.label) for column in columns], lines)


def download(file_format: str, name: str, heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> HttpResponseBase:
    """``lines`` below ``heads`` as ``csv`` (streamed, with the byte order mark Excel needs) or ``xlsx``."""
    filename = f"{slugify(name)[:80] or 'export'}-{timezone.localdate():%Y-%m-%d}.{file_format}"
    response: HttpResponseBase
    if file_format == "csv":
        response = StreamingHttpResponse(_csv(heads, lines), content_type=_TYPES["csv"])
        response["Content-Disposition"] = f'attachment; filename="{filename}"'
    else:
        response = FileResponse(_xlsx(heads, lines), as_attachment=True, filename=filename, content_type=_TYPES["xlsx"])
    response["Cache-Control"] = "no-store"
    return response


def _csv(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Written when the request is over and nobody's zone and language are active any more: both are kept from now."""
    return _csv_lines(heads, iter(lines), timezone.get_current_timezone(), get_language())


def _csv_lines(
    heads: Sequence[str], lines: Iterator[Sequence[Any]], zone: tzinfo, language: str | None
) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    yield b"\xef\xbb\xbf"
    line: Sequence[Any] | None = heads
    while line is not None:
        writer.writerow([_disarmed(value, zone) for value in line])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
        with override(language):
            line = next(lines, None)
            line = None if line is None else [str(v) if isinstance(v, Promise) else v for v in line]


def _xlsx(heads: Sequence[str], lines: Iterable[Sequence[Any]]) -> io.BytesIO:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.freeze_panes = "A2"
    sheet.append([_text_cell(sheet, str(head), bold=True) for head in heads])
    for line in lines:
        sheet.append([_xlsx_cell(sheet, value) for value in line])
    file = io.BytesIO()
    book.save(file)
    file.seek(0)
    return file


def _disarmed(value: Any, zone: tzinfo) -> Any:
    """Text a spreadsheet would take for a formula gets an apostrophe; numbers stay numbers."""
    value = _plain(value, zone)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="minutes")
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _xlsx_cell(sheet: WriteOnlyWorksheet, value: Any) -> Any:
    """Text is always a text cell, which no program evaluates."""
    value = _plain(value)
    return _text_cell(sheet, value) if isinstance(value, str) else value


def _text_cell(sheet: WriteOnlyWorksheet, text: str, *, bold: bool = False) -> Cell:
    cell = WriteOnlyCell(sheet, value=text)
    cell.data_type = "s"
    if bold:
        cell.font = Font(bold=True)
    return cell


def _plain(value: Any, zone: tzinfo | None = None) -> Any:
    """Numbers, dates and times (local, without zone) as they are; nothing as empty; all else as clean text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        local = timezone.localtime(value, zone) if timezone.is_aware(value) else value
        return local.replace(tzinfo=None, microsecond=0)
    if isinstance(value, int | float | date) and not isinstance(value, bool):
        return value
    return _CONTROL.sub("", str(value))[:_CELL_LIMIT]
