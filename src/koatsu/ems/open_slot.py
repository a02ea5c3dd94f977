"""The slot that is now: how its energy grows, at what pace, and the power of the last minutes.

All from differences of counts, each with the step that one count makes: on a big site a step is
several kWh, and no curve is drawn between steps here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from koatsu.ems.store import Epoch, Sample, Store
from koatsu.ems.view_models import GrowthPoint
from koatsu.meter.conflicts import Conflict
from koatsu.meter.demand import open_slot_demand
from koatsu.meter.quantity import mean_power
from koatsu.meter.readings import Reading, Source
from koatsu.meter.registers import Register, difference
from koatsu.meter.slots import Slot

__all__ = ["POWER_SPAN", "OpenSlot", "Power", "open_slot", "recent_power"]

POWER_SPAN: Final = timedelta(minutes=5)  #: the least span of a mean power; one count blurs it less and less
_LOOK_BACK: Final = timedelta(minutes=20)
_PACE_AFTER: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSlot:
    """Growth since the slot's start, by the meter's clock; empty while the count at its start is unknown."""

    growth: tuple[GrowthPoint, ...] = ()
    energy_kwh: Decimal | None = None
    demand_kw: Decimal | None = None
    straight_line_kw: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Power:
    """Mean power over ``span`` up to ``until``, within ± ``error_kw``: the step of one count."""

    power_kw: Decimal
    error_kw: Decimal
    span: timedelta
    until: datetime


def open_slot(
    store: Store,
    meter_id: str,
    epoch: Epoch,
    slot: Slot,
    now: datetime,
    ceiling_kw: Decimal | None,
    *,
    register: Register = Register.ENERGY,
) -> OpenSlot:
    """The growth of ``slot`` up to ``now`` from an energy register of ``epoch``.

    The straight line begins after one minute, when there is a pace to speak of.
    """
    start = _count_at(store, meter_id, epoch, slot.start, register)
    if start is None or epoch.nameplate.unscaled:
        return OpenSlot()
    points = [GrowthPoint(instant=slot.start, energy_kwh=Decimal(0))]
    latest = None
    for sample in _samples(store, meter_id, epoch, slot.start, min(now, slot.end), register):
        found = open_slot_demand(
            start,
            _reading(sample, register),
            digits=epoch.nameplate.energy_digits,
            scale=epoch.nameplate.energy_scale,
            ceiling_kw=ceiling_kw,
        )
        if isinstance(found, Conflict) or found.energy_kwh is None or found.instant == slot.start:
            continue
        points.append(GrowthPoint(instant=found.instant, energy_kwh=found.energy_kwh))
        latest = found
    if latest is None or latest.energy_kwh is None:
        return OpenSlot(growth=tuple(points))
    line = mean_power(latest.energy_kwh, latest.elapsed) if latest.elapsed >= _PACE_AFTER else None
    return OpenSlot(
        growth=tuple(points),
        energy_kwh=latest.energy_kwh,
        demand_kw=latest.demand_kw,
        straight_line_kw=line,
    )


def recent_power(
    store: Store,
    meter_id: str,
    epoch: Epoch,
    now: datetime,
    ceiling_kw: Decimal | None,
    *,
    register: Register = Register.ENERGY,
) -> Power | None:
    """Mean power over the last five minutes, or the least more that counts allow; ``None`` without them."""
    factor = epoch.nameplate.energy_scale.factor
    samples = _samples(store, meter_id, epoch, now - _LOOK_BACK, now, register)
    if factor is None or len(samples) < 2:
        return None
    last = samples[-1]
    first = next((one for one in reversed(samples) if _utc(one.at) <= _utc(last.at) - POWER_SPAN), None)
    if first is None:
        return None
    span = timedelta(seconds=last.at - first.at)
    found = difference(
        first.count,
        last.count,
        digits=epoch.nameplate.energy_digits,
        scale=epoch.nameplate.energy_scale,
        span=span,
        ceiling_kw=ceiling_kw,
    )
    if isinstance(found, Conflict) or found.value is None:
        return None
    return Power(mean_power(found.value, span), mean_power(factor, span), span, _utc(last.at))


def _samples(
    store: Store, meter_id: str, epoch: Epoch, since: datetime, until: datetime, register: Register
) -> list[Sample]:
    found = store.samples(meter_id, register, since, until)
    return [sample for sample in found if sample.epoch == epoch.number]


def _count_at(
    store: Store, meter_id: str, epoch: Epoch, instant: datetime, register: Register
) -> Reading | None:
    """The believed count at a half hour: the meter's own fixed-time value, else a poll at that second."""
    rows = store.corrected_readings(meter_id, register, instant, instant)
    row = next((row for row in rows if row.epoch == epoch.number), None)
    by_hand = row is not None and row.source == Source.MANUAL
    disputed = any(clash.name == register for clash in store.conflicts(meter_id, instant, instant))
    if row is not None and row.count is not None and (by_hand or not disputed):
        return _reading(Sample(row.epoch, row.at, row.count, row.received), register)
    if by_hand or disputed:
        return None
    polled = _samples(store, meter_id, epoch, instant, instant, register)
    return _reading(polled[0], register) if polled else None


def _reading(sample: Sample, register: Register) -> Reading:
    return Reading(
        register=register,
        instant=_utc(sample.at),
        count=sample.count,
        source=Source.LIVE,
        received=_utc(sample.received),
    )


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
