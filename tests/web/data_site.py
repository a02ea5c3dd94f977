"""A store with two months of counts, and the pages over it: for the tests of the page of data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from fastapi import FastAPI
from people_site import HandClock, people_in
from web_site import FixtureSite

from koatsu.clock import JST
from koatsu.ems.exchange import DataDesk
from koatsu.ems.store import Store, StoredMeter
from koatsu.meter import HALF_HOUR, Nameplate, Reading, Register, Scale, Slot, Source
from koatsu.people import People, Role
from koatsu.web import create_app

SINCE = datetime(2026, 6, 1, tzinfo=JST).astimezone(UTC)
DAYS = 44
FACTOR = Decimal("1.2")  # one count of the meter, kWh
METERS = (("buy", "東工場 受電", "buy"), ("sell", "東工場 屋根の太陽光", "sell"))


def counts_of(slot: Slot) -> int:
    """The counts of a slot: 1.2 kWh each."""
    return 40 + (slot.day.toordinal() * 7 + slot.number * 5) % 60


def energy_of(slot: Slot) -> Decimal:
    """What the meter says of a slot, in kWh."""
    return counts_of(slot) * FACTOR


def fill(store: Store) -> None:
    """Two meters with counts from 1 June to 14 July 2026."""
    scale = Scale(120, Decimal(1), Decimal("0.01"))
    plate = Nameplate(class_code=0x028A, serial="KH26", energy_scale=scale, energy_digits=8)
    for meter_id, label, role in METERS:
        store.put_meter(
            StoredMeter(id=meter_id, label=label, role=role, class_code=0x028A, address="127.0.0.2"), at=SINCE
        )
        store.open_epoch(meter_id, plate, SINCE)
        count, instant, readings = 5_000_000, SINCE, []
        for _ in range(DAYS * 48 + 1):
            readings.append(
                Reading(
                    register=Register.ENERGY, instant=instant, count=count, source=Source.FIXED,
                    received=instant + timedelta(seconds=20),
                )
            )  # fmt: skip
            count += counts_of(Slot.at(instant))
            instant += HALF_HOUR
        store.record(meter_id, 1, readings)


def wide_csv(first: date, days: int, *, wrong: dict[Slot, str] | None = None) -> str:
    """A retailer's file, one row a day, that says what the meter says but for ``wrong``."""
    wrong = wrong or {}
    rows = ["供給地点特定番号,年月日," + ",".join(f"{n // 2}:{n % 2 * 30:02}" for n in range(48))]
    for day in (first + timedelta(days=n) for n in range(days)):
        slots = [Slot(day, number) for number in range(1, 49)]
        cells = [wrong.get(slot, f"{energy_of(slot):f}") for slot in slots]
        rows.append(f"0712345678901234567890,{day:%Y/%m/%d}," + ",".join(cells))
    return "\r\n".join(rows) + "\r\n"


@contextmanager
def data_app(folder: Path, *roles: Role) -> Iterator[tuple[FastAPI, DataDesk, People]]:
    """The pages with the page of data, over a real store."""
    clock = HandClock()
    with Store.open(folder / "site.db") as store, people_in(folder, clock, *roles) as people:
        fill(store)
        desk = DataDesk(store, clock)
        yield create_app(FixtureSite(), people=people, desk=desk), desk, people
