"""One UDP datagram as it stands in a capture: inside IPv4 or IPv6, inside what the interface puts around it.

Builds raw IP packets with right checksums, and takes the datagram out of Ethernet (with VLAN tags), raw IP,
BSD loopback and Linux "cooked" packets. Sources: RFC 768, 791, 8200; the link types are those of
tcpdump.org/linktypes.html. Checksums are not judged when reading: a capture taken on the sending machine
shows packets whose checksum the network card had still to fill in.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass
from datetime import UTC, datetime

from koatsu.clock import require_aware
from koatsu.node.link import Peer

__all__ = ["LINK_TYPES", "LINK_TYPE_RAW", "Datagram", "NotADatagram", "build_packet", "parse_packet"]

LINK_TYPE_NULL, LINK_TYPE_ETHERNET, LINK_TYPE_RAW, LINK_TYPE_LOOP = 0, 1, 101, 108
LINK_TYPE_SLL, LINK_TYPE_IPV4, LINK_TYPE_IPV6, LINK_TYPE_SLL2 = 113, 228, 229, 276

LINK_TYPES = {
    LINK_TYPE_NULL: "BSD loopback",
    LINK_TYPE_ETHERNET: "Ethernet",
    LINK_TYPE_RAW: "raw IP",
    LINK_TYPE_LOOP: "OpenBSD loopback",
    LINK_TYPE_SLL: "Linux cooked",
    LINK_TYPE_IPV4: "raw IPv4",
    LINK_TYPE_IPV6: "raw IPv6",
    LINK_TYPE_SLL2: "Linux cooked 2",
}
"""The link types that `parse_packet` reads."""

_UDP = 17
_ETHERTYPE_IP = (0x0800, 0x86DD)
_ETHERTYPE_VLAN = (0x8100, 0x88A8)
# Address families of IPv6 on NetBSD/OpenBSD, FreeBSD and macOS; IPv4 is 2 everywhere.
_NULL_FAMILIES = (2, 24, 28, 30)
# Hop-by-hop options, routing header, destination options: length in the second byte, in units of 8 bytes.
_IPV6_OPTIONS = (0, 43, 60)
_IPV6_FRAGMENT = 44
_IPV6_HEADERS_MAX = (
    8  # each may stand once (RFC 8200, 4.1); thousands of them would be an attack on the reader
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Datagram:
    """One UDP datagram seen on the wire.

    Attributes:
        at: when it was captured, aware, kept in UTC.
        source: who sent it.
        destination: to whom, or the multicast group.
        data: the whole payload, never a cut one.
        stamped: False where the file gives no time for it; ``at`` is then that of the packet before it, or
            1970-01-01T00:00Z where there is none.

    Raises:
        ValueError: ``at`` has no time zone, or one address is IPv4 and the other IPv6.
    """

    at: datetime
    source: Peer
    destination: Peer
    data: bytes
    stamped: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", require_aware(self.at).astimezone(UTC))
        if self.source.is_ipv6 != self.destination.is_ipv6:
            raise ValueError(f"{self.source} and {self.destination} are of different address families")

    @property
    def multicast(self) -> bool:
        """Whether it went to a group."""
        return ipaddress.ip_address(self.destination.host).is_multicast


class NotADatagram(ValueError):  # noqa: N818 - not an error of the file: most packets on a wire are not ours
    """A captured packet holds no complete UDP datagram; the text says why, in two or three words."""


def build_packet(source: Peer, destination: Peer, data: bytes, *, identification: int = 0) -> bytes:
    """One UDP datagram as a raw IP packet (link type 101) with right checksums.

    Args:
        source: address and port it comes from.
        destination: address and port it goes to, of the same family.
        data: the payload, at most 65,507 bytes on IPv4 and 65,527 on IPv6.
        identification: the IPv4 identification field, 0 to 65535.

    Raises:
        ValueError: addresses of different families or that are none, a port outside 0 to 65535, or too
            much data.
    """
    sender, receiver = ipaddress.ip_address(source.host), ipaddress.ip_address(destination.host)
    if sender.version != receiver.version:
        raise ValueError(f"{source} and {destination} are of different address families")
    for peer in (source, destination):
        if not 0 <= peer.port <= 0xFFFF:
            raise ValueError(f"{peer.port} is not a port")
    length = 8 + len(data)
    header_length = 20 if sender.version == 4 else 0  # IPv6 does not count its header
    if header_length + length > 0xFFFF:
        raise ValueError(f"{len(data)} bytes do not fit into one datagram")
    pseudo = sender.packed + receiver.packed + struct.pack(">IHBB", length, 0, 0, _UDP)
    ports = struct.pack(">HHH", source.port, destination.port, length)
    # A sum of zero is sent as all ones, because zero means "not computed" (RFC 768).
    checksum = _checksum(pseudo + ports + b"\x00\x00" + data) or 0xFFFF
    udp = ports + checksum.to_bytes(2, "big") + data
    if sender.version == 6:
        hop_limit = 1 if receiver.is_multicast else 64
        return struct.pack(">IHBB", 6 << 28, length, _UDP, hop_limit) + sender.packed + receiver.packed + udp
    time_to_live = 1 if receiver.is_multicast else 64
    head = struct.pack(">BBHHHBB", 0x45, 0, 20 + length, identification, 0x4000, time_to_live, _UDP)
    addresses = sender.packed + receiver.packed
    return head + _checksum(head + b"\x00\x00" + addresses).to_bytes(2, "big") + addresses + udp


def parse_packet(link_type: int, packet: bytes, zone: str = "") -> tuple[Peer, Peer, bytes]:
    """Source, destination and payload of one captured packet.

    Args:
        link_type: what the interface puts around IP, one of `LINK_TYPES`.
        packet: the captured bytes, complete.
        zone: name of the interface, given to link-local IPv6 addresses.

    Raises:
        NotADatagram: it is something else, or cut, or a fragment, or not well formed.
    """
    try:
        packet = _network_layer(link_type, packet)
        version = packet[0] >> 4
        if version == 4:
            sender, receiver, segment = _ipv4(packet)
        elif version == 6:
            sender, receiver, segment = _ipv6(packet)
        else:
            raise NotADatagram("not IP")
        source_port, destination_port, length = struct.unpack_from(">HHH", segment)
    except (IndexError, struct.error):
        raise NotADatagram("cut packet") from None
    if not 8 <= length <= len(segment):
        raise NotADatagram("cut packet")
    return _peer(sender, source_port, zone), _peer(receiver, destination_port, zone), segment[8:length]


def _network_layer(link_type: int, packet: bytes) -> bytes:
    """The IP packet inside one link-layer packet."""
    if link_type in (LINK_TYPE_RAW, LINK_TYPE_IPV4, LINK_TYPE_IPV6):
        return packet
    if link_type == LINK_TYPE_ETHERNET:
        start = 12
        (ethertype,) = struct.unpack_from(">H", packet, start)
        while ethertype in _ETHERTYPE_VLAN:
            start += 4
            (ethertype,) = struct.unpack_from(">H", packet, start)
        start += 2
    elif link_type == LINK_TYPE_SLL:
        (ethertype,) = struct.unpack_from(">H", packet, 14)
        start = 16
    elif link_type == LINK_TYPE_SLL2:
        (ethertype,) = struct.unpack_from(">H", packet)
        start = 20
    elif link_type in (LINK_TYPE_NULL, LINK_TYPE_LOOP):
        # NULL is in the order of the machine that captured, which the file does not tell reliably.
        families = (int.from_bytes(packet[:4], "big"), int.from_bytes(packet[:4], "little"))
        if not any(family in _NULL_FAMILIES for family in families):
            raise NotADatagram("not IP")
        return packet[4:]
    else:
        raise NotADatagram(f"link type {link_type}")
    if ethertype not in _ETHERTYPE_IP:
        raise NotADatagram("not IP")
    return packet[start:]


def _ipv4(packet: bytes) -> tuple[bytes, bytes, bytes]:
    header_length = (packet[0] & 0x0F) * 4
    total_length, _, fragment, _, protocol = struct.unpack_from(">HHHBB", packet, 2)
    if header_length < 20 or not header_length <= total_length <= len(packet):
        raise NotADatagram("cut packet")
    if protocol != _UDP:
        raise NotADatagram("not UDP")
    if fragment & 0x3FFF:  # more fragments follow, or this is not the first
        raise NotADatagram("fragment")
    return packet[12:16], packet[16:20], packet[header_length:total_length]


def _ipv6(packet: bytes) -> tuple[bytes, bytes, bytes]:
    payload_length, header = struct.unpack_from(">HB", packet, 4)
    payload = packet[40 : 40 + payload_length]
    if len(packet) < 40 or len(payload) != payload_length:
        raise NotADatagram("cut packet")
    for _ in range(_IPV6_HEADERS_MAX):
        if header not in _IPV6_OPTIONS and header != _IPV6_FRAGMENT:
            break
        if header == _IPV6_FRAGMENT:
            (fragment,) = struct.unpack_from(">H", payload, 2)
            if fragment & 0xFFF9:
                raise NotADatagram("fragment")
            length = 8
        else:
            length = 8 * (payload[1] + 1)
        header, payload = payload[0], payload[length:]
    if header != _UDP:
        raise NotADatagram("not UDP")
    return packet[8:24], packet[24:40], payload


def _peer(packed: bytes, port: int, zone: str) -> Peer:
    address = ipaddress.ip_address(packed)
    return Peer(str(address), port, zone if address.version == 6 and address.is_link_local else "")


def _checksum(data: bytes) -> int:
    """The ones' complement of the ones' complement sum of 16-bit words (RFC 1071)."""
    if len(data) % 2:
        data += b"\x00"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
