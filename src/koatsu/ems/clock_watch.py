"""Our own clock, watched: a step of the wall clock against the event loop's time is told as an event.

Nothing waits for the wall clock (see ``collector.pacing``) and slots follow the meters' clocks, so a step
harms no reading. But a person should know: what is dated by us, events above all, jumps with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from datetime import datetime, timedelta
from typing import Final, NoReturn

from koatsu.clock import Clock
from koatsu.ems.live import LiveHub, Signal
from koatsu.ems.store import Event, Level, Store, StoreError

__all__ = ["watch_clock"]

_LOOK_EVERY_S: Final = 10.0
_STEP: Final = timedelta(seconds=5)  # less is a clock that is being corrected gently
_HOUR: Final = timedelta(hours=1)
_WAITING: Final = 100  # events that the store has not taken yet


async def watch_clock(store: Store, hub: LiveHub, clock: Clock) -> NoReturn:
    """Compare the clocks every ten seconds until cancelled; one watch is enough for a process."""
    loop = asyncio.get_running_loop()
    waiting: deque[Event] = deque(maxlen=_WAITING)
    ours, real = clock.now(), loop.time()
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        rate = _HOUR / clock.real_seconds_until(clock.now() + _HOUR)  # of our clock, in one real second
        now, then = clock.now(), loop.time()
        step = now - ours - rate * (then - real)
        ours, real = now, then
        if abs(step) > _STEP:
            waiting.append(_event(step, now))
        while waiting:
            try:
                store.record_event(waiting[0])
            except StoreError:
                break  # the collectors show what is the matter; it is kept until it passes
            waiting.popleft()
            hub.publish(Signal("event", None, now))


def _event(step: timedelta, now: datetime) -> Event:
    forward = step > timedelta(0)
    code = "clock_set_forward" if forward else "clock_set_back"
    return Event(at=now, level=Level.CAUTION, code=code, params={"seconds": round(abs(step).total_seconds())})
