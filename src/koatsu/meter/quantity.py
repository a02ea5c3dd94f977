"""Exact decimal quantities with their unit, and the steps from energy to power.

Additions and multiplications run in a context that raises instead of rounding: a count has at most
8 digits and a scale factor at most 12, so 60 digits hold any sum this program can form (the standard
context of 28 digits could be narrowed by a caller without a word). Division is the one step that may
round, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow, Underflow
from typing import Final

from koatsu.meter.slots import HALF_HOUR

__all__ = [
    "EXACT",
    "MICROSECOND",
    "MICROSECONDS_PER_HOUR",
    "Quantity",
    "demand_of",
    "exact_sum",
    "mean_power",
    "plain",
    "require_decimal",
]

#: The context of every sum and product of this package: an inexact result is an error.
EXACT: Final = Context(prec=60, traps=[DivisionByZero, Inexact, InvalidOperation, Overflow, Underflow])
_ROUNDED: Final = Context(prec=28, traps=[DivisionByZero, InvalidOperation, Overflow])
MICROSECOND: Final = timedelta(microseconds=1)
MICROSECONDS_PER_HOUR: Final = 3_600_000_000


def require_decimal(value: Decimal, what: str) -> Decimal:
    """Return ``value`` unchanged.

    Raises:
        TypeError: it is not a ``Decimal`` (floats above all are refused).
        ValueError: it is not finite.
    """
    if not isinstance(value, Decimal):
        raise TypeError(f"{what} is a Decimal, not {value!r}")
    if not value.is_finite():
        raise ValueError(f"{what} is a finite number, not {value}")
    return value


def exact_sum(values: Iterable[Decimal]) -> Decimal:
    """The exact sum; 0 of nothing."""
    total = Decimal(0)
    for value in values:
        total = EXACT.add(total, value)
    return total


def demand_of(energy_kwh: Decimal) -> Decimal:
    """The mean kW over a slot in which ``energy_kwh`` flowed: exactly twice the number."""
    return EXACT.multiply(Decimal(2), require_decimal(energy_kwh, "energy"))


def mean_power(energy_kwh: Decimal, span: timedelta = HALF_HOUR) -> Decimal:
    """Mean kW of ``energy_kwh`` over ``span`` (kvar of kvarh); exact over a slot, else rounded to 28 digits.

    Raises:
        ValueError: ``span`` is not positive.
    """
    require_decimal(energy_kwh, "energy")
    if span <= timedelta(0):
        raise ValueError(f"a mean power needs a positive span, not {span}")
    if span == HALF_HOUR:
        return demand_of(energy_kwh)
    hours_scaled = EXACT.multiply(energy_kwh, Decimal(MICROSECONDS_PER_HOUR))
    return _ROUNDED.divide(hours_scaled, Decimal(span // MICROSECOND))


def plain(value: Decimal) -> str:
    """The number without an exponent, and without a negative zero: ``Decimal("5E+3")`` is ``5000``."""
    return format(value if value else abs(value), "f")


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact number with its unit, such as 12.5 kWh.

    Raises:
        TypeError: ``value`` is not a Decimal.
        ValueError: ``value`` is not finite, or the unit is empty.
    """

    value: Decimal
    unit: str

    def __post_init__(self) -> None:
        require_decimal(self.value, "the value of a quantity")
        if not self.unit:
            raise ValueError("a quantity has a unit")

    def _same(self, other: Quantity) -> Decimal:
        if self.unit != other.unit:
            raise ValueError(f"{self.unit} and {other.unit} do not mix")
        return other.value

    def __add__(self, other: Quantity) -> Quantity:
        return Quantity(EXACT.add(self.value, self._same(other)), self.unit)

    def __sub__(self, other: Quantity) -> Quantity:
        return Quantity(EXACT.subtract(self.value, self._same(other)), self.unit)

    def __neg__(self) -> Quantity:
        return Quantity(EXACT.minus(self.value), self.unit)

    def __lt__(self, other: Quantity) -> bool:
        return self.value < self._same(other)

    def __le__(self, other: Quantity) -> bool:
        return self.value <= self._same(other)

    def __str__(self) -> str:
        return f"{plain(self.value)} {self.unit}"
