"""Listening to a detector over a real socket: what is heard is stored, whatever the other side does."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from pulse_site import Uneven, spec
from store_site import Site

from koatsu.clock import JST, ManualClock
from koatsu.ems.pulses import PulseRecorder
from koatsu.ems.store import Store
from koatsu.ems.store.pulse_rows import StoredPulses, stored_pulses
from koatsu.emulator.model import MeterModel
from koatsu.emulator.pulses import PulseOutput, PulseServer

TEN = datetime(2025, 6, 11, 10, tzinfo=JST).astimezone(UTC)
PATIENCE_S = 20.0


@pytest.fixture
def store(both: Store) -> Store:
    """In a file and on a server: what is shown must not depend on it."""
    return both


class Detector:
    """The other side: sends what a test says to whoever listens."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.server: asyncio.Server | None = None
        self.where = ""

    async def listen(self, path: Path | None = None, port: int = 0) -> None:
        if path is not None:
            self.server = await asyncio.start_unix_server(self._serve, path)
            self.where = str(path)
            return
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.where = f"127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    async def send(self, *lines: str) -> None:
        await until(lambda: bool(self.writers))
        for writer in self.writers:
            writer.write("".join(f"{line}\n" for line in lines).encode())
            await writer.drain()

    async def drop(self) -> None:
        """Close every connection."""
        for writer in self.writers:
            writer.close()
        self.writers.clear()
        await asyncio.sleep(0)

    async def close(self) -> None:
        await self.drop()
        if self.server is not None:
            self.server.close()
            await self.server.wait_closed()
            self.server = None


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens in its own time."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def recording(recorder: PulseRecorder) -> AsyncIterator[None]:
    task = asyncio.create_task(recorder.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def detector(path: Path | None = None) -> AsyncIterator[Detector]:
    made = Detector()
    await made.listen(path)
    try:
        yield made
    finally:
        await made.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(TEN - timedelta(minutes=3))


@pytest.fixture
def site(store: Store) -> Site:
    return Site(store)


def rows(store: Store) -> list[StoredPulses]:
    return stored_pulses(store, "main", TEN - timedelta(days=1), TEN + timedelta(days=1))


def energy(count: int) -> str:
    return f'{{"pulse": "energy", "count": {count}}}'


SLOT = '{"pulse": "slot"}'


async def heard(recorder: PulseRecorder, pulses: int) -> None:
    """Wait until so many pulses are counted in the open span."""
    await until(lambda: recorder._counter._pulses == pulses)


async def slot(source: Detector, clock: ManualClock, store: Store, at: datetime, *counts: int) -> None:
    """Send pulses and a slot pulse, which our clock sees at ``at``, and wait until they are stored."""
    before = rows(store)
    await source.send(*[energy(count) for count in counts])
    clock.set(at)
    await source.send(SLOT)
    await until(lambda: rows(store) != before)


@pytest.mark.parametrize("unix", [False, True])
async def test_slots_are_stored_as_they_close(
    store: Store, site: Site, clock: ManualClock, tmp_path: Path, unix: bool
) -> None:
    async with detector(tmp_path / "pulse" if unix else None) as source:
        recorder = PulseRecorder("main", source.where, store, clock)
        async with recording(recorder):
            await source.send('{"pulse": "constant", "per_kwh": "250/3"}', energy(1))
            await heard(recorder, 1)
            await slot(source, clock, store, TEN, 2)
            await slot(source, clock, store, TEN + timedelta(minutes=30), 10, 20)
            assert [(row.pulses, row.slot_pulses, row.per_kwh) for row in rows(store)] == [
                (3, 1, "250/3"),
                (30, 2, "250/3"),
            ]
            await source.send(energy(5))
            await heard(recorder, 5)
            clock.advance(timedelta(minutes=2))
        last = rows(store)[-1]
        assert (last.pulses, last.slot_pulses) == (5, 1)
        assert last.start == TEN + timedelta(minutes=30)


async def test_the_given_constant_counts(store: Store, site: Site, clock: ManualClock) -> None:
    async with detector() as source:
        given = PulseRecorder("main", source.where, store, clock, per_kwh=Fraction(100))
        async with recording(given):
            await source.send('{"pulse": "constant", "per_kwh": "250/3"}', energy(3))
            await heard(given, 3)
            await slot(source, clock, store, TEN)
        assert rows(store)[0].per_kwh == "100"


async def test_lines_that_nobody_understands_are_passed_over(
    store: Store, site: Site, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with detector() as source, recording(recorder := PulseRecorder("main", source.where, store, clock)):
        await source.send("", "hello", energy(1), '{"pulse": "energy", "count": -4}', '{"pulse": "dance"}')
        await heard(recorder, 1)
        await slot(source, clock, store, TEN, 2)
        assert rows(store)[0].pulses == 3
        told = [record for record in caplog.records if "not understood" in record.message]
        assert [record.levelname for record in told if record.levelname == "WARNING"] == ["WARNING"]


async def test_an_endless_line_is_a_broken_connection(store: Store, site: Site, clock: ManualClock) -> None:
    async with detector() as source, recording(recorder := PulseRecorder("main", source.where, store, clock)):
        await source.send(energy(7))
        await heard(recorder, 7)
        clock.advance(timedelta(seconds=5))
        first = source.writers[0]
        first.write(b"x" * 100_000)
        await until(lambda: bool(rows(store)))
        assert (rows(store)[0].pulses, rows(store)[0].slot_pulses) == (7, 0)


async def test_a_source_that_comes_and_goes(store: Store, site: Site, clock: ManualClock) -> None:
    """Nobody there; then there; then gone in the middle of a slot; then back on the same port."""
    source = Detector()
    await source.listen()
    port = int(source.where.rpartition(":")[2])
    await source.close()
    recorder = PulseRecorder("main", source.where, store, clock)
    async with recording(recorder):
        await until(lambda: bool(store.events(limit=5)))
        await source.listen(port=port)
        await source.send(energy(1))
        await heard(recorder, 1)
        await slot(source, clock, store, TEN, 2)
        await source.send(energy(4))
        await heard(recorder, 4)
        clock.advance(timedelta(minutes=10))
        await source.drop()
        await until(lambda: len(rows(store)) == 2)
        await until(lambda: bool(source.writers))
        await source.send(energy(6))
        await heard(recorder, 6)
        clock.set(TEN + timedelta(minutes=30))
        await source.send(SLOT)
        await until(lambda: rows(store)[-1].pulses == 10)
        await slot(source, clock, store, TEN + timedelta(minutes=60), 9)
    await source.close()
    assert [(row.pulses, row.slot_pulses) for row in rows(store)] == [(3, 1), (10, 1), (9, 2)]
    codes = [event.code for event in store.events(limit=10)]
    assert codes.count("pulses_silent") == codes.count("pulses_heard") == 2


async def test_what_the_store_refuses_waits(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    with Store.open(tmp_path / "koatsu.db", busy_s=0.01) as store:
        Site(store)
        async with (
            detector() as source,
            recording(recorder := PulseRecorder("main", source.where, store, clock)),
        ):
            with closing(sqlite3.connect(tmp_path / "koatsu.db", isolation_level=None)) as holder:
                holder.execute("BEGIN IMMEDIATE")
                await source.send(energy(3))
                await heard(recorder, 3)
                clock.set(TEN)
                await source.send(SLOT)
                await until(lambda: "1 pulse counts wait" in caplog.text)
                assert rows(store) == []
            await slot(source, clock, store, TEN + timedelta(minutes=30), 5)
            await until(lambda: len(rows(store)) == 2)
        assert [row.pulses for row in rows(store)] == [3, 5]


async def test_the_emulator_is_understood(store: Store, site: Site, clock: ManualClock) -> None:
    """The real pulse server of the emulator, an hour in steps of half a minute."""
    model = MeterModel(spec(), Uneven(3), clock.now())
    server = PulseServer(PulseOutput(model))
    where = await server.listen("127.0.0.1:0")
    try:
        recorder = PulseRecorder("main", where, store, clock)
        async with recording(recorder):
            await until(lambda: recorder._counter.listening and bool(server._writers))
            for _ in range(140):
                before = recorder._counter._pulses, len(rows(store))
                clock.advance(timedelta(seconds=30))
                server.tick(clock.now())  # the clock stands until the lines of this step have come
                await until(lambda known=before: (recorder._counter._pulses, len(rows(store))) != known)
            await until(lambda: len(rows(store)) == 3)
    finally:
        await server.close()
    first, *whole = rows(store)[:3]
    assert first.slot_pulses == 1
    assert [(row.slot_pulses, row.per_kwh) for row in whole] == [(2, "250/3"), (2, "250/3")]
    flowed = [sum(Uneven(3).power(minute)[0] for minute in minutes) / 60 for minutes in _minutes()]
    for row, energy_kwh in zip(whole, flowed, strict=True):
        assert abs(row.pulses * 3 / 250 - energy_kwh) < 0.05


def _minutes() -> list[range]:
    """The JST minutes since 1970 of the two slots from 10:00."""
    first = int((TEN + timedelta(hours=9)).timestamp()) // 60
    return [range(first, first + 30), range(first + 30, first + 60)]


async def test_without_slot_pulses_our_clock_cuts(store: Store, site: Site) -> None:
    class Quick(ManualClock):
        """Waits a twentieth of a second for a half hour."""

        def real_seconds_until(self, instant: datetime) -> float:
            return 0.0 if self.now() >= instant else 0.05

    clock = Quick(TEN - timedelta(minutes=3))
    async with detector() as source:
        alone = PulseRecorder("main", source.where, store, clock, slot_pulse=False)
        async with recording(alone):
            await source.send(energy(3))
            await heard(alone, 3)
            clock.set(TEN)
            await until(lambda: len(rows(store)) == 1)
            await source.send(energy(2), SLOT, energy(3))
            await heard(alone, 5)
            clock.set(TEN + timedelta(minutes=30))
            await until(lambda: len(rows(store)) == 2)
    assert [(row.pulses, row.slot_pulses) for row in rows(store)[:2]] == [(3, 0), (5, 0)]
    assert rows(store)[1].seen_from == TEN
