"""What the meter itself is asked: whether it answers, what it is, its scale, its clock, yesterday's history.

Everything is asked over one node, opened once. Where a ``koatsu run`` holds the meter nothing is asked: two
nodes cannot share port 3610, and two readers of histories would turn the selector away under each other.
"""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from koatsu.app.access import NoMeterError, find_meter
from koatsu.app.addresses import local_address, open_link
from koatsu.app.doctor.findings import Finding, Step
from koatsu.app.doctor.health import Health
from koatsu.app.doctor.wire import Case
from koatsu.app.holding import Holder
from koatsu.clock import JST, Clock
from koatsu.errors import KoatsuError
from koatsu.meter.meter_clock import clock_offset
from koatsu.node import LinkError, NoAnswerError, Node, Peer, RemoteObject

if TYPE_CHECKING:
    from koatsu.ems.collector.link import MeterLink

__all__ = ["CLOCK_LIMIT", "Questions", "refuses"]

CLOCK_LIMIT: Final = timedelta(seconds=30)  #: clocks surely further apart than this are wanting
_PROBE_S: Final = 1.0


class Questions:
    """The questions to one meter; close it when done.

    Args:
        case: the meter.
        holder: the program of ours that holds it, if any.
        health: what that program, or the one behind the configured page, says of itself.
        clock: our time.
    """

    def __init__(self, case: Case, holder: Holder | None, health: Health | None, clock: Clock) -> None:
        self._case, self._holder, self._health, self._clock = case, holder, health, clock
        self._stack = AsyncExitStack()
        self._node: Node | None = None
        self._meter: MeterLink | None = None

    async def close(self) -> None:
        """Let go of port 3610."""
        await self._stack.aclose()
        self._node = None

    @property
    def held(self) -> bool:
        """Whether a program of ours speaks with the meter already, so that we must not."""
        return self._holder is not None

    def _ok(self, step: Step, en: str, ja: str, **facts: object) -> Finding:
        return Finding.ok(step, en, ja, meter=self._case.name, **facts)

    def _wanting(self, step: Step, en: str, ja: str, hint: str, hint_ja: str, **facts: object) -> Finding:
        return Finding.wanting(step, en, ja, hint=hint, hint_ja=hint_ja, meter=self._case.name, **facts)

    def _held(self, step: Step) -> Finding:
        process = self._holder.process if self._holder else "?"
        return Finding.unknown(
            step,
            f"koatsu run (process {process}) holds the meter; stop it to look closer",
            f"koatsu run(プロセス {process})が使用中です。詳しく調べるには止めてください",
            meter=self._case.name,
        )

    # -- port -----------------------------------------------------------------------------------------------

    async def port(self) -> Finding:
        """Port 3610 of our address is free, or our own ``koatsu run`` has it."""
        if self._holder is None:
            try:
                await self._open()
            except LinkError as error:
                if self._health is None or not self._health.knows(self._case.name):
                    return Finding.of_error(Step.PORT, error, meter=self._case.name)
                self._holder = Holder(process=self._health.process, page=self._health.url)
            else:
                local = self._node.link.local if self._node else "?"
                return self._ok(
                    Step.PORT, f"UDP {local} port {self._case.peer.port} is free.",
                    f"UDP {local} のポート {self._case.peer.port} は空いています。",
                )  # fmt: skip
        who = f"koatsu run (process {self._holder.process})"
        return self._ok(
            Step.PORT, f"Our own {who} holds the meter; its page: {self._holder.page}",
            f"koatsu run(プロセス {self._holder.process})が使用中です。画面: {self._holder.page}",
            process=self._holder.process, page=self._holder.page,
        )  # fmt: skip

    async def _open(self) -> Node:
        if self._node is None:
            link = await open_link(self._case.peer, self._case.source, self._case.interface)
            self._node = await self._stack.enter_async_context(Node(link, self._case.profile))
        return self._node

    # -- answer ---------------------------------------------------------------------------------------------

    async def answers(self) -> bool:
        """Whether the terminal answers at all; ``False`` also where it cannot be asked."""
        if self.held:
            return self._link_state() in ("live", "stale")
        try:
            await find_meter(await self._open(), self._case.peer)
        except NoMeterError:
            return True
        except KoatsuError:
            return False
        return True

    async def answer(self) -> Finding:
        """The terminal answers."""
        case = self._case
        if self.held:
            return self._answer_told()
        node = await self._open()
        begun = self._clock.now()
        try:
            await find_meter(node, case.peer)
        except NoMeterError:
            pass  # an answer all the same
        except NoAnswerError:
            return self._silent()
        except KoatsuError as error:
            return Finding.of_error(Step.ANSWER, error, meter=case.name)
        took = (self._clock.now() - begun).total_seconds()
        return self._ok(
            Step.ANSWER, f"{case.peer.address} answered after {took:.2f} s.",
            f"{case.peer.address} は {took:.2f} 秒で応答しました。", seconds=f"{took:.2f}",
        )  # fmt: skip

    def _silent(self) -> Finding:
        peer, waited = self._case.peer, self._case.profile.timer_one_s
        if refuses(peer):
            return self._wanting(
                Step.ANSWER,
                f"{peer.address} refuses UDP port {peer.port}: no ECHONET Lite node runs there.",
                f"{peer.address} は UDP {peer.port} を拒否しました。ECHONET Lite の機器ではありません。",
                "Check that the address is the terminal's; it may belong to another device.",
                "伝送端末のアドレスか確かめてください。別の機器のアドレスかもしれません。",
            )
        return self._wanting(
            Step.ANSWER,
            f"{peer.address} does not answer ECHONET Lite questions (waited {waited:g} s, more than once).",
            f"{peer.address} が ECHONET Lite の問い合わせに応答しません({waited:g} 秒待ち、再試行も)。",
            "Let UDP port 3610 through the firewalls of this machine and of what is in between; restart the "
            "terminal; ask the utility whether the service has begun.",
            "この機械や途中のファイアウォールで UDP 3610 を通し、端末を再起動してください。"
            "サービスの開始日は一般送配電事業者に確かめてください。",
        )

    def _link_state(self) -> str | None:
        return self._health.link(self._case.name) if self._health else None

    def _answer_told(self) -> Finding:
        """What the program that holds the meter says of it."""
        state = self._link_state()
        if state is None:
            return self._held(Step.ANSWER)
        if state == "live":
            return self._ok(
                Step.ANSWER, "koatsu run hears the meter.", "koatsu run が応答を受けています。", link=state
            )
        return self._wanting(
            Step.ANSWER,
            f"koatsu run hears nothing of the meter (link: {state}).",
            f"koatsu run が応答を受けていません(リンク: {state})。",
            "Look at the cable and at the terminal's power and lamps; koatsu run goes on asking by itself.",
            "ケーブル、端末の電源とランプを確かめてください。koatsu run は問い合わせを続けます。",
            link=state,
        )

    # -- meter ----------------------------------------------------------------------------------------------

    async def meter_class(self) -> Finding:
        """The meter object that is wanted is behind the terminal."""
        if self.held:
            return self._held(Step.CLASS)
        from koatsu.ems.collector.link import MeterLink  # brings the database: loaded when it is needed

        case, node = self._case, await self._open()
        try:
            eoj = await find_meter(node, case.peer, class_code=case.class_code, instance=case.instance)
        except NoMeterError as error:
            return Finding.of_error(Step.CLASS, error, meter=case.name)
        except KoatsuError as error:
            return Finding.of_error(Step.ANSWER, error, meter=case.name)
        self._meter = MeterLink(RemoteObject(node, case.peer, eoj), case.profile, self._clock)
        name = self._meter.remote.device
        return self._ok(
            Step.CLASS, f"{eoj} is there: {name.en}.", f"{eoj} があります: {name.ja}。", object=eoj
        )

    async def nameplate(self) -> Finding:
        """What energy is made of is known: coefficient, unit, digits."""
        if self._meter is None:
            return self._held(Step.NAMEPLATE)
        try:
            plate = await self._meter.open()
        except KoatsuError as error:
            return Finding.of_error(Step.NAMEPLATE, error, meter=self._case.name)
        if plate.unscaled:
            return self._wanting(
                Step.NAMEPLATE,
                "The meter's coefficient is 0: its counts cannot be turned into kWh.",
                "計器の係数が 0 です。指示値を kWh に換算できません。",
                "Counts are kept all the same; ask the utility to set the coefficient.",
                "指示値はそのまま保存します。係数の設定を一般送配電事業者に依頼してください。",
                serial=plate.serial,
            )
        factor = plate.energy_scale.factor
        return self._ok(
            Step.NAMEPLATE, f"Serial number {plate.serial or '–'}; one count is {factor} kWh.",
            f"製造番号 {plate.serial or '–'}、1 カウントは {factor} kWh です。",
            serial=plate.serial, kwh_per_count=factor, digits=plate.energy_digits,
        )  # fmt: skip

    async def clock(self) -> Finding:
        """The meter's clock and ours agree."""
        if self._meter is None:
            return self._held(Step.CLOCK)
        try:
            sample = await self._meter.present()
        except KoatsuError as error:
            return Finding.of_error(Step.CLOCK, error, meter=self._case.name)
        if sample.meter_time is None:
            return Finding.unknown(
                Step.CLOCK, "the meter tells no time", "計器が時刻を返しません", meter=self._case.name
            )
        stamp: datetime = sample.meter_time.stamp
        offset = clock_offset(stamp, sent=sample.sent, received=sample.received)
        seconds = offset.certain.total_seconds()
        shown = f"{stamp.astimezone(JST):%Y-%m-%d %H:%M:%S}"
        if offset.exceeds(CLOCK_LIMIT):
            way, way_ja = ("ahead of", "進んで") if seconds > 0 else ("behind", "遅れて")
            return self._wanting(
                Step.CLOCK,
                f"The meter's clock ({shown}) is {abs(seconds):.0f} s {way} this machine's.",
                f"計器の時計({shown})が、この機械より {abs(seconds):.0f} 秒{way_ja}います。",
                "Check this machine's clock first (timedatectl); if it is right, tell the utility.",
                "先にこの機械の時計を確かめてください(timedatectl)。合っていれば一般送配電事業者へ。",
                meter_time=stamp.astimezone(JST).isoformat(), seconds=f"{seconds:.0f}",
            )  # fmt: skip
        return self._ok(
            Step.CLOCK, f"The meter's clock agrees with ours ({shown}).",
            f"計器の時計は合っています({shown})。", seconds=f"{seconds:.0f}",
        )  # fmt: skip

    async def data(self) -> Finding:
        """Yesterday's energy history can be read."""
        if self._meter is None:
            return self._held(Step.DATA)
        try:
            reads = [read async for read in self._meter.days([1])]
        except KoatsuError as error:
            return Finding.of_error(Step.DATA, error, meter=self._case.name)
        problem = reads[0].problem if reads else None
        if problem is not None:
            return Finding.of_error(Step.DATA, problem, meter=self._case.name)
        elements, no_data = next(iter(reads[0].elements.values()), (0, 0)) if reads else (0, 0)
        if elements == no_data:
            return self._wanting(
                Step.DATA,
                "Yesterday's history holds no value.",
                "昨日の履歴に値がありません。",
                "A meter that was put in today has none yet; otherwise look again tomorrow.",
                "今日取り付けた計器なら正常です。そうでなければ明日もう一度確かめてください。",
            )
        known, day = elements - no_data, reads[0].day
        return self._ok(
            Step.DATA, f"The history of {day} holds {known} of {elements} values.",
            f"{day} の履歴に {elements} 個中 {known} 個の値があります。", day=day, values=known,
        )  # fmt: skip


def refuses(peer: Peer) -> bool:
    """Whether the host says that nobody listens there; blocks for a second where it says nothing."""
    family = socket.AF_INET6 if peer.is_ipv6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.settimeout(_PROBE_S)
        try:
            scope = socket.if_nametoindex(peer.zone) if peer.zone else 0
            sender.connect((peer.host, peer.port, 0, scope) if peer.is_ipv6 else (peer.host, peer.port))
            sender.send(b"")
            sender.recv(1)
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
    return False


def source_of(case: Case) -> str:
    """Our address towards the terminal."""
    return case.source or local_address(case.peer)
