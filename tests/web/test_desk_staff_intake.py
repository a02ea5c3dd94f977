"""Taking in paper at the counter, and the papers of a case: what is wrong is told, nothing is half-kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest
from desk_site import (
    APPLICATION,
    AUDITOR,
    COUNTER,
    EXTRA_HIGH,
    LOW,
    NORTH,
    OUTSIDE,
    POINTS,
    SOUTH,
    START,
    STRANGE,
    STRANGER,
    SUPERVISOR,
    TERMS,
    brought_to,
    drafted,
)
from desk_web import DeskPlace, desk_place
from people_site import Visitor
from staff_site import multipart, png, words, wrong_at

from koatsu.desk import SYSTEM, Case, Event, RuleError, State
from koatsu.desk.documents import DocumentKind
from koatsu.desk.lifecycle import step_for
from koatsu.desk.words import Words
from koatsu.people import Role

PAPER = {name: value for name, value in APPLICATION.items() if name != "ems_certificate"}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    with desk_place(tmp_path) as place:
        place.clock.set(START)
        yield place


def intake(visitor: Visitor, point: str, prefix: str = "", **fields: str) -> httpx.Response:
    sent = {"csrf": visitor.secret(f"{prefix}/intake"), "supply_point": point, **fields}
    return visitor.request("POST", f"{prefix}/intake", data=sent)


def stands(text: str) -> dict[str, str]:
    """What stands in the fields of the form."""
    form = re.search(r'<form class="intake".*?</form>', text, re.DOTALL)
    assert form is not None
    found = {}
    for tag in re.findall(r"<input[^>]*>", form[0]):
        name, value = re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="radio"' not in tag or " checked" in tag):
            found[name[1]] = value[1] if value else ""
    for name_, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form[0], re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name_] = chosen[1] if chosen else ""
    return found


def cases_of(place: DeskPlace) -> int:
    return sum(place.desk.lists.counts(SUPERVISOR).values())


# --- the supply point -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "ja", "en"),
    [
        ("", "供給地点特定番号を書いてください。", "Write the supply point number."),
        ("0700", "22 けたです(4 けたあります)", "has 22 digits, this one 4"),
        ("07x0000000000000000001", "数字でない文字があります", "holds something else"),
        (OUTSIDE, "供給区域の外にあります", "lies outside the utility's area"),
    ],
)
def test_a_number_that_cannot_be_is_told_at_its_field(place: DeskPlace, typed: str, ja: str, en: str) -> None:
    counter = place.visitor(Role.COUNTER)
    for prefix, said in (("", ja), ("/en", en)):
        answer = intake(counter, typed, prefix)
        assert answer.status_code == 422
        assert said in wrong_at(answer.text, "supply_point")
        assert f'value="{typed}"' in answer.text


def test_the_register_says_where_it_is_and_where_the_form_goes(place: DeskPlace) -> None:
    counter = place.visitor(Role.COUNTER)
    wide = "07-0000-0000-0000-0000-0030".translate(str.maketrans("0123456789-", "0123456789−"))
    page = intake(counter, wide)
    assert page.status_code == 200
    said = words(page.text)
    assert "使用場所 南市みどり 30" in said
    assert "電圧 高圧" in said
    assert "申込書の届け先 南営業所" in said
    form = stands(page.text)
    assert form["supply_point"] == POINTS[29]
    expected = {"supply": "utility", "way": "counter", "received_on": "2026-07-01", "language": "ja"}
    expected["terms_version"] = TERMS
    assert {name: form[name] for name in expected} == expected
    assert "terms_accepted" not in form, "nobody accepts for the customer"
    names = set(re.findall(r'<[^m>][^>]* name="(\w+)"', page.text)) - {"csrf", "supply_point", "do", "q"}
    fill = step_for(Event.FILL, State.DRAFT)
    assert fill is not None
    assert names == set(fill.names)


@pytest.mark.parametrize(("point", "said"), [(LOW, "低圧には、専用の"), (EXTRA_HIGH, "特別高圧のご契約です")])
def test_another_voltage_is_told_its_own_service(place: DeskPlace, point: str, said: str) -> None:
    counter = place.visitor(Role.COUNTER)
    for fields in ({}, {"do": "submit", **PAPER}):
        answer = intake(counter, point, **fields)
        assert said in words(answer.text)
        assert '<form class="intake"' not in answer.text
    assert cases_of(place) == 1, "the customer's draft alone"


def test_a_point_that_is_not_registered_can_be_drafted_alone(place: DeskPlace) -> None:
    counter = place.visitor(Role.COUNTER)
    assert "台帳にありません" in words(intake(counter, STRANGE).text)
    refused = intake(counter, STRANGE, do="submit", **PAPER)
    assert refused.status_code == 422
    assert cases_of(place) == 1
    assert intake(counter, STRANGE, do="save", **PAPER).status_code == 303
    assert cases_of(place) == 2


def test_a_second_application_leads_to_the_first(place: DeskPlace) -> None:
    first = brought_to(place.desk, State.SUBMITTED, POINTS[1])
    counter = place.visitor(Role.COUNTER)
    for prefix, said in (("", "すでに申込みがあります"), ("/en", "There is an application")):
        page = intake(counter, POINTS[1], prefix)
        assert said in words(page.text)
        assert f'href="{prefix}/case/{first.number}"' in page.text
        assert '<form class="intake"' not in page.text
    twice = intake(counter, POINTS[1], do="submit", **PAPER)
    assert twice.status_code == 422
    assert f'href="/case/{first.number}"' in twice.text
    assert cases_of(place) == 2


def test_a_case_of_another_office_is_named_without_a_way_in(place: DeskPlace) -> None:
    south = drafted(place.desk, POINTS[30], STRANGER)
    place.desk.cases.act(STRANGER, south.id, Event.SUBMIT)
    page = intake(place.visitor(Role.COUNTER), POINTS[30])
    assert f"{south.number} (別の事業所の案件)" in words(page.text)
    assert f'href="/case/{south.number}"' not in page.text


def test_a_draft_of_the_same_point_is_told(place: DeskPlace) -> None:
    page = intake(place.visitor(Role.COUNTER), POINTS[0])
    assert "この供給地点には下書きがあります。" in words(page.text)
    assert '<form class="intake"' in page.text


def test_self_supply_without_an_office_says_which_setting_is_missing(place: DeskPlace) -> None:
    counter = place.visitor(Role.COUNTER)
    answer = intake(counter, POINTS[1], do="submit", **{**PAPER, "supply": "self"})
    assert answer.status_code == 409
    assert "self_supply_office" in words(answer.text)
    assert cases_of(place) == 1
    assert stands(answer.text)["customer_name"] == PAPER["customer_name"]


# --- the form -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_a_paper_is_submitted_or_kept_as_a_draft(place: DeskPlace, prefix: str) -> None:
    counter = place.visitor(Role.COUNTER)
    submitted = intake(counter, POINTS[1], prefix, do="submit", **PAPER)
    assert submitted.status_code == 303, words(submitted.text)
    number = submitted.headers["location"].removeprefix(f"{prefix}/case/").partition("?")[0]
    case = place.desk.cases.find(SYSTEM, number)
    assert (case.state, case.office, case.supply_point) == (State.SUBMITTED, NORTH, POINTS[1])
    assert place.desk.cases.person(SYSTEM, case.id)["phone"] == PAPER["phone"]
    assert case.fact("language") == "", "what is not on the form is not kept"
    saved = intake(counter, POINTS[2], prefix, do="save", way="post", customer_name="", phone="")
    assert saved.headers["location"].endswith("?done=draft")
    draft = place.desk.cases.find(SYSTEM, saved.headers["location"].partition("?")[0].rpartition("/")[2])
    assert (draft.state, dict(draft.facts)) == (State.DRAFT, {"way": "post"})
    assert ("The draft was kept." if prefix else "下書きを保存しました。") in words(
        counter.get(saved.headers["location"]).text
    )


def test_what_goes_to_another_office_leads_to_the_worklist(place: DeskPlace) -> None:
    answer = intake(place.visitor(Role.COUNTER), POINTS[30], do="submit", **PAPER)
    assert answer.headers["location"] == "/?done=moved"
    (case,) = (one.case for one in place.desk.lists.search(SUPERVISOR, POINTS[30]))
    assert (case.state, case.office) == (State.SUBMITTED, SOUTH)


WRONG: list[tuple[Mapping[str, str], str, str, str]] = [
    ({"customer_name": ""}, "customer_name", "「お客さまの名称」を書いて", "Fill in “Customer's name”"),
    ({"ems_installed": ""}, "ems_installed", "「EMS の設置」を書いて", "Fill in “EMS”"),
    ({"received_on": ""}, "received_on", "「受領日」を書いて", "Fill in “Received on”"),
    ({"supply": "other"}, "retailer", "「小売電気事業者」を書いて", "Fill in “Retailer”"),
    (
        {"phone": "", "email": "", "address": ""},
        "phone",
        "電話、メール、住所のどれか",
        "Give a telephone number",
    ),
    ({"terms_accepted": "no"}, "terms_accepted", "上のお知らせ", "See the sentence above"),
    ({"terms_version": "2020-01-01"}, "terms_version", "上のお知らせ", "See the sentence above"),
    ({"received_on": "2026-07-02"}, "received_on", "まだ来ていません", "has not come yet"),
    ({"wished_on": "2026-06-30"}, "wished_on", "過ぎています", "is past"),
    ({"wished_on": "2062-07-01"}, "wished_on", "離れすぎています", "too far away"),
    ({"email": "kobayashi"}, "email", "メールアドレスを確かめて", "Check the e-mail address"),
    ({"phone": "電話"}, "phone", "092-000-0000 のように", "such as 092-000-0000"),
    ({"postal_code": "12"}, "postal_code", "7 けたの数字", "has 7 digits"),
    ({"customer_name": "あ" * 101}, "customer_name", "100", "100"),
    ({"sells": "maybe"}, "sells", "選んでください", "Choose one of"),
]


@pytest.mark.parametrize(("changed", "field", "ja", "en"), WRONG)
def test_a_form_with_something_wrong_keeps_nothing_and_everything_typed(
    place: DeskPlace, changed: Mapping[str, str], field: str, ja: str, en: str
) -> None:
    counter = place.visitor(Role.COUNTER)
    for prefix, said in (("", ja), ("/en", en)):
        sent = {**PAPER, "contact_name": "小林 花子", **changed}
        answer = intake(counter, POINTS[1], prefix, do="submit", **sent)
        assert answer.status_code == 422
        assert said in wrong_at(answer.text, field)
        assert ("まだ何も保存していません" if not prefix else "Nothing was kept yet") in words(answer.text)
        kept = stands(answer.text)
        assert kept["contact_name"] == "小林 花子"
        assert kept["customer_name"] == sent["customer_name"]
    assert cases_of(place) == 1


def test_several_wrong_fields_are_told_at_once(place: DeskPlace) -> None:
    changed = {"email": "x", "phone": "y", "wished_on": "2020-01-01"}
    answer = intake(place.visitor(Role.COUNTER), POINTS[1], do="save", **{**PAPER, **changed})
    assert [bool(wrong_at(answer.text, name)) for name in changed] == [True] * 3
    assert "3 か所を確かめてください" in words(answer.text)
    assert answer.text.index("autofocus") < answer.text.index('id="email-wrong"')


def test_only_those_who_handle_forms_take_them_in(place: DeskPlace) -> None:
    for role in (Role.WORKS, Role.AUDITOR, Role.CUSTOMER):
        visitor = place.visitor(role)
        assert visitor.get("/intake").status_code == 403
        sent = {"csrf": visitor.secret("/account"), "supply_point": POINTS[1], "do": "save"}
        assert visitor.request("POST", "/intake", data=sent).status_code == 403
    for role in (Role.SUPERVISOR, Role.OWNER):
        assert place.visitor(role).get("/intake").status_code == 200


# --- papers ---------------------------------------------------------------------------------------------


def send(
    visitor: Visitor, case: Case, name: str, content: bytes, kind: str = "application", prefix: str = ""
) -> httpx.Response:
    page = f"{prefix}/case/{case.number}"
    body, media = multipart({"csrf": visitor.secret(page), "kind": kind}, name, content)
    return visitor.request("POST", f"{page}/documents", content=body, headers={"Content-Type": media})


@pytest.fixture
def case(place: DeskPlace) -> Case:
    return brought_to(place.desk, State.SUBMITTED, POINTS[1])


def test_a_paper_is_kept_listed_and_given_out_to_be_saved(place: DeskPlace, case: Case) -> None:
    works = place.visitor(Role.WORKS)
    answer = send(works, case, "申込書 葛\U000e0100城.png", png(), "survey")
    assert answer.headers["location"] == f"/case/{case.number}?done=attach"
    page = works.get(f"/case/{case.number}").text
    (paper,) = place.desk.documents.of_case(COUNTER, case.id)
    assert "申込書 葛\U000e0100城.png" in page
    assert "現地調査の記録" in words(page)
    assert place.desk.cases.history(SYSTEM, case.id)[-1].event is Event.ATTACH
    assert "書類 申込書" in words(page), "the history names it"
    got = works.get(f"/case/{case.number}/documents/{paper.id}")
    assert got.content == png()
    assert got.headers["content-type"] == "image/png"
    assert got.headers["content-disposition"].startswith("attachment; ")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["cache-control"] == "private, no-store"


def test_papers_of_others_are_not_there(place: DeskPlace, case: Case) -> None:
    send(place.visitor(Role.COUNTER), case, "a.png", png())
    (paper,) = place.desk.documents.of_case(COUNTER, case.id)
    other = brought_to(place.desk, State.SUBMITTED, POINTS[2])
    counter = place.visitor(Role.COUNTER)
    for path in (
        f"{other.number}/documents/{paper.id}",
        f"{case.number}/documents/{'9' * 25}",
        "x/documents/1",
    ):
        assert counter.get(f"/case/{path}").status_code == 404
    assert place.visitor(Role.CUSTOMER).get(f"/case/{case.number}/documents/{paper.id}").status_code == 403
    assert place.visitor(Role.AUDITOR).get(f"/case/{case.number}/documents/{paper.id}").status_code == 200


@pytest.mark.parametrize(
    ("name", "content", "ja", "en"),
    [
        (
            "virus.png",
            b"MZ\x90\0",
            "受け取れる種類のファイルではありません",
            "This kind of file cannot be taken",
        ),
        ("empty.pdf", b"", "ファイルが空です", "The file is empty"),
        ("cut.png", png()[:40], "壊れているか", "damaged or cut off"),
        ("", b"x", "ファイルを選んでください", "Choose a file"),
    ],
)
def test_a_file_that_is_none_is_refused_in_one_sentence(
    place: DeskPlace, case: Case, name: str, content: bytes, ja: str, en: str
) -> None:
    counter = place.visitor(Role.COUNTER)
    for prefix, said in (("", ja), ("/en", en)):
        answer = send(counter, case, name, content, prefix=prefix)
        assert answer.status_code == 422
        assert said in wrong_at(answer.text, "paper-file")
    assert place.desk.documents.of_case(COUNTER, case.id) == []
    assert place.desk.cases.get(SYSTEM, case.id).version == case.version


def test_the_same_file_twice_and_a_strange_kind_are_refused(place: DeskPlace, case: Case) -> None:
    counter = place.visitor(Role.COUNTER)
    assert send(counter, case, "a.png", png()).status_code == 303
    assert "同じファイル" in wrong_at(send(counter, case, "b.png", png()).text, "paper-file")
    assert "種類を選んで" in wrong_at(send(counter, case, "c.png", png(5), "weapon").text, "paper-file")
    assert len(place.desk.documents.of_case(COUNTER, case.id)) == 1


def test_a_large_scan_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.COUNTER, document_bytes=20_000) as place:
        place.clock.set(START)
        case = brought_to(place.desk, State.SUBMITTED, POINTS[1])
        counter = place.visitor(Role.COUNTER)
        little = send(counter, case, "a.png", png() + bytes(30_000))
        assert little.status_code == 422
        assert "ファイルが大きすぎます" in wrong_at(little.text, "paper-file")
        much = send(counter, case, "a.png", bytes(200_000))
        assert much.status_code == 413
        assert "までのファイルを送れます" in words(much.text)


def test_a_paper_and_its_entry_are_kept_both_or_neither(
    place: DeskPlace, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> Case:
        raise RuleError("test", Words("だめです。", "No."))

    counter = place.visitor(Role.COUNTER)
    with monkeypatch.context() as patched:
        patched.setattr(place.desk.cases, "act_within", refuse)
        assert send(counter, case, "a.png", png()).status_code == 422
    assert place.desk.documents.of_case(COUNTER, case.id) == []


def test_a_paper_is_withdrawn_and_stays_in_the_list(place: DeskPlace, case: Case) -> None:
    counter = place.visitor(Role.COUNTER)
    send(counter, case, "a.png", png())
    (paper,) = place.desk.documents.of_case(COUNTER, case.id)
    address = f"/case/{case.number}/documents/{paper.id}"
    wrong = counter.send(address, f"/case/{case.number}", why="boredom")
    assert wrong.status_code == 422
    assert "理由を選んで" in words(wrong.text)
    auditor = place.visitor(Role.AUDITOR)
    sent = {"csrf": auditor.secret("/account"), "why": "replaced"}
    assert auditor.request("POST", address, data=sent).status_code == 403
    done = counter.send(address, f"/case/{case.number}", why="wrong_case")
    assert "書類を取り下げました。" in words(counter.get(done.headers["location"]).text)
    page = counter.get(f"/case/{case.number}").text
    assert "取り下げ:別の案件のもの" in words(page)
    assert f'href="{address}"' not in page
    assert counter.get(address).status_code == 404


def test_auditors_look_and_add_nothing(place: DeskPlace, case: Case) -> None:
    auditor = place.visitor(Role.AUDITOR)
    page = auditor.get(f"/case/{case.number}").text
    assert 'type="file"' not in page
    assert 'id="step-' not in page
    body, media = multipart({"csrf": auditor.secret("/account"), "kind": "other"}, "a.png", png())
    answer = auditor.request(
        "POST", f"/case/{case.number}/documents", content=body, headers={"Content-Type": media}
    )
    assert answer.status_code == 403
    assert place.desk.documents.of_case(AUDITOR, case.id) == []
    assert {kind.value for kind in DocumentKind} == set(
        re.findall(r'<option value="(\w+)">', _kinds(place, case))
    )


def _kinds(place: DeskPlace, case: Case) -> str:
    page = place.visitor(Role.COUNTER).get(f"/case/{case.number}").text
    found = re.search(r'<select id="paper-kind".*?</select>', page, re.DOTALL)
    assert found is not None
    return found[0]
