"""The one error of everything that reads bytes from the wire."""

from __future__ import annotations

from koatsu.errors import KoatsuError

__all__ = ["DecodeError", "LocalProtocolError"]

_SHOWN = 32  # bytes of a bad datagram that fit a log line


class DecodeError(KoatsuError, ValueError):
    """Bytes that are not what the standard says they should be.

    Args:
        message: what is wrong.
        offset: index of the first byte that does not fit, counted from 0.
        data: the bytes that were read, all of them.
        expected: what should have stood there.
    """

    def __init__(self, message: str, *, offset: int, data: bytes, expected: str) -> None:
        shown = data[:_SHOWN].hex(" ").upper() + (" …" if len(data) > _SHOWN else "")
        super().__init__(f"{message} at byte {offset}: expected {expected}; got {len(data)} bytes [{shown}].")
        self.offset = offset
        self.data = data
        self.expected = expected


class LocalProtocolError(KoatsuError, ValueError):
    """Our own side tried to send what the standard does not allow."""
