"""The transaction engine, pure: bytes and times in, events and bytes out.

It gives out transaction numbers (TID), matches what arrives with what was asked (address, EOJ, service and
TID), and decides when to ask again and when to give up. It opens no socket and reads no clock: times are
seconds on any clock that does not run backwards. Source of the matching: ECHONET Lite specification 1.14,
part 2, 3.2.2 and 4.2; timers are the link profile's.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import lru_cache
from operator import itemgetter
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

_REMEMBERED: Final = 4096  # the newest TIDs, whose ended exchanges still explain a late or doubled answer
_QUESTIONS: Final = 1024  # Gets that are asked again and again: only their TID differs
_TIDS: Final = 0xFFFF  # 1 to 65535; 0 is left to announcements
_IDLE_TIMERS: Final = 64  # timers of ended exchanges that are not worth a clean-up
_CODE: Final = itemgetter(0)  # of a property
_DATA: Final = itemgetter(1)
_ANYONE: Final = None  # the address under which an exchange with many answers is remembered
_NOTHING: Final = (-1, _ANYONE, False)
_RECEIPTS: Final = frozenset({Esv.SET_RES, Esv.INFC_RES, Esv.SETGET_RES})  # their first list carries no data
_FULL: Final = frozenset({Esv.GET_RES, Esv.INF, Esv.SETGET_RES})  # every property read carries data
_TWO_LISTS: Final = frozenset({Esv.SETGET_RES})


class Exchange:
    """One request and the wait for its answer. Read it; only the engine changes it."""

    __slots__ = (
        "address", "data", "deadline", "ended", "expected", "frame", "many", "matching", "started",
        "timeout_s", "tries_left",
    )  # fmt: skip

    def __init__(
        self,
        frame: Frame,
        data: bytes,
        address: Address,
        *,
        timeout_s: float,
        retries: int,
        many: bool,
        now: float,
    ):
        self.frame = frame
        self.address = address  #: who must answer; ``None`` when anyone may (a question by multicast)
        self.data: Final = data  #: the frame's bytes
        self.timeout_s = timeout_s
        self.tries_left = retries
        self.many = many  #: several nodes may answer; the exchange stays open until its time is over
        self.started = now
        self.deadline = now + timeout_s
        self.expected = ANSWERS[frame.esv]
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
        # A ring: the place of a TID -> the TID, who was asked, was it answered.
        self._past: dict[int, tuple[int, Address, bool]] = {}
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
        tid, first = self._next_tid(), tuple(properties)
        if esv is Esv.GET and second is None:
            frame, data = _question(tid, seoj, deoj, first)
        else:
            frame = Frame(tid, seoj, deoj, esv, first, None if second is None else tuple(second))
            data = frame.encode()
        if esv is Esv.SETI:
            retries = 0  # silence is its success; only a refusal is ever answered
        exchange = Exchange(frame, data, address, timeout_s=timeout_s, retries=retries, many=many, now=now)
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
        tid, asked, answered = self._past.get(frame.tid % _REMEMBERED, _NOTHING)
        if tid != frame.tid or (asked != address and asked is not _ANYONE):
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
        tid = exchange.frame.tid
        self._open.pop(tid, None)
        self._past[tid % _REMEMBERED] = (tid, _ANYONE if exchange.many else exchange.address, answered)

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


def _question(tid: int, seoj: Eoj, deoj: Eoj, properties: tuple[Property, ...]) -> tuple[Frame, bytes]:
    """A Get and its bytes."""
    try:
        frame, data = _asked_before(seoj, deoj, properties)
    except TypeError:  # not hashable, so no properties: the frame says what is wrong with them
        frame, data = _asked_before.__wrapped__(seoj, deoj, properties)
    return tuple.__new__(Frame, (tid, *frame[1:])), data[:2] + tid.to_bytes(2, "big") + data[4:]


@lru_cache(maxsize=_QUESTIONS)
def _asked_before(seoj: Eoj, deoj: Eoj, properties: tuple[Property, ...]) -> tuple[Frame, bytes]:
    frame = Frame(0, seoj, deoj, Esv.GET, properties)
    return frame, frame.encode()


def _misfit(asked: Frame, answer: Frame, matching: Matching) -> str | None:
    """Why ``answer`` cannot be the answer to ``asked``; ``None`` when it can."""
    if answer.seoj != asked.deoj and not asked.deoj.includes(answer.seoj):
        return f"it comes from {answer.seoj}, not {asked.deoj}"
    if answer.deoj != asked.seoj and answer.esv is not Esv.INF:
        return f"it is meant for {answer.deoj}, not {asked.seoj}"
    reason = _other_list(asked.properties, answer.properties, matching)
    if asked.second or answer.second:
        reason = reason or _other_list(asked.second or (), answer.second or (), matching)
    if reason:
        return reason
    esv = answer.esv
    if esv in _RECEIPTS and any(edt for _, edt in answer.properties):
        return "a receipt carries no data"
    values = answer.second if esv in _TWO_LISTS else answer.properties
    if esv in _FULL and b"" in map(_DATA, values or ()):
        return "a full answer lacks data"
    return None


def _other_list(asked: Sequence[Property], answered: Sequence[Property], matching: Matching) -> str | None:
    """What is wrong with the properties of an answer, one list of them."""
    wanted, given = [*map(_CODE, asked)], [*map(_CODE, answered)]
    if wanted != given and (matching == "exact" or Counter(given) - Counter(wanted)):
        return f"it carries {_codes(given)}, not {_codes(wanted)}"
    return None


def _codes(epcs: list[int]) -> str:
    return " ".join(f"0x{epc:02X}" for epc in epcs) or "nothing"
