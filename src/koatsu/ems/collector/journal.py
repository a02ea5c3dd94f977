"""What the collector writes down: readings into the store, events, and the state that the page shows.

Everything goes into the store before it is announced, so a page never shows what a crash could lose.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Final

from koatsu.clock import Clock
from koatsu.ems.collector.results import DayRead
from koatsu.ems.live import LiveHub, LiveState, Recovery, RecoveryState, Signal, SignalKind
from koatsu.ems.store import Event, HistoryRead, Level, Store
from koatsu.errors import KoatsuError
from koatsu.meter import DemandReading, Measured, Nameplate, Reading, Refusal

__all__ = ["Journal"]

log = logging.getLogger(__name__)

_SAY_AGAIN: Final = timedelta(hours=1)


class Journal:
    """One meter's part of the store, its live state and its signals.

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
        self.epoch = 0  #: number of the epoch that is recorded into; 0 before the nameplate is known
        self._store = store
        self._hub = hub
        self._clock = clock
        self._unsound: dict[str, datetime] = {}  # what was reported, and when

    def open_epoch(self, plate: Nameplate) -> bool:
        """Record into the epoch of ``plate`` from now on; whether another meter epoch has begun."""
        epoch = self._store.open_epoch(self.meter_id, plate, self._clock.now())
        changed = bool(self.epoch) and epoch.number != self.epoch
        self.epoch = epoch.number
        self.publish("epoch")
        return changed

    def record(self, measured: Iterable[Measured]) -> None:
        """Keep counts; report what contradicts the store."""
        readings, demands = [], []
        for one in measured:
            if isinstance(one, Reading):
                readings.append(one)
            elif isinstance(one, DemandReading):
                demands.append(one)
            elif isinstance(one, Refusal):
                log.info("%s: %s", self.meter_id, one.reason)
        recorded = self._store.record(self.meter_id, self.epoch, readings, demands)
        for clash in recorded.conflicts:
            at = clash.instant.isoformat()
            self.log(Level.CAUTION, "conflict", name=clash.name, at=at, kept=clash.kept, other=clash.other)
        if recorded.new:
            self.publish("slot")
        self.publish("sample")

    def record_day(self, read: DayRead) -> None:
        """Keep a sound day of history, and that it was read."""
        if read.day is None:
            return
        self.record(read.measured)
        now = read.received or self._clock.now()
        for name, (elements, no_data) in read.elements.items():
            self._store.record_history_read(
                self.meter_id,
                HistoryRead(
                    epoch=self.epoch,
                    day=read.day,
                    property=name,
                    read_at=now,
                    elements=elements,
                    no_data=no_data,
                ),
            )
        self.publish("slot")

    def not_kept(self, day: date, name: str) -> None:
        """Note that the meter refuses the history of ``day``: what is missing there stays so."""
        read = HistoryRead(
            epoch=self.epoch, day=day, property=name, read_at=self._clock.now(), elements=0, no_data=0
        )
        self._store.record_history_read(self.meter_id, read)

    def history_reads(self, since: date) -> list[HistoryRead]:
        """Which days of the present epoch have been read."""
        reads = self._store.history_reads(self.meter_id, since=since)
        return [read for read in reads if read.epoch == self.epoch]

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
        """Append an event."""
        entry = Event(
            at=self._clock.now(), meter_id=self.meter_id, level=level, code=code, params=dict(params)
        )
        self._store.record_event(entry)
        self.publish("event")

    def log_error(self, code: str, error: KoatsuError | None, **params: object) -> None:
        """Append a problem with its sentence in both languages."""
        if error is not None:
            params |= {"en": error.message, "ja": error.ja or error.message}
        self.log(Level.CAUTION, code, **params)

    def unsound(self, error: KoatsuError) -> None:
        """Report an unsound answer, the same one at most once an hour: a poll repeats it every minute."""
        what, now = f"{type(error).__name__} {error.message.partition(':')[0]}", self._clock.now()
        said = self._unsound.get(what)
        if said is None or now - said >= _SAY_AGAIN:
            self._unsound[what] = now
            self.log_error("unsound_answer", error)

    def publish(self, kind: SignalKind) -> None:
        """Tell the pages that something changed."""
        self._hub.publish(Signal(kind, self.meter_id, self._clock.now()))
