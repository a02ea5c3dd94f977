"""A list as CSV for people: UTF-8 with a byte-order mark, lines end in CR LF, a line of titles first.

A spreadsheet takes a cell that begins with ``=`` for a formula, whatever the quotes say. Such text therefore
gets an apostrophe in front: the sign that spreadsheets themselves use for "this is text". The rule can be
undone exactly (``unguarded``), so that a list which is written and read again is the same list. Numbers and
dates need no guard, for they are written by their type and never by a person. Long digits stay bare, because
a program may read the file: a spreadsheet shows them right when their column is imported as text, or in xlsx.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from koatsu.clock import JST
from koatsu.render.columns import Cell, Column, checked_rows

__all__ = ["csv_text", "unguarded"]

_GUARD: Final = "'"
_STARTS: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "|", "%")
"""What begins a formula or a command: ASCII, the full-width forms that Japanese spreadsheets take as well,
and the signs by which old exchange formats are tricked."""


def csv_text(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> str:
    """The whole file as text; its first character is the byte-order mark, so encode it as plain UTF-8.

    Numbers have at least the column's decimals and are never rounded; dates are ISO 8601, instants too, with
    seconds and +09:00; an empty cell is an unknown.

    Raises:
        CellError: a value does not fit its column.
    """
    text = io.StringIO("\ufeff", newline="")
    text.seek(0, io.SEEK_END)
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow([_guarded(column.title) for column in columns])
    for row in checked_rows(columns, rows):
        lines.writerow([_cell(column, cell) for column, cell in zip(columns, row, strict=True)])
    return text.getvalue()


def unguarded(text: str) -> str:
    """What a cell said before ``csv_text`` guarded it; any other text comes back as it is."""
    return text[1:] if text.startswith(_GUARD) and _dangerous(text) else text


def _guarded(text: str) -> str:
    return _GUARD + text if _dangerous(text) else text


def _dangerous(text: str) -> bool:
    """Whether a spreadsheet might act on it; guards already there are looked through, to be undoable."""
    return text.lstrip(_GUARD).lstrip(" \u3000").startswith(_STARTS)


def _cell(column: Column, cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return _guarded(cell)
        case datetime():
            return cell.astimezone(JST).isoformat(timespec="seconds")
        case date():
            return cell.isoformat()
        case Decimal():
            shown = f"{cell:f}"
            decimals = len(shown.partition(".")[2])
            return shown if decimals >= column.places else f"{cell:.{column.places}f}"
        case _:
            return str(cell)
