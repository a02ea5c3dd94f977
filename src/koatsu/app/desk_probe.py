"""The desk's probe: asks the terminal of a supply point over the wire whether it is up and its meter answers.

It is asked what a controller may always ask (the doctor asks the same), by the names of the class tables and
with the waits of the link's profile. Where a ``koatsu run`` of this machine holds the meter nothing is asked
on the wire: two programs cannot share port 3610. Then that program is asked how it hears the meter.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from koatsu.app.access import NoMeterError, find_meter
from koatsu.app.addresses import open_link
from koatsu.app.doctor.health import ask_page
from koatsu.app.doctor.questions import refuses
from koatsu.app.engineering import Shown, shown
from koatsu.app.holding import Holder, holder_of
from koatsu.clock import Clock
from koatsu.config import LinkConfig
from koatsu.desk.errors import UnknownError
from koatsu.desk.probe import ProbeResult
from koatsu.desk.words import Words
from koatsu.echonet import DecodeError, Eoj
from koatsu.errors import KoatsuError
from koatsu.meter.from_echonet import MeterKind
from koatsu.node import NoAnswerError, Node, Peer, RefusedError, RemoteObject, load_profile

__all__ = ["WireProbe"]

_ASKED: Final = ("operation_status", "release", "serial_number", "coefficient")
_MAP: Final = "get_map"
_PARTS: Final[Mapping[str, Words]] = {
    "at": Words("(計測日時)", ", measured at"),
    "reverse": Words("(逆方向)", ", reverse direction"),
}
_TURN_S: Final = (
    150.0  #: the longest wait until another question has been answered: two timers and their tries
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What was found, before it is known when."""

    reason: Words
    reached: bool = False
    terminal_up: bool | None = None
    meter_answers: bool | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Words] = field(default_factory=dict)

    def at(self, now: datetime) -> ProbeResult:
        return ProbeResult(
            at=now, reached=self.reached, terminal_up=self.terminal_up, meter_answers=self.meter_answers,
            values=self.values, reason=self.reason, labels=self.labels,
        )  # fmt: skip


class WireProbe:
    """Asks the terminals of some supply points; safe to use from any thread that runs no event loop.

    Args:
        links: the terminals that this machine can reach.
        clock: our time.
    """

    def __init__(self, links: Iterable[LinkConfig], clock: Clock) -> None:
        self._links = {link.supply_point: link for link in links}
        self._clock = clock
        self._turn = threading.Lock()  # one at a time: they would fight for port 3610

    def knows(self, supply_point: str) -> bool:
        """Whether it can ask the terminal of this point at all."""
        return supply_point in self._links

    def ask(self, supply_point: str) -> ProbeResult:
        """Ask now; takes as long as the link's profile waits, twice that where nobody answers.

        Raises:
            UnknownError: the settings name no terminal of this point.
        """
        link = self._links.get(supply_point)
        if link is None:
            raise UnknownError(
                Words("この供給地点の端末への経路は設定されていません。", "No link to this point is set."),
                Words("確かめた内容を書いて記録してください。", "Record what was seen, with evidence."),
            )
        if not self._turn.acquire(timeout=_TURN_S):
            return _BUSY.at(self._clock.now())
        try:
            found = asyncio.run(_asked(link))
        finally:
            self._turn.release()
        return found.at(self._clock.now())


_BUSY: Final = _Found(
    reason=Words(
        "別の端末を確かめているため、問い合わせできませんでした。",
        "It could not be asked, for another terminal is being asked.",
    )
)


async def _asked(link: LinkConfig) -> _Found:
    peer = Peer(*link.address)
    holder = holder_of(peer)
    if holder is not None:
        return await asyncio.to_thread(_told_by, holder, link)
    source = None if link.source is None else str(link.source)
    try:
        opened = await open_link(peer, source)
    except (
        KoatsuError
    ) as error:  # no route, port taken, no such address of ours: said by whom, if it is known
        return _Found(reason=Words(error.ja or error.message, error.message))
    async with Node(opened, load_profile(link.profile)) as node:
        try:
            eoj = await find_meter(node, peer, class_code=link.class_number, instance=link.instance)
        except NoAnswerError as error:
            return await asyncio.to_thread(_silent, peer, error)
        except NoMeterError as error:
            words = Words(error.ja or error.message, error.message)
            return _Found(reached=True, terminal_up=True, meter_answers=False, reason=words)
        except (DecodeError, RefusedError) as error:
            return _unsound(error, meter=False)
        return await _meter(node, peer, eoj)


def _silent(peer: Peer, error: NoAnswerError) -> _Found:
    """Nobody answered: the terminal is down, or the address is not a terminal's at all."""
    if refuses(peer):
        words = Words(
            f"{peer.address} は UDP {peer.port} を拒否しました。伝送端末のアドレスではないようです。",
            f"{peer.address} refuses UDP port {peer.port}: it does not seem to be the terminal's address.",
        )
        return _Found(reason=words)
    return _Found(terminal_up=False, reason=Words(error.ja or error.message, error.message))


def _unsound(error: KoatsuError, *, meter: bool) -> _Found:
    """An answer that is none: nothing in it can be believed."""
    who = Words("計器", "The meter") if meter else Words("端末", "The terminal")
    words = Words(
        f"{who.ja}の応答が正しくありません({error.ja or error.message})。",
        f"{who.en} answers, but not as it should: {error.message}",
    )
    return _Found(reached=True, terminal_up=True, meter_answers=False if meter else None, reason=words)


async def _meter(node: Node, peer: Peer, eoj: Eoj) -> _Found:
    """The meter behind a terminal that is up."""
    remote = RemoteObject(node, peer, eoj)
    device = remote.device
    energy = MeterKind.of(eoj.class_code).live_properties[0]
    scales = device.property(energy).scale
    try:
        offered = await remote.offered()
        wanted = [
            name
            for name in dict.fromkeys((*_ASKED, energy, *scales))
            if device.has(name) and device.property(name).epc in offered
        ]
        values = await remote.read(*wanted)
    except NoAnswerError:
        words = Words(
            f"伝送端末 {peer.address} は応答しますが、計器が応答しません。",
            f"The terminal at {peer.address} answers, the meter behind it does not.",
        )
        return _Found(reached=True, terminal_up=True, meter_answers=False, reason=words)
    except (DecodeError, RefusedError) as error:
        return _unsound(error, meter=True)
    rows = [
        row
        for name in (*_ASKED, energy)
        if name in values
        for row in shown(device.property(name), device, values[name], values)
    ]
    told = {_name(row): _value(row) for row in rows} | {_MAP: str(len(offered))}
    labels = {_name(row): _label(row) for row in rows}
    labels[_MAP] = Words("読み出せるプロパティの数", "Properties that can be read")
    return _Found(
        reached=True, terminal_up=True, meter_answers=True, values=told, labels=labels,
        reason=_answered([row for row in rows if row.name == energy]),
    )  # fmt: skip


def _answered(energy: list[Shown]) -> Words:
    """The sentence on a meter that answers: its energy, or that it has none to tell."""
    parts = {row.part: row for row in energy}
    count = next((row for part, row in parts.items() if part != "at"), None)
    at = parts.get("at")
    if count is None or count.value is None:
        return Words(
            "端末と計器は応答しましたが、積算電力量の値がまだありません。",
            "Terminal and meter answer, but the meter has no value of energy yet.",
        )
    when = "" if at is None or at.value is None else f"{datetime.fromisoformat(str(at.value)):%H:%M}"
    when_ja, when_en = (f"({when})", f" at {when}") if when else ("", "")
    return Words(
        f"端末と計器が応答しました。積算電力量 {_value(count)}{when_ja}。",
        f"Terminal and meter answer. Energy: {_value(count)}{when_en}.",
    )


def _name(row: Shown) -> str:
    return f"{row.name}.{row.part}" if row.part in _PARTS else row.name


def _label(row: Shown) -> Words:
    part = _PARTS.get(row.part, Words("", ""))
    return Words(row.label_ja + part.ja, row.label_en + part.en)


def _value(row: Shown) -> str:
    if row.value is None:
        return row.note or "–"
    if row.note == "unscaled":
        return f"{row.value} (counts)"
    return f"{row.value} {row.unit}".strip()


# --- where koatsu run holds the meter -------------------------------------------------------------------


def _told_by(holder: Holder, link: LinkConfig) -> _Found:
    """What the program that reads the meter says of it; blocks for some seconds."""
    health = ask_page(holder.page) if holder.page != "?" else None
    state = None
    if health is not None:
        named = link.meter if link.meter is not None else next(iter(health.links), "")
        state = health.link(named) if link.meter is not None or len(health.links) == 1 else None
    who = Words(f"koatsu run(プロセス {holder.process})", f"koatsu run (process {holder.process})")
    if state == "live":
        words = Words(
            f"{who.ja}がこの計器を読み、いま応答を受けています。画面: {holder.page}",
            f"{who.en} reads this meter and hears it now. Its page: {holder.page}",
        )
        return _Found(reached=True, terminal_up=True, meter_answers=True, reason=words)
    if state == "silent":
        words = Words(
            f"{who.ja}がこの計器を読んでいますが、応答がありません。画面: {holder.page}",
            f"{who.en} reads this meter and hears nothing of it. Its page: {holder.page}",
        )
        return _Found(terminal_up=False, reason=words)
    words = Words(
        f"{who.ja}がこの計器を使用中のため、こちらからは問い合わせません。"
        f"画面 {holder.page} で確かめてください。",
        f"{who.en} holds this meter, so it is not asked from here. See its page: {holder.page}",
    )
    return _Found(reason=words)
