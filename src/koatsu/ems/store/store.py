"""The store: what was read from the meters, kept so that nothing acknowledged is ever lost.

Every method that writes is one transaction, small and synchronous; when it returns, the values are on
the disk. Methods may be called from any thread. Only counts are kept; energies are made where they are
read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

from sqlalchemy import Connection, Engine

from koatsu.ems.store import backup as backups
from koatsu.ems.store import corrections as correction_rows
from koatsu.ems.store import epochs as epoch_rows
from koatsu.ems.store import housekeeping, intake, integrity, notes, restoring
from koatsu.ems.store import sites as site_rows
from koatsu.ems.store.answers import Answers
from koatsu.ems.store.backup import Manifest, Progress, quiet, scratch
from koatsu.ems.store.errors import StoreError, StoreErrorKind
from koatsu.ems.store.housekeeping import SAMPLES_KEPT
from koatsu.ems.store.opening import address, is_sqlite, migrate, open_engine, shown
from koatsu.ems.store.restoring import Restored
from koatsu.ems.store.rows import (
    Correction,
    Epoch,
    Event,
    HistoryRead,
    Recorded,
    StoredMeter,
)
from koatsu.meter.epochs import Nameplate
from koatsu.meter.readings import DemandReading, Reading
from koatsu.meter.registers import Register

__all__ = ["SAMPLES_KEPT", "Store"]


class Store(Answers):
    """An open database of readings; make one with :meth:`open`, and close it."""

    def __init__(self, engine: Engine, where: str, store_id: str) -> None:
        super().__init__(engine, where)
        self._id = store_id
        self._keys: dict[tuple[str, int], int] = {}  # (meter, epoch number) -> key of the epoch

    @classmethod
    def open(cls, store: str | Path, *, busy_s: float = 5.0) -> Self:
        """Open or make a database, brought to the newest shape.

        Args:
            store: the path of an SQLite file, or a database URL.
            busy_s: how long a call waits for a lock that another program holds, in seconds.

        Raises:
            StoreError: the file is locked, read-only, damaged, no database, of another program or a newer
                version.
        """
        url = address(store)
        where = shown(url)
        doubtful = is_sqlite(url) and integrity.left_open(Path(url.database or ""))
        engine = open_engine(url, busy_s)
        opened = cls(engine, where, "")
        try:
            opened._make_ready(check=is_sqlite(url), doubtful=doubtful)
        except BaseException:
            opened.close()
            raise
        return opened

    @property
    def id(self) -> str:
        """The name that the store gave itself when it was made: 32 hexadecimal digits."""
        return self._id

    # --- sites, meters and epochs -----------------------------------------------------------------------

    def put_site(self, site_id: str, name: str, *, at: datetime | None = None) -> None:
        """Add a site, or give it another name."""
        with self.writing() as connection:
            site_rows.put_site(connection, site_id, name, at or datetime.now(UTC))

    def put_meter(self, meter: StoredMeter, *, at: datetime | None = None) -> None:
        """Add a meter, or bring its label, role, class, address, ceiling and site up to date."""
        with self.writing() as connection:
            epoch_rows.put_meter(connection, meter, at or datetime.now(UTC))

    def open_epoch(self, meter_id: str, nameplate: Nameplate, at: datetime) -> Epoch:
        """The epoch to record into: the present one, or a new one from ``at`` where the nameplate changed.

        A nameplate that only adds what was not known, or moves the fixed day, stays in its epoch.
        """
        with self.writing() as connection:
            return epoch_rows.open_epoch(connection, meter_id, nameplate, at)

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
        with self.writing() as connection:
            place = (meter_id, epoch, self._key(connection, meter_id, epoch))
            return intake.record(connection, place, readings, demands)

    def record_history_read(self, meter_id: str, read: HistoryRead) -> None:
        """Note that a day history was fetched; a second time after the day counts up its ``reads``."""
        with self.writing() as connection:
            notes.note_history_read(connection, self._key(connection, meter_id, read.epoch), read)

    def record_event(self, entry: Event) -> Event:
        """Append an event; it comes back with its ``id``."""
        with self.writing() as connection:
            return notes.note_event(connection, entry)

    def learn(self, meter_id: str, what: str, value: str, at: datetime) -> None:
        """Note something found out about a meter, so that it need not be found out again."""
        with self.writing() as connection:
            site_rows.learn(connection, meter_id, what, value, at)

    # --- corrections by hand ----------------------------------------------------------------------------

    def correct(
        self,
        meter_id: str,
        register: Register,
        instant: datetime,
        count: int | None,
        *,
        reason: str,
        author: str,
        at: datetime,
        epoch: int | None = None,
        note: Callable[[Correction], object] | None = None,
    ) -> Correction:
        """Enter a count by hand; what the meter said stays beside it.

        Args:
            meter_id: the meter.
            register: which of its counters.
            instant: the half hour.
            count: what the counter really showed; ``None``: what is kept is not believed.
            reason: where the value comes from, 1 to 500 characters.
            author: a reference to who does it ("person:3"), no name.
            at: our time.
            epoch: number of the meter epoch; ``None`` for the one that covers the instant.
            note: called with the correction before it stands; what it raises keeps it from standing.

        Raises:
            KeyError: no such meter, epoch, or no epoch yet.
            UsageError: count, instant, reason or author cannot be.
        """
        wanted = Correction(
            id=0,
            meter_id=meter_id,
            epoch=0,
            register=register,
            instant=instant,
            count=count,
            reason=reason,
            author=author,
            at=at,
        )
        with self.writing() as connection:
            made = correction_rows.correct(connection, wanted, epoch)
            if note is not None:
                note(made)
            return made

    def withdraw_correction(
        self,
        correction_id: int,
        *,
        author: str,
        at: datetime,
        note: Callable[[Correction], object] | None = None,
    ) -> Correction:
        """Take a correction back; the one before it is in force again, or what the meter said.

        ``note`` as for :meth:`correct`.

        Raises:
            KeyError: there is none of that id.
            UsageError: it has been withdrawn already, or no author is given.
        """
        with self.writing() as connection:
            gone = correction_rows.withdraw(connection, correction_id, author=author, at=at)
            if note is not None:
                note(gone)
            return gone

    # --- care -------------------------------------------------------------------------------------------

    def check(self) -> tuple[integrity.Finding, ...]:
        """Look at everything and mend what is safe; what was found, nothing when all is sound.

        It takes about a second for each million counts. Others may read and write meanwhile; they wait only
        where something has to be mended.

        Raises:
            StoreError: the store cannot be read, for another reason than damage.
        """
        return self._check(None, lambda: False)

    def examine(
        self, at: datetime, *, stop: Callable[[], bool] = lambda: False
    ) -> tuple[integrity.Finding, ...]:
        """Check everything where that is due: after an end out of order, and once a week.

        What is found goes into the events too, dated ``at``. It takes as long as :meth:`check`, and next to
        nothing where it is not due. Where ``stop`` says so meanwhile, it stays due and nothing is found.

        Raises:
            StoreError: the store cannot be read, for another reason than damage.
        """
        with self.reading() as connection:
            if not integrity.is_examination_due(connection):
                return ()
        try:
            return self._check(at, stop)
        except StoreError:
            if stop():
                return ()
            raise

    def forget_samples(self, now: datetime, *, kept: timedelta = SAMPLES_KEPT) -> int:
        """Delete fine counts older than ``kept``; how many there were. Half-hour counts stay for ever."""
        return housekeeping.forget_samples(self, now, kept)

    def keep_house(self, now: datetime) -> housekeeping.Kept:
        """Throw away what is too old by ``now``: to be called once a day.

        Fine counts stay whole for two days, the last of each minute for a week; events stay three years.
        Kept figures of days that have changed since go. Half-hour counts, demands, conflicts and corrections
        stay for ever. ``now`` is believed to a day beyond the newest half hour that a meter has dated: a
        clock of ours that was set forward makes nothing old.
        """
        return housekeeping.keep_house(self, now)

    # --- backup -----------------------------------------------------------------------------------------

    def backup(self, path: Path, *, at: datetime, progress: Progress = quiet) -> Manifest:
        """Write a backup of everything that is stored now, while others go on writing.

        Args:
            path: the file; one that is there already is replaced at the end.
            at: our time.
            progress: called as it goes on.

        Raises:
            BackupError: the file cannot be written.
            StoreError: the store cannot be read, or is damaged.
        """
        with scratch(path.parent) as folder:
            copy = folder / "koatsu.db"
            if self.engine.dialect.name == "sqlite":
                backups.snapshot(Path(self.where), copy, progress)
            with Store.open(copy) as copied:
                if self.engine.dialect.name != "sqlite":
                    copied.take_name(self.id)
                    restoring.merge(self, copied, at=at, in_use=False, progress=progress)
                described = backups.describe(copied, at)
            backups.settle(copy)
            return backups.pack(copy, path, described, progress)

    def restore(
        self,
        path: Path,
        *,
        at: datetime,
        site: str | None = None,
        in_use: bool = False,
        progress: Progress = quiet,
    ) -> Restored:
        """Add what this store lacks of a backup; what contradicts is listed, and nothing overwritten.

        Args:
            path: the backup.
            at: our time.
            site: the name of the site whose backup it is, where it is another one.
            in_use: a program collects into this store.
            progress: called as it goes on.

        Raises:
            BackupError: the file is no backup, damaged, of a newer version or of another site.
            StoreError: nothing, or a part, was restored; doing it again completes it.
        """
        folder = Path(self.where).parent if self.engine.dialect.name == "sqlite" else None
        with scratch(folder) as made:
            manifest, copy = backups.unpacked(path, made, progress)
            restoring.check_same_site(manifest, self, self.id, site)
            with Store.open(copy) as source:
                if not self.meters():
                    self.take_name(manifest.store)
                try:
                    return restoring.merge(source, self, at=at, in_use=in_use, progress=progress)
                finally:
                    self._keys.clear()

    def take_name(self, store_id: str) -> None:
        """Be the store of that id: what a backup of it was restored into."""
        with self.writing() as connection:
            site_rows.put_info(connection, "id", store_id)
        self._id = store_id

    # --- inside -----------------------------------------------------------------------------------------

    def _make_ready(self, *, check: bool, doubtful: bool) -> None:
        """Look at a file that was left open before anything is changed, then bring it to the newest shape."""
        if doubtful:
            with self.reading() as connection:
                integrity.check_pages(connection, self.where)
        with self.writing() as connection:
            migrate(connection, self.where)
            self._id = site_rows.name_store(connection)
            due = check and integrity.is_due(connection)
        if due and not doubtful:
            with self.reading() as connection:
                integrity.check_pages(connection, self.where)
        if due or doubtful:
            with self.writing() as connection:
                integrity.note_checked(connection)
                if doubtful:
                    integrity.doubt(connection)

    def _check(self, at: datetime | None, stop: Callable[[], bool]) -> tuple[integrity.Finding, ...]:
        """Look without keeping anybody from writing; mend, and keep what was found as of ``at``."""
        try:
            with self.reading() as connection, integrity.until(connection, stop):
                found = integrity.check(connection, mend=False)
            with self.writing() as connection:
                if any(one.mended for one in found):
                    found = integrity.check(connection)
                if not any(one.code in ("pages", "shape") for one in found):
                    integrity.note_examined(connection)
                if at is not None:
                    integrity.noted(connection, found, at)
            return found
        except StoreError as error:
            if error.kind is not StoreErrorKind.CORRUPT:
                raise
            return (integrity.Finding(code="pages", what=str(error.__cause__ or error).splitlines()[0]),)

    def _key(self, connection: Connection, meter_id: str, number: int) -> int:
        found = self._keys.get((meter_id, number))
        if found is None:
            for key, known in epoch_rows.numbers(connection, meter_id).items():
                self._keys[meter_id, known] = key
            found = self._keys.get((meter_id, number))
        if found is None:
            raise KeyError(f"meter {meter_id} has no epoch {number}")
        return found
