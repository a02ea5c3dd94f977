"""What the collector writes down: readings into the store, events, and the state that the page shows.

Everything goes into the store before it is announced, so a page never shows what a crash could lose. While
the store takes nothing (locked, full disk, server gone) what is measured waits in a bounded queue, the page
is told why, and everything is written when the store works again. Histories are not queued: they are read
again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final, TypeVar

from koatsu.clock import Clock
from koatsu.ems.collector.backlog import Backlog, Era
from koatsu.ems.collector.results import DayRead
from koatsu.ems.collector.store_gate import StoreGate
from koatsu.ems.live import LiveHub, LiveState, Recovery, RecoveryState, Signal, SignalKind
from koatsu.ems.store import Event, HistoryRead, Level, Recorded, Store, StoreError
from koatsu.errors import KoatsuError
from koatsu.meter import DemandReading, Measured, Nameplate, Reading, Refusal, Register, Slot
from koatsu.meter.slots import SLOTS_PER_DAY

__all__ = ["RE_READ", "Journal"]

T = TypeVar("T")

log = logging.getLogger(__name__)

_SAY_AGAIN: Final = timedelta(hours=1)
RE_READ: Final = timedelta(hours=6)  #: a day read again sooner than this does not count as asked once more


class Journal:
    """One meter's part of the store, its live state and its signals.

    Every method may raise ``StoreError`` where the store is damaged, of another program or closed; while it
    only takes nothing for the time being, methods that write queue instead and the others wait or raise.

    Args:
        meter_id: the meter, which the store must know.
        store: where readings go.
        live: what the page shows of the link.
        hub: where changes are announced.
        clock: our time.
    """

    def __init__(self, meter_id: str, store: Store, live: LiveState, hub: LiveHub, clock: Clock) -> None:
        self.meter_id = meter_id
        self.live = live
        self.gate = StoreGate(live, hub, clock)
        self._store = store
        self._hub = hub
        self._clock = clock
        self._era: Era | None = None
        self._backlog = Backlog()
        self._queued = asyncio.Event()
        self._flushing = False
        self._counted: dict[tuple[int, date, str], datetime] = {}  # when a day was last asked for in earnest
        self._said: dict[str, datetime] = {}  # what was reported, and when

    # -- epochs ---------------------------------------------------------------------------------------------

    @property
    def epoch(self) -> int:
        """Number of the epoch that is recorded into; 0 before it is known."""
        return self._era.number or 0 if self._era else 0

    @property
    def opened(self) -> bool:
        """Whether a nameplate has been taken, so that counts can be recorded or queued."""
        return self._era is not None

    def open_epoch(self, plate: Nameplate, at: datetime) -> bool:
        """Record into the epoch of ``plate`` from now on; whether another meter epoch has begun.

        While the store takes nothing the epoch is opened in it later, as of ``at``.
        """
        before = self._era
        if before is not None and before.number is not None and plate == before.plate:
            return False  # nothing to write: it is looked at every few minutes
        era = Era(plate, at) if before is None or before.plate.changes(plate) else before
        known = before.number if before else None
        if not self._waiting():
            if before is None and (last := self._try(lambda: self._store.epochs(self.meter_id))):
                known = last[-1].number
            era = self._try(lambda: self._resolved(era, plate, at)) or era
        self._era = era
        self.publish("epoch")
        return era is not before and (before is not None or (known is not None and known != era.number))

    def _resolved(self, era: Era, plate: Nameplate, at: datetime) -> Era:
        """The era with the number of its epoch; another era where the store knows another meter."""
        epoch = self._store.open_epoch(self.meter_id, plate, era.since if era.number is None else at)
        if era.number not in (None, epoch.number):
            return Era(epoch.nameplate, at, epoch.number)
        era.plate, era.number = epoch.nameplate, epoch.number
        return era

    # -- counts ---------------------------------------------------------------------------------------------

    def record(self, measured: Iterable[Measured]) -> None:
        """Keep counts; report what contradicts the store. What the store does not take now is queued."""
        readings, demands = _sorted(self.meter_id, measured)
        era = self._opened()
        if self._waiting():
            self._queue(era, readings, demands)
            return
        recorded = self._try(lambda: self._store.record(self.meter_id, self._number(era), readings, demands))
        if recorded is None:
            self._queue(era, readings, demands)
        else:
            self._announce(recorded)

    def record_day(self, read: DayRead) -> None:
        """Keep a sound day of history, and that it was read.

        Raises:
            StoreError: the store does not take it now; read the day again later.
        """
        if read.day is None:
            return
        readings, demands = _sorted(self.meter_id, read.measured)
        at = read.meter_time or read.received or self._clock.now()
        epoch = self._numbered()
        self._announce(self._written(lambda: self._store.record(self.meter_id, epoch, readings, demands)))
        for name, (elements, no_data) in read.elements.items():
            self._note_read(read.day, name, at, elements, no_data)
        self.publish("slot")

    def not_kept(self, day: date, name: str, at: datetime) -> None:
        """Note that the meter refuses the history of ``day``: what is missing there stays so.

        Raises:
            StoreError: as :meth:`record_day`.
        """
        self._note_read(day, name, at, 0, 0)

    def history_reads(self, since: date) -> list[HistoryRead]:
        """Which days of the present epoch have been read.

        Raises:
            StoreError: the store does not work now.
        """
        epoch = self._numbered()
        reads = self._written(lambda: self._store.history_reads(self.meter_id, since=since))
        found = [read for read in reads if read.epoch == epoch]
        for read in found:
            self._counted.setdefault((read.epoch, read.day, read.property), read.read_at)
        return found

    def fine_instants(self, since: datetime, until: datetime) -> list[datetime]:
        """When the energy counter is known to more than the half hour.

        Raises:
            StoreError: the store does not work now.
        """
        found = self._written(lambda: self._store.samples(self.meter_id, Register.ENERGY, since, until))
        return [datetime.fromtimestamp(one.at, UTC) for one in found]

    def _note_read(self, day: date, name: str, at: datetime, elements: int, no_data: int) -> None:
        epoch = self._numbered()
        before = self._counted.get((epoch, day, name))
        # Asked for again and again within hours, "no data" must not become the last word on a closed day.
        ended = Slot(day, SLOTS_PER_DAY).end
        again = before is not None and before >= ended and abs(at - before) < RE_READ
        read = HistoryRead(
            epoch=epoch, day=day, property=name, read_at=at,
            elements=elements, no_data=no_data, reads=0 if again else 1,
        )  # fmt: skip
        self._written(lambda: self._store.record_history_read(self.meter_id, read))
        if not again:
            self._counted[epoch, day, name] = at

    # -- what was learnt ------------------------------------------------------------------------------------

    def learnt(self) -> dict[str, str]:
        """What earlier runs have found out about the meter.

        Raises:
            StoreError: the store does not work now.
        """
        return self._written(lambda: self._store.learnt(self.meter_id))

    def learn(self, what: str, value: str) -> None:
        """Keep what was found out about the meter.

        Raises:
            StoreError: the store does not take it now.
        """
        self._written(lambda: self._store.learn(self.meter_id, what, value, self._clock.now()))

    # -- events and signals ---------------------------------------------------------------------------------

    def progress(
        self,
        state: RecoveryState,
        done: int | None = None,
        total: int | None = None,
        *,
        day: date | None = None,
        eta: timedelta | None = None,
        horizon: int | None = None,
    ) -> None:
        """Show how far the recovery has come; counts that are not given stay."""
        before = self.live.of(self.meter_id).recovery
        self.live.recovery(
            self.meter_id,
            Recovery(
                state=state,
                days_done=before.days_done if done is None else done,
                days_total=before.days_total if total is None else total,
                current_day=day,
                eta=eta,
                horizon_days=horizon,
            ),
        )
        self.publish("recovery")

    def log(self, level: Level, code: str, **params: object) -> None:
        """Append an event; it is queued while the store takes nothing."""
        entry = Event(
            at=self._clock.now(), meter_id=self.meter_id, level=level, code=code, params=dict(params)
        )
        if self._flushing or self._waiting() or self._try(lambda: self._store.record_event(entry)) is None:
            self._backlog.events.append(entry)
            self._queued.set()
        else:
            self.publish("event")

    def log_error(self, code: str, error: KoatsuError | None, **params: object) -> None:
        """Append a problem with its sentence in both languages, the same one at most once an hour."""
        what, now = f"{code} {type(error).__name__}", self._clock.now()
        if error is not None:
            params |= {"en": error.message, "ja": error.ja or error.message}
            what += f" {error.message.partition(':')[0]}" if code == "unsound_answer" else ""
        said = self._said.get(what)
        if said is None or abs(now - said) >= _SAY_AGAIN:
            self._said[what] = now
            self.log(Level.CAUTION, code, **params)

    def publish(self, kind: SignalKind) -> None:
        """Tell the pages that something changed."""
        self._hub.publish(Signal(kind, self.meter_id, self._clock.now()))

    # -- a store that does not work -------------------------------------------------------------------------

    async def write_what_waits(self) -> None:
        """Write the queue as soon as the store takes it; works until cancelled."""
        while True:
            await self._queued.wait()
            await self.gate.try_again()
            self._waiting()

    async def works(self) -> None:
        """Wait until the store takes what is measured, and has taken what waited."""
        while self._waiting():
            await self.gate.try_again()

    def _waiting(self) -> bool:
        """Whether what is measured must wait; tries to write what waits already, when it is time to."""
        if not self._backlog and not self.gate.shut:
            self._queued.clear()
            return False
        if self.gate.wait_s() > 0.0:
            return True
        return self._try(self._flush) is None

    def _flush(self) -> bool:
        """Write everything that waits, era by era, and say so."""
        self._flushing = True
        try:
            self._write_backlog()
        finally:
            self._flushing = False
        self._queued.clear()
        return True

    def _write_backlog(self) -> None:
        for batch in self._backlog.batches():
            readings = [*batch.readings.values(), *batch.fine]
            demands = [*batch.demands.values()]
            recorded = self._store.record(self.meter_id, self._number(batch.era), readings, demands)
            self._backlog.done(batch)
            self._announce(recorded)
        while self._backlog.events:
            self._store.record_event(self._backlog.events[0])
            self._backlog.events.popleft()
            self.publish("event")
        if self._backlog.dropped:
            dropped, self._backlog.dropped = self._backlog.dropped, 0
            self._store.record_event(self._entry("samples_dropped", samples=dropped))
        if self.gate.shut:
            self._store.record_event(self.gate.report())
            self.gate.opened()
            self.publish("event")

    def _try(self, write: Callable[[], T]) -> T | None:
        """What ``write`` gives; ``None`` when the store takes nothing now.

        Raises:
            StoreError: it will not work again by itself.
        """
        try:
            return self._written(write)
        except StoreError as error:
            if not self.gate.passing(error):
                raise
            return None

    def _written(self, write: Callable[[], T]) -> T:
        """What ``write`` gives, noting a store that does not work.

        Raises:
            StoreError: it does not.
        """
        try:
            return write()
        except StoreError as error:
            if self.gate.passing(error):
                self.gate.failed(error)
                self._queued.set()
            raise

    def _queue(self, era: Era, readings: list[Reading], demands: list[DemandReading]) -> None:
        self._backlog.put(era, readings, demands)
        self._queued.set()

    def _announce(self, recorded: Recorded) -> None:
        for clash in recorded.conflicts:
            at = clash.instant.isoformat()
            self.log(Level.CAUTION, "conflict", name=clash.name, at=at, kept=clash.kept, other=clash.other)
        if recorded.new:
            self.publish("slot")
        self.publish("sample")

    def _entry(self, code: str, **params: object) -> Event:
        return Event(
            at=self._clock.now(), meter_id=self.meter_id, level=Level.CAUTION, code=code, params=params
        )

    def _opened(self) -> Era:
        if self._era is None:
            raise RuntimeError("open_epoch() comes first")
        return self._era

    def _numbered(self) -> int:
        era = self._opened()
        return self._written(lambda: self._number(era))

    def _number(self, era: Era) -> int:
        if era.number is None:
            era.number = self._store.open_epoch(self.meter_id, era.plate, era.since).number
        return era.number


def _sorted(meter_id: str, measured: Iterable[Measured]) -> tuple[list[Reading], list[DemandReading]]:
    """What goes into the store; refusals are logged."""
    readings, demands = [], []
    for one in measured:
        if isinstance(one, Reading):
            readings.append(one)
        elif isinstance(one, DemandReading):
            demands.append(one)
        elif isinstance(one, Refusal):
            log.info("%s: %s", meter_id, one.reason)
    return readings, demands
