"""Reading from the store: ranges of keys, one statement each, whatever the length of the range."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from sqlalchemy import Connection, Select, exists, func, select

from koatsu.ems.store.recording import DEMANDS, READINGS, Ledger, seconds, utc
from koatsu.ems.store.rows import Clash, Event, HistoryRead, Level, Sample, StoredCount
from koatsu.ems.store.schema import conflict, event, history_read, reading, sample

__all__ = [
    "bounds",
    "clashes",
    "counts",
    "events",
    "has_counts",
    "history_reads",
    "known_instants",
    "latest_sample",
    "nearest",
    "samples",
]


def counts(
    connection: Connection, ledger: Ledger, epochs: dict[int, int], name: str, since: int, until: int
) -> tuple[StoredCount, ...]:
    """Kept counts from ``since`` to ``until``, both included, by epoch and time.

    ``epochs`` maps the keys of epochs in the store to their numbers.
    """
    columns = ledger.table.c
    at = columns[ledger.at]
    found = connection.execute(
        select(columns["epoch"], at, columns["count"], columns["source"], columns["received"])
        .where(columns["epoch"].in_(epochs), columns[ledger.name] == name, at.between(since, until))
        .order_by(columns["epoch"], at)
    )
    return tuple(
        StoredCount(epochs[key], at, count, source, received) for key, at, count, source, received in found
    )


def nearest(
    connection: Connection, epochs: dict[int, int], register: str, at: int, *, after: bool
) -> tuple[StoredCount, ...]:
    """In each epoch the last undisputed half-hour count before ``at``, or the first after it."""
    found = []
    columns = reading.c
    disputed = exists().where(
        conflict.c.epoch == columns.epoch,
        conflict.c.kind == READINGS.kind,
        conflict.c.name == columns.register,
        conflict.c.instant == columns.instant,
    )
    border = columns.instant > at if after else columns.instant < at
    order = columns.instant.asc() if after else columns.instant.desc()
    for key, number in epochs.items():
        row = connection.execute(
            select(columns.instant, columns["count"], columns.source, columns.received)
            .where(
                columns.epoch == key,
                columns.register == register,
                border,
                columns["count"].is_not(None),
                ~disputed,
            )
            .order_by(order)
            .limit(1)
        ).first()
        if row is not None:
            found.append(StoredCount(number, row[0], row[1], row[2], row[3]))
    return tuple(found)


def known_instants(
    connection: Connection, epochs: dict[int, int], register: str, since: int, until: int
) -> tuple[tuple[int, int], ...]:
    """Epoch number and instant of each known half-hour count from ``since`` to ``until``, in order."""
    columns = reading.c
    found = connection.execute(
        select(columns.epoch, columns.instant)
        .where(
            columns.epoch.in_(epochs),
            columns.register == register,
            columns.instant.between(since, until),
            columns["count"].is_not(None),
        )
        .order_by(columns.epoch, columns.instant)
    )
    return tuple((epochs[key], at) for key, at in found)


def has_counts(connection: Connection, epochs: dict[int, int], register: str) -> bool:
    """Whether any half-hour count of a register is kept."""
    columns = reading.c
    return any(
        connection.execute(
            select(columns.instant)
            .where(columns.epoch == key, columns.register == register, columns["count"].is_not(None))
            .limit(1)
        ).first()
        is not None
        for key in epochs
    )


def samples(
    connection: Connection, epochs: dict[int, int], register: str, since: int, until: int
) -> tuple[Sample, ...]:
    """Fine counts from ``since`` to ``until``, both included, by epoch and time."""
    found = connection.execute(
        select(sample.c.epoch, sample.c.instant, sample.c["count"], sample.c.received)
        .where(
            sample.c.epoch.in_(epochs), sample.c.register == register, sample.c.instant.between(since, until)
        )
        .order_by(sample.c.epoch, sample.c.instant)
    )
    return tuple(Sample(epochs[key], at, count, received) for key, at, count, received in found)


def latest_sample(connection: Connection, epochs: dict[int, int], register: str, until: int) -> Sample | None:
    """The last fine count at or before ``until``."""
    row = connection.execute(
        select(sample.c.epoch, sample.c.instant, sample.c["count"], sample.c.received)
        .where(sample.c.epoch.in_(epochs), sample.c.register == register, sample.c.instant <= until)
        .order_by(sample.c.epoch.desc(), sample.c.instant.desc())
        .limit(1)
    ).first()
    return None if row is None else Sample(epochs[row[0]], row[1], row[2], row[3])


def clashes(
    connection: Connection,
    epochs: dict[int, int],
    since: int,
    until: int,
    kind: Literal["reading", "demand"] | None,
) -> tuple[Clash, ...]:
    """Conflicting values from ``since`` to ``until``, both included, each beside the one kept first."""
    wanted = {"reading": READINGS, "demand": DEMANDS}
    found: list[Clash] = []
    for ledger in (wanted[kind],) if kind else wanted.values():
        rows = connection.execute(_clashes_of(ledger, epochs, since, until))
        found += [
            Clash(
                kind=ledger.kind,
                epoch=epochs[row.epoch],
                name=row.name,
                instant=utc(row.instant),
                kept=row.kept,
                other=row.other,
            )
            for row in rows
        ]
    return tuple(found)


def _clashes_of(ledger: Ledger, epochs: dict[int, int], since: int, until: int) -> Select[tuple[object, ...]]:
    kept = ledger.table
    joined = conflict.join(
        kept,
        (kept.c.epoch == conflict.c.epoch)
        & (kept.c[ledger.name] == conflict.c.name)
        & (kept.c[ledger.at] == conflict.c.instant),
    )
    return (
        select(
            conflict.c.epoch,
            conflict.c.name,
            conflict.c.instant,
            kept.c["count"].label("kept"),
            conflict.c["count"].label("other"),
        )
        .select_from(joined)
        .where(
            conflict.c.epoch.in_(epochs),
            conflict.c.kind == ledger.kind,
            conflict.c.instant.between(since, until),
        )
        .order_by(conflict.c.epoch, conflict.c.name, conflict.c.instant, conflict.c["count"])
    )


def history_reads(
    connection: Connection, epochs: dict[int, int], since: date | None, name: str | None
) -> tuple[HistoryRead, ...]:
    """The day histories that were fetched, by epoch, day and property."""
    query = select(history_read).where(history_read.c.epoch.in_(epochs))
    if since is not None:
        query = query.where(history_read.c.day >= since.isoformat())
    if name is not None:
        query = query.where(history_read.c.property == name)
    found = connection.execute(
        query.order_by(history_read.c.epoch, history_read.c.day, history_read.c.property)
    )
    return tuple(
        HistoryRead(
            epoch=epochs[row.epoch],
            day=date.fromisoformat(row.day),
            property=row.property,
            read_at=utc(row.read_at),
            elements=row.elements,
            no_data=row.no_data,
            reads=row.reads,
        )
        for row in found
    )


def bounds(connection: Connection, epochs: dict[int, int]) -> tuple[int, int] | None:
    """The first and the last instant at which any register has a count; ``None`` when none has."""
    known = [
        connection.execute(
            select(func.min(reading.c.instant), func.max(reading.c.instant)).where(
                reading.c.epoch == key, reading.c.register == name, reading.c["count"].is_not(None)
            )
        ).one()
        for key in epochs
        for name in connection.execute(
            select(reading.c.register).where(reading.c.epoch == key).distinct()
        ).scalars()
    ]
    firsts = [first for first, _ in known if first is not None]
    lasts = [last for _, last in known if last is not None]
    return (min(firsts), max(lasts)) if firsts else None


def events(
    connection: Connection, *, since: datetime | None, meter_id: str | None, limit: int
) -> tuple[Event, ...]:
    """The newest events first."""
    query = select(event)
    if since is not None:
        query = query.where(event.c.at >= seconds(since))
    if meter_id is not None:
        query = query.where(event.c.meter == meter_id)
    found = connection.execute(query.order_by(event.c.at.desc(), event.c.id.desc()).limit(limit))
    return tuple(
        Event(
            id=row.id,
            at=utc(row.at),
            level=Level(row.level),
            code=row.code,
            meter_id=row.meter,
            params=row.params,
        )
        for row in found
    )
