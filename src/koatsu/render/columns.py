"""The typed columns of a list, and what may stand in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from koatsu.errors import UsageError
from koatsu.render.errors import CellError

__all__ = ["Cell", "Column", "ColumnKind", "checked_rows"]

Cell: TypeAlias = str | int | Decimal | date | datetime | None

_DIGITS: Final = 15
"""Excel keeps numbers as binary fractions: so many decimal digits are exact."""

_LONGEST_TEXT: Final = 32_767
"""Characters (UTF-16 units) in a cell of Excel."""

_FIRST_YEAR: Final = 1901
"""Excel believes that 1900 was a leap year: its days before March of that year are one off."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class ColumnKind(StrEnum):
    """What the cells of a column are."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    INSTANT = "instant"  #: an aware datetime, shown in JST


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its title, its kind, digits after the point, width in half-width characters.

    Raises:
        UsageError: places are given for something that has none, or are not between 0 and 9.
    """

    title: str
    kind: ColumnKind = ColumnKind.TEXT
    places: int = 0  #: decimals that are shown at least; a longer value is never rounded
    width: int | None = None  #: ``None``: as wide as the contents, within reason

    def __post_init__(self) -> None:
        """Refuse what a column cannot be."""
        if not 0 <= self.places <= 9 or (self.places and self.kind is not ColumnKind.DECIMAL):
            raise UsageError(f"The column {self.title!r} cannot have {self.places} decimals.")


def checked_rows(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> Iterator[tuple[Cell, ...]]:
    """The rows as they came, every cell looked at.

    Raises:
        CellError: a row has too many or too few cells, or a value does not fit its column.
    """
    for number, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            few_many = f"{len(row)} cells for {len(columns)} columns"
            raise CellError("*", number, few_many, f"列は {len(columns)} 、値は {len(row)} です")
        for column, cell in zip(columns, row, strict=True):
            if cell is not None and (wrong := _wrong(column.kind, cell)):
                raise CellError(column.title, number, *wrong)
        yield tuple(row)


def _wrong(kind: ColumnKind, cell: Cell) -> tuple[str, str] | None:
    """Why ``cell`` cannot stand in a column of ``kind``, in English and Japanese."""
    match kind, cell:
        case ColumnKind.TEXT, str():
            return _wrong_text(cell)
        case (ColumnKind.INTEGER, int()) if not isinstance(cell, bool):
            return _too_exact if abs(cell) >= 10**_DIGITS else None
        case ColumnKind.DECIMAL, Decimal():
            if not cell.is_finite():
                return "not a number", "数値ではありません"
            return _too_exact if len(cell.normalize().as_tuple().digits) > _DIGITS else None
        case (ColumnKind.DATE, date()) if not isinstance(cell, datetime):
            return _too_early if cell.year < _FIRST_YEAR else None
        case ColumnKind.INSTANT, datetime():
            if cell.tzinfo is None:
                return "a time without zone", "時間帯のない時刻です"
            return _too_early if cell.year < _FIRST_YEAR else None
    return f"{type(cell).__name__} is no {kind}", f"{kind} の列に {type(cell).__name__} は入りません"


_too_exact: Final = (
    f"more than {_DIGITS} digits, which Excel would round: make it text",
    f"{_DIGITS} 桁を超える数は Excel で丸められます。文字の列にしてください",
)
_too_early: Final = (f"before {_FIRST_YEAR}", f"{_FIRST_YEAR} 年より前の日付です")


def _wrong_text(text: str) -> tuple[str, str] | None:
    if _SURROGATE.search(text):
        return "half of a character", "文字の一部が欠けています"
    # A character is one unit or two: most texts need not be counted.
    if len(text) > _LONGEST_TEXT // 2 and len(text.encode("utf-16-le")) // 2 > _LONGEST_TEXT:
        return f"more than {_LONGEST_TEXT:,} characters", f"{_LONGEST_TEXT:,} 文字を超えています"
    return None
