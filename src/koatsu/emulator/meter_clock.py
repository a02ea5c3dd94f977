"""The meter's own clock, which may be ahead of true time, run fast or slow, and jump.

Both times are whole milliseconds of JST wall time since 1970-01-01T00:00 ("JST ms"): a day is
``// 86_400_000``, a half hour ``// 1_800_000``. The model turns them into aware datetimes at its edge.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from koatsu.clock import JST, require_aware

__all__ = ["DAY_MS", "HALF_HOUR_MS", "MINUTE_MS", "MeterClock", "from_ms", "to_ms"]

MINUTE_MS = 60_000
HALF_HOUR_MS = 1_800_000
DAY_MS = 86_400_000
_JST_MS = 9 * 3_600_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_JST = datetime(1970, 1, 1, tzinfo=JST)
_MILLISECOND = timedelta(milliseconds=1)
_MILLION = 1_000_000


def to_ms(instant: datetime) -> int:
    """JST ms of an aware instant."""
    return (require_aware(instant) - _EPOCH) // _MILLISECOND + _JST_MS


def from_ms(ms: int) -> datetime:
    """The aware JST datetime of JST ms."""
    return _EPOCH_JST + ms * _MILLISECOND


class MeterClock:
    """Maps true JST ms to what the meter shows; exact to one millisecond."""

    def __init__(self) -> None:
        self._reference = 0
        self._offset = 0
        self._ppm = 0

    @property
    def drift_ppm(self) -> int:
        """How much the clock gains, in millionths; negative when it loses."""
        return self._ppm

    def shown(self, true_ms: int) -> int:
        """What the meter's clock shows at ``true_ms``."""
        return true_ms + self._offset + (true_ms - self._reference) * self._ppm // _MILLION

    def when(self, shown_ms: int) -> int:
        """The first true millisecond at which the clock shows ``shown_ms`` or later."""
        ahead = shown_ms - self._offset - self._reference
        true_ms = self._reference + ahead * _MILLION // (_MILLION + self._ppm) - 1
        while self.shown(true_ms) < shown_ms:
            true_ms += 1
        return true_ms

    def jump(self, true_ms: int, by_ms: int) -> None:
        """Step the clock by ``by_ms`` at ``true_ms``."""
        self._rebase(true_ms)
        self._offset += by_ms

    def drift(self, true_ms: int, ppm: int) -> None:
        """Gain ``ppm`` millionths from ``true_ms`` on; 0 stops the drift and keeps the offset.

        Raises:
            ValueError: the clock would stand still or run backwards.
        """
        if ppm <= -_MILLION:
            raise ValueError("a clock that runs backwards is not a drift")
        self._rebase(true_ms)
        self._ppm = ppm

    def correct(self, true_ms: int) -> None:
        """Set the clock right at ``true_ms`` and stop its drift."""
        self._reference, self._offset, self._ppm = true_ms, 0, 0

    def _rebase(self, true_ms: int) -> None:
        self._offset = self.shown(true_ms) - true_ms
        self._reference = true_ms
