"""What must hold for any bytes and any value of any property of any class."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.devices import PropertyDef, Record, Special, Value, device_class, known_classes
from koatsu.devices.codec import ArrayShape, CountedCodec, FixedCodec, RecordShape, WholeCodec
from koatsu.devices.leaf import CodeLeaf, RawLeaf, Shape, ThreeByteLeaf
from koatsu.devices.moment import DateLeaf, DateTimeLeaf, TimeLeaf
from koatsu.devices.number import IntLeaf, RangesLeaf, ScaledLeaf
from koatsu.devices.whole import BytesLeaf, MapLeaf, ReleaseLeaf, TextLeaf, WholeLeaf
from koatsu.echonet import DecodeError

#: One property for each layout there is: the others of the same layout share its codec's form.
ROWS = list({row.layout: row for code in known_classes() for row in device_class(code).properties}.values())
#: Naive, as Hypothesis wants them: one day inside what a clock of Japan and UTC can both say.
EARLIEST = datetime(1, 1, 2, tzinfo=UTC).replace(tzinfo=None)
LATEST = datetime(9999, 12, 30, tzinfo=UTC).replace(tzinfo=None)
FEWER = settings(max_examples=max(20, settings().max_examples // 4))  # for each of some fifty layouts


def numbers(leaf: IntLeaf) -> st.SearchStrategy[Value]:
    values: st.SearchStrategy[Any] = st.integers(leaf.low, leaf.high)
    if isinstance(leaf, ScaledLeaf):
        places = leaf.places
        values = values.map(lambda raw: Decimal(raw).scaleb(-places))
    if isinstance(leaf, RangesLeaf):
        values = st.sampled_from(leaf.ranges).flatmap(lambda ends: st.integers(*ends))
    return values | st.sampled_from(list(leaf.codes)) if leaf.codes else values


def moments(leaf: DateTimeLeaf) -> st.SearchStrategy[Value]:
    cut: dict[str, Any] = {"microsecond": 0} if leaf.seconds else {"microsecond": 0, "second": 0}

    def fit(moment: datetime) -> datetime:
        allowed = sorted(leaf.minutes or ())
        minute = allowed[moment.minute % len(allowed)] if allowed else moment.minute
        return moment.replace(minute=minute, **cut)

    zones = st.sampled_from([JST, UTC])
    times = st.datetimes(min_value=EARLIEST, max_value=LATEST, timezones=zones)
    return times.map(fit) | st.just(Special.UNSET)


def values_of(shape: Shape) -> st.SearchStrategy[Any]:
    """Every value of a shape."""
    match shape:
        case RecordShape():
            return st.fixed_dictionaries({name: values_of(part) for name, part in shape.fields}).map(Record)
        case ArrayShape():
            return st.lists(values_of(shape.item), min_size=shape.count, max_size=shape.count).map(tuple)
        case IntLeaf():
            return numbers(shape)
        case CodeLeaf():
            return st.sampled_from(list(shape.values.values()))
        case RawLeaf():
            return st.binary(min_size=shape.size, max_size=shape.size)
        case ThreeByteLeaf():
            return st.integers(0, 0xFFFFFF).map(shape.make)
        case DateTimeLeaf():
            return moments(shape)
        case DateLeaf():
            return st.dates()
        case TimeLeaf():
            return st.times().map(lambda time: time.replace(second=0, microsecond=0))
    raise AssertionError(shape)


def wholes(leaf: WholeLeaf) -> st.SearchStrategy[Any]:
    match leaf:
        case BytesLeaf():
            sizes = st.sampled_from(sorted(leaf.sizes))
            some = sizes.flatmap(lambda size: st.binary(min_size=size, max_size=size))
            return some.map(lambda data: bytes((leaf.first.get(len(data), data[0]),)) + data[1:])
        case TextLeaf():
            texts = st.text(min_size=1, max_size=leaf.max_size).filter(lambda text: text[0] != "\ufeff")
            return texts.filter(lambda text: len(text.encode()) <= leaf.max_size)
        case MapLeaf():
            return st.frozensets(st.integers(0x80, 0xFF))
        case ReleaseLeaf():
            parts = st.tuples(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), st.integers(0, 255))
            return parts.map(lambda pair: f"{pair[0]} rev.{pair[1]}")
    raise AssertionError(leaf)


def values(row: PropertyDef) -> st.SearchStrategy[Any]:
    """Every value of a property."""
    codec = row.codec
    if isinstance(codec, WholeCodec):
        return wholes(codec.leaf)
    if isinstance(codec, FixedCodec):
        return values_of(codec.shape)
    assert isinstance(codec, CountedCodec)

    def with_rows(head: Record) -> st.SearchStrategy[Record]:
        count = head[codec.count]
        assert isinstance(count, int)
        rows = st.lists(values_of(codec.row), min_size=count, max_size=count).map(tuple)
        return rows.map(lambda made: Record({**head, codec.name: made}))

    return values_of(codec.head).flatmap(with_rows)


def nearly(row: PropertyDef) -> st.SearchStrategy[bytes]:
    """Good bytes of a property with a few bytes changed, cut or added."""

    def spoil(good: bytes, at: int, put: bytes, drop: int) -> bytes:
        place = at % (len(good) + 1)
        return good[:place] + put + good[place + drop :]

    good = values(row).map(row.encode)
    return st.builds(spoil, good, st.integers(0, 255), st.binary(max_size=3), st.integers(0, 3))


each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.layout)


@each_row
@FEWER
@given(data=st.data())
def test_any_bytes_give_a_value_or_the_one_error(row: PropertyDef, data: st.DataObject) -> None:
    sized = st.binary(min_size=row.min_size, max_size=row.max_size)
    edt = data.draw(st.binary(max_size=300) | sized | nearly(row))
    try:
        value = row.decode(edt)
    except DecodeError as error:
        refused = error
    else:
        hash(value)
        again = row.encode(value)
        if row.layout == "propmap" and len(edt) < 17:  # listed in any order, encoded in ascending order
            assert sorted(edt) == sorted(again)
        else:
            assert again == edt
        return
    assert refused.data == edt
    assert 0 <= refused.offset <= len(edt)


@each_row
@FEWER
@given(data=st.data())
def test_any_value_comes_back(row: PropertyDef, data: st.DataObject) -> None:
    value = data.draw(values(row))
    edt = row.encode(value)
    assert row.min_size <= len(edt) <= row.max_size
    assert row.decode(edt) == value


@each_row
@FEWER
@given(data=st.data())
def test_a_cut_value_is_never_a_shorter_one(row: PropertyDef, data: st.DataObject) -> None:
    if row.min_size != row.max_size:
        return
    edt = row.encode(data.draw(values(row)))
    for wrong in (edt[:-1], edt + b"\x00", b""):
        with pytest.raises(DecodeError):
            row.decode(wrong)


ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(),
    st.decimals(),
    st.sampled_from([Decimal(text) for text in ("1E+999999", "1E-999999", f"0.1{'0' * 40}1", "sNaN")]),
    st.text(max_size=5),
    st.binary(max_size=20),
    st.datetimes(),
    st.dates(),
    st.times(),
    st.sampled_from(Special),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.sampled_from(["at", "normal", "day", "segments", "rows"]), st.integers(), max_size=3),
)


@each_row
@FEWER
@given(value=ODD)
def test_a_wrong_value_is_refused_with_a_reason(row: PropertyDef, value: Any) -> None:
    try:
        edt = row.encode(value)
    except ValueError as error:
        reason = str(error)
    else:
        row.decode(edt)
        return
    assert row.name in reason


@given(raw=st.integers(-32_767, 32_765))
def test_scaled_values_are_exact_in_any_decimal_context(raw: int) -> None:
    current = device_class(0x0288).property("current_now")
    with localcontext() as context:
        context.prec = 2
        edt = raw.to_bytes(2, "big", signed=True) * 2
        value = current.decode(edt)
        assert current.encode(value) == edt
    assert isinstance(value, Record)
    assert value["r"] == Decimal(raw) / 10
