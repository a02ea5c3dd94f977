"""The class tables: found, read once, validated row by row, handed out.

A row that contradicts itself, its class or the leaf types is refused with file, row and line, so a slip in a
table never becomes a wrong number. Source of the facts: see the header of each file in ``tables/``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

from koatsu.devices.codec import compile_layout
from koatsu.devices.errors import TableError, UnknownClassError
from koatsu.devices.leaf import Shape
from koatsu.devices.leaf_types import build_leaf
from koatsu.devices.schema import Access, DeviceClass, PropertyDef
from koatsu.devices.whole import WholeLeaf

__all__ = ["device_class", "known_classes", "read_class", "read_rows", "read_types", "super_rows"]

LeafTypes = Mapping[str, Shape | WholeLeaf]

_TABLES: Final = files("koatsu.devices") / "tables"
_UNITS: Final = frozenset({"", "kWh", "kvarh", "kW", "W", "A", "V", "%"})
_REQUIRED: Final = ("name", "ja", "en", "layout", "get", "set", "inf", "since")
_OPTIONAL: Final = ("until", "unit", "scale", "selector", "note", "note_ja")
_HEADER: Final = ("code", "name", "ja", "en", "since", "source", "inherits")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_EPC: Final = re.compile(r"0x[89A-F][0-9A-F]")
_RELEASE: Final = re.compile(r"[A-Z]")


class _Source:
    """The text of one table: parsed, and able to say on which line a row stands."""

    def __init__(self, file: str, text: str) -> None:
        self.file, self.text = file, text
        try:
            self.data: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise TableError(f"{file}: no TOML: {error}.") from error

    def fault(self, row: str, reason: object) -> TableError:
        """The error for ``row``, with its line where it has one."""
        match = re.search(rf"^\W*{re.escape(row)}\b", self.text, re.MULTILINE)
        line = f", line {self.text.count(chr(10), 0, match.end()) + 1}" if match else ""
        return TableError(f"{self.file}, row {row}{line}: {reason}.")

    def section(self, name: str) -> dict[str, Any]:
        """The table ``[name]``."""
        found = self.data.get(name)
        if not isinstance(found, dict):
            raise TableError(f"{self.file}: there is no section [{name}].")
        return found


def read_types(text: str, file: str = "types.toml") -> LeafTypes:
    """The leaf types of a types table.

    Raises:
        TableError: a row is wrong; file, row and line are in the message.
    """
    source = _Source(file, text)
    leaves: dict[str, Shape | WholeLeaf] = {}
    for name, row in source.section("types").items():
        try:
            if not isinstance(row, dict) or not _NAME.fullmatch(name):
                raise ValueError("a type is a lower-case name and a table")
            leaves[name] = build_leaf(row)
        except ValueError as error:
            raise source.fault(name, error) from error
    return leaves


def read_rows(text: str, file: str, types: LeafTypes) -> tuple[PropertyDef, ...]:
    """The rows of section [properties], in order of code; references between them are not checked yet.

    Raises:
        TableError: a row is wrong; file, row and line are in the message.
    """
    source = _Source(file, text)
    rows: list[PropertyDef] = []
    for key, row in source.section("properties").items():
        try:
            rows.append(_row(key, row, types))
        except ValueError as error:
            raise source.fault(key, error) from error
    codes = [row.epc for row in rows]
    for before, after in pairwise(codes):
        if after <= before:
            raise source.fault(f"0x{after:02X}", "codes must ascend, each once")
    return tuple(rows)


def read_class(
    text: str, file: str, types: LeafTypes, inherited: tuple[PropertyDef, ...] = ()
) -> DeviceClass:
    """The class of one table; ``inherited`` are the super class's rows, used when the header asks for them.

    Raises:
        TableError: header or a row is wrong, or a row names a property that is not there.
    """
    source = _Source(file, text)
    header = source.section("class")
    own = read_rows(text, file, types)
    odd = set(header) ^ {*_HEADER[:-1], *(["inherits"] if "inherits" in header else [])}
    if odd or _bad_text(header, header):
        raise TableError(
            f"{file}: [class] needs {', '.join(_HEADER[:-1])}, all texts, and may have 'inherits'."
        )
    if header.get("inherits", "super") != "super" or not re.fullmatch(r"0x[0-9A-F]{4}", header["code"]):
        raise TableError(f"{file}: [class] has code = '0x028A' and inherits = 'super' or nothing.")
    taken = {row.epc for row in own}
    rows = (*own, *(row for row in inherited if "inherits" in header and row.epc not in taken))
    _check_references(source, own, {row.name: row for row in rows})
    names = [row.name for row in rows]
    for row in own:
        if names.count(row.name) > 1:
            raise source.fault(f"0x{row.epc:02X}", f"the name {row.name!r} is taken")
    return DeviceClass(
        code=int(header["code"], 16),
        name=header["name"],
        ja=header["ja"],
        en=header["en"],
        since=header["since"],
        source=header["source"],
        properties=rows,
    )


def _row(key: str, row: Any, types: LeafTypes) -> PropertyDef:
    if not _EPC.fullmatch(key) or not isinstance(row, dict):
        raise ValueError("a row is a code from 0x80 to 0xFF in capital letters, and a table")
    missing = [name for name in _REQUIRED if name not in row]
    unknown = [name for name in row if name not in (*_REQUIRED, *_OPTIONAL)]
    if missing or unknown:
        raise ValueError(f"missing {missing or 'nothing'}, unknown {unknown or 'nothing'}")
    scale = row.get("scale", [])
    bad = _bad_text(row, [name for name in row if name != "scale"])
    if bad or not isinstance(scale, list) or not all(isinstance(name, str) for name in scale):
        raise ValueError(f"{bad or 'scale'} must be text (scale: a list of names)")
    if not _NAME.fullmatch(row["name"]):
        raise ValueError(f"{row['name']!r} is not in snake_case")
    if row.get("unit", "") not in _UNITS:
        raise ValueError(f"unknown unit {row['unit']!r}; known: {', '.join(sorted(_UNITS - {''}))}")
    for name in ("since", "until"):
        if not _RELEASE.fullmatch(row.get(name, "A")):
            raise ValueError(f"{name} is a release letter, not {row[name]!r}")
    for name in ("get", "set", "inf"):
        if row[name] not in list(Access):
            raise ValueError(f"{name} is {', '.join(Access)}, not {row[name]!r}")
    return PropertyDef(
        epc=int(key, 16),
        codec=compile_layout(row["layout"], types),
        get=Access(row["get"]),
        set=Access(row["set"]),
        inf=Access(row["inf"]),
        scale=tuple(scale),
        **{name: row[name] for name in row if name not in ("get", "set", "inf", "scale")},
    )


def _bad_text(row: Mapping[str, Any], names: Any) -> str:
    """The first of ``names`` whose entry is no text with something in it, "" when all are."""
    return next((name for name in names if not isinstance(row[name], str) or not row[name].strip()), "")


def _check_references(source: _Source, own: tuple[PropertyDef, ...], rows: Mapping[str, PropertyDef]) -> None:
    for row in own:
        key = f"0x{row.epc:02X}"
        for name in row.scale:
            if name not in rows:
                raise source.fault(key, f"scale names {name!r}, which the class does not have")
        if row.scale and not row.unit:
            raise source.fault(key, "a scaled value needs a unit")
        if row.selector is not None:
            selector = rows.get(row.selector)
            if selector is None or selector.set is Access.NO:
                raise source.fault(key, f"the selector {row.selector!r} is no property that can be set")


def _text(file: str) -> str:
    return (_TABLES / file).read_text(encoding="utf-8")


@cache
def _types() -> LeafTypes:
    return read_types(_text("types.toml"))


@cache
def super_rows() -> tuple[PropertyDef, ...]:
    """The rows of the device super class, in order of code."""
    return read_rows(_text("super.toml"), "super.toml", _types())


@cache
def known_classes() -> tuple[int, ...]:
    """The codes of the classes there are tables for, ascending."""
    names = (entry.name for entry in _TABLES.iterdir())
    return tuple(sorted(int(name[:4], 16) for name in names if re.fullmatch(r"[0-9a-f]{4}\.toml", name)))


@cache
def _load(code: int) -> DeviceClass:
    file = f"{code:04x}.toml"
    loaded = read_class(_text(file), file, _types(), super_rows())
    if loaded.code != code:
        raise TableError(f"{file}: [class] says it is {loaded}.")
    return loaded


def device_class(code: int | str) -> DeviceClass:
    """The table of a class: 0x028A, "028A" or "0x028A".

    It is read and validated on first use and kept.

    Raises:
        UnknownClassError: there is no table for it; the hint names those there are.
        TableError: the table contradicts itself (a fault of this program).
    """
    known = known_classes()
    number = code if isinstance(code, int) else _number(code)
    if number in known:
        return _load(number)
    asked = f"0x{number:04X}" if number >= 0 else repr(code)
    shown = [f"{other:04X}" for other in known]
    near = (
        get_close_matches(f"{number:04X}" if number >= 0 else str(code).upper(), shown, n=3, cutoff=0.7)
        or shown
    )
    raise UnknownClassError(
        f"There is no table for the class {asked}.",
        ja=f"クラス {asked} の表はありません。",
        hint=f"There are tables for {', '.join(shown)}; nearest: {', '.join(near)}.",
        hint_ja=f"使えるクラス: {', '.join(shown)} (近いもの: {', '.join(near)})",
    )


def _number(text: str) -> int:
    """The class code that ``text`` writes in hexadecimal, -1 when it writes none."""
    return int(text, 16) if re.fullmatch(r"(0x)?[0-9a-f]{1,4}", text.strip().lower()) else -1
