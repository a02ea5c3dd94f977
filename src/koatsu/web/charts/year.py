"""A year as two drawings over the same months: the greatest demands against contract power, and the energy.

The line over the greatest demands is what the twelve-month rule makes of them. This is the one drawing whose
scale may begin above zero, and it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from markupsafe import Markup

from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.period_models import YearMonth, YearView
from koatsu.web.charts.axis import Axis
from koatsu.web.charts.columns import Column, Level, Share, columns_chart, levels_of, marks, shares
from koatsu.web.charts.svg import path, stretched, tag
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.notation import day_plain, grouped, places_of, rounded
from koatsu.web.texts import Texts

__all__ = ["year_demand_axis", "year_demand_chart", "year_energy_chart"]

Link = Callable[[MonthSpan], str]


def year_demand_axis(view: YearView, limits: Limits = NO_LIMITS) -> Axis:
    """The scale of the greatest demands; it may begin above zero."""
    bars = [float(kw) for month in view.months if (kw := _kw(month)) is not None]
    rules = [float(kw) for month in view.months if (kw := _rule_kw(view, month)) is not None]
    if view.meter.role == "sell":
        return Axis.over(*bars, down=True)
    return Axis.raised(bars, *rules, *limits.values())


def year_demand_chart(view: YearView, t: Texts, *, limits: Limits = NO_LIMITS, link: Link) -> Markup:
    """The greatest demand of each month, kW, the line of the twelve-month rule, target and contract power."""
    sold = view.meter.role == "sell"
    shown = NO_LIMITS if sold else limits
    axis = year_demand_axis(view, shown)
    deciding = view.contract.set_in if view.contract and not sold else None
    columns = []
    for month in view.months:
        kw, peak = _kw(month), month.total.peak if month.total else None
        when = "" if peak is None else f" {day_plain(peak.slot.day, t)} {peak.slot.label}"
        columns.append(
            Column(
                text=_text(month, t, None if kw is None else f"{grouped(kw)} kW{when}"),
                value=kw,
                state=_state(month),
                href=link(month.span) if month.total else None,
                label="" if kw is None else grouped(rounded(kw, 0)),
                greatest=month.span == deciding,
            )
        )
    name = t("periods.name_demand", meter=view.meter.label, period=t("periods.year_of_months"))
    unit = t("chart.sold_kw") if sold else "kW"
    return columns_chart(
        columns,
        axis,
        unit,
        name,
        levels=[*levels_of(shown, t), *_rule_level(view, t)],
        over=[_rule_line(view, axis)],
        below=[_marks(view, t)],
        inside=True,
        kind="year sold" if sold else "year",
    )


def year_energy_chart(view: YearView, t: Texts, *, limits: Limits = NO_LIMITS, link: Link) -> Markup:
    """The energy of each month, kWh (of an unscaled meter its counts), and how much of each is on file.

    Its columns stand under those of the demand chart with the same ``limits``.
    """
    sold = view.meter.role == "sell"
    unit = t("unit.counts") if view.unscaled else "kWh"
    columns, cells = [], []
    for month in view.months:
        total = month.total
        value = None if total is None else total.counts if view.unscaled else total.energy_kwh
        columns.append(
            Column(
                text=_text(month, t, None if value is None else f"{grouped(value)} {unit}"),
                value=None if value is None else Decimal(value),
                state=_state(month),
                href=link(month.span) if total else None,
            )
        )
        cells.append(_share(month, t))
    axis = Axis.over(*(float(column.value) for column in columns if column.value is not None), down=sold)
    name = t("periods.name_energy", meter=view.meter.label, period=t("periods.year_of_months"))
    above = t("periods.sold_kwh") if sold and not view.unscaled else unit
    return columns_chart(
        columns,
        axis,
        above,
        name,
        below=[shares(cells), _marks(view, t)],
        named=not sold and bool(limits.values() or _rule_level(view, t)),
        kind="year sold" if sold else "year",
    )


def _rule_line(view: YearView, axis: Axis) -> Markup:
    """The greatest of twelve months, month by month, as steps."""
    many = len(view.months)
    steps = [
        (index, kw) for index, month in enumerate(view.months) if (kw := _rule_kw(view, month)) is not None
    ]
    runs: list[list[tuple[float, float]]] = []
    last = -2
    for index, kw in steps:
        if index != last + 1:
            runs.append([])
        y = axis.y(float(kw))
        runs[-1] += [(index / many, y), ((index + 1) / many, y)]
        last = index
    return stretched(*(tag("path", d=path(run), class_="rule") for run in runs))


def _rule_level(view: YearView, t: Texts) -> list[Level]:
    """The name of that line, at the height of its last step."""
    known = [kw for month in view.months if (kw := _rule_kw(view, month)) is not None]
    if not known:
        return []
    text = t("periods.rule_line", kw=grouped(known[-1], places_of(known[-1])))
    return [Level("rule", known[-1], text, drawn=False)]


def _kw(month: YearMonth) -> Decimal | None:
    return month.total.peak.demand_kw if month.total and month.total.peak else None


def _rule_kw(view: YearView, month: YearMonth) -> Decimal | None:
    if view.meter.role != "buy" or month.total is None or month.rule.peak is None:
        return None
    return month.rule.peak.demand_kw


def _state(month: YearMonth) -> str:
    """The class of a month's bar: "" for a month to come, "open" for the present one."""
    if month.total is None:
        return ""
    days = (month.span.last - month.span.first).days + 1
    return "measured" if month.total.closed == 48 * days else "open"


def _share(month: YearMonth, t: Texts) -> Share:
    total = month.total
    known, closed = (total.known, total.closed) if total else (0, 0)
    text = f"{_label(month.span, t)} {t('periods.on_file', known=known, closed=closed)}"
    return Share(known / closed if closed else 0.0, bool(total and total.disputed), bool(closed), text)


def _text(month: YearMonth, t: Texts, value: str | None) -> str:
    label = _label(month.span, t)
    if month.total is None:
        return t("periods.bar_future", day=label)
    told = t("periods.on_file", known=grouped(month.total.known), closed=grouped(month.total.closed))
    if value is None:
        return t("periods.bar_none", day=label, told=told)
    return t("periods.bar", day=label, value=value, told=told)


def _label(span: MonthSpan, t: Texts) -> str:
    return t("day.month_title", y=span.year, m=t("day.months").split()[span.month - 1])


def _marks(view: YearView, t: Texts) -> Markup:
    """The months, and the year under the first of each; every second month yields where it is narrow."""
    names = t("periods.months_short").split()
    labels = [
        (t("periods.month_mark", m=names[month.span.month - 1]), "minor" if index % 2 else "")
        for index, month in enumerate(view.months)
    ]
    years = _years(view.months)
    return marks(labels) + marks(years)


def _years(months: Sequence[YearMonth]) -> list[tuple[str, str]]:
    """The year under the first month and under each January."""
    return [
        (str(month.span.year) if index == 0 or month.span.month == 1 else "", "strong")
        for index, month in enumerate(months)
    ]
