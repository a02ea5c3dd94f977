"""The queue in front of one address: so many exchanges at a time, first come, first served.

A semaphore of asyncio would do the same; this one costs nothing while there is room, which is nearly always,
and a node has one for each of thousands of addresses. A place that becomes free is handed to the next in the
queue at once, so that nobody overtakes.
"""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["Lane"]


class Lane:
    """``free`` places; take one by ``lane.free -= 1`` while there are some, else by :meth:`wait`.

    ``open_at`` is when the pause after the last exchange is over, by the event loop's clock.
    """

    __slots__ = ("_waiting", "free", "open_at")

    def __init__(self, places: int) -> None:
        self.free = places
        self.open_at = 0.0
        self._waiting: deque[asyncio.Future[None]] | None = None

    async def wait(self) -> None:
        """Wait until a place is handed over; it is the caller's then."""
        if self._waiting is None:
            self._waiting = deque()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # the place came in the same moment: it goes to the next
            raise

    def leave(self) -> None:
        """Give the place to the next in the queue, or back."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # done: it was cancelled while it waited
                turn.set_result(None)
                return
        self.free += 1
