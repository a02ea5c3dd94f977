"""From counts at half-hour instants to slots and holes, without losing or inventing a count.

One unknown count hides two slots, but their sum is exact. So a gap between two known counts is one
hole: exact energy, unknown shape. It is never spread over its slots and never dropped from a total.
The counts are those of one register in one epoch; no difference crosses an epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise

from koatsu.meter.conflicts import Conflict
from koatsu.meter.quantity import exact_sum
from koatsu.meter.registers import difference
from koatsu.meter.scale import Scale
from koatsu.meter.slots import HALF_HOUR, Slot, is_half_hour, slots_between

__all__ = ["ConflictSpan", "Hole", "Interval", "SlotEnergy", "Total", "intervals", "total"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotEnergy:
    """A slot with a known count at both ends; ``energy`` in the register's unit, ``None`` when unscaled."""

    slot: Slot
    start_count: int
    end_count: int
    counts: int
    energy: Decimal | None

    @property
    def start(self) -> datetime:
        """First instant, UTC."""
        return self.slot.start

    @property
    def end(self) -> datetime:
        """First instant after, UTC."""
        return self.slot.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """Two or more slots between two known counts: the sum is exact, its shape unknown.

    ``start`` and ``end`` are UTC; ``energy`` is in the register's unit, ``None`` when unscaled.
    """

    start: datetime
    end: datetime
    start_count: int
    end_count: int
    counts: int
    energy: Decimal | None

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots that share the energy."""
        return slots_between(self.start, self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConflictSpan:
    """One or more slots between two known counts whose difference cannot be true, or not be told."""

    start: datetime
    end: datetime
    start_count: int
    end_count: int
    conflict: Conflict

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots of unknown energy."""
        return slots_between(self.start, self.end)


Interval = SlotEnergy | Hole | ConflictSpan


def intervals(
    counts: Mapping[datetime, int | None],
    *,
    digits: int,
    scale: Scale,
    ceiling_kw: Decimal | None,
) -> tuple[Interval, ...]:
    """The slots, holes and conflicts between the outermost known counts, in order, without gap or overlap.

    ``counts`` holds aware instants on half hours; a ``None`` and a missing instant mean the same here.
    Each pair of neighbouring known counts gives one interval by the rule of :func:`difference`, so a
    chain of counts may run on for years and wrap often: only a single gap can be too long to tell.

    Raises:
        ValueError: an instant is naive or not on a half hour.
    """
    known: dict[datetime, int] = {}
    for instant, count in counts.items():
        if not is_half_hour(instant):
            raise ValueError(f"a slot border is on a half hour, not at {instant.isoformat()}")
        if count is not None:
            known[instant.astimezone(UTC)] = count
    borders = sorted(known)
    return tuple(
        _between(start, end, known[start], known[end], digits, scale, ceiling_kw)
        for start, end in pairwise(borders)
    )


def _between(
    start: datetime,
    end: datetime,
    first: int,
    last: int,
    digits: int,
    scale: Scale,
    ceiling_kw: Decimal | None,
) -> Interval:
    result = difference(first, last, digits=digits, scale=scale, span=end - start, ceiling_kw=ceiling_kw)
    if isinstance(result, Conflict):
        return ConflictSpan(start=start, end=end, start_count=first, end_count=last, conflict=result)
    if end - start == HALF_HOUR:
        return SlotEnergy(
            slot=Slot.starting(start),
            start_count=first,
            end_count=last,
            counts=result.counts,
            energy=result.value,
        )
    return Hole(
        start=start,
        end=end,
        start_count=first,
        end_count=last,
        counts=result.counts,
        energy=result.value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a register counted in a period, as far as it is known.

    ``counts`` and ``energy`` sum the slots and holes that lie wholly inside the period; both are ``None``
    when there is none, and ``energy`` also when the meter is unscaled. ``known_from`` and ``known_until``
    are the instants of the outermost known counts used. ``straddling`` are holes that cross a border of
    the period: exact, but nobody knows how much of them falls inside. ``conflicts`` are not in the sum.
    """

    start: datetime
    end: datetime
    counts: int | None
    energy: Decimal | None
    known_from: datetime | None
    known_until: datetime | None
    straddling: tuple[Hole, ...]
    conflicts: tuple[ConflictSpan, ...]

    @property
    def complete(self) -> bool:
        """Whether the sum is the whole period: known to both borders, and nothing in conflict."""
        return self.known_from == self.start and self.known_until == self.end and not self.conflicts


def total(parts: Iterable[Interval], start: datetime, end: datetime, *, scale: Scale) -> Total:
    """The sum over the period from ``start`` to ``end``, of intervals of one register in one epoch.

    Raises:
        ValueError: a border is naive or not on a half hour, or they are in the wrong order.
    """
    if not (is_half_hour(start) and is_half_hour(end)) or end < start:
        raise ValueError("a period runs from one half hour to a later one")
    inside: list[SlotEnergy | Hole] = []
    straddling: list[Hole] = []
    conflicts: list[ConflictSpan] = []
    for part in parts:
        if part.end <= start or part.start >= end:
            continue
        if isinstance(part, ConflictSpan):
            conflicts.append(part)
        elif part.start >= start and part.end <= end:
            inside.append(part)
        elif isinstance(part, Hole):
            straddling.append(part)
    unknown = not inside or scale.factor is None
    return Total(
        start=start.astimezone(UTC),
        end=end.astimezone(UTC),
        counts=sum(part.counts for part in inside) if inside else None,
        energy=None if unknown else exact_sum(part.energy for part in inside if part.energy is not None),
        known_from=min((part.start for part in inside), default=None),
        known_until=max((part.end for part in inside), default=None),
        straddling=tuple(straddling),
        conflicts=tuple(conflicts),
    )
