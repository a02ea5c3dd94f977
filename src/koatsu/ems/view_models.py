"""The read models: what a page, an API answer or a report shows, as frozen values with exact numbers.

Numbers are ``Decimal`` with their unit in the name; ``None`` means "not known", never 0. Codes, not
sentences: the reader's language is chosen where they are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from koatsu.ems.live import LinkState, RecoveryState
from koatsu.ems.store import Level
from koatsu.meter.readings import Quality, Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import Slot

__all__ = [
    "DayFill",
    "DayView",
    "EventView",
    "GrowthPoint",
    "HoleView",
    "MeterHead",
    "NowView",
    "RecoveryView",
    "SiteView",
    "SlotState",
    "SlotView",
]


class SlotState(StrEnum):
    """What is known of a slot at one moment; the first seven are ``koatsu.meter.Quality``."""

    MEASURED = Quality.MEASURED.value
    RECOVERED = Quality.RECOVERED.value
    CORRECTED = Quality.CORRECTED.value
    ESTIMATED = Quality.ESTIMATED.value
    MISSING = Quality.MISSING.value
    UNAVAILABLE = Quality.UNAVAILABLE.value
    CONFLICT = Quality.CONFLICT.value
    OPEN = "open"  #: it is now
    FUTURE = "future"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotView:
    """One slot of one register.

    ``demand_kw`` is the meter's own (``demand_from`` "meter") or twice the energy ("energy"). ``counts``
    is the difference of the two counts, ``factor`` what one is worth in kWh (``None``: unscaled, or no
    energy). ``note`` is a code: "awaited" (closed a moment ago), "no_data" (the meter said so; final once
    the state is "unavailable"), "expired" (older than meters keep), "not_kept" (the meter refused that
    day), "meter_changed" (a new meter epoch began), "not_believed" (a person takes the kept count for
    wrong), "unscaled", or the kind of a conflict. ``reason`` is what the author of a correction wrote.
    """

    slot: Slot
    state: SlotState
    demand_kw: Decimal | None = None
    energy_kwh: Decimal | None = None
    start_count: int | None = None
    end_count: int | None = None
    counts: int | None = None
    factor: Decimal | None = None
    demand_from: Literal["meter", "energy"] | None = None
    source: Source | None = None
    received: datetime | None = None
    note: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoleView:
    """Neighbouring closed slots without a value each; their sum is exact where both borders are known.

    ``first`` and ``last`` may lie outside the day that shows the hole.
    """

    first: Slot
    last: Slot
    energy_kwh: Decimal | None
    counts: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterHead:
    """A meter, or one direction of it, in one line: ``id`` and ``role`` are those of the channel.

    ``serial`` is ``None`` before the nameplate was read.
    """

    id: str
    label: str
    role: str
    class_code: int
    serial: str | None
    address: str
    link: LinkState


@dataclass(frozen=True, slots=True, kw_only=True)
class DayView:
    """One JST day of one register.

    ``energy_kwh`` is the difference between the outermost known counts of the day (of each meter epoch),
    from ``energy_since`` to ``energy_until``; energy in conflict is not in it. ``resolution_kwh`` is one
    scaled count. ``max_slot`` has the greatest demand among closed slots that are not in conflict.
    """

    meter: MeterHead
    day: date
    register: Register
    slots: tuple[SlotView, ...]
    holes: tuple[HoleView, ...]
    energy_kwh: Decimal | None
    energy_since: datetime | None
    energy_until: datetime | None
    max_slot: SlotView | None
    tally: Mapping[SlotState, int]
    unscaled: bool
    resolution_kwh: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthPoint:
    """Energy since the start of the slot, at the instant that the meter gave."""

    instant: datetime
    energy_kwh: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NowView:
    """The open slot, and what leads up to it.

    ``demand_kw`` is twice the energy so far: what the slot would close with if nothing more flowed.
    ``straight_line_kw`` is what it would close with at the mean pace so far: simple, no forecast.
    ``power_kw`` ± ``power_error_kw`` is the mean over the last five minutes or a little more, the error
    being one count. ``today_kwh`` reaches from midnight to ``today_until``. ``month_max_kw`` is the
    greatest demand since ``month_since``, the meter's last fixed day.
    """

    meter: MeterHead
    at: datetime
    slot: Slot
    remaining_s: int
    growth: tuple[GrowthPoint, ...]
    energy_kwh: Decimal | None
    demand_kw: Decimal | None
    straight_line_kw: Decimal | None
    power_kw: Decimal | None
    power_error_kw: Decimal | None
    resolution_kwh: Decimal | None
    last_received: datetime | None
    answer_s: Decimal | None
    clock_offset_s: Decimal | None
    today: DayView
    today_kwh: Decimal | None
    today_until: datetime | None
    month_since: date
    month_max_kw: Decimal | None
    month_max_slot: Slot | None
    unscaled: bool

    @property
    def link(self) -> LinkState:
        """How the meter answers."""
        return self.meter.link


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryView:
    """How far the recovery of one meter's histories has come; ``eta_s`` are seconds to its end."""

    meter_id: str
    state: RecoveryState
    days_done: int
    days_total: int
    current_day: date | None
    eta_s: int | None
    horizon_days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFill:
    """How full a day is: ``known`` of its ``closed`` slots (48, fewer on the present day) have a value."""

    day: date
    known: int
    closed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteView:
    """The site: its channels as meters, and for each the days of which something is known, oldest first."""

    name: str
    meters: tuple[MeterHead, ...]
    days: Mapping[str, tuple[DayFill, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventView:
    """Something that happened: a code and its parameters; the sentence is made where it is shown."""

    id: int
    at: datetime
    meter_id: str | None
    level: Level
    code: str
    params: Mapping[str, object]
