"""What was counted of pulses, as it is stored: one row for each run of slots that was counted as one.

A row is never changed where nothing new was counted. When listening broke off and began again within a
slot, its parts are put together, and stay a part.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from koatsu.ems.store.database import Database
from koatsu.ems.store.schema import meter, pulse_slot

__all__ = ["StoredPulses", "days_of_pulses", "put_pulses", "stored_pulses"]

_MOST: Final = 2**31 - 1  # what the column takes


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPulses:
    """Pulses of a meter from ``seen_from`` to ``seen_until``, kept under the slot that starts at ``start``.

    ``per_kwh`` is the constant as text (``250/3``), empty where nobody told it; ``slot_pulses`` as in
    :class:`koatsu.ems.pulses.counting.PulseSpan`. Times are whole seconds.
    """

    meter_id: str
    start: datetime
    pulses: int
    per_kwh: str
    slot_pulses: int
    seen_from: datetime
    seen_until: datetime


def put_pulses(store: Database, row: StoredPulses) -> None:
    """Keep a row; beside one of the same slot it becomes a part of both.

    Raises:
        StoreError: nothing was written.
    """
    with store.writing() as connection:
        here = _row(connection, row.meter_id, row.start)
        if here is None:
            connection.execute(insert(pulse_slot).values(meter=row.meter_id, start=_s(row.start), **_of(row)))
        elif here != row:
            both = StoredPulses(
                meter_id=row.meter_id,
                start=row.start,
                pulses=min(_MOST, here.pulses + row.pulses),
                per_kwh=row.per_kwh or here.per_kwh,
                slot_pulses=min(1, here.slot_pulses + row.slot_pulses),
                seen_from=min(here.seen_from, row.seen_from),
                seen_until=max(here.seen_until, row.seen_until),
            )
            found = (pulse_slot.c.meter == row.meter_id) & (pulse_slot.c.start == _s(row.start))
            connection.execute(update(pulse_slot).where(found).values(**_of(both)))


def stored_pulses(store: Database, meter_id: str, since: datetime, until: datetime) -> list[StoredPulses]:
    """The rows that start from ``since`` to before ``until``, in order.

    Raises:
        StoreError: the store cannot be read.
    """
    query = (
        select(pulse_slot)
        .where(pulse_slot.c.meter == meter_id, pulse_slot.c.start >= _s(since))
        .where(pulse_slot.c.start < _s(until))
        .order_by(pulse_slot.c.start)
    )
    with store.reading() as connection:
        return [_stored(row) for row in connection.execute(query).mappings()]


def days_of_pulses(store: Database) -> dict[str, tuple[datetime, datetime]]:
    """For each meter with pulses the start of its first and of its last row.

    Raises:
        StoreError: the store cannot be read.
    """
    found = {}
    with store.reading() as connection:
        for meter_id in connection.execute(select(meter.c.id)).scalars().all():
            starts = select(pulse_slot.c.start).where(pulse_slot.c.meter == meter_id).limit(1)
            first = connection.execute(starts.order_by(pulse_slot.c.start)).scalar()
            last = connection.execute(starts.order_by(pulse_slot.c.start.desc())).scalar()
            if first is not None and last is not None:
                found[meter_id] = _instant(first), _instant(last)
    return found


def _row(connection: Connection, meter_id: str, start: datetime) -> StoredPulses | None:
    query = select(pulse_slot).where(pulse_slot.c.meter == meter_id, pulse_slot.c.start == _s(start))
    row = connection.execute(query).mappings().first()
    return None if row is None else _stored(row)


def _stored(row: RowMapping) -> StoredPulses:
    return StoredPulses(
        meter_id=row["meter"],
        start=_instant(row["start"]),
        pulses=row["pulses"],
        per_kwh=row["per_kwh"],
        slot_pulses=row["slot_pulses"],
        seen_from=_instant(row["seen_from"]),
        seen_until=_instant(row["seen_until"]),
    )


def _of(row: StoredPulses) -> dict[str, int | str]:
    return {
        "pulses": min(_MOST, row.pulses),
        "per_kwh": row.per_kwh,
        "slot_pulses": row.slot_pulses,
        "seen_from": _s(row.seen_from),
        "seen_until": _s(row.seen_until),
    }


def _s(instant: datetime) -> int:
    return int(instant.timestamp())


def _instant(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
