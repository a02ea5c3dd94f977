"""The baseline of benchmarks/codec.py: ECHONET Lite frames with ``struct`` and plain tuples, strict, by hand.

What somebody writes who wants speed and nothing else: no types, no classes, no error with a place in it. It
makes the same checks as Koatsu's codec (every length, code and range) and materialises the same values, so
that the ratio says what names and types cost. Nothing here comes from Koatsu.
"""

from __future__ import annotations

from struct import Struct

__all__ = ["decode", "encode"]

_HEAD = Struct(">HHHBHBBB")
_SERVICES = frozenset(
    (0x60, 0x61, 0x62, 0x63, 0x6E, 0x71, 0x72, 0x73, 0x74, 0x7A, 0x7E, 0x50, 0x51, 0x52, 0x53, 0x5E)
)
_TWO_LISTS = frozenset((0x6E, 0x7E, 0x5E))


def decode(data):
    """``(tid, seoj, deoj, esv, properties, second)``, or ``(tid, bytes)`` for a format 2 message."""
    end = len(data)
    if end < 12 or data[1] != 0x81:
        if end >= 4 and data[0] == 0x10 and data[1] == 0x82:
            return (data[2] << 8 | data[3], data[4:])
        raise ValueError("no head")
    ehd, tid, source, source_instance, target, target_instance, esv, count = _HEAD.unpack_from(data)
    if ehd != 0x1081 or esv not in _SERVICES:
        raise ValueError("no such format or service")
    at = 12
    properties = []
    try:
        for _ in range(count):
            epc = data[at]
            start = at + 2
            at = start + data[at + 1]
            if epc < 0x80 or at > end:
                raise ValueError("bad property")
            properties.append((epc, data[start:at]))
        second = None
        if esv in _TWO_LISTS:
            count = data[at]
            at += 1
            found = []
            for _ in range(count):
                epc = data[at]
                start = at + 2
                at = start + data[at + 1]
                if epc < 0x80 or at > end:
                    raise ValueError("bad property")
                found.append((epc, data[start:at]))
            second = tuple(found)
    except IndexError:
        raise ValueError("cut") from None
    if at != end:
        raise ValueError("too long")
    return (
        tid, source << 8 | source_instance, target << 8 | target_instance, esv, tuple(properties), second,
    )  # fmt: skip


def encode(tid, seoj, deoj, esv, properties, second=None):
    """The bytes of a format 1 message; ValueError for a value that does not fit."""
    if not (0 <= tid <= 0xFFFF and 0 <= seoj <= 0xFFFFFF and 0 <= deoj <= 0xFFFFFF):
        raise ValueError("TID or EOJ out of range")
    if esv not in _SERVICES or (second is not None) != (esv in _TWO_LISTS) or len(properties) > 255:
        raise ValueError("no such service, or its lists are wrong")
    out = bytearray(
        _HEAD.pack(0x1081, tid, seoj >> 8, seoj & 255, deoj >> 8, deoj & 255, esv, len(properties))
    )
    for epc, edt in properties:
        size = len(edt)
        if not 0x80 <= epc <= 0xFF or size > 255 or type(edt) is not bytes:
            raise ValueError("bad property")
        out.append(epc)
        out.append(size)
        out += edt
    if second is not None:
        if len(second) > 255:
            raise ValueError("too many properties")
        out.append(len(second))
        for epc, edt in second:
            size = len(edt)
            if not 0x80 <= epc <= 0xFF or size > 255 or type(edt) is not bytes:
                raise ValueError("bad property")
            out.append(epc)
            out.append(size)
            out += edt
    return bytes(out)
