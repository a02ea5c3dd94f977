"""The tables of the registers: what the desk knows of places, offices, retailers, meters and equipment.

Texts that people wrote stand as they were written; columns that end in ``_key`` hold the same folded, for
comparing and searching. Days are ISO text, instants whole seconds since 1970 UTC. Every register that people
change says who changed a row last, and when.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from koatsu.desk.metadata import metadata, seconds_column

__all__ = [
    "CHANGED",
    "LARGEST",
    "REGISTERS",
    "certified",
    "import_log",
    "meter",
    "office",
    "office_area",
    "register_event",
    "retailer",
    "supply_point",
    "supported_type",
    "terminal",
]

LARGEST: Final = 2**31 - 1  #: the largest number that a column of numbers takes
CHANGED: Final = ("changed_by", "changed_at")  #: the columns that say so; they are no part of what a row says


def _text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def _changed() -> tuple[Column[str], Column[int]]:
    return _text("changed_by"), seconds_column("changed_at")


retailer = Table(
    "desk_retailer",
    metadata,
    Column("code", Text, primary_key=True),
    _text("name"),
    Column("own", Boolean, nullable=False),  # the utility's own retail
    _text("ended_on", nullable=True),
    *_changed(),
)
"""Who sells electricity in the area."""

office = Table(
    "desk_office",
    metadata,
    Column("code", Text, primary_key=True),
    _text("kind"),  # distribution, network_service_centre, self_supply, other
    _text("name"),
    _text("postal_code"),
    _text("address"),
    _text("phone"),
    _text("email"),
    _text("hours"),
    _text("closed_on", nullable=True),
    *_changed(),
)
"""The utility's offices. Rows are never deleted: an office that is given up has a day on which it closed."""

office_area = Table(
    "desk_office_area",
    metadata,
    Column("office_kind", Text, primary_key=True),
    Column("by", Text, primary_key=True),  # postal, municipality
    Column("value_key", Text, primary_key=True),  # 1 to 7 digits, or a folded name
    _text("value"),
    Column("office", Text, ForeignKey("desk_office.code"), nullable=False),
    *_changed(),
    Index(None, "office"),
)
"""Which office serves where; of one kind of office only one has an area."""

supply_point = Table(
    "desk_supply_point",
    metadata,
    Column("number", Text, primary_key=True),  # 22 digits
    _text("postal_code"),  # 7 digits
    _text("municipality"),
    _text("street"),
    _text("place_key"),  # municipality and street, to search in
    _text("voltage"),  # low, high, extra_high
    Column("contract_kw", Integer, nullable=True),
    _text("supply"),  # utility, other, self
    Column("retailer", Text, ForeignKey("desk_retailer.code"), nullable=True),
    _text("contract_from", nullable=True),
    _text("contract_ended_on", nullable=True),
    _text("meter_type"),  # of the meter for bought energy; empty where nobody knows
    *_changed(),
    CheckConstraint("length(number) = 22", name="ck_desk_supply_point_number"),
    Index(None, "contract_ended_on"),
)
"""Where electricity is delivered. A place, not a person: nothing here is encrypted."""

supported_type = Table(
    "desk_supported_type",
    metadata,
    Column("kind", Text, primary_key=True),  # meter, terminal
    Column("type_key", Text, primary_key=True),
    _text("type"),
    _text("maker"),
    Column("two_way", Boolean, nullable=False),  # one such meter counts sold energy too
    _text("since"),
    _text("until", nullable=True),  # last day
    *_changed(),
)
"""The types of meter and terminal with which the service works, and from when to when."""


def _placed(name: str, *more: Column[str]) -> Table:
    """Devices at supply points: one row for each stay of a device at a point."""
    return Table(
        name,
        metadata,
        Column("id", Integer, primary_key=True),
        _text("serial"),
        _text("serial_key"),
        _text("type"),
        _text("type_key"),
        Column("supply_point", Text, ForeignKey("desk_supply_point.number"), nullable=False),
        *more,
        _text("since"),
        _text("until", nullable=True),  # the day on which it was taken away
        *_changed(),
        UniqueConstraint("type_key", "serial_key", "since"),
        Index(None, "supply_point"),
    )


meter = _placed("desk_meter", _text("role"))  # buy, sell, sub
"""The meters of every supply point, the one for sold energy among them."""

terminal = _placed("desk_terminal")
"""The transmission terminals of every supply point."""

certified = Table(
    "desk_certified",
    metadata,
    Column("number_key", Text, primary_key=True),
    _text("number"),
    _text("maker"),
    _text("model"),
    _text("kind"),
    _text("certified_on"),
    _text("valid_until", nullable=True),  # last day; none: no end is known
    _text("search_key"),
    *_changed(),
)
"""Energy management systems with SMA certification, as the register outside lists them."""

import_log = Table(
    "desk_import",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("kind"),
    _text("name"),
    _text("sha256"),
    _text("author"),
    seconds_column("at"),
    Column("rows", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("same", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Index(None, "sha256"),
)
"""Every file that was brought in, with what came of it."""

register_event = Table(
    "desk_register_event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    seconds_column("at"),
    _text("author"),
    _text("role"),
    _text("register"),
    _text("change"),
    _text("key"),  # reference of the record; empty where a whole file came in
    _text("detail"),  # JSON
    _text("previous"),
    _text("hash"),
    Index(None, "at"),
    Index(None, "register", "key"),
)
"""What happened to registers. Triggers of the migration let nobody change or delete a row."""

REGISTERS: Final = (retailer, office, office_area, supply_point, supported_type, meter, terminal, certified)
"""In an order in which nothing refers to what comes later."""
