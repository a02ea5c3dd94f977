"""The histories of one meter: which days are read, when, and what a refusal or a silence means.

Today and yesterday first, then the day nearest to expiry; one exchange at a time, so that a live poll never
waits for more than one. Days are planned by date and asked for by the meter's own calendar, which may turn
while they are read. A day that the meter refuses is believed to be beyond its memory only when nearer days
are given in between, time and again: a meter that refuses everything for an hour has forgotten nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from datetime import date, datetime, timedelta
from typing import Final

from koatsu.clock import JST
from koatsu.ems.collector.asking import BACK_OFF, PROBLEMS, Asking
from koatsu.ems.collector.gaps import days_wanted, settled_days
from koatsu.ems.collector.journal import RE_READ, Journal
from koatsu.ems.collector.learnt import DEMAND_STAMP, ENERGY_FIRST, HORIZON, Learnt
from koatsu.ems.collector.link import MeterLink
from koatsu.ems.collector.minutes import refill_minutes
from koatsu.ems.collector.pacing import Pace
from koatsu.ems.collector.results import DayRead, NotSelectableError, ReplacedError
from koatsu.ems.collector.times import MeterTimes
from koatsu.ems.live import RecoveryState
from koatsu.ems.store import ENOUGH_READS, Level, StoreError
from koatsu.meter import MAX_DAYS_BACK
from koatsu.meter.slots import HALF_HOUR
from koatsu.node import RefusedError

__all__ = ["Recovering"]

_AFTER_MIDNIGHT: Final = timedelta(minutes=2)
_OFTEN: Final = timedelta(minutes=30)  # days refused or unsound again and again, and one that expires today
_A_LITTLE: Final = timedelta(minutes=5)
_PROOF_EVERY: Final = timedelta(minutes=1)
_UNSOUND_IN_A_ROW: Final = 5  # something is wrong with more than one day: leave the meter alone for a while
_PROOFS_AWAITED: Final = 3  # so often the next half hour is looked at for the histories' alignment


class Recovering:
    """Reads the histories of one meter until cancelled.

    Args:
        link: how the meter is asked.
        journal: where days go.
        asking: whether the meter answers, and when to read again.
        times: the meter's clock.
        pace: our waits.
        horizon_days: how many days back to read at most.
        turns: a day is read only while one of these is held; shared by many meters.
    """

    def __init__(
        self,
        link: MeterLink,
        journal: Journal,
        asking: Asking,
        times: MeterTimes,
        pace: Pace,
        *,
        horizon_days: int,
        turns: asyncio.Semaphore,
    ) -> None:
        self._link = link
        self._journal = journal
        self._asking = asking
        self._times = times
        self._pace = pace
        self._turns = turns
        self._most = min(horizon_days, MAX_DAYS_BACK)
        self._learnt = Learnt(journal)
        self._loaded = 0  # the epoch whose facts are in use
        self._known: int | None = None  # the meter refuses days beyond
        self._reprove = False  # ... says an earlier run
        self._deepest: int | None = None  # the farthest day back that held any data
        self._unproved = 0
        self._odd = False  # some day was refused or unsound in the last round, for no reason that we know
        self._oddities = 0  # ... in so many rounds in a row

    async def run(self) -> None:
        """Fill what is missing: now, after each silence, after each midnight of the meter."""
        tries = 0
        while True:
            self._asking.refill.clear()
            try:
                await self._journal.works()
                wait = await self._once()
            except PROBLEMS as error:
                self._asking.failed(error)
                wait = self._asking.pause(tries)
                tries += 1
                self._journal.progress(RecoveryState.PAUSED)
            except StoreError as error:
                if not self._journal.gate.passing(error):
                    raise
                wait = timedelta(0)  # the journal knows when the store works again
                self._journal.progress(RecoveryState.PAUSED)
            else:
                tries = 0
            await self._pace.happens(self._asking.refill, self._pace.seconds(wait))

    async def _once(self) -> timedelta:
        """Read what is missing once; how long nothing more will be to do."""
        self._use_learnt()
        await self._align()
        told = await self._link.meter_time()
        if told is not None:
            self._times.told(told.stamp, told.lag)
        self._asking.answered()
        today = self._times.today()
        await self._read(self._plan(today))
        self._learnt.save()
        if self._times.today() != today:
            return timedelta(0)  # days back have shifted meanwhile: some may have slipped through
        await self._refill_minutes()
        held = None if self._deepest is None else self._deepest + 1
        self._journal.progress(RecoveryState.DONE, held, held, horizon=self._deepest)
        return self._rest(today)

    def _rest(self, today: date) -> timedelta:
        """How long nothing more will be to do after a round that went through."""
        rest = self._until_midnight()
        if self._odd:
            self._oddities += 1
            soon = self._oddities < len(BACK_OFF)
            rest = min(rest, self._asking.pause(self._oddities) if soon else _OFTEN)
        else:
            self._oddities = 0
        if not self._link.alignment_known and self._unproved < _PROOFS_AWAITED:
            self._unproved += 1
            rest = min(rest, self._until_next_slot())
        unsettled = days_wanted(today, self._settled(today), self._farthest)[1:]
        if self._farthest in unsettled:  # at midnight it is gone
            rest = min(rest, _OFTEN)
        return min(rest, RE_READ + _A_LITTLE) if unsettled else rest

    # -- what the meter has proved --------------------------------------------------------------------------

    def _use_learnt(self) -> None:
        """Take over what earlier runs have found out; nothing of another epoch."""
        self._learnt.load()
        if self._loaded == self._journal.epoch:
            return
        self._loaded = self._journal.epoch
        self._deepest, self._unproved = None, 0
        known = self._learnt.get(HORIZON)
        self._known = int(known) if known is not None and known.isdigit() else None
        self._reprove = self._known is not None
        self._link.trust(self._learnt.get(ENERGY_FIRST), self._learnt.get(DEMAND_STAMP))

    async def _align(self) -> None:
        """See how the meter counts the elements of its histories, as long as it has not proved it."""
        if not self._link.alignment_known:
            problem = await self._link.check_alignment()
            if problem is not None:
                self._journal.log_error("alignment", problem)
        if self._link.alignment_known:
            self._learnt.keep(ENERGY_FIRST, self._link.energy_first)

    # -- reading days ---------------------------------------------------------------------------------------

    @property
    def _farthest(self) -> int:
        """How many days back are asked for."""
        if self._known is None:
            return self._most
        return min(self._known + (1 if self._reprove else 0), self._most)

    def _plan(self, today: date) -> list[date]:
        """The days to read, most urgent first; holes in the past are not asked for again within hours."""
        now = self._times.now()
        reads = self._journal.history_reads(today - timedelta(days=MAX_DAYS_BACK))
        for read in reads:
            if read.elements > read.no_data:  # known from an earlier run
                back = (read.read_at.astimezone(JST).date() - read.day).days
                self._deepest = max(min(back, self._most), self._deepest or 0)
        yesterday = today - timedelta(days=1)
        expiring = today - timedelta(days=self._farthest)
        lately = {
            read.day
            for read in reads
            if expiring < read.day < yesterday and abs(now - read.read_at) < RE_READ
        }
        backs = days_wanted(today, self._settled(today) | lately, self._farthest)
        if self._reprove and self._farthest not in backs:
            backs.append(self._farthest)
        return [today - timedelta(days=back) for back in backs]

    def _settled(self, today: date) -> set[date]:
        reads = self._journal.history_reads(today - timedelta(days=MAX_DAYS_BACK))
        given = [read for read in reads if read.elements]  # a refusal settles nothing: the horizon may grow
        first, now = self._link.kind.history_properties[:1], self._times.now()
        return settled_days(given, today, first, now=now + HALF_HOUR)

    async def _read(self, days: Sequence[date]) -> None:
        """Read days and keep them, in this order."""
        total = self._farthest + 1
        done = total - len(days)
        begun = self._pace.now()
        self._journal.progress(RecoveryState.RUNNING, done, total)
        refused: list[int] = []
        self._odd = False
        count = full = unsound = given = 0
        async with aclosing(self._link.days(self._backs(days))) as reads:
            while (read := await self._next(reads)) is not None:
                count += 1
                full += _holds_data(read)
                self._asking.answered()
                if isinstance(read.problem, ReplacedError):
                    raise read.problem
                if isinstance(read.problem, NotSelectableError):
                    if not read.days_back:
                        raise read.problem  # today's: it refuses everything now
                    refused.append(read.days_back)
                elif self._take(read):
                    unsound, given = 0, max(given, read.days_back)
                else:
                    unsound, self._odd = unsound + 1, True
                    if unsound >= _UNSOUND_IN_A_ROW:
                        raise RefusedError(
                            "The meter's histories cannot be used for now.",
                            ja="計量器の履歴を今は使えません。",
                        )
                left = (self._pace.now() - begun) / count * (len(days) - count)
                self._journal.progress(
                    RecoveryState.RUNNING, min(done + count, total), total,
                    day=read.day, eta=self._pace.span(max(left, 0.0)),
                )  # fmt: skip
                await asyncio.sleep(self._link.profile.history_pause_s)
        self._journal.live.count(self._journal.meter_id, recovered_days=full)
        if full > 2:  # today and yesterday are read every day; more than that is news
            self._journal.log(Level.OK, "recovered", days=full)
        self._reprove = False
        if self._link.stamp_proven:
            self._learnt.keep(DEMAND_STAMP, self._link.demand_stamp)
        if refused and not await self._beyond([back for back in refused if back > given]):
            self._odd = True

    async def _next(self, reads: AsyncGenerator[DayRead]) -> DayRead | None:
        await self._journal.works()  # what cannot be written now is not worth reading now
        async with self._turns:
            return await anext(reads, None)

    def _backs(self, days: Sequence[date]) -> Iterator[int]:
        """The days as the meter counts them at the moment of asking; those that have expired are left out."""
        for day in days:
            back = (self._times.today() - day).days
            if 0 <= back <= self._farthest:
                yield back

    def _take(self, read: DayRead) -> bool:
        """Keep a day; whether it was sound."""
        if read.problem is not None or read.day is None:
            self._journal.log_error("history_unsound", read.problem, days_back=read.days_back)
            return False
        if _holds_data(read):
            self._deepest = max(read.days_back, self._deepest or 0)
        if self._reprove and self._known is not None and read.days_back > self._known:
            self._known = None  # it keeps more than an earlier run has found
            self._learnt.keep(HORIZON, "")
            self._asking.refill.set()
        if read.meter_time is not None:
            self._times.told(read.meter_time)
        self._journal.record_day(read)
        return True

    async def _refill_minutes(self) -> None:
        """Fine samples of the last hours, where the meter keeps any; nothing rests on them."""
        if not self._asking.silent:
            try:
                await refill_minutes(self._link, self._journal, self._times.now())
            except PROBLEMS as error:
                self._asking.failed(error)

    # -- the horizon ----------------------------------------------------------------------------------------

    async def _beyond(self, refused: Sequence[int]) -> bool:
        """Whether refused days lie beyond what the meter keeps.

        That is believed when it refuses the nearest of them each time, and gives today between.
        """
        if not refused:
            return False
        nearest = min(refused)
        if self._known is not None and nearest == self._known + 1:
            return True  # as an earlier run has found
        for _ in range(ENOUGH_READS):
            await self._pace.sleep(_PROOF_EVERY)
            asked = [read async for read in self._link.days([nearest, 0, nearest])]
            told = {(read.days_back, isinstance(read.problem, NotSelectableError)) for read in asked}
            if told != {(nearest, True), (0, False)}:
                return False
        self._known = nearest - 1
        self._learnt.keep(HORIZON, str(self._known))
        today, now = self._times.today(), self._times.now()
        for back in range(nearest, self._most + 1):
            day = today - timedelta(days=back)
            self._journal.not_kept(day, self._link.kind.history_properties[0], now)
        return True

    # -- when next ------------------------------------------------------------------------------------------

    def _until_midnight(self) -> timedelta:
        now = self._times.now().astimezone(JST)
        midnight = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), JST)
        return midnight + _AFTER_MIDNIGHT - now

    def _until_next_slot(self) -> timedelta:
        past = (self._times.now() - datetime.min.replace(tzinfo=JST)) % HALF_HOUR
        return HALF_HOUR - past + timedelta(minutes=6)


def _holds_data(read: DayRead) -> bool:
    return any(elements > no_data for elements, no_data in read.elements.values())
