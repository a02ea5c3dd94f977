"""One meter kept up to date: start-up, live polling, announcements, and beside them its histories.

Live values come first; recovery reads one exchange at a time between them, so that a poll never waits for
more than one. A silent meter is asked again with growing pauses and its holes are refilled when it is back.
Everything that is learnt goes into the store before it is shown. Slots follow the meter's clock, and no wait
is measured on a clock that somebody can set.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from koatsu.clock import Clock
from koatsu.echonet import DecodeError, Eoj
from koatsu.ems.collector.asking import Asking
from koatsu.ems.collector.counted import CountedRemote
from koatsu.ems.collector.journal import Journal
from koatsu.ems.collector.link import MeterLink
from koatsu.ems.collector.pacing import Pace
from koatsu.ems.collector.recovering import Recovering
from koatsu.ems.collector.results import Sample
from koatsu.ems.collector.times import MeterTimes
from koatsu.ems.live import LiveHub, LiveState
from koatsu.ems.store import Level, Store
from koatsu.meter import Measured, Nameplate, Reading, Register, Slot, Source
from koatsu.meter.slots import HALF_HOUR
from koatsu.node import LinkProfile, Node, Notification, Peer

__all__ = ["Collector", "MeterTarget"]

log = logging.getLogger(__name__)

_LATE_SLOT: Final = timedelta(seconds=10)  # the meter has not closed its slot yet: ask again after this
_SLOT_TRIES: Final = 6
_NAMEPLATE_EVERY: Final = timedelta(minutes=10)
_SLOWEST_POLL: Final = timedelta(minutes=1)  # a silent meter is asked at least so often, or as often as usual
_HEARD_LIMIT: Final = 2000  # announced values that wait for the proof of whose they are


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
        turns: shared by many collectors: a day of history is read only while one of these is held, so that
            recoveries of many meters leave room for live polls.
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
        turns: asyncio.Semaphore | None = None,
    ) -> None:
        self.target = target
        self._node = node
        self._clock = clock
        self._pace = Pace(clock)
        remote = CountedRemote(node, target.peer, target.eoj, lambda: live.count(target.id, exchanges=1))
        self._link = MeterLink(remote, target.profile, clock)
        self._journal = Journal(target.id, store, live, hub, clock)
        self._asking = Asking(self._journal, remote, clock)
        self._times = MeterTimes(self._journal, self._pace, clock)
        self._recovering = Recovering(
            self._link, self._journal, self._asking, self._times, self._pace,
            horizon_days=target.profile.history_days_max if horizon_days is None else horizon_days,
            turns=turns or asyncio.Semaphore(),
        )  # fmt: skip
        self._unscaled = False
        self._newest: datetime | None = None  # the last half hour whose count was read or announced
        self._announced: list[Measured] = []  # heard, not yet known to be of the meter that we know
        self._hearing = asyncio.Event()
        self._appeared = asyncio.Event()  # its terminal said something, whatever it was

    async def run(self) -> None:
        """Collect until cancelled.

        Raises:
            StoreError: the store is damaged, of another program, of a newer version, or closed.
        """
        poll = timedelta(seconds=self.target.profile.poll_now_s)
        self._journal.live.started(self.target.id, self._clock.now(), poll=poll)
        unsubscribe = self._node.subscribe(self._heard)
        try:
            await self._connect()
            async with asyncio.TaskGroup() as tasks:
                for work, name in (
                    (self._poll_present(), "present values"),
                    (self._poll_slots(), "closed slots"),
                    (self._recovering.run(), "histories"),
                    (self._watch_nameplate(), "nameplate"),
                    (self._journal.write_what_waits(), "what waits"),
                ):
                    tasks.create_task(work, name=f"{self.target.id}: {name}")
        finally:
            unsubscribe()

    # -- which meter it is ----------------------------------------------------------------------------------

    async def _connect(self) -> None:
        """Read the nameplate, trying for as long as it takes.

        A terminal that has just started announces itself, and is asked again at once.
        """
        shortest = self._pace.seconds(timedelta(seconds=self.target.profile.start_wait_s))
        pause, tries, begun = shortest, 0, self._pace.now()
        while await self._asking.ask(self._link.open, self._take_nameplate) is None:
            self._appeared.clear()
            left = begun + self._pace.seconds(_SLOWEST_POLL) - self._pace.now()
            await self._pace.happens(self._appeared, max(min(pause, left), shortest))
            tries, begun = tries + 1, self._pace.now()
            pause = self._pace.seconds(self._asking.pause(tries))

    def _take_nameplate(self, plate: Nameplate) -> None:
        if self._journal.open_epoch(plate, self._times.near()):
            self._newest = None
            self._announced.clear()  # by the one before, or nobody knows
            self._journal.log(
                Level.CAUTION, "meter_replaced", serial=plate.serial or "", epoch=self._journal.epoch
            )
            self._asking.refill.set()
        if plate.unscaled and not self._unscaled:
            self._journal.log(Level.CAUTION, "unscaled")
        self._unscaled = plate.unscaled

    async def _watch_nameplate(self) -> None:
        """Look again from time to time: a meter behind the terminal may be replaced without a word."""
        poll = timedelta(seconds=self.target.profile.poll_now_s)
        every = self._pace.seconds(max(_NAMEPLATE_EVERY, poll))
        while True:
            urgent, tries = await self._pace.happens(self._asking.look_again, every), 0
            while await self._asking.ask(self._link.open, self._take_nameplate) is None and urgent:
                tries += 1  # until then nothing of it can be kept; a poll that it answers ends the pause
                pause = max(self._asking.pause(tries), _LATE_SLOT)
                await self._pace.happens(self._asking.look_again, self._pace.seconds(pause))
            if urgent:
                self._asking.refill.set()

    # -- live values ----------------------------------------------------------------------------------------

    async def _poll_present(self) -> None:
        every = timedelta(seconds=self.target.profile.poll_now_s)
        while True:
            begun = self._pace.now()
            wait = every
            if await self._ask(self._link.now) is None:
                wait = max(every, min(self._asking.pause(self._asking.failures), _SLOWEST_POLL))
            left = begun + self._pace.seconds(wait) - self._pace.now()
            if self._asking.silent:
                self._appeared.clear()
                await self._pace.happens(self._appeared, left)
            else:
                await asyncio.sleep(max(left, 0.0))

    async def _poll_slots(self) -> None:
        """Ask for the closed slot soon after each half hour of the meter, and once at the start."""
        after = timedelta(seconds=self.target.profile.poll_slot_after_s)
        await self._ask(self._link.closed_slot)
        while True:
            border = Slot.at(self._times.now()).end
            due = self._pace.now() + self._pace.seconds(border + after - self._times.now())
            while (left := due - self._pace.now()) > 0 and await self._pace.happens(self._hearing, left):
                await self._ask(self._link.present)
            for _ in range(_SLOT_TRIES):
                sample = await self._ask(self._link.closed_slot)
                if sample is None or (self._newest is not None and self._newest >= border):
                    break  # silent: the recovery fills it; or it is here
                await self._pace.sleep(_LATE_SLOT)

    async def _ask(self, ask: Callable[[], Awaitable[Sample]]) -> Sample | None:
        """Ask for values; what was announced before is of the meter that has proved now who it is."""
        announced, self._announced = self._announced, []

        def take(sample: Sample) -> None:
            self._take([*announced, *sample.measured])
            self._times.compare(sample)

        sample = await self._asking.ask(ask, take)
        if sample is None and not self._asking.look_again.is_set():
            self._announced = [*announced, *self._announced][-_HEARD_LIMIT:]
        return sample

    def _heard(self, note: Notification) -> None:
        """Take in an announcement of our meter."""
        if note.peer.address != self.target.peer.address:
            return
        self._appeared.set()
        if note.eoj != self.target.eoj or not self._journal.opened:
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

    def _take(self, measured: Sequence[Measured]) -> None:
        """Keep values; a half hour that is missing between two of them is fetched from the history."""
        self._journal.record(measured)
        known = [
            one.instant
            for one in measured
            if isinstance(one, Reading)
            and one.register is Register.ENERGY
            and one.source in (Source.FIXED, Source.NOTIFIED)
            and one.count is not None
        ]
        if not known:
            return
        newest, before = max(known), self._newest
        if before is not None and newest > before + HALF_HOUR:
            self._asking.refill.set()
        self._newest = newest
