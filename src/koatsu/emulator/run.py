"""Running an emulated site on real sockets: what ``koatsu meter`` and the demo call.

Options in, sockets, files and services up, time running; everything is closed again when the task is
cancelled. Parsing of a command line is not done here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from koatsu.clock import Clock, ScaledClock
from koatsu.emulator.faults import FaultOrder, parse_fault
from koatsu.emulator.plan import MeterPlan, SitePlan
from koatsu.emulator.scenarios import load_scenario
from koatsu.emulator.site import EmulatedSite
from koatsu.emulator.spec import MeterSpec, Role, class_code
from koatsu.emulator.terminal import NOTIFY_DELAY_S
from koatsu.errors import UsageError
from koatsu.node import PORT, Link, Peer, UdpLink, load_profile

__all__ = ["EmulatorOptions", "open_emulator", "run_emulator"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorOptions:
    """What ``koatsu meter`` takes; ``None`` leaves the scenario's or the default meter's own value.

    ``listen``: address of the first terminal; further ones take the addresses after it. ``start``: emulated
    time to begin at; without it the scenario's, without a scenario now. ``speed``: emulated seconds in a real
    one. ``faults``: as ``parse_fault`` reads them. ``control`` and ``pulses``: ``ADDRESS:PORT``.
    """

    listen: str = "127.0.0.2"
    port: int = PORT
    interface: str = ""
    scenario: str | None = None
    meter_class: str | None = None
    role: str | None = None
    seed: int | None = None
    coefficient: int | None = None
    unit_kwh: Decimal | None = None
    digits: int | None = None
    fixed_day: int | None = None
    serial: str | None = None
    history_days: int | None = None
    speed: float = 1.0
    start: datetime | None = None
    faults: Sequence[str] = ()
    link_profile: str | None = None
    truth: Path | None = None
    control: str | None = None
    pulses: str | None = None
    notify_delay_s: float | None = NOTIFY_DELAY_S
    confirm_to: str | None = None
    answer_delay_s: float = 0.0

    def clock(self) -> ScaledClock:
        """The clock that these options ask for, started now."""
        start = self.start
        if start is None and self.scenario is not None:
            start = load_scenario(self.scenario).start
        return ScaledClock(start, self.speed)

    def plan(self) -> tuple[SitePlan, tuple[FaultOrder, ...]]:
        """The site and its faults from the start.

        Raises:
            UsageError: an option has no such value.
        """
        orders: tuple[FaultOrder, ...] = ()
        if self.scenario is not None:
            scenario = load_scenario(self.scenario)
            plan, orders = scenario.plan, scenario.faults
        else:
            selling = self.role == Role.SELL.value
            plan = SitePlan(solar_kw=380.0 if selling else 0.0)
        if self.seed is not None:
            plan = replace(plan, seed=self.seed)
        meters = tuple(self._changed(hung, first=number == 0) for number, hung in enumerate(plan.meters))
        return replace(plan, meters=meters), (*orders, *(parse_fault(text) for text in self.faults))

    def _changed(self, hung: MeterPlan, *, first: bool) -> MeterPlan:
        spec = hung.spec
        changes: dict[str, object] = {}
        if self.meter_class is not None:
            changes["class_code"] = class_code(self.meter_class)
        if self.role is not None and first:
            changes["role"] = _role(self.role)
        if self.serial is not None and first:
            changes["serial"] = self.serial
        if self.seed is not None:
            changes["seed"] = self.seed
        if self.unit_kwh is not None:
            changes |= {
                "energy_unit": self.unit_kwh,
                "demand_unit": self.unit_kwh,
                "reactive_unit": self.unit_kwh,
            }
        if self.digits is not None:
            changes |= {
                "energy_digits": self.digits,
                "demand_digits": self.digits,
                "reactive_digits": self.digits,
            }
        for name in ("coefficient", "fixed_day", "history_days"):
            value = getattr(self, name)
            if value is not None:
                changes[name] = value
        if self.link_profile is not None:
            profile = load_profile(self.link_profile)
            changes["energy_history_first"] = profile.energy_history_first
            changes["demand_history_stamp"] = profile.demand_history_stamp
        return replace(hung, spec=_replaced(spec, changes))


@asynccontextmanager
async def open_emulator(
    options: EmulatorOptions, *, clock: Clock | None = None, links: Sequence[Link] | None = None
) -> AsyncIterator[EmulatedSite]:
    """An emulated site that runs while the context is open.

    Args:
        options: what and where.
        clock: emulated time instead of the options' own.
        links: networks instead of UDP sockets, one a terminal (tests, the in-process network).

    Raises:
        UsageError: an option is wrong.
        LinkError: an address or port cannot be had.
        UnreachableError: the control or pulse port cannot be had.
    """
    plan, orders = options.plan()
    async with AsyncExitStack() as stack:
        if links is None:
            links = []
            for number in range(len(plan.terminals)):
                host = _address(options.listen, number)
                link = await UdpLink.open(host, port=options.port, interface=options.interface)
                stack.push_async_callback(link.close)
                links.append(link)
        site = EmulatedSite(
            plan,
            clock or options.clock(),
            links,
            profile=None if options.link_profile is None else load_profile(options.link_profile),
            start_faults=orders,
            truth=options.truth,
            notify_delay_s=options.notify_delay_s,
            confirm_to=None if options.confirm_to is None else Peer.parse(options.confirm_to),
            answer_delay_s=options.answer_delay_s,
        )
        stack.push_async_callback(site.close)
        if options.pulses is not None:
            await site.offer_pulses(options.pulses, every=timedelta(seconds=max(1.0, options.speed / 2)))
        if options.control is not None:
            # the web stack is loaded only where it is wanted: most emulators run without a page
            from koatsu.emulator.control import ControlServer

            control = await ControlServer.open(site, options.control)
            stack.push_async_callback(control.close)
        await site.start()
        site.run_beside()
        yield site


async def run_emulator(
    options: EmulatorOptions,
    *,
    clock: Clock | None = None,
    ready: Callable[[EmulatedSite], None] | None = None,
) -> None:
    """Run until cancelled; ``ready`` is called once everything is up."""
    async with open_emulator(options, clock=clock) as site:
        if ready is not None:
            ready(site)
        await site.run()


def _replaced(spec: MeterSpec, changes: dict[str, object]) -> MeterSpec:
    return replace(spec, **changes)  # type: ignore[arg-type] # MeterSpec checks every value itself


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a role of a meter.",
            ja=f"{text!r} は計器の用途ではありません。",
            hint="Write buy, sell or sub.",
            hint_ja="buy、sell、sub のどれかを書いてください。",
        ) from None


def _address(listen: str, number: int) -> str:
    """The address ``number`` after ``listen``, its zone kept."""
    if number == 0:
        return listen
    host, percent, zone = listen.partition("%")
    return str(ipaddress.ip_address(host) + number) + percent + zone
