"""Retailers' half-hour CSV: every described layout gives back its energies exactly, the rest is refused."""

from __future__ import annotations

import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from exchange_files import (
    CLOCK_FORMS,
    DAY_FORMS,
    LONG,
    NUMBER_FORMS,
    WIDE,
    long_rows,
    wide_rows,
    written,
)
from hypothesis import given
from hypothesis import strategies as st

from koatsu.ems.exchange import FileRefusedError, read_retailer_csv
from koatsu.ems.exchange.containers import read_single, sniffed
from koatsu.errors import KoatsuError
from koatsu.meter.slots import Slot

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ENERGIES = st.decimals(min_value=0, max_value=99_999, places=3, allow_nan=False).map(
    lambda value: Decimal(f"{value:f}")
)
DAYS = st.dates(date(2019, 5, 2), date(2029, 12, 1))


@st.composite
def whole_days(draw: st.DrawFn) -> dict[Slot, Decimal | None]:
    """One to three days, some slots of them empty, one at least known."""
    first = draw(DAYS)
    slots = [
        Slot(first + timedelta(days=n), number)
        for n in range(draw(st.integers(1, 3)))
        for number in range(1, 49)
    ]
    values = draw(st.lists(st.none() | ENERGIES, min_size=len(slots), max_size=len(slots)))
    energies = dict(zip(slots, values, strict=True))
    energies[slots[draw(st.integers(0, len(slots) - 1))]] = draw(ENERGIES)
    return energies


def read(data: bytes, **more: object) -> dict[Slot, Decimal]:
    found = read_retailer_csv(data, "file.csv", now=NOW, **more)  # type: ignore[arg-type]  # handed on by name
    return {value.slot: value.energy_kwh for value in found.values}


def known(energies: dict[Slot, Decimal | None]) -> dict[Slot, Decimal]:
    return {slot: energy for slot, energy in energies.items() if energy is not None}


@given(
    whole_days(),
    st.sampled_from(sorted(WIDE)),
    st.sampled_from(DAY_FORMS),
    st.sampled_from(NUMBER_FORMS),
    st.sampled_from(("utf-8", "utf-8-sig", "cp932")),
    st.sampled_from((",", "\t")),
)
def test_one_row_a_day_is_read_exactly(
    energies: dict[Slot, Decimal | None], headings: str, day: str, number: str, codec: str, separator: str
) -> None:
    text = written(wide_rows(energies, headings, day, number), separator=separator)
    found = read_retailer_csv(text.encode(codec), "file.csv", now=NOW)
    assert {value.slot: value.energy_kwh for value in found.values} == known(energies)
    assert found.empty == len(energies) - len(known(energies))


@given(
    whole_days(),
    st.sampled_from(LONG),
    st.sampled_from(DAY_FORMS),
    st.sampled_from(CLOCK_FORMS),
    st.sampled_from(NUMBER_FORMS),
    st.sampled_from(("utf-8", "utf-8-sig", "cp932")),
)
def test_one_row_a_half_hour_is_read_exactly(
    energies: dict[Slot, Decimal | None], times: str, day: str, clock: str, number: str, codec: str
) -> None:
    if times == "span" and (clock == "kanji" or day == "dash"):
        clock = "long"
    text = written(long_rows(energies, times, day, clock, number))
    assert read(text.encode(codec)) == known(energies)


def test_what_koatsu_itself_exports_can_be_read() -> None:
    rows = "slot_start,slot_end,energy_kwh,demand_kw,start_count\r\n"
    rows += "2026-04-01T00:00:00+09:00,2026-04-01T00:30:00+09:00,12.6,25.2,100\r\n"
    assert read(rows.encode("utf-8-sig")) == {Slot(date(2026, 4, 1), 1): Decimal("12.6")}


def test_words_before_the_table_sums_and_notes_are_passed_over() -> None:
    rows = [
        ["ご使用量明細"], ["お客様名", "青葉食品 東工場"], ["単位:kWh"], [],
        ["年月日", *WIDE["starts"]], ["2026/4/1", *["1.5"] * 48], ["合計", *["1.5"] * 48], ["※ 速報値です"],
    ]  # fmt: skip
    assert sum(read(written(rows).encode("cp932")).values()) == 72


def test_a_bare_time_can_be_said_to_be_the_end() -> None:
    rows = "日付,時刻,使用量(kWh)\n2026/4/1,8:00,3\n2026/4/1,8:30,4\n".encode()
    with pytest.raises(FileRefusedError, match="cannot be told"):
        read(rows)
    assert read(rows, stamps="end") == {
        Slot(date(2026, 4, 1), 16): Decimal(3), Slot(date(2026, 4, 1), 17): Decimal(4),
    }  # fmt: skip
    assert min(read(rows, stamps="start")) == Slot(date(2026, 4, 1), 17)


def test_one_of_several_supply_points_is_chosen_by_its_last_digits() -> None:
    rows = [["供給地点特定番号", "日付", "コマ", "電力量"]]
    rows += [
        ["03" + "0" * 16 + "1111", "2026/4/1", "1", "3"],
        ["03" + "0" * 16 + "2222", "2026/4/1", "1", "4"],
    ]
    data = written(rows).encode()
    with pytest.raises(FileRefusedError, match="2 supply points") as refused:
        read(data)
    assert "0000000000" not in str(refused.value) + str(refused.value.ja), "whole numbers are not shown"
    assert read(data, point="2222") == {Slot(date(2026, 4, 1), 1): Decimal(4)}
    with pytest.raises(FileRefusedError, match="ends with 3333"):
        read(data, point="3333")


def broken(row: str, *, heading: str = "日付,開始時刻,使用電力量(kWh)") -> str:
    return f"{heading}\n2026/4/1,0:00,1.5\n{row}\n"


@pytest.mark.parametrize(
    ("text", "row", "column", "found", "expected"),
    [
        (broken("2026/4/1,0:30,12..3"), 3, 3, "12..3", "1234.5"),
        (broken("2026/4/1,0:30,-3"), 3, 3, "not negative", "1234.5"),
        (broken("2026/4/1,0:30,1e3"), 3, 3, "1e3", "1234.5"),
        (broken("2026/4/1,0:30,1,234"), 3, 4, "4 cells under 3 headings", "quotation marks"),
        (broken('2026/4/1,0:30,"12,34.5"'), 3, 3, "12,34.5", "1,234.5"),
        (broken("2026/4/31,0:30,1"), 3, 1, "2026/4/31", "2026-04-01"),
        (broken("26/4/1,0:30,1"), 3, 1, "26/4/1", "2026-04-01"),
        (broken("平成38年4月1日,0:30,1"), 3, 1, "平成38年", "era"),
        (broken("1926/4/1,0:30,1"), 3, 1, "1926/4/1", "year"),
        (broken("2026/4/1(日),0:30,1"), 3, 1, "day of the week", "Wednesday"),
        (broken("2062/4/1,0:30,1"), 3, 3, "has not ended", "past"),
        (broken("2026/4/1,0:15,1"), 3, 2, "0:15", "half hour"),
        (broken("2026/4/1,24:30,1"), 3, 2, "24:30", "24:00"),
        (broken("2026/4/1,25:00,1"), 3, 2, "25:00", "24:00"),
        (broken("2026/4/1,0:00,1.5"), 3, 3, "again, after row 2", "once"),
        (broken("2026/4/1,0:30"), 3, 3, "ends after 2 cells", "3 cells"),
        (broken('2026/4/1,0:30,"1'), 3, None, "not a row of a CSV", "quotation"),
        (broken("2026/4/1,0:30,1", heading="日付,開始時刻,使用電力(kW)"), 1, 3, "not in kWh", "kWh"),
        (broken("2026/4/1,0:30,1", heading="日付,開始時刻,電力量(MWh)"), 1, 3, "not in kWh", "kWh"),
        ("日付,コマ,電力量,単位\n2026/4/1,1,1,kWh\n2026/4/1,2,1,MWh\n", 3, 4, "MWh", "kWh"),
        ("日付,コマ,電力量\n2026/4/1,49,1\n", 2, 2, "49", "48"),
        ("日付,開始時刻,終了時刻,電力量\n2026/4/1,0:00,1:00,1\n", 2, None, "half hour", "30 minutes"),
        ("日付,時間帯,電力量\n2026/4/1,0:00-1:00,1\n", 2, 2, "0:00-1:00", None),
        ("日付,コマ,買電量(kWh),売電量(kWh)\n2026/4/1,1,1,1\n", 1, 4, "both be the energy", "one column"),
        ("年月日," + ",".join(WIDE["starts"][:47]) + "\n2026/4/1" + ",1" * 47 + "\n", 1, None, "23:30", "48"),
        ("日時,電力量\n2026-03-29T02:30:00+10:00,1\n", 2, 1, "Japan Standard Time", "09:00"),
        ("a,b\n1,2\n", 1, None, "no heading row", "日付"),
        ("", None, None, "no rows", "日付"),
        ("日付,コマ,電力量\n2026/4/1,1,\n", None, None, "no value", "one half hour"),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_with_the_place_and_what_was_expected(
    text: str, row: int | None, column: int | None, found: str | None, expected: str | None
) -> None:
    with pytest.raises(FileRefusedError) as refused:
        read(text.encode())
    error = refused.value
    assert (error.place.row, error.place.column) == (row, column)
    sentence = error.text("en")
    assert found is None or found in sentence
    assert expected is None or expected in sentence
    assert "file.csv" in sentence
    assert "Nothing was imported." in sentence
    said = error.text("ja")
    assert "file.csv" in said
    assert "何も取り込んでいません。" in said
    if row is not None:
        assert f"row {row}" in sentence
        assert f"{row} 行目" in said


def test_text_in_neither_encoding_is_refused_at_its_row() -> None:
    rows = written([["日付", "コマ", "電力量"], ["2026/4/1", "1", "1"]]).encode("cp932")
    with pytest.raises(FileRefusedError, match=r"row 3.*0x82") as refused:
        read(rows + b"\x82\x0b,1,1\r\n")
    assert refused.value.place.row == 3
    with pytest.raises(FileRefusedError, match="UTF-8"):
        read(rows, encoding="utf-8")
    with pytest.raises(FileRefusedError, match="UTF-8 or CP932"):
        read(written([["日付"]]).encode("utf-16"))


def outcome(data: bytes) -> dict[Slot, Decimal] | KoatsuError:
    """The values of a file, or why it is refused; any other error is one of the program."""
    try:
        return read(data)
    except KoatsuError as error:
        return error


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_any_bytes_end_in_values_or_in_one_sentence(data: bytes) -> None:
    found = outcome(data)
    if isinstance(found, KoatsuError):
        assert found.ja
        assert "\n" not in found.text("en")


LIKELY = """日付 年月日 コマ 時刻 開始時刻 電力量 電力量(kWh) 単位 kWh 2026/4/1 9999/12/31 0:00 0:30
24:00 1 48 -1 1e5 , " 令和8年4月1日 令和元年1月1日 日時 2026-04-01T24:00 供給地点特定番号
٣ ２ 合計 ※ NaN Infinity"""
CELLS = st.sampled_from(sorted(set(LIKELY.split())))


@given(st.lists(st.lists(CELLS, max_size=6), max_size=8))
def test_rows_of_likely_cells_never_break_the_reader(rows: list[list[str]]) -> None:
    found = outcome(written(rows).encode())
    if isinstance(found, KoatsuError):
        assert found.ja
    else:
        assert all(slot.end <= NOW for slot in found)


def packed(*files: tuple[str, bytes]) -> BytesIO:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in files:
            out.writestr(name, data)
    return target


def test_a_zip_of_one_file_is_opened_and_a_bomb_is_not() -> None:
    small = packed(("使用量.csv", b"abc"))
    assert sniffed(small, "f.zip") == "retailer-csv"
    assert read_single(small, "f.zip") == b"abc"
    assert sniffed(packed(("a.XML", b"")), "f.zip") == "occto-xml"
    with pytest.raises(FileRefusedError, match="2 files"):
        read_single(packed(("a", b""), ("b", b"")), "f.zip")
    with pytest.raises(FileRefusedError, match="more than 1 MiB"):
        read_single(packed(("a", bytes(50_000_000))), "f.zip", limit=1 << 20)
    with pytest.raises(FileRefusedError, match="more than"):
        read_single(BytesIO(bytes(2_000_000)), "f.csv", limit=1 << 20)


@given(st.integers(0, 200), st.binary(min_size=1, max_size=4))
def test_a_damaged_zip_is_one_sentence(at: int, noise: bytes) -> None:
    data = bytearray(packed(("a.csv", b"0123456789" * 20)).getvalue())
    data[at % len(data) : at % len(data) + len(noise)] = noise
    with suppress(KoatsuError):
        sniffed(BytesIO(data), "f.zip")
        read_single(BytesIO(data), "f.zip")


def test_dates_of_both_eras_meet() -> None:
    for text, day in (
        ("平成31年4月30日", date(2019, 4, 30)),
        ("令和元年5月1日", date(2019, 5, 1)),
        ("R8.4.1", date(2026, 4, 1)),
    ):
        assert min(read(f"日付,コマ,電力量\n{text},1,1\n".encode())).day == day
    with pytest.raises(FileRefusedError, match="era"):
        read("日付,コマ,電力量\n令和1年4月30日,1,1\n".encode())
