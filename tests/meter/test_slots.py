"""Slot arithmetic, the borders of a JST day, and where the elements of a day history belong."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.meter import (
    HALF_HOUR,
    Slot,
    history_instant,
    history_slot,
    is_half_hour,
    slots_between,
    slots_of_day,
)

DAY = date(2026, 4, 1)
instants = st.datetimes(
    datetime.fromisoformat("2000-01-02"), datetime.fromisoformat("2099-12-30"), timezones=st.just(UTC)
)
slots = st.builds(Slot, st.dates(date(2000, 1, 2), date(2099, 12, 30)), st.integers(1, 48))


@given(instants)
def test_a_slot_contains_the_instant_it_was_made_from(instant: datetime) -> None:
    slot = Slot.at(instant)
    assert slot.start <= instant < slot.end
    assert slot.end - slot.start == HALF_HOUR


@given(slots)
def test_a_slot_is_found_again_from_either_end(slot: Slot) -> None:
    assert Slot.at(slot.start) == slot
    assert Slot.starting(slot.start) == slot
    assert Slot.ending(slot.end) == slot
    assert Slot.at(slot.end) == slot.next
    assert Slot.at(slot.end - timedelta(microseconds=1)) == slot


@given(slots)
def test_next_and_previous_are_inverse_and_ordered_as_time_is(slot: Slot) -> None:
    assert slot.next.previous == slot.previous.next == slot
    assert slot.previous < slot < slot.next
    assert slot.end == slot.next.start


@given(slots, st.integers(-14, 14))
def test_a_slot_does_not_depend_on_the_zone_of_the_instant(slot: Slot, hours: int) -> None:
    elsewhere = slot.start.astimezone(timezone(timedelta(hours=hours)))
    assert Slot.starting(elsewhere) == slot


def test_a_day_runs_from_midnight_to_midnight_in_japan() -> None:
    first, *_, last = slots_of_day(DAY)
    assert first.start == datetime(2026, 3, 31, 15, 0, tzinfo=UTC)
    assert first.start_jst == datetime(2026, 4, 1, tzinfo=JST)
    assert last.end_jst == datetime(2026, 4, 2, tzinfo=JST)
    assert last.next == Slot(date(2026, 4, 2), 1)
    assert first.previous == Slot(date(2026, 3, 31), 48)
    assert len(set(slots_of_day(DAY))) == 48


@pytest.mark.parametrize(
    ("number", "label"), [(1, "00:00–00:30"), (27, "13:00–13:30"), (28, "13:30–14:00"), (48, "23:30–24:00")]
)
def test_label(number: int, label: str) -> None:
    assert Slot(DAY, number).label == label
    assert str(Slot(DAY, number)) == f"2026-04-01 {label}"


@pytest.mark.parametrize("make", [Slot.at, Slot.starting, Slot.ending, is_half_hour])
def test_a_naive_time_is_refused(make: object) -> None:
    with pytest.raises(ValueError, match="without zone"):
        make(datetime.fromisoformat("2026-04-01T13:00"))  # type: ignore[operator]


@pytest.mark.parametrize("off", [timedelta(seconds=1), timedelta(microseconds=1), timedelta(minutes=29)])
def test_only_a_half_hour_starts_or_ends_a_slot(off: timedelta) -> None:
    instant = Slot(DAY, 5).start + off
    assert not is_half_hour(instant)
    with pytest.raises(ValueError, match="no slot starts"):
        Slot.starting(instant)
    with pytest.raises(ValueError, match="no slot ends"):
        Slot.ending(instant)


@pytest.mark.parametrize(
    ("day", "number"), [(DAY, 0), (DAY, 49), (DAY, True), (DAY, 1.0), (datetime(2026, 4, 1, tzinfo=JST), 1)]
)
def test_impossible_slots_are_refused(day: date, number: int) -> None:
    with pytest.raises(ValueError):
        Slot(day, number)


@given(slots, st.integers(0, 200))
def test_slots_between_two_borders_touch_and_fill(slot: Slot, count: int) -> None:
    found = slots_between(slot.start, slot.start + count * HALF_HOUR)
    assert len(found) == count
    assert all(left.end == right.start for left, right in pairwise(found))
    if found:
        assert found[0] == slot


def test_slots_between_wants_half_hours_in_order() -> None:
    start = Slot(DAY, 3).start
    with pytest.raises(ValueError):
        slots_between(start, start - HALF_HOUR)
    with pytest.raises(ValueError):
        slots_between(start, start + timedelta(minutes=31))


def test_elements_of_an_energy_history() -> None:
    assert history_instant(DAY, 1) == datetime(2026, 4, 1, 0, 0, tzinfo=JST)
    assert history_instant(DAY, 48, "00:00") == datetime(2026, 4, 1, 23, 30, tzinfo=JST)
    assert history_instant(DAY, 1, "00:30") == datetime(2026, 4, 1, 0, 30, tzinfo=JST)
    assert history_instant(DAY, 48, "00:30") == datetime(2026, 4, 2, 0, 0, tzinfo=JST)


def test_elements_of_a_demand_history() -> None:
    assert history_slot(DAY, 1) == Slot(date(2026, 3, 31), 48)
    assert history_slot(DAY, 48, "end") == Slot(DAY, 47)
    assert history_slot(DAY, 1, "start") == Slot(DAY, 1)
    assert history_slot(DAY, 48, "start") == Slot(DAY, 48)


def test_unknown_alignments_are_refused() -> None:
    with pytest.raises(ValueError, match="00:15"):
        history_instant(DAY, 1, "00:15")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="middle"):
        history_slot(DAY, 1, "middle")  # type: ignore[arg-type]
