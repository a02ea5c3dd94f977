"""Whether the store takes what is measured, known to all collectors of the site, and when to try again.

A locked database, a full disk or one that fails for a while passes; a damaged file, one of another program
or of a newer version does not, and whoever meets it has to stop with that sentence.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

from koatsu.clock import Clock
from koatsu.ems.live import LiveHub, LiveState, Signal
from koatsu.ems.store import Event, Level, StoreError, StoreErrorKind

__all__ = ["PASSING", "StoreGate"]

log = logging.getLogger(__name__)

PASSING: Final = frozenset(
    {
        StoreErrorKind.LOCKED,
        StoreErrorKind.READ_ONLY,
        StoreErrorKind.FULL,
        StoreErrorKind.DISK,
        StoreErrorKind.CANNOT_OPEN,
        StoreErrorKind.OTHER,
    }
)
"""What may pass by itself, or by somebody's making room."""

_MOMENT_S: Final = 0.05
_PAUSES_S: Final = (2.0, 5.0, 10.0, 20.0, 40.0, 60.0)  # real seconds: a locked store may block us meanwhile


class _Tries:
    """When the store of one site may be tried again, by the event loop's time."""

    __slots__ = ("at", "failures")

    def __init__(self) -> None:
        self.failures = 0
        self.at = 0.0


_TRIES: Final[WeakKeyDictionary[LiveState, _Tries]] = WeakKeyDictionary()


class StoreGate:
    """One collector's view of the store; all that share a ``LiveState`` share its trouble and its tries."""

    def __init__(self, live: LiveState, hub: LiveHub, clock: Clock) -> None:
        self._live = live
        self._hub = hub
        self._clock = clock
        self._tries = _TRIES.setdefault(live, _Tries())

    @staticmethod
    def passing(error: StoreError) -> bool:
        """Whether the store may work again by itself."""
        return error.kind in PASSING

    @property
    def shut(self) -> bool:
        """Whether the store took nothing when it was tried last."""
        return self._live.trouble is not None

    def wait_s(self) -> float:
        """Real seconds until the store may be tried again; 0 while it works."""
        if not self.shut:
            return 0.0
        return max(self._tries.at - asyncio.get_running_loop().time(), 0.0)

    async def try_again(self) -> None:
        """Wait until the store may be tried again, a moment at least."""
        await asyncio.sleep(max(self.wait_s(), _MOMENT_S))

    def failed(self, error: StoreError) -> None:
        """The store took nothing: show it, and leave it alone for a while."""
        pause = _PAUSES_S[min(self._tries.failures, len(_PAUSES_S) - 1)]
        self._tries.failures += 1
        self._tries.at = asyncio.get_running_loop().time() + pause
        if not self.shut:
            log.warning("the store takes nothing: %s", error.message)
        self._live.store_failed(error, self._clock.now())
        self._publish()

    def opened(self) -> None:
        """The store works again."""
        self._tries.failures, self._tries.at = 0, 0.0
        if self.shut:
            log.warning("the store works again")
            self._live.store_works()
            self._publish()

    def report(self) -> Event:
        """What was the matter and for how long: an event of the site, for the moment at which it is over."""
        error, since, now = self._live.trouble, self._live.trouble_since, self._clock.now()
        assert error is not None
        assert since is not None
        params = {"en": error.message, "ja": error.ja or error.message, "seconds": _seconds(since, now)}
        return Event(at=now, level=Level.CAUTION, code="store_back", params=params)

    def _publish(self) -> None:
        self._hub.publish(Signal("trouble", None, self._clock.now()))


def _seconds(since: datetime, until: datetime) -> int:
    return max(round((until - since).total_seconds()), 0)
