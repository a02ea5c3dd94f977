"""The store: what was read from the meters, kept so that nothing acknowledged is ever lost.

Every method that writes is one transaction, small and synchronous; when it returns, the values are on
the disk. Methods may be called from any thread. Only counts are kept; energies are made where they are
read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, Self

from sqlalchemy import Connection, Engine, case, delete, insert, update

from koatsu.ems.store import epochs as epoch_rows
from koatsu.ems.store import queries, recording
from koatsu.ems.store.errors import StoreError, StoreErrorKind, told
from koatsu.ems.store.opening import WRITE, address, migrate, open_engine, shown
from koatsu.ems.store.rows import (
    Clash,
    Epoch,
    Event,
    HistoryRead,
    Recorded,
    Sample,
    StoredCount,
    StoredMeter,
)
from koatsu.ems.store.schema import event, history_read, sample
from koatsu.meter.epochs import Nameplate
from koatsu.meter.readings import DemandReading, Reading
from koatsu.meter.registers import Direction, Register
from koatsu.meter.slots import SLOTS_PER_DAY, Slot

__all__ = ["SAMPLES_KEPT", "Store"]

SAMPLES_KEPT: Final = timedelta(days=7)  #: how long fine counts are kept


class Store:
    """An open database of readings; make one with :meth:`open`, and close it."""

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine: Engine | None = engine
        self._where = where
        self._keys: dict[tuple[str, int], int] = {}  # (meter, epoch number) -> key of the epoch

    @classmethod
    def open(cls, store: str | Path, *, busy_s: float = 5.0) -> Self:
        """Open or make a database, brought to the newest shape.

        Args:
            store: the path of an SQLite file, or a database URL.
            busy_s: how long a call waits for a lock that another program holds, in seconds.

        Raises:
            StoreError: the file is locked, read-only, no database, of another program or a newer version.
        """
        url = address(store)
        where = shown(url)
        engine = open_engine(url, busy_s)
        try:
            with told(where), engine.execution_options(**{WRITE: True}).begin() as connection:
                migrate(connection, where)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, where)

    @property
    def where(self) -> str:
        """The path or the address of the database, without a password."""
        return self._where

    def close(self) -> None:
        """Let go of the database; closing twice does no harm."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- meters and epochs ------------------------------------------------------------------------------

    def put_meter(self, meter: StoredMeter, *, at: datetime | None = None) -> None:
        """Add a meter, or bring its label, role, class and address up to date."""
        with self._writing() as connection:
            epoch_rows.put_meter(connection, meter, at or datetime.now(UTC))

    def meters(self) -> tuple[StoredMeter, ...]:
        """Every meter, in the order in which they were added."""
        with self._reading() as connection:
            return epoch_rows.meters(connection)

    def meter(self, meter_id: str) -> StoredMeter:
        """One meter.

        Raises:
            KeyError: there is none of that id.
        """
        for found in self.meters():
            if found.id == meter_id:
                return found
        raise KeyError(meter_id)

    def open_epoch(self, meter_id: str, nameplate: Nameplate, at: datetime) -> Epoch:
        """The epoch to record into: the present one, or a new one from ``at`` where the nameplate changed.

        A nameplate that only adds what was not known, or moves the fixed day, stays in its epoch.
        """
        with self._writing() as connection:
            return epoch_rows.open_epoch(connection, meter_id, nameplate, at)

    def epochs(self, meter_id: str) -> tuple[Epoch, ...]:
        """The epochs of a meter from the first to the present one; none before its nameplate was read."""
        with self._reading() as connection:
            return tuple(found for _, found in epoch_rows.epochs_of(connection, meter_id))

    def current_epoch(self, meter_id: str) -> Epoch | None:
        """The epoch that is being recorded; ``None`` before the first."""
        known = self.epochs(meter_id)
        return known[-1] if known else None

    # --- writing ----------------------------------------------------------------------------------------

    def record(
        self,
        meter_id: str,
        epoch: int,
        readings: Iterable[Reading] = (),
        demands: Iterable[DemandReading] = (),
    ) -> Recorded:
        """Keep counts of one meter and epoch number, all or none of them.

        Half-hour counts go to the ledger; polled present values and what falls between half hours are
        kept as fine counts for some days. Recording again what is known changes nothing.

        Raises:
            StoreError: nothing was written.
            KeyError: the meter has no such epoch.
        """
        with self._writing() as connection:
            key = self._key(connection, meter_id, epoch)
            kept, fine = recording.reading_rows(key, readings)
            asked = recording.demand_rows(key, demands)
            new, same, clashes = recording.write(connection, recording.READINGS, kept)
            new_demands, same_demands, demand_clashes = recording.write(connection, recording.DEMANDS, asked)
            stored = recording.insert_samples(connection, fine)
        return Recorded(
            new=new + new_demands,
            same=same + same_demands,
            conflicts=tuple(replace(clash, epoch=epoch) for clash in (*clashes, *demand_clashes)),
            samples=stored,
        )

    def record_history_read(self, meter_id: str, read: HistoryRead) -> None:
        """Note that a day history was fetched; a second time after the day counts up its ``reads``."""
        with self._writing() as connection:
            key = self._key(connection, meter_id, read.epoch)
            columns = history_read.c
            values = {
                "read_at": recording.seconds(read.read_at),
                "elements": read.elements,
                "no_data": read.no_data,
            }
            same = (
                (columns.epoch == key)
                & (columns.day == read.day.isoformat())
                & (columns.property == read.property)
            )
            ended = recording.seconds(Slot(read.day, SLOTS_PER_DAY).end)
            reads = case((columns.read_at < ended, read.reads), else_=columns.reads + read.reads)
            changed = connection.execute(update(history_read).where(same).values(reads=reads, **values))
            if not changed.rowcount:
                connection.execute(
                    insert(history_read).values(
                        epoch=key,
                        day=read.day.isoformat(),
                        property=read.property,
                        reads=read.reads,
                        **values,
                    )
                )

    def record_event(self, entry: Event) -> Event:
        """Append an event; it comes back with its ``id``."""
        with self._writing() as connection:
            made = connection.execute(
                insert(event)
                .values(
                    at=recording.seconds(entry.at),
                    meter=entry.meter_id,
                    level=entry.level.value,
                    code=entry.code,
                    params=dict(entry.params),
                )
                .returning(event.c.id)
            ).scalar_one()
        return replace(entry, id=made)

    def forget_samples(self, now: datetime, *, kept: timedelta = SAMPLES_KEPT) -> int:
        """Delete fine counts older than ``kept``; how many there were. Half-hour counts stay for ever."""
        with self._writing() as connection:
            border = recording.seconds(now - kept)
            return connection.execute(delete(sample).where(sample.c.instant < border)).rowcount

    # --- reading ----------------------------------------------------------------------------------------

    def readings(
        self, meter_id: str, register: Register, since: datetime, until: datetime
    ) -> tuple[StoredCount, ...]:
        """Half-hour counts from ``since`` to ``until``, both included, by epoch and time."""
        return self._counts(meter_id, recording.READINGS, register.value, since, until)

    def demands(
        self, meter_id: str, direction: Direction, since: datetime, until: datetime
    ) -> tuple[StoredCount, ...]:
        """The meter's own demands of the slots that start from ``since`` to ``until``, both included."""
        return self._counts(meter_id, recording.DEMANDS, direction, since, until)

    def nearest_readings(
        self, meter_id: str, register: Register, at: datetime, *, after: bool
    ) -> tuple[StoredCount, ...]:
        """In each epoch the last undisputed half-hour count before ``at``, or the first after it."""
        with self._reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            return queries.nearest(connection, keys, register.value, recording.seconds(at), after=after)

    def known_instants(
        self, meter_id: str, register: Register, since: datetime, until: datetime
    ) -> tuple[tuple[int, int], ...]:
        """(epoch number, seconds since 1970) of each known half-hour count, both ends included, in order."""
        with self._reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            start, end = recording.seconds(since), recording.seconds(until)
            return queries.known_instants(connection, keys, register.value, start, end)

    def has_counts(self, meter_id: str, register: Register) -> bool:
        """Whether any half-hour count of a register is kept; "no data" is none."""
        with self._reading() as connection:
            return queries.has_counts(connection, epoch_rows.numbers(connection, meter_id), register.value)

    def samples(
        self, meter_id: str, register: Register, since: datetime, until: datetime
    ) -> tuple[Sample, ...]:
        """Fine counts from ``since`` to ``until``, both included, by epoch and time."""
        with self._reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            start, end = recording.seconds(since), recording.seconds(until)
            return queries.samples(connection, keys, register.value, start, end)

    def latest_sample(self, meter_id: str, register: Register, until: datetime) -> Sample | None:
        """The last fine count at or before ``until``."""
        with self._reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            return queries.latest_sample(connection, keys, register.value, recording.seconds(until))

    def conflicts(
        self,
        meter_id: str,
        since: datetime,
        until: datetime,
        *,
        kind: Literal["reading", "demand"] | None = None,
    ) -> tuple[Clash, ...]:
        """Values that differ from the one kept first, from ``since`` to ``until``, both included."""
        with self._reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            start, end = recording.seconds(since), recording.seconds(until)
            return queries.clashes(connection, keys, start, end, kind)

    def history_reads(
        self, meter_id: str, *, since: date | None = None, property_name: str | None = None
    ) -> tuple[HistoryRead, ...]:
        """The day histories that were fetched, by epoch, day and property."""
        with self._reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            return queries.history_reads(connection, keys, since, property_name)

    def bounds(self, meter_id: str) -> tuple[datetime, datetime] | None:
        """The first and the last half hour at which a count of the meter is known."""
        with self._reading() as connection:
            found = queries.bounds(connection, epoch_rows.numbers(connection, meter_id))
        return None if found is None else (recording.utc(found[0]), recording.utc(found[1]))

    def events(
        self, *, since: datetime | None = None, meter_id: str | None = None, limit: int = 100
    ) -> tuple[Event, ...]:
        """The newest events first."""
        with self._reading() as connection:
            return queries.events(connection, since=since, meter_id=meter_id, limit=limit)

    # --- inside -----------------------------------------------------------------------------------------

    def _counts(
        self, meter_id: str, ledger: recording.Ledger, name: str, since: datetime, until: datetime
    ) -> tuple[StoredCount, ...]:
        with self._reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            start, end = recording.seconds(since), recording.seconds(until)
            return queries.counts(connection, ledger, keys, name, start, end)

    def _key(self, connection: Connection, meter_id: str, number: int) -> int:
        found = self._keys.get((meter_id, number))
        if found is None:
            for key, known in epoch_rows.numbers(connection, meter_id).items():
                self._keys[meter_id, known] = key
            found = self._keys.get((meter_id, number))
        if found is None:
            raise KeyError(f"meter {meter_id} has no epoch {number}")
        return found

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._connection(write=True) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._connection(write=False) as connection:
            yield connection

    @contextmanager
    def _connection(self, *, write: bool) -> Iterator[Connection]:
        """One transaction, committed at the end; database errors come out as ``StoreError``."""
        if self._engine is None:
            raise StoreError(StoreErrorKind.CLOSED, self._where)
        with told(self._where), self._engine.execution_options(**{WRITE: write}).begin() as connection:
            yield connection
