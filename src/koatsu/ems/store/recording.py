"""Writing counts: idempotent, and a second, different value never overwrites the first in silence.

A value is known by its key (epoch, register or direction, instant). A number takes the place of a "no
data"; a "no data" never takes the place of a number; a different number goes to ``conflict`` beside the
first. So the same values in any order and any number leave the same counts and the same conflicts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Connection, Table, and_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import Insert

from koatsu.ems.store.prepared import Prepared
from koatsu.ems.store.rows import Clash
from koatsu.ems.store.schema import conflict, demand, reading, sample
from koatsu.meter.readings import DemandReading, Reading, Source
from koatsu.meter.slots import HALF_HOUR

__all__ = [
    "DEMANDS",
    "READINGS",
    "Ledger",
    "Row",
    "demand_rows",
    "insert_samples",
    "reading_rows",
    "seconds",
    "utc",
    "write",
]

Row = dict[str, Any]


class Ledger(NamedTuple):
    """A table of kept counts and the names of its key columns."""

    kind: Literal["reading", "demand"]
    table: Table
    name: str  #: the column that says which register or direction
    at: str  #: the column that says when


READINGS: Final = Ledger("reading", reading, "register", "instant")
DEMANDS: Final = Ledger("demand", demand, "direction", "start")

_FINE: Final = (Source.LIVE, Source.MINUTE)
_HALF_HOUR_S: Final = HALF_HOUR // timedelta(seconds=1)


def seconds(instant: datetime) -> int:
    """Whole seconds since 1970 UTC, rounded down."""
    return int(instant.timestamp() // 1)


def utc(at: int) -> datetime:
    """The instant of ``at`` seconds since 1970."""
    return datetime.fromtimestamp(at, UTC)


def reading_rows(epoch: int, readings: Iterable[Reading]) -> tuple[list[Row], list[Row]]:
    """Rows for ``reading`` (half-hour counts) and for ``sample`` (fine counts).

    A polled present value stays a fine count even on a half hour: it may have been taken within the
    second after it, and must not contest the meter's own fixed-time value. A "no data" for an instant
    that had not come yet says nothing and is left out, as is a fine one.
    """
    kept, fine = [], []
    register = source = None  # a history holds many of one register and source: their text is looked up once
    name = how = ""
    half_hourly = False
    for entry in readings:
        if entry.register is not register:
            register, name = entry.register, entry.register.value
        if entry.source is not source:
            source, how, half_hourly = entry.source, entry.source.value, entry.source not in _FINE
        instant, count = entry.instant.timestamp(), entry.count
        row: Row = {
            "epoch": epoch,
            "register": name,
            "instant": int(instant // 1),
            "count": count,
            "received": int(entry.received.timestamp() // 1),
        }
        if half_hourly and entry.stamped and instant % _HALF_HOUR_S == 0:
            if count is not None or source is Source.HISTORY or entry.received >= entry.instant:
                row["source"] = how
                row["stamped"] = True
                kept.append(row)
        elif count is not None:
            fine.append(row)
    return kept, fine


def demand_rows(epoch: int, demands: Iterable[DemandReading]) -> list[Row]:
    """Rows for ``demand``; a "no data" for a slot that had not ended yet is left out."""
    return [
        {
            "epoch": epoch,
            "direction": entry.direction,
            "start": seconds(entry.slot.start),
            "count": entry.count,
            "source": entry.source.value,
            "received": seconds(entry.received),
        }
        for entry in demands
        if entry.count is not None or entry.source is Source.HISTORY or entry.received >= entry.slot.end
    ]


def write(connection: Connection, ledger: Ledger, rows: Sequence[Row]) -> tuple[int, int, list[Clash]]:
    """Write rows of one epoch; how many were new, how many the same, and the clashes not known before."""
    new = _ADDING[ledger.table.name].run_many(connection, rows) if rows else 0
    if new == len(rows):
        return new, 0, []
    known = _known(connection, ledger, rows)
    same = -new  # each row that has just been inserted meets itself below
    clashes: list[Clash] = []
    for row in rows:
        key = (row[ledger.name], row[ledger.at])
        count, source = known[key]
        if row["count"] == count:
            same += 1
            if count is None and source != Source.HISTORY and row["source"] == Source.HISTORY:
                _replace_no_data(connection, ledger, row)  # the history's word on it is the last one
                known[key] = (None, row["source"])
        elif row["count"] is None:
            same += 1
        elif count is None:
            _replace_no_data(connection, ledger, row)
            known[key] = (row["count"], row["source"])
            new += 1
        elif _note_conflict(connection, ledger, row):
            clashes.append(_clash(ledger, row, count))
        else:
            same += 1
    return new, same, clashes


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> int:
    """Insert those rows whose key is not there yet; how many that were."""
    if not rows:
        return 0
    adding = _adding(connection.dialect.name, table)
    return connection.execute(adding, rows, execution_options={"preserve_rowcount": True}).rowcount


@cache
def _adding(dialect: str, table: Table) -> Insert:
    if dialect == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def _prepared(table: Table) -> Prepared:
    return Prepared(lambda dialect: _adding(dialect, table))


_ADDING: Final = {table.name: _prepared(table) for table in (reading, demand, sample)}


def insert_samples(connection: Connection, rows: Sequence[Row]) -> int:
    """Insert fine counts; how many were new."""
    return _ADDING[sample.name].run_many(connection, rows) if rows else 0


def _known(
    connection: Connection, ledger: Ledger, rows: Sequence[Row]
) -> dict[tuple[str, int], tuple[int | None, str]]:
    """The kept counts and their sources in the span that ``rows`` cover."""
    columns = ledger.table.c
    times = [row[ledger.at] for row in rows]
    found = connection.execute(
        select(columns[ledger.name], columns[ledger.at], columns["count"], columns["source"]).where(
            columns["epoch"] == rows[0]["epoch"],
            columns[ledger.name].in_({row[ledger.name] for row in rows}),
            columns[ledger.at].between(min(times), max(times)),
        )
    )
    return {(name, at): (count, source) for name, at, count, source in found}


def _replace_no_data(connection: Connection, ledger: Ledger, row: Row) -> None:
    columns = ledger.table.c
    key = and_(*(columns[name] == row[name] for name in ("epoch", ledger.name, ledger.at)))
    connection.execute(
        update(ledger.table)
        .where(key, columns["count"].is_(None))
        .values(count=row["count"], source=row["source"], received=row["received"])
    )


def _note_conflict(connection: Connection, ledger: Ledger, row: Row) -> bool:
    """Keep a second value; False when that one was known already."""
    return bool(
        insert_missing(
            connection,
            conflict,
            [
                {
                    "epoch": row["epoch"],
                    "kind": ledger.kind,
                    "name": row[ledger.name],
                    "instant": row[ledger.at],
                    "count": row["count"],
                    "source": row["source"],
                    "received": row["received"],
                }
            ],
        )
    )


def _clash(ledger: Ledger, row: Row, kept: int) -> Clash:
    return Clash(
        kind=ledger.kind,
        epoch=row["epoch"],
        name=row[ledger.name],
        instant=utc(row[ledger.at]),
        kept=kept,
        other=row["count"],
    )
