"""A meter that is silent for hours: it is left alone more and more, and found again within a minute.

Everything is looked at on the wire: which datagrams went to the meter, and when.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from long_bench import HOUR, METER, MINUTE, SECOND, LongBench, long_bench
from virtual_time import run_virtually

from koatsu.ems.live import RecoveryState
from koatsu.node import LinkProfile, Peer, load_profile


@dataclass
class Wire:
    """What was sent to the meter: the instants of all datagrams, and of the first of each transaction."""

    datagrams: list[float] = field(default_factory=list)
    questions: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    _last: bytes = b""

    def clear(self) -> None:
        """Forget what was noted."""
        self.datagrams.clear()
        self.questions.clear()
        self.answers.clear()
        self._last = b""


def listen(bench: LongBench) -> Wire:
    """Note what goes between us and the meter from now on."""
    wire, send = Wire(), bench.network._send

    def note(data: bytes, sender: Peer, to: Peer, *, multicast: bool) -> None:
        now = asyncio.get_running_loop().time()
        if to.address == METER:
            wire.datagrams.append(now)
            if data[2:4] != wire._last:  # another transaction number
                wire.questions.append(now)
                wire._last = data[2:4]
        elif sender.address == METER and not multicast:
            wire.answers.append(now)
        send(data, sender, to, multicast=multicast)

    bench.network._send = note  # type: ignore[method-assign] # the network as it is, looked at
    return wire


PROFILES = {name: load_profile(name) for name in ("fast", "hv-assumed")}
#: A present value each minute, a closed half hour, the nameplate every ten minutes, a history every five.
HOURLY = 60 + 2 + 6 + 12


@pytest.mark.parametrize("name", PROFILES)
def test_a_silent_meter_is_left_alone_and_found_within_a_minute(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        profile, chance = PROFILES[name], Random(name)
        async with long_bench(tmp_path, days=1, horizon=1, profile=profile) as bench:
            await bench.recovered()
            wire = listen(bench)
            for hours in (3, 1, 1, 1):
                await bench.sleep(5 * MINUTE)
                await out(bench, wire, hours * HOUR + chance.uniform(0, 180) * SECOND)
                assert_left_alone(wire, profile)
                await back(bench, wire)
            assert bench.codes().count("silent") == bench.codes().count("back") == 4

    run_virtually(main)


def test_the_pauses_grow(tmp_path: Path) -> None:
    """A meter that is asked every ten seconds: a lost answer is nothing, a lost hour is."""

    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1, profile=PROFILES["fast"]) as bench:
            await bench.recovered()
            await bench.sleep(MINUTE)  # no half hour closes within the next minutes
            wire = listen(bench)
            await out(bench, wire, 8 * MINUTE)
            pauses = [two - one for one, two in pairwise(wire.questions)]
            assert pauses == sorted(pauses)
            assert pauses[0] < 15
            assert pauses[-3:] == pytest.approx([60.0] * 3)

    run_virtually(main)


@pytest.mark.parametrize("name", PROFILES)
def test_silence_in_the_middle_of_a_recovery(tmp_path: Path, name: str) -> None:
    """Its histories are asked for in growing pauses too; when it is back, the rest is read at once."""

    async def main() -> None:
        profile = PROFILES[name]
        async with long_bench(tmp_path, days=30, horizon=30, profile=profile, delay_s=(0.5, 1.0)) as bench:
            recovery = lambda: bench.live.of("main").recovery  # noqa: E731 - read again and again
            await bench.until(lambda: recovery().days_done >= 5)
            wire = listen(bench)
            await out(bench, wire, 3 * HOUR)
            assert recovery().state is RecoveryState.PAUSED
            assert_left_alone(wire, profile)
            await back(bench, wire)
            await bench.recovered(10 * MINUTE)
            assert recovery().days_done == 31

    run_virtually(main)


@pytest.mark.parametrize("name", PROFILES)
def test_a_meter_that_is_silent_from_the_start(tmp_path: Path, name: str) -> None:
    async def main() -> None:
        profile = PROFILES[name]
        async with long_bench(tmp_path, days=1, horizon=1, profile=profile) as bench:
            await bench.stop()
            wire = listen(bench)
            bench.start()
            await out(bench, wire, 3 * HOUR)
            assert_left_alone(wire, profile)
            await back(bench, wire)
            await bench.recovered(10 * MINUTE)

    run_virtually(main)


def test_silence_just_after_the_meter_was_replaced(tmp_path: Path) -> None:
    """Another meter has answered, and nobody knows yet how to read it: no reason to pester it."""

    async def main() -> None:
        profile = PROFILES["fast"]
        async with long_bench(tmp_path, days=1, horizon=1, profile=profile, delay_s=(0.3, 0.3)) as bench:
            await bench.recovered()
            await bench.sleep(3 * MINUTE)
            bench.fault("replaced-meter")
            wire = listen(bench)
            while not wire.answers:
                await bench.sleep(0.1 * SECOND)
            await bench.sleep(0.4 * SECOND)  # it has been heard, and the nameplate asked for
            await out(bench, wire, 3 * HOUR)
            assert_left_alone(wire, profile)
            assert len(bench.store.epochs("main")) == 1
            await back(bench, wire)
            await bench.sleep(10 * MINUTE)
            assert len(bench.store.epochs("main")) == 2

    run_virtually(main)


async def out(bench: LongBench, wire: Wire, span: timedelta) -> None:
    """The cable is out for so long, and still is; ``wire`` begins anew."""
    bench.network.unplug(METER)
    wire.clear()
    await bench.sleep(span)


async def back(bench: LongBench, wire: Wire) -> None:
    """Put the cable in: the first answer comes within a minute."""
    bench.network.replug(METER)
    wire.clear()
    await bench.sleep(MINUTE)
    assert wire.answers, "a minute, and it has not answered yet"


def assert_left_alone(wire: Wire, profile: LinkProfile) -> None:
    """Once it is known to be silent, it is asked no more than about once a minute, and not seldom."""
    first = wire.datagrams[0] + 5 * 60
    later = [at for at in wire.questions if at >= first]
    hours = (wire.datagrams[-1] - first) / 3600
    assert len(later) <= hours * HOURLY + 6
    assert len(wire.datagrams) <= len(wire.questions) * (profile.retries + 1)
    quiet = [two - one for one, two in pairwise(wire.datagrams)]
    assert max(quiet) <= 60.5
    assert not wire.answers
