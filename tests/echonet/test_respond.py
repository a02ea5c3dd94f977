"""The answering side: whatever is asked of whatever object, the answer is one the asking side takes."""

from __future__ import annotations

import pytest
from frame_strategies import epcs, frames, objects, properties
from hypothesis import given
from hypothesis import strategies as st

from koatsu.echonet import (
    ANNOUNCEMENTS,
    ANSWERS,
    CONTROLLER,
    REFUSALS,
    REQUESTS,
    SUCCESS,
    Answered,
    Engine,
    Eoj,
    Esv,
    Frame,
    Requested,
    confirm,
    decode,
    refuse_all,
    respond,
)

METER = Eoj(0x028A01)


class Partial:
    """An object that has some properties, takes some values and remembers what it was given."""

    def __init__(self, eoj: Eoj, values: dict[int, bytes], writable: frozenset[int]) -> None:
        self.eoj = eoj
        self.values = values
        self.writable = writable
        self.calls: list[tuple[str, int]] = []

    def get(self, epc: int) -> bytes | None:
        self.calls.append(("get", epc))
        return self.values.get(epc)

    def set(self, epc: int, edt: bytes) -> bool:
        self.calls.append(("set", epc))
        if epc not in self.writable:
            return False
        self.values[epc] = edt
        return True


few = st.sampled_from((0x80, 0xD3, 0xE1, 0xE2, 0xE7))  # so that asking and having meet
pairs = st.lists(st.tuples(few | epcs, st.binary(max_size=4)), max_size=6)
partials = st.builds(
    lambda values, writable: (values, writable),
    st.dictionaries(few | epcs, st.binary(max_size=4), max_size=5),
    st.frozensets(few | epcs, max_size=5),
)


@given(objects, st.sampled_from(sorted(REQUESTS)), pairs, pairs, partials, st.booleans())
def test_the_answer_fits_what_was_asked(
    eoj: Eoj, service: int, first: list, other: list, having: tuple, to_all: bool
) -> None:
    esv = Esv(service)
    served = Partial(eoj, *having)
    held = dict(served.values)
    deoj = Eoj.of(eoj.class_code, 0) if to_all else eoj
    engine = Engine()
    exchange = engine.request(
        "meter", CONTROLLER, deoj, esv, first, other if esv is Esv.SETGET else None, now=0, timeout_s=1
    )
    asked = decode(exchange.data)
    assert isinstance(asked, Frame)
    answer = respond(asked, served)

    wanted_calls = []
    if esv in (Esv.SETI, Esv.SETC, Esv.SETGET):
        wanted_calls += [("set", epc) for epc, _ in first]
    if esv in (Esv.GET, Esv.INF_REQ, Esv.SETGET):
        wanted_calls += [("get", epc) for epc, _ in (other if esv is Esv.SETGET else first)]
    assert served.calls == wanted_calls  # writes come before reads, each once, in order

    if esv is Esv.SETGET:
        held.update((epc, edt) for epc, edt in first if epc in served.writable)
    complete = all(
        epc in served.writable if call == "set" else bool(held.get(epc)) for call, epc in wanted_calls
    )
    if answer is None:
        assert not wanted_calls or (esv is Esv.SETI and complete)
        return
    assert answer.esv is (SUCCESS if complete else REFUSALS)[esv]
    assert answer.esv in ANSWERS[esv]
    assert (answer.tid, answer.seoj, answer.deoj) == (asked.tid, eoj, CONTROLLER)
    event = engine.receive(answer.encode(), "meter", 0.5)
    assert type(event) is Answered
    assert event.exchange is exchange
    if esv in (Esv.GET, Esv.INF_REQ):
        assert answer.properties == tuple((epc, held.get(epc, b"")) for epc, _ in first)
    else:
        written = tuple((epc, b"" if epc in served.writable else edt) for epc, edt in first)
        assert answer.properties == written
    if answer.second is not None:
        assert answer.second == tuple((epc, held.get(epc, b"")) for epc, _ in other)


@given(frames(st.sampled_from(sorted(set(Esv) - REQUESTS))), partials)
def test_what_is_no_request_is_not_answered(frame: Frame, having: tuple) -> None:
    served = Partial(METER, *having)
    assert respond(frame, served) is None
    assert served.calls == []
    assert refuse_all(frame, METER) is None


@given(frames(st.sampled_from(sorted(REQUESTS))), objects)
def test_refuse_all_fits_every_request(frame: Frame, eoj: Eoj) -> None:
    refusal = refuse_all(frame, eoj)
    assert refusal is not None
    assert refusal.esv is REFUSALS[frame.esv]
    assert refusal.epcs == frame.epcs
    assert (refusal.tid, refusal.seoj, refusal.deoj) == (frame.tid, eoj, frame.seoj)
    if frame.second is not None:
        assert refusal.second == tuple((epc, b"") for epc, _ in frame.second)


@given(frames(), objects)
def test_only_a_confirmed_announcement_gets_a_receipt(frame: Frame, eoj: Eoj) -> None:
    receipt = confirm(frame, eoj)
    assert (receipt is not None) is (frame.esv is Esv.INFC)
    if receipt is not None:
        assert receipt.esv is Esv.INFC_RES
        assert receipt.properties == tuple((epc, b"") for epc in frame.epcs)
        assert (receipt.tid, receipt.seoj, receipt.deoj) == (frame.tid, eoj, frame.seoj)


@given(properties)
def test_the_receipt_ends_the_announcement(values: list) -> None:
    engine = Engine()
    exchange = engine.request("ems", METER, CONTROLLER, Esv.INFC, values, now=0, timeout_s=1)
    receipt = confirm(exchange.frame, CONTROLLER)
    assert receipt is not None
    assert type(engine.receive(receipt.encode(), "ems", 0)) is Answered


def test_a_set_without_answer_is_silent_only_when_it_was_taken() -> None:
    served = Partial(METER, {}, frozenset({0xE1}))
    assert respond(Frame(1, CONTROLLER, METER, Esv.SETI, [(0xE1, b"\x00\x01")]), served) is None
    refusal = respond(Frame(2, CONTROLLER, METER, Esv.SETI, [(0xE1, b"\x00\x01"), (0x80, b"\x31")]), served)
    assert refusal == Frame(2, METER, CONTROLLER, Esv.SETI_SNA, [(0xE1, b""), (0x80, b"\x31")])


def test_a_value_without_bytes_is_refused() -> None:
    # PDC 0 in an answer to Get says "not readable"; in a full answer it would be refused by the other side.
    answer = respond(
        Frame(1, CONTROLLER, METER, Esv.GET, [(0xE2, b"")]), Partial(METER, {0xE2: b""}, frozenset())
    )
    assert answer is not None
    assert answer.esv is Esv.GET_SNA


@pytest.mark.parametrize("esv", sorted(REQUESTS))
def test_a_request_for_nothing_is_not_answered(esv: Esv) -> None:
    second: list | None = [] if esv is Esv.SETGET else None
    assert respond(Frame(1, CONTROLLER, METER, esv, [], second), Partial(METER, {}, frozenset())) is None


def test_every_service_is_a_request_an_announcement_or_an_answer() -> None:
    ends = {esv for services in ANSWERS.values() for esv in services}
    assert REQUESTS | ANNOUNCEMENTS | ends == set(Esv)
    assert set(ANSWERS) == REQUESTS | {Esv.INFC}
    assert type(Engine().receive(Frame(1, METER, CONTROLLER, Esv.GET, []).encode(), "x", 0)) is Requested
