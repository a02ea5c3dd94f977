"""Writing what a link sends and receives into a pcapng file that Wireshark opens.

The datagrams are put back into IP and UDP headers, so that addresses, ports and checksums show as on the
wire; it is not a sniffer and needs no privilege. Source: the PCAP Next Generation capture file format
(draft-ietf-opsawg-pcapng), of which Section Header, Interface Description and Enhanced Packet are written.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import platform
import struct
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from koatsu.clock import Clock, SystemClock
from koatsu.errors import UsageError
from koatsu.node.link import GROUP_V4, GROUP_V6, PORT, Link, Peer, Receiver
from koatsu.node.packets import LINK_TYPE_RAW, Datagram, build_packet

__all__ = ["Capture", "CapturingLink"]

_LOG = logging.getLogger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECTION, _INTERFACE, _ENHANCED = 0x0A0D0D0A, 1, 6
# Option numbers: of any block and of the section; then of an interface, and of a packet.
_COMMENT, _HARDWARE, _SYSTEM, _APPLICATION = 1, 2, 3, 4
_NAME, _DESCRIPTION, _RESOLUTION, _FLAGS = 2, 3, 9, 2
_INBOUND, _OUTBOUND, _UNICAST, _MULTICAST = 0b01, 0b10, 0b001 << 2, 0b010 << 2
_MICROSECONDS = bytes([6])


class Capture:
    """A pcapng file being written: every datagram is on its way to the disk when ``write`` returns.

    One capture interface is described per zone of the addresses, the first without a name. A process that is
    killed leaves a file that is good up to its last whole block.

    Args:
        file: open for binary writing; the writer closes it.
        process: the name under which the capture presents itself, this program and its process number if
            empty.
        host: the machine's name, its own if empty.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(self, file: BinaryIO, *, process: str = "", host: str = "") -> None:
        version = importlib.metadata.version("koatsu")
        self._file = file
        self._interfaces: dict[str, int] = {}
        self._identification = 0
        self._description = f"{process or f'koatsu, process {os.getpid()}'} on {host or platform.node()}"
        options = _options(
            (
                _COMMENT,
                f"Written by koatsu {version}: UDP datagrams of one ECHONET Lite node, headers restored.",
            ),
            (_HARDWARE, platform.machine()),
            (_SYSTEM, platform.system()),
            (_APPLICATION, f"koatsu {version}"),
        )
        # Section length -1: not known in advance.
        self._put(_block(_SECTION, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + options))
        self._interface("")

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, process: str = "", host: str = "") -> Self:
        """Create the file, or replace it.

        Raises:
            UsageError: it cannot be created there.
        """
        try:
            file = Path(path).open("wb")  # noqa: SIM115 - the writer keeps it open
            try:
                return cls(file, process=process, host=host)
            except OSError:
                file.close()
                raise
        except OSError as error:
            raise UsageError(
                f"The capture file {os.fspath(path)} cannot be written: {error.strerror}.",
                ja=f"キャプチャファイル {os.fspath(path)} に書き込めません: {error.strerror}",
            ) from error

    def write(self, datagram: Datagram, *, sent: bool | None = None) -> None:
        """Append one datagram.

        Args:
            datagram: times before 1970 are refused, for the format cannot say them.
            sent: whether this node sent it or received it; None where neither is known.

        Raises:
            ValueError: the addresses are no addresses, it is too long for one datagram, or before 1970.
            OSError: the disk refuses.
        """
        self._identification = (self._identification + 1) & 0xFFFF
        packet = build_packet(
            datagram.source, datagram.destination, datagram.data, identification=self._identification
        )
        since = datagram.at - _EPOCH
        if since.days < 0:
            raise ValueError(f"{datagram.at} is before 1970")
        microseconds = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
        flags = _MULTICAST if datagram.multicast else _UNICAST
        if sent is not None:
            flags |= _OUTBOUND if sent else _INBOUND
        interface = self._interface(datagram.source.zone or datagram.destination.zone)
        head = struct.pack(
            "<IIIII", interface, microseconds >> 32, microseconds & 0xFFFF_FFFF, len(packet), len(packet)
        )
        options = _options((_FLAGS, flags.to_bytes(4, "little")))
        self._put(_block(_ENHANCED, head + _padded(packet) + options))

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _interface(self, zone: str) -> int:
        """The number of the capture interface of a zone, described in the file on first use."""
        number = self._interfaces.get(zone)
        if number is None:
            named: list[tuple[int, str | bytes]] = [(_NAME, zone)] if zone else []
            options = _options(*named, (_DESCRIPTION, self._description), (_RESOLUTION, _MICROSECONDS))
            # Snap length 0: no limit.
            self._put(_block(_INTERFACE, struct.pack("<HHI", LINK_TYPE_RAW, 0, 0) + options))
            number = self._interfaces[zone] = len(self._interfaces)
        return number

    def _put(self, block: bytes) -> None:
        self._file.write(block)
        self._file.flush()


class CapturingLink:
    """A link that writes down whatever passes through another one.

    A disk that refuses ends the capture, not the traffic: the reason is logged once and kept in ``failure``.

    Args:
        link: where the datagrams really go.
        writer: where they are written down; closed together with the link.
        clock: whose time the packets bear; the machine's if None.
    """

    def __init__(self, link: Link, writer: Capture, clock: Clock | None = None) -> None:
        self._link = link
        self._writer = writer
        self._clock = clock or SystemClock()
        self.failure: OSError | None = None

    @property
    def local(self) -> Peer:
        """The address of the link inside."""
        return self._link.local

    def send(self, data: bytes, peer: Peer) -> None:
        """Write down, then send."""
        self._record(data, self._mine(peer), peer, sent=True)
        self._link.send(data, peer)

    def multicast(self, data: bytes) -> None:
        """Write down as sent to the group of the own address family, then send."""
        self._record(data, self.local, _group(self.local), sent=True)
        self._link.multicast(data)

    def set_receiver(self, receiver: Receiver) -> None:
        """Hand what arrives to ``receiver`` after writing it down."""

        def record(data: bytes, peer: Peer, multicast: bool) -> None:
            self._record(data, peer, _group(peer) if multicast else self._mine(peer), sent=False)
            receiver(data, peer, multicast)

        self._link.set_receiver(record)

    async def close(self) -> None:
        """Close the link and the file."""
        await self._link.close()
        try:
            self._writer.close()
        except OSError as error:  # closing writes what a full disk refused before
            self.failure = self.failure or error

    def _mine(self, other: Peer) -> Peer:
        """The own address as ``other`` sees it; unspecified where ``local`` is of the other family."""
        if self.local.is_ipv6 == other.is_ipv6:
            return self.local
        return Peer("::" if other.is_ipv6 else "0.0.0.0", self.local.port)  # noqa: S104 - not bound to

    def _record(self, data: bytes, source: Peer, destination: Peer, *, sent: bool) -> None:
        if self.failure is not None:
            return
        try:
            self._writer.write(
                Datagram(at=self._clock.now(), source=source, destination=destination, data=data), sent=sent
            )
        except OSError as error:
            self.failure = error
            _LOG.warning("The capture has ended, the disk refuses: %s", error)
        except ValueError as error:
            _LOG.debug("A datagram that cannot be captured: %s", error)


def _group(peer: Peer) -> Peer:
    """The ECHONET Lite group of the family of ``peer``."""
    return Peer(GROUP_V6 if peer.is_ipv6 else GROUP_V4, PORT)


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _options(*pairs: tuple[int, str | bytes]) -> bytes:
    """Options of a block, each padded to four bytes, closed by the end mark."""
    parts = []
    for code, value in pairs:
        content = value.encode()[:0xFFFF] if isinstance(value, str) else value
        parts.append(struct.pack("<HH", code, len(content)) + _padded(content))
    return b"".join(parts) + bytes(4)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
