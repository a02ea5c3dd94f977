"""A month as two drawings over the same days: the greatest demand of each, and its energy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from markupsafe import Markup

from koatsu.ems.day_figures import Peak
from koatsu.ems.period_models import DayTotal, MonthView
from koatsu.web.charts.axis import Axis
from koatsu.web.charts.columns import Column, Share, columns_chart, levels_of, marks, shares
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.notation import day_label, grouped, places_of
from koatsu.web.texts import Texts

__all__ = ["month_days", "month_demand_chart", "month_energy_chart"]

_SATURDAY = 5


def month_days(view: MonthView) -> tuple[tuple[date, DayTotal | None], ...]:
    """Every day of the month with its total; ``None`` for a day to come."""
    totals = {total.day: total for total in view.total.days}
    span = view.span
    days = (span.first + timedelta(days=step) for step in range((span.last - span.first).days + 1))
    return tuple((day, totals.get(day)) for day in days)


def month_demand_chart(
    view: MonthView, t: Texts, *, limits: Limits = NO_LIMITS, link: Callable[[date], str]
) -> Markup:
    """The greatest demand of each day, kW, with the lines that the site wants to stay under."""
    sold = view.meter.role == "sell"
    shown = NO_LIMITS if sold else limits
    greatest = view.total.peak
    columns = []
    for day, total in month_days(view):
        peak = total.peak if total else None
        value = peak.demand_kw if peak else None
        best = greatest is not None and peak is not None and peak.slot == greatest.slot
        columns.append(
            Column(
                text=_text(day, total, t, _peak_text(peak)),
                value=value,
                state=_state(total),
                href=link(day) if total else None,
                label=grouped(value, places_of(value)) if best and value is not None else "",
                tint=day.weekday() >= _SATURDAY,
                greatest=best,
            )
        )
    axis = _axis(columns, sold, *shown.values())
    name = t("periods.name_demand", meter=view.meter.label, period=t("periods.month_of_days"))
    unit = t("chart.sold_kw") if sold else "kW"
    return columns_chart(
        columns,
        axis,
        unit,
        name,
        levels=levels_of(shown, t),
        below=[marks(_marks(view))],
        kind=_kind("month", sold),
    )


def month_energy_chart(
    view: MonthView, t: Texts, *, limits: Limits = NO_LIMITS, link: Callable[[date], str]
) -> Markup:
    """The energy of each day, kWh (of an unscaled meter its counts), and how much of it is on file.

    Its columns stand under those of the demand chart with the same ``limits``.
    """
    sold = view.meter.role == "sell"
    unit = t("unit.counts") if view.unscaled else "kWh"
    columns, cells = [], []
    for day, total in month_days(view):
        value = None if total is None else total.counts if view.unscaled else total.energy_kwh
        columns.append(
            Column(
                text=_text(day, total, t, None if value is None else f"{grouped(value)} {unit}"),
                value=None if value is None else Decimal(value),
                state=_state(total),
                href=link(day) if total else None,
                tint=day.weekday() >= _SATURDAY,
            )
        )
        cells.append(_share(day, total, t))
    axis = _axis(columns, sold)
    name = t("periods.name_energy", meter=view.meter.label, period=t("periods.month_of_days"))
    above = t("periods.sold_kwh") if sold and not view.unscaled else unit
    return columns_chart(
        columns,
        axis,
        above,
        name,
        below=[shares(cells), marks(_marks(view))],
        named=bool(limits.values()) and not sold,
        kind=_kind("month", sold),
    )


def _axis(columns: Sequence[Column], sold: bool, *lines: float) -> Axis:
    return Axis.over(
        *(float(column.value) for column in columns if column.value is not None), *lines, down=sold
    )


def _kind(name: str, sold: bool) -> str:
    return f"{name} sold" if sold else name


def _state(total: DayTotal | None) -> str:
    """The class of a day's bar: "" for a day to come, "open" for the present one."""
    if total is None:
        return ""
    return "measured" if total.closed == 48 else "open"


def _share(day: date, total: DayTotal | None, t: Texts) -> Share:
    known, closed = (total.known, total.closed) if total else (0, 0)
    text = f"{day_label(day, t)} {t('periods.on_file', known=known, closed=closed)}"
    return Share(known / closed if closed else 0.0, bool(total and total.disputed), bool(closed), text)


def _peak_text(peak: Peak | None) -> str | None:
    return None if peak is None else f"{grouped(peak.demand_kw)} kW {peak.slot.label}"


def _text(day: date, total: DayTotal | None, t: Texts, value: str | None) -> str:
    label = day_label(day, t)
    if total is None:
        return t("periods.bar_future", day=label)
    told = t("periods.on_file", known=total.known, closed=total.closed)
    if value is None:
        return t("periods.bar_none", day=label, told=told)
    return t("periods.bar", day=label, value=value, told=told)


def _marks(view: MonthView) -> list[tuple[str, str]]:
    """The number of each day; where it is narrow only every fifth, and the first of a calendar month."""
    return [
        (str(day.day), "" if day.day == 1 or (day.day % 5 == 0 and day.day < 30) else "fine-mark")
        for day, _ in month_days(view)
    ]
