"""A site made of read models alone: the pages are tested without a store and without a meter.

Every figure is built from integer counts, so that tables, charts and files can be checked against them.
"""

from __future__ import annotations

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import httpx
import uvicorn
from fastapi import FastAPI

from koatsu.clock import JST
from koatsu.ems.channels import Channel
from koatsu.ems.doubts import Doubt
from koatsu.ems.live import LinkState, Listener, LiveHub, RecoveryState, Signal, SignalKind
from koatsu.ems.site_models import SiteBrief, SiteHead
from koatsu.ems.store import Level
from koatsu.ems.view_models import (
    DayFill,
    DayView,
    EventView,
    GrowthPoint,
    HoleView,
    MeterHead,
    NowView,
    RecoveryView,
    SiteView,
    SlotState,
    SlotView,
)
from koatsu.ems.vitals import Health, Reason
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import Slot, slots_of_day
from koatsu.web import Limits

NOW = datetime(2026, 7, 15, 13, 17, 40, tzinfo=JST)
FACTOR = Decimal("1.2")
SOLD_FACTOR = Decimal("0.06")

BUY = MeterHead(
    id="buy", label="東工場 受電", role="buy", class_code=0x028A, serial="KH26-004711", address="127.0.0.2",
    link=LinkState.LIVE,
)  # fmt: skip
SELL = MeterHead(
    id="sell", label="東工場 屋根の太陽光", role="sell", class_code=0x028A, serial="KH26-004712",
    address="127.0.0.3", link=LinkState.LIVE,
)  # fmt: skip


def counts_of(slot: Slot, *, sold: bool = False) -> int:
    """A plausible load: quiet nights, shifts from 7 to 18, a dip at noon; sold energy follows the sun."""
    hour = (slot.number - 0.5) / 2
    wobble = (slot.day.toordinal() * 31 + slot.number * 17) % 7
    if sold:
        sun = max(0.0, math.sin((hour - 5.2) / 13.6 * math.pi)) if 5.2 < hour < 18.8 else 0.0
        return round(sun * 620 * (0.8 + wobble / 30))
    rise = 1 / (1 + math.exp(-(hour - 7.4) * 2.2))
    fall = 1 / (1 + math.exp((hour - 18.3) * 1.3))
    noon = 14 if 12 <= hour < 13 else 0
    weekend = 0.35 if slot.day.weekday() == 6 else 1
    return round(43 + (112 * rise * fall - noon) * weekend + wobble)


def day_view(
    meter: MeterHead,
    day: date,
    at: datetime = NOW,
    *,
    states: dict[int, SlotState] | None = None,
    unscaled: bool = False,
    holes: tuple[HoleView, ...] = (),
) -> DayView:
    """A day whose slots are measured unless ``states`` says otherwise; the slot of ``at`` is open."""
    states, present = states or {}, Slot.at(at)
    sold = meter.role == "sell"
    factor = None if unscaled else SOLD_FACTOR if sold else FACTOR
    counter = 8_000_000 + (day.toordinal() % 1000) * 3000
    views: list[SlotView] = []
    for slot in slots_of_day(day):
        counts = counts_of(slot, sold=sold)
        start, end = counter, counter + counts
        counter = end
        state = states.get(slot.number, SlotState.MEASURED)
        if slot > present:
            views.append(_slot(slot, SlotState.FUTURE))
            continue
        if slot == present:
            state, end = SlotState.OPEN, start + counts * (at.minute % 30) // 30
            counts = end - start
        if state in (SlotState.MISSING, SlotState.UNAVAILABLE):
            views.append(
                _slot(slot, state, start_count=start if states.get(slot.number - 1) is None else None)
            )
            continue
        energy = None if factor is None else counts * factor
        views.append(
            _slot(
                slot,
                state,
                start_count=start,
                end_count=end,
                counts=counts,
                factor=factor,
                energy_kwh=energy,
                demand_kw=None if energy is None else energy * 2,
                demand_from=None if energy is None else "energy" if state is SlotState.OPEN else "meter",
                source=Source.HISTORY if state is SlotState.RECOVERED else Source.FIXED,
                received=slot.end + timedelta(seconds=21),
            )
        )
    closed = [view for view in views if view.counts is not None and view.state is not SlotState.OPEN]
    known = [view for view in views if view.counts is not None]
    whole = sum((hole.energy_kwh for hole in holes if hole.energy_kwh is not None), Decimal(0))
    return DayView(
        meter=meter,
        day=day,
        register=Register.ENERGY,
        slots=tuple(views),
        holes=holes,
        energy_kwh=None
        if factor is None or not known
        else whole + sum((v.counts or 0) * factor for v in known),
        energy_since=known[0].slot.start if known else None,
        energy_until=min(at, known[-1].slot.end) if known else None,
        max_slot=max(closed, key=lambda view: view.demand_kw or 0) if closed and factor is not None else None,
        tally={state: sum(1 for view in views if view.state is state) for state in SlotState},
        unscaled=unscaled,
        resolution_kwh=factor,
    )


def _slot(slot: Slot, state: SlotState, **known: object) -> SlotView:
    return SlotView(slot=slot, state=state, **known)  # type: ignore[arg-type]  # built by name


def now_view(meter: MeterHead, at: datetime = NOW, *, today: DayView | None = None) -> NowView:
    """The open half hour of a meter that is heard every ten seconds."""
    slot = Slot.at(at)
    today = today or day_view(meter, slot.day, at)
    factor = today.resolution_kwh
    growth: list[GrowthPoint] = []
    energy = demand = line = None
    if factor is not None:
        rate = counts_of(slot, sold=meter.role == "sell") / 1800
        steps = int((at - slot.start).total_seconds() // 10)
        growth = [
            GrowthPoint(
                instant=slot.start + timedelta(seconds=10 * n), energy_kwh=int(rate * 10 * n) * factor
            )
            for n in range(steps + 1)
        ]
        energy = growth[-1].energy_kwh
        demand = energy * 2
        gone = Decimal(int((growth[-1].instant - slot.start).total_seconds()))
        line = demand * 1800 / gone if gone >= 60 else None
    return NowView(
        meter=meter,
        at=at,
        slot=slot,
        remaining_s=int((slot.end - at).total_seconds()),
        growth=tuple(growth),
        energy_kwh=energy,
        demand_kw=demand,
        straight_line_kw=line,
        power_kw=None if factor is None else Decimal(405) if meter.role == "buy" else Decimal("61.2"),
        power_error_kw=None if factor is None else Decimal("14.4") if meter.role == "buy" else Decimal("0.7"),
        resolution_kwh=factor,
        last_received=at - timedelta(seconds=2),
        answer_s=Decimal("0.84"),
        clock_offset_s=Decimal("0.4"),
        today=today,
        month_max_kw=None if factor is None else Decimal("398.4") if meter.role == "buy" else Decimal("70.8"),
        month_max_slot=None if factor is None else Slot(date(2026, 7, 14), 29),
        month_since=date(2026, 7, 1),
        today_kwh=today.energy_kwh,
        today_until=today.energy_until,
        unscaled=today.unscaled,
    )


GAP_DAY = date(2026, 7, 14)
GAP_STATES = {
    **dict.fromkeys(range(11, 15), SlotState.RECOVERED),
    **dict.fromkeys((15, 16, 17), SlotState.ESTIMATED),
    20: SlotState.CORRECTED,
    33: SlotState.CONFLICT,
    44: SlotState.MISSING,
    45: SlotState.MISSING,
    47: SlotState.UNAVAILABLE,
}
GAP_HOLE = HoleView(first=Slot(GAP_DAY, 44), last=Slot(GAP_DAY, 45), energy_kwh=Decimal("110.4"))
OPEN_HOLE = HoleView(first=Slot(GAP_DAY, 47), last=Slot(GAP_DAY, 47), energy_kwh=None)


class Browser:
    """Asks an application without a socket; follows no redirect."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    def get(self, path: str, *, headers: dict[str, str] | None = None) -> httpx.Response:
        """The answer to GET."""
        return self.request("GET", path, headers=headers)

    def request(self, method: str, path: str, *, headers: dict[str, str] | None = None) -> httpx.Response:
        """The answer to any method."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8028") as http:
                return await http.request(method, path, headers=headers)

        return asyncio.run(ask())


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are the test runner's."""
        yield


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application on a socket of 127.0.0.1, in this event loop; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, log_level="error", lifespan="off", ws="none", timeout_graceful_shutdown=1, server_header=False
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


class FixtureSite:
    """A :class:`koatsu.web.SiteReader` whose answers a test sets, and whose signals a test sends."""

    def __init__(self, *meters: MeterHead, at: datetime = NOW) -> None:
        self.at = at
        self.meters = meters or (BUY, SELL)
        self.views: dict[str, NowView] = {meter.id: now_view(meter, at) for meter in self.meters}
        self.days: dict[tuple[str, date], DayView] = {}
        self.recoveries: tuple[RecoveryView, ...] = tuple(recovery(meter.id) for meter in self.meters)
        self.log: list[EventView] = []
        self.failing = False
        self.reasons: tuple[Reason, ...] = ()
        self.doubtful: dict[str, tuple[Doubt, ...]] = {}
        self.autorun = False
        self.hub = LiveHub()

    def sites(self) -> tuple[SiteHead, ...]:
        return (SiteHead(id="site", name="青葉食品 東工場", meter_ids=tuple(one.id for one in self.meters)),)

    def overview(self) -> tuple[SiteBrief, ...]:
        return ()

    def site(self, site_id: str | None = None) -> SiteView:
        if self.failing:
            raise RuntimeError("the fixture was told to fail")
        meters = tuple(self.views[meter.id].meter for meter in self.meters)
        return SiteView(name="青葉食品 東工場", meters=meters, days=self._days())

    def now(self, meter_id: str) -> NowView:
        return self.views[meter_id]

    def day(self, meter_id: str, day: date) -> DayView:
        if (meter_id, day) in self.days:
            return self.days[meter_id, day]
        view = self.views[meter_id]
        if day == view.slot.day:
            return view.today
        return day_view(view.meter, day, self.at)

    def doubts(self, meter_id: str, since: datetime, until: datetime) -> Sequence[Doubt]:
        return self.doubtful.get(meter_id, ())

    def recovery(self, site_id: str | None = None) -> Sequence[RecoveryView]:
        return self.recoveries

    def events(self, limit: int, site_id: str | None = None) -> Sequence[EventView]:
        return self.log[:limit]

    def health(self) -> Health:
        links = {Channel.parse(meter.id).meter_id: self.views[meter.id].meter.link for meter in self.meters}
        return Health(at=self.at, reasons=self.reasons, links=links)

    def clock_now(self) -> datetime:
        return self.at

    def listen(self) -> Listener:
        if self.autorun:
            self._pulse = asyncio.get_running_loop().create_task(self._run())
        return self.hub.listen()

    def send(self, kind: SignalKind, meter_id: str | None = "buy") -> None:
        """Tell every page that listens."""
        self.hub.publish(Signal(kind, meter_id, self.at))

    def advance(self, seconds: float) -> None:
        """Let time pass for meters that are heard all the while."""
        self.at += timedelta(seconds=seconds)
        self.views = {key: now_view(view.meter, self.at) for key, view in self.views.items()}

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.advance(10)
            for meter in self.meters:
                self.send("sample", meter.id)

    def _days(self) -> dict[str, tuple[DayFill, ...]]:
        today = self.at.astimezone(JST).date()
        return {
            meter.id: tuple(self._fill(today - timedelta(days=back), back) for back in range(99, -1, -1))
            for meter in self.meters
        }

    def _fill(self, day: date, back: int) -> DayFill:
        closed = Slot.at(self.at).number - 1 if back == 0 else 48
        missing = 48 if back > 93 else 20 if back == 40 else 0
        return DayFill(day=day, known=closed - missing, closed=closed)


def event(
    number: int, ago: timedelta, code: str, level: Level = Level.CAUTION, **params: object
) -> EventView:
    """Something that happened at the buying meter, ``ago`` before the fixture's present."""
    return EventView(id=number, at=NOW - ago, meter_id="buy", level=level, code=code, params=params)


def recovery(
    meter_id: str,
    state: RecoveryState = RecoveryState.DONE,
    done: int = 100,
    *,
    day: date | None = None,
    eta_s: int | None = None,
    horizon: int | None = 99,
) -> RecoveryView:
    """The recovery of 100 days."""
    return RecoveryView(
        meter_id=meter_id,
        state=state,
        days_done=done,
        days_total=100,
        current_day=day,
        eta_s=eta_s,
        horizon_days=horizon,
    )


def scenario(name: str) -> tuple[FixtureSite, dict[str, Limits]]:
    """A site in one of the states that a page must be able to show."""
    site = FixtureSite()
    limits: dict[str, Limits] = {}
    if name == "limits":
        limits["buy"] = Limits(target_kw=Decimal(365), contract_kw=Decimal(418))
    elif name == "alarm":
        limits["buy"] = Limits(target_kw=Decimal(330), contract_kw=Decimal(345))
    elif name == "first":
        site = FixtureSite()
        site.meters, site.views, site.recoveries = (), {}, ()
    elif name == "waiting":
        waiting = replace(BUY, link=LinkState.WAITING)
        site = FixtureSite(waiting)
        empty = day_view(waiting, NOW.date(), states=dict.fromkeys(range(1, 49), SlotState.MISSING))
        slots = tuple(
            replace(slot, counts=None, start_count=None, end_count=None, energy_kwh=None, demand_kw=None)
            for slot in empty.slots
        )
        bare = replace(
            empty, slots=slots, energy_kwh=None, energy_since=None, energy_until=None, max_slot=None,
            resolution_kwh=None,
        )  # fmt: skip
        site.views["buy"] = replace(
            now_view(waiting, today=bare), last_received=None, answer_s=None, clock_offset_s=None,
            today_kwh=None, today_until=None, month_max_kw=None, month_max_slot=None,
        )  # fmt: skip
        site.recoveries = (
            recovery("buy", RecoveryState.RUNNING, 37, day=date(2026, 6, 8), eta_s=190, horizon=None),
        )
    elif name in ("stale", "silent"):
        head = replace(BUY, link=LinkState(name))
        last = NOW - timedelta(minutes=15, seconds=30)
        view = now_view(head, last)
        site.meters = (head, SELL)
        site.views["buy"] = replace(view, at=NOW, last_received=last, straight_line_kw=None)
    elif name == "unscaled":
        site = FixtureSite(BUY)
        site.views["buy"] = now_view(BUY, today=day_view(BUY, NOW.date(), unscaled=True))
    site.days["buy", GAP_DAY] = day_view(BUY, GAP_DAY, states=GAP_STATES, holes=(GAP_HOLE, OPEN_HOLE))
    if name in ("normal", "limits", "alarm"):
        today = day_view(BUY, NOW.date(), states=dict.fromkeys((10, 11, 12), SlotState.RECOVERED))
        site.views["buy"] = now_view(BUY, today=today)
        site.log = [
            event(3, timedelta(minutes=3), "recovered", Level.OK, days=100),
            event(2, timedelta(hours=7, minutes=19), "back", Level.OK),
            event(1, timedelta(hours=7, minutes=20), "silent"),
        ]
    return site, limits
