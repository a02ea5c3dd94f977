"""The addresses of the pages: each reads one screen and renders it. English lives under ``/en``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from koatsu.web.download import day_csv, day_file_name
from koatsu.web.frame import Frame
from koatsu.web.limits import Limits
from koatsu.web.notation import day_title
from koatsu.web.screens import DayScreen, DaysScreen, NowScreen, Screen, SitesScreen
from koatsu.web.site import SiteReader
from koatsu.web.site_pages import SitePages, query
from koatsu.web.trouble import TroubleError

__all__ = ["Pages", "TroubleError"]


class Pages(SitePages):
    """The routes of one language over one site."""

    def __init__(self, reader: SiteReader, limits: Mapping[str, Limits], frame: Frame) -> None:
        super().__init__(reader, limits, frame)
        self.route(
            ("/", self.now),
            ("/now/{meter_id}", self.now_of),
            ("/day", self.day_today),
            ("/day/{meter_id}", self.day_today),
            ("/day/{meter_id}/{text}.csv", self.day_file),
            ("/day/{meter_id}/{text}", self.day),
            ("/days", self.days),
            ("/sites", self.sites),
            ("/events/stream", self.stream),
        )

    def now(self, request: Request, site: str | None = None) -> Response:
        """The open half hour of a site's first meter; where there are several sites, one has to be named."""
        if site is None and self.several():
            return RedirectResponse(f"{self._t.prefix}/sites", status_code=303)
        screen = NowScreen(self.reader_at(site), self._t, self._limits)
        return self.show(request, screen, query("now", site=site))

    def now_of(self, request: Request, meter_id: str) -> HTMLResponse:
        """The open half hour of the meter named."""
        meter = self.meter(meter_id)
        screen = NowScreen(self.reader_of(meter.id), self._t, self._limits, meter.id)
        return self.show(request, screen, query("now", meter=meter.id))

    def sites(self, request: Request) -> HTMLResponse:
        """Every site in one line."""
        return self.show(request, SitesScreen(self._reader, self._t, self._limits), query("sites"))

    def day_today(self, meter_id: str | None = None, site: str | None = None) -> Response:
        """Lead on to the present day."""
        return self.present("day", str(self.today()), meter_id, site)

    def day(self, request: Request, meter_id: str, text: str) -> HTMLResponse:
        """One day of one meter."""
        meter, day = self.meter(meter_id), self._day(text, meter_id)
        screen = DayScreen(self.reader_of(meter.id), self._t, self._limits, meter, day)
        return self.show(request, screen, query("day", meter=meter.id, day=day.isoformat()))

    def day_file(self, meter_id: str, text: str) -> Response:
        """One day of one meter as CSV."""
        meter, day = self.meter(meter_id), self._day(text, meter_id)
        view = self._reader.day(meter.id, day)
        disposition = f'attachment; filename="{day_file_name(view)}"'
        headers = {"Content-Disposition": disposition}
        return Response(day_csv(view), media_type="text/csv; charset=utf-8", headers=headers)

    def days(self, request: Request, site: str | None = None) -> Response:
        """The days on file of a site."""
        if site is None and self.several():
            return RedirectResponse(f"{self._t.prefix}/sites", status_code=303)
        return self.show(request, DaysScreen(self.reader_at(site), self._t), query("days", site=site))

    async def stream(
        self,
        request: Request,
        screen: str = "now",
        meter: str | None = None,
        day: str | None = None,
        site: str | None = None,
    ) -> StreamingResponse:
        """The live parts of one page."""
        return await self.live(request, lambda: self._screen_for(screen, meter, day, site))

    def _screen_for(self, name: str, meter_id: str | None, day: str | None, site: str | None) -> Screen:
        if name == "sites":
            return SitesScreen(self._reader, self._t, self._limits)
        reader = self.reader_at(site) if meter_id is None else self.reader_of(meter_id)
        if name == "days":
            return DaysScreen(reader, self._t)
        meter = self.meter(meter_id) if meter_id is not None else None
        if name == "day" and meter is not None and day is not None:
            return DayScreen(reader, self._t, self._limits, meter, self._day(day, meter.id))
        if name == "now":
            return NowScreen(reader, self._t, self._limits, meter.id if meter else None)
        raise self.home(404, self._t("error.not_found"))

    def _day(self, text: str, meter_id: str) -> date:
        t = self._t
        url = f"{t.prefix}/day/{meter_id}"
        try:
            day = date.fromisoformat(text)
        except ValueError:
            sentence = t("error.bad_date", text=text[:40])
            raise TroubleError(400, sentence, action=t("error.today"), url=url) from None
        if text != day.isoformat():
            raise TroubleError(400, t("error.bad_date", text=text[:40]), action=t("error.today"), url=url)
        if day > self.today():
            sentence = t("error.future_day", day=day_title(day, t))
            raise TroubleError(404, sentence, action=t("error.today"), url=url)
        return day
