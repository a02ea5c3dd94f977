"""ECHONET Lite frames: bytes to values and back, strict about every length.

Format 1 (EHD2 0x81) is a :class:`Frame`, format 2 (EHD2 0x82, arbitrary message) a :class:`Message`.
The codec is on the hot path of everything, so a frame is a tuple with names, an object identifier comes from
a cache, a property is a plain ``(EPC, EDT)`` pair, and a property without data (all of a Get) is one of 128
pairs made beforehand. Source: ECHONET Lite specification 1.14, part 2, 3.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any, Final, NamedTuple, Self, TypeAlias

from koatsu.echonet.eoj import Eoj
from koatsu.echonet.errors import DecodeError
from koatsu.echonet.esv import Esv

__all__ = ["Frame", "Message", "Property", "decode", "message_id"]

Property: TypeAlias = tuple[int, bytes]
"""EPC (0x80 to 0xFF) and its data, 0 to 255 bytes."""

_HEAD: Final = Struct(">HH6sBB").unpack_from  # EHD, TID, SEOJ and DEOJ, ESV, OPC
_PACK: Final = Struct(">HHHBHBBB").pack  # the same, each EOJ as class and instance
_EHD: Final = 0x1081  # format 1
_ESVS: Final[dict[int, Esv]] = {int(esv): esv for esv in Esv}
_TWO_LISTS: Final[frozenset[int]] = frozenset({Esv.SETGET, Esv.SETGET_RES, Esv.SETGET_SNA})
_FIRST_EPC: Final = 0x80
_CACHED_MAX: Final = 4096  # a hostile sender can name 2^48 pairs of objects; we remember only so many
_BARE: Final[tuple[Property, ...]] = tuple((epc, b"") for epc in range(256))
_BYTE: Final[tuple[bytes, ...]] = tuple(bytes((value,)) for value in range(256))
_BARE_WIRE: Final[tuple[bytes, ...]] = tuple(bytes((epc, 0)) for epc in range(256))
_new: Final = tuple.__new__


_eojs: Final[dict[int, Eoj]] = {}
_pairs: Final[dict[bytes, tuple[Eoj, Eoj]]] = {}


class _Fields(NamedTuple):
    tid: int
    seoj: Eoj
    deoj: Eoj
    esv: Esv
    properties: tuple[Property, ...]
    second: tuple[Property, ...] | None


class Frame(_Fields):
    """One format 1 message, immutable and valid by construction.

    Args:
        tid: transaction, 0 to 65535.
        seoj: the object that sends.
        deoj: the object that is meant.
        esv: the service.
        properties: the list; for SetGet services the Set list.
        second: the Get list of a SetGet service, ``None`` for every other service.

    Raises:
        ValueError: a field is out of its range, or the second list does not go with the service.
    """

    __slots__ = ()

    def __new__(  # noqa: D102 - the class docstring describes it
        cls,
        tid: int,
        seoj: int,
        deoj: int,
        esv: int,
        properties: tuple[Property, ...] | list[Property],
        second: tuple[Property, ...] | list[Property] | None = None,
    ) -> Self:
        try:
            service, source, target = _ESVS[esv], _eojs[seoj], _eojs[deoj]
        except KeyError:
            service, source, target = Esv(esv), _eoj(seoj), _eoj(deoj)
        if not 0 <= tid <= 0xFFFF or len(properties) > 0xFF or (second is None) is (service in _TWO_LISTS):
            raise _misbuilt(tid, service, properties)
        for pair in properties:
            epc, edt = pair
            if (
                type(pair) is not tuple
                or not 0x80 <= epc <= 0xFF
                or type(edt) is not bytes
                or len(edt) > 0xFF
            ):
                raise _misfit(pair)
        if second is not None:
            second = Frame(tid, seoj, deoj, Esv.GET, second).properties  # the same checks
        return _new(cls, (tid, source, target, service, tuple(properties), second))

    # What _replace calls; the inherited one checks nothing. Its self-type cannot be written down here.
    @classmethod
    def _make(cls, iterable: Iterable[Any]) -> Self:  # type: ignore[override]
        return cls(*iterable)

    @property
    def epcs(self) -> tuple[int, ...]:
        """The property codes of the first list, in order."""
        return tuple(epc for epc, _ in self.properties)

    def encode(self) -> bytes:
        """The bytes on the wire."""
        tid, seoj, deoj, esv, properties, second = self
        parts = [_PACK(_EHD, tid, seoj >> 8, seoj & 255, deoj >> 8, deoj & 255, esv, len(properties))]
        for epc, edt in properties:
            if edt:
                parts.append(_BYTE[epc])
                parts.append(_BYTE[len(edt)])
                parts.append(edt)
            else:
                parts.append(_BARE_WIRE[epc])
        if second is not None:
            parts.append(_BYTE[len(second)])
            for epc, edt in second:
                parts += _BYTE[epc], _BYTE[len(edt)], edt
        return b"".join(parts)

    def __repr__(self) -> str:
        lists = [self.properties] if self.second is None else [self.properties, self.second]
        shown = " | ".join(
            " ".join(f"{epc:02X}={edt.hex().upper()}" if edt else f"{epc:02X}" for epc, edt in some)
            for some in lists
        )
        return f"<{self.esv} TID {self.tid} {self.seoj} → {self.deoj}: {shown}>"


class Message(NamedTuple):
    """A format 2 message (EHD2 0x82): recognised and handed on, never built and never interpreted."""

    tid: int
    data: bytes


def decode(data: bytes, trailing: bool = False) -> Frame | Message:
    """Read one datagram.

    Args:
        data: the whole datagram.
        trailing: accept bytes behind the last property (a switch of the link profile). They are dropped.

    Raises:
        DecodeError: anything else than exactly one well-formed message.
    """
    end = len(data)
    if end < 12:
        return _not_format_1(data)
    ehd, tid, pair, code, count = _HEAD(data)
    if ehd != _EHD:
        return _not_format_1(data)
    try:
        esv = _ESVS[code]
        seoj, deoj = _pairs[pair]
    except KeyError:
        esv, seoj, deoj = _unmet(data, code, pair)
    at = 12
    properties: list[Property] = []
    second = None
    try:
        for _ in range(count):
            epc = data[at]
            start = at + 2
            at = start + data[at + 1]
            if epc < 0x80:
                raise _bad_code(data, start - 2)
            properties.append((epc, data[start:at]) if at > start else _BARE[epc])
        if code in _TWO_LISTS:
            second, at = _second_list(data, at)
    except IndexError:
        raise _cut(data) from None
    if at != end:  # a slice beyond the end is silently short, so the last property is only known whole here
        if at > end:
            raise _cut(data)
        if not trailing:
            raise DecodeError("bytes behind the last property", offset=at, data=data, expected="the end")
    return _new(Frame, (tid, seoj, deoj, esv, tuple(properties), second))


def message_id(data: bytes) -> int | None:
    """The TID of a datagram whose head is readable, whatever follows; ``None`` otherwise."""
    return int.from_bytes(data[2:4], "big") if len(data) >= 4 and data[0] == 0x10 else None


def _second_list(data: bytes, at: int) -> tuple[tuple[Property, ...], int]:
    found: list[Property] = []
    count = data[at]
    at += 1
    for _ in range(count):
        epc = data[at]
        start = at + 2
        at = start + data[at + 1]
        if epc < _FIRST_EPC:
            raise _bad_code(data, start - 2)
        found.append((epc, data[start:at]))
    return tuple(found), at


def _bad_code(data: bytes, at: int) -> DecodeError:
    return DecodeError(
        f"property code 0x{data[at]:02X} does not exist", offset=at, data=data, expected="0x80 or more"
    )


def _cut(data: bytes) -> DecodeError:
    return DecodeError(
        "the message ends inside a property", offset=len(data), data=data, expected="EPC, PDC and EDT"
    )


def _not_format_1(data: bytes) -> Message:
    if len(data) >= 4 and data[0] == 0x10 and data[1] == 0x82:
        return Message(int.from_bytes(data[2:4], "big"), data[4:])
    if not data or data[0] != 0x10:
        raise DecodeError("not an ECHONET Lite message", offset=0, data=data, expected="EHD1 0x10")
    if len(data) < 2 or data[1] not in (0x81, 0x82):
        raise DecodeError("unknown message format", offset=1, data=data, expected="EHD2 0x81 or 0x82")
    least = 12 if data[1] == 0x81 else 4
    raise DecodeError(
        "the message ends inside its head", offset=len(data), data=data, expected=f"at least {least} bytes"
    )


def _unmet(data: bytes, code: int, six: bytes) -> tuple[Esv, Eoj, Eoj]:
    esv = _ESVS.get(code)
    if esv is None:
        raise DecodeError(f"unknown service code 0x{code:02X}", offset=10, data=data, expected="an ESV")
    pair = _eoj(int.from_bytes(six[:3], "big")), _eoj(int.from_bytes(six[3:], "big"))
    if len(_pairs) < _CACHED_MAX:
        _pairs[six] = pair
    return esv, *pair


def _eoj(value: int) -> Eoj:
    eoj = Eoj(value)
    if len(_eojs) < _CACHED_MAX:
        _eojs[eoj] = eoj
    return eoj


def _misbuilt(tid: int, esv: Esv, properties: Sequence[Property]) -> ValueError:
    if not 0 <= tid <= 0xFFFF:
        return ValueError(f"a TID is 0 to 65535, not {tid}")
    if len(properties) > 0xFF:
        return ValueError(f"a message has at most 255 properties, not {len(properties)}")
    return ValueError(f"{esv} {'needs a' if esv in _TWO_LISTS else 'has no'} second property list")


def _misfit(pair: Property) -> ValueError:
    epc, edt = pair
    if type(pair) is not tuple:
        return ValueError(f"a property is a tuple of EPC and EDT, not {pair!r}")
    if not _FIRST_EPC <= epc <= 0xFF:
        return ValueError(f"a property code is 0x80 to 0xFF, not {epc:#x}")
    return ValueError(f"property 0x{epc:02X} needs 0 to 255 bytes, not {edt!r}")
