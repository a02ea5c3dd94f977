"""The staff's pages for enquiries: the list with its filters and files, one with every act that is open."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest
from desk_help import customer_of, erase, put_case
from desk_site import NORTH, POINTS, SOUTH, SUPERVISOR
from desk_web import NOW, DeskPlace, desk_place
from people_site import NAMES, Visitor
from staff_site import words, wrong_at

from koatsu.desk import SYSTEM, Actor, Case, State
from koatsu.desk.enquiry_rows import Enquiry, EnquiryState, Step
from koatsu.desk.faq import faq
from koatsu.people import Role
from koatsu.web.desk import enquiries_pages
from koatsu.web.texts import texts

TEXT = "EMS の画面に値が出ません。\nいつごろ直りますか。"
CONTACT = "小林 092-000-0001"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    with desk_place(tmp_path) as place:
        yield place


def asked(place: DeskPlace, case: Case | None = None, **more: str) -> Enquiry:
    given = {"topic": "no_data", "text": TEXT, "contact": CONTACT, "office": NORTH, **more}
    return place.desk.enquiries.open(SYSTEM, case_id=case.id if case else None, **given)


def me(place: DeskPlace, role: Role = Role.COUNTER) -> str:
    return f"person:{place.person(role)}"


def actor(place: DeskPlace) -> Actor:
    return Actor(reference=me(place), role=Role.COUNTER, office=NORTH)


def numbers(text: str) -> list[str]:
    """The numbers of a list, in its order."""
    return re.findall(r'<th scope="row"><a href="[^"]*">(EQ-[^<]*)</a>', text)


def counts(text: str, label: str) -> dict[str, int]:
    """What a row of filters says that each shows."""
    row = re.search(rf'<nav class="seg filters" aria-label="{label}">.*?</nav>', text)
    assert row is not None
    return {name: int(n) for name, n in re.findall(r'">([^<]+) <span class="n">(\d+)</span>', row[0])}


def acts(text: str) -> set[str]:
    """What a page offers to do."""
    return set(re.findall(r'name="do" value="(\w+)"', text))


def do(visitor: Visitor, number: str, act: str, **fields: str) -> str:
    """Send the form of an act as the page has it now, and see where it leads."""
    page = f"/enquiries/{number}"
    seen = re.search(r'name="seen" value="(\d+)"', visitor.get(page).text)
    assert seen is not None
    answer = visitor.send(page, do=act, seen=seen[1], **fields)
    assert answer.status_code == 303, words(answer.text)
    return answer.headers["location"]


# --- the list -------------------------------------------------------------------------------------------


def test_the_list_says_what_until_when_and_with_whom(place: DeskPlace) -> None:
    case = put_case(place.desk)
    place.clock.set(NOW - timedelta(days=12))
    late = asked(place, case)
    place.clock.set(NOW)
    one = place.desk.enquiries.assign(actor(place), asked(place, topic="").number, me(place), seen=1)
    text = place.visitor(Role.COUNTER).get("/enquiries").text
    assert numbers(text) == [late.number, one.number], "the most urgent first"
    read = words(text)
    question = faq().question("no_data")
    assert question is not None
    assert f"{late.number} {question.question.ja} 受付 7月3日 · {case.number} 回答待ち 5 日超過 未定" in read
    assert f"{one.number} そのほか 受付 7月15日 回答待ち 7月23日 {NAMES[Role.COUNTER]}" in read
    late_by = texts("ja")("desk_list.late_by", n=5)
    assert f'<span class="badge caution">{late_by}</span>' in text, "late: by word and by colour"
    assert "いつごろ直りますか" not in text
    assert "小林" not in text


def test_filters_by_how_far_with_whom_and_what_is_late(place: DeskPlace) -> None:
    desk, who = place.desk, actor(place)
    place.clock.set(NOW - timedelta(days=12))
    late = asked(place)
    place.clock.set(NOW)
    mine = desk.enquiries.assign(who, asked(place).number, me(place), seen=1)
    answered = desk.enquiries.answer(who, asked(place).number, "はい", seen=1)
    closed = desk.enquiries.close(who, asked(place).number, seen=1)
    visitor = place.visitor(Role.COUNTER)

    def listed(query: str) -> list[str]:
        return numbers(visitor.get(f"/enquiries{query}").text)

    assert listed("") == [late.number, mine.number]
    assert listed("?which=late") == [late.number]
    assert listed("?which=answered") == [answered.number]
    assert listed("?which=closed") == [closed.number]
    assert set(listed("?which=every")) == {late.number, mine.number, answered.number, closed.number}
    assert listed("?whose=mine") == [mine.number]
    assert listed("?whose=nobody") == [late.number]
    assert listed("?which=late&whose=mine") == []
    assert listed("?which=nonsense&whose=x&page=none") == [late.number, mine.number]
    text = visitor.get("/enquiries").text
    assert counts(text, "進み具合") == {
        "回答待ち": 2, "期限超過": 1, "回答済み": 1, "完了": 1, "すべて": 4,
    }  # fmt: skip
    assert counts(text, "担当") == {"全員": 2, "自分": 1, "未定": 1}
    assert counts(visitor.get("/enquiries?whose=mine").text, "進み具合")["すべて"] == 1
    assert "当てはまる問い合わせはありません" in words(visitor.get("/enquiries?which=late&whose=mine").text)


def test_each_office_sees_its_own_and_those_of_none(place: DeskPlace) -> None:
    north, south, none = asked(place), asked(place, office=SOUTH), asked(place, office="")
    text = place.visitor(Role.COUNTER).get("/enquiries").text
    assert numbers(text) == [north.number, none.number]
    assert 'name="office"' not in text, "one office: nothing to choose"
    supervisor = place.visitor(Role.SUPERVISOR)
    assert numbers(supervisor.get("/enquiries").text) == [north.number, south.number, none.number]
    assert numbers(supervisor.get(f"/enquiries?office={SOUTH}").text) == [south.number]
    assert numbers(supervisor.get("/enquiries?office=-").text) == [none.number]
    assert numbers(supervisor.get("/enquiries?office=nowhere").text) == [
        north.number, south.number, none.number,
    ]  # fmt: skip
    for role in (Role.WORKS, Role.AUDITOR):
        shown = place.visitor(role).get("/enquiries").text
        assert north.number in shown
        assert "問い合わせを受け付ける" not in words(shown), "whoever only looks takes nothing in"


def test_pages_of_the_list(place: DeskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enquiries_pages, "_PAGE", 2)
    ones = [asked(place).number for _ in range(5)]
    visitor = place.visitor(Role.COUNTER)
    seen, page = [], "/enquiries"
    while page:
        text = visitor.get(page).text
        seen += numbers(text)
        later = re.search(r'href="([^"]*)" rel="next"', text)
        page = unescape(later[1]) if later else ""
    assert seen == ones
    assert "5 件のうち 5–5 件目" in words(text)
    assert 'rel="prev"' in text
    assert numbers(visitor.get("/enquiries?page=99").text) == ones[4:], "beyond the end: the last page"


def test_the_files_hold_the_filtered_list_whole(place: DeskPlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enquiries_pages, "_AT_ONCE", 2)
    case = put_case(place.desk)
    place.clock.set(NOW - timedelta(days=12))
    ones = [asked(place, case if at == 0 else None) for at in range(5)]
    asked(place, office=SOUTH)
    place.clock.set(NOW)
    place.desk.enquiries.assign(actor(place), ones[0].number, me(place), seen=1)
    visitor = place.visitor(Role.COUNTER)
    answer = visitor.get("/enquiries.csv?which=late&page=3")
    assert 'filename="koatsu_enquiries_2026-07-15.csv"' in answer.headers["content-disposition"]
    head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head == ["番号", "内容", "状態", "期限", "期限超過", "担当", "事業所", "案件", "受付"]
    assert [row[0] for row in rows] == [one.number for one in ones]
    assert rows[0][2:] == [
        "回答待ち", "2026-07-10", "超過", NAMES[Role.COUNTER], "北営業所", case.number, "2026-07-03",
    ]  # fmt: skip
    assert "小林" not in answer.text
    assert visitor.get("/en/enquiries.xlsx").content.startswith(b"PK")


# --- one enquiry ----------------------------------------------------------------------------------------


def test_everything_of_an_enquiry_stands_on_its_page(place: DeskPlace) -> None:
    case = put_case(place.desk)
    one = asked(place, case)
    place.desk.enquiries.note(actor(place), one.number, "10 時に電話。不在。", seen=1)
    text = place.visitor(Role.COUNTER).get(f"/enquiries/{one.number}").text
    read = words(text)
    assert "EMS の画面に値が出ません。\nいつごろ直りますか。" in unescape(text)
    assert CONTACT in read
    assert f'href="/case/{case.number}"' in text
    assert "北営業所" in read
    assert "10 時に電話。不在。" in read
    assert f"メモ {NAMES[Role.COUNTER]}" in read
    assert "版 2" in read
    assert 'href="/help?open=no_data#no_data"' in text


NAMED = {
    Step.ANSWERED: "answer", Step.NOTED: "note", Step.REOPENED: "reopen", Step.ASSIGNED: "assign",
    Step.EXTENDED: "extend", Step.MOVED: "move", Step.CLOSED: "close", Step.ERASED: "erase",
}  # fmt: skip


@pytest.mark.parametrize("role", [Role.COUNTER, Role.WORKS, Role.SUPERVISOR, Role.AUDITOR])
def test_the_page_offers_what_the_desk_allows_and_no_more(place: DeskPlace, role: Role) -> None:
    visitor, desk, ones = place.visitor(role), place.desk, [asked(place) for _ in EnquiryState]
    ones[1] = desk.enquiries.answer(SUPERVISOR, ones[1].number, "はい", seen=1)
    ones[2] = desk.enquiries.close(SUPERVISOR, ones[2].number, seen=1)
    assert [one.state for one in ones] == list(EnquiryState)
    who = Actor(reference=me(place, role), role=role)
    for one in ones:
        steps = desk.enquiries.acts(who, desk.enquiries.view(who, one.number))
        for prefix in ("", "/en"):
            text = visitor.get(f"{prefix}/enquiries/{one.number}").text
            assert acts(text) == {NAMED[step] for step in steps}, one.state
        if role in (Role.WORKS, Role.AUDITOR):
            assert not steps
            assert visitor.send(f"/enquiries/{one.number}", "/account", do="note").status_code == 403


def test_an_enquiry_from_taking_it_to_closing_it(place: DeskPlace) -> None:
    one, visitor = asked(place), place.visitor(Role.COUNTER)
    page = f"/enquiries/{one.number}"
    assert "自分が担当する" in words(visitor.get(page).text)
    assert do(visitor, one.number, "assign", owner=me(place)) == f"{page}?done=assigned"
    shown = words(visitor.get(f"{page}?done=assigned").text)
    assert "「担当を決定」を記録しました。" in shown
    assert "自分が担当する" not in shown
    do(visitor, one.number, "extend", due_on="2026-07-31")
    do(visitor, one.number, "note", note="担当部署に確認中")
    assert do(visitor, one.number, "answer", answer="あす直ります。") == f"{page}?done=answered"
    do(visitor, one.number, "reopen", reopen="まだ届かないとのこと")
    do(visitor, one.number, "answer", answer="部品を取り替えました。")
    do(visitor, one.number, "close")
    view = place.desk.enquiries.view(actor(place), one.number)
    assert [step.step for step in view.steps] == [
        Step.OPENED, Step.ASSIGNED, Step.EXTENDED, Step.NOTED, Step.ANSWERED, Step.REOPENED, Step.ANSWERED,
        Step.CLOSED,
    ]  # fmt: skip
    assert {step.author for step in view.steps[1:]} == {me(place)}
    text = words(visitor.get(page).text)
    assert "この問い合わせは終わっています。" in text
    assert f"担当を決定 → {NAMES[Role.COUNTER]}" in text
    assert "期限を変更 → 7月31日" in text
    assert text.count("部品を取り替えました。") == 1


def test_who_is_told_by_a_letter_and_who_is_not(place: DeskPlace) -> None:
    case = put_case(place.desk)
    with_case, without = asked(place, case), asked(place)
    visitor = place.visitor(Role.COUNTER)
    assert "書面「お問い合わせへのお答え」ができます" in words(
        visitor.get(f"/enquiries/{with_case.number}").text
    )
    assert "連絡先に答えをお伝えください" in words(visitor.get(f"/enquiries/{without.number}").text)
    do(visitor, with_case.number, "answer", answer="あす直ります。")
    do(visitor, without.number, "answer", answer="あす直ります。")
    [due] = place.desk.notices.of_case(SYSTEM, case.id)
    assert "お問い合わせへのお答え" in due.words.ja
    history = words(visitor.get(f"/case/{case.number}").text)
    assert f"お知らせ お問い合わせへのお答え お問い合わせ番号 {with_case.number}" in history


def test_the_customer_reads_the_answer_and_its_letter(place: DeskPlace) -> None:
    case = put_case(place.desk)
    place.desk.staff.assign(place.person(Role.CUSTOMER), customer=case.customer)
    one = asked(place, case)
    do(place.visitor(Role.COUNTER), one.number, "answer", answer="あす直ります。")
    customer = place.visitor(Role.CUSTOMER)
    mine = customer.get(f"/my/{case.number}").text
    assert "お問い合わせへのお答え" in words(mine)
    letter = re.search(r'href="(/my/[^"]*/letters/\d+)"', mine)
    assert letter is not None
    assert "あす直ります。" in words(customer.get(letter[1]).text)
    assert "あす直ります。" in words(customer.get(f"/my/enquiries/{one.number}").text)
    assert NAMES[Role.COUNTER] not in customer.get(f"/my/enquiries/{one.number}").text


def test_moving_it_away_leads_back_to_the_list(place: DeskPlace) -> None:
    one, visitor = asked(place), place.visitor(Role.COUNTER)
    assert do(visitor, one.number, "move", office=SOUTH) == "/enquiries?done=moved"
    assert "別の事業所の担当になりました" in words(visitor.get("/enquiries?done=moved").text)
    gone = visitor.get(f"/enquiries/{one.number}")
    assert gone.status_code == 404
    late = visitor.send(f"/enquiries/{one.number}", "/account", do="note", note="あとから", seen="1")
    assert late.status_code == 404
    assert "別の事業所の担当になったか、番号が違います" in words(late.text)
    supervisor = place.visitor(Role.SUPERVISOR)
    assert do(supervisor, one.number, "move", office=NORTH) == f"/enquiries/{one.number}?done=moved"
    assert "事業所を変更 → 北営業所" in words(supervisor.get(f"/enquiries/{one.number}").text)


@pytest.mark.parametrize(
    ("act", "fields", "field", "said"),
    [
        ("answer", {"answer": " \n "}, "answer", "内容を書いてください。"),
        ("note", {"note": "外字\ue000"}, "note", "外字が含まれています"),
        ("reopen", {"reopen": ""}, "reopen", "内容を書いてください。"),
        ("extend", {"due_on": "2026-07-14"}, "due_on", "2026-07-14 は過ぎています。"),
        ("extend", {"due_on": "あした"}, "due_on", "2026-07-15 のように"),
        ("extend", {}, "due_on", "2026-07-15 のように"),
        ("assign", {"owner": "person:999"}, "owner", "一覧にある人から"),
        ("move", {"office": "east"}, "office", "移す先の事業所を"),
        ("move", {}, "office", "移す先の事業所を"),
    ],
)
def test_what_cannot_be_taken_is_told_at_its_field(
    place: DeskPlace, act: str, fields: dict[str, str], field: str, said: str
) -> None:
    one = place.desk.enquiries.answer(actor(place), asked(place).number, "はい", seen=1)
    visitor, page = place.visitor(Role.COUNTER), f"/enquiries/{one.number}"
    answer = visitor.send(page, do=act, seen="2", **fields)
    assert answer.status_code == 422
    assert said in wrong_at(answer.text, field)
    form = re.search(
        rf'<details open><summary>[^<]*</summary><form[^>]*id="act-{act}".*?</form>', answer.text, re.S
    )
    assert form is not None, "the form that was sent stands open"
    for typed in fields.values():
        if act in ("note",):
            assert typed in unescape(form[0])
    assert place.desk.enquiries.view(actor(place), one.number).enquiry == one


def test_only_those_who_answer_can_be_given_it(place: DeskPlace) -> None:
    one = asked(place)
    text = place.visitor(Role.COUNTER).get(f"/enquiries/{one.number}").text
    choice = re.search(r'<select id="owner".*?</select>', text)
    assert choice is not None
    named = set(re.findall(r'value="(person:\d+)"', choice[0]))
    assert named == {me(place, role) for role in (Role.COUNTER, Role.SUPERVISOR, Role.OWNER)}


# --- at the same time -----------------------------------------------------------------------------------


def test_of_two_at_once_the_second_is_told_who_was_faster(place: DeskPlace) -> None:
    one = asked(place)
    place.clock.advance(timedelta(minutes=3))
    place.desk.enquiries.answer(
        Actor(reference=me(place, Role.SUPERVISOR), role=Role.SUPERVISOR), one.number, "先の答え", seen=1
    )
    visitor, page = place.visitor(Role.COUNTER), f"/enquiries/{one.number}"
    answer = visitor.send(page, do="answer", seen="1", answer="後の答え\n二行目")
    assert answer.status_code == 409
    alert = re.search(r'role="alert">(.*?)</p>', answer.text)
    assert alert is not None
    assert f"{NAMES[Role.SUPERVISOR]} が 13:20 に変更しました。" in alert[1]
    assert 'href="#act-answer"' in alert[1]
    assert "後の答え\n二行目</textarea>" in unescape(answer.text), "what was typed is not lost"
    assert "先の答え" in words(answer.text)
    assert place.desk.enquiries.view(actor(place), one.number).answer == "先の答え"
    again = re.search(r'id="act-answer">.*?name="seen" value="(\d+)"', answer.text)
    assert again is not None
    assert visitor.send(page, do="answer", seen=again[1], answer="後の答え").status_code == 303
    assert place.desk.enquiries.view(actor(place), one.number).answer == "後の答え"


@pytest.mark.parametrize("seen", ["", "-1", "one", "9" * 12, "٣"])
def test_without_the_version_nothing_is_done(place: DeskPlace, seen: str) -> None:
    one, visitor = asked(place), place.visitor(Role.COUNTER)
    answer = visitor.send(f"/enquiries/{one.number}", do="note", note="メモ", seen=seen)
    assert answer.status_code == 409
    assert place.desk.enquiries.view(actor(place), one.number).enquiry == one


def test_an_act_that_is_past_or_none(place: DeskPlace) -> None:
    one, visitor = asked(place), place.visitor(Role.COUNTER)
    place.desk.enquiries.close(actor(place), one.number, seen=1)
    page = f"/enquiries/{one.number}"
    past = visitor.send(page, do="answer", seen="2", answer="はい")
    assert past.status_code == 409
    assert "いまこの操作ができません" in words(past.text)
    none = visitor.send(page, do="burn", seen="2")
    assert none.status_code == 422
    assert "そのような操作はありません。" in words(none.text)
    assert visitor.get("/enquiries/EQ-1999-00001").status_code == 404


# --- erasing --------------------------------------------------------------------------------------------


def test_erasing_asks_first_and_leaves_the_row(place: DeskPlace) -> None:
    one = asked(place)
    place.desk.enquiries.close(actor(place), one.number, seen=1)
    visitor, page = place.visitor(Role.SUPERVISOR), f"/enquiries/{one.number}"
    unsure = visitor.send(page, do="erase", seen="2")
    assert unsure.status_code == 422
    assert "先に確認の欄を選んでください" in wrong_at(unsure.text, "sure")
    assert place.desk.enquiries.view(SUPERVISOR, one.number).text == TEXT
    counter = place.visitor(Role.COUNTER).send(page, do="erase", seen="2", sure="yes")
    assert counter.status_code == 403
    assert do(visitor, one.number, "erase", sure="yes") == f"{page}?done=erased"
    text = visitor.get(page).text
    assert "内容は消去されています。" in words(text)
    assert "小林" not in text
    assert acts(text) == set(), "of what is erased nothing more is said, nor erased again"


def test_the_data_of_a_customer_is_erased_with_the_case_alone(place: DeskPlace) -> None:
    case = put_case(place.desk, State.ENDED, POINTS[4])
    one = place.desk.enquiries.open(customer_of(case), topic="", text=TEXT, office=NORTH)
    place.desk.enquiries.close(actor(place), one.number, seen=1)
    visitor, page = place.visitor(Role.SUPERVISOR), f"/enquiries/{one.number}"
    assert "erase" not in acts(visitor.get(page).text)
    forced = visitor.send(page, do="erase", seen="2", sure="yes")
    assert forced.status_code == 409
    assert "お客さまの案件で消去してください。" in words(forced.text)
    erase(place.desk, case)
    assert "内容は消去されています。" in words(visitor.get(page).text)


# --- the way there --------------------------------------------------------------------------------------


def test_the_navigation_leads_there_for_the_staff_alone(place: DeskPlace) -> None:
    for role in (Role.COUNTER, Role.WORKS, Role.SUPERVISOR, Role.AUDITOR, Role.OWNER):
        assert '<a href="/enquiries"' in place.visitor(role).get("/help").text
    for visitor in (place.visitor(), place.visitor(Role.CUSTOMER)):
        assert 'href="/enquiries"' not in visitor.get("/help").text


def test_what_is_taken_in_by_telephone_is_found_and_seen(place: DeskPlace) -> None:
    visitor = place.visitor(Role.COUNTER)
    sent = visitor.send("/enquiry", topic="outage", text=TEXT, contact=CONTACT, once="1")
    number = re.search(r"EQ-\d{4}-\d{5}", sent.text)
    assert number is not None
    assert f'href="/enquiries/{number[0]}"' in sent.text
    assert numbers(visitor.get("/enquiries").text) == [number[0]]
    assert place.desk.enquiries.view(actor(place), number[0]).enquiry.due_on == date(2026, 7, 23)
    assert texts("en")("desk_answer.title") in words(visitor.get("/en/enquiries").text)
