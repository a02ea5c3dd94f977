"""Differences of a wrapping counter: found when they can be told, a conflict when not, never a guess."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from koatsu.meter import (
    HALF_HOUR,
    Conflict,
    ConflictKind,
    Difference,
    Register,
    RegisterKind,
    Scale,
    difference,
    fits_digits,
)

KWH = Scale(1, Decimal(1), Decimal(1))
CEILING = Decimal(1_000)  # 500 kWh in a half hour


def kind(start: int, end: int, **given: object) -> ConflictKind | None:
    asked: dict[str, object] = {"digits": 6, "scale": KWH, "span": HALF_HOUR, "ceiling_kw": CEILING}
    result = difference(start, end, **(asked | given))  # type: ignore[arg-type]
    return result.kind if isinstance(result, Conflict) else None


def test_a_plain_difference() -> None:
    scale = Scale(120, Decimal(1), Decimal("0.1"))
    found = difference(100, 130, digits=6, scale=scale, span=HALF_HOUR, ceiling_kw=CEILING)
    assert found == Difference(30, Decimal(360), wrapped=False)


def test_a_wrap_within_the_ceiling() -> None:
    found = difference(999_990, 20, digits=6, scale=KWH, span=HALF_HOUR, ceiling_kw=CEILING)
    assert found == Difference(30, Decimal(30), wrapped=True)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (0, 500, None),
        (0, 501, ConflictKind.OVER_CEILING),  # more than 500 counts is surely more than 500 kWh
        (1_000, 999, ConflictKind.BACKWARDS),
        (999_900, 401, ConflictKind.BACKWARDS),
        (999_900, 400, None),
        (1_000_000, 5, ConflictKind.BEYOND_DIGITS),
        (5, 1_000_000, ConflictKind.BEYOND_DIGITS),
    ],
)
def test_the_ceiling_decides(start: int, end: int, expected: ConflictKind | None) -> None:
    assert kind(start, end) == expected


def test_one_count_is_granted_to_rounding() -> None:
    big = Scale(6_000, Decimal(1), Decimal(1))  # one count is 6 MWh
    poll = timedelta(seconds=10)
    assert kind(7, 8, scale=big, span=poll) is None
    assert kind(7, 9, scale=big, span=poll) is ConflictKind.OVER_CEILING


def test_a_gap_long_enough_for_another_lap_is_a_conflict() -> None:
    lap = timedelta(hours=1_000)  # 1,000 kW for 1,000 h is one lap of six digits
    assert kind(10, 20, span=lap) is None  # 10 or 1,000,010, and that is too many
    assert kind(10, 10, span=lap) is ConflictKind.AMBIGUOUS_WRAP
    assert kind(10, 20, span=2 * lap) is ConflictKind.AMBIGUOUS_WRAP
    assert kind(10, 999_999, span=2 * lap) is ConflictKind.AMBIGUOUS_WRAP


def test_no_time_gives_no_difference() -> None:
    assert kind(5, 5, span=timedelta(0)) is None
    assert kind(5, 6, span=timedelta(0)) is ConflictKind.TWO_VALUES
    assert kind(5, 6, span=timedelta(0), ceiling_kw=None) is ConflictKind.TWO_VALUES


@pytest.mark.parametrize(("scale", "ceiling"), [(Scale(0, Decimal(1), Decimal(1)), CEILING), (KWH, None)])
def test_without_a_ceiling_only_a_small_wrap_is_believed(scale: Scale, ceiling: Decimal | None) -> None:
    assert kind(10, 900_000, scale=scale, ceiling_kw=ceiling) is None
    assert kind(999_990, 20, scale=scale, ceiling_kw=ceiling) is None
    assert kind(950_000, 49_999, scale=scale, ceiling_kw=ceiling) is None
    assert kind(950_000, 50_000, scale=scale, ceiling_kw=ceiling) is ConflictKind.BACKWARDS
    assert kind(500, 499, scale=scale, ceiling_kw=ceiling) is ConflictKind.BACKWARDS


def test_an_unscaled_difference_has_counts_and_no_value() -> None:
    unscaled = Scale(0, Decimal(1), Decimal(1))
    found = difference(1, 4, digits=6, scale=unscaled, span=HALF_HOUR, ceiling_kw=CEILING)
    assert found == Difference(3, None, wrapped=False)


@given(
    digits=st.integers(3, 8),
    start=st.integers(0, 10**8 - 1),
    flowed=st.integers(0, 3 * 10**8),
    hours=st.integers(1, 5_000),
    ceiling=st.integers(1, 100_000),
)
def test_a_true_flow_is_either_found_exactly_or_a_conflict(
    digits: int, start: int, flowed: int, hours: int, ceiling: int
) -> None:
    """Never a wrong number, and always a number where one lap more cannot be."""
    lap = 10**digits
    start %= lap
    assume(flowed < ceiling * hours)
    found = difference(
        start,
        (start + flowed) % lap,
        digits=digits,
        scale=KWH,
        span=timedelta(hours=hours),
        ceiling_kw=Decimal(ceiling),
    )
    if isinstance(found, Conflict):
        assert found.kind is ConflictKind.AMBIGUOUS_WRAP
        assert ceiling * hours >= lap
    else:
        assert found.counts == flowed
        assert found.value == flowed
        assert found.wrapped == ((start + flowed) // lap > 0)


@given(
    digits=st.integers(1, 8),
    start=st.integers(0, 10**8 - 1),
    end=st.integers(0, 10**8 - 1),
    hours=st.integers(0, 10**5),
)
def test_two_laps_under_the_ceiling_are_always_a_conflict(
    digits: int, start: int, end: int, hours: int
) -> None:
    lap = 10**digits
    span = timedelta(hours=hours)
    assume(hours * CEILING >= 2 * lap)
    assert kind(start % lap, end % lap, digits=digits, span=span) is ConflictKind.AMBIGUOUS_WRAP


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"span": timedelta(seconds=-1)}, ValueError),
        ({"ceiling_kw": Decimal(0)}, ValueError),
        ({"ceiling_kw": 1000.0}, TypeError),
        ({"digits": 0}, ValueError),
        ({"digits": 9}, ValueError),
    ],
)
def test_wrong_questions_are_errors(changed: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        kind(1, 2, **changed)


@pytest.mark.parametrize(("count", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError)])
def test_only_unsigned_integers_are_counts(count: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        kind(count, 5)
    with pytest.raises(error):
        fits_digits(count, 6)


def test_digits() -> None:
    assert fits_digits(999_999, 6)
    assert not fits_digits(1_000_000, 6)


def test_conflicts_speak_both_languages() -> None:
    found = difference(1_000, 999, digits=6, scale=KWH, span=HALF_HOUR, ceiling_kw=CEILING)
    assert isinstance(found, Conflict)
    assert "1000" in found.text()
    assert "減って" in found.text("ja")


def test_registers_know_their_unit_direction_and_kind() -> None:
    assert Register.ENERGY.unit == "kWh"
    assert Register.ENERGY.direction == "normal"
    assert Register.REACTIVE_PF_REVERSE.unit == "kvarh"
    assert Register.REACTIVE_PF_REVERSE.power_unit == "kvar"
    assert Register.REACTIVE_PF_REVERSE.direction == "reverse"
    assert Register.REACTIVE_PF_REVERSE.kind is RegisterKind.REACTIVE_PF
    assert {register.kind for register in Register} == set(RegisterKind)
    for wanted in RegisterKind:
        assert sum(register.kind is wanted for register in Register) == 2
