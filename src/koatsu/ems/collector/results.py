"""What asking a meter gives: a round of present values, a day of history, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from koatsu.devices import Value
from koatsu.errors import KoatsuError
from koatsu.meter import ClockOffset, Measured, MeterTime, Refusal, clock_offset

__all__ = ["DayRead", "NotSelectableError", "ReplacedError", "Sample"]


class NotSelectableError(KoatsuError):
    """The meter refuses the day: it lies beyond its horizon."""


class ReplacedError(KoatsuError):
    """Another meter answers than the one whose nameplate was read: open it again before taking its counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one round of questions gave."""

    values: Mapping[str, Value]
    measured: tuple[Measured, ...]
    sent: datetime
    received: datetime
    answer_s: float
    meter_time: MeterTime | None = None

    @property
    def offset(self) -> ClockOffset | None:
        """The meter's clock minus ours, where a present value told its time."""
        if self.meter_time is None or self.meter_time.lag or self.received < self.sent:
            return None  # no time of its own, or our clock was set back meanwhile
        return clock_offset(self.meter_time.stamp, sent=self.sent, received=self.received)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRead:
    """One day's histories.

    ``day`` is ``None`` and ``problem`` says why when nothing sound came back. ``elements`` counts, for each
    history property, its values and its "no data".
    """

    days_back: int
    day: date | None
    measured: tuple[Measured, ...] = ()
    problem: KoatsuError | None = None
    elements: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    received: datetime | None = None
    meter_time: datetime | None = None  #: the meter's own time just after the read

    @classmethod
    def unsound(cls, days_back: int, refusal: Refusal) -> DayRead:
        """A day that cannot be used, for the reason of the refusal."""
        return cls(days_back=days_back, day=None, problem=KoatsuError(refusal.reason, ja=refusal.reason_ja))
