"""Values in engineering units: exact, and never a number of kWh where the scale is not known."""

from __future__ import annotations

from decimal import Decimal

import pytest

from koatsu.app.engineering import Shown, factor_of, shown
from koatsu.devices import Record, Special, Value, device_class

HV = device_class(0x028A)
LV = device_class(0x0288)
SCALE: dict[str, Value] = {"coefficient": 1200, "multiplier": Decimal("0.1"), "energy_unit": Decimal("0.001")}


def one(name: str, value: Value, statics: dict[str, Value], device: object = HV) -> Shown:
    assert device in (HV, LV)
    table = HV if device is HV else LV
    *_, last = shown(table.property(name), table, value, statics)
    return last


def energy(count: Value) -> Record:
    return Record({"at": Special.UNSET, "normal": count})


def test_a_scaled_count_is_exact_and_keeps_its_count() -> None:
    row = one("energy_now", energy(99_999_999), SCALE)
    assert (row.value, row.unit, row.count, row.note) == ("11999999.8800", "kWh", 99_999_999, "")


@pytest.mark.parametrize(
    "statics",
    [SCALE | {"coefficient": 0}, {"coefficient": 1200, "multiplier": Decimal(1)}],
    ids=["coefficient 0", "no unit"],
)
def test_an_unscaled_count_is_a_count_and_says_so(statics: dict[str, Value]) -> None:
    row = one("energy_now", energy(42), statics)
    assert (row.value, row.unit, row.count, row.note) == ("42", "", 42, "unscaled")


def test_a_factor_that_the_class_need_not_have_counts_as_one() -> None:
    assert factor_of(LV.property("energy_now"), LV, {"energy_unit": Decimal("0.1")}) == Decimal("0.1")
    assert one("energy_now", 7, {"energy_unit": Decimal("0.1")}, LV).value == "0.7"


@pytest.mark.parametrize(("value", "note"), [(Special.NO_DATA, "no_data"), (Special.OVERFLOW, "overflow")])
def test_a_special_value_is_never_a_number(value: Special, note: str) -> None:
    row = one("energy_now", energy(value), SCALE)
    assert (row.value, row.count, row.note, row.unit) == (None, None, note, "")


def test_a_history_keeps_its_holes() -> None:
    counts = (1, Special.NO_DATA, 3)
    row = one("energy_history", Record({"day": 0, "normal": counts}), SCALE)
    assert row.value == ["0.1200", None, "0.3600"]
    assert row.count == [1, None, 3]


def test_a_row_reads_as_a_line() -> None:
    assert str(one("energy_now", energy(10), SCALE)) == "energy_now.normal = 1.2000 kWh"
    assert str(one("energy_now", energy(Special.NO_DATA), SCALE)) == "energy_now.normal = no_data"
