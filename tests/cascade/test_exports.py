from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
import time_machine
from django.utils import timezone
from django.utils.translation import gettext_lazy, override
from openpyxl import load_workbook

from cascade.exports import Column, download, export

HOSTILE = ['=HYPERLINK("http://x")', "+49 30 1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", 'Müller; "AG", & Söhne\n日本']


def content(response) -> bytes:
    return b"".join(response.streaming_content)


def read_csv(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content(response).decode("utf-8-sig"), newline="")))


def read_xlsx(response) -> list[list]:
    book = load_workbook(io.BytesIO(content(response)))
    return [[cell.value for cell in row] for row in book.active.iter_rows()]


def test_csv_disarms_formulas_and_keeps_the_rest():
    rows = read_csv(download("csv", "x", ["Name"], [[text] for text in HOSTILE]))
    assert [row[0] for row in rows] == ["Name", *(f"'{text}" for text in HOSTILE[:-1]), HOSTILE[-1]]


def test_xlsx_holds_text_and_no_formula():
    response = download("xlsx", "x", ["=Name"], [[text] for text in HOSTILE])
    book = load_workbook(io.BytesIO(content(response)))
    cells = [row[0] for row in book.active.iter_rows()]
    assert {cell.data_type for cell in cells} == {"s"}
    assert cells[1].value == HOSTILE[0]


@pytest.mark.parametrize("read", [read_csv, read_xlsx])
def test_numbers_nothing_and_forbidden_characters(read):
    file_format = "csv" if read is read_csv else "xlsx"
    rows = read(download(file_format, "x", ["a", "b", "c"], [[-5, None, "bell\x07\x00"]]))
    assert [str(value or "") for value in rows[1]] == ["-5", "", "bell"]


@pytest.mark.parametrize("file_format", ["csv", "xlsx"])
def test_times_are_in_the_readers_zone(file_format):
    at = datetime(2026, 6, 1, 12, 30, tzinfo=UTC)
    with timezone.override("Europe/Berlin"):
        response = download(file_format, "x", ["at"], [[at]])
    rows = read_csv(response) if file_format == "csv" else read_xlsx(response)  # sent when the request is over
    assert str(rows[1][0])[:16] == "2026-06-01 14:30"


def test_words_are_in_the_readers_language():
    with override("de"):
        response = download("csv", "x", ["a"], ([gettext_lazy("Yes")] for _number in range(1)))
    assert read_csv(response)[1] == ["Ja"]


@time_machine.travel("2026-06-01")
def test_a_file_is_named_after_its_list_and_day_and_is_not_cached():
    response = export("csv", "Firmware 9: Händler", [Column("Name", str)], ["a"])
    assert response["Content-Disposition"] == 'attachment; filename="firmware-9-handler-2026-06-01.csv"'
    assert response["Cache-Control"] == "no-store"
    assert read_csv(response) == [["Name"], ["a"]]


def test_csv_is_streamed():
    taken = []

    def lines():
        for number in range(3):
            taken.append(number)
            yield [number]

    stream = iter(download("csv", "x", ["n"], lines()).streaming_content)
    next(stream), next(stream), next(stream)
    assert taken == [0]
