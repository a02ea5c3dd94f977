"""Memory of a running EMS after a simulated month, against after a simulated day.

One site with its page, a browser's stream open and pages asked for all the while, an emulated meter in
another process; both follow one clock that runs thousands of times as fast as real time. Whatever a program
keeps of every poll, slot, event or request would show: there are thousands of each.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
import urllib.request
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure
from benchmarks.processes import loopback, memory_bytes, other_process, serve, two_cores

from koatsu.app.listening import PageServer, listen
from koatsu.app.serving import open_ems
from koatsu.clock import JST, require_aware
from koatsu.config import Address, Config, MeterConfig, NodeConfig, SiteConfig, StoreConfig
from koatsu.ems.store import Store
from koatsu.emulator.run import EmulatorOptions, open_emulator
from koatsu.node import load_profile
from koatsu.web import create_app

START = datetime(2026, 6, 1, 0, 30, tzinfo=JST)
SPEED = 28_800.0  # a day in three seconds
DAYS = 31
POLL_S = 300.0  # 12 polls of 5 minutes a simulated hour: more would only wait for the wire
HISTORY = 9


class OneClock:
    """The same emulated time in several processes: it counts from an instant of the monotonic clock."""

    def __init__(self, zero: float) -> None:
        self._zero = zero

    def now(self) -> datetime:
        return START.astimezone(UTC) + timedelta(seconds=(time.monotonic() - self._zero) * SPEED)

    def real_seconds_until(self, instant: datetime) -> float:
        return max(0.0, (require_aware(instant) - self.now()).total_seconds() / SPEED)


def measure(_seed: str) -> list[Figure]:
    """Resident memory after a day and after a month, and what was done in between."""
    here, there = two_cores()
    zero = str(time.monotonic() + 5.0)  # both are up by then
    clock = OneClock(float(zero))
    with tempfile.TemporaryDirectory(prefix="koatsu-bench-") as folder:
        with (
            other_process("longrun", "meter", zero, loopback(12), core=there),
            other_process("longrun", "ems", zero, loopback(12), loopback(11), folder, core=here) as ems,
        ):
            url = ems.hello
            stream = urllib.request.urlopen(f"{url}events/stream?screen=now", timeout=60)
            found = {}
            for days in (1, DAYS):
                until = START + timedelta(days=days)
                while (left := clock.real_seconds_until(until)) > 0:
                    for page in ("", "days"):
                        urllib.request.urlopen(f"{url}{page}", timeout=60).read()
                    stream.read1(1 << 16)
                    time.sleep(min(left, 3600 / SPEED))
                found[days] = ems.ask(do="memory")
            stream.close()
            ems.ask(do="end")
        done = _done(Path(folder, "koatsu.db"))
    return [
        Figure(
            what=f"memory of a running EMS after {DAYS} simulated days, against after one",
            ours=f"{found[DAYS] / 2**20:.1f} MiB",
            baseline=f"{found[1] / 2**20:.1f} MiB",
            ratio=found[DAYS] / found[1],
            target=1.1,
            note=f"One site with page, {SPEED:,.0f} times real time, polled every {POLL_S:.0f} s of its "
            f"clock; two pages asked for every simulated hour at most, a live stream open. At the end "
            f"{done}.",
        )
    ]


def _done(path: Path) -> str:
    """What the store holds at the end."""
    with Store.open(path) as store, store.reading() as connection:
        counts = connection.exec_driver_sql("select count(*) from reading where register = 'energy'").scalar()
        fine = connection.exec_driver_sql("select count(*) from sample").scalar()
        events = connection.exec_driver_sql("select count(*) from event").scalar()
    assert (counts or 0) > 48 * (DAYS - 1), f"it has collected {counts} counts only"
    return f"{counts:,} half-hour counts, {fine:,} fine counts of the last week, {events:,} events"


async def _meter(zero: str, address: str) -> None:
    """The emulated meter."""
    options = EmulatorOptions(listen=address, start=START, history_days=HISTORY)
    async with open_emulator(options, clock=OneClock(float(zero))):
        await serve("ready", lambda _: None)


async def _ems(zero: str, meter: str, own: str, folder: str) -> None:
    """The EMS with its page."""
    profile = replace(load_profile("fast"), poll_now_s=POLL_S, history_days_max=HISTORY)
    config = Config(
        sites=(SiteConfig(name="bench"),),
        meters=(MeterConfig(id="main", address=Address(meter), profile="fast"),),
        store=StoreConfig(path=str(Path(folder, "koatsu.db"))),
        node=NodeConfig(address=Address(own)),
    )
    async with open_ems(config, OneClock(float(zero)), profile_of=lambda _: profile) as sites:
        with listen("127.0.0.1", 0) as listener:
            server = PageServer(create_app(sites), sites.end_streams)
            page = asyncio.create_task(server.run(listener))

            def obey(order: dict[str, Any]) -> int:
                if order["do"] == "end":
                    server.should_exit = True
                return memory_bytes()

            await serve(f"http://127.0.0.1:{listener.getsockname()[1]}/", obey)
            await page


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    asyncio.run({"meter": _meter, "ems": _ems}[role](*words))
