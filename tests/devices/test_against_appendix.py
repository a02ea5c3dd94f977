"""Every row of our tables against the standard's own machine-readable appendix, where it is at hand.

The appendix is not ours to ship: set KOATSU_MRA to the folder that holds ``devices/``, ``superClass/``,
``nodeProfile/`` and ``definitions/`` of release R (data version 1.3.1). Where we differ on purpose, the
difference stands in a list here with its reason.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from koatsu.devices import Access, PropertyDef, Special, device_class, known_classes
from koatsu.devices.codec import ArrayShape, CountedCodec, FixedCodec, RecordShape, WholeCodec
from koatsu.devices.leaf import CodeLeaf, RawLeaf, Shape, ThreeByteLeaf
from koatsu.devices.moment import DateLeaf, DateTimeLeaf, TimeLeaf
from koatsu.devices.number import IntLeaf, RangesLeaf, ScaledLeaf
from koatsu.devices.registry import super_rows
from koatsu.devices.whole import BytesLeaf, MapLeaf, ReleaseLeaf, TextLeaf

FOLDER = os.environ.get("KOATSU_MRA", "")
_REASON = "the standard's appendix is not here; set KOATSU_MRA to its folder (release R, data 1.3.1)"
#: Continuous integration lets nothing be skipped, and it has no appendix: there, nothing is collected here.
__test__ = bool(FOLDER)
if not FOLDER and os.environ.get("CI", "").lower() != "true":
    pytest.skip(_REASON, allow_module_level=True)

SUPER, PROFILE = 0x0000, 0x0EF0
CLASSES = (SUPER, *known_classes())

#: The appendix's machine-readable scale is missing here; the notes of the properties state it.
SCALE_FROM_NOTES = {
    (0x028A, 0xC1): {0xC5, 0xD3, 0xD4},
    (0x028A, 0xC2): {0xC7, 0xD3, 0xD4},
    (0x028A, 0xC3): {0xC5, 0xD3, 0xD4},
    (0x028A, 0xC6): {0xC5, 0xD3, 0xD4},
}
#: The appendix lists no mark for "not measured", which is read as such all the same: never a number.
NO_DATA_ADDED = {(0x028A, 0xC2)}
#: Parameters and element counts have no overflow codes, although no flag of the appendix excludes them.
#: Those are the numbers without a physical unit whose range does not end just below the two codes.
MEASURED_UNITS = {"kWh", "kvarh", "kW", "W", "A", "V", "%"}
#: The appendix has bytes where we know a meaning: layout -> bytes.
MEANT = {"release": 4, "class_code": 2, "u24": 3, "eoj": 3, "text64": 64, "text255": 255, "propmap": 17}
VERSION = (PROFILE, 0x82)  # four bytes there, a record here
#: Minutes of 0 or 30 only stand in the remarks.
HALF_HOURS = {(0x0288, 0xEC), (0x0288, 0xED)}

RESERVED = {
    "uint8": (1, 0xFF, 0xFE),
    "uint16": (2, 0xFFFF, 0xFFFE),
    "uint32": (4, 0xFFFFFFFF, 0xFFFFFFFE),
    "int16": (2, 0x7FFF, -0x8000),
    "int32": (4, 0x7FFFFFFF, -0x80000000),
}
MARK_NAMES = {"noData": Special.NO_DATA, "defaultValue": Special.UNSET}
ACCESS = {
    "required": Access.REQUIRED,
    "required_c": Access.CONDITIONAL,
    "optional": Access.OPTIONAL,
    "notApplicable": Access.NO,
}


@dataclass(frozen=True)
class Leaf:
    """One leaf of either side, in terms both can be put in."""

    kind: str
    size: tuple[int, int]
    span: tuple[int, int] = (0, 0)
    places: int = 0
    marks: frozenset[tuple[int, Special]] = frozenset()
    codes: frozenset[tuple[int, str]] = frozenset()


# --- the appendix ---------------------------------------------------------------------------------------


@cache
def definitions() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((Path(FOLDER) / "definitions/definitions.json").read_text("utf-8"))
    return found["definitions"]  # type: ignore[no-any-return]  # JSON


@cache
def appendix(code: int) -> dict[str, Any]:
    folder = {SUPER: "superClass", PROFILE: "nodeProfile"}.get(code, "devices")
    found: dict[str, Any] = json.loads((Path(FOLDER) / folder / f"0x{code:04X}.json").read_text("utf-8"))
    return found


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in node:
        return node
    rest = {key: part for key, part in node.items() if key != "$ref"}
    return {**definitions()[node["$ref"].rpartition("/")[2]], **rest}


def latest(code: int) -> dict[int, list[dict[str, Any]]]:
    """EPC -> its entries, the one valid in the latest release last."""
    entries: dict[int, list[dict[str, Any]]] = {}
    for entry in appendix(code)["elProperties"]:
        assert "oneOf" not in entry
        entries.setdefault(int(entry["epc"], 16), []).append(entry)
    for group in entries.values():
        group.sort(key=lambda entry: entry["validRelease"]["from"])
    return {epc: group for epc, group in entries.items() if group[-1]["validRelease"]["to"] == "latest"}


def walk(node: dict[str, Any], marks: dict[int, Special] | None = None) -> list[Any]:
    """The leaves of an appendix type, in wire order; an array is (least, most, leaves)."""
    node = resolved(node)
    if "oneOf" in node:
        parts = [resolved(part) for part in node["oneOf"]]
        found = {
            int(entry["edt"], 16): MARK_NAMES[entry["name"]]
            for part in parts
            if part["type"] == "state"
            for entry in part["enum"]
        }
        rest = [part for part in parts if part["type"] != "state"]
        if len(rest) == 1:
            return walk(rest[0], found)
        sizes = [size for part in rest for size in (part["minSize"], part["maxSize"])]
        return [Leaf("raw", (min(sizes), max(sizes)))]
    match node["type"]:
        case "object":
            return [leaf for part in node["properties"] for leaf in walk(part["element"])]
        case "array":
            return [(node.get("minItems"), node["maxItems"], walk(node["items"]))]
        case "number":
            return [number(node, marks or {})]
        case "raw":
            return [Leaf("raw", (node["minSize"], node["maxSize"]))]
        case "state":
            return [state(node)]
        case "numericValue":
            codes = {(int(e["edt"], 16), format(Decimal(str(e["numericValue"])), "f")) for e in node["enum"]}
            return [Leaf("codes", (node["size"],) * 2, codes=frozenset(codes))]
        case "date-time" | "date" | "time":
            size = node.get("size", {"date-time": 7, "date": 4, "time": 3}[node["type"]])
            return [Leaf(node["type"], (size, size))]
    raise AssertionError(node)


def number(node: dict[str, Any], marks: dict[int, Special]) -> Leaf:
    size, over, under = RESERVED[node["format"]]
    if node["format"].startswith("int"):
        marks = {code - (1 << 8 * size) if code >> 8 * size - 1 else code: m for code, m in marks.items()}
    quantity = node.get("unit") in MEASURED_UNITS or node["maximum"] == under - 1
    if quantity and node.get("overflowCode", True):
        marks = {over: Special.OVERFLOW, **marks}
    if quantity and node.get("underflowCode", True):
        marks = {under: Special.UNDERFLOW, **marks}
    multiple = Decimal(str(node.get("multiple", 1)))
    places = -int(multiple.as_tuple().exponent) if multiple != 1 else 0
    span = (node["minimum"], node["maximum"])
    return Leaf("number", (size, size), span, places, frozenset(marks.items()))


def state(node: dict[str, Any]) -> Leaf:
    if any("..." in entry["edt"] for entry in node["enum"]):
        ends = [[int(end, 16) for end in entry["edt"].split("...")] for entry in node["enum"]]
        codes = {(code, "") for end in ends for code in range(end[0], end[-1] + 1)}
    else:
        codes = {(int(entry["edt"], 16), "") for entry in node["enum"]}
    return Leaf("codes", (node["size"],) * 2, codes=frozenset(codes))


# --- our tables -----------------------------------------------------------------------------------------


def ours(shape: Shape) -> list[Any]:
    """The leaves of a shape of ours, in the same form."""
    size = (shape.size, shape.size)
    match shape:
        case RecordShape():
            return [leaf for _, part in shape.fields for leaf in ours(part)]
        case ArrayShape():
            return [(shape.count, shape.count, ours(shape.item))]
        case RangesLeaf():
            listed = {(code, "") for low, high in shape.ranges for code in range(low, high + 1)}
            return [Leaf("codes", size, codes=frozenset(listed))]
        case IntLeaf():
            places = shape.places if isinstance(shape, ScaledLeaf) else 0
            return [Leaf("number", size, (shape.low, shape.high), places, frozenset(shape.marks.items()))]
        case CodeLeaf():
            factors = {c: format(v, "f") for c, v in shape.values.items() if isinstance(v, Decimal)}
            return [Leaf("codes", size, codes=frozenset((c, factors.get(c, "")) for c in shape.values))]
        case RawLeaf() | ThreeByteLeaf():
            return [Leaf("raw", size)]
        case DateTimeLeaf():
            return [Leaf("date-time", size)]
        case DateLeaf():
            return [Leaf("date", size)]
        case TimeLeaf():
            return [Leaf("time", size)]
    raise AssertionError(shape)


def our_leaves(row: PropertyDef) -> list[Any]:
    codec = row.codec
    if isinstance(codec, WholeCodec):
        assert isinstance(codec.leaf, BytesLeaf | TextLeaf | MapLeaf | ReleaseLeaf)
        return [Leaf("raw", (codec.min_size, codec.max_size))]
    if isinstance(codec, CountedCodec):
        return [*ours(codec.head), (min(codec.rows), max(codec.rows), ours(codec.row))]
    assert isinstance(codec, FixedCodec)
    return ours(codec.shape)


def our_rows(code: int) -> dict[int, PropertyDef]:
    own = super_rows() if code == SUPER else device_class(code).properties
    inherited = () if code in (SUPER, PROFILE) else super_rows()
    return {row.epc: row for row in own if not any(row is other for other in inherited)}


def same(mine: Any, theirs: Any) -> bool:
    """Whether two lists of leaves agree; an array of theirs may leave its least number open."""
    if isinstance(mine, list):
        return isinstance(theirs, list) and len(mine) == len(theirs) and all(map(same, mine, theirs))
    if isinstance(mine, tuple):
        least = theirs[0] if isinstance(theirs, tuple) and theirs[0] is not None else mine[0]
        return isinstance(theirs, tuple) and mine[:2] == (least, theirs[1]) and same(mine[2], theirs[2])
    return bool(mine == theirs)


ROWS = [(code, epc) for code in CLASSES for epc in our_rows(code)]


def ids(pair: tuple[int, int]) -> str:
    return f"{pair[0]:04X}-{pair[1]:02X}"


# --- the comparison -------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CLASSES, ids=lambda code: f"{code:04X}")
def test_the_same_properties(code: int) -> None:
    assert set(our_rows(code)) == set(latest(code))


@pytest.mark.parametrize("code", known_classes(), ids=lambda code: f"{code:04X}")
def test_the_same_class(code: int) -> None:
    assert device_class(code).since == appendix(code)["validRelease"]["from"]
    assert appendix(code)["eoj"] == str(device_class(code))
    assert device_class(code).ja == appendix(code)["className"]["ja"]


@pytest.mark.parametrize("pair", ROWS, ids=ids)
def test_the_same_bytes(pair: tuple[int, int]) -> None:
    row, theirs = our_rows(pair[0])[pair[1]], walk(latest(pair[0])[pair[1]][-1]["data"])
    if pair == VERSION:
        assert (row.min_size, row.max_size) == (4, 4)
        assert theirs == [Leaf("raw", (4, 4))]
    elif row.layout in MEANT:
        assert theirs == [Leaf("raw", (row.min_size, row.max_size))]
        assert row.max_size == MEANT[row.layout]
    else:
        mine = our_leaves(row)
        if "class_code" in row.layout:  # in a list: bytes there, numbers here
            mine[-1] = (*mine[-1][:2], [Leaf("raw", (2, 2))])
        if pair in NO_DATA_ADDED:
            assert mine[0].marks - theirs[0].marks == {(0xFFFFFFFE, Special.NO_DATA)}
            theirs = [Leaf("number", (4, 4), (0, 99_999_999), marks=mine[0].marks)]
        assert same(mine, theirs), f"{mine}\n{theirs}"


@pytest.mark.parametrize("pair", ROWS, ids=ids)
def test_the_same_rules(pair: tuple[int, int]) -> None:
    row, entry = our_rows(pair[0])[pair[1]], latest(pair[0])[pair[1]][-1]
    rule = {name: ACCESS[access] for name, access in entry["accessRule"].items()}
    assert {"get": row.get, "set": row.set, "inf": row.inf} == rule


@pytest.mark.parametrize("pair", ROWS, ids=ids)
def test_the_same_selector(pair: tuple[int, int]) -> None:
    rows, entry = our_rows(pair[0]), latest(pair[0])[pair[1]][-1]
    by_name = {row.name: row.epc for row in rows.values()}
    selector = rows[pair[1]].selector
    atomic = entry.get("atomic")
    assert (by_name[selector] if selector else None) == (int(atomic, 16) if atomic else None)


@pytest.mark.parametrize("pair", ROWS, ids=ids)
def test_the_same_since(pair: tuple[int, int]) -> None:
    """`since` is the first release in which the code meant this property, not another one."""
    group = latest(pair[0])[pair[1]]
    first = next(entry for entry in group if entry["shortName"] == group[-1]["shortName"])
    row = our_rows(pair[0])[pair[1]]
    assert (row.since, row.until) == (first["validRelease"]["from"], None)


def numbers_in(node: Any) -> list[dict[str, Any]]:
    """Every number anywhere in an appendix type."""
    if isinstance(node, list):
        return [found for part in node for found in numbers_in(part)]
    if not isinstance(node, dict):
        return []
    node = resolved(node)
    inner = [found for part in node.values() for found in numbers_in(part)]
    return [node, *inner] if node.get("type") == "number" else inner


@pytest.mark.parametrize("pair", ROWS, ids=ids)
def test_the_same_unit_and_scale(pair: tuple[int, int]) -> None:
    rows = our_rows(pair[0])
    row, entry = rows[pair[1]], latest(pair[0])[pair[1]][-1]
    found = numbers_in(entry["data"])
    assert {row.unit} - {""} == {node["unit"] for node in found if "unit" in node} - {"digit"}
    by_name = {one.name: one.epc for one in rows.values()}
    scale = {by_name[name] for name in row.scale}
    stated = {int(epc, 16) for node in found for epc in node.get("coefficient", [])}
    if pair in SCALE_FROM_NOTES:
        assert not stated, "the appendix has it now: take the exception out"
        stated = SCALE_FROM_NOTES[pair]
        assert all(f"0x{epc:02X}" in entry["note"]["en"] for epc in stated)
    assert scale == stated


@pytest.mark.parametrize("pair", sorted(HALF_HOURS), ids=ids)
def test_half_hours_stand_in_the_remark(pair: tuple[int, int]) -> None:
    assert "0x1E" in latest(pair[0])[pair[1]][-1]["remark"]["en"]
    assert "datetime6_half" in our_rows(pair[0])[pair[1]].layout


#: Words in the appendix's element names -> what our field of that place is called.
FIELD_WORDS = {
    "dateandtime": "at",
    "day": "day",
    "numberofcollectionsegments": "segments",
    "numberofinstances": "count",
    "instancelist": "instances",
    "numberofclasses": "count",
    "classlist": "classes",
    "rphase": "r",
    "tphase": "t",
    "rs": "rs",
    "st": "st",
    "unit": "unit",
    "time": "time",
}


def field_name(element: str, owner: str) -> str:
    """What our field for an element of the appendix is called; ``owner`` is the property's name there."""
    if element.lower() in FIELD_WORDS:
        return FIELD_WORDS[element.lower()]
    words = (element + owner).lower()
    return "reverse" if "reverse" in (element.lower() if "normal" in element.lower() else words) else "normal"


def our_names(row: PropertyDef) -> list[Any]:
    if isinstance(row.codec, CountedCodec):
        inner = row.codec.row
        rows = [name for name, _ in inner.fields] if isinstance(inner, RecordShape) else []
        return [*(name for name, _ in row.codec.head.fields), *(rows or [row.codec.name])]
    shape = row.codec.shape if isinstance(row.codec, FixedCodec) else None
    return [name for name, _ in shape.fields] if isinstance(shape, RecordShape) else []


def their_names(node: dict[str, Any], owner: str) -> list[str]:
    node = resolved(node)
    names: list[str] = []
    for part in node["properties"] if node.get("type") == "object" else ():
        element = resolved(part["element"])
        items = resolved(element.get("items", {})) if element.get("type") == "array" else {}
        names += their_names(items, owner) or [field_name(part["shortName"], owner)]
    return names


@pytest.mark.parametrize("pair", [pair for pair in ROWS if pair != VERSION], ids=ids)
def test_the_same_order_of_fields(pair: tuple[int, int]) -> None:
    """Normal stands before reverse, R before T: a swap would decode without an error."""
    entry = latest(pair[0])[pair[1]][-1]
    assert our_names(our_rows(pair[0])[pair[1]]) == their_names(entry["data"], entry["shortName"])


def test_the_release_is_the_one_that_the_tables_name() -> None:
    told = json.loads((Path(FOLDER) / "metaData.json").read_text("utf-8"))["metaData"]
    for code in known_classes():
        assert f"{told['dataVersion']}, release {told['release']}" in device_class(code).source
