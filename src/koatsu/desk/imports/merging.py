"""Sound rows into a register: found again by their keys, compared, checked as they will be, and written.

Each function works in the transaction of the caller. What a file does not say of a row stays as it is; a row
that says nothing new is not touched.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from koatsu.desk.imports.known import Known
from koatsu.desk.imports.reading import ParsedFile, Record
from koatsu.desk.imports.rules import RowRefused, complete, identify
from koatsu.desk.imports.sheets import Register, Sheet
from koatsu.desk.schema_registers import CHANGED
from koatsu.desk.words import Words

__all__ = ["Keyed", "Merger", "fingerprint", "rows_with_keys", "write"]

_AT_ONCE: Final = 1_000  #: rows of one statement
_DEVICES: Final = (Register.METERS, Register.TERMINALS)

Key = tuple[Any, ...]


class Keyed(NamedTuple):
    """A row of a file with the columns of its key."""

    key: Key
    record: Record
    said: dict[str, Any]


class Merger:
    """Compares the rows of a file with its register; what cannot be taken goes to the file's refusals."""

    def __init__(self, file: ParsedFile) -> None:
        self.new = self.changed = self.same = 0
        self._file, self._sheet = file, file.sheet
        self._blank = _Blank(file.sheet)

    def keyed(self, known: Known) -> list[Keyed]:
        """The rows in the order of their keys, each key once; a row that only repeats another is the same.

        Rows of one key that contradict each other are all refused: nobody knows which is right.
        """
        groups: dict[Key, list[Keyed]] = {}
        for record in self._file.records:
            said = record.given
            try:
                identify(self._sheet.register, said, known)
            except RowRefused as refused:
                self._refuse(record, refused.column, refused.words)
                continue
            key = tuple(said[name] for name in self._sheet.key)
            groups.setdefault(key, []).append(Keyed(key, record, said))
        kept = []
        for several in groups.values():
            if len(several) == 1 or all(one.said == several[0].said for one in several):
                kept.append(several[0])
                self.same += len(several) - 1
            else:
                self._contradicted(several)
        return sorted(kept, key=lambda one: one.key)

    def rows(self, connection: Connection, portion: Sequence[Keyed], known: Known) -> list[dict[str, Any]]:
        """The new and the changed ones of some rows, whole, as they will be."""
        if self._sheet.register in _DEVICES:
            known.look_up(self._sheet.table, [one.said for one in portion])
        there = rows_with_keys(connection, self._sheet, [one.key for one in portion])
        merged = []
        for one in portion:
            try:
                row = self._merged(one, there.get(one.key), known)
            except RowRefused as refused:
                self._refuse(one.record, refused.column, refused.words)
                continue
            if row is not None:
                merged.append(row)
        return merged

    def _merged(self, one: Keyed, before: dict[str, Any] | None, known: Known) -> dict[str, Any] | None:
        """A row as it will be; ``None`` where it says nothing new."""
        if before is None:
            row = self._blank.filled(one.said)
            complete(self._sheet.register, row, None, one.said, known)
            self.new += 1
            return row
        if all(before[name] == value for name, value in one.said.items()):
            self.same += 1
            return None
        row = {name: before[name] for name in self._sheet.stored} | one.said
        complete(self._sheet.register, row, before, one.said, known)
        self.changed += 1
        return row

    def _contradicted(self, several: Sequence[Keyed]) -> None:
        for one in several:
            other = next(row for row in several if row.said != one.said)
            words = Words(
                f"{other.record.row} 行目と同じものを指していますが、内容が違います。",
                f"It is about the same as row {other.record.row} and says something else.",
            )
            self._refuse(one.record, None, words)

    def _refuse(self, record: Record, column: str | None, words: Words) -> None:
        value = self._file.written(record, column) if column else ""
        self._file.refusals.add(record.row, column, value, words)


class _Blank:
    """What the columns of a new row hold where the file says nothing."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        empty = {column.name: column.empty for column in sheet.columns if column.name in sheet.stored}
        self._row: dict[str, Any] = dict.fromkeys(sheet.stored) | empty
        self._required = [column for column in sheet.columns if column.required]

    def filled(self, said: dict[str, Any]) -> dict[str, Any]:
        """A new row that says ``said``.

        Raises:
            RowRefused: the register takes no new rows, or a column that it needs is not in the file.
        """
        if not self._sheet.adds:
            raise RowRefused(
                self._sheet.columns[0].name,
                Words(
                    "登録されていないため、変更できません。",
                    "It is not registered, so there is nothing to change.",
                ),
            )
        for column in self._required:
            if column.name not in said:
                raise RowRefused(
                    column.name,
                    Words(
                        f"新しい行ですが、「{column.words.ja}」の列がファイルにありません。",
                        f"The row is new, and the file has no column “{column.words.en}”.",
                    ),
                )
        return self._row | said


def rows_with_keys(connection: Connection, sheet: Sheet, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """The rows of a register that have these keys."""
    columns = [sheet.table.c[name] for name in sheet.key]
    if len(columns) == 1:
        query = select(sheet.table).where(columns[0].in_([key[0] for key in keys]))
    else:
        query = select(sheet.table).where(tuple_(*columns).in_(keys))
    result = connection.execute(query)
    names = tuple(result.keys())
    found = (dict(zip(names, row, strict=True)) for row in result)
    return {tuple(row[name] for name in sheet.key): row for row in found}


def write(
    connection: Connection, sheet: Sheet, rows: Sequence[dict[str, Any]], by: str, now: datetime
) -> None:
    """Insert the rows, or put them in the place of those with the same keys."""
    made = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(sheet.table)
    put = (*sheet.stored, *CHANGED)
    statement = made.on_conflict_do_update(
        index_elements=list(sheet.key),
        set_={name: made.excluded[name] for name in put if name not in sheet.key},
    )
    changed = dict(zip(CHANGED, (by, int(now.timestamp())), strict=True))
    # Compiled once and handed to the driver: SQLAlchemy would build the parameters of each row anew.
    compiled = statement.compile(dialect=connection.dialect, column_keys=put)
    for at in range(0, len(rows), _AT_ONCE):
        given = [row | changed for row in rows[at : at + _AT_ONCE]]
        connection.exec_driver_sql(str(compiled), _ordered(given, compiled.positiontup))


def _ordered(rows: list[dict[str, Any]], names: Sequence[str] | None) -> list[Any]:
    """The rows as a driver takes them: by name, or in the order of ``names``."""
    return rows if names is None else list(map(itemgetter(*names), rows))


def fingerprint(sheet: Sheet, row: Mapping[str, Any]) -> str:
    """What a row says in a few letters, to find out later whether it still says so."""
    said = json.dumps([row[name] for name in sheet.stored], ensure_ascii=True)
    return hashlib.sha256(said.encode()).hexdigest()[:16]
