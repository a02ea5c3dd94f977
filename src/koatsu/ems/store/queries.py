"""Reading from the store: ranges of keys, one statement each, whatever the length of the range."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import Final, Literal

from sqlalchemy import BindParameter, ColumnElement, Connection, bindparam, case, exists, literal, select

from koatsu.ems.store.prepared import Prepared
from koatsu.ems.store.recording import DEMANDS, READINGS, Ledger, seconds, utc
from koatsu.ems.store.rows import Clash, Event, HistoryRead, Level, Sample, StoredCount
from koatsu.ems.store.schema import conflict, correction, event, history_read, reading, sample
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register

__all__ = [
    "bounds",
    "clashes",
    "counts",
    "events",
    "has_counts",
    "history_reads",
    "is_in_force",
    "is_undisputed",
    "known_instants",
    "latest_sample",
    "nearest",
    "samples",
]


def _ordered(epochs: dict[int, int]) -> list[tuple[int, int]]:
    """The keys of epochs and their numbers, by number."""
    return sorted(epochs.items(), key=lambda item: item[1])


def _by_number(column: ColumnElement[int], epochs: dict[int, int]) -> ColumnElement[int]:
    """What orders rows by the numbers of their epochs.

    Keys grow with numbers and tables lie in the order of keys, but for an epoch that a restore put in before.
    """
    in_order = sorted(epochs, key=lambda key: epochs[key]) == sorted(epochs)
    return column if in_order else case(epochs, value=column)


def counts(
    connection: Connection, ledger: Ledger, epochs: dict[int, int], name: str, since: int, until: int
) -> tuple[StoredCount, ...]:
    """Kept counts from ``since`` to ``until``, both included, by epoch and time.

    ``epochs`` maps the keys of epochs in the store to their numbers.
    """
    found: list[StoredCount] = []
    for key, number in _ordered(epochs):
        rows = _COUNTS[ledger.kind].run(connection, epoch=key, name=name, since=since, until=until)
        found += [StoredCount(number, *row) for row in rows]
    return tuple(found)


def _counts_of(ledger: Ledger) -> Prepared:
    columns = ledger.table.c
    at = columns[ledger.at]
    query = select(at, columns["count"], columns["source"], columns["received"]).where(
        columns["epoch"] == bindparam("epoch"),
        columns[ledger.name] == bindparam("name"),
        at.between(bindparam("since"), bindparam("until")),
    )
    return Prepared(lambda _: query.order_by(at))


_COUNTS: Final = {ledger.kind: _counts_of(ledger) for ledger in (READINGS, DEMANDS)}


@cache
def is_in_force() -> ColumnElement[bool]:
    """The condition that a row of ``correction`` is the newest one for its count that is not withdrawn."""
    newer = correction.alias()
    return correction.c.withdrawn_at.is_(None) & ~exists().where(
        newer.c.epoch == correction.c.epoch,
        newer.c.register == correction.c.register,
        newer.c.instant == correction.c.instant,
        newer.c.withdrawn_at.is_(None),
        newer.c.id > correction.c.id,
    )


@cache
def is_undisputed() -> ColumnElement[bool]:
    """The condition that a row of ``reading`` is neither contradicted by another value nor corrected."""
    columns = reading.c
    disputed = exists().where(
        conflict.c.epoch == columns.epoch,
        conflict.c.kind == READINGS.kind,
        conflict.c.name == columns.register,
        conflict.c.instant == columns.instant,
    )
    corrected = exists().where(
        correction.c.epoch == columns.epoch,
        correction.c.register == columns.register,
        correction.c.instant == columns.instant,
        correction.c.withdrawn_at.is_(None),
    )
    return ~disputed & ~corrected


def nearest(
    connection: Connection, epochs: dict[int, int], register: str, at: int, *, after: bool
) -> tuple[StoredCount, ...]:
    """In each epoch the last believed half-hour count before ``at``, or the first after it.

    Believed is what a correction in force says, and where there is none a count that is not disputed.
    """
    found: list[StoredCount] = []
    for key, number in _ordered(epochs):
        rows = [
            StoredCount(number, *row)
            for query in _NEAREST[after]
            for row in query.run(connection, epoch=key, register=register, border=at)
        ]
        found += sorted(rows, key=lambda row: abs(row.at - at))[:1]
    return tuple(found)


def _nearest(*, after: bool) -> tuple[Prepared, Prepared]:
    """The nearest count that the meter said, and the nearest that a person entered."""
    columns, hands = reading.c, correction.c
    said = select(columns.instant, columns["count"], columns.source, columns.received).where(is_undisputed())
    entered = select(hands.instant, hands["count"], literal(Source.MANUAL.value), hands.at).where(
        is_in_force()
    )
    found = []
    for query, table in ((said, reading), (entered, correction)):
        instant = table.c.instant
        border: BindParameter[int] = bindparam("border")
        wanted = query.where(
            table.c.epoch == bindparam("epoch"),
            table.c.register == bindparam("register"),
            instant > border if after else instant < border,
            table.c["count"].is_not(None),
        )
        found.append(wanted.order_by(instant if after else instant.desc()).limit(1))
    one, two = found
    return Prepared(lambda _: one), Prepared(lambda _: two)


_NEAREST: Final = {after: _nearest(after=after) for after in (False, True)}


def known_instants(
    connection: Connection, epochs: dict[int, int], register: str, since: int, until: int
) -> tuple[tuple[int, int], ...]:
    """Epoch number and instant of each half-hour count from ``since`` to ``until``, in order.

    A correction in force adds one, or takes away the one that it does not believe.
    """
    columns = reading.c
    rows = connection.execute(
        select(columns.epoch, columns.instant)
        .where(
            columns.epoch.in_(epochs),
            columns.register == register,
            columns.instant.between(since, until),
            columns["count"].is_not(None),
        )
        .order_by(_by_number(columns.epoch, epochs), columns.instant)
    )
    found = [(epochs[key], at) for key, at in rows]
    entered = connection.execute(
        select(correction.c.epoch, correction.c.instant, correction.c["count"]).where(
            correction.c.epoch.in_(epochs),
            correction.c.register == register,
            correction.c.instant.between(since, until),
            is_in_force(),
        )
    ).all()
    if entered:
        added = {(epochs[key], at) for key, at, count in entered if count is not None}
        taken = {(epochs[key], at) for key, at, count in entered if count is None}
        found = sorted((set(found) | added) - taken)
    return tuple(found)


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
        .order_by(_by_number(sample.c.epoch, epochs), sample.c.instant)
    )
    return tuple(Sample(epochs[key], at, count, received) for key, at, count, received in found)


def latest_sample(connection: Connection, epochs: dict[int, int], register: str, until: int) -> Sample | None:
    """The last fine count at or before ``until``."""
    row = connection.execute(
        select(sample.c.epoch, sample.c.instant, sample.c["count"], sample.c.received)
        .where(sample.c.epoch.in_(epochs), sample.c.register == register, sample.c.instant <= until)
        .order_by(_by_number(sample.c.epoch, epochs).desc(), sample.c.instant.desc())
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
    found: list[Clash] = []
    for wanted in (kind,) if kind else ("reading", "demand"):
        for key, number in _ordered(epochs):
            rows = _CLASHES[wanted].run(connection, epoch=key, since=since, until=until)
            found += [
                Clash(kind=wanted, epoch=number, name=name, instant=utc(at), kept=kept, other=other)
                for name, at, kept, other in rows
            ]
    return tuple(found)


def _clashes_of(ledger: Ledger) -> Prepared:
    kept = ledger.table
    joined = conflict.join(
        kept,
        (kept.c.epoch == conflict.c.epoch)
        & (kept.c[ledger.name] == conflict.c.name)
        & (kept.c[ledger.at] == conflict.c.instant),
    )
    query = (
        select(conflict.c.name, conflict.c.instant, kept.c["count"], conflict.c["count"])
        .select_from(joined)
        .where(
            conflict.c.epoch == bindparam("epoch"),
            conflict.c.kind == ledger.kind,
            conflict.c.instant.between(bindparam("since"), bindparam("until")),
        )
        .order_by(conflict.c.name, conflict.c.instant, conflict.c["count"])
    )
    return Prepared(lambda _: query)


_CLASHES: Final = {ledger.kind: _clashes_of(ledger) for ledger in (READINGS, DEMANDS)}


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
        query.order_by(_by_number(history_read.c.epoch, epochs), history_read.c.day, history_read.c.property)
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
    at = reading.c.instant
    outermost: list[int] = []
    for key in epochs:
        for name in Register:  # each end of each register is one step into the key, however long the table
            known = (
                select(at)
                .where(reading.c.epoch == key, reading.c.register == name, reading.c["count"].is_not(None))
                .limit(1)
            )
            outermost += connection.execute(known.order_by(at)).scalars()
            outermost += connection.execute(known.order_by(at.desc())).scalars()
    return (min(outermost), max(outermost)) if outermost else None


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
