"""A Get that is asked again is not built again: it must be the same frame all the same, but for its TID."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from koatsu.echonet import CONTROLLER, Engine, Eoj, Esv, Frame, decode

METER = Eoj(0x028A01)
QUESTIONS = st.lists(st.integers(0x80, 0xFF).map(lambda epc: (epc, b"")), min_size=1, max_size=8)


@given(questions=st.lists(QUESTIONS, min_size=1, max_size=4), order=st.lists(st.integers(0, 3), max_size=12))
def test_every_question_is_the_frame_that_it_says(
    questions: list[list[tuple[int, bytes]]], order: list[int]
) -> None:
    engine = Engine()
    tids = set()
    for number in order:
        asked = questions[number % len(questions)]
        exchange = engine.request(number, CONTROLLER, METER, Esv.GET, asked, now=0.0, timeout_s=1.0)
        assert exchange.frame == Frame(exchange.tid, CONTROLLER, METER, Esv.GET, asked)
        assert type(exchange.frame) is Frame
        assert decode(exchange.data) == exchange.frame
        tids.add(exchange.tid)
    assert len(tids) == len(order)


@pytest.mark.parametrize("asked", [[(0x7F, b"")], [(0xE2, bytearray(1))], [[0xE2, b""]]])
def test_what_is_no_property_is_refused_each_time(asked: list[tuple[int, bytes]]) -> None:
    engine = Engine()
    for _ in range(2):
        with pytest.raises(ValueError, match="propert"):
            engine.request("meter", CONTROLLER, METER, Esv.GET, asked, now=0.0, timeout_s=1.0)
    assert len(engine) == 0
