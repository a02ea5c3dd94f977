"""Leaf codecs of numbers: a range, and marks such as "no data" outside it.

Nothing is guessed: what is neither in range nor a listed mark does not fit. Scaled numbers are exact
``Decimal`` values, whatever decimal context the caller has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from typing import Any, Final, cast

from koatsu.devices.errors import MisfitError
from koatsu.devices.leaf import Shape
from koatsu.devices.record import Special, Value

__all__ = ["WIRE", "IntLeaf", "RangesLeaf", "ScaledLeaf"]

#: Integer forms on the wire: name -> (struct item, bytes, lowest, highest).
WIRE: Final[dict[str, tuple[str, int, int, int]]] = {
    "u8": ("B", 1, 0, 0xFF),
    "u16": ("H", 2, 0, 0xFFFF),
    "u32": ("I", 4, 0, 0xFFFFFFFF),
    "i8": ("b", 1, -0x80, 0x7F),
    "i16": ("h", 2, -0x8000, 0x7FFF),
    "i32": ("i", 4, -0x80000000, 0x7FFFFFFF),
}
_EXACT: Final = Context(prec=40)  # more digits than 32 bits can need, whatever the caller's context is


class IntLeaf(Shape):
    """An integer from ``low`` to ``high``, both included, and marks outside that range.

    Args:
        wire: a key of ``WIRE``.
        low: lowest value.
        high: highest value.
        marks: raw value (as the wire form reads it, signed or not) -> mark.

    Raises:
        ValueError: the range does not fit the wire form, or a mark lies inside the range or outside the form.
    """

    __slots__ = ("codes", "high", "low", "marks", "wire")

    def __init__(self, wire: str, low: int, high: int, marks: Mapping[int, Special] | None = None) -> None:
        self.wire = wire
        self.fmt, self.size, lowest, highest = WIRE[wire]
        self.items = 1
        if not lowest <= low <= high <= highest:
            raise ValueError(f"the range {low}..{high} does not fit {wire}")
        self.low, self.high, self.marks = low, high, dict(marks or {})
        for code, mark in self.marks.items():
            if low <= code <= high or not lowest <= code <= highest:
                raise ValueError(f"{mark.value} {self.hex(code)} must lie in {wire}, outside {low}..{high}")
        self.codes = {mark: code for code, mark in self.marks.items()}
        if len(self.codes) != len(self.marks):
            raise ValueError("one mark has two codes")

    def hex(self, code: int) -> str:
        """A raw value as the wire shows it: "FFFFFFFE"."""
        digits = 2 * self.size
        return f"{code & (1 << 4 * digits) - 1:0{digits}X}"

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Value:
        """A number in range, or the mark that the code stands for."""
        value: int = raw[start]
        if self.low <= value <= self.high:
            return self.number(value)
        mark = self.marks.get(value)
        if mark is None:
            raise MisfitError(f"{self.hex(value)} is no value", offset, self.describe())
        return mark

    def build_many(self, raw: tuple[Any, ...], start: int, offset: int, count: int) -> tuple[Value, ...]:
        """As the elements one by one, faster where all are in range."""
        part = raw[start : start + count]
        if type(self) is IntLeaf and part and max(part) <= self.high and min(part) >= self.low:
            return part  # the usual case: all 48 counts of a day in range, checked without a loop of ours
        return super().build_many(raw, start, offset, count)

    def number(self, raw: int) -> int | Decimal:
        """The value of a raw integer that is in range."""
        return raw

    def flatten(self, value: object, out: list[Any]) -> None:
        """A number in range, or one of the marks."""
        if isinstance(value, Special):
            if value not in self.codes:
                raise ValueError(f"{value!r} has no code here; possible: {self.describe()}")
            out.append(self.codes[value])
        else:
            out.append(self.raw(value))

    def flatten_many(self, values: Sequence[object], out: list[Any]) -> None:
        """As the elements one by one, faster where all are plain integers in range."""
        if type(self) is IntLeaf and values and set(map(type, values)) == {int}:
            numbers = cast("Sequence[int]", values)
            if max(numbers) <= self.high and min(numbers) >= self.low:
                out.extend(numbers)
                return
        super().flatten_many(values, out)

    def raw(self, value: object) -> int:
        """The raw integer of a number.

        Raises:
            ValueError: no integer, or out of range.
        """
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError(f"an integer is needed, not {value!r}")
        if not self.low <= value <= self.high:
            raise ValueError(f"{value} is out of range: {self.describe()}")
        return int(value)

    def describe(self, lang: str = "en") -> str:
        """Range and marks."""
        return ", ".join([self.span(), *(f"{self.hex(c)} {m.label(lang)}" for c, m in self.marks.items())])

    def span(self) -> str:
        """The range in words: "0..99,999,999"."""
        return f"{self.number(self.low):,}..{self.number(self.high):,}"


class ScaledLeaf(IntLeaf):
    """An integer that counts tenths (``places`` 1) or thousandths (3); the value is an exact ``Decimal``."""

    __slots__ = ("places", "step")

    def __init__(
        self, wire: str, low: int, high: int, marks: Mapping[int, Special] | None = None, *, places: int
    ) -> None:
        super().__init__(wire, low, high, marks)
        self.places = places
        self.step = Decimal(1).scaleb(-places)

    def number(self, raw: int) -> Decimal:
        """The exact decimal of a raw integer."""
        return Decimal(f"{raw}E-{self.places}")  # the constructor is exact in every context

    def raw(self, value: object) -> int:
        """The raw integer of an exact multiple of the step."""
        if not isinstance(value, (int, Decimal)) or isinstance(value, bool):
            raise ValueError(f"a Decimal is needed, not {value!r}")
        wanted = Decimal(value)
        if not wanted.is_finite() or not self.number(self.low) <= wanted <= self.number(self.high):
            raise ValueError(f"{value} is out of range: {self.describe()}")
        try:
            exact = wanted.quantize(self.step, context=_EXACT)
        except InvalidOperation as error:
            raise ValueError(f"{value} has too many digits") from error
        if exact != wanted:
            raise ValueError(f"{value} is no multiple of {self.step}")
        return int(exact.scaleb(self.places, context=_EXACT))


class RangesLeaf(IntLeaf):
    """An integer that lies in one of several ranges (both ends included), such as fault codes."""

    __slots__ = ("ranges",)

    def __init__(self, wire: str, ranges: Sequence[tuple[int, int]]) -> None:
        super().__init__(wire, min(low for low, _ in ranges), max(high for _, high in ranges))
        self.ranges = tuple(ranges)

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Value:
        """A number in one of the ranges."""
        value: int = raw[start]
        if not any(low <= value <= high for low, high in self.ranges):
            raise MisfitError(f"{self.hex(value)} is no code of the table", offset, self.describe())
        return value

    def raw(self, value: object) -> int:
        """The number itself, if it is in one of the ranges."""
        code = super().raw(value)
        if not any(low <= code <= high for low, high in self.ranges):
            raise ValueError(f"{code} is no code of the table: {self.describe()}")
        return code

    def span(self) -> str:
        """The ranges in the hex of the wire."""
        pairs = ((self.hex(low), self.hex(high)) for low, high in self.ranges)
        return ", ".join(low if low == high else f"{low}..{high}" for low, high in pairs)
