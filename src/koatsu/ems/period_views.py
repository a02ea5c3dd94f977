"""Months and years as a person looks at them, from totals of days.

Every function takes ``now``, so that the same call gives the same answer. The twelve-month rule is the one
for contracts below 500 kW: contract power is the greatest demand of a month and of the eleven before it.
Months are the meter's billing months where it gave a fixed day and they are asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from koatsu.clock import JST, require_aware
from koatsu.ems.day_figures import Peak
from koatsu.ems.live import LiveState
from koatsu.ems.moment import at_one_moment
from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.period_models import (
    ContractRule,
    DayTotal,
    EpochTotal,
    MonthView,
    PeriodTotal,
    YearMonth,
    YearView,
)
from koatsu.ems.store import Epoch, Store
from koatsu.ems.totals import read_totals
from koatsu.ems.views import meter_head
from koatsu.meter.registers import Register

__all__ = [
    "RULE_BELOW_KW",
    "ContractRule",
    "DayTotal",
    "EpochTotal",
    "MonthView",
    "Peak",
    "PeriodTotal",
    "YearMonth",
    "YearView",
    "month_view",
    "year_view",
]

RULE_BELOW_KW: Final = Decimal(500)  #: from here on contract power is agreed, not measured
_MONTHS: Final = 12


@at_one_moment
def month_view(
    store: Store,
    meter_id: str,
    month: date,
    now: datetime,
    *,
    register: Register = Register.ENERGY,
    billing: bool = False,
    live: LiveState | None = None,
) -> MonthView:
    """The month that begins in the calendar month of ``month``; a billing month where the meter has such.

    Raises:
        KeyError: no such meter.
        ValueError: ``now`` is naive, or the register has no demand.
        StoreError: the store cannot be read.
    """
    epoch = store.current_epoch(meter_id)
    fixed_day = _fixed_day(epoch)
    span = MonthSpan(month.year, month.month, (fixed_day or 1) if billing else 1)
    totals = read_totals(store, meter_id, span.first, span.last, now, register=register)
    return MonthView(
        meter=meter_head(store, meter_id, now, register=register, live=live),
        register=register,
        span=span,
        billing=billing and span.fixed_day != 1,
        fixed_day=fixed_day,
        total=totals.period(span.first, span.last),
        unscaled=_unscaled(epoch),
        resolution_kwh=epoch.nameplate.energy_scale.factor if epoch else None,
    )


@at_one_moment
def year_view(
    store: Store,
    meter_id: str,
    now: datetime,
    *,
    first: date | None = None,
    register: Register = Register.ENERGY,
    billing: bool | None = None,
    live: LiveState | None = None,
) -> YearView:
    """Twelve months from the calendar month of ``first``; without it, the twelve that end with the present.

    They are billing months where the meter has such, unless ``billing`` is false.

    Raises:
        KeyError: no such meter.
        ValueError: ``now`` is naive, or the register has no demand.
        StoreError: the store cannot be read.
    """
    today = require_aware(now).astimezone(JST).date()
    epoch = store.current_epoch(meter_id)
    fixed_day = _fixed_day(epoch)
    day = 1 if billing is False else fixed_day or 1
    start = (
        MonthSpan.of(today, day).moved(1 - _MONTHS)
        if first is None
        else MonthSpan(first.year, first.month, day)
    )
    # The rule of the first month looks eleven months further back.
    spans = [start.moved(step) for step in range(1 - _MONTHS, _MONTHS)]
    totals = read_totals(store, meter_id, spans[0].first, spans[-1].last, now, register=register)
    begun = {span: totals.period(span.first, span.last) for span in spans if span.first <= today}
    months = tuple(
        YearMonth(
            span=span,
            total=begun.get(span),
            rule=_rule([found for found in begun.items() if span.moved(-_MONTHS) < found[0] <= span]),
        )
        for span in spans[_MONTHS - 1 :]
    )
    shown = [month for month in months if month.total is not None]
    return YearView(
        meter=meter_head(store, meter_id, now, register=register, live=live),
        register=register,
        billing=day != 1,
        fixed_day=fixed_day,
        months=months,
        total=totals.period(start.first, spans[-1].last),
        contract=shown[-1].rule if shown else None,
        unscaled=_unscaled(epoch),
        resolution_kwh=epoch.nameplate.energy_scale.factor if epoch else None,
    )


def _rule(months: Sequence[tuple[MonthSpan, PeriodTotal]]) -> ContractRule:
    """The rule over up to twelve months that have begun, oldest first."""
    best, set_in = _greatest(months)
    rest = [found for found in months if set_in is not None and found[0] > set_in]
    return ContractRule(
        peak=best,
        set_in=set_in,
        holds_until=None if set_in is None else set_in.moved(_MONTHS - 1),
        then=_greatest(rest)[0],
        months=sum(total.peak is not None for _, total in months),
        complete=len(months) == _MONTHS and all(total.known == total.closed for _, total in months),
    )


def _greatest(months: Sequence[tuple[MonthSpan, PeriodTotal]]) -> tuple[Peak | None, MonthSpan | None]:
    """The greatest demand and its month; the latest of equals, for it holds the longest."""
    best: Peak | None = None
    where: MonthSpan | None = None
    for span, total in months:
        if total.peak is not None and (best is None or total.peak.demand_kw >= best.demand_kw):
            best, where = total.peak, span
    return best, where


def _fixed_day(epoch: Epoch | None) -> int | None:
    found = epoch.nameplate.fixed_day if epoch else None
    return found if found is not None and 1 <= found <= 31 else None


def _unscaled(epoch: Epoch | None) -> bool:
    return epoch is not None and epoch.nameplate.energy_scale.factor is None
