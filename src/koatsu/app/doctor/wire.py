"""From the cable to the host at its other end: four steps that need no answer of a meter.

Each looks at what the kernel knows now; only the last sends something, an empty datagram to the discard port,
so that the kernel looks for the host on the wire.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from koatsu.app.doctor import netlink
from koatsu.app.doctor.findings import Finding, Step
from koatsu.app.doctor.netlink import LinkFacts, Neighbour, OwnAddress, Route
from koatsu.node import LinkProfile, Peer

__all__ = ["Case", "Wire"]

_DISCARD: Final = 9  # RFC 863
_LOOK_S: Final = 4.5  # the kernel gives up after three questions, a second apart
_PAUSE_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One meter to look at. ``name`` is its id, or its address where nothing else is known."""

    name: str
    peer: Peer
    profile: LinkProfile
    class_code: int | None = None
    instance: int = 1
    source: str | None = None
    interface: str = ""

    @property
    def host(self) -> IPv4Address | IPv6Address:
        """The terminal's address."""
        return ip_address(self.peer.host)


class Wire:
    """The network between this machine and one terminal.

    Args:
        case: the meter.
        answers: whether the terminal answers at all; asked only where the addresses do not fit.
    """

    def __init__(self, case: Case, answers: Callable[[], Awaitable[bool]]) -> None:
        self._case, self._answers = case, answers
        self._link: LinkFacts | None = None
        self._links: list[LinkFacts] = []
        self.neighbour_seen = False  #: a host with that address has answered on the wire

    def _ok(self, step: Step, en: str, ja: str, **facts: object) -> Finding:
        return Finding.ok(step, en, ja, meter=self._case.name, **facts)

    def _wanting(self, step: Step, en: str, ja: str, hint: str, hint_ja: str, **facts: object) -> Finding:
        return Finding.wanting(step, en, ja, hint=hint, hint_ja=hint_ja, meter=self._case.name, **facts)

    # -- cable ----------------------------------------------------------------------------------------------

    async def cable(self) -> Finding:
        """The interface that leads to the terminal exists, is on, and has a living cable."""
        self._links = netlink.links()
        named = self._case.interface or self._case.peer.zone
        link = self._named(named) if named else self._leading()
        if link is None:
            has = ", ".join(one.name for one in self._links if not one.loopback) or "–"
            what, what_ja = (f" {named}", f" {named} ") if named else ("", "")
            return self._wanting(
                Step.CABLE,
                f"There is no network interface{what} (there are: {has}).",
                f"ネットワークインターフェイス{what_ja}がありません(あるもの: {has})。",
                "Correct the name in the configuration, or plug the adapter in.",
                "設定の名前を直すか、LAN アダプターを差してください。",
            )
        self._link = link
        if link.loopback:
            return self._ok(
                Step.CABLE, "No cable is needed: the terminal is this machine.",
                "ケーブルは要りません(端末はこの機械の中です)。", interface=link.name,
            )  # fmt: skip
        if not link.up:
            return self._wanting(
                Step.CABLE,
                f"{link.name} is switched off.",
                f"{link.name} が無効になっています。",
                f"Switch it on: ip link set {link.name} up",
                f"有効にしてください: ip link set {link.name} up",
                interface=link.name,
            )
        if not link.carrier:
            return self._wanting(
                Step.CABLE,
                f"{link.name} has no signal on its cable.",
                f"{link.name} のケーブルに信号がありません。",
                "Push the plug in at both ends, see that the terminal has power and its lamp is lit, "
                "and try another cable.",
                "両端の差し込み、伝送端末の電源とランプを確かめ、別のケーブルも試してください。",
                interface=link.name,
            )
        return self._ok(
            Step.CABLE, f"{link.name} is on and has a signal on its cable.",
            f"{link.name} は有効で、ケーブルに信号があります。", interface=link.name,
        )  # fmt: skip

    def _named(self, name: str) -> LinkFacts | None:
        return next((one for one in self._links if one.name == name), None)

    def _leading(self) -> LinkFacts | None:
        """The interface that a packet would take; else one that has the terminal's network, or a cable."""
        route = self._route_found()
        on_wire = {own.index for own in netlink.own_addresses() if self._case.host in own.address.network}
        real = [one for one in self._links if not one.loopback]
        if route is not None and not (route.gateway is not None and on_wire):
            return next((one for one in self._links if one.index == route.index), None)
        for wanted in (
            [one for one in real if one.index in on_wire],
            [one for one in real if one.carrier],
            [one for one in real if one.up],
            real,
        ):
            if wanted:
                return wanted[0]
        return None

    # -- addresses ------------------------------------------------------------------------------------------

    async def address(self) -> Finding:
        """This machine has an address on the terminal's network."""
        case, link = self._case, self._link
        assert link is not None
        every = netlink.own_addresses()
        if case.source is not None:
            missing = self._missing(case.source, every)
            if missing is not None:
                return missing
        mine = [
            one
            for one in every
            if one.address.version == case.host.version
            and (one.index == link.index or case.source == str(one.address.ip))
        ]
        near = [one for one in mine if case.host in one.address.network]
        if link.loopback or any(one.usable for one in near):
            own = next((str(one.address) for one in near if one.usable), link.name)
            return self._ok(
                Step.ADDRESS, f"{own} is on the network of {case.peer.address}.",
                f"{own} は {case.peer.address} と同じネットワークです。", own=own,
            )  # fmt: skip
        if near:
            return self._wanting(
                Step.ADDRESS,
                f"{near[0].address} is not usable: another machine has it too, or it is being checked.",
                f"{near[0].address} は使えません(ほかの機械と重複しているか、確認中です)。",
                "Give this machine an address that nobody else has.",
                "ほかの機械と重ならないアドレスにしてください。",
            )
        route = self._route_found()
        if route is not None and route.gateway is not None and await self._answers():
            return self._ok(
                Step.ADDRESS, f"{case.peer.address} is reached through {route.gateway}.",
                f"{case.peer.address} へは {route.gateway} を経由して届きます。", gateway=route.gateway,
            )  # fmt: skip
        return self._elsewhere(mine, route)

    def _missing(self, source: str, every: list[OwnAddress]) -> Finding | None:
        host = ip_address(source.partition("%")[0])
        if host.is_loopback or any(one.address.ip == host for one in every):
            return None
        has = ", ".join(str(one.address) for one in every if not one.address.is_loopback) or "–"
        return self._wanting(
            Step.ADDRESS,
            f"{source} is not an address of this machine (it has: {has}).",
            f"{source} はこの機械のアドレスではありません(あるもの: {has})。",
            "Correct address in [node], or leave it out: the route decides then.",
            "[node] の address を直すか、省略してください(経路から決まります)。",
        )

    def _elsewhere(self, mine: list[OwnAddress], route: Route | None) -> Finding:
        link, host = self._link, self._case.host
        assert link is not None
        kind = f"IPv{host.version}"
        has = ", ".join(str(one.address) for one in mine)
        what = f"has {has}, and {host} is on another network" if has else f"has no {kind} address"
        what_ja = f"{has} で、{host} とは別のネットワークです" if has else f"{kind} アドレスがありません"
        away = f"; packets would go to {route.gateway}" if route and route.gateway else ""
        away_ja = f"({route.gateway} へ送られます)" if route and route.gateway else ""
        return self._wanting(
            Step.ADDRESS,
            f"{link.name} {what}{away}.",
            f"{link.name} は {what_ja}{away_ja}。" if has else f"{link.name} に {what_ja}{away_ja}。",
            f"Give {link.name} an address of the terminal's network, or correct the meter's address.",
            f"{link.name} に端末と同じネットワークのアドレスを付けるか、address を直してください。",
            interface=link.name,
        )

    # -- route and neighbour --------------------------------------------------------------------------------

    async def route(self) -> Finding:
        """A route leads to the terminal, out of the right interface."""
        case, link, route = self._case, self._link, self._route_found()
        assert link is not None
        if route is None:
            return self._wanting(
                Step.ROUTE,
                f"No route leads to {case.peer.address}.",
                f"{case.peer.address} への経路がありません。",
                "Look at the routes of this machine: ip route",
                "この機械の経路を確かめてください: ip route",
            )
        name = next((one.name for one in self._links if one.index == route.index), "?")
        if case.interface and route.index != link.index and name != "lo":
            return self._wanting(
                Step.ROUTE,
                f"Packets to {case.peer.address} leave by {name}, not by {case.interface}.",
                f"{case.peer.address} 宛ては {case.interface} ではなく {name} から出ます。",
                "Two interfaces have the same network: take the address off one of them, or add a route.",
                "同じネットワークが 2 つのインターフェイスにあります。片方を外すか、経路を追加してください。",
            )
        source = f" from {route.source}" if route.source else ""
        return self._ok(
            Step.ROUTE, f"Packets leave by {name}{source}.",
            f"{name} から出ます" + (f"(送信元 {route.source})。" if route.source else "。"),
            interface=name, source=route.source, gateway=route.gateway,
        )  # fmt: skip

    async def neighbour(self) -> Finding:
        """Somebody with the terminal's address, or the gateway's, is on the wire."""
        case, route = self._case, self._route_found()
        if route is None or (self._link is not None and self._link.loopback):
            return self._ok(Step.NEIGHBOUR, "The terminal is this machine.", "端末はこの機械の中です。")
        wanted = route.gateway or case.host
        found = await self._look_for(wanted, route.index)
        if found is None or not found.known:
            how, how_ja = ("ARP", "ARP") if wanted.version == 4 else ("neighbour discovery", "近隣探索")
            return self._wanting(
                Step.NEIGHBOUR,
                f"Nobody on the wire has the address {wanted} ({how} stays unanswered).",
                f"{wanted} を持つ機器がケーブルの先にいません({how_ja} に応答なし)。",
                "Compare the address with the terminal's papers, or look for it with: koatsu discover",
                "端末の書類のアドレスと比べるか、koatsu discover で探してください。",
                address=wanted,
            )
        self.neighbour_seen = True
        who = f" ({found.hardware})" if found.hardware else ""
        return self._ok(
            Step.NEIGHBOUR, f"{wanted} is on the wire{who}.", f"{wanted} はケーブルの先にいます{who}。",
            address=wanted, hardware=found.hardware, state=found.state,
        )  # fmt: skip

    async def _look_for(self, wanted: IPv4Address | IPv6Address, index: int) -> Neighbour | None:
        """Let the kernel ask for the host, and wait for what comes of it."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _LOOK_S
        _nudge(self._case.peer)
        while True:
            known = [one for one in netlink.neighbours() if one.address == wanted and one.index == index]
            found = known[0] if known else None
            if found is not None and (found.known or found.state == "failed"):
                return found
            if loop.time() > until:
                return found
            await asyncio.sleep(_PAUSE_S)

    def _route_found(self) -> Route | None:
        index = 0
        if self._case.peer.zone:
            index = next((one.index for one in netlink.links() if one.name == self._case.peer.zone), 0)
        return netlink.route_to(self._case.host, index=index)


def _nudge(peer: Peer) -> None:
    """Send an empty datagram that nobody has to read."""
    family = socket.AF_INET6 if peer.is_ipv6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        try:
            scope = socket.if_nametoindex(peer.zone) if peer.zone else 0
            sender.sendto(b"", (peer.host, _DISCARD, 0, scope) if peer.is_ipv6 else (peer.host, _DISCARD))
        except OSError:
            pass  # no route, cable out: the table tells
