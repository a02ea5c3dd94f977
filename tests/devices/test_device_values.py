"""Records, marks, layouts and the rows that people see."""

from __future__ import annotations

import pickle
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from koatsu.clock import JST
from koatsu.devices import Record, Special, device_class, known_classes, spec_headings, spec_rows
from koatsu.devices.layout import LayoutError, parse
from koatsu.echonet import Eoj

NAIVE = datetime(2026, 11, 22, tzinfo=JST).replace(tzinfo=None)
TOO_FINE = datetime(2026, 11, 22, microsecond=1, tzinfo=JST)


def test_a_record_is_a_mapping_equal_by_content() -> None:
    record = Record({"at": 1, "normal": Special.NO_DATA})
    assert record["normal"] is Special.NO_DATA
    assert list(record) == ["at", "normal"]
    assert len(record) == 2
    assert "at" in record
    assert record == Record(at=1, normal=Special.NO_DATA)
    assert record == {"normal": Special.NO_DATA, "at": 1}
    assert record != Record(at=1)
    assert record != 5
    assert hash(record) == hash(Record([("normal", Special.NO_DATA), ("at", 1)]))
    assert {record: "found"}[Record(at=1, normal=Special.NO_DATA)] == "found"
    assert pickle.loads(pickle.dumps(record)) == record
    assert repr(record) == "Record(at=1, normal=Special.NO_DATA)"


def test_a_record_cannot_be_changed() -> None:
    source: dict[str, Any] = {"at": 1}
    record = Record(source)
    source["at"] = 2
    assert record["at"] == 1
    with pytest.raises(TypeError):
        record["at"] = 2  # type: ignore[index]  # that is the point
    with pytest.raises(AttributeError):
        record.at = 2  # type: ignore[attr-defined]  # that is the point
    with pytest.raises(KeyError):
        record["reverse"]


def test_a_mark_is_never_a_number() -> None:
    for mark in Special:
        assert not isinstance(mark, int)
        with pytest.raises(TypeError):
            mark + 1  # type: ignore[operator]  # that is the point
        assert mark.label("ja") != mark.label("en")
    assert Special.NO_DATA.label("ja") == "未計測"


def test_moments_are_aware_and_of_japan() -> None:
    value = device_class(0x028A).decode("energy_now", bytes.fromhex("07EA0B160A1E00 00000001"))
    assert isinstance(value, Record)
    at = value["at"]
    assert isinstance(at, datetime)
    assert at.tzinfo is JST
    assert at == datetime(2026, 11, 22, 1, 30, tzinfo=UTC)


def test_any_zone_is_written_as_japan_time() -> None:
    table = device_class(0x028A)
    utc = {"at": datetime(2026, 11, 22, 15, 0, tzinfo=UTC), "normal": 1}
    assert table.encode("energy_now", utc) == bytes.fromhex("07EA0B17000000 00000001")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("energy_now", {"at": NAIVE, "normal": 1}, "at: a date and time with zone"),
        ("energy_now", {"at": TOO_FINE, "normal": 1}, "finer than a second"),
        ("energy_now", {"at": datetime(9999, 12, 31, 20, tzinfo=UTC), "normal": 1}, "beyond"),
        ("energy_now", {"at": datetime(1, 1, 1, tzinfo=JST), "normal": 1}, "UTC"),
        ("energy_now", {"at": Special.UNSET, "normal": -1}, "normal: -1 is out of range"),
        ("energy_now", {"at": Special.UNSET, "normal": Special.OVERFLOW}, "OVERFLOW has no code"),
        ("energy_now", {"at": Special.UNSET, "normal": True}, "an integer is needed"),
        ("energy_now", {"at": Special.UNSET, "normal": Decimal(1)}, "an integer is needed"),
        ("energy_now", {"at": Special.UNSET}, "exactly at, normal, not at"),
        ("energy_now", {}, "not nothing"),
        ("energy_now", 5, "a record of at, normal"),
        ("energy_history", {"day": 0, "normal": (0,) * 47}, "normal: 48 values are needed"),
        ("energy_history", {"day": 0, "normal": (0,) * 47 + ("x",)}, "normal: element 48: an integer"),
        ("energy_history", {"day": 0, "normal": (0,) * 47 + (10**8,)}, "normal: element 48: 100000000 is"),
        ("energy_unit", Decimal("0.5"), "has no code"),
        ("energy_unit", 0.1, "has no code"),
        ("energy_unit", True, "has no code"),
        ("operation_status", "ON", "'ON' has no code; possible: 30 on"),
        ("serial_number", b"1", "12 bytes are needed"),
        ("serial_number", "000000000001", "12 bytes are needed"),
        ("clock_time", time(1, 2, 3), "whole minutes"),
        ("clock_time", time(1, 2, tzinfo=UTC), "without zone"),
        ("clock_date", datetime(2026, 11, 22, tzinfo=JST), "a date is needed"),
        ("release", "r", "such as 'R rev.1'"),
        ("release", "R rev.256", "at most 255"),
        ("get_map", {0x7F}, "0x80 to 0xFF"),
        ("get_map", {"E7"}, "a set of property codes"),
        ("energy_consumption", Decimal("0.0001"), "no multiple of 0.001"),
        ("energy_consumption", Decimal("NaN"), "out of range"),
        ("energy_consumption", 0.5, "a Decimal is needed"),
        ("location", b"\x02" + bytes(16), "17 bytes that begin with 02"),
        ("fault_description", 8, "no code of the table"),
    ],
)  # fmt: skip
def test_what_cannot_be_encoded_and_why(name: str, value: Any, reason: str) -> None:
    row = device_class(0x028A).property(name)
    with pytest.raises(ValueError, match=rf"^{name} \(0x{row.epc:02X}\): ") as caught:
        row.encode(value)
    assert reason in str(caught.value)


def test_what_else_can_be_encoded() -> None:
    table = device_class(0x028A)
    assert table.encode("energy_unit", 10) == b"\x0a"
    assert table.encode("energy_unit", Decimal("0.10")) == b"\x01"
    assert table.encode("energy_history", {"day": 0, "normal": [1] * 48}) == bytes(2) + b"\0\0\0\1" * 48
    assert table.encode("release", "R") == b"\0\0R\0"
    assert table.encode("get_map", [0xE7, 0x80]) == b"\x02\x80\xe7"
    assert table.encode("energy_consumption", 1) == b"\0\0\x03\xe8"
    assert table.encode("clock_date", date(2026, 11, 22)) == bytes.fromhex("07EA0B16")


def test_instances_are_object_codes() -> None:
    profile = device_class(0x0EF0)
    listed = profile.decode("instance_list", bytes.fromhex("01 028A01"))
    assert isinstance(listed, Record)
    instances = listed["instances"]
    assert instances == (Eoj(0x028A01),)
    assert isinstance(instances, tuple)
    assert isinstance(instances[0], Eoj)
    assert profile.encode("instance_list", {"count": 1, "instances": [0x028A01]}) == bytes.fromhex("01028A01")
    with pytest.raises(ValueError, match="instances: 2 values are needed"):
        profile.encode("instance_list", {"count": 2, "instances": [0x028A01]})


@pytest.mark.parametrize(
    "text", ["", " ", "a:", ":a", "a*", "a*b*c", "(a", "a)", "a,b", "A", "a:b:c", "a *-1", "()"]
)
def test_a_text_that_is_no_layout(text: str) -> None:
    with pytest.raises(LayoutError, match="layout"):
        parse(text)


def test_layout_of_rows() -> None:
    layout = parse("at:datetime6 segments:segments10 rows:(normal:count reverse:count)*segments")
    assert [item.name for item in layout.items] == ["at", "segments", "rows"]
    assert layout.items[2].times == "segments"
    assert layout.is_record
    assert not parse("count*48").is_record


@pytest.mark.parametrize("code", known_classes(), ids=lambda code: f"{code:04X}")
@pytest.mark.parametrize("lang", ["ja", "en"])
def test_spec_rows(code: int, lang: str) -> None:
    table = device_class(code)
    rows = spec_rows(table, lang)
    assert len(rows) == len(table.properties)
    for row in rows:
        assert len(row.cells()) == len(spec_headings(lang))
        assert row.epc
        assert row.title
        assert row.values
        assert row.size


def test_spec_says_what_a_meter_reader_needs() -> None:
    [row] = [row for row in spec_rows(device_class(0x028A)) if row.name == "energy_history"]
    assert (row.epc, row.size, row.unit, row.selector) == ("0xE7", "194", "kWh", "history_day")
    assert row.scale == "energy_unit × coefficient × multiplier"
    assert (row.get, row.set, row.since) == ("required", "–", "F")
    assert "FFFFFFFE not measured" in row.values
    [row] = [row for row in spec_rows(device_class(0x0288), "ja") if row.name == "energy_now_reverse"]
    assert row.get == "条件付き必須"
    assert "FFFFFFFE 未計測" in row.values
    [row] = [row for row in spec_rows(device_class(0x028F), "ja") if row.name == "energy_minutes_history"]
    assert row.size == "15..87"
