"""What the looking commands do: who is there, what does one meter say, what does its history hold.

It gives rows and texts; printing is the command line's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from koatsu.app.access import open_meter
from koatsu.app.addresses import check_family, local_address, open_link
from koatsu.app.engineering import Shown, shown
from koatsu.app.history import FORMATS, HistoryReport, read_history, write_history
from koatsu.app.interfaces import own_addresses
from koatsu.devices import DeviceClass, device_class
from koatsu.echonet import NODE_PROFILE
from koatsu.node import Found, FoundObject, LinkError, Node, Peer, UdpLink, discover, load_profile

if TYPE_CHECKING:
    from koatsu.ems.collector.link import MeterLink

__all__ = [
    "FORMATS", "DiscoverRow", "HistoryReport", "MeterReading", "discover_rows", "read_history", "read_meter",
    "write_history",
]  # fmt: skip


_PROFILE = device_class(NODE_PROFILE.class_code)
_BARE = FoundObject(eoj=NODE_PROFILE, name={"ja": _PROFILE.ja, "en": _PROFILE.en})
"""What stands for a node that answers and has no object to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoverRow:
    """One object that was found."""

    address: str
    eoj: str
    class_code: int
    instance: int
    name_ja: str
    name_en: str
    maker: str | None
    serial: str | None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"class_code": f"0x{self.class_code:04X}"}

    def as_row(self, lang: str) -> tuple[str, ...]:
        """For a table: address, object, name, maker, serial number."""
        name = self.name_ja if lang == "ja" else self.name_en
        return self.address, self.eoj, name, self.maker or "–", self.serial or "–"


async def discover_rows(
    *,
    interface: str,
    also: Sequence[str],
    wait_s: float,
    source: str | None,
    unheard: Callable[[LinkError], object] | None = None,
) -> list[DiscoverRow]:
    """Find nodes by multicast out of every interface, and at the addresses ``also``.

    Args:
        interface: search out of this one only; out of all when empty.
        also: addresses to ask directly, each from where the route to it begins.
        wait_s: how long to collect answers, seconds.
        source: search from this own address only.
        unheard: told of each own address that cannot be searched from while others can.

    Raises:
        UnreachableError: no address of this machine can be searched from.
        UsageError: an address is none.
    """
    questions = _questions(interface, [Peer.parse(text) for text in also], source)
    links: list[tuple[UdpLink, list[Peer]]] = []
    failed: list[LinkError] = []
    for address, peers in questions.items():
        try:
            links.append((await open_link(None, address), peers))
        except LinkError as error:
            failed.append(error)
    if not links:
        raise failed[0]
    if unheard is not None:
        for failure in failed:
            unheard(failure)
    own = {str(link.local) for link, _ in links}
    searches = await asyncio.gather(*(_search(link, peers, wait_s) for link, peers in links))
    found = {one.peer: one for search in searches for one in search}.values()
    return [
        DiscoverRow(
            address=str(one.peer),
            eoj=str(item.eoj),
            class_code=item.eoj.class_code,
            instance=item.eoj.instance,
            name_ja=item.name.get("ja", ""),
            name_en=item.name.get("en", ""),
            maker=item.maker,
            serial=item.serial,
        )
        for one in sorted(found, key=lambda one: (one.peer.is_ipv6, one.peer))
        for item in one.objects or (_BARE,)
        if str(one.peer) not in own
    ]


def _questions(interface: str, peers: Sequence[Peer], source: str | None) -> dict[str, list[Peer]]:
    """Own addresses to search from, each with the nodes to ask directly from there."""
    if source is not None:
        address = Peer.parse(source).address
        check_family(address, peers)
        return {address: list(peers)}
    questions: dict[str, list[Peer]] = {address: [] for address in own_addresses(interface)}
    for peer in peers:
        questions.setdefault(local_address(peer), []).append(peer)
    return questions or {"0.0.0.0": []}  # noqa: S104 - where interfaces cannot be listed


async def _search(link: UdpLink, peers: Sequence[Peer], wait_s: float) -> list[Found]:
    async with Node(link, load_profile("fast")) as node:
        return await discover(node, also=peers, wait_s=wait_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterReading:
    """The values of one meter, scaled."""

    address: str
    device: DeviceClass
    values: tuple[Shown, ...]
    refused: tuple[str, ...]

    def heading(self, lang: str) -> str:
        """One line above the table."""
        return f"{self.address}  0x{self.device.code:04X} {self.device.label(lang)}"

    def headings(self, lang: str) -> tuple[str, ...]:
        """The table's columns."""
        if lang == "ja":
            return "名前", "内容", "値", "単位", "指示値", "備考"
        return "name", "what", "value", "unit", "count", "note"

    def rows(self, lang: str) -> Iterable[tuple[str, ...]]:
        """The table's rows; the 48 values of a history are shortened to their ends."""
        for value in self.values:
            yield (
                value.name + (f".{value.part}" if value.part else ""),
                value.label_ja if lang == "ja" else value.label_en,
                _short(value.value),
                value.unit,
                "" if value.count is None else _short(value.count),
                _NOTES.get(value.note, ("", ""))[lang == "ja"],
            )

    def as_json(self) -> dict[str, Any]:
        """For programs: exact values as strings, each with its unit."""
        return {
            "address": self.address,
            "class": f"0x{self.device.code:04X}",
            "values": [asdict(value) for value in self.values],
            "refused": list(self.refused),
        }


_NOTES = {
    "no_data": ("no data", "未計測"),
    "overflow": ("overflow", "オーバーフロー"),
    "underflow": ("underflow", "アンダーフロー"),
    "unset": ("not set", "未設定"),
    "unscaled": ("counts, not scaled: the coefficient is 0", "係数が 0 のため指示値のまま"),
}


async def read_meter(
    address: str,
    names: Sequence[str],
    *,
    class_code: int | None = None,
    instance: int = 1,
    profile: str = "hv-assumed",
    source: str | None = None,
) -> MeterReading:
    """Read ``names`` (or all measured and static properties) of one meter.

    Raises:
        UnreachableError: no route, port taken, no answer.
        NoMeterError: an answer, but no such meter.
        UsageError: an unknown property; nearest ones are named.
        KoatsuError: a value is not what the class table says.
    """
    async with open_meter(
        address, class_code=class_code, instance=instance, profile=profile, source=source
    ) as link:
        return await values_of(link, names)


async def values_of(link: MeterLink, names: Sequence[str]) -> MeterReading:
    """The values of ``names`` as the meter gives them now, scaled."""
    device = link.remote.device
    asked = [device.property(_key(name)).name for name in names]
    offered = await link.remote.offered()
    if not asked:
        asked = [
            row.name for row in device.properties if row.epc in offered and row.selector is None and row.codec
        ]
    scales = [name for one in asked for name in device.property(one).scale]
    statics = await link.remote.read(*link.kind.offered(dict.fromkeys(scales), offered)) if scales else {}
    values = await link.remote.read(*asked)
    rows = [
        line
        for name in asked
        if name in values
        for line in shown(device.property(name), device, values[name], statics)
    ]
    return MeterReading(
        address=str(link.remote.peer),
        device=device,
        values=tuple(rows),
        refused=tuple(name for name in asked if name not in values),
    )


def _key(text: str) -> int | str:
    """A property code (E2, 0xE2) as a number, anything else as a name."""
    digits = text.removeprefix("0x").removeprefix("0X")
    try:
        code = int(digits, 16)
    except ValueError:
        return text
    return code if len(digits) == 2 and code >= 0x80 else text


def _short(value: object) -> str:
    """A value for a table: lists, and the property codes of a map, by their ends and their number."""
    if isinstance(value, str) and value.startswith("0x"):
        value = value.split()
    if isinstance(value, list):
        shown_values = ["–" if one is None else str(one) for one in value]
        if len(shown_values) > 4:
            return f"{shown_values[0]} {shown_values[1]} … {shown_values[-1]} ({len(shown_values)})"
        return " ".join(shown_values)
    return "–" if value is None else str(value)
