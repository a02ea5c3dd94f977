"""The records of the registers in words: what stands in which column, what a record is called, where it is.

Supply point numbers are masked, as in every list.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from koatsu.desk.imports import SHEETS, Column, Register
from koatsu.desk.offices import AreaBy
from koatsu.desk.plain_text import shown_postal
from koatsu.desk.point_numbers import masked
from koatsu.desk.register_history import DATA_LIST, TERMS
from koatsu.web.notation import grouped
from koatsu.web.texts import Texts

__all__ = [
    "FILTERS",
    "KEPT",
    "cell",
    "cells",
    "listed",
    "register_name",
    "title_of",
    "title_word",
    "values_of",
]

KEPT: Final = tuple(register for register, sheet in SHEETS.items() if sheet.adds)
"""The registers that hold records of their own; the others are files that change one of these."""

FILTERS: Final[Mapping[Register, tuple[str, ...]]] = {
    Register.SUPPLY_POINTS: ("retailer",),
    Register.AREAS: ("office",),
    Register.METERS: ("type_key",),
    Register.TERMINALS: ("type_key",),
}
"""By which columns of the table a list can be narrowed down, as links of other records do."""

#: What stands beside the name of a record in its list; of the registers that are not here, every column.
_LISTED: Final[Mapping[Register, tuple[str, ...]]] = {
    Register.SUPPLY_POINTS: (
        "municipality",
        "street",
        "voltage",
        "contract_kw",
        "supply",
        "contract_ended_on",
    ),
    Register.OFFICES: ("code", "kind", "phone", "closed_on"),
    Register.AREAS: ("office",),
    Register.RETAILERS: ("code", "own", "ended_on"),
    Register.CERTIFIED: ("maker", "kind", "number", "certified_on", "valid_until"),
    Register.SUPPORTED_TYPES: ("kind", "maker", "two_way", "since", "until"),
}

#: The column that a record is called by.
_NAMED: Final[Mapping[Register, str]] = {
    Register.SUPPLY_POINTS: "number",
    Register.OFFICES: "name",
    Register.RETAILERS: "name",
    Register.CERTIFIED: "model",
    Register.SUPPORTED_TYPES: "type",
    Register.METERS: "serial",
    Register.TERMINALS: "serial",
}


def register_name(register: str, t: Texts) -> str:
    """What people call a register; the code itself where nobody knows it any more."""
    if register in set(Register):
        return SHEETS[Register(register)].words.text(t.lang)
    versions = {TERMS: t("desk_registers.terms"), DATA_LIST: t("desk_registers.data_list")}
    return versions.get(register, register)


def listed(register: Register) -> list[Column]:
    """The columns of a list, without the one that a record is called by."""
    sheet = SHEETS[register]
    names = _LISTED.get(register)
    if names is not None:
        return [sheet.column(name) for name in names]
    return [column for column in sheet.columns if column.name != _NAMED.get(register)]


def title_of(register: Register, row: Mapping[str, Any], t: Texts) -> str:
    """What a record is called."""
    if register is Register.AREAS:
        return shown_postal(row["value"]) if row["by"] == AreaBy.POSTAL.value else str(row["value"])
    return cell(SHEETS[register].column(_NAMED[register]), row, t)


def title_word(register: Register, t: Texts) -> str:
    """The heading of the column with the names."""
    if register is Register.AREAS:
        return t("desk_registers.area")
    return SHEETS[register].column(_NAMED[register]).words.text(t.lang)


def cells(register: Register, row: Mapping[str, Any], t: Texts) -> list[tuple[Column, str]]:
    """The columns of a list with what a row says in them."""
    return [(column, cell(column, row, t)) for column in listed(register)]


def values_of(register: Register, row: Mapping[str, Any], t: Texts) -> list[tuple[str, str]]:
    """Every column of a record with what it says; the number of a supply point is left to its page."""
    own = [column for column in SHEETS[register].columns if column.name != "number" or column.kind != "point"]
    return [(column.words.text(t.lang), cell(column, row, t)) for column in own]


def cell(column: Column, row: Mapping[str, Any], t: Texts) -> str:
    """What a row says in a column; empty where it says nothing."""
    if column.name not in row:  # the two columns of an area
        by = AreaBy.POSTAL if column.kind == "prefix" else AreaBy.MUNICIPALITY
        return column.write(row["value"]) if row["by"] == by.value else ""
    value = row[column.name]
    if column.kind == "choice":
        return next((names[t.lang != "ja"] for code, names in column.choices if code == value), "")
    if column.kind == "flag":
        return t("desk_registers.yes") if value else t("desk_registers.no")
    if column.kind == "point":
        return masked(value)
    if column.kind == "kw":
        return "" if value is None else t("desk_registers.kw", n=grouped(value))
    return column.write(value)
