"""The store laid out as plain tables, to be written elsewhere and read back exactly; reading only.

Every table has one order that does not depend on the database, so that equal stores give equal files. Keys
of the database never leave it: an epoch is its meter and number, an imported file the place in its list.
Fine counts, events and cached figures are left out: they pass, or can be made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, get_args

from sqlalchemy import Connection, Select, Table, func, select, text

from koatsu.ems.store.schema import (
    conflict,
    correction,
    demand,
    epoch,
    history_read,
    import_energy,
    import_file,
    learnt,
    meter,
    pulse_slot,
    reading,
    scale,
    site,
)
from koatsu.ems.store.touched import day_of
from koatsu.meter.registers import Direction, Register

__all__ = ["TABLES", "Field", "Limits", "PlainRow", "held_still", "plain_rows", "row_count"]

PlainRow = tuple[Any, ...]
_AT_ONCE: Final = 2_000


class Field(NamedTuple):
    """A column: ``kind`` is text, int, flag, day (ISO 8601), instant (s since 1970) or decimal (as text)."""

    name: str
    kind: str
    optional: bool = False


class Layout(NamedTuple):
    """The columns of a table, the first ``key`` of which order its rows and tell them apart.

    A key of 0: the order of the rows is theirs to keep, and equal rows may follow each other.
    """

    fields: tuple[Field, ...]
    key: int


def _layout(key: int, *fields: str) -> Layout:
    """``"name kind"`` each; a question mark after the kind: may be empty."""
    split = [field.split() for field in fields]
    return Layout(tuple(Field(name, kind.rstrip("?"), kind.endswith("?")) for name, kind in split), key)


TABLES: Final[dict[str, Layout]] = {
    "sites": _layout(1, "id text", "name text", "added_at instant"),
    "meters": _layout(
        1, "id text", "site text", "label text", "role text", "class_code int", "address text",
        "ceiling_kw decimal?", "added_at instant",
    ),
    "epochs": _layout(
        2, "meter text", "number int", "started_at instant", "class_code int", "serial text?",
        "fixed_day int?", "current_coefficient int", "voltage_coefficient int",
    ),
    "scales": _layout(
        3, "meter text", "epoch int", "what text", "coefficient int", "multiplier decimal", "unit decimal",
        "digits int?",
    ),
    "readings": _layout(
        4, "meter text", "epoch int", "register text", "instant instant", "count int?", "source text",
        "received instant", "stamped flag",
    ),
    "demands": _layout(
        4, "meter text", "epoch int", "direction text", "start instant", "count int?", "source text",
        "received instant",
    ),
    "conflicts": _layout(
        6, "meter text", "epoch int", "kind text", "name text", "instant instant", "count int", "source text",
        "received instant",
    ),
    "corrections": _layout(
        0, "meter text", "epoch int", "register text", "instant instant", "count int?", "reason text",
        "author text", "at instant", "withdrawn_at instant?", "withdrawn_by text?",
    ),
    "history_reads": _layout(
        4, "meter text", "epoch int", "day day", "property text", "read_at instant", "elements int",
        "no_data int", "reads int",
    ),
    "learnt": _layout(2, "meter text", "what text", "value text", "at instant"),
    "pulses": _layout(
        2, "meter text", "start instant", "pulses int", "per_kwh text", "slot_pulses int",
        "seen_from instant", "seen_until instant",
    ),
    "imports": _layout(
        1, "number int", "name text", "sha256 text", "kind text", "source text", "meter text", "channel text",
        "at instant", "author text", "rows int",
    ),
    "imported": _layout(2, "number int", "start instant", "energy_kwh decimal", "quality text"),
}  # fmt: skip
"""Every table in the order in which they can be read back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What to lay out: counts from ``since`` to ``until`` (s since 1970, both included), of a meter.

    ``None`` sets no limit.
    """

    since: int | None = None
    until: int | None = None
    meter_id: str | None = None

    def counts(self, query: Select[Any], at: Any) -> Select[Any]:
        """Instants of the span, its last one too."""
        query = query if self.since is None else query.where(at >= self.since)
        return query if self.until is None else query.where(at <= self.until)

    def slots(self, query: Select[Any], start: Any) -> Select[Any]:
        """Slots that start in the span."""
        query = query if self.since is None else query.where(start >= self.since)
        return query if self.until is None else query.where(start < self.until)


def held_still(connection: Connection) -> None:
    """Let everything that this transaction reads be of one moment; to be called first."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))


def row_count(connection: Connection) -> int:
    """About how many rows the long tables have, whatever the limits: for showing progress."""
    return sum(
        connection.execute(select(func.count()).select_from(table)).scalar_one()
        for table in (reading, demand, import_energy, pulse_slot)
    )


def plain_rows(connection: Connection, table: str, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    """The rows of one of :data:`TABLES`, some thousand at a time, never all at once."""
    yield from _READERS[table](connection, limits)


def _sites(connection: Connection, _limits: Limits) -> Iterator[Sequence[PlainRow]]:
    yield sorted(tuple(row) for row in connection.execute(select(site.c.id, site.c.name, site.c.added_at)))


def _meters(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    columns = (
        meter.c[name] for name in ("id", "site", "label", "role", "class_code", "address", "ceiling_kw")
    )
    found = connection.execute(select(*columns, meter.c.added_at))
    yield sorted((tuple(row) for row in found if limits.meter_id in (None, row.id)), key=lambda row: row[0])


def _epochs(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    names = ("meter", "number", "started_at", "class_code", "serial", "fixed_day")
    columns = (*(epoch.c[name] for name in names), epoch.c.current_coefficient, epoch.c.voltage_coefficient)
    found = connection.execute(select(*columns))
    yield sorted(
        (tuple(row) for row in found if limits.meter_id in (None, row.meter)), key=lambda row: row[:2]
    )


def _keys(connection: Connection, limits: Limits) -> list[tuple[str, int, int]]:
    """Meter, number and key of every epoch, in order."""
    found = connection.execute(select(epoch.c.meter, epoch.c.number, epoch.c.id))
    return sorted((row.meter, row.number, row.id) for row in found if limits.meter_id in (None, row.meter))


def _scales(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    columns = (scale.c.what, scale.c.coefficient, scale.c.multiplier, scale.c.unit, scale.c.digits)
    for meter_id, number, key in _keys(connection, limits):
        found = connection.execute(select(*columns).where(scale.c.epoch == key))
        yield sorted(((meter_id, number, *row) for row in found), key=lambda row: row[2])


def _ledger(table: Table, named: str, at: str, names: Sequence[str]) -> Any:
    """Reads a long table of counts: one epoch and one name after the other, each in the order of its key."""

    def rows(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
        columns = [column for column in table.c if column.name not in ("epoch", named)]
        for meter_id, number, key in _keys(connection, limits):
            for name in names:  # asked for one by one: to look for them would read the whole table
                query = (
                    select(*columns).where(table.c.epoch == key, table.c[named] == name).order_by(table.c[at])
                )
                limited = limits.counts if at == "instant" else limits.slots
                for chunk in _chunks(connection, limited(query, table.c[at])):
                    yield [(meter_id, number, name, *row) for row in chunk]

    return rows


def _conflicts(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    names = ("kind", "name", "instant", "count", "source", "received")
    for meter_id, number, key in _keys(connection, limits):
        query = select(*(conflict.c[name] for name in names)).where(conflict.c.epoch == key)
        found = [
            (meter_id, number, *row) for row in connection.execute(limits.counts(query, conflict.c.instant))
        ]
        yield sorted(row for row in found if row[2] != "demand" or row[4] != limits.until)


def _corrections(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    names = ("register", "instant", "count", "reason", "author", "at", "withdrawn_at", "withdrawn_by")
    columns = correction.c
    for meter_id, number, key in _keys(connection, limits):
        query = limits.counts(
            select(*(columns[name] for name in names)).where(columns.epoch == key), columns.instant
        )
        found = connection.execute(query.order_by(columns.id))  # the newest in force: their order is kept
        yield sorted(((meter_id, number, *row) for row in found), key=lambda row: row[2:4])


def _history_reads(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    names = ("day", "property", "read_at", "elements", "no_data", "reads")
    first = None if limits.since is None else day_of(limits.since).isoformat()
    last = None if limits.until is None else day_of(limits.until - 1).isoformat()
    for meter_id, number, key in _keys(connection, limits):
        query = select(*(history_read.c[name] for name in names)).where(history_read.c.epoch == key)
        query = query if first is None else query.where(history_read.c.day >= first)
        query = query if last is None else query.where(history_read.c.day <= last)
        yield sorted((meter_id, number, *row) for row in connection.execute(query))


def _learnt(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    found = connection.execute(select(learnt.c.meter, learnt.c.what, learnt.c.value, learnt.c.at))
    yield sorted(tuple(row) for row in found if limits.meter_id in (None, row.meter))


def _pulses(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    names = ("start", "pulses", "per_kwh", "slot_pulses", "seen_from", "seen_until")
    for meter_id in sorted(connection.execute(select(pulse_slot.c.meter).distinct()).scalars()):
        if limits.meter_id in (None, meter_id):
            query = select(*(pulse_slot.c[name] for name in names)).where(pulse_slot.c.meter == meter_id)
            limited = limits.slots(query, pulse_slot.c.start).order_by(pulse_slot.c.start)
            for chunk in _chunks(connection, limited):
                yield [(meter_id, *row) for row in chunk]


def _files(connection: Connection, limits: Limits) -> list[tuple[int, PlainRow]]:
    """Key and plain row of every imported file that has an energy within the limits."""
    names = ("name", "sha256", "kind", "source", "meter", "channel", "at", "author", "rows")
    query = select(import_file.c.id, *(import_file.c[name] for name in names))
    found = connection.execute(query.order_by(import_file.c.at, import_file.c.id)).all()
    inside = limits.slots(select(import_energy.c.file).distinct(), import_energy.c.start)
    speaking = set(connection.execute(inside).scalars())
    chosen = [
        tuple(row)
        for row in found
        if limits.meter_id in (None, row.meter)
        and (row.id in speaking or limits.since is None is limits.until)
    ]
    return [(row[0], (number, *row[1:])) for number, row in enumerate(chosen, 1)]


def _imports(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    yield [row for _, row in _files(connection, limits)]


def _imported(connection: Connection, limits: Limits) -> Iterator[Sequence[PlainRow]]:
    columns = (import_energy.c.start, import_energy.c.energy_kwh, import_energy.c.quality)
    for key, row in _files(connection, limits):
        query = limits.slots(select(*columns).where(import_energy.c.file == key), import_energy.c.start)
        for chunk in _chunks(connection, query.order_by(import_energy.c.start)):
            yield [(row[0], *energy) for energy in chunk]


def _chunks(connection: Connection, query: Select[Any]) -> Iterator[Sequence[Any]]:
    with connection.execute(query, execution_options={"yield_per": _AT_ONCE}) as found:
        yield from found.partitions()


_READERS: Final = {
    "sites": _sites,
    "meters": _meters,
    "epochs": _epochs,
    "scales": _scales,
    "readings": _ledger(reading, "register", "instant", sorted(Register)),
    "demands": _ledger(demand, "direction", "start", sorted(get_args(Direction))),
    "conflicts": _conflicts,
    "corrections": _corrections,
    "history_reads": _history_reads,
    "learnt": _learnt,
    "pulses": _pulses,
    "imports": _imports,
    "imported": _imported,
}
