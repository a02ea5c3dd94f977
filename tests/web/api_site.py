"""A site with data for the API's tests: a real store with two sites, holes, contradictions, and people."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from fastapi import FastAPI
from people_site import CHEAP, PASSWORD

from koatsu.app.reader import StoredSites
from koatsu.clock import JST, ManualClock
from koatsu.ems.exchange import DataDesk
from koatsu.ems.live import LiveHub, LiveState
from koatsu.ems.store import Event, Level, Store, StoredMeter
from koatsu.meter.epochs import Nameplate
from koatsu.meter.readings import DemandReading, Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.scale import Scale
from koatsu.meter.slots import HALF_HOUR, Slot
from koatsu.people import SITE_ROLES, People, Role
from koatsu.web import create_app

__all__ = ["HOME", "NOW", "ApiSite", "api_site"]

NOW = datetime(2026, 7, 15, 13, 17, 40, tzinfo=JST)
HOME = "http://127.0.0.1:8028"
FIRST = datetime(2026, 7, 13, tzinfo=JST)
SCALE = Scale(60, Decimal(1), Decimal("0.1"))  # one count is 6 kWh
PLATE = Nameplate(
    class_code=0x028F, serial="KH26-1", energy_scale=SCALE, energy_digits=6, demand_scale=SCALE,
    demand_digits=4, fixed_day=20,
)  # fmt: skip


@dataclass(frozen=True)
class ApiSite:
    """The application and what is behind it."""

    app: FastAPI
    store: Store
    sites: StoredSites
    people: People | None
    tokens: dict[Role, str]

    def bearer(self, role: Role = Role.OPERATOR) -> dict[str, str]:
        """The header of a program with that role."""
        return {"Authorization": f"Bearer {self.tokens[role]}"} if self.tokens else {}


@contextmanager
def api_site(folder: Path, *, owned: bool = True) -> Iterator[ApiSite]:
    """Three days of a buying meter that counts both directions, and a meter of another site without data."""
    clock, live, hub = ManualClock(NOW), LiveState(), LiveHub()
    with Store.open(folder / "koatsu.db") as store:
        _fill(store)
        live.started("main", NOW - timedelta(days=1), poll=timedelta(seconds=60))
        live.answered("main", NOW - timedelta(seconds=9), answer=timedelta(milliseconds=840))
        live.started("far", NOW - timedelta(seconds=9), poll=timedelta(seconds=60))
        sites = StoredSites(("east", "west"), store, live, hub, clock)
        people = People.open(folder / "koatsu.db", clock=clock, hashing=CHEAP) if owned else None
        tokens: dict[Role, str] = {}
        if people is not None:
            people.create_owner("持ち主", PASSWORD)
            owner = people.log_in("持ち主", PASSWORD, origin="127.0.0.1")[1]
            tokens = {
                role: people.make_token(owner, str(role), role, 30)[0]
                for role in SITE_ROLES
                if role is not Role.OWNER
            }
        app = create_app(sites, people=people, desk=DataDesk(store, clock), hands=sites.hands())
        try:
            yield ApiSite(app, store, sites, people, tokens)
        finally:
            sites.end_streams()
            if people is not None:
                people.close()


def _fill(store: Store) -> None:
    for site, name in (("east", "東工場"), ("west", "西工場")):
        store.put_site(site, name, at=FIRST)
    for meter, site in (("main", "east"), ("far", "west")):
        store.put_meter(
            StoredMeter(
                id=meter, label=f"計器 {meter}", role="buy", class_code=0x028F, address="127.0.0.2", site=site
            ),
            at=FIRST,
        )
    store.open_epoch("main", PLATE, FIRST)
    readings, demands = [], []
    for step in range(int((NOW - FIRST) / HALF_HOUR) + 1):
        at = FIRST + step * HALF_HOUR
        if step in (30, 31, 70):
            continue  # two holes
        readings.append(_reading(at, 1000 + 3 * step))
        readings.append(_reading(at, 500 + step // 4, Register.ENERGY_REVERSE))
    for step in range(int((NOW - FIRST) / HALF_HOUR)):
        slot = Slot.at(FIRST + step * HALF_HOUR)
        demands.append(
            DemandReading(slot=slot, direction="normal", count=6, source=Source.FIXED, received=slot.end)
        )
    readings.append(_reading(NOW - timedelta(seconds=9), 1000 + 3 * 122 + 1, source=Source.LIVE))
    store.record("main", 1, readings, demands)
    store.record("main", 1, [_reading(FIRST + 10 * HALF_HOUR, 1031), _reading(FIRST + 50 * HALF_HOUR, 1)])
    for code, level in (("silent", Level.CAUTION), ("back", Level.OK)):
        store.record_event(Event(at=NOW - timedelta(hours=1), level=level, code=code, meter_id="main"))


def _reading(
    at: datetime, count: int, register: Register = Register.ENERGY, source: Source = Source.FIXED
) -> Reading:
    return Reading(register=register, instant=at.astimezone(UTC), count=count, source=source, received=at)
