"""Which of our own addresses to speak from: two programs of one machine must not fight for port 3610."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from koatsu.errors import UnreachableError, UsageError
from koatsu.node import PORT, LinkError, Peer, UdpLink

__all__ = ["check_family", "local_address", "open_link"]

_LOOPBACK_TRIES = range(16, 250)  # 127.0.0.1 is the EMS; the addresses after it are for emulated meters


def local_address(peer: Peer) -> str:
    """The address that the system's routes choose towards ``peer``.

    Raises:
        UnreachableError: no route leads there.
    """
    family = socket.AF_INET6 if peer.is_ipv6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            scope = socket.if_nametoindex(peer.zone) if peer.zone else 0
            probe.connect((peer.host, peer.port, 0, scope) if peer.is_ipv6 else (peer.host, peer.port))
        except OSError as error:
            raise UnreachableError(
                f"There is no way to {peer}: {error.strerror}.",
                ja=f"{peer} への経路がありません({error.strerror})。",
                hint="Check the cable and the network settings of this machine: ip route",
                hint_ja="ケーブルと、この機械のネットワーク設定を確かめてください(ip route)。",
            ) from error
        host = str(probe.getsockname()[0]).partition("%")[0]
    return f"{host}%{peer.zone}" if peer.zone else host


def check_family(own: str, peers: Iterable[Peer]) -> None:
    """Pass when ``own`` and all of ``peers`` are of the same version of IP.

    Raises:
        UsageError: one cannot be reached from the other.
    """
    is_ipv6 = ":" in own
    for peer in peers:
        if peer.is_ipv6 != is_ipv6:
            raise UsageError(
                f"From {own} nothing can be sent to {peer}: one is IPv4, the other IPv6.",
                ja=f"{own} から {peer} へは送れません。片方が IPv4、もう片方が IPv6 です。",
                hint="Name an own address of the same kind.",
                hint_ja="同じ種類の自分のアドレスを指定してください。",
            )


async def open_link(peer: Peer | None, source: str | None = None, interface: str = "") -> UdpLink:
    """Open port 3610 on ``source``, or on the address that the route to ``peer`` chooses.

    On the loopback network any free address will do, so one is looked for.

    Raises:
        UnreachableError: no route, or the socket cannot be opened.
        UsageError: ``source`` is no address, or not of the kind of ``peer``.
    """
    if source is not None:
        source = Peer.parse(source).address
        check_family(source, () if peer is None else (peer,))
    else:
        source = local_address(peer) if peer is not None else "0.0.0.0"  # noqa: S104 - to hear every interface
    port = peer.port if peer is not None else PORT
    try:
        return await UdpLink.open(source, port=port, interface=interface)
    except LinkError:
        if not ipaddress.ip_address(source.partition("%")[0]) == ipaddress.ip_address("127.0.0.1"):
            raise
    for last in _LOOPBACK_TRIES:
        try:
            return await UdpLink.open(f"127.0.0.{last}", port=port, interface=interface)
        except LinkError:
            continue
    return await UdpLink.open(source, port=port, interface=interface)
