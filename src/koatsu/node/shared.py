"""Thousands of links over one socket: each address of a range that routes to this machine is a link.

The socket is bound to all addresses; the packet information of each datagram says which one was meant, and
answers leave from that same address. On IPv4 all of 127/8 is ours already; on IPv6 a whole prefix becomes
local with ``ip -6 route add local fd00:c::/64 dev lo``. While it runs, no other node of the machine can bind
the port, so it belongs into a network namespace or on a machine of its own.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from typing import Final

from koatsu.node.drain import DrainPace
from koatsu.node.errors import LinkError
from koatsu.node.link import PORT, Peer, Receiver

__all__ = ["SharedLink", "SharedUdp"]

_BUFFER: Final = 1 << 22
_IP_PKTINFO: Final = 8  # linux/in.h; Python names it only from 3.14 on
_IPV6_FREEBIND: Final = 78  # linux/in6.h; Python has no name for it
_IP_FREEBIND: Final = 15


class SharedLink:
    """One address of a :class:`SharedUdp`."""

    def __init__(self, shared: SharedUdp, local: Peer) -> None:
        self._shared = shared
        self._local = local
        self.receiver: Receiver | None = None
        self._source = shared.source(local.host)

    @property
    def local(self) -> Peer:
        """The address that this link answers on."""
        return self._local

    def set_receiver(self, receiver: Receiver) -> None:
        """Hand every datagram to this address from now on to ``receiver``."""
        self.receiver = receiver

    def send(self, data: bytes, peer: Peer) -> None:
        """Send one datagram from this address."""
        self._shared.send(data, self._source, peer)

    def multicast(self, data: bytes) -> None:
        """Do nothing: ten thousand nodes that announce at once would drown a test network."""

    async def close(self) -> None:
        """Give the address back."""
        self._shared.detach(self._local.host)


class SharedUdp:
    """The socket behind many links; make it with :meth:`open`."""

    def __init__(self, sock: socket.socket, port: int) -> None:
        self._sock = sock
        self._port = port
        self._v6 = sock.family == socket.AF_INET6
        self._links: dict[bytes, SharedLink] = {}
        self._peers: dict[object, Peer] = {}
        self._pace = DrainPace()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(sock, self._drain)

    @classmethod
    async def open(cls, *, ipv6: bool = False, port: int = PORT) -> SharedUdp:
        """Bind all addresses of one family.

        Raises:
            LinkError: the port is taken.
        """
        sock = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        try:
            if ipv6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_FREEBIND, 1)
            else:
                sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
                sock.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            sock.bind(("::" if ipv6 else "0.0.0.0", port))  # noqa: S104 - that is what this class is for
        except OSError as error:
            sock.close()
            raise LinkError(
                f"UDP port {port} cannot be opened on all addresses: {error.strerror}.",
                ja=f"UDP ポート {port} を全アドレスで開けません({error.strerror})。",
                hint="Run it in a network namespace of its own.",
                hint_ja="専用のネットワーク名前空間で実行してください。",
            ) from error
        return cls(sock, port)

    def attach(self, host: str) -> SharedLink:
        """The link of one address; it must route to this machine."""
        link = SharedLink(self, Peer(host, self._port))
        self._links[ipaddress.ip_address(host).packed] = link
        return link

    def detach(self, host: str) -> None:
        """Stop answering for ``host``."""
        self._links.pop(ipaddress.ip_address(host).packed, None)

    def source(self, host: str) -> list[tuple[int, int, bytes]]:
        """The ancillary data that makes a datagram leave from ``host``."""
        packed = ipaddress.ip_address(host).packed
        if self._v6:
            return [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, packed + struct.pack("@I", 0))]
        return [(socket.IPPROTO_IP, _IP_PKTINFO, struct.pack("@i", 0) + packed + bytes(4))]

    def send(self, data: bytes, source: list[tuple[int, int, bytes]], peer: Peer) -> None:
        """Send one datagram; what the system refuses is lost."""
        try:
            self._sock.sendmsg([data], source, 0, (peer.host, peer.port))
        except OSError:
            pass  # as on any link: the exchange's timer notices

    async def close(self) -> None:
        """Close the socket and with it every link."""
        if self._sock.fileno() >= 0:
            self._loop.remove_reader(self._sock)
            self._sock.close()

    def _drain(self) -> None:
        for _ in range(self._pace.batch):
            try:
                data, ancillary, _, address = self._sock.recvmsg(2048, 64)
            except (BlockingIOError, InterruptedError):
                self._pace.empty()
                return
            except OSError:
                continue
            if not ancillary:
                continue
            info = ancillary[0][2]
            link = self._links.get(info[:16] if self._v6 else info[8:12])
            if link is not None and link.receiver is not None:
                link.receiver(data, self._peers.get(address) or self._peer(address), False)
        self._pace.full()

    def _peer(self, address: tuple[str, int]) -> Peer:
        peer = Peer(address[0].partition("%")[0], address[1])
        if len(self._peers) < _BUFFER:
            self._peers[address] = peer
        return peer
