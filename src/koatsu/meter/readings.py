"""What a meter said, as values: register readings, demands, maxima, instantaneous power, current, voltage.

A reading carries the raw count and never a scaled number: the scale belongs to the meter epoch. A count
of ``None`` means that the meter itself answered "no data". Times are kept in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from koatsu.clock import require_aware
from koatsu.meter.conflicts import Conflict, ConflictKind, Refusal
from koatsu.meter.quantity import require_decimal
from koatsu.meter.registers import Direction, Register
from koatsu.meter.slots import Slot

__all__ = [
    "CurrentReading",
    "DemandReading",
    "MaximumReading",
    "Measured",
    "PowerReading",
    "Quality",
    "Reading",
    "Source",
    "VoltageReading",
    "agreed_counts",
]


class Quality(StrEnum):
    """What is known of a slot."""

    MEASURED = "measured"  #: read when it was fresh
    RECOVERED = "recovered"  #: read later, from a history of the meter
    CORRECTED = "corrected"  #: entered by hand, audited
    ESTIMATED = "estimated"  #: computed; never used for billing
    MISSING = "missing"  #: not known yet
    UNAVAILABLE = "unavailable"  #: the meter has no data, or no longer; final
    CONFLICT = "conflict"  #: values that must agree do not


class Source(StrEnum):
    """How a value reached us."""

    LIVE = "live"  #: polled present value
    NOTIFIED = "notified"  #: announced by the meter
    FIXED = "fixed"  #: polled fixed-time (half hour) value
    HISTORY = "history"  #: from a history
    MINUTE = "minute"  #: polled one-minute value
    MANUAL = "manual"  #: entered by hand


def _utc(instant: datetime) -> datetime:
    return instant if instant.tzinfo is UTC else require_aware(instant).astimezone(UTC)


def _check_count(count: int | None) -> None:
    if count is None:
        return
    if isinstance(count, bool) or not isinstance(count, int):
        raise TypeError(f"a count is an integer or None, not {count!r}")
    if count < 0:
        raise ValueError(f"a count is not negative: {count}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The count of one register at one instant.

    ``stamped`` is False when the value carries no time of its own and ``instant`` is when we received it.

    Raises:
        TypeError: the count is not an integer.
        ValueError: a time is naive or the count negative.
    """

    register: Register
    instant: datetime
    count: int | None
    source: Source
    received: datetime
    stamped: bool = True

    def __post_init__(self) -> None:
        _check_count(self.count)
        object.__setattr__(self, "instant", _utc(self.instant))
        object.__setattr__(self, "received", _utc(self.received))


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandReading:
    """The meter's own demand (raw count; times the demand scale it is mean kW) of one closed slot.

    Raises:
        TypeError: the count is not an integer.
        ValueError: a time is naive or the count negative.
    """

    slot: Slot
    direction: Direction
    count: int | None
    source: Source
    received: datetime

    def __post_init__(self) -> None:
        _check_count(self.count)
        object.__setattr__(self, "received", _utc(self.received))


@dataclass(frozen=True, slots=True, kw_only=True)
class MaximumReading:
    """The meter's greatest demand of its month, or the sum of the monthly ones (raw count).

    Raises:
        TypeError: the count is not an integer.
        ValueError: a time is naive or the count negative.
    """

    period: Literal["monthly", "cumulative"]
    direction: Direction
    count: int | None
    source: Source
    received: datetime

    def __post_init__(self) -> None:
        _check_count(self.count)
        object.__setattr__(self, "received", _utc(self.received))


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerReading:
    """Instantaneous active power in W, negative towards the grid; time is when we received it."""

    watts: int | None
    source: Source
    received: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "received", _utc(self.received))


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentReading:
    """Instantaneous current of one phase in A; time is when we received it."""

    phase: Literal["R", "T"]
    amperes: Decimal | None
    source: Source
    received: datetime

    def __post_init__(self) -> None:
        if self.amperes is not None:
            require_decimal(self.amperes, "a current")
        object.__setattr__(self, "received", _utc(self.received))


@dataclass(frozen=True, slots=True, kw_only=True)
class VoltageReading:
    """Instantaneous voltage between two wires in V; time is when we received it."""

    between: Literal["R-S", "S-T"]
    volts: Decimal | None
    source: Source
    received: datetime

    def __post_init__(self) -> None:
        if self.volts is not None:
            require_decimal(self.volts, "a voltage")
        object.__setattr__(self, "received", _utc(self.received))


#: Everything that a decoded property can turn into.
Measured = Reading | DemandReading | MaximumReading | PowerReading | CurrentReading | VoltageReading | Refusal


def agreed_counts(
    readings: list[Reading] | tuple[Reading, ...],
) -> tuple[dict[datetime, int | None], dict[datetime, Conflict]]:
    """The counts of one register in one epoch by instant, and the instants on which readings differ.

    A "no data" answer beside a number does not contradict it. Where two numbers differ neither is chosen:
    the instant counts as unknown, so that its neighbours give the exact sum, and the conflict says so.

    Raises:
        ValueError: the readings are of more than one register.
    """
    if len({reading.register for reading in readings}) > 1:
        raise ValueError("counts of different registers do not mix")
    seen: dict[datetime, list[int]] = {}
    for reading in readings:
        values = seen.setdefault(reading.instant, [])
        if reading.count is not None and reading.count not in values:
            values.append(reading.count)
    counts = {instant: values[0] if len(values) == 1 else None for instant, values in seen.items()}
    conflicts = {
        instant: Conflict(
            ConflictKind.TWO_VALUES,
            f"The meter gave different counts for one instant: {', '.join(map(str, values))}.",
            f"同じ時刻に異なる指示値があります: {', '.join(map(str, values))}。",
        )
        for instant, values in seen.items()
        if len(values) > 1
    }
    return counts, conflicts
