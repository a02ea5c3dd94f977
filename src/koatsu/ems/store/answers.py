"""What can be asked of a store: every question is one short transaction that changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal

from koatsu.ems.store import corrections as correction_rows
from koatsu.ems.store import epochs as epoch_rows
from koatsu.ems.store import queries, recording, touched
from koatsu.ems.store import sites as site_rows
from koatsu.ems.store.database import Database
from koatsu.ems.store.rows import (
    Clash,
    Correction,
    Epoch,
    Event,
    HistoryRead,
    Sample,
    StoredCount,
    StoredMeter,
    StoredSite,
)
from koatsu.meter.registers import Direction, Register

__all__ = ["Answers"]


class Answers(Database):
    """The questions; :class:`koatsu.ems.store.Store` adds what writes."""

    # --- sites, meters and epochs -----------------------------------------------------------------------

    def sites(self) -> tuple[StoredSite, ...]:
        """Every site, in the order in which they were added."""
        with self.reading() as connection:
            return site_rows.sites(connection)

    def meters(self) -> tuple[StoredMeter, ...]:
        """Every meter, in the order in which they were added."""
        with self.reading() as connection:
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

    def epochs(self, meter_id: str) -> tuple[Epoch, ...]:
        """The epochs of a meter from the first to the present one; none before its nameplate was read."""
        with self.reading() as connection:
            return tuple(found for _, found in epoch_rows.epochs_of(connection, meter_id))

    def current_epoch(self, meter_id: str) -> Epoch | None:
        """The epoch that is being recorded; ``None`` before the first."""
        known = self.epochs(meter_id)
        return known[-1] if known else None

    # --- counts -------------------------------------------------------------------------------------------

    def readings(
        self, meter_id: str, register: Register, since: datetime, until: datetime
    ) -> tuple[StoredCount, ...]:
        """Half-hour counts from ``since`` to ``until``, both included, by epoch and time."""
        return self._counts(meter_id, recording.READINGS, register.value, since, until)

    def corrected_readings(
        self, meter_id: str, register: Register, since: datetime, until: datetime
    ) -> tuple[StoredCount, ...]:
        """As :meth:`readings`, with the corrections in force over them.

        A corrected count has the source "manual"; one that is not believed has ``None`` in its place.
        """
        start, end = recording.seconds(since), recording.seconds(until)
        with self.reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            rows = queries.counts(connection, recording.READINGS, keys, register.value, start, end)
            hands = correction_rows.in_force(connection, meter_id, register, start, end)
        return correction_rows.overlaid(rows, hands)

    def demands(
        self, meter_id: str, direction: Direction, since: datetime, until: datetime
    ) -> tuple[StoredCount, ...]:
        """The meter's own demands of the slots that start from ``since`` to ``until``, both included."""
        return self._counts(meter_id, recording.DEMANDS, direction, since, until)

    def nearest_readings(
        self, meter_id: str, register: Register, at: datetime, *, after: bool
    ) -> tuple[StoredCount, ...]:
        """In each epoch the last believed half-hour count before ``at``, or the first after it.

        Believed is what a correction in force says, and where there is none a count that is not disputed.
        """
        with self.reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            return queries.nearest(connection, keys, register.value, recording.seconds(at), after=after)

    def known_instants(
        self, meter_id: str, register: Register, since: datetime, until: datetime
    ) -> tuple[tuple[int, int], ...]:
        """(epoch number, seconds since 1970) of each known half-hour count, both ends included, in order.

        A correction in force adds one, or takes away the one that it does not believe.
        """
        with self.reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            start, end = recording.seconds(since), recording.seconds(until)
            return queries.known_instants(connection, keys, register.value, start, end)

    def has_counts(self, meter_id: str, register: Register) -> bool:
        """Whether any half-hour count of a register is kept; "no data" is none."""
        with self.reading() as connection:
            return queries.has_counts(connection, epoch_rows.numbers(connection, meter_id), register.value)

    def samples(
        self, meter_id: str, register: Register, since: datetime, until: datetime
    ) -> tuple[Sample, ...]:
        """Fine counts from ``since`` to ``until``, both included, by epoch and time."""
        with self.reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            start, end = recording.seconds(since), recording.seconds(until)
            return queries.samples(connection, keys, register.value, start, end)

    def latest_sample(self, meter_id: str, register: Register, until: datetime) -> Sample | None:
        """The last fine count at or before ``until``."""
        with self.reading() as connection:
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
        with self.reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            start, end = recording.seconds(since), recording.seconds(until)
            return queries.clashes(connection, keys, start, end, kind)

    def history_reads(
        self, meter_id: str, *, since: date | None = None, property_name: str | None = None
    ) -> tuple[HistoryRead, ...]:
        """The day histories that were fetched, by epoch, day and property."""
        with self.reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            return queries.history_reads(connection, keys, since, property_name)

    def bounds(self, meter_id: str) -> tuple[datetime, datetime] | None:
        """The first and the last half hour at which a count of the meter is known."""
        with self.reading() as connection:
            found = queries.bounds(connection, epoch_rows.numbers(connection, meter_id))
        return None if found is None else (recording.utc(found[0]), recording.utc(found[1]))

    def events(
        self, *, since: datetime | None = None, meter_id: str | None = None, limit: int = 100
    ) -> tuple[Event, ...]:
        """The newest events first."""
        with self.reading() as connection:
            return queries.events(connection, since=since, meter_id=meter_id, limit=limit)

    def learnt(self, meter_id: str) -> dict[str, str]:
        """What has been found out about a meter."""
        with self.reading() as connection:
            return site_rows.told_of(connection, meter_id)

    def revisions(self, meter_id: str, first_day: date, last_day: date) -> tuple[int, dict[date, int]]:
        """The revision of a meter, and of each day from ``first_day`` to ``last_day``; absent is 0.

        A figure made from counts of these days is good as long as both are what they were then.

        Raises:
            KeyError: no such meter.
        """
        with self.reading() as connection:
            return touched.revisions(connection, meter_id, first_day, last_day)

    # --- corrections -----------------------------------------------------------------------------------

    def corrections(
        self,
        meter_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        withdrawn: bool = False,
    ) -> tuple[Correction, ...]:
        """Corrections of counts from ``since`` to ``until``, both included, the newest act first.

        ``withdrawn``: those that were withdrawn, too.
        """
        with self.reading() as connection:
            return correction_rows.corrections(
                connection, meter_id=meter_id, since=since, until=until, withdrawn=withdrawn
            )

    def corrections_in_force(
        self, meter_id: str, register: Register, since: datetime, until: datetime
    ) -> Mapping[tuple[int, int], Correction]:
        """What overlays the counts of a register: by epoch number and seconds since 1970, both ends in."""
        with self.reading() as connection:
            start, end = recording.seconds(since), recording.seconds(until)
            return correction_rows.in_force(connection, meter_id, register, start, end)

    # --- inside -----------------------------------------------------------------------------------------

    def _counts(
        self, meter_id: str, ledger: recording.Ledger, name: str, since: datetime, until: datetime
    ) -> tuple[StoredCount, ...]:
        with self.reading() as connection:
            keys = epoch_rows.numbers(connection, meter_id)
            start, end = recording.seconds(since), recording.seconds(until)
            return queries.counts(connection, ledger, keys, name, start, end)
