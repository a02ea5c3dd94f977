"""Restoring what stands beside the counts: corrections, events, imports, pulses, what was learnt.

Each is added where it is not there yet. A correction that contradicts one in force comes in as withdrawn.
"""

from __future__ import annotations

import json
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Table, insert, select, update

from koatsu.ems.store.intake import Place
from koatsu.ems.store.queries import is_in_force
from koatsu.ems.store.recording import Row, insert_missing, seconds
from koatsu.ems.store.schema import (
    correction,
    event,
    import_energy,
    import_file,
    learnt,
    pulse_slot,
)
from koatsu.ems.store.touched import touch_counts

__all__ = ["merge_beside", "merge_corrections", "merge_events"]

_RESTORE: Final = "restore"  #: who withdraws a correction that contradicts one in force
_SAME: Final = ("epoch", "register", "instant", "count", "reason", "author", "at")


def merge_corrections(
    theirs: Connection, ours: Connection, epochs: Mapping[int, Place], at: datetime
) -> tuple[int, int]:
    """Add the corrections that are not there; how many, and how many contradict one in force."""
    known: dict[tuple[Any, ...], deque[RowMapping]] = defaultdict(deque)
    for row in ours.execute(select(correction).order_by(correction.c.id)).mappings():
        known[_correction_key(row)].append(row)  # the same may have been entered, withdrawn, entered again
    force = {
        (row["epoch"], row["register"], row["instant"])
        for row in ours.execute(select(correction).where(is_in_force())).mappings()
    }
    added = against = 0
    for found in theirs.execute(select(correction).order_by(correction.c.id)).mappings():
        meter_id, _, key = epochs[found["epoch"]]
        new = {name: value for name, value in found.items() if name != "id"} | {"epoch": key}
        alike = known[_correction_key(new)]
        here = alike.popleft() if alike else None
        if here is None:
            if new["withdrawn_at"] is None and (key, new["register"], new["instant"]) in force:
                new |= {"withdrawn_at": seconds(at), "withdrawn_by": _RESTORE}
                against += 1
            ours.execute(insert(correction), [new])
            added += 1
        elif here["withdrawn_at"] is None and new["withdrawn_at"] is not None:
            withdrawn = {name: new[name] for name in ("withdrawn_at", "withdrawn_by")}
            ours.execute(update(correction).where(correction.c.id == here["id"]).values(withdrawn))
        else:
            continue
        touch_counts(ours, meter_id, key, new["register"], [new["instant"]])
    return added, against


def _correction_key(row: Mapping[str, Any] | RowMapping) -> tuple[Any, ...]:
    return tuple(row[name] for name in _SAME)


def merge_events(ours: Connection, rows: Sequence[Row]) -> int:
    """Append the events that are not there; how many."""
    first, last = min(row["at"] for row in rows), max(row["at"] for row in rows)
    here = ours.execute(select(event).where(event.c.at.between(first, last))).mappings()
    known = {_event_key(row) for row in here}
    new = [
        {name: value for name, value in row.items() if name != "id"}
        for row in rows
        if _event_key(row) not in known
    ]
    if new:
        ours.execute(insert(event), new)
    return len(new)


def _event_key(row: Mapping[str, Any] | RowMapping) -> tuple[Any, ...]:
    return row["at"], row["meter"], row["level"], row["code"], json.dumps(row["params"], sort_keys=True)


def merge_beside(theirs: Connection, ours: Connection) -> int:
    """Add what was learnt, imports and pulses that are not there; how many pulses contradict."""
    _copy(theirs, ours, learnt)
    _imports(theirs, ours)
    key = [pulse_slot.c.meter, pulse_slot.c.start]
    here = {(row.meter, row.start): row.pulses for row in ours.execute(select(*key, pulse_slot.c.pulses))}
    against = sum(
        1
        for row in theirs.execute(select(*key, pulse_slot.c.pulses))
        if here.get((row.meter, row.start), row.pulses) != row.pulses
    )
    _copy(theirs, ours, pulse_slot)
    return against


def _copy(theirs: Connection, ours: Connection, table: Table) -> None:
    insert_missing(ours, table, [dict(row) for row in theirs.execute(select(table)).mappings()])


def _imports(theirs: Connection, ours: Connection) -> None:
    """Files that are not there, known by channel and bytes, with their energies."""
    known = {(row.channel, row.sha256) for row in ours.execute(select(import_file))}
    for found in theirs.execute(select(import_file).order_by(import_file.c.id)).mappings():
        if (found["channel"], found["sha256"]) in known:
            continue
        row = {name: value for name, value in found.items() if name != "id"}
        key = ours.execute(insert(import_file).values(row).returning(import_file.c.id)).scalar_one()
        energies = theirs.execute(select(import_energy).where(import_energy.c.file == found["id"]))
        insert_missing(ours, import_energy, [dict(one) | {"file": key} for one in energies.mappings()])
