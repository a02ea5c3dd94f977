"""Thousands of meters in one process, for load tests: cheap loads, registers made when first asked for.

Each meter is a terminal of its own at its own address, on the in-process network or on one shared socket
(``koatsu.node.SharedUdp``). They announce nothing by themselves: ten thousand announcements a half hour
would be a test of the listener's luck.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace

from koatsu.clock import Clock
from koatsu.emulator.agenda import Agenda
from koatsu.emulator.loads import StandingLoad
from koatsu.emulator.meter_object import MeterObject
from koatsu.emulator.model import MeterModel
from koatsu.emulator.noise import stream_key, unit
from koatsu.emulator.spec import MeterSpec
from koatsu.emulator.terminal import Terminal
from koatsu.errors import UsageError
from koatsu.node import Link, LinkProfile, Peer

__all__ = ["Fleet"]


class Fleet:
    """``count`` meters at consecutive addresses from ``first``.

    Args:
        attach: gives the link of an address, for example ``network.attach`` or ``shared.attach``.
        clock: emulated time, the same for all.
        spec: what each of them is; serial number and seed are counted up from it.
        history_days: full days before today that each holds; 0 keeps them light.

    Raises:
        UsageError: fewer than one meter, or addresses run out.
    """

    def __init__(
        self,
        attach: Callable[[str], Link],
        clock: Clock,
        *,
        count: int,
        first: str = "127.1.0.1",
        spec: MeterSpec | None = None,
        history_days: int = 0,
        profile: LinkProfile | None = None,
    ) -> None:
        if count < 1:
            raise UsageError("A fleet has at least one meter.")
        self.agenda = Agenda(clock)
        self._begun = clock.now()
        self._spec = replace(spec or MeterSpec(), history_days=history_days)
        base = ipaddress.ip_address(first)
        self.terminals = tuple(
            Terminal(
                attach(str(base + number)),
                [self._object(number)],
                self.agenda,
                profile=profile,
                notify_delay_s=None,
            )
            for number in range(count)
        )

    @property
    def peers(self) -> tuple[Peer, ...]:
        """The addresses, in order."""
        return tuple(terminal.address for terminal in self.terminals)

    @property
    def objects(self) -> tuple[MeterObject, ...]:
        """The meters, in order."""
        return tuple(terminal.objects[0] for terminal in self.terminals)

    async def close(self) -> None:
        """Leave the network."""
        for terminal in self.terminals:
            await terminal.close()

    def _object(self, number: int) -> MeterObject:
        spec = replace(self._spec, serial=f"KF{number:010d}", seed=self._spec.seed + number)

        def make() -> MeterModel:
            mean_kw = 40 + 400 * unit(stream_key(self._spec.seed, "fleet size"), number)
            return MeterModel(spec, StandingLoad(spec.seed, mean_kw), self._begun)

        return MeterObject(make, self.agenda.now, spec=spec)
