"""The addresses of the comparison of pulses: ``/pulse/main/2026-07-15`` and its file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from koatsu.ems.pulses import PulseDesk
from koatsu.web.frame import Frame
from koatsu.web.limits import Limits
from koatsu.web.notation import day_title
from koatsu.web.pulse_words import pulse_csv
from koatsu.web.screens.pulse import PulseScreen
from koatsu.web.site import SiteReader
from koatsu.web.site_pages import SitePages, query
from koatsu.web.trouble import TroubleError

__all__ = ["PulsePages"]


class PulsePages(SitePages):
    """The pages of pulses."""

    STREAM = "/pulses/stream"

    def __init__(
        self, reader: SiteReader, limits: Mapping[str, Limits], frame: Frame, desk: PulseDesk
    ) -> None:
        super().__init__(reader, limits, frame)
        self._desk = desk
        self.route(
            ("/pulse", self.newest),
            ("/pulse/{meter_id}", self.newest),
            ("/pulse/{meter_id}/{text}.csv", self.file),
            ("/pulse/{meter_id}/{text}", self.day),
            (self.STREAM, self.stream),
        )

    def newest(self, meter_id: str | None = None, site: str | None = None) -> Response:
        """Lead on to the newest day with pulses, of the first meter that has any where none is named."""
        heard = self._desk.meters()
        if meter_id is None:
            wanted = [meter.id for meter in self.reader_at(site).site().meters if meter.id in heard]
            wanted += [meter for head in self._reader.sites() for meter in head.meter_ids if meter in heard]
            if not wanted:
                raise self.home(404, self._t("pulse.none"))
            meter_id = wanted[0]
        day = self._desk.last_day(self._heard(meter_id)) or self.today()
        return RedirectResponse(f"{self._t.prefix}/pulse/{meter_id}/{day}", status_code=303)

    def day(self, request: Request, meter_id: str, text: str) -> HTMLResponse:
        """One day of the pulses of one meter."""
        screen = self._screen(meter_id, text)
        return self.show(request, screen, query("pulse", meter=meter_id, day=text))

    def file(self, meter_id: str, text: str) -> Response:
        """The same as CSV."""
        view = self._desk.day(self._heard(meter_id), self._day(text, meter_id))
        name = f"koatsu-pulses-{view.meter_id}-{view.day}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        content = pulse_csv(view).encode("utf-8-sig")
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)

    async def stream(
        self, request: Request, meter: str, day: str, screen: str = "pulse"
    ) -> StreamingResponse:
        """The live parts of a day."""
        if screen != "pulse":
            raise self.home(404, self._t("error.not_found"))
        return await self.live(request, lambda: self._screen(meter, day))

    def _screen(self, meter_id: str, text: str) -> PulseScreen:
        meter = self.meter(self._heard(meter_id))
        day = self._day(text, meter_id)
        return PulseScreen(self.reader_of(meter.id), self._desk, self._t, meter, day)

    def _heard(self, meter_id: str) -> str:
        """The meter, if it has pulses."""
        if meter_id in self._desk.meters():
            return self.meter(meter_id).id
        self.meter(meter_id)  # one sentence where there is no such meter, another where it has no detector
        raise self.home(404, self._t("pulse.none"))

    def _day(self, text: str, meter_id: str) -> date:
        t, url = self._t, f"{self._t.prefix}/pulse/{meter_id}"
        try:
            day = date.fromisoformat(text)
        except ValueError:
            day = None
        if day is None or text != day.isoformat():
            sentence = t("error.bad_date", text=text[:40])
            raise TroubleError(400, sentence, action=t("pulse.newest"), url=url)
        if day > self.today():
            sentence = t("error.future_day", day=day_title(day, t))
            raise TroubleError(404, sentence, action=t("pulse.newest"), url=url)
        return day
