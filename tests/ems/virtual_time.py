"""An event loop in which waiting costs nothing: when nothing is ready, its time jumps to the next timer.

Days of polling, time-outs and recoveries pass in seconds, and in the same order every time: nothing in it
depends on the machine's clock. Only what happens inside one process may be awaited (no socket, no thread).
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")


class _Jump(selectors.SelectSelector):
    """Never waits: tells the loop how far to jump instead."""

    def __init__(self) -> None:
        super().__init__()
        self.jump: Callable[[float], None] = lambda _seconds: None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise RuntimeError("nothing is ready and nothing is planned: this would wait for ever")
        if timeout > 0:
            self.jump(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return super().get_map()


class VirtualLoop(asyncio.SelectorEventLoop):
    """Its ``time()`` begins at 0 and moves only by jumping to the next timer."""

    def __init__(self) -> None:
        self._virtual_s = 0.0
        selector = _Jump()
        super().__init__(selector)
        self._clock_resolution = 1e-6  # sums of seconds over months are not exact to the last bit
        selector.jump = self._jump

    def time(self) -> float:
        return self._virtual_s

    def _jump(self, seconds: float) -> None:
        self._virtual_s += seconds


class LoopClock:
    """A clock that shows the running loop's time from ``start`` on, and may be stepped like a wall clock."""

    def __init__(self, start: datetime) -> None:
        self._loop = asyncio.get_running_loop()
        self._start = start.astimezone(UTC) - timedelta(seconds=self._loop.time())

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time())

    def real_seconds_until(self, instant: datetime) -> float:
        return max(0.0, (instant - self.now()).total_seconds())

    def step(self, by: timedelta) -> None:
        """Set the clock, as a person or a time server does; the loop's time stays."""
        self._start += by


def run_virtually(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run ``main()`` on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())
