"""The shapes of the API's answers: exact values as strings with their unit, times as ISO 8601 with +09:00.

They are made from the read models that the pages show, so a page and the API never differ. ``null`` means
"not known", never 0. A field is added freely; none is renamed or removed within ``v1``.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Literal, Self

from pydantic import Field

from koatsu.ems.live import LinkState, RecoveryState, Signal, SignalKind
from koatsu.ems.store import Level
from koatsu.ems.view_models import (
    DayFill,
    DayView,
    EventView,
    GrowthPoint,
    HoleView,
    MeterHead,
    NowView,
    RecoveryView,
    SlotState,
    SlotView,
)
from koatsu.meter.readings import Source
from koatsu.meter.slots import Slot
from koatsu.web.answers import Instant, Shape

__all__ = [
    "Amount",
    "Changed",
    "Day",
    "DayList",
    "Happened",
    "Happenings",
    "Meter",
    "MeterList",
    "Now",
    "Recoveries",
    "Recovery",
    "SlotRef",
    "SlotRow",
    "Slots",
    "Span",
    "amount",
]


class Amount(Shape):
    """An exact value and its unit."""

    value: str = Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["128.4"])
    unit: str = Field(examples=["kWh"])


class SlotRef(Shape):
    """A half hour: its day, its number from 1 to 48, and its two ends."""

    day: date
    number: int = Field(ge=1, le=48)
    start: Instant
    end: Instant

    @classmethod
    def of(cls, slot: Slot) -> Self:
        """The reference of a slot."""
        return cls(day=slot.day, number=slot.number, start=slot.start, end=slot.end)


class SlotRow(Shape):
    """What is known of one slot of one channel.

    ``state``: measured, recovered (from the meter's history), corrected (by hand), estimated (never used for
    billing), missing, unavailable (final: the meter does not have it), conflict, open, future.
    """

    slot: SlotRef
    state: SlotState
    energy: Amount | None
    demand: Amount | None
    demand_from: Literal["meter", "energy"] | None = Field(
        description="the meter's own demand, or twice the energy"
    )
    start_count: int | None
    end_count: int | None
    kwh_per_count: str | None = Field(description="what one count is worth; null: unscaled or unknown")
    source: Source | None
    received: Instant | None
    note: str | None

    @classmethod
    def of(cls, view: SlotView) -> Self:
        """The row of a slot."""
        return cls(
            slot=SlotRef.of(view.slot),
            state=view.state,
            energy=amount(view.energy_kwh, "kWh"),
            demand=amount(view.demand_kw, "kW"),
            demand_from=view.demand_from,
            start_count=view.start_count,
            end_count=view.end_count,
            kwh_per_count=None if view.factor is None else format(view.factor, "f"),
            source=view.source,
            received=view.received,
            note=view.note,
        )


class Span(Shape):
    """Neighbouring slots without a value each; their sum is exact where both borders are known."""

    first: SlotRef
    last: SlotRef
    energy: Amount | None

    @classmethod
    def of(cls, view: HoleView) -> Self:
        """The span of a hole."""
        return cls(
            first=SlotRef.of(view.first), last=SlotRef.of(view.last), energy=amount(view.energy_kwh, "kWh")
        )


class Meter(Shape):
    """A channel: a meter, or one direction of a meter that counts both."""

    id: str = Field(examples=["buy"])
    label: str
    role: str = Field(examples=["buy"])
    device_class: str = Field(examples=["0x028A"])
    serial: str | None
    address: str
    link: LinkState

    @classmethod
    def of(cls, head: MeterHead) -> Self:
        """The meter of a head."""
        return cls(
            id=head.id,
            label=head.label,
            role=head.role,
            device_class=f"0x{head.class_code:04X}",
            serial=head.serial,
            address=head.address,
            link=head.link,
        )


class MeterList(Shape):
    """The channels of this program: bought, sold, sub-meters."""

    now: Instant
    meters: list[Meter]


class Slots(Shape):
    """A run of slots."""

    meter: str
    now: Instant
    slots: list[SlotRow]


class Day(Shape):
    """One JST day of a channel. ``energy`` runs from ``energy_since`` to ``energy_until``."""

    meter: str
    day: date
    now: Instant
    slots: list[SlotRow]
    holes: list[Span]
    energy: Amount | None
    energy_since: Instant | None
    energy_until: Instant | None
    greatest: SlotRow | None
    tally: dict[SlotState, int]
    unscaled: bool

    @classmethod
    def of(cls, view: DayView, now: datetime) -> Self:
        """The day of a view."""
        return cls(
            meter=view.meter.id,
            day=view.day,
            now=now,
            slots=[SlotRow.of(slot) for slot in view.slots],
            holes=[Span.of(hole) for hole in view.holes],
            energy=amount(view.energy_kwh, "kWh"),
            energy_since=view.energy_since,
            energy_until=view.energy_until,
            greatest=SlotRow.of(view.max_slot) if view.max_slot else None,
            tally=dict(view.tally),
            unscaled=view.unscaled,
        )


class Fill(Shape):
    """How full a day is: known slots of those that have closed."""

    day: date
    known: int
    closed: int

    @classmethod
    def of(cls, view: DayFill) -> Self:
        """The fill of a day."""
        return cls(day=view.day, known=view.known, closed=view.closed)


class DayList(Shape):
    """The days of which something is on file, oldest first."""

    meter: str
    now: Instant
    days: list[Fill]


class Point(Shape):
    """Energy since the start of the open slot, at the instant that the meter gave."""

    at: Instant
    energy: Amount

    @classmethod
    def of(cls, point: GrowthPoint) -> Self:
        """The point of a growth."""
        return cls(at=point.instant, energy=_amount(point.energy_kwh, "kWh"))


class Now(Shape):
    """The open slot of a channel. ``straight_line`` is where the mean pace so far would end: no forecast."""

    meter: Meter
    at: Instant
    slot: SlotRef
    remaining_s: int
    growth: list[Point]
    energy: Amount | None
    demand: Amount | None = Field(description="twice the energy so far: as if nothing more flowed")
    straight_line: Amount | None
    power: Amount | None = Field(description="mean of about the last five minutes")
    power_error: Amount | None = Field(description="one count, as power")
    resolution: Amount | None = Field(description="one count, as energy")
    last_received: Instant | None
    answer: Amount | None
    clock_offset: Amount | None = Field(description="the meter's clock minus ours")
    today: Amount | None
    today_until: Instant | None
    month_since: date
    month_greatest: Amount | None
    month_greatest_slot: SlotRef | None
    unscaled: bool

    @classmethod
    def of(cls, view: NowView) -> Self:
        """The open slot of a view."""
        return cls(
            meter=Meter.of(view.meter),
            at=view.at,
            slot=SlotRef.of(view.slot),
            remaining_s=view.remaining_s,
            growth=[Point.of(point) for point in view.growth],
            energy=amount(view.energy_kwh, "kWh"),
            demand=amount(view.demand_kw, "kW"),
            straight_line=amount(view.straight_line_kw, "kW"),
            power=amount(view.power_kw, "kW"),
            power_error=amount(view.power_error_kw, "kW"),
            resolution=amount(view.resolution_kwh, "kWh"),
            last_received=view.last_received,
            answer=amount(view.answer_s, "s"),
            clock_offset=amount(view.clock_offset_s, "s"),
            today=amount(view.today_kwh, "kWh"),
            today_until=view.today_until,
            month_since=view.month_since,
            month_greatest=amount(view.month_max_kw, "kW"),
            month_greatest_slot=SlotRef.of(view.month_max_slot) if view.month_max_slot else None,
            unscaled=view.unscaled,
        )


class Recovery(Shape):
    """How far the histories of a meter have been read back."""

    meter: str
    state: RecoveryState
    days_done: int
    days_total: int
    current_day: date | None
    remaining: Amount | None = Field(description="expected time to the end")
    horizon_days: int | None = Field(description="how far back the meter has turned out to keep histories")

    @classmethod
    def of(cls, view: RecoveryView) -> Self:
        """The recovery of a view."""
        return cls(
            meter=view.meter_id,
            state=view.state,
            days_done=view.days_done,
            days_total=view.days_total,
            current_day=view.current_day,
            remaining=None if view.eta_s is None else Amount(value=str(view.eta_s), unit="s"),
            horizon_days=view.horizon_days,
        )


class Recoveries(Shape):
    """The recoveries of all meters."""

    now: Instant
    meters: list[Recovery]


class Changed(Shape):
    """Something of a meter is to be read anew; it is in the store."""

    what: SignalKind = Field(examples=["slot"])
    meter: str | None = Field(description="null: whatever concerns no single meter")
    at: Instant

    @classmethod
    def of(cls, signal: Signal) -> Self:
        """What a signal says."""
        return cls(what=signal.kind, meter=signal.meter_id, at=signal.at)


class Happened(Shape):
    """Something that happened: a code with its parameters."""

    id: int
    at: Instant
    meter: str | None
    level: Level
    code: str = Field(examples=["silent"])
    params: dict[str, str | int | float | bool | None]

    @classmethod
    def of(cls, view: EventView) -> Self:
        """The entry of a view."""
        plain = {
            key: value if isinstance(value, str | int | float | bool) or value is None else str(value)
            for key, value in view.params.items()
        }
        return cls(
            id=view.id, at=view.at, meter=view.meter_id, level=view.level, code=view.code, params=plain
        )


class Happenings(Shape):
    """What happened, newest first."""

    now: Instant
    events: list[Happened]


def amount(value: Decimal | None, unit: str) -> Amount | None:
    """``value`` in ``unit``, written out exactly; ``None`` stays ``None``."""
    return None if value is None else _amount(value, unit)


def _amount(value: Decimal, unit: str) -> Amount:
    return Amount(value=format(value, "f"), unit=unit)
