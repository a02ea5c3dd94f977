"""The meter's clock: how far it is from ours, and whether it stayed on one date during an exchange.

Slots follow the meter's clock, so an offset is shown and alarmed, never corrected away. A stamp is known
to the second at best and was taken somewhere between our request and its answer; all of that is kept as
an interval, so that a slow answer is not taken for a slow clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from koatsu.clock import JST, require_aware

__all__ = ["ONE_SECOND", "Bracket", "ClockOffset", "clock_offset", "same_meter_day"]

ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """The meter's clock minus ours lies from ``low`` to ``high``; positive when the meter is ahead."""

    low: timedelta
    high: timedelta

    @property
    def certain(self) -> timedelta:
        """The part of the offset that is beyond doubt: 0 when the clocks may agree."""
        if self.low > timedelta(0):
            return self.low
        return min(self.high, timedelta(0))

    def exceeds(self, limit: timedelta) -> bool:
        """Whether the clocks are certainly more than ``limit`` apart."""
        return abs(self.certain) > limit


def clock_offset(
    meter: datetime, *, sent: datetime, received: datetime, resolution: timedelta = ONE_SECOND
) -> ClockOffset:
    """The offset that a stamp of a present value (never a fixed-time one) tells.

    ``sent`` and ``received`` are our times of the request and its answer; for a notification both are when
    it came. A stamp of ``resolution`` means an instant from itself to just before the next step.

    Raises:
        ValueError: a time is naive, or the answer precedes the request.
    """
    if require_aware(received) < require_aware(sent):
        raise ValueError("an answer is not received before its request is sent")
    return ClockOffset(require_aware(meter) - received, meter + resolution - sent)


def same_meter_day(before: datetime, after: datetime, *, lag: timedelta = timedelta(0)) -> bool:
    """Whether the meter's JST date is surely the same at both dated readings around an exchange.

    ``lag`` is how far the true meter time may run ahead of a stamp: zero for a present value, more for
    one-minute and fixed-time stamps.

    Raises:
        ValueError: a time is naive, ``after`` lies before ``before``, or the lag is negative.
    """
    if require_aware(after) < require_aware(before) or lag < timedelta(0):
        raise ValueError("a bracket runs forward in time")
    return before.astimezone(JST).date() == (after + lag).astimezone(JST).date()


@dataclass(frozen=True, slots=True)
class Bracket:
    """Two dated readings of one meter around an exchange that itself carries no date.

    Raises:
        ValueError: as :func:`same_meter_day`, or the date differs: the exchange must be repeated.
    """

    before: datetime
    after: datetime
    lag: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        if not same_meter_day(self.before, self.after, lag=self.lag):
            raise ValueError("the meter's date may have changed during the exchange")
        object.__setattr__(self, "before", self.before.astimezone(UTC))
        object.__setattr__(self, "after", self.after.astimezone(UTC))

    @property
    def day(self) -> date:
        """The meter's date (JST) during the exchange."""
        return self.before.astimezone(JST).date()

    @property
    def latest(self) -> datetime:
        """The latest instant (UTC) that the meter's clock may have shown in the exchange."""
        return self.after + self.lag
