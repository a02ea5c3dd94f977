"""A network inside one process: seeded loss, delay, duplication, reordering and corruption of datagrams.

Every ordered pair of addresses has its own random stream, derived from the seed: the fate of the n-th
datagram from A to B does not depend on what others sent in between, so a failing run can be repeated.
It knows nothing of ECHONET Lite; a datagram is bytes. Time is the running asyncio loop's.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
from dataclasses import dataclass, replace
from typing import Unpack

from koatsu.errors import UsageError
from koatsu.node.faults import FaultChanges, Faults, corrupted
from koatsu.node.link import PORT, Link, Peer, Receiver

__all__ = ["Counters", "Faults", "Network"]

MAX_DATAGRAM = 65_507
"""Bytes of payload that UDP over IPv4 can carry (RFC 768, RFC 791); more never leaves a real socket."""

REORDER_HOLD_S = 0.05
"""How long a held-back datagram waits for one to overtake it before it goes on by itself."""


@dataclass(slots=True, kw_only=True)
class Counters:
    """What became of the datagrams, one count per destination: a multicast to three nodes is three sent.

    At rest ``sent + duplicated == delivered + lost``. ``lost`` includes those that met a pulled cable,
    a closed link or nobody at all.
    """

    sent: int = 0
    delivered: int = 0
    lost: int = 0
    duplicated: int = 0
    corrupted: int = 0
    reordered: int = 0


class Network:
    """Datagrams between the addresses attached to it, with seeded faults.

    Args:
        seed: the same seed and the same datagrams on a path meet the same fates.
        faults: the fields of `Faults`; all zero is a perfect network that still delivers later, never
            inside ``send``.

    Raises:
        UsageError: from `Faults`.
    """

    def __init__(self, seed: int | str = 0, **faults: Unpack[FaultChanges]) -> None:
        self.faults = Faults(**faults)
        self._seed = seed
        self._links: dict[tuple[str, int], _LoopbackLink] = {}
        self._unplugged: set[str] = set()
        self._streams: dict[tuple[Peer, Peer], random.Random] = {}
        self._held: dict[tuple[Peer, Peer], _Held] = {}
        self._counters = Counters()
        self._in_flight = 0
        self._idle: list[asyncio.Future[None]] = []

    def attach(self, host: str, port: int = PORT, zone: str = "") -> Link:
        """Join the network under an address and get the link of that node.

        Raises:
            UsageError: ``host`` is not an IP address, or address and port are taken.
        """
        local = Peer(_address(host), port, zone)
        if (local.host, port) in self._links:
            raise UsageError(f"{local} is taken on this network.", hint="Close the other link first.")
        link = self._links[local.host, port] = _LoopbackLink(self, local)
        return link

    def change(self, **faults: Unpack[FaultChanges]) -> None:
        """Replace some of the fields of `Faults` for datagrams sent from now on."""
        self.faults = replace(self.faults, **faults)

    def unplug(self, host: str) -> None:
        """Pull the cable of ``host``: nothing reaches it or leaves it, not even what is under way.

        Raises:
            UsageError: nobody is attached under that address.
        """
        address = _address(host)
        if not any(link.local.host == address for link in self._links.values()):
            raise UsageError(f"nobody is attached at {host}.")
        self._unplugged.add(address)

    def replug(self, host: str) -> None:
        """Put the cable of ``host`` back; what was sent meanwhile is gone."""
        self._unplugged.discard(_address(host))

    @property
    def hosts(self) -> tuple[Peer, ...]:
        """Who is attached, plugged in or not, in order of joining."""
        return tuple(link.local for link in self._links.values())

    @property
    def counters(self) -> Counters:
        """A copy of the counts so far."""
        return replace(self._counters)

    @property
    def in_flight(self) -> int:
        """Datagrams that are neither delivered nor lost yet."""
        return self._in_flight

    async def settled(self) -> None:
        """Wait until nothing is in flight; answers sent from inside a receiver are waited for too."""
        while self._in_flight:
            waiter = asyncio.get_running_loop().create_future()
            self._idle.append(waiter)
            await waiter

    def _multicast(self, data: bytes, sender: Peer) -> None:
        for link in tuple(self._links.values()):
            if link.local != sender:
                self._send(data, sender, link.local, multicast=True)

    def _send(self, data: bytes, sender: Peer, to: Peer, *, multicast: bool) -> None:
        """Draw the fate of one datagram on one path and set it on its way."""
        self._counters.sent += 1
        self._in_flight += 1
        if sender.host in self._unplugged or to.host in self._unplugged or len(data) > MAX_DATAGRAM:
            self._finish(lost=True)
            return
        faults = self.faults
        path = (sender, to)
        if not faults.random:
            self._dispatch(_Flight(data, path, multicast), faults.delay_s[0])
            return
        stream = self._streams.get(path)
        if stream is None:
            # Seeding by text goes through SHA-512 and is the same in every process, unlike hash().
            stream = self._streams[path] = random.Random(f"{self._seed} {sender} {to}")
        if stream.random() < faults.loss:
            self._finish(lost=True)
            return
        copies = 1
        if stream.random() < faults.duplicate:
            copies = 2
            self._counters.duplicated += 1
            self._in_flight += 1
        for _ in range(copies):
            content = data
            if stream.random() < faults.corrupt:
                content = corrupted(data, stream)
                self._counters.corrupted += 1
            delay_s = stream.uniform(*faults.delay_s)
            hold = stream.random() < faults.reorder
            self._dispatch(_Flight(content, path, multicast), delay_s, hold=hold)

    def _dispatch(self, flight: _Flight, delay_s: float, *, hold: bool = False) -> None:
        loop = asyncio.get_running_loop()
        held = self._held.pop(flight.path, None)
        if held is None and hold:
            self._counters.reordered += 1
            timer = loop.call_later(REORDER_HOLD_S, self._release, flight.path)
            self._held[flight.path] = _Held(flight, delay_s, timer)
            return
        if delay_s > 0.0:
            loop.call_later(delay_s, self._arrive, flight)
        else:
            loop.call_soon(self._arrive, flight)
        if held is not None:  # this one has overtaken it
            held.timer.cancel()
            self._dispatch(held.flight, max(held.delay_s, delay_s))

    def _release(self, path: tuple[Peer, Peer]) -> None:
        held = self._held.pop(path)
        self._dispatch(held.flight, held.delay_s)

    def _arrive(self, flight: _Flight) -> None:
        sender, to = flight.path
        link = self._links.get((to.host, to.port))
        if link is None or link.receiver is None or to.host in self._unplugged:
            self._finish(lost=True)
            return
        try:
            link.receiver(flight.data, sender, flight.multicast)
        finally:  # a receiver that raises is the loop's to report, but the datagram did arrive
            self._finish(lost=False)

    def _finish(self, *, lost: bool) -> None:
        if lost:
            self._counters.lost += 1
        else:
            self._counters.delivered += 1
        self._in_flight -= 1
        if not self._in_flight:
            for waiter in self._idle:
                if not waiter.done():
                    waiter.set_result(None)
            self._idle.clear()

    def _detach(self, link: _LoopbackLink) -> None:
        self._links.pop((link.local.host, link.local.port), None)


class _LoopbackLink:
    """One node's end of a `Network`."""

    def __init__(self, network: Network, local: Peer) -> None:
        self._network: Network | None = network
        self._local = local
        self.receiver: Receiver | None = None

    @property
    def local(self) -> Peer:
        """The address given to ``attach``."""
        return self._local

    def send(self, data: bytes, peer: Peer) -> None:
        """Send to one address; to nobody is a lost datagram."""
        if self._network is not None:
            # The zone only says which interface to leave by, and this network has one.
            link = self._network._links.get((peer.host, peer.port))
            to = link.local if link is not None else peer
            self._network._send(bytes(data), self._local, to, multicast=False)

    def multicast(self, data: bytes) -> None:
        """Send to everybody else who is attached."""
        if self._network is not None:
            self._network._multicast(bytes(data), self._local)

    def set_receiver(self, receiver: Receiver) -> None:
        """Hand what arrives from now on to ``receiver``."""
        self.receiver = receiver

    async def close(self) -> None:
        """Leave the network; the address is free again."""
        if self._network is not None:
            self._network._detach(self)
            self._network = None


@dataclass(frozen=True, slots=True)
class _Flight:
    data: bytes
    path: tuple[Peer, Peer]
    multicast: bool


@dataclass(frozen=True, slots=True)
class _Held:
    flight: _Flight
    delay_s: float
    timer: asyncio.TimerHandle


def _address(host: str) -> str:
    """The address in its shortest form, so that two spellings of one address are one node."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        raise UsageError(f"{host!r} is not an IP address.") from None
