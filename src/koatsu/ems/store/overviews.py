"""One look over all meters at once: a handful of statements, however many meters there are.

What belongs to one meter in depth is asked through :class:`koatsu.ems.store.Store`; here is only what a list
of a hundred sites shows of each.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, func, select

from koatsu.clock import JST
from koatsu.ems.store.queries import is_in_force
from koatsu.ems.store.recording import READINGS, seconds, utc
from koatsu.ems.store.rows import Event, Level, Sample
from koatsu.ems.store.schema import (
    conflict,
    correction,
    day_total,
    day_touched,
    epoch,
    event,
    meter,
    reading,
    sample,
    scale,
)
from koatsu.meter.registers import Register
from koatsu.meter.scale import Scale

__all__ = ["MeterGlance", "changed_since", "first_days", "glances", "known_by_day", "newest_events"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterGlance:
    """The present epoch of a meter and its counts around now.

    ``start`` is the believed count at the start of the slot, ``latest`` the last fine count within it;
    ``digits`` and ``scale`` are those of the energy register.
    """

    epoch: int
    digits: int
    scale: Scale
    start: int | None
    latest: Sample | None


def glances(connection: Connection, start: datetime, until: datetime) -> dict[str, MeterGlance]:
    """The energy register of every meter whose nameplate is known, from ``start`` to ``until``."""
    newest = (
        select(epoch.c.meter, func.max(epoch.c.number).label("number")).group_by(epoch.c.meter).subquery()
    )
    plates = connection.execute(
        select(epoch.c.id, epoch.c.meter, epoch.c.number, scale)
        .join(newest, (newest.c.meter == epoch.c.meter) & (newest.c.number == epoch.c.number))
        .join(scale, (scale.c.epoch == epoch.c.id) & (scale.c.what == "energy"))
    ).all()
    numbers = {row.id: row.number for row in plates}
    begun = _believed(connection, numbers, seconds(start))
    last = _latest(connection, numbers, seconds(start), seconds(until))
    return {
        row.meter: MeterGlance(
            epoch=row.number,
            digits=row.digits,
            scale=Scale(row.coefficient, Decimal(row.multiplier), Decimal(row.unit)),
            start=begun.get(row.id),
            latest=last.get(row.id),
        )
        for row in plates
    }


def _believed(connection: Connection, epochs: Collection[int], at: int) -> dict[int, int | None]:
    """The count at a half hour by epoch: by hand, else the meter's unless disputed, else polled."""
    energy = Register.ENERGY.value
    polled = connection.execute(
        select(sample.c.epoch, sample.c["count"]).where(
            sample.c.epoch.in_(epochs), sample.c.register == energy, sample.c.instant == at
        )
    )
    kept = connection.execute(
        select(reading.c.epoch, reading.c["count"]).where(
            reading.c.epoch.in_(epochs),
            reading.c.register == energy,
            reading.c.instant == at,
            reading.c["count"].is_not(None),
        )
    )
    disputed = connection.execute(
        select(conflict.c.epoch).where(
            conflict.c.epoch.in_(epochs),
            conflict.c.kind == READINGS.kind,
            conflict.c.name == energy,
            conflict.c.instant == at,
        )
    ).scalars()
    by_hand = connection.execute(
        select(correction.c.epoch, correction.c["count"]).where(
            correction.c.epoch.in_(epochs),
            correction.c.register == energy,
            correction.c.instant == at,
            is_in_force(),
        )
    )
    found: dict[int, int | None] = {row.epoch: row[1] for row in (*polled, *kept)}
    found |= dict.fromkeys(disputed)
    return found | {row.epoch: row[1] for row in by_hand}


def _latest(connection: Connection, epochs: dict[int, int], since: int, until: int) -> dict[int, Sample]:
    """The last fine count of each epoch in a span."""
    at = (
        select(sample.c.epoch, func.max(sample.c.instant).label("instant"))
        .where(
            sample.c.epoch.in_(epochs),
            sample.c.register == Register.ENERGY.value,
            sample.c.instant.between(since, until),
        )
        .group_by(sample.c.epoch)
        .subquery()
    )
    rows = connection.execute(
        select(sample.c.epoch, sample.c.instant, sample.c["count"], sample.c.received).join(
            at,
            (sample.c.epoch == at.c.epoch)
            & (sample.c.instant == at.c.instant)
            & (sample.c.register == Register.ENERGY.value),
        )
    )
    return {key: Sample(epochs[key], instant, count, received) for key, instant, count, received in rows}


def known_by_day(connection: Connection, first: date, last: date) -> dict[str, dict[date, int]]:
    """Slots on file of each day from ``first`` to ``last``, by meter, where that has been counted already.

    Good for meters that :func:`changed_since` does not name: whose epochs all began before these days.
    """
    columns = day_total.c
    meters = connection.execute(select(meter.c.id)).scalars().all()  # named: each is sought by its key
    rows = connection.execute(
        select(columns.meter, columns.day, columns.known)
        .select_from(
            day_total.join(meter, meter.c.id == columns.meter).outerjoin(
                day_touched, (day_touched.c.meter == columns.meter) & (day_touched.c.day == columns.day)
            )
        )
        .where(
            columns.meter.in_(meters),
            columns.register == Register.ENERGY.value,
            columns.day.between(first.isoformat(), last.isoformat()),
            columns.meter_revision == meter.c.revision,
            columns.revision == func.coalesce(day_touched.c.revision, 0),
        )
    )
    found: dict[str, dict[date, int]] = {}
    for row in rows:
        found.setdefault(row.meter, {})[date.fromisoformat(row.day)] = row.known
    return found


def first_days(connection: Connection) -> dict[str, date]:
    """The JST day of the first known half hour of energy of each meter that has one."""
    first = (
        select(func.min(reading.c.instant))
        .where(
            reading.c.epoch == epoch.c.id,
            reading.c.register == Register.ENERGY.value,
            reading.c["count"].is_not(None),
        )
        .scalar_subquery()
    )
    rows = connection.execute(select(epoch.c.meter, first.label("first")).order_by(epoch.c.number.desc()))
    return {row.meter: utc(row.first).astimezone(JST).date() for row in rows if row.first is not None}


def changed_since(connection: Connection, since: datetime) -> frozenset[str]:
    """Meters of which a later epoch began after ``since``: which counts hold is not told by the day alone."""
    changed = connection.execute(
        select(epoch.c.meter).where(epoch.c.number > 1, epoch.c.started_at >= seconds(since)).distinct()
    )
    return frozenset(changed.scalars())


def newest_events(connection: Connection, since: datetime, levels: Collection[Level]) -> dict[str, Event]:
    """The newest event of each meter among ``levels`` from ``since`` on."""
    newest = (
        select(func.max(event.c.id).label("id"))
        .where(
            event.c.at >= seconds(since),
            event.c.level.in_([level.value for level in levels]),
            event.c.meter.is_not(None),
        )
        .group_by(event.c.meter)
        .subquery()
    )
    rows = connection.execute(select(event).join(newest, newest.c.id == event.c.id))
    return {
        row.meter: Event(
            id=row.id,
            at=utc(row.at),
            level=Level(row.level),
            code=row.code,
            meter_id=row.meter,
            params=row.params,
        )
        for row in rows
    }
