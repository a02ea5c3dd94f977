"""May I have it, and where does the form go: the one-minute check, and the forms on paper, read back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from desk_help import RARE
from desk_site import CERTIFICATE, ENDED_POINT, EXTRA_HIGH, LOW, METER, OUTSIDE, POINTS, STRANGE, TERMS
from desk_web import DeskPlace, desk_place
from people_site import Visitor
from sqlalchemy import delete, update
from test_desk_help import words

from koatsu.desk import SYSTEM, Actor
from koatsu.desk import schema_registers as registers
from koatsu.desk.eligibility import OUTCOME_WORDS, RULES, Outcome
from koatsu.desk.supply_points import Voltage
from koatsu.desk.voltages import ELSEWHERE
from koatsu.desk.words import Words
from koatsu.people import Role
from koatsu.web.desk.check_pages import TOLD_BY_NUMBER
from koatsu.web.desk.pace import PACES
from paper import pages_of, squeezed, text_of


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("check"), utility=Words("青葉電力", "Aoba Power")) as place:
        yield place


def check(at: DeskPlace, prefix: str = "", **fields: str) -> httpx.Response:
    return at.visitor().send(f"{prefix}/check", **fields)


def outcome(answer: httpx.Response) -> str:
    """The sentence above the findings."""
    found = re.search(r'<h2 id="outcome">([^<]+)', answer.text)
    return found[1] if found else ""


# --- the check ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_every_rule_is_answered_in_words(place: DeskPlace, prefix: str) -> None:
    lang = "en" if prefix else "ja"
    answer = check(
        place, prefix, number=POINTS[0], supply="utility", ems="decided", certificate=CERTIFICATE, place="812"
        "-0011",
    )  # fmt: skip
    assert answer.status_code == 200
    assert outcome(answer) == OUTCOME_WORDS[Outcome.OPEN].text(lang)
    read = words(answer.text)
    for rule in RULES.values():
        assert rule.statement.text(lang) in read, rule.id
    assert len(re.findall(r'<li><span class="badge', answer.text)) == len(RULES)
    assert "試作電機 EMS-1" in read
    assert "北営業所" in read, "where it goes: name, address, hours, telephone"
    assert "〒812-0001" in read
    assert "平日 9:00–17:00" in read
    assert 'href="tel:092-000-1000"' in answer.text
    assert POINTS[0] not in read, "the number is masked where it is shown"
    assert f'value="{POINTS[0]}"' in answer.text, "and stays in the field"


def test_unsaid_is_found_out_later(place: DeskPlace) -> None:
    answer = check(place)
    assert outcome(answer) == OUTCOME_WORDS[Outcome.OPEN].ja
    assert "現地調査で確かめます" in words(answer.text)
    assert "電気をどこから買っているかを選ぶと" in words(answer.text)


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (OUTSIDE, "当社の供給区域の外にあります"),
        (LOW, ELSEWHERE[Voltage.LOW][0].ja),
        (EXTRA_HIGH, ELSEWHERE[Voltage.EXTRA_HIGH][0].ja),
    ],
)
def test_another_area_or_voltage_is_told_which_is_its_own(
    place: DeskPlace, number: str, sentence: str
) -> None:
    answer = check(place, number=number, supply="utility", ems="decided")
    assert outcome(answer) == OUTCOME_WORDS[Outcome.REFUSED].ja
    assert sentence in words(answer.text)
    assert "この内容で申込書をつくる" not in words(answer.text), "nothing leads on to what cannot be"


def test_without_an_ems_one_cannot_apply_and_a_missing_certificate_only_warns(place: DeskPlace) -> None:
    refused = check(place, number=POINTS[0], supply="utility", ems="none")
    assert outcome(refused) == OUTCOME_WORDS[Outcome.REFUSED].ja
    warned = check(place, number=POINTS[0], supply="utility", ems="decided", certificate="SMA-9999")
    assert outcome(warned) == OUTCOME_WORDS[Outcome.OPEN].ja
    assert "「SMA-9999」は、認証機器の台帳にありません" in words(warned.text)


def test_a_stranger_learns_area_and_voltage_of_a_number_and_nothing_else(place: DeskPlace) -> None:
    """Whose meter it is, where it stands, who sells there and whether the contract has ended stay inside."""
    known = check(place, number=POINTS[0], supply="", ems="").text
    ended = check(place, number=ENDED_POINT, supply="", ems="").text
    for text in (known, ended):
        assert METER not in text
        assert "2026-06-15" not in text
        assert "北市" not in text
        assert "北営業所" not in text, "the office would tell where the point lies"
        assert "電気をどこから買っているかを、お申込みのときに確かめます" in words(text)
    assert words(known).replace(masked(known), "") == words(ended).replace(masked(ended), "")
    assert TOLD_BY_NUMBER == ("eligible.area", "eligible.high_voltage")


def masked(text: str) -> str:
    """The number as the page shows it."""
    found = re.search(r"供給地点 ([^ <]+) について", text)
    assert found is not None
    return found[1]


def test_an_unregistered_number_is_no_reason_to_refuse(place: DeskPlace) -> None:
    answer = check(place, number=STRANGE, supply="other", ems="planned")
    assert outcome(answer) == OUTCOME_WORDS[Outcome.OPEN].ja
    assert "電圧は、お申込みのあとで確かめます" in words(answer.text)
    assert "ネットワークサービスセンター" in words(answer.text)


@pytest.mark.parametrize(
    ("field", "typed", "sentence"),
    [
        ("number", "07-0000-0000", "22 けたです(10 けたあります)"),
        ("number", "07いろは", "数字でない文字"),
        ("certificate", "SMA\u202e-1", "制御文字"),
        ("place", "8120", "郵便番号は 7 けた"),
    ],
)
def test_wrong_input_is_said_at_its_field(place: DeskPlace, field: str, typed: str, sentence: str) -> None:
    visitor = place.visitor()
    fields = {"number": POINTS[0], "supply": "utility", "ems": "decided", field: typed}
    answer = visitor.send("/check", **fields)
    assert answer.status_code == 422
    wrong = re.findall(r'<p class="wrong" id="(\w+)-wrong">([^<]+)', answer.text)
    assert [name for name, _ in wrong] == [field]
    assert sentence in wrong[0][1]
    assert not outcome(answer)
    english = visitor.send("/en/check", **{"ems": "decided", field: typed})
    assert english.status_code == 422
    assert not re.search("[\u3040-\u30ff]", re.findall(r'class="wrong"[^>]*>([^<]+)', english.text)[0])


def test_numbers_are_understood_as_people_write_them(place: DeskPlace) -> None:
    typed = "07-0000 0000-0000-0000-0001".translate(str.maketrans("0123456789", "0123456789"))
    assert "高圧で電気をお使いです" in words(check(place, number=typed).text)


def test_guessing_has_a_brake(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.COUNTER) as place:
        goes, within = PACES["check"]
        visitor = place.visitor()
        secret = visitor.secret("/check")

        def tried(number: str, page: str = "/check") -> httpx.Response:
            return visitor.request("POST", page, data={"csrf": secret, "number": number})

        answers = [tried(f"07{at:020}").status_code for at in range(goes + 2)]
        assert answers == [200] * goes + [429] * 2
        refused = tried(POINTS[0], "/en/check")
        assert refused.status_code == 429, "the other language is no way round"
        assert 'id="number-wrong"' in refused.text
        assert tried("").status_code == 200, "without a number nothing is told"
        neighbour = Visitor(place.app, peer="127.0.0.9")
        assert neighbour.send("/check", number=POINTS[0]).status_code == 200
        place.clock.advance(within)
        assert tried(POINTS[0]).status_code == 200


def test_a_form_of_somebody_else_is_refused(place: DeskPlace) -> None:
    forged = place.visitor().request("POST", "/check", data={"number": POINTS[0]})
    assert forged.status_code == 403


# --- where the form goes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("supply", "typed", "expected"),
    [
        ("utility", "812-0011", "北営業所"),
        ("utility", "8150001", "南営業所"),
        ("utility", "", "最寄りの配電事業所へお出しください"),
        ("utility", "999-9999", "つぎのどれかですので"),
        ("utility", "どこか村", "つぎのどれかですので"),
        ("other", "", "ネットワークサービスセンター"),
        ("self", "812-0011", "提出先は、まだ決まっていません"),
    ],
)
def test_the_office_follows_supply_and_place(
    place: DeskPlace, supply: str, typed: str, expected: str
) -> None:
    answer = check(place, supply=supply, ems="planned", place=typed)
    handin = re.search(r'<div class="handin">.*?</div>', answer.text, re.DOTALL)
    assert handin is not None
    assert expected in words(handin[0])


def test_the_office_for_self_supply_is_the_one_that_is_set(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.COUNTER, self_supply_office="south") as place:
        assert "南営業所" in words(check(place, supply="self", ems="planned").text)


def test_where_there_is_one_distribution_office_the_place_need_not_be_said(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.COUNTER) as place:
        office, area = registers.office, registers.office_area
        with place.desk.database.writing() as connection:
            connection.execute(delete(area).where(area.c.office == "south"))
            connection.execute(update(office).where(office.c.code == "south").values(closed_on="2026-01-01"))
        assert "北営業所" in words(check(place, supply="utility").text)


# --- the forms ------------------------------------------------------------------------------------------

FILLED = {
    "supply": "utility", "where": "812-0011", "supply_point": POINTS[0], "place": "東比恵工場",
    "customer_name": f"株式会社{RARE}", "customer_kana": "ヨシダ", "contact_name": "神邉 花子",
    "phone": "092-111-2222", "email": "a@example.jp", "postal_code": "812-0007", "address": "福岡市 1-2",
    "contract_kw": "480", "ems_maker": "試作電機", "ems_model": "EMS-1", "ems_certificate": CERTIFICATE,
    "sells": "no", "wished_on": "2026-09-01", "remarks": "門は東側です。",
}  # fmt: skip


def make(at: DeskPlace, kind: str, **changes: str) -> httpx.Response:
    return at.visitor().send(f"/forms/{kind}", None, **{**FILLED, **changes})


@pytest.mark.parametrize("kind", ["application", "ending"])
def test_blank_forms_are_printed(place: DeskPlace, kind: str) -> None:
    answer = place.visitor().get(f"/forms/{kind}/blank")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith("attachment; filename=")
    assert pages_of(answer.content) == 1
    assert "青葉電力" in text_of(answer.content)


@pytest.mark.parametrize("kind", ["application", "ending"])
def test_what_is_written_is_found_on_the_paper_with_the_right_office(place: DeskPlace, kind: str) -> None:
    """Rule apply.office, for applying and for ending alike; rare kanji come back sign by sign."""
    answer = make(place, kind)
    assert answer.status_code == 200, words(answer.text)
    read = text_of(answer.content)
    signs = ("青葉電力北営業所御中", f"株式会社{squeezed(RARE)}", "東比恵工場", "〒812-0007", "2026年9月1日")
    for sign in signs:
        assert sign in read
    assert ("SMA-0001" in read) is (kind == "application")
    assert (TERMS in read) is (kind == "application"), "the version of the terms is on it, not ticked"
    assert "✓高圧Bルートサービス利用規約" not in read
    centre = text_of(make(place, kind, supply="other", where="").content)
    assert "ネットワークサービスセンター御中" in centre


def test_nothing_of_a_form_is_kept(place: DeskPlace) -> None:
    before = place.desk.lists.counts(SYSTEM)
    assert make(place, "application").status_code == 200
    assert place.desk.lists.counts(SYSTEM) == before


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"supply": ""}, "supply", "電気の購入先を選んでください"),
        ({"where": ""}, "where", "どの事業所かがわかります"),
        ({"where": "81"}, "where", "7 けた"),
        ({"supply_point": "123"}, "supply_point", "22 けたです"),
        ({"email": "nobody"}, "email", "メールアドレスを確かめて"),
        ({"wished_on": "2020-01-01"}, "wished_on", "過ぎています"),
        ({"postal_code": "1"}, "postal_code", "7 けた"),
        ({"customer_name": "あ" * 101}, "customer_name", "100 文字まで"),
        ({"customer_name": "外字\ue000"}, "customer_name", "外字"),
        ({"customer_name": "鰻\U0001f600"}, "customer_name", "U+1F600"),
        ({"remarks": "図\U0001f9ff"}, "remarks", "U+1F9FF"),
    ],
)
def test_what_cannot_be_printed_is_said_at_its_field(
    place: DeskPlace, changes: dict[str, str], field: str, sentence: str
) -> None:
    answer = make(place, "application", **changes)
    assert answer.status_code == 422
    wrong = dict(re.findall(r'<p class="wrong" id="(\w+)-wrong">([^<]+)', answer.text))
    assert list(wrong) == [field]
    assert sentence in wrong[field]
    assert FILLED["address"] in answer.text, "what was written stays"


def test_where_no_office_is_set_the_form_can_be_made_without_one(place: DeskPlace) -> None:
    """There is no silent default for self-supply."""
    refused = make(place, "application", supply="self")
    assert refused.status_code == 422
    assert "提出先は、まだ決まっていません" in words(refused.text)
    assert 'value="unaddressed"' in refused.text
    made = make(place, "application", supply="self", do="unaddressed")
    assert made.status_code == 200
    assert "営業所" not in text_of(made.content)
    assert "✓自己等" in text_of(made.content)
    still = make(place, "application", supply="utility", where="", do="unaddressed")
    assert still.status_code == 422, "where the office can be told, it is"


def test_the_check_carries_over_what_was_written(place: DeskPlace) -> None:
    visitor = place.visitor()
    checked = visitor.send(
        "/check", None, number=POINTS[0], supply="utility", ems="decided", place="812-0011"
    )
    form = re.search(r'action="/forms/application">(.*?)</form>', checked.text, re.DOTALL)
    assert form is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[1]))
    carried = visitor.request("POST", "/forms/application", data=fields)
    assert carried.status_code == 200
    assert carried.headers["content-type"].startswith("text/html")
    assert f'name="supply_point" type="text" value="{POINTS[0]}"' in carried.text
    assert 'value="utility" checked' in carried.text
    assert POINTS[0] not in str(carried.url), "a number stands in no address"


def test_there_is_no_third_form(place: DeskPlace) -> None:
    assert place.visitor().get("/forms/refund").status_code == 404


def test_a_case_fills_its_form_for_those_who_may_see_it(place: DeskPlace) -> None:
    customer = place.desk.staff.customer_of(place.person(Role.CUSTOMER))
    case = place.desk.lists.own(Actor(reference="person:9", role=Role.CUSTOMER, customer=customer))[0]
    page = f"/forms/ending?case={case.number}"
    for role in (Role.COUNTER, Role.CUSTOMER):
        text = place.visitor(role).get(page).text
        assert "青葉食品 株式会社" in text
        assert f'value="{POINTS[0]}"' in text
    assert 'value="北市みどり 1"' in place.visitor(Role.COUNTER).get(page).text, "the place, by the register"
    own = place.visitor(Role.CUSTOMER).get(page).text
    assert 'value="北市みどり 1"' not in own, "not before the utility has looked at the application"
    stranger = place.visitor().get(page)
    assert stranger.status_code == 200
    assert "青葉食品" not in stranger.text
