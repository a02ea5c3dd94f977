"""The collector against emulated meters, over the in-process network: it stores what the meter counted.

The judge is the emulator's truth file, raw integers written without ``koatsu.meter``.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from koatsu.clock import JST, ScaledClock
from koatsu.echonet import Eoj
from koatsu.ems.collector import Collector, MeterTarget
from koatsu.ems.live import LiveHub, LiveState, RecoveryState
from koatsu.ems.store import Store, StoredMeter
from koatsu.emulator.faults import parse_fault
from koatsu.emulator.plan import MeterPlan, SitePlan
from koatsu.emulator.site import EmulatedSite
from koatsu.emulator.spec import MeterSpec
from koatsu.meter import Register
from koatsu.node import Network, Node, Peer, load_profile

METER, OWN = "192.0.2.2", "192.0.2.1"
START = datetime(2026, 7, 15, 10, 10, tzinfo=JST)
QUICK = replace(load_profile("fast"), timer_one_s=0.15, timer_many_s=0.15, retries=6, poll_now_s=1)


@dataclass
class Bench:
    """A site with one meter, its collector at work, the store and the truth."""

    site: EmulatedSite
    store: Store
    live: LiveState
    hub: LiveHub
    network: Network
    clock: ScaledClock
    truth: Path

    async def until(self, test: Callable[[], object], seconds: float = 30) -> None:
        """Wait for signals until ``test`` holds."""
        async with asyncio.timeout(seconds), self.hub.listen() as listener:
            while not test():
                await listener.next(timedelta(seconds=0.2))

    async def recovered(self, seconds: float = 30) -> None:
        """Wait until the histories have been read."""
        await self.until(lambda: self.live.of("main").recovery.state is RecoveryState.DONE, seconds)

    def codes(self) -> list[str]:
        """The codes of the events, oldest first."""
        return [event.code for event in reversed(self.store.events(limit=1000))]

    def told(self, kind: str, **match: object) -> dict[datetime, int | None]:
        """Counts of the truth file by instant."""
        key = "instant" if kind == "register" else "slot_start"
        lines = [json.loads(line) for line in self.truth.read_text().splitlines()]
        return {
            datetime.fromisoformat(line[key]): line["count"]
            for line in lines
            if line["kind"] == kind and all(line[name] == value for name, value in match.items())
        }

    def kept(self, register: Register = Register.ENERGY) -> dict[datetime, int | None]:
        """Counts of the store by instant, of the present epoch."""
        epoch = self.store.current_epoch("main")
        assert epoch is not None
        since, until = START - timedelta(days=200), START + timedelta(days=2)
        return {
            datetime.fromtimestamp(one.at, JST): one.count
            for one in self.store.readings("main", register, since, until)
            if one.epoch == epoch.number
        }

    def demands(self) -> dict[datetime, int | None]:
        """The meter's own demands in the store, by the start of their slot."""
        since, until = START - timedelta(days=200), START + timedelta(days=2)
        return {
            datetime.fromtimestamp(one.at, JST): one.count
            for one in self.store.demands("main", "normal", since, until)
        }


@asynccontextmanager
async def bench(
    folder: Path,
    *,
    days: int = 5,
    code: int = 0x028A,
    start: datetime = START,
    speed: float = 1.0,
    profile: Any = QUICK,
    faults: tuple[str, ...] = (),
    horizon: int | None = None,
    spec: Any = None,
    unplugged: bool = False,
    notify_delay_s: float | None = 1.0,
    **chaos: Any,
) -> AsyncIterator[Bench]:
    network = Network(7, **chaos)
    clock = ScaledClock(start, speed)
    truth = folder / "truth.jsonl"
    plan = SitePlan(meters=(MeterPlan(spec=MeterSpec(class_code=code, history_days=days, **(spec or {}))),))
    site = EmulatedSite(
        plan, clock, [network.attach(METER)], profile=load_profile("fast"), truth=truth,
        start_faults=[parse_fault(text) for text in faults], notify_delay_s=notify_delay_s,
    )  # fmt: skip
    await site.start()
    site.run_beside()
    if unplugged:
        network.unplug(METER)
    store, live, hub = Store.open(folder / "store.db"), LiveState(), LiveHub()
    store.put_meter(StoredMeter(id="main", label="", role="buy", class_code=code, address=METER))
    target = MeterTarget(id="main", peer=Peer(METER), eoj=Eoj.of(code), profile=profile)
    async with Node(network.attach(OWN), profile) as node:
        collector = Collector(
            target, node, store, live, hub, clock, horizon_days=days if horizon is None else horizon
        )
        task = asyncio.create_task(collector.run())
        try:
            yield Bench(site, store, live, hub, network, clock, truth)
        finally:
            task.cancel()
            results = await asyncio.gather(task, return_exceptions=True)
            await site.close()
            store.close()
    assert isinstance(results[0], asyncio.CancelledError), results


def assert_true(some: Bench, since: datetime | None = None) -> None:
    """Every half hour of the truth is in the store, equal to the last count; nothing else is."""
    told = {at: n for at, n in some.told("register", register="energy").items() if at <= some.clock.now()}
    kept = {at: n for at, n in some.kept().items() if n is not None}
    if since is not None:
        told = {at: n for at, n in told.items() if at >= since}
        kept = {at: n for at, n in kept.items() if at >= since}
    assert told
    assert kept == {at: n for at, n in told.items() if n is not None}


@pytest.mark.parametrize("code", [0x028A, 0x028F, 0x0288, 0x028D])
async def test_every_class_is_recovered_to_the_last_count(tmp_path: Path, code: int) -> None:
    async with bench(tmp_path, code=code) as some:
        await some.recovered()
        assert_true(some)
        if code in (0x028A, 0x028F):
            told = some.told("demand", direction="normal")
            kept = {at: n for at, n in some.demands().items() if n is not None}
            assert kept == {at: n for at, n in told.items() if n is not None and at in kept}
            assert len(kept) >= 5 * 48 + 20 - 1  # the oldest day's first element is a slot of the day before
        assert "conflict" not in some.codes()


async def test_a_hundred_days_over_a_network_that_loses_doubles_and_corrupts(tmp_path: Path) -> None:
    async with bench(tmp_path, days=99, loss=0.05, duplicate=0.1, corrupt=0.05, delay_s=(0.0, 0.004)) as some:
        await some.recovered(120)
        assert_true(some)
        assert "conflict" not in some.codes()


@pytest.mark.parametrize(("first", "stamp"), [("00:30", "end"), ("00:00", "start"), ("00:30", "start")])
async def test_a_meter_that_counts_its_elements_otherwise_is_found_out(
    tmp_path: Path, first: str, stamp: str
) -> None:
    """Rule 7: the profile says 00:00 and end; the dated values prove otherwise and are believed."""
    spec = {"energy_history_first": first, "demand_history_stamp": stamp}
    async with bench(tmp_path, spec=spec) as some:
        await some.recovered()
        oldest = datetime(2026, 7, 10, 0, 30, tzinfo=JST)  # 00:00 lies in the day before, counted from 00:30
        assert_true(some, since=oldest if first == "00:30" else None)
        told = some.told("demand", direction="normal")
        kept = {at: n for at, n in some.demands().items() if n is not None}
        assert kept
        assert kept == {at: told[at] for at in kept}
        assert ("alignment" in some.codes()) == (first == "00:30")


async def test_a_wrong_day_is_never_taken(tmp_path: Path) -> None:
    async with bench(tmp_path, faults=("wrong-history-day",)) as some:
        await some.until(lambda: some.live.of("main").recovery.state is RecoveryState.PAUSED)
        assert "unsound_answer" in some.codes()
        history = {
            at: n for at, n in some.kept().items() if n is not None and at < START - timedelta(hours=1)
        }
        assert history == {}


async def test_days_that_the_meter_does_not_hold_are_not_called_recovered(tmp_path: Path) -> None:
    async with bench(tmp_path, days=4, horizon=30) as some:
        await some.recovered()
        (told,) = [event for event in some.store.events(limit=100) if event.code == "recovered"]
        assert told.params["days"] == 5  # four days and today
        shown = some.live.of("main").recovery
        assert (shown.horizon_days, shown.days_done, shown.days_total) == (4, 5, 5)
        assert_true(some)


async def test_a_restart_reads_only_what_is_open_and_still_knows_the_horizon(tmp_path: Path) -> None:
    async with bench(tmp_path, days=4) as first:
        await first.recovered()
    async with bench(tmp_path, days=4) as again:
        await again.recovered()
        shown = again.live.of("main").recovery
        assert (shown.horizon_days, shown.days_done) == (4, 5)
        assert again.codes().count("recovered") == 1, "nothing was recovered a second time"
        assert_true(again)


async def test_no_data_is_kept_as_no_data_and_the_rest_is_exact(tmp_path: Path) -> None:
    async with bench(tmp_path, faults=("no-data-holes=20",)) as some:
        await some.recovered()
        told, kept = some.told("register", register="energy"), some.kept()
        assert any(count is None for count in kept.values())
        assert all(count == told[at] for at, count in kept.items() if count is not None)
        assert set(told) - set(kept) == set()


async def test_silence_is_said_once_and_the_hole_is_refilled(tmp_path: Path) -> None:
    """The cable is out over two half hours of the meter; both are there in the end."""
    profile = replace(QUICK, poll_now_s=20)
    async with bench(tmp_path, days=1, speed=240, profile=profile) as some:
        await some.recovered()
        out_from = some.clock.now()
        some.network.unplug(METER)
        await some.until(
            lambda: "silent" in some.codes() and some.clock.now() > out_from + timedelta(minutes=75), 60
        )
        some.network.replug(METER)
        await some.until(lambda: "back" in some.codes())

        def filled() -> bool:
            told = some.told("register", register="energy")
            missed = [at for at in told if out_from <= at <= out_from + timedelta(minutes=70)]
            kept = some.kept()
            return bool(missed) and all(kept.get(at) == told[at] for at in missed)

        await some.until(filled, 60)
        assert some.codes().count("silent") == 1


async def test_a_replaced_meter_begins_a_new_epoch(tmp_path: Path) -> None:
    profile = replace(QUICK, poll_now_s=30)
    async with bench(tmp_path, days=1, speed=600, profile=profile) as some:
        await some.recovered()
        some.site.switches.turn(parse_fault("replaced-meter=1200"), on=True)
        await some.until(lambda: len(some.store.epochs("main")) == 2, 60)
        first, second = some.store.epochs("main")
        assert first.nameplate.serial != second.nameplate.serial
        assert second.nameplate.energy_scale.coefficient == 1200
        await some.until(lambda: "meter_replaced" in some.codes())


async def test_a_coefficient_of_zero_is_kept_unscaled_and_said(tmp_path: Path) -> None:
    async with bench(tmp_path, days=1, faults=("coefficient-zero",)) as some:
        await some.recovered()
        assert_true(some)
        assert "unscaled" in some.codes()
        epoch = some.store.current_epoch("main")
        assert epoch is not None
        assert epoch.nameplate.unscaled


async def test_a_wrong_meter_clock_is_said(tmp_path: Path) -> None:
    async with bench(tmp_path, days=1) as some:
        await some.recovered()
        some.site.switches.turn(parse_fault("clock-jump=300"), on=True)
        await some.until(lambda: "clock_drift" in some.codes())


async def test_a_history_read_across_midnight_is_dated_right(tmp_path: Path) -> None:
    """The meter's date changes while 30 days are read; a day number then means another day."""
    start = datetime(2026, 7, 15, 23, 59, 59, tzinfo=JST)
    async with bench(tmp_path, days=30, horizon=31, start=start, delay_s=(0.01, 0.02)) as some:
        await some.recovered(60)
        assert some.clock.now() > start + timedelta(seconds=1), "too quick to have crossed midnight"
        assert_true(some)
        assert "conflict" not in some.codes()


async def test_a_terminal_that_starts_late_is_read_as_soon_as_it_announces_itself(tmp_path: Path) -> None:
    profile = replace(QUICK, retries=0, start_wait_s=600)
    async with bench(tmp_path, days=1, profile=profile, unplugged=True) as some:
        await some.until(lambda: "silent" in some.codes())
        some.network.replug(METER)
        some.site.terminals[0].reboot(some.site.now(), 0.0)
        await some.recovered()
        assert_true(some)


async def test_impossible_dates_are_said_once_and_survived(tmp_path: Path) -> None:
    """30 February refuses every dated value; when the meter is right again, so is the store."""
    async with bench(tmp_path, days=2, faults=("impossible-date",)) as some:
        await some.until(lambda: "unsound_answer" in some.codes())
        await some.until(lambda: some.live.of("main").last_failed is not None)
        some.site.switches.turn(parse_fault("impossible-date"), on=False)
        await some.recovered()
        assert_true(some)
        some.site.switches.turn(parse_fault("impossible-date"), on=True)
        failed = some.live.of("main").last_failed
        await some.until(lambda: some.live.of("main").last_failed != failed)
        assert some.codes().count("unsound_answer") <= 4, "one for each property, not one for each poll"


async def test_a_meter_that_refuses_everything_ends_nothing(tmp_path: Path) -> None:
    async with bench(tmp_path, days=2) as some:
        await some.recovered()
        some.site.switches.turn(parse_fault("refuses"), on=True)
        failed = some.clock.now()
        await some.until(lambda: some.clock.now() > failed + timedelta(seconds=3))
        some.site.switches.turn(parse_fault("refuses"), on=False)
        before = some.live.of("main").last_received
        await some.until(lambda: some.live.of("main").last_received != before)
        assert_true(some)


@pytest.mark.parametrize("first", ["00:00", "00:30"])
async def test_the_alignment_is_told_just_after_midnight_too(tmp_path: Path, first: str) -> None:
    """Today's history is too short to tell; yesterday's ends where today begins."""
    start = datetime(2026, 7, 16, 0, 12, tzinfo=JST)
    async with bench(tmp_path, days=3, start=start, spec={"energy_history_first": first}) as some:
        await some.recovered()
        told = some.told("register", register="energy")
        kept = {at: n for at, n in some.kept().items() if n is not None}
        assert kept
        assert kept == {at: told[at] for at in kept}


async def test_an_announcement_of_something_else_does_not_spare_the_closed_slot(tmp_path: Path) -> None:
    start = datetime(2026, 7, 15, 10, 29, 50, tzinfo=JST)
    border = datetime(2026, 7, 15, 10, 30, tzinfo=JST)
    profile = replace(QUICK, poll_now_s=10)
    async with bench(tmp_path, days=1, start=start, speed=10, profile=profile, notify_delay_s=None) as some:
        await some.recovered()
        await some.until(lambda: some.clock.now() > border + timedelta(seconds=2))
        some.site.objects[0].announce("reactive_slot")
        await some.until(lambda: some.kept().get(border) is not None, 15)
        told = some.told("register", register="energy")
        assert some.kept()[border] == told[border]
