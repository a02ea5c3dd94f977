"""Files into the registers: checked, taken in, refused rows mended; what is no such file leaves nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from desk_site import OUTSIDE, POINTS, START
from desk_web import DeskPlace, desk_place
from people_site import NAMES, Visitor
from register_site import POINT_HEADINGS, csv_of, point_row
from staff_site import multipart, words

from koatsu.desk.imports import SHEETS, Register
from koatsu.people import Role
from koatsu.web.desk import app as desk_app
from koatsu.web.desk import import_pages
from koatsu.web.desk.kept_imports import IMPORTING, KeptImports

NEW = tuple(f"075{number:019}" for number in range(1, 9))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    with desk_place(tmp_path, Role.COUNTER, Role.SUPERVISOR, Role.WORKS, Role.AUDITOR) as place:
        place.clock.set(START)
        yield place


def send(
    visitor: Visitor,
    register: str,
    content: bytes,
    *,
    do: str = "check",
    name: str = "points.csv",
    prefix: str = "",
    secret: str | None = None,
) -> httpx.Response:
    page = f"{prefix}/imports/{register}"
    fields = {"csrf": visitor.secret(page) if secret is None else secret, "do": do}
    body, kind = multipart(fields, name, content)
    return visitor.request("POST", f"{page}/import", content=body, headers={"Content-Type": kind})


def points(*numbers: str, **changes: str) -> bytes:
    return csv_of(
        POINT_HEADINGS, *(point_row({"供給地点特定番号": one, **changes}) for one in numbers)
    ).encode()


def count(place: DeskPlace) -> int:
    return place.desk.registers.search(Register.SUPPLY_POINTS, limit=0).total


def changes(place: DeskPlace) -> int:
    """How many entries the history of the registers has."""
    with place.desk.database.reading() as connection:
        found: int = connection.exec_driver_sql("SELECT count(*) FROM desk_register_event").scalar_one()
    return found


# --- the pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("register", list(Register))
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_each_register_tells_its_columns_and_has_a_template(
    place: DeskPlace, register: Register, prefix: str
) -> None:
    visitor, lang = place.visitor(Role.COUNTER), "en" if prefix else "ja"
    assert f'href="{prefix}/imports/{register}"' in visitor.get(f"{prefix}/imports").text
    told = words(visitor.get(f"{prefix}/imports/{register}").text)
    for column in SHEETS[register].columns:
        assert column.words.text(lang) in told
        if column.kind not in ("flag", "choice"):
            assert column.example in told
    template = visitor.get(f"{prefix}/imports/{register}/template.csv")
    assert template.headers["content-disposition"] == f'attachment; filename="koatsu_{register}_template.csv"'
    [heads] = csv.reader(io.StringIO(template.content.decode("utf-8-sig")))
    assert heads == [column.words.text(lang) for column in SHEETS[register].columns]
    report = place.desk.registers.import_file(register, template.content, "t.csv", author="x", dry_run=True)
    assert (report.rows, report.refused) == (0, 0), "an empty template is a file like any other"


def test_an_address_that_leads_nowhere_is_told(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    assert visitor.get("/imports/nothing").status_code == 404
    gone = visitor.get("/imports/offices/nothing")
    assert gone.status_code == 404
    assert "もう残っていません" in gone.text
    assert 'href="/imports/offices"' in gone.text


# --- check and take -------------------------------------------------------------------------------------


def test_a_check_changes_nothing_and_the_same_file_is_then_taken_in(place: DeskPlace) -> None:
    visitor, before = place.visitor(Role.COUNTER), count(place)
    there = send(visitor, "supply_points", points(*NEW[:3], POINTS[0])).headers["location"]
    text = visitor.get(there).text
    told = words(text)
    assert "確かめただけ" in told
    assert "供給地点 4 行: 新規 3、変更 1、同じ 0、取り込まない 0。まだ取り込んでいません。" in told
    assert "この 4 行を取り込む" in told
    assert (count(place), changes(place)) == (before, 0)
    assert place.desk.registers.imported_files() == ()
    taken = visitor.send(f"{there}/import", page=there)
    done = words(visitor.get(taken.headers["location"]).text)
    assert "取り込みました" in done
    assert "新規 3、変更 1" in done
    assert "この 4 行を取り込む" not in done
    assert (count(place), changes(place)) == (before + 3, 1)
    [file] = place.desk.registers.imported_files()
    assert (file.name, file.author, file.new) == ("points.csv", f"person:{place.person(Role.COUNTER)}", 3)
    listed = words(visitor.get("/imports").text)
    assert f"points.csv 供給地点 2026-07-01 09:00 {NAMES[Role.COUNTER]} 4 3 1 0 0" in listed


def test_a_second_press_takes_nothing_in_a_second_time(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    there = send(visitor, "supply_points", points(NEW[0])).headers["location"]
    secret = visitor.secret(there)
    assert visitor.request("POST", f"{there}/import", data={"csrf": secret}).status_code == 303
    again = visitor.request("POST", f"{there}/import", data={"csrf": secret})
    assert again.status_code == 404
    assert changes(place) == 1


def test_a_file_may_be_taken_in_at_once(place: DeskPlace) -> None:
    visitor = place.visitor(Role.SUPERVISOR)
    there = send(visitor, "supply_points", points(*NEW[:2]), do="take", prefix="/en").headers["location"]
    assert there.startswith("/en/imports/supply_points/")
    told = words(visitor.get(there).text)
    assert "Imported" in told
    assert "Supply points, 2 rows: 2 new, 0 changed, 0 the same, 0 refused." in told
    reloaded = visitor.send(f"{there}/import", page="/en/account")
    assert reloaded.headers["location"] == there, "it is in already"
    assert len(place.desk.registers.imported_files()) == 1


def test_a_result_is_for_whoever_sent_the_file_and_for_a_while(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    there = send(visitor, "supply_points", points(NEW[0])).headers["location"]
    other = place.visitor(Role.SUPERVISOR)
    for path in (there, f"{there}/refused.csv"):
        assert other.get(path).status_code == 404
    assert other.send(f"{there}/import", page="/account").status_code == 404
    assert visitor.get(there.replace("supply_points", "offices")).status_code == 404
    place.clock.set(START + timedelta(minutes=61))
    gone = visitor.get(there)
    assert gone.status_code == 404
    assert "もう一度ファイルを送ってください" in gone.text
    assert count(place) == 43


def test_what_is_kept_has_a_limit(monkeypatch: pytest.MonkeyPatch, place: DeskPlace) -> None:
    monkeypatch.setattr("koatsu.web.desk.kept_imports._FILES", 2)
    visitor = place.visitor(Role.COUNTER)
    addresses = [send(visitor, "supply_points", points(one)).headers["location"] for one in NEW[:3]]
    assert [visitor.get(one).status_code for one in addresses] == [404, 200, 200]
    monkeypatch.setattr("koatsu.web.desk.kept_imports._BYTES", 1)
    last = send(visitor, "supply_points", points(NEW[4])).headers["location"]
    assert visitor.get(last).status_code == 200, "the newest is kept whatever its size"
    assert [visitor.get(one).status_code for one in addresses] == [404, 404, 404]
    assert isinstance(place.app.state.kept_imports, KeptImports)


def test_columns_that_the_register_does_not_have_are_told(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    content = csv_of(
        (*POINT_HEADINGS, "担当者メモ"), [*point_row({"供給地点特定番号": NEW[0]}), "x"]
    ).encode()
    there = send(visitor, "supply_points", content).headers["location"]
    assert "台帳にない列は読みませんでした: 担当者メモ" in words(visitor.get(there).text)


# --- refused rows ---------------------------------------------------------------------------------------


def mixed() -> bytes:
    """Two sound rows and three that are not."""
    return csv_of(
        POINT_HEADINGS,
        point_row({"供給地点特定番号": NEW[0]}),
        point_row({"供給地点特定番号": NEW[1], "郵便番号": "<b>ばつ", "電圧": "?"}),
        point_row({"供給地点特定番号": OUTSIDE}),
        point_row({"供給地点特定番号": NEW[2]}),
        point_row({"供給地点特定番号": NEW[3], "契約終了日": "いつか"}),
    ).encode("cp932")


@pytest.mark.parametrize("lang", ["ja", "en"])
def test_refused_rows_are_told_row_by_row_in_both_languages(place: DeskPlace, lang: str) -> None:
    visitor, prefix = place.visitor(Role.COUNTER), "" if lang == "ja" else "/en"
    there = send(visitor, "supply_points", mixed(), do="take", prefix=prefix).headers["location"]
    text = visitor.get(there).text
    told = words(text)
    expected = {
        "ja": (
            "CP932 として読みました(5 行)",
            "取り込まない行(3 行)",
            "3 行目 郵便番号 <b>ばつ 郵便番号は 7 けたの数字です(例 812-0011)。",
            "3 行目 電圧 ? 低圧、高圧、特別高圧 のいずれかを書いてください。",
            "4 行目 供給地点特定番号",
            "6 行目 契約終了日 いつか 日付として読めません",
        ),
        "en": (
            "Read as CP932, 5 rows",
            "Refused rows (3)",
            "Row 3 Postal code <b>ばつ A postal code has 7 digits (such as 812-0011).",
            "Row 3 Voltage ? Write one of: Low, High, Extra-high.",
            "Row 4 Supply point number",
            "Row 6 Contract ended on いつか This is not a date",
        ),
    }[lang]
    for part in expected:
        assert part in told, part
    assert OUTSIDE not in text
    assert NEW[1] not in text
    assert count(place) == 43 + 2


def test_the_refused_rows_are_mended_and_sent_again(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    there = send(visitor, "supply_points", mixed(), do="take").headers["location"]
    answer = visitor.get(f"{there}/refused.csv")
    assert 'filename="koatsu_supply_points_refused_2026-07-01.csv"' in answer.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows[0][:3] == ["元の行", "取り込まなかった理由", "供給地点特定番号"]
    assert [row[0] for row in rows[1:]] == ["3", "4", "6"]
    again = send(visitor, "supply_points", answer.content, do="take").headers["location"]
    assert "取り込まない行(3 行)" in words(visitor.get(again).text), "nobody has mended them"
    for name, value in (("郵便番号", "812-0011"), ("電圧", "高圧"), ("契約終了日", "2026-12-31")):
        for row in rows[1:]:
            row[rows[0].index(name)] = value
    rows[2][2] = NEW[5]
    mended = send(visitor, "supply_points", csv_of(*rows).encode(), do="take").headers["location"]
    assert "新規 3、変更 0、同じ 0、取り込まない 0" in words(visitor.get(mended).text)


def test_many_refused_rows_are_shown_in_part(place: DeskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_pages, "_SHOWN", 5)
    visitor = place.visitor(Role.COUNTER)
    there = send(visitor, "supply_points", points(*NEW, 郵便番号="x")).headers["location"]
    text = visitor.get(there).text
    assert len(re.findall("行目</td>", text)) == 5
    assert "ほか 3 件は CSV にあります" in words(text)
    assert len(visitor.get(f"{there}/refused.csv").text.splitlines()) == 9
    assert "この 0 行を取り込む" not in words(text), "there is nothing to take in"


# --- no such file ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "ja", "en"),
    [
        (b"", "ファイルは空です", "the file is empty"),
        (b"\r\n\r\n", "ファイルは空です", "the file is empty"),
        (
            points(NEW[0]).decode().encode("utf-16"),
            "UTF-8 でも CP932 でもありません",
            "neither UTF-8 nor CP932",
        ),
        (b"PK\x03\x04" + bytes(500), "CSV ではありません(Excel のブック", "no CSV but a workbook"),
        (b"%PDF-1.7\n%\xe2\xe3", "CSV ではありません", "no CSV but a workbook"),
        (
            csv_of(("名前", "住所"), ("a", "b")).encode(),
            "見出し「供給地点特定番号」がありません",
            "“Supply point number”",
        ),
        (points(NEW[0]) + b'"open', "引用符", "Quotation marks"),
    ],
)
@pytest.mark.parametrize("do", ["check", "take"])
def test_what_is_no_such_file_is_told_in_one_sentence_and_leaves_nothing(
    place: DeskPlace, content: bytes, ja: str, en: str, do: str
) -> None:
    visitor, before = place.visitor(Role.COUNTER), (count(place), changes(place))
    for prefix, sentence in (("", ja), ("/en", en)):
        answer = send(visitor, "supply_points", content, do=do, prefix=prefix)
        assert answer.status_code == 422
        assert sentence in words(answer.text)
        assert ("何も取り込んでいません" if not prefix else "Nothing was imported") in answer.text
        assert 'type="file"' in answer.text, "the form is still there"
        assert NEW[0] not in answer.text
    assert (count(place), changes(place)) == before
    assert place.desk.registers.imported_files() == ()


def test_without_a_file_the_page_asks_for_one(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    assert "ファイルを選んでください" in visitor.send("/imports/offices/import", page="/imports/offices").text
    assert "ファイルを選んでください" in send(visitor, "offices", b"", name="").text


def test_a_file_that_is_too_large_is_never_read(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    secret = visitor.secret("/imports/supply_points")
    answer = send(visitor, "supply_points", b"x" * (desk_app.IMPORT_BYTES + 100_000), secret=secret)
    assert answer.status_code == 413
    assert "32" in words(answer.text)
    fits = send(visitor, "supply_points", points(NEW[0]) + b"\r\n" * 100_000, secret=secret)
    assert fits.status_code == 303, "larger than any other form may be"


def test_a_form_of_somebody_else_imports_nothing(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    assert send(visitor, "supply_points", points(NEW[0]), do="take", secret="forged").status_code == 403
    assert count(place) == 43


def test_one_file_at_a_time(place: DeskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_pages, "IMPORT_WAIT_S", 0.01)
    visitor = place.visitor(Role.COUNTER)
    there = send(visitor, "supply_points", points(NEW[0])).headers["location"]
    with IMPORTING:
        busy = send(visitor, "supply_points", points(NEW[0]))
        assert busy.status_code == 503
        assert "ほかのファイルを取り込んでいます" in busy.text
        assert visitor.send(f"{there}/import", page="/account").status_code == 503
    assert count(place) == 43
    kept = list(place.app.state.kept_imports._kept)
    assert len(kept) == 1, "the checked file is not lost"
