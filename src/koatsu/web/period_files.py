"""Months and years as files: the days, or the months, that the page shows, exact and unrounded.

UTF-8 with a byte-order mark, lines end in CR LF, instants are ISO 8601 with +09:00; the unknown is empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from koatsu.clock import JST
from koatsu.ems.period_models import DayTotal, MonthView, PeriodTotal, YearView
from koatsu.web.download import file_part

__all__ = ["MONTH_COLUMNS", "YEAR_COLUMNS", "month_csv", "month_file_name", "year_csv", "year_file_name"]

_TOTAL: Final = (
    "energy_kwh",
    "energy_from",
    "energy_until",
    "max_demand_kw",
    "max_slot_start",
    "max_slot_end",
    "slots_known",
    "slots_closed",
    "slots_in_conflict",
)
MONTH_COLUMNS: Final = ("day", *_TOTAL)
YEAR_COLUMNS: Final = ("month_first", "month_last", *_TOTAL, "greatest_of_12_months_kw")


def month_csv(view: MonthView) -> bytes:
    """The days of a month that have begun, one line each under a line of column names."""
    return _file(MONTH_COLUMNS, ((day.day.isoformat(), *_cells(day)) for day in view.total.days))


def year_csv(view: YearView) -> bytes:
    """The months of a year that have begun, one line each under a line of column names."""
    return _file(
        YEAR_COLUMNS,
        (
            (
                month.span.first.isoformat(),
                month.span.last.isoformat(),
                *_cells(month.total),
                _plain(month.rule.peak.demand_kw if month.rule.peak else None),
            )
            for month in view.months
            if month.total is not None
        ),
    )


def month_file_name(view: MonthView) -> str:
    """``koatsu_<meter>_<first day>_<last day>.csv``."""
    return _name(view.meter.id, view.span.first.isoformat(), view.span.last.isoformat())


def year_file_name(view: YearView) -> str:
    """``koatsu_<meter>_<first day>_<last day>.csv``."""
    return _name(view.meter.id, view.months[0].span.first.isoformat(), view.months[-1].span.last.isoformat())


def _cells(total: DayTotal | PeriodTotal) -> tuple[str, ...]:
    peak = total.peak
    return (
        _plain(total.energy_kwh),
        _instant(total.known_from),
        _instant(total.known_until),
        _plain(peak.demand_kw if peak else None),
        peak.slot.start_jst.isoformat() if peak else "",
        peak.slot.end_jst.isoformat() if peak else "",
        str(total.known),
        str(total.closed),
        str(total.disputed),
    )


def _file(columns: Sequence[str], lines: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(columns)
    rows.writerows(lines)
    return text.getvalue().encode("utf-8-sig")


def _name(*parts: str) -> str:
    return "_".join(["koatsu", *map(file_part, parts)]) + ".csv"


def _instant(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(JST).isoformat()


def _plain(value: Decimal | None) -> str:
    return "" if value is None else format(value, "f")
