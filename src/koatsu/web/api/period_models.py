"""The shapes of months and years: exact sums, what they reach over, and what is missing in them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal, Self

from pydantic import Field

from koatsu.ems.day_figures import Peak
from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.period_models import ContractRule, DayTotal, MonthView, PeriodTotal, YearMonth, YearView
from koatsu.ems.view_models import SlotState
from koatsu.web.answers import Instant, Shape
from koatsu.web.api.models import Amount, SlotRef, Span, amount

__all__ = ["Month", "Year"]


class Greatest(Shape):
    """The slot of the greatest demand."""

    slot: SlotRef
    demand: Amount
    demand_from: Literal["meter", "energy"]

    @classmethod
    def of(cls, peak: Peak | None) -> Self | None:
        """The shape of a peak; ``None`` stays ``None``."""
        if peak is None:
            return None
        return cls(
            slot=SlotRef.of(peak.slot),
            demand=Amount(value=format(peak.demand_kw, "f"), unit="kW"),
            demand_from=peak.source,
        )


class DaySum(Shape):
    """One day of a month. ``energy`` runs from ``energy_since`` to ``energy_until``."""

    day: date
    closed: int = Field(description="slots that have closed")
    known: int = Field(description="of these, those on file")
    disputed: int = Field(description="of these, those in conflict")
    energy: Amount | None
    energy_since: Instant | None
    energy_until: Instant | None
    greatest: Greatest | None
    tally: dict[SlotState, int]

    @classmethod
    def of(cls, day: DayTotal) -> Self:
        """The sum of a day."""
        return cls(
            day=day.day,
            closed=day.closed,
            known=day.known,
            disputed=day.disputed,
            energy=amount(day.energy_kwh, "kWh"),
            energy_since=day.known_from,
            energy_until=day.known_until,
            greatest=Greatest.of(day.peak),
            tally=dict(day.tally),
        )


class Sum(Shape):
    """A run of days in sum: exact wherever its ends are known, whatever is missing between them."""

    first: date
    last: date
    closed: int
    known: int
    disputed: int
    energy: Amount | None
    energy_since: Instant | None
    energy_until: Instant | None
    counts: int | None = Field(description="the same in counts: all that an unscaled meter tells")
    greatest: Greatest | None
    tally: dict[SlotState, int]

    @classmethod
    def of(cls, total: PeriodTotal) -> Self:
        """The sum of a period."""
        return cls(
            first=total.first,
            last=total.last,
            closed=total.closed,
            known=total.known,
            disputed=total.disputed,
            energy=amount(total.energy_kwh, "kWh"),
            energy_since=total.known_from,
            energy_until=total.known_until,
            counts=total.counts,
            greatest=Greatest.of(total.peak),
            tally=dict(total.tally),
        )


class MonthRef(Shape):
    """A month: of the calendar, or from fixed day to fixed day, named after the month in which it begins."""

    name: str = Field(examples=["2026-07"])
    first: date
    last: date

    @classmethod
    def of(cls, span: MonthSpan) -> Self:
        """The reference of a month."""
        return cls(name=span.name, first=span.first, last=span.last)


class Month(Shape):
    """A month of one channel, day by day. ``billing``: it runs from the meter's fixed day to the next."""

    meter: str
    month: MonthRef
    billing: bool
    fixed_day: int | None
    now: Instant
    total: Sum
    days: list[DaySum]
    holes: list[Span]
    unscaled: bool

    @classmethod
    def of(cls, view: MonthView, now: datetime) -> Self:
        """The month of a view."""
        return cls(
            meter=view.meter.id,
            month=MonthRef.of(view.span),
            billing=view.billing,
            fixed_day=view.fixed_day,
            now=now,
            total=Sum.of(view.total),
            days=[DaySum.of(day) for day in view.total.days],
            holes=[Span.of(hole) for hole in view.total.holes],
            unscaled=view.unscaled,
        )


class Contract(Shape):
    """Contract power below 500 kW, as it follows from the greatest demand of twelve months."""

    greatest: Greatest | None
    set_in: MonthRef | None
    holds_until: MonthRef | None
    then: Greatest | None = Field(description="what stays of the months known today")
    months: int = Field(description="of the twelve, those with a demand on file")
    complete: bool

    @classmethod
    def of(cls, rule: ContractRule) -> Self:
        """The contract of a rule."""
        return cls(
            greatest=Greatest.of(rule.peak),
            set_in=MonthRef.of(rule.set_in) if rule.set_in else None,
            holds_until=MonthRef.of(rule.holds_until) if rule.holds_until else None,
            then=Greatest.of(rule.then),
            months=rule.months,
            complete=rule.complete,
        )


class MonthSum(Shape):
    """One month of a year; ``total`` is null for a month to come."""

    month: MonthRef
    total: Sum | None
    contract: Contract

    @classmethod
    def of(cls, month: YearMonth) -> Self:
        """The sum of a month."""
        return cls(
            month=MonthRef.of(month.span),
            total=Sum.of(month.total) if month.total else None,
            contract=Contract.of(month.rule),
        )


class Year(Shape):
    """Twelve months of one channel."""

    meter: str
    billing: bool
    fixed_day: int | None
    now: Instant
    months: list[MonthSum]
    total: Sum
    contract: Contract | None = Field(description="at the last of these months that has begun")
    unscaled: bool

    @classmethod
    def of(cls, view: YearView, now: datetime) -> Self:
        """The year of a view."""
        return cls(
            meter=view.meter.id,
            billing=view.billing,
            fixed_day=view.fixed_day,
            now=now,
            months=[MonthSum.of(month) for month in view.months],
            total=Sum.of(view.total),
            contract=Contract.of(view.contract) if view.contract else None,
            unscaled=view.unscaled,
        )
