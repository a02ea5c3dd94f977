"""The days on file, laid out as months: one cell a day that says how much of it is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from koatsu.ems.view_models import DayFill, MeterHead, SiteView
from koatsu.web.notation import day_label
from koatsu.web.texts import Texts

__all__ = ["DayCell", "MeterCalendar", "Month", "meter_calendar"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCell:
    """One day: ``state`` is complete, part or none; ``share`` of its closed slots is known, per cent."""

    day: date
    state: str
    share: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Weeks from Monday to Sunday; ``None`` pads the edges and the days that nobody asked for."""

    title: str
    weeks: tuple[tuple[DayCell | None, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterCalendar:
    """The calendar of one meter, newest month first."""

    meter: MeterHead
    months: tuple[Month, ...]
    complete: int
    total: int
    first: date | None
    last: date | None


def meter_calendar(site: SiteView, meter: MeterHead, t: Texts) -> MeterCalendar:
    """Lay out the calendar that the site's view holds for ``meter``."""
    cells = {fill.day: _cell(fill, t) for fill in site.days.get(meter.id, ())}
    days = sorted(cells)
    starts = sorted({day.replace(day=1) for day in days}, reverse=True)
    return MeterCalendar(
        meter=meter,
        months=tuple(_month(start, cells, t) for start in starts),
        complete=sum(1 for cell in cells.values() if cell.state == "complete"),
        total=len(cells),
        first=days[0] if days else None,
        last=days[-1] if days else None,
    )


def _cell(fill: DayFill, t: Texts) -> DayCell:
    known, closed = fill.known, fill.closed
    state = "complete" if closed and known == closed else "part" if known else "none"
    text = t("days.cell", day=day_label(fill.day, t), have=known, closed=closed, state=t(f"days.{state}"))
    return DayCell(day=fill.day, state=state, share=known * 100 // closed if closed else 0, text=text)


def _month(start: date, cells: dict[date, DayCell], t: Texts) -> Month:
    end = (start + timedelta(days=32)).replace(day=1)
    monday = start - timedelta(days=start.weekday())
    weeks: list[tuple[DayCell | None, ...]] = []
    while monday < end:
        week = [monday + timedelta(days=offset) for offset in range(7)]
        row = tuple(cells.get(day) if start <= day < end else None for day in week)
        if any(row):
            weeks.append(row)
        monday += timedelta(days=7)
    name = t("day.months").split()[start.month - 1]
    return Month(title=t("day.month_title", y=start.year, m=name), weeks=tuple(weeks))
