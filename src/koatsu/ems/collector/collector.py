"""One meter kept up to date: start-up, live polling, announcements, recovery of its history.

Live values come first; recovery reads one exchange at a time between them, so that a poll never waits for
more than one. A silent meter is asked again with growing pauses and its holes are refilled when it is back.
Everything that is learnt goes into the store before it is shown.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, TypeVar

from koatsu.clock import JST, Clock
from koatsu.echonet import DecodeError, Eoj
from koatsu.ems.collector.gaps import days_wanted, settled_days
from koatsu.ems.collector.journal import Journal
from koatsu.ems.collector.link import MeterLink
from koatsu.ems.collector.results import DayRead, NotSelectableError, ReplacedError, Sample
from koatsu.ems.live import LiveHub, LiveState, RecoveryState
from koatsu.ems.store import Level, Store
from koatsu.errors import KoatsuError
from koatsu.meter import (
    MAX_DAYS_BACK,
    IncompleteNameplateError,
    Measured,
    Nameplate,
    Reading,
    Slot,
)
from koatsu.node import LinkProfile, NoAnswerError, Node, Notification, Peer, RefusedError, RemoteObject

__all__ = ["Collector", "MeterTarget"]

T = TypeVar("T")

log = logging.getLogger(__name__)

_PROBLEMS: Final = (
    NoAnswerError,
    RefusedError,
    DecodeError,
    IncompleteNameplateError,
    NotSelectableError,
    ReplacedError,
)
_BACK_OFF: Final = tuple(timedelta(seconds=s) for s in (2, 5, 10, 20, 40, 60))
_LATE_SLOT: Final = timedelta(seconds=10)  # the meter has not closed its slot yet: ask again after this
_SLOT_TRIES: Final = 6
_NAMEPLATE_EVERY: Final = timedelta(minutes=10)
_DRIFT: Final = timedelta(seconds=30)  # the clocks are certainly further apart than this: say so


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterTarget:
    """Which meter to collect: its id in the store, where it is, which object, how to speak with it."""

    id: str
    peer: Peer
    eoj: Eoj
    profile: LinkProfile


class Collector:
    """Keeps one meter of the store up to date; :meth:`run` works until it is cancelled.

    Args:
        target: the meter.
        node: our node, shared by all meters of the site.
        store: where readings go; the meter must have been put there.
        live: what the page shows of the link.
        hub: where changes are announced.
        clock: our time.
        horizon_days: how many days of history to recover at most.
    """

    def __init__(
        self,
        target: MeterTarget,
        node: Node,
        store: Store,
        live: LiveState,
        hub: LiveHub,
        clock: Clock,
        *,
        horizon_days: int | None = None,
    ) -> None:
        self.target = target
        self._node = node
        self._journal = Journal(target.id, store, live, hub, clock)
        self._clock = clock
        limit = target.profile.history_days_max if horizon_days is None else horizon_days
        self._horizon = min(limit, MAX_DAYS_BACK)
        self._learnt_horizon: int | None = None  # the meter refuses days beyond
        self._deepest: int | None = None  # the farthest day back that held any data
        self._link = MeterLink(RemoteObject(node, target.peer, target.eoj), target.profile, clock)
        self._silent = False
        self._drifting = False
        self._unscaled = False
        self._refill = asyncio.Event()
        self._look_again = asyncio.Event()  # the nameplate may have changed
        self._announced: list[Measured] = []  # heard, not yet known to be of the meter that we know
        self._hearing = asyncio.Event()
        self._appeared = asyncio.Event()  # its terminal said something, whatever it was

    async def run(self) -> None:
        """Collect until cancelled."""
        poll = timedelta(seconds=self.target.profile.poll_now_s)
        self._journal.live.started(self.target.id, self._clock.now(), poll=poll)
        unsubscribe = self._node.subscribe(self._heard)
        try:
            await self._connect()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._poll_present(), name=f"{self.target.id}: present values")
                tasks.create_task(self._poll_slots(), name=f"{self.target.id}: closed slots")
                tasks.create_task(self._recover(), name=f"{self.target.id}: histories")
                tasks.create_task(self._watch_nameplate(), name=f"{self.target.id}: nameplate")
        finally:
            unsubscribe()

    # -- start-up -------------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        """Read the nameplate, trying for as long as it takes; then see which way the histories run.

        A terminal that has just started announces itself, and is asked again at once.
        """
        first_wait = timedelta(seconds=self.target.profile.start_wait_s)
        for attempt in range(10**9):
            try:
                self._take_nameplate(await self._link.open())
                await self._check_alignment()
            except _PROBLEMS as error:
                self._failed(error)
                pause = _BACK_OFF[min(attempt, len(_BACK_OFF) - 1)] if attempt else first_wait
                await self._until_announced(pause)
                continue
            return

    async def _check_alignment(self) -> None:
        """See which way the histories run, as long as the meter has not proved it."""
        if not self._link.alignment_known:
            problem = await self._link.check_alignment()
            if problem is not None:
                self._journal.log_error("alignment", problem)

    async def _until_announced(self, longest: timedelta) -> None:
        self._appeared.clear()
        await _within(self._appeared, longest.total_seconds())

    def _take_nameplate(self, plate: Nameplate) -> None:
        if self._journal.open_epoch(plate):
            self._journal.log(
                Level.CAUTION, "meter_replaced", serial=plate.serial or "", epoch=self._journal.epoch
            )
            self._refill.set()
        if plate.unscaled and not self._unscaled:
            self._journal.log(Level.CAUTION, "unscaled")
        self._unscaled = plate.unscaled

    async def _watch_nameplate(self) -> None:
        """Look again from time to time: a meter behind the terminal may be replaced without a word."""
        while True:
            await self._happens(self._look_again, self._clock.now() + _NAMEPLATE_EVERY)
            await self._asked(self._link.open, self._take_nameplate)

    # -- live values ----------------------------------------------------------------------------------------

    async def _poll_present(self) -> None:
        every = timedelta(seconds=self.target.profile.poll_now_s)
        while True:
            begun = self._clock.now()
            await self._asked(self._link.now, self._take_sample)
            await self._sleep(begun + every - self._clock.now())

    async def _poll_slots(self) -> None:
        """Ask for the closed slot a little after each half hour; at the start for the last one at once."""
        after = timedelta(seconds=self.target.profile.poll_slot_after_s)
        await self._asked(self._link.closed_slot, self._take_sample)
        while True:
            border = Slot.at(self._clock.now()).end
            due = border + after
            while self._clock.now() < due and await self._happens(self._hearing, due):
                await self._asked(self._link.present, self._take_announced)
            for _ in range(_SLOT_TRIES):
                sample = await self._asked(self._link.closed_slot, self._take_sample)
                if sample is None or _newest(sample.measured) >= border:
                    break  # silent: the recovery fills it; or it is here
                await self._sleep(_LATE_SLOT)

    def _take_announced(self, sample: Sample) -> None:
        """What was announced is of the meter that has just proved who it is."""
        announced, self._announced = self._announced, []
        self._journal.record(announced)
        self._take_sample(sample)

    def _heard(self, note: Notification) -> None:
        """Take in an announcement of our meter."""
        if note.peer.address != self.target.peer.address:
            return
        self._appeared.set()
        if note.eoj != self.target.eoj or not self._journal.epoch:
            return
        now = self._clock.now()
        try:
            measured = self._link.announced(note.values, now)
        except DecodeError as error:
            log.warning("%s announces what cannot be: %s", self.target.peer, error)
            return
        if measured:
            self._journal.live.answered(self.target.id, now)
            self._announced += measured
            self._hearing.set()

    def _take_sample(self, sample: Sample) -> None:
        self._journal.record(sample.measured)
        self._compare_clocks(sample)

    def _compare_clocks(self, sample: Sample) -> None:
        offset = sample.offset
        if offset is None:
            return
        middle = offset.low + (offset.high - offset.low) / 2
        self._journal.live.clock(self.target.id, middle)
        drifting = offset.exceeds(_DRIFT)
        if drifting != self._drifting:
            self._drifting = drifting
            seconds = round(offset.certain.total_seconds())
            if drifting:
                self._journal.log(Level.CAUTION, "clock_drift", seconds=seconds)
            else:
                self._journal.log(Level.OK, "clock_right")

    # -- histories ------------------------------------------------------------------------------------------

    async def _recover(self) -> None:
        """Fill what is missing, now, after each silence and after each midnight of the meter."""
        failures = 0
        while True:
            self._refill.clear()
            today = self._clock.now().astimezone(JST).date()
            wanted = self._wanted(today)
            try:
                await self._check_alignment()
                await self._read_days(wanted)
            except _PROBLEMS as error:
                self._failed(error)
                self._journal.progress(RecoveryState.PAUSED)
                await self._sleep(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
                failures += 1
                continue
            failures = 0
            if self._clock.now().astimezone(JST).date() != today:
                continue  # days back have shifted while they were read: some day may have slipped through
            held = None if self._deepest is None else self._deepest + 1
            self._journal.progress(RecoveryState.DONE, held, held, horizon=self._deepest)
            await self._until_refill(today)

    def _wanted(self, today: date) -> list[int]:
        horizon = self._horizon if self._learnt_horizon is None else self._learnt_horizon
        reads = self._journal.history_reads(today - timedelta(days=horizon))
        for read in reads:
            if read.elements > read.no_data:  # known from an earlier run
                self._deepest = max((today - read.day).days, self._deepest or 0)
        return days_wanted(today, settled_days(reads, today, self._link.kind.history_properties[:1]), horizon)

    async def _read_days(self, wanted: list[int]) -> None:
        farthest = self._horizon if self._learnt_horizon is None else self._learnt_horizon
        total = min(farthest, self._horizon) + 1
        done = total - len(wanted)
        begun = self._clock.now()
        self._journal.progress(RecoveryState.RUNNING, done, total)
        count = full = 0
        async for read in self._link.days(self._still_wanted(wanted)):
            count += 1
            full += any(elements > no_data for elements, no_data in read.elements.values())
            self._take_day(read)
            spent = self._clock.now() - begun
            left = len(wanted) - count
            self._journal.progress(
                RecoveryState.RUNNING, min(done + count, total), total, day=read.day, eta=spent / count * left
            )
            await self._sleep(timedelta(seconds=self.target.profile.history_pause_s), real=True)
        if full > 2:  # today and yesterday are read every day; more than that is news
            self._journal.log(Level.OK, "recovered", days=full)

    def _still_wanted(self, wanted: list[int]) -> Iterable[int]:
        """The days in order, leaving out those that a refusal has shown to lie beyond the horizon."""
        for back in wanted:
            if self._learnt_horizon is None or back <= self._learnt_horizon:
                yield back

    def _take_day(self, read: DayRead) -> None:
        self._silent = False
        now = read.received or self._clock.now()
        self._journal.live.answered(self.target.id, now)
        if isinstance(read.problem, NotSelectableError):
            self._learn_horizon(read.days_back - 1)
            today = self._clock.now().astimezone(JST).date()
            self._journal.not_kept(
                today - timedelta(days=read.days_back), self._link.kind.history_properties[0]
            )
            return
        if isinstance(read.problem, ReplacedError):
            self._look_again.set()
            return
        if read.problem is not None or read.day is None:
            self._journal.log_error("history_unsound", read.problem, days_back=read.days_back)
            return
        if any(elements > no_data for elements, no_data in read.elements.values()):
            self._deepest = max(read.days_back, self._deepest or 0)
        self._journal.record_day(read)

    def _learn_horizon(self, days: int) -> None:
        """The meter refused a day: it keeps at most so many days."""
        if self._learnt_horizon is None or days < self._learnt_horizon:
            self._learnt_horizon = max(days, 0)

    async def _until_refill(self, today: date) -> None:
        midnight = datetime.combine(today + timedelta(days=1), datetime.min.time(), JST) + timedelta(
            minutes=2
        )
        await _within(self._refill, max(self._clock.real_seconds_until(midnight), 0.05))

    # -- asking ---------------------------------------------------------------------------------------------

    async def _asked(self, ask: Callable[[], Awaitable[T]], take: Callable[[T], None]) -> T | None:
        """Ask, note how it went, take what came; ``None`` when nothing sound came."""
        try:
            answer = await ask()
        except _PROBLEMS as error:
            self._failed(error)
            return None
        now = self._clock.now()
        if self._silent:
            self._silent = False
            self._journal.log(Level.OK, "back")
            self._refill.set()
        last = self._link.remote.last_answer
        took = timedelta(seconds=last.elapsed_s) if last else None
        self._journal.live.answered(self.target.id, now, answer=took)
        take(answer)
        return answer

    def _failed(self, error: KoatsuError) -> None:
        if isinstance(error, ReplacedError):
            self._announced.clear()  # whose they were cannot be told; the history has them
            self._look_again.set()
            return
        self._journal.live.failed(self.target.id, self._clock.now())
        self._journal.publish("link")
        if not isinstance(error, NoAnswerError):
            self._journal.unsound(error)
        elif not self._silent:
            self._silent = True
            self._journal.log(Level.CAUTION, "silent")

    async def _happens(self, event: asyncio.Event, until: datetime) -> bool:
        """Wait for ``event``, at most until that time of our clock; whether it came. It is cleared then."""
        happened = await _within(event, self._clock.real_seconds_until(until))
        event.clear()
        return happened

    async def _sleep(self, span: timedelta, *, real: bool = False) -> None:
        """Wait ``span`` of our clock, or of real time."""
        seconds = span.total_seconds()
        if not real:
            seconds = self._clock.real_seconds_until(self._clock.now() + span) if seconds > 0 else 0.0
        await asyncio.sleep(max(seconds, 0.0))


async def _within(event: asyncio.Event, seconds: float) -> bool:
    """Wait for ``event`` for so many real seconds; whether it came.

    Not by ``asyncio.wait_for``: that of Python 3.11 may swallow a cancellation.
    """
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return event.is_set()
    return True


def _newest(measured: Iterable[Measured]) -> datetime:
    """The newest half hour among register readings; long ago when there is none."""
    found = [one.instant for one in measured if isinstance(one, Reading)]
    return max(found, default=datetime.min.replace(tzinfo=JST))
