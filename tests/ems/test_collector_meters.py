"""Meters that are replaced: a new epoch each time, and no slot lost on either side of the change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from judge import judge
from long_bench import DAY, HOUR, LONG, MINUTE, SECOND, START, LongBench, long_bench
from virtual_time import run_virtually

from koatsu.clock import JST
from koatsu.ems.slot_ledger import Ledger, ledger
from koatsu.ems.view_models import SlotState, SlotView
from koatsu.emulator.model import MeterModel
from koatsu.meter import Register

MIDNIGHT = START - 10 * HOUR - 10 * MINUTE
KNOWN = (SlotState.MEASURED, SlotState.RECOVERED)


def book_of(bench: LongBench) -> Ledger:
    now = bench.clock.now().astimezone(JST)
    until = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
    return ledger(bench.store, "main", MIDNIGHT, until, now)


def unknown(bench: LongBench) -> list[tuple[int, str, str | None]]:
    """The slots that are not known: number, state, note."""
    return [
        (view.slot.number, view.state.value, view.note)
        for view in book_of(bench).slots
        if view.state not in KNOWN
    ]


def serials(bench: LongBench) -> list[str | None]:
    return [epoch.nameplate.serial for epoch in bench.store.epochs("main")]


def check_counts(bench: LongBench) -> None:
    """Each epoch holds only what its own meter has counted."""
    truth = bench.truth().registers
    names = {epoch.number: epoch.nameplate.serial or "" for epoch in bench.store.epochs("main")}
    for (epoch, at), count in bench.kept().items():
        assert count is None or count in truth[names[epoch], "energy"][at], (epoch, at, count)


def test_the_last_counts_of_the_old_and_the_first_of_the_new_meter_are_kept(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            await bench.sleep(2 * HOUR + 7 * MINUTE)  # 12:17
            bench.fault("replaced-meter=1200")
            await bench.sleep(4 * HOUR)
            assert serials(bench) == ["KOATSU-00001", "KOATSU-00002"]
            assert unknown(bench) == [(25, "unavailable", "meter_changed")], "12:00 to 12:30 alone"
            truth, slots = bench.truth().registers, {view.slot.number: view for view in book_of(bench).slots}
            old, new = truth["KOATSU-00001", "energy"], truth["KOATSU-00002", "energy"]
            before, after = slots[24], slots[26]
            at = START.replace(hour=12, minute=0)
            assert (before.end_count, after.start_count) == (old[at][0], new[at + 30 * MINUTE][0])
            assert (before.factor, after.factor) == (Decimal("0.6"), Decimal("1.2"))
            check_counts(bench)

    run_virtually(main)


def test_a_new_meter_that_remembers_days_before_it_was_hung_up(tmp_path: Path) -> None:
    """It stood in a test room: its history is not of this site, but its first slots here are."""

    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=4) as bench:
            await bench.recovered()
            await bench.sleep(2 * HOUR + 7 * MINUTE)
            (one,) = bench.site.objects
            spec = replace(one.model.spec, serial="OTHER-1", history_days=3, seed=77, initial_kwh=Decimal(5))
            one.replace_model(MeterModel(spec, one.model.load, bench.site.now(), epoch=2))
            assert bench.site._truth is not None
            bench.site._truth.attach(one.model)
            await bench.sleep(4 * HOUR)
            assert serials(bench) == ["KOATSU-00001", "OTHER-1"]
            assert unknown(bench) == [(25, "unavailable", "meter_changed")]
            factor, truth = Decimal("0.6"), bench.truth().registers["KOATSU-00001", "energy"]
            for view in book_of(bench).slots[:24]:
                ends = [truth[at.astimezone(JST)][0] for at in (view.slot.start, view.slot.end)]
                assert view.energy_kwh == (ends[1] - ends[0]) * factor, "the old meter's, not the new one's"
            check_counts(bench)

    run_virtually(main)


def test_two_replacements_within_one_slot(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            await bench.sleep(2 * HOUR + 2 * MINUTE)
            bench.fault("replaced-meter")
            await bench.sleep(8 * MINUTE)
            bench.fault("replaced-meter")
            await bench.sleep(4 * HOUR)
            assert serials(bench) in (
                ["KOATSU-00001", "KOATSU-00002", "KOATSU-00003"],
                ["KOATSU-00001", "KOATSU-00003"],  # the middle one was gone before it was looked at
            )
            assert unknown(bench) == [(25, "unavailable", "meter_changed")]
            check_counts(bench)

    run_virtually(main)


@pytest.mark.parametrize("after", range(5, 65, 6))
def test_a_replacement_in_the_middle_of_a_recovery(tmp_path: Path, after: int) -> None:
    """Whatever exchange it comes between, no count of one meter is kept as the other's."""
    slow = replace(LONG, max_properties=2)  # several requests for one day: the change may come between them

    async def main() -> None:
        async with long_bench(tmp_path, days=6, horizon=6, profile=slow, delay_s=(0.2, 0.6)) as bench:
            await bench.sleep(after * SECOND)
            (one,) = bench.site.objects
            spec = replace(one.model.spec, serial="OTHER-1", history_days=6, seed=77, initial_kwh=Decimal(5))
            one.replace_model(MeterModel(spec, one.model.load, bench.site.now(), epoch=2))
            assert bench.site._truth is not None
            bench.site._truth.attach(one.model)
            await bench.sleep(3 * HOUR)
            assert serials(bench)[-1] == "OTHER-1"
            check_counts(bench)
            today = [view for view in book_of(bench).slots if view.slot.start >= START]
            assert all(view.state in KNOWN for view in today)

    run_virtually(main)


def test_a_change_of_scale_loses_no_slot(tmp_path: Path) -> None:
    """The same meter reads its counts otherwise; its history still has the instant of the change."""

    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            await bench.sleep(2 * HOUR + 7 * MINUTE)
            bench.fault("coefficient-zero")
            await bench.sleep(2 * HOUR)
            bench.fault("coefficient-zero", on=False)
            await bench.sleep(4 * HOUR)
            assert serials(bench) == ["KOATSU-00001"] * 3
            assert unknown(bench) == []
            slots: dict[int, SlotView] = {view.slot.number: view for view in book_of(bench).slots}
            assert [number for number, view in slots.items() if view.energy_kwh is None] == [25, 26, 27, 28]
            assert all(slots[number].counts is not None for number in slots)
            check_counts(bench)

    run_virtually(main)


def test_the_old_meter_comes_back(tmp_path: Path) -> None:
    """It was away for a test. Its old epoch is over; nothing that it counted elsewhere is taken for ours."""

    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            await bench.sleep(2 * HOUR + 7 * MINUTE)
            (one,) = bench.site.objects
            old = one.model
            bench.fault("replaced-meter")
            await bench.sleep(3 * HOUR)
            old.advance_to(bench.site.now())
            one.replace_model(old)
            await bench.sleep(4 * HOUR)
            assert serials(bench) == ["KOATSU-00001", "KOATSU-00002", "KOATSU-00001"]
            assert [number for number, _, _ in unknown(bench)] == [25, 31]
            assert {note for _, _, note in unknown(bench)} == {"meter_changed"}
            check_counts(bench)

    run_virtually(main)


def test_a_replacement_during_an_outage(tmp_path: Path) -> None:
    """The old meter's slots after the cable was out are gone with it; the new one's are all there."""

    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            await bench.sleep(2 * HOUR)
            bench.network.unplug("192.0.2.2")
            await bench.sleep(67 * MINUTE)  # 13:17
            bench.fault("replaced-meter")
            await bench.sleep(3 * HOUR)
            bench.network.replug("192.0.2.2")
            await bench.sleep(22 * HOUR)
            assert [number for number, _, _ in unknown(bench)] == [25, 26, 27]
            assert {state for _, state, _ in unknown(bench)} == {"unavailable"}
            check_counts(bench)
            judge(bench, MIDNIGHT - DAY, MIDNIGHT + DAY, whole=False)

    run_virtually(main)


def test_a_meter_replaced_while_the_program_was_not_running(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            await bench.sleep(2 * HOUR)
            await bench.stop()
            bench.fault("replaced-meter")
            await bench.sleep(2 * HOUR)
            bench.start()
            await bench.sleep(2 * HOUR)
            assert serials(bench) == ["KOATSU-00001", "KOATSU-00002"]
            assert bench.codes().count("meter_replaced") == 1
            rows = bench.store.readings("main", Register.ENERGY, START + 2 * HOUR, START + 6 * HOUR)
            assert {row.epoch for row in rows if row.count is not None} == {2}
            check_counts(bench)

    run_virtually(main)


def test_what_was_announced_by_the_old_meter_is_not_taken_for_the_new_ones(tmp_path: Path) -> None:
    """Announced at 12:00:20, replaced a moment later, before anybody could ask who it was."""

    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1, delay_s=(0.4, 0.4)) as bench:
            await bench.recovered()
            heard: list[datetime] = []
            at_noon = START.replace(hour=12, minute=0) + timedelta(seconds=20.5)
            await bench.sleep(at_noon - bench.clock.now())
            bench.site.agenda.step()
            heard.append(bench.clock.now())
            await bench.sleep(0.3 * SECOND)
            bench.fault("replaced-meter")
            await bench.sleep(2 * HOUR)
            assert serials(bench) == ["KOATSU-00001", "KOATSU-00002"]
            check_counts(bench)

    run_virtually(main)


def test_what_only_the_old_meter_knew_is_final_when_it_is_gone(tmp_path: Path) -> None:
    """A hole between counts of the old meter, which it had not filled yet: the new one is not asked."""

    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1) as bench:
            await bench.recovered()
            (one,) = bench.site.objects
            accept = type(one).accept
            one.accept = lambda name, value: name != "history_day" and accept(one, name, value)  # type: ignore[method-assign] # refuses histories
            await bench.outage(2 * HOUR)
            await bench.sleep(HOUR)
            assert {state for _, state, _ in unknown(bench)} == {"missing"}
            bench.fault("replaced-meter")
            await bench.sleep(2 * HOUR)
            assert {(state, note) for _, state, note in unknown(bench)} == {("unavailable", "meter_changed")}
            check_counts(bench)

    run_virtually(main)
