"""Every fault of the emulator, alone and in pairs, over days with outages: what the collector makes of it.

A run is some days of virtual time. It begins with a recovery that midnight overtakes, and has outages of
minutes, hours and days. Its faults come up three times: in the evening across midnight, while a recovery
runs, and at the end of a long outage. Afterwards every slot that can be known equals the truth to the last
count, and every other one is in its right final state.
"""

from __future__ import annotations

import asyncio
import itertools
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from judge import Verdict, judge, months
from long_bench import DAY, HOUR, MINUTE, LongBench, long_bench
from virtual_time import run_virtually

from koatsu.clock import JST
from koatsu.ems.live import RecoveryState
from koatsu.ems.view_models import SlotState
from koatsu.emulator.faults import FAULTS

BEGIN = datetime(2026, 7, 14, 23, 58, tzinfo=JST)
HISTORY = 8
SINCE = datetime(2026, 7, 7, tzinfo=JST)  # the first midnight that is judged
FIXED_DAY = 16  # months are judged from here, and from the first of the calendar month

#: How each fault is written the first, second and third time it comes up.
VALUES: dict[str, tuple[str, str, str]] = {
    "clock-jump": ("clock-jump=600", "clock-jump=-2400", "clock-jump=90000"),
    "clock-drift": ("clock-drift=60", "clock-drift=-600", "clock-drift=3600"),
    "reboot": ("reboot=20", "reboot=3600", "reboot=600"),
    "no-data-holes": ("no-data-holes=10", "no-data-holes=60", "no-data-holes=100"),
    "slow": ("slow=5", "slow=30", "slow=90"),
    "replaced-meter": ("replaced-meter=1200", "replaced-meter", "replaced-meter=600"),
}
#: These make a meter forget or renumber something, or set its counters: not every slot can be known.
FORGETFUL = {"clock-jump", "clock-drift", "replaced-meter", "counter-wrap"}
NAMES = tuple(row.name for row in FAULTS)
LASTING = {row.name for row in FAULTS if row.lasting} | {"clock-jump"}
PAIRS = tuple(itertools.combinations(NAMES, 2))
SEED = 20260715


async def come_up(bench: LongBench, names: Sequence[str], time: int, span: timedelta, chance: Random) -> None:
    """Let the faults happen for ``span``, each a little after the one before, and end them."""
    lags = [chance.uniform(0, 0.2) * span * number for number in range(len(names))]
    for lag, name in zip(lags, names, strict=True):
        await bench.sleep(lag)
        bench.fault(VALUES.get(name, (name,) * 3)[time])
    await bench.sleep(span - sum(lags, timedelta(0)))
    for name in chance.sample(names, len(names)):
        if name in LASTING:
            bench.fault(name, on=False)
        await bench.sleep(chance.uniform(0, 5) * MINUTE)


async def faulty_days(folder: Path, names: Sequence[str], *, long: timedelta = 2 * DAY) -> Verdict:
    """The run; its last outage is ``long``."""
    chance = Random(zlib.crc32(f"{SEED} {names}".encode()))
    horizon = max(HISTORY, -(-long // DAY))
    made: dict[str, Any] = {"spec": {"fixed_day": FIXED_DAY}, "delay_s": (1.0, 4.0)}
    async with long_bench(folder, days=HISTORY, horizon=horizon, begin=BEGIN, **made) as bench:
        await bench.sleep(2 * MINUTE)
        met = bench.live.of("main").recovery
        assert met.state is RecoveryState.RUNNING, "midnight was to meet the recovery"
        assert met.current_day is not None, "midnight was to meet the recovery"
        await bench.recovered()
        look(bench)
        bench.network.change(delay_s=(0.0, 0.0))
        await bench.sleep(2 * HOUR)
        await bench.outage(40 * MINUTE)
        await bench.sleep(18 * HOUR)
        await come_up(bench, names, 0, 5 * HOUR, chance)  # across midnight
        look(bench)
        await bench.sleep(6 * HOUR)
        out = asyncio.create_task(bench.outage(6 * HOUR))
        await bench.sleep(5.5 * HOUR)
        await come_up(bench, names, 1, 75 * MINUTE, chance)  # the recovery runs
        await out
        look(bench)
        await bench.sleep(4 * HOUR)
        out = asyncio.create_task(bench.outage(long))
        await bench.sleep(long - HOUR)
        look(bench)
        await come_up(bench, names, 2, 70 * MINUTE, chance)
        await out
        await bench.sleep(34 * HOUR)
        return judge(bench, SINCE, until(bench), whole=not FORGETFUL & {*names})


def look(bench: LongBench) -> None:
    """Let the totals of months be made, and kept, as a page does: what comes in later must change them."""
    for _ in months(bench, SINCE, bench.clock.now().astimezone(JST)):
        pass


def until(bench: LongBench) -> datetime:
    """The last half hour that must be known."""
    now = bench.clock.now().astimezone(JST) - HOUR
    return now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_alone(tmp_path: Path, name: str) -> None:
    verdict = run_virtually(lambda: faulty_days(tmp_path, [name]))
    assert verdict.states[SlotState.RECOVERED] > 48
    assert verdict.states[SlotState.MEASURED] > 48


@pytest.mark.parametrize("pair", Random(SEED).sample(PAIRS, 6), ids="+".join)
def test_a_pair_of_faults(tmp_path: Path, pair: tuple[str, str]) -> None:
    run_virtually(lambda: faulty_days(tmp_path, pair))
