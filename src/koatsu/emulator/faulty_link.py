"""A link with wire faults: what leaves is lost, doubled, cut or delayed; a pulled cable takes both ways.

It wraps any ``koatsu.node`` link, so the node behind it stays an honest one. Delays are real seconds:
they are the protocol's, not the emulated site's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from koatsu.emulator.faults import WireFaults
from koatsu.node import Link, Peer, Receiver

__all__ = ["FaultyLink"]

_TID = slice(2, 4)
_SMALLEST = 5


class FaultyLink:
    """``link`` with ``faults``; ``answer_delay_s`` is the honest slowness of the terminal."""

    def __init__(self, link: Link, faults: WireFaults, *, seed: int = 1, answer_delay_s: float = 0.0) -> None:
        self._link = link
        self._faults = faults
        self._random = Random(seed)
        self._answer_delay_s = answer_delay_s
        self._receiver: Receiver | None = None
        self._waiting: set[asyncio.TimerHandle] = set()
        link.set_receiver(self._received)

    @property
    def local(self) -> Peer:
        """The address that the link answers on."""
        return self._link.local

    def send(self, data: bytes, peer: Peer) -> None:
        """Send one datagram, spoilt as the faults say."""
        self._spoil(data, lambda out: self._link.send(out, peer))

    def multicast(self, data: bytes) -> None:
        """Send one datagram to the group, spoilt as the faults say."""
        self._spoil(data, self._link.multicast)

    def set_receiver(self, receiver: Receiver) -> None:
        """Hand what arrives to ``receiver``, unless the cable is out."""
        self._receiver = receiver

    async def close(self) -> None:
        """Forget what still waits and leave the network."""
        for handle in self._waiting:
            handle.cancel()
        self._waiting.clear()
        await self._link.close()

    def _received(self, data: bytes, peer: Peer, multicast: bool) -> None:
        if self._receiver is not None and not (self._faults.cable_out or self._faults.booting):
            self._receiver(data, peer, multicast)

    def _spoil(self, data: bytes, send: Callable[[bytes], None]) -> None:
        faults = self._faults
        if faults.silent or faults.cable_out or faults.booting or self._happens(faults.drop):
            return
        if self._happens(faults.wrong_tid) and len(data) >= _TID.stop:
            tid = int.from_bytes(data[_TID], "big") ^ 0x5A5A
            data = data[: _TID.start] + tid.to_bytes(2, "big") + data[_TID.stop :]
        if self._happens(faults.truncated) and len(data) > _SMALLEST:
            data = data[: self._random.randrange(_SMALLEST, len(data))]
        if self._happens(faults.extra_bytes):
            data += bytes(self._random.randrange(256) for _ in range(self._random.randint(1, 4)))
        delay_s = self._answer_delay_s + faults.slow_s
        for _ in range(2 if self._happens(faults.duplicates) else 1):
            if delay_s:
                self._later(delay_s, data, send)
            else:
                send(data)

    def _happens(self, share: float) -> bool:
        return share > 0 and self._random.random() < share

    def _later(self, delay_s: float, data: bytes, send: Callable[[bytes], None]) -> None:
        def go() -> None:
            self._waiting.discard(handle)
            if not (self._faults.cable_out or self._faults.booting):
                send(data)

        handle = asyncio.get_running_loop().call_later(delay_s, go)
        self._waiting.add(handle)
