"""Scales and quantities are exact, whatever the caller's decimal context; floats do not get in."""

from __future__ import annotations

import operator
from datetime import timedelta
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.meter import HALF_HOUR, Quantity, Scale, demand_of, exact_sum, mean_power, plain

UNITS = [
    Decimal(text) for text in ["1", "0.1", "0.01", "0.001", "0.0001", "10", "100", "1000", "10000", "100000"]
]
MULTIPLIERS = [Decimal(text) for text in ["1", "0.1", "0.01", "0.001"]]
scales = st.builds(Scale, st.integers(1, 999_999), st.sampled_from(MULTIPLIERS), st.sampled_from(UNITS))
counts = st.integers(0, 99_999_999)


def exact(scale: Scale) -> Fraction:
    return scale.coefficient * Fraction(scale.multiplier) * Fraction(scale.unit)


@given(scales, counts)
def test_a_scaled_count_is_the_exact_product(scale: Scale, count: int) -> None:
    value = scale.apply(count)
    assert value is not None
    assert Fraction(value) == count * exact(scale)


@given(scales, st.lists(counts, min_size=1, max_size=60))
def test_the_sum_of_scaled_counts_is_the_scaled_sum_in_any_context(scale: Scale, many: list[int]) -> None:
    with localcontext() as narrow:
        narrow.prec = 3
        parts = [value for count in many if (value := scale.apply(count)) is not None]
        assert exact_sum(parts) == scale.apply(sum(many))
        assert Fraction(demand_of(parts[0])) == 2 * many[0] * exact(scale)


def test_the_largest_scale_is_not_rounded() -> None:
    largest = Scale(999_999, Decimal(1), Decimal(100_000))
    assert largest.apply(99_999_999) == Decimal(99_999_999 * 999_999 * 100_000)


def test_coefficient_zero_is_unscaled_and_never_zero_energy() -> None:
    unscaled = Scale(0, Decimal(1), Decimal("0.1"))
    assert unscaled.factor is None
    assert unscaled.apply(12_345) is None
    assert unscaled.apply(0) is None


@pytest.mark.parametrize(
    ("coefficient", "multiplier", "unit", "error"),
    [
        (-1, Decimal(1), Decimal(1), ValueError),
        (1_000_000, Decimal(1), Decimal(1), ValueError),
        (1, Decimal(0), Decimal(1), ValueError),
        (1, Decimal(1), Decimal(-1), ValueError),
        (1, Decimal(1), Decimal("NaN"), ValueError),
        (1, 0.1, Decimal(1), TypeError),
        (1, Decimal(1), 0.1, TypeError),
        (1.0, Decimal(1), Decimal(1), TypeError),
        (True, Decimal(1), Decimal(1), TypeError),
    ],
)
def test_parts_out_of_range_are_refused(
    coefficient: int, multiplier: Decimal, unit: Decimal, error: type[Exception]
) -> None:
    with pytest.raises(error):
        Scale(coefficient, multiplier, unit)


def test_only_integers_are_counts() -> None:
    with pytest.raises(TypeError):
        Scale(1, Decimal(1), Decimal(1)).apply(1.5)  # type: ignore[arg-type]


def test_scales_compare_by_their_parts() -> None:
    assert Scale(40, Decimal(1), Decimal("0.1")) == Scale(40, Decimal(1), Decimal("0.10"))
    assert Scale(40, Decimal(1), Decimal("0.1")) != Scale(4, Decimal(1), Decimal(1))
    assert str(Scale(40, Decimal("0.1"), Decimal("1E+4"))) == "40 × 0.1 × 10000"


def test_quantities_add_only_in_one_unit() -> None:
    total = Quantity(Decimal("0.1"), "kWh") + Quantity(Decimal("0.2"), "kWh")
    assert total == Quantity(Decimal("0.3"), "kWh")
    assert total - Quantity(Decimal("0.3"), "kWh") == -Quantity(Decimal(0), "kWh")
    assert Quantity(Decimal(1), "kW") < Quantity(Decimal(2), "kW") <= Quantity(Decimal("2.0"), "kW")
    assert str(Quantity(Decimal("5E+3"), "kWh")) == "5000 kWh"
    for mix in (operator.add, operator.sub, operator.lt, operator.le):
        with pytest.raises(ValueError, match="do not mix"):
            mix(total, Quantity(Decimal(1), "kvarh"))


def test_a_quantity_is_a_finite_decimal_with_a_unit() -> None:
    with pytest.raises(TypeError):
        Quantity(1.5, "kWh")  # type: ignore[arg-type]
    with pytest.raises(ValueError):
        Quantity(Decimal("Infinity"), "kWh")
    with pytest.raises(ValueError):
        Quantity(Decimal(1), "")


def test_mean_power() -> None:
    assert mean_power(Decimal("125.5")) == Decimal(251)
    assert mean_power(Decimal(3), timedelta(minutes=10)) == Decimal(18)
    assert mean_power(Decimal(1), timedelta(minutes=7)) == pytest.approx(Decimal(60) / 7)
    with pytest.raises(ValueError):
        mean_power(Decimal(1), timedelta(0))
    with pytest.raises(TypeError):
        mean_power(1.0, HALF_HOUR)  # type: ignore[arg-type]


def test_plain_numbers_have_no_exponent_and_no_negative_zero() -> None:
    assert plain(Decimal("1E+5")) == "100000"
    assert plain(Decimal("-0.0")) == "0.0"
    assert plain(Decimal("-1.50")) == "-1.50"
