"""What a meter keeps of the past: half hours and slot demands for a hundred days, minutes for one.

Keys are numbers on the meter's own clock: half hours since 1970-01-01T00:00 JST (the instant, for
totals; the slot that begins there, for demand) and minutes likewise. Values are whole mWh and mvarh.
"""

from __future__ import annotations

from koatsu.emulator.meter_clock import HALF_HOUR_MS, MINUTE_MS
from koatsu.emulator.spec import HISTORY_LIMIT_DAYS

__all__ = ["KEPT_MINUTES", "Memory", "Totals"]

Totals = tuple[int, ...]

KEPT_MINUTES = 1440
_KEPT_HALF_HOURS = (HISTORY_LIMIT_DAYS + 1) * 48 + 2


class Memory:
    """Bounded by age; a clock that is set back forgets what would lie in its future."""

    def __init__(self) -> None:
        self.half_hours: dict[int, Totals] = {}
        self.demands: dict[int, tuple[int, int]] = {}
        self.minutes: dict[int, Totals] = {}

    def keep_minute(self, minute: int, totals: Totals) -> None:
        """Keep the registers at a full minute."""
        self.minutes[minute] = totals
        self.minutes.pop(minute - KEPT_MINUTES, None)

    def keep_half_hour(self, index: int, totals: Totals, demand: tuple[int, int] | None) -> None:
        """Keep the registers at a half hour and the energy of the slot that ends there."""
        self.half_hours[index] = totals
        if demand is not None:
            self.demands[index - 1] = demand
        self.half_hours.pop(index - _KEPT_HALF_HOURS, None)
        self.demands.pop(index - _KEPT_HALF_HOURS, None)

    def forget_after(self, shown_ms: int) -> None:
        """Drop whatever is later than the clock now shows."""
        half_hour, minute = shown_ms // HALF_HOUR_MS, shown_ms // MINUTE_MS
        self.half_hours = {index: kept for index, kept in self.half_hours.items() if index <= half_hour}
        self.demands = {index: kept for index, kept in self.demands.items() if index < half_hour}
        self.minutes = {index: kept for index, kept in self.minutes.items() if index <= minute}

    def shift(self, by: list[int]) -> None:
        """Move every kept total, as if the meter had always counted from elsewhere."""
        for kept in (self.half_hours, self.minutes):
            for key, totals in kept.items():
                kept[key] = tuple(total + step for total, step in zip(totals, by, strict=True))
