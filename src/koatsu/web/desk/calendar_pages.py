"""The calendar: the works of a week, day by day, with their outages."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse

from koatsu.people import Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.week_words import days_of, monday_of

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["CalendarPages"]

_YEARS: Final = 10  #: how far from today a week may lie


class CalendarPages(DeskPages):
    """The works of one week."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/calendar", self.show, Right.DESK_READ)

    def show(self, request: Request) -> HTMLResponse:
        """The week of the day that the address names, this one where it names none."""
        actor, today = actor_of(request), self.desk.registers.today()
        offices = {one.code: one.name for one in self.desk.registers.offices(present=False)}
        asked = request.query_params.get("office", "")
        office = asked if asked in offices else ""
        first = monday_of(_day(request.query_params.get("week", ""), today))
        orders = self.desk.lists.calendar(actor, first, first + timedelta(days=6))
        shown = [pair for pair in orders if not office or pair[0].office == office]
        days = days_of(first, shown, offices, self.t, today=today, closed=self.desk.settings.closed_days)
        every = [("", self.t("desk_list.every_office"), not office)]
        choices = [*every, *((code, name, code == office) for code, name in offices.items())]
        values = {
            "days": days,
            "first": first,
            "last": first + timedelta(days=6),
            "whole": sum(len(day.lines) for day in days),
            "outages": sum(bool(line.outage) for day in days for line in day.lines),
            "week": first.isoformat(),
            "earlier": self._address(first - timedelta(days=7), office),
            "now": self._address(None, office) if first != monday_of(today) else "",
            "later": self._address(first + timedelta(days=7), office),
            "offices": choices if actor.office is None and len(offices) > 1 else [],
            "one_office": actor.office is not None or bool(office),
        }
        return self.frame.show(request, "desk/calendar.html", values, here="calendar")

    def _address(self, week: date | None, office: str) -> str:
        said = {"week": week.isoformat() if week else "", "office": office}
        words = urlencode({name: value for name, value in said.items() if value})
        return f"{self.t.prefix}/calendar" + (f"?{words}" if words else "")


def _day(text: str, today: date) -> date:
    """The day of an address; today where it is none, or one too far away for a calendar."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return today
    return day if abs(day.year - today.year) <= _YEARS else today
