"""Tables as CSV and XLSX, row by row, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import openpyxl
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def guard(value: Any) -> Any:
    """``value`` so that no spreadsheet runs it as a formula (OWASP: CSV injection). Numbers and dates stay."""
    if not isinstance(value, str):
        return value
    value = "".join(c for c in value if c >= " " or c in "\t\n")
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t")) else value


def csv_lines(rows: Iterable[Sequence[Any]], delimiter: str = ",") -> Iterator[str]:
    """Lines of a CSV file, the first with the mark that makes Excel read UTF-8."""
    line = io.StringIO()
    writer = csv.writer(line, delimiter=delimiter, lineterminator="\r\n")
    line.write("\ufeff")
    for row in rows:
        writer.writerow([guard("" if value is None else value) for value in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def xlsx_bytes(rows: Iterable[Sequence[Any]], title: str) -> bytes:
    """A workbook with one sheet; text stays text, whatever it looks like."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    for row in rows:
        sheet.append([guard(value) for value in row])
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def response(rows: Iterable[Sequence[Any]], name: str, kind: str) -> HttpResponseBase:
    """A download called ``name`` of ``kind`` "csv" or "xlsx"; the first row is the header."""
    answer: HttpResponseBase
    if kind == "xlsx":
        answer = HttpResponse(xlsx_bytes(rows, name), content_type=XLSX)
    else:
        answer = StreamingHttpResponse(csv_lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = content_disposition_header(True, f"{name}.{kind}") or "attachment"
    return answer
