"""Who is on the wire: ask the group and fixed addresses for their instance lists, then look closer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field

from koatsu.devices import Record, Value, device_class, known_classes
from koatsu.echonet import NODE_PROFILE, DecodeError, Eoj
from koatsu.node.answers import Answer
from koatsu.node.errors import NoAnswerError
from koatsu.node.link import Peer
from koatsu.node.node import Node
from koatsu.node.remote import RemoteObject

__all__ = ["Found", "FoundObject", "discover"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundObject:
    """One object of a node that was found."""

    eoj: Eoj
    name: dict[str, str]  #: class name by language, empty for a class that has no table here
    maker: str | None = None  #: maker code, six hex digits
    serial: str | None = None  #: production number, where the object tells it


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One node that answered."""

    peer: Peer
    objects: tuple[FoundObject, ...] = field(default_factory=tuple)


async def discover(node: Node, *, also: Iterable[Peer] = (), wait_s: float | None = None) -> list[Found]:
    """Find nodes by multicast and at the addresses ``also``.

    Args:
        node: our node.
        also: addresses to ask directly; for networks that drop multicast.
        wait_s: how long to collect answers, seconds; the profile's by default.

    Returns:
        The nodes that answered, by address. Addresses that stayed silent are not among them.
    """
    heard: dict[Peer, tuple[Eoj, ...]] = {}
    epc = device_class(NODE_PROFILE.class_code).property("instance_list").epc

    def take(answer: Answer) -> None:
        if epc in answer.values:
            peer = answer.peer._replace(port=node.link.local.port)
            heard.setdefault(peer, instances(answer.values[epc]))

    wait = node.profile.discover_wait_s if wait_s is None else wait_s
    await node.collect(NODE_PROFILE, [epc], take, wait_s=wait, also=also)
    nodes = await asyncio.gather(*(_look(node, peer, eojs) for peer, eojs in heard.items()))
    return sorted(nodes, key=lambda found: found.peer)


def instances(edt: bytes) -> tuple[Eoj, ...]:
    """The objects that an instance list names; an ill-formed list names none."""
    try:
        value = device_class(NODE_PROFILE.class_code).property("instance_list").decode(edt)
    except DecodeError:
        return ()
    listed = value["instances"] if isinstance(value, Record) else ()
    return tuple(Eoj(one) for one in listed if isinstance(one, int)) if isinstance(listed, tuple) else ()


async def _look(node: Node, peer: Peer, eojs: tuple[Eoj, ...]) -> Found:
    return Found(peer=peer, objects=tuple([await _object(node, peer, eoj) for eoj in eojs]))


async def _object(node: Node, peer: Peer, eoj: Eoj) -> FoundObject:
    if eoj.class_code not in known_classes():
        return FoundObject(eoj=eoj, name={})
    table = device_class(eoj.class_code)
    name = {"ja": table.ja, "en": table.en}
    try:
        values = await RemoteObject(node, peer, eoj).read("maker", "serial_number")
    except (NoAnswerError, DecodeError):
        values = {}
    return FoundObject(
        eoj=eoj, name=name, maker=_hex(values.get("maker")), serial=text_of(values.get("serial_number"))
    )


def _hex(value: Value | None) -> str | None:
    return value.hex().upper() if isinstance(value, bytes) else None


def text_of(value: Value | None) -> str | None:
    """A production number as text: ASCII where it is, hex where it is not; ``None`` where there is none."""
    if not isinstance(value, bytes):
        return value if isinstance(value, str) else None
    stripped = value.rstrip(b"\x00 ").lstrip(b"\x00")
    if stripped.isascii() and stripped.decode("ascii").isprintable():
        return stripped.decode("ascii") or None
    return value.hex().upper()
