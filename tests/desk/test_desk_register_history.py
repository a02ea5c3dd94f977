"""What happened to the registers: an entry for each change, in a chain that shows what was done to it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from desk_site import (
    AUDITOR,
    COUNTER,
    KEY,
    METER,
    POINTS,
    SETTINGS,
    START,
    SUPERVISOR,
    WORKS,
    drafted,
    open_desk,
)
from register_site import OTHER_POINT, POINT, POINT_HEADINGS, csv_of, point_row
from sqlalchemy import create_engine, text

from koatsu.clock import ManualClock
from koatsu.desk import SYSTEM, Desk, DeskError, ForbiddenError, InputError, UnknownError
from koatsu.desk.data_items import read_csv_list
from koatsu.desk.database import DeskDatabase
from koatsu.desk.imports import MENDING_HEADINGS, SHEETS, ImportRefusedError, Register, mendable_csv
from koatsu.desk.imports.sheets import heading_key
from koatsu.desk.offices import Area, AreaBy
from koatsu.desk.references import References
from koatsu.desk.register_history import Change, RegisterEntry
from koatsu.desk.trail import CASES, REGISTERS, Wanted
from koatsu.desk.words import Words
from koatsu.people import FindingKind, Role

OFFICES = csv_of(
    ("コード", "種類", "名称", "郵便番号", "住所"), ("east", "配電事業所", "東営業所", "816-0001", "東市 1")
)


def entries(desk: Desk) -> list[RegisterEntry]:
    """What happened, the oldest first."""
    return desk.trail.registers(AUDITOR, Wanted(), limit=100)[::-1]


def imported(desk: Desk, register: Register, content: str, *, dry_run: bool = False) -> None:
    desk.registers.import_file(
        register,
        content.encode(),
        "file.csv",
        author=COUNTER.reference,
        role=Role.COUNTER,
        dry_run=dry_run,
    )


def test_an_import_is_one_entry_with_its_counts_and_the_digest_of_the_file(either: Desk) -> None:
    imported(either, Register.OFFICES, OFFICES, dry_run=True)
    assert entries(either) == [], "a check changes nothing"
    imported(either, Register.OFFICES, OFFICES)
    [one] = entries(either)
    assert (one.author, one.role, one.register, one.change, one.key) == (
        "person:2", "counter", "offices", Change.IMPORTED, ""
    )  # fmt: skip
    assert one.at == START
    assert {name: one.detail[name] for name in ("rows", "new", "changed", "same", "refused")} == {
        "rows": "1", "new": "1", "changed": "0", "same": "0", "refused": "0"
    }  # fmt: skip
    assert len(one.detail["sha256"]) == 64
    imported(either, Register.OFFICES, OFFICES)
    assert entries(either)[1].detail["sha256"] == one.detail["sha256"]
    assert [found.finding for found in either.trail.verify(AUDITOR)] == [None, None]


def test_a_file_that_is_refused_is_no_entry(desk: Desk) -> None:
    with pytest.raises(ImportRefusedError):
        imported(desk, Register.OFFICES, "名称\r\n東\r\n")
    assert entries(desk) == []


def test_a_long_file_is_in_the_history_before_its_first_row(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("koatsu.desk.imports.taking._PORTION", 2)
    rows = [point_row({"供給地点特定番号": f"075{at:019}"}) for at in range(5)]
    content = csv_of(POINT_HEADINGS, *rows)
    before = desk.registers.search(Register.SUPPLY_POINTS).total

    def breaks(done: int, whole: int) -> None:
        if done > whole // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.registers.import_file(
            Register.SUPPLY_POINTS, content.encode(), "f.csv", author="person:2", on_rows=breaks
        )
    [begun] = entries(desk)
    assert begun.change == Change.IMPORT_BEGUN
    assert desk.registers.search(Register.SUPPLY_POINTS).total == before + 2, "one portion of three"
    imported(desk, Register.SUPPLY_POINTS, content)
    assert [one.change for one in entries(desk)] == ["import_begun", "import_begun", "imported"]
    assert len({one.detail["sha256"] for one in entries(desk)}) == 1


def test_a_record_that_is_filled_in_is_one_entry_with_its_reference_and_its_columns(either: Desk) -> None:
    registers = either.registers
    form = registers.form(Register.SUPPLY_POINTS, {"number": POINTS[0]})
    fields = {**form.fields, "contract_kw": "500", "street": "みどり 99"}
    assert registers.put(Register.SUPPLY_POINTS, fields, seen=form.seen, author="person:2", role=Role.COUNTER)
    [one] = entries(either)
    assert (one.register, one.change, one.role) == ("supply_points", Change.CHANGED, "counter")
    assert set(one.detail["columns"].split(",")) == {"contract_kw", "street"}
    record = registers.record(Register.SUPPLY_POINTS, one.key)
    assert record.row["number"] == POINTS[0]
    assert [entry.seq for entry in record.history] == [one.seq]
    whole = repr(one)
    assert POINTS[0] not in whole
    assert "みどり" not in whole
    assert "500" not in whole


def test_a_device_is_called_by_its_id_and_a_code_by_itself(desk: Desk) -> None:
    fields = {
        "supply_point": POINTS[0], "serial": "M1", "type": METER, "role": "buy", "since": "2026-07-01",
    }  # fmt: skip
    desk.registers.put(Register.METERS, fields, seen=None, author="person:2")
    office = desk.registers.form(Register.OFFICES, {"code": "north"})
    desk.registers.put(
        Register.OFFICES, {**office.fields, "phone": "1-2"}, seen=office.seen, author="person:2"
    )
    meter, north = entries(desk)
    assert (meter.change, meter.key, meter.role) == (Change.ADDED, "1", "system")
    assert (north.change, north.key) == (Change.CHANGED, "north")
    assert desk.registers.record(Register.METERS, "1").row["serial"] == "M1"


def test_what_is_not_taken_or_says_nothing_new_is_no_entry(desk: Desk) -> None:
    office = desk.registers.form(Register.OFFICES, {"code": "north"})
    assert not desk.registers.put(Register.OFFICES, office.fields, seen=office.seen, author="person:2")
    with pytest.raises(InputError):
        desk.registers.put(
            Register.OFFICES, {**office.fields, "postal_code": "x"}, seen=office.seen, author="p"
        )
    assert entries(desk) == []


def test_an_area_that_is_taken_out_leaves_an_entry(desk: Desk) -> None:
    area = Area(office="north", by=AreaBy.POSTAL, value="812")
    assert desk.registers.remove_area(area, author="person:4", role=Role.SUPERVISOR)
    assert not desk.registers.remove_area(area, author="person:4", role=Role.SUPERVISOR)
    [one] = entries(desk)
    assert (one.register, one.change, one.role) == ("areas", Change.REMOVED, "supervisor")
    with pytest.raises(UnknownError):
        desk.registers.record(Register.AREAS, one.key)


def test_terms_and_lists_of_data_are_in_the_history_too(desk: Desk) -> None:
    desk.terms.add(SUPERVISOR, date(2026, 8, 1), "規約", "第 1 条")
    desk.terms.change(SUPERVISOR, "2026-08-01", "規約", "第 1 条 改")
    found = read_csv_list("項目,単位\n積算電力量,kWh\n".encode(), Words("一覧", "List"))
    desk.data_lists.add(SUPERVISOR, found, date(2026, 8, 1))
    assert [(one.register, one.change, one.key) for one in entries(desk)] == [
        ("terms", "added", "2026-08-01"),
        ("terms", "changed", "2026-08-01"),
        ("data_list", "added", "2026-08-01"),
    ]
    first, second, _ = entries(desk)
    assert first.detail["sha256"] != second.detail["sha256"]
    [kept] = desk.data_lists.kept()
    assert (kept.valid_from, kept.title.ja, kept.made_by) == (date(2026, 8, 1), "一覧", "person:4")
    with pytest.raises(ForbiddenError):
        desk.data_lists.add(COUNTER, found, date(2026, 9, 1))


# --- the chain ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statement", "kind", "seq"),
    [
        ("UPDATE desk_register_event SET author = 'person:9' WHERE seq = 1", FindingKind.CHANGED, 1),
        ("UPDATE desk_register_event SET key = 'south' WHERE seq = 2", FindingKind.CHANGED, 2),
        ("UPDATE desk_register_event SET role = 'owner' WHERE seq = 2", FindingKind.CHANGED, 2),
        ("DELETE FROM desk_register_event WHERE seq = 1", FindingKind.MISSING, 1),
        ("DELETE FROM desk_register_event WHERE seq = 2", FindingKind.MISSING, 2),
    ],
)
def test_what_somebody_did_to_the_history_behind_our_back_is_found(
    tmp_path: Path, statement: str, kind: FindingKind, seq: int
) -> None:
    with open_desk(tmp_path / "desk.db") as desk:
        imported(desk, Register.OFFICES, OFFICES)
        office = desk.registers.form(Register.OFFICES, {"code": "north"})
        desk.registers.put(
            Register.OFFICES, {**office.fields, "phone": "1-2"}, seen=office.seen, author="person:2"
        )
        drafted(desk)
    with closing(sqlite3.connect(tmp_path / "desk.db")) as store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute(statement)
        store.commit()
    with Desk.open(tmp_path / "desk.db", settings=SETTINGS, clock=ManualClock(START), key=KEY) as desk:
        cases, registers = desk.trail.verify(AUDITOR)
    assert (cases.chain, cases.finding) == (CASES, None)
    assert registers.chain == REGISTERS
    assert registers.finding is not None
    assert (registers.finding.kind, registers.finding.seq) == (kind, seq)


def test_nobody_changes_an_entry_through_the_desk(either: Desk) -> None:
    imported(either, Register.OFFICES, OFFICES)
    for statement in (
        "UPDATE desk_register_event SET author = 'x'",
        "DELETE FROM desk_register_event",
    ):
        with pytest.raises(DeskError), either.database.writing() as connection:
            connection.execute(text(statement))


def test_only_those_who_review_see_the_trail(desk: Desk) -> None:
    for actor in (COUNTER, WORKS, SUPERVISOR):
        with pytest.raises(ForbiddenError):
            desk.trail.registers(actor, Wanted(), limit=1)
        with pytest.raises(ForbiddenError):
            desk.trail.cases(actor, Wanted(), limit=1)
        with pytest.raises(ForbiddenError):
            desk.trail.verify(actor)
    assert desk.trail.cases(SYSTEM, Wanted(), limit=1) == []


def test_the_trail_is_read_by_the_numbers_of_its_entries(desk: Desk) -> None:
    for point in POINTS[:3]:
        drafted(desk, point)
    everything = [one.seq for one in desk.trail.cases(AUDITOR, Wanted(), limit=100)]
    assert everything == list(range(len(everything), 0, -1))
    first = desk.trail.cases(AUDITOR, Wanted(), limit=2)
    second = desk.trail.cases(AUDITOR, Wanted(), limit=2, before=first[-1].seq)
    drafted(desk, POINTS[3])  # what comes in meanwhile moves nothing
    again = desk.trail.cases(AUDITOR, Wanted(), limit=2, after=second[0].seq)
    assert [one.seq for one in again] == [one.seq for one in first]
    assert {one.case for one in desk.trail.cases(AUDITOR, Wanted(case="hb-2026-00002"), limit=9)} == {
        "HB-2026-00002"
    }
    assert desk.trail.cases(AUDITOR, Wanted(case="HB-2026-09999"), limit=9) == []


# --- from an older shape --------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def older(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of the third shape, with an office and a file in its log."""
    if request.param == "sqlite":
        url, engine_url = str(tmp_path / "old.db"), f"sqlite:///{tmp_path / 'old.db'}"
    else:
        url = request.getfixturevalue("server").new_database()
        engine_url = url.replace("postgresql://", "postgresql+psycopg://")
    DeskDatabase(url, 5.0).close()
    engine = create_engine(engine_url)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE desk_register_event"))
        connection.execute(text("UPDATE desk_version SET version_num = '0003'"))
        connection.execute(
            text(
                "INSERT INTO desk_office VALUES"
                " ('east', 'distribution', '東営業所', '8160001', '東市', '', '', '', NULL, 'person:2', 1)"
            )
        )
    engine.dispose()
    return url


def test_a_store_of_the_shape_before_is_brought_on_and_keeps_its_registers(older: str) -> None:
    with Desk.open(older, settings=SETTINGS, clock=ManualClock(START), key=KEY) as desk:
        assert desk.registers.office("east").name == "東営業所"
        assert entries(desk) == []
        imported(desk, Register.OFFICES, OFFICES)
        assert [one.change for one in entries(desk)] == ["imported"]
        assert [one.finding for one in desk.trail.verify(AUDITOR)] == [None, None]


# --- references -----------------------------------------------------------------------------------------


def test_a_reference_is_the_same_each_time_and_nobody_makes_one_up(desk: Desk) -> None:
    references = References(bytes(range(64)))
    one = references.of("supply_points", POINT)
    assert one == references.of("supply_points", POINT)
    assert one != references.of("supply_points", OTHER_POINT)
    assert references.name("supply_points", one) == POINT
    assert POINT not in one
    changed = ("B" if one[0] == "A" else "A") + one[1:]
    for wrong in (changed, one[:-2], "", "x", "あ", "=" * 40, POINT):
        assert references.name("supply_points", wrong) is None, wrong
    assert references.name("certified", one) is None, "of another kind"
    assert References(bytes(64)).name("supply_points", one) is None, "of another desk"
    for wrong in (changed, "0", "99999999999999999999", "x"):
        for register in (Register.SUPPLY_POINTS, Register.METERS, Register.OFFICES):
            with pytest.raises(UnknownError):
                desk.registers.record(register, wrong)


# --- what the pages need of the registers ---------------------------------------------------------------


def test_every_example_can_be_read() -> None:
    for sheet in SHEETS.values():
        for column in sheet.columns:
            assert column.choices or column.example, (sheet.register, column.name)
            if column.example:
                column.read(column.example)


def test_records_are_found_as_people_type(desk: Desk) -> None:
    search = desk.registers.search
    assert search(Register.SUPPLY_POINTS, POINTS[7][-4:]).rows[0]["number"] == POINTS[7]
    assert search(Register.SUPPLY_POINTS, "北市 ミドリ").total == 20 + 3
    assert [row["code"] for row in search(Register.OFFICES, "ネットワーク").rows] == ["centre"]
    assert [row["code"] for row in search(Register.OFFICES, "ＮＯＲＴＨ").rows] == ["north"]
    assert search(Register.OFFICES, "ない").total == 0
    assert [row["value"] for row in search(Register.AREAS, of={"office": "south"}).rows] == ["815"]
    page = search(Register.SUPPLY_POINTS, limit=10, offset=40)
    assert (len(page.rows), page.total) == (3, 43)
    meter = {
        "supply_point": POINTS[4],
        "serial": "ＭＸ-77",
        "type": METER,
        "role": "buy",
        "since": "2026-07-01",
    }
    desk.registers.put(Register.METERS, meter, seen=None, author="x")
    assert search(Register.METERS, "mx77").total == 1
    assert search(Register.METERS, POINTS[4][-4:]).total == 1
    assert search(Register.METERS, "mx78").total == 0
    extents = {one.register: (one.count, one.changed_at) for one in desk.registers.extents()}
    assert extents[Register.METERS] == (1, START)
    assert extents[Register.TERMINALS] == (0, None)
    assert Register.CONTRACT_ENDS not in extents


# --- refused rows, to mend ------------------------------------------------------------------------------


def test_refused_rows_come_back_as_they_were_and_are_refused_again_until_they_are_mended(desk: Desk) -> None:
    good = point_row({})
    rows = [
        good,
        point_row({"供給地点特定番号": OTHER_POINT, "郵便番号": "ばつ", "町名番地": '=HYPERLINK("x"), あり'}),
        point_row({"供給地点特定番号": "0300123456789012340431"}),
        good[:-1],  # a cell too few
        [*good, "余り"],
        point_row({"供給地点特定番号": POINTS[0], "電圧": "?", "契約電力(kW)": "x"}),
    ]
    data = csv_of(POINT_HEADINGS, *rows).encode("cp932")

    def take(content: bytes) -> tuple[list[tuple[str, str]], bytes]:
        report = desk.registers.import_file(Register.SUPPLY_POINTS, content, "f.csv", author="x")
        told = [(one.column.ja if one.column else "", one.words.ja) for one in report.refusals]
        assert report.rows == report.new + report.changed + report.same + report.refused
        return told, mendable_csv(content, report, "ja")

    first, mendable = take(data)
    assert len(first) == 6
    second, _ = take(mendable)
    for before, after in zip(first, second, strict=True):
        assert before[0] == after[0]
        assert before[1].split("(")[0][:10] == after[1].split("(")[0][:10] or "列" in before[1]
    text_ = mendable.decode("utf-8-sig")
    assert text_.startswith("元の行,取り込まなかった理由,供給地点特定番号,")
    assert '=HYPERLINK(""x""), あり' in text_, "as it was written"
    assert "郵便番号は 7 けたの数字です" in text_
    assert good[3] not in text_.split("\n")[1], "what was taken is not in it"
    mended = text_.replace("ばつ", "812-0011").replace(",?,", ",高圧,").replace(",x,", ",5,").encode()
    report = desk.registers.import_file(Register.SUPPLY_POINTS, mended, "f.csv", author="x")
    assert (report.new, report.changed, report.refused) == (1, 1, 3)


def test_no_register_has_columns_of_the_names_that_stand_in_front() -> None:
    for sheet in SHEETS.values():
        for column in sheet.columns:
            for heading in MENDING_HEADINGS:
                assert not {heading_key(heading.ja), heading_key(heading.en)} & column.headings


def test_what_was_no_text_is_not_taken_for_one_when_it_comes_back(desk: Desk) -> None:
    head = ",".join(POINT_HEADINGS).encode()
    row = ",".join(point_row({"町名番地": "MARK"})).encode().replace(b"MARK", b"\xff\xfe\xff")
    data = head + b"\r\n" + row + b"\r\n" + ("," * 10).encode() + b"\r\n"
    report = desk.registers.import_file(Register.SUPPLY_POINTS, data, "f.csv", author="x")
    assert report.refused == 1
    again = desk.registers.import_file(
        Register.SUPPLY_POINTS, mendable_csv(data, report, "en"), "f.csv", author="x"
    )
    assert again.refused == 1
    assert "cannot be read as text" in again.refusals[0].words.en
