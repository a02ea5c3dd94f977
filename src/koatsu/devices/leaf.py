"""Leaf codecs of fixed length that are no numbers with a range: code tables, raw bytes, object codes.

A leaf says which ``struct`` items it takes (``fmt``), turns them into a value and back. A whole layout is
unpacked by one ``struct`` call, and the leaves then only check. Numbers stand in ``number.py``, moments in
``moment.py``, leaves of free length in ``whole.py``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from koatsu.devices.errors import MisfitError
from koatsu.devices.record import Value

__all__ = ["CodeLeaf", "RawLeaf", "Shape", "ThreeByteLeaf"]


class Shape(ABC):
    """A part of a layout that always has the same length.

    Attributes:
        fmt: the ``struct`` items it takes, big-endian, without padding.
        items: how many values ``struct`` gives for them.
        size: bytes.
    """

    __slots__ = ("fmt", "items", "size")

    fmt: str
    items: int
    size: int

    @abstractmethod
    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Value:
        """The value of the items from ``raw[start]``; ``offset`` is the byte they began at.

        Raises:
            MisfitError: they are no value of this shape.
        """

    def build_many(self, raw: tuple[Any, ...], start: int, offset: int, count: int) -> tuple[Value, ...]:
        """``count`` values, one after the other."""
        items, size = self.items, self.size
        return tuple(self.build(raw, start + n * items, offset + n * size) for n in range(count))

    @abstractmethod
    def flatten(self, value: object, out: list[Any]) -> None:
        """Append the ``struct`` items of ``value`` to ``out``.

        Raises:
            ValueError: it is not a value of this shape; the message says why.
        """

    def flatten_many(self, values: Sequence[object], out: list[Any]) -> None:
        """Append the items of all ``values``; raises ``ValueError`` that names the element."""
        for number, value in enumerate(values, start=1):
            try:
                self.flatten(value, out)
            except ValueError as error:
                raise ValueError(f"element {number}: {error}") from None

    @abstractmethod
    def describe(self, lang: str = "en") -> str:
        """Which values there are, for a person; ``lang`` "ja" or "en"."""


class CodeLeaf(Shape):
    """A code that stands for a word (state) or for an exact factor (unit).

    Args:
        values: code -> value, ``str`` or ``Decimal``; both sides unique.
        labels: code -> (ja, en), for people; empty for factors.
    """

    __slots__ = ("codes", "labels", "values")

    def __init__(
        self, values: Mapping[int, str | Decimal], labels: Mapping[int, tuple[str, str]] | None = None
    ) -> None:
        self.fmt, self.items, self.size = "B", 1, 1
        self.values = dict(values)
        self.labels = dict(labels or {})
        self.codes: dict[object, int] = {value: code for code, value in self.values.items()}
        unique = len(self.codes) == len(self.values) > 0
        if not unique or not all(0 <= code <= 0xFF for code in self.values):
            raise ValueError("codes are one byte, and each has a value of its own")

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Value:
        """The word or factor of the code."""
        value = self.values.get(raw[start])
        if value is None:
            raise MisfitError(f"{raw[start]:02X} is no code of the table", offset, self.describe())
        return value

    def flatten(self, value: object, out: list[Any]) -> None:
        """The code of a word or factor."""
        known = isinstance(value, (str, int)) or (isinstance(value, Decimal) and not value.is_nan())
        code = self.codes.get(value) if known and not isinstance(value, bool) else None
        if code is None:
            raise ValueError(f"{value!r} has no code; possible: {self.describe()}")
        out.append(code)

    def describe(self, lang: str = "en") -> str:
        """Every code with its value and label."""
        parts = []
        for code, value in self.values.items():
            ja, en = self.labels.get(code, ("", ""))
            label = ja if lang == "ja" else en
            parts.append(f"{code:02X} {value}" + (f" ({label})" if label and label != value else ""))
        return ", ".join(parts)


class RawLeaf(Shape):
    """``size`` bytes that only their maker can read; the value is ``bytes``."""

    __slots__ = ()

    def __init__(self, size: int) -> None:
        self.fmt, self.items, self.size = f"{size}s", 1, size

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Value:  # noqa: ARG002 - any bytes fit
        """The bytes themselves."""
        value: bytes = raw[start]
        return value

    def flatten(self, value: object, out: list[Any]) -> None:
        """The bytes themselves, of the right number."""
        if not isinstance(value, bytes) or len(value) != self.size:
            raise ValueError(f"{self.size} bytes are needed, not {value!r}")
        out.append(value)

    def describe(self, lang: str = "en") -> str:
        """How many bytes."""
        return f"{self.size} バイト" if lang == "ja" else f"{self.size} bytes"


class ThreeByteLeaf(Shape):
    """Three bytes as one number: an object code (``make`` is ``Eoj``) or a count (``make`` is ``int``)."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[int], int]) -> None:
        self.fmt, self.items, self.size = "3s", 1, 3
        self.make = make

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Value:  # noqa: ARG002 - any bytes fit
        """The number, as ``make`` gives it."""
        return self.make(int.from_bytes(raw[start], "big"))

    def flatten(self, value: object, out: list[Any]) -> None:
        """The three bytes of a number."""
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 0xFFFFFF:
            raise ValueError(f"a number from 0 to 0xFFFFFF is needed, not {value!r}")
        out.append(value.to_bytes(3, "big"))

    def describe(self, lang: str = "en") -> str:  # noqa: ARG002 - a number reads the same in both
        """The range."""
        return "000000..FFFFFF"
