"""What several of these tests need: a site on the in-process network, and a controller that asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from koatsu.clock import JST, ManualClock
from koatsu.devices import Record, Value
from koatsu.emulator.faults import parse_fault
from koatsu.emulator.loads import ConstantLoad
from koatsu.emulator.plan import MeterPlan, SitePlan
from koatsu.emulator.site import EmulatedSite
from koatsu.emulator.spec import MeterSpec
from koatsu.node import Answer, Network, Node, Notification, Peer, load_profile

START = datetime(2026, 7, 15, 10, 10, tzinfo=JST)
METER, CONTROLLER = "192.0.2.2", "192.0.2.1"


def plain_spec(**changes: Any) -> MeterSpec:
    """0.6 kWh and 0.6 kW a count, counted from nought, one day of history."""
    values: dict[str, Any] = {"coefficient": 600, "initial_kwh": Decimal(0), "history_days": 1, **changes}
    return MeterSpec(**values)


class Scene(NamedTuple):
    """A site with one meter of 300 kW, its clock, and a controller."""

    site: EmulatedSite
    clock: ManualClock
    controller: Node
    heard: list[Notification]
    network: Network

    def pass_time(self, **step: float) -> None:
        """Let emulated time pass and everything happen that is due."""
        self.clock.advance(timedelta(**step))
        self.site.agenda.step()

    def fault(self, text: str, *, on: bool = True) -> None:
        """Switch a fault on or off."""
        self.site.agenda.step()
        self.site.switches.turn(parse_fault(text), on=on)

    async def ask(self, *names: str) -> Answer:
        """Get properties by name."""
        one = self.site.objects[0]
        return await self.controller.get(
            Peer(METER), one.eoj, [one.device.property(name).epc for name in names]
        )

    async def read(self, name: str) -> Value:
        """The decoded value of one property."""
        answer = await self.ask(name)
        (data,) = answer.values.values()
        return self.site.objects[0].device.property(name).decode(data)

    async def record(self, name: str) -> Record:
        """The same where it is a record."""
        value = await self.read(name)
        assert isinstance(value, Record)
        return value

    async def write(self, name: str, value: object) -> bool:
        """Set one property by name; whether it was taken."""
        one = self.site.objects[0]
        definition = one.device.property(name)
        answer = await self.controller.set(Peer(METER), one.eoj, [(definition.epc, definition.encode(value))])
        return answer.complete


@asynccontextmanager
async def scene(*, faults: tuple[str, ...] = (), quick: bool = True, **options: Any) -> AsyncIterator[Scene]:
    """One 300 kW meter on a terminal, 10:10 JST; spec changes in ``spec``, the rest is the site's."""
    network = Network(1)
    clock = ManualClock(options.pop("start", START))
    meters = options.pop("meters", None) or (MeterPlan(spec=plain_spec(**options.pop("spec", {}))),)

    class Plan(SitePlan):
        def load(self) -> ConstantLoad:
            return ConstantLoad(300, 90)

    site = EmulatedSite(
        Plan(meters=meters, events=options.pop("events", ())),
        clock,
        [network.attach(METER)],
        start_faults=[parse_fault(text) for text in faults],
        **options,
    )
    controller = Node(network.attach(CONTROLLER), _impatient() if quick else None)
    heard: list[Notification] = []
    controller.subscribe(heard.append)
    try:
        await site.start()
        await network.settled()
        yield Scene(site, clock, controller, heard, network)
    finally:
        await controller.close()
        await site.close()


def _impatient() -> Any:
    from dataclasses import replace

    return replace(load_profile("fast"), timer_one_s=0.05, timer_many_s=0.05, retries=0, spacing_s=0.0)
