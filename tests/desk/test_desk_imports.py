from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from register_site import (
    OTHER_POINT,
    OUTSIDE,
    POINT,
    POINT_HEADINGS,
    WHO,
    Memory,
    Site,
    csv_of,
    emptied,
    point_row,
)
from sqlalchemy import CheckConstraint

import databases
from koatsu.desk.database import DeskDatabase
from koatsu.desk.imports import SHEETS, ImportRefusedError, ImportReport, Register, refused_csv
from koatsu.desk.imports.cells import KINDS, read_day, read_kw
from koatsu.desk.imports.known import Stay
from koatsu.desk.imports.merging import write
from koatsu.desk.plain_text import TextRefused
from koatsu.desk.schema_registers import CHANGED

RARE = "\U00020bb7野家 葛\U000e0100城 \ufa19社 ㈱髙島"

#: A small file of each register, which everything furnished can take in.
FILES: Mapping[Register, Sequence[Sequence[str]]] = {
    Register.SUPPLY_POINTS: (
        POINT_HEADINGS,
        point_row({"町名番地": RARE, "契約開始日": "令和2年4月1日", "計量器の型式": "M-28A"}),
        point_row({"供給地点特定番号": OTHER_POINT, "電気の購入先": "", "小売電気事業者コード": "A0002"}),
    ),
    Register.CONTRACT_ENDS: (("供給地点特定番号", "契約終了日"), (POINT, "2026/6/30")),
    Register.OFFICES: (
        ("code", "kind", "name", "postal code", "address", "telephone", "e-mail address", "opening hours"),
        (
            "east",
            "distribution office",
            "東営業所",
            "8160001",
            "東市 1",
            "092-000-0001",
            "east@example.jp",
            "9–17",
        ),
    ),
    Register.AREAS: (
        ("office", "postal code prefix", "municipality"),
        ("north", "816", ""),
        ("north", "", "東市"),
    ),
    Register.RETAILERS: (("Retailer code", "Name", "own"), ("B0001", "みなみ電力", "no")),
    Register.CERTIFIED: (
        ("certificate number", "maker", "model", "kind", "certified on", "valid until"),
        ("SMA-0001", RARE, "EMS-1", "", "R6.4.1", ""),
    ),
    Register.SUPPORTED_TYPES: (
        ("device", "type", "maker", "two way", "supported since", "supported until"),
        ("terminal", "T-3", "試作電機", "", "20260401", ""),
    ),
    Register.METERS: (
        ("supply point number", "serial number", "type", "role", "placed on", "taken away on"),
        (POINT, "10001", "M-28A", "buy", "2026-04-01", ""),
        (POINT, "20001", "M-28A", "売電用", "2026-04-01", ""),
    ),
    Register.TERMINALS: (
        ("supply point number", "serial number", "type", "placed on", "taken away on"),
        (POINT, "T1", "T-2", "2026-04-01", "2026-05-01"),
    ),
}


@pytest.fixture
def site() -> Site:
    return Site(Memory()).furnished()


@pytest.fixture(scope="module")
def postgresql(server: databases.Server) -> Iterator[DeskDatabase]:
    """Tables on a real server, for one test after the other."""
    database = DeskDatabase(server.new_database(), 5.0)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Site:
    """The same registers on both databases."""
    if request.param == "sqlite":
        return Site(Memory()).furnished()
    return Site(emptied(request.getfixturevalue("postgresql"))).furnished()


def prepared(site: Site, register: Register) -> Site:
    """With the supply points that a register's file speaks of."""
    if register in (Register.CONTRACT_ENDS, Register.METERS, Register.TERMINALS):
        site.take(Register.SUPPLY_POINTS, *FILES[Register.SUPPLY_POINTS])
    return site


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    """New, changed, same, refused."""
    assert report.rows == report.new + report.changed + report.same + report.refused
    return report.new, report.changed, report.same, report.refused


def only(report: ImportReport) -> tuple[int, str, str, str]:
    """The only refusal: row, column, value, English sentence."""
    [one] = report.refusals
    assert one.words.ja.endswith("。")
    assert one.words.en.endswith(".")
    return one.row, one.column.en if one.column else "", one.value, one.words.en


# --- every register -------------------------------------------------------------------------------------


@pytest.mark.parametrize("register", Register)
def test_a_file_is_taken_and_the_same_again_changes_nothing(either: Site, register: Register) -> None:
    prepared(either, register)
    new = len(FILES[register]) - 1
    first = either.take(register, *FILES[register])
    expected = (0, 1, 0, 0) if register is Register.CONTRACT_ENDS else (new, 0, 0, 0)
    assert counts(first) == expected, [one.text("en") for one in first.refusals]
    before = either.rows(register)
    again = either.take(register, *FILES[register])
    assert counts(again) == (0, 0, new, 0)
    assert again.known_since == either.clock.now()
    assert "Nothing changes" in again.summary.en
    assert "変わったところはありません" in again.summary.ja
    assert either.rows(register) == before


@pytest.mark.parametrize("lang", ["ja", "en"])
@pytest.mark.parametrize("register", Register)
def test_what_is_exported_can_be_imported(either: Site, register: Register, lang: str) -> None:
    prepared(either, register).take(register, *FILES[register])
    before = either.rows(register)
    exported = b"".join(either.registers.export(register, lang))
    assert exported.startswith(b"\xef\xbb\xbf")
    report = either.take_bytes(register, exported)
    rows = len(list(csv.reader(io.StringIO(exported.decode("utf-8-sig"))))) - 1
    assert counts(report) == (0, 0, rows, 0), [one.text("en") for one in report.refusals]
    assert rows == (1 if register is Register.CONTRACT_ENDS else len(before))
    assert either.rows(register) == before
    assert report.ignored == ()
    assert report.known_since is None  # the same rows in another file
    assert report.summary.en.endswith("refused. Nothing changes.")


@pytest.mark.parametrize("register", Register)
def test_a_dry_run_tells_what_would_come_of_it_and_writes_nothing(either: Site, register: Register) -> None:
    prepared(either, register)
    before, files = either.rows(register), either.registers.imported_files()
    report = either.take(register, *FILES[register], dry_run=True)
    assert report.new + report.changed == len(FILES[register]) - 1
    assert "Nothing has been imported yet" in report.summary.en
    assert either.rows(register) == before
    assert either.registers.imported_files() == files


@pytest.mark.parametrize("register", Register)
def test_no_two_columns_have_one_heading(register: Register) -> None:
    columns = SHEETS[register].columns
    headings = [heading for column in columns for heading in column.headings]
    assert len(set(headings)) == len(headings)
    assert "" not in headings


@pytest.mark.parametrize("register", Register)
def test_the_table_of_columns_fits_the_table_of_the_database(register: Register) -> None:
    sheet = SHEETS[register]
    assert {column.kind for column in sheet.columns} <= KINDS.keys() | {"choice"}
    assert {column.kind == "choice" for column in sheet.columns if column.choices} <= {True}
    for column in sheet.columns:
        assert column.name in sheet.stored or register is Register.AREAS
    must = {c.name for c in sheet.table.columns if not c.nullable and c.name not in CHANGED}
    assert must <= set(sheet.stored) | {"id"}
    assert not any(isinstance(one, CheckConstraint) and one.name is None for one in sheet.table.constraints)


def test_files_that_were_brought_in_are_listed(site: Site) -> None:
    site.take(Register.SUPPLY_POINTS, *FILES[Register.SUPPLY_POINTS])
    [file] = site.registers.imported_files(Register.SUPPLY_POINTS)
    assert (file.name, file.author, file.rows, file.new, file.at) == ("file.csv", WHO, 2, 2, site.clock.now())
    assert len(site.registers.imported_files()) == 5


# --- encodings and headings -----------------------------------------------------------------------------

PLAIN = csv_of(
    *(
        ("供給地点特定番号", "郵便番号", "市区町村", "電圧", "電気の購入先"),
        (POINT, "812-0011", "北市", "高圧", "当社"),
    )
)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (PLAIN.encode(), "UTF-8"),
        (PLAIN.encode("utf-8-sig"), "UTF-8"),
        (PLAIN.encode("cp932"), "CP932"),
        (PLAIN.replace("\r\n", "\n").encode(), "UTF-8"),
        (PLAIN.replace("\r\n", "\r").encode("cp932"), "CP932"),
        (("\r\n" + PLAIN + "\r\n,,,,\r\n").encode(), "UTF-8"),  # empty rows are no rows
    ],
)
def test_utf8_and_cp932_are_told_apart(site: Site, data: bytes, encoding: str) -> None:
    report = site.take_bytes(Register.SUPPLY_POINTS, data)
    assert counts(report) == (1, 0, 0, 0), [one.text("en") for one in report.refusals]
    assert report.encoding == encoding
    assert site.registers.point(POINT).municipality == "北市"


@pytest.mark.parametrize(
    "heading",
    [
        "契約電力",
        "契約電力(kW)",
        "契約電力 (kW)",
        "contract_kw",
        "Contract kW",
        "CONTRACT POWER",
        "contract power [kW]",
    ],
)
def test_a_heading_is_known_in_either_language(site: Site, heading: str) -> None:
    wide = heading.translate({ord("("): "\uff08", ord(")"): "\uff09"})
    for written in (heading, wide):
        headings = ["supply point number", "郵便番号", "municipality", "電圧", "supply", written]
        row = [POINT, "8120011", "北市", "HIGH", "utility", "418"]
        report = site.take(Register.SUPPLY_POINTS, headings, row)
        assert report.ignored == ()
        assert site.registers.point(POINT).contract_kw == 418


def test_columns_that_are_not_known_are_named(site: Site) -> None:
    report = site.take(
        Register.RETAILERS, ("コード", "名称", "資本金", ""), ("B0001", "みなみ電力", "1,000", "x")
    )
    assert report.ignored == ("資本金",)
    assert counts(report) == (0, 0, 0, 1)  # a cell beyond the last heading is too much
    assert only(report)[0] == 2


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"\r\n\r\n", "the file is empty"),
        (csv_of(("郵便番号", "市区町村"), ("812-0011", "北市")).encode(), "“Supply point number”"),
        (csv_of(("number", "供給地点特定番号"), (POINT, POINT)).encode(), "Two columns are"),
        (PLAIN.encode("utf-16"), "neither UTF-8 nor CP932"),
        (PLAIN.encode("utf-16-le"), "neither UTF-8 nor CP932"),
        (PLAIN.encode("euc-jp"), "“Supply point number”"),
        (PLAIN.replace(",", ";").encode(), "“Supply point number”"),
        (b"PK\x03\x04" + bytes(200), "no CSV but a workbook"),
        (b"\x89PNG\r\n\x1a\n\x00\x01", "no CSV but a workbook"),
        (PLAIN.encode() + b'"unclosed,\r\n' + PLAIN.encode(), "row 3: Quotation marks"),
        (PLAIN.encode() + f'"{POINT}"x,812\r\n'.encode(), "row 3: Quotation marks"),
    ],
)
def test_a_broken_file_is_refused_as_a_whole(site: Site, data: bytes, says: str) -> None:
    with pytest.raises(ImportRefusedError) as error:
        site.take_bytes(Register.SUPPLY_POINTS, data)
    assert says in error.value.text("en")
    assert "Nothing was imported" in error.value.text("en")
    assert "何も取り込んでいません" in error.value.text("ja")
    assert POINT not in error.value.text("en") + error.value.text("ja")
    assert site.count(Register.SUPPLY_POINTS) == 0
    assert site.registers.imported_files(Register.SUPPLY_POINTS) == ()


def test_a_file_that_is_too_large_is_refused(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koatsu.desk.imports.reading.MAX_ROWS", 2)
    rows = [point_row({"供給地点特定番号": f"07{at:020}"}) for at in range(3)]
    with pytest.raises(ImportRefusedError, match="more than 2 rows"):
        site.take(Register.SUPPLY_POINTS, POINT_HEADINGS, *rows)
    monkeypatch.setattr("koatsu.desk.imports.reading.MAX_BYTES", 1024 * 1024)
    with pytest.raises(ImportRefusedError, match="at most 1 MiB"):
        site.take_bytes(Register.SUPPLY_POINTS, bytes(1024 * 1024 + 1))
    assert site.count(Register.SUPPLY_POINTS) == 0


# --- refused rows ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "column", "value", "says"),
    [
        ({"供給地点特定番号": POINT[:-1]}, "Supply point number", "····4043", "this one 21"),
        ({"供給地点特定番号": "0700123456"}, "Supply point number", "····3456", "this one 10"),
        ({"供給地点特定番号": ""}, "Supply point number", "", "cannot be empty"),
        (
            {"供給地点特定番号": OUTSIDE},
            "Supply point number",
            "03-····-····-····-····-0431",
            "outside the supply area",
        ),
        ({"郵便番号": "812-001"}, "Postal code", "812-001", "7 digits"),
        ({"郵便番号": POINT}, "Postal code", "07-····-····-····-····-0431", "7 digits"),  # columns shifted
        ({"町名番地": "東\x00西"}, "Street", "東\N{REPLACEMENT CHARACTER}西", "control"),
        ({"町名番地": "x" * 1_000_000}, "Street", "x" * 39 + "…", "there are 1,000,000"),
        ({"町名番地": "東\ue001"}, "Street", "東\N{REPLACEMENT CHARACTER}", "private use"),
        ({"町名番地": "1\n2"}, "Street", "1\N{REPLACEMENT CHARACTER}2", "control"),
        ({"電圧": "100V"}, "Voltage", "100V", "Write one of: Low, High, Extra-high"),
        ({"電圧": ""}, "Voltage", "", "cannot be empty"),
        ({"契約電力(kW)": "418.5"}, "Contract power", "418.5", "whole number of kW"),
        ({"契約電力(kW)": "1e3"}, "Contract power", "1e3", "whole number of kW"),
        ({"電気の購入先": ""}, "Who supplies the electricity", "", "Write who supplies"),
        ({"小売電気事業者コード": "A9999"}, "Retailer code", "A9999", "no retailer"),
        ({"小売電気事業者コード": "a b"}, "Retailer code", "a b", "letters, digits"),
        ({"小売電気事業者コード": "A0002"}, "Who supplies the electricity", "当社", "does not agree"),
        ({"契約開始日": "2026-02-30"}, "Contract from", "2026-02-30", "not a date"),
        ({"契約開始日": "R0.1.1"}, "Contract from", "R0.1.1", "not a date"),
        (
            {"契約開始日": "20260401", "契約終了日": "2026/3/31"},
            "Contract ended on",
            "2026/3/31",
            "before the day",
        ),
    ],
)
def test_a_refused_row_is_told_and_the_sound_ones_are_taken(
    site: Site, changes: dict[str, str], column: str, value: str, says: str
) -> None:
    report = site.points({"供給地点特定番号": OTHER_POINT}, changes, {"供給地点特定番号": f"07{5:020}"})
    assert counts(report) == (2, 0, 0, 1)
    row, of, shown, words = only(report)
    assert (row, of, shown) == (3, column, value)
    assert says in words
    assert {one["number"] for one in site.rows(Register.SUPPLY_POINTS)} == {OTHER_POINT, f"07{5:020}"}
    text = report.refusals[0].text("ja") + report.refusals[0].text("en")
    assert "3 行目" in text
    assert "Row 3" in text
    assert POINT not in text


def test_every_wrong_cell_of_a_row_is_told(site: Site) -> None:
    report = site.points({"郵便番号": "x", "電圧": "y", "契約電力(kW)": "z"})
    assert [one.column.en for one in report.refusals if one.column] == [
        "Postal code",
        "Voltage",
        "Contract power",
    ]
    assert counts(report) == (0, 0, 0, 1)


@pytest.mark.parametrize("cells", [3, 20])
def test_a_row_with_too_few_or_too_many_cells_is_refused(site: Site, cells: int) -> None:
    ragged = (point_row({}) + ["x"] * 20)[:cells]
    report = site.take(
        Register.SUPPLY_POINTS, POINT_HEADINGS, ragged, point_row({"供給地点特定番号": OTHER_POINT})
    )
    assert counts(report) == (1, 0, 0, 1)
    assert f"11 headings, and {cells} cells" in only(report)[3]


def test_empty_cells_beyond_the_headings_do_no_harm(site: Site) -> None:
    report = site.take(Register.SUPPLY_POINTS, [*POINT_HEADINGS, ""], [*point_row({}), "", ""])
    assert counts(report) == (1, 0, 0, 0)


def test_row_numbers_are_those_of_a_spreadsheet(site: Site) -> None:
    sound = point_row({"町名番地": "一\n二"})  # refused, and two lines of the file in one row
    text = csv_of(POINT_HEADINGS, sound, [], point_row({"郵便番号": "x"}))
    report = site.take_bytes(Register.SUPPLY_POINTS, text.encode())
    assert [one.row for one in report.refusals] == [2, 4]


def test_a_row_that_repeats_another_counts_once(site: Site) -> None:
    report = site.points({}, {"郵便番号": "8120011"}, {})
    assert counts(report) == (1, 0, 2, 0)


def test_rows_that_contradict_each_other_are_all_refused(site: Site) -> None:
    report = site.points({}, {"契約電力(kW)": "500"}, {"供給地点特定番号": OTHER_POINT}, {})
    assert counts(report) == (1, 0, 0, 3)
    assert [(one.row, one.words.en) for one in report.refusals] == [
        (2, "It is about the same as row 3 and says something else."),
        (3, "It is about the same as row 2 and says something else."),
        (5, "It is about the same as row 3 and says something else."),
    ]
    assert site.count(Register.SUPPLY_POINTS) == 1


def test_one_damaged_line_refuses_its_row_alone(site: Site) -> None:
    rows = [point_row({"供給地点特定番号": f"07{at:020}", "町名番地": "みどり"}) for at in range(6)]
    for encoding in ("utf-8", "cp932"):
        lines = csv_of(POINT_HEADINGS, *rows).encode(encoding).split(b"\r\n")
        lines[3] = lines[3].replace("北市".encode(encoding), b"\x81\xff\xa0")
        report = site.take_bytes(Register.SUPPLY_POINTS, b"\r\n".join(lines))
        assert report.refused == 1
        row, column, _, words = only(report)
        assert (row, column) == (4, "Municipality")
        assert "cannot be read as text" in words or "private use" in words
    assert site.count(Register.SUPPLY_POINTS) == 5


@pytest.mark.parametrize("half", [b"\xed\xa1\x82", b"\xed\xa1\x82\xed\xbe\xb7", b"\xf0\xa0\xae"])
def test_half_of_a_rare_kanji_is_refused(site: Site, half: bytes) -> None:
    data = csv_of(POINT_HEADINGS, point_row({"町名番地": "@野家"})).encode().replace(b"@", half)
    report = site.take_bytes(Register.SUPPLY_POINTS, data)
    assert counts(report) == (0, 0, 0, 1)
    assert "cannot be read as text" in only(report)[3]


def test_rare_kanji_are_kept_exactly(either: Site) -> None:
    either.points({"町名番地": RARE, "市区町村": "葛\U000e0101飾区"})
    point = either.registers.point(POINT)
    assert (point.street, point.municipality) == (RARE, "葛\U000e0101飾区")
    assert [one.number for one in either.registers.search_points("葛飾区").points] == [POINT]


def test_the_list_of_refused_rows_is_a_file_for_spreadsheets(site: Site) -> None:
    report = site.points({"町名番地": "=1+1\x07"}, {"供給地点特定番号": OUTSIDE})
    data = refused_csv(report, "ja")
    assert data.startswith(b"\xef\xbb\xbf")
    headings, formula, outside = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert headings == ["行", "列", "書かれていた値", "理由"]
    assert formula[:3] == [
        "2",
        "町名番地",
        "'=1+1\N{REPLACEMENT CHARACTER}",
    ]  # spreadsheets must not reckon it
    assert outside[0] == "3"
    assert OUTSIDE not in data.decode()
    assert refused_csv(report, "en").decode("utf-8-sig").startswith("Row,Column")


def test_very_many_refusals_name_every_row(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koatsu.desk.imports.report._MANY", 4)
    rows = [
        {"供給地点特定番号": f"07{at:020}", "郵便番号": "x", "電圧": "y", "契約電力(kW)": "z"}
        for at in range(5)
    ]
    report = site.points(*rows)
    assert {one.row for one in report.refusals} == {2, 3, 4, 5, 6}
    assert len(report.refusals) < 15


# --- rows that meet what is there -----------------------------------------------------------------------


def test_a_file_with_some_columns_leaves_the_others_alone(either: Site) -> None:
    either.points({"町名番地": RARE, "小売電気事業者コード": "A0001"})
    report = either.take(
        Register.SUPPLY_POINTS, ("供給地点特定番号", "小売電気事業者コード"), (POINT, "A0002")
    )
    assert counts(report) == (0, 1, 0, 0)
    point = either.registers.point(POINT)
    assert (point.retailer, point.supply, point.street) == (
        "A0002",
        "other",
        RARE,
    )  # supply follows the retailer


def test_a_new_row_needs_the_columns_that_the_file_lacks(site: Site) -> None:
    report = site.take(Register.SUPPLY_POINTS, ("供給地点特定番号", "小売電気事業者コード"), (POINT, "A0002"))
    assert counts(report) == (0, 0, 0, 1)
    assert "the file has no column “Postal code”" in only(report)[3]


@pytest.mark.parametrize(
    ("supply", "retailer", "kept"),
    [
        ("当社", "", "utility"),
        ("当社", "A0001", "utility"),
        ("", "A0001", "utility"),
        ("", "A0002", "other"),
        ("他社", "", "other"),
        ("other", "A0002", "other"),
        ("自己等", "", "self"),
    ],
)
def test_who_supplies_is_said_or_follows_from_the_retailer(
    site: Site, supply: str, retailer: str, kept: str
) -> None:
    report = site.points({"電気の購入先": supply, "小売電気事業者コード": retailer})
    assert counts(report) == (1, 0, 0, 0)
    assert site.registers.point(POINT).supply == kept
    again = site.points({"電気の購入先": supply, "小売電気事業者コード": retailer})
    assert counts(again) == (0, 0, 1, 0)


def test_a_contract_ends_only_at_a_point_that_is_registered(site: Site) -> None:
    site.points({"契約開始日": "2020-04-01"})
    report = site.take(
        Register.CONTRACT_ENDS,
        ("地点番号", "廃止日"),
        (POINT, "2026/6/30"),
        (OTHER_POINT, "2026/6/30"),
    )
    assert counts(report) == (0, 1, 0, 1)
    assert only(report)[:3] == (3, "Supply point number", "07-····-····-····-····-0432")
    assert "not registered" in only(report)[3]
    early = site.take(Register.CONTRACT_ENDS, ("地点番号", "廃止日"), (POINT, "2019/6/30"))
    assert "before the day" in only(early)[3]


def test_an_area_goes_to_the_office_that_the_last_file_names(site: Site) -> None:
    headings = ("事業所コード", "郵便番号", "市区町村")
    report = site.take(Register.AREAS, headings, ("south", "812", ""))
    assert counts(report) == (0, 1, 0, 0)
    assert [area.value for area in site.registers.areas("north")] == ["中郡", "福岡県北市"]
    wrong = site.take(
        Register.AREAS,
        headings,
        ("nowhere", "812", ""),
        ("south", "", ""),
        ("south", "812", "北市"),
        ("south", "", "福岡県"),
    )
    assert counts(wrong) == (0, 0, 0, 4)


DEVICE = ("供給地点特定番号", "製造番号", "型式", "取付日", "取外日")


def test_a_device_is_at_one_point_at_a_time(site: Site) -> None:
    site.points({}, {"供給地点特定番号": OTHER_POINT})
    site.take(Register.TERMINALS, DEVICE, (POINT, "T1", "T-2", "2025-01-01", ""))
    clash = site.take(Register.TERMINALS, DEVICE, (OTHER_POINT, "t\uff0d1", "T2", "2026-01-01", ""))
    assert counts(clash) == (0, 0, 0, 1)
    assert "07-····-····-····-····-0431 since 2025-01-01" in only(clash)[3]
    moved = site.take(  # the row that takes it away may come after the one that places it
        Register.TERMINALS,
        DEVICE,
        (OTHER_POINT, "T1", "T-2", "2026-01-01", ""),
        (POINT, "T1", "T-2", "2025-01-01", "2026-01-01"),
    )
    assert counts(moved) == (1, 1, 0, 0)
    other = site.take(Register.TERMINALS, DEVICE, (OTHER_POINT, "T1", "T-3", "2026-01-01", ""))
    assert counts(other) == (1, 0, 0, 0)  # another type with the same serial number is another device


def test_a_device_needs_a_point_that_is_registered(site: Site) -> None:
    report = site.take(
        Register.TERMINALS,
        DEVICE,
        (POINT, "T1", "T-2", "2025-01-01", ""),
        (OTHER_POINT, "-", "T-2", "2025-01-01", ""),
    )
    assert [one.words.en for one in report.refusals] == [
        "This supply point is not registered.",
        "It holds neither letters nor digits.",
    ]


_STAYS = st.tuples(st.integers(1, 8), st.integers(1, 8) | st.none()).filter(
    lambda days: days[1] is None or days[0] < days[1]
)


@given(_STAYS, _STAYS)
def test_two_stays_overlap_where_they_share_a_day(
    one: tuple[int, int | None], two: tuple[int, int | None]
) -> None:
    def days(stay: tuple[int, int | None]) -> set[int]:
        return set(range(stay[0], stay[1] or 10))

    first, second = (
        Stay("", f"2026-01-0{since}", None if until is None else f"2026-01-0{until}")
        for since, until in (one, two)
    )
    assert first.overlaps(second) is second.overlaps(first) is bool(days(one) & days(two))


def test_two_rows_of_a_file_may_not_place_one_device_twice(site: Site) -> None:
    site.points({}, {"供給地点特定番号": OTHER_POINT})
    report = site.take(
        Register.TERMINALS,
        DEVICE,
        (POINT, "T1", "T-2", "2025-01-01", ""),
        (OTHER_POINT, "T1", "T-2", "2026-01-01", ""),
    )
    assert counts(report) == (1, 0, 0, 1)


# --- the whole ------------------------------------------------------------------------------------------


def test_many_rows_are_taken_in_portions(either: Site) -> None:
    steps: list[tuple[int, int]] = []
    rows = [{"供給地点特定番号": f"07{at:020}", "契約電力(kW)": str(at + 1)} for at in range(2_501)]
    report = either.points(*rows, on_rows=lambda done, of: steps.append((done, of)))
    assert counts(report) == (2_501, 0, 0, 0)
    assert either.count(Register.SUPPLY_POINTS) == 2_501
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1][0] == steps[-1][1]
    rows[2_000]["契約電力(kW)"] = "9"
    assert counts(either.points(*rows)) == (0, 1, 2_500, 0)
    assert either.registers.point(f"07{2_000:020}").contract_kw == 9


def test_what_is_interrupted_is_completed_by_taking_the_file_again(either: Site) -> None:
    def breaks(done: int, of: int) -> None:
        if 2 * of < 3 * done < 3 * of:  # between the two portions
            raise KeyboardInterrupt

    rows = [{"供給地点特定番号": f"07{at:020}"} for at in range(2_001)]
    with pytest.raises(KeyboardInterrupt):
        either.points(*rows, on_rows=breaks)
    assert either.registers.imported_files(Register.SUPPLY_POINTS) == ()
    assert either.count(Register.SUPPLY_POINTS) == 2_000
    assert counts(either.points(*rows)) == (1, 0, 2_000, 0)


def test_a_portion_that_cannot_be_written_leaves_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("koatsu.desk.imports.taking.write", lambda *given: (write(*given), breaks()))
    with pytest.raises(MemoryError):
        site.points({}, {"供給地点特定番号": OTHER_POINT})
    assert site.count(Register.SUPPLY_POINTS) == 0


def test_others_write_between_the_portions_of_a_file(either: Site) -> None:
    """Nobody waits for a whole file: a row that is changed in between is found as it is then."""
    rows = [{"供給地点特定番号": f"07{at:020}"} for at in range(2_001)]
    either.points(*rows)
    last = {"number": f"07{2_000:020}"}
    written: list[int] = []

    def meanwhile(done: int, of: int) -> None:
        if 3 * done < 2 * of or written:  # not before the first portion is written
            return
        form = either.registers.form(Register.SUPPLY_POINTS, last)
        either.registers.put(
            Register.SUPPLY_POINTS, {**last, "street": "あたらしい"}, seen=form.seen, author=WHO
        )
        written.append(done)

    changed = [row | {"契約電力(kW)": "9"} for row in rows]
    headings = ("供給地点特定番号", "契約電力(kW)")
    report = either.take(
        Register.SUPPLY_POINTS,
        headings,
        *((row["供給地点特定番号"], "9") for row in changed),
        on_rows=meanwhile,
    )
    assert written
    assert counts(report) == (0, 2_001, 0, 0)
    point = either.registers.point(last["number"])
    assert (point.contract_kw, point.street) == (9, "あたらしい")


def test_a_long_cell_does_not_shorten_those_of_others(site: Site) -> None:
    csv.field_size_limit(131_072)  # as another part of the program may have left it
    report = site.points({"町名番地": "x" * 200_000}, {"供給地点特定番号": OTHER_POINT})
    assert counts(report) == (1, 0, 0, 1)
    assert csv.field_size_limit() > 200_000


_SCRATCH = Memory()


@given(st.binary(max_size=400))
def test_any_bytes_are_taken_or_refused_in_words(data: bytes) -> None:
    site = Site(emptied(_SCRATCH))
    for file in (data, PLAIN.encode() + data, PLAIN.encode("cp932") + data):
        try:
            report = site.take_bytes(Register.SUPPLY_POINTS, file)
        except ImportRefusedError:
            continue
        assert counts(report)
        assert site.count(Register.SUPPLY_POINTS) <= 1 + data.count(b"\n") + data.count(b"\r")


@given(st.text(max_size=30), st.sampled_from(["町名番地", "市区町村", "計量器の型式"]))
def test_any_text_is_kept_exactly_or_refused(text: str, column: str) -> None:
    site = Site(emptied(_SCRATCH))
    data = csv_of(POINT_HEADINGS, point_row({column: text})).encode("utf-8", "surrogatepass")
    report = site.take_bytes(Register.SUPPLY_POINTS, data)
    if report.refused:
        assert site.count(Register.SUPPLY_POINTS) == 0
        return
    [row] = site.rows(Register.SUPPLY_POINTS)
    name = {"町名番地": "street", "市区町村": "municipality", "計量器の型式": "meter_type"}[column]
    assert row[name] == text.strip()
    assert "\x00" not in row[name]


# --- cells ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "written",
    [
        "2026-04-01",
        "2026/4/1",
        "2026.04.01",
        "20260401",
        "2026年4月1日",
        "令和8年4月1日",
        "R8.4.1",
        "r8/4/1",
        "令和 8年4月1日",
    ],
)
def test_a_day_is_understood_as_people_write_it(written: str) -> None:
    wide = written.translate({ord("0") + at: 0xFF10 + at for at in range(10)})
    assert read_day(written) == read_day(f" {wide}\u3000") == "2026-04-01"


@pytest.mark.parametrize(
    ("written", "day"),
    [("令和元年5月1日", "2019-05-01"), ("H31.4.30", "2019-04-30"), ("S64.1.7", "1989-01-07")],
)
def test_an_era_has_a_first_and_a_last_day(written: str, day: str) -> None:
    assert read_day(written) == day


@pytest.mark.parametrize(
    "written",
    [
        "R0.1.1",
        "R1.4.30",
        "H31.5.1",
        "S64.1.8",
        "2026-02-30",
        "2026-4",
        "26/4/1",
        "4/1/2026",
        "2026/4-1",
        "1899-12-31",
        "2100-01-01",
        "46113",
        "東",
        "2026-04-01T00:00",
    ],
)
def test_what_is_no_day_is_refused(written: str) -> None:
    with pytest.raises(TextRefused):
        read_day(written)


@pytest.mark.parametrize(
    ("written", "kw"),
    [("418", 418), ("1,200", 1200), ("418.0", 418), ("418 kW", 418), ("\uff14\uff11\uff18", 418)],
)
def test_contract_power_is_a_whole_number(written: str, kw: int) -> None:
    assert read_kw(written) == kw


@pytest.mark.parametrize("written", ["0", "-1", "418.5", "1,20", "12345678", "kW", "4 18", "NaN", "1e2"])
def test_what_is_no_contract_power_is_refused(written: str) -> None:
    with pytest.raises(TextRefused):
        read_kw(written)


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        ("phone", "092\u2010000\u22120001", "092-000-0001"),
        ("phone", "+81 92 000 0001", "+81 92 000 0001"),
        ("email", "north@example.jp", "north@example.jp"),
        ("flag", "○", True),
        ("flag", "いいえ", False),
        ("prefix", "812-", "812"),
        ("code", "Ａ0001", "A0001"),
    ],
)
def test_other_cells_are_understood(kind: str, written: str, kept: object) -> None:
    assert KINDS[kind].read(written) == kept


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("phone", "電話"),
        ("phone", "092-000-0001 内線 5"),
        ("email", "north@example"),
        ("email", "a@b@example.jp"),
        ("email", "a b@example.jp\r\nBcc: x@example.jp"),
        ("flag", "たぶん"),
        ("prefix", "81200111"),
        ("prefix", "〒"),
        ("code", "-"),
        ("code", "x" * 33),
        ("code", "../etc"),
    ],
)
def test_other_cells_are_refused(kind: str, written: str) -> None:
    with pytest.raises(TextRefused):
        KINDS[kind].read(written)
