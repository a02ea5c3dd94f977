"""Demand: the meter's own for a closed slot, ours for the open one, and the check of one by the other.

The demand of a closed slot is what the meter says, because maximum demand and contract power come from
it; twice the energy of the slot is only a check. In the open slot the counter's progress is all there
is, and its resolution, one scaled count, belongs to the value: on a big site it is several kWh.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from koatsu.meter.conflicts import Conflict, ConflictKind
from koatsu.meter.quantity import EXACT, demand_of, plain, require_decimal
from koatsu.meter.readings import DemandReading, Reading
from koatsu.meter.registers import difference
from koatsu.meter.scale import Scale
from koatsu.meter.slots import Slot

__all__ = ["OpenSlotDemand", "check_demand", "demand_kw", "demand_tolerance", "open_slot_demand"]


def demand_kw(reading: DemandReading, scale: Scale) -> Decimal | None:
    """The exact mean kW of the slot; ``None`` when the meter had no data or is unscaled."""
    return None if reading.count is None else scale.apply(reading.count)


def demand_tolerance(demand_unit_kw: Decimal, energy_unit_kwh: Decimal) -> Decimal:
    """How far the meter's demand and twice its energy may lie apart, in kW: one unit of each.

    Let v be one scaled count of demand (kW), u one of energy (kWh), E the true energy of the slot. Both
    ends of the slot round down by less than u, so the energy read lies inside E ± u, and twice it inside
    2E ± 2u. The demand, rounded in any way from 2E, lies within v of it. So they differ by less than
    v + 2u: one unit of each, the unit of twice the energy being 2u.
    """
    return EXACT.add(require_decimal(demand_unit_kw, "a demand unit"), demand_of(energy_unit_kwh))


def check_demand(
    demand_kw: Decimal, energy_kwh: Decimal, demand_unit_kw: Decimal, energy_unit_kwh: Decimal
) -> Conflict | None:
    """``None`` when a slot's demand and energy agree within :func:`demand_tolerance`, else the conflict.

    The units are those of one scaled count (``Scale.factor`` of demand and of energy).

    Raises:
        TypeError: a number is not a Decimal.
        ValueError: a unit is not positive.
    """
    if demand_unit_kw <= 0 or energy_unit_kwh <= 0:
        raise ValueError("the units of a demand check are positive")
    expected = demand_of(energy_kwh)
    gap = abs(EXACT.subtract(require_decimal(demand_kw, "a demand"), expected))
    allowed = demand_tolerance(demand_unit_kw, energy_unit_kwh)
    if gap <= allowed:
        return None
    said, computed, limit = plain(demand_kw), plain(expected), plain(allowed)
    return Conflict(
        ConflictKind.DEMAND_MISMATCH,
        f"The demand of {said} kW and twice the energy, {computed} kW, differ by more than {limit} kW.",
        f"計器の需要電力 {said} kW と電力量の2倍 {computed} kW の差が {limit} kW を超えています。",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSlotDemand:
    """How far the open slot has come, by the counter.

    ``energy_kwh`` is what the counter shows since the slot's start, ``resolution_kwh`` one scaled count;
    both are ``None`` when the meter is unscaled. The true energy lies inside ± one resolution, because
    both counts round down.
    """

    slot: Slot
    instant: datetime
    counts: int
    energy_kwh: Decimal | None
    resolution_kwh: Decimal | None

    @property
    def elapsed(self) -> timedelta:
        """Time since the start of the slot, by the meter's clock."""
        return self.instant - self.slot.start

    @property
    def demand_kw(self) -> Decimal | None:
        """The demand that the slot would close with if nothing more flowed; ``None`` when unscaled."""
        return None if self.energy_kwh is None else demand_of(self.energy_kwh)

    @property
    def resolution_kw(self) -> Decimal | None:
        """The step of ``demand_kw``: two resolutions of energy; ``None`` when unscaled."""
        return None if self.resolution_kwh is None else demand_of(self.resolution_kwh)

    @property
    def bounds_kwh(self) -> tuple[Decimal, Decimal] | None:
        """The open interval in which the true energy lies, cut at 0; ``None`` when unscaled."""
        if self.energy_kwh is None or self.resolution_kwh is None:
            return None
        least = EXACT.subtract(self.energy_kwh, self.resolution_kwh)
        return max(least, Decimal(0)), EXACT.add(self.energy_kwh, self.resolution_kwh)


def open_slot_demand(
    start: Reading, now: Reading, *, digits: int, scale: Scale, ceiling_kw: Decimal | None
) -> OpenSlotDemand | Conflict:
    """The progress of the slot that starts with ``start``, as ``now`` shows it.

    Raises:
        ValueError: the readings are of different registers, one has no data, ``start`` is not on a half
            hour, or ``now`` is not in the slot that starts there.
    """
    if start.register != now.register:
        raise ValueError(f"{start.register} and {now.register} are different registers")
    if start.count is None or now.count is None:
        raise ValueError("a demand needs two known counts")
    slot = Slot.starting(start.instant)
    if not slot.start <= now.instant <= slot.end:
        raise ValueError(f"{now.instant.isoformat()} is not in the slot {slot}")
    result = difference(
        start.count,
        now.count,
        digits=digits,
        scale=scale,
        span=now.instant - start.instant,
        ceiling_kw=ceiling_kw,
    )
    if isinstance(result, Conflict):
        return result
    return OpenSlotDemand(
        slot=slot,
        instant=now.instant,
        counts=result.counts,
        energy_kwh=result.value,
        resolution_kwh=scale.factor,
    )
