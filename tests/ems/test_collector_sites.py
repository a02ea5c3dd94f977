"""A hundred sites in one program, wired as `koatsu run` wires them: each is equal to its own meter's truth.

All histories are recovered at once over one node, into one store. Some cables are out meanwhile, a meter is
silent for hours, one is replaced; none of it costs another site anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from long_bench import DAY, HOUR, LONG, START, Truth
from virtual_time import LoopClock, run_virtually

from koatsu.app import collecting as wiring
from koatsu.clock import JST
from koatsu.config import Address, Config, MeterConfig, NodeConfig, SiteConfig
from koatsu.ems.live import LiveHub, LiveState, RecoveryState
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.store import Store, StoredMeter
from koatsu.ems.view_models import SlotState
from koatsu.emulator.fleet import Fleet
from koatsu.emulator.loads import StandingLoad
from koatsu.emulator.model import MeterModel
from koatsu.emulator.spec import MeterSpec
from koatsu.emulator.truth import TruthFile
from koatsu.meter import Register
from koatsu.node import Link, Network, Peer

SITES = 100
HISTORY = 1  # full days before today
OWN = "192.0.2.1"
PROFILE = replace(LONG, history_days_max=HISTORY)
MIDNIGHT = START.replace(hour=0, minute=0)


@dataclass
class Sites:
    """Many meters, the collectors of all of them, and what they know."""

    fleet: Fleet
    network: Network
    store: Store
    live: LiveState
    clock: LoopClock
    truth: TruthFile
    truth_file: Path

    def host(self, number: int) -> str:
        """Where the meter of a site is."""
        return self.fleet.peers[number].address

    def recovered(self, number: int) -> bool:
        """Whether every history of a site has been read."""
        return self.live.of(f"m{number}").recovery.state is RecoveryState.DONE

    async def until(self, test: Callable[[], bool], longest: timedelta = HOUR) -> timedelta:
        """Wait until it holds; how long that took."""
        begun = self.clock.now()
        while not test():
            assert self.clock.now() - begun < longest, "not in time"
            await asyncio.sleep(1)
        return self.clock.now() - begun

    def replace_meter(self, number: int) -> None:
        """Hang up another meter at a site."""
        one = self.fleet.objects[number]
        spec = replace(one.model.spec, serial=f"NEW-{number}", history_days=0, seed=7777)
        one.replace_model(MeterModel(spec, StandingLoad(7777, 100.0), self.clock.now(), epoch=2))
        self.truth.attach(one.model)


def config(fleet: Fleet) -> Config:
    """As many sites as there are meters, one each."""
    return Config(
        sites=tuple(SiteConfig(id=f"s{number}", name=f"site {number}") for number in range(SITES)),
        meters=tuple(
            MeterConfig(id=f"m{number}", site=f"s{number}", address=Address(peer.address))
            for number, peer in enumerate(fleet.peers)
        ),
        node=NodeConfig(address=Address(OWN)),
    )


@asynccontextmanager
async def sites_at_work(folder: Path, patch: pytest.MonkeyPatch) -> AsyncIterator[Sites]:
    """The collectors of all sites, started; every meter is on one in-process network."""
    network = Network(9, delay_s=(0.02, 0.3), loss=0.01)
    clock = LoopClock(START)
    fleet = Fleet(
        network.attach, clock, count=SITES, first="192.0.2.100", spec=MeterSpec(seed=31), history_days=HISTORY
    )
    path = folder / "truth.jsonl"
    truth = TruthFile(path)
    for one in fleet.objects:
        truth.attach(one.model)

    async def link(peer: Peer, source: str, interface: str) -> Link:
        return network.attach(source)

    patch.setattr(wiring, "open_link", link)
    live, hub, plan = LiveState(), LiveHub(), config(fleet)
    with Store.open(folder / "koatsu.db") as store:
        for site in plan.sites:
            store.put_site(site.id, site.name, at=clock.now())
        for meter in plan.meters:
            store.put_meter(
                StoredMeter(
                    id=meter.id, label="", role="buy", class_code=meter.class_number,
                    address=str(meter.address), site=meter.site,
                )
            )  # fmt: skip
        beat = asyncio.create_task(_beat(fleet))
        try:
            async with wiring.collecting(plan, store, live, hub, clock, lambda _: PROFILE, beside={}):
                yield Sites(fleet, network, store, live, clock, truth, path)
        finally:
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
            await fleet.close()
            truth.close()


async def _beat(fleet: Fleet) -> None:
    """Let every meter close its half hours, whether or not it is asked."""
    while True:
        for one in fleet.objects:
            one.model.advance_to(fleet.agenda.now())
        fleet.agenda.step()
        await asyncio.sleep(300)


def check(sites: Sites, number: int, truth: Truth, until: datetime, *, serials: list[str]) -> None:
    """A site knows every half hour of its own meters to the last count, and nothing else."""
    meter = f"m{number}"
    assert [epoch.nameplate.serial for epoch in sites.store.epochs(meter)] == serials
    rows = sites.store.readings(meter, Register.ENERGY, MIDNIGHT - 9 * DAY, until)
    for epoch, serial in enumerate(serials, start=1):
        told = truth.registers[serial, "energy"]
        kept = {datetime.fromtimestamp(row.at, JST): row.count for row in rows if row.epoch == epoch}
        assert all([count] == told[at] for at, count in kept.items() if count is not None), meter
    book = ledger(sites.store, meter, MIDNIGHT - HISTORY * DAY, until, sites.clock.now())
    unknown = [view for view in book.slots if view.state not in (SlotState.MEASURED, SlotState.RECOVERED)]
    assert len(unknown) == len(serials) - 1, f"{meter}: {unknown}"
    if len(serials) == 1:
        told = truth.registers[serials[0], "energy"]
        drawn = told[until][0] - told[MIDNIGHT - HISTORY * DAY][0]
        assert book.totals[0].counts == drawn, meter


def test_a_hundred_sites_in_one_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        chance = Random(31)
        numbers = range(SITES)
        silent, replaced, *cut = chance.sample(numbers, 32)
        async with sites_at_work(tmp_path, monkeypatch) as sites:
            sites.network.unplug(sites.host(silent))
            await sites.until(lambda: all(sites.recovered(n) for n in numbers if n != silent))
            for number in cut:
                sites.network.unplug(sites.host(number))
            await asyncio.sleep(40 * 60)
            sites.replace_meter(replaced)
            await asyncio.sleep(40 * 60)
            for number in (silent, *cut):
                sites.network.replug(sites.host(number))
            await asyncio.sleep(70 * 60)
            until = sites.clock.now().astimezone(JST).replace(minute=0, second=0, microsecond=0)
            truth = Truth.read(sites.truth_file)
            for number in numbers:
                serials = (
                    [f"KF{number:010d}", f"NEW-{number}"] if number == replaced else [f"KF{number:010d}"]
                )
                check(sites, number, truth, until, serials=serials)
            events = sites.store.events(limit=5000)
            assert not [event for event in events if event.code in ("conflict", "collector_failed")]
            fell_silent = {event.meter_id for event in events if event.code == "silent"}
            assert fell_silent == {f"m{number}" for number in (silent, *cut)}

    run_virtually(main)
