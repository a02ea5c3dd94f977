"""Ten thousand emulated meters in one process, each polled once a minute by another: CPU time and memory.

Every meter is a real emulated one with a clock, registers and a node of its own; emulated time moves one
minute between two sweeps, so each sweep also pays for the minute that the registers have to count. The
poller turns every answer into typed values. What is measured is CPU time, which does not depend on how busy
the machine is with other things; a minute is not waited for, its share is computed.
"""

from __future__ import annotations

import asyncio
import random
import sys
from contextlib import ExitStack
from datetime import datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.eight import EIGHT, METER
from benchmarks.figure import Figure
from benchmarks.hosts import many_addresses, two_hosts
from benchmarks.processes import cpu_seconds, memory_bytes, other_process, serve

from koatsu.clock import JST, ManualClock
from koatsu.emulator.fleet import Fleet
from koatsu.emulator.spec import MeterSpec
from koatsu.node import Node, Peer, RemoteObject, SharedUdp, UdpLink, load_profile

METERS = 10_000
SWEEPS = 5
AT_A_TIME = 64  # questions open; all at once would overrun the socket's buffer
START = datetime(2026, 7, 15, 13, 0, 10, tzinfo=JST)
_WHAT = f"{METERS:,} emulated meters polled once a minute by one process"


def measure(seed: str) -> list[Figure]:
    """CPU time of both sides, and the emulator's memory."""
    with ExitStack() as stack:
        hosts = stack.enter_context(two_hosts())
        if hosts is None:
            return [Figure(what=_WHAT, ours="not measured: needs root and iproute2 (ip netns, veth)")]
        number = str(random.Random(seed).randrange(1 << 16))
        device = stack.enter_context(other_process("fleet", "device", number, before=hosts.meters))
        poller = stack.enter_context(
            other_process("fleet", "poller", hosts.controller_address, before=hosts.controller)
        )
        sweeps = [_sweep(device, poller) for _ in range(SWEEPS + 1)]
        memory = device.ask(do="usage")["memory"]
    making, *sweeps = sweeps
    emulator, polling, wall = (median(one[at] for one in sweeps) for at in range(3))
    return [
        Figure(
            what=f"{_WHAT}: the emulator",
            ours=f"{emulator / 60:.1%} of a core".replace("%", " %"),
            note=f"{emulator:.2f} s CPU a sweep of {METERS:,} Gets of 8 properties "
            f"({1e6 * emulator / METERS:.0f} µs a meter); {memory / 2**20:.0f} MiB in all, "
            f"{(memory - device.hello) / METERS / 1024:.0f} KiB a meter; the first sweep, which makes the "
            f"registers, {making[0]:.2f} s.",
        ),
        Figure(
            what=f"{_WHAT}: the poller",
            ours=f"{polling / 60:.1%} of a core".replace("%", " %"),
            note=f"{polling:.2f} s CPU a sweep ({1e6 * polling / METERS:.0f} µs a meter), answers decoded to "
            f"typed values; {wall:.1f} s from the first question to the last answer; "
            f"{sum(one[3] for one in sweeps)} meters of {len(sweeps) * METERS:,} without answer.",
        ),
    ]


def _sweep(device: Any, poller: Any) -> tuple[float, float, float, int]:
    """CPU seconds of emulator and poller, seconds by the clock, meters that stayed silent."""
    device.ask(do="minute")
    before = device.ask(do="usage")["cpu"]
    found = poller.ask(do="sweep")
    return device.ask(do="usage")["cpu"] - before, found["cpu"], found["wall"], found["silent"]


async def _device(seed: str) -> None:
    """All meters."""
    bare = memory_bytes()
    clock = ManualClock(START)
    shared = await SharedUdp.open()
    spec = MeterSpec(seed=int(seed))
    fleet = Fleet(shared.attach, clock, count=METERS, first=many_addresses(1)[0], spec=spec)

    def obey(order: dict[str, Any]) -> Any:
        if order["do"] == "minute":
            return str(clock.advance(timedelta(minutes=1)))
        return {"cpu": cpu_seconds(), "memory": memory_bytes()}

    await serve(bare, obey)
    await fleet.close()


async def _poller(own: str) -> None:
    """The side that asks."""
    node = Node(await UdpLink.open(own, multicast=False), load_profile("fast"))
    meters = [RemoteObject(node, Peer(host), METER) for host in many_addresses(METERS)]

    async def sweep(_: dict[str, Any]) -> dict[str, Any]:
        left, silent = iter(meters), 0

        async def worker() -> None:
            nonlocal silent
            for meter in left:
                silent += len(await meter.read(*EIGHT)) != len(EIGHT)

        start, cpu = perf_counter(), cpu_seconds()
        await asyncio.gather(*(worker() for _ in range(AT_A_TIME)))
        return {"cpu": cpu_seconds() - cpu, "wall": perf_counter() - start, "silent": silent}

    await serve("ready", sweep)
    await node.close()


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    asyncio.run({"device": _device, "poller": _poller}[role](*words))
