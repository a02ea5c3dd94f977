"""Excel files, read back by a stranger: types, exact values, no formula; what does not fit is refused."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openpyxl import load_workbook

from koatsu.errors import UsageError
from koatsu.render import Cell, CellError, Column, ColumnKind, sheet

MADE = datetime(2026, 4, 1, 9, 30, tzinfo=UTC)
TEXT = Column(title="名称")
COLUMNS = (
    Column(title="供給地点特定番号"),
    Column(title="件数", kind=ColumnKind.INTEGER),
    Column(title="契約電力", kind=ColumnKind.DECIMAL, places=1),
    Column(title="期限", kind=ColumnKind.DATE),
    Column(title="受付", kind=ColumnKind.INSTANT),
)
ROW: tuple[Cell, ...] = (
    "0300111122223333444455",
    1234,
    Decimal("480.5"),
    date(2026, 4, 30),
    datetime(2026, 3, 31, 15, 30, 59, tzinfo=UTC),
)


def opened(content: bytes) -> Any:
    return load_workbook(io.BytesIO(content)).active


def texts(values: list[str]) -> Any:
    return opened(sheet([TEXT], [(value,) for value in values], made=MADE))


def test_values_come_back_as_what_they_are() -> None:
    page = opened(sheet(COLUMNS, [ROW, (None,) * 5], made=MADE, name="受付一覧"))
    assert page.title == "受付一覧"
    titles, first, second = list(page.iter_rows())
    assert [cell.value for cell in titles] == [column.title for column in COLUMNS]
    assert [cell.value for cell in first] == [
        "0300111122223333444455",
        1234,
        480.5,
        datetime(2026, 4, 30),  # noqa: DTZ001 - Excel knows no zones
        datetime(2026, 4, 1, 0, 30),  # noqa: DTZ001 - 15:30 UTC, in JST
    ]
    assert [cell.number_format for cell in first] == [
        "@",
        "#,##0",
        "#,##0.0",
        "yyyy-mm-dd",
        "yyyy-mm-dd hh:mm",
    ]
    assert [cell.value for cell in second] == [None] * 5


def test_the_titles_stay_in_sight_and_the_columns_fit() -> None:
    page = opened(sheet((*COLUMNS, Column(title="備考", width=33)), [(*ROW, "あ" * 99)], made=MADE))
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:F2"
    assert page.print_title_rows == "$1:$1"
    widths = {name: round(size.width) for name, size in page.column_dimensions.items()}
    assert widths["A"] >= 22
    assert widths["F"] in (33, 34)  # Excel adds a padding to what was asked for
    assert round(opened(sheet([TEXT], [("あ" * 99,)], made=MADE)).column_dimensions["A"].width) in (50, 51)


FORMULAS = [
    "=cmd|'/c calc'!A0",
    "+81-92-000-0000",
    "-1",
    "@SUM(A1)",
    "＝1+1",
    "{=1}",
    "http://example.jp",
    "\t=1",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_is_never_a_formula_or_a_link(text: str) -> None:
    content = sheet([Column(title="=TITLE()")], [(text,)], made=MADE)
    page = opened(content)
    for cell in (page["A1"], page["A2"]):
        assert cell.data_type == "s"
        assert cell.hyperlink is None
    assert page["A1"].value == "=TITLE()"
    assert page["A2"].value == text
    assert page["A2"].number_format == "@"  # so that it stays text when somebody edits it
    inside = zipfile.ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml")
    assert b"<f>" not in inside


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1, max_size=5))
@example(["_x000D_", " lead", "trail ", "𠮷葛\U000e0100", "a\nb"])
def test_any_text_comes_back(values: list[str]) -> None:
    page = texts(values)
    assert [row[0] for row in page.iter_rows(min_row=2, values_only=True)] == values


def test_same_rows_same_bytes() -> None:
    content = sheet(COLUMNS, [ROW], made=MADE)
    assert sheet(COLUMNS, iter([ROW]), made=MADE) == content
    assert load_workbook(io.BytesIO(content)).properties.created == MADE.replace(tzinfo=None)


def test_an_empty_list_is_a_line_of_titles() -> None:
    assert list(opened(sheet(COLUMNS, [], made=MADE)).iter_rows(min_row=2)) == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ColumnKind.TEXT, 1),
        (ColumnKind.TEXT, "\ud842"),
        (ColumnKind.TEXT, "あ" * 32_768),
        (ColumnKind.TEXT, "𠮷" * 16_384),
        (ColumnKind.INTEGER, "1"),
        (ColumnKind.INTEGER, True),
        (ColumnKind.INTEGER, 10**15),
        (ColumnKind.DECIMAL, 1.5),
        (ColumnKind.DECIMAL, 1),
        (ColumnKind.DECIMAL, Decimal("NaN")),
        (ColumnKind.DECIMAL, Decimal("Infinity")),
        (ColumnKind.DECIMAL, Decimal("1234567890.1234567")),
        (ColumnKind.DATE, "2026-04-01"),
        (ColumnKind.DATE, MADE),
        (ColumnKind.DATE, date(1900, 2, 28)),
        (ColumnKind.INSTANT, date(2026, 4, 1)),
        (ColumnKind.INSTANT, datetime(2026, 4, 1)),  # noqa: DTZ001 - the mistake that is refused
        (ColumnKind.INSTANT, datetime(1899, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(kind: ColumnKind, value: Any) -> None:
    with pytest.raises(CellError) as caught:
        sheet([TEXT, Column(title="値", kind=kind)], [("一", None), ("二", value)], made=MADE)
    assert (caught.value.title, caught.value.row) == ("値", 2)
    assert "2 行目の「値」" in caught.value.text("ja")
    assert "Row 2, column 値" in caught.value.text("en")


def test_whole_numbers_and_decimals_at_the_limit_are_exact() -> None:
    columns = [
        Column(title="i", kind=ColumnKind.INTEGER),
        Column(title="d", kind=ColumnKind.DECIMAL, places=4),
    ]
    page = opened(
        sheet(columns, [(10**15 - 1, Decimal("12345678901.2345")), (-5, Decimal("-0.1"))], made=MADE)
    )
    [first, second] = list(page.iter_rows(min_row=2, values_only=True))
    assert (first[0], Decimal(repr(first[1]))) == (10**15 - 1, Decimal("12345678901.2345"))
    assert (second[0], Decimal(repr(second[1]))) == (-5, Decimal("-0.1"))


def test_rows_of_another_length_are_refused() -> None:
    with pytest.raises(CellError, match="1 cells for 2 columns"):
        sheet([TEXT, TEXT], [("a", "b"), ("c",)], made=MADE)


def test_no_column_and_too_many_rows_are_refused() -> None:
    with pytest.raises(UsageError):
        sheet([], [], made=MADE)
    with pytest.raises(UsageError, match="1,048,575"):
        sheet([TEXT], [("",)] * 1_048_576, made=MADE)
    with pytest.raises(UsageError):
        Column(title="x", kind=ColumnKind.INTEGER, places=1)
    with pytest.raises(UsageError):
        Column(title="x", kind=ColumnKind.DECIMAL, places=10)


@pytest.mark.parametrize(
    ("name", "tab"),
    [("a/b:c", "a b c"), ("'", "Sheet1"), ("", "Sheet1"), ("あ" * 40, "あ" * 31), ("a\x00b", "a b")],
)
def test_any_name_becomes_a_tab(name: str, tab: str) -> None:
    assert opened(sheet([TEXT], [], made=MADE, name=name)).title == tab
