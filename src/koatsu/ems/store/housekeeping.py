"""What is thrown away in time: fine counts, old events, kept figures that are no longer good.

Half-hour counts, demands, conflicts and corrections stay for ever. Every transaction is small, so that a
collector never waits long for one of them. What is old is never told by our clock alone, which may be wrong
by years: the newest half hour that a meter has dated bounds it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, and_, delete, exists, func, select

from koatsu.ems.store.database import Database
from koatsu.ems.store.recording import seconds, utc
from koatsu.ems.store.schema import day_total, day_touched, epoch, event, meter, reading, sample
from koatsu.meter.registers import Register

__all__ = ["EVENTS_KEPT", "SAMPLES_KEPT", "SAMPLES_WHOLE", "Kept", "forget_samples", "keep_house"]

SAMPLES_KEPT: Final = timedelta(days=7)  #: how long fine counts are kept
SAMPLES_WHOLE: Final = timedelta(days=2)  #: how long all of them; then the last of each minute
EVENTS_KEPT: Final = timedelta(days=3 * 366)  #: how long events are kept

_AHEAD: Final = timedelta(days=1)  #: so far our clock is believed beyond the newest half hour of a meter
_DAY_S: Final = 86_400
_MINUTE_S: Final = 60
_SPARE: Final = 256  #: free pages that are used again soon
_PAGES: Final = 2_000  #: free pages given back to the file system at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What one round has thrown away, in rows; ``pages`` were given back to the file system."""

    samples: int = 0
    events: int = 0
    figures: int = 0
    pages: int = 0


def keep_house(database: Database, now: datetime) -> Kept:
    """Throw away what is too old by ``now``; see :meth:`koatsu.ems.store.Store.keep_house`."""
    samples = events = 0
    newest = _newest(database)
    if newest is not None:
        now = min(now, newest + _AHEAD)
        samples = forget_samples(database, now, SAMPLES_KEPT) + _thin_samples(database, now)
        with database.writing() as connection:
            old = event.c.at < seconds(now - EVENTS_KEPT)
            events = connection.execute(delete(event).where(old)).rowcount
    with database.writing() as connection:
        figures = connection.execute(delete(day_total).where(~_is_good())).rowcount
    return Kept(samples=samples, events=events, figures=figures, pages=_shrink(database))


def _newest(database: Database) -> datetime | None:
    """The newest half hour whose count a meter has told: half hours are dated by the meter, never by us."""
    last = (
        select(reading.c.instant)
        .where(reading.c.epoch == epoch.c.id, reading.c.register == Register.ENERGY.value)
        .where(reading.c["count"].is_not(None))
        .order_by(reading.c.instant.desc())
        .limit(1)
        .scalar_subquery()
    )
    with database.reading() as connection:
        at = connection.execute(select(func.max(last)).select_from(epoch)).scalar()
    return None if at is None else utc(at)


def forget_samples(database: Database, now: datetime, kept: timedelta) -> int:
    """Delete fine counts older than ``kept``; how many there were."""
    forgotten = 0
    for key, register, start, end in _days(database, 0, seconds(now - kept)):
        with database.writing() as connection:
            forgotten += connection.execute(
                delete(sample).where(
                    sample.c.epoch == key,
                    sample.c.register == register,
                    sample.c.instant >= start,
                    sample.c.instant < end,
                )
            ).rowcount
    return forgotten


def _thin_samples(database: Database, now: datetime) -> int:
    """Of older fine counts leave the last of each minute; how many went.

    A day that was thinned yesterday is looked at again: it costs one read and changes nothing.
    """
    thinned = 0
    border = seconds(now - SAMPLES_WHOLE) // _MINUTE_S * _MINUTE_S
    for key, register, start, end in _days(database, seconds(now - SAMPLES_KEPT), border):
        here = and_(
            sample.c.epoch == key,
            sample.c.register == register,
            sample.c.instant >= start,
            sample.c.instant < end,
        )
        last = select(func.max(sample.c.instant)).where(here).group_by(sample.c.instant // _MINUTE_S)
        with database.writing() as connection:
            thinned += connection.execute(delete(sample).where(here, sample.c.instant.not_in(last))).rowcount
    return thinned


def _days(database: Database, since: int, until: int) -> Iterator[tuple[int, str, int, int]]:
    """Epoch, register and span, at most a day, of the fine counts from ``since`` to before ``until``."""
    with database.reading() as connection:
        kinds = connection.execute(select(sample.c.epoch, sample.c.register).distinct()).all()
    for key, register in kinds:
        here = and_(sample.c.epoch == key, sample.c.register == register, sample.c.instant >= since)
        with database.reading() as connection:
            first = connection.execute(select(func.min(sample.c.instant)).where(here)).scalar()
        if first is None:
            continue
        for start in range(first // _DAY_S * _DAY_S, until, _DAY_S):
            yield key, register, max(start, since), min(start + _DAY_S, until)


def _is_good() -> ColumnElement[bool]:
    """The condition that a row of ``day_total`` rests on what is stored now."""
    touched = (
        select(day_touched.c.revision)
        .where(day_touched.c.meter == day_total.c.meter, day_touched.c.day == day_total.c.day)
        .correlate(day_total)
        .scalar_subquery()
    )
    return exists().where(
        meter.c.id == day_total.c.meter,
        meter.c.revision == day_total.c.meter_revision,
        func.coalesce(touched, 0) == day_total.c.revision,
    )


def _shrink(database: Database) -> int:
    """Give free pages of an SQLite file back; a server does so by itself."""
    engine = database.engine
    if engine.dialect.name != "sqlite":
        return 0
    with database.writing() as connection:
        free = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
        if free > _SPARE:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)
            driver.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()  # a page for each row
        left = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
    return free - left
