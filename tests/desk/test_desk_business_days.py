from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.desk.business_days import (
    add_business_days,
    business_days_between,
    is_business_day,
    read_closed_days,
)
from koatsu.desk.errors import DeskSettingError
from koatsu.desk.settings import DeskSettings

YEAR_END = DeskSettings().closed_days
DAYS = st.dates(date(2018, 1, 1), date(2034, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 7, 15), True),  # a Wednesday
        (date(2026, 7, 18), False),  # Saturday
        (date(2026, 7, 19), False),  # Sunday
        (date(2026, 7, 20), False),  # Marine Day
        (date(2026, 5, 6), False),  # 3 May, a holiday, is a Sunday: the substitute comes after the 5th
        (date(2026, 5, 7), True),
        (date(2026, 9, 22), False),  # between two holidays: a citizens' holiday
        (date(2027, 3, 22), False),  # the equinox falls on a Sunday
        (date(2019, 4, 30), False),  # the ten days of the new era
        (date(2026, 12, 28), True),
        (date(2026, 12, 29), False),  # closed by the settings
        (date(2027, 1, 4), True),
    ],
)
def test_a_business_day_is_no_weekend_no_holiday_and_not_closed(day: date, works: bool) -> None:
    assert is_business_day(day, YEAR_END) is works


def test_only_the_settings_close_the_year_end() -> None:
    assert is_business_day(date(2026, 12, 29))
    assert not is_business_day(date(2026, 12, 29), ["2026-12-29"])
    assert is_business_day(date(2025, 12, 29), ["2026-12-29"])  # closed once, not every year


@pytest.mark.parametrize(
    ("day", "n", "then"),
    [
        (date(2026, 12, 28), 1, date(2027, 1, 4)),  # over the year end
        (date(2027, 1, 4), -1, date(2026, 12, 28)),
        (date(2026, 5, 1), 1, date(2026, 5, 7)),  # over golden week with its substitute holiday
        (date(2026, 7, 17), 2, date(2026, 7, 22)),  # Friday, a long weekend, Tuesday, Wednesday
        (date(2026, 7, 18), 1, date(2026, 7, 21)),  # from a Saturday: the Tuesday after the holiday
        (date(2026, 7, 15), 0, date(2026, 7, 15)),
        (date(2026, 7, 18), 0, date(2026, 7, 21)),  # no business day itself: the next one
        (date(2026, 7, 18), -1, date(2026, 7, 17)),
    ],
)
def test_business_days_are_added(day: date, n: int, then: date) -> None:
    assert add_business_days(day, n, YEAR_END) == then


def test_days_between_count_the_last_and_not_the_first() -> None:
    assert business_days_between(date(2026, 7, 15), date(2026, 7, 17)) == 2
    assert business_days_between(date(2026, 7, 17), date(2026, 7, 15)) == -2
    assert business_days_between(date(2026, 7, 17), date(2026, 7, 20)) == 0  # weekend and holiday
    assert business_days_between(date(2026, 7, 17), date(2026, 7, 17)) == 0


@given(DAYS, st.integers(-60, 60).filter(bool))
def test_between_undoes_adding(day: date, n: int) -> None:
    then = add_business_days(day, n, YEAR_END)
    assert is_business_day(then, YEAR_END)
    assert business_days_between(day, then, YEAR_END) == n


@given(DAYS, st.integers(0, 30), st.integers(0, 30))
def test_adding_twice_is_adding_the_sum(day: date, first: int, second: int) -> None:
    start = add_business_days(day, 0, YEAR_END)
    twice = add_business_days(add_business_days(start, first, YEAR_END), second, YEAR_END)
    assert twice == add_business_days(start, first + second, YEAR_END)


@given(DAYS, st.integers(0, 400))
def test_between_is_a_count_of_days_one_by_one(first: date, length: int) -> None:
    days = [first + timedelta(days=at) for at in range(1, length + 1)]
    expected = sum(is_business_day(day, YEAR_END) for day in days)
    assert business_days_between(first, first + timedelta(days=length), YEAR_END) == expected


@pytest.mark.parametrize(
    "text", ["", "12-32", "02-30", "13-01", "2026-02-29", "12/29", "29-12-2026", "\uff11\uff12-29"]
)
def test_a_closed_day_that_is_none_is_told(text: str) -> None:
    with pytest.raises(DeskSettingError) as error:
        read_closed_days([text])
    assert f"「{text}」" in error.value.text("ja")
    assert "12-29" in error.value.text("en")


def test_the_29th_of_february_may_be_closed() -> None:
    assert not is_business_day(date(2028, 2, 29), ["02-29"])


def test_a_desk_that_is_always_closed_is_told() -> None:
    always = [f"{day:%m-%d}" for day in (date(2028, 1, 1) + timedelta(days=at) for at in range(366))]
    with pytest.raises(DeskSettingError, match="no business day"):
        add_business_days(date(2026, 7, 15), 1, always)
