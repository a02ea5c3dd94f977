"""What the pages of sites have in common: finding site and meter, showing a screen, its live parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from koatsu.clock import JST
from koatsu.ems.channels import Channel
from koatsu.ems.view_models import MeterHead
from koatsu.people import Right
from koatsu.web.access import add_page, while_admitted
from koatsu.web.frame import Frame
from koatsu.web.limits import Limits
from koatsu.web.naming import NamedSite
from koatsu.web.render import page
from koatsu.web.screens import Screen
from koatsu.web.site import SiteReader
from koatsu.web.stream import live_parts
from koatsu.web.trouble import TroubleError

__all__ = ["SitePages", "query"]


class SitePages:
    """A group of pages of one language over the sites; ``router`` holds their routes.

    Args:
        reader: the sites.
        limits: target and contract power by meter.
        frame: what stands around every page.
    """

    STREAM = "/events/stream"  #: where the live parts of this group come from

    def __init__(self, reader: SiteReader, limits: Mapping[str, Limits], frame: Frame) -> None:
        self._unnamed, self._reader = reader, NamedSite(reader, frame.t)
        self._t, self._limits, self._frame = frame.t, limits, frame
        self.router = APIRouter(prefix=frame.t.prefix, default_response_class=HTMLResponse)

    def route(self, *routes: tuple[str, Callable[..., Any]]) -> None:
        """Add pages that everybody may see who may see anything."""
        for path, view in routes:
            add_page(self.router, "GET", path, view, Right.VIEW)

    def show(self, request: Request, screen: Screen, query: str) -> HTMLResponse:
        """A page with its live parts; ``query`` says which screen of what."""
        values = screen.values(self._reader.clock_now()) | {"shape": screen.shape}
        stream = f"{self._t.prefix}{self.STREAM}?{query}"
        return HTMLResponse(page(screen, self._t, self._frame.values(request, stream=stream) | values))

    async def live(self, request: Request, find: Callable[[], Screen]) -> StreamingResponse:
        """The live parts of the screen that ``find`` makes, beside the event loop."""
        shown = await run_in_threadpool(find)
        extra = await run_in_threadpool(self._frame.values, request)
        parts = live_parts(shown, self._t, self._reader.listen(), self._reader.clock_now, extra=extra)
        headers = {"X-Accel-Buffering": "no"}
        admitted = while_admitted(request, Right.VIEW, parts)
        return StreamingResponse(admitted, media_type="text/event-stream", headers=headers)

    def present(self, kind: str, text: str, meter_id: str | None, site: str | None) -> Response:
        """Lead on to the present of a meter, the first of its site where none is named."""
        if meter_id is None and site is None and self.several():
            return RedirectResponse(f"{self._t.prefix}/sites", status_code=303)
        meters = self.reader_at(site).site().meters
        if meter_id is None and not meters:
            return RedirectResponse(f"{self._t.prefix}/", status_code=303)
        meter = meters[0] if meter_id is None else self.meter(meter_id)
        return RedirectResponse(f"{self._t.prefix}/{kind}/{meter.id}/{text}", status_code=303)

    def home(self, status: int, sentence: str) -> TroubleError:
        """A page that cannot be shown, with a way back to the present."""
        return TroubleError(status, sentence, action=self._t("error.home"), url=f"{self._t.prefix}/")

    def several(self) -> bool:
        """Whether there is more than one site."""
        return len(self._reader.sites()) > 1

    def reader_at(self, site_id: str | None) -> SiteReader:
        """The reader of one site; of the first one when none is named."""
        if site_id is not None and site_id not in (site.id for site in self._reader.sites()):
            raise self.home(404, self._t("sites.unknown_site", site=site_id[:40]))
        return NamedSite(self._unnamed, self._t, site_id)

    def reader_of(self, meter_id: str) -> SiteReader:
        """The reader of the site that a channel belongs to; of the first one where it belongs to none."""
        wanted = Channel.parse(meter_id).meter_id
        sites = (site.id for site in self._reader.sites() if wanted in site.meter_ids)
        return self.reader_at(next(sites, None))

    def meter(self, meter_id: str) -> MeterHead:
        """The channel of this id.

        Raises:
            TroubleError: there is none.
        """
        for meter in self.reader_of(meter_id).site().meters:
            if meter.id == meter_id:
                return meter
        raise self.home(404, self._t("error.no_meter", meter=meter_id[:40]))

    def today(self) -> date:
        """The present day by the clock of the sites."""
        now: datetime = self._reader.clock_now()
        return now.astimezone(JST).date()


def query(screen: str, **what: str | None) -> str:
    """The address of a page's stream: which screen of what."""
    return urlencode({"screen": screen} | {key: value for key, value in what.items() if value is not None})
