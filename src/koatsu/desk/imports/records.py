"""The records of the registers as pages want them: counted, searched, found by their references.

Every function works in a transaction of the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Table, and_, func, or_, select

from koatsu.desk.errors import UnknownError
from koatsu.desk.imports.exporting import texts_of
from koatsu.desk.imports.merging import rows_with_keys
from koatsu.desk.imports.sheets import SHEETS, Register, Sheet
from koatsu.desk.plain_text import bare_digits, folded, folded_words
from koatsu.desk.references import References
from koatsu.desk.supply_points import FEWEST_DIGITS, points_matching
from koatsu.desk.words import Words

__all__ = ["Extent", "RecordPage", "extents", "record_of", "reference_of", "search_records"]

_MOST_ROWS: Final = 500

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How large a register is, and when it was changed last."""

    register: Register
    count: int
    changed_at: datetime | None  #: ``None``: it is empty


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPage:
    """A part of what a search found, as rows of the table."""

    rows: Sequence[Row]
    total: int


def extents(connection: Connection) -> list[Extent]:
    """Every register that holds rows of its own, in the order of the table of registers."""
    found = []
    for register, sheet in SHEETS.items():
        if not sheet.adds:  # a file that changes another register
            continue
        query = select(func.count(), func.max(sheet.table.c.changed_at)).select_from(sheet.table)
        count, at = connection.execute(query).one()
        changed = None if at is None else datetime.fromtimestamp(at, UTC)
        found.append(Extent(register=register, count=count, changed_at=changed))
    return found


def search_records(
    connection: Connection,
    register: Register,
    text: str = "",
    *,
    of: Mapping[str, str],
    limit: int = 50,
    offset: int = 0,
) -> RecordPage:
    """The rows of a register that hold every word of ``text``, in the order of its files.

    Width, kana and capitals make no difference. Supply points and devices are found by the last digits of the
    number too, devices by serial number and type.

    Args:
        connection: the transaction.
        register: which.
        text: what is looked for; empty: everything.
        of: what columns of the table must say.
        limit: at most so many rows.
        offset: leaving out so many.
    """
    sheet = SHEETS[register]
    table, first, most = sheet.table, max(offset, 0), min(max(limit, 0), _MOST_ROWS)
    conditions = [table.c[name] == value for name, value in of.items()]
    query = select(table).order_by(*(table.c[name] for name in sheet.key))
    looked_up = _LARGE.get(register)
    if text.strip() and looked_up is None:
        found = connection.execute(query.where(*conditions)).mappings()
        rows = [row for row in map(dict, found) if _holds(sheet, row, text)]
        return RecordPage(rows=rows[first : first + most], total=len(rows))
    if text.strip() and looked_up is not None:
        conditions += looked_up(table, text)
    total = connection.execute(select(func.count()).select_from(table).where(*conditions)).scalar_one()
    part = connection.execute(query.where(*conditions).limit(most).offset(first))
    return RecordPage(rows=[dict(row) for row in part.mappings()], total=total)


def reference_of(references: References, sheet: Sheet, row: Row) -> str:
    """What a row is called in addresses and in the history: its id or code, else a reference of its key."""
    if "id" in row:
        return str(row["id"])
    if sheet.key == ("code",):
        return str(row["code"])
    return references.of(sheet.register.value, json.dumps([row[name] for name in sheet.key]))


def record_of(
    connection: Connection, references: References, register: Register, reference: str
) -> dict[str, Any]:
    """The row of that reference.

    Raises:
        UnknownError: there is none.
    """
    sheet = SHEETS[register]
    row = _found(connection, references, sheet, reference)
    if row is None:
        name = sheet.words
        raise UnknownError(
            Words(
                f"{name.ja}の台帳に、その記録はありません。", f"There is no such record ({name.en.lower()})."
            ),
            Words("台帳でさがしてください。", "Search the register."),
        )
    return row


def _found(
    connection: Connection, references: References, sheet: Sheet, reference: str
) -> dict[str, Any] | None:
    if "id" in sheet.table.c:
        if not (reference.isascii() and reference.isdigit() and len(reference) < 10):
            return None
        query = select(sheet.table).where(sheet.table.c.id == int(reference))
        row = connection.execute(query).mappings().first()
        return None if row is None else dict(row)
    if sheet.key == ("code",):
        key: tuple[Any, ...] = (reference,)
    else:
        name = references.name(sheet.register.value, reference)
        if name is None:
            return None
        key = tuple(json.loads(name))
    return rows_with_keys(connection, sheet, [key]).get(key)


def _holds(sheet: Sheet, row: Row, text: str) -> bool:
    """Whether a row says every word, in any of its columns, as people write them or by their codes."""
    said = folded("\n".join([*texts_of(sheet, row).values(), *map(str, row.values())]))
    return all(word in said for word in folded_words(text))


def _certificates(table: Table, text: str) -> list[ColumnElement[bool]]:
    return [table.c.search_key.contains(word, autoescape=True) for word in folded_words(text)]


def _points(_table: Table, text: str) -> list[ColumnElement[bool]]:
    return points_matching(text)


def _devices(table: Table, text: str) -> list[ColumnElement[bool]]:
    words = folded_words(text)
    named = and_(
        True,
        *(
            or_(*(table.c[name].contains(word, autoescape=True) for name in ("serial_key", "type_key")))
            for word in words
        ),
    )
    digits = bare_digits(text)
    if digits.isascii() and digits.isdigit() and len(digits) >= FEWEST_DIGITS:
        return [or_(table.c.supply_point.endswith(digits, autoescape=True), named)]
    return [named]


_LARGE: Final[dict[Register, Callable[[Table, str], list[ColumnElement[bool]]]]] = {
    Register.SUPPLY_POINTS: _points,
    Register.METERS: _devices,
    Register.TERMINALS: _devices,
    Register.CERTIFIED: _certificates,
}
"""Registers that the database searches; the others are read and looked through."""
