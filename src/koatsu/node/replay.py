"""Feeding recorded datagrams to a node again: a capture taken on site becomes a test or a diagnosis.

Times between datagrams are kept, scaled or dropped. What the node answers goes nowhere and is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from koatsu.errors import UsageError
from koatsu.node.link import GROUP_V4, GROUP_V6, PORT, Peer, Receiver
from koatsu.node.packets import Datagram

__all__ = ["ReplayLink", "replay"]


async def replay(datagrams: Iterable[Datagram], receiver: Receiver, *, speed: float | None = 1.0) -> int:
    """Hand every datagram to ``receiver`` in the order given; return how many there were.

    Args:
        datagrams: as `koatsu.node.capture_reader.read_capture` yields them.
        receiver: gets the payload, the sender, and whether it went to a group.
        speed: 1.0 keeps the gaps between datagrams, 60.0 makes a minute a second, None leaves no gaps. A
            time that runs backwards in the capture counts as no gap.

    Raises:
        UsageError: ``speed`` is not positive.
        CaptureError: from the file behind ``datagrams``, after what came before the damage.
    """
    if speed is not None and not speed > 0:
        raise UsageError(f"speed must be positive, not {speed}.")
    loop = asyncio.get_running_loop()
    started = loop.time()
    played_s = 0.0  # since the first datagram, in the capture's time
    last = None
    count = 0
    for datagram in datagrams:
        if last is not None:
            played_s += max(0.0, (datagram.at - last).total_seconds())
        last = datagram.at
        # Waiting for the due time, not for the gap, keeps a long capture from drifting.
        due_s = started + played_s / speed - loop.time() if speed is not None else 0.0
        await asyncio.sleep(max(0.0, due_s))
        receiver(datagram.data, datagram.source, datagram.multicast)
        count += 1
    return count


class ReplayLink:
    """A link on which only the recording speaks: a node that is given it relives what a node there received.

    Args:
        datagrams: the recording; those sent to ``local`` or to a group by others are received again.
        local: the node whose part is relived; sets the address that the new node has.
        speed: as for `replay`.

    Attributes:
        sent: what the node sent, with its destination, in order.
    """

    def __init__(self, datagrams: Iterable[Datagram], local: Peer, *, speed: float | None = 1.0) -> None:
        self._datagrams = datagrams
        self._local = local
        self._speed = speed
        self._receiver: Receiver | None = None
        self._closed = False
        self.sent: list[tuple[bytes, Peer]] = []

    @property
    def local(self) -> Peer:
        """The address whose part is relived."""
        return self._local

    def send(self, data: bytes, peer: Peer) -> None:
        """Keep it in ``sent``; nobody answers."""
        if not self._closed:
            self.sent.append((bytes(data), peer))

    def multicast(self, data: bytes) -> None:
        """Keep it in ``sent``, as sent to the group."""
        self.send(data, Peer(GROUP_V6 if self._local.is_ipv6 else GROUP_V4, PORT))

    def set_receiver(self, receiver: Receiver) -> None:
        """Hand what the recording holds to ``receiver`` while `play` runs."""
        self._receiver = receiver

    async def close(self) -> None:
        """End the replay; `play` returns at the next datagram."""
        self._closed = True

    async def play(self) -> int:
        """Run the recording to its end; return how many datagrams were handed over.

        Raises:
            UsageError, CaptureError: as `replay`.
        """
        return await replay(self._meant_for_local(), self._hand_over, speed=self._speed)

    def _meant_for_local(self) -> Iterable[Datagram]:
        for datagram in self._datagrams:
            if self._closed:
                return
            ours = _same(datagram.destination, self._local) or datagram.multicast
            if ours and not _same(datagram.source, self._local):
                yield datagram

    def _hand_over(self, data: bytes, peer: Peer, multicast: bool) -> None:
        if self._receiver is not None and not self._closed:
            self._receiver(data, peer, multicast)


def _same(one: Peer, other: Peer) -> bool:
    """Whether two peers are one socket; a recording may not know the zone."""
    return one[:2] == other[:2]
