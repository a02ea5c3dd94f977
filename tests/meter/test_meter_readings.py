"""Readings and nameplates: validated on construction, in UTC; two values for one instant; new epochs."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from koatsu.clock import JST
from koatsu.meter import (
    ConflictKind,
    CurrentReading,
    DemandReading,
    Nameplate,
    Reading,
    Register,
    Scale,
    Slot,
    Source,
    agreed_counts,
)

NOON = datetime(2026, 4, 1, 12, 0, tzinfo=JST)
NAIVE = datetime.fromisoformat("2026-04-01T12:00")


def reading(instant: datetime, count: int | None, register: Register = Register.ENERGY) -> Reading:
    return Reading(register=register, instant=instant, count=count, source=Source.FIXED, received=NOON)


def test_readings_keep_utc_and_do_not_change() -> None:
    found = reading(NOON, 5)
    assert found.instant.tzinfo is UTC
    assert found == reading(NOON.astimezone(UTC), 5)
    assert hash(found) == hash(reading(NOON, 5))
    with pytest.raises(FrozenInstanceError):
        found.count = 6  # type: ignore[misc]


def test_impossible_readings_are_errors() -> None:
    with pytest.raises(ValueError, match="without zone"):
        reading(NAIVE, 5)
    with pytest.raises(ValueError, match="negative"):
        reading(NOON, -1)
    with pytest.raises(TypeError):
        reading(NOON, 1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        DemandReading(
            slot=Slot(date(2026, 4, 1), 1), direction="normal", count=True, source=Source.LIVE, received=NOON
        )
    with pytest.raises(TypeError):
        CurrentReading(phase="R", amperes=1.5, source=Source.LIVE, received=NOON)  # type: ignore[arg-type]


def test_two_values_for_one_instant_are_a_conflict_and_none_is_chosen() -> None:
    later = NOON + timedelta(minutes=30)
    counts, conflicts = agreed_counts(
        [reading(NOON, 5), reading(NOON, 6), reading(NOON, 5), reading(later, None), reading(later, 9)]
    )
    assert counts == {NOON: None, later: 9}
    assert list(conflicts) == [NOON]
    assert conflicts[NOON].kind is ConflictKind.TWO_VALUES
    assert "5, 6" in conflicts[NOON].text()
    with pytest.raises(ValueError):
        agreed_counts([reading(NOON, 5), reading(NOON, 5, Register.ENERGY_REVERSE)])


PLATE = Nameplate(
    class_code=0x028A,
    serial="A1",
    energy_scale=Scale(40, Decimal(1), Decimal("0.1")),
    energy_digits=6,
    demand_scale=Scale(40, Decimal(1), Decimal(1)),
    demand_digits=4,
    reactive_scale=Scale(40, Decimal(1), Decimal("0.01")),
    fixed_day=1,
)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({}, ()),
        ({"serial": "A2"}, ("serial",)),
        ({"class_code": 0x028F}, ("class_code",)),
        ({"energy_scale": Scale(60, Decimal(1), Decimal("0.1"))}, ("energy_scale",)),
        ({"energy_scale": Scale(0, Decimal(1), Decimal("0.1"))}, ("energy_scale",)),
        ({"serial": "A2", "energy_digits": 8}, ("serial", "energy_digits")),
        (
            {"demand_digits": 5, "demand_scale": Scale(60, Decimal(1), Decimal(1))},
            ("demand_scale", "demand_digits"),
        ),
        ({"fixed_day": 15}, ()),
        ({"serial": None, "reactive_scale": None}, ()),
        ({"reactive_digits": 7}, ()),
    ],
)
def test_a_change_of_meter_or_scale_or_digits_starts_an_epoch(
    changed: dict[str, object], named: tuple[str, ...]
) -> None:
    other = replace(PLATE, **changed)  # type: ignore[arg-type]
    assert PLATE.changes(other) == named
    assert other.changes(PLATE) == named


def test_a_nameplate_knows_the_scale_and_digits_of_everything() -> None:
    assert PLATE.scale_of(Register.ENERGY_PF_REVERSE) == PLATE.energy_scale
    assert PLATE.scale_of(Register.REACTIVE_PF) == PLATE.reactive_scale
    assert PLATE.scale_of("demand") == PLATE.demand_scale
    assert PLATE.scale_of("cumulative_demand") is None
    assert PLATE.digits_of(Register.ENERGY) == 6
    assert PLATE.digits_of(Register.REACTIVE_PF) == 8
    assert PLATE.digits_of("demand") == 4
    assert PLATE.digits_of("cumulative_demand") == 8
    assert not PLATE.unscaled
    assert replace(PLATE, energy_scale=Scale(0, Decimal(1), Decimal(1))).unscaled


@pytest.mark.parametrize("changed", [{"energy_digits": 9}, {"demand_digits": 0}, {"fixed_day": 32}])
def test_impossible_nameplates_are_errors(changed: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        replace(PLATE, **changed)  # type: ignore[arg-type]
