"""Working days of a Japanese site: weekday, Saturday, Sunday and national holidays, and its own pauses.

Instants inside the load shapes are whole minutes since 1970 in JST ("JST minutes"), because a load
is asked a hundred thousand times for one back-fill and has no business with time zones.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import lru_cache

import jpholiday

from koatsu.clock import require_aware

__all__ = ["MINUTES_OF_DAY", "DayKind", "Pause", "date_of", "day_kind", "jst_minute"]

MINUTES_OF_DAY = 1440
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_JST_MINUTES = 9 * 60


class DayKind(StrEnum):
    """What sort of day the site has; a profile has one curve for each."""

    WORKDAY = "workday"
    SATURDAY = "saturday"
    HOLIDAY = "holiday"  #: Sundays and national holidays
    PAUSE = "pause"  #: summer closing, New Year, school holidays


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A yearly closing time, both days included; it may run over New Year."""

    first: tuple[int, int]
    last: tuple[int, int]

    def covers(self, day: date) -> bool:
        """Whether ``day`` lies in the pause."""
        here = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


def jst_minute(instant: datetime) -> int:
    """Whole minutes from 1970-01-01T00:00 JST (as a wall clock reads it) to ``instant``."""
    seconds = (require_aware(instant) - _EPOCH).total_seconds()
    return int(seconds // 60) + _JST_MINUTES


def date_of(minute: int) -> date:
    """The JST date on which the JST minute falls."""
    return date.fromordinal(_EPOCH_ORDINAL + minute // MINUTES_OF_DAY)


@lru_cache(maxsize=4096)
def day_kind(day: date, pauses: tuple[Pause, ...] = ()) -> DayKind:
    """The kind of ``day`` by weekday, the law's holidays and the site's own pauses."""
    if any(pause.covers(day) for pause in pauses):
        return DayKind.PAUSE
    if day.weekday() == 6 or jpholiday.is_holiday(day):
        return DayKind.HOLIDAY
    return DayKind.SATURDAY if day.weekday() == 5 else DayKind.WORKDAY
