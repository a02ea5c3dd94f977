"""The addresses of this machine that a meter may be found from: one IPv4, the link-local IPv6 an interface.

A machine with several networks has several ways out, and multicast takes one only; so a search goes out of
each. Linux tells the addresses by ioctl and in /proc/net; elsewhere nothing is found and the route decides.
"""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
from pathlib import Path
from typing import Final

from koatsu.errors import UnreachableError

__all__ = ["own_addresses"]

_SIOCGIFADDR: Final = 0x8915  # linux/sockios.h
_SIOCGIFFLAGS: Final = 0x8913
_UP: Final = 0x1  # linux/if.h, IFF_UP
_LINK_SCOPE: Final = "20"  # of /proc/net/if_inet6


def own_addresses(interface: str = "") -> list[str]:
    """Addresses to search from, as text; link-local ones with their interface (``fe80::1%eth0``).

    Args:
        interface: only of this one; all that are up when empty.

    Raises:
        UnreachableError: there is no interface of that name.
    """
    names = [name for _, name in socket.if_nameindex()]
    if interface and interface not in names:
        raise UnreachableError(
            f"There is no network interface {interface!r}.",
            ja=f"ネットワークインターフェース {interface!r} はありません。",
            hint=f"This machine has: {', '.join(names)}.",
            hint_ja=f"この機械にあるもの: {'、'.join(names)}",
        )
    found: list[str] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for name in names:
            if (not interface or name == interface) and _is_up(probe, name):
                ipv4 = _ipv4(probe, name)
                found += [ipv4] if ipv4 else []
                found += _link_local(name)
    return found


def _is_up(probe: socket.socket, name: str) -> bool:
    try:
        answer = fcntl.ioctl(probe, _SIOCGIFFLAGS, struct.pack("16sH14x", name.encode(), 0))
    except OSError:
        return False
    return bool(struct.unpack("16sH14x", answer)[1] & _UP)


def _ipv4(probe: socket.socket, name: str) -> str | None:
    """The first IPv4 address of an interface; ``None`` where it has none."""
    try:
        answer = fcntl.ioctl(probe, _SIOCGIFADDR, struct.pack("16s24x", name.encode()))
    except OSError:
        return None
    return socket.inet_ntoa(answer[20:24])


def _link_local(name: str) -> list[str]:
    try:
        lines = Path("/proc/net/if_inet6").read_text().splitlines()
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [
        f"{ipaddress.IPv6Address(bytes.fromhex(row[0]))}%{name}"
        for row in rows
        if row[5] == name and row[3] == _LINK_SCOPE
    ]
