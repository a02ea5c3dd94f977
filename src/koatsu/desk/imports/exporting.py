"""A register as a CSV file that can be imported again: the same headings, whole supply point numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, select

from koatsu.desk.imports.sheets import SHEETS, Column, Register, Sheet
from koatsu.desk.offices import AreaBy
from koatsu.desk.point_numbers import masked

__all__ = ["register_csv", "register_texts", "texts_of"]

_PORTION: Final = 2_000  #: rows of one part


def register_csv(
    connection: Connection, register: Register, lang: str = "ja", *, whole: bool = True
) -> Iterator[bytes]:
    """The parts of the file, with a byte-order mark at its beginning; without rows only its headings.

    It shows supply point numbers in full, so whoever hands it out asks for the right to see them; without
    ``whole`` they are masked, and the file cannot be imported.
    """
    sheet = SHEETS[register]
    yield _lines([[column.words.text(lang) for column in sheet.columns]]).encode("utf-8-sig")
    for rows in register_texts(connection, register, whole=whole):
        yield _lines([list(texts.values()) for texts in rows]).encode()


def register_texts(
    connection: Connection, register: Register, *, whole: bool = True
) -> Iterator[list[dict[str, str]]]:
    """The rows of such a file, some thousand at a time, as the text of every column."""
    sheet = SHEETS[register]
    hidden = [] if whole else [column.name for column in sheet.columns if column.kind == "point"]
    query = select(sheet.table).order_by(*(sheet.table.c[name] for name in sheet.key))
    if not sheet.adds:  # a file that changes a register holds the rows that say something to it
        query = query.where(*(sheet.table.c[c.name].is_not(None) for c in sheet.columns))
    for rows in connection.execute(query).mappings().partitions(_PORTION):
        texts = [texts_of(sheet, dict(row)) for row in rows]
        for name in hidden:
            for one in texts:
                one[name] = masked(one[name])
        yield texts


def texts_of(sheet: Sheet, row: Mapping[str, Any]) -> dict[str, str]:
    """A row of the table as people write it: the text of every column of the sheet, in its order."""
    return {column.name: _text(column, row) for column in sheet.columns}


def _text(column: Column, row: Mapping[str, Any]) -> str:
    if column.name in row:
        return column.write(row[column.name])
    by = AreaBy.POSTAL if column.kind == "prefix" else AreaBy.MUNICIPALITY  # the two columns of an area
    return column.write(row["value"]) if row["by"] == by.value else ""


def _lines(rows: list[list[str]]) -> str:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()
