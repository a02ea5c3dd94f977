"""What decoded property data looks like: plain values, ``Special`` marks and ``Record`` structures.

A mark is never a number, so arithmetic on "no data" fails at once instead of giving a wrong sum.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import TypeAlias, Union

__all__ = ["Record", "Special", "Value"]


class Special(Enum):
    """A code that stands where a value would stand."""

    NO_DATA = "no_data"  #: the meter has not measured this (未計測)
    OVERFLOW = "overflow"  #: above what the property can carry
    UNDERFLOW = "underflow"  #: below what the property can carry
    UNSET = "unset"  #: nobody has set it yet (初期値)

    def label(self, lang: str = "en") -> str:
        """The mark in words, ``lang`` "ja" or "en"."""
        en, ja = _LABELS[self.value]
        return ja if lang == "ja" else en

    def __repr__(self) -> str:
        return f"Special.{self.name}"


_LABELS = {
    "no_data": ("not measured", "未計測"),
    "overflow": ("overflow", "オーバーフロー"),
    "underflow": ("underflow", "アンダーフロー"),
    "unset": ("not set", "未設定"),
}


class Record(Mapping[str, "Value"]):
    """Named values in wire order, immutable, hashable, equal by content (to any mapping too).

    Access is by ``record["normal"]`` only; an unknown name raises ``KeyError``.
    """

    __slots__ = ("_data",)

    _data: dict[str, Value]

    def __init__(self, data: Mapping[str, Value] | Iterable[tuple[str, Value]] = (), **more: Value) -> None:
        self._data = dict(data, **more)

    @classmethod
    def of(cls, data: dict[str, Value]) -> Record:
        """A record around ``data`` itself, which the caller gives away: no copy is made."""
        record = cls.__new__(cls)
        record._data = data
        return record

    def __getitem__(self, key: str) -> Value:
        return self._data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def __len__(self) -> int:
        return len(self._data)

    def __contains__(self, key: object) -> bool:
        return key in self._data

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Record):
            return self._data == other._data
        if isinstance(other, Mapping):
            return self._data == dict(other)
        return NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._data.items()))

    def __repr__(self) -> str:
        return f"Record({', '.join(f'{key}={value!r}' for key, value in self._data.items())})"


Value: TypeAlias = Union[
    int,
    Decimal,
    str,
    bytes,
    datetime,
    date,
    time,
    Special,
    "tuple[Value, ...]",
    Record,
    frozenset[int],
]
"""A decoded property: see the layout of its row for which of these it is. ``datetime`` is aware, in JST."""
