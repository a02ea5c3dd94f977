"""Leaf codecs that take all the bytes of a property: free length, text, property maps, release codes.

They stand alone in a layout, because only the end of the property tells where they end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Final

from koatsu.devices.errors import MisfitError
from koatsu.devices.record import Value
from koatsu.echonet import DecodeError, decode_map, encode_map

__all__ = ["BytesLeaf", "MapLeaf", "ReleaseLeaf", "TextLeaf", "WholeLeaf"]

_BOM: Final = b"\xef\xbb\xbf"


class WholeLeaf(ABC):
    """A leaf that is a whole property, ``min_size`` to ``max_size`` bytes long."""

    __slots__ = ("max_size", "min_size")

    min_size: int
    max_size: int

    @abstractmethod
    def decode(self, data: bytes) -> Value:
        """The value of all of ``data``; raises ``MisfitError``."""

    @abstractmethod
    def encode(self, value: object) -> bytes:
        """The bytes of ``value``; raises ``ValueError``."""

    @abstractmethod
    def describe(self, lang: str = "en") -> str:
        """Which values there are, for a person; ``lang`` "ja" or "en"."""


class BytesLeaf(WholeLeaf):
    """Bytes of one of several lengths, some of which begin with a fixed byte.

    Args:
        sizes: the lengths allowed.
        first: length -> the byte it must begin with.
    """

    __slots__ = ("first", "sizes")

    def __init__(self, sizes: Iterable[int], first: Mapping[int, int] | None = None) -> None:
        self.sizes = frozenset(sizes)
        self.first = dict(first or {})
        self.min_size, self.max_size = min(self.sizes), max(self.sizes)

    def decode(self, data: bytes) -> Value:
        """The bytes themselves, if length and first byte are right."""
        if len(data) not in self.sizes:
            raise MisfitError("the wrong length", 0, self.describe())
        if data[0] != self.first.get(len(data), data[0]):
            raise MisfitError(f"{len(data)} bytes that begin with {data[0]:02X}", 0, self.describe())
        return bytes(data)

    def encode(self, value: object) -> bytes:
        """The bytes themselves, if length and first byte are right."""
        if not isinstance(value, bytes):
            raise ValueError(f"bytes are needed, not {value!r}")
        try:
            self.decode(value)
        except MisfitError as error:
            raise ValueError(f"{error.reason}; possible: {error.expected}") from None
        return value

    def describe(self, lang: str = "en") -> str:
        """The lengths."""
        unit = "バイト" if lang == "ja" else "bytes"
        if len(self.sizes) == self.max_size - self.min_size + 1:
            return f"{self.min_size}..{self.max_size} {unit}"
        first = {size: f" ({code:02X} …)" for size, code in self.first.items()}
        return ", ".join(f"{size} {unit}{first.get(size, '')}" for size in sorted(self.sizes))


class TextLeaf(WholeLeaf):
    """UTF-8 text without byte-order mark, 1 to ``max_size`` bytes; the value is ``str``."""

    __slots__ = ()

    def __init__(self, max_size: int) -> None:
        self.min_size, self.max_size = 1, max_size

    def decode(self, data: bytes) -> Value:
        """The text."""
        if not 1 <= len(data) <= self.max_size:
            raise MisfitError("the wrong length", 0, self.describe())
        if data.startswith(_BOM):
            raise MisfitError("a byte-order mark", 0, self.describe())
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            raise MisfitError("bytes that are no UTF-8", error.start, self.describe()) from None

    def encode(self, value: object) -> bytes:
        """The UTF-8 of the text."""
        if not isinstance(value, str):
            raise ValueError(f"text is needed, not {value!r}")
        data = value.encode()  # a lone surrogate raises UnicodeEncodeError, which is a ValueError
        if not 1 <= len(data) <= self.max_size or data.startswith(_BOM):
            raise ValueError(f"{len(data)} bytes of text; possible: {self.describe()}")
        return data

    def describe(self, lang: str = "en") -> str:
        """The lengths."""
        if lang == "ja":
            return f"UTF-8 1..{self.max_size} バイト (BOM なし)"
        return f"UTF-8, 1..{self.max_size} bytes, no byte-order mark"


class MapLeaf(WholeLeaf):
    """A property map; the value is the ``frozenset`` of its codes.

    A short map may list its codes in any order; encoding gives them in ascending order.
    """

    __slots__ = ()

    def __init__(self) -> None:
        self.min_size, self.max_size = 1, 17

    def decode(self, data: bytes) -> Value:
        """The codes that the map names."""
        try:
            return decode_map(data)
        except DecodeError as error:
            raise MisfitError(error.message.partition(" at byte ")[0], error.offset, error.expected) from None

    def encode(self, value: object) -> bytes:
        """The map, in the form that the number of codes asks for."""
        if not isinstance(value, (frozenset, set, tuple, list)) or not all(type(epc) is int for epc in value):
            raise ValueError(f"a set of property codes is needed, not {value!r}")
        return encode_map(value)

    def describe(self, lang: str = "en") -> str:
        """What it is."""
        return "プロパティマップ" if lang == "ja" else "property map"


class ReleaseLeaf(WholeLeaf):
    """The release of the appendix that an object follows: "R rev.1" is 00 00 52 01.

    Release A alone is written with a lower-case letter (61). On encoding, "R" means "R rev.0".
    """

    __slots__ = ()

    def __init__(self) -> None:
        self.min_size = self.max_size = 4

    def decode(self, data: bytes) -> Value:
        """Letter and revision."""
        if len(data) != self.max_size:
            raise MisfitError("the wrong length", 0, self.describe())
        if data[0] or data[1]:
            raise MisfitError("a reserved byte that is not zero", 0 if data[0] else 1, self.describe())
        letter = "A" if data[2] == ord("a") else chr(data[2])
        if not (data[2] == ord("a") or "B" <= letter <= "Z"):
            raise MisfitError(f"{data[2]:02X} is no release letter", 2, self.describe())
        return f"{letter} rev.{data[3]}"

    def encode(self, value: object) -> bytes:
        """The four bytes of letter and revision."""
        text = value if isinstance(value, str) else ""
        letter, _, revision = text.partition(" rev.")
        number = revision or "0"
        if not (len(letter) == 1 and "A" <= letter <= "Z" and number.isascii() and number.isdigit()):
            raise ValueError(f"a release such as 'R rev.1' is needed, not {value!r}")
        if len(number) > len("255") or int(number) > 0xFF:
            raise ValueError(f"the revision is at most 255, not {number}")
        return bytes((0, 0, ord("a") if letter == "A" else ord(letter), int(number)))

    def describe(self, lang: str = "en") -> str:
        """The form."""
        return "00 00 リリース 改訂" if lang == "ja" else "00 00, release letter (a, B..Z), revision"
