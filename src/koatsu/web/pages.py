"""The addresses of the pages: each reads one screen and renders it. English lives under ``/en``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from koatsu.clock import JST
from koatsu.ems.view_models import MeterHead
from koatsu.errors import KoatsuError
from koatsu.web.download import day_csv, day_file_name
from koatsu.web.limits import Limits
from koatsu.web.naming import NamedSite
from koatsu.web.notation import day_title
from koatsu.web.render import page, render
from koatsu.web.screens import DayScreen, DaysScreen, NowScreen, Screen
from koatsu.web.site import SiteReader
from koatsu.web.stream import live_parts
from koatsu.web.texts import Texts

__all__ = ["Pages", "TroubleError"]


class TroubleError(KoatsuError):
    """A page that cannot be shown: its status, one sentence in the language of the page, one action."""

    def __init__(self, status: int, sentence: str, *, action: str, url: str) -> None:
        super().__init__(sentence)
        self.status, self.action, self.url = status, action, url


class Pages:
    """The routes of one language over one site."""

    def __init__(self, reader: SiteReader, t: Texts, limits: Mapping[str, Limits], *, demo: bool) -> None:
        self._reader: SiteReader = NamedSite(reader, t)
        self._t, self._limits, self._demo = t, limits, demo
        self.router = APIRouter(prefix=t.prefix, default_response_class=HTMLResponse)
        routes: tuple[tuple[str, Callable[..., Any]], ...] = (
            ("/", self.now),
            ("/now/{meter_id}", self.now_of),
            ("/day", self.day_today),
            ("/day/{meter_id}", self.day_today),
            ("/day/{meter_id}/{text}.csv", self.day_file),
            ("/day/{meter_id}/{text}", self.day),
            ("/days", self.days),
            ("/events/stream", self.stream),
        )
        for path, view in routes:
            self.router.add_api_route(
                path, view, methods=["GET"], include_in_schema=False, response_model=None
            )

    def now(self, request: Request) -> HTMLResponse:
        """The open half hour of the first meter."""
        return self._show(request, NowScreen(self._reader, self._t, self._limits), "screen=now")

    def now_of(self, request: Request, meter_id: str) -> HTMLResponse:
        """The open half hour of the meter named."""
        meter = self._meter(meter_id)
        query = f"screen=now&meter={meter.id}"
        return self._show(request, NowScreen(self._reader, self._t, self._limits, meter.id), query)

    def day_today(self, meter_id: str | None = None) -> Response:
        """Lead on to the present day."""
        meters = self._reader.site().meters
        if meter_id is None and not meters:
            return RedirectResponse(f"{self._t.prefix}/", status_code=303)
        meter = meters[0] if meter_id is None else self._meter(meter_id)
        return RedirectResponse(f"{self._t.prefix}/day/{meter.id}/{self._today()}", status_code=303)

    def day(self, request: Request, meter_id: str, text: str) -> HTMLResponse:
        """One day of one meter."""
        meter, day = self._meter(meter_id), self._day(text, meter_id)
        query = f"screen=day&meter={meter.id}&day={day.isoformat()}"
        return self._show(request, DayScreen(self._reader, self._t, self._limits, meter, day), query)

    def day_file(self, meter_id: str, text: str) -> Response:
        """One day of one meter as CSV."""
        meter, day = self._meter(meter_id), self._day(text, meter_id)
        view = self._reader.day(meter.id, day)
        disposition = f'attachment; filename="{day_file_name(view)}"'
        headers = {"Content-Disposition": disposition}
        return Response(day_csv(view), media_type="text/csv; charset=utf-8", headers=headers)

    def days(self, request: Request) -> HTMLResponse:
        """The days on file."""
        return self._show(request, DaysScreen(self._reader, self._t), "screen=days")

    async def stream(
        self, request: Request, screen: str = "now", meter: str | None = None, day: str | None = None
    ) -> StreamingResponse:
        """The live parts of one page."""
        shown = await run_in_threadpool(self._screen_for, screen, meter, day)
        # A stream serves no address of its own, so the link to the other language is not part of it.
        extra = self._extra(request, "")
        parts = live_parts(shown, self._t, self._reader.listen(), self._reader.clock_now, extra=extra)
        headers = {"X-Accel-Buffering": "no"}
        return StreamingResponse(parts, media_type="text/event-stream", headers=headers)

    def _screen_for(self, name: str, meter_id: str | None, day: str | None) -> Screen:
        if name == "days":
            return DaysScreen(self._reader, self._t)
        meter = self._meter(meter_id) if meter_id is not None else None
        if name == "day" and meter is not None and day is not None:
            return DayScreen(self._reader, self._t, self._limits, meter, self._day(day, meter.id))
        if name == "now":
            return NowScreen(self._reader, self._t, self._limits, meter.id if meter else None)
        raise self._home(404, self._t("error.not_found"))

    def _show(self, request: Request, screen: Screen, query: str) -> HTMLResponse:
        values = screen.values(self._reader.clock_now()) | {"shape": screen.shape}
        stream = f"{self._t.prefix}/events/stream?{query}"
        return HTMLResponse(page(screen, self._t, values | self._extra(request, stream)))

    def _extra(self, request: Request, stream: str) -> dict[str, Any]:
        return {"demo": self._demo, "stream": stream, "elsewhere": self.elsewhere(request.url.path)}

    def elsewhere(self, path: str) -> str:
        """The address of ``path`` in the other language."""
        if self._t.prefix:
            return path.removeprefix(self._t.prefix) or "/"
        return f"/{self._t.other}{path}"

    def trouble(self, request: Request, trouble: TroubleError, *, site_name: str = "") -> HTMLResponse:
        """The page that says what went wrong and where to go."""
        values = {
            "site_name": site_name,
            "here": "",
            "lead": None,
            "at": None,
            "shape": "",
            "sentence": trouble.message,
            "action": trouble.action,
            "action_url": trouble.url,
        }
        text = render("error.html", self._t, values | self._extra(request, ""))
        return HTMLResponse(text, status_code=trouble.status)

    def _home(self, status: int, sentence: str) -> TroubleError:
        return TroubleError(status, sentence, action=self._t("error.home"), url=f"{self._t.prefix}/")

    def not_found(self) -> TroubleError:
        """An address that leads nowhere."""
        return self._home(404, self._t("error.not_found"))

    def failed(self) -> TroubleError:
        """A page that broke while it was made."""
        return self._home(500, self._t("error.failed"))

    def _meter(self, meter_id: str) -> MeterHead:
        for meter in self._reader.site().meters:
            if meter.id == meter_id:
                return meter
        raise self._home(404, self._t("error.no_meter", meter=meter_id[:40]))

    def _today(self) -> date:
        now: datetime = self._reader.clock_now()
        return now.astimezone(JST).date()

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
        if day > self._today():
            sentence = t("error.future_day", day=day_title(day, t))
            raise TroubleError(404, sentence, action=t("error.today"), url=url)
        return day
