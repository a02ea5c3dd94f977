"""The registers on the page: found, looked at with what hangs on them, filled in and exported."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
from desk_site import CENTRE, METER, NORTH, POINTS, SETTINGS, SOUTH, START, SUPERVISOR, brought_to, drafted
from desk_web import DeskPlace, desk_place
from people_site import NAMES, Visitor
from staff_site import multipart, words, wrong_at

from koatsu.desk import SYSTEM, State
from koatsu.desk.imports import Register
from koatsu.desk.point_numbers import spaced
from koatsu.people import Role
from koatsu.web.desk import registers_pages

STAFF = (Role.COUNTER, Role.WORKS, Role.SUPERVISOR, Role.AUDITOR, Role.OWNER)
REGISTERS = (
    "supply_points", "offices", "areas", "retailers", "certified", "supported_types", "meters", "terminals",
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    with desk_place(tmp_path) as place:
        place.clock.set(START)
        for retailer in (("A0001", "北電力", "yes"), ("A0002", "あおぞら電力", "no")):
            fields = dict(zip(("code", "name", "own"), retailer, strict=True))
            place.desk.registers.put(Register.RETAILERS, fields, seen=None, author="system")
        yield place


def address(place: DeskPlace, register: Register, **fields: str) -> str:
    return f"/registers/{register}/{place.desk.registers.reference_to(register, **fields)}"


def form_of(text: str) -> dict[str, str]:
    """What stands in the form of a record."""
    form = re.search(r'<form class="form whole".*?</form>', text, re.DOTALL)
    assert form is not None
    found = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name, value = re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="radio"' not in tag or " checked" in tag):
            found[name[1]] = value[1] if value else ""
    return found


def changed(visitor: Visitor, url: str, **fields: str) -> tuple[int, str]:
    """Change a record as a browser would: everything that stands in the form is sent."""
    sent = {**form_of(visitor.get(url).text), **fields}
    answer = visitor.request("POST", url, data=sent)
    return answer.status_code, answer.headers.get("location", "") or answer.text


# --- looking --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_every_register_is_there_with_its_size_and_its_last_change(place: DeskPlace, prefix: str) -> None:
    text = place.visitor(Role.WORKS).get(f"{prefix}/registers").text
    for register in (*REGISTERS, "terms", "data_list"):
        assert f'href="{prefix}/registers/{register}"' in text
    told = words(text)
    assert ("供給地点 43 件 2026-06-01 09:00" if not prefix else "Supply points 43 2026-06-01 09:00") in told
    assert ("計量器 0 件 まだありません" if not prefix else "Meters 0 Not yet") in told
    assert ("利用規約 1 版 2026-07-01 09:00" if not prefix else "Terms of use 1 versions 2026-07-01") in told
    assert "/imports" not in text, "works do not import"


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_no_number_stands_anywhere_in_full(place: DeskPlace, role: Role, prefix: str) -> None:
    brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    visitor = place.visitor(role)
    seen = set()
    for register in REGISTERS:
        text = visitor.get(f"{prefix}/registers/{register}").text
        seen.add(text)
        for url in re.findall(rf'href="({prefix}/registers/{register}/[^"+]+)"', text)[:3]:
            seen.add(visitor.get(url).text)
    assert len(seen) > 15
    for text in seen:
        for point in POINTS:
            assert point not in text
            assert spaced(point) not in text
        for name in ("青葉食品", "小林", "092-000-0001"):
            assert name not in text


def test_a_register_is_searched_and_read_page_by_page(
    place: DeskPlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registers_pages, "_PAGE", 10)
    visitor = place.visitor(Role.COUNTER)
    first = visitor.get("/registers/supply_points")
    assert "43 件のうち 1–10 件目" in words(first.text)
    assert 'rel="prev"' not in first.text
    last = visitor.get("/registers/supply_points?page=5")
    assert "41–43 件目" in words(last.text)
    assert 'rel="next"' not in last.text
    assert 'href="/registers/supply_points?page=4"' in last.text
    found = words(visitor.get(f"/registers/supply_points?q={POINTS[6][-4:]}").text)
    assert "1 件見つかりました" in found
    assert "みどり 7" in found
    assert "当てはまる記録はありません" in words(visitor.get("/registers/supply_points?q=どこにもない").text)
    for odd in ("page=x", "page=0", "page=999999", "page=-3", f"q={'あ' * 500}"):
        assert visitor.get(f"/registers/supply_points?{odd}").status_code == 200, odd


def test_an_address_that_leads_nowhere_is_told(place: DeskPlace) -> None:
    visitor = place.visitor(Role.SUPERVISOR)
    for path in (
        "/registers/nothing",
        "/registers/contract_ends",
        "/registers/nothing.csv",
        "/registers/x/y",
    ):
        answer = visitor.get(path)
        assert answer.status_code == 404, path
        assert "そのような台帳はありません" in answer.text
    for path in (
        "/registers/offices/nowhere",
        f"/registers/supply_points/{POINTS[0]}",
        "/registers/meters/7",
    ):
        answer = visitor.get(path)
        assert answer.status_code == 404, path
        assert "その記録はありません" in answer.text


def test_a_supply_point_shows_everything_that_hangs_on_it(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    sell = {
        "supply_point": POINTS[1], "serial": "S-1", "type": "M-SELL", "role": "sell", "since": "2026-06-01",
    }  # fmt: skip
    place.desk.registers.put(Register.METERS, sell, seen=None, author="person:4")
    form = place.desk.registers.form(Register.SUPPLY_POINTS, {"number": POINTS[1]})
    fields = {**form.fields, "retailer": "A0001"}
    place.desk.registers.put(Register.SUPPLY_POINTS, fields, seen=form.seen, author="person:4")
    text = place.visitor(Role.COUNTER).get(address(place, Register.SUPPLY_POINTS, number=POINTS[1])).text
    told = words(text)
    for part in (
        "S-1 M-SELL 売電用 2026-06-01",
        "T20087 T-2 2026-07-01",
        "北電力",
        "北営業所",
        case.number,
        "利用中",
    ):
        assert part in told, part
    assert "売電用の計量器があり" in told
    for link in ("/registers/retailers/A0001", "/registers/offices/north", f"/case/{case.number}"):
        assert f'href="{link}"' in text
    english = (
        place.visitor(Role.WORKS).get("/en" + address(place, Register.SUPPLY_POINTS, number=POINTS[1])).text
    )
    assert "S-1 M-SELL Sold energy 2026-06-01" in words(english)
    assert 'href="/en/registers/retailers/A0001"' in english


def test_cases_of_other_offices_do_not_hang_there(place: DeskPlace) -> None:
    south = drafted(place.desk, POINTS[30], SUPERVISOR)
    with place.desk.database.writing() as connection:
        connection.exec_driver_sql("UPDATE desk_case SET office = 'south' WHERE id = %d" % south.id)  # noqa: UP031
    url = address(place, Register.SUPPLY_POINTS, number=POINTS[30])
    assert south.number not in place.visitor(Role.COUNTER).get(url).text
    assert "案件はありません" in words(place.visitor(Role.COUNTER).get(url).text)
    assert south.number in place.visitor(Role.AUDITOR).get(url).text
    office = words(place.visitor(Role.SUPERVISOR).get(f"/registers/offices/{SOUTH}").text)
    assert "進行中 1" in office
    assert "進行中 0" in words(place.visitor(Role.COUNTER).get(f"/registers/offices/{SOUTH}").text)


def test_a_place_that_no_office_serves_says_so(place: DeskPlace) -> None:
    form = place.desk.registers.form(Register.SUPPLY_POINTS, {"number": POINTS[2]})
    fields = {**form.fields, "postal_code": "999-0000", "municipality": "遠い市"}
    place.desk.registers.put(Register.SUPPLY_POINTS, fields, seen=form.seen, author="person:4")
    url = address(place, Register.SUPPLY_POINTS, number=POINTS[2])
    assert "担当区域に、この郵便番号か市区町村を加えてください" in words(
        place.visitor(Role.WORKS).get(url).text
    )


def test_records_lead_to_each_other(place: DeskPlace) -> None:
    brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    visitor = place.visitor(Role.SUPERVISOR)
    north = visitor.get(f"/registers/offices/{NORTH}").text
    area = re.search(r'href="(/registers/areas/[^"]+)"', north)
    assert area is not None
    assert f'href="/registers/offices/{NORTH}"' in visitor.get(area[1]).text
    assert "/registers/supply_points?retailer=A0001" in visitor.get("/registers/retailers/A0001").text
    assert "伝送端末 1" in words(
        visitor.get(address(place, Register.SUPPORTED_TYPES, kind="terminal", type="T-2")).text
    )
    assert "1 件見つかりました" in words(visitor.get("/registers/terminals?type_key=t2").text)
    terminal = visitor.get("/registers/terminals/1").text
    assert address(place, Register.SUPPLY_POINTS, number=POINTS[1]) in terminal
    assert "有効です" in words(visitor.get(address(place, Register.CERTIFIED, number="SMA-0001")).text)


def test_a_whole_number_is_shown_on_demand_and_that_is_written_down(place: DeskPlace) -> None:
    visitor, url = place.visitor(Role.WORKS), address(place, Register.SUPPLY_POINTS, number=POINTS[0])
    before = len(place.people.audit.entries(limit=100))
    answer = visitor.send(f"{url}/show", page=url)
    assert spaced(POINTS[0]) in answer.text
    newest = place.people.audit.entries(limit=1)[0]
    assert (newest.action, newest.subject) == ("personal_shown", "register:supply_points")
    assert newest.detail == {"what": "number"}
    assert len(place.people.audit.entries(limit=100)) == before + 1
    visitor.send(f"/registers/offices/{NORTH}/show", page=url)
    assert len(place.people.audit.entries(limit=100)) == before + 1, "there is nothing to show"


# --- files ----------------------------------------------------------------------------------------------


def test_a_register_goes_out_and_comes_in_again(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    content = visitor.get("/registers/supply_points.csv").content
    assert content.startswith("\ufeff供給地点特定番号".encode())
    assert POINTS[0].encode() in content
    report = place.desk.registers.import_file(
        Register.SUPPLY_POINTS, content, "x.csv", author="x", dry_run=True
    )
    assert (report.same, report.refused) == (43, 0)
    assert visitor.get("/en/registers/offices.csv").text.startswith("\ufeffOffice code,")
    newest = place.people.audit.entries(limit=1)[0]
    assert (newest.action, newest.subject, newest.detail) == (
        "personal_shown", "register:supply_points", {"what": "export"}
    )  # fmt: skip


@pytest.mark.parametrize("role", [Role.WORKS, Role.AUDITOR])
def test_those_who_do_not_bring_in_get_numbers_masked(place: DeskPlace, role: Role) -> None:
    brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    meter = {"supply_point": POINTS[1], "serial": "M1", "type": METER, "role": "buy", "since": "2026-06-01"}
    place.desk.registers.put(Register.METERS, meter, seen=None, author="person:4")
    visitor, before = place.visitor(role), len(place.people.audit.entries(limit=100))
    for register in ("supply_points", "meters", "terminals"):
        rows = list(csv.reader(io.StringIO(visitor.get(f"/registers/{register}.csv").text)))
        assert rows[1][0].startswith("07-····-"), register
        book = openpyxl.load_workbook(io.BytesIO(visitor.get(f"/registers/{register}.xlsx").content))
        assert str(book.worksheets[0]["A2"].value).startswith("07-····-")
    assert len(place.people.audit.entries(limit=100)) == before


def test_an_excel_file_has_days_and_numbers(place: DeskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = place.visitor(Role.SUPERVISOR)
    answer = visitor.get("/registers/supply_points.xlsx")
    assert 'filename="koatsu_supply_points_2026-07-01.xlsx"' in answer.headers["content-disposition"]
    page = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    heads = [cell.value for cell in page[1]]
    row = dict(zip(heads, [cell.value for cell in page[2]], strict=True))
    assert (row["供給地点特定番号"], row["契約電力"]) == (POINTS[0], 400)
    ended = [cell for cell in page[heads.index("契約終了日") + 1] if cell]
    assert ended is not None
    monkeypatch.setattr(registers_pages, "EXCEL_ROWS", 42)
    refused = visitor.get("/registers/supply_points.xlsx")
    assert refused.status_code == 422
    assert "Excel で書き出せるのは 42 行までです" in refused.text
    assert 'href="/registers/supply_points.csv"' in refused.text


# --- changing -------------------------------------------------------------------------------------------


def test_a_record_is_changed_and_the_page_says_by_whom_and_what(place: DeskPlace) -> None:
    visitor, url = place.visitor(Role.COUNTER), f"/registers/offices/{NORTH}"
    status, there = changed(visitor, url, phone="０９２ー１２３ー４５６７", hours="平日 9–17")
    assert (status, there) == (303, f"{url}?done=changed")
    assert place.desk.registers.office(NORTH).phone == "092-123-4567"
    text = words(visitor.get(there).text)
    assert "変更を保存しました" in text
    assert f"変更 {NAMES[Role.COUNTER]} 電話番号、受付時間" in text
    assert f"最後の変更: {NAMES[Role.COUNTER]} 2026-07-01 09:00" in text
    assert changed(visitor, url)[1] == f"{url}?done=same"
    [entry] = place.desk.registers.record(Register.OFFICES, NORTH).history
    assert (entry.author, entry.role) == (f"person:{place.person(Role.COUNTER)}", "counter")


def test_what_is_wrong_is_told_at_its_field_and_nothing_is_kept(place: DeskPlace) -> None:
    visitor, url = place.visitor(Role.SUPERVISOR), address(place, Register.SUPPLY_POINTS, number=POINTS[0])
    status, text = changed(
        visitor, url, postal_code="x", contract_kw="-5", retailer="NONE", street="新しい 1"
    )
    assert status == 422
    assert "郵便番号は 7 けた" in wrong_at(text, "record-postal_code")
    assert "契約電力は" in wrong_at(text, "record-contract_kw")
    assert "2 か所を直してください" in words(text)
    assert 'value="新しい 1"' in text, "what was typed is still there"
    assert place.desk.registers.point(POINTS[0]).street == "みどり 1"
    status, text = changed(visitor, url, retailer="NONE")
    assert "その小売電気事業者は登録されていません" in wrong_at(text, "record-retailer")
    status, text = changed(visitor, url, retailer="A0002", supply="utility")
    assert "食い違っています" in wrong_at(text, "record-supply")
    english = changed(visitor, f"/en{url}", postal_code="x")[1]
    assert "A postal code has 7 digits" in wrong_at(english, "record-postal_code")


def test_nobody_writes_over_what_somebody_else_has_changed(place: DeskPlace) -> None:
    one, other = place.visitor(Role.COUNTER), place.visitor(Role.SUPERVISOR)
    url = f"/registers/offices/{NORTH}"
    first, second = form_of(one.get(url).text), form_of(other.get(url).text)
    assert one.request("POST", url, data={**first, "phone": "1-1"}).status_code == 303
    answer = other.request("POST", url, data={**second, "phone": "2-2", "hours": "いつでも"})
    assert answer.status_code == 409
    assert f"{NAMES[Role.COUNTER]} が 09:00 に変更しました" in words(answer.text)
    assert place.desk.registers.office(NORTH).phone == "1-1"
    again = form_of(answer.text)
    assert (again["phone"], again["hours"]) == ("2-2", "いつでも"), "what was typed is still there"
    assert other.request("POST", url, data=again).status_code == 303, "having seen what it says now"
    assert place.desk.registers.office(NORTH).phone == "2-2"


def test_the_point_of_a_device_stays_unless_another_is_written(place: DeskPlace) -> None:
    brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    visitor, url = place.visitor(Role.SUPERVISOR), "/registers/terminals/1"
    text = visitor.get(url).text
    assert form_of(text)["supply_point"] == ""
    assert "0002 です。変えるときだけ書いてください" in words(text)
    assert {"serial", "type", "since"}.isdisjoint(form_of(text)), "they name it"
    assert changed(visitor, url, until="2026-07-01")[0] == 303
    [one] = place.desk.registers.terminals(POINTS[1])
    assert one.until is not None
    status, text = changed(visitor, url, supply_point="07123")
    assert status == 422
    assert "22 けた" in wrong_at(text, "record-supply_point")
    assert changed(visitor, url, supply_point=POINTS[5])[0] == 303
    assert len(place.desk.registers.terminals(POINTS[5])) == 1


def test_a_record_is_added(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    text = visitor.get("/registers/offices/+").text
    assert "追加: 事業所" in words(text)
    fields = {
        "csrf": visitor.secret("/registers/offices/+"), "code": "east", "kind": "distribution",
        "name": "東営業所", "postal_code": "816-0001", "address": "東市 1", "phone": "", "email": "",
        "hours": "", "closed_on": "",
    }  # fmt: skip
    answer = visitor.request("POST", "/registers/offices/+", data=fields)
    assert answer.headers["location"] == "/registers/offices/east?done=added"
    twice = visitor.request("POST", "/registers/offices/+", data=fields)
    assert twice.status_code == 422
    assert "既に登録されています" in wrong_at(twice.text, "record-code")
    lacking = visitor.request("POST", "/registers/offices/+", data={**fields, "code": "west", "name": ""})
    assert "空欄にはできません" in wrong_at(lacking.text, "record-name")
    assert 'value="東市 1"' in lacking.text
    point = {
        "csrf": fields["csrf"], "number": f"07{555:020}", "postal_code": "812-0011", "municipality": "北市",
        "street": "", "voltage": "high", "contract_kw": "418", "supply": "utility", "retailer": "",
        "contract_from": "2026-04-01", "contract_ended_on": "", "meter_type": METER,
    }  # fmt: skip
    there = visitor.request("POST", "/registers/supply_points/+", data=point).headers["location"]
    assert f"07{555:020}" not in there
    assert "追加しました" in visitor.get(there).text
    outside = visitor.request("POST", "/registers/supply_points/+", data={**point, "number": f"03{1:020}"})
    assert "当社の供給区域の番号ではありません" in wrong_at(outside.text, "record-number")


def test_an_area_is_taken_out_and_nothing_else_is(place: DeskPlace) -> None:
    visitor = place.visitor(Role.SUPERVISOR)
    url = address(place, Register.AREAS, office=SOUTH, postal="815")
    assert "担当区域から外す" in visitor.get(url).text
    assert visitor.request("POST", url, data={"csrf": visitor.secret(url)}).status_code == 404
    answer = visitor.send(f"{url}/remove", page=url)
    assert answer.headers["location"] == f"/registers/areas?office={SOUTH}"
    assert visitor.get(url).status_code == 404
    assert place.desk.registers.areas(SOUTH) == ()
    refused = visitor.send(f"/registers/offices/{CENTRE}/remove", page="/account")
    assert refused.status_code == 404
    assert "取り外せません" in refused.text
    assert place.desk.registers.office(CENTRE).code == CENTRE


def test_those_who_only_read_see_no_form(place: DeskPlace) -> None:
    for role in (Role.WORKS, Role.AUDITOR):
        text = place.visitor(role).get(f"/registers/offices/{NORTH}").text
        assert "この記録を直す" not in text
        assert "/registers/offices/+" not in place.visitor(role).get("/registers/offices").text


# --- what the service goes by ---------------------------------------------------------------------------


def test_terms_of_use_are_added_and_corrected_until_somebody_accepts_them(place: DeskPlace) -> None:
    visitor, page = place.visitor(Role.SUPERVISOR), "/registers/terms"
    fields = {
        "valid_from": "2026-08-01",
        "title": "利用規約",
        "text": "第 1 条\r\n\r\n第 2 条",
        "title_en": "",
        "text_en": "",
    }
    answer = visitor.send("/registers/terms/import", page=page, **fields)
    assert answer.headers["location"] == "/registers/terms?done=2026-08-01"
    text = words(visitor.get("/registers/terms?done=2026-08-01").text)
    assert "2026-08-01 からの版を保存しました" in text
    assert "これから" in text
    twice = visitor.send("/registers/terms/import", page=page, **fields)
    assert twice.status_code == 422
    assert "既にあります" in wrong_at(twice.text, "valid_from")
    assert "第 2 条" in twice.text, "what was typed is still there"
    for wrong, at in (({"valid_from": "x"}, "valid_from"), ({"title": ""}, "title"), ({"text": " "}, "text")):
        refused = visitor.send("/registers/terms/import", page=page, **{**fields, **wrong})
        assert refused.status_code == 422
        assert wrong_at(refused.text, at), at
    assert "第 1 条" in visitor.get("/registers/terms?version=2026-08-01").text
    corrected = visitor.send(
        "/registers/terms/import", page=page, **{**fields, "version": "2026-08-01", "text": "第 1 条 改"}
    )
    assert corrected.status_code == 303
    assert place.desk.terms.version("2026-08-01").text == "第 1 条 改"
    brought_to(place.desk, State.SUBMITTED, POINTS[1])
    refused = visitor.send("/registers/terms/import", page=page, **{**fields, "version": "2026-04-01"})
    assert refused.status_code == 422
    assert "同意した方がいるため" in refused.text


def test_terms_may_be_long(place: DeskPlace) -> None:
    visitor = place.visitor(Role.SUPERVISOR)
    answer = visitor.send(
        "/registers/terms/import",
        page="/registers/terms",
        valid_from="2026-08-01",
        title="規約",
        text="条" * 60_000,
    )
    assert answer.status_code == 303, "more than an ordinary form takes"


def test_the_list_of_the_data_comes_as_a_file(place: DeskPlace) -> None:
    visitor = place.visitor(Role.SUPERVISOR)
    assert "規格による標準の項目を表示しています" in visitor.get("/registers/data_list").text

    def send(content: bytes, name: str = "list.csv", **fields: str) -> tuple[int, str]:
        sent = {
            "csrf": visitor.secret("/registers/data_list"),
            "valid_from": "2026-07-01",
            "title": "一覧",
            **fields,
        }
        body, kind = multipart(sent, name, content)
        answer = visitor.request(
            "POST", "/registers/data_list/import", content=body, headers={"Content-Type": kind}
        )
        return answer.status_code, answer.headers.get("location", "") or answer.text

    good = "項目,英語,単位,必須\n積算電力量,Energy,kWh,必須\n".encode()
    status, text = send("項目,単位,必須\n積算電力量,kWh,たぶん\n瞬時電力,kW,いつか\n".encode())
    assert status == 422
    assert len(re.findall(r"<li>[^<]* 行目", text)) == 2, "each wrong row is told"
    assert place.desk.data_lists.kept() == [], "nothing of it was kept"
    assert "題名を書いてください" in wrong_at(send(good, title="")[1], "title")
    assert "日付で書いてください" in wrong_at(send(good, valid_from="")[1], "valid_from")
    assert "見出し" in wrong_at(send(b"a,b\n1,2\n")[1], "file")
    assert "TOML" in wrong_at(send(b"= =", "list.toml")[1], "file")
    assert send(good) == (303, "/registers/data_list?done=2026-07-01")
    assert "2026-07-01 からの版を保存しました" in visitor.get("/registers/data_list?done=2026-07-01").text
    assert "積算電力量" in visitor.get("/data").text
    assert "既にあります" in wrong_at(send(good)[1], "valid_from")
    none = visitor.send("/registers/data_list/import", page="/registers/data_list", valid_from="2026-09-01")
    assert "ファイルを選んでください" in wrong_at(none.text, "file")


def test_those_who_do_not_decide_only_look(place: DeskPlace) -> None:
    for page in ("/registers/terms", "/registers/data_list"):
        text = place.visitor(Role.COUNTER).get(page).text
        assert "/import" not in re.findall(r'<form class="form[^>]*>', text)
        assert "追加する" not in text


def test_references_stay_when_the_desk_is_opened_again(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.SUPERVISOR, settings=SETTINGS) as place:
        one = place.desk.registers.reference_to(Register.SUPPLY_POINTS, number=POINTS[0])
        assert place.desk.registers.record(Register.SUPPLY_POINTS, one).row["number"] == POINTS[0]
        assert place.desk.lists.search(SYSTEM, POINTS[0]) == []
