"""How numbers, spans and days are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.meter.slots import Slot
from koatsu.web.notation import (
    age,
    clock_time,
    countdown,
    day_label,
    day_plain,
    day_title,
    grouped,
    moment,
    places_of,
    signed,
    slot_end,
    slot_start,
)
from koatsu.web.texts import texts

JA, EN = texts("ja"), texts("en")
NB = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (Decimal("2870.4"), None, "2,870.4"),
        (Decimal("398.40"), None, "398.4"),
        (8412907, None, "8,412,907"),
        (Decimal("-1234.5"), None, "−1,234.5"),
        (Decimal("-0.04"), 1, "0.0"),
        (Decimal("0.05"), 1, "0.1"),
        (Decimal("405"), 1, "405.0"),
        (Decimal("1E+3"), None, "1,000"),
    ],
)
def test_numbers(value: Decimal | int, places: int | None, text: str) -> None:
    assert grouped(value, places) == text


def test_signs() -> None:
    assert (signed(Decimal("0.4")), signed(Decimal("-2")), signed(0)) == ("+0.4", "−2", "0")


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_nothing_of_a_value_is_lost(value: Decimal) -> None:
    assert Decimal(grouped(value).replace(",", "").replace("−", "-")) == value


@given(st.lists(st.decimals(min_value=0, max_value=10**6, places=3), max_size=5))
def test_places_show_every_value(values: list[Decimal]) -> None:
    places = places_of(*values, None)
    assert all(value == round(value, places) for value in values)


def test_times() -> None:
    instant = datetime(2026, 7, 14, 15, 0, 5, tzinfo=UTC)
    assert clock_time(instant) == "00:00"
    assert clock_time(instant, seconds=True) == "00:00:05"
    assert moment(instant, date(2026, 7, 15), JA) == "00:00"
    assert moment(instant, date(2026, 7, 16), JA) == "7月15日(水) 00:00"
    with pytest.raises(ValueError, match="zone"):
        clock_time(datetime(2026, 7, 14, 15))  # noqa: DTZ001 - the naive one is the case


@pytest.mark.parametrize(
    ("seconds", "text"), [(740, "12:20"), (5, "0:05"), (-3, "0:00"), (3740, "1:02:20"), (59.9, "0:59")]
)
def test_countdown(seconds: float, text: str) -> None:
    assert countdown(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "ja", "en"),
    [
        (2, f"2{NB}秒", f"2{NB}s"),
        (930, f"15{NB}分 30{NB}秒", f"15{NB}min 30{NB}s"),
        (11100, f"3{NB}時間 5{NB}分", f"3{NB}h 5{NB}min"),
        (200_000, f"2{NB}日", "2 days"),
        (-5, f"0{NB}秒", f"0{NB}s"),
    ],
)
def test_ages(seconds: int, ja: str, en: str) -> None:
    span = timedelta(seconds=seconds)
    assert (age(span, JA), age(span, EN)) == (ja, en)


def test_days() -> None:
    day = date(2026, 7, 15)
    assert (day_label(day, JA), day_label(day, EN)) == ("7月15日(水)", "Wed 15 July")
    assert (day_title(day, JA), day_title(day, EN)) == ("2026年7月15日(水)", "Wed 15 July 2026")
    assert (day_plain(day, JA), day_plain(day, EN)) == ("7月15日", "15 July")


def test_the_last_slot_ends_at_24() -> None:
    slot = Slot(date(2026, 7, 15), 48)
    assert (slot_start(slot), slot_end(slot)) == ("23:30", "24:00")
