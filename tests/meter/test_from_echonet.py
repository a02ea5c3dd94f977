"""The four meter classes through one interface: hand-written device values in, readings or refusals out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest

from koatsu.clock import JST
from koatsu.devices import Record, Special, Value
from koatsu.errors import UsageError
from koatsu.meter import (
    Bracket,
    CurrentReading,
    DemandReading,
    Gauge,
    IncompleteNameplateError,
    MaximumReading,
    Measured,
    PowerReading,
    Reading,
    Refusal,
    RefusalKind,
    Register,
    Scale,
    Slot,
    Source,
    VoltageReading,
    bracket_around,
)
from koatsu.meter.from_echonet import MeterKind

HV, HV_BOTH, LV, SUB = (MeterKind.of(code) for code in (0x028A, 0x028F, 0x0288, 0x028D))
KINDS = [HV, HV_BOTH, LV, SUB]
ids = [f"0x{kind.code:04X}" for kind in KINDS]

DAY = date(2026, 4, 1)
AT = datetime(2026, 4, 1, 13, 0, tzinfo=JST)
RECEIVED = datetime(2026, 4, 1, 4, 0, 21, tzinfo=UTC)
NOW = datetime(2026, 4, 1, 13, 0, 20, tzinfo=JST)
BRACKET = Bracket(NOW, NOW + timedelta(seconds=2))
ONE = Decimal(1)
NO_DATA = Special.NO_DATA

STATIC: dict[str, Value] = {
    "energy_unit": Decimal("0.1"),
    "energy_digits": 6,
    "coefficient": 40,
    "multiplier": Decimal("0.1"),
    "demand_unit": ONE,
    "demand_digits": 5,
    "cumulative_max_demand_unit": Decimal(10),
    "reactive_unit": Decimal("0.01"),
    "reactive_digits": 7,
    "fixed_day": 15,
    "serial_number": b"KY0012345\x00\x00\x00",
}


def counter(register: Register, count: int | None, **changed: object) -> Reading:
    made: dict[str, object] = {
        "register": register,
        "instant": AT,
        "count": count,
        "source": Source.FIXED,
        "received": RECEIVED,
    }
    return Reading(**(made | changed))  # type: ignore[arg-type]


def read(kind: MeterKind, name: str, value: Value, **more: object) -> list[Measured]:
    return kind.readings(name, value, received=RECEIVED, **more)  # type: ignore[arg-type]


def refusals(found: list[Measured]) -> list[RefusalKind]:
    return [entry.kind for entry in found if isinstance(entry, Refusal)]


# -- names


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_every_row_and_static_name_stands_in_the_class_table(kind: MeterKind) -> None:
    for name in (*kind.rows, *kind.static_properties, kind.history_selector):
        assert kind.device_class.has(name)
    assert kind.live_properties[0] == "energy_now"
    assert kind.slot_properties[0] == "energy_slot"
    assert kind.history_properties[0] == "energy_history"
    assert {kind.selector_of(name) for name in kind.history_properties} == {kind.history_selector}


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_fields_are_those_of_the_layout_and_nothing_measured_is_forgotten(kind: MeterKind) -> None:
    for row in kind.rows.values():
        layout = kind.device_class.property(row.name).layout
        for field, _ in row.fields:
            assert field is None or f"{field}:" in layout
        assert row.stamped == any(mark in layout for mark in ("at:", "day:"))
    measured = {
        row.name for row in kind.device_class.properties if row.unit in ("kWh", "kvarh", "kW", "W", "A", "V")
    }
    super_class = {"power_limit", "consumed_power", "consumed_energy", "current_limit"}
    assert set(kind.rows) >= {
        name for name in measured if not name.endswith(("_unit", "_digits")) and name not in super_class
    } - super_rows(kind)


def super_rows(kind: MeterKind) -> set[str]:
    """The names that every device has, meter or not."""
    others = {
        row.name for row in MeterKind.of(0x0288 if kind.code != 0x0288 else 0x028A).device_class.properties
    }
    return {row.name for row in kind.device_class.properties if row.name in others and row.epc < 0xC0}


def test_offered_follows_the_get_map() -> None:
    epcs = {HV.device_class.property(name).epc for name in ("energy_now", "energy_slot", "demand_slot")}
    assert HV.offered(HV.slot_properties, epcs) == ("energy_slot", "demand_slot")
    assert HV.offered(HV.live_properties, epcs) == ("energy_now",)
    assert HV.offered(HV.history_properties, epcs) == ()


def test_dated_properties() -> None:
    def epcs(*names: str) -> set[int]:
        return {LV.device_class.property(name).epc for name in names}

    assert HV.dated_properties() == HV_BOTH.dated_properties() == ("energy_now",)
    everything = epcs("energy_now", "energy_slot", "energy_minute", "clock_date", "clock_time")
    assert LV.dated_properties(everything) == ("clock_date", "clock_time")
    assert LV.dated_properties(everything - epcs("clock_date")) == ("energy_minute",)
    assert LV.dated_properties(epcs("energy_now", "energy_slot")) == ("energy_slot",)
    assert LV.dated_properties(epcs("energy_now")) == ()


def test_classes_that_are_no_meter_are_named() -> None:
    with pytest.raises(UsageError, match="0x0130") as caught:
        MeterKind.of(0x0130)
    assert "0x028A" in caught.value.text()
    with pytest.raises(UsageError):
        read(HV, "coefficient", 5)
    with pytest.raises(UsageError):
        HV.targets_of("serial_number")
    assert HV_BOTH.targets_of("demand_slot") == (Gauge.DEMAND, Gauge.DEMAND_REVERSE)


# -- nameplates


@pytest.mark.parametrize("kind", [HV, HV_BOTH], ids=ids[:2])
def test_a_high_voltage_nameplate(kind: MeterKind) -> None:
    plate = kind.nameplate(STATIC)
    assert plate.class_code == kind.code
    assert plate.serial == "KY0012345"
    assert plate.energy_scale == Scale(40, Decimal("0.1"), Decimal("0.1"))
    assert plate.demand_scale == Scale(40, Decimal("0.1"), ONE)
    assert plate.cumulative_demand_scale == Scale(40, Decimal("0.1"), Decimal(10))
    assert plate.reactive_scale == Scale(40, Decimal("0.1"), Decimal("0.01"))
    assert (plate.energy_digits, plate.demand_digits, plate.reactive_digits) == (6, 5, 7)
    assert plate.fixed_day == 15
    assert kind.scale_of(Register.ENERGY_PF, plate) == plate.energy_scale
    assert kind.scale_of("demand", plate) == plate.demand_scale


def test_what_an_optional_property_does_not_say_is_not_known() -> None:
    wanted = ("energy_unit", "energy_digits", "coefficient", "multiplier")
    plate = HV.nameplate({name: STATIC[name] for name in wanted})
    assert plate.reactive_scale is plate.demand_scale is plate.cumulative_demand_scale is None
    assert (plate.serial, plate.fixed_day) == (None, None)


@pytest.mark.parametrize("kind", [LV, SUB], ids=ids[2:])
def test_without_coefficient_and_multiplier_they_count_as_one(kind: MeterKind) -> None:
    bare: dict[str, Value] = {"energy_unit": Decimal("0.1"), "energy_digits": 6}
    assert kind.nameplate(bare).energy_scale == Scale(1, ONE, Decimal("0.1"))
    assert kind.nameplate({**bare, "coefficient": 30}).energy_scale == Scale(30, ONE, Decimal("0.1"))
    assert kind.nameplate(bare).demand_scale is None


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        (HV, "coefficient"),
        (HV, "multiplier"),
        (HV, "energy_unit"),
        (HV_BOTH, "energy_digits"),
        (LV, "energy_unit"),
        (SUB, "energy_digits"),
    ],
)
def test_a_nameplate_without_what_the_class_requires_is_an_error(kind: MeterKind, missing: str) -> None:
    with pytest.raises(IncompleteNameplateError, match=missing) as caught:
        kind.nameplate({name: value for name, value in STATIC.items() if name != missing})
    assert missing in caught.value.text("ja")


def test_coefficient_zero_is_a_nameplate_without_scale() -> None:
    plate = HV.nameplate({**STATIC, "coefficient": 0})
    assert plate.unscaled
    assert plate.energy_scale.factor is None


@pytest.mark.parametrize(
    ("values", "serial"),
    [
        ({"serial_number": b"\x00" * 12, "identification": b"\xfe" + b"\x01" * 16}, "FE" + "01" * 16),
        ({"serial_number": "  A7 ", "identification": b"\xfe" + b"\x01" * 16}, "A7"),
        ({"serial_number": b"\x00\x01AB"}, "00014142"),
        ({"serial_number": NO_DATA}, None),
    ],
)
def test_identity(values: Mapping[str, Value], serial: str | None) -> None:
    static = {name: value for name, value in STATIC.items() if name != "serial_number"}
    assert HV.nameplate({**static, **values}).serial == serial


# -- the same reading from each class

ENERGY_SLOT: dict[int, Value] = {
    0x028A: Record(at=AT, normal=123),
    0x028F: Record(at=AT, normal=123, reverse=7),
    0x0288: Record(at=AT, normal=123),
    0x028D: Record(at=AT, normal=123),
}


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_the_half_hour_counter(kind: MeterKind) -> None:
    found = read(kind, "energy_slot", ENERGY_SLOT[kind.code])
    assert found[0] == counter(Register.ENERGY, 123)
    assert found[1:] == ([counter(Register.ENERGY_REVERSE, 7)] if kind is HV_BOTH else [])


@pytest.mark.parametrize("kind", [LV, SUB], ids=ids[2:])
def test_the_reverse_counter_of_the_low_voltage_classes(kind: MeterKind) -> None:
    found = read(kind, "energy_slot_reverse", Record(at=AT, reverse=7))
    assert found == [counter(Register.ENERGY_REVERSE, 7)]


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_the_present_counter(kind: MeterKind) -> None:
    stamped = kind in (HV, HV_BOTH)
    value = Record(at=NOW, normal=123, reverse=NO_DATA) if stamped else 123
    (first, *rest) = read(kind, "energy_now", value)
    instant = NOW if stamped else RECEIVED
    assert first == counter(Register.ENERGY, 123, instant=instant, source=Source.LIVE, stamped=stamped)
    if kind is HV_BOTH:
        assert rest == [counter(Register.ENERGY_REVERSE, None, instant=NOW, source=Source.LIVE)]


@pytest.mark.parametrize("kind", [LV, SUB], ids=ids[2:])
def test_no_data_of_a_bare_counter(kind: MeterKind) -> None:
    assert read(kind, "energy_now_reverse", NO_DATA) == [
        counter(Register.ENERGY_REVERSE, None, instant=RECEIVED, source=Source.LIVE, stamped=False)
    ]


@pytest.mark.parametrize(
    ("name", "normal", "reverse"),
    [
        ("energy_pf_now", Register.ENERGY_PF, Register.ENERGY_PF_REVERSE),
        ("reactive_now", Register.REACTIVE_PF, Register.REACTIVE_PF_REVERSE),
        ("reactive_slot", Register.REACTIVE_PF, Register.REACTIVE_PF_REVERSE),
        ("reactive_lag_now", Register.REACTIVE_LAG, Register.REACTIVE_LAG_REVERSE),
        ("reactive_lead_now", Register.REACTIVE_LEAD, Register.REACTIVE_LEAD_REVERSE),
        ("reactive_minute", Register.REACTIVE_PF, Register.REACTIVE_PF_REVERSE),
        ("energy_minute", Register.ENERGY, Register.ENERGY_REVERSE),
    ],
)
def test_both_directions(name: str, normal: Register, reverse: Register) -> None:
    found = read(HV_BOTH, name, Record(at=AT, normal=5, reverse=6))
    assert [(entry.register, entry.count) for entry in found if isinstance(entry, Reading)] == [
        (normal, 5),
        (reverse, 6),
    ]


def test_a_notification_is_marked_so() -> None:
    (found,) = read(HV, "energy_slot", ENERGY_SLOT[0x028A], source=Source.NOTIFIED)
    assert found == counter(Register.ENERGY, 123, source=Source.NOTIFIED)


def demand(direction: str, count: int | None) -> DemandReading:
    return DemandReading(
        slot=Slot(DAY, 26),  # ends at 13:00
        direction=direction,  # type: ignore[arg-type]
        count=count,
        source=Source.FIXED,
        received=RECEIVED,
    )


def test_the_demand_of_the_closed_slot() -> None:
    assert read(HV, "demand_slot", Record(at=AT, normal=90)) == [demand("normal", 90)]
    assert read(HV_BOTH, "demand_slot", Record(at=AT, normal=NO_DATA, reverse=3)) == [
        demand("normal", None),
        demand("reverse", 3),
    ]


def test_maximum_demands() -> None:
    (found,) = read(HV, "monthly_max_demand", 77)
    assert found == MaximumReading(
        period="monthly", direction="normal", count=77, source=Source.LIVE, received=RECEIVED
    )
    both = read(HV_BOTH, "cumulative_max_demand", Record(normal=8, reverse=NO_DATA))
    assert [(m.period, m.direction, m.count) for m in both if isinstance(m, MaximumReading)] == [
        ("cumulative", "normal", 8),
        ("cumulative", "reverse", None),
    ]


@pytest.mark.parametrize("kind", [HV_BOTH, LV, SUB], ids=ids[1:])
def test_power_and_currents(kind: MeterKind) -> None:
    assert read(kind, "power_now", -1500) == [
        PowerReading(watts=-1500, source=Source.LIVE, received=RECEIVED)
    ]
    plate = kind.nameplate({**STATIC, "current_coefficient": 20, "voltage_coefficient": 60})
    times = 20 if kind is SUB else 1
    value = Record(r=Decimal("12.3"), t=NO_DATA)
    assert read(kind, "current_now", value, nameplate=plate) == [
        CurrentReading(phase="R", amperes=times * Decimal("12.3"), source=Source.LIVE, received=RECEIVED),
        CurrentReading(phase="T", amperes=None, source=Source.LIVE, received=RECEIVED),
    ]


def test_voltages_of_the_sub_meter() -> None:
    plate = SUB.nameplate({**STATIC, "voltage_coefficient": 60})
    value = Record(rs=Decimal("110.0"), st=Decimal("109.9"))
    found = read(SUB, "voltage_now", value, nameplate=plate)
    assert [(v.between, v.volts) for v in found if isinstance(v, VoltageReading)] == [
        ("R-S", Decimal(6600)),
        ("S-T", Decimal("6594.0")),
    ]
    assert refusals(read(SUB, "voltage_now", value)) == [RefusalKind.UNSCALED] * 2


# -- refusals


def test_a_count_beyond_the_digits_is_refused() -> None:
    plate = HV_BOTH.nameplate(STATIC)
    value = Record(at=AT, normal=1_000_000, reverse=999_999)
    found = read(HV_BOTH, "energy_slot", value, nameplate=plate)
    assert refusals(found) == [RefusalKind.BEYOND_DIGITS]
    assert found[1] == counter(Register.ENERGY_REVERSE, 999_999)
    assert refusals(read(HV_BOTH, "energy_slot", value)) == []
    demands = read(HV_BOTH, "demand_slot", Record(at=AT, normal=100_000, reverse=0), nameplate=plate)
    assert refusals(demands) == [RefusalKind.BEYOND_DIGITS]


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (Record(at=Special.UNSET, normal=5), RefusalKind.NO_TIME),
        (Record(at=AT + timedelta(seconds=1), normal=5), RefusalKind.NOT_ON_GRID),
        (Record(at=AT + timedelta(minutes=1), normal=5), RefusalKind.NOT_ON_GRID),
        (Record(at=AT, normal=Special.OVERFLOW), RefusalKind.OUT_OF_RANGE),
    ],
)
@pytest.mark.parametrize("name", ["energy_slot", "demand_slot", "reactive_slot"])
def test_refused_fixed_time_values(name: str, value: Value, kind: RefusalKind) -> None:
    found = read(HV, name, value)
    assert refusals(found) == [kind]
    assert isinstance(found[0], Refusal)
    assert found[0].subject == name


def test_a_minute_value_stands_on_a_whole_minute() -> None:
    off = Record(at=AT + timedelta(seconds=1), normal=5, reverse=5)
    assert refusals(read(LV, "energy_minute", off)) == [RefusalKind.NOT_ON_GRID] * 2


def test_overflow_of_an_instantaneous_value() -> None:
    assert refusals(read(LV, "power_now", Special.UNDERFLOW)) == [RefusalKind.OUT_OF_RANGE]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("energy_slot", 5),
        ("energy_slot", Record(at=5, normal=5)),
        ("energy_minutes_history", Record(at=AT, rows=5)),
    ],
)
def test_a_value_of_another_form_is_a_type_error(name: str, value: Value) -> None:
    with pytest.raises(TypeError):
        read(HV_BOTH, name, value)


# -- histories


@pytest.mark.parametrize("kind", KINDS, ids=ids)
def test_a_day_of_energy(kind: MeterKind) -> None:
    value = Record(day=1, normal=(NO_DATA, *range(1, 48)))
    found = kind.history_readings("energy_history", value, asked=1, bracket=BRACKET, received=RECEIVED)
    start = datetime(2026, 3, 31, tzinfo=JST)
    assert found == [
        counter(
            Register.ENERGY,
            number or None,
            instant=start + number * timedelta(minutes=30),
            source=Source.HISTORY,
        )
        for number in range(48)
    ]


@pytest.mark.parametrize("kind", [HV_BOTH, LV, SUB], ids=ids[1:])
def test_a_day_of_reverse_energy_with_the_other_alignment(kind: MeterKind) -> None:
    value = Record(day=1, reverse=tuple(range(48)))
    found = kind.history_readings(
        "energy_history_reverse",
        value,
        asked=1,
        bracket=BRACKET,
        received=RECEIVED,
        energy_first="00:30",
    )
    last = found[-1]
    assert last == counter(
        Register.ENERGY_REVERSE, 47, instant=datetime(2026, 4, 1, tzinfo=JST), source=Source.HISTORY
    )


@pytest.mark.parametrize(
    ("name", "field", "direction"),
    [("demand_history", "normal", "normal"), ("demand_history_reverse", "reverse", "reverse")],
)
def test_a_day_of_demand(name: str, field: str, direction: str) -> None:
    value = Record({"day": 1, field: (Special.OVERFLOW, *range(1, 48))})
    found = HV_BOTH.history_readings(name, value, asked=1, bracket=BRACKET, received=RECEIVED)
    assert refusals(found[:1]) == [RefusalKind.OUT_OF_RANGE]
    demands = [entry for entry in found if isinstance(entry, DemandReading)]
    assert demands[0].slot == Slot(date(2026, 3, 31), 1)
    assert {entry.direction for entry in demands} == {direction}
    again = HV_BOTH.history_readings(
        name, value, asked=1, bracket=BRACKET, received=RECEIVED, demand_stamp="start"
    )
    assert isinstance(again[1], DemandReading)
    assert again[1].slot == Slot(date(2026, 3, 31), 2)


def test_a_day_of_reactive_energy_checks_its_own_digits() -> None:
    value = Record(day=2, normal=(10**7, *[5] * 47))
    found = HV.history_readings(
        "reactive_history",
        value,
        asked=2,
        bracket=BRACKET,
        received=RECEIVED,
        nameplate=HV.nameplate(STATIC),
    )
    assert refusals(found) == [RefusalKind.BEYOND_DIGITS]
    assert {entry.register for entry in found if isinstance(entry, Reading)} == {Register.REACTIVE_PF}


@pytest.mark.parametrize("day", [0, 3, Special.UNSET])
def test_a_history_of_another_day_is_refused_as_a_whole(day: Value) -> None:
    value = Record(day=day, normal=tuple(range(48)))
    found = HV.history_readings("energy_history", value, asked=2, bracket=BRACKET, received=RECEIVED)
    assert refusals(found) == [RefusalKind.WRONG_DAY]
    assert len(found) == 1


def test_a_history_needs_its_own_call() -> None:
    value = Record(day=0, normal=tuple(range(48)))
    with pytest.raises(UsageError, match="history_readings"):
        read(HV, "energy_history", value)
    with pytest.raises(UsageError):
        HV.day_history("energy_now", value)
    with pytest.raises(TypeError):
        HV.day_history("energy_history", Record(day=0, normal=5))


@pytest.mark.parametrize(
    ("kind", "name", "minutes", "register"),
    [
        (HV_BOTH, "energy_minutes_history", 1, Register.ENERGY),
        (HV_BOTH, "reactive_minutes_history", 1, Register.REACTIVE_PF),
        (LV, "energy_minutes_history", 1, Register.ENERGY),
        (LV, "energy_slots_history", 30, Register.ENERGY),
    ],
)
def test_selected_histories(kind: MeterKind, name: str, minutes: int, register: Register) -> None:
    value = Record(at=AT, segments=2, rows=(Record(normal=9, reverse=1), Record(normal=8, reverse=NO_DATA)))
    newest, _, oldest, missing = read(kind, name, value)
    earlier = AT - timedelta(minutes=minutes)
    assert newest == counter(register, 9, source=Source.HISTORY)
    assert oldest == counter(register, 8, instant=earlier, source=Source.HISTORY)
    assert isinstance(missing, Reading)
    assert (missing.count, missing.register.direction) == (None, "reverse")
    forward = read(kind, name, value, segments="forward")[2]
    assert forward == counter(register, 8, instant=AT + timedelta(minutes=minutes), source=Source.HISTORY)


def test_a_selected_history_that_was_never_selected_is_refused() -> None:
    value = Record(at=Special.UNSET, segments=1, rows=(Record(normal=NO_DATA, reverse=NO_DATA),))
    assert refusals(read(LV, "energy_minutes_history", value)) == [RefusalKind.NO_TIME] * 2


# -- the bracket, and values as the class tables decode them


def test_device_values_date_an_exchange() -> None:
    first: dict[str, Value] = {"energy_now": Record(at=NOW, normal=5)}
    last: dict[str, Value] = {"energy_now": Record(at=NOW + timedelta(seconds=2), normal=5)}
    assert bracket_around(first, last) == BRACKET
    clock: dict[str, Value] = {"clock_date": DAY, "clock_time": time(13, 0), "energy_now": 5}
    found = bracket_around(clock, clock)
    assert isinstance(found, Bracket)
    assert found.day == DAY


def test_bytes_from_the_wire_become_the_same_readings() -> None:
    edt = bytes.fromhex("07EA 04 01 0D 00 00 0000007B")
    assert read(HV, "energy_slot", HV.device_class.decode(0xE3, edt)) == [counter(Register.ENERGY, 123)]
    edt = bytes.fromhex("07EA 04 01 0D 00 00 FFFFFFFE 00000007")
    assert read(HV_BOTH, "energy_slot", HV_BOTH.device_class.decode(0xE3, edt)) == [
        counter(Register.ENERGY, None),
        counter(Register.ENERGY_REVERSE, 7),
    ]
    day = bytes.fromhex("0001") + b"".join(number.to_bytes(4, "big") for number in range(48))
    found = SUB.history_readings(
        "energy_history", SUB.device_class.decode(0xE2, day), asked=1, bracket=BRACKET, received=RECEIVED
    )
    assert [entry.count for entry in found if isinstance(entry, Reading)] == list(range(48))
    assert read(LV, "power_now", LV.device_class.decode(0xE7, bytes.fromhex("7FFFFFFE"))) == [
        PowerReading(watts=None, source=Source.LIVE, received=RECEIVED)
    ]
