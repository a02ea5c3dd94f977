from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from store_site import STARTED, Site, jst, plate

from koatsu.ems.store import Event, HistoryRead, Level, Recorded, Store, StoredMeter
from koatsu.meter.readings import Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.scale import Scale
from koatsu.meter.slots import HALF_HOUR, Slot

HOUR = timedelta(hours=1)


@pytest.fixture
def store(either: Store) -> Store:
    """What holds in a file holds on a server."""
    return either


def kept(store: Store) -> list[tuple[int, int | None, str]]:
    found = store.readings("main", Register.ENERGY, jst(1), jst(30))
    return [(row.at, row.count, row.source) for row in found]


def test_meters_are_added_and_brought_up_to_date(store: Store) -> None:
    first = StoredMeter(id="main", label="受電", role="buy", class_code=0x028A, address="127.0.0.2")
    store.put_meter(first, at=STARTED)
    store.put_meter(replace(first, id="solar", role="sell"), at=STARTED + HOUR)
    changed = replace(first, label="新", ceiling_kw=Decimal("12.5"))
    store.put_meter(changed, at=STARTED + 2 * HOUR)
    assert [meter.id for meter in store.meters()] == ["main", "solar"]
    assert store.meter("main") == changed
    with pytest.raises(KeyError):
        store.meter("none")


def test_a_nameplate_survives_and_decides_the_epoch(store: Store) -> None:
    site = Site(store)
    assert store.current_epoch("main") is None
    first = replace(
        plate(unit="0.0001"),
        reactive_scale=Scale(7, Decimal("1000"), Decimal("1E+3")),
        reactive_digits=8,
        cumulative_demand_scale=Scale(1, Decimal(1), Decimal(1)),
    )
    assert site.begin(first) == 1
    assert site.begin(first, STARTED + HOUR) == 1
    found = store.current_epoch("main")
    assert found is not None
    assert found.nameplate == first
    assert found.started_at == STARTED
    assert site.begin(replace(first, serial="B2"), STARTED + 2 * HOUR) == 2
    assert site.begin(replace(first, serial="B2", energy_digits=7), STARTED + 3 * HOUR) == 3
    assert [epoch.number for epoch in store.epochs("main")] == [1, 2, 3]
    assert store.epochs("main")[0].nameplate == first


def test_a_nameplate_that_only_says_more_stays_in_its_epoch(store: Store) -> None:
    site = Site(store)
    assert site.begin(plate(serial=None, demand=False)) == 1
    assert site.begin(plate(fixed_day=20)) == 1
    assert site.begin(plate(serial=None, demand=False, fixed_day=25)) == 1
    found = store.current_epoch("main")
    assert found is not None
    assert found.nameplate == plate(fixed_day=25)


def test_recording_is_idempotent(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    assert site.run(jst(2), [10, 11, 12]) == Recorded(new=3)
    assert site.run(jst(2), [10, 11, 12, 13], source=Source.HISTORY) == Recorded(new=1, same=3)
    assert [row[1] for row in kept(store)] == [10, 11, 12, 13]
    assert kept(store)[0][2] == Source.FIXED


def test_a_number_takes_the_place_of_no_data_and_never_the_other_way(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    assert site.run(jst(2), [10, None, 12]) == Recorded(new=3)
    assert site.run(jst(2), [None, None, None], source=Source.HISTORY) == Recorded(same=3)
    assert [row[1:] for row in kept(store)] == [(10, "fixed"), (None, "history"), (12, "fixed")]
    assert site.run(jst(2), [10, 11, 12], source=Source.HISTORY) == Recorded(new=1, same=2)
    assert [row[1:] for row in kept(store)] == [(10, "fixed"), (11, "history"), (12, "fixed")]
    assert store.conflicts("main", jst(1), jst(3)) == ()


def test_no_data_for_a_time_to_come_says_nothing(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    assert site.counts({jst(2, 10): 5, jst(2, 11): None}, received=jst(2, 10, 5)) == Recorded(new=1)
    assert site.demand(Slot(date(2025, 6, 2), 30), None, received=jst(2, 10)) == Recorded()
    assert len(kept(store)) == 1


def test_a_different_value_is_kept_beside_the_first_and_told_once(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    site.run(jst(2), [10, 11, 12])
    found = site.run(jst(2), [10, 99, 12], source=Source.HISTORY)
    assert (found.new, found.same) == (0, 2)
    (clash,) = found.conflicts
    assert (clash.kind, clash.name, clash.kept, clash.other) == ("reading", "energy", 11, 99)
    assert clash.instant == jst(2, 0, 30)
    assert site.run(jst(2), [10, 99, 12]) == Recorded(same=3)
    assert [row[1] for row in kept(store)] == [10, 11, 12]
    assert store.conflicts("main", jst(2), jst(3)) == (clash,)
    assert store.conflicts("main", jst(2), jst(3), kind="demand") == ()


def test_two_values_in_one_call_clash_too(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    slot = Slot(date(2025, 6, 2), 1)
    assert site.demand(slot, 7) == Recorded(new=1)
    found = site.demand(slot, 8)
    assert [(clash.kept, clash.other, clash.kind) for clash in found.conflicts] == [(7, 8, "demand")]
    readings = [
        Reading(register=Register.ENERGY, instant=jst(2), count=count, source=Source.FIXED, received=jst(2))
        for count in (1, 2, 1)
    ]
    found = store.record("main", 1, readings)
    assert (found.new, found.same, len(found.conflicts)) == (1, 1, 1)


def test_epochs_and_registers_do_not_touch_each_other(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    site.counts({jst(2): 10})
    assert site.counts({jst(2): 20}, register=Register.ENERGY_REVERSE) == Recorded(new=1)
    site.begin(plate(serial="B2"), jst(2))
    assert site.counts({jst(2): 30}) == Recorded(new=1)
    assert [(row.epoch, row.count) for row in store.readings("main", Register.ENERGY, jst(2), jst(2))] == [
        (1, 10),
        (2, 30),
    ]
    with pytest.raises(KeyError, match="no epoch 3"):
        store.record("main", 3)


def test_fine_counts_are_kept_apart_and_forgotten(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    assert site.polls({jst(2, 10, 0, 1): 5, jst(2, 10, 30): 6}) == Recorded(samples=2)
    unstamped = Reading(
        register=Register.ENERGY,
        instant=jst(2, 11),
        count=7,
        source=Source.NOTIFIED,
        received=jst(2, 11),
        stamped=False,
    )
    assert store.record("main", 1, [unstamped]) == Recorded(samples=1)
    assert kept(store) == []
    found = store.samples("main", Register.ENERGY, jst(2), jst(3))
    assert [sample.count for sample in found] == [5, 6, 7]
    latest = store.latest_sample("main", Register.ENERGY, jst(2, 10, 59))
    assert latest is not None
    assert latest.count == 6
    site.run(jst(2, 10), [1, 2])
    assert store.forget_samples(jst(2, 10, 30) + timedelta(days=7)) == 1
    assert len(store.samples("main", Register.ENERGY, jst(2), jst(3))) == 2
    assert len(kept(store)) == 2


def test_history_reads_count_up(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    read = HistoryRead(
        epoch=1,
        day=date(2025, 6, 1),
        property="energy_history",
        read_at=jst(2),
        elements=48,
        no_data=3,
    )
    store.record_history_read("main", read)
    store.record_history_read("main", replace(read, read_at=jst(3), no_data=1))
    store.record_history_read("main", replace(read, property="demand_history"))
    both = store.history_reads("main")
    assert both == (
        replace(read, property="demand_history"),
        replace(read, read_at=jst(3), no_data=1, reads=2),
    )
    assert store.history_reads("main", property_name="demand_history") == both[:1]
    assert store.history_reads("main", since=date(2025, 6, 2)) == ()
    whole = replace(read, no_data=0, read_at=jst(1, 23))
    assert not whole.final()
    assert replace(whole, read_at=jst(2)).final()
    assert not replace(read, reads=2).final()
    assert replace(read, reads=3).final()
    with pytest.raises(ValueError, match="49 of 48"):
        replace(read, no_data=49)


def test_reads_of_a_day_that_still_runs_do_not_count(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    for hour in (1, 5, 24, 25):
        store.record_history_read(
            "main",
            HistoryRead(
                epoch=1,
                day=date(2025, 6, 1),
                property="energy_history",
                read_at=jst(1) + hour * HOUR,
                elements=48,
                no_data=9,
            ),
        )
        (found,) = store.history_reads("main")
        assert found.reads == (2 if hour == 25 else 1)


def test_events_come_back_newest_first(store: Store) -> None:
    Site(store)
    first = store.record_event(Event(at=jst(2), level=Level.INFO, code="started"))
    second = store.record_event(
        Event(at=jst(3), level=Level.ALARM, code="silent", meter_id="main", params={"since": "10:00", "n": 3})
    )
    assert store.events() == (second, first)
    assert store.events(meter_id="main") == (second,)
    assert store.events(since=jst(2, 1)) == (second,)
    assert store.events(limit=1) == (second,)
    assert first.id is not None


def test_bounds_and_nearest_counts_pass_over_gaps_and_disputes(store: Store) -> None:
    site = Site(store)
    assert store.bounds("main") is None
    site.begin(plate())
    site.run(jst(2), [1, 2, None, 4, None])
    site.counts({jst(2, 0, 30): 99})
    assert store.bounds("main") == (jst(2), jst(2, 1, 30))
    (before,) = store.nearest_readings("main", Register.ENERGY, jst(2, 1), after=False)
    (after,) = store.nearest_readings("main", Register.ENERGY, jst(2, 1), after=True)
    assert (before.count, after.count) == (1, 4)


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "koatsu.db"
    with Store.open(path) as store:
        site = Site(store)
        site.begin(plate())
        site.run(jst(2), [1, 2, 3])
        assert store.where == str(path)
    with Store.open(f"sqlite:///{path}") as store:
        assert [row[1] for row in kept(store)] == [1, 2, 3]
        assert store.current_epoch("main") is not None
        assert Site(store).counts({jst(2, 1, 30): 4}) == Recorded(new=1)


def test_threads_may_write_at_the_same_time(store: Store) -> None:
    site = Site(store)
    site.begin(plate())

    def write(step: int) -> Recorded:
        return site.counts({jst(2) + HALF_HOUR * (step % 20): step % 20})

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(write, range(80)))
    assert sum(result.new for result in results) == 20
    assert not any(result.conflicts for result in results)


WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from store_site import Site, jst, plate
from koatsu.ems.store import Store
from koatsu.meter.slots import HALF_HOUR
site = Site(Store.open(sys.argv[1]))
site.begin(plate())
for step in range(1000000):
    site.counts({jst(1) + HALF_HOUR * step: step % 1000000})
    print(step, flush=True)
"""


def test_a_killed_program_loses_nothing_that_it_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    command = [sys.executable, "-c", WRITER, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = -1
        for line in process.stdout:
            acknowledged = int(line)
            if acknowledged == 60:
                os.kill(process.pid, signal.SIGKILL)
                break
        for line in process.stdout:  # what was acknowledged between the decision and the kill
            if line.endswith("\n"):
                acknowledged = int(line)
    with Store.open(path) as store:
        found = store.readings("main", Register.ENERGY, jst(1), datetime.max.replace(tzinfo=STARTED.tzinfo))
        assert [row.count for row in found[: acknowledged + 1]] == list(range(acknowledged + 1))
        assert len(found) <= acknowledged + 2
