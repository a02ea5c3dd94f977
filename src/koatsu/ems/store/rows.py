"""The values that go into the store and come out of it, beside those of ``koatsu.meter``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Literal

from koatsu.clock import require_aware
from koatsu.meter.epochs import Nameplate
from koatsu.meter.registers import Register
from koatsu.meter.slots import SLOTS_PER_DAY, Slot

__all__ = [
    "ENOUGH_READS",
    "Clash",
    "Correction",
    "Epoch",
    "Event",
    "HistoryRead",
    "Level",
    "Recorded",
    "Sample",
    "StoredCount",
    "StoredMeter",
    "StoredSite",
]


ENOUGH_READS: Final = 3
"""So often a closed day is asked for before its "no data" is believed to be final."""


class Level(StrEnum):
    """How much a person should mind."""

    INFO = "info"
    OK = "ok"
    CAUTION = "caution"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMeter:
    """A meter of the site; ``class_code`` is the number, 0x028A.

    ``ceiling_kw`` is the greatest mean power that the site can draw: differences above it are not believed.
    """

    id: str
    label: str
    role: str
    class_code: int
    address: str
    ceiling_kw: Decimal | None = None
    site: str = "site"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSite:
    """A site whose meters are kept, under the id that the configuration gives it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """A span of one meter within which counts may be subtracted; ``number`` runs from 1 for each meter."""

    meter_id: str
    number: int
    nameplate: Nameplate
    started_at: datetime


@dataclass(frozen=True, slots=True)
class StoredCount:
    """One kept count: of a register at ``at``, or the demand of the slot that starts at ``at``.

    ``at`` and ``received`` are seconds since 1970 UTC: views read tens of thousands of these.
    ``count`` is ``None`` where the meter said that it has no data.
    """

    epoch: int
    at: int
    count: int | None
    source: str
    received: int


@dataclass(frozen=True, slots=True)
class Sample:
    """One fine count of a register; ``at`` and ``received`` are seconds since 1970 UTC."""

    epoch: int
    at: int
    count: int
    received: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """A second, different value for one key; ``kept`` is the first, ``other`` stands beside it.

    ``name`` is a register (kind "reading") or a direction (kind "demand"); ``instant`` is the instant of
    the reading or the start of the slot.
    """

    kind: Literal["reading", "demand"]
    epoch: int
    name: str
    instant: datetime
    kept: int | None
    other: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A count entered by hand; what the meter said stays beside it.

    ``count`` ``None`` says that the kept count is not believed. ``author`` refers to a person or a program
    ("person:3"), never by name. The newest that is not withdrawn is in force.
    """

    id: int
    meter_id: str
    epoch: int
    register: Register
    instant: datetime
    count: int | None
    reason: str
    author: str
    at: datetime
    withdrawn_at: datetime | None = None
    withdrawn_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What one call of ``record`` changed.

    ``new`` values were not known before (a value that replaces a "no data" counts), ``same`` were, and
    ``conflicts`` are the clashes found for the first time. ``samples`` were kept as fine counts.
    """

    new: int = 0
    same: int = 0
    conflicts: tuple[Clash, ...] = ()
    samples: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRead:
    """One day history that has been fetched from a meter in an epoch.

    ``elements`` are those that the meter gave (0: it refused the day), ``no_data`` those of them that said
    "no data", ``read_at`` when it was fetched last, ``reads`` how often since the day had ended.
    """

    epoch: int
    day: date
    property: str
    read_at: datetime
    elements: int
    no_data: int
    reads: int = 1

    def __post_init__(self) -> None:
        require_aware(self.read_at)
        if not 0 <= self.no_data <= self.elements:
            raise ValueError(f"{self.no_data} of {self.elements} elements cannot be without data")

    def final(self) -> bool:
        """Whether nothing more is to be had: a closed day, whole or asked for often enough."""
        closed = self.read_at >= Slot(self.day, SLOTS_PER_DAY).end
        return closed and (self.no_data == 0 or self.reads >= ENOUGH_READS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that a person may want to know: a code and JSON parameters, no sentence yet.

    ``id`` is given by the store.
    """

    at: datetime
    level: Level
    code: str
    meter_id: str | None = None
    params: Mapping[str, object] = field(default_factory=dict)
    id: int | None = None

    def __post_init__(self) -> None:
        require_aware(self.at)
