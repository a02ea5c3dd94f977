"""Bringing a backup into a store: what is missing is added, what contradicts is listed, nothing overwritten.

Counts go through the same rule as what a meter says, in small transactions, so a program that collects into
the store goes on meanwhile, and a restore that was cut off is completed by doing it again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, func, insert, select

from koatsu.ems.store import epochs as epoch_rows
from koatsu.ems.store.aligning import Pair, aligned
from koatsu.ems.store.backup import BackupError, Manifest, Progress, other_site
from koatsu.ems.store.database import Database
from koatsu.ems.store.intake import Place, record_rows
from koatsu.ems.store.recording import Row, insert_missing
from koatsu.ems.store.restoring_notes import merge_beside, merge_corrections, merge_events
from koatsu.ems.store.rows import Clash
from koatsu.ems.store.schema import conflict, demand, event, history_read, meter, reading, sample, site
from koatsu.ems.store.touched import touch_meter

__all__ = ["Restored", "check_same_site", "merge"]

_AT_ONCE: Final = 4_800  #: rows of one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore changed.

    ``whole``: the store was not there before, or gave way as a whole. ``counts`` and ``same`` are half-hour
    counts and demands that were added, and that were there already; ``clashes`` those that contradict what is
    stored, with their meter: kept beside it as conflicts. ``against`` are corrections and pulses that
    contradict: not taken.
    """

    whole: bool = False
    meters: tuple[str, ...] = ()
    epochs: int = 0
    counts: int = 0
    same: int = 0
    clashes: tuple[tuple[str, Clash], ...] = ()
    corrections: int = 0
    events: int = 0
    against: int = 0

    @property
    def contradictions(self) -> int:
        """How many values contradict what is stored."""
        return len(self.clashes) + self.against


def check_same_site(manifest: Manifest, store: Database, store_id: str, named: str | None) -> None:
    """Pass when the backup is of this store, of the same meters, or of the site that was named.

    Raises:
        BackupError: it is another site's.
    """
    with store.reading() as connection:
        ours = {
            meter_id: {one.nameplate.serial for _, one in epoch_rows.epochs_of(connection, meter_id)} - {None}
            for meter_id in connection.execute(select(meter.c.id)).scalars()
        }
    empty = not any(ours.values())
    shared = [bool(known & set(manifest.meters.get(name, ()))) for name, known in ours.items() if known]
    if manifest.store == store_id or empty or any(shared) or named in manifest.sites.values():
        return
    raise other_site(manifest)


def merge(source: Database, target: Database, *, at: datetime, in_use: bool, progress: Progress) -> Restored:
    """Add to ``target`` what it lacks of ``source``.

    Args:
        source: a store of the newest shape.
        target: the store that gets it.
        at: our time.
        in_use: a program collects into ``target``, so the epochs of its meters must stay as they are.
        progress: called as it goes on.

    Raises:
        BackupError: epochs would have to be added, and a program collects into the store.
        StoreError: a database refused.
    """
    with source.reading() as theirs:
        return _Merge(theirs, target, at, progress).run(in_use=in_use)


class _Merge:
    def __init__(self, theirs: Connection, target: Database, at: datetime, progress: Progress) -> None:
        self.theirs = theirs
        self.target = target
        self.at = at
        self.progress = progress
        self.done = 0
        tables = (reading, demand, conflict, sample, history_read, event)
        self.whole = sum(theirs.execute(select(func.count()).select_from(one)).scalar_one() for one in tables)
        self.counts = self.same = 0
        self.clashes: list[tuple[str, Clash]] = []

    def run(self, *, in_use: bool) -> Restored:
        plan = self._plan()
        if in_use:
            self._check_plan(plan)
        added = self._meters()
        epochs: dict[int, Place] = {}  # the key of an epoch there -> where its counts belong here
        for meter_id, pairs in plan.items():
            epochs |= self._epochs(meter_id, pairs)
        for key, place in epochs.items():
            self._counts(key, place)
            for table in (sample, history_read):
                self._copy(table, key, place[2])
        with self.target.writing() as ours:
            corrections, against = merge_corrections(self.theirs, ours, epochs, self.at)
            against += merge_beside(self.theirs, ours)
        events = 0
        for rows in self._chunks(select(event).order_by(event.c.id)):
            with self.target.writing() as ours:
                events += merge_events(ours, rows)
        new = sum(1 for pairs in plan.values() for mine, other in pairs if mine is None and other is not None)
        return Restored(
            meters=added,
            epochs=new,
            counts=self.counts,
            same=self.same,
            clashes=tuple(self.clashes),
            corrections=corrections,
            events=events,
            against=against,
        )

    # --- meters and epochs ------------------------------------------------------------------------------

    def _plan(self) -> Mapping[str, tuple[Pair, ...]]:
        plan = {}
        with self.target.reading() as ours:
            for meter_id in self.theirs.execute(select(meter.c.id).order_by(meter.c.added_at)).scalars():
                here = [one for _, one in epoch_rows.epochs_of(ours, meter_id)]
                there = [one for _, one in epoch_rows.epochs_of(self.theirs, meter_id)]
                plan[meter_id] = aligned(here, there)
        return plan

    def _check_plan(self, plan: Mapping[str, tuple[Pair, ...]]) -> None:
        for meter_id, pairs in plan.items():
            known = any(mine is not None for mine, _ in pairs)
            if known and any(mine is None for mine, _ in pairs):
                raise BackupError(
                    f"The backup knows a meter epoch of {meter_id} that the store does not.",
                    ja=f"バックアップには、保存先にない計量器の期間({meter_id})があります。",
                    hint="Stop koatsu run, restore, and start it again.",
                    hint_ja="koatsu run を止めてから復元し、起動し直してください。",
                )

    def _meters(self) -> tuple[str, ...]:
        with self.target.writing() as ours:
            insert_missing(ours, site, [dict(row) for row in self.theirs.execute(select(site)).mappings()])
            known = set(ours.execute(select(meter.c.id)).scalars())
            rows = [
                dict(row) | {"revision": 0}
                for row in self.theirs.execute(select(meter)).mappings()
                if row["id"] not in known
            ]
            if rows:
                ours.execute(insert(meter), rows)
        return tuple(row["id"] for row in rows)

    def _epochs(self, meter_id: str, pairs: Sequence[Pair]) -> dict[int, Place]:
        """Bring the epochs of a meter into one order; where the counts of each one there belong here."""
        there = {one.number: key for key, one in epoch_rows.epochs_of(self.theirs, meter_id)}
        places: dict[int, Place] = {}
        with self.target.writing() as ours:
            here = {one.number: key for key, one in epoch_rows.epochs_of(ours, meter_id)}
            moved = {mine.number: new for new, (mine, _) in enumerate(pairs, 1) if mine is not None}
            epoch_rows.renumber(ours, meter_id, {was: new for was, new in moved.items() if was != new})
            for number, (mine, other) in enumerate(pairs, 1):
                if other is None:
                    continue
                if mine is None:
                    key = epoch_rows.add_epoch(ours, meter_id, number, other.nameplate, other.started_at)
                else:
                    key = here[mine.number]
                    epoch_rows.complete_epoch(ours, key, mine, other)
                places[there[other.number]] = (meter_id, number, key)
            touch_meter(ours, meter_id)
        return places

    # --- rows -------------------------------------------------------------------------------------------

    def _counts(self, key: int, place: Place) -> None:
        """Counts, demands and every further value of theirs, through the rule of what a meter says."""
        for table, order in ((reading, reading.c.instant), (demand, demand.c.start)):
            query = select(table).where(table.c.epoch == key).order_by(table.columns[1], order)
            for rows in self._chunks(query):
                self._record(place, rows if table is reading else (), rows if table is demand else ())
        for rows in self._chunks(select(conflict).where(conflict.c.epoch == key)):
            self._record(
                place,
                [
                    _as(row, "register", "instant") | {"stamped": True}
                    for row in rows
                    if row["kind"] == "reading"
                ],
                [_as(row, "direction", "start") for row in rows if row["kind"] == "demand"],
            )

    def _record(self, place: Place, readings: Sequence[Row], demands: Sequence[Row]) -> None:
        ours = {"epoch": place[2]}
        with self.target.writing() as connection:
            recorded = record_rows(
                connection, place, [row | ours for row in readings], [row | ours for row in demands]
            )
        self.counts += recorded.new
        self.same += recorded.same
        self.clashes += [(place[0], clash) for clash in recorded.conflicts]

    def _copy(self, table: Table, key: int, ours: int) -> None:
        for rows in self._chunks(select(table).where(table.c.epoch == key)):
            with self.target.writing() as connection:
                insert_missing(connection, table, [row | {"epoch": ours} for row in rows])

    def _chunks(self, query: Any) -> Iterator[list[Row]]:
        with self.theirs.execute(query, execution_options={"yield_per": _AT_ONCE}) as found:
            for part in found.mappings().partitions():
                yield [dict(row) for row in part]
                self.done += len(part)
                self.progress(self.done, self.whole)


def _as(row: Row, name: str, at: str) -> Row:
    """A row of ``conflict`` as one of the table that it stands beside."""
    return {
        name: row["name"],
        at: row["instant"],
        "count": row["count"],
        "source": row["source"],
        "received": row["received"],
    }
