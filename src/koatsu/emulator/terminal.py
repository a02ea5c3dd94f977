"""The B-route terminal: one node address with one or more meters behind it.

It announces itself when it starts, answers for its meters, and tells the half-hour values a little after
each half hour of the meter's clock. Low-voltage terminals do so within five minutes (interface specification
for low-voltage meters 1.01, 3.2.1); for high voltage that is assumed, so the delay is an option.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from koatsu.echonet import CONTROLLER
from koatsu.emulator.agenda import Agenda
from koatsu.emulator.faults import WireFaults
from koatsu.emulator.faulty_link import FaultyLink
from koatsu.emulator.meter_clock import HALF_HOUR_MS, from_ms, to_ms
from koatsu.emulator.meter_object import MeterObject
from koatsu.node import Link, LinkProfile, NoAnswerError, Node, Peer

__all__ = ["NOTIFY_DELAY_S", "Terminal"]

NOTIFY_DELAY_S = 20.0
"""Seconds of emulated time from the half hour to its announcement: assumed."""


class Terminal:
    """A node with meters; make it inside a running event loop.

    Args:
        link: the network, which the terminal takes over.
        objects: its meters, each with an instance number of its own.
        agenda: emulated time.
        profile: link profile of the node; ``None`` takes the node's default.
        notify_delay_s: see ``NOTIFY_DELAY_S``; ``None`` announces no half hours.
        confirm_to: announce half hours to this controller and wait for its receipt (INFC); to all otherwise.
        answer_delay_s: real seconds that every answer takes.
    """

    def __init__(
        self,
        link: Link,
        objects: Sequence[MeterObject],
        agenda: Agenda,
        *,
        profile: LinkProfile | None = None,
        notify_delay_s: float | None = NOTIFY_DELAY_S,
        confirm_to: Peer | None = None,
        answer_delay_s: float = 0.0,
        seed: int = 1,
    ) -> None:
        self.objects = tuple(objects)
        self.wire = WireFaults()
        self.address = link.local
        self._agenda = agenda
        self._confirm_to = confirm_to
        self._notify_after = None if notify_delay_s is None else timedelta(seconds=notify_delay_s)
        faulty = FaultyLink(link, self.wire, seed=seed, answer_delay_s=answer_delay_s)
        unique = blake2b(" ".join(one.spec.serial for one in objects).encode(), digest_size=13).digest()
        self.node = Node(faulty, profile, self.objects, unique=unique)
        self._watches: dict[MeterObject, Callable[[], None]] = {}
        self._confirming: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Announce the instance list and begin to watch the half hours."""
        await self.node.start()
        for one in self.objects:
            self.watch(one)

    async def close(self) -> None:
        """Leave the network."""
        for call_off in self._watches.values():
            call_off()
        self._watches.clear()
        for task in tuple(self._confirming):
            task.cancel()
        await self.node.close()

    def watch(self, one: MeterObject) -> None:
        """Plan the next half-hour announcement of a meter, anew when its clock or the meter was changed."""
        if self._notify_after is None:
            return
        earlier = self._watches.pop(one, None)
        if earlier is not None:
            earlier()
        clock = one.model.clock
        ahead = self._notify_after // timedelta(milliseconds=1)
        shown = clock.shown(to_ms(self._agenda.now())) - ahead
        due = clock.when((shown // HALF_HOUR_MS + 1) * HALF_HOUR_MS + ahead)
        self._watches[one] = self._agenda.at(from_ms(due), lambda _: self._half_hour(one))

    def pull_cable(self) -> None:
        """Nothing reaches the terminal and nothing leaves it."""
        self.wire.cable_out = True

    def plug_cable(self) -> None:
        """Back on the network: the terminal sees the link come up and announces itself."""
        if self.wire.cable_out:
            self.wire.cable_out = False
            self._announce()

    def reboot(self, instant: datetime, seconds: float) -> None:
        """Silent for ``seconds`` of emulated time, then as after power-up: no selector set."""
        self.wire.booting = True
        for one in self.objects:
            one.meter.forget_selectors()
        self._agenda.at(instant.astimezone(UTC) + timedelta(seconds=seconds), lambda _: self._booted())

    def _booted(self) -> None:
        self.wire.booting = False
        self._announce()

    def _announce(self) -> None:
        self.node.node_profile.announce("instance_list_notification")

    def _half_hour(self, one: MeterObject) -> None:
        self.watch(one)
        if one.faults.refuses or not one.notified:
            return
        if self._confirm_to is None:
            one.announce(*one.notified)
            return
        task = asyncio.get_running_loop().create_task(self._confirm(one, self._confirm_to))
        self._confirming.add(task)
        task.add_done_callback(self._confirming.discard)

    async def _confirm(self, one: MeterObject, peer: Peer) -> None:
        epcs = [one.device.property(name).epc for name in one.notified]
        try:
            await self.node.notify_confirmed(one, epcs, peer, CONTROLLER)
        except NoAnswerError:
            pass  # nobody listens: the values stay where they can be read
