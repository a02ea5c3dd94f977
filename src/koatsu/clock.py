"""Time as an argument: the one interface through which Koatsu learns what time it is.

Inside everything is aware UTC; JST (+09:00, no daylight saving) appears at the edges only.
A naive datetime is an error wherever it shows up.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Protocol

__all__ = ["JST", "Clock", "ManualClock", "ScaledClock", "SystemClock", "require_aware"]

JST = timezone(timedelta(hours=9), "JST")


def require_aware(instant: datetime) -> datetime:
    """Return ``instant`` unchanged.

    Raises:
        ValueError: it has no time zone.
    """
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise ValueError(f"a time without zone is not accepted: {instant!r}")
    return instant


class Clock(Protocol):
    """What time it is, and how long to wait in real seconds until another time."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        ...

    def real_seconds_until(self, instant: datetime) -> float:
        """Real seconds until this clock shows ``instant``; 0 when it has passed."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, aware UTC."""
        return datetime.now(UTC)

    def real_seconds_until(self, instant: datetime) -> float:
        """Seconds until ``instant``; 0 when it has passed."""
        return max(0.0, (require_aware(instant) - self.now()).total_seconds())


class ScaledClock:
    """A clock that starts at ``start`` and runs ``speed`` times as fast as the machine's.

    It counts on the monotonic clock, so stepping the machine's clock does not move it.

    Raises:
        ValueError: ``start`` is naive or ``speed`` is not positive.
    """

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed}")
        self._start = require_aware(start).astimezone(UTC) if start else datetime.now(UTC)
        self._speed = speed
        self._zero = time.monotonic()

    @property
    def speed(self) -> float:
        """Seconds of this clock in one real second."""
        return self._speed

    def now(self) -> datetime:
        """The present instant of this clock, aware UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._zero) * self._speed)

    def real_seconds_until(self, instant: datetime) -> float:
        """Real seconds until this clock shows ``instant``; 0 when it has passed."""
        return max(0.0, (require_aware(instant) - self.now()).total_seconds() / self._speed)


class ManualClock:
    """A clock that moves only when told to: for tests and for replay."""

    def __init__(self, start: datetime) -> None:
        self._now = require_aware(start).astimezone(UTC)

    def now(self) -> datetime:
        """The instant last set, aware UTC."""
        return self._now

    def advance(self, step: timedelta) -> datetime:
        """Move by ``step`` (backwards too: a stepped clock is a case to test); return the new instant."""
        self._now += step
        return self._now

    def set(self, instant: datetime) -> None:
        """Move to ``instant``, which must be aware."""
        self._now = require_aware(instant).astimezone(UTC)

    def real_seconds_until(self, instant: datetime) -> float:
        """The difference itself: a manual clock runs at no speed, so the caller advances it."""
        return max(0.0, (require_aware(instant) - self._now).total_seconds())
