"""Many collectors in one program: started one after the other, none takes the others along."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from program import fresh_address

from koatsu.app import collecting as at_work
from koatsu.app.serving import limits_of, open_ems
from koatsu.clock import JST, ManualClock, ScaledClock
from koatsu.config import Address, Config, MeterConfig, NodeConfig, SiteConfig, StoreConfig
from koatsu.ems.live import LinkState, LiveHub, LiveState
from koatsu.ems.store import Store, StoredMeter, StoreError, StoreErrorKind, StoreHeldError
from koatsu.emulator.run import EmulatorOptions, open_emulator
from koatsu.errors import KoatsuError, UnreachableError
from koatsu.node import Peer

NOW = datetime(2026, 7, 15, 13, 10, tzinfo=JST)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store that knows two meters."""
    with Store.open(tmp_path / "koatsu.db") as opened:
        for name in ("good", "bad"):
            opened.put_meter(StoredMeter(id=name, label=name, role="buy", class_code=0x028A, address="x"))
        yield opened


class Failing:
    """A collector that ends by what it is given, at once."""

    def __init__(self, error: BaseException | None, log: list[str]) -> None:
        self._error, self._log = error, log

    async def run(self) -> None:
        """Begin, and fail."""
        self._log.append("begun")
        if self._error is None:
            await asyncio.Event().wait()
        else:
            raise self._error


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a test."""
    monkeypatch.setattr(at_work, "_PAUSES_S", (0.01, 0.02, 60.0))


async def test_a_collector_that_fails_is_told_and_tried_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    live, hub, log = LiveState(), LiveHub(), []
    error = KoatsuError("It would not.", ja="できませんでした。")
    listener = hub.listen()

    async def make() -> Failing:
        return Failing(error if len(log) < 2 else None, log)

    task = asyncio.create_task(at_work.watch_over(make, "bad", store, live, hub, ManualClock(NOW)))
    try:
        async with asyncio.timeout(20):
            while len(log) < 3:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
    events = store.events(meter_id="bad")
    assert [event.code for event in events] == ["collector_failed"] * 2
    assert events[0].params == {"en": "It would not.", "ja": "できませんでした。"}
    assert live.of("bad").last_failed == NOW
    heard = {(await listener.next()).kind, (await listener.next()).kind}
    assert heard == {"link", "event"}
    assert {(record.levelno, record.getMessage()) for record in caplog.records} == {
        (logging.WARNING, "bad: collecting failed and is tried again: It would not.")
    }, "no fault of this program"


@pytest.mark.parametrize(
    "fault",
    [
        ZeroDivisionError("a fault of the program"),
        BaseExceptionGroup("x", [BaseExceptionGroup("y", [ZeroDivisionError("inside")])]),
        StoreError(StoreErrorKind.CORRUPT, "koatsu.db"),
    ],
    ids=["fault", "fault in a group", "damaged store"],
)
async def test_a_fault_of_the_program_or_its_store_ends_it(store: Store, fault: BaseException) -> None:
    async def make() -> Failing:
        return Failing(fault, [])

    with pytest.raises((ZeroDivisionError, StoreError)):
        await at_work.watch_over(make, "bad", store, LiveState(), LiveHub(), ManualClock(NOW))


async def test_a_failure_is_told_although_the_store_keeps_nothing(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    live, log = LiveState(), []
    store.close()

    async def make() -> Failing:
        return Failing(KoatsuError("no"), log)

    task = asyncio.create_task(at_work.watch_over(make, "bad", store, live, LiveHub(), ManualClock(NOW)))
    async with asyncio.timeout(20):
        while len(log) < 2:
            await asyncio.sleep(0.01)
    task.cancel()
    assert live.of("bad").last_failed == NOW
    assert "the event could not be kept" in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


async def test_a_store_that_another_has_taken_ends_the_program(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the server says in between is passing; that another program collects is not."""
    monkeypatch.setattr(at_work, "LOOK_EVERY_S", 0.01)
    said: list[Exception | None] = [
        None,
        StoreError(StoreErrorKind.CANNOT_OPEN, "a server"),
        None,
        StoreHeldError(StoreErrorKind.HELD, "a server", "koatsu 7"),
    ]

    def keep(_store: Store) -> None:
        if (error := said.pop(0)) is not None:
            raise error

    monkeypatch.setattr(Store, "keep_hold", keep)
    with pytest.raises(StoreHeldError, match="koatsu 7"):
        await at_work.keep_hold(store)
    assert not said


def config_of(folder: Path, own: str, meters: dict[str, str]) -> Config:
    """One site for each meter."""
    return Config(
        sites=tuple(SiteConfig(id=f"site-{name}", name=name) for name in meters),
        meters=tuple(
            MeterConfig(id=name, site=f"site-{name}", address=Address(*Peer.parse(host)), profile="fast")
            for name, host in meters.items()
        ),
        store=StoreConfig(path=str(folder / "koatsu.db")),
        node=NodeConfig(address=Address(own)),
    )


@asynccontextmanager
async def emulated(*addresses: str) -> AsyncIterator[None]:
    """A meter at each address."""
    async with AsyncExitStack() as stack:
        for number, address in enumerate(addresses):
            options = EmulatorOptions(listen=address, seed=number, history_days=0, start=NOW)
            await stack.enter_async_context(open_emulator(options))
        yield


async def test_sites_share_a_node_and_a_silent_one_keeps_nobody_from_collecting(tmp_path: Path) -> None:
    one, two, silent, own = (fresh_address() for _ in range(4))
    config = config_of(tmp_path, own, {"one": one, "silent": silent, "two": two})
    async with emulated(one, two), open_ems(config, ScaledClock(NOW)) as sites:
        async with asyncio.timeout(40):
            while {sites.live.of(name).last_received is None for name in ("one", "two")} != {False}:
                await asyncio.sleep(0.05)
        assert [head.id for head in sites.sites()] == ["site-one", "site-silent", "site-two"]
        links = {brief.head.id: brief.link for brief in sites.overview()}
        assert links["site-one"] == links["site-two"] == LinkState.LIVE
        assert links["site-silent"] is LinkState.WAITING
        assert sites.site("site-two").name == "two"
        assert sites.site().name == "one"
        with pytest.raises(KeyError):
            sites.site("nowhere")


async def test_collectors_start_one_after_the_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(at_work, "START_GAP_S", 0.2)
    started: dict[str, float] = {}
    seconds = asyncio.get_running_loop().time

    class Noting(Failing):
        def __init__(self, target: at_work.MeterTarget, *_: object, **__: object) -> None:
            super().__init__(None, [])
            started[target.id] = seconds()

    monkeypatch.setattr(at_work, "Collector", Noting)
    config = config_of(tmp_path, fresh_address(), {f"m{n}": fresh_address() for n in range(4)})
    begun = seconds()
    async with open_ems(config, ScaledClock(NOW)), asyncio.timeout(20):
        while len(started) < 4:
            await asyncio.sleep(0.01)
    assert list(started) == ["m0", "m1", "m2", "m3"]
    assert all(at - begun >= 0.2 * number for number, at in enumerate(started.values()))


async def test_a_program_that_starts_looks_at_its_store(tmp_path: Path) -> None:
    config = config_of(tmp_path, fresh_address(), {"one": fresh_address()})
    with Store.open(config.store.path) as before:
        before.put_meter(StoredMeter(id="one", label="", role="buy", class_code=0x028A, address="x"))
        with before.writing() as connection:  # figures that claim to know more than has happened
            connection.exec_driver_sql(
                "INSERT INTO day_total VALUES ('one', 'energy', '2026-07-01', 9, 9, 0, '{}', 0)"
            )
    async with open_ems(config, ScaledClock(NOW)) as sites, asyncio.timeout(40):
        while not [event for event in sites.store.events() if event.code == "store_found"]:
            await asyncio.sleep(0.02)


async def test_a_port_that_is_taken_is_told_and_nothing_stays_open(tmp_path: Path) -> None:
    taken = fresh_address()
    async with emulated(taken):
        config = config_of(tmp_path, taken, {"one": fresh_address()})
        with pytest.raises(UnreachableError):
            async with open_ems(config, ScaledClock(NOW)):
                pytest.fail("the port was free")


async def test_a_meter_without_a_way_to_it_keeps_nobody_from_collecting(tmp_path: Path) -> None:
    one, own = fresh_address(), fresh_address()
    config = config_of(tmp_path, own, {"far": "fe80::9%none0", "one": one})
    config = replace(config, node=NodeConfig())  # routes decide: there is none through that interface
    async with emulated(one), open_ems(config, ScaledClock(NOW)) as sites:
        async with asyncio.timeout(40):
            while not (sites.live.of("one").last_received and sites.store.events(meter_id="far")):
                await asyncio.sleep(0.05)
        [told, *_] = sites.store.events(meter_id="far")
    assert told.code == "collector_failed"
    assert "no way to fe80::9%none0" in str(told.params["en"])


def test_limits_are_those_of_the_meter_s_own_site(tmp_path: Path) -> None:
    config = config_of(tmp_path, "127.0.0.1", {"a": "127.0.0.2", "b": "127.0.0.3"})
    sites = (SiteConfig(id="site-a", name="a", target_kw=Decimal(300)), config.sites[1])
    limits = limits_of(
        Config(sites=sites, meters=config.meters, store=config.store, web=config.web, node=config.node)
    )
    assert (limits["a"].target_kw, limits["b"].target_kw) == (Decimal(300), None)
