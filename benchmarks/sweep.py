"""A thousand meters swept once, all asked at the same time: Koatsu's controller against a bare asyncio one.

One process answers for all addresses, with the same bytes for both; it is no Koatsu node, so that a slow
device cannot hide a slow controller. With root and iproute2 it is another host behind one shared socket,
else it has a socket for each address of the loopback network.
"""

from __future__ import annotations

import asyncio
import random
import resource
import sys
from contextlib import ExitStack
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.baselines.bare_udp import BareClient, BareResponder, patched
from benchmarks.eight import METER, epcs, random_values
from benchmarks.figure import Figure, ratio_of_rounds
from benchmarks.hosts import many_addresses, two_hosts
from benchmarks.processes import loopback, other_process, serve, two_cores

from koatsu.echonet import CONTROLLER, Esv, Frame
from koatsu.node import PORT, HostedObject, Node, Peer, SharedUdp, UdpLink, load_profile

METERS = 1000
ROUNDS = 25
_LOST_S = 0.9  # a sweep that takes longer has lost a datagram and waited for the timer


def measure(seed: str) -> list[Figure]:
    """Seconds of a sweep of both."""
    served = HostedObject(METER, random_values(random.Random(seed)))
    values = [(epc, served.get(epc) or b"") for epc in epcs()]
    answer = Frame(0, METER, CONTROLLER, Esv.GET_RES, values).encode().hex()
    one, other = two_cores()
    with ExitStack() as stack:
        hosts = stack.enter_context(two_hosts())
        if hosts:
            first, own, how = many_addresses(1)[0], hosts.controller_address, "shared"
        else:
            first, own, how = loopback(1000), loopback(1), "sockets"
        before = (hosts.meters, hosts.controller) if hosts else ((), ())
        stack.enter_context(
            other_process("sweep", "responder", how, first, answer, before=before[0], core=other)
        )
        controller = stack.enter_context(
            other_process("sweep", "controller", own, first, answer, before=before[1], core=one)
        )
        found = controller.ask(rounds=ROUNDS)
    ours, bare, lost = found["ours"], found["bare"], found["lost"]
    place = "another host (veth)" if hosts else "loopback, a socket each"
    return [
        Figure(
            what=f"{METERS:,} meters swept once, all asked together",
            ours=f"{1000 * median(ours):.0f} ms",
            baseline=f"{1000 * median(bare):.0f} ms",
            ratio=ratio_of_rounds(ours, bare),
            target=2,
            note=f"8 properties, {len(ours)} sweeps each, meters on {place}; rounds left out because a "
            f"datagram was lost: {lost}. Baseline: gathered futures over asyncio's own transport, TID "
            "matched, nothing decoded, no timer, no retry.",
        )
    ]


def _addresses(first: str) -> list[str]:
    return many_addresses(METERS, f"{first}/32")


async def _controller(own: str, first: str, answer: str) -> None:
    """The measuring side: Koatsu and the baseline by turns."""
    hosts, wanted, expected = _addresses(first), epcs(), bytes.fromhex(answer)[4:]
    peers, addresses = [Peer(host) for host in hosts], [(host, PORT) for host in hosts]
    request = Frame(1, CONTROLLER, METER, Esv.GET, [(epc, b"") for epc in wanted]).encode()
    client = await BareClient.open(own, PORT + 1)
    node = Node(await UdpLink.open(own, multicast=False), load_profile("fast"))

    async def koatsu() -> None:
        answers = await asyncio.gather(*(node.get(peer, METER, wanted) for peer in peers))
        assert all(len(one.values) == len(wanted) for one in answers)

    async def bare() -> None:
        async with asyncio.timeout(1):
            answers = await asyncio.gather(*(client.ask(request, address) for address in addresses))
        assert all(one[4:] == expected for one in answers)

    async def race(order: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {"ours": [], "bare": [], "lost": 0}
        for number in range(order["rounds"] + 1):
            ours, theirs = await _timed(koatsu()), await _timed(bare())
            if max(ours, theirs) > _LOST_S:
                found["lost"] += 1
            elif number:  # the first sweep makes what is kept for each address
                found["ours"].append(ours)
                found["bare"].append(theirs)
        return found

    await serve("ready", race)
    await node.close()


async def _timed(work: Any) -> float:
    start = perf_counter()
    try:
        await work
    except TimeoutError:
        pass  # it shows in the time
    return perf_counter() - start


async def _responder(how: str, first: str, answer: str) -> None:
    """All meters."""
    data = bytes.fromhex(answer)
    if how == "shared":
        shared = await SharedUdp.open()
        for host in _addresses(first):
            link = shared.attach(host)
            link.set_receiver(lambda asked, peer, _, link=link: link.send(patched(data, asked[2:4]), peer))
    else:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 2 * METERS), most))
        loop = asyncio.get_running_loop()
        for host in _addresses(first):
            await loop.create_datagram_endpoint(lambda: BareResponder(data), local_addr=(host, PORT))
    await serve("ready", lambda _: None)


if __name__ == "__main__":
    role, *words = sys.argv[1:]
    asyncio.run({"controller": _controller, "responder": _responder}[role](*words))
