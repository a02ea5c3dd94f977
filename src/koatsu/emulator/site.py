"""An emulated site: its load, its meters behind their terminals, its faults, its truth and its pulses.

Everything that a person or a scenario can do to it is a method here; ``control`` and ``scenarios`` only
call them. Instants are those of the agenda, so a planned change takes effect when it was planned.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from koatsu.clock import JST, Clock
from koatsu.emulator.agenda import Agenda
from koatsu.emulator.faults import FaultOrder
from koatsu.emulator.loads import Load, PartLoad, SwitchedLoad
from koatsu.emulator.meter_object import MeterObject
from koatsu.emulator.model import MeterModel
from koatsu.emulator.plan import PlannedEvent, SitePlan
from koatsu.emulator.profile import SiteProfile, load_profile
from koatsu.emulator.pulses import PulseFaults, PulseOutput, PulseServer
from koatsu.emulator.switchboard import Switchboard
from koatsu.emulator.terminal import NOTIFY_DELAY_S, Terminal
from koatsu.emulator.truth import TruthFile
from koatsu.errors import UsageError
from koatsu.node import Link, LinkProfile, Peer

__all__ = ["EmulatedSite"]

_BEAT = timedelta(minutes=5)


class EmulatedSite:
    """A site on links; make it inside a running event loop, then ``start`` it and ``run`` it.

    Args:
        plan: what it is.
        clock: emulated time; the days before its present instant are filled in at once.
        links: one for each terminal.
        start_faults: faults that are there from the beginning.
        truth: file for the raw integers.

    Raises:
        UsageError: the number of links does not fit the plan, or a file cannot be written.
    """

    def __init__(
        self,
        plan: SitePlan,
        clock: Clock,
        links: Sequence[Link],
        *,
        profile: LinkProfile | None = None,
        start_faults: Sequence[FaultOrder] = (),
        truth: Path | None = None,
        notify_delay_s: float | None = NOTIFY_DELAY_S,
        confirm_to: Peer | None = None,
        answer_delay_s: float = 0.0,
    ) -> None:
        if len(links) != len(plan.terminals):
            raise UsageError(f"{len(plan.terminals)} terminals need as many addresses, not {len(links)}.")
        self.plan = plan
        self.agenda = Agenda(clock)
        self.begun = clock.now()
        self.load = SwitchedLoad(plan.load())
        self.pulses: PulseServer | None = None
        self.pulse_faults = PulseFaults()
        self._running: asyncio.Task[None] | None = None
        self._truth = None if truth is None else TruthFile(truth)
        self.objects = tuple(self._hang(number) for number in range(1, len(plan.meters) + 1))
        self.terminals = tuple(
            Terminal(
                link,
                [one for one, hung in zip(self.objects, plan.meters, strict=True) if hung.terminal == number],
                self.agenda,
                profile=profile,
                notify_delay_s=notify_delay_s,
                confirm_to=confirm_to,
                answer_delay_s=answer_delay_s,
                seed=plan.seed + number,
            )
            for number, link in enumerate(links, start=1)
        )
        self.switches = Switchboard(self)
        for order in start_faults:
            self.switches.turn(order, at_start=True)
        if self._truth is not None:
            for model in self.models:
                self._truth.attach(model)
        for event in plan.events:
            self.agenda.at(self.begun + event.after, partial(self._happen, event))

    # --- life -------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Announce the terminals; answers are given from the moment the site was made."""
        for terminal in self.terminals:
            await terminal.start()
        self._beat(self.begun)

    def run_beside(self) -> asyncio.Task[None]:
        """Let time pass in a task that ``close`` ends; the same task when called again."""
        if self._running is None:
            self._running = asyncio.create_task(self.agenda.run(), name="emulated site")
        return self._running

    async def run(self) -> None:
        """Let time pass, for ever; end it by cancelling or by closing the site."""
        await self.run_beside()

    async def close(self) -> None:
        """Stop time, leave the network and close the files."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        for terminal in self.terminals:
            await terminal.close()
        if self.pulses is not None:
            await self.pulses.close()
        if self._truth is not None:
            self._truth.close()

    async def offer_pulses(self, where: str, *, every: timedelta = timedelta(seconds=1)) -> str:
        """Offer the first meter's pulses on ``where``, in steps of ``every``; returns where it listens."""
        self.pulses = PulseServer(PulseOutput(self.models[0], seed=self.plan.seed, faults=self.pulse_faults))
        bound = await self.pulses.listen(where)

        def tick(due: datetime) -> None:
            assert self.pulses is not None
            self.pulses.tick(due)
            self.agenda.at(due + every, tick)

        self.agenda.at(self.agenda.now() + every, tick)
        return bound

    # --- looking ----------------------------------------------------------------------------------

    @property
    def models(self) -> tuple[MeterModel, ...]:
        """The meters that hang there now."""
        return tuple(one.model for one in self.objects)

    @property
    def profile(self) -> SiteProfile:
        """The kind of site."""
        return load_profile(self.plan.kind)

    def now(self) -> datetime:
        """Emulated true time, JST; what was due has been done."""
        return self.agenda.now().astimezone(JST)

    # --- doing ------------------------------------------------------------------------------------

    def set_load(self, kw: float | None) -> None:
        """Let the site draw ``kw`` (negative: sell), or by itself again with ``None``."""
        if kw is not None and not -100_000 <= kw <= 100_000:
            raise UsageError(
                f"A load of {kw:g} kW is not emulated.", ja=f"{kw:g} kW の負荷は模擬できません。"
            )
        now = self.agenda.now()
        for model in self.models:
            model.advance_to(now)
        self.load.override_kw = kw
        for model in self.models:
            model.refresh(now)

    def pull_cable(self, *, out: bool) -> None:
        """Pull the cables of all terminals, or put them back."""
        for terminal in self.terminals:
            if out:
                terminal.pull_cable()
            else:
                terminal.plug_cable()

    def reboot(self, seconds: float) -> None:
        """Restart all terminals; they are silent for ``seconds`` of emulated time."""
        for terminal in self.terminals:
            terminal.reboot(self.agenda.now(), seconds)

    def replace_meter(
        self, number: int = 1, *, serial: str | None = None, coefficient: int | None = None
    ) -> None:
        """Take meter ``number`` (1, 2, …) down and hang its successor: it counts from nought and has no past.

        Raises:
            UsageError: no such meter, or a value that a meter cannot have.
        """
        now = self.agenda.now()
        (one,) = self.chosen(number)
        old = one.model
        old.advance_to(now)
        spec = old.spec.successor(serial=serial, coefficient=coefficient)
        one.replace_model(MeterModel(spec, old.load, now, epoch=old.epoch + 1))
        if self._truth is not None:
            self._truth.attach(one.model)
        if self.pulses is not None and number == 1:
            self.pulses.follow(one.model)
        self._watch(one)

    def change_clock(self, one: MeterObject, change: Callable[[MeterModel, datetime], None]) -> None:
        """Do something to a meter's clock at the present instant and plan its announcements anew."""
        change(one.model, self.agenda.now())
        self._watch(one)

    def chosen(self, number: int | None) -> tuple[MeterObject, ...]:
        """Meter ``number`` (1, 2, …), or all meters.

        Raises:
            UsageError: there is no such meter.
        """
        if number is None:
            return self.objects
        if not 1 <= number <= len(self.objects):
            raise UsageError(
                f"There is no meter {number}: this site has {len(self.objects)}.",
                ja=f"計器 {number} はありません (この需要場所の計器は {len(self.objects)} 台です)。",
            )
        return (self.objects[number - 1],)

    # --- inside -----------------------------------------------------------------------------------

    def _hang(self, number: int) -> MeterObject:
        """Put up meter ``number`` of the plan, with an instance number of its own on its terminal."""
        hung = self.plan.meters[number - 1]
        load: Load = self.load if hung.share == 1 else PartLoad(self.load, hung.share)
        model = MeterModel(hung.spec, load, self.begun)
        neighbours = self.plan.meters[: number - 1]
        instance = 1 + sum(
            one.terminal == hung.terminal and one.spec.class_code == hung.spec.class_code
            for one in neighbours
        )
        return MeterObject(model, self.agenda.now, instance=instance)

    def _watch(self, one: MeterObject) -> None:
        for terminal in self.terminals:
            if one in terminal.objects:
                terminal.watch(one)

    def _happen(self, event: PlannedEvent, due: datetime) -> None:  # noqa: ARG002 - the agenda knows the time
        if event.fault is not None:
            self.switches.turn(event.fault, on=event.on, meter=event.meter)
        else:
            self.set_load(event.load_kw)

    def _beat(self, due: datetime) -> None:
        """Keep the registers going while nobody asks, so that the truth file grows with time."""
        for model in self.models:
            model.advance_to(due)
        self.agenda.at(due + _BEAT, self._beat)
