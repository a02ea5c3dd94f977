"""Slots, holes and totals: whatever counts are missing, no energy is lost, invented or spread."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.meter import (
    HALF_HOUR,
    ConflictKind,
    ConflictSpan,
    Hole,
    Interval,
    Scale,
    Slot,
    SlotEnergy,
    intervals,
    total,
)

SCALE = Scale(20, Decimal("0.1"), Decimal("0.1"))  # 0.2 kWh a count
CEILING = Decimal(1_000)  # 2,500 counts in a half hour
DIGITS = 6
FIRST = Slot(date(2026, 4, 1), 1).start


def at(number: int) -> datetime:
    return FIRST + number * HALF_HOUR


def split(counts: dict[datetime, int | None], **changed: object) -> tuple[Interval, ...]:
    asked: dict[str, object] = {"digits": DIGITS, "scale": SCALE, "ceiling_kw": CEILING}
    return intervals(counts, **(asked | changed))  # type: ignore[arg-type]


@st.composite
def metered(draw: st.DrawFn) -> tuple[list[int], dict[datetime, int | None]]:
    """True energies of up to a week in counts, and the counter's readings of them with some unknown."""
    flows = draw(st.lists(st.integers(0, 2_500), min_size=1, max_size=330))
    count = draw(st.integers(0, 10**DIGITS - 1))
    readings: dict[datetime, int | None] = {FIRST: count}
    for number, flow in enumerate(flows, start=1):
        count = (count + flow) % 10**DIGITS
        readings[at(number)] = count
    for number in draw(st.sets(st.integers(0, len(flows)), max_size=len(flows))):
        if draw(st.booleans()):
            readings[at(number)] = None  # the meter said "no data"
        else:
            del readings[at(number)]  # nobody asked
    return flows, readings


@given(metered())
def test_slots_and_holes_sum_to_the_difference_of_the_outermost_counts(
    case: tuple[list[int], dict[datetime, int | None]],
) -> None:
    flows, readings = case
    known = sorted(instant for instant, count in readings.items() if count is not None)
    parts = split(readings)
    assert not [part for part in parts if isinstance(part, ConflictSpan)]
    if len(known) < 2:
        assert parts == ()
        return
    first, last = known[0], known[-1]
    between = flows[(first - FIRST) // HALF_HOUR : (last - FIRST) // HALF_HOUR]
    assert sum(part.counts for part in parts if not isinstance(part, ConflictSpan)) == sum(between)
    assert sum(between) % 10**DIGITS == (readings[last] - readings[first]) % 10**DIGITS  # type: ignore[operator]
    summed = total(parts, first, last, scale=SCALE)
    assert summed.complete
    assert summed.counts == sum(between)
    assert summed.energy == SCALE.apply(sum(between))


@given(metered())
def test_intervals_tile_the_time_and_each_tells_the_truth(
    case: tuple[list[int], dict[datetime, int | None]],
) -> None:
    flows, readings = case
    parts = split(readings)
    for left, right in pairwise(parts):
        assert left.end == right.start
        assert left.end_count == right.start_count
    for part in parts:
        assert isinstance(part, SlotEnergy | Hole)
        low, high = (part.start - FIRST) // HALF_HOUR, (part.end - FIRST) // HALF_HOUR
        assert part.counts == sum(flows[low:high])
        assert (high - low == 1) == isinstance(part, SlotEnergy)
        if isinstance(part, Hole):
            assert len(part.slots) == high - low
            unknown = [at(number) for number in range(low + 1, high)]
            assert all(readings.get(instant) is None for instant in unknown)


def test_one_unknown_count_hides_two_slots_in_one_hole() -> None:
    parts = split({at(0): 100, at(1): 110, at(2): None, at(3): 150, at(4): 160})
    assert parts == (
        SlotEnergy(slot=Slot.starting(at(0)), start_count=100, end_count=110, counts=10, energy=Decimal(2)),
        Hole(start=at(1), end=at(3), start_count=110, end_count=150, counts=40, energy=Decimal(8)),
        SlotEnergy(slot=Slot.starting(at(3)), start_count=150, end_count=160, counts=10, energy=Decimal(2)),
    )


def test_unknown_ends_are_no_interval() -> None:
    parts = split({at(0): None, at(1): 5, at(2): 6, at(3): None})
    assert [part.start for part in parts] == [at(1)]
    assert split({}) == split({at(0): None}) == split({at(0): 1}) == ()


def test_a_replaced_meter_in_one_epoch_shows_as_conflict_and_not_as_energy() -> None:
    parts = split({at(0): 500_000, at(1): 500_010, at(2): 3, at(3): 9})
    slot, conflict, after = parts
    assert isinstance(conflict, ConflictSpan)
    assert conflict.conflict.kind is ConflictKind.BACKWARDS
    assert conflict.slots == (Slot.starting(at(1)),)
    assert [part.counts for part in (slot, after) if isinstance(part, SlotEnergy)] == [10, 6]
    summed = total(parts, at(0), at(3), scale=SCALE)
    assert summed.counts == 16
    assert not summed.complete
    assert summed.conflicts == (conflict,)


def test_a_hole_too_long_to_tell_is_a_conflict_and_not_a_number() -> None:
    far = at(0) + timedelta(days=40)
    (part,) = split({at(0): 1, far: 2})
    assert isinstance(part, ConflictSpan)
    assert part.conflict.kind is ConflictKind.AMBIGUOUS_WRAP
    assert len(part.slots) == 40 * 48


def test_an_unscaled_meter_keeps_its_counts() -> None:
    unscaled = Scale(0, Decimal(1), Decimal(1))
    parts = split({at(0): 1, at(1): 4, at(3): 9}, scale=unscaled)
    assert [part.counts for part in parts if not isinstance(part, ConflictSpan)] == [3, 5]
    assert [part.energy for part in parts if not isinstance(part, ConflictSpan)] == [None, None]
    summed = total(parts, at(0), at(3), scale=unscaled)
    assert (summed.counts, summed.energy, summed.complete) == (8, None, True)


def test_a_hole_across_the_border_of_a_month_is_shown_and_not_split() -> None:
    parts = split({at(0): 100, at(1): 110, at(3): 150, at(4): 160})
    summed = total(parts, at(2), at(4), scale=SCALE)
    assert summed.counts == 10
    assert summed.known_from == at(3)
    assert [hole.counts for hole in summed.straddling] == [40]
    assert not summed.complete


def test_a_total_takes_what_lies_inside_and_nothing_beside() -> None:
    parts = split({at(0): 0, at(1): 1, at(2): 3, at(4): 10, at(5): 20, at(6): 900_000, at(7): 900_001})
    early = total(parts, at(1), at(3), scale=SCALE)
    assert early.counts == 2  # not the slot before, not the hole that ends later
    assert [hole.counts for hole in early.straddling] == [7]
    assert (early.known_from, early.known_until) == (at(1), at(2))
    exact = total(parts, at(1), at(4), scale=SCALE)
    assert (exact.counts, exact.complete, exact.straddling) == (9, True, ())
    beside = total(parts, at(6), at(7), scale=SCALE)
    assert (beside.counts, beside.conflicts, beside.complete) == (1, (), True)
    before = total(parts, at(4), at(5), scale=SCALE)
    assert (before.counts, before.conflicts, before.complete) == (10, (), True)


def test_a_total_of_nothing_known_is_unknown_and_not_zero() -> None:
    summed = total((), at(0), at(4), scale=SCALE)
    assert (summed.counts, summed.energy, summed.known_from, summed.known_until) == (None,) * 4
    assert not summed.complete


def test_zones_do_not_matter_and_counts_stand_on_half_hours() -> None:
    mixed: dict[datetime, int | None] = {at(0).astimezone(JST): 1, at(1).astimezone(UTC): 2}
    assert len(split(mixed)) == 1
    with pytest.raises(ValueError, match="half hour"):
        split({at(0) + timedelta(seconds=1): 1})
    with pytest.raises(ValueError, match="without zone"):
        split({datetime.fromisoformat("2026-04-01T00:00"): 1})
    with pytest.raises(ValueError):
        total((), at(1), at(0), scale=SCALE)
