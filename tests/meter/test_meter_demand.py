"""The demand check's bound, proven on simulated counters, and the open slot with its resolution."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.meter import (
    Conflict,
    ConflictKind,
    DemandReading,
    OpenSlotDemand,
    Reading,
    Register,
    Scale,
    Slot,
    Source,
    check_demand,
    demand_kw,
    demand_tolerance,
    open_slot_demand,
)

SLOT = Slot(date(2026, 4, 1), 27)
NOW = datetime(2026, 4, 1, 5, 0, tzinfo=UTC)
units = st.sampled_from([Decimal(1).scaleb(power) for power in range(-3, 3)])
coefficients = st.integers(1, 6_000)
ROUNDINGS = {
    "down": lambda exact: exact.__floor__(),
    "nearest": lambda exact: (exact + Fraction(1, 2)).__floor__(),
    "up": lambda exact: exact.__ceil__(),
}


def reading(instant: datetime, count: int | None, register: Register = Register.ENERGY) -> Reading:
    return Reading(register=register, instant=instant, count=count, source=Source.LIVE, received=NOW)


@given(
    coefficient=coefficients,
    energy_unit=units,
    demand_unit=units,
    before=st.fractions(0, 10**6),
    energy=st.fractions(0, 10**4),
    rounding=st.sampled_from(sorted(ROUNDINGS)),
)
def test_a_true_slot_always_passes_the_check(
    coefficient: int,
    energy_unit: Decimal,
    demand_unit: Decimal,
    before: Fraction,
    energy: Fraction,
    rounding: str,
) -> None:
    """A counter that rounds down at both ends, a demand rounded in any way: strictly inside the bound."""
    energy_scale = Scale(coefficient, Decimal(1), energy_unit)
    demand_scale = Scale(coefficient, Decimal(1), demand_unit)
    u, v = energy_scale.factor, demand_scale.factor
    assert u is not None
    assert v is not None
    start = (before / Fraction(u)).__floor__()
    end = ((before + energy) / Fraction(u)).__floor__()
    said = demand_scale.apply(ROUNDINGS[rounding](2 * energy / Fraction(v)))
    read = energy_scale.apply(end - start)
    assert said is not None
    assert read is not None
    assert check_demand(said, read, v, u) is None
    assert abs(said - 2 * read) < demand_tolerance(v, u)


def test_the_bound_is_no_larger_than_it_must_be() -> None:
    """Energy of just under two counts can read as one, its demand as just under four: 2u apart."""
    u, v = Decimal(1), Decimal("0.001")
    energy = Fraction(1999, 1000)
    start, end = Fraction(0).__floor__(), (energy + 0).__floor__()
    assert (start, end) == (0, 1)
    said = Decimal("3.998")  # 2 × 1.999 kW, exact at this demand unit
    assert check_demand(said, Decimal(end - start), v, u) is None
    assert said - 2 * Decimal(1) > demand_tolerance(v, u) - 4 * v


@given(coefficient=coefficients, energy_unit=units, demand_unit=units, counts=st.integers(0, 10**6))
def test_one_step_beyond_the_bound_is_a_conflict(
    coefficient: int, energy_unit: Decimal, demand_unit: Decimal, counts: int
) -> None:
    u, v = coefficient * energy_unit, coefficient * demand_unit
    energy = counts * u
    allowed = demand_tolerance(v, u)
    assert allowed == v + 2 * u
    assert check_demand(2 * energy + allowed, energy, v, u) is None
    beyond = check_demand(2 * energy + allowed + v, energy, v, u)
    assert isinstance(beyond, Conflict)
    assert beyond.kind is ConflictKind.DEMAND_MISMATCH


def test_the_check_takes_decimals_and_positive_units() -> None:
    with pytest.raises(ValueError):
        check_demand(Decimal(1), Decimal(1), Decimal(0), Decimal(1))
    with pytest.raises(TypeError):
        check_demand(1.0, Decimal(1), Decimal(1), Decimal(1))  # type: ignore[arg-type]


def test_a_closed_slots_demand_is_the_meters_count_scaled() -> None:
    scale = Scale(120, Decimal("0.1"), Decimal(1))
    said = DemandReading(slot=SLOT, direction="normal", count=31, source=Source.FIXED, received=NOW)
    assert demand_kw(said, scale) == Decimal(372)
    nothing = DemandReading(slot=SLOT, direction="normal", count=None, source=Source.FIXED, received=NOW)
    assert demand_kw(nothing, scale) is None


def test_the_open_slot_carries_its_resolution() -> None:
    scale = Scale(120, Decimal(1), Decimal("0.1"))
    now = SLOT.start + timedelta(minutes=10)
    found = open_slot_demand(
        reading(SLOT.start, 999_999), reading(now, 2), digits=6, scale=scale, ceiling_kw=Decimal(1_000)
    )
    assert isinstance(found, OpenSlotDemand)
    assert found.slot == SLOT
    assert found.elapsed == timedelta(minutes=10)
    assert (found.counts, found.energy_kwh, found.resolution_kwh) == (3, Decimal(36), Decimal(12))
    assert (found.demand_kw, found.resolution_kw) == (Decimal(72), Decimal(24))
    assert found.bounds_kwh == (Decimal(24), Decimal(48))


def test_the_open_slot_of_an_unscaled_meter_has_counts_only() -> None:
    now = SLOT.start + timedelta(minutes=1)
    scale = Scale(0, Decimal(1), Decimal(1))
    found = open_slot_demand(
        reading(SLOT.start, 5), reading(now, 7), digits=6, scale=scale, ceiling_kw=Decimal(1)
    )
    assert isinstance(found, OpenSlotDemand)
    assert found.counts == 2
    assert (found.energy_kwh, found.demand_kw, found.resolution_kw, found.bounds_kwh) == (None,) * 4


@given(
    before=st.fractions(0, 10**5), energy=st.fractions(0, 200), coefficient=st.integers(1, 500), unit=units
)
def test_the_true_energy_lies_inside_the_bounds(
    before: Fraction, energy: Fraction, coefficient: int, unit: Decimal
) -> None:
    scale = Scale(coefficient, Decimal(1), unit)
    u = Fraction(scale.factor or 0)
    start = (before / u).__floor__() % 10**8
    end = (((before + energy) / u).__floor__()) % 10**8
    found = open_slot_demand(
        reading(SLOT.start, start),
        reading(SLOT.end, end),
        digits=8,
        scale=scale,
        ceiling_kw=Decimal(401),
    )
    assert isinstance(found, OpenSlotDemand)
    assert found.bounds_kwh is not None
    low, high = found.bounds_kwh
    assert low <= energy < high


def test_a_leap_in_the_open_slot_is_a_conflict() -> None:
    now = SLOT.start + timedelta(minutes=1)
    scale = Scale(1, Decimal(1), Decimal(1))
    found = open_slot_demand(
        reading(SLOT.start, 5), reading(now, 500), digits=6, scale=scale, ceiling_kw=Decimal(100)
    )
    assert isinstance(found, Conflict)


@pytest.mark.parametrize(
    ("start", "now"),
    [
        (reading(SLOT.start, 1), reading(SLOT.end + timedelta(seconds=1), 2)),
        (reading(SLOT.start, 1), reading(SLOT.start - timedelta(seconds=1), 2)),
        (reading(SLOT.start + timedelta(minutes=1), 1), reading(SLOT.end, 2)),
        (reading(SLOT.start, None), reading(SLOT.end, 2)),
        (reading(SLOT.start, 1), reading(SLOT.end, None)),
        (reading(SLOT.start, 1), reading(SLOT.end, 2, Register.ENERGY_REVERSE)),
    ],
)
def test_what_is_no_open_slot_is_an_error(start: Reading, now: Reading) -> None:
    with pytest.raises(ValueError):
        open_slot_demand(start, now, digits=6, scale=Scale(1, Decimal(1), Decimal(1)), ceiling_kw=None)
