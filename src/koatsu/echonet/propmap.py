"""Property maps: which properties an object announces, lets set, lets get.

Up to 15 codes are listed one by one; 16 and more are a bitmap in which byte i, bit j stands for the code
0x80 + 16 j + i. Source: ECHONET device object appendix, annex 1 (description formats of the property map).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from koatsu.echonet.errors import DecodeError

__all__ = ["decode_map", "encode_map"]

_BITMAP_FROM: Final = 16
_BITMAP_BYTES: Final = 16


def encode_map(epcs: Iterable[int]) -> bytes:
    """The bytes of a map of ``epcs`` (0x80 to 0xFF), in the form that their number asks for.

    Raises:
        ValueError: a code is out of range.
    """
    codes = sorted(set(epcs))
    if codes and not (codes[0] >= 0x80 and codes[-1] <= 0xFF):
        raise ValueError("property codes are 0x80 to 0xFF")
    if len(codes) < _BITMAP_FROM:
        return bytes((len(codes), *codes))
    bits = bytearray(_BITMAP_BYTES)
    for epc in codes:
        bits[epc & 0x0F] |= 1 << ((epc >> 4) - 8)
    return bytes((len(codes),)) + bytes(bits)


def decode_map(edt: bytes) -> frozenset[int]:
    """The codes that a map names.

    Raises:
        DecodeError: length, count and codes do not agree.
    """
    if not edt:
        raise DecodeError("an empty property map", offset=0, data=edt, expected="a count byte")
    count = edt[0]
    wanted = 1 + (count if count < _BITMAP_FROM else _BITMAP_BYTES)
    if len(edt) != wanted:
        raise DecodeError(
            "a property map of the wrong length",
            offset=min(len(edt), wanted),
            data=edt,
            expected=f"{wanted} bytes",
        )
    if count < _BITMAP_FROM:
        return _listed(edt)
    codes = frozenset(
        0x80 + 16 * bit + low for low in range(_BITMAP_BYTES) for bit in range(8) if edt[1 + low] >> bit & 1
    )
    if len(codes) != count:
        raise DecodeError(
            f"a property map that names {len(codes)} codes", offset=0, data=edt, expected=f"{count} codes"
        )
    return codes


def _listed(edt: bytes) -> frozenset[int]:
    codes: set[int] = set()
    for at, epc in enumerate(edt[1:], 1):
        if epc < 0x80 or epc in codes:
            raise DecodeError(
                "a property map with an impossible code", offset=at, data=edt, expected="another code ≥ 0x80"
            )
        codes.add(epc)
    return frozenset(codes)
