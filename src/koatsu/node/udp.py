"""A link over real UDP sockets, IPv4 or IPv6, with the ECHONET Lite multicast group.

A socket bound to one address never sees what is sent to the group, so a second one listens there. The
sockets are drained by the event loop's reader, several datagrams a wake-up: half the cost of a transport.
SO_REUSEADDR is set on the group's socket alone, which several nodes of a machine may share; SO_REUSEPORT
never, for it would let two nodes steal each other's answers.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import struct
from typing import Final

from koatsu.node.drain import DrainPace
from koatsu.node.errors import LinkError
from koatsu.node.link import GROUP_V4, GROUP_V6, PORT, Peer, Receiver
from koatsu.node.portowner import port_owner

__all__ = ["UdpLink"]

_LARGEST: Final = 65536
_PEERS_MAX: Final = 8192
_BUFFER: Final = 1 << 20  # a sweep of 1,000 meters is answered within milliseconds


class UdpLink:
    """One node's place on a real network; make it with :meth:`open`."""

    def __init__(self, local: Peer, unicast: socket.socket, group: socket.socket | None, scope: int) -> None:
        self._local = local
        self._unicast = unicast
        self._group = group
        self._scope = scope
        self._receiver: Receiver | None = None
        self._pace = DrainPace()
        self._buffer = memoryview(bytearray(_LARGEST))  # one for all: making one is dear
        self._peers: dict[object, Peer] = {}
        self._addresses: dict[Peer, tuple[str, int] | tuple[str, int, int, int]] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(unicast, self._drain, unicast, False)
        if group is not None:
            self._loop.add_reader(group, self._drain, group, True)

    @classmethod
    async def open(
        cls, host: str = "127.0.0.1", *, port: int = PORT, interface: str = "", multicast: bool = True
    ) -> UdpLink:
        """Bind ``host`` and join the group.

        Args:
            host: one of this machine's addresses, or ``0.0.0.0``/``::`` for all of them.
            port: 3610 but in tests.
            interface: name of the network interface for multicast and for link-local addresses; for IPv4 the
                interface of ``host`` is taken when it is empty.
            multicast: join and use the group.

        Raises:
            LinkError: the address is not ours, the port is taken, permission or interface is missing.
        """
        local = Peer(host.partition("%")[0], port, host.partition("%")[2] or interface)
        family = socket.AF_INET6 if local.is_ipv6 else socket.AF_INET
        group: socket.socket | None = None
        unicast = socket.socket(family, socket.SOCK_DGRAM)
        try:
            scope = socket.if_nametoindex(local.zone) if local.zone else 0
            unicast.setblocking(False)
            unicast.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
            if local.is_ipv6:
                unicast.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            unicast.bind((local.host, port, 0, scope) if local.is_ipv6 else (local.host, port))
            if multicast:
                _aim(unicast, local, scope)
                group = _join(unicast, local, scope)
        except OSError as error:
            unicast.close()
            raise _explain(error, local) from error
        shown = Peer(local.host, unicast.getsockname()[1], local.zone if _is_link_local(local.host) else "")
        return cls(shown, unicast, group, scope)

    @property
    def local(self) -> Peer:
        """The address that this link answers on."""
        return self._local

    def set_receiver(self, receiver: Receiver) -> None:
        """Hand every datagram that arrives from now on to ``receiver``."""
        self._receiver = receiver

    def send(self, data: bytes, peer: Peer) -> None:
        """Send one datagram; what the system refuses is lost, and the exchange's timer notices."""
        address = self._addresses.get(peer)
        if address is None:
            address = self._resolve(peer)
        try:
            self._unicast.sendto(data, address)
        except (OSError, TypeError):
            pass  # unreachable, queue full, cable out, the other IP family: all look like a lost datagram

    def multicast(self, data: bytes) -> None:
        """Send one datagram to the group."""
        port = self._local.port
        self.send(data, Peer(GROUP_V6 if self._local.is_ipv6 else GROUP_V4, port, self._local.zone))

    async def close(self) -> None:
        """Close the sockets; sending afterwards does nothing."""
        for one in (self._unicast, self._group):
            if one is not None and one.fileno() >= 0:
                self._loop.remove_reader(one)
                one.close()

    def _resolve(self, peer: Peer) -> tuple[str, int] | tuple[str, int, int, int]:
        address: tuple[str, int] | tuple[str, int, int, int] = (peer.host, peer.port)
        if peer.is_ipv6:
            try:
                scope = socket.if_nametoindex(peer.zone) if peer.zone else self._scope
            except OSError:
                scope = self._scope
            address = (peer.host, peer.port, 0, scope)
        if len(self._addresses) < _PEERS_MAX:
            self._addresses[peer] = address
        return address

    def _drain(self, source: socket.socket, multicast: bool) -> None:
        buffer = self._buffer
        for _ in range(self._pace.batch):
            try:
                size, address = source.recvfrom_into(buffer)
            except (BlockingIOError, InterruptedError):
                self._pace.empty()
                return
            except OSError as error:
                if error.errno == errno.EBADF:
                    return
                continue  # an ICMP error of an earlier datagram; the queue goes on
            if self._receiver is not None:
                data = bytes(buffer[:size])
                self._receiver(data, self._peers.get(address) or self._peer(address), multicast)
        self._pace.full()

    def _peer(self, address: tuple[str, int] | tuple[str, int, int, int]) -> Peer:
        host, zone = address[0].partition("%")[0], ""
        if len(address) == 4 and address[3]:
            zone = socket.if_indextoname(address[3])
        peer = Peer(host, address[1], zone)
        if len(self._peers) < _PEERS_MAX:
            self._peers[address] = peer
        return peer


def _aim(unicast: socket.socket, local: Peer, scope: int) -> None:
    """Let multicast leave by the right interface, one hop far, and come back to others of this machine."""
    if local.is_ipv6:
        unicast.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, scope)
        unicast.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        unicast.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 1)
    else:
        unicast.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, _request_v4(local, scope))
        unicast.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        unicast.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)


def _join(unicast: socket.socket, local: Peer, scope: int) -> socket.socket | None:
    """Join the group; the socket that hears it, ``None`` where the unicast one does (bound to all)."""
    wildcard = ipaddress.ip_address(local.host).is_unspecified
    group = unicast
    if not wildcard:
        group = socket.socket(unicast.family, socket.SOCK_DGRAM)
        group.setblocking(False)
        group.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if local.is_ipv6:
            if not wildcard:
                group.bind((GROUP_V6, unicast.getsockname()[1], 0, scope))
            request = socket.inet_pton(socket.AF_INET6, GROUP_V6) + struct.pack("@I", scope)
            group.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
        else:
            if not wildcard:
                group.bind((GROUP_V4, unicast.getsockname()[1]))
            group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, _request_v4(local, scope))
    except OSError:
        if group is not unicast:
            group.close()
        raise
    return None if wildcard else group


def _request_v4(local: Peer, scope: int) -> bytes:
    """The ``ip_mreqn`` structure: group, local address, interface index."""
    return socket.inet_aton(GROUP_V4) + socket.inet_aton(local.host) + struct.pack("@i", scope)


def _is_link_local(host: str) -> bool:
    return ipaddress.ip_address(host).is_link_local


def _explain(error: OSError, local: Peer) -> LinkError:
    where = f"UDP {local.address} port {local.port}"
    if error.errno == errno.EADDRINUSE:
        owner = port_owner(local.host, local.port)
        by, by_ja = (f" by {owner}", f"({owner} が使用中)") if owner else ("", "")
        return LinkError(
            f"{where} is taken{by}.",
            ja=f"{where} は使われています{by_ja}。",
            hint="Stop that program, or name another address of this machine with --from or --listen.",
            hint_ja="そのプログラムを止めるか、--from または --listen で別のアドレスを指定してください。",
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return LinkError(
            f"{local.address} is not an address of this machine.",
            ja=f"{local.address} はこの機械のアドレスではありません。",
            hint="List the machine's addresses with: ip address",
            hint_ja="この機械のアドレスは ip address で確かめられます。",
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return LinkError(
            f"No permission to open {where}.",
            ja=f"{where} を開く権限がありません。",
            hint="Run as a user who may open sockets, or choose a port above 1023.",
            hint_ja="ソケットを開ける利用者で実行するか、1024 以上のポートにしてください。",
        )
    return LinkError(
        f"{where} cannot be opened: {error.strerror or error}.",
        ja=f"{where} を開けません({error.strerror or error})。",
        hint="Check the address and the interface with: ip address",
        hint_ja="アドレスとインターフェースを ip address で確かめてください。",
    )
