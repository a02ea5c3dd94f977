"""The transaction engine, case by case; test_engine_machine.py tries every order of everything."""

from __future__ import annotations

import pytest
from frame_strategies import frames
from hypothesis import given
from hypothesis import strategies as st

from koatsu.echonet import (
    CONTROLLER,
    NODE_PROFILE,
    Announced,
    Answered,
    Arbitrary,
    Duplicate,
    Engine,
    Eoj,
    Esv,
    Exchange,
    Frame,
    Late,
    LocalProtocolError,
    Malformed,
    Requested,
    Resend,
    Stray,
    TimedOut,
    Unfit,
)

METER = Eoj(0x028A01)
ASKED = ((0xE2, b""), (0xE3, b""))
VALUES = ((0xE2, b"\x01"), (0xE3, b"\x02"))


def get(
    engine: Engine, *, now: float = 0, retries: int = 0, many: bool = False, deoj: Eoj = METER
) -> Exchange:
    address = None if many else "meter"
    return engine.request(
        address, CONTROLLER, deoj, Esv.GET, ASKED, now=now, timeout_s=10, retries=retries, many=many
    )


def answer(exchange: Exchange, **other: object) -> bytes:
    asked = exchange.frame
    plain = {
        "tid": asked.tid,
        "seoj": asked.deoj,
        "deoj": asked.seoj,
        "esv": Esv.GET_RES,
        "properties": VALUES,
    }
    return Frame(**(plain | other)).encode()  # type: ignore[arg-type]


# -- the plain way ---------------------------------------------------------------------------------------


def test_an_answer_ends_the_exchange() -> None:
    engine = Engine()
    exchange = get(engine, now=100)
    assert exchange.data == Frame(1, CONTROLLER, METER, Esv.GET, ASKED).encode()
    assert (len(engine), engine.next_due()) == (1, 110)
    event = engine.receive(answer(exchange), "meter", 100.5)
    assert type(event) is Answered
    assert (event.exchange, event.address, event.elapsed_s) == (exchange, "meter", 0.5)
    assert event.frame.properties == VALUES
    assert (len(engine), engine.next_due(), exchange.ended) == (0, None, True)
    assert engine.poll(1000) == []


def test_a_refusal_that_carries_some_values_is_an_answer() -> None:
    engine = Engine()
    exchange = get(engine)
    wire = answer(exchange, esv=Esv.GET_SNA, properties=((0xE2, b"\x01"), (0xE3, b"")))
    assert type(engine.receive(wire, "meter", 1)) is Answered


def test_tries_are_counted() -> None:
    engine = Engine()
    exchange = get(engine, retries=2)
    assert engine.poll(9.99) == []
    assert engine.poll(10) == [Resend(exchange)]
    assert (exchange.tries_left, engine.next_due()) == (1, 20)
    assert engine.poll(25) == [Resend(exchange)]  # late by 5 s: the wait starts when it is sent
    assert engine.next_due() == 35
    assert engine.poll(35) == [TimedOut(exchange)]
    assert (exchange.ended, len(engine), engine.next_due()) == (True, 0, None)


def test_the_answer_to_the_first_try_counts_after_the_second() -> None:
    engine = Engine()
    exchange = get(engine, retries=1)
    engine.poll(10)
    assert type(engine.receive(answer(exchange), "meter", 11)) is Answered
    assert type(engine.receive(answer(exchange), "meter", 12)) is Duplicate


def test_late_and_cancelled() -> None:
    engine = Engine()
    slow, cancelled = get(engine), get(engine)
    engine.cancel(cancelled)
    engine.cancel(cancelled)
    assert engine.poll(10) == [TimedOut(slow)]
    for exchange in (slow, cancelled):
        assert type(engine.receive(answer(exchange), "meter", 11)) is Late
    engine.cancel(slow)
    assert len(engine) == 0


# -- what is no answer -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "event"),
    [
        ({"tid": 99}, Stray),
        ({"seoj": Eoj(0x028A02)}, Unfit),
        ({"seoj": NODE_PROFILE}, Unfit),
        ({"deoj": NODE_PROFILE}, Unfit),
        ({"esv": Esv.SET_RES, "properties": ((0xE2, b""), (0xE3, b""))}, Stray),
        ({"esv": Esv.SETC_SNA}, Stray),
        ({"esv": Esv.GET}, Requested),
        ({"esv": Esv.INF}, Announced),
        ({"esv": Esv.INFC}, Announced),
        ({"properties": VALUES[:1]}, Unfit),
        ({"properties": ()}, Unfit),
        ({"properties": (*VALUES, (0xE7, b"\x01"))}, Unfit),
        ({"properties": VALUES[::-1]}, Unfit),
        ({"properties": ((0xE2, b"\x01"), (0xE3, b""))}, Unfit),
    ],
)
def test_what_does_not_answer(other: dict, event: type) -> None:
    engine = Engine()
    exchange = get(engine)
    assert type(engine.receive(answer(exchange, **other), "meter", 1)) is event
    assert (len(engine), exchange.ended) == (1, False)
    assert type(engine.receive(answer(exchange), "meter", 2)) is Answered


def test_another_address_never_answers() -> None:
    engine = Engine()
    exchange = get(engine)
    assert type(engine.receive(answer(exchange), "other", 1)) is Stray
    assert type(engine.receive(answer(exchange), None, 1)) is Stray
    assert type(engine.receive(answer(exchange), "meter", 2)) is Answered
    assert type(engine.receive(answer(exchange), "other", 3)) is Stray


@pytest.mark.parametrize(
    ("given_codes", "fits"),
    [
        ((0xE2,), True),
        ((0xE3,), True),
        ((0xE3, 0xE2), True),
        ((), True),
        ((0xE2, 0xE2), False),
        ((0xE7,), False),
    ],
)
def test_the_loose_rule_takes_any_part_of_what_was_asked(given_codes: tuple[int, ...], fits: bool) -> None:
    engine = Engine(matching="subset")
    exchange = get(engine)
    wire = answer(exchange, esv=Esv.GET_SNA, properties=tuple((epc, b"\x01") for epc in given_codes))
    assert type(engine.receive(wire, "meter", 1)) is (Answered if fits else Unfit)
    strict = Engine(matching="subset")
    exchange = strict.request(
        "meter", CONTROLLER, METER, Esv.GET, ASKED, now=0, timeout_s=1, matching="exact"
    )
    assert type(strict.receive(wire, "meter", 0)) is Unfit


@pytest.mark.parametrize(
    ("esv", "first", "second", "fits"),
    [
        (Esv.SETGET_RES, ((0xE1, b""),), ((0xE7, b"\x01"),), True),
        (Esv.SETGET_RES, ((0xE1, b"\x00\x01"),), ((0xE7, b"\x01"),), False),
        (Esv.SETGET_RES, ((0xE1, b""),), ((0xE7, b""),), False),
        (Esv.SETGET_RES, ((0xE1, b""),), ((0xE8, b"\x01"),), False),
        (Esv.SETGET_SNA, ((0xE1, b"\x00\x01"),), ((0xE7, b""),), True),
        (Esv.SETGET_SNA, (), (), False),
    ],
)
def test_both_lists_of_a_setget_are_looked_at(esv: Esv, first: tuple, second: tuple, fits: bool) -> None:
    engine = Engine()
    exchange = engine.request(
        "meter", CONTROLLER, METER, Esv.SETGET, [(0xE1, b"\x00\x01")], [(0xE7, b"")], now=0, timeout_s=1
    )
    wire = answer(exchange, esv=esv, properties=first, second=second)
    assert type(engine.receive(wire, "meter", 0)) is (Answered if fits else Unfit)


# -- announcements ---------------------------------------------------------------------------------------


def ask_for_announcement(engine: Engine) -> Exchange:
    return engine.request("meter", CONTROLLER, METER, Esv.INF_REQ, ASKED, now=0, timeout_s=10)


def test_an_asked_announcement_may_go_to_everybody() -> None:
    engine = Engine()
    exchange = ask_for_announcement(engine)
    wire = answer(exchange, esv=Esv.INF, deoj=NODE_PROFILE)
    assert type(engine.receive(wire, "other", 1)) is Announced
    assert type(engine.receive(wire, "meter", 1)) is Answered
    assert type(engine.receive(wire, "meter", 1)) is Announced


@pytest.mark.parametrize(
    "other",
    [
        {"seoj": NODE_PROFILE, "properties": ((0xD5, b"\x01\x02\x8a\x01"),)},
        {"properties": ((0x80, b"\x30"),)},
        {"properties": ((0xE2, b"\x01"), (0xE3, b""))},
    ],
)
def test_an_announcement_that_only_shares_the_number_is_not_swallowed(other: dict) -> None:
    engine = Engine()
    exchange = ask_for_announcement(engine)
    assert type(engine.receive(answer(exchange, esv=Esv.INF, **other), "meter", 1)) is Announced
    assert not exchange.ended


def test_a_confirmed_announcement_waits_for_its_receipt() -> None:
    engine = Engine()
    exchange = engine.request("ems", METER, CONTROLLER, Esv.INFC, VALUES, now=0, timeout_s=10)
    assert type(engine.receive(answer(exchange, esv=Esv.INFC_RES), "ems", 1)) is Unfit
    wire = answer(exchange, esv=Esv.INFC_RES, properties=ASKED)
    assert type(engine.receive(wire, "ems", 1)) is Answered


# -- questions to everybody ------------------------------------------------------------------------------


def test_many_nodes_answer_one_question() -> None:
    engine = Engine()
    exchange = get(engine, many=True, deoj=Eoj(0x028A00))
    for number, address in enumerate(("one", "two", "two"), 1):
        event = engine.receive(answer(exchange, seoj=Eoj.of(0x028A, number)), address, number)
        assert type(event) is Answered
        assert event.address == address
    assert type(engine.receive(answer(exchange, seoj=CONTROLLER), "three", 4)) is Unfit
    assert engine.poll(10) == [TimedOut(exchange)]
    assert type(engine.receive(answer(exchange, seoj=METER), "four", 11)) is Late
    assert len(engine) == 0
    named = engine.request("all", CONTROLLER, METER, Esv.GET, ASKED, now=20, timeout_s=1, many=True)
    engine.cancel(named)
    assert type(engine.receive(answer(named), "four", 21)) is Late


# -- a write that wants no answer ------------------------------------------------------------------------


def test_silence_is_the_success_of_a_set_without_answer() -> None:
    engine = Engine()
    exchange = engine.request(
        "meter", CONTROLLER, METER, Esv.SETI, [(0xE1, b"\x00\x01")], now=0, timeout_s=1, retries=3
    )
    assert exchange.tries_left == 0  # sent twice it would be written twice
    assert engine.poll(1) == [TimedOut(exchange)]
    refused = engine.request("meter", CONTROLLER, METER, Esv.SETI, [(0xE1, b"\x01")], now=2, timeout_s=1)
    wire = answer(refused, esv=Esv.SETI_SNA, properties=[(0xE1, b"\x01")])
    assert type(engine.receive(wire, "meter", 2)) is Answered


# -- transaction numbers and limits ----------------------------------------------------------------------


def test_numbers_wrap_and_skip_those_in_use() -> None:
    engine = Engine(first_tid=0xFFFE)
    tids = [get(engine).tid for _ in range(4)]
    assert tids == [0xFFFE, 0xFFFF, 1, 2]
    engine = Engine(first_tid=0xFFFF)
    held = get(engine)
    assert [engine.next_tid() for _ in range(0xFFFE)] == list(range(1, 0xFFFF))
    assert (held.tid, engine.next_tid()) == (0xFFFF, 1)


def test_65535_exchanges_may_be_open_and_no_more() -> None:
    engine = Engine()
    exchanges = [get(engine) for _ in range(0xFFFF)]
    assert len({exchange.tid for exchange in exchanges}) == 0xFFFF
    for ask in (lambda: get(engine), engine.next_tid):
        with pytest.raises(LocalProtocolError, match="65535 exchanges are open"):
            ask()
    assert type(engine.receive(answer(exchanges[41]), "meter", 1)) is Answered
    assert get(engine).tid == exchanges[41].tid


def test_memory_stays_bounded_behind_one_long_wait() -> None:
    engine = Engine()
    get(engine)
    for now in range(10_000):
        exchange = engine.request("meter", CONTROLLER, METER, Esv.GET, ASKED, now=now, timeout_s=60)
        assert type(engine.receive(answer(exchange), "meter", now)) is Answered
        assert engine.next_due() == 10
    assert len(engine._timers) < 100
    assert len(engine._past) <= 4096
    assert len(engine._open) == 1


@pytest.mark.parametrize("tid", [0, 0x10000])
def test_the_first_number_is_checked(tid: int) -> None:
    with pytest.raises(LocalProtocolError, match="1 to 65535"):
        Engine(first_tid=tid)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"esv": Esv.GET_RES}, "not a request"),
        ({"esv": Esv.INF}, "not a request"),
        ({"timeout_s": 0}, "no sense"),
        ({"timeout_s": float("nan")}, "no sense"),
        ({"retries": -1}, "no sense"),
        ({"properties": [(1, b"")]}, "property code"),
        ({"second": []}, "second"),
    ],
)
def test_wrong_questions_are_refused_and_leave_nothing_open(change: dict, reason: str) -> None:
    engine = Engine()
    plain = {
        "address": "meter", "seoj": CONTROLLER, "deoj": METER, "esv": Esv.GET, "properties": ASKED,
        "now": 0, "timeout_s": 1, "retries": 0,
    }  # fmt: skip
    with pytest.raises(ValueError, match=reason):
        engine.request(**(plain | change))
    assert (len(engine), engine.next_due()) == (0, None)


# -- whatever arrives ------------------------------------------------------------------------------------


@given(st.binary(max_size=40) | st.binary(max_size=40).map(b"\x10\x81".__add__))
def test_any_bytes_are_an_event(data: bytes) -> None:
    engine = Engine()
    get(engine)
    assert type(engine.receive(data, "meter", 0)) in {
        Malformed, Arbitrary, Requested, Announced, Stray, Unfit, Answered
    }  # fmt: skip


@given(frames())
def test_a_silent_engine_is_never_answered(frame: Frame) -> None:
    event = Engine().receive(frame.encode(), "meter", 0)
    if frame.esv in (Esv.INF, Esv.INFC):
        assert event == Announced(frame, "meter")
    elif frame.esv in (Esv.GET, Esv.INF_REQ, Esv.SETI, Esv.SETC, Esv.SETGET):
        assert event == Requested(frame, "meter")
    else:
        assert event == Stray(frame, "meter")


def test_malformed_and_arbitrary() -> None:
    event = Engine().receive(b"\x10\x81\x00", "x", 0)
    assert type(event) is Malformed
    assert (event.data, event.address, event.error.offset) == (b"\x10\x81\x00", "x", 3)
    assert type(Engine().receive(b"\x10\x82\x00\x01hello", "x", 0)) is Arbitrary


def test_trailing_bytes_by_engine_and_by_sender() -> None:
    wire = Frame(1, METER, CONTROLLER, Esv.GET, ASKED).encode() + b"\0"
    assert type(Engine().receive(wire, "x", 0)) is Malformed
    assert type(Engine().receive(wire, "x", 0, trailing=True)) is Requested
    assert type(Engine(trailing=True).receive(wire, "x", 0)) is Requested
    assert type(Engine(trailing=True).receive(wire, "x", 0, trailing=False)) is Malformed
