"""Reading pcapng and classic pcap files as Wireshark, tcpdump and this program write them.

The file is taken for hostile: any bytes give datagrams or one `CaptureError` with the offset. What the file
records of other traffic is passed over and counted by reason. No reassembly of fragments, no compressed
files. Sources: draft-ietf-opsawg-pcapng and draft-ietf-opsawg-pcap.
"""

from __future__ import annotations

import os
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from koatsu.errors import KoatsuError
from koatsu.node.link import PORT
from koatsu.node.packets import LINK_TYPES, Datagram, NotADatagram, parse_packet

__all__ = ["CaptureError", "CaptureReader", "read_capture"]

_MAX_BLOCK = 16 * 1024 * 1024
"""Longest block or packet taken, bytes; Wireshark's own limit for a block is of this order."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECTION, _INTERFACE, _PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_NAME, _RESOLUTION, _OFFSET = 2, 9, 14
_BYTE_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_CLASSIC = {  # first four bytes: byte order, units of the fraction in a second
    b"\xa1\xb2\xc3\xd4": (">", 10**6),
    b"\xd4\xc3\xb2\xa1": ("<", 10**6),
    b"\xa1\xb2\x3c\x4d": (">", 10**9),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9),
}


class CaptureError(KoatsuError, ValueError):
    """The file is not a capture, or a damaged one.

    Attributes:
        offset: where in the file, bytes from its start.
    """

    def __init__(self, what: str, what_ja: str, offset: int) -> None:
        super().__init__(
            f"At byte {offset} of the capture: {what}.",
            ja=f"キャプチャファイルの {offset} バイト目: {what_ja}",
        )
        self.offset = offset


@dataclass(frozen=True, slots=True)
class _Interface:
    link_type: int
    snap_length: int
    zone: str
    units: int  # of the time stamps, in a second
    offset_s: int


class CaptureReader:
    """The UDP datagrams of one capture, in the order of the file.

    Iterate once. Time stamps finer than a microsecond are cut, not rounded.

    Args:
        file: open for binary reading at its start; not closed by the reader.
        port: pass over datagrams with this port on neither side; None takes every port.

    Attributes:
        skipped: how many packets were passed over, by reason: "not IP", "not UDP", "other port", "fragment",
            "cut packet", "link type N".
    """

    def __init__(self, file: BinaryIO, *, port: int | None = PORT) -> None:
        self._file = file
        self._port = port
        self._offset = 0
        self._last = _EPOCH
        self.skipped: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Datagram]:
        """The datagrams.

        Raises:
            CaptureError: at the first place where the file is damaged, after what came before it.
        """
        magic = self._read(4, "the file is empty or too short", "ファイルが空か、短すぎます")
        if magic in _CLASSIC:
            return self._classic(*_CLASSIC[magic])
        if magic == _SECTION.to_bytes(4, "big"):
            return self._blocks()
        raise CaptureError("this is neither pcapng nor pcap", "pcapng でも pcap でもありません", 0)

    # pcapng

    def _blocks(self) -> Iterator[Datagram]:
        """Walk the blocks of a pcapng file whose first block type has been read."""
        order = ""
        interfaces: list[_Interface] = []
        head = _SECTION.to_bytes(4, "big")
        while head:
            start = self._offset - 4
            length_bytes = self._read(4)
            if head == _SECTION.to_bytes(4, "big"):
                magic = self._read(4)
                order = _BYTE_ORDERS.get(magic, "")
                if not order:
                    raise CaptureError(
                        "the byte-order mark is wrong", "バイト順の印が正しくありません", start + 8
                    )
                interfaces = []
                kind, consumed = _SECTION, 12
            else:
                (kind,) = struct.unpack(f"{order}I", head)
                consumed = 8
            body = self._body(order, length_bytes, consumed, start)
            if kind == _SECTION:
                self._section(order, body, start)
            elif kind == _INTERFACE:
                interfaces.append(_interface(order, body, start + 8))
            elif kind in (_ENHANCED, _PACKET, _SIMPLE):
                datagram = self._packet_block(order, kind, body, interfaces, start + 8)
                if datagram is not None:
                    yield datagram
            head = self._read(4, at_end=True)

    def _body(self, order: str, length_bytes: bytes, consumed: int, start: int) -> bytes:
        """The rest of a block of which ``consumed`` bytes were read, without the closing length."""
        (length,) = struct.unpack(f"{order}I", length_bytes)
        if length % 4 or not consumed + 4 <= length <= _MAX_BLOCK:
            raise CaptureError(
                f"a block of {length} bytes cannot be",
                f"長さ {length} バイトのブロックはありえません",
                start + 4,
            )
        body = self._read(length - consumed - 4)
        if self._read(4) != length_bytes:
            raise CaptureError(
                "the two lengths of a block differ", "ブロックの前後の長さが一致しません", self._offset - 4
            )
        return body

    def _section(self, order: str, body: bytes, start: int) -> None:
        major, _, _ = _unpack(f"{order}HHq", body, start + 12)
        if major != 1:
            raise CaptureError(
                f"pcapng version {major} is not known", f"pcapng バージョン {major} は未対応です", start + 12
            )

    def _packet_block(
        self, order: str, kind: int, body: bytes, interfaces: list[_Interface], offset: int
    ) -> Datagram | None:
        """One packet of a pcapng file; None if it is passed over."""
        stamp: int | None = None
        if kind == _SIMPLE:
            number, head_length = 0, 4
            (original,) = _unpack(f"{order}I", body, offset)
            captured = original
        else:
            # The obsolete Packet block has a count of drops in the upper half of the interface number.
            layout = f"{order}IIIII" if kind == _ENHANCED else f"{order}HxxIIII"
            number, high, low, captured, original = _unpack(layout, body, offset)
            head_length = 20
            stamp = high << 32 | low
        if number >= len(interfaces):
            raise CaptureError(
                f"interface {number} is not described",
                f"インターフェース {number} の説明がありません",
                offset,
            )
        interface = interfaces[number]
        if kind == _SIMPLE and interface.snap_length:
            captured = min(captured, interface.snap_length)
        if head_length + captured > len(body):
            raise CaptureError(
                "a packet is longer than its block", "パケットがブロックより長くなっています", offset
            )
        if stamp is not None:
            self._last = _instant(stamp, interface, offset)
        packet = body[head_length : head_length + captured]
        return self._datagram(interface, packet, original, stamped=stamp is not None)

    # classic pcap

    def _classic(self, order: str, units: int) -> Iterator[Datagram]:
        major, _, _, _, _, link = struct.unpack(f"{order}HHiIII", self._read(20))
        if major != 2:
            raise CaptureError(
                f"pcap version {major} is not known", f"pcap バージョン {major} は未対応です", 4
            )
        link_type = link & 0xFFFF  # the upper bits tell the length of a frame check sequence
        if link_type in (12, 14):  # the raw-IP numbers of some systems' own headers
            link_type = 101
        if link_type not in LINK_TYPES:
            raise CaptureError(
                f"link type {link_type} cannot be read", f"リンク種別 {link_type} は読めません", 20
            )
        interface = _Interface(link_type, 0, "", units, 0)
        while head := self._read(4, at_end=True):
            offset = self._offset - 4
            seconds, fraction, captured, original = struct.unpack(f"{order}IIII", head + self._read(12))
            if fraction >= units:
                raise CaptureError(
                    "the fraction of a second is too large", "秒の端数が大きすぎます", offset + 4
                )
            if captured > _MAX_BLOCK:
                raise CaptureError(
                    f"a packet of {captured} bytes cannot be",
                    f"{captured} バイトのパケットはありえません",
                    offset + 8,
                )
            packet = self._read(captured)
            self._last = _instant(seconds * units + fraction, interface, offset)
            datagram = self._datagram(interface, packet, original, stamped=True)
            if datagram is not None:
                yield datagram

    # both

    def _datagram(
        self, interface: _Interface, packet: bytes, original: int, *, stamped: bool
    ) -> Datagram | None:
        try:
            if original > len(packet):
                raise NotADatagram("cut packet")
            source, destination, data = parse_packet(interface.link_type, packet, interface.zone)
            if self._port is not None and self._port not in (source.port, destination.port):
                raise NotADatagram("other port")
        except NotADatagram as reason:
            self.skipped[str(reason)] += 1
            return None
        return Datagram(at=self._last, source=source, destination=destination, data=data, stamped=stamped)

    def _read(
        self,
        size: int,
        what: str = "the file ends in the middle",
        what_ja: str = "ファイルが途中で終わっています",
        *,
        at_end: bool = False,
    ) -> bytes:
        """Exactly ``size`` bytes; nothing where the file ends and ``at_end`` allows it."""
        parts = []
        missing = size
        while missing:
            try:
                part = self._file.read(missing)
            except OSError as error:
                reason = error.strerror or str(error)
                raise CaptureError(
                    f"the file cannot be read ({reason})", f"読めません ({reason})", self._offset
                ) from error
            if not part:
                if at_end and missing == size:
                    return b""
                raise CaptureError(what, what_ja, self._offset)
            parts.append(part)
            missing -= len(part)
            self._offset += len(part)
        return b"".join(parts)


def read_capture(path: str | os.PathLike[str], *, port: int | None = PORT) -> Iterator[Datagram]:
    """The UDP datagrams of a pcapng or pcap file, read as they are asked for.

    Args:
        path: the file.
        port: the port that one side must have; None takes every port.

    Raises:
        CaptureError: the file cannot be opened, is not a capture, or is damaged (after the good part).
    """
    try:
        with Path(path).open("rb") as file:
            yield from CaptureReader(file, port=port)
    except OSError as error:
        name, reason = os.fspath(path), error.strerror or str(error)
        raise CaptureError(
            f"{name} cannot be opened ({reason})", f"{name} を開けません ({reason})", 0
        ) from error


def _interface(order: str, body: bytes, offset: int) -> _Interface:
    link_type, _, snap_length = _unpack(f"{order}HHI", body, offset)
    zone, units, offset_s = "", 10**6, 0
    for code, value, at in _options(order, body, 8, offset):
        if code == _NAME:
            zone = value.decode(errors="replace").rstrip("\0")
        elif code == _RESOLUTION:
            (exponent,) = _unpack(f"{order}B", value, at)
            units = 2 ** (exponent & 0x7F) if exponent & 0x80 else 10**exponent
        elif code == _OFFSET:
            (offset_s,) = _unpack(f"{order}q", value, at)
    return _Interface(link_type, snap_length, zone, units, offset_s)


def _options(order: str, body: bytes, start: int, offset: int) -> Iterator[tuple[int, bytes, int]]:
    """Code, value and place in the file of each option of a block's body."""
    while start < len(body):
        # A slice of four bytes: slicing all that is left would make a block of tiny options quadratic.
        code, length = _unpack(f"{order}HH", body[start : start + 4], offset + start)
        if code == 0:
            return
        value = body[start + 4 : start + 4 + length]
        if len(value) != length:
            raise CaptureError(
                "an option is longer than its block",
                "オプションがブロックより長くなっています",
                offset + start,
            )
        yield code, value, offset + start + 4
        start += 4 + length + -length % 4


def _instant(stamp: int, interface: _Interface, offset: int) -> datetime:
    try:
        microseconds = stamp * 10**6 // interface.units
        return _EPOCH + timedelta(seconds=interface.offset_s, microseconds=microseconds)
    except OverflowError:
        raise CaptureError("a time stamp is out of range", "時刻が範囲外です", offset) from None


def _unpack(layout: str, data: bytes, offset: int) -> tuple[int, ...]:
    """The integers at the start of ``data``, which lies at ``offset`` in the file."""
    if len(data) < struct.calcsize(layout):
        raise CaptureError("a block is too short", "ブロックが短すぎます", offset)
    return struct.unpack_from(layout, data)
