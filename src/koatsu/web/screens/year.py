"""Twelve months of one meter: contract power by the twelve-month rule, greatest demands, energy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from koatsu.clock import JST
from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.period_models import ContractRule, YearView
from koatsu.ems.period_views import RULE_BELOW_KW
from koatsu.ems.view_models import MeterHead
from koatsu.web.charts.year import year_demand_axis, year_demand_chart, year_energy_chart
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.notation import day_title, grouped, places_of
from koatsu.web.screens.part import site_shape
from koatsu.web.screens.period_screen import PeriodScreen
from koatsu.web.screens.periods import month_title, span_words
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["YearScreen"]


class YearScreen(PeriodScreen[YearView]):
    """Twelve months from that of ``first``; ``None``: those that end with the present one."""

    template = "year.html"
    _PARTS = (
        "link-badge",
        "year-answer",
        "year-charts",
        "period-figures",
        "period-holes",
        "period-source",
        "year-table",
    )

    def __init__(
        self,
        reader: SiteReader,
        t: Texts,
        limits: Mapping[str, Limits],
        meter: MeterHead,
        first: date | None,
        *,
        billing: bool | None,
    ) -> None:
        self._first, self._billing = first, billing
        super().__init__(reader, t, limits, meter)

    @property
    def shape(self) -> str:
        """The meters to choose from, and the months."""
        return f"{site_shape(self._site)} {self._view.months[0].span.first}"

    def _read(self) -> YearView:
        return self._reader.year(self._meter_id, self._first, billing=self._billing)

    def values(self, at: datetime) -> dict[str, Any]:
        """The year's view and its neighbours."""
        t, view, limits = self._t, self._view, self._limits
        months = "" if self._billing is None else "?months=billing" if self._billing else "?months=calendar"

        def link(span: MonthSpan) -> str:
            query = "?months=billing" if view.billing else ""
            return f"{t.prefix}/month/{view.meter.id}/{span.name}{query}"

        return (
            self._of_the_sum(at)
            | self._moves(at, months)
            | {
                "here": "year",
                "title": self._title(),
                "days_of": span_words(view.months[0].span.first, view.months[-1].span.last, t),
                "query": months,
                "rule": _rule_words(view, limits, t)
                if view.meter.role == "buy" and not view.unscaled
                else None,
                "link": link,
                "month_name": lambda span: month_title(span, t),
                "day_link": lambda day: f"{t.prefix}/day/{view.meter.id}/{day.isoformat()}",
                "axis_from": _axis_from(view, limits),
                "demand_chart": lambda: year_demand_chart(view, t, limits=limits, link=link),
                "energy_chart": lambda: year_energy_chart(view, t, limits=limits, link=link),
                "places": _places(view),
            }
        )

    def _moves(self, at: datetime, query: str) -> dict[str, Any]:
        """The addresses of the twelve months before and after, of this year and this fiscal year."""
        t, first = self._t, self._view.months[0].span
        base = f"{t.prefix}/year/{self._view.meter.id}"
        today = at.astimezone(JST).date()
        fiscal = today.year - (today.month < 4)
        after = first.moved(12)
        return {
            "base": base,
            "previous": f"{base}/{first.moved(-12).name}{query}",
            "next": f"{base}/{after.name}{query}" if after.first <= today else None,
            "spans": [
                (t("periods.latest"), f"{base}/latest{query}", self._first is None),
                (
                    t("yearview.calendar_year", y=today.year),
                    f"{base}/{today.year}{query}",
                    self._first == date(today.year, 1, 1),
                ),
                (
                    t("yearview.fiscal_year", y=fiscal),
                    f"{base}/{fiscal}-04{query}",
                    self._first == date(fiscal, 4, 1),
                ),
            ],
            "own": f"{base}/{self._text()}",
        }

    def _text(self) -> str:
        return "latest" if self._first is None else f"{self._first.year}-{self._first.month:02}"

    def _title(self) -> str:
        t, first = self._t, self._first
        if first is None:
            return t("periods.latest")
        if first.month == 1:
            return t("yearview.calendar_year", y=first.year)
        if first.month == 4:
            return t("yearview.fiscal_year", y=first.year)
        return t("yearview.twelve_from", month=month_title(self._view.months[0].span, t))


def _rule_words(view: YearView, limits: Limits, t: Texts) -> dict[str, Any] | None:
    """Contract power by the rule, what set it, how long it holds, and what is uncertain about it."""
    rule = view.contract
    if rule is None or rule.peak is None or rule.holds_until is None:
        return None
    kw, slot = rule.peak.demand_kw, rule.peak.slot
    said = [
        t("yearview.set_by", when=f"{day_title(slot.day, t)} {slot.label}"),
        t("yearview.holds", month=month_title(rule.holds_until, t)),
    ]
    if rule.then is not None and rule.then.demand_kw < kw:
        lower = rule.then.demand_kw
        said.append(t("yearview.then", kw=grouped(lower), by=grouped(kw - lower)))
    if limits.contract_kw is not None and limits.contract_kw != kw:
        said.append(t("yearview.differs", kw=grouped(limits.contract_kw)))
    return {
        "kw": grouped(kw, places_of(kw)),
        "said": said,
        "doubts": _doubts(rule, view, kw, t),
        "agreed": kw >= RULE_BELOW_KW,
    }


def _doubts(rule: ContractRule, view: YearView, kw: Decimal, t: Texts) -> list[str]:
    said = []
    if kw >= RULE_BELOW_KW:
        said.append(t("yearview.agreed"))
    if rule.months < 12:
        said.append(t("yearview.part", n=rule.months))
    elif not rule.complete:
        said.append(t("yearview.gaps"))
    if not view.billing and (view.fixed_day or 1) != 1:
        said.append(t("yearview.calendar_only"))
    return said


def _axis_from(view: YearView, limits: Limits) -> str:
    axis = year_demand_axis(view, NO_LIMITS if view.meter.role == "sell" else limits)
    return axis.label(axis.base) if axis.base else ""


def _places(view: YearView) -> dict[str, int]:
    totals = [month.total for month in view.months if month.total]
    rules = [month.rule.peak.demand_kw for month in view.months if month.rule.peak]
    return {
        "demand": places_of(*(total.peak.demand_kw for total in totals if total.peak), *rules),
        "energy": places_of(*(total.energy_kwh for total in totals)),
    }
