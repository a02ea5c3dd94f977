"""What the emulated site does by itself and when: a queue of actions in emulated time.

Actions see the instant they were due at, not the instant the event loop came round to them, so a day
run at a thousandfold speed, or stepped by a manual clock, gives the same registers as a slow one.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

from koatsu.clock import Clock, require_aware

__all__ = ["Action", "Agenda"]

Action = Callable[[datetime], None]

_LONGEST_SLEEP_S = 1.0  # a clock that somebody moves by hand is looked at once a second


class Agenda:
    """Runs actions in order of their time against a clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._queue: list[tuple[datetime, int, Action]] = []
        self._number = count()
        self._acting: datetime | None = None
        self._news = asyncio.Event()

    def at(self, instant: datetime, action: Action) -> Callable[[], None]:
        """Run ``action`` at ``instant``, at once when that has passed; the return value calls it off."""
        called_off = False

        def act(due: datetime) -> None:
            if not called_off:
                action(due)

        def call_off() -> None:
            nonlocal called_off
            called_off = True

        heapq.heappush(self._queue, (require_aware(instant).astimezone(UTC), next(self._number), act))
        self._news.set()
        return call_off

    def now(self) -> datetime:
        """The present instant, aware UTC; while an action runs, the instant it was due at.

        Whatever is due is done first, so that an answer never overtakes a planned change.
        """
        if self._acting is not None:
            return self._acting
        self.step()
        return self.clock.now()

    def step(self) -> None:
        """Do everything that is due by now."""
        if self._acting is not None:
            return
        while self._queue and self._queue[0][0] <= self.clock.now():
            due, _, action = heapq.heappop(self._queue)
            self._acting = due
            try:
                action(due)
            finally:
                self._acting = None

    async def run(self) -> None:
        """Do what is due, for ever; end it by cancelling."""
        while True:
            self.step()
            self._news.clear()
            pause = _LONGEST_SLEEP_S
            if self._queue:
                pause = min(pause, self.clock.real_seconds_until(self._queue[0][0]))
            try:
                await asyncio.wait_for(self._news.wait(), pause)
            except TimeoutError:
                pass  # nothing new; something may be due
