"""Whatever is lost: no slot without a state, no energy invented, the outermost difference exact."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_site import Site, jst, plate

from koatsu.ems.store import Store
from koatsu.ems.views import SlotState, day_view
from koatsu.meter.quantity import exact_sum
from koatsu.meter.readings import Source
from koatsu.meter.slots import HALF_HOUR, Slot

DAY = date(2025, 6, 10)
ids = count()

steps = st.lists(st.integers(0, 400), min_size=48, max_size=48)
told = st.lists(st.sampled_from(["known", "known", "lost", "no data", "doubt"]), min_size=49, max_size=49)
minutes = st.integers(0, 26 * 60)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("views") / "koatsu.db"
    with Store.open(path) as store:
        yield store


@settings(max_examples=60)
@given(first=st.integers(0, 999_999), steps=steps, told=told, minute=minutes)
def test_every_slot_has_its_state_and_sums_are_exact(
    shared: Store, first: int, steps: list[int], told: list[str], minute: int
) -> None:
    now = jst(10) + timedelta(minutes=minute)
    truth = [first]
    for step in steps:
        truth.append(truth[-1] + step)
    site = Site(shared, meter_id=f"m{next(ids)}", ceiling_kw=100_000)
    site.begin(plate())
    heard = [
        (n, jst(10) + HALF_HOUR * n, what) for n, what in enumerate(told) if jst(10) + HALF_HOUR * n <= now
    ]
    values = {at: truth[number] % 10**6 for number, at, what in heard if what in ("known", "doubt")}
    site.counts(values)
    disputed = {at: (values[at] + 1) % 10**6 for _, at, what in heard if what == "doubt"}
    site.counts(disputed | {at: None for _, at, what in heard if what == "no data"}, source=Source.HISTORY)
    view = day_view(shared, site.id, DAY, now)

    assert sum(view.tally.values()) == 48
    known = [number for number, _, what in heard if what == "known"]
    for slot in view.slots:
        both = slot.slot.number - 1 in known and slot.slot.number in known
        assert (slot.energy_kwh is not None) == both
        assert (slot.state is SlotState.FUTURE) == (slot.slot.start > now and not both)
        assert (slot.state is SlotState.OPEN) <= (slot.slot.start <= now < slot.slot.end)
        if both:
            assert slot.energy_kwh == 6 * steps[slot.slot.number - 1]
    if len(known) < 2:
        assert view.energy_kwh is None
    else:
        exact = 6 * (truth[known[-1]] - truth[known[0]])
        parts = [slot.energy_kwh for slot in view.slots] + [hole.energy_kwh for hole in view.holes]
        assert view.energy_kwh == exact
        assert exact_sum(part for part in parts if part is not None) == exact
    unknown = {
        slot.slot
        for slot in view.slots
        if slot.energy_kwh is None
        and slot.state not in (SlotState.FUTURE, SlotState.OPEN)
        and slot.note != "awaited"
    }
    covered: list[Slot] = []
    for hole in view.holes:
        slot = hole.first
        while slot <= hole.last:
            covered.append(slot)
            slot = slot.next
    assert len(covered) == len(set(covered))
    assert unknown <= set(covered)
