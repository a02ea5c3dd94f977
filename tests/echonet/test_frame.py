"""Frames: any bytes give a message or the one error, a frame survives the wire, nothing wrong is built."""

from __future__ import annotations

import copy
import pickle
import random
import sys
from pathlib import Path

import pytest
from frame_strategies import TWO_LISTS, eojs, frames, properties
from hypothesis import example, given
from hypothesis import strategies as st

from koatsu.echonet import CONTROLLER, NODE_PROFILE, DecodeError, Eoj, Esv, Frame, Message, decode, message_id

sys.path.append(str(Path(__file__).parents[2]))
from benchmarks.baselines import standard, struct_codec

METER = Eoj(0x028A01)
GET = Frame(7, CONTROLLER, METER, Esv.GET, [(0xE2, b""), (0xE3, b"")])


def judged(data: bytes) -> tuple | None:
    try:
        return standard.read(data)
    except standard.MalformedError:
        return None


# -- any bytes -------------------------------------------------------------------------------------------

anything = st.one_of(
    st.binary(max_size=64),
    st.binary(max_size=40).map(b"\x10\x81".__add__),
    st.binary(max_size=40).map(b"\x10\x82".__add__),
    # a head that is right, so that the lists are reached
    st.builds(
        lambda esv, rest: b"\x10\x81\x00\x01\x05\xff\x01\x02\x8a\x01" + bytes((esv,)) + rest,
        st.sampled_from(Esv),
        st.lists(st.sampled_from((0, 0, 1, 1, 2, 3, 0x7F, 0x80, 0xE2, 0xFF)), max_size=20).map(bytes),
    ),
)


@given(anything)
@example(b"")
@example(b"\x10")
@example(b"\x10\x82\x00")
@example(b"\x10\x81" + bytes(9))
def test_any_bytes_give_a_message_or_the_one_error(data: bytes) -> None:
    truth = judged(data)
    if truth is None:
        with pytest.raises(DecodeError) as caught:
            decode(data)
        error = caught.value
        assert 0 <= error.offset <= len(data)
        assert error.data == data
        assert error.expected
        assert f"at byte {error.offset}: expected {error.expected}" in str(error)
    else:
        message = decode(data)
        assert tuple(message) == truth
        if isinstance(message, Frame):
            assert message.encode() == data


@given(anything)
def test_trailing_accepts_no_less(data: bytes) -> None:
    try:
        strict = decode(data)
    except DecodeError:
        return
    assert decode(data, trailing=True) == strict


@given(anything)
def test_message_id_never_raises(data: bytes) -> None:
    tid = message_id(data)
    try:
        assert decode(data).tid == tid
    except DecodeError:
        assert tid is None or tid == int.from_bytes(data[2:4], "big")


@given(frames(), st.randoms(use_true_random=False))
def test_a_damaged_frame_is_judged_as_the_standard_judges_it(frame: Frame, rng: random.Random) -> None:
    data = bytearray(frame.encode())
    data[rng.randrange(len(data))] = rng.randrange(256)
    truth = judged(bytes(data))
    if truth is None:
        with pytest.raises(DecodeError):
            decode(bytes(data))
        with pytest.raises(ValueError):
            struct_codec.decode(bytes(data))
    else:
        assert tuple(decode(bytes(data))) == struct_codec.decode(bytes(data)) == truth


# -- there and back --------------------------------------------------------------------------------------


@given(frames())
def test_a_frame_survives_the_wire(frame: Frame) -> None:
    wire = frame.encode()
    back = decode(wire)
    assert back == frame
    assert hash(back) == hash(frame)
    assert wire == standard.write(*frame)
    assert type(back) is Frame
    assert isinstance(back, Frame)
    assert (type(back.seoj), type(back.deoj), type(back.esv)) == (Eoj, Eoj, Esv)


@given(frames(), st.data())
def test_a_cut_frame_is_refused(frame: Frame, data: st.DataObject) -> None:
    wire = frame.encode()
    kept = data.draw(st.integers(0, len(wire) - 1))
    for trailing in (False, True):
        with pytest.raises(DecodeError) as caught:
            decode(wire[:kept], trailing=trailing)
        assert caught.value.offset <= kept


@given(frames(), st.binary(min_size=1, max_size=5))
def test_bytes_behind_the_end_are_refused_unless_allowed(frame: Frame, more: bytes) -> None:
    wire = frame.encode()
    with pytest.raises(DecodeError) as caught:
        decode(wire + more)
    assert caught.value.offset == len(wire)
    assert caught.value.expected == "the end"
    assert decode(wire + more, trailing=True) == frame


def test_the_longest_frame() -> None:
    full = [(0x80 + n % 128, bytes(255)) for n in range(255)]
    frame = Frame(0, CONTROLLER, METER, Esv.SETGET, full, full)
    assert decode(frame.encode()) == frame
    assert len(frame.encode()) == 12 + 1 + 2 * 255 * 257


@given(st.integers(0, 0xFFFF), st.binary(max_size=40))
def test_an_arbitrary_message(tid: int, data: bytes) -> None:
    assert decode(b"\x10\x82" + tid.to_bytes(2, "big") + data) == Message(tid, data)


# -- building --------------------------------------------------------------------------------------------


def test_plain_numbers_become_names() -> None:
    frame = Frame(1, 0x05FF01, 0x028A01, 0x62, [(0xE2, b"")])
    assert (frame.seoj, frame.deoj, frame.esv) == (CONTROLLER, METER, Esv.GET)
    assert (type(frame.seoj), type(frame.esv), type(frame.properties)) == (Eoj, Esv, tuple)
    assert repr(frame) == "<GET 0x62 TID 1 0x05FF01 → 0x028A01: E2>"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"tid": -1}, "TID"),
        ({"tid": 0x10000}, "TID"),
        ({"seoj": -1}, "three bytes"),
        ({"deoj": 0x1000000}, "three bytes"),
        ({"esv": 0x64}, "100 is not a valid Esv"),
        ({"properties": [(0x7F, b"")]}, "0x80 to 0xFF, not 0x7f"),
        ({"properties": [(0x100, b"")]}, "0x80 to 0xFF, not 0x100"),
        ({"properties": [(0x80, bytes(256))]}, "0 to 255 bytes"),
        ({"properties": [(0x80, bytearray(1))]}, "0 to 255 bytes"),
        ({"properties": [(0x80, "30")]}, "0 to 255 bytes"),
        ({"properties": [(0x80, None)]}, "0 to 255 bytes"),
        ({"properties": [[0x80, b""]]}, "tuple"),
        ({"properties": [(0x80, b"")] * 256}, "at most 255"),
        ({"second": []}, "GET 0x62 has no second"),
        ({"esv": Esv.SETGET}, "SETGET 0x6E needs a second"),
        ({"esv": Esv.SETGET, "second": [(0x7F, b"")]}, "0x80 to 0xFF"),
        ({"esv": Esv.SETGET, "second": [(0x80, b"")] * 256}, "at most 255"),
    ],
)
def test_nothing_wrong_is_built(change: dict, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Frame(**(GET._asdict() | change))
    with pytest.raises(ValueError, match=reason):
        GET._replace(**change)


def test_a_frame_never_changes() -> None:
    given_list = [(0xE2, b"")]
    frame = Frame(1, CONTROLLER, METER, Esv.GET, given_list)
    given_list.append((0xE3, b""))
    assert frame.epcs == (0xE2,)
    with pytest.raises(AttributeError):
        frame.tid = 2  # type: ignore[misc]
    with pytest.raises(AttributeError):
        frame.note = "x"  # type: ignore[attr-defined]


@given(frames())
def test_copies_and_pickles_are_equal(frame: Frame) -> None:
    for other in (
        copy.copy(frame),
        copy.deepcopy(frame),
        pickle.loads(pickle.dumps(frame)),
        frame._replace(),
    ):
        assert other == frame
        assert type(other) is Frame


@given(eojs, eojs, st.sampled_from([esv for esv in Esv if esv not in TWO_LISTS]), properties)
def test_the_struct_loop_agrees(seoj: Eoj, deoj: Eoj, esv: Esv, pairs: list) -> None:
    assert struct_codec.encode(1, seoj, deoj, esv, pairs) == Frame(1, seoj, deoj, esv, pairs).encode()


def test_a_flood_of_objects_does_not_fill_the_memory() -> None:
    from koatsu.echonet import frame as module

    for n in range(10_000):
        wire = Frame(1, n, n + 1, Esv.GET, [(0x80, b"")]).encode()
        assert decode(wire) == Frame(1, Eoj(n), Eoj(n + 1), Esv.GET, ((0x80, b""),))
    assert len(module._eojs) <= 4096
    assert len(module._pairs) <= 4096


# -- identifiers and services ----------------------------------------------------------------------------


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFF))
def test_eoj_parts(class_code: int, instance: int) -> None:
    eoj = Eoj.of(class_code, instance)
    assert (eoj.class_code, eoj.instance) == (class_code, instance)
    assert eoj.encode() == class_code.to_bytes(2, "big") + bytes((instance,))
    assert str(eoj) == f"0x{class_code:04X}{instance:02X}"
    assert f"{eoj:06X}" == str(eoj)[2:]
    assert eoj == int(eoj)
    assert eoj.includes(Eoj.of(class_code, 5)) is (instance in (0, 5))


@pytest.mark.parametrize("parts", [(-1, 1), (0x10000, 1), (0x028A, -1), (0x028A, 256)])
def test_no_such_object(parts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no such object"):
        Eoj.of(*parts)


@pytest.mark.parametrize("value", [-1, 0x1000000])
def test_an_eoj_has_three_bytes(value: int) -> None:
    with pytest.raises(ValueError, match="three bytes"):
        Eoj(value)


def test_well_known_objects() -> None:
    assert (str(NODE_PROFILE), str(CONTROLLER), repr(METER)) == ("0x0EF001", "0x05FF01", "Eoj(0x028A01)")
    assert str(Esv.GET_RES) == "GET_RES 0x72"
