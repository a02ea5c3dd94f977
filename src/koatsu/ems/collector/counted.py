"""A meter object whose exchanges are counted, for the metrics of the site."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from koatsu.devices import Value
from koatsu.echonet import Eoj
from koatsu.node import Answer, Node, Peer, RemoteObject

__all__ = ["CountedRemote"]


class CountedRemote(RemoteObject):
    """One object of another node.

    Args:
        node: our node.
        peer: where it is.
        eoj: which object.
        count: called at the end of each exchange, whatever came of it.
    """

    def __init__(self, node: Node, peer: Peer, eoj: Eoj, count: Callable[[], None]) -> None:
        super().__init__(node, peer, eoj)
        self._count = count

    async def once(self, epcs: Sequence[int]) -> Answer:
        """The answer to one request, counted."""
        try:
            return await super().once(epcs)
        finally:
            self._count()

    async def write(self, **values: Value) -> None:
        """Set properties and wait for the receipt, counted."""
        try:
            await super().write(**values)
        finally:
            self._count()
