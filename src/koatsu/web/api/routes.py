"""The addresses of the API: each asks the site's reader, as the pages do, and answers in one shape.

Reading only what is stored; nothing here waits for a meter. What a caller may ask for is bounded, so that
no request holds the program up.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import AwareDatetime

from koatsu.clock import JST
from koatsu.ems.channels import Channel
from koatsu.ems.correcting import CorrectionDesk
from koatsu.ems.exchange import DataDesk
from koatsu.meter.registers import Register
from koatsu.people import Right
from koatsu.web.access import needs, while_admitted
from koatsu.web.answers import API, ApiError, Error
from koatsu.web.api.care import Bringing, Care, Hands
from koatsu.web.api.care_models import (
    Conflicts,
    Correction,
    Corrections,
    Exports,
    Files,
    SiteList,
    State,
)
from koatsu.web.api.channel import channel_of, heads, site_of
from koatsu.web.api.description import description_of
from koatsu.web.api.errors import SiteRoute
from koatsu.web.api.models import (
    Day,
    DayList,
    Fill,
    Happened,
    Happenings,
    Meter,
    MeterList,
    Now,
    Recoveries,
    Recovery,
    SlotRow,
    Slots,
)
from koatsu.web.api.period_models import Month, Year
from koatsu.web.api.periods import Periods
from koatsu.web.api.stream import STREAMED, EventStream, signals
from koatsu.web.site import SiteReader

__all__ = ["LONGEST", "api_router"]

LONGEST: Final = timedelta(days=31)  #: the longest run of slots in one answer
_VIEW: Final = needs(Right.VIEW)
_REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Error, "description": text}
    for status, text in {
        400: "not addressed to this server",
        401: "no valid token or session",
        403: "this login may not",
        404: "there is no such thing",
        422: "a parameter is not what it should be",
        503: "the store cannot be read at this moment",
    }.items()
}

_CONFLICTS: Final[dict[int | str, dict[str, Any]]] = {
    409: {"model": Error, "description": "what is there now does not allow it"}
}
_Site = Annotated[str | None, Query(description="of this site only", max_length=40)]


def api_router(
    reader: SiteReader, *, hands: CorrectionDesk | None = None, desk: DataDesk | None = None
) -> APIRouter:
    """All routes of ``/api/v1``, the description included.

    Args:
        reader: the sites as they can be read.
        hands: where counts are corrected; without it there are no such addresses.
        desk: where files come in; without it there are no such addresses.
    """
    router = APIRouter(prefix=API, responses=_REFUSALS, route_class=SiteRoute)

    def add(path: str, view: Callable[..., Any], model: type, right: Right = Right.VIEW, **more: Any) -> None:
        more = {"methods": ["GET"], "response_model": model, **more}
        router.add_api_route(path, view, dependencies=[needs(right)], **more)

    routes, care, periods = _Routes(reader), Care(reader), Periods(reader)
    add("/sites", care.sites, SiteList)
    add("/health", care.health, State)
    add("/meters", routes.meters, MeterList)
    add("/meters/{meter_id}/now", routes.now, Now)
    add("/meters/{meter_id}/slots", routes.slots, Slots)
    add("/meters/{meter_id}/days", routes.days, DayList)
    add("/meters/{meter_id}/days/{day}", routes.day, Day)
    add("/meters/{meter_id}/months/{month}", periods.month, Month)
    add("/meters/{meter_id}/billing-months/{month}", periods.billing_month, Month)
    add("/meters/{meter_id}/years", periods.recent, Year)
    add("/meters/{meter_id}/years/{year}", periods.year, Year)
    add("/recovery", routes.recovery, Recoveries)
    add("/events", routes.events, Happenings)
    router.add_api_route(
        "/events/stream",
        routes.stream,
        methods=["GET"],
        dependencies=[_VIEW],
        response_class=EventStream,
        responses={200: STREAMED},
    )
    if hands is not None:
        by_hand = Hands(reader, hands)
        post = {"methods": ["POST"], "responses": _CONFLICTS}
        add("/conflicts", by_hand.conflicts, Conflicts)
        add("/corrections", by_hand.corrections, Corrections)
        add("/corrections", by_hand.correct, Correction, Right.CORRECT, status_code=201, **post)
        add("/corrections/{number}/withdraw", by_hand.withdraw, Correction, Right.CORRECT, **post)
    if desk is not None:
        bringing = Bringing(reader, desk)
        add("/imports", bringing.imports, Files)
        add("/exports", bringing.exports, Exports)

    def description() -> JSONResponse:
        """The OpenAPI document of this API."""
        return JSONResponse(description_of(router))

    router.add_api_route(
        "/openapi.json", description, methods=["GET"], dependencies=[_VIEW], include_in_schema=False
    )
    return router


class _Routes:
    """The views of one site."""

    def __init__(self, reader: SiteReader) -> None:
        self._reader = reader

    def meters(self, site: _Site = None) -> MeterList:
        """The channels: each meter, and the reverse direction of those that count both."""
        found = heads(self._reader, site_of(self._reader, site))
        return MeterList(now=self._now(), meters=[Meter.of(head) for head in found])

    def now(self, meter_id: str) -> Now:
        """The open slot of a channel and what leads up to it."""
        return Now.of(self._reader.now(channel_of(self._reader, meter_id).id))

    def slots(
        self,
        meter_id: str,
        since: Annotated[
            AwareDatetime | None, Query(alias="from", description="first start; today 00:00")
        ] = None,
        until: Annotated[
            AwareDatetime | None, Query(alias="to", description="all starts before this; now")
        ] = None,
        register: Annotated[
            Literal["energy", "energy_reverse"] | None,
            Query(description="the direction, where the id does not say it"),
        ] = None,
    ) -> Slots:
        """The slots that start from ``from`` up to, and not at, ``to``; 31 days at most."""
        meter = channel_of(self._reader, meter_id, Register(register) if register else None)
        now = self._now()
        midnight = now.astimezone(JST).replace(hour=0, minute=0, second=0, microsecond=0)
        first, last = since or midnight, until or now
        if last < first:
            raise ApiError(422, "backwards")
        if last - first > LONGEST:
            raise ApiError(422, "too_long", days=LONGEST.days)
        day, end = _day(first), _day(last)
        rows: list[SlotRow] = []
        while day <= end:
            view = self._reader.day(meter.id, day)
            rows += [SlotRow.of(slot) for slot in view.slots if first <= slot.slot.start < last]
            day += timedelta(days=1)
        return Slots(meter=meter.id, now=now, slots=rows)

    def days(
        self,
        meter_id: str,
        since: Annotated[date | None, Query(alias="from", description="first day; the first on file")] = None,
        until: Annotated[date | None, Query(alias="to", description="last day; today")] = None,
    ) -> DayList:
        """The days of which something is on file, and how full each is."""
        meter = channel_of(self._reader, meter_id)
        own = Channel.parse(meter.id).meter_id
        site = next(site.id for site in self._reader.sites() if own in site.meter_ids)
        found = [
            Fill.of(day)
            for day in self._reader.site(site).days.get(meter.id, ())
            if (since is None or day.day >= since) and (until is None or day.day <= until)
        ]
        return DayList(meter=meter.id, now=self._now(), days=found)

    def day(self, meter_id: str, day: date) -> Day:
        """One JST day: its 48 slots, its holes, its exact energy."""
        meter = channel_of(self._reader, meter_id)
        if not date(2000, 1, 1) <= day <= _day(self._now()) + timedelta(days=366):
            raise ApiError(404, "no_day")
        return Day.of(self._reader.day(meter.id, day), self._now())

    def recovery(self, site: _Site = None) -> Recoveries:
        """How far the histories of each meter have been read back."""
        found = self._reader.recovery(site_of(self._reader, site))
        return Recoveries(now=self._now(), meters=[Recovery.of(view) for view in found])

    def events(self, limit: Annotated[int, Query(ge=1, le=1000)] = 100, site: _Site = None) -> Happenings:
        """What happened, newest first."""
        found = self._reader.events(limit, site_of(self._reader, site))
        return Happenings(now=self._now(), events=[Happened.of(one) for one in found])

    async def stream(
        self,
        request: Request,
        last_event_id: Annotated[
            str, Header(description="the number of the last entry that the caller has")
        ] = "",
    ) -> EventStream:
        """Signals as server-sent events, until the caller leaves."""
        last = last_event_id
        seen = int(last) if last.isascii() and last.isdigit() and len(last) < 19 else None
        told = while_admitted(request, Right.VIEW, signals(self._reader, seen))
        return EventStream(told, headers={"X-Accel-Buffering": "no"})

    def _now(self) -> datetime:
        return self._reader.clock_now()


def _day(at: datetime) -> date:
    return at.astimezone(JST).date()
