"""What the comparison of pulses and register says: rows, a sum, and for each the reasons.

Energies are exact: the register's a ``Decimal``, the pulses' a ``Fraction``, because 250/3 pulses may be a
kWh. ``shown`` rounds for people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from koatsu.meter.slots import Slot

__all__ = ["FAULTS", "Compared", "PulseDay", "PulseSum", "Reason", "in_order", "shown"]


class Reason(StrEnum):
    """Why pulses and register differ, or why they cannot be compared."""

    EXACT = "exact"  #: they do not differ
    RESOLUTION = "resolution"  #: no more than the last count and the last pulse can make
    LOST = "lost"  #: pulses are missing
    DOUBLED = "doubled"  #: there are pulses too many
    CONSTANT = "constant"  #: more than if every pulse came twice: the pulses per kWh cannot be right
    CLOCK = "clock"  #: the neighbours differ as much the other way: a clock is off, nothing is missing
    SLOT_LOST = "slot_lost"  #: a slot pulse did not come, so slots run together
    SLOT_EXTRA = "slot_extra"  #: a slot pulse came that meant no other half hour
    HOLE = "hole"  #: the register is known at the ends of several slots only
    PART = "part"  #: nobody listened to the whole slot
    NOT_HEARD = "not_heard"  #: nobody listened
    NO_REGISTER = "no_register"  #: the register is not known, or in conflict
    UNSCALED = "unscaled"  #: the meter's coefficient is 0


FAULTS: Final = frozenset(
    {Reason.LOST, Reason.DOUBLED, Reason.CONSTANT, Reason.CLOCK, Reason.SLOT_LOST, Reason.SLOT_EXTRA}
)
"""Reasons that somebody should look after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One run of slots, mostly one, with what either side says of it.

    ``difference_kwh`` is pulses − register; up to ``resolution_kwh`` (exclusive) it means nothing.
    ``amiss`` are the fewest and the most pulses that can be lost or too many.
    """

    first: Slot
    last: Slot
    reasons: tuple[Reason, ...]
    pulses: int | None = None
    pulse_kwh: Fraction | None = None
    counts: int | None = None
    register_kwh: Decimal | None = None
    resolution_kwh: Fraction | None = None
    amiss: tuple[int, int] | None = None
    heard_from: datetime | None = None
    heard_until: datetime | None = None

    @property
    def difference_kwh(self) -> Fraction | None:
        """Pulses − register; ``None`` where they were not compared."""
        if self.pulse_kwh is None or self.register_kwh is None:
            return None
        return self.pulse_kwh - Fraction(self.register_kwh)

    @property
    def slots(self) -> int:
        """How many slots it covers."""
        return (self.last.end - self.first.start) // (self.first.end - self.first.start)

    @property
    def label(self) -> str:
        """Its clock times: ``10:00–11:00``; a run over midnight ends at a time of the next day."""
        return f"{self.first.label.partition('–')[0]}–{self.last.label.partition('–')[2]}"

    @property
    def faulty(self) -> bool:
        """Whether somebody should look after it."""
        return not FAULTS.isdisjoint(self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseSum:
    """All runs that were compared, together; what single slots hide in their last count shows here."""

    slots: int
    pulses: int
    pulse_kwh: Fraction
    register_kwh: Decimal
    resolution_kwh: Fraction
    reasons: tuple[Reason, ...]
    amiss: tuple[int, int] | None = None

    @property
    def difference_kwh(self) -> Fraction:
        """Pulses − register."""
        return self.pulse_kwh - Fraction(self.register_kwh)

    @property
    def faulty(self) -> bool:
        """Whether somebody should look after it."""
        return not FAULTS.isdisjoint(self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseDay:
    """One JST day of one meter: its slots up to now in order, and their sum.

    ``late_s``: how many seconds after the half hour, by our clock, slot pulses come (median); negative:
    before it. ``per_kwh``: the constant of the day's last row.
    """

    meter_id: str
    day: date
    rows: tuple[Compared, ...]
    total: PulseSum | None
    per_kwh: Fraction | None
    late_s: int | None

    @property
    def heard(self) -> bool:
        """Whether any pulse was counted on that day."""
        return any(row.pulses is not None for row in self.rows)

    @property
    def faulty(self) -> bool:
        """Whether somebody should look after something."""
        return any(row.faulty for row in self.rows) or (self.total is not None and self.total.faulty)

    @property
    def faults(self) -> tuple[Compared, ...]:
        """The rows that somebody should look after."""
        return tuple(row for row in self.rows if row.faulty)


def shown(value: Fraction, places: int = 3) -> Decimal:
    """``value`` rounded to ``places`` decimals, half away from 0."""
    scaled = abs(value) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Decimal(whole if value >= 0 else -whole).scaleb(-places)


def in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each reason once, in the order of :class:`Reason`."""
    found = set(reasons)
    return tuple(reason for reason in Reason if reason in found)
