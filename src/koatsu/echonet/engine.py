"""The transaction engine, pure: bytes and times in, events and bytes out.

It gives out transaction numbers (TID), matches what arrives with what was asked (address, EOJ, service and
TID), and decides when to ask again and when to give up. It opens no socket and reads no clock: times are
seconds on any clock that does not run backwards. Source of the matching: ECHONET Lite specification 1.14,
part 2, 3.2.2 and 4.2; timers are the link profile's.
"""

from __future__ import annotations

import heapq
from collections import Counter, OrderedDict
from collections.abc import Hashable, Sequence
from typing import Final, Literal, TypeAlias

from koatsu.echonet.eoj import Eoj
from koatsu.echonet.errors import DecodeError, LocalProtocolError
from koatsu.echonet.esv import ANNOUNCEMENTS, ANSWERS, REQUESTS, Esv
from koatsu.echonet.events import (
    Announced,
    Answered,
    Arbitrary,
    Duplicate,
    Event,
    Late,
    Malformed,
    Requested,
    Resend,
    Stray,
    TimedOut,
    Unfit,
)
from koatsu.echonet.frame import Frame, Message, Property, decode

__all__ = ["Engine", "Exchange", "Matching"]

Address: TypeAlias = Hashable
Matching: TypeAlias = Literal["exact", "subset"]
"""Which properties an answer must carry: those asked in their order, or any part of them."""

_REMEMBERED: Final = 4096  # ended exchanges that still explain a late or doubled answer
_TIDS: Final = 0xFFFF  # 1 to 65535; 0 is left to announcements
_IDLE_TIMERS: Final = 64  # timers of ended exchanges that are not worth a clean-up
_ANYONE: Final = None  # the address under which an exchange with many answers is remembered
_RECEIPTS: Final = frozenset({Esv.SET_RES, Esv.INFC_RES, Esv.SETGET_RES})  # their first list carries no data


class Exchange:
    """One request and the wait for its answer. Read it; only the engine changes it."""

    __slots__ = (
        "address", "data", "deadline", "ended", "expected", "frame", "many", "matching", "started",
        "timeout_s", "tries_left",
    )  # fmt: skip

    def __init__(
        self, frame: Frame, address: Address, *, timeout_s: float, retries: int, many: bool, now: float
    ):
        self.frame = frame
        self.address = address  #: who must answer; ``None`` when anyone may (a question by multicast)
        self.data: Final = frame.encode()
        self.timeout_s = timeout_s
        self.tries_left = retries
        self.many = many  #: several nodes may answer; the exchange stays open until its time is over
        self.started = now
        self.deadline = now + timeout_s
        self.expected = ANSWERS.get(frame.esv, frozenset())
        self.matching: Matching = "exact"
        self.ended = False

    @property
    def tid(self) -> int:
        """The transaction number."""
        return self.frame.tid


class Engine:
    """All open exchanges of one node.

    Args:
        matching: how strictly an answer's property list must be the one asked for.
        trailing: accept bytes behind the last property of a datagram.
        first_tid: where the transaction numbers start, 1 to 65535.
    """

    def __init__(self, *, matching: Matching = "exact", trailing: bool = False, first_tid: int = 1) -> None:
        if not 1 <= first_tid <= _TIDS:
            raise LocalProtocolError(f"the first TID is 1 to {_TIDS}, not {first_tid}")
        self._matching = matching
        self._trailing = trailing
        self._tid = first_tid - 1
        self._open: dict[int, Exchange] = {}
        self._past: OrderedDict[tuple[int, Address], bool] = OrderedDict()  # -> was it answered
        self._timers: list[tuple[float, int, Exchange]] = []
        self._count = 0

    # -- asking ---------------------------------------------------------------------------------------------

    def request(
        self,
        address: Address,
        seoj: Eoj,
        deoj: Eoj,
        esv: Esv,
        properties: Sequence[Property],
        second: Sequence[Property] | None = None,
        *,
        now: float,
        timeout_s: float,
        retries: int = 0,
        many: bool = False,
        matching: Matching | None = None,
    ) -> Exchange:
        """Open an exchange; the caller sends ``exchange.data`` to the address.

        Args:
            address: who must answer, compared for equality with what :meth:`receive` is given; ``None`` with
                ``many`` for a question by multicast.
            seoj: our object that asks.
            deoj: the object that is asked.
            esv: a request service, or INFC.
            properties: what is asked; for SetGet the Set list.
            second: the Get list of SetGet.
            now: the present time, seconds.
            timeout_s: wait for the answer to one try, seconds, more than 0.
            retries: how often to ask again after the first try.
            many: collect answers from anyone until the time is over.
            matching: how strict for this exchange; the engine's own rule by default.

        Raises:
            LocalProtocolError: the service is no request, or 65,535 exchanges are open.
        """
        if esv not in REQUESTS and esv is not Esv.INFC:
            raise LocalProtocolError(f"{esv} is not a request")
        if not timeout_s > 0 or retries < 0:
            raise LocalProtocolError(f"wait {timeout_s} s and {retries} retries make no sense")
        frame = Frame(
            self._next_tid(), seoj, deoj, esv, tuple(properties), None if second is None else tuple(second)
        )
        if esv is Esv.SETI:
            retries = 0  # silence is its success; only a refusal is ever answered
        exchange = Exchange(frame, address, timeout_s=timeout_s, retries=retries, many=many, now=now)
        exchange.matching = matching or self._matching
        self._open[frame.tid] = exchange
        self._arm(exchange)
        return exchange

    def cancel(self, exchange: Exchange) -> None:
        """Stop waiting; an answer that still comes is late."""
        self._end(exchange, answered=False)

    def next_tid(self) -> int:
        """A fresh transaction number for an announcement."""
        return self._next_tid()

    # -- listening ------------------------------------------------------------------------------------------

    def receive(self, data: bytes, address: Address, now: float, *, trailing: bool | None = None) -> Event:
        """Take one datagram from ``address``; say what it is. Never raises.

        ``trailing`` overrides the engine's rule for bytes behind the last property, for this sender.
        """
        try:
            frame = decode(data, trailing=self._trailing if trailing is None else trailing)
        except DecodeError as error:
            return Malformed(error, data, address)
        if type(frame) is Message:
            return Arbitrary(frame, address)
        assert isinstance(frame, Frame)
        exchange = self._open.get(frame.tid)
        if exchange is not None and frame.esv in exchange.expected:
            if exchange.address == address or exchange.many:
                event = self._answer(exchange, frame, address, now)
                # An announcement that does not answer us is still one: its TID is only equal by chance.
                if type(event) is not Unfit or frame.esv not in ANNOUNCEMENTS:
                    return event
        elif frame.esv in REQUESTS:
            return Requested(frame, address)
        if frame.esv in ANNOUNCEMENTS:  # its TID is the sender's own; hearing one twice does no harm
            return Announced(frame, address)
        answered = self._past.get((frame.tid, address), self._past.get((frame.tid, _ANYONE)))
        if answered is None:
            return Stray(frame, address)
        return Duplicate(frame, address) if answered else Late(frame, address)

    # -- waiting --------------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """When :meth:`poll` has to be called next, ``None`` while nothing is open."""
        while self._timers and (self._timers[0][2].ended or self._timers[0][0] < self._timers[0][2].deadline):
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else None

    def poll(self, now: float) -> list[Event]:
        """What has to happen at ``now``: requests to send again, exchanges to give up."""
        events: list[Event] = []
        while (due := self.next_due()) is not None and due <= now:
            exchange = heapq.heappop(self._timers)[2]
            if exchange.tries_left > 0:
                exchange.tries_left -= 1
                exchange.deadline = now + exchange.timeout_s
                self._arm(exchange)
                events.append(Resend(exchange))
            else:
                self._end(exchange, answered=False)
                events.append(TimedOut(exchange))
        return events

    def __len__(self) -> int:
        return len(self._open)

    # -- inside ---------------------------------------------------------------------------------------------

    def _answer(self, exchange: Exchange, frame: Frame, address: Address, now: float) -> Event:
        reason = _misfit(exchange.frame, frame, exchange.matching)
        if reason:
            return Unfit(exchange, frame, address, reason)
        if not exchange.many:
            self._end(exchange, answered=True)
        return Answered(exchange, frame, address, now - exchange.started)

    def _end(self, exchange: Exchange, *, answered: bool) -> None:
        if exchange.ended:
            return
        exchange.ended = True
        self._open.pop(exchange.frame.tid, None)
        past, key = self._past, (exchange.frame.tid, _ANYONE if exchange.many else exchange.address)
        past[key] = answered
        past.move_to_end(key)
        if len(past) > _REMEMBERED:
            past.popitem(last=False)

    def _arm(self, exchange: Exchange) -> None:
        if len(self._timers) > 2 * len(self._open) + _IDLE_TIMERS:  # one long wait keeps ended ones behind it
            self._timers = [timer for timer in self._timers if not timer[2].ended]
            heapq.heapify(self._timers)
        self._count += 1  # equal deadlines: first asked, first due
        heapq.heappush(self._timers, (exchange.deadline, self._count, exchange))

    def _next_tid(self) -> int:
        for _ in range(_TIDS):
            self._tid = self._tid % _TIDS + 1
            if self._tid not in self._open:
                return self._tid
        raise LocalProtocolError(f"{_TIDS} exchanges are open: no transaction number is free")


def _misfit(asked: Frame, answer: Frame, matching: Matching) -> str | None:
    """Why ``answer`` cannot be the answer to ``asked``; ``None`` when it can."""
    if not asked.deoj.includes(answer.seoj):
        return f"it comes from {answer.seoj}, not {asked.deoj}"
    if answer.deoj != asked.seoj and answer.esv is not Esv.INF:
        return f"it is meant for {answer.deoj}, not {asked.seoj}"
    for one, other in ((asked.properties, answer.properties), (asked.second or (), answer.second or ())):
        wanted, given = [epc for epc, _ in one], [epc for epc, _ in other]
        if wanted != given and (matching == "exact" or Counter(given) - Counter(wanted)):
            return f"it carries {_codes(given)}, not {_codes(wanted)}"
    if answer.esv in _RECEIPTS and any(edt for _, edt in answer.properties):
        return "a receipt carries no data"
    values = answer.second if answer.esv is Esv.SETGET_RES else answer.properties
    if answer.esv in (Esv.GET_RES, Esv.INF, Esv.SETGET_RES) and not all(edt for _, edt in values or ()):
        return "a full answer lacks data"
    return None


def _codes(epcs: list[int]) -> str:
    return " ".join(f"0x{epc:02X}" for epc in epcs) or "nothing"
