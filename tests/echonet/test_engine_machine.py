"""The transaction engine under any order of requests, answers, loss, delay, duplication, strays and time.

A model beside it knows what must be open, when each wait ends and how many tries are left.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from koatsu.echonet import (
    ANNOUNCEMENTS,
    ANSWERS,
    CONTROLLER,
    NODE_PROFILE,
    REFUSALS,
    REQUESTS,
    SUCCESS,
    Announced,
    Answered,
    Duplicate,
    Engine,
    Eoj,
    Esv,
    Exchange,
    Frame,
    Late,
    Malformed,
    Requested,
    Resend,
    Stray,
    TimedOut,
    Unfit,
)

ADDRESSES = ("10.0.0.1", "10.0.0.2", "fe80::1")
STRANGER = "192.0.2.66"
METER = Eoj(0x028A01)
codes = st.lists(st.sampled_from((0xD3, 0xE1, 0xE2, 0xE7)), min_size=1, max_size=3)
services = st.sampled_from((Esv.GET, Esv.GET, Esv.SETC, Esv.SETI, Esv.SETGET, Esv.INF_REQ, Esv.INFC))
index = st.integers(0, 10**6)
DAMAGES = ("address", "tid", "seoj", "deoj", "esv", "property", "extra", "cut", "longer")


@dataclass
class Ours:
    """What the model knows of one exchange."""

    exchange: Exchange
    address: str | None
    started: float
    wait: float
    due: float
    tries: int
    ended: str = ""  # "", "answered", "given up"
    answers: int = 0

    @property
    def many(self) -> bool:
        return self.address is None


@dataclass(frozen=True)
class Flying:
    """A datagram on its way to us."""

    data: bytes
    address: str
    to: Ours
    esv: Esv


def full_answer(asked: Frame, *, complete: bool) -> Frame | None:
    """What an honest peer says: everything, or a refusal of the last property."""
    service = (SUCCESS if complete else REFUSALS).get(asked.esv)
    if service is None:
        return None
    received = [(epc, b"") for epc, _ in asked.properties]
    read = [(epc, bytes((epc, index))) for index, (epc, _) in enumerate(asked.second or asked.properties)]
    if not complete:
        read[-1] = (read[-1][0], b"")
    writes = asked.esv in (Esv.SETI, Esv.SETC, Esv.SETGET, Esv.INFC)
    first = (received if complete else list(asked.properties)) if writes else read
    return Frame(asked.tid, asked.deoj, asked.seoj, service, first, read if asked.esv is Esv.SETGET else None)


class Transactions(RuleBasedStateMachine):
    """All that can happen to an engine."""

    @initialize(
        matching=st.sampled_from(("exact", "subset")), first=st.sampled_from((1, 1000, 0xFFFD, 0xFFFF))
    )
    def start(self, matching: str, first: int) -> None:
        self.engine = Engine(matching=matching, first_tid=first)  # type: ignore[arg-type]
        self.now = 1000.0
        self.all: list[Ours] = []
        self.flying: list[Flying] = []

    # -- our side --------------------------------------------------------------------------------------

    @rule(
        esv=services,
        epcs=codes,
        address=st.sampled_from((*ADDRESSES, None)),
        wait=st.sampled_from((0.5, 1.0, 20.0, 60.0)),
        retries=st.integers(0, 3),
    )
    def ask(self, esv: Esv, epcs: list[int], address: str | None, wait: float, retries: int) -> None:
        if address is None and esv not in (Esv.GET, Esv.INF_REQ):
            esv = Esv.GET
        writes = esv in (Esv.SETI, Esv.SETC, Esv.SETGET, Esv.INFC)
        exchange = self.engine.request(
            address,
            CONTROLLER,
            METER,
            esv,
            [(epc, b"\x00\x07" if writes else b"") for epc in epcs],
            [(0xE7, b""), (0xE1, b"")] if esv is Esv.SETGET else None,
            now=self.now,
            timeout_s=wait,
            retries=retries,
            many=address is None,
        )
        tries = 0 if esv is Esv.SETI else retries
        self.all.append(Ours(exchange, address, self.now, wait, self.now + wait, tries))

    @precondition(lambda self: self.open)
    @rule(which=index)
    def give_up(self, which: int) -> None:
        ours = self.open[which % len(self.open)]
        self.engine.cancel(ours.exchange)
        ours.ended = "given up"

    @rule(announced=st.booleans())
    def take_a_number(self, announced: bool) -> None:
        if announced:
            assert self.engine.next_tid() not in {ours.exchange.tid for ours in self.open}

    @rule(seconds=st.sampled_from((0.0, 0.1, 0.5, 1.0, 19.0, 100.0)))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def poll(self) -> None:
        due = [ours for ours in self.open if ours.due <= self.now]
        expected = [TimedOut(o.exchange) if o.tries == 0 else Resend(o.exchange) for o in due]
        events = self.engine.poll(self.now)
        assert len(events) == len(expected)
        assert all(event in expected for event in events)
        for ours in due:
            if ours.tries == 0:
                ours.ended = "given up"
            else:
                ours.tries -= 1
                ours.due = self.now + ours.wait
        assert self.engine.poll(self.now) == []

    # -- the network -----------------------------------------------------------------------------------

    @precondition(lambda self: self.all)
    @rule(which=index, complete=st.booleans(), who=st.sampled_from(ADDRESSES), part=st.booleans())
    def somebody_answers(self, which: int, complete: bool, who: str, part: bool) -> None:
        """An honest answer starts to fly, soon or long after the question."""
        ours = self.all[which % len(self.all)]
        frame = full_answer(ours.exchange.frame, complete=complete)
        if frame is None:
            return
        if part and ours.exchange.matching == "subset" and frame.second is None:
            frame = frame._replace(properties=frame.properties[1:])
        self.flying.append(Flying(frame.encode(), ours.address or who, ours, frame.esv))

    @precondition(lambda self: self.flying)
    @rule(which=index)
    def lose(self, which: int) -> None:
        self.flying.pop(which % len(self.flying))

    @precondition(lambda self: self.flying)
    @rule(which=index, twice=st.booleans())
    def deliver(self, which: int, twice: bool) -> None:
        flying = self.flying.pop(which % len(self.flying))
        for _ in range(2 if twice else 1):
            self.arrives(flying)

    def arrives(self, flying: Flying) -> None:
        ours = flying.to
        event = self.engine.receive(flying.data, flying.address, self.now)
        if not ours.ended:
            assert type(event) is Answered
            assert event.exchange is ours.exchange
            assert event.address == flying.address
            assert event.elapsed_s == self.now - ours.started
            ours.answers += 1
            if not ours.many:
                ours.ended = "answered"
        elif flying.esv is Esv.INF:
            assert type(event) is Announced
        else:
            assert type(event) is (Duplicate if ours.ended == "answered" else Late)

    # -- strangers -------------------------------------------------------------------------------------

    @precondition(lambda self: self.all)
    @rule(which=index, complete=st.booleans(), damage=st.sampled_from(DAMAGES), how=st.data())
    def something_else_arrives(self, which: int, complete: bool, damage: str, how: st.DataObject) -> None:
        """Almost the answer: it must never count."""
        ours = self.all[which % len(self.all)]
        asked = ours.exchange.frame
        frame = full_answer(asked, complete=complete)
        if frame is None or (damage == "address" and ours.many):
            return
        address = ours.address or ADDRESSES[0]
        if damage == "address":
            address = STRANGER
        elif damage == "tid":
            taken = {other.exchange.tid for other in self.all}
            frame = frame._replace(tid=how.draw(st.integers(0, 0xFFFF).filter(lambda tid: tid not in taken)))
        elif damage == "seoj":
            frame = frame._replace(seoj=how.draw(st.sampled_from((Eoj(0x028A02), CONTROLLER, NODE_PROFILE))))
        elif damage == "deoj":
            if frame.esv is Esv.INF:
                return  # an announcement may go to anybody
            frame = frame._replace(deoj=how.draw(st.sampled_from((METER, NODE_PROFILE))))
        elif damage == "esv":
            other = how.draw(st.sampled_from([e for e in Esv if e not in ANSWERS[asked.esv]]))
            two = other in (Esv.SETGET, Esv.SETGET_RES, Esv.SETGET_SNA)
            frame = frame._replace(esv=other, second=(frame.second or ()) if two else None)
        elif damage == "property":
            frame = frame._replace(properties=[*frame.properties[:-1], (0xC3, b"\x01")])
        elif damage == "extra":
            frame = frame._replace(properties=[*frame.properties, frame.properties[0]])
        wire = frame.encode()
        if damage == "cut":
            wire = wire[: how.draw(st.integers(0, len(wire) - 1))]
        elif damage == "longer":
            wire += b"\0"
        event = self.engine.receive(wire, address, self.now)
        if damage in ("cut", "longer"):
            assert type(event) is Malformed
        elif frame.esv in ANNOUNCEMENTS:
            assert type(event) is Announced
        elif frame.esv in REQUESTS:
            assert type(event) is Requested
        else:
            assert type(event) in (Unfit, Stray, Late, Duplicate)
        if type(event) is Unfit:
            assert event.exchange is ours.exchange
            assert event.reason

    @rule(address=st.sampled_from(ADDRESSES), which=index, epcs=codes)
    def a_peer_asks_with_our_number(self, address: str, which: int, epcs: list[int]) -> None:
        tid = self.all[which % len(self.all)].exchange.tid if self.all else 1
        frame = Frame(tid, METER, CONTROLLER, Esv.GET, [(epc, b"") for epc in epcs])
        assert self.engine.receive(frame.encode(), address, self.now) == Requested(frame, address)

    # -- always ----------------------------------------------------------------------------------------

    @property
    def open(self) -> list[Ours]:
        return [ours for ours in self.all if not ours.ended]

    @invariant()
    def exactly_the_open_ones_are_open(self) -> None:
        assert len(self.engine) == len(self.open)
        for ours in self.all:
            assert ours.exchange.ended is bool(ours.ended)
            assert ours.exchange.tries_left == ours.tries
            assert ours.many or ours.answers <= 1
            assert (ours.ended == "answered") is (ours.answers == 1) or ours.many

    @invariant()
    def numbers_are_not_shared(self) -> None:
        tids = [ours.exchange.tid for ours in self.open]
        assert len(set(tids)) == len(tids)
        assert all(1 <= tid <= 0xFFFF for tid in tids)

    @invariant()
    def the_next_due_time_is_known(self) -> None:
        assert self.engine.next_due() == min((ours.due for ours in self.open), default=None)

    @invariant()
    def memory_is_bounded(self) -> None:
        assert len(self.engine._timers) <= 2 * len(self.open) + 65 + len(self.all)
        assert len(self.engine._past) <= len(self.all)

    def teardown(self) -> None:
        """In the end every exchange ends, once."""
        if not hasattr(self, "engine"):
            return
        ends = 0
        still = len(self.open)
        for _ in range(5):
            self.now += 100
            ends += sum(type(event) is TimedOut for event in self.engine.poll(self.now))
        assert ends == still
        assert (len(self.engine), self.engine.next_due()) == (0, None)


TestTransactions = Transactions.TestCase
TestTransactions.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
