"""Read models of days, months and years: exact numbers and facts, no sentences. ``None`` is not known.

Energies are kWh, demands mean kW over a slot, both exact decimals; instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from koatsu.ems.day_figures import Peak
from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.view_models import HoleView, MeterHead, SlotState
from koatsu.meter.registers import Register

__all__ = ["ContractRule", "DayTotal", "EpochTotal", "MonthView", "PeriodTotal", "YearMonth", "YearView"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochTotal:
    """What one epoch of a meter counted in a period; instants are aware UTC.

    ``first_count`` and ``last_count`` are the outermost believed counts. ``counts`` and ``energy_kwh`` sum
    the slots and whole holes from ``known_from`` to ``known_until``, all ``None`` where there is none.
    ``factor`` is what one count is worth in kWh; it and ``energy_kwh`` are ``None`` on an unscaled meter.
    ``left_out`` spans between two counts are in conflict and not in the sum.
    """

    epoch: int
    first_at: datetime
    first_count: int
    last_at: datetime
    last_count: int
    counts: int | None
    factor: Decimal | None
    energy_kwh: Decimal | None
    known_from: datetime | None
    known_until: datetime | None
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotal:
    """A JST day: of its ``closed`` slots ``known`` are on file (``tally``: how), ``disputed`` in conflict.

    ``energy_kwh`` is exact and reaches from ``known_from`` to ``known_until``; ``None``: not known. ``peak``
    is the slot of the greatest demand, those in conflict left out. ``daytime_kwh`` is the energy of those
    ``daytime_slots`` slots from 8 to 22 o'clock (of 28) whose sum is known: what power factor rests on.
    """

    day: date
    closed: int
    known: int
    disputed: int
    tally: Mapping[SlotState, int]
    energy_kwh: Decimal | None
    known_from: datetime | None
    known_until: datetime | None
    peak: Peak | None
    epochs: tuple[EpochTotal, ...]
    daytime_kwh: Decimal | None
    daytime_slots: int

    @property
    def counts(self) -> int | None:
        """The sum over all epochs in counts: all that an unscaled meter tells."""
        known = [found.counts for found in self.epochs if found.counts is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodTotal:
    """The days from ``first`` to ``last`` that have begun, and their sums; fields as those of a day.

    ``holes`` are runs of closed slots without a value each, with their exact sum where both ends are known;
    the outermost may reach beyond the period and are then not part of ``energy_kwh``.
    """

    first: date
    last: date
    days: tuple[DayTotal, ...]
    closed: int
    known: int
    disputed: int
    tally: Mapping[SlotState, int]
    energy_kwh: Decimal | None
    known_from: datetime | None
    known_until: datetime | None
    peak: Peak | None
    epochs: tuple[EpochTotal, ...]
    holes: tuple[HoleView, ...]

    @property
    def counts(self) -> int | None:
        """The sum over all epochs in counts: all that an unscaled meter tells."""
        known = [found.counts for found in self.epochs if found.counts is not None]
        return sum(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthView:
    """A calendar month, or a billing month from fixed day to fixed day, of one register.

    ``fixed_day`` is the meter's; ``None`` where it gave none. ``total`` holds the days that have begun.
    ``resolution_kwh`` is one scaled count.
    """

    meter: MeterHead
    register: Register
    span: MonthSpan
    billing: bool
    fixed_day: int | None
    total: PeriodTotal
    unscaled: bool
    resolution_kwh: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractRule:
    """Contract power as it follows from demand, below 500 kW: the greatest of a month and the eleven before.

    ``peak`` is that greatest, of the month ``set_in``; ``months`` of the twelve have a demand on file, and
    ``complete`` says that every closed slot of them has. It holds up to and with the month ``holds_until``,
    unless a greater one comes; ``then`` is what stays of the months known today.
    """

    peak: Peak | None
    set_in: MonthSpan | None
    holds_until: MonthSpan | None
    then: Peak | None
    months: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class YearMonth:
    """One month of a year; ``total`` is ``None`` for a month to come."""

    span: MonthSpan
    total: PeriodTotal | None
    rule: ContractRule


@dataclass(frozen=True, slots=True, kw_only=True)
class YearView:
    """Twelve months of one register; ``total`` sums them exactly, as far as they have begun.

    ``contract`` is the rule at the last month of these that has begun; ``None`` where none has.
    """

    meter: MeterHead
    register: Register
    billing: bool
    fixed_day: int | None
    months: tuple[YearMonth, ...]
    total: PeriodTotal
    contract: ContractRule | None
    unscaled: bool
    resolution_kwh: Decimal | None
