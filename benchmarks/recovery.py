"""A hundred days of one meter recovered: Koatsu's way to the readings against the bare exchanges.

The emulated meter answers at once, in a process of its own, and serves both. The baseline sends, for each
day, Set of the day and one Get of all histories that the meter offers, as bytes made beforehand, and looks
at nothing but the TID. Koatsu's side ends with dated, checked readings, for which it also asks for the
meter's time: once more at the beginning and at the end, and with every day's histories.
"""

from __future__ import annotations

import asyncio
import random
import sys
from statistics import median
from time import perf_counter

from benchmarks.baselines.bare_udp import BareClient
from benchmarks.figure import Figure, ratio_of_rounds
from benchmarks.processes import loopback, on_core, other_process, serve, two_cores

from koatsu.devices import device_class
from koatsu.echonet import CONTROLLER, Eoj, Esv, Frame, decode
from koatsu.ems.collector.link import MeterLink
from koatsu.emulator.run import EmulatorOptions, open_emulator
from koatsu.node import PORT, Node, Peer, RemoteObject, UdpLink, load_profile

DAYS = 100
ROUNDS = 9
SLOW_ROUNDS = 3
ANSWER_S = 0.02  # of the slower terminal; what real ones take is not published
METER = Eoj(0x028A01)


class CountedLink(UdpLink):
    """Counts the questions that leave."""

    sent = 0

    def send(self, data: bytes, peer: Peer) -> None:
        self.sent += 1
        super().send(data, peer)


def measure(seed: str) -> list[Figure]:
    """Seconds of a recovery of both, and how many exchanges each needs."""
    at_once, slow = _raced(seed, 0.0, ROUNDS), _raced(seed, ANSWER_S, SLOW_ROUNDS)
    return [
        _figure(
            "an emulated meter that answers at once", at_once,
            f"{ROUNDS} recoveries each; {at_once['readings']:,} dated readings of 0x028A "
            f"({', '.join(at_once['histories'])}). Beforehand, once for a meter: Get map and nameplate "
            f"{1000 * at_once['open']:.1f} ms, check of the alignment {1000 * at_once['alignment']:.1f} ms. "
            "Baseline: a day's Set and Get as ready-made bytes, TID matched, nothing decoded.",
        ),
        _figure(
            f"each answer {1000 * ANSWER_S:.0f} ms later", slow,
            f"The same with a terminal that takes its time; {SLOW_ROUNDS} recoveries each.",
        ),
    ]  # fmt: skip


def _figure(how: str, found: dict, note: str) -> Figure:
    ours, bare = found["ours"], found["bare"]
    return Figure(
        what=f"recovery of {DAYS} days of one meter, {how}",
        ours=f"{1000 * median(ours):,.0f} ms, {found['exchanges']} exchanges",
        baseline=f"{1000 * median(bare):,.0f} ms, {found['bare exchanges']} exchanges",
        ratio=ratio_of_rounds(ours, bare),
        target=1.2,
        note=note,
    )


def _raced(seed: str, answer_s: float, rounds: int) -> dict:
    here, there = two_cores()
    number = str(random.Random(seed).randrange(1 << 16))
    with (
        on_core(here),
        other_process("recovery", loopback(2), number, str(answer_s), core=there),
    ):
        return asyncio.run(_race(Peer(loopback(2)), rounds))


async def _race(peer: Peer, rounds: int) -> dict:
    """Both by turns, after one day of warming up; times in seconds."""
    profile = load_profile("fast")
    client = await BareClient.open(loopback(3), PORT)
    wire = await CountedLink.open(loopback(1))
    async with Node(wire, profile) as node:
        link = MeterLink(RemoteObject(node, peer, METER), profile)
        start = perf_counter()
        await link.open()
        opened = perf_counter()
        problem = await link.check_alignment()
        aligned = perf_counter()
        assert problem is None
        offered = link.kind.offered(link.kind.history_properties, await link.remote.offered())
        found: dict = {
            "ours": [], "bare": [], "open": opened - start, "alignment": aligned - opened,
            "histories": offered,
        }  # fmt: skip
        requests = _requests(link.kind.history_selector, offered)
        for request in requests[:2]:
            await client.ask(request, (peer.host, PORT))
        assert len([day async for day in link.days([1])]) == 1
        for _ in range(rounds):
            wire.sent = client.sent = 0
            start = perf_counter()
            days = [day async for day in link.days(range(DAYS))]
            middle = perf_counter()
            answers = [await client.ask(request, (peer.host, PORT)) for request in requests]
            end = perf_counter()
            found["ours"].append(middle - start)
            found["bare"].append(end - middle)
        assert not [day.problem for day in days if day.problem]
        assert {decode(answer).esv for answer in answers} == {Esv.SET_RES, Esv.GET_RES}
        found |= {"exchanges": wire.sent, "bare exchanges": client.sent}
        found["readings"] = sum(len(day.measured) for day in days)
    client.close()
    return found


def _requests(selector: str, histories: tuple[str, ...]) -> list[bytes]:
    """The baseline's datagrams: Set and Get for each day."""
    table = device_class(METER.class_code)
    read = [(table.property(name).epc, b"") for name in histories]
    requests = []
    for day in range(DAYS):
        write = table.property(selector)
        requests.append(Frame(1, CONTROLLER, METER, Esv.SETC, [(write.epc, write.encode(day))]).encode())
        requests.append(Frame(1, CONTROLLER, METER, Esv.GET, read).encode())
    return requests


async def _meter(address: str, seed: str, answer_s: str) -> None:
    """The emulated meter."""
    options = EmulatorOptions(
        listen=address, seed=int(seed), history_days=DAYS - 1, link_profile="fast",
        answer_delay_s=float(answer_s),
    )  # fmt: skip
    async with open_emulator(options):
        await serve("ready", lambda _: None)


if __name__ == "__main__":
    asyncio.run(_meter(*sys.argv[1:]))
