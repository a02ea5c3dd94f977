"""The registers of the model, against values computed by hand and against what must always hold."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.emulator.loads import ConstantLoad, SiteLoad, StandingLoad, SwitchedLoad
from koatsu.emulator.meter_clock import MeterClock, from_ms, to_ms
from koatsu.emulator.model import Counter, MeterModel
from koatsu.emulator.spec import METER_CLASSES, MeterSpec, Role, class_code
from koatsu.errors import UsageError

START = datetime(2026, 7, 15, 10, 0, tzinfo=JST)
NONE = Decimal(0)


def spec(**changes: object) -> MeterSpec:
    """0.6 kWh and 0.6 kW a count, counted from nought."""
    values: dict[str, object] = {"coefficient": 600, "initial_kwh": NONE, "history_days": 0, **changes}
    return MeterSpec(**values)  # type: ignore[arg-type] # the tests name their values


def energy(model: MeterModel) -> int:
    return model.count(Counter.ENERGY, model.totals()[Counter.ENERGY])


def test_three_hundred_kilowatts_for_half_an_hour() -> None:
    model = MeterModel(spec(), ConstantLoad(300, 90), START)
    model.advance_to(START + timedelta(minutes=30))
    assert energy(model) == 250  # 150 kWh / 0.6
    assert model.count(Counter.REACTIVE_PF, model.totals()[Counter.REACTIVE_PF]) == 75  # 45 kvarh / 0.6
    last = model.last_half_hour()
    assert last is not None
    assert last.at == START + timedelta(minutes=30)
    assert last.demand == (150_000_000, 0)
    assert model.demand_count(last.demand[0]) == 500  # 300 kW / 0.6
    assert model.month_max_count() == 500


def test_counts_are_cut_off_not_rounded() -> None:
    model = MeterModel(spec(coefficient=1, energy_unit=Decimal(1)), ConstantLoad(100), START)
    model.advance_to(START + timedelta(seconds=71))  # 1.972 kWh
    assert energy(model) == 1


def test_a_day_history_by_hand() -> None:
    start = datetime(2026, 7, 15, 1, 10, tzinfo=JST)
    model = MeterModel(spec(history_days=1), ConstantLoad(300), start)
    # from 23:30 two days before today: 250 counts a slot; the first midnight stands at 250
    assert model.day_counts(Counter.ENERGY, 1) == [250 * slot for slot in range(1, 49)]
    assert model.day_counts(Counter.ENERGY, 0) == [12_250, 12_500, 12_750, *[None] * 45]
    assert model.day_demands(1) == [500] * 48
    assert model.day_demands(0) == [500, 500, 500, *[None] * 45]
    assert model.day_counts(Counter.ENERGY, 2) == [None] * 48
    with pytest.raises(ValueError, match="99 days before, not 100"):
        model.day_counts(Counter.ENERGY, 100)


def test_the_other_alignment() -> None:
    start = datetime(2026, 7, 15, 1, 10, tzinfo=JST)
    other = spec(history_days=1, energy_history_first="00:30", demand_history_stamp="start")
    model = MeterModel(other, ConstantLoad(300), start)
    assert model.day_counts(Counter.ENERGY, 1) == [250 * slot for slot in range(2, 50)]
    assert model.day_counts(Counter.ENERGY, 0) == [12_500, 12_750, *[None] * 46]
    assert model.day_demands(0) == [500, 500, *[None] * 46]


def test_power_factor_registers_run_from_eight_to_ten_at_night() -> None:
    start = datetime(2026, 7, 15, 7, 0, tzinfo=JST)
    model = MeterModel(spec(), ConstantLoad(60, 30), start)
    seen = {}
    for hour in range(7, 24):
        model.advance_to(start.replace(hour=hour))
        seen[hour] = model.totals()[Counter.ENERGY_PF], model.totals()[Counter.REACTIVE_PF]
    assert seen[7] == seen[8] == (0, 0)
    assert seen[9] == (60_000_000, 30_000_000)
    assert seen[22] == seen[23] == (14 * 60_000_000, 14 * 30_000_000)


def test_leading_reactive_power_goes_to_its_own_register() -> None:
    model = MeterModel(spec(class_code=0x028F), ConstantLoad(60, -30), START)
    model.advance_to(START + timedelta(hours=1))
    assert model.totals()[Counter.REACTIVE_LEAD] == 30_000_000
    assert model.totals()[Counter.REACTIVE_LAG] == model.totals()[Counter.REACTIVE_PF] == 0


@pytest.mark.parametrize(
    ("role", "kw", "normal", "reverse"),
    [(Role.BUY, 60, 60, 0), (Role.BUY, -60, 0, 60), (Role.SELL, -60, 60, 0), (Role.SUB, 60, 60, 0)],
)
def test_directions(role: Role, kw: float, normal: int, reverse: int) -> None:
    model = MeterModel(spec(role=role), ConstantLoad(kw), START)
    model.advance_to(START + timedelta(hours=1))
    assert model.totals()[Counter.ENERGY] == normal * 1_000_000
    assert model.totals()[Counter.ENERGY_REVERSE] == reverse * 1_000_000


def test_the_month_closes_on_the_fixed_day() -> None:
    load = SwitchedLoad(ConstantLoad(0), 600.0)
    model = MeterModel(spec(fixed_day=16), load, datetime(2026, 7, 15, 23, 0, tzinfo=JST))
    midnight = datetime(2026, 7, 16, tzinfo=JST)
    model.advance_to(midnight - timedelta(seconds=1))
    assert (model.month_max_count(), model.closed_max_count()) == (1000, 0)
    load.override_kw = 60.0
    model.refresh(midnight)  # the slot that ends at midnight belongs to the month that ends with it
    assert (model.month_max_count(), model.closed_max_count()) == (0, 1000)
    model.advance_to(midnight + timedelta(minutes=30))
    assert (model.month_max_count(), model.closed_max_count()) == (100, 1000)


@pytest.mark.parametrize(
    ("fixed_day", "midnight"), [(31, "2026-02-28"), (30, "2028-02-29"), (31, "2026-04-30"), (1, "2027-01-01")]
)
def test_a_short_month_closes_on_its_last_day(fixed_day: int, midnight: str) -> None:
    at = datetime.fromisoformat(f"{midnight}T00:00+09:00")
    model = MeterModel(spec(fixed_day=fixed_day), ConstantLoad(60), at - timedelta(hours=30))
    model.advance_to(at - timedelta(minutes=1))
    assert model.closed_max_count() == 0
    model.advance_to(at)
    assert model.closed_max_count() == 100


def test_counters_wrap_at_their_digits() -> None:
    model = MeterModel(spec(energy_digits=4), ConstantLoad(600), START)
    model.set_below_wrap(30, past_too=True)
    assert energy(model) == 9_970
    model.advance_to(START + timedelta(minutes=2))  # 20 kWh, 33 counts
    assert energy(model) == 3
    assert model.flowed_mwh() == 20_000_000


def test_a_wrap_that_was_always_there_moves_the_past_along() -> None:
    model = MeterModel(spec(energy_digits=6, history_days=1), ConstantLoad(300), START)
    before = model.day_counts(Counter.ENERGY, 0)[:21]
    now = energy(model)
    model.set_below_wrap(100, past_too=True)
    assert energy(model) == 999_900
    moved = [None if count is None else (count - now + 999_900) % 10**6 for count in before]
    assert model.day_counts(Counter.ENERGY, 0)[:21] == moved


def test_a_slot_that_was_not_measured_whole_has_no_demand() -> None:
    model = MeterModel(spec(), ConstantLoad(300), START + timedelta(minutes=10))
    model.advance_to(START + timedelta(minutes=61))
    assert model.day_demands(0)[20:23] == [None, None, 500]
    assert model.half_hour_totals(START + timedelta(minutes=30)) is not None


def test_a_clock_that_jumps_ahead_leaves_a_hole() -> None:
    model = MeterModel(spec(), ConstantLoad(300), START)
    model.jump_clock(START + timedelta(minutes=10), timedelta(minutes=65))
    assert model.shown_now == START + timedelta(minutes=75)
    model.advance_to(START + timedelta(minutes=60))  # shows 12:05
    counts = model.day_counts(Counter.ENERGY, 0)
    assert counts[20:25] == [None, None, None, 208, 458]  # 25 minutes of true time to the shown 11:30
    assert model.day_demands(0)[23:25] == [None, 500]


def test_a_clock_set_back_forgets_its_future() -> None:
    model = MeterModel(spec(), ConstantLoad(300), START)
    model.advance_to(START + timedelta(minutes=65))
    model.jump_clock(START + timedelta(minutes=65), -timedelta(minutes=50))  # shows 10:15
    assert model.day_counts(Counter.ENERGY, 0)[20:23] == [None, None, None]
    model.advance_to(START + timedelta(minutes=80))
    assert model.day_counts(Counter.ENERGY, 0)[20:23] == [None, 666, None]  # 80 minutes, 400 kWh


def test_a_drifting_clock_closes_its_slots_by_itself() -> None:
    model = MeterModel(spec(), ConstantLoad(300), START)
    model.drift_clock(START, 100_000)  # a tenth fast
    model.advance_to(START + timedelta(minutes=28))
    last = model.last_half_hour()
    assert last is not None
    assert last.at == START + timedelta(minutes=30)
    assert model.demand_count(last.demand[0] if last.demand else 0) == 454  # 27 min 16.4 s at 300 kW
    model.correct_clock(START + timedelta(minutes=28))
    assert model.shown_now == START + timedelta(minutes=28)


@given(
    jumps=st.lists(
        st.tuples(st.integers(0, 10**9), st.integers(-(10**8), 10**8), st.integers(-90_000, 10**6)),
        max_size=4,
    ),
    shown=st.integers(10**10, 10**11),
)
def test_the_clock_knows_when_it_will_show_what(jumps: list[tuple[int, int, int]], shown: int) -> None:
    clock = MeterClock()
    true = 0
    for step, by, ppm in jumps:
        true += step
        clock.jump(true, by)
        clock.drift(true, ppm)
    when = clock.when(shown)
    assert clock.shown(when) >= shown
    assert clock.shown(when - 1) < shown


@given(st.integers(0, 10**13))
def test_milliseconds_there_and_back(ms: int) -> None:
    assert to_ms(from_ms(ms)) == ms
    assert from_ms(ms).utcoffset() == timedelta(hours=9)


steps = st.lists(st.integers(1, 7_200), min_size=1, max_size=25)


@settings(max_examples=40)
@given(steps=steps, seed=st.integers(0, 99), digits=st.integers(2, 8), code=st.sampled_from(METER_CLASSES))
def test_registers_never_run_back(steps: list[int], seed: int, digits: int, code: int) -> None:
    model = MeterModel(
        spec(class_code=code, seed=seed, energy_digits=digits, initial_kwh=None, coefficient=20),
        StandingLoad(seed, 300),
        START,
    )
    now, before = START, model.totals()
    gained = 0
    count = energy(model)
    for step in steps:
        now += timedelta(seconds=step)
        model.advance_to(now)
        after = model.totals()
        assert all(a <= b for a, b in zip(before, after, strict=True))
        unwrapped = model.spec.energy_scale
        exact = int(after[Counter.ENERGY] // unwrapped) - int(before[Counter.ENERGY] // unwrapped)
        assert (energy(model) - count) % 10**digits == exact % 10**digits
        gained += exact
        before, count = after, energy(model)
    assert gained >= 0


@settings(max_examples=30)
@given(steps=steps, seed=st.integers(0, 99))
def test_registers_do_not_depend_on_who_asks_how_often(steps: list[int], seed: int) -> None:
    often = MeterModel(spec(seed=seed), SiteLoad("office", seed), START)
    now = START
    for step in steps:
        now += timedelta(seconds=step)
        often.advance_to(now)
    once = MeterModel(spec(seed=seed), SiteLoad("office", seed), START)
    once.advance_to(now)
    assert once.totals() == often.totals()
    assert list(once.half_hours()) == list(often.half_hours())


@settings(max_examples=10)
@given(seed=st.integers(0, 999), unit=st.sampled_from(["0.001", "0.01", "0.1"]))
def test_a_day_adds_up_and_demand_agrees_with_energy(seed: int, unit: str) -> None:
    model = MeterModel(
        spec(
            seed=seed, history_days=1, energy_unit=Decimal(unit), demand_unit=Decimal(unit), initial_kwh=None
        ),
        SiteLoad("supermarket", seed),
        datetime(2026, 7, 15, 0, 10, tzinfo=JST),
    )
    counts = [count for day in (1, 0) for count in model.day_counts(Counter.ENERGY, day) if count is not None]
    demands = [count for day in (1, 0) for count in model.day_demands(day) if count is not None]
    assert len(counts) == len(demands) == 49
    differences = [later - earlier for earlier, later in pairwise(counts)]
    assert sum(differences) == counts[-1] - counts[0]
    for difference, demand in zip(differences, demands[1:], strict=True):
        assert abs(2 * difference - demand) <= 2, "within one unit of each: twice one count, and one"


def test_minutes_are_kept_where_the_class_has_them() -> None:
    two_way = MeterModel(spec(class_code=0x028F), ConstantLoad(36), START)
    two_way.advance_to(START + timedelta(minutes=10, seconds=59))
    last = two_way.last_minute()
    assert last is not None
    assert last[0] == START + timedelta(minutes=10)
    assert last[1][Counter.ENERGY] == 6_000_000
    kept = two_way.minute_totals(START + timedelta(minutes=5))
    assert kept is not None
    assert kept[Counter.ENERGY] == 3_000_000
    assert MeterModel(spec(), ConstantLoad(36), START).last_minute() is None


def test_a_full_history_of_ninety_nine_days() -> None:
    model = MeterModel(MeterSpec(), SiteLoad("factory", 1), START)
    for day in range(100):
        known = [count for count in model.day_counts(Counter.ENERGY, day) if count is not None]
        assert len(known) == (21 if day == 0 else 48)
        assert known == sorted(known)
        assert len([count for count in model.day_demands(day) if count is not None]) == (
            21 if day == 0 else 48
        )
    model.advance_to(START + timedelta(days=1))
    assert None not in model.day_counts(Counter.ENERGY, 99)
    assert model.closed_max_count() > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"class_code": 0x0281},
        {"coefficient": 1_000_000},
        {"coefficient": -1},
        {"class_code": 0x028D, "coefficient": 0},
        {"multiplier": Decimal("0.5")},
        {"energy_unit": Decimal(100000)},
        {"class_code": 0x028D, "energy_unit": Decimal(1000)},
        {"energy_digits": 9},
        {"fixed_day": 0},
        {"history_days": 100},
        {"serial": "KOATSU-0000001"},
        {"serial": "計器"},
        {"energy_history_first": "01:00"},
        {"initial_kwh": Decimal(-1)},
    ],
)
def test_a_meter_that_cannot_be(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        spec(**wrong)


def test_class_names() -> None:
    assert class_code("028f") == class_code("0x028F") == class_code(0x028F) == 0x028F
    with pytest.raises(UsageError, match="'fridge' is not a meter class"):
        class_code("fridge")


def test_the_successor_of_a_meter() -> None:
    old = MeterSpec(serial="KB2800000999", coefficient=600)
    new = old.successor(coefficient=480)
    assert (new.serial, new.coefficient, new.history_days) == ("KB2800001000", 480, 0)
    assert new.initial_kwh == 0
    assert old.successor(serial="OTHER").serial == "OTHER"
    assert MeterSpec(serial="ABC").successor().serial == "ABC2"
