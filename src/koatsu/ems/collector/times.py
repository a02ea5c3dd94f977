"""What time it is at the meter, carried on between its answers by a clock that nobody can set.

Slots follow the meter's clock. Its stamps tell where that clock stands; from one to the next it is carried
on by the event loop's time, so a step of our own clock moves nothing here. How far the two are apart is
shown, and told when it is more than half a minute.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from koatsu.clock import JST, Clock
from koatsu.ems.collector.journal import Journal
from koatsu.ems.collector.pacing import Pace
from koatsu.ems.collector.results import Sample
from koatsu.ems.store import Level
from koatsu.meter.meter_clock import ONE_SECOND

__all__ = ["MeterTimes"]

_DRIFT: Final = timedelta(seconds=30)  # the clocks are certainly further apart than this: say so
_NEAR: Final = timedelta(hours=1)  # a meter's clock further off than this is wrong, and not only drifting


class MeterTimes:
    """The clock of one meter as its answers tell it; ours until the first one.

    Args:
        journal: what is shown and told.
        pace: the loop's time.
        clock: our time.
    """

    def __init__(self, journal: Journal, pace: Pace, clock: Clock) -> None:
        self._journal = journal
        self._pace = pace
        self._clock = clock
        self._known: tuple[datetime, float] | None = None  # the meter's time, and the loop's at that moment
        self._drifting = False

    def now(self) -> datetime:
        """The meter's time."""
        if self._known is None:
            return self._clock.now()
        stamp, at = self._known
        return stamp + self._pace.span(self._pace.now() - at)

    def today(self) -> date:
        """The meter's date."""
        return self.now().astimezone(JST).date()

    def near(self) -> datetime:
        """The meter's time where it is about right, ours where it is not: when something happened."""
        ours, its = self._clock.now(), self.now()
        return its if abs(its - ours) < _NEAR else ours

    def told(self, stamp: datetime, lag: timedelta = timedelta(0)) -> None:
        """The meter's clock stands between ``stamp`` and ``stamp + lag``, to the second."""
        its = self.now()
        low, high = stamp, stamp + lag + ONE_SECOND
        if self._known is None or not low <= its <= high:
            middle = stamp if not lag else min(max(its, low), high)
            self._known = middle, self._pace.now()

    def compare(self, sample: Sample) -> None:
        """Take over the time that an answer tells, and compare the clocks."""
        if sample.meter_time is not None:
            self.told(sample.meter_time.stamp, sample.meter_time.lag)
        offset = sample.offset
        if offset is None:
            return
        self._journal.live.clock(self._journal.meter_id, offset.low + (offset.high - offset.low) / 2)
        drifting = offset.exceeds(_DRIFT)
        if drifting != self._drifting:
            self._drifting = drifting
            seconds = round(offset.certain.total_seconds())
            if drifting:
                self._journal.log(Level.CAUTION, "clock_drift", seconds=seconds)
            else:
                self._journal.log(Level.OK, "clock_right")
