"""Rows of plain tables to and from text cells, exactly: what is read is what was written, or it is refused.

Instants are ISO 8601 in UTC, numbers plain, yes and no are 1 and 0, what is not there is empty. A text that
may be missing and is empty, or begins with a backslash, is written with a backslash before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from koatsu.ems.exchange.refusals import CellError, cut
from koatsu.ems.store.archived import Field, PlainRow
from koatsu.meter.quantity import plain

__all__ = ["check_value", "day_of_text", "read_cells", "text_cells"]

FIRST: Final = int(datetime(1970, 1, 1, tzinfo=UTC).timestamp())
LAST: Final = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp())
_INT: Final = re.compile(r"(?a)0|-?[1-9]\d{0,17}")
_DECIMAL: Final = re.compile(r"(?a)-?(?:0|[1-9]\d{0,25})(?:\.\d{1,12})?")
_CLOCK: Final = re.compile(r"(?a)T([01]\d|2[0-3]):([0-5]\d):([0-5]\d)")
_INSTANT_LENGTH: Final = len("2026-04-01T00:30:00Z")
_1970: Final = date(1970, 1, 1)
_ESCAPE: Final = "\\"


def text_cells(fields: Sequence[Field], row: PlainRow) -> list[str]:
    """The cells of a row."""
    return [
        "" if value is None else _WRITERS[field.kind](value, field.optional)
        for field, value in zip(fields, row, strict=True)
    ]


def read_cells(fields: Sequence[Field], cells: Sequence[str]) -> PlainRow:
    """The row that was written as ``cells``.

    Raises:
        CellError: a cell is not of its kind; ``args[1]`` is its place, from 1.
        ValueError: there are more or fewer cells than fields.
    """
    readers = _readers(tuple(fields))
    try:
        return tuple([read(cell) for read, cell in zip(readers, cells, strict=True)])
    except (ValueError, ArithmeticError) as error:
        for number, (field, read, cell) in enumerate(zip(fields, readers, cells, strict=True), 1):
            try:
                read(cell)
            except (ValueError, ArithmeticError):
                raise _unlike(field, cell, number) from error
        raise


@lru_cache(maxsize=64)
def _readers(fields: tuple[Field, ...]) -> tuple[Callable[[str], Any], ...]:
    """What reads the cell of each field: tables have millions of cells, so it is found once."""

    def reader(field: Field) -> Callable[[str], Any]:
        read = _READERS[field.kind]
        if field.kind == "text":
            return lambda cell: None if field.optional and not cell else _text_in(cell, field.optional)
        return (lambda cell: read(cell) if cell else None) if field.optional else read

    return tuple(reader(field) for field in fields)


def check_value(field: Field, value: Any, number: int) -> Any:
    """A value that came typed, not as text, in the form in which rows carry it.

    Raises:
        CellError: it is not of its kind.
    """
    if value is None:
        if field.optional:
            return None
        raise _unlike(field, "", number)
    try:
        return _readers((field,))[0](_WRITERS[field.kind](value, field.optional))
    except (ValueError, ArithmeticError, TypeError, AttributeError) as error:
        raise _unlike(field, str(value), number) from error


def day_of_text(text: str) -> date:
    """The date of an ISO 8601 day.

    Raises:
        ValueError: it is none, or written otherwise.
    """
    found = date.fromisoformat(text)
    if found.isoformat() != text:
        raise ValueError(text)
    return found


def _unlike(field: Field, cell: str, number: int) -> CellError:
    error = CellError(
        f"“{cut(cell)}” cannot stand under {field.name}",
        f"「{cut(cell)}」は {field.name} の値ではありません",
        expected=_FORMS[field.kind][0],
        expected_ja=_FORMS[field.kind][1],
    )
    error.args = (error.args[0], number)
    return error


def _text_out(value: str, optional: bool) -> str:
    return _ESCAPE + value if optional and (not value or value.startswith(_ESCAPE)) else value


def _text_in(cell: str, optional: bool) -> str:
    if "\x00" in cell:
        raise ValueError("no database keeps such a text")
    return cell.removeprefix(_ESCAPE) if optional else cell


def _instant_out(value: int, _optional: bool) -> str:
    days, seconds = divmod(value, 86_400)
    return _day_out(days) + _clock_out(seconds)


@lru_cache(maxsize=1024)
def _day_out(days: int) -> str:
    return date.fromordinal(_1970.toordinal() + days).isoformat()


@lru_cache(maxsize=86_400)
def _clock_out(seconds: int) -> str:
    return f"T{seconds // 3_600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}Z"


def _instant_in(cell: str) -> int:
    if len(cell) != _INSTANT_LENGTH or cell[-1] != "Z":
        raise ValueError(cell)
    at = _midnight(cell[:10]) + _since_midnight(cell[10:-1])
    if not FIRST <= at < LAST:
        raise ValueError(cell)
    return at


@lru_cache(maxsize=1024)
def _midnight(text: str) -> int:
    return (day_of_text(text) - _1970).days * 86_400


@lru_cache(maxsize=86_400)
def _since_midnight(text: str) -> int:
    found = _CLOCK.fullmatch(text)
    if not found:
        raise ValueError(text)
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3_600 + minutes * 60 + seconds


def _matching(pattern: re.Pattern[str], cell: str) -> str:
    if not pattern.fullmatch(cell):
        raise ValueError(cell)
    return cell


def _flag_in(cell: str) -> bool:
    if cell not in ("0", "1"):
        raise ValueError(cell)
    return cell == "1"


_WRITERS: Final[dict[str, Callable[[Any, bool], str]]] = {
    "text": _text_out,
    "int": lambda value, _: str(int(value)),
    "flag": lambda value, _: "1" if value else "0",
    "day": lambda value, _: value,
    "instant": _instant_out,
    "decimal": lambda value, _: plain(Decimal(value)),
}
_READERS: Final[dict[str, Callable[[str], Any]]] = {
    "text": lambda cell: _text_in(cell, optional=False),
    "int": lambda cell: int(_matching(_INT, cell)),
    "flag": _flag_in,
    "day": lambda cell: day_of_text(cell).isoformat(),
    "instant": _instant_in,
    "decimal": lambda cell: _matching(_DECIMAL, cell),
}
_FORMS: Final = {
    "text": ("text", "文字"),
    "int": ("a whole number", "整数"),
    "flag": ("1 or 0", "1 か 0"),
    "day": ("a day such as 2026-04-01", "2026-04-01 の形の日付"),
    "instant": ("an instant such as 2026-04-01T00:30:00Z", "2026-04-01T00:30:00Z の形の時刻"),
    "decimal": ("a number such as 0.1", "0.1 の形の数"),
}
