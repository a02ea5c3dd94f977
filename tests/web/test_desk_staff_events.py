"""The trail for those who review: every entry of cases and registers, and whether it is as written."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import openpyxl
import pytest
from desk_help import customer_of, erase
from desk_site import NORTH, POINTS, START, brought_to, drafted
from desk_web import DeskPlace, desk_place
from people_site import NAMES
from staff_site import PERSONAL, furnished, words

from koatsu.desk import Event, State
from koatsu.desk.imports import Register
from koatsu.desk.trail import Verified
from koatsu.people import AuditFinding, FindingKind, Role
from koatsu.web.desk import registers_pages, trail_pages
from koatsu.web.desk.trail_words import verdict
from koatsu.web.texts import texts

OFFICES = "コード,種類,名称,郵便番号,住所\r\neast,配電事業所,東営業所,816-0001,東市 1\r\n"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    with desk_place(tmp_path) as place:
        place.clock.set(START)
        yield place


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    """An ordinary Wednesday, which these tests only look at."""
    with desk_place(tmp_path_factory.mktemp("whole")) as place:
        cases = furnished(place)
        erase(place.desk, cases[State.ENDED])
        yield place


def seqs(text: str) -> list[int]:
    """The numbers of the entries that a page shows."""
    return [
        int(found.replace(",", "")) for found in re.findall(r'<td class="num"[^>]*>([\d,]+)</td></tr>', text)
    ]


def register_changed(place: DeskPlace) -> None:
    author = f"person:{place.person(Role.COUNTER)}"
    place.desk.registers.import_file(
        Register.OFFICES, OFFICES.encode(), "offices.csv", author=author, role=Role.COUNTER
    )
    office = place.desk.registers.form(Register.OFFICES, {"code": NORTH})
    fields = {**office.fields, "phone": "092-999-9999"}
    place.desk.registers.put(Register.OFFICES, fields, seen=office.seen, author=author, role=Role.COUNTER)


# --- looking --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_entries_say_when_who_what_and_why_of_every_case(place: DeskPlace, prefix: str) -> None:
    case = brought_to(place.desk, State.REFUSED, POINTS[1])
    text = place.visitor(Role.AUDITOR).get(f"{prefix}/events").text
    told = words(text)
    assert f'href="{prefix}/case/{case.number}"' in text
    if prefix:
        assert "Under check → Refused" in told
        assert "person:4" not in told
        assert "Submit" in told
    else:
        assert "審査中 → お断り" in told
        assert "本文は案件の経過にあります" in told, "that somebody wrote a reason, not what"
        assert "2026-07-01 09:00:00" in told
    assert "盤に場所がありません" not in told
    assert seqs(text) == sorted(seqs(text), reverse=True)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OWNER])
def test_nothing_personal_stands_in_it_or_in_its_files(whole: DeskPlace, role: Role) -> None:
    visitor = whole.visitor(role)
    texts_ = [
        visitor.get(path).text for path in ("/events", "/en/events", "/events?before=60", "/events.csv")
    ]
    book = openpyxl.load_workbook(io.BytesIO(visitor.get("/events.xlsx").content))
    texts_.append("\n".join(str(cell.value) for row in book.worksheets[0].rows for cell in row))
    for text in texts_:
        for hidden in (*PERSONAL, *POINTS, "みどり製作所", "受電盤に端末", "text:"):
            assert hidden not in text, hidden
        assert NAMES[Role.CUSTOMER] not in text


def test_customers_are_called_customers(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.AUDITOR, Role.CUSTOMER, online=True) as place:
        place.clock.set(START)
        case = brought_to(place.desk, State.RETURNED, POINTS[1])
        place.desk.cases.act(customer_of(case, place.person(Role.CUSTOMER)), case.id, Event.SUBMIT, {})
        visitor = place.visitor(Role.AUDITOR)
        row = words(re.findall(r"<tr><td>.*?</tr>", visitor.get("/events").text, re.DOTALL)[0])
        assert row.startswith("申込")
        assert "お客さま" in row
        assert NAMES[Role.CUSTOMER] not in row
        assert len(seqs(visitor.get("/events?who=role:customer").text)) == 1


def test_it_is_read_page_by_page_and_what_comes_in_moves_nothing(
    place: DeskPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trail_pages, "_PAGE", 5)
    for point in POINTS[1:8]:
        drafted(place.desk, point)
    visitor = place.visitor(Role.AUDITOR)
    first = visitor.get("/events").text
    newest = seqs(first)[0]
    assert seqs(first) == list(range(newest, newest - 5, -1))
    assert "最新" not in words(first)
    older = re.search(r'href="(/events\?before=\d+)" rel="next"', first)
    assert older is not None
    drafted(place.desk, POINTS[9])
    second = visitor.get(older[1]).text
    assert seqs(second) == list(range(newest - 5, newest - 10, -1)), "none twice, none left out"
    newer = re.search(r'href="(/events\?after=\d+)" rel="prev"', second)
    assert newer is not None
    assert seqs(visitor.get(newer[1]).text) == seqs(first)
    seen, path = [], "/events"
    while path:
        text = visitor.get(path).text
        seen += seqs(text)
        found = re.search(r'href="([^"]+)" rel="next"', text)
        path = found[1] if found else ""
        assert len(seen) < 100
    assert seen == list(range(newest + 2, 0, -1))


def test_it_is_narrowed_down_by_case_person_event_and_days(whole: DeskPlace) -> None:
    visitor = whole.visitor(Role.AUDITOR)

    def rows(query: str) -> list[dict[str, str]]:
        text = visitor.get(f"/events.csv?{query}").text
        return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))

    everything = rows("")
    case = everything[0]["案件"]
    assert {row["案件"] for row in rows(f"case={case.lower()}")} == {case}
    assert rows("case=HB-2026-99999") == []
    assert {row["だれが"] for row in rows("who=person:3")} == {NAMES[Role.WORKS]}
    assert {row["権限"] for row in rows("who=role:supervisor")} == {"責任者"}
    started = rows("what=start")
    assert {row["できごと"] for row in started} == {"利用開始"}
    day = started[0]["日時"][:10]
    of_day = rows(f"from={day}&to={day}")
    assert of_day
    assert {row["日時"][:10] for row in of_day} == {day}
    assert len(rows(f"to={day}")) + len(rows(f"from={day}")) == len(everything) + len(of_day)
    both = rows(f"who=person:2&what=submit&from={day}")
    assert all(row["できごと"] == "申込" for row in both)
    assert len(rows("from=x&to=9999-99-99&before=-1&after=zz&kind=zz")) == len(everything), "no such words"
    text = visitor.get("/events?case=HB-2026-99999").text
    assert "この条件の記録はありません" in text
    assert 'href="/events"' in text


def test_the_filters_stand_in_the_form_and_in_the_files(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.SURVEY, POINTS[1])
    text = place.visitor(Role.AUDITOR).get(f"/events?case={case.number}&what=submit&from=2026-07-01").text
    assert f'value="{case.number}"' in text
    assert '<option value="submit" selected>' in text
    assert 'name="from" type="date" value="2026-07-01"' in text
    assert f"/events.csv?case={case.number}&amp;what=submit&amp;from=2026-07-01" in text
    english = re.search(r'class="language" href="([^"]+)"', text)
    assert english is not None
    assert f"case={case.number}" in english[1]


# --- registers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_what_happened_to_registers_has_a_list_of_its_own(place: DeskPlace, prefix: str) -> None:
    register_changed(place)
    visitor = place.visitor(Role.AUDITOR)
    text = visitor.get(f"{prefix}/events?kind=registers").text
    told = words(text)
    if prefix:
        assert "Offices Telephone" in told
        assert "1 rows: 1 new, 0 changed, 0 the same, 0 refused · SHA-256" in told
    else:
        assert "変更 事業所 電話番号" in told
        assert "1 行: 新規 1、変更 0、同じ 0、取り込まない 0 · SHA-256" in told
    assert f'href="{prefix}/registers/offices/{NORTH}"' in text
    assert NAMES[Role.COUNTER] in told
    assert "092-999-9999" not in text
    assert "東営業所" not in text
    assert seqs(text) == [2, 1]
    assert seqs(visitor.get(f"{prefix}/events?kind=registers&what=imported").text) == [1]
    assert seqs(visitor.get(f"{prefix}/events?kind=registers&register=retailers").text) == []
    assert seqs(
        visitor.get(f"{prefix}/events?kind=registers&who=person:{place.person(Role.COUNTER)}").text
    ) == [2, 1]


def test_an_entry_of_a_supply_point_leads_to_its_record_without_its_number(place: DeskPlace) -> None:
    form = place.desk.registers.form(Register.SUPPLY_POINTS, {"number": POINTS[0]})
    fields = {**form.fields, "contract_kw": "5"}
    place.desk.registers.put(Register.SUPPLY_POINTS, fields, seen=form.seen, author="person:2")
    visitor = place.visitor(Role.AUDITOR)
    text = visitor.get("/events?kind=registers").text
    assert POINTS[0] not in text
    link = re.search(r'href="(/registers/supply_points/[^"]+)"', text)
    assert link is not None
    assert "みどり 1" in words(visitor.get(link[1]).text)


def test_files_of_registers(place: DeskPlace) -> None:
    register_changed(place)
    visitor = place.visitor(Role.AUDITOR)
    answer = visitor.get("/events.csv?kind=registers")
    assert 'filename="koatsu_events_registers_2026-07-01.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [(row["番号"], row["できごと"], row["台帳"]) for row in rows] == [
        ("2", "変更", "事業所"),
        ("1", "ファイルの取り込み", "事業所"),
    ]
    book = openpyxl.load_workbook(io.BytesIO(visitor.get("/events.xlsx?kind=registers").content))
    assert [cell.value for cell in book.worksheets[0][2]][:1] == [2]


def test_a_file_that_is_too_long_for_excel_leads_to_csv(
    whole: DeskPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (registers_pages, trail_pages):
        monkeypatch.setattr(module, "EXCEL_ROWS", 10)
    visitor = whole.visitor(Role.AUDITOR)
    refused = visitor.get("/events.xlsx?what=submit")
    assert refused.status_code == 422
    assert 'href="/events.csv?what=submit"' in refused.text
    assert visitor.get("/events.csv").status_code == 200


def test_files_hold_every_entry(whole: DeskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail_pages, "_AT_ONCE", 7)
    visitor = whole.visitor(Role.OWNER)
    rows = list(csv.DictReader(io.StringIO(visitor.get("/events.csv?before=3").text.removeprefix("\ufeff"))))
    numbers = [int(row["番号"]) for row in rows]
    assert numbers == list(range(len(numbers), 0, -1))
    assert len(numbers) > 100
    book = openpyxl.load_workbook(io.BytesIO(visitor.get("/en/events.xlsx").content)).worksheets[0]
    assert book.max_row == len(numbers) + 1
    assert [cell.value for cell in book[1]] == [
        "Number", "When", "By", "Role", "Case", "Event", "State before", "State after", "Reason"
    ]  # fmt: skip


# --- verifying ------------------------------------------------------------------------------------------


def test_what_is_as_it_was_written_is_said_in_one_sentence_each(place: DeskPlace) -> None:
    brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    register_changed(place)
    visitor = place.visitor(Role.AUDITOR)
    assert "異常なし" not in visitor.get("/events").text
    with place.desk.database.reading() as connection:
        count = connection.exec_driver_sql("SELECT count(*) FROM desk_event").scalar_one()
        head = connection.exec_driver_sql(
            "SELECT hash FROM desk_event ORDER BY seq DESC LIMIT 1"
        ).scalar_one()
    answer = visitor.send("/events/verify", page="/events")
    told = words(answer.text)
    assert f"案件の記録: {count} 件すべてが、書かれたときのままです。" in told
    assert "台帳の記録: 2 件すべてが、書かれたときのままです。" in told
    assert "異常なし" in told
    assert head in told, "to be noted elsewhere"
    again = visitor.send("/events/verify", page="/events", expected=head.upper())
    assert "異常なし" in again.text
    drafted(place.desk, POINTS[9])
    assert "異常なし" in visitor.send("/events/verify", page="/events", expected=head).text
    other = words(visitor.send("/en/events/verify", page="/en/events", expected="0" * 63 + "1").text)
    assert "Not sound" in other
    assert "no entry has the hash that was noted" in other


def test_an_empty_trail_holds(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.AUDITOR) as place:
        answer = place.visitor(Role.AUDITOR).send("/events/verify", page="/events")
        assert "案件の記録: 0 件すべてが" in words(answer.text)
        assert "<code" not in answer.text


@pytest.mark.parametrize(
    ("statement", "ja", "en"),
    [
        (
            "UPDATE desk_event SET author = 'person:9' WHERE seq = 3",
            "案件の記録: 3 件目が書き換えられています",
            "Cases: entry 3 was changed",
        ),
        (
            "DELETE FROM desk_event WHERE seq = 2",
            "案件の記録: 2 件目から先に、削除された記録があります",
            "missing from number 2 on",
        ),
        (
            "UPDATE desk_event SET event = 'volcano' WHERE seq = 1",
            "案件の記録: 1 件目が書き換え",
            "Cases: entry 1 was changed",
        ),
        (
            "UPDATE desk_register_event SET detail = '{}' WHERE seq = 1",
            "台帳の記録: 1 件目が書き換えられています",
            "Registers: entry 1 was changed",
        ),
    ],
)
def test_what_was_done_behind_our_back_is_named_with_what_to_do(
    place: DeskPlace, tmp_path: Path, statement: str, ja: str, en: str
) -> None:
    brought_to(place.desk, State.ACCEPTED, POINTS[1])
    register_changed(place)
    with closing(sqlite3.connect(tmp_path / "desk.db")) as store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f"DROP TRIGGER {name}")
        store.execute(statement)
        store.commit()
    visitor = place.visitor(Role.AUDITOR)
    told = words(visitor.send("/events/verify", page="/events").text)
    assert ja in told
    assert "異常あり" in told
    assert "データベースには手を加えず、システムの管理者に知らせてください" in told
    assert en in words(visitor.send("/en/events/verify", page="/en/events").text)
    for path in ("/events", "/events?kind=registers", "/events.csv"):
        assert visitor.get(path).status_code == 200, "the trail is still shown"


def test_every_finding_has_its_sentence() -> None:
    for lang in ("ja", "en"):
        said = set()
        for kind in FindingKind:
            finding = AuditFinding(kind=kind, seq=1234)
            one = Verified(chain="cases", entries=9, head="x", finding=finding)
            sound, sentence = verdict(one, texts(lang))
            assert not sound
            assert kind is FindingKind.NOT_EXPECTED or "1,234" in sentence
            said.add(sentence)
        assert len(said) == len(FindingKind)


def test_those_who_do_not_review_do_not_see_it(place: DeskPlace) -> None:
    for role in (Role.COUNTER, Role.WORKS, Role.SUPERVISOR):
        visitor = place.visitor(role)
        for path in ("/events", "/events.csv", "/events.xlsx"):
            assert visitor.get(path).status_code == 403
        assert visitor.send("/events/verify", page="/account").status_code == 403
        assert 'href="/events"' not in visitor.get("/").text
    assert 'href="/events"' in place.visitor(Role.AUDITOR).get("/").text
