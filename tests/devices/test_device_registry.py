"""The tables as a whole, and what is refused in a table that contradicts itself."""

from __future__ import annotations

from importlib.resources import files

import pytest

from koatsu.devices import (
    Access,
    TableError,
    UnknownClassError,
    UnknownPropertyError,
    device_class,
    known_classes,
)
from koatsu.devices.registry import read_class, read_rows, read_types, super_rows

#: Properties of each class's own, counted by hand in the standard's tables of release R.
OWN_ROWS = {0x0288: 18, 0x028A: 22, 0x028D: 15, 0x028F: 36, 0x05FF: 17, 0x0EF0: 19}
SUPER_ROWS = 24


def test_known_classes() -> None:
    assert known_classes() == tuple(OWN_ROWS)


@pytest.mark.parametrize("code", OWN_ROWS, ids=lambda code: f"{code:04X}")
def test_number_of_properties(code: int) -> None:
    table = device_class(code)
    shared = 0 if code == 0x0EF0 else SUPER_ROWS
    redefined = 1 if code == 0x028F else 0  # operation status
    assert len(table.properties) == OWN_ROWS[code] + shared - redefined
    own, inherited = table.properties[: OWN_ROWS[code]], table.properties[OWN_ROWS[code] :]
    assert [row.epc for row in own] == sorted(row.epc for row in own)
    assert [row.epc for row in inherited] == sorted(row.epc for row in inherited)
    assert set(inherited) <= set(super_rows())


def test_super_class() -> None:
    assert len(super_rows()) == SUPER_ROWS


@pytest.mark.parametrize("code", OWN_ROWS, ids=lambda code: f"{code:04X}")
def test_no_two_names_collide(code: int) -> None:
    rows = device_class(code).properties
    for names in ([row.name for row in rows], [row.epc for row in rows], [row.ja for row in rows]):
        assert len(set(names)) == len(names)
    for row in rows:
        assert not row.en.isspace()
        assert bool(row.note) == bool(row.note_ja)


def test_what_must_be_set_first() -> None:
    expected = {
        0x028A: {"history_day": {"demand_history", "reactive_history", "energy_history"}},
        0x0288: {
            "history_day": {"energy_history", "energy_history_reverse"},
            "slots_selector": {"energy_slots_history"},
            "minutes_selector": {"energy_minutes_history"},
        },
    }
    for code, selectors in expected.items():
        table = device_class(code)
        for selector, names in selectors.items():
            assert {row.name for row in table.properties if row.selector == selector} == names
            assert table.property(selector).set is not Access.NO


@pytest.mark.parametrize("asked", [0x028A, "028A", "0x028A", "0x028a", " 28a "])
def test_a_class_by_its_code(asked: int | str) -> None:
    assert device_class(asked) is device_class(0x028A)


@pytest.mark.parametrize("asked", [0x028B, "028B", "0x9999", "hv", "", "0x", -1, 0x028A01])
def test_an_unknown_class_names_the_known_ones(asked: int | str) -> None:
    with pytest.raises(UnknownClassError) as caught:
        device_class(asked)
    assert caught.value.exit_status == 2
    for lang in ("en", "ja"):
        assert "028A" in caught.value.text(lang)
    assert caught.value.ja


@pytest.mark.parametrize("asked", ["energy_history", "E7", "0xE7", "0xe7", 0xE7])
def test_a_property_by_name_or_code(asked: int | str) -> None:
    assert device_class(0x028A).property(asked).name == "energy_history"


def test_an_unknown_property_names_the_nearest() -> None:
    with pytest.raises(UnknownPropertyError) as caught:
        device_class(0x028A).property("enrgy_now")
    assert caught.value.exit_status == 2
    assert "energy_now" in caught.value.text()
    assert "energy_now" in caught.value.text("ja")
    assert "プロパティ" in caught.value.text("ja")


@pytest.mark.parametrize("asked", ["zzzzzz", "F0", 0xF0, 0, -1, ""])
def test_an_unknown_property_without_a_near_one(asked: int | str) -> None:
    table = device_class(0x028A)
    assert not table.has(asked)
    with pytest.raises(UnknownPropertyError, match="has no property") as caught:
        table.decode(asked, b"")
    assert "koatsu spec 028A" in caught.value.text()


def test_has() -> None:
    table = device_class(0x028A)
    assert table.has(0xE7)
    assert table.has("energy_history")
    assert table.has("serial_number")
    assert not table.has("power_now")


def test_encode_by_name() -> None:
    table = device_class(0x028A)
    assert table.encode("history_day", 3) == b"\x03"
    assert table.encode(0xE1, 3) == b"\x03"
    with pytest.raises(ValueError, match=r"history_day \(0xE1\): 100 is out of range: 0\.\.99, FF not set"):
        table.encode("history_day", 100)


# --- broken tables --------------------------------------------------------------------------------------

TYPES = """
[types]
number = { kind = "int", wire = "u8", min = 0, max = 99, unset = "FF", source = "test" }
counter = { kind = "int", wire = "u8", min = 0, max = 3, source = "test" }
text = { kind = "text", max = 9, source = "test" }
"""
HEADER = """
[class]
code = "0x1234"
name = "thing"
ja = "もの"
en = "Thing"
since = "A"
source = "test"
"""
ROW = (
    '{ name = "level", ja = "量", en = "Level", layout = "number", '
    'get = "required", set = "optional", inf = "no", since = "A" }'
)


def table(*rows: str, header: str = HEADER) -> str:
    return "\n".join([header, "[properties]", *rows])


def test_a_good_table() -> None:
    loaded = read_class(table(f"0xE0 = {ROW}"), "1234.toml", read_types(TYPES))
    assert str(loaded) == "0x1234"
    assert loaded.decode(0xE0, b"\x05") == 5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('"number"', '"numbr"'), "unknown type 'numbr'"),
        (('"number"', '"a:number b:text"'), "must stand alone"),
        (('"number"', '"a:number a:number"'), "different names"),
        (('"number"', '"number number"'), "a name for each item"),
        (('"number"', '"(number"'), r"'\)' expected"),
        (('"number"', '"number*0"'), "above 0"),
        (('"number"', '"number*256"'), "takes 256 bytes"),
        (('"number"', '"rows:number*count"'), "'count' before its use"),
        (('"number"', '"count:number rows:number*count"'), "plain number"),
        (('"number"', '"count:counter rows:number*count more:number"'), "must be the last"),
        (('"level"', '"Level"'), "snake_case"),
        (('"level"', '""'), "must be text"),
        (('"optional"', '"maybe"'), "set is required"),
        (('since = "A"', 'since = "1"'), "release letter"),
        (('since = "A"', "since = 1"), "must be text"),
        (('since = "A"', 'since = "A", colour = "red"'), r"unknown \['colour'\]"),
        (('ja = "量", ', ""), r"missing \['ja'\]"),
        (('since = "A"', 'since = "A", unit = "kWhh"'), "unknown unit 'kWhh'"),
        (('since = "A"', 'since = "A", unit = "kWh", scale = ["nothing"]'), "scale names 'nothing'"),
        (('since = "A"', 'since = "A", scale = ["level"]'), "needs a unit"),
        (('since = "A"', 'since = "A", scale = "level"'), "scale.*must be text"),
        (('since = "A"', 'since = "A", selector = "nothing"'), "selector 'nothing'"),
        (('set = "optional"', 'set = "no", selector = "level"'), "selector 'level'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_row_is_refused_with_file_row_and_line(change: tuple[str, str], reason: str) -> None:
    broken = ROW.replace(*change)
    assert broken != ROW
    text = table(f"0xE0 = {broken}")
    line = text[: text.index("0xE0")].count("\n") + 1
    with pytest.raises(TableError, match=rf"1234\.toml, row 0xE0, line {line}: .*{reason}"):
        read_class(text, "1234.toml", read_types(TYPES))


def renamed(name: str) -> str:
    return ROW.replace('"level"', f'"{name}"')


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([f"0xE0 = {ROW}", f"0xE1 = {ROW}"], "the name 'level' is taken"),
        ([f"0xE1 = {ROW}", f"0xE0 = {renamed('other')}"], "must ascend"),
        ([f"0xe0 = {ROW}"], "a code from 0x80 to 0xFF"),
        ([f"0x7F = {ROW}"], "a code from 0x80 to 0xFF"),
        ([f"energy = {ROW}"], "a code from 0x80 to 0xFF"),
        (["0xE0 = 5"], "a code from 0x80 to 0xFF"),
        ([f"0xE0 = {ROW}", f"0xE0 = {renamed('other')}"], "no TOML"),
        (["0xE0 = {"], "no TOML"),
    ],
)
def test_rows_that_contradict_each_other_are_refused(rows: list[str], reason: str) -> None:
    with pytest.raises(TableError, match=rf"1234\.toml.*{reason}"):
        read_class(table(*rows), "1234.toml", read_types(TYPES))


def test_a_name_of_the_super_class_is_taken_too() -> None:
    above = read_rows(table(f"0xE0 = {ROW}"), "super.toml", read_types(TYPES))
    text = table(f"0xE1 = {ROW}", header=HEADER + 'inherits = "super"')
    with pytest.raises(TableError, match="the name 'level' is taken"):
        read_class(text, "1234.toml", read_types(TYPES), above)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (('code = "0x1234"', 'code = "1234"'), "has code"),
        (('name = "thing"\n', ""), "needs code"),
        (('name = "thing"', 'name = ""'), "needs code"),
        (('name = "thing"', 'name = "thing"\ncolour = "red"'), "needs code"),
        (('name = "thing"', 'name = "thing"\ninherits = "me"'), "inherits = 'super'"),
        (("[class]", "[klass]"), r"no section \[class\]"),
    ],
)
def test_a_broken_header_is_refused(change: tuple[str, str], reason: str) -> None:
    with pytest.raises(TableError, match=rf"1234\.toml: .*{reason}"):
        read_class(table(f"0xE0 = {ROW}", header=HEADER.replace(*change)), "1234.toml", read_types(TYPES))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('{ kind = "int", wire = "u8", min = 0, max = 255, no_data = "FE", source = "x" }', "outside 0..255"),
        ('{ kind = "int", wire = "u8", min = 0, max = 256, source = "x" }', "does not fit u8"),
        ('{ kind = "int", wire = "u9", min = 0, max = 5, source = "x" }', "'u9'"),
        ('{ kind = "int", wire = "u8", min = 0, source = "x" }', "needs 'max'"),
        ('{ kind = "int", wire = "u8", min = "0", max = 5, source = "x" }', "wrong type"),
        ('{ kind = "int", wire = "u8", min = 0, max = 5, no_data = "FFFE", source = "x" }', "needs 1 bytes"),
        ('{ kind = "int", wire = "u8", min = 0, max = 5, no_data = "XX", source = "x" }', "hexadecimal"),
        (
            '{ kind = "int", wire = "u8", min = 0, max = 5, no_data = "FE", unset = "FE", source = "x" }',
            "two marks",
        ),
        ('{ kind = "int", wire = "u8", min = 0, max = 5 }', "source is missing"),
        ('{ kind = "int", wire = "u8", min = 0, max = 5, source = "x", step = 2 }', "does not know 'step'"),
        ('{ kind = "number", source = "x" }', "kind must be one of"),
        ('{ kind = "factor", codes = { 00 = "1", 01 = "1.0" }, source = "x" }', "value of its own"),
        ('{ kind = "factor", codes = { 00 = "one" }, source = "x" }', "wrong type"),
        ('{ kind = "state", codes = [["30", "a", "い", "a"], ["30", "b", "ろ", "b"]], source = "x" }', "two"),
        ("5", "a lower-case name and a table"),
    ],
)
def test_a_broken_type_is_refused_with_file_row_and_line(row: str, reason: str) -> None:
    with pytest.raises(TableError, match=rf"types\.toml, row odd, line 3: .*{reason}"):
        read_types(f"\n[types]\nodd = {row}\n")


# --- the package ----------------------------------------------------------------------------------------


def test_tables_stand_in_the_package() -> None:
    tables = files("koatsu.devices") / "tables"
    names = {entry.name for entry in tables.iterdir()}
    assert names == {f"{code:04x}.toml" for code in known_classes()} | {"types.toml", "super.toml"}


def test_one_row_is_one_line() -> None:
    for entry in (files("koatsu.devices") / "tables").iterdir():
        text = entry.read_text("utf-8")
        body = text[text.index("[properties]" if "[properties]" in text else "[types]") :]
        rows = [line for line in body.splitlines()[1:] if line and not line.startswith("#")]
        assert all(" = { " in line and line.endswith("}") for line in rows), entry.name
