"""Reach one meter: open a link, find the meter object behind an address, close everything again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from koatsu.app.addresses import open_link
from koatsu.clock import Clock
from koatsu.devices import device_class
from koatsu.echonet import NODE_PROFILE, Eoj
from koatsu.errors import KoatsuError
from koatsu.node import LinkProfile, Node, Peer, RemoteObject, load_profile
from koatsu.node.discovery import instances

if TYPE_CHECKING:
    from koatsu.ems.collector.link import MeterLink

__all__ = ["METER_CLASSES", "NoMeterError", "find_meter", "open_meter"]

METER_CLASSES: Final = (0x028A, 0x028F, 0x0288, 0x028D)
"""Classes that Koatsu reads as electricity meters, the most wanted first."""


class NoMeterError(KoatsuError):
    """The node answers, but no electricity meter is behind it, or not the one that was named."""


@asynccontextmanager
async def open_meter(
    address: str | Peer,
    *,
    class_code: int | None = None,
    instance: int = 1,
    profile: str | LinkProfile = "hv-assumed",
    source: str | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[MeterLink]:
    """Open the meter at ``address``; everything is closed when the block ends.

    Args:
        address: of the transmission terminal, for example ``192.0.2.10`` or ``fe80::1%eth0``.
        class_code: 0x028A, 0x028F, 0x0288 or 0x028D; found out when not given.
        instance: which of several meters of that class.
        profile: link profile, by name or as it is.
        source: our own address; the route decides when not given.
        clock: our time.

    Raises:
        UnreachableError: no route, port taken, or no answer.
        NoMeterError: an answer, but no such meter.
    """
    from koatsu.ems.collector.link import MeterLink  # brings the database: not for those who only look around

    peer = Peer.parse(address) if isinstance(address, str) else address
    chosen = load_profile(profile) if isinstance(profile, str) else profile
    async with Node(await open_link(peer, source), chosen) as node:
        eoj = await find_meter(node, peer, class_code=class_code, instance=instance)
        yield MeterLink(RemoteObject(node, peer, eoj), chosen, clock)


async def find_meter(node: Node, peer: Peer, *, class_code: int | None = None, instance: int = 1) -> Eoj:
    """The meter object of the node at ``peer``.

    Raises:
        NoAnswerError: the node does not answer.
        NoMeterError: it has no such object.
    """
    epc = device_class(NODE_PROFILE.class_code).property("instance_list").epc
    answer = await node.get(peer, NODE_PROFILE, [epc])
    listed = instances(answer.values.get(epc, b""))
    meters = [eoj for code in METER_CLASSES for eoj in listed if eoj.class_code == code]
    wanted = [eoj for eoj in meters if (class_code is None or eoj.class_code == class_code)]
    for eoj in wanted:
        if eoj.instance == instance:
            return eoj
    if wanted and class_code is None and instance == 1:
        return wanted[0]
    raise _no_meter(peer, listed, class_code, instance)


def _no_meter(peer: Peer, listed: Sequence[Eoj], class_code: int | None, instance: int) -> NoMeterError:
    has = ", ".join(str(eoj) for eoj in listed) or "nothing"
    has_ja = "、".join(str(eoj) for eoj in listed) or "何も"
    what = "electricity meter" if class_code is None else f"meter 0x{class_code:04X}"
    what_ja = "電力量メータ" if class_code is None else f"メータ 0x{class_code:04X}"
    if instance != 1 or class_code is not None:
        what, what_ja = f"{what} instance {instance}", f"{what_ja} インスタンス {instance} "
    return NoMeterError(
        f"{peer} answers but has no {what}; it has: {has}.",
        ja=f"{peer} は応答しますが、{what_ja}がありません(あるもの: {has_ja})。",
        hint="Check the address, or name another with --class and --instance.",
        hint_ja="アドレスを確かめるか、--class と --instance で別のものを指定してください。",
    )
