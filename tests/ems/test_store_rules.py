"""Any order, any repetition: the same counts and the same conflicts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store_site import Site, jst, plate

from koatsu.ems.store import Store
from koatsu.meter.readings import DemandReading, Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot

START = jst(2)
LATER = jst(20)
SOURCES = [Source.FIXED, Source.NOTIFIED, Source.HISTORY]

Said = tuple[int, int | None, Source]  # (half hour, count or no data, source)

said = st.tuples(st.integers(0, 5), st.none() | st.integers(0, 3), st.sampled_from(SOURCES))
batches = st.lists(st.lists(said, max_size=6), max_size=6)
ids = count()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    path: Path = tmp_path_factory.mktemp("rules") / "koatsu.db"
    on_server = request.param == "postgresql"
    with Store.open(request.getfixturevalue("postgres").new_database() if on_server else path) as store:
        yield store


def state(store: Store, meter_id: str) -> dict[tuple[str, int], frozenset[int]]:
    """All values known of each key; the empty set is "no data"."""
    values: dict[tuple[str, int], set[int]] = defaultdict(set)
    for kind, rows in (
        ("reading", store.readings(meter_id, Register.ENERGY, START, LATER)),
        ("demand", store.demands(meter_id, "normal", START, LATER)),
    ):
        for row in rows:
            values[kind, row.at] |= set() if row.count is None else {row.count}
    for clash in store.conflicts(meter_id, START, LATER):
        key = (clash.kind, int(clash.instant.timestamp()))
        assert clash.kept in values[key]
        assert clash.other not in values[key]
        values[key].add(clash.other)
    return {key: frozenset(found) for key, found in values.items()}


def expected(batches: list[list[Said]]) -> dict[tuple[str, int], frozenset[int]]:
    values: dict[tuple[str, int], set[int]] = defaultdict(set)
    for step, number, _ in (entry for batch in batches for entry in batch):
        for kind in ("reading", "demand"):
            values[kind, int((START + HALF_HOUR * step).timestamp())] |= set() if number is None else {number}
    return {key: frozenset(found) for key, found in values.items()}


def record(store: Store, batches: list[list[Said]]) -> tuple[str, int, int]:
    """Write each batch; the meter's id, how many values were new and how many clashed."""
    site = Site(store, meter_id=f"m{next(ids)}")
    site.begin(plate())
    new = clashes = 0
    for batch in batches:
        readings, demands = [], []
        for step, number, source in batch:
            at = START + HALF_HOUR * step
            received = at + timedelta(hours=1)
            readings.append(
                Reading(register=Register.ENERGY, instant=at, count=number, source=source, received=received)
            )
            demands.append(
                DemandReading(
                    slot=Slot.starting(at), direction="normal", count=number, source=source, received=received
                )
            )
        found = store.record(site.id, 1, readings, demands)
        assert found.new + found.same + len(found.conflicts) == 2 * len(batch)
        new += found.new
        clashes += len(found.conflicts)
    return site.id, new, clashes


@settings(max_examples=60)
@given(data=st.data(), written=batches)
def test_order_and_repetition_do_not_matter(
    shared: Store, data: st.DataObject, written: list[list[Said]]
) -> None:
    flat = [entry for batch in written for entry in batch]
    shuffled = data.draw(st.permutations(flat + flat[: len(flat) // 2]))
    first, new, clashes = record(shared, written)
    second, *_ = record(shared, [shuffled[:3], shuffled[3:], shuffled[::2]])
    assert state(shared, first) == expected(written)
    assert state(shared, second) == state(shared, first)
    numbers = [len(values) for values in state(shared, first).values()]
    assert clashes == sum(number - 1 for number in numbers if number)
    assert new >= len(numbers)


@settings(max_examples=40)
@given(written=batches)
def test_writing_all_again_changes_nothing(shared: Store, written: list[list[Said]]) -> None:
    meter_id, *_ = record(shared, written)
    before = state(shared, meter_id)
    for batch in reversed(written):
        readings = [
            Reading(
                register=Register.ENERGY,
                instant=START + HALF_HOUR * step,
                count=number,
                source=source,
                received=LATER,
            )
            for step, number, source in batch
        ]
        found = shared.record(meter_id, 1, readings)
        assert (found.new, found.conflicts) == (0, ())
    assert state(shared, meter_id) == before
