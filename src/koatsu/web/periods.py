"""The addresses of months and years: ``/month/main/2026-07``, ``/year/main/2026`` and their files.

A year is named by its first month: ``2026`` begins in January, ``2026-04`` in April, ``latest`` ends with the
present month. ``?months=billing`` cuts months at the meter's fixed day, ``?months=calendar`` at the first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response, StreamingResponse

from koatsu.web.frame import Frame
from koatsu.web.limits import Limits
from koatsu.web.period_files import month_csv, month_file_name, year_csv, year_file_name
from koatsu.web.screens import Screen
from koatsu.web.screens.month import MonthScreen
from koatsu.web.screens.year import YearScreen
from koatsu.web.site import SiteReader
from koatsu.web.site_pages import SitePages, query
from koatsu.web.trouble import TroubleError

__all__ = ["PeriodPages"]

_MONTH: Final = re.compile(r"(2\d{3})-(0[1-9]|1[0-2])", re.ASCII)
_YEAR: Final = re.compile(r"(2\d{3})(?:-(0[1-9]|1[0-2]))?", re.ASCII)
_LATEST: Final = "latest"
#: for each kind of page: the sentence on an address that means nothing, and what leads to the present
_WORDS: Final = {
    "month": ("periods.bad_month", "periods.this_month"),
    "year": ("periods.bad_year", "periods.latest"),
}
_CSV: Final = "text/csv; charset=utf-8"


class PeriodPages(SitePages):
    """The pages of months and years."""

    STREAM = "/periods/stream"

    def __init__(self, reader: SiteReader, limits: Mapping[str, Limits], frame: Frame) -> None:
        super().__init__(reader, limits, frame)
        self.route(
            ("/month", self.month_now),
            ("/month/{meter_id}", self.month_now),
            ("/month/{meter_id}/{text}.csv", self.month_file),
            ("/month/{meter_id}/{text}", self.month),
            ("/year", self.year_now),
            ("/year/{meter_id}", self.year_now),
            ("/year/{meter_id}/{text}.csv", self.year_file),
            ("/year/{meter_id}/{text}", self.year),
            (self.STREAM, self.stream),
        )

    def month_now(self, meter_id: str | None = None, site: str | None = None) -> Response:
        """Lead on to the present month."""
        return self.present("month", f"{self.today():%Y-%m}", meter_id, site)

    def year_now(self, meter_id: str | None = None, site: str | None = None) -> Response:
        """Lead on to the twelve months that end now."""
        return self.present("year", _LATEST, meter_id, site)

    def month(self, request: Request, meter_id: str, text: str, months: str = "") -> HTMLResponse:
        """One month of one meter."""
        what = query("month", meter=meter_id, text=text, months=months)
        return self.show(request, self._month(meter_id, text, months), what)

    def year(self, request: Request, meter_id: str, text: str, months: str = "") -> HTMLResponse:
        """Twelve months of one meter."""
        what = query("year", meter=meter_id, text=text, months=months)
        return self.show(request, self._year(meter_id, text, months), what)

    def month_file(self, meter_id: str, text: str, months: str = "") -> Response:
        """The days of a month as CSV."""
        meter, first = self.meter(meter_id), self._first(_MONTH, text, meter_id, "month")
        view = self._reader.month(meter.id, first, billing=_billing(months) or False)
        self._begun(view.span.first, text, meter_id, "month")
        return _download(month_csv(view), month_file_name(view))

    def year_file(self, meter_id: str, text: str, months: str = "") -> Response:
        """The months of a year as CSV."""
        meter, first = self.meter(meter_id), self._start(text, meter_id)
        view = self._reader.year(meter.id, first, billing=_billing(months))
        return _download(year_csv(view), year_file_name(view))

    async def stream(
        self, request: Request, screen: str, meter: str, text: str, months: str = ""
    ) -> StreamingResponse:
        """The live parts of a month or a year."""
        make = {"month": self._month, "year": self._year}.get(screen)
        if make is None:
            raise self.home(404, self._t("error.not_found"))
        return await self.live(request, lambda: make(meter, text, months))

    def _month(self, meter_id: str, text: str, months: str) -> Screen:
        meter, first = self.meter(meter_id), self._first(_MONTH, text, meter_id, "month")
        screen = MonthScreen(
            self.reader_of(meter.id), self._t, self._limits, meter, first, billing=_billing(months) or False
        )
        self._begun(screen.first, text, meter_id, "month")
        return screen

    def _year(self, meter_id: str, text: str, months: str) -> Screen:
        meter, first = self.meter(meter_id), self._start(text, meter_id)
        return YearScreen(
            self.reader_of(meter.id), self._t, self._limits, meter, first, billing=_billing(months)
        )

    def _start(self, text: str, meter_id: str) -> date | None:
        return None if text == _LATEST else self._first(_YEAR, text, meter_id, "year")

    def _first(self, form: re.Pattern[str], text: str, meter_id: str, kind: str) -> date:
        """The first day of the month that ``text`` names; one sentence when it is none, or has not begun."""
        found = form.fullmatch(text)
        if found is None:
            raise self._trouble(400, self._t(_WORDS[kind][0], text=text[:40]), meter_id, kind)
        first = date(int(found[1]), int(found[2] or 1), 1)
        self._begun(first, text, meter_id, kind)
        return first

    def _begun(self, first: date, text: str, meter_id: str, kind: str) -> None:
        if first > self.today():
            raise self._trouble(404, self._t("periods.future", period=text), meter_id, kind)

    def _trouble(self, status: int, sentence: str, meter_id: str, kind: str) -> TroubleError:
        url = f"{self._t.prefix}/{kind}/{meter_id}"
        return TroubleError(status, sentence, action=self._t(_WORDS[kind][1]), url=url)


def _billing(months: str) -> bool | None:
    return {"billing": True, "calendar": False}.get(months)


def _download(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=_CSV, headers=headers)
