"""The offset of the meter's clock, and the bracket that dates an exchange."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.meter import Bracket, MeterTime, Refusal, RefusalKind, bracket_around, clock_offset, meter_time
from koatsu.meter import same_meter_day as same_day

NOON = datetime(2026, 4, 1, 12, 0, 0, tzinfo=JST)
SECOND = timedelta(seconds=1)
MIDNIGHT = datetime(2026, 4, 2, 0, 0, 0, tzinfo=JST)


@given(
    offset=st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    to_meter=st.timedeltas(timedelta(0), timedelta(seconds=60)),
    back=st.timedeltas(timedelta(0), timedelta(seconds=60)),
)
def test_the_true_offset_always_lies_in_the_interval(
    offset: timedelta, to_meter: timedelta, back: timedelta
) -> None:
    sent = NOON
    stamped = sent + to_meter
    stamp = (stamped + offset).replace(microsecond=0)  # a meter tells whole seconds
    found = clock_offset(stamp, sent=sent, received=stamped + back)
    assert found.low <= offset <= found.high
    assert abs(found.certain) <= abs(offset)
    assert not found.exceeds(abs(offset))


def test_a_slow_answer_is_not_a_slow_clock() -> None:
    found = clock_offset(NOON, sent=NOON - 20 * SECOND, received=NOON + 20 * SECOND)
    assert found.certain == timedelta(0)
    assert not found.exceeds(timedelta(0))


def test_a_clock_ahead_and_a_clock_behind() -> None:
    ahead = clock_offset(NOON + 90 * SECOND, sent=NOON, received=NOON + SECOND)
    assert ahead.certain == 89 * SECOND
    assert ahead.exceeds(60 * SECOND)
    behind = clock_offset(NOON - 90 * SECOND, sent=NOON, received=NOON + SECOND)
    assert behind.certain == -89 * SECOND
    assert behind.exceeds(60 * SECOND)
    assert not behind.exceeds(89 * SECOND)


def test_times_run_forward_and_carry_a_zone() -> None:
    with pytest.raises(ValueError):
        clock_offset(NOON, sent=NOON, received=NOON - SECOND)
    with pytest.raises(ValueError):
        clock_offset(datetime.fromisoformat("2026-04-01T12:00"), sent=NOON, received=NOON)
    with pytest.raises(ValueError):
        same_day(NOON, NOON - SECOND)
    with pytest.raises(ValueError):
        same_day(NOON, NOON, lag=-SECOND)


def test_the_meters_day_is_a_day_in_japan() -> None:
    assert same_day(NOON, NOON + 5 * SECOND)
    assert same_day(MIDNIGHT, MIDNIGHT + SECOND)
    assert not same_day(MIDNIGHT - SECOND, MIDNIGHT)
    assert not same_day((MIDNIGHT - SECOND).astimezone(UTC), MIDNIGHT.astimezone(UTC))


def test_a_stamp_that_lags_leaves_the_day_open_near_midnight() -> None:
    minute = timedelta(minutes=1)
    assert same_day(MIDNIGHT - 2 * minute, MIDNIGHT - 2 * minute, lag=minute)
    assert not same_day(MIDNIGHT - minute, MIDNIGHT - minute, lag=minute)


def test_a_bracket_has_one_day() -> None:
    bracket = Bracket(NOON, NOON + SECOND)
    assert bracket.day == date(2026, 4, 1)
    assert bracket.before == NOON
    assert bracket.latest == NOON + SECOND
    assert Bracket(NOON, NOON, timedelta(minutes=2)).latest == NOON + timedelta(minutes=2)
    with pytest.raises(ValueError, match="date"):
        Bracket(MIDNIGHT - SECOND, MIDNIGHT)


def test_the_meters_time_comes_from_the_closest_value() -> None:
    late = {"at": NOON - timedelta(minutes=30), "normal": 5}
    clock = {"clock_date": date(2026, 4, 1), "clock_time": time(12, 3)}
    assert meter_time({"energy_now": {"at": NOON, "normal": 5}, "energy_slot": late}) == MeterTime(
        NOON, timedelta(0)
    )
    assert meter_time({"energy_now": 5, **clock, "energy_slot": late}) == MeterTime(
        NOON + timedelta(minutes=3), timedelta(minutes=1)
    )
    assert meter_time({"energy_now": 5, "energy_slot": late}) == MeterTime(
        NOON - timedelta(minutes=30), timedelta(minutes=31)
    )
    assert meter_time({"energy_now": 5, "clock_date": date(2026, 4, 1)}) is None
    assert meter_time({}) is None


def stamped(at: datetime) -> dict[str, object]:
    return {"energy_now": {"at": at, "normal": 5}}


def test_an_exchange_is_dated_by_what_stands_around_it() -> None:
    found = bracket_around(stamped(NOON), stamped(NOON + SECOND))
    assert found == Bracket(NOON, NOON + SECOND)


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (stamped(MIDNIGHT - SECOND), stamped(MIDNIGHT), RefusalKind.DATE_CHANGED),
        (stamped(NOON), stamped(NOON - SECOND), RefusalKind.DATE_CHANGED),
        (stamped(NOON), {}, RefusalKind.NO_TIME),
        ({}, stamped(NOON), RefusalKind.NO_TIME),
    ],
)
def test_an_exchange_that_cannot_be_dated_is_refused(
    before: dict[str, object], after: dict[str, object], kind: RefusalKind
) -> None:
    found = bracket_around(before, after)
    assert isinstance(found, Refusal)
    assert found.kind is kind
    assert found.text("ja") != found.text()
