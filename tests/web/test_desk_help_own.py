"""A customer's own page: applying on it, where that is taken; how far it is; papers, letters, the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from desk_help import RARE, put_case
from desk_site import (
    COUNTER,
    EXTRA_HIGH,
    LOW,
    METER,
    NORTH,
    OUTSIDE,
    POINTS,
    SETTINGS,
    START,
    STRANGE,
    TERMS,
    brought_to,
    drafted,
)
from desk_web import DeskPlace, desk_place
from people_site import PASSWORD, Visitor
from sqlalchemy import insert
from test_desk_help import main_of, words

from koatsu.desk import Actor, Case, Event, State
from koatsu.desk import schema_registers as registers
from koatsu.desk.documents import DocumentKind
from koatsu.people import Role
from koatsu.web.desk.own_words import next_words
from koatsu.web.desk.pace import PACES
from koatsu.web.texts import texts

PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff?\x03\x00\x08\xfc\x02\xfe\xa7\x9a\xa0\xa0\x00\x00\x00\x00IEND\xaeB`\x82"
)
WRITTEN = {
    "supply": "utility", "customer_name": f"株式会社{RARE}", "organisation": "yes", "phone": "092-000-0009",
    "ems_installed": "planned", "terms_version": TERMS, "terms_accepted": "yes", "language": "ja",
}  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    """Applications are taken on the page; the customer of the fixture has none yet."""
    with desk_place(tmp_path, Role.CUSTOMER, Role.COUNTER, Role.SUPERVISOR, online=True) as place:
        place.clock.set(START)
        yield place


def own(place: DeskPlace, case: Case) -> Visitor:
    """The customer of ``case``, logged in."""
    place.desk.staff.assign(place.person(Role.CUSTOMER), customer=case.customer)
    return place.visitor(Role.CUSTOMER)


def registered(place: DeskPlace, name: str = "吉田電子") -> Visitor:
    """Somebody who has just registered."""
    visitor = place.visitor()
    made = visitor.send("/register", name=name, password=PASSWORD, again=PASSWORD)
    assert made.headers["location"] == "/apply"
    return visitor


def wrong_of(answer: httpx.Response) -> dict[str, str]:
    """What is said at which field."""
    return dict(re.findall(r'<p class="wrong" id="(\w+)-wrong">([^<]+)', answer.text))


# --- paper or page --------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_at_first_applications_are_taken_on_paper(tmp_path: Path, prefix: str) -> None:
    """Rule apply.online: it is off until the utility sets it."""
    assert not SETTINGS.online
    with desk_place(tmp_path, Role.CUSTOMER) as place:
        text = main_of(place.visitor().get(f"{prefix}/apply").text)
        assert f'href="{prefix}/forms/application"' in text
        assert "/register" not in text
        assert place.visitor().get(f"{prefix}/register").status_code == 404
        refused = place.visitor().send(f"{prefix}/register", f"{prefix}/check", name="x", password=PASSWORD)
        assert refused.status_code == 404
        customer = place.visitor(Role.CUSTOMER)
        assert "<form" not in main_of(customer.get(f"{prefix}/apply").text)
        sent = customer.send(f"{prefix}/apply", "/account", supply_point=POINTS[5], **WRITTEN)
        assert sent.status_code == 422
        assert len(place.desk.lists.own(_actor(place))) == 1, "the draft of the fixture, and nothing else"


def _actor(place: DeskPlace) -> Actor:
    person = place.person(Role.CUSTOMER)
    customer = place.desk.staff.customer_of(person)
    return Actor(reference=f"person:{person}", role=Role.CUSTOMER, customer=customer)


def test_where_it_is_taken_here_the_page_offers_both_ways(place: DeskPlace) -> None:
    text = main_of(place.visitor().get("/apply").text)
    assert 'href="/register"' in text
    assert 'href="/login?next=/apply"' in text
    assert 'href="/forms/application"' in text
    assert "お客さまのログインで" in words(place.visitor(Role.COUNTER).get("/apply").text)


# --- a login of one's own -------------------------------------------------------------------------------


def test_a_customer_registers_and_is_logged_in(place: DeskPlace) -> None:
    visitor = registered(place)
    person = place.people.find("吉田電子")
    assert person.role is Role.CUSTOMER
    assert place.desk.staff.customer_of(person.id) is not None
    assert visitor.get("/apply").status_code == 200
    entry = next(one for one in place.people.audit.entries(5) if one.action == "person_added")
    assert (entry.author, entry.subject, entry.detail) == (
        person.reference, person.reference, {"role": "customer"},
    )  # fmt: skip
    assert visitor.get("/register").headers["location"] == "/apply"
    assert visitor.get("/").headers["location"] == "/my"
    assert "お申込みは、まだありません" in words(visitor.get("/my").text)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "青葉 司"}, "name"),
        ({"password": "short", "again": "short"}, "password"),
        ({"again": "another one entirely"}, "again"),
    ],
)
def test_what_is_wrong_with_a_registration_is_said(
    place: DeskPlace, changes: dict[str, str], field: str
) -> None:
    before = len(place.people.people())
    fields = {"name": "吉田電子", "password": PASSWORD, "again": PASSWORD, **changes}
    answer = place.visitor().send("/register", **fields)
    assert answer.status_code == 422
    assert list(wrong_of(answer)) == [field]
    assert len(place.people.people()) == before


def test_registering_has_a_brake(place: DeskPlace) -> None:
    goes, _ = PACES["register"]
    for at in range(goes):
        registered(place, f"会社 {at}")
    refused = place.visitor().send("/register", name="もう一社", password=PASSWORD, again=PASSWORD)
    assert refused.status_code == 429
    assert all(one.name != "もう一社" for one in place.people.people())


# --- the application ------------------------------------------------------------------------------------


def test_an_application_is_saved_and_sent(place: DeskPlace) -> None:
    visitor = registered(place)
    saved = visitor.send("/apply", do="save", supply_point=POINTS[4], customer_name=f"株式会社{RARE}")
    page = saved.headers["location"]
    assert page.endswith("?done=saved")
    number = page.partition("?")[0].removeprefix("/my/")
    shown = visitor.get(page).text
    assert "書きかけを保存しました" in words(shown)
    assert "内容を書いて、送ってください。" in words(shown)
    draft = visitor.get(f"/my/{number}/application").text
    assert f"株式会社{RARE}" in draft, "sign by sign"
    assert POINTS[4] not in main_of(draft)
    sent = visitor.send(f"/my/{number}/application", do="send", seen=_seen(draft), **WRITTEN)
    assert sent.headers["location"] == f"/my/{number}?done=sent"
    case = place.desk.cases.find(COUNTER, number)
    assert case.state is State.SUBMITTED
    assert case.office == NORTH
    assert (case.fact("way"), case.fact("language")) == ("online", "ja")
    assert place.desk.cases.person(COUNTER, case.id)["customer_name"] == f"株式会社{RARE}"
    [accepted] = place.desk.terms.acceptances(COUNTER, case.id)
    assert (accepted.version, accepted.way) == (TERMS, "online")
    text = words(visitor.get(f"/my/{number}").text)
    assert "お申込みが届きました" in text
    assert "していただくことはありません" in text


def _seen(text: str) -> str:
    found = re.search(r'name="seen" value="(\d+)"', text)
    assert found is not None
    return found[1]


def test_an_application_can_be_sent_at_once(place: DeskPlace) -> None:
    answer = registered(place).send("/apply", do="send", supply_point=POINTS[4], **WRITTEN)
    assert answer.headers["location"].endswith("?done=sent")


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"supply_point": ""}, "supply_point", "供給地点特定番号を書いて"),
        ({"supply_point": "12"}, "supply_point", "22 けた"),
        ({"email": "nobody"}, "email", "メールアドレスを確かめて"),
        ({"wished_on": "2020-02-02"}, "wished_on", "過ぎています"),
        ({"customer_name": "\ue123"}, "customer_name", "外字"),
        ({"remarks": "あ" * 2001}, "remarks", "2000 文字まで"),
        ({"remarks": "あ" * 5000}, "remarks", "2000 文字まで"),
    ],
)
def test_bad_input_is_said_at_its_field_and_nothing_is_half_saved(
    place: DeskPlace, changes: dict[str, str], field: str, sentence: str
) -> None:
    visitor = registered(place)
    fields = {**WRITTEN, "supply_point": POINTS[4], **changes}
    answer = visitor.send("/apply", do="send", **fields)
    assert answer.status_code == 422
    wrong = wrong_of(answer)
    assert list(wrong) == [field]
    assert sentence in wrong[field]
    assert "092-000-0009" in answer.text, "what was written stays"
    assert "お申込みは、まだありません" in words(visitor.get("/my").text)


def test_a_point_outside_the_area_is_not_taken(place: DeskPlace) -> None:
    visitor = registered(place)
    answer = visitor.send("/apply", do="save", supply_point=OUTSIDE, **WRITTEN)
    assert answer.status_code == 422
    assert "供給区域の外" in wrong_of(answer)["supply_point"]
    assert "お申込みは、まだありません" in words(visitor.get("/my").text)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"supply_point": LOW}, "低圧のサービスの窓口へ"),
        ({"supply_point": EXTRA_HIGH}, "特別高圧のご契約の担当窓口へ"),
        ({"supply_point": STRANGE}, "この番号の供給地点が見つからない"),
        ({"customer_name": ""}, "足りない項目があります"),
        ({"supply": "self"}, "担当の事業所を決められなかった"),
    ],
)
def test_what_cannot_be_sent_stays_as_a_draft_and_says_why(
    place: DeskPlace, changes: dict[str, str], sentence: str
) -> None:
    visitor = registered(place)
    answer = visitor.send("/apply", do="send", **{**WRITTEN, "supply_point": POINTS[4], **changes})
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    assert "書きかけを保存しました" in words(answer.text)
    assert "供給地点を台帳に取り込んで" not in answer.text, "what staff are told is not for customers"
    [number] = set(re.findall(r'action="/my/([^/"]+)/application"', answer.text))
    assert place.desk.cases.find(Actor(reference="system", role=None), number).state is State.DRAFT


def test_terms_are_accepted_in_the_version_in_force(place: DeskPlace) -> None:
    """Rule apply.terms."""
    visitor = registered(place)
    unread = visitor.send("/apply", do="send", supply_point=POINTS[4], **{**WRITTEN, "terms_accepted": ""})
    assert unread.status_code == 422
    assert 'id="terms-wrong"' in unread.text
    assert f'href="/terms/{TERMS}"' in unread.text
    old = visitor.send(
        "/apply", do="send", supply_point=POINTS[6], **{**WRITTEN, "terms_version": "2020-01-01"}
    )
    assert old.status_code == 422
    assert "有効な版" in words(old.text)
    assert 'name="terms_accepted" value="yes" checked' not in old.text, "the version in force is to be read"


def test_a_second_application_for_a_point_is_not_taken(place: DeskPlace) -> None:
    """Rule apply.one; whose the first one is stays between that customer and the utility."""
    first = brought_to(place.desk, State.CHECKING, POINTS[7])
    visitor = registered(place)
    answer = visitor.send("/apply", do="send", supply_point=POINTS[7], **WRITTEN)
    assert answer.status_code == 422
    assert "すでにお申込みがあるため送れません" in words(answer.text)
    assert first.number not in answer.text
    again = visitor.send("/apply", do="save", supply_point=POINTS[7], **WRITTEN)
    assert again.status_code == 422
    assert "この供給地点の申込みは、すでにあります" in wrong_of(again)["supply_point"], "one's own is named"


def test_an_application_that_came_back_is_mended_and_sent_again(place: DeskPlace) -> None:
    visitor = registered(place)
    sent = visitor.send("/apply", do="send", supply_point=POINTS[4], **WRITTEN)
    number = sent.headers["location"].partition("?")[0].removeprefix("/my/")
    case = place.desk.cases.find(COUNTER, number)
    place.desk.cases.act(COUNTER, case.id, Event.BEGIN_CHECK)
    place.desk.cases.act(COUNTER, case.id, Event.RETURN, {"reason": "ご担当者の電話番号が読めません。"})
    text = words(visitor.get(f"/my/{number}").text)
    assert "直していただきたいところがあります" in text
    assert "ご担当者の電話番号が読めません。" in text, "the reason, in the words of the office"
    draft = visitor.get(f"/my/{number}/application").text
    again = visitor.send(
        f"/my/{number}/application", do="send", seen=_seen(draft), **{**WRITTEN, "phone": "092-999-0000"}
    )
    assert again.headers["location"].endswith("?done=sent")
    assert place.desk.cases.find(COUNTER, number).state is State.SUBMITTED
    closed = visitor.get(f"/my/{number}/application")
    assert closed.status_code == 404
    assert "いまこの画面では書きかえられません" in words(closed.text)


# --- only one's own -------------------------------------------------------------------------------------


def test_a_customer_sees_only_the_own_cases(place: DeskPlace) -> None:
    mine = brought_to(place.desk, State.IN_SERVICE, POINTS[3])
    other = drafted(place.desk, POINTS[4], customer_name="南の会社")
    visitor = own(place, mine)
    place.desk.documents.add(COUNTER, other.id, PNG, "図面.png", DocumentKind.DRAWING)
    pages = (
        *(f"/my/{other.number}", f"/my/{other.number}/application", f"/my/{other.number}/documents/1"),
        f"/my/{other.number}/letters/1",
    )
    for page in pages:
        answer = visitor.get(page)
        assert answer.status_code == 404, page
        assert "南の会社" not in answer.text
    for page in (f"/my/{other.number}", f"/my/{other.number}/documents", f"/my/{other.number}/application"):
        assert visitor.send(page, "/account", do="withdraw").status_code == 404
    assert place.desk.cases.get(COUNTER, other.id).state is State.DRAFT
    assert visitor.get(f"/my/{mine.number}/letters/1").status_code in (200, 404)
    assert place.visitor(Role.COUNTER).get(f"/my/{mine.number}").status_code == 403


def test_the_only_case_opens_by_itself_and_several_are_listed(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[3])
    visitor = own(place, case)
    assert visitor.get("/my").headers["location"] == f"/my/{case.number}"
    second = place.desk.cases.open(
        Actor(reference="person:9", role=Role.CUSTOMER, customer=case.customer), {"supply_point": POINTS[4]}
    )
    text = main_of(visitor.get("/en/my").text)
    assert f'href="/en/my/{case.number}"' in text
    assert f'href="/en/my/{second.number}"' in text
    assert POINTS[4] not in text, "masked in lists"


# --- how far it is --------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_every_state_says_what_comes_next_and_what_there_is_to_do(place: DeskPlace, state: State) -> None:
    case = brought_to(place.desk, state, POINTS[3])
    visitor = own(place, case)
    for prefix, lang in (("", "ja"), ("/en", "en")):
        text = visitor.get(f"{prefix}/my/{case.number}")
        assert text.status_code == 200
        entries = place.desk.cases.history(COUNTER, case.id)
        said = next_words(case, texts(lang), online=True, entries=entries)
        assert said.happens in words(text.text)
        assert (said.todo or texts(lang)("desk_my.do_nothing")) in words(text.text)
        assert '<ol class="steps">' in text.text


def test_how_it_ended_is_told(place: DeskPlace) -> None:
    ways: tuple[tuple[State, Event, dict[str, str], str], ...] = (
        (
            State.IN_SERVICE,
            Event.CONTRACT_ENDED,
            {"contract_ended_on": "2026-07-01"},
            "電気のご契約が終わったため",
        ),
        (State.CHECKING, Event.WITHDRAW, {}, "お申込みは取り下げられました"),
        (State.ENDING, Event.CABLE_REMOVED, {"cable_removed_on": "2026-07-01"}, "外したケーブルの片づけ"),
    )
    for at, (state, event, given, sentence) in enumerate(ways):
        case = put_case(place.desk, state, POINTS[at])
        place.desk.cases.act(Actor(reference="system", role=None), case.id, event, given)
        assert sentence in words(own(place, case).get(f"/my/{case.number}").text), event


def test_planned_works_and_an_agreed_outage_are_told(place: DeskPlace) -> None:
    """Rule works.outage_agreed."""
    case = brought_to(place.desk, State.SURVEY, POINTS[3])
    works = Actor(reference="person:3", role=Role.WORKS, office=NORTH)
    surveyed = {
        "surveyed_on": "2026-07-01",
        "meter_supported": "no",
        "outage_needed": "yes",
        "installable": "yes",
    }
    place.desk.cases.act(works, case.id, Event.RECORD_SURVEY, surveyed)
    planned = {"works_on": "2026-07-10", "works_window": "10:00–12:00", "outage_agreed_on": "2026-07-01"}
    place.desk.cases.act(works, case.id, Event.PLAN_WORKS, {**planned, "outage_window": "10:30–10:50"})
    text = words(own(place, case).get(f"/my/{case.number}").text)
    assert "計量器の取替 2026-07-10 の予定です。 10:00–12:00" in text
    assert "お約束した停電の時間:10:30–10:50" in text
    assert "当社の作業は無料です。" in text


def test_the_meters_of_the_point_are_shown_once_the_utility_has_accepted(place: DeskPlace) -> None:
    """Rule sold.meter; and nobody learns of a place by writing its number into an application."""
    with place.desk.database.writing() as connection:
        connection.execute(
            insert(registers.meter),
            [
                {
                    "serial": f"M-{role}", "serial_key": f"m-{role}", "type": METER,
                    "type_key": METER.lower(), "role": role,
                    "supply_point": POINTS[3], "since": "2024-01-01", "until": None,
                    "changed_by": "system", "changed_at": 0,
                }
                for role in ("buy", "sell")
            ],
        )  # fmt: skip
    early = brought_to(place.desk, State.CHECKING, POINTS[3])
    text = own(place, early).get(f"/my/{early.number}").text
    assert "M-sell" not in text
    assert "北市みどり 4" not in text
    letters = re.findall(rf'href="(/my/{early.number}/letters/\d+)"', text)
    assert letters
    assert "北市みどり 4" not in place.visitor(Role.CUSTOMER).get(letters[0]).text
    place.desk.cases.act(COUNTER, early.id, Event.ACCEPT, {"in_area": "yes", "installable": "unknown"})
    text = words(place.visitor(Role.CUSTOMER).get(f"/my/{early.number}").text)
    assert "M-sell" in text
    assert "売電用の計量器があり" in text
    assert "EMS のメーカーにおたずねください" in text
    assert "北市みどり 4" in text
    place.desk.cases.act(COUNTER, early.id, Event.WITHDRAW)
    assert "M-sell" not in place.visitor(Role.CUSTOMER).get(f"/my/{early.number}").text, "it is over"


def test_notes_of_the_staff_are_not_told(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[3])
    place.desk.cases.act(COUNTER, case.id, Event.NOTE, {"note": "電話がつながりにくい"})
    text = words(own(place, case).get(f"/my/{case.number}").text)
    assert "電話がつながりにくい" not in text
    assert "メモ" not in text
    assert "審査開始" in text


# --- letters and papers ---------------------------------------------------------------------------------


def test_letters_can_be_read(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.ACCEPTED, POINTS[3])
    visitor = own(place, case)
    found = re.findall(
        rf'href="(/my/{case.number}/letters/\d+)">([^<]+)', visitor.get(f"/my/{case.number}").text
    )
    assert [title for _, title in found] == ["お申込み受理のお知らせ", "お申込み受付のお知らせ"]
    letter = words(visitor.get(found[0][0]).text)
    assert "青葉食品" in letter
    assert case.number in letter
    assert "accepted" in words(visitor.get(f"/en{found[0][0]}").text).lower()
    assert visitor.get(f"/my/{case.number}/letters/999").status_code == 404
    assert not place.desk.notices.list(COUNTER, printed=True), "reading is not printing"


def test_a_paper_is_added_and_given_back(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[3])
    visitor = own(place, case)
    page = f"/my/{case.number}"
    added = upload(visitor, page, PNG, "配線図𠮷.png")
    assert added.headers["location"] == f"{page}?done=document#papers"
    text = visitor.get(f"{page}?done=document").text
    assert "書類を受け取りました" in words(text)
    link = re.search(rf'href="({page}/documents/\d+)" download>([^<]+)', text)
    assert link is not None
    assert link[2] == "配線図𠮷.png"
    back = visitor.get(link[1])
    assert back.content == PNG
    assert back.headers["content-disposition"].startswith("attachment")
    assert place.desk.cases.history(COUNTER, case.id)[-1].event is Event.ATTACH


def upload(visitor: Visitor, page: str, content: bytes, name: str, kind: str = "drawing") -> httpx.Response:
    """Send a file as a browser does."""
    mark = "----koatsu"
    parts = [("csrf", visitor.secret(page)), ("kind", kind)]
    body = b"".join(
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in parts
    )
    body += (
        (
            f'--{mark}\r\nContent-Disposition: form-data; name="document"; filename="{name}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n"
        ).encode()
        + content
        + f"\r\n--{mark}--\r\n".encode()
    )
    headers: dict[str, str | None] = {"Content-Type": f"multipart/form-data; boundary={mark}"}
    return visitor.request("POST", f"{page}/documents", content=body, headers=headers)


@pytest.mark.parametrize(
    ("content", "name", "kind", "field", "sentence"),
    [
        (b"", "", "drawing", "document", "ファイルを選んで"),
        (b"", "a.png", "drawing", "document", "空です"),
        (b"MZ\x90", "a.exe", "drawing", "document", "受け取れる種類"),
        (PNG[:40], "a.png", "drawing", "document", "壊れているか"),
        (PNG, "a.png", "survey", "kind", "種類を選んで"),
    ],
)
def test_a_paper_that_is_not_taken_is_said(
    place: DeskPlace, content: bytes, name: str, kind: str, field: str, sentence: str
) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[3])
    visitor = own(place, case)
    answer = upload(visitor, f"/my/{case.number}", content, name, kind)
    assert answer.status_code == 422
    assert sentence in wrong_of(answer)[field]
    assert place.desk.documents.of_case(COUNTER, case.id) == []


# --- the end --------------------------------------------------------------------------------------------


def test_an_application_is_withdrawn(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[3])
    visitor = own(place, case)
    text = visitor.get(f"/my/{case.number}").text
    done = visitor.send(f"/my/{case.number}", do="withdraw", seen=_seen(text), reason="計画が変わりました。")
    assert done.headers["location"].endswith("?done=withdrawn")
    assert place.desk.cases.get(COUNTER, case.id).state is State.ENDED


def test_the_end_is_asked_for_on_the_page(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.IN_SERVICE, POINTS[3])
    visitor = own(place, case)
    page = f"/my/{case.number}"
    past = visitor.send(page, do="end", seen=_seen(visitor.get(page).text), end_wished_on="2020-01-01")
    assert past.status_code == 422
    assert "過ぎています" in wrong_of(past)["end_wished_on"]
    done = visitor.send(page, do="end", seen=_seen(visitor.get(page).text), end_wished_on="2026-08-01")
    assert done.headers["location"].endswith("?done=ending")
    found = place.desk.cases.get(COUNTER, case.id)
    assert found.state is State.ENDING
    assert found.fact("end_wished_on") == "2026-08-01"
    assert "外したケーブルの片づけをお願いします。" in words(visitor.get(page).text)


def test_where_applications_are_on_paper_the_end_is_too(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.CUSTOMER) as place:
        place.clock.set(START)
        case = brought_to(place.desk, State.IN_SERVICE, POINTS[3])
        visitor = own(place, case)
        page = f"/my/{case.number}"
        text = visitor.get(page).text
        assert f'href="/forms/ending?case={case.number}"' in text
        assert 'name="end_wished_on"' not in text
        seen = str(case.version)
        refused = visitor.send(page, "/account", do="end", seen=seen)
        assert refused.status_code == 422
        assert "画面からの申込は受け付けていません" in words(refused.text)
        assert place.desk.cases.get(COUNTER, case.id).state is State.IN_SERVICE
        guide = visitor.get("/ending").text
        assert f'href="/forms/ending?case={case.number}"' in guide


def test_what_the_staff_did_meanwhile_is_not_written_over(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[3])
    visitor = own(place, case)
    seen = _seen(visitor.get(f"/my/{case.number}").text)
    place.desk.cases.act(COUNTER, case.id, Event.ACCEPT, {"in_area": "yes", "installable": "unknown"})
    answer = visitor.send(f"/my/{case.number}", do="withdraw", seen=seen)
    assert answer.status_code == 422
    assert "送った内容は反映していません" in words(answer.text)
    assert "person:" not in answer.text
    assert place.desk.cases.get(COUNTER, case.id).state is State.ACCEPTED


def test_the_ending_guide_says_what_needs_no_form(place: DeskPlace) -> None:
    """Rules end.cable, end.contract, change.retailer, change.name, suspend.meter."""
    for prefix in ("", "/en"):
        text = words(place.visitor().get(f"{prefix}/ending").text)
        for key in (
            "step_cable_why",
            "step_rest_why",
            "contract_why",
            "retailer_why",
            "name_why",
            "meter_why",
        ):
            assert texts(prefix.strip("/") or "ja")(f"desk_end.{key}") in text


# --- enquiries ------------------------------------------------------------------------------------------


def test_one_sees_and_reopens_the_own_enquiry(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.IN_SERVICE, POINTS[3])
    visitor = own(place, case)
    text = visitor.get(f"/enquiry?topic=outage&case={case.number}").text
    assert f'value="{case.number}" selected' in text
    sent = visitor.send("/enquiry", topic="outage", case=case.number, text="停電は何分ですか。")
    assert sent.status_code == 200
    number = re.search(r"EQ-\d{4}-\d{5}", sent.text)
    assert number is not None
    page = f"/my/enquiries/{number[0]}"
    assert f'href="{page}"' in sent.text
    found = place.desk.enquiries.view(COUNTER, number[0]).enquiry
    assert (found.case, found.office, found.topic) == (case.id, NORTH, "outage")
    place.desk.enquiries.note(COUNTER, number[0], "要確認", seen=found.version)
    answered = place.desk.enquiries.answer(COUNTER, number[0], "10 分ほどです。", seen=found.version + 1)
    shown = visitor.get(page).text
    assert "10 分ほどです。" in words(shown)
    assert "要確認" not in shown, "notes are for the staff"
    assert place.desk.enquiries.view(COUNTER, number[0]).enquiry.version == answered.version
    empty = visitor.send(page, do="reopen", seen=str(answered.version), text="")
    assert empty.status_code == 422
    assert "text" in wrong_of(empty)
    again = visitor.send(page, do="reopen", seen=str(answered.version), text="夜ですか。")
    assert again.headers["location"] == page
    done = visitor.send(page, do="close", seen=str(answered.version + 1))
    assert done.headers["location"] == page
    late = visitor.send(page, do="close", seen=str(answered.version + 1))
    assert late.status_code == 422
    stranger = registered(place)
    assert stranger.get(page).status_code == 404
