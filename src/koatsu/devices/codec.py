"""Codecs of whole properties, compiled from a parsed layout and the leaf types it names.

A layout of fixed length becomes one ``struct`` call and checks; one with counted rows becomes two. Leaves
of free length stand alone. Nothing here knows property codes or names of classes.
"""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

from koatsu.devices.errors import MisfitError
from koatsu.devices.layout import Item, Layout, LayoutError, parse
from koatsu.devices.leaf import Shape
from koatsu.devices.number import IntLeaf
from koatsu.devices.record import Record, Value
from koatsu.devices.whole import WholeLeaf

__all__ = ["ArrayShape", "Codec", "CountedCodec", "FixedCodec", "RecordShape", "WholeCodec", "compile_layout"]

_MAX_EDT: Final = 255  # the property data counter is one byte


class ArrayShape(Shape):
    """``count`` times the same shape: a tuple."""

    __slots__ = ("count", "item")

    def __init__(self, item: Shape, count: int) -> None:
        self.item, self.count = item, count
        self.fmt = f"{count}{item.fmt}" if item.fmt in set("BHIbhi") else item.fmt * count
        self.items, self.size = item.items * count, item.size * count

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> tuple[Value, ...]:
        """A tuple of ``count`` values."""
        return self.item.build_many(raw, start, offset, self.count)

    def flatten(self, value: object, out: list[Any]) -> None:
        """A tuple or list of ``count`` values."""
        if not isinstance(value, (tuple, list)) or len(value) != self.count:
            raise ValueError(f"{self.count} values are needed, not {value!r:.200}")
        self.item.flatten_many(value, out)

    def describe(self, lang: str = "en") -> str:
        """How many of what."""
        return f"{self.count} × ({self.item.describe(lang)})"


class RecordShape(Shape):
    """Named shapes one after the other: a ``Record``."""

    __slots__ = ("fields",)

    def __init__(self, fields: Mapping[str, Shape]) -> None:
        self.fields = tuple(fields.items())
        self.fmt = "".join(shape.fmt for _, shape in self.fields)
        self.items = sum(shape.items for _, shape in self.fields)
        self.size = sum(shape.size for _, shape in self.fields)

    def build_fields(self, raw: tuple[Any, ...], start: int, offset: int) -> dict[str, Value]:
        """The values by name, in wire order."""
        values: dict[str, Value] = {}
        for name, shape in self.fields:
            values[name] = shape.build(raw, start, offset)
            start += shape.items
            offset += shape.size
        return values

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Record:
        """The record of all fields."""
        return Record.of(self.build_fields(raw, start, offset))

    def flatten(self, value: object, out: list[Any]) -> None:
        """A mapping with exactly these fields."""
        self.flatten_fields(_fields(value, [name for name, _ in self.fields]), out)

    def flatten_fields(self, values: Mapping[str, object], out: list[Any]) -> None:
        """Append the items of ``values``, which has at least these fields."""
        for name, shape in self.fields:
            try:
                shape.flatten(values[name], out)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from None

    def describe(self, lang: str = "en") -> str:
        """Every field with its values."""
        return "; ".join(f"{name}: {shape.describe(lang)}" for name, shape in self.fields)


class Codec(ABC):
    """Bytes of one property <-> its value; ``min_size`` and ``max_size`` in bytes."""

    __slots__ = ("max_size", "min_size")

    min_size: int
    max_size: int

    @abstractmethod
    def decode(self, data: bytes) -> Value:
        """The value of all of ``data``; raises ``MisfitError``."""

    @abstractmethod
    def encode(self, value: object) -> bytes:
        """The bytes of ``value``; raises ``ValueError`` with the reason."""

    @abstractmethod
    def describe(self, lang: str = "en") -> str:
        """Which values there are, for a person; ``lang`` "ja" or "en"."""


class FixedCodec(Codec):
    """A layout that always has the same length."""

    __slots__ = ("packing", "shape")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.packing = struct.Struct(">" + shape.fmt)
        self.min_size = self.max_size = shape.size

    def decode(self, data: bytes) -> Value:
        """One unpacking, then the checks."""
        if len(data) != self.max_size:
            raise MisfitError("the wrong length", min(len(data), self.max_size), f"{self.max_size} bytes")
        return self.shape.build(self.packing.unpack(data), 0, 0)

    def encode(self, value: object) -> bytes:
        """The checks, then one packing."""
        items: list[Any] = []
        self.shape.flatten(value, items)
        return self.packing.pack(*items)

    def describe(self, lang: str = "en") -> str:
        """The values of the shape."""
        return self.shape.describe(lang)


class CountedCodec(Codec):
    """A fixed head, one field of which says how many rows follow."""

    __slots__ = ("count", "head", "heading", "name", "row", "rows")

    def __init__(self, head: RecordShape, name: str, row: Shape, count: str) -> None:
        leaf = dict(head.fields)[count]
        if type(leaf) is not IntLeaf or leaf.marks or leaf.low < 0:
            raise LayoutError(f"{count!r} counts {name!r}, so it must be a plain number without marks")
        self.head, self.name, self.row, self.count = head, name, row, count
        self.heading = struct.Struct(">" + head.fmt)
        self.rows = {
            times: (struct.Struct(">" + shape.fmt), shape)
            for times in range(leaf.low, leaf.high + 1)
            for shape in [ArrayShape(row, times)]
        }
        self.min_size = head.size + leaf.low * row.size
        self.max_size = head.size + leaf.high * row.size

    def rows_of(self, values: Mapping[str, object]) -> tuple[struct.Struct, ArrayShape]:
        """How the rows are packed whose number ``values`` gives; its leaf has checked that number."""
        times = values[self.count]
        assert isinstance(times, int)
        return self.rows[times]

    def decode(self, data: bytes) -> Value:
        """The head, then as many rows as it says; the length must agree."""
        head_size = self.head.size
        if len(data) < head_size:
            raise MisfitError("too few bytes", len(data), f"{self.min_size} bytes or more")
        values = self.head.build_fields(self.heading.unpack_from(data), 0, 0)
        packing, shape = self.rows_of(values)
        size = head_size + shape.size
        if len(data) != size:
            raise MisfitError(
                "the wrong length", min(len(data), size), f"{size} bytes for {shape.count} rows"
            )
        values[self.name] = shape.build(packing.unpack_from(data, head_size), 0, head_size)
        return Record.of(values)

    def encode(self, value: object) -> bytes:
        """Head and rows; their number must be the one that the head says."""
        values = _fields(value, [*(name for name, _ in self.head.fields), self.name])
        head: list[Any] = []
        self.head.flatten_fields(values, head)
        packing, shape = self.rows_of(values)
        rows: list[Any] = []
        try:
            shape.flatten(values[self.name], rows)
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        return self.heading.pack(*head) + packing.pack(*rows)

    def describe(self, lang: str = "en") -> str:
        """The head, and what is repeated."""
        return f"{self.head.describe(lang)}; {self.name}: {self.count} × ({self.row.describe(lang)})"


class WholeCodec(Codec):
    """A leaf that takes all the bytes."""

    __slots__ = ("leaf",)

    def __init__(self, leaf: WholeLeaf) -> None:
        self.leaf = leaf
        self.min_size, self.max_size = leaf.min_size, leaf.max_size

    def decode(self, data: bytes) -> Value:
        """What the leaf reads."""
        return self.leaf.decode(data)

    def encode(self, value: object) -> bytes:
        """What the leaf writes."""
        return self.leaf.encode(value)

    def describe(self, lang: str = "en") -> str:
        """The values of the leaf."""
        return self.leaf.describe(lang)


def compile_layout(text: str, types: Mapping[str, Shape | WholeLeaf]) -> Codec:
    """The codec of a layout text, with ``types`` as the leaf types it may name.

    Raises:
        LayoutError: the text is wrong, names an unknown type, or does not fit in one property (255 bytes).
    """
    layout = parse(text)
    codec = _codec(layout, types)
    if codec.max_size > _MAX_EDT:
        raise LayoutError(f"layout {text!r} takes {codec.max_size} bytes; a property has at most {_MAX_EDT}")
    return codec


def _codec(layout: Layout, types: Mapping[str, Shape | WholeLeaf]) -> Codec:
    first, last = layout.items[0], layout.items[-1]
    if len(layout.items) == 1 and not first.name and not first.times and isinstance(first.term, str):
        leaf = types.get(first.term)
        if isinstance(leaf, WholeLeaf):
            return WholeCodec(leaf)
    if isinstance(last.times, str):
        head = _shape(Layout(items=layout.items[:-1]), types)
        if not isinstance(head, RecordShape):
            raise LayoutError("counted rows need a head with names")
        return CountedCodec(head, last.name, _term(last, types), last.times)
    return FixedCodec(_shape(layout, types))


def _shape(layout: Layout, types: Mapping[str, Shape | WholeLeaf]) -> Shape:
    if not layout.is_record:
        return _repeated(layout.items[0], types)
    return RecordShape({item.name: _repeated(item, types) for item in layout.items})


def _repeated(item: Item, types: Mapping[str, Shape | WholeLeaf]) -> Shape:
    shape = _term(item, types)
    if isinstance(item.times, str):
        raise LayoutError(f"rows counted by {item.times!r} must be the last item of the property")
    return ArrayShape(shape, item.times) if item.times else shape


def _term(item: Item, types: Mapping[str, Shape | WholeLeaf]) -> Shape:
    if isinstance(item.term, Layout):
        return _shape(item.term, types)
    leaf = types.get(item.term)
    if leaf is None:
        raise LayoutError(f"unknown type {item.term!r}")
    if isinstance(leaf, WholeLeaf):
        raise LayoutError(f"{item.term!r} has no fixed length, so it must stand alone")
    return leaf


def _fields(value: object, names: list[str]) -> Mapping[str, object]:
    """``value`` as a mapping with exactly these keys."""
    if not isinstance(value, Mapping):
        raise ValueError(f"a record of {', '.join(names)} is needed, not {value!r:.200}")
    if set(value) != set(names):
        raise ValueError(
            f"a record has exactly {', '.join(names)}, not {', '.join(map(str, value)) or 'nothing'}"
        )
    return value
