"""The leaf types that layouts name, read from ``tables/types.toml``.

Each row of that file has a ``kind``, the arguments of that kind, and says where the type comes from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from koatsu.devices.leaf import CodeLeaf, RawLeaf, Shape, ThreeByteLeaf
from koatsu.devices.moment import DateLeaf, DateTimeLeaf, TimeLeaf
from koatsu.devices.number import WIRE, IntLeaf, RangesLeaf, ScaledLeaf
from koatsu.devices.record import Special
from koatsu.devices.whole import BytesLeaf, MapLeaf, ReleaseLeaf, TextLeaf, WholeLeaf
from koatsu.echonet import Eoj

__all__ = ["build_leaf"]


def _marks(row: dict[str, Any], wire: str) -> dict[int, Special]:
    """The marks of a row: its keys that are named like a ``Special``, in the hex of the wire."""
    _, size, lowest, _ = WIRE[wire]
    marks: dict[int, Special] = {}
    for mark in Special:
        text = row.pop(mark.value, None)
        if text is None:
            continue
        code = bytes.fromhex(text)
        if len(code) != size:
            raise ValueError(f"{mark.value} {text} needs {size} bytes")
        raw = int.from_bytes(code, "big", signed=lowest < 0)
        if raw in marks:
            raise ValueError(f"{text} is two marks")
        marks[raw] = mark
    return marks


def _int(row: dict[str, Any]) -> IntLeaf:
    wire = row.pop("wire")
    return IntLeaf(wire, row.pop("min"), row.pop("max"), _marks(row, wire))


def _scaled(row: dict[str, Any]) -> ScaledLeaf:
    wire, places = row.pop("wire"), row.pop("places")
    return ScaledLeaf(wire, row.pop("min"), row.pop("max"), _marks(row, wire), places=places)


def _factor(row: dict[str, Any]) -> CodeLeaf:
    return CodeLeaf({int(code, 16): Decimal(factor) for code, factor in row.pop("codes").items()})


def _state(row: dict[str, Any]) -> CodeLeaf:
    codes = [(int(code, 16), word, ja, en) for code, word, ja, en in row.pop("codes")]
    if len({code for code, *_ in codes}) != len(codes):
        raise ValueError("one code has two meanings")
    return CodeLeaf({code: word for code, word, _, _ in codes}, {code: (ja, en) for code, _, ja, en in codes})


def _ranges(row: dict[str, Any]) -> RangesLeaf:
    ranges = [(int(low, 16), int(high, 16)) for low, high in row.pop("ranges")]
    return RangesLeaf(row.pop("wire"), ranges)


def _bytes(row: dict[str, Any]) -> BytesLeaf:
    sizes = row.pop("sizes", None) or range(row.pop("min"), row.pop("max") + 1)
    return BytesLeaf(sizes, {int(size): int(code, 16) for size, code in row.pop("first", {}).items()})


def _datetime(row: dict[str, Any]) -> DateTimeLeaf:
    minutes = row.pop("minutes", None)
    return DateTimeLeaf(seconds=row.pop("seconds"), minutes=frozenset(minutes) if minutes else None)


_KINDS: Final[Mapping[str, Callable[[dict[str, Any]], Shape | WholeLeaf]]] = {
    "int": _int,
    "scaled": _scaled,
    "factor": _factor,
    "state": _state,
    "ranges": _ranges,
    "raw": lambda row: RawLeaf(row.pop("size")),
    "bytes": _bytes,
    "text": lambda row: TextLeaf(row.pop("max")),
    "datetime": _datetime,
    "date": lambda _: DateLeaf(),
    "time": lambda _: TimeLeaf(),
    "eoj": lambda _: ThreeByteLeaf(Eoj),
    "u24": lambda _: ThreeByteLeaf(int),
    "map": lambda _: MapLeaf(),
    "release": lambda _: ReleaseLeaf(),
}


def build_leaf(row: Mapping[str, Any]) -> Shape | WholeLeaf:
    """The leaf that one row of the types table describes.

    Raises:
        ValueError: a key is missing, unknown, of the wrong type or contradicts another.
    """
    rest = dict(row)
    kind = rest.pop("kind", None)
    if kind not in _KINDS:
        raise ValueError(f"kind must be one of {', '.join(_KINDS)}, not {kind!r}")
    if not isinstance(rest.pop("source", None), str):
        raise ValueError("the source is missing")
    try:
        leaf = _KINDS[kind](rest)
    except KeyError as error:
        raise ValueError(f"kind {kind!r} needs {error.args[0]!r}, or does not know that value") from error
    except (TypeError, ArithmeticError) as error:
        raise ValueError(f"a value of the wrong type: {error}") from error
    if rest:
        raise ValueError(f"kind {kind!r} does not know {', '.join(map(repr, rest))}")
    return leaf
