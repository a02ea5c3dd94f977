"""Property maps: any set survives, any bytes give a set or the one error."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from koatsu.echonet import DecodeError, decode_map, encode_map

codes = st.frozensets(st.integers(0x80, 0xFF), max_size=128)
lists = st.builds(
    lambda epcs, off: bytes(((len(epcs) + off) % 256, *epcs)),
    st.lists(st.integers(0x70, 0xFF), max_size=20),
    st.sampled_from((0, 0, 0, -1, 1)),
)
bitmaps = st.builds(
    lambda bits, off: bytes(((sum(byte.bit_count() for byte in bits) + off) % 256,)) + bits,
    st.binary(min_size=15, max_size=17),
    st.sampled_from((0, 0, 0, -1, 1)),
)


@given(codes)
@example(frozenset(range(0x80, 0x100)))
@example(frozenset(range(0x80, 0x8F)))
@example(frozenset(range(0x80, 0x90)))
def test_any_set_survives(some: frozenset[int]) -> None:
    edt = encode_map(some)
    assert decode_map(edt) == some
    assert len(edt) == (1 + len(some) if len(some) < 16 else 17)
    assert edt[0] == len(some)


@given(st.binary(max_size=20) | lists | bitmaps)
def test_any_bytes_give_a_set_or_the_one_error(edt: bytes) -> None:
    try:
        some = decode_map(edt)
    except DecodeError as error:
        assert 0 <= error.offset <= len(edt)  # noqa: PT017 - either way is right, and is looked at
        assert error.data == edt  # noqa: PT017
        assert error.expected  # noqa: PT017
    else:
        assert len(some) == edt[0]
        assert all(0x80 <= epc <= 0xFF for epc in some)
        back = encode_map(some)
        # The one thing that is not told: the order of a list.
        assert back == edt if edt[0] >= 16 else (back[0], *sorted(edt[1:])) == tuple(back)


@given(codes, st.data())
def test_a_cut_or_longer_map_is_refused(some: frozenset[int], data: st.DataObject) -> None:
    edt = encode_map(some)
    for wrong in (edt[: data.draw(st.integers(0, len(edt) - 1))], edt + b"\x80"):
        with pytest.raises(DecodeError):
            decode_map(wrong)


def test_order_and_repetition_do_not_matter() -> None:
    assert encode_map([0xE2, 0x80, 0xE2]) == encode_map({0x80, 0xE2}) == b"\x02\x80\xe2"
    assert encode_map(iter(())) == b"\x00"


@pytest.mark.parametrize("epc", [-1, 0, 0x7F, 0x100])
def test_codes_out_of_range_are_refused(epc: int) -> None:
    with pytest.raises(ValueError, match="0x80 to 0xFF"):
        encode_map([0x80, epc])
