"""A list as an Excel file: one sheet, a line of titles that stays in sight, a filter, typed cells.

Text is written as text and its cells have the format "text", so ``=cmd`` and ``+81…`` stay what they are,
also after somebody edits them; nothing becomes a formula or a link. A supply point keeps its 22 digits.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from unicodedata import east_asian_width

import xlsxwriter

from koatsu.clock import JST, require_aware
from koatsu.errors import UsageError
from koatsu.render.columns import Cell, Column, ColumnKind, checked_rows

__all__ = ["sheet"]

_MOST_ROWS: Final = 1_048_575  #: Excel's, less the titles
_NAME_LENGTH: Final = 31
_NOT_IN_NAMES: Final = "[]:*?/\\'"
_NARROWEST: Final = 6
_WIDEST: Final = 50
_FILTER_BUTTON: Final = 3
_FIXED_WIDTH: Final = {ColumnKind.DATE: 11, ColumnKind.INSTANT: 17}
_FONT: Final = "Yu Gothic"


def sheet(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    made: datetime,
    name: str = "Sheet1",
) -> bytes:
    """An xlsx file. Same columns, rows and time of making: same bytes.

    Args:
        columns: at least one.
        rows: a cell for each column; ``None`` leaves it empty. Instants are shown in JST, to the minute.
        made: when the file was made, aware.
        name: what the tab says; signs that Excel does not take there become spaces.

    Raises:
        CellError: a value does not fit its column.
        UsageError: no column, or more rows than Excel has.
        ValueError: ``made`` has no time zone.
    """
    if not columns:
        raise UsageError("A list needs at least one column.", ja="列が一つもありません。")
    lines = list(checked_rows(columns, rows))
    if len(lines) > _MOST_ROWS:
        raise UsageError(
            f"An Excel sheet holds {_MOST_ROWS:,} rows, not {len(lines):,}.",
            ja=f"Excel に書き出せるのは {_MOST_ROWS:,} 行までです({len(lines):,} 行ありました)。",
            hint="Narrow the list, or take CSV.",
            hint_ja="条件で絞り込むか、CSV で書き出してください。",
        )
    file = io.BytesIO()
    created = require_aware(made).astimezone(UTC).replace(tzinfo=None)
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        book.set_properties({"created": created})
        _fill(book, book.add_worksheet(_tab(name)), columns, lines)
    return file.getvalue()


def _fill(book: Any, page: Any, columns: Sequence[Column], lines: Sequence[Sequence[Cell]]) -> None:
    """Titles, widths, cells, and how the sheet prints."""
    titles = book.add_format(
        {"bold": True, "bg_color": "#EEF1F5", "bottom": 1, "valign": "vcenter", "font_name": _FONT}
    )
    for at, column in enumerate(columns):
        style = book.add_format({"num_format": _number_format(column), "valign": "top", "font_name": _FONT})
        page.set_column(at, at, _width(column, [line[at] for line in lines]))
        page.write_string(0, at, column.title, titles)
        for row, line in enumerate(lines, start=1):
            _write(page, row, at, line[at], style)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, len(lines), len(columns) - 1)
    page.set_row(0, 22)
    page.set_landscape()
    page.set_paper(9)  # A4
    page.repeat_rows(0)
    page.fit_to_pages(1, 0)
    page.set_footer("&C&P / &N")


def _write(page: Any, row: int, at: int, cell: Cell, style: Any) -> None:
    match cell:
        case None | "":
            page.write_blank(row, at, None, style)
        case str():
            page.write_string(row, at, cell, style)
        case datetime():
            local = cell.astimezone(JST).replace(tzinfo=None, second=0, microsecond=0)
            page.write_datetime(row, at, local, style)
        case int() | Decimal():
            page.write_number(row, at, cell, style)
        case _:
            page.write_datetime(row, at, cell, style)


def _number_format(column: Column) -> str:
    match column.kind:
        case ColumnKind.TEXT:
            return "@"
        case ColumnKind.INTEGER:
            return "#,##0"
        case ColumnKind.DECIMAL:
            return "#,##0" + ("." + "0" * column.places if column.places else "")
        case ColumnKind.DATE:
            return "yyyy-mm-dd"
        case ColumnKind.INSTANT:
            return "yyyy-mm-dd hh:mm"


def _width(column: Column, cells: Sequence[Cell]) -> int:
    """Half-width characters: what was asked for, or what the longest line needs."""
    if column.width is not None:
        return column.width
    widest = _FIXED_WIDTH.get(column.kind) or max((_extent(cell) for cell in cells), default=0)
    return min(_WIDEST, max(_NARROWEST, widest + 1, _extent(column.title) + _FILTER_BUTTON))


def _extent(cell: Cell) -> int:
    """How many half-width characters the longest line of a cell takes."""
    lines = cell.splitlines() if isinstance(cell, str) else ["" if cell is None else f"{cell:,}"]
    return max(map(_columns, lines), default=0)


def _columns(line: str) -> int:
    return len(line) if line.isascii() else sum(1 + (east_asian_width(one) in "FWA") for one in line)


def _tab(name: str) -> str:
    plain = "".join(" " if one in _NOT_IN_NAMES or not one.isprintable() else one for one in name)
    return plain.strip()[:_NAME_LENGTH].strip() or "Sheet1"
