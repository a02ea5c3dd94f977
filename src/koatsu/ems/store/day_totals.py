"""Kept figures of closed days: rows that can be thrown away, good while both their revisions are present.

A row carries the revisions that were read before the counts it was made from. Revisions only grow, and grow
in the transaction that changes a count, so a row that was made while something was recorded is never taken
for good. What the figures are, :mod:`koatsu.ems.day_figures` says; here they are text.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from koatsu.ems.store.answers import Answers
from koatsu.ems.store.errors import told
from koatsu.ems.store.opening import WAIT_MS
from koatsu.ems.store.recording import seconds
from koatsu.ems.store.schema import day_total, day_touched, meter
from koatsu.ems.store.touched import revisions
from koatsu.meter.registers import Register
from koatsu.sql import WRITE

__all__ = ["KeptDay", "KeptDays", "keep_days", "kept_days", "kept_slots"]

_WAIT_MS: Final = 100  #: for a lock: what can be made again is not worth a longer wait


@dataclass(frozen=True, slots=True)
class KeptDay:
    """The figures of one day as text, and how many slots are on file."""

    known: int
    figures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDays:
    """What is kept of a run of days, and the revisions that new figures of its other days would rest on."""

    meter_revision: int
    revisions: Mapping[date, int]
    days: Mapping[date, KeptDay] = field(default_factory=dict)


def kept_days(store: Answers, meter_id: str, register: Register, first: date, last: date) -> KeptDays:
    """The good figures of the days from ``first`` to ``last``, both included.

    Raises:
        KeyError: no such meter.
        StoreError: the store cannot be read.
    """
    with store.reading() as connection:
        whole, days = revisions(connection, meter_id, first, last)
        query = _good(meter_id, register, first, last)
        rows = connection.execute(query.add_columns(day_total.c.figures))
        return KeptDays(
            meter_revision=whole,
            revisions=days,
            days={date.fromisoformat(row[0]): KeptDay(*row[1:]) for row in rows},
        )


def kept_slots(
    store: Answers, meter_id: str, register: Register, first: date, last: date
) -> Mapping[date, int]:
    """How many slots are on file on each day whose figures are kept and good.

    Raises:
        StoreError: the store cannot be read.
    """
    with store.reading() as connection:
        rows = connection.execute(_good(meter_id, register, first, last))
        return {date.fromisoformat(day): known for day, known in rows}


def keep_days(
    store: Answers,
    meter_id: str,
    register: Register,
    rest_on: KeptDays,
    found: Mapping[date, KeptDay],
    at: datetime,
) -> None:
    """Keep the figures of those days whose revisions are still what they rest on.

    Raises:
        StoreError: the store cannot be written, or somebody else is writing; nothing was kept.
    """
    with _at_once(store) as connection:
        whole, days = revisions(connection, meter_id, min(found), max(found))
        if whole != rest_on.meter_revision:
            return
        rows: list[dict[str, Any]] = [
            {
                "meter": meter_id,
                "register": register.value,
                "day": day.isoformat(),
                "meter_revision": whole,
                "revision": days.get(day, 0),
                "known": kept.known,
                "figures": kept.figures,
                "made_at": seconds(at),
            }
            for day, kept in found.items()
            if days.get(day, 0) == rest_on.revisions.get(day, 0)
        ]
        if not rows:
            return
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        adding = dialect.insert(day_total)
        key = ("meter", "register", "day")
        fresh = {column.name: column for column in adding.excluded if column.name not in key}
        connection.execute(adding.on_conflict_do_update(index_elements=key, set_=fresh), rows)


def _good(meter_id: str, register: Register, first: date, last: date) -> Any:
    columns = day_total.c
    joined = day_total.join(meter, meter.c.id == columns.meter).outerjoin(
        day_touched, (day_touched.c.meter == columns.meter) & (day_touched.c.day == columns.day)
    )
    return (
        select(columns.day, columns.known)
        .select_from(joined)
        .where(
            columns.meter == meter_id,
            columns.register == register.value,
            columns.day.between(first.isoformat(), last.isoformat()),
            columns.meter_revision == meter.c.revision,
            columns.revision == func.coalesce(day_touched.c.revision, 0),
        )
    )


@contextmanager
def _at_once(store: Answers) -> Iterator[Connection]:
    """A writing transaction that gives up soon where another program holds the lock."""
    engine = store.engine.execution_options(**{WRITE: True, WAIT_MS: _WAIT_MS})
    with told(store.where), engine.connect() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            with connection.begin():
                yield connection
            return
        (usual,) = driver.execute("PRAGMA busy_timeout").fetchone()
        driver.execute(f"PRAGMA busy_timeout = {_WAIT_MS}").close()
        try:
            with connection.begin():
                yield connection
        finally:
            driver.execute(f"PRAGMA busy_timeout = {usual}").close()
