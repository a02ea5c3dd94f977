"""The fault switches of a site: turns an order into what happens to wire, meter, clock, box or pulses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from koatsu.emulator.faults import FAULTS, FaultOrder, Layer, parse_fault
from koatsu.emulator.model import MeterModel
from koatsu.errors import UsageError

if TYPE_CHECKING:
    from koatsu.emulator.site import EmulatedSite

__all__ = ["Switchboard"]

_PPM_PER_S_A_DAY = 1_000_000 / 86_400


class Switchboard:
    """Switches faults of one site and remembers which lasting ones are on.

    ``on``: name to value and the number of the one meter it touches (``None``: all of them).
    """

    def __init__(self, site: EmulatedSite) -> None:
        self._site = site
        self.on: dict[str, tuple[float, int | None]] = {}
        self._put_back: Callable[[], None] = lambda: None  # calls the planned return of the cable off

    def turn(
        self, order: FaultOrder, *, on: bool = True, meter: int | None = None, at_start: bool = False
    ) -> None:
        """Switch a fault on, or a lasting one off.

        Args:
            order: what, with its value.
            on: off undoes a lasting fault.
            meter: touch meter 1, 2, … alone; faults of wire and terminal always touch all.
            at_start: the meter has had the fault since before we came (moves its past along).

        Raises:
            UsageError: no such meter, or an event that cannot be undone.
        """
        if not on and not order.definition.lasting and order.name != "clock-jump":
            raise UsageError(
                f"The fault {order.name} happens once and cannot be switched off.",
                ja=f"故障 {order.name} は一度だけ起こるもので、取り消せません。",
            )
        self._site.agenda.now()  # what was due before this order happens before it
        match order.definition.layer:
            case Layer.WIRE:
                for terminal in self._site.terminals:
                    terminal.wire.switch(order, on=on)
            case Layer.METER:
                self._turn_meter(order, on=on, meter=meter, at_start=at_start)
            case Layer.CLOCK:
                self._turn_clock(order, on=on, meter=meter)
            case Layer.TERMINAL:
                self._turn_terminal(order, on=on)
            case Layer.PULSE:
                self._turn_pulses(order, on=on)
        if not on:
            self.on.pop(order.name, None)
        elif order.definition.lasting:
            self.on[order.name] = (order.value, meter)

    def all_off(self) -> None:
        """Switch every lasting fault off."""
        for row in FAULTS:
            if row.name in self.on:
                self.turn(parse_fault(row.name), on=False, meter=self.on[row.name][1])

    def _turn_meter(self, order: FaultOrder, *, on: bool, meter: int | None, at_start: bool) -> None:
        for one in self._site.chosen(meter):
            if order.name == "counter-wrap":
                one.meter.catch_up()
                one.model.set_below_wrap(round(order.value), past_too=at_start)
            elif order.name == "replaced-meter":
                number = self._site.objects.index(one) + 1
                self._site.replace_meter(number, coefficient=round(order.value) or None)
            else:
                one.faults.switch(order, on=on)

    def _turn_clock(self, order: FaultOrder, *, on: bool, meter: int | None) -> None:
        def change(model: MeterModel, now: datetime) -> None:
            if not on:
                model.correct_clock(now)
            elif order.name == "clock-jump":
                model.jump_clock(now, timedelta(seconds=order.value))
            else:
                model.drift_clock(now, round(order.value * _PPM_PER_S_A_DAY))

        for one in self._site.chosen(meter):
            self._site.change_clock(one, change)

    def _turn_terminal(self, order: FaultOrder, *, on: bool) -> None:
        if order.name == "reboot":
            self._site.reboot(order.value)
            return
        self._site.pull_cable(out=on)
        self._put_back()
        if on and order.value:
            agenda = self._site.agenda
            self._put_back = agenda.at(
                agenda.now() + timedelta(seconds=order.value), lambda _: self.turn(order, on=False)
            )

    def _turn_pulses(self, order: FaultOrder, *, on: bool) -> None:
        share = order.value / 100 if on else 0.0
        match order.name:
            case "lost-pulse":
                self._site.pulse_faults.lost = share
            case "double-pulse":
                self._site.pulse_faults.double = share
            case _:
                self._site.pulse_faults.slot_lost = share
