"""Which columns a register has: the table ``tables/registers.toml``, read once.

Files, forms and reports are made from it. How columns that nobody writes come about, and what must hold
between cells, stands in :mod:`koatsu.desk.imports.rules`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Table, UniqueConstraint

from koatsu.desk.imports.cells import KINDS, Choice, Value, read_choice
from koatsu.desk.metadata import metadata
from koatsu.desk.plain_text import LONGEST, TextRefused, folded, kept_text
from koatsu.desk.schema_registers import CHANGED
from koatsu.desk.words import Words

__all__ = ["SHEETS", "Column", "Register", "Sheet", "heading_key"]

_UNIT: Final = re.compile(r"[(\[]\s*(?:kw|年月日)\s*[)\]]\s*$", re.IGNORECASE)
_EXAMPLES: Final = {
    "point": "07-0012-3456-7890-1234-5678",
    "postal": "812-0011",
    "prefix": "812",
    "day": "2026-04-01",
    "kw": "418",
    "flag": "はい",
    "phone": "092-123-4567",
    "email": "chuo@example.jp",
}
_REQUIRED: Final = Words("空欄にはできません。", "This cannot be empty.")


class Register(StrEnum):
    """A register, or a file about one."""

    SUPPLY_POINTS = "supply_points"
    CONTRACT_ENDS = "contract_ends"
    OFFICES = "offices"
    AREAS = "areas"
    RETAILERS = "retailers"
    CERTIFIED = "certified"
    SUPPORTED_TYPES = "supported_types"
    METERS = "meters"
    TERMINALS = "terminals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that people write."""

    name: str
    words: Words
    kind: str  #: one of ``KINDS``, or choice
    headings: frozenset[str]  #: as :func:`heading_key` gives them
    choices: Choice = ()
    example: str = ""  #: a text that can be read; of a point number its form alone
    longest: int = LONGEST
    needed: bool = False  #: a file without it is refused
    required: bool = False  #: a new row must say it, and it is never empty
    empty: Value = None  #: what an empty cell means where it may be empty

    def read(self, text: str) -> Value:
        """The value that somebody wrote.

        Raises:
            TextRefused: it cannot be one.
        """
        if not text or text.isspace():
            if self.required:
                raise TextRefused(_REQUIRED)
            return self.empty
        if self.kind == "choice":
            return read_choice(text, self.choices)
        if self.kind == "text":
            return kept_text(text, self.longest)
        return KINDS[self.kind].read(text)

    def write(self, value: Value) -> str:
        """A text that :meth:`read` turns into ``value``."""
        if self.kind == "choice":
            return next((names[0] for code, names in self.choices if code == value), "")
        return KINDS[self.kind].write(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """The columns of a register in the order of its files."""

    register: Register
    words: Words
    table: Table
    key: tuple[str, ...]  #: the columns of the table by which a row is found again
    columns: tuple[Column, ...]
    stored: tuple[
        str, ...
    ]  #: columns of the table that say something: not who changed it, nor a number of ours
    adds: bool  #: rows may make something new

    def column(self, name: str) -> Column:
        """The column of that name; ``KeyError`` where there is none."""
        found = next((column for column in self.columns if column.name == name), None)
        if found is None:
            raise KeyError(name)
        return found


def heading_key(text: str) -> str:
    """A heading as it is compared: folded, without underscores and without a unit in brackets."""
    return folded(_UNIT.sub("", unicodedata.normalize("NFKC", text))).replace("_", "")


def _column(name: str, row: Mapping[str, Any], table: Table) -> Column:
    there = table.columns.get(name)
    nullable = there is not None and bool(there.nullable)
    choices = tuple((code, tuple(names)) for code, names in row.get("choices", {}).items())
    empty: Value = None if nullable or there is None else False if row["kind"] == "flag" else ""
    return Column(
        name=name,
        words=Words(row["ja"], row["en"]),
        kind=row["kind"],
        headings=frozenset(map(heading_key, (name, row["ja"], row["en"], *row.get("headings", ())))),
        choices=choices,
        example=row.get("example", _EXAMPLES.get(row["kind"], "")),
        longest=row.get("longest", LONGEST),
        needed=row.get("needed", False),
        required=row.get("required", False),
        empty=empty,
    )


def _key(table: Table) -> tuple[str, ...]:
    """The columns by which people know a row: those that are unique together, else the primary key."""
    unique = next((one for one in table.constraints if isinstance(one, UniqueConstraint)), None)
    return tuple(column.name for column in (table.primary_key if unique is None else unique).columns)


def _load() -> Mapping[Register, Sheet]:
    text = files("koatsu.desk").joinpath("tables/registers.toml").read_text(encoding="utf-8")
    sheets = {}
    for name, row in tomllib.loads(text).items():
        table = metadata.tables[row["table"]]
        sheets[Register(name)] = Sheet(
            register=Register(name),
            words=Words(row["ja"], row["en"]),
            table=table,
            key=_key(table),
            columns=tuple(_column(column, said, table) for column, said in row["columns"].items()),
            stored=tuple(c.name for c in table.columns if c.name not in CHANGED and c.name != "id"),
            adds=row.get("adds", True),
        )
    return MappingProxyType(sheets)


SHEETS: Final[Mapping[Register, Sheet]] = _load()
"""Every register by its name."""
