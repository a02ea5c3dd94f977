"""Bytes in, value out: vectors written by hand, never from the tables they judge."""

from __future__ import annotations

import json
import re
import tomllib
from datetime import date, datetime, time
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from koatsu.devices import PropertyDef, Record, Special, Value, device_class, known_classes
from koatsu.echonet import DecodeError

FOLDER = Path(__file__).resolve().parent.parent / "vectors/devices"


def data(text: str) -> bytes:
    """Hex with spaces, in which ``XX*n`` repeats."""
    out = b""
    for token in text.split():
        digits, _, times = token.partition("*")
        out += bytes.fromhex(digits) * int(times or 1)
    return out


def value(written: Any) -> Value:
    """What the JSON of a vector means."""
    match written:
        case {"$decimal": text}:
            return Decimal(text)
        case {"$special": name}:
            return Special[name]
        case {"$datetime": text}:
            return datetime.fromisoformat(text)
        case {"$date": text}:
            return date.fromisoformat(text)
        case {"$time": text}:
            return time.fromisoformat(text)
        case {"$bytes": text}:
            return data(text)
        case {"$set": codes}:
            return frozenset(int(code, 16) for code in codes)
        case dict():
            return Record({name: value(part) for name, part in written.items()})
        case list():
            parts: list[Value] = []
            for part in written:
                times = part.get("$times", 0) if isinstance(part, dict) else 0
                parts += [value(part["value"])] * times if times else [value(part)]
            return tuple(parts)
        case int() | str():
            return written
    raise AssertionError(f"a vector holds {written!r}")


VECTORS: list[dict[str, Any]] = [
    vector
    for file in sorted(FOLDER.glob("*.json"))
    for vector in json.loads(file.read_text("utf-8"))["vectors"]
]


def row(vector: dict[str, Any]) -> PropertyDef:
    return device_class(vector["class"]).property(int(vector["epc"], 16))


def same_kind(left: Value, right: Value) -> bool:
    """Whether two equal values are also of one type all the way down: 1 is not Decimal(1)."""
    if isinstance(left, Record) and isinstance(right, Record):
        return list(left) == list(right) and all(same_kind(left[name], right[name]) for name in left)
    if isinstance(left, tuple) and isinstance(right, tuple):
        return all(map(same_kind, left, right))
    return isinstance(left, type(right))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: f"{v['class']}-{v['epc']}-{v['hex'][:24]}")
def test_vector(vector: dict[str, Any]) -> None:
    edt = data(vector["hex"])
    assert vector["source"].strip()
    if "error" in vector:
        with pytest.raises(DecodeError) as caught:
            row(vector).decode(edt)
        assert caught.value.offset == vector["error"]
        assert caught.value.data == edt
        assert caught.value.expected
        return
    decoded = row(vector).decode(edt)
    assert decoded == value(vector["value"])
    assert same_kind(decoded, value(vector["value"]))
    assert row(vector).encode(decoded) == edt


def test_every_property_has_a_good_vector() -> None:
    judged = {(vector["class"], int(vector["epc"], 16)) for vector in VECTORS if "value" in vector}
    # rows of the super class are judged once, through the controller; the profile shares these with it
    shared = set(range(0x80, 0xA0))
    missing = [
        f"{table} {row.name}"
        for table in map(device_class, known_classes())
        for row in table.properties
        if (f"{table.code:04X}", row.epc) not in judged
        and not (row.epc in shared and ("05FF", row.epc) in judged)
    ]
    assert not missing


def leaf_types() -> dict[str, dict[str, Any]]:
    text = (files("koatsu.devices") / "tables/types.toml").read_text("utf-8")
    types: dict[str, dict[str, Any]] = tomllib.loads(text)["types"]
    return types


def specials(of: Value) -> set[Special]:
    """The marks anywhere in a value."""
    if isinstance(of, Special):
        return {of}
    parts = of.values() if isinstance(of, Record) else of if isinstance(of, tuple) else ()
    return {mark for part in parts for mark in specials(part)}


def test_every_leaf_type_and_every_mark_has_a_vector() -> None:
    seen: dict[str, set[Special]] = {}
    for vector in VECTORS:
        if "value" in vector:
            for name in re.findall(r"[a-z_0-9]+", row(vector).layout):
                seen.setdefault(name, set()).update(specials(value(vector["value"])))
    for name, leaf in leaf_types().items():
        assert name in seen, f"no vector for the type {name}"
        for mark in Special:
            if mark.value in leaf:
                assert mark in seen[name], f"no vector for {mark} of {name}"


def test_every_code_of_every_state_has_a_vector() -> None:
    seen = {
        (name, data(vector["hex"])[:1].hex().upper())
        for vector in VECTORS
        if "value" in vector
        for name in re.findall(r"[a-z_0-9]+", row(vector).layout)
    }
    states = {name: leaf for name, leaf in leaf_types().items() if leaf["kind"] == "state"}
    assert {(name, code) for name, leaf in states.items() for code, *_ in leaf["codes"]} <= seen
