"""The chores of every night: when, what, and that they take nothing else along."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from koatsu.app import daily
from koatsu.clock import JST, ManualClock, ScaledClock
from koatsu.ems.live import LiveHub, Signal
from koatsu.ems.store import Store, StoredMeter, StoreError, StoreErrorKind
from koatsu.ems.store.sites import put_info

NOON = datetime(2026, 7, 15, 12, 0, tzinfo=JST)
NIGHT = datetime(2026, 7, 16, 3, 40, tzinfo=JST)


def test_they_are_due_once_every_night() -> None:
    assert daily.next_chores(NOON) == NIGHT
    assert daily.next_chores(NIGHT - timedelta(seconds=1)) == NIGHT
    assert daily.next_chores(NIGHT) == NIGHT + timedelta(days=1)


@pytest.mark.parametrize(
    "error", [None, StoreError(StoreErrorKind.LOCKED, "x"), ZeroDivisionError("a fault")], ids=repr
)
async def test_they_go_on_the_next_night_whatever_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    nights: list[datetime] = []
    kept = Store.keep_house

    def keep(store: Store, now: datetime) -> object:
        nights.append(now)
        if error is not None and len(nights) == 1:
            raise error
        return kept(store, now)

    monkeypatch.setattr(Store, "keep_house", keep)
    clock = ScaledClock(NIGHT - timedelta(hours=2), speed=100_000)
    with Store.open(tmp_path / "koatsu.db") as store:
        chores = asyncio.create_task(daily.keep_daily(store, clock))
        async with asyncio.timeout(30):
            while len(nights) < 3:
                await asyncio.sleep(0.02)
        chores.cancel()
        await asyncio.gather(chores, return_exceptions=True)
    assert nights[0] >= NIGHT - timedelta(hours=2) + daily.SETTLING
    assert nights[1] >= NIGHT
    assert nights[2] >= NIGHT + timedelta(days=1)


async def test_the_store_is_looked_at_when_the_program_starts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock, hub = ManualClock(NOON), LiveHub()
    with Store.open(tmp_path / "koatsu.db") as store:
        store.put_meter(StoredMeter(id="main", label="", role="buy", class_code=0x028A, address="x"))
        heard = hub.listen()
        await daily.examine(store, hub, clock)
        assert not store.events(), "nothing to tell of"
        with store.writing() as connection:
            put_info(connection, "examined_at", "")
            connection.exec_driver_sql(
                "INSERT INTO day_total VALUES ('main', 'energy', '2026-07-01', 9, 9, 0, '{}', 0)"
            )
        await daily.examine(store, hub, clock)
        [told] = store.events()
        assert (told.code, told.at) == ("store_found", NOON)
        assert await heard.next() == Signal("event", None, NOON)
    await daily.examine(store, hub, clock)
    [record] = caplog.records
    assert (record.levelname, "has been closed" in record.getMessage()) == ("WARNING", True)


async def test_a_program_that_ends_does_not_wait_for_the_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, ended = threading.Event(), threading.Event()

    def look(_store: Store, _at: datetime, *, stop: Callable[[], bool]) -> tuple[()]:
        began.set()
        while not stop():
            ended.wait(0.01)
        ended.set()
        return ()

    monkeypatch.setattr(Store, "examine", look)
    with Store.open(tmp_path / "koatsu.db") as store:
        looking = asyncio.create_task(daily.examine(store, LiveHub(), ManualClock(NOON)))
        assert await asyncio.to_thread(began.wait, 20)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        assert await asyncio.to_thread(ended.wait, 20)


async def test_nothing_is_done_at_once(tmp_path: Path) -> None:
    """The histories come first."""
    with Store.open(tmp_path / "koatsu.db") as store:
        chores = asyncio.create_task(daily.keep_daily(store, ManualClock(NOON)))
        await asyncio.sleep(0.1)
        assert not chores.done()
        chores.cancel()
        await asyncio.gather(chores, return_exceptions=True)
