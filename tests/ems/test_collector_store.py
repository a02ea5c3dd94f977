"""A store that takes nothing for a while: what is measured waits, is shown to wait, and is written then."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from long_bench import DAY, HOUR, MINUTE, START, LongBench, long_bench
from sqlalchemy import Connection
from virtual_time import run_virtually

from koatsu.clock import JST
from koatsu.ems.collector.backlog import FINE_KEPT, FINE_LIMIT, Backlog, Era
from koatsu.ems.collector.store_gate import PASSING
from koatsu.ems.live import RecoveryState
from koatsu.ems.store import Level, Store, StoreError, StoreErrorKind
from koatsu.meter import Nameplate, Reading, Register, Scale, Source


class ShakyStore(Store):
    """A real store that can be told to fail."""

    trouble: StoreErrorKind | None = None
    mute = False  # reading fails too

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        self._check()
        with super().writing() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        if self.mute:
            self._check()
        with super().reading() as connection:
            yield connection

    def _check(self) -> None:
        if self.trouble is not None:
            raise StoreError(self.trouble, "koatsu.db", "it says no")


def half_hours(bench: LongBench, since: datetime, until: datetime) -> dict[datetime, str | None]:
    """The source of each stored energy count of the span; ``None`` where the count is not the true one."""
    rows = bench.store.readings("main", Register.ENERGY, since, until)
    truth = bench.truth().registers["KOATSU-00001", "energy"]
    found: dict[datetime, str | None] = {}
    for row in rows:
        at = datetime.fromtimestamp(row.at, JST)
        found[at] = row.source if [row.count] == truth[at] else None
    return found


async def trouble(bench: LongBench, kind: StoreErrorKind, span: timedelta) -> None:
    store = bench.store
    assert isinstance(store, ShakyStore)
    store.trouble = kind
    await bench.sleep(span)
    store.trouble = None


@pytest.mark.parametrize("kind", sorted(PASSING))
@pytest.mark.parametrize("mute", [False, True])
def test_what_could_not_be_written_is_written_when_the_store_works(
    tmp_path: Path, kind: StoreErrorKind, mute: bool
) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1, open_store=ShakyStore.open) as bench:
            await bench.recovered()
            await bench.sleep(2 * HOUR)
            assert isinstance(bench.store, ShakyStore)
            bench.store.mute = mute
            begun = bench.clock.now()
            heard: list[Any] = []
            listener = bench.hub.listen()
            reading = asyncio.create_task(_note(listener, heard))
            await trouble(bench, kind, 3 * HOUR)
            error, since = bench.live.trouble, bench.live.trouble_since
            assert isinstance(error, StoreError)
            assert error.kind is kind
            assert since is not None
            assert begun <= since < begun + 31 * MINUTE
            assert {signal.kind for signal in heard} <= {"trouble", "link", "recovery", "epoch"}, heard
            assert "trouble" in {signal.kind for signal in heard}
            until = bench.clock.now()
            await bench.sleep(2 * MINUTE)
            assert bench.live.trouble is None
            assert bench.live.trouble_since is None
            found = half_hours(bench, begun, until)
            assert len(found) == 6
            assert set(found.values()) <= {Source.FIXED, Source.NOTIFIED}, "kept, and not read again"
            fine = bench.store.samples("main", Register.ENERGY, begun, until)
            assert len(fine) >= 5
            (told,) = [event for event in bench.store.events(limit=100) if event.code == "store_back"]
            assert told.meter_id is None
            assert told.level is Level.CAUTION
            seconds = told.params["seconds"]
            assert isinstance(seconds, int)
            assert 2.4 * 3600 < seconds < 3.1 * 3600
            assert told.params["en"] == error.message
            listener.close()
            await reading

    run_virtually(main)


async def _note(listener: Any, heard: list[Any]) -> None:
    while (signal := await listener.next()) is not None:
        heard.append(signal)


@pytest.mark.parametrize("kind", sorted(set(StoreErrorKind) - PASSING))
def test_a_store_that_will_not_work_again_ends_the_collector_with_its_sentence(
    tmp_path: Path, kind: StoreErrorKind
) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1, open_store=ShakyStore.open) as bench:
            await bench.recovered()
            await trouble(bench, kind, HOUR)
            (task,) = bench.tasks
            assert task.done()
            found = task.exception()
            assert isinstance(found, BaseExceptionGroup)
            (error,) = found.exceptions
            assert isinstance(error, StoreError)
            assert error.kind is kind
            bench.tasks.clear()

    run_virtually(main)


def test_a_database_that_another_program_holds(tmp_path: Path) -> None:
    """The real thing: a transaction that stays open for hours."""

    async def main() -> None:
        opened = lambda path: Store.open(path, busy_s=0.01)  # noqa: E731 - a store that does not wait long
        async with long_bench(tmp_path, days=1, horizon=1, open_store=opened) as bench:
            await bench.recovered()
            begun = bench.clock.now()
            other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            await bench.sleep(3 * HOUR)
            error = bench.live.trouble
            assert isinstance(error, StoreError)
            assert error.kind is StoreErrorKind.LOCKED
            other.execute("ROLLBACK")
            other.close()
            await bench.sleep(5 * MINUTE)
            assert bench.live.trouble is None
            found = half_hours(bench, begun, bench.clock.now())
            assert len(found) == 6
            assert set(found.values()) <= {Source.FIXED, Source.NOTIFIED}

    run_virtually(main)


def test_a_recovery_waits_for_the_store_and_loses_no_day(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(
            tmp_path, days=6, horizon=6, open_store=ShakyStore.open, delay_s=(1.0, 2.0)
        ) as bench:
            recovery = lambda: bench.live.of("main").recovery  # noqa: E731 - read again and again
            await bench.until(lambda: recovery().days_done >= 3)
            await trouble(bench, StoreErrorKind.FULL, HOUR)
            assert recovery().state is not RecoveryState.DONE
            assert recovery().days_done <= 4
            await bench.recovered(HOUR)
            found = half_hours(bench, START - 6 * DAY, bench.clock.now())
            assert len(found) >= 6 * 48
            assert None not in found.values()

    run_virtually(main)


def test_a_meter_replaced_while_nothing_could_be_written(tmp_path: Path) -> None:
    """What was measured of each meter is written into its own epoch."""

    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1, open_store=ShakyStore.open) as bench:
            await bench.recovered()
            assert isinstance(bench.store, ShakyStore)
            bench.store.trouble = StoreErrorKind.FULL
            await bench.sleep(2 * HOUR)
            bench.fault("replaced-meter=1200")
            await bench.sleep(2 * HOUR)
            assert len(bench.store.epochs("main")) == 1
            bench.store.trouble = None
            await bench.sleep(5 * MINUTE)
            first, second = bench.store.epochs("main")
            assert (first.nameplate.serial, second.nameplate.serial) == ("KOATSU-00001", "KOATSU-00002")
            truth = bench.truth().registers
            now = bench.clock.now()
            for epoch in (first, second):
                rows = bench.store.readings("main", Register.ENERGY, now - 4.2 * HOUR, now)
                mine = [row for row in rows if row.epoch == epoch.number and row.count is not None]
                assert len(mine) >= 3
                shown = truth[epoch.nameplate.serial or "", "energy"]
                assert all([row.count] == shown[datetime.fromtimestamp(row.at, JST)] for row in mine)
            assert "meter_replaced" in bench.codes()

    run_virtually(main)


def test_a_store_that_does_not_work_at_the_start(tmp_path: Path) -> None:
    async def main() -> None:
        async with long_bench(tmp_path, days=1, horizon=1, open_store=ShakyStore.open) as bench:
            assert isinstance(bench.store, ShakyStore)
            bench.store.trouble = StoreErrorKind.LOCKED
            await bench.sleep(HOUR)
            assert bench.live.trouble is not None
            assert bench.store.epochs("main") == ()
            bench.store.trouble = None
            await bench.recovered(HOUR)
            found = half_hours(bench, START - DAY, bench.clock.now())
            assert len(found) > 48
            assert None not in found.values()

    run_virtually(main)


# --- the queue ------------------------------------------------------------------------------------------

PLATE = Nameplate(
    class_code=0x028A, serial="A", energy_scale=Scale(1, Decimal(1), Decimal(1)), energy_digits=8
)


def reading(at: datetime, source: Source) -> Reading:
    return Reading(register=Register.ENERGY, instant=at, count=1, source=source, received=at)


def test_the_queue_drops_the_oldest_fine_samples_and_no_half_hour() -> None:
    backlog, era = Backlog(), Era(PLATE, START)
    for minute in range(3 * 24 * 60):
        at = START + (20 + minute) * MINUTE
        backlog.put(era, [reading(at, Source.LIVE)], [])
        if not minute % 30:
            backlog.put(era, [reading(at, Source.FIXED)], [])
    (batch,) = [next(backlog.batches())]
    assert batch.fine[-1].instant - batch.fine[0].instant == FINE_KEPT
    assert backlog.dropped == 24 * 60 - 1
    assert len(batch.readings) == 3 * 48
    backlog.put(era, [reading(START + 3 * DAY, Source.LIVE)] * (FINE_LIMIT + 5), [])
    assert len(batch.fine) == FINE_LIMIT
    backlog.done(batch)
    assert len(backlog) == 0
