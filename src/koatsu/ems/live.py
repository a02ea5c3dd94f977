"""What is true only while the program runs: signals for the page, and the state of each meter's link.

The collector writes here, the page reads. Nothing here is stored, and nothing here waits for a listener:
one that is slow loses intermediate signals and sees the newest.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, Literal, NamedTuple, Self

from koatsu.clock import require_aware
from koatsu.errors import KoatsuError

__all__ = [
    "Counters",
    "LinkState",
    "Listener",
    "LiveHub",
    "LiveState",
    "MeterLive",
    "Recovery",
    "RecoveryState",
    "Signal",
    "SignalKind",
    "link_state",
]

SignalKind = Literal["sample", "slot", "event", "recovery", "link", "epoch", "trouble"]
_NORMAL_POLL: Final = timedelta(seconds=60)


class Signal(NamedTuple):
    """Something changed: of what kind, of which meter (``None``: the site), when. The views tell what."""

    kind: SignalKind
    meter_id: str | None
    at: datetime


class Listener:
    """One reader of signals: ``async for signal in listener``; leave with ``close`` or ``async with``.

    Signals of one kind and meter that wait here are one: the newest. ``lost`` counts those that a newer
    one replaced and those dropped because ``limit`` kinds were waiting already.
    """

    def __init__(self, hub: LiveHub, limit: int) -> None:
        self._hub = hub
        self._limit = limit
        self._waiting: OrderedDict[tuple[str, str | None], Signal] = OrderedDict()
        self._ready = asyncio.Event()
        self._closed = False
        self.lost = 0

    def put(self, signal: Signal) -> None:
        """Take a signal; never waits."""
        key = (signal.kind, signal.meter_id)
        if self._waiting.pop(key, None) is not None:
            self.lost += 1
        elif len(self._waiting) >= self._limit:
            self._waiting.popitem(last=False)
            self.lost += 1
        self._waiting[key] = signal
        self._ready.set()

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        return self._closed

    def close(self) -> None:
        """Hear no more; a reader that waits ends."""
        self._closed = True
        self._hub.forget(self)
        self._ready.set()

    async def next(self, wait: timedelta | None = None) -> Signal | None:
        """The next signal; ``None`` when closed, or when none came within ``wait``."""
        try:
            async with asyncio.timeout(None if wait is None else wait.total_seconds()):
                while not self._waiting and not self._closed:
                    self._ready.clear()
                    await self._ready.wait()
        except TimeoutError:
            return None
        return self._waiting.popitem(last=False)[1] if self._waiting else None

    async def __aiter__(self) -> AsyncIterator[Signal]:
        while (signal := await self.next()) is not None:
            yield signal

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()


class LiveHub:
    """Hands each signal to every listener, inside one event loop."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, *, limit: int = 64) -> Listener:
        """A new listener that hears what is published from now on.

        Raises:
            ValueError: ``limit`` is not positive.
        """
        if limit < 1:
            raise ValueError(f"a listener keeps at least one signal, not {limit}")
        listener = Listener(self, limit)
        self._listeners.append(listener)
        return listener

    def publish(self, signal: Signal) -> None:
        """Tell every listener; returns at once."""
        for listener in tuple(self._listeners):
            listener.put(signal)

    def forget(self, listener: Listener) -> None:
        """Take a listener off the list; harmless when it is not on it."""
        if listener in self._listeners:
            self._listeners.remove(listener)

    def close(self) -> None:
        """End every listener."""
        for listener in tuple(self._listeners):
            listener.close()

    def __len__(self) -> int:
        return len(self._listeners)


class LinkState(StrEnum):
    """How the meter answers."""

    LIVE = "live"  #: as expected
    WAITING = "waiting"  #: not heard of since the start
    STALE = "stale"  #: some polls went unanswered
    SILENT = "silent"  #: nothing for a long while


class RecoveryState(StrEnum):
    """Where the recovery of histories stands."""

    IDLE = "idle"  #: not begun
    RUNNING = "running"
    DONE = "done"  #: every day that the meter keeps has been read
    PAUSED = "paused"  #: the meter does not answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The recovery of one meter: days read, days to read, the day in work, expected time to the end.

    ``horizon_days`` is how far back the meter has turned out to keep histories; ``None`` while unknown.
    """

    state: RecoveryState = RecoveryState.IDLE
    days_done: int = 0
    days_total: int = 0
    current_day: date | None = None
    eta: timedelta | None = None
    horizon_days: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.days_done <= self.days_total:
            raise ValueError(f"{self.days_done} of {self.days_total} days cannot be done")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterLive:
    """One meter's link at one moment.

    ``answer`` is how long the last answer took, ``clock_offset`` the meter's clock minus ours (``None``
    while unknown), ``poll`` how often an answer is expected.
    """

    since: datetime | None = None
    last_received: datetime | None = None
    last_failed: datetime | None = None
    answer: timedelta | None = None
    clock_offset: timedelta | None = None
    poll: timedelta = _NORMAL_POLL
    recovery: Recovery = Recovery()


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """What has happened with one meter since the program started; none of these ever falls.

    ``exchanges`` are questions with an answer or the end of waiting for one, ``failures`` those that nobody
    answered, ``refused`` questions whose answer held nothing usable, ``recovered_days`` days of history that
    were read with data in them.
    """

    exchanges: int = 0
    failures: int = 0
    refused: int = 0
    recovered_days: int = 0

    def plus(
        self, *, exchanges: int = 0, failures: int = 0, refused: int = 0, recovered_days: int = 0
    ) -> Counters:
        """So much more of each."""
        return Counters(
            exchanges=self.exchanges + exchanges,
            failures=self.failures + failures,
            refused=self.refused + refused,
            recovered_days=self.recovered_days + recovered_days,
        )


def link_state(live: MeterLive, now: datetime) -> LinkState:
    """Live within three polls of the last answer, silent after twenty, stale between.

    A meter never heard of is waited for as long, from ``live.since``.
    """
    heard = live.last_received
    if heard is None:
        waited = now - live.since if live.since else timedelta(0)
        return LinkState.SILENT if waited > 20 * live.poll else LinkState.WAITING
    age = now - heard
    if age <= 3 * live.poll:
        return LinkState.LIVE
    return LinkState.STALE if age <= 20 * live.poll else LinkState.SILENT


class LiveState:
    """The present ``MeterLive`` of each meter. Each change replaces a value, so any thread may read.

    Args:
        steady: real seconds on a clock that nobody sets.
    """

    def __init__(self, steady: Callable[[], float] = time.monotonic) -> None:
        self._steady = steady
        self._signs: dict[str, float] = {}  # when a collector was last heard of
        self._meters: dict[str, MeterLive] = {}
        self._counters: dict[str, Counters] = {}
        self._trouble: tuple[KoatsuError, datetime] | None = None

    @property
    def trouble(self) -> KoatsuError | None:
        """Why the store does not take what is measured; ``None`` while it does."""
        return self._trouble[0] if self._trouble else None

    @property
    def trouble_since(self) -> datetime | None:
        """Since when the store takes nothing."""
        return self._trouble[1] if self._trouble else None

    def store_failed(self, error: KoatsuError, at: datetime) -> None:
        """The store took nothing; the time of the first failure in a row stays."""
        self._trouble = error, self.trouble_since or require_aware(at)

    def store_works(self) -> None:
        """The store takes what is measured."""
        self._trouble = None

    def counters(self, meter_id: str) -> Counters:
        """What has happened with a meter since the program started."""
        return self._counters.get(meter_id, Counters())

    def count(
        self,
        meter_id: str,
        *,
        exchanges: int = 0,
        failures: int = 0,
        refused: int = 0,
        recovered_days: int = 0,
    ) -> None:
        """Count what has happened with a meter."""
        self._counters[meter_id] = self.counters(meter_id).plus(
            exchanges=exchanges, failures=failures, refused=refused, recovered_days=recovered_days
        )

    def of(self, meter_id: str) -> MeterLive:
        """The state of a meter; that of one never heard of when nothing was told."""
        return self._meters.get(meter_id, MeterLive())

    def quiet_s(self, meter_id: str) -> float | None:
        """Real seconds since the collector of a meter was last heard of: a start, an answer, a failure.

        ``None`` where it never was. No step of a clock changes it.
        """
        sign = self._signs.get(meter_id)
        return None if sign is None else self._steady() - sign

    def started(self, meter_id: str, at: datetime, *, poll: timedelta) -> None:
        """The collector begins to ask a meter, every ``poll``."""
        self._signs[meter_id] = self._steady()
        self._change(meter_id, since=require_aware(at), poll=poll)

    def answered(self, meter_id: str, at: datetime, *, answer: timedelta | None = None) -> None:
        """The meter answered, ``answer`` after it was asked; or notified, without having been asked."""
        self._signs[meter_id] = self._steady()
        changes: dict[str, object] = {"last_received": require_aware(at)}
        if answer is not None:
            changes["answer"] = answer
        self._change(meter_id, **changes)

    def failed(self, meter_id: str, at: datetime) -> None:
        """The meter did not answer."""
        self._signs[meter_id] = self._steady()
        self._change(meter_id, last_failed=require_aware(at))

    def clock(self, meter_id: str, offset: timedelta) -> None:
        """The meter's clock was compared: it is ``offset`` ahead of ours."""
        self._change(meter_id, clock_offset=offset)

    def recovery(self, meter_id: str, recovery: Recovery) -> None:
        """The recovery of a meter's histories moved on."""
        self._change(meter_id, recovery=recovery)

    def _change(self, meter_id: str, **changes: object) -> None:
        self._meters[meter_id] = replace(self.of(meter_id), **changes)  # type: ignore[arg-type] # by field name
