"""The tables of the store: raw counts and what is known about them, never an energy.

Instants are whole seconds since 1970 UTC, exact decimals are text. What stands here is the newest
shape; ``migrations`` holds the way to it from every released one, and a test compares the two.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "HEAD",
    "conflict",
    "correction",
    "day_total",
    "day_touched",
    "demand",
    "epoch",
    "event",
    "history_read",
    "import_energy",
    "import_file",
    "learnt",
    "metadata",
    "meter",
    "pulse_slot",
    "reading",
    "sample",
    "scale",
    "site",
    "store_info",
]

HEAD: Final = "0002"  #: the newest migration; a test compares it with the folder

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# "sqlite_with_rowid=False": a table that is read by ranges of its whole key is kept in the order of that key.


def _seconds(name: str, *, primary_key: bool = False, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=primary_key, nullable=nullable, autoincrement=False)


def _epoch() -> Column[int]:
    return Column("epoch", Integer, ForeignKey("epoch.id"), primary_key=True, autoincrement=False)


def _meter(*, primary_key: bool = False, nullable: bool = False) -> Column[str]:
    return Column("meter", Text, ForeignKey("meter.id"), primary_key=primary_key, nullable=nullable)


store_info = Table(
    "store_info",
    metadata,
    Column("key", Text, primary_key=True),  # id, made_at, made_by, and what opening and closing leave
    Column("value", Text, nullable=False),
)
"""What the store says of itself; ``id`` is made once, so that a backup knows where it belongs."""

site = Table(
    "site",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    _seconds("added_at"),
)
"""A site whose meters are kept here."""

meter = Table(
    "meter",
    metadata,
    Column("id", Text, primary_key=True),
    Column("label", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("class_code", Integer, nullable=False),
    Column("address", Text, nullable=False),
    Column("ceiling_kw", Text),
    _seconds("added_at"),
    Column("site", Text, nullable=False, server_default="site"),
    Column("revision", Integer, nullable=False, server_default="0"),
)
"""A meter of a site under the id that the configuration gives it.

``revision`` grows when something changes how all its counts are read: its epochs, its ceiling.
"""

epoch = Table(
    "epoch",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("meter", Text, ForeignKey("meter.id"), nullable=False),
    Column("number", Integer, nullable=False),
    _seconds("started_at"),
    Column("class_code", Integer, nullable=False),
    Column("serial", Text),
    Column("fixed_day", Integer),
    Column("current_coefficient", Integer, nullable=False),
    Column("voltage_coefficient", Integer, nullable=False),
    UniqueConstraint("meter", "number"),
)
"""A span in which a meter's counts may be subtracted: one serial number, one set of scales."""

scale = Table(
    "scale",
    metadata,
    _epoch(),
    Column("what", Text, primary_key=True),  # energy, demand, cumulative_demand, reactive
    Column("coefficient", Integer, nullable=False),
    Column("multiplier", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("digits", Integer),
    sqlite_with_rowid=False,
)
"""What one count is worth in an epoch: coefficient × multiplier × unit, and the digits of the counter."""

reading = Table(
    "reading",
    metadata,
    _epoch(),
    Column("register", Text, primary_key=True),
    _seconds("instant", primary_key=True),
    Column("count", BigInteger),
    Column("source", Text, nullable=False),
    _seconds("received"),
    Column("stamped", Boolean, nullable=False),
    sqlite_with_rowid=False,
)
"""A register at a half hour. ``count`` NULL: the meter itself said that it has no data."""

demand = Table(
    "demand",
    metadata,
    _epoch(),
    Column("direction", Text, primary_key=True),
    _seconds("start", primary_key=True),
    Column("count", BigInteger),
    Column("source", Text, nullable=False),
    _seconds("received"),
    sqlite_with_rowid=False,
)
"""The meter's own demand of the slot that starts at ``start``."""

conflict = Table(
    "conflict",
    metadata,
    _epoch(),
    Column("kind", Text, primary_key=True),  # reading or demand
    Column("name", Text, primary_key=True),  # the register or the direction
    _seconds("instant", primary_key=True),
    Column("count", BigInteger, primary_key=True, autoincrement=False),
    Column("source", Text, nullable=False),
    _seconds("received"),
    sqlite_with_rowid=False,
)
"""Every further value that differs from the one kept first for the same key."""

sample = Table(
    "sample",
    metadata,
    _epoch(),
    Column("register", Text, primary_key=True),
    _seconds("instant", primary_key=True),
    Column("count", BigInteger, nullable=False),
    _seconds("received"),
    sqlite_with_rowid=False,
)
"""Fine counts between half hours, kept for some days."""

history_read = Table(
    "history_read",
    metadata,
    _epoch(),
    Column("day", Text, primary_key=True),  # ISO 8601
    Column("property", Text, primary_key=True),
    _seconds("read_at"),
    Column("elements", Integer, nullable=False),
    Column("no_data", Integer, nullable=False),
    Column("reads", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""A day history that was fetched: when last, how many elements, how many of them "no data", how often."""

event = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    _seconds("at"),
    Column("meter", Text, ForeignKey("meter.id")),
    Column("level", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("params", JSON, nullable=False),
    Index(None, "at"),
    Index(None, "meter", "at"),
)
"""What happened: a code and its parameters; the sentence is made where it is read."""

correction = Table(
    "correction",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", Integer, ForeignKey("epoch.id"), nullable=False),
    Column("register", Text, nullable=False),
    _seconds("instant"),
    Column("count", BigInteger),
    Column("reason", Text, nullable=False),
    Column("author", Text, nullable=False),
    _seconds("at"),
    _seconds("withdrawn_at", nullable=True),
    Column("withdrawn_by", Text),
    Index(None, "epoch", "register", "instant"),
)
"""A count entered by hand, beside what the meter said. ``count`` NULL: what is kept is not believed.

Rows are added and withdrawn, never changed: the newest that is not withdrawn is in force.
"""

day_touched = Table(
    "day_touched",
    metadata,
    _meter(primary_key=True),
    Column("day", Text, primary_key=True),  # ISO 8601, JST
    Column("revision", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""How often something changed that a day's figures rest on; no row is revision 0."""

day_total = Table(
    "day_total",
    metadata,
    _meter(primary_key=True),
    Column("register", Text, primary_key=True),
    Column("day", Text, primary_key=True),
    Column("meter_revision", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("known", Integer, nullable=False),  # slots on file
    Column("figures", Text, nullable=False),  # JSON
    _seconds("made_at"),
    sqlite_with_rowid=False,
)
"""The figures of a closed day, kept because they take time to make; thrown away without loss.

A row is good as long as both revisions are the present ones.
"""

learnt = Table(
    "learnt",
    metadata,
    _meter(primary_key=True),
    Column("what", Text, primary_key=True),
    Column("value", Text, nullable=False),
    _seconds("at"),
    sqlite_with_rowid=False,
)
"""What a collector has found out about a meter and need not find out again."""

import_file = Table(
    "import_file",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("source", Text, nullable=False),
    _meter(),
    Column("channel", Text, nullable=False),  # the meter's id, or that with .reverse
    _seconds("at"),
    Column("author", Text, nullable=False),
    Column("rows", Integer, nullable=False),
    UniqueConstraint("channel", "sha256"),
)
"""A file that was brought in by hand for one channel; the same bytes are brought in once."""

import_energy = Table(
    "import_energy",
    metadata,
    Column("file", Integer, ForeignKey("import_file.id"), primary_key=True, autoincrement=False),
    _seconds("start", primary_key=True),
    Column("energy_kwh", Text, nullable=False),
    Column("quality", Text, nullable=False, server_default=""),
    sqlite_with_rowid=False,
)
"""The energy of a slot as a file says it, beside the meter's counts and never among them.

Files that say different things of a slot stand beside each other; the newest that names it speaks for it.
"""

pulse_slot = Table(
    "pulse_slot",
    metadata,
    _meter(primary_key=True),
    _seconds("start", primary_key=True),
    Column("pulses", Integer, nullable=False),
    Column("per_kwh", Text, nullable=False),
    Column("slot_pulses", Integer, nullable=False),
    _seconds("seen_from"),
    _seconds("seen_until"),
    sqlite_with_rowid=False,
)
"""The pulses counted in a slot, and the span in which somebody listened."""
