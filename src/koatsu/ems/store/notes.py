"""What is written down beside counts: day histories that were fetched, and events."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, case, insert, update

from koatsu.ems.store.recording import seconds
from koatsu.ems.store.rows import Event, HistoryRead
from koatsu.ems.store.schema import event, history_read
from koatsu.meter.slots import SLOTS_PER_DAY, Slot

__all__ = ["note_event", "note_history_read"]


def note_history_read(connection: Connection, epoch: int, read: HistoryRead) -> None:
    """Note that a day history was fetched; a second time after the day counts up its ``reads``."""
    columns = history_read.c
    values = {"read_at": seconds(read.read_at), "elements": read.elements, "no_data": read.no_data}
    key = {"epoch": epoch, "day": read.day.isoformat(), "property": read.property}
    same = [columns[name] == value for name, value in key.items()]
    ended = seconds(Slot(read.day, SLOTS_PER_DAY).end)
    reads = case((columns.read_at < ended, read.reads), else_=columns.reads + read.reads)
    changed = connection.execute(update(history_read).where(*same).values(reads=reads, **values))
    if not changed.rowcount:
        connection.execute(insert(history_read).values(**key, **values, reads=read.reads))


def note_event(connection: Connection, entry: Event) -> Event:
    """Append an event; it comes back with its ``id``."""
    made = connection.execute(
        insert(event)
        .values(
            at=seconds(entry.at),
            meter=entry.meter_id,
            level=entry.level.value,
            code=entry.code,
            params=dict(entry.params),
        )
        .returning(event.c.id)
    ).scalar_one()
    return replace(entry, id=made)
