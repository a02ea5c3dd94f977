"""Pulses beside the register: every injected fault is named, and nothing is claimed where nothing is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pulse_site import DAY, START, Bench, all_slots, numbers, spec

from koatsu.ems.pulses import (
    Pair,
    PulseSpan,
    Reason,
    RegisterStep,
    compared,
    pairs,
    pulse_day,
    shown,
    summed,
)
from koatsu.ems.pulses.comparing import judged
from koatsu.ems.store import Store
from koatsu.emulator.pulses import PulseFaults
from koatsu.meter.slots import HALF_HOUR

NOTHING = {"exact", "resolution"}
LOST, DOUBLE = PulseFaults(lost=0.05), PulseFaults(double=0.05)
NO_SLOT_PULSE = PulseFaults(slot_lost=1.0)


# --- a day of the emulator ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("unit", ["0.001", "0.01", "1"])
@pytest.mark.parametrize("coefficient", [1, 600, 7919])
def test_a_sound_day_claims_nothing(store: Store, seed: int, unit: str, coefficient: int) -> None:
    day = Bench(store, seed=seed, spec=spec(unit=unit, coefficient=coefficient)).run()
    assert set(numbers(day)) == all_slots()
    assert set(numbers(day).values()) <= NOTHING
    assert day.total is not None
    assert day.total.slots == 48
    assert {reason.value for reason in day.total.reasons} <= NOTHING
    assert not day.faulty
    assert day.late_s == 0


def test_every_spoilt_slot_is_named_with_how_many(store: Store) -> None:
    faults = {5: LOST, 6: LOST, 17: DOUBLE, 30: DOUBLE, 31: LOST, 48: PulseFaults(lost=1.0)}
    bench = Bench(store, faults=faults)
    day = bench.run()
    named = {number: text for number, text in numbers(day).items() if text not in NOTHING}
    assert named == {number: "lost" if fault.lost else "doubled" for number, fault in faults.items()}
    for row in day.faults:
        fewest, most = row.amiss or (0, 0)
        assert fewest <= abs(bench.amiss[row.first.number]) <= most
        assert most - fewest <= 2 * (row.resolution_kwh or 0) * (day.per_kwh or 0) + 2


def test_every_pulse_twice_is_doubling_and_more_is_the_constant(store: Store) -> None:
    day = Bench(store, faults={9: PulseFaults(double=1.0)}).run()
    assert numbers(day)[9] == "doubled"


def test_a_wrong_constant_is_named(store: Store) -> None:
    bench = Bench(store, per_kwh=Fraction(250, 3) / 10)
    day = bench.run()
    assert set(numbers(day).values()) == {"constant"}
    assert day.total is not None
    assert day.total.reasons == (Reason.CONSTANT,)


def test_lost_slot_pulses_run_slots_together_and_nothing_else_is_claimed(store: Store) -> None:
    faults = dict.fromkeys((4, 10, 11, 12, 47), NO_SLOT_PULSE)
    bench = Bench(store, faults=faults)
    day = bench.run()
    assert bench.lost_slot_pulses == [4, 10, 11, 12, 47]
    together = {row.first.number: row.slots for row in day.rows if row.slots > 1}
    assert together == {4: 2, 10: 4, 47: 2}
    assert all(Reason.SLOT_LOST in row.reasons for row in day.rows if row.slots > 1)
    gross = {Reason.LOST, Reason.DOUBLED, Reason.CONSTANT, Reason.CLOCK}
    assert not any(gross & set(row.reasons) for row in day.rows)
    assert day.total is not None
    assert (day.total.slots, day.total.faulty) == (48, False)
    assert next(row for row in day.rows if row.first.number == 10).label == "04:30–06:30"


def test_a_lost_slot_pulse_and_lost_pulses_are_both_named(store: Store) -> None:
    day = Bench(store, faults={20: PulseFaults(slot_lost=1.0, lost=0.2)}).run()
    assert numbers(day)[20] == "lost slot_lost"


def test_what_a_slot_hides_the_day_shows(store: Store) -> None:
    """One count is 600 kWh, more than a slot: what every slot loses is seen in the sum alone."""
    bench = Bench(store, spec=spec(unit="1"), faults=dict.fromkeys(all_slots(), PulseFaults(lost=0.15)))
    day = bench.run()
    assert set(numbers(day).values()) <= NOTHING
    assert day.total is not None
    assert day.total.reasons == (Reason.LOST,)
    fewest, most = day.total.amiss or (0, 0)
    assert fewest <= -sum(bench.amiss.values()) <= most
    assert day.faulty


def test_a_slot_that_was_not_heard_whole_is_not_judged(store: Store) -> None:
    deaf = ((START + timedelta(hours=5, minutes=10), START + timedelta(hours=6, minutes=20)),)
    day = Bench(store, deaf=deaf).run()
    named = {number: text for number, text in numbers(day).items() if text not in NOTHING}
    assert named == {11: "part", 12: "not_heard", 13: "part"}
    row = next(row for row in day.rows if row.first.number == 12)
    assert (row.pulses, row.difference_kwh) == (None, None)
    assert row.register_kwh is not None
    assert day.total is not None
    assert day.total.slots == 45
    assert not day.faulty


@pytest.mark.parametrize("minutes", [-14, -2, 2, 14])
def test_a_clock_that_is_a_little_off_changes_no_figure(store: Store, minutes: int) -> None:
    """The slot pulse cuts; our clock only names the half hour."""
    day = Bench(store, clock_off=timedelta(minutes=minutes)).run()
    assert set(numbers(day).values()) <= NOTHING
    assert day.late_s == minutes * 60


@pytest.mark.parametrize("minutes", [-60, -30, -16, 16, 30, 60])
def test_a_clock_that_is_off_by_slots_is_named(store: Store, minutes: int) -> None:
    day = Bench(store, clock_off=timedelta(minutes=minutes)).run()
    named = [text for text in numbers(day).values() if text not in NOTHING]
    assert named.count("clock") > 35
    assert set(named) <= {"clock", "not_heard", "part", "no_register"}
    assert day.total is not None
    assert set(day.total.reasons) <= {Reason.CLOCK, Reason.RESOLUTION, Reason.EXACT}


@pytest.mark.parametrize("seconds", [-240, -60, 60, 240])
def test_without_slot_pulses_a_clock_that_is_off_is_named(store: Store, seconds: int) -> None:
    day = Bench(store, slot_pulse=False, clock_off=timedelta(seconds=seconds)).run()
    named = set(numbers(day).values())
    assert "clock" in named
    assert named <= {*NOTHING, "clock", "part", "not_heard"}
    assert day.total is not None
    assert set(day.total.reasons) <= {Reason.CLOCK, Reason.RESOLUTION, Reason.EXACT}


def test_without_slot_pulses_and_a_right_clock_nothing_is_claimed(store: Store) -> None:
    day = Bench(store, slot_pulse=False).run()
    assert set(numbers(day).values()) <= NOTHING


def test_without_slot_pulses_a_loss_is_still_a_loss(store: Store) -> None:
    everywhere = dict.fromkeys(all_slots(), LOST)
    day = Bench(store, slot_pulse=False, clock_off=timedelta(seconds=30), faults=everywhere).run()
    assert "clock" not in numbers(day).values()
    assert list(numbers(day).values()).count("lost") > 40
    assert day.total is not None
    assert day.total.reasons == (Reason.LOST,)


def test_an_unscaled_meter_is_said_to_be_one(store: Store) -> None:
    day = Bench(store, spec=spec(coefficient=0), slots=4, per_kwh=Fraction(50_000)).run()
    assert set(numbers(day).values()) == {"unscaled"}
    assert day.total is None


# --- what is stored -------------------------------------------------------------------------------------


def test_the_stored_pulses_say_the_same(both: Store) -> None:
    from koatsu.ems.pulses import as_stored
    from koatsu.ems.store.pulse_rows import days_of_pulses, put_pulses, stored_pulses

    bench = Bench(both, faults={5: LOST, 20: NO_SLOT_PULSE, 30: DOUBLE})
    expected = bench.run()
    for span in bench.spans:
        put_pulses(both, as_stored("main", span))
        put_pulses(both, as_stored("main", span))  # again changes nothing
    assert pulse_day(both, "main", DAY, START + timedelta(days=1)) == expected
    first, last = days_of_pulses(both)["main"]
    assert (first, last) == (START - HALF_HOUR, START + 47 * HALF_HOUR)
    rows = stored_pulses(both, "main", START, START + timedelta(days=1))
    assert len(rows) == 47
    assert {row.per_kwh for row in rows} == {"250/3"}
    assert pulse_day(both, "main", DAY - timedelta(days=3), START).heard is False


def test_parts_of_one_slot_stay_a_part(both: Store) -> None:
    from koatsu.ems.pulses import as_stored
    from koatsu.ems.store.pulse_rows import put_pulses, stored_pulses

    bench = Bench(both, slots=4)
    bench.run()
    whole = bench.spans[1]
    part = replace(whole, until=whole.since + timedelta(minutes=5), pulses=3, slot_pulses=1)
    other = replace(whole, since=whole.since + timedelta(minutes=9), pulses=4, slot_pulses=1)
    for span in (part, other):
        put_pulses(both, as_stored("main", span))
    (row,) = stored_pulses(both, "main", START, START + HALF_HOUR)
    assert (row.pulses, row.slot_pulses) == (7, 1)
    assert (row.seen_from, row.seen_until) == (whole.since, whole.until)
    assert numbers(pulse_day(both, "main", DAY, START + timedelta(hours=2)))[1] == "part"


def test_without_a_constant_the_meter_s_own_ratio_counts(both: Store) -> None:
    from koatsu.ems.pulses import as_stored
    from koatsu.ems.store.pulse_rows import put_pulses

    bench = Bench(both, slots=6)
    bench.run()
    for span in bench.spans:
        put_pulses(both, as_stored("main", replace(span, per_kwh=None)))
    day = pulse_day(both, "main", DAY, START + timedelta(hours=3))
    assert day.per_kwh == Fraction(250, 3)
    assert {text for number, text in numbers(day).items() if number <= 6} <= NOTHING


def test_a_hole_of_the_register_stands_beside_the_pulses_of_its_slots(both: Store) -> None:
    bench = Bench(both)
    bench._register_whole = bench._register  # type: ignore[attr-defined]

    def with_holes() -> None:
        for number in (10, 11, 20):
            del bench.counts[START + number * HALF_HOUR]
        bench._register_whole()  # type: ignore[attr-defined]

    bench._register = with_holes  # type: ignore[method-assign]
    day = bench.run()
    holes = {row.first.number: row.slots for row in day.rows if Reason.HOLE in row.reasons}
    assert holes == {10: 3, 20: 2}
    assert not day.faulty
    assert day.total is not None
    assert day.total.slots == 48


# --- the pure rules -------------------------------------------------------------------------------------

P = Fraction(100)  # pulses for a kWh
UNIT = Decimal("0.5")


def steps(*energies: str, epoch: int = 1) -> list[RegisterStep]:
    """Steps of half an hour from the start of the day."""
    return [
        RegisterStep(
            start=START + number * HALF_HOUR,
            end=START + (number + 1) * HALF_HOUR,
            counts=int(Decimal(energy) / UNIT),
            energy=Decimal(energy),
            unit=UNIT,
            epoch=epoch,
        )
        for number, energy in enumerate(energies)
    ]


def span(first: int, last: int, pulses: int, *, slot_pulses: int = 2) -> PulseSpan:
    """Pulses from the start of slot ``first`` to the end of slot ``last``, counted from 0."""
    return PulseSpan(
        since=START + first * HALF_HOUR,
        until=START + (last + 1) * HALF_HOUR,
        pulses=pulses,
        slot_pulses=slot_pulses,
        per_kwh=P,
    )


@pytest.mark.parametrize(
    ("pulses", "reason", "amiss"),
    [
        (1000, Reason.EXACT, None),
        (1050, Reason.RESOLUTION, None),
        (1051, Reason.DOUBLED, (1, 101)),
        (950, Reason.RESOLUTION, None),
        (949, Reason.LOST, (1, 101)),
        (800, Reason.LOST, (150, 250)),
        (2000, Reason.DOUBLED, (950, 1050)),
        (2102, Reason.CONSTANT, None),
        (0, Reason.LOST, (950, 1050)),
    ],
)
def test_what_a_difference_means(pulses: int, reason: Reason, amiss: tuple[int, int] | None) -> None:
    """10 kWh on the register; one count is 0.5 kWh and one pulse 0.01 kWh."""
    (row,) = compared(pairs([span(0, 0, pulses)], steps("10")))
    assert row.reasons == (reason,)
    if amiss is None:
        assert row.amiss is None
    else:
        assert row.amiss is not None
        assert row.amiss[0] <= amiss[0] + 1
        assert row.amiss[1] >= amiss[1] - 2


@given(
    start=st.fractions(0, 5),
    energy=st.fractions(0, 100),
    unit=st.sampled_from([Fraction(1, 1000), Fraction(1, 10), Fraction(3, 5), Fraction(6), Fraction(600)]),
    per_kwh=st.fractions(Fraction(1, 100), 50_000).filter(bool),
    change=st.integers(-500, 500),
)
def test_a_claim_is_always_true(
    start: Fraction, energy: Fraction, unit: Fraction, per_kwh: Fraction, change: int
) -> None:
    """Whatever the true energy and wherever the counters stand: nothing is claimed of sound pulses, and how
    many are lost or too many lies within what is told."""

    def counted(size: Fraction) -> Fraction:
        return ((start + energy) // size - start // size) * size

    register, sound = counted(unit), counted(1 / per_kwh) * per_kwh
    pulses = sound + change
    if pulses < 0:
        return
    doubt = unit + 1 / per_kwh
    reason, amiss = judged(pulses / per_kwh - register, doubt, pulses / per_kwh, register, per_kwh)
    if change == 0:
        assert reason in (Reason.EXACT, Reason.RESOLUTION)
    elif amiss is not None:
        assert (reason is Reason.LOST) == (change < 0)
        assert amiss[0] <= abs(change) <= amiss[1]
        assert amiss[0] >= 1
    if reason is Reason.CONSTANT:
        assert pulses > 2 * sound


def test_pairs_are_as_short_as_can_be() -> None:
    ten = steps(*["10"] * 8)
    spans = [span(0, 0, 1000), span(1, 2, 2000), span(3, 3, 1000), span(5, 5, 1000)]
    found = pairs(spans, ten)
    assert [(len(pair.spans), len(pair.steps)) for pair in found] == [(1, 1), (1, 2), (1, 1), (1, 1)]
    hole = [ten[0], replace(ten[1], end=ten[2].end, energy=Decimal(20)), *ten[3:]]
    found = pairs([span(n, n, 1000) for n in range(8)], hole)
    assert [(len(pair.spans), len(pair.steps)) for pair in found][:3] == [(1, 1), (2, 1), (1, 1)]
    crossed = pairs([span(0, 1, 2000), span(2, 3, 2000)], [hole[0], hole[1], ten[3]])
    assert [(len(pair.spans), len(pair.steps)) for pair in crossed] == [(2, 3)]


def test_no_pair_crosses_another_meter_or_a_gap() -> None:
    other = [*steps("10"), *(replace(step, epoch=2) for step in steps("10", "10", "10")[1:])]
    found = pairs([span(0, 1, 2000), span(2, 2, 1000)], other)
    assert [pair.start for pair in found] == [START + 2 * HALF_HOUR]
    gap = [steps("10", "10", "10")[0], steps("10", "10", "10")[2]]
    assert pairs([span(0, 2, 3000)], gap) == []
    assert pairs([], gap) == []
    assert pairs([span(5, 5, 1)], gap) == []


def test_the_sum_doubts_once_for_each_run_without_a_break() -> None:
    ten = steps(*["10"] * 6)
    found = pairs([span(n, n, 1000) for n in (0, 1, 2, 4, 5)], ten)
    total = summed(found, compared(found))
    assert total is not None
    assert total.resolution_kwh == 2 * (Fraction(UNIT) + 1 / P)
    assert (total.slots, total.pulses, total.register_kwh) == (5, 5000, Decimal(50))
    assert summed([], []) is None


@settings(max_examples=50)
@given(
    cuts=st.sets(st.integers(1, 23)),
    known=st.sets(st.integers(1, 23)),
    energies=st.lists(st.integers(1, 40), min_size=24, max_size=24),
)
def test_what_is_compared_is_what_flowed(cuts: set[int], known: set[int], energies: list[int]) -> None:
    """Any slot pulses lost, any counts of the register missing: both sides still hold the same energy."""
    borders = [0, *sorted(cuts), 24]
    spans = [span(a, b - 1, 100 * sum(energies[a:b])) for a, b in pairwise(borders)]
    edges = [0, *sorted(known), 24]
    register = [
        RegisterStep(
            start=START + a * HALF_HOUR,
            end=START + b * HALF_HOUR,
            counts=2 * sum(energies[a:b]),
            energy=Decimal(sum(energies[a:b])),
            unit=UNIT,
        )
        for a, b in pairwise(edges)
    ]
    found = pairs(spans, register)
    assert [pair.difference for pair in found] == [0] * len(found)
    assert [found[0].start, found[-1].end] == [START, START + 24 * HALF_HOUR]
    assert all(isinstance(pair, Pair) for pair in found)
    common = {0, 24} | (set(borders) & set(edges))
    assert {(pair.start - START) // HALF_HOUR for pair in found} | {24} == common


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(1, 3), "0.333"),
        (Fraction(-2, 3), "-0.667"),
        (Fraction(1, 2000), "0.001"),
        (Fraction(0), "0.000"),
    ],
)
def test_energies_are_rounded_for_people(value: Fraction, text: str) -> None:
    assert str(shown(value)) == text
