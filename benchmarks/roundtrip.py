"""Get round trips to one meter, one after another: Koatsu on both sides against bare asyncio on both sides.

Real UDP on the loopback network, a device process and this one as controller. The bare responder answers
with the very bytes that Koatsu's device gave. A round asks Koatsu, then the baseline; the device processes
run all the time, the one that is not asked sleeps. Every process is kept on a stated core: left to itself,
the scheduler puts one pair on a single core and parts the other, and the ratio is its choice, not ours.
"""

from __future__ import annotations

import asyncio
import random
import sys
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.baselines.bare_udp import BareClient, BareResponder, patched
from benchmarks.eight import METER, epcs, random_values
from benchmarks.figure import Figure, ratio_of_rounds
from benchmarks.processes import loopback, on_core, other_process, serve, two_cores

from koatsu.echonet import CONTROLLER, Esv, Frame
from koatsu.node import PORT, HostedObject, Node, Peer, UdpLink, load_profile

ROUNDS = 25
ASKED = 1000  # round trips in a round


def measure(seed: str) -> list[Figure]:
    """Round trips a second of both: the sides on a core each, as on two machines, and crowded on one."""
    first, second = two_cores()
    what = "Get round trips to one meter, one after another"
    apart, crowded = (_raced(seed, first, second), _raced(seed, first, first))
    return [
        Figure(
            what=f"{what}, a core for each side", **apart, sense="≥", target=0.5, unit="%",
            note=f"8 properties, {ROUNDS} rounds of {ASKED:,} each, loopback. Baseline: the same datagrams "
            "over asyncio's own transport on both sides; it matches the TID and decodes nothing.",
        ),
        Figure(
            what=f"{what}, both sides on one core", **crowded, unit="%",
            note="The same, the harsher way: no time passes in which a core only wakes up, so this is the "
            "ratio of computing alone. Where the scheduler may choose, it mixes both ways at will.",
        ),
    ]  # fmt: skip


def _raced(seed: str, controller_core: int, device_core: int) -> dict[str, Any]:
    device, bare_device = loopback(2), loopback(4)
    with (
        on_core(controller_core),
        other_process("roundtrip", "device", device, seed, core=device_core) as one,
        other_process("roundtrip", "bare", bare_device, str(one.hello), core=device_core),
    ):
        ours, bare = asyncio.run(_race(device, bare_device, bytes.fromhex(str(one.hello))))
    return {
        "ours": f"{ASKED / median(ours):,.0f} /s",
        "baseline": f"{ASKED / median(bare):,.0f} /s",
        "ratio": ratio_of_rounds(bare, ours),
    }


async def _race(device: str, bare_device: str, expected: bytes) -> tuple[list[float], list[float]]:
    """Seconds of each round, Koatsu's and the baseline's."""
    wanted, peer, address = epcs(), Peer(device), (bare_device, PORT)
    request = Frame(1, CONTROLLER, METER, Esv.GET, [(epc, b"") for epc in wanted]).encode()
    ours: list[float] = []
    bare: list[float] = []
    client = await BareClient.open(loopback(3), PORT)
    async with Node(await UdpLink.open(loopback(1)), load_profile("fast")) as node:
        assert (await node.get(peer, METER, wanted)).frame.encode()[4:] == expected[4:]
        assert (await client.ask(request, address))[4:] == expected[4:]
        for warm in (True, *[False] * ROUNDS):
            start = perf_counter()
            for _ in range(ASKED):
                await node.get(peer, METER, wanted)
            middle = perf_counter()
            for _ in range(ASKED):
                await client.ask(request, address)
            end = perf_counter()
            if not warm:
                ours.append(middle - start)
                bare.append(end - middle)
    client.close()
    return ours, bare


async def _device(address: str, seed: str) -> None:
    """Koatsu's device, which tells its answer first."""
    served = HostedObject(METER, random_values(random.Random(seed)))
    async with Node(await UdpLink.open(address), objects=[served]):
        values = [(epc, served.get(epc) or b"") for epc in epcs()]
        await serve(Frame(1, METER, CONTROLLER, Esv.GET_RES, values).encode().hex(), lambda _: None)


async def _bare(address: str, answer: str) -> None:
    """The bare device."""
    data = patched(bytes.fromhex(answer), b"\0\0")
    await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: BareResponder(data), local_addr=(address, PORT)
    )
    await serve("ready", lambda _: None)


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    asyncio.run({"device": _device, "bare": _bare}[role](*words))
