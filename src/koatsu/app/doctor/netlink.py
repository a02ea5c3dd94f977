"""What the kernel knows of this machine's network: links, addresses, the way to a host, its neighbours.

Asked over rtnetlink (linux/rtnetlink.h), as the program ``ip`` asks, so nothing has to be installed and the
answer is that of the network namespace in which we run. Nothing is changed.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_address, ip_interface
from typing import Final

__all__ = [
    "LinkFacts",
    "Neighbour",
    "OwnAddress",
    "Route",
    "links",
    "neighbours",
    "own_addresses",
    "route_to",
]

Host = IPv4Address | IPv6Address

_GET_LINK, _GET_ADDRESS, _GET_ROUTE, _GET_NEIGHBOUR = 18, 22, 26, 30  # RTM_GET*
_NEW: Final = {_GET_LINK: 16, _GET_ADDRESS: 20, _GET_ROUTE: 24, _GET_NEIGHBOUR: 28}  # RTM_NEW*
_REQUEST, _DUMP = 0x1, 0x300  # NLM_F_REQUEST, NLM_F_DUMP
_ERROR, _DONE = 2, 3  # NLMSG_ERROR, NLMSG_DONE
_IFF_UP, _IFF_LOOPBACK, _IFF_LOWER_UP = 0x1, 0x8, 0x10000  # linux/if.h
_IFLA_IFNAME: Final = 3
_IFA_ADDRESS, _IFA_LOCAL, _IFA_FLAGS = 1, 2, 8
_IFA_F_TENTATIVE, _IFA_F_DADFAILED = 0x40, 0x08
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_PREFSRC = 1, 4, 5, 7
_NDA_DST, _NDA_LLADDR = 1, 2
_STATES: Final = ("incomplete", "reachable", "stale", "delay", "probe", "failed", "noarp", "permanent")
"""``NUD_…``, each one bit, the lowest first (linux/neighbour.h)."""

_WAIT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkFacts:
    """One network interface: ``up`` is switched on, ``carrier`` has a living cable."""

    index: int
    name: str
    up: bool
    carrier: bool
    loopback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnAddress:
    """One address of this machine; not ``usable`` while another machine may have it too."""

    index: int
    address: IPv4Interface | IPv6Interface
    usable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a packet would leave: interface, our address, and the gateway if it is not a neighbour's."""

    index: int
    source: Host | None
    gateway: Host | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """What is known of a host on the same wire; ``state`` as ``ip neigh`` calls it, in lower case."""

    index: int
    address: Host
    hardware: str | None
    state: str

    @property
    def known(self) -> bool:
        """Whether somebody with that address has been there."""
        return self.state not in ("incomplete", "failed")


def links() -> list[LinkFacts]:
    """Every interface.

    Raises:
        OSError: the kernel does not tell.
    """
    found = []
    for body in _ask(_GET_LINK, struct.pack("=BxHiII", 0, 0, 0, 0, 0), dump=True):
        index, flags = struct.unpack_from("=iI", body, 4)
        name = _attributes(body, 16).get(_IFLA_IFNAME, b"").rstrip(b"\0").decode(errors="replace")
        found.append(
            LinkFacts(
                index=index,
                name=name,
                up=bool(flags & _IFF_UP),
                carrier=bool(flags & _IFF_LOWER_UP),
                loopback=bool(flags & _IFF_LOOPBACK),
            )
        )
    return found


def own_addresses() -> list[OwnAddress]:
    """Every address of every interface.

    Raises:
        OSError: the kernel does not tell.
    """
    found = []
    for body in _ask(_GET_ADDRESS, struct.pack("=BBBBi", 0, 0, 0, 0, 0), dump=True):
        _, length, flags, _, index = struct.unpack_from("=BBBBi", body)
        attributes = _attributes(body, 8)
        raw = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
        if raw is None:
            continue
        if len(attributes.get(_IFA_FLAGS, b"")) == 4:
            (flags,) = struct.unpack("=I", attributes[_IFA_FLAGS])
        usable = not flags & (_IFA_F_TENTATIVE | _IFA_F_DADFAILED)
        found.append(OwnAddress(index=index, address=ip_interface(f"{_host(raw)}/{length}"), usable=usable))
    return found


def route_to(host: Host, *, index: int = 0) -> Route | None:
    """The way to ``host``, out of interface ``index`` where it is given; ``None`` when there is none.

    Raises:
        OSError: the kernel does not tell.
    """
    family = socket.AF_INET if host.version == 4 else socket.AF_INET6
    head = struct.pack("=BBBBBBBBI", family, host.max_prefixlen, 0, 0, 0, 0, 0, 0, 0)
    wish = _attribute(_RTA_DST, host.packed) + (
        _attribute(_RTA_OIF, struct.pack("=i", index)) if index else b""
    )
    try:
        answers = list(_ask(_GET_ROUTE, head + wish, dump=False))
    except OSError as error:
        if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EINVAL, errno.ENODEV):
            return None
        raise
    for body in answers:
        attributes = _attributes(body, 12)
        if _RTA_OIF in attributes:
            (out,) = struct.unpack("=i", attributes[_RTA_OIF])
            source, gateway = attributes.get(_RTA_PREFSRC), attributes.get(_RTA_GATEWAY)
            return Route(
                index=out,
                source=_host(source) if source else None,
                gateway=_host(gateway) if gateway else None,
            )
    return None


def neighbours() -> list[Neighbour]:
    """Every host that has been looked for on a wire: the ARP and NDP tables.

    Raises:
        OSError: the kernel does not tell.
    """
    found = []
    for body in _ask(_GET_NEIGHBOUR, struct.pack("=BxxxiHBB", 0, 0, 0, 0, 0), dump=True):
        index, state = struct.unpack_from("=iH", body, 4)
        attributes = _attributes(body, 12)
        if _NDA_DST in attributes and len(attributes[_NDA_DST]) in (4, 16):
            hardware = attributes.get(_NDA_LLADDR)
            found.append(
                Neighbour(
                    index=index,
                    address=_host(attributes[_NDA_DST]),
                    hardware=hardware.hex(":") if hardware else None,
                    state=_STATES[state.bit_length() - 1] if state else "incomplete",
                )
            )
    return found


def _ask(kind: int, body: bytes, *, dump: bool) -> Iterator[bytes]:
    """Bodies of the answers to one question."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.settimeout(_WAIT_S)
        kernel.bind((0, 0))
        flags = _REQUEST | (_DUMP if dump else 0)
        kernel.send(struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body)
        while True:
            data = kernel.recv(1 << 18)
            at = 0
            while at + 16 <= len(data):
                length, answer = struct.unpack_from("=IH", data, at)
                if answer == _DONE:
                    return
                if answer == _ERROR:
                    (number,) = struct.unpack_from("=i", data, at + 16)
                    if number:
                        raise OSError(-number, os.strerror(-number))
                if answer == _NEW[kind]:
                    yield data[at + 16 : at + length]
                at += max(16, length + 3 & ~3)
            if not dump:
                return


def _attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def _attributes(body: bytes, at: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    while at + 4 <= len(body):
        length, kind = struct.unpack_from("=HH", body, at)
        if length < 4:
            break
        found[kind & 0x3FFF] = body[at + 4 : at + length]
        at += length + 3 & ~3
    return found


def _host(raw: bytes) -> Host:
    return ip_address(raw)
