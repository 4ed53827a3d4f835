"""Read a CSV or XLSX file as rows of text, whatever wrote it; damage is confined to the row that has it.

Nothing here knows what a column means beyond finding the header row.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import IO, Any
from xml.etree.ElementTree import ParseError

import charset_normalizer
import openpyxl
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from openpyxl.utils.exceptions import InvalidFileException

from accounts.imports.problems import Finding
from accounts.imports.vocabulary import header_meaning

MAX_BYTES = 20 * 1024 * 1024
MAX_ROWS = 200_000
MAX_COLUMNS = 100
MAX_UNPACKED_BYTES = 250 * 1024 * 1024  # of an XLSX: a sheet of 200,000 rows unpacks to about 100 MB
MAX_CELL_LINES = 50  # a quoted cell may span lines; more than these is a quotation mark that never closes
HEADER_WITHIN = 20  # rows
SAMPLE_ROWS = 8
DELIMITERS = {
    ",": gettext_lazy("Comma"),
    ";": gettext_lazy("Semicolon"),
    "\t": gettext_lazy("Tab"),
    "|": gettext_lazy("Vertical bar"),
}
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with BOM",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1252": gettext_lazy("Western European (Windows-1252)"),
    "cp1250": gettext_lazy("Central European (Windows-1250)"),
    "cp1251": gettext_lazy("Cyrillic (Windows-1251)"),
    "cp1253": gettext_lazy("Greek (Windows-1253)"),
    "cp1254": gettext_lazy("Turkish (Windows-1254)"),
    "cp932": gettext_lazy("Japanese (Shift JIS)"),
    "cp949": gettext_lazy("Korean (EUC-KR)"),
    "gb18030": gettext_lazy("Chinese (GB 18030)"),
    "big5": gettext_lazy("Chinese (Big5)"),
    "mac_roman": gettext_lazy("Western European (Mac)"),
}
_WESTERN = frozenset("äöüÄÖÜßéèêëÉÈÊàâçÀÂÇîïôûùÔÛÙñÑáíóúÁÍÓÚãõÃÕåøæÅØÆìòÌÒÎœŒ€–—’‘„“”…´°§ºª¿¡«»·\xa0®™²³µ½")
_SIGN_IN_WORD = re.compile(r"(?:(?<=[^\W\d_])[¹²³¼½¾¿¡£¥¤¦¯¸¨±×÷\ufffd](?=[^\W\d_])|\b[¹³¼¾£¥¯](?=[^\W\d_]))")
_FOREIGN_STARTS = {
    b"%PDF": "PDF",
    b"\x89PNG": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"GIF8": "GIF",
    b"Rar!": "RAR",
    b"7z\xbc\xaf": "7z",
    b"\x1f\x8b": "gzip",
    b"{\\rtf": "RTF",
    b"\x7fELF": "ELF",
    b"MZ\x90": "EXE",
}


class Unreadable(Exception):
    """The file cannot be read at all; the text tells a person why and what to do."""


@dataclass
class Format:
    """How a file is to be read, and what its head looks like."""

    kind: str  # "csv" or "xlsx"
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)
    header_row: int = 1  # as a spreadsheet counts
    headers: list[str] = field(default_factory=list)
    sample: list[list[str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The form in which NetworkImport keeps it."""
        return asdict(self)


@dataclass
class Row:
    """A row of cells as text; ``number`` counts as a spreadsheet does. With problems its cells are only for showing."""

    number: int
    cells: list[str]
    problems: list[Finding] = field(default_factory=list)


# --- detection ---------------------------------------------------------------------------------------------------
def detect(file: IO[bytes], filename: str) -> Format:
    """How to read ``file``, judged by its content; its name must not contradict. Raises Unreadable."""
    size = file.seek(0, io.SEEK_END)
    if size > MAX_BYTES:
        raise Unreadable(_("The file is larger than %d MB. Split it and import the parts.") % (MAX_BYTES >> 20))
    if size == 0:
        raise Unreadable(_("The file is empty."))
    file.seek(0)
    head = file.read(4096)
    extension = filename.rpartition(".")[2].lower()
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise Unreadable(
            _("This is an old Excel file or one with a password. Save it as XLSX or CSV without one and try again.")
        )
    if head.startswith(b"PK"):
        if extension not in ("xlsx", "xlsm"):
            raise Unreadable(_("The file is named “.%s” but is packed like an XLSX or ZIP file.") % extension)
        return _detect_xlsx(file)
    for start, name in _FOREIGN_STARTS.items():
        if head.startswith(start):
            raise Unreadable(_("This is a %s file. CSV and XLSX files can be imported.") % name)
    if extension not in ("csv", "tsv", "txt", "tab"):
        raise Unreadable(_("The file is named “.%s” but is not such a file. Use CSV or XLSX.") % extension)
    if re.match(rb"\s*<(?:!doctype|html|\?xml|table)", head, re.IGNORECASE):
        raise Unreadable(_("This is a web page or XML file, whatever its name says. Save it as XLSX or CSV."))
    return _detect_csv(file)


def reread(file: IO[bytes], wanted: Format) -> Format:
    """``wanted`` (encoding, delimiter, sheet, header row chosen by a person) with the headers and sample it gives."""
    file.seek(0)
    return _with_head(file, wanted)


def _detect_csv(file: IO[bytes]) -> Format:
    encoding = _encoding(file)
    head = _first_lines(file, encoding, 200)
    if sum(character < " " and character not in "\t\r\n" for text in head for character in text) > len(head):
        raise Unreadable(_("The file is not text. CSV and XLSX files can be imported."))
    delimiter, skip = _delimiter(head)
    found = Format(kind="csv", encoding=encoding, delimiter=delimiter)
    rows = [row for row in _records(head, delimiter, None) if row.number > skip][:HEADER_WITHIN]
    found.header_row = _header_row(rows)
    return _with_head(file, found)


def _detect_xlsx(file: IO[bytes]) -> Format:
    with _workbook(file) as workbook:
        sheets = [sheet.title for sheet in workbook.worksheets]
        best: tuple[int, int, str, int] | None = None
        for index, sheet in enumerate(workbook.worksheets):
            rows = list(_sheet_rows(sheet, limit=HEADER_WITHIN))
            if any(sum(map(bool, row.cells)) > 1 for row in rows):
                header_row = _header_row(rows)
                known = _known_headers(next(row for row in rows if row.number == header_row).cells)
                if best is None or known > best[0]:
                    best = (known, -index, sheet.title, header_row)
    if best is None:
        raise Unreadable(_("No sheet of the workbook has a table with at least two columns."))
    return _with_head(file, Format(kind="xlsx", sheet=best[2], sheets=sheets, header_row=best[3]))


def _with_head(file: IO[bytes], found: Format) -> Format:
    found.headers = _headers(file, found)
    if sum(map(bool, found.headers)) < 2 and not any(map(header_meaning, found.headers)):
        raise Unreadable(_("No row of headings was found. The first row must name the columns."))
    if any("@" in header for header in found.headers):
        raise Unreadable(_("The first row holds data. Add a row of headings above it, for instance: Company, E-mail."))
    found.headers = _distinct(found.headers)
    found.sample = []
    for row in read(file, found):
        found.sample.append([cell[:80] for cell in row.cells[: len(found.headers)]])
        if len(found.sample) == SAMPLE_ROWS:
            break
    return found


def _headers(file: IO[bytes], found: Format) -> list[str]:
    for row in _all_rows(file, found, None):
        if row.number == found.header_row:
            cells = [" ".join(cell.split())[:80] for cell in row.cells[:MAX_COLUMNS]]
            while cells and not cells[-1]:
                cells.pop()
            return cells
    raise Unreadable(_("The file has no row %d.") % found.header_row)


def _distinct(headers: list[str]) -> list[str]:
    seen: Counter[str] = Counter()
    names = []
    for index, header in enumerate(headers):
        name = header or _("Column %d") % (index + 1)
        seen[name] += 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return names


def _known_headers(cells: list[str]) -> int:
    return len({meaning for cell in cells if (meaning := header_meaning(cell))})


def _header_row(rows: list[Row]) -> int:
    """The row that names most columns we know, else the first with at least two cells filled."""
    filled = [row for row in rows if any(row.cells)]
    if not filled:
        raise Unreadable(_("The file is empty."))
    best = max(filled, key=lambda row: (_known_headers(row.cells), -row.number))
    if _known_headers(best.cells) < 2:
        best = next((row for row in filled if sum(map(bool, row.cells)) > 1), filled[0])
    return best.number


def _encoding(file: IO[bytes]) -> str:
    """The encoding of a text file. One cell in another encoding does not change the verdict on the rest."""
    file.seek(0)
    data = file.read()
    if data.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    head = data[:4096]
    if head[1::2].count(0) > len(head) // 6:
        return "utf-16-le"
    if head[0::2].count(0) > len(head) // 6:
        return "utf-16-be"
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    # Bytes of another encoding almost never form valid UTF-8 by chance, so valid ones are evidence.
    if not broken or sum(character > "\x7f" for character in text) - broken >= broken:
        return "utf-8"
    high = b"\n".join(line for line in data.splitlines() if not line.isascii())[:200_000]
    if sum(byte > 127 for byte in high) < len(high) * 0.3:  # Latin letters with accents here and there
        best = min(("cp1252", "cp1250"), key=lambda name: _misfits(high, name))
        if best == "cp1250" or {c for c in high.decode("cp1252", "replace") if c > "\x7f"} <= _WESTERN:
            return best
    isolated = [name for name in ENCODINGS if not name.startswith("utf")]
    guess = charset_normalizer.from_bytes(high, cp_isolation=isolated).best()
    return guess.encoding if guess else "cp1252"


def _misfits(text: bytes, encoding: str) -> int:
    """How many signs stand beside a letter where a letter is expected: "Us³ug" is not Western European."""
    return len(_SIGN_IN_WORD.findall(text.decode(encoding, "replace")))


def _delimiter(head: list[str]) -> tuple[str, int]:
    """The delimiter whose columns are most regular, and how many lines to skip (Excel's ``sep=;``)."""
    if head and (told := re.fullmatch(r"sep=([,;|\t])\s*", head[0])):
        return told[1], 1
    best = (0.0, 0, ",")
    for delimiter in DELIMITERS:
        widths = Counter(len(row.cells) for row in _records(head, delimiter, None) if any(row.cells))
        if widths:
            width, rows = widths.most_common(1)[0]
            if width > 1:
                best = max(best, (rows / widths.total(), width, delimiter))
    return best[2], 0


# --- rows --------------------------------------------------------------------------------------------------------
def read(file: IO[bytes], found: Format) -> Iterator[Row]:
    """The rows below the header, without empty ones. Raises Unreadable when there are too many."""
    width = len(found.headers)
    for row in _all_rows(file, found, width):
        if row.number <= found.header_row:
            continue
        if not any(row.cells) and not row.problems:
            continue
        if row.number > MAX_ROWS + found.header_row:
            raise Unreadable(_("The file has more than %s rows. Split it and import the parts.") % f"{MAX_ROWS:,}")
        extra = any(row.cells[width:])
        if not row.problems and (extra or (found.kind == "csv" and len(row.cells) < width)):
            code = "long_row" if extra else "short_row"
            row.problems.append(Finding(code, params={"cells": len(row.cells), "columns": width}))
        row.cells = (row.cells + [""] * width)[: max(width, len(row.cells) if extra else 0)]
        yield row


def count_rows(file: IO[bytes], found: Format) -> int:
    """About how many rows there are, cheaply, for a progress bar."""
    if found.kind == "csv":
        file.seek(0)
        newline = b"\r" if b"\n" not in file.read(65536) else b"\n"
        file.seek(0)
        lines = sum(chunk.count(newline) for chunk in iter(lambda: file.read(1 << 20), b""))
        return max(lines - found.header_row, 0)
    with _workbook(file) as workbook:
        return max(min(workbook[found.sheet].max_row or 0, MAX_ROWS) - found.header_row, 0)


def _all_rows(file: IO[bytes], found: Format, width: int | None) -> Iterator[Row]:
    if found.kind == "csv":
        with _text(file, found.encoding) as lines:
            yield from _records(lines, found.delimiter, width)
        return
    with _workbook(file) as workbook:
        if found.sheet not in workbook.sheetnames:
            raise Unreadable(_("The workbook has no sheet “%s”.") % found.sheet)
        yield from _sheet_rows(workbook[found.sheet])


class _text:
    """The lines of ``file`` in ``encoding``; leaves the file open. Unreadable bytes become U+FFFD."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        file.seek(0)
        self.wrapper = io.TextIOWrapper(io.BufferedReader(_Raw(file)), encoding, errors="replace", newline=None)

    def __enter__(self) -> Iterable[str]:
        return self.wrapper

    def __exit__(self, *exc: object) -> None:
        self.wrapper.detach()


class _Raw(io.RawIOBase):
    """A readable view of any file-like, Django's storage files included."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self.file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _first_lines(file: IO[bytes], encoding: str, count: int) -> list[str]:
    with _text(file, encoding) as lines:
        return [line for _number, line in zip(range(count), lines, strict=False)]


def _records(lines: Iterable[str], delimiter: str, width: int | None) -> Iterator[Row]:
    """CSV records. A quoted cell may span lines, but a quotation mark that never closes costs only its own line."""
    source = iter(lines)
    ahead: deque[str] = deque()
    number = 0
    while True:
        line = ahead.popleft() if ahead else next(source, None)
        if line is None:
            return
        number += 1
        line = line.removesuffix("\n")
        if '"' not in line:
            yield Row(number, [cell.strip() for cell in line.split(delimiter)] if line else [])
            continue
        cells, is_open = _split(line, delimiter)
        if cells is None and is_open:
            cells = _across_lines(line, source, ahead, delimiter, width)
        if cells is None:
            code = "truncated_quote" if is_open else "broken_quote"
            yield Row(number, [cell.strip() for cell in line.split(delimiter)], [Finding(code)])
        else:
            yield Row(number, [cell.strip() for cell in cells])


def _across_lines(
    line: str, source: Iterator[str], ahead: deque[str], delimiter: str, width: int | None
) -> list[str] | None:
    """The cells of a record whose quoted cell goes on in the next lines, which are taken from ``ahead`` and
    ``source``; None, with all of them left in ``ahead``, when the quotation mark was never meant to stay open: no end,
    a wrong number of cells, or a next line that is a whole record by itself."""
    parts = [line]
    for index in range(MAX_CELL_LINES):
        if index == len(ahead):
            following = next(source, None)
            if following is None:
                return None
            ahead.append(following)
        parts.append(ahead[index].removesuffix("\n"))
        if width and width > 2:
            alone, _is_open = _split(parts[-1], delimiter)
            if alone is not None and len(alone) == width:
                return None
        cells, is_open = _split("\n".join(parts), delimiter)
        if cells is not None:
            if width and len(cells) != width:
                return None
            for _line in parts[1:]:
                ahead.popleft()
            return cells
        if not is_open:
            return None
    return None


def _split(text: str, delimiter: str) -> tuple[list[str] | None, bool]:
    """The cells of one record and whether a quotation mark is still open; cells are None when they cannot be told."""
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), []), False
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return None, True
    try:  # such as: "Miller" Ltd;DE
        cells = next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return None, False
    return (cells, False) if len(cells) > 1 and text.count('"') % 2 == 0 else (None, False)


# --- workbooks ---------------------------------------------------------------------------------------------------
class _workbook:
    """An XLSX file, opened for reading after its size unpacked was checked. Formulas are kept, never computed."""

    def __init__(self, file: IO[bytes]) -> None:
        file.seek(0)
        try:
            with zipfile.ZipFile(file) as archive:
                parts = archive.infolist()
                if sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES or len(parts) > 2000:
                    raise Unreadable(_("The workbook unpacks to more than we read. Save only the table as CSV."))
                if "xl/workbook.xml" not in archive.namelist():
                    raise Unreadable(_("This is not an Excel workbook, whatever its name says."))
            file.seek(0)
            self.book = openpyxl.load_workbook(file, read_only=True, data_only=False, keep_links=False)
        except (zipfile.BadZipFile, InvalidFileException, ParseError, KeyError, ValueError, OSError, EOFError) as error:
            raise Unreadable(_("The workbook is damaged. Open it in your spreadsheet program and save it anew.")) from (
                error
            )

    def __enter__(self) -> Any:
        return self.book

    def __exit__(self, *exc: object) -> None:
        self.book.close()


def _sheet_rows(sheet: Any, limit: int = MAX_ROWS + HEADER_WITHIN + 1) -> Iterator[Row]:
    sheet.reset_dimensions()  # what a file says about its own size is not to be trusted
    try:
        for number, cells in enumerate(sheet.iter_rows(max_row=limit, max_col=MAX_COLUMNS), start=1):
            yield Row(number, [_cell_text(cell.value) for cell in cells])
    except (zipfile.BadZipFile, ParseError, KeyError, ValueError, EOFError) as error:
        raise Unreadable(_("The workbook is damaged. Open it in your spreadsheet program and save it anew.")) from error


def _cell_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))  # customer numbers come as 10042.0
    if hasattr(value, "text"):  # an array formula
        return f"={str(value.text).removeprefix('=')}"
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return str(value).strip()
