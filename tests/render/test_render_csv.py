"""CSV for people: the mark that Excel wants, exact values, formulas guarded and the guard undone."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from koatsu.render import CellError, Column, ColumnKind, csv_text, unguarded

COLUMNS = (
    Column(title="番号"),
    Column(title="件数", kind=ColumnKind.INTEGER),
    Column(title="契約電力", kind=ColumnKind.DECIMAL, places=2),
    Column(title="期限", kind=ColumnKind.DATE),
    Column(title="受付", kind=ColumnKind.INSTANT),
)


def read(text: str) -> list[list[str]]:
    """The lines after the titles, as a program reads them."""
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))[1:]


def of_text(value: str) -> str:
    return read(csv_text([Column(title="t")], [(value,)]))[0][0]


def test_the_file_as_bytes() -> None:
    row = ("0300", -5, Decimal("480.5"), date(2026, 4, 30), datetime(2026, 3, 31, 15, 30, 59, tzinfo=UTC))
    content = csv_text(COLUMNS, [row, (None,) * 5]).encode()
    assert content == (
        b"\xef\xbb\xbf"
        + "番号,件数,契約電力,期限,受付\r\n".encode()
        + b"0300,-5,480.50,2026-04-30,2026-04-01T00:30:59+09:00\r\n"
        + b",,,,\r\n"
    )


@pytest.mark.parametrize(
    ("value", "shown"), [("1.23456", "1.23456"), ("1", "1.00"), ("1E+3", "1000.00"), ("-0.5", "-0.50")]
)
def test_decimals_are_filled_up_and_never_rounded(value: str, shown: str) -> None:
    assert read(csv_text([COLUMNS[2]], [(Decimal(value),)])) == [[shown]]


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+81-92-000-0000",
        "-x",
        "@SUM(A1)",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u3000=1",
        "|x",
        "%x",
    ],
)
def test_what_looks_like_a_formula_is_guarded(text: str) -> None:
    assert of_text(text) == "'" + text
    title = csv_text([Column(title=text)], []).removeprefix("\ufeff").lstrip('"')
    assert title.startswith("'")


@pytest.mark.parametrize("text", ["山田", "a=b", "'quoted'", "", " ", "0300-1111", "“=1”"])
def test_other_text_is_left_alone(text: str) -> None:
    assert of_text(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("'=+-@\t ＝"), max_size=12))
@example("'=1")
@example("''=1")
@example("'")
def test_the_guard_can_be_undone_and_nothing_dangerous_gets_out(text: str) -> None:
    written = of_text(text)
    assert unguarded(written) == text
    assert not written.lstrip(" \u3000").startswith(
        ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
    )


def test_line_ends_commas_and_quotes_inside_a_cell() -> None:
    assert of_text('a,"b"\r\nc\nd') == 'a,"b"\r\nc\nd'


def test_a_wrong_cell_is_refused_here_too() -> None:
    with pytest.raises(CellError):
        csv_text([Column(title="t")], [(1,)])
