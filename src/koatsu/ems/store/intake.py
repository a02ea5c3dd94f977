"""Taking in what a meter said, whole: counts, demands, fine counts, and the days that they touch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from koatsu.ems.store import recording
from koatsu.ems.store.rows import Recorded
from koatsu.ems.store.touched import day_of, touch_counts, touch_days
from koatsu.meter.readings import DemandReading, Reading

__all__ = ["Place", "record", "record_rows"]

Place = tuple[str, int, int]
"""Where counts belong: the meter, the number of its epoch, the key of that epoch in the store."""


def record(
    connection: Connection, place: Place, readings: Iterable[Reading], demands: Iterable[DemandReading]
) -> Recorded:
    """Keep counts of one epoch; see :meth:`koatsu.ems.store.Store.record`."""
    kept, fine = recording.reading_rows(place[2], readings)
    asked = recording.demand_rows(place[2], demands)
    recorded = record_rows(connection, place, kept, asked)
    return replace(recorded, samples=recording.insert_samples(connection, fine))


def record_rows(
    connection: Connection,
    place: Place,
    readings: Sequence[recording.Row],
    demands: Sequence[recording.Row],
) -> Recorded:
    """Keep rows of ``reading`` and ``demand`` of one epoch, and touch the days that they change."""
    meter_id, number, key = place
    new, same, clashes = recording.write(connection, recording.READINGS, readings)
    if new or clashes:
        instants = defaultdict(list)
        for row in readings:
            instants[row["register"]].append(row["instant"])
        for name, found in instants.items():
            touch_counts(connection, meter_id, key, name, found)
    new_demands, same_demands, demand_clashes = recording.write(connection, recording.DEMANDS, demands)
    if new_demands or demand_clashes:
        touch_days(connection, meter_id, (day_of(row["start"]) for row in demands))
    return Recorded(
        new=new + new_demands,
        same=same + same_demands,
        conflicts=tuple(replace(clash, epoch=number) for clash in (*clashes, *demand_clashes)),
    )
