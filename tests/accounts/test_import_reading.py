"""Reading files: encodings, delimiters, headers, damage, limits, and what is no table at all."""

from __future__ import annotations

import io
import struct
import zipfile

import openpyxl
import pytest

from accounts.imports import reading
from accounts.imports.reading import Unreadable, detect, read
from tests.accounts.imports import HEADERS, csv_file, people, xlsx_file


def rows_of(content: bytes, name: str = "n.csv"):
    file = io.BytesIO(content)
    found = detect(file, name)
    return found, list(read(file, found))


@pytest.mark.parametrize(
    ("encoding", "detected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("cp1252", "cp1252"),
        ("latin-1", "cp1252"),
    ],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\r\n", "\n", "\r"])
def test_western_text_is_read_in_every_shape(encoding, detected, delimiter, newline):
    rows = [("Müller GmbH", "DE", "Köln", f"a{n}@mueller.example", "Jörg Weiß", "Inhaber", "de") for n in range(9)]
    found, read_rows = rows_of(csv_file(rows, delimiter=delimiter, encoding=encoding, newline=newline))
    assert (found.encoding, found.delimiter, found.header_row) == (detected, delimiter, 1)
    assert [tuple(row.cells) for row in read_rows] == rows
    assert [row.number for row in read_rows] == list(range(2, 11))


@pytest.mark.parametrize(
    ("encoding", "company", "city"),
    [
        ("cp932", "株式会社ガイアシステム販売", "東京都千代田区"),
        ("cp949", "유한회사 한가람유통시스템", "서울특별시 강남구"),
        ("gb18030", "上海信息技术有限公司", "上海市浦东新区"),
        ("cp1251", "ООО Северные системы связи", "Санкт-Петербург"),
        ("cp1250", "Łódzkie Przedsiębiorstwo Usług", "Łódź Śródmieście"),
    ],
)
def test_other_encodings_are_recognized(encoding, company, city):
    rows = [(company, "JP", city, f"a{n}@x.example", company, "sales", "ja") for n in range(40)]
    found, read_rows = rows_of(csv_file(rows, encoding=encoding))
    assert (found.encoding, read_rows[0].cells[0], read_rows[0].cells[2]) == (encoding, company, city)


def test_one_cell_in_another_encoding_does_not_spoil_the_file():
    content = csv_file([("Müller", "DE", "Köln", "a@x.example", "Jörg", "sales", "de")]) + b"S\xf6hne,DE,,,,,\r\n"
    found, rows = rows_of(content)
    assert found.encoding == "utf-8"
    assert [row.cells[0] for row in rows] == ["Müller", "S\ufffdhne"]


def test_header_is_found_below_a_title_and_excels_separator_line():
    content = b"sep=;\r\nExport of 5 January;;;\r\n;;;\r\nFirma;Land;Ort;E-Mail\r\nMeyer;DE;Ulm;a@meyer.example\r\n"
    found, rows = rows_of(content)
    assert (found.delimiter, found.header_row, found.headers) == (";", 4, ["Firma", "Land", "Ort", "E-Mail"])
    assert [(row.number, row.cells[0]) for row in rows] == [(5, "Meyer")]


def test_cells_may_span_lines_and_hold_delimiters_and_quotes():
    content = b'Company,Country,City\r\n"Meyer, ""The"" IT",DE,"Ulm\r\nEast"\r\nBauer,DE,Kiel\r\n'
    _found, rows = rows_of(content)
    assert [row.cells for row in rows] == [['Meyer, "The" IT', "DE", "Ulm\nEast"], ["Bauer", "DE", "Kiel"]]
    assert [row.number for row in rows] == [2, 3]


def test_quote_that_never_closes_costs_its_own_row_only():
    lines = ["Company,Country,City", "A,DE,Ulm", 'B,DE,"Kiel', "C,DE,Bonn", '"D, Ltd",GB,Leeds', "E,DE,Rom"]
    _found, rows = rows_of("\r\n".join(lines).encode())
    assert [(row.cells[0], [p.code for p in row.problems]) for row in rows] == [
        ("A", []),
        ("B", ["truncated_quote"]),
        ("C", []),
        ("D, Ltd", []),
        ("E", []),
    ]


def test_trailing_delimiters_are_no_extra_cells_and_blank_lines_are_skipped():
    _found, rows = rows_of(b"Company,Country\r\nA,DE,,,\r\n\r\n,\r\nB,DE\r\nC,DE,x\r\nD\r\n")
    assert [(row.number, row.cells[0], [p.code for p in row.problems]) for row in rows] == [
        (2, "A", []),
        (5, "B", []),
        (6, "C", ["long_row"]),
        (7, "D", ["short_row"]),
    ]


def test_headers_without_name_or_twice_get_one():
    found, _rows = rows_of(b"Company,,Company,E-mail\r\nA,b,c,a@x.example\r\n")
    assert found.headers == ["Company", "Column 2", "Company (2)", "E-mail"]


def test_workbook_cells_become_text():
    book = openpyxl.Workbook()
    book.active.append(["Company", "Customer number", "Since", "Preferred", "Rate"])
    book.active.append(["Meyer", 10042.0, None, True, 1.5])
    packed = io.BytesIO()
    book.save(packed)
    _found, rows = rows_of(packed.getvalue(), "n.xlsx")
    assert rows[0].cells == ["Meyer", "10042", "", "TRUE", "1.5"]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "n.csv", "empty"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "n.csv", "PNG file"),
        (b"%PDF-1.7 ...", "n.xlsx", "PDF file"),
        (b"<html><table><tr><td>Firma</td></tr></table>", "n.csv", "web page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 50, "n.xlsx", "old Excel file"),
        (b"Company,Country\r\nA,DE\r\n", "n.xlsx", "is not such a file"),
        (xlsx_file(people(1)), "n.csv", "packed like an XLSX"),
        (b"PK\x03\x04 broken", "n.xlsx", "damaged"),
        (b"meyer@x.example,Meyer\r\nbauer@x.example,Bauer\r\n", "n.csv", "The first row holds data"),
        (b"\0\1\2\3" * 2000, "n.csv", "not text"),
        (b"just one line of words", "n.csv", "No row of headings"),
    ],
)
def test_what_is_no_table_is_refused_with_a_reason(content, name, words):
    with pytest.raises(Unreadable, match=words):
        rows_of(content, name)


def test_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * 50_000)
        archive.writestr("xl/sharedStrings.xml", b" " * 3_000_000)
    monkeypatch.setattr(reading, "MAX_UNPACKED_BYTES", 2_000_000)
    with pytest.raises(Unreadable, match="unpacks to more"):
        rows_of(packed.getvalue(), "n.xlsx")


def test_zip_that_lies_about_its_size_is_damaged():
    content = bytearray(xlsx_file(people(200)))
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archive:
        info = archive.getinfo("xl/worksheets/sheet2.xml")
    start = content.find(info.filename.encode(), content.find(b"PK\x01\x02"))
    content[start - 46 + 24 : start - 46 + 28] = struct.pack("<I", 300)  # the uncompressed size, in the directory
    with pytest.raises(Unreadable, match="damaged"):
        rows_of(bytes(content), "n.xlsx")


def test_workbook_that_is_no_workbook_is_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    with pytest.raises(Unreadable, match="not an Excel workbook"):
        rows_of(packed.getvalue(), "n.xlsx")


def test_too_many_bytes_or_rows_are_refused(monkeypatch):
    monkeypatch.setattr(reading, "MAX_ROWS", 50)
    assert len(rows_of(csv_file(people(50)))[1]) == 50
    with pytest.raises(Unreadable, match="more than 50 rows"):
        rows_of(csv_file(people(51)))
    monkeypatch.setattr(reading, "MAX_BYTES", 1000)
    with pytest.raises(Unreadable, match="larger than"):
        rows_of(csv_file(people(51)))


def test_sample_shows_the_first_rows():
    found, _rows = rows_of(csv_file(people(50)))
    assert found.headers == list(HEADERS)
    assert len(found.sample) == 8
    assert found.sample[0] == list(people(1)[0])
