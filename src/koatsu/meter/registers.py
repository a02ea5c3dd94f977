"""The cumulative counters of a meter, and the one way to take a difference of two counts.

A register counts up and wraps at 10^digits. What is stored is the register; energy is always
(count at end − count at start) mod 10^digits × scale. Whether a difference can be true is judged
against the site's ceiling: the greatest mean power (kW or kvar) that can flow there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal

from koatsu.meter.conflicts import Conflict, ConflictKind
from koatsu.meter.quantity import EXACT, MICROSECOND, MICROSECONDS_PER_HOUR, plain, require_decimal
from koatsu.meter.scale import Scale

__all__ = ["Difference", "Direction", "Register", "RegisterKind", "difference", "fits_digits"]

Direction = Literal["normal", "reverse"]
MAX_DIGITS: Final = 8


class RegisterKind(StrEnum):
    """What a register counts, whatever its direction."""

    ENERGY = "energy"  #: active energy, 有効電力量
    ENERGY_PF = "energy_pf"  #: active energy for power factor (8–22 h), 力測有効電力量
    REACTIVE_PF = "reactive_pf"  #: lagging reactive energy for power factor (8–22 h), 力測無効電力量（遅れ）
    REACTIVE_LAG = "reactive_lag"  #: lagging reactive energy, all day, 無効電力量（遅れ）
    REACTIVE_LEAD = "reactive_lead"  #: leading reactive energy, all day, 無効電力量（進み）


class Register(StrEnum):
    """One cumulative counter: what it counts, in which direction."""

    ENERGY = "energy"
    ENERGY_REVERSE = "energy_reverse"
    ENERGY_PF = "energy_pf"
    ENERGY_PF_REVERSE = "energy_pf_reverse"
    REACTIVE_PF = "reactive_pf"
    REACTIVE_PF_REVERSE = "reactive_pf_reverse"
    REACTIVE_LAG = "reactive_lag"
    REACTIVE_LAG_REVERSE = "reactive_lag_reverse"
    REACTIVE_LEAD = "reactive_lead"
    REACTIVE_LEAD_REVERSE = "reactive_lead_reverse"

    @property
    def direction(self) -> Direction:
        """Normal is what the site buys, reverse what it sends back."""
        return "reverse" if self.value.endswith("_reverse") else "normal"

    @property
    def kind(self) -> RegisterKind:
        """What it counts, whatever the direction."""
        return RegisterKind(self.value.removesuffix("_reverse"))

    @property
    def reactive(self) -> bool:
        """Whether it counts reactive energy."""
        return self.value.startswith("reactive")

    @property
    def unit(self) -> str:
        """``kWh`` or ``kvarh``."""
        return "kvarh" if self.reactive else "kWh"

    @property
    def power_unit(self) -> str:
        """``kW`` or ``kvar``: the unit of its mean over time."""
        return "kvar" if self.reactive else "kW"


@dataclass(frozen=True, slots=True)
class Difference:
    """What a register counted between two instants.

    ``value`` is in the unit of the register, ``None`` when the meter is unscaled; ``wrapped`` tells that
    the counter passed 10^digits on the way.
    """

    counts: int
    value: Decimal | None
    wrapped: bool


def fits_digits(count: int, digits: int) -> bool:
    """Whether ``count`` can stand in a register of ``digits`` digits.

    Raises:
        TypeError: ``count`` is not an integer.
        ValueError: ``count`` is negative, or ``digits`` is not 1 to 8.
    """
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"a count is an integer, not {count!r}")
    if count < 0:
        raise ValueError(f"a count is not negative: {count}")
    if not 1 <= digits <= MAX_DIGITS:
        raise ValueError(f"a register has 1 to {MAX_DIGITS} digits, not {digits}")
    return count < int(10**digits)


def difference(
    start: int,
    end: int,
    *,
    digits: int,
    scale: Scale,
    span: timedelta,
    ceiling_kw: Decimal | None,
) -> Difference | Conflict:
    """What was counted from ``start`` to ``end``, two counts of one register in one epoch, ``span`` apart.

    The wire tells counts modulo 10^digits, so the truth is counts + laps × 10^digits. It is accepted when
    exactly one of these candidates can have flowed under ``ceiling_kw`` (kvar for reactive registers):

    - no candidate: the counter leapt (over the ceiling) or fell (backwards): a conflict;
    - two or more: the gap is long enough for another lap: a conflict. A gap in which the ceiling allows
      two laps is therefore always one.

    Counters round down, so n counts prove only more than n − 1 counts of energy; a candidate can have
    flowed when (n − 1) × factor is under ceiling × span. Without this one count every poll a few seconds
    apart would be a leap on a site whose count is worth many kWh.

    Where no ceiling can be applied (``ceiling_kw`` is ``None``, or the scale is unscaled so that nobody
    knows what a count is worth) a rise is taken as it is, and a fall counts as a wrap only when it
    implies less than a tenth of the range: from the last tenth to the first. Such a difference serves
    charts of counts; an unscaled one has no value, so no bill can rest on it.

    Raises:
        TypeError: a count is not an integer, or the ceiling is not a Decimal.
        ValueError: a count or the span is negative, digits are not 1 to 8, the ceiling is not positive.
    """
    if span < timedelta(0):
        raise ValueError(f"a difference runs forward in time, not over {span}")
    if ceiling_kw is not None and require_decimal(ceiling_kw, "the ceiling") <= 0:
        raise ValueError(f"the ceiling is positive, not {ceiling_kw}")
    for count in (start, end):
        if not fits_digits(count, digits):
            return _beyond_digits(count, digits)
    lap = int(10**digits)
    counts, wrapped = (end - start) % lap, end < start
    if not span and counts:
        return Conflict(
            ConflictKind.TWO_VALUES,
            f"The counts {start} and {end} are for the same instant.",
            f"同じ時刻に二つの指示値 {start} と {end} があります。",
        )
    factor = scale.factor
    if factor is None or ceiling_kw is None:
        if wrapped and counts * 10 >= lap:
            return _backwards(start, end)
    else:
        if not _possible(counts, factor, span, ceiling_kw):
            return _backwards(start, end) if wrapped else _over_ceiling(start, end, span, ceiling_kw)
        if _possible(counts + lap, factor, span, ceiling_kw):
            return Conflict(
                ConflictKind.AMBIGUOUS_WRAP,
                f"From {start} to {end} over {span} the counter may have gone round once more.",
                f"{start} から {end} までの {span} の間に、計器が一巡以上した可能性があります。",
            )
    return Difference(counts, scale.apply(counts), wrapped)


def _possible(counts: int, factor: Decimal, span: timedelta, ceiling_kw: Decimal) -> bool:
    """Whether more than ``counts`` − 1 counts can flow in ``span``; times an hour, so nothing divides."""
    least = EXACT.multiply(EXACT.multiply(Decimal(counts - 1), factor), Decimal(MICROSECONDS_PER_HOUR))
    return least < EXACT.multiply(ceiling_kw, Decimal(span // MICROSECOND))


def _beyond_digits(count: int, digits: int) -> Conflict:
    return Conflict(
        ConflictKind.BEYOND_DIGITS,
        f"The count {count} does not fit the {digits} digits of its register.",
        f"指示値 {count} は計器の有効桁数 {digits} 桁を超えています。",
    )


def _backwards(start: int, end: int) -> Conflict:
    return Conflict(
        ConflictKind.BACKWARDS,
        f"The counter fell from {start} to {end}, and that is no plausible wrap.",
        f"指示値が {start} から {end} に減っており、桁あふれとしては説明できません。",
    )


def _over_ceiling(start: int, end: int, span: timedelta, ceiling_kw: Decimal) -> Conflict:
    limit = plain(ceiling_kw)
    return Conflict(
        ConflictKind.OVER_CEILING,
        f"From {start} to {end} over {span} would be more than the site's ceiling of {limit} kW.",
        f"{start} から {end} まで（{span}）の差は、この施設の上限 {limit} kW を超えます。",
    )
