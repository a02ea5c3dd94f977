"""A site, its collector, its store and its truth over simulated days, in virtual time."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from virtual_time import LoopClock

from koatsu.clock import JST
from koatsu.echonet import Eoj
from koatsu.ems.collector import Collector, MeterTarget
from koatsu.ems.live import LiveHub, LiveState, RecoveryState
from koatsu.ems.store import Store, StoredMeter
from koatsu.emulator.faults import parse_fault
from koatsu.emulator.plan import MeterPlan, SitePlan
from koatsu.emulator.site import EmulatedSite
from koatsu.emulator.spec import MeterSpec
from koatsu.meter import Register
from koatsu.node import Network, Node, Peer, load_profile

METER, OWN = "192.0.2.2", "192.0.2.1"
START = datetime(2026, 7, 15, 10, 10, tzinfo=JST)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CEILING = Decimal(2000)
#: The timers of a real high-voltage link, which cost nothing here; polls are rare, so that months are short.
LONG = replace(load_profile("hv-assumed"), poll_now_s=1800)


@dataclass
class LongBench:
    """A site with one meter and a collector that can be stopped and started again."""

    site: EmulatedSite
    store: Store
    live: LiveState
    hub: LiveHub
    network: Network
    clock: LoopClock  # ours; the meter's is another
    truth_file: Path
    horizon: int
    start: Callable[[], None]
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    ever = (START - 400 * DAY, START + 800 * DAY)

    async def sleep(self, span: timedelta) -> None:
        """Let simulated time pass."""
        await asyncio.sleep(span.total_seconds())

    def fault(self, text: str, *, on: bool = True) -> None:
        """Switch a fault of the emulator."""
        self.site.switches.turn(parse_fault(text), on=on)

    async def outage(self, span: timedelta) -> None:
        """The network is gone for so long."""
        self.network.unplug(METER)
        await self.sleep(span)
        self.network.replug(METER)

    async def stop(self) -> None:
        """Stop the collector as a kill does: wherever it is."""
        for task in self.tasks:
            task.cancel()
        for result in await asyncio.gather(*self.tasks, return_exceptions=True):
            assert isinstance(result, asyncio.CancelledError), result
        self.tasks.clear()

    async def until(self, test: Callable[[], object], longest: timedelta = DAY) -> None:
        """Wait for signals until ``test`` holds."""
        async with asyncio.timeout(longest.total_seconds()):
            async with self.hub.listen() as listener:
                while not test():
                    await listener.next(timedelta(seconds=10))

    async def recovered(self, longest: timedelta = DAY) -> None:
        """Wait until the histories have been read."""
        await self.until(lambda: self.live.of("main").recovery.state is RecoveryState.DONE, longest)

    def codes(self) -> list[str]:
        """The codes of the events, oldest first."""
        return [event.code for event in reversed(self.store.events(limit=5000))]

    def kept(self, register: Register = Register.ENERGY) -> dict[tuple[int, datetime], int | None]:
        """Every stored half-hour count by epoch and instant."""
        rows = self.store.readings("main", register, *self.ever)
        return {(row.epoch, datetime.fromtimestamp(row.at, JST)): row.count for row in rows}

    def truth(self) -> Truth:
        """What the meters counted."""
        return Truth.read(self.truth_file)


@dataclass
class Truth:
    """The truth file: every count ever shown, by serial number, name and instant, in order."""

    registers: dict[tuple[str, str], dict[datetime, list[int]]]
    demands: dict[tuple[str, str], dict[datetime, list[int | None]]]

    @classmethod
    def read(cls, path: Path) -> Truth:
        registers: Any = defaultdict(lambda: defaultdict(list))
        demands: Any = defaultdict(lambda: defaultdict(list))
        for line in path.read_text().splitlines():
            told = json.loads(line)
            if told["kind"] == "register":
                at = datetime.fromisoformat(told["instant"])
                found = registers[told["serial"], told["register"]][at]
            elif told["kind"] == "demand":
                at = datetime.fromisoformat(told["slot_start"])
                found = demands[told["serial"], told["direction"]][at]
            else:
                continue
            if told["count"] not in found:
                found.append(told["count"])
        return cls(registers, demands)


@asynccontextmanager
async def long_bench(
    folder: Path,
    *,
    days: int = 6,
    code: int = 0x028A,
    begin: datetime = START,
    profile: Any = LONG,
    horizon: int | None = None,
    spec: dict[str, Any] | None = None,
    open_store: Callable[[Path], Store] = Store.open,
    **chaos: Any,
) -> AsyncIterator[LongBench]:
    """The bench at work; its collector has been started. Use it inside ``run_virtually``."""
    network = Network(7, **chaos)
    true, ours = LoopClock(begin), LoopClock(begin)
    truth = folder / "truth.jsonl"
    plan = SitePlan(meters=(MeterPlan(spec=MeterSpec(class_code=code, history_days=days, **(spec or {}))),))
    site = EmulatedSite(plan, true, [network.attach(METER)], profile=load_profile("fast"), truth=truth)
    await site.start()
    store, live, hub = open_store(folder / "store.db"), LiveState(), LiveHub()
    store.put_meter(
        StoredMeter(id="main", label="", role="buy", class_code=code, address=METER, ceiling_kw=CEILING)
    )
    target = MeterTarget(id="main", peer=Peer(METER), eoj=Eoj.of(code), profile=profile)
    async with Node(network.attach(OWN), profile) as node:

        def start() -> None:
            collector = Collector(target, node, store, live, hub, ours, horizon_days=horizon)
            bench.tasks.append(asyncio.create_task(collector.run()))

        bench = LongBench(site, store, live, hub, network, ours, truth, horizon or 99, start)
        start()
        beat = asyncio.create_task(_beat(site))
        try:
            yield bench
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
            try:
                await bench.stop()
            finally:
                await site.close()
                store.close()


async def _beat(site: EmulatedSite) -> None:
    """Let the site do what it does by itself: announcements, planned events, the truth file."""
    while True:
        site.agenda.step()
        await asyncio.sleep(60)
