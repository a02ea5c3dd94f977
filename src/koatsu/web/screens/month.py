"""One month of one meter: energy and greatest demand day by day, gaps, where the total comes from."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from koatsu.clock import JST
from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.period_models import DayTotal, MonthView
from koatsu.ems.view_models import MeterHead
from koatsu.web.charts.month import month_days, month_demand_chart, month_energy_chart
from koatsu.web.limits import Limits
from koatsu.web.notation import day_label, places_of
from koatsu.web.screens.part import site_shape
from koatsu.web.screens.period_screen import PeriodScreen
from koatsu.web.screens.periods import month_title, span_words
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["MonthScreen"]


class MonthScreen(PeriodScreen[MonthView]):
    """A calendar or billing month; ``month`` is any day of the calendar month in which it begins."""

    template = "month.html"
    _PARTS = (
        "link-badge",
        "period-figures",
        "month-charts",
        "period-holes",
        "period-source",
        "month-table",
    )

    def __init__(
        self,
        reader: SiteReader,
        t: Texts,
        limits: Mapping[str, Limits],
        meter: MeterHead,
        month: date,
        *,
        billing: bool,
    ) -> None:
        self._month, self._billing = month, billing
        super().__init__(reader, t, limits, meter)

    @property
    def shape(self) -> str:
        """The meters to choose from, the month and its days."""
        span = self._view.span
        return f"{site_shape(self._site)} {span.first} {span.last}"

    @property
    def first(self) -> date:
        """The first day of the month."""
        return self._view.span.first

    def _read(self) -> MonthView:
        return self._reader.month(self._meter_id, self._month, billing=self._billing)

    def values(self, at: datetime) -> dict[str, Any]:
        """The month's view and its neighbours."""
        t, view = self._t, self._view
        today = at.astimezone(JST).date()
        span, limits = view.span, self._limits
        query = "?months=billing" if view.billing else ""
        present = MonthSpan.of(today, span.fixed_day)
        base = f"{t.prefix}/month/{view.meter.id}"

        def link(day: date) -> str:
            return f"{t.prefix}/day/{view.meter.id}/{day.isoformat()}"

        return self._of_the_sum(at) | {
            "here": "month",
            "title": self._title(),
            "days_of": span_words(span.first, span.last, t),
            "base": base,
            "query": query,
            "previous": (month_title(span.moved(-1), t), _address(base, span.moved(-1), query)),
            "next": (month_title(span.moved(1), t), _address(base, span.moved(1), query))
            if span < present
            else None,
            "present": _address(base, present, query) if span != present else None,
            "own": _address(base, span, ""),
            "by_calendar": _address(base, MonthSpan.of(min(today, span.last)), ""),
            "by_billing": _address(
                base, MonthSpan.of(min(today, span.last), view.fixed_day or 1), "?months=billing"
            ),
            "year": f"{t.prefix}/year/{view.meter.id}/{span.moved(-11).name}",
            "link": link,
            "days": month_days(view),
            "to_come": self._to_come(),
            "demand_chart": lambda: month_demand_chart(view, t, limits=limits, link=link),
            "energy_chart": lambda: month_energy_chart(view, t, limits=limits, link=link),
            "places": _places(view.total.days),
        }

    def _title(self) -> str:
        span, t = self._view.span, self._t
        return span_words(span.first, span.last, t) if self._view.billing else month_title(span, t)

    def _to_come(self) -> str:
        """The days of the month that have not begun, as one."""
        days = [day for day, total in month_days(self._view) if total is None]
        t = self._t
        if len(days) < 2:
            return day_label(days[0], t) if days else ""
        return t("periods.span", first=day_label(days[0], t), last=day_label(days[-1], t))


def _address(base: str, span: MonthSpan, query: str) -> str:
    return f"{base}/{span.name}{query}"


def _places(days: tuple[DayTotal, ...]) -> dict[str, int]:
    return {
        "demand": places_of(*(day.peak.demand_kw for day in days if day.peak)),
        "energy": places_of(*(day.energy_kwh for day in days)),
    }
