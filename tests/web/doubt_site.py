"""A store whose meter contradicts itself, and the pages over it: for the tests of values in doubt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from people_site import HandClock, people_in

from koatsu.app.reader import StoredSites
from koatsu.clock import JST
from koatsu.ems.exchange import DataDesk
from koatsu.ems.live import LiveHub, LiveState
from koatsu.ems.store import Store, StoredMeter
from koatsu.meter import HALF_HOUR, Nameplate, Reading, Register, Scale, Slot, Source
from koatsu.people import People, Role
from koatsu.web import create_app

SINCE: Final = datetime(2026, 7, 13, tzinfo=JST).astimezone(UTC)
DOUBTFUL: Final = Slot(SINCE.astimezone(JST).date(), 33)  #: two counts for its start, 16:00
LEAP: Final = Slot(SINCE.astimezone(JST).date(), 41)  #: the count at its end leaps, and falls back after it
KEPT: Final = 5_003_200
OTHER: Final = 5_003_260


def fill(store: Store) -> None:
    """One meter, two days of 100 counts a slot: a second count at 16:00, a leap at 20:30."""
    plate = Nameplate(
        class_code=0x028A,
        serial="KH26",
        energy_scale=Scale(120, Decimal(1), Decimal("0.01")),
        energy_digits=8,
    )
    store.put_site("site", "青葉食品 東工場", at=SINCE)
    store.put_meter(
        StoredMeter(
            id="buy", label="東工場 受電", role="buy", class_code=0x028A, address="127.0.0.2",
            ceiling_kw=Decimal(1000),
        ),
        at=SINCE,
    )  # fmt: skip
    store.open_epoch("buy", plate, SINCE)

    def reading(at: datetime, count: int, source: Source = Source.FIXED) -> Reading:
        received = at + timedelta(seconds=20)
        return Reading(register=Register.ENERGY, instant=at, count=count, source=source, received=received)

    instants = [SINCE + HALF_HOUR * n for n in range(100)]
    counts = {at: 5_000_000 + 100 * n for n, at in enumerate(instants)}
    counts[LEAP.end] += 700_000
    assert counts[DOUBTFUL.start] == KEPT
    store.record("buy", 1, [reading(at, count) for at, count in counts.items()])
    store.record("buy", 1, [reading(DOUBTFUL.start, OTHER, Source.HISTORY)])


@contextmanager
def doubt_app(folder: Path, *roles: Role) -> Iterator[tuple[FastAPI, Store, People]]:
    """The pages over that store."""
    clock = HandClock()
    with Store.open(folder / "site.db") as store, people_in(folder, clock, *roles) as people:
        fill(store)
        sites = StoredSites(["site"], store, LiveState(), LiveHub(), clock)
        yield (
            create_app(sites, people=people, desk=DataDesk(store, clock), hands=sites.hands()),
            store,
            people,
        )
