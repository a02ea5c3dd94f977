"""What came of a file: counts, and every refused row with its place, what stood there and why.

Values are shown as they were written, cut to a glance; supply point numbers are masked wherever they stand.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from koatsu.clock import JST
from koatsu.desk.errors import DeskError
from koatsu.desk.imports.sheets import Column, Register, Sheet
from koatsu.desk.point_numbers import hide_numbers, masked
from koatsu.desk.words import Words
from koatsu.errors import UsageError

__all__ = ["ImportRefusedError", "ImportReport", "Refusal", "Refusals", "cut", "refused_csv", "shown"]

_SHOWN: Final = 40  #: so many letters of a value are shown
_LOOKED_AT: Final = 400  #: so many are looked at to find numbers that must be masked
_MANY: Final = 20_000  #: from so many refusals on only the first of each row is kept
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  #: with which spreadsheets take a text for a formula
_HEADINGS: Final = (
    Words("行", "Row"),
    Words("列", "Column"),
    Words("書かれていた値", "Value as written"),
    Words("理由", "Why"),
)


class ImportRefusedError(DeskError, UsageError):
    """A file of which nothing was taken; ``row`` is where, counted from 1 with the headings, if anywhere."""

    def __init__(self, name: str, words: Words, hint: Words, row: int | None = None) -> None:
        file = cut(name)
        ja, en = (f" {row} 行目", f", row {row}") if row else ("", "")
        super().__init__(
            Words(f"{file}{ja}: {words.ja}", f"{file}{en}: {words.en}"),
            Words(f"{hint.ja}何も取り込んでいません。", f"{hint.en} Nothing was imported."),
        )
        self.row = row


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a row was not taken; ``column`` is ``None`` where it is about the row as a whole."""

    row: int  #: in the file, the headings being row 1
    column: Words | None
    value: str  #: as written, cut, supply point numbers masked
    words: Words

    def text(self, lang: str) -> str:
        """The whole sentence with its place, in "ja" or "en"."""
        if lang == "ja":
            where = f"{self.row} 行目" + (f"「{self.column.ja}」" if self.column else "")
            return f"{where}: {self.words.ja}" + (f"(値: {self.value})" if self.value else "")
        where = f"Row {self.row}" + (f", {self.column.en}" if self.column else "")
        return f"{where}: {self.words.en}" + (f" (value: {self.value})" if self.value else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What a file brought, or would bring (``dry_run``).

    ``rows`` = ``new`` + ``changed`` + ``same`` + ``refused``; empty rows are not counted. ``known_since`` is
    when the same bytes were last brought in.
    """

    register: Register
    what: Words
    name: str
    encoding: str
    rows: int
    new: int
    changed: int
    same: int
    refused: int
    refusals: tuple[Refusal, ...]
    ignored: tuple[str, ...]  #: headings of columns that the register does not have
    known_since: datetime | None
    dry_run: bool

    @property
    def summary(self) -> Words:
        """What came of it in a sentence or two."""
        counts = Words(
            f"{self.what.ja} {self.rows:,} 行: 新規 {self.new:,}、変更 {self.changed:,}、同じ {self.same:,}、"
            f"取り込まない {self.refused:,}。",
            f"{self.what.en}, {self.rows:,} rows: {self.new:,} new, {self.changed:,} changed,"
            f" {self.same:,} the same, {self.refused:,} refused.",
        )
        if self.new or self.changed:
            tail = (
                Words("まだ取り込んでいません。", " Nothing has been imported yet.")
                if self.dry_run
                else Words("", "")
            )
        elif self.known_since:
            day = f"{self.known_since.astimezone(JST):%Y-%m-%d %H:%M}"
            tail = Words(
                f"同じファイルを {day} に取り込んでいます。変わったところはありません。",
                f" The same file was imported on {day}. Nothing changes.",
            )
        else:
            tail = Words("変わったところはありません。", " Nothing changes.")
        return Words(counts.ja + tail.ja, counts.en + tail.en)


class Refusals:
    """Gathers what is refused while a file is read."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._kept: list[Refusal] = []
        self.rows: set[int] = set()

    def add(self, row: int, column: Column | str | None, value: str, words: Words) -> None:
        """Refuse a row because of one of its cells, or as a whole."""
        if row in self.rows and len(self._kept) >= _MANY:
            return
        self.rows.add(row)
        if isinstance(column, str):
            column = self._sheet.column(column)
        label = column.words if column else None
        self._kept.append(Refusal(row=row, column=label, value=shown(value, column), words=words))

    def sorted(self) -> tuple[Refusal, ...]:
        """All of them in the order of the file."""
        return tuple(sorted(self._kept, key=lambda one: one.row))


def cut(text: str) -> str:
    """``text`` as a sentence can show it: printable, short, supply point numbers masked."""
    plain = hide_numbers(text[:_LOOKED_AT])
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in plain)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def shown(value: str, column: Column | None = None) -> str:
    """The value of a cell as reports show it."""
    if column is not None and column.kind == "point":
        return cut(masked(value[:_LOOKED_AT]))
    return cut(value)


def refused_csv(report: ImportReport, lang: str) -> bytes:
    """The refused rows as a CSV file for spreadsheets, with a byte-order mark."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([heading.text(lang) for heading in _HEADINGS])
    for one in report.refusals:
        column = one.column.text(lang) if one.column else ""
        writer.writerow([str(one.row), column, _inert(one.value), one.words.text(lang)])
    return out.getvalue().encode("utf-8-sig")


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
