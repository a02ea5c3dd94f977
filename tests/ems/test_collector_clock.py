"""Clocks that are stepped, ours and the meter's: no stall, no burst, no slot that is wrong or doubled."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from judge import judge
from long_bench import DAY, HOUR, MINUTE, START, long_bench
from virtual_time import run_virtually

from koatsu.clock import JST
from koatsu.ems.clock_watch import watch_clock
from koatsu.ems.collector.results import Sample
from koatsu.ems.doubts import doubts
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.view_models import SlotState
from koatsu.meter import MeterTime, Register
from koatsu.meter.conflicts import ConflictKind

STEPS = [-90 * DAY, -1 * DAY, -1 * HOUR, -6 * MINUTE, 7 * MINUTE, 1 * HOUR, 1 * DAY, 400 * DAY]


@pytest.mark.parametrize("step", STEPS, ids=str)
def test_a_step_of_our_clock_stops_no_poll_and_causes_no_burst(tmp_path: Path, step: timedelta) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            await bench.sleep(20 * MINUTE)  # 10:30:07
            before = bench.live.counters("main").exchanges
            await bench.sleep(2 * HOUR)
            usual = bench.live.counters("main").exchanges - before
            bench.clock.step(step)
            before = bench.live.counters("main").exchanges
            await bench.sleep(2 * HOUR)
            now = bench.live.counters("main").exchanges - before
            assert abs(now - usual) <= 12, "a step is looked into once, and not polled for more or less often"
            await bench.sleep(8 * HOUR)
            bench.clock.step(-step)
            await bench.sleep(20 * HOUR)
            since = START.replace(hour=0, minute=0) - DAY
            judge(bench, since, START + 28 * HOUR + 50 * MINUTE, whole=True)
            read = bench.store.readings("main", Register.ENERGY, START + HOUR, START + 28 * HOUR)
            assert {row.source for row in read} <= {"notified", "fixed"}, (
                "every slot was caught when it closed"
            )

    run_virtually(main)


def test_a_step_of_our_clock_is_told_once(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            watch = asyncio.create_task(watch_clock(bench.store, bench.hub, bench.clock))
            await bench.sleep(HOUR)
            assert not {"clock_set_back", "clock_set_forward"} & {*bench.codes()}
            bench.clock.step(-2 * HOUR)
            await bench.sleep(HOUR)
            bench.clock.step(timedelta(seconds=4))  # gentle
            await bench.sleep(HOUR)
            bench.clock.step(2 * HOUR)
            await bench.sleep(MINUTE)
            told = [one for one in bench.store.events(limit=50) if one.code.startswith("clock_set")]
            assert sorted((one.code, one.params["seconds"], one.meter_id) for one in told) == [
                ("clock_set_back", 7200, None),
                ("clock_set_forward", 7200, None),
            ]
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)

    run_virtually(main)


def test_an_answer_during_which_our_clock_was_set_back_tells_no_offset() -> None:
    sample = Sample(
        values={}, measured=(), sent=START, received=START - HOUR, answer_s=0.1,
        meter_time=MeterTime(START, timedelta(0)),
    )  # fmt: skip
    assert sample.offset is None


@pytest.mark.parametrize("jump", [-2400, -200, 200, 2400, 90_000, -90_000])
def test_a_jump_of_the_meters_clock_makes_no_wrong_slot(tmp_path: Path, jump: int) -> None:
    """It stays where it jumped to; slots follow it from there on."""

    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=3) as bench:
            await bench.recovered()
            await bench.sleep(145 * MINUTE)
            bench.fault(f"clock-jump={jump}")
            await bench.sleep(10 * HOUR)
            assert "clock_drift" in bench.codes()
            await bench.sleep(60 * HOUR)
            until = START + 70 * HOUR + timedelta(seconds=min(jump, 0)) + 20 * MINUTE
            since = START.replace(hour=0, minute=0) - DAY
            judge(bench, since, _floor(until), whole=False)

    run_virtually(main)


def _floor(at: datetime) -> datetime:
    return at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0)


def test_half_hours_that_the_meter_shows_twice_are_listed_as_doubts(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            await bench.sleep(145 * MINUTE)  # 12:35: 12:00 and 12:30 come twice
            bench.fault("clock-jump=-2400")
            await bench.sleep(5 * HOUR)
            since, until = START - 10 * MINUTE, START.replace(hour=16, minute=0)
            found = doubts(bench.store, "main", since, until, bench.clock.now())
            two = [one for one in found if one.register.value == "energy" and one.slot is None]
            assert [one.since.astimezone(JST).strftime("%H:%M") for one in two] == ["12:00", "12:30"]
            truth = bench.truth().registers["KOATSU-00001", "energy"]
            for one in two:
                assert one.kind is ConflictKind.TWO_VALUES
                assert not one.settled
                assert list(one.values) == truth[one.since.astimezone(JST)]
            book = ledger(bench.store, "main", since, until, bench.clock.now())
            states = {view.slot.number: view.state for view in book.slots}
            assert [number for number, state in states.items() if state is SlotState.CONFLICT] == [24, 25, 26]
            # The doubled instants hide three slots, and not what flowed in them.
            assert book.energy_kwh is not None
            first, last = truth[since][0], truth[until][0]
            assert book.energy_kwh == (last - first) * book.slots[0].factor

    run_virtually(main)


def test_what_the_meter_cannot_have_counted_is_listed_as_a_doubt(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            await bench.sleep(145 * MINUTE)
            bench.fault("counter-wrap=500")
            await bench.sleep(3 * HOUR)
            since, until = START - 10 * MINUTE, START.replace(hour=15, minute=0)
            (one,) = doubts(bench.store, "main", since, until, bench.clock.now())
            assert one.kind is ConflictKind.OVER_CEILING
            assert one.slot is not None
            assert one.slot.number == 26
            truth = bench.truth().registers["KOATSU-00001", "energy"]
            ends = [truth[at.astimezone(JST)][0] for at in (one.since, one.until)]
            assert [*one.values] == ends

    run_virtually(main)
