"""What a node needs from a network: the one interface that sockets and the in-process network share.

A link carries whole datagrams and knows nothing of what they mean. ECHONET Lite runs on UDP port 3610,
multicast group 224.0.23.0 on IPv4 and ff02::1 on IPv6 (ECHONET Lite specification 1.14, part 2, 1.2).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import NamedTuple, Protocol

from koatsu.errors import UsageError

__all__ = ["GROUP_V4", "GROUP_V6", "PORT", "Link", "Peer", "Receiver"]

PORT = 3610
GROUP_V4 = "224.0.23.0"
GROUP_V6 = "ff02::1"


class Peer(NamedTuple):
    """Where a node is: address text, UDP port and, for IPv6 link-local, the zone (interface name)."""

    host: str
    port: int = PORT
    zone: str = ""

    @classmethod
    def parse(cls, text: str) -> Peer:
        """Read ``192.0.2.1``, ``192.0.2.1:3610``, ``fe80::1%eth0`` or ``[fe80::1%eth0]:3610``.

        Raises:
            UsageError: the text is none of these.
        """
        host, port = text.strip(), str(PORT)
        if host.startswith("["):
            host, _, rest = host[1:].partition("]")
            port = rest.removeprefix(":") or port
        elif host.count(":") == 1:
            host, _, port = host.partition(":")
        host, _, zone = host.partition("%")
        try:
            address = ipaddress.ip_address(host)
            number = int(port)
            if not 0 < number < 65536:
                raise ValueError(port)
        except ValueError:
            raise UsageError(
                f"{text!r} is not an address.",
                ja=f"{text!r} はアドレスではありません。",
                hint="Write 192.0.2.10, fe80::1%eth0 or [fe80::1%eth0]:3610.",
                hint_ja="192.0.2.10、fe80::1%eth0、[fe80::1%eth0]:3610 のように書いてください。",
            ) from None
        if address.is_link_local and address.version == 6 and not zone:
            raise UsageError(
                f"{text!r} is a link-local address without its interface.",
                ja=f"{text!r} はリンクローカルアドレスですが、インターフェースがありません。",
                hint=f"Add it after a percent sign: {host}%eth0.",
                hint_ja=f"パーセント記号のあとに付けてください: {host}%eth0",
            )
        return cls(str(address), number, zone)

    @property
    def address(self) -> str:
        """Host and zone without the port: what an answer must come from."""
        return f"{self.host}%{self.zone}" if self.zone else self.host

    @property
    def is_ipv6(self) -> bool:
        """Whether the address is an IPv6 one."""
        return ":" in self.host

    def __str__(self) -> str:
        host = self.address
        if self.port == PORT:
            return host
        return f"[{host}]:{self.port}" if self.is_ipv6 else f"{host}:{self.port}"


Receiver = Callable[[bytes, Peer, bool], None]
"""Called with the datagram, who sent it, and whether it came by multicast."""


class Link(Protocol):
    """A datagram network seen from one node."""

    @property
    def local(self) -> Peer:
        """The address that this link answers on."""
        ...

    def send(self, data: bytes, peer: Peer) -> None:
        """Send one datagram to one node; a full queue or a refused packet is a lost packet."""
        ...

    def multicast(self, data: bytes) -> None:
        """Send one datagram to the ECHONET Lite group."""
        ...

    def set_receiver(self, receiver: Receiver) -> None:
        """Hand every datagram that arrives from now on to ``receiver``."""
        ...

    async def close(self) -> None:
        """Leave the network; sending afterwards does nothing."""
        ...
