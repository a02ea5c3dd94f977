"""A hundred sites in one program, all with their histories to recover at once, while they are polled live.

The emulated meters answer at once, in a process of their own; the program under measurement has one node, one
store and a collector for each meter, as `koatsu run` has. How long a live poll takes, from the moment it is
due until its answer is there, is noted while everything is being recovered and again afterwards. The baseline
of the time is that of a tenth of the sites, so a ratio of 1 says that a site costs the same in company.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

from benchmarks.figure import Figure
from benchmarks.hosts import many_addresses, two_hosts
from benchmarks.processes import other_process, serve

from koatsu.app import collecting
from koatsu.app.reader import StoredSites
from koatsu.app.serving import open_ems
from koatsu.clock import JST, ScaledClock
from koatsu.config import Address, Config, MeterConfig, NodeConfig, SiteConfig, StoreConfig
from koatsu.ems.collector.link import MeterLink
from koatsu.ems.live import RecoveryState
from koatsu.emulator.fleet import Fleet
from koatsu.emulator.spec import MeterSpec
from koatsu.node import SharedUdp, load_profile

SITES = 100
FEW = 10
DAYS = 30  # of history in each meter, today among them
AFTER_S = 20.0  # of plain polling afterwards
START = datetime(2026, 7, 15, 13, 0, 10, tzinfo=JST)
_WHAT = f"{SITES} sites of one program recovered at once, {DAYS} days each"


def measure(seed: str) -> list[Figure]:
    """Time of the recovery, and what it does to live polls; with and without a limit of recoveries."""
    with ExitStack() as stack:
        hosts = stack.enter_context(two_hosts())
        if hosts is None:
            return [Figure(what=_WHAT, ours="not measured: needs root and iproute2 (ip netns, veth)")]
        number = str(random.Random(seed).randrange(1 << 16))
        stack.enter_context(other_process("sites", "meters", number, before=hosts.meters))
        program = stack.enter_context(
            other_process("sites", "program", hosts.controller_address, before=hosts.controller)
        )
        few = program.ask(sites=FEW, after=0.0, limit=collecting.RECOVERIES_AT_ONCE)
        free = program.ask(sites=SITES, after=0.0, limit=SITES)
        ours = program.ask(sites=SITES, after=AFTER_S, limit=collecting.RECOVERIES_AT_ONCE)
    days = SITES * DAYS
    return [
        Figure(
            what=_WHAT,
            ours=f"{ours['seconds']:.1f} s, {days / ours['seconds']:.0f} days/s",
            baseline=f"{FEW * DAYS / few['seconds']:.0f} days/s with {FEW} sites",
            ratio=(ours["seconds"] / SITES) / (few["seconds"] / FEW),
            target=1.3,
            note=f"From the start of the program to the last day stored; start-up of each meter (nameplate, "
            f"alignment) included, and starts {collecting.START_GAP_S} s apart.",
        ),
        Figure(
            what="a live poll while they are recovered, 95th percentile",
            ours=f"{1000 * ours['during'][1]:.0f} ms (median {1000 * ours['during'][0]:.0f} ms)",
            baseline=f"{1000 * free['during'][1]:.0f} ms with every recovery at once",
            ratio=ours["during"][1] / free["during"][1],
            target=1.0,
            note=f"At most {collecting.RECOVERIES_AT_ONCE} days are read at a time, over all meters; a poll "
            f"is due every 10 s. Afterwards, with nothing to recover, {1000 * ours['later'][1]:.0f} ms "
            f"(median {1000 * ours['later'][0]:.0f} ms). Without the limit the recovery took "
            f"{free['seconds']:.1f} s.",
        ),
    ]


async def _meters(seed: str) -> None:
    """All meters, behind one socket."""
    shared = await SharedUdp.open()
    fleet = Fleet(
        shared.attach, ScaledClock(START), count=SITES, first=many_addresses(1)[0],
        spec=MeterSpec(seed=int(seed)), history_days=DAYS - 1,
    )  # fmt: skip
    await serve("ready", lambda _: None)
    await fleet.close()


async def _program(own: str) -> None:
    """The program under measurement, once for each order."""
    polls: list[float] = []
    asked = MeterLink.now

    async def timed(link: MeterLink) -> Any:
        due = perf_counter()
        try:
            return await asked(link)
        finally:
            polls.append(perf_counter() - due)

    MeterLink.now = timed  # type: ignore[method-assign] # a stop watch on it

    profile = replace(load_profile("fast"), history_days_max=DAYS - 1)

    async def order(told: dict[str, Any]) -> dict[str, Any]:
        collecting.RECOVERIES_AT_ONCE = told["limit"]  # type: ignore[misc] # what is varied here
        with tempfile.TemporaryDirectory(prefix="koatsu-bench-") as folder:
            config = _config(Path(folder), own, told["sites"])
            begun = perf_counter()
            async with open_ems(config, ScaledClock(START), profile_of=lambda _: profile) as sites:
                await _recovered(sites, config)
                seconds = perf_counter() - begun
                during = _middle(polls)
                polls.clear()
                await asyncio.sleep(told["after"])
                later = _middle(polls)
            polls.clear()
        return {"seconds": seconds, "during": during, "later": later}

    await serve("ready", order)


async def _recovered(sites: StoredSites, config: Config) -> None:
    """Wait until every day of every meter is stored."""
    listener = sites.listen()
    left = {meter.id for meter in config.meters}
    async for _ in listener:
        left = {one for one in left if sites.live.of(one).recovery.state is not RecoveryState.DONE}
        if not left:
            listener.close()


def _middle(seconds: list[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    if len(seconds) < 2:
        return 0.0, 0.0
    marks = quantiles(seconds, n=20)
    return marks[9], marks[18]


def _config(folder: Path, own: str, count: int) -> Config:
    addresses = many_addresses(count)
    return Config(
        sites=tuple(SiteConfig(id=f"s{number}", name=f"site {number}") for number in range(count)),
        meters=tuple(
            MeterConfig(id=f"m{number}", site=f"s{number}", address=Address(host), profile="fast")
            for number, host in enumerate(addresses)
        ),
        store=StoreConfig(path=str(folder / "koatsu.db")),
        node=NodeConfig(address=Address(own)),
    )


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    asyncio.run({"meters": _meters, "program": _program}[role](*words))
