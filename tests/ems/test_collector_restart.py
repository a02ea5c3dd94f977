"""Started in the middle of anything: a kill, a restart, a meter that forgets or refuses for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from judge import judge, judge_months, months
from long_bench import DAY, HOUR, LONG, METER, MINUTE, SECOND, START, LongBench, long_bench
from virtual_time import run_virtually

from koatsu.clock import JST
from koatsu.devices import Record, Special, Value
from koatsu.ems.live import RecoveryState
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.view_models import SlotState
from koatsu.emulator.model import Counter as Total
from koatsu.emulator.values import SEGMENT_SELECTORS, Pair
from koatsu.meter import Register

MIDNIGHT = START - 10 * HOUR - 10 * MINUTE


@pytest.mark.parametrize("seed", range(6))
def test_killed_again_and_again_it_still_completes(tmp_path: Path, seed: int) -> None:
    """Each time at another point of start-up, polling or recovery; the last run finds everything."""

    async def main() -> None:
        chance = Random(seed)
        slow = {"delay_s": (0.1, 0.4)}
        async with long_bench(tmp_path, days=8, horizon=8, begin=START + 13 * HOUR, **slow) as bench:
            for _ in range(12):  # in all about an hour around midnight
                await bench.sleep(chance.uniform(0.5, 60) * SECOND)
                await bench.stop()
                await bench.sleep(chance.choice([0.0, 1.0, 30.0, 600.0]) * SECOND)
                bench.start()
            await bench.sleep(30 * HOUR)
            judge(bench, MIDNIGHT - 7 * DAY, START.replace(hour=4, minute=0) + 2 * DAY, whole=True)

    run_virtually(main)


def selections(bench: LongBench) -> list[int]:
    """The days that the meter is asked for from now on, in order."""
    asked: list[int] = []
    (one,) = bench.site.objects
    accept = one.accept

    def note(name: str, value: Value) -> bool:
        if name == "history_day" and isinstance(value, int):
            asked.append(value)
        return accept(name, value)

    one.accept = note  # type: ignore[method-assign] # the meter as it is, looked at
    return asked


def refuse(bench: LongBench, refused: Callable[[int], bool]) -> None:
    """Let the meter refuse some days from now on."""
    (one,) = bench.site.objects
    accept = type(one).accept

    def answer(name: str, value: Value) -> bool:
        if name == "history_day" and isinstance(value, int) and refused(value):
            return False
        return accept(one, name, value)

    one.accept = answer  # type: ignore[method-assign] # a meter with a shorter memory


def test_today_and_yesterday_come_first_then_the_day_nearest_to_expiry(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=9, horizon=9) as bench:
            asked = selections(bench)
            await bench.recovered()
            assert asked[0] == 0, "the check of the alignment"
            assert asked[1:] == [0, 1, 9, 8, 7, 6, 5, 4, 3, 2]

    run_virtually(main)


def test_a_day_that_expires_while_others_are_read_is_not_asked_for(tmp_path: Path) -> None:
    """At midnight the day 99 days back is gone, and each other one has another number."""

    async def main() -> None:
        begin = START.replace(hour=23, minute=56, second=30)
        async with long_bench(tmp_path, days=99, begin=begin, delay_s=(0.2, 0.6)) as bench:
            asked = selections(bench)
            await bench.recovered()
            assert bench.clock.now() > begin + 4 * MINUTE
            assert max(asked) == 99
            await bench.sleep(HOUR)
            judge(bench, MIDNIGHT - 98 * DAY, START.replace(hour=0, minute=30) + DAY, whole=True)
            assert "conflict" not in bench.codes()

    run_virtually(main)


def test_a_live_poll_waits_for_no_more_than_one_exchange_of_a_recovery(tmp_path: Path) -> None:
    async def main() -> None:
        quick = replace(LONG, poll_now_s=20, history_pause_s=0, spacing_s=0)
        async with long_bench(tmp_path, days=60, horizon=60, profile=quick, delay_s=(1.0, 1.0)) as bench:
            await bench.until(lambda: bench.live.of("main").recovery.days_done > 2)
            received: list[datetime] = []
            last = None
            while bench.live.of("main").recovery.state is RecoveryState.RUNNING:
                await asyncio.sleep(0.1)
                sample = bench.store.latest_sample("main", Register.ENERGY, bench.clock.now() + HOUR)
                if sample is not None and sample.at != last:
                    last = sample.at
                    received.append(bench.clock.now())
            gaps = [two - one for one, two in pairwise(received)]
            assert len(gaps) > 5
            # 20 s from one question to the next; an exchange takes 2 s, so an answer may come 2 s late.
            assert max(gaps) <= timedelta(seconds=24.5)

    run_virtually(main)


# --- what was learnt --------------------------------------------------------------------------------------


def test_a_shorter_memory_is_found_out_kept_and_proved_again(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=9, horizon=9) as bench:
            refuse(bench, lambda back: back > 4)
            await bench.recovered()
            facts = bench.store.learnt("main")
            assert facts["horizon_days"] == "4"
            assert facts["energy_history_first"] == "00:00"
            assert facts["demand_history_stamp"] == "end"
            assert states(bench, START - 6 * DAY) == {SlotState.UNAVAILABLE}
            await bench.stop()

            asked = selections(bench)
            bench.start()
            await bench.recovered()
            await bench.sleep(HOUR)
            assert max(asked) == 5, "one day beyond is asked for, to prove it again"
            assert bench.store.learnt("main")["horizon_days"] == "4"
            await bench.stop()

            refuse(bench, lambda back: False)  # it keeps more now
            bench.start()
            await bench.sleep(14 * HOUR)
            assert bench.store.learnt("main")["horizon_days"] == ""
            assert states(bench, START - 6 * DAY) == {SlotState.RECOVERED}

    run_virtually(main)


def test_what_a_meter_has_forgotten_is_still_in_the_total_of_its_month(tmp_path: Path) -> None:
    """A hole of some days has no shape, but an exact sum: whole in one month, in none of two others."""

    async def main() -> None:
        begin = START + 13 * DAY  # 28 July
        async with long_bench(tmp_path, days=3, horizon=6, begin=begin, spec={"fixed_day": 16}) as bench:
            await bench.recovered()
            refuse(bench, lambda back: back > 2)
            await bench.outage(9 * DAY)  # to 6 August
            await bench.sleep(14 * HOUR)
            since, until = MIDNIGHT + 10 * DAY, MIDNIGHT + 23 * DAY
            (hole,) = ledger(bench.store, "main", since, until, bench.clock.now()).holes
            assert (hole.first.start, hole.last.end) == (begin - 10 * MINUTE, MIDNIGHT + 20 * DAY)
            judge_months(bench, since, until)
            found = {span.first: total for span, total in months(bench, since, until)}
            assert found[date(2026, 7, 1)].known_until == hole.first.start, "nobody knows how much is July's"
            assert found[date(2026, 8, 1)].known_from == hole.last.end
            told, billed = bench.truth().registers["KOATSU-00001", "energy"], found[date(2026, 7, 16)]
            assert billed.known_from == since
            assert billed.known_until is not None
            assert billed.known_until >= until
            assert billed.counts == told[billed.known_until][0] - told[since][0]

    run_virtually(main)


def states(bench: LongBench, at: datetime) -> set[SlotState]:
    """The states of the slots of the day of ``at``."""
    begin = at.replace(hour=0, minute=0)
    book = ledger(bench.store, "main", begin + HOUR, begin + 23 * HOUR, bench.clock.now())
    return {view.state for view in book.slots}


def test_another_meter_has_proved_nothing_yet(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=9, horizon=9) as bench:
            refuse(bench, lambda back: back > 4)
            await bench.recovered()
            assert bench.store.learnt("main")["horizon_days"] == "4"
            bench.fault("replaced-meter")
            refuse(bench, lambda back: back > 6)
            await bench.sleep(2 * HOUR)
            assert bench.store.learnt("main")["horizon_days"] == "6"
            assert bench.store.learnt("main")["epoch"] == "2"

    run_virtually(main)


def test_a_meter_that_refuses_everything_for_an_hour_has_forgotten_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=6, horizon=6, delay_s=(1.0, 1.0)) as bench:
            await bench.until(lambda: bench.live.of("main").recovery.days_done > 1)
            refuse(bench, lambda back: True)
            await bench.sleep(HOUR)
            refuse(bench, lambda back: False)
            await bench.sleep(HOUR)
            assert "horizon_days" not in bench.store.learnt("main")
            judge(bench, MIDNIGHT - 6 * DAY, START - 10 * MINUTE, whole=True)

    run_virtually(main)


def test_a_meter_that_now_and_then_refuses_a_day_keeps_all_of_them(tmp_path: Path) -> None:
    async def main() -> None:
        chance = Random(5)
        async with long_bench(tmp_path, days=6, horizon=9) as bench:
            refuse(bench, lambda back: chance.random() < 0.3)
            await bench.sleep(20 * HOUR)
            assert bench.store.learnt("main").get("horizon_days", "") == ""
            judge(bench, MIDNIGHT - 6 * DAY, START - 10 * MINUTE, whole=True)

    run_virtually(main)


def test_no_data_is_final_only_after_half_a_day(tmp_path: Path) -> None:
    """A link that comes and goes asks again and again; that is not three answers."""

    async def main() -> None:
        async with long_bench(tmp_path, days=3, horizon=5) as bench:
            bench.fault("no-data-holes=50")
            for _ in range(8):
                await bench.sleep(20 * MINUTE)
                bench.network.unplug(METER)
                await bench.sleep(40 * MINUTE)
                bench.network.replug(METER)
            reads = bench.store.history_reads("main", property_name="energy_history")
            assert not any(read.final() for read in reads)
            bench.fault("no-data-holes", on=False)
            await bench.sleep(14 * HOUR)
            judge(bench, MIDNIGHT - 3 * DAY, START + 12 * HOUR + 20 * MINUTE, whole=True)

    run_virtually(main)


def test_how_often_was_asked_and_what_came_of_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=6, horizon=6) as bench:
            await bench.recovered()
            first = bench.live.counters("main")
            assert first.exchanges > 20
            assert (first.failures, first.refused, first.recovered_days) == (0, 0, 7)
            bench.network.unplug(METER)
            await bench.sleep(2 * HOUR)
            second = bench.live.counters("main")
            assert second.failures > 3
            assert second.exchanges > first.exchanges
            bench.network.replug(METER)
            bench.fault("refuses")
            await bench.sleep(2 * HOUR)
            assert bench.live.counters("main").refused > 3
            assert bench.live.counters("other").exchanges == 0

    run_virtually(main)


@pytest.mark.parametrize("code", [0x028F, 0x0288])
@pytest.mark.parametrize("forward", [False, True])
def test_the_minutes_of_an_outage_are_fetched_where_the_meter_keeps_them(
    tmp_path: Path, code: int, forward: bool
) -> None:
    """Which way the rows of an answer run is told by the counts in them."""

    async def main() -> None:
        minutely = replace(LONG, poll_now_s=60)
        async with long_bench(tmp_path, days=1, horizon=1, code=code, profile=minutely) as bench:
            if forward:
                rows_forward(bench)
            await bench.recovered()
            await bench.sleep(HOUR)
            begun = bench.clock.now()
            await bench.outage(47 * MINUTE)
            ended = bench.clock.now()
            await bench.sleep(20 * MINUTE)
            (model,) = bench.site.models
            kept = {one.at: one.count for one in bench.store.samples("main", Register.ENERGY, begun, ended)}
            assert len(kept) >= 46
            for at, count in kept.items():
                instant = datetime.fromtimestamp(at, JST)
                totals = model.minute_totals(instant)
                if totals is not None and not instant.second:
                    assert count == model.count(Total.ENERGY, totals[Total.ENERGY]), instant

    run_virtually(main)


def rows_forward(bench: LongBench) -> None:
    """Let the rows of a selected history run forward in time from the instant asked for."""
    (one,) = bench.site.objects
    values = one.meter

    def rows(selector: str, pair: Pair) -> Value:
        step = SEGMENT_SELECTORS[selector]
        at, segments = values.segments.get(selector, (None, 1))
        found = [
            Record(values._counts(pair, None if at is None else values.model.minute_totals(at + n * step)))
            for n in range(segments)
        ]
        return Record({"at": at or Special.UNSET, "segments": segments, "rows": tuple(found)})

    values._rows = rows  # type: ignore[method-assign] # another maker's reading of the same words


def test_a_day_that_expires_at_midnight_is_asked_for_until_then(tmp_path: Path) -> None:
    """Others with holes have time for a second look tomorrow; the oldest one has not."""

    async def main() -> None:
        begin = START.replace(hour=20)
        async with long_bench(tmp_path, days=99, begin=begin) as bench:
            bench.fault("no-data-holes=100")
            await bench.recovered()
            await bench.sleep(20 * MINUTE)
            bench.fault("no-data-holes", on=False)
            await bench.sleep(16 * HOUR)
            judge(bench, MIDNIGHT - 99 * DAY, START.replace(hour=11, minute=0) + DAY, whole=True)

    run_virtually(main)
