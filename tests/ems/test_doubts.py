"""The list of what does not fit together: each kind, with both values, and what a person has settled."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from store_site import STARTED, jst, plate

from koatsu.ems.doubts import doubts
from koatsu.ems.store import Store, StoredMeter
from koatsu.meter import DemandReading, Reading, Register, Slot, Source
from koatsu.meter.conflicts import ConflictKind

HOUR, HALF = timedelta(hours=1), timedelta(minutes=30)
NOON = jst(10, 12)


@pytest.fixture
def store(both: Store) -> Store:
    """In a file and on a server: what is shown must not depend on it."""
    return both


@pytest.fixture
def site(store: Store) -> Store:
    """Six slots around noon, 100 counts each, with the demand that belongs to them."""
    store.put_meter(
        StoredMeter(id="main", label="", role="buy", class_code=0x028A, address="a", ceiling_kw=Decimal(5000))
    )
    store.open_epoch("main", plate(), STARTED)
    energy = store.epochs("main")[0].nameplate.energy_scale.factor
    demand = store.epochs("main")[0].nameplate.demand_scale
    assert energy is not None
    assert demand is not None
    assert demand.factor is not None
    per_slot = int(2 * 100 * energy / demand.factor)
    counts = [reading(NOON + number * HALF, 1000 + 100 * number) for number in range(-3, 4)]
    demands = [demand_at(NOON + number * HALF, per_slot) for number in range(-3, 3)]
    store.record("main", 1, counts, demands)
    return store


def reading(at: object, count: int, register: Register = Register.ENERGY) -> Reading:
    return Reading(register=register, instant=at, count=count, source=Source.FIXED, received=at)  # type: ignore[arg-type] # a datetime


def demand_at(at: object, count: int) -> DemandReading:
    slot = Slot.starting(at)  # type: ignore[arg-type] # a datetime
    return DemandReading(slot=slot, direction="normal", count=count, source=Source.FIXED, received=slot.end)


def found(store: Store) -> list[tuple[ConflictKind, object, tuple[object, ...]]]:
    listed = doubts(store, "main", NOON - 2 * HOUR, NOON + 2 * HOUR, NOON + 5 * HOUR)
    return [(one.kind, one.since, one.values) for one in listed]


def test_where_everything_fits_there_is_no_doubt(site: Store) -> None:
    assert found(site) == []


def test_two_values_for_one_instant_and_for_one_demand(site: Store) -> None:
    site.record("main", 1, [reading(NOON, 1001), reading(NOON, 1002)], [demand_at(NOON + HALF, 7)])
    kept = site.demands("main", "normal", NOON + HALF, NOON + HALF)[0].count
    assert found(site) == [
        (ConflictKind.TWO_VALUES, NOON, (1000, 1001, 1002)),
        (ConflictKind.TWO_VALUES, NOON + HALF, (kept, 7)),
    ]
    first, second = doubts(site, "main", NOON - HOUR, NOON + HOUR, NOON + 5 * HOUR)
    assert first.slot is None
    assert second.slot == Slot.starting(NOON + HALF)
    assert not first.settled


def test_a_person_who_has_decided_settles_an_instant(site: Store) -> None:
    site.record("main", 1, [reading(NOON, 1001)])
    site.correct(
        "main", Register.ENERGY, NOON, 1001, reason="read off", author="person:1", at=NOON + 3 * HOUR
    )
    first = doubts(site, "main", NOON - HOUR, NOON + HOUR, NOON + 5 * HOUR)[0]
    assert first.settled


def test_a_demand_that_is_not_twice_its_energy(site: Store) -> None:
    second = NOON + 2 * HOUR - HALF
    site.record("main", 1, [reading(second, 1300), reading(second + HALF, 1400)], [demand_at(second, 1)])
    (one,) = doubts(site, "main", NOON - 2 * HOUR, NOON + 2 * HOUR, NOON + 5 * HOUR)
    assert (one.kind, one.unit, one.slot) == (ConflictKind.DEMAND_MISMATCH, "kW", Slot.starting(second))
    said, computed = one.values
    assert computed > said * 2
    assert one.epoch == 1


def test_a_difference_that_nobody_can_have_drawn(site: Store) -> None:
    site.record("main", 1, [reading(NOON + 2 * HOUR, 900_000)])
    assert found(site) == [(ConflictKind.OVER_CEILING, NOON + 3 * HALF, (1300, 900_000))]


def test_registers_that_make_no_slots_have_doubts_too(site: Store) -> None:
    site.record("main", 1, [reading(NOON, 5, Register.REACTIVE_PF), reading(NOON, 6, Register.REACTIVE_PF)])
    site.record("main", 1, [reading(NOON, 6, Register.REACTIVE_PF)])
    (one,) = doubts(site, "main", NOON - HOUR, NOON + HOUR, NOON + 5 * HOUR)
    assert (one.register, one.values) == (Register.REACTIVE_PF, (5, 6))
