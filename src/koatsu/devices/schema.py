"""What the standard says of a class and of each property, as values: rows of the tables with their codec.

Everything is immutable and validated where it is read (``registry.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from koatsu.devices.codec import Codec
from koatsu.devices.errors import MisfitError, UnknownPropertyError
from koatsu.devices.record import Value
from koatsu.echonet import DecodeError

__all__ = ["Access", "DeviceClass", "PropertyDef"]


class Access(StrEnum):
    """Whether a device must offer a service for a property."""

    REQUIRED = "required"
    CONDITIONAL = "conditional"  #: required where a condition of the standard holds; the note says which
    OPTIONAL = "optional"
    NO = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyDef:
    """One property of a class.

    Attributes:
        epc: property code, 0x80 to 0xFF.
        name: the name in this program, the same for the same quantity in every meter class.
        ja: name in Japanese.
        en: name in English.
        layout: the bytes, in the layout mini-language (``layout.py``).
        unit: unit of the measured values after scaling ("kWh", "kW", …), "" where there is none.
        scale: names of the properties of the same object whose values multiply a count; empty where none do.
        get: whether Get must be offered.
        set: whether Set must be offered.
        inf: whether a change must be announced.
        since: release of the appendix that brought the property.
        until: last release that has it; ``None`` while it is valid.
        selector: name of the property to Set before a Get, ``None`` where none is needed.
        note: what a reader should know, in English; ``note_ja`` in Japanese; "" where nothing.
    """

    epc: int
    name: str
    ja: str
    en: str
    layout: str
    codec: Codec = field(repr=False, compare=False)
    get: Access
    set: Access
    inf: Access
    since: str
    until: str | None = None
    unit: str = ""
    scale: tuple[str, ...] = ()
    selector: str | None = None
    note: str = ""
    note_ja: str = ""

    @property
    def min_size(self) -> int:
        """Fewest bytes of its data."""
        return self.codec.min_size

    @property
    def max_size(self) -> int:
        """Most bytes of its data."""
        return self.codec.max_size

    def decode(self, edt: bytes) -> Value:
        """The value of the property data ``edt``.

        Raises:
            DecodeError: the bytes are not what the layout says; it has offset, bytes and expectation.
        """
        try:
            return self.codec.decode(edt)
        except MisfitError as misfit:
            raise DecodeError(
                f"{self.name} (0x{self.epc:02X}): {misfit.reason}",
                offset=misfit.offset,
                data=edt,
                expected=misfit.expected,
            ) from None

    def encode(self, value: object) -> bytes:
        """The property data of ``value``: what ``decode`` gives, or mappings and lists of the same form.

        Raises:
            ValueError: the layout has no bytes for it; the message says why.
        """
        try:
            return self.codec.encode(value)
        except ValueError as error:
            raise ValueError(f"{self.name} (0x{self.epc:02X}): {error}") from None

    def label(self, lang: str = "en") -> str:
        """The name for people, ``lang`` "ja" or "en"."""
        return self.ja if lang == "ja" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceClass:
    """A class of ECHONET objects.

    Attributes:
        code: class group and class, 0x028A.
        name: the name in this program, "hv_meter".
        ja: name in Japanese.
        en: name in English.
        since: release of the appendix that brought the class.
        source: where the table's facts come from.
        properties: its own by code, then those of the super class that it does not redefine.
    """

    code: int
    name: str
    ja: str
    en: str
    since: str
    source: str
    properties: tuple[PropertyDef, ...]
    _by_epc: Mapping[int, PropertyDef] = field(init=False, repr=False, compare=False)
    _by_name: Mapping[str, PropertyDef] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_epc", {row.epc: row for row in self.properties})
        object.__setattr__(self, "_by_name", {row.name: row for row in self.properties})
        if not len(self.properties) == len(self._by_epc) == len(self._by_name):
            raise ValueError(f"two properties of {self} share a code or a name")

    def __str__(self) -> str:
        return f"0x{self.code:04X}"

    def label(self, lang: str = "en") -> str:
        """The name for people, ``lang`` "ja" or "en"."""
        return self.ja if lang == "ja" else self.en

    def has(self, key: int | str) -> bool:
        """Whether the class has the property with this code (``int``) or name."""
        return key in self._by_epc if isinstance(key, int) else key in self._by_name

    def property(self, key: int | str) -> PropertyDef:
        """The property with this code (0xE7) or name ("energy_history"); "E7" and "0xE7" are codes too.

        Raises:
            UnknownPropertyError: there is none; the hint names the nearest.
        """
        if isinstance(key, int):
            found = self._by_epc.get(key)
        else:
            found = self._by_name.get(key) or self._by_epc.get(_hex(key))
        if found is None:
            raise self._unknown(key)
        return found

    def decode(self, epc: int | str, edt: bytes) -> Value:
        """The value of the data ``edt`` of property ``epc``.

        Raises:
            UnknownPropertyError: the class has no such property (ask ``has`` first).
            DecodeError: the bytes are not what its layout says.
        """
        return self.property(epc).decode(edt)

    def encode(self, epc: int | str, value: object) -> bytes:
        """The data of property ``epc`` for ``value``.

        Raises:
            UnknownPropertyError: the class has no such property.
            ValueError: the layout has no bytes for the value.
        """
        return self.property(epc).encode(value)

    def _unknown(self, key: int | str) -> UnknownPropertyError:
        asked = f"0x{key:02X}" if isinstance(key, int) else key
        is_code = isinstance(key, int) or _hex(key) >= 0
        near = [] if is_code else get_close_matches(asked.lower(), self._by_name, n=3, cutoff=0.5)
        names = ", ".join(near)
        return UnknownPropertyError(
            f"Class {self} ({self.en}) has no property {asked!r}.",
            ja=f"クラス {self} ({self.ja}) にプロパティ {asked!r} はありません。",
            hint=f"Did you mean {names}?" if near else f"`koatsu spec {self.code:04X}` lists them all.",
            hint_ja=f"近い名前: {names}" if near else f"`koatsu spec {self.code:04X}` で一覧を表示します。",
        )


def _hex(text: str) -> int:
    """The number that ``text`` writes in hexadecimal, -1 when it writes none."""
    try:
        return int(text, 16)
    except ValueError:
        return -1
