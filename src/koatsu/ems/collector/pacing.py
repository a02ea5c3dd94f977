"""Waiting that no step of a clock can stretch or cut: spans of our clock, waited for on the loop's own.

The wall clock may be set back by an hour or forward by a year while something is waited for. So a span is
turned into real seconds once, when the wait begins, and measured on the monotonic clock of the event loop.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from koatsu.clock import Clock

__all__ = ["Pace"]

_HOUR: Final = timedelta(hours=1)


class Pace:
    """Waits in spans of ``clock``, which may run faster than real time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    @staticmethod
    def now() -> float:
        """The event loop's time, in real seconds."""
        return asyncio.get_running_loop().time()

    def seconds(self, span: timedelta) -> float:
        """Real seconds in ``span`` of our clock; 0 for none or a negative one."""
        if span <= timedelta(0):
            return 0.0
        return self._clock.real_seconds_until(self._clock.now() + span)

    def span(self, seconds: float) -> timedelta:
        """How far our clock goes in so many real seconds."""
        return _HOUR * (seconds / self.seconds(_HOUR))

    async def sleep(self, span: timedelta) -> None:
        """Wait ``span`` of our clock."""
        await asyncio.sleep(self.seconds(span))

    @staticmethod
    async def happens(event: asyncio.Event, seconds: float) -> bool:
        """Wait for ``event`` for so many real seconds; whether it came. It is cleared then.

        Not by ``asyncio.wait_for``: that of Python 3.11 may swallow a cancellation.
        """
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                await event.wait()
        except TimeoutError:
            pass  # it may have come in the same moment
        happened = event.is_set()
        event.clear()
        return happened
