"""Counting pulses from slot pulse to slot pulse: pure, with the times that its caller gives.

A span between two slot pulses that were both heard is whole: nothing was split, nothing guessed. Where a
slot pulse is lost, two slots run together and stay so; where listening began or broke off, the span is a
part. Which half hour a slot pulse means is the nearest one by our clock. Where an installation has no slot
pulse, our own clock cuts instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from koatsu.ems.pulses.lines import Constant, EnergyPulses, PulseLine, SlotPulse
from koatsu.meter.slots import HALF_HOUR, Slot, is_half_hour

__all__ = ["PulseCounter", "PulseSpan", "nearest_half_hour"]

_QUARTER: Final = HALF_HOUR / 2


def nearest_half_hour(instant: datetime) -> datetime:
    """The half hour that ``instant`` is nearest to, UTC; the later one of two."""
    return Slot.at(instant + _QUARTER).start


@dataclass(frozen=True, slots=True, kw_only=True)
class PulseSpan:
    """Pulses counted without a break, from ``since`` to ``until`` by our clock.

    ``slot_pulses``: 2 when a slot pulse stood at either end, one more for each that came between and meant
    no other half hour; 1 or 0 when an end is something else. ``per_kwh`` is ``None`` where nobody told it.
    """

    since: datetime
    until: datetime
    pulses: int
    slot_pulses: int
    per_kwh: Fraction | None = None

    @property
    def by_clock(self) -> bool:
        """Whether our own clock cut both ends, for want of slot pulses."""
        return self.slot_pulses == 0 and is_half_hour(self.since) and is_half_hour(self.until)

    @property
    def whole(self) -> bool:
        """Whether it counts whole slots."""
        return (self.slot_pulses > 1 or self.by_clock) and self.start < self.end

    @property
    def start(self) -> datetime:
        """The half hour at which it begins; of a part, that in which it begins."""
        whole = self.slot_pulses > 1 or self.by_clock
        return nearest_half_hour(self.since) if whole else Slot.at(self.since).start

    @property
    def end(self) -> datetime:
        """The half hour at which it ends; of a part, that before which it ends."""
        if self.slot_pulses > 1 or self.by_clock:
            return nearest_half_hour(self.until)
        last = Slot.at(max(self.since, self.until - timedelta(microseconds=1)))
        return last.end

    @property
    def late(self) -> timedelta | None:
        """How much later than the half hour, by our clock, its closing slot pulse came."""
        return self.until - self.end if self.slot_pulses > 1 else None


class PulseCounter:
    """Counts one source. Feed it lines and times in order; take the spans that they close.

    Args:
        per_kwh: the constant; what the source announces counts only where this is ``None``.
        slot_pulse: ``False``: this installation has none, our clock cuts at every half hour.
    """

    def __init__(self, per_kwh: Fraction | None = None, *, slot_pulse: bool = True) -> None:
        self._given = per_kwh
        self._per_kwh = per_kwh
        self._slot_pulse = slot_pulse
        self._since: datetime | None = None
        self._at_pulse = False  # whether the present span began with a slot pulse
        self._pulses = 0
        self._more = 0  # slot pulses that meant no other half hour

    @property
    def listening(self) -> bool:
        """Whether a span is open."""
        return self._since is not None

    def begin(self, at: datetime) -> list[PulseSpan]:
        """Listening begins at ``at``; what was open before is a part."""
        closed = self.stop(at)
        self._open(at, at_pulse=False)
        return closed

    def stop(self, at: datetime) -> list[PulseSpan]:
        """Listening breaks off at ``at``: what is open is a part."""
        if self._since is None:
            return []
        span = PulseSpan(
            since=self._since,
            until=max(at, self._since),
            pulses=self._pulses,
            slot_pulses=1 if self._at_pulse else 0,
            per_kwh=self._per_kwh,
        )
        self._since = None
        return [span] if span.until > span.since else []

    def hear(self, line: PulseLine, at: datetime) -> list[PulseSpan]:
        """Take a line that came at ``at``; the spans that it closes."""
        at = at.astimezone(UTC)
        match line:
            case EnergyPulses(count=count):
                if self._since is None:
                    self._open(at, at_pulse=False)
                self._pulses += count
                return []
            case Constant(per_kwh=per_kwh):
                return self._constant(per_kwh, at)
            case SlotPulse():
                return self._slot(at) if self._slot_pulse else []

    def tick(self, at: datetime) -> list[PulseSpan]:
        """Our clock shows a half hour: cuts where there are no slot pulses."""
        if self._slot_pulse or self._since is None or not is_half_hour(at) or at <= self._since:
            return []
        closed = PulseSpan(
            since=self._since, until=at, pulses=self._pulses, slot_pulses=0, per_kwh=self._per_kwh
        )
        self._open(at, at_pulse=False)
        return [closed]

    def _constant(self, per_kwh: Fraction, at: datetime) -> list[PulseSpan]:
        if self._given is not None or per_kwh == self._per_kwh:
            return []
        known, self._per_kwh = self._per_kwh, per_kwh
        if known is None or self._since is None:
            return []
        self._per_kwh = known  # another meter: what was counted so far is worth what the old one said
        closed = self.stop(at)
        self._per_kwh = per_kwh
        self._open(at, at_pulse=False)
        return closed

    def _slot(self, at: datetime) -> list[PulseSpan]:
        if self._since is None:
            self._open(at, at_pulse=True)
            return []
        if self._at_pulse and nearest_half_hour(at) == nearest_half_hour(self._since):
            self._more += 1
            return []
        closed = PulseSpan(
            since=self._since,
            until=max(at, self._since),
            pulses=self._pulses,
            slot_pulses=2 + self._more if self._at_pulse else 1,
            per_kwh=self._per_kwh,
        )
        if closed.slot_pulses > 1 and closed.end <= closed.start:  # our clock was set back meanwhile
            closed = replace(closed, slot_pulses=1)
        self._open(at, at_pulse=True)
        return [closed]

    def _open(self, at: datetime, *, at_pulse: bool) -> None:
        self._since, self._at_pulse, self._pulses, self._more = at.astimezone(UTC), at_pulse, 0, 0
