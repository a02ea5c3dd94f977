"""No data arrives: the guide to every side, for strangers, customers and callers; equipment; enquiries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import httpx
import pytest
from desk_help import put_case
from desk_site import CENTRE, COUNTER, NORTH, POINTS, SOUTH, START
from desk_web import DeskPlace, desk_place
from people_site import Visitor
from sqlalchemy import insert
from test_desk_help import main_of, words

from koatsu.desk import SYSTEM, Case, ProbeResult, State
from koatsu.desk import schema_registers as registers
from koatsu.desk.business_days import add_business_days
from koatsu.desk.certified import certificate_key
from koatsu.desk.models import WorksKind
from koatsu.desk.plain_text import folded
from koatsu.desk.triage import Ask, Side, Situation, Then, tree, walk
from koatsu.desk.words import Words
from koatsu.people import Role
from koatsu.web.desk.guiding import PARTS, parts_seen, questions_ahead, read_way, seen_words, written_way
from koatsu.web.desk.pace import PACES
from koatsu.web.texts import texts

#: Answers that lead a stranger to each side, and how the outcome is called.
WAYS: Mapping[Side, tuple[str, str]] = {
    Side.CUSTOMER: ("using.yes-replacing.no-cable_ems.damaged", "cable_damaged"),
    Side.EMS_MAKER: (
        "using.yes-replacing.no-cable_ems.firm-cable_terminal.firm-link_lamp.lit-terminal_lamp.lit-maker.not_yet",
        "ask_maker",
    ),
    Side.UTILITY: (
        "using.yes-replacing.no-cable_ems.firm-cable_terminal.firm-link_lamp.dark-other_cable.no"
        "-terminal_lamp.dark-power.yes",
        "terminal_dark",
    ),
    Side.NONE: ("using.yes-replacing.yes", "replacement"),
}


class Probe:
    """A terminal whose answer a test sets."""

    def __init__(self, *points: str) -> None:
        self.points, self.asked = points, 0
        self.up: bool | None = True
        self.answers: bool | None = True

    def knows(self, supply_point: str) -> bool:
        return supply_point in self.points

    def ask(self, supply_point: str) -> ProbeResult:
        self.asked += 1
        return ProbeResult(
            at=START, reached=bool(self.up), terminal_up=self.up, meter_answers=self.answers,
            values={"secret": "12,345 kWh"},
            reason=Words("伝送端末 192.0.2.7 は 12,345 kWh と答えました。", "192.0.2.7 says 12,345 kWh."),
        )  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    with desk_place(tmp_path, Role.CUSTOMER, Role.COUNTER, Role.WORKS, Role.SUPERVISOR) as place:
        place.clock.set(START)
        place.desk.probe = Probe(POINTS[3])
        yield place


@pytest.fixture
def case(place: DeskPlace) -> Case:
    """A case in service, whose customer can log in."""
    made = put_case(place.desk, State.IN_SERVICE, POINTS[3])
    place.desk.staff.assign(place.person(Role.CUSTOMER), customer=made.customer)
    return made


def play(visitor: Visitor, page: str, *answers: str) -> httpx.Response:
    """Press these answers, one after the other, as a person does."""
    answer = visitor.get(page)
    for pressed in answers:
        form = re.search(r'<form class="answers".*?</form>', answer.text, re.DOTALL)
        assert form is not None, f"{pressed}: no question is asked"
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
        assert f'value="{pressed}"' in form[0], f"{pressed} is no answer to {fields['step']}"
        sent = visitor.request("POST", page, data={**fields, "answer": pressed})
        assert sent.status_code == 303, words(sent.text)
        answer = visitor.get(sent.headers["location"])
    return answer


# --- for everybody --------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_a_stranger_is_led_to_every_side_by_links_alone(place: DeskPlace, side: Side, prefix: str) -> None:
    way, name = WAYS[side]
    visitor, lang = place.visitor(), "en" if prefix else "ja"
    page, pressed = f"{prefix}/no-data", []
    for part in way.split("-"):
        text = visitor.get(page).text
        pressed.append(part)
        page = f"{prefix}/no-data?way={'-'.join(pressed)}"
        links = re.findall(r'class="btn" href="([^"]+)"', main_of(text))
        assert page in links, f"{part} is no answer there"
        ask = tree().steps[part.partition(".")[0]]
        assert isinstance(ask, Ask)
        assert ask.question.text(lang) in words(text)
        assert (
            f"Question {len(pressed)} of" in words(text) if prefix else f"{len(pressed)} 問目" in words(text)
        )
    outcome = tree().outcomes[name]
    text = visitor.get(page).text
    assert outcome.side is side
    assert outcome.words.text(lang) in words(text)
    assert outcome.advice.text(lang) in words(text)
    assert texts(lang)(f"desk_no_data.side_{side}") in words(text)
    assert place.desk.faults.waiting(COUNTER) == [], "a stranger leaves no trace"


def test_the_way_back_is_there_at_every_question(place: DeskPlace) -> None:
    way = WAYS[Side.EMS_MAKER][0]
    visitor = place.visitor()
    text = visitor.get(f"/no-data?way={way}").text
    while "ひとつ前にもどる" in text:
        parts = way.split("-")
        way = "-".join(parts[:-1])
        back = f"/no-data?way={way}" if way else "/no-data"
        assert f'href="{back}"' in text
        text = visitor.get(back).text
    assert way == ""


def test_the_order_is_cable_then_maker_then_the_utility(place: DeskPlace) -> None:
    """Rule fault.order: whatever somebody answers, both ends of the cable come before anybody else's turn."""
    where = tree()

    def walked(answers: dict[str, str]) -> None:
        position = walk(where, Situation(), answers)
        if position.ask is None:
            assert position.outcome is not None
            asked = [turn.ask.id for turn in position.path]
            if position.outcome.side in (Side.EMS_MAKER, Side.UTILITY):
                assert {"cable_ems", "cable_terminal"} <= set(asked)
            return
        for answer in position.ask.answers:
            walked({**answers, position.ask.id: answer.id})

    walked({})


def test_what_a_stranger_found_goes_with_the_enquiry(place: DeskPlace) -> None:
    """We do not know who it is, so nothing is arranged: the outcome leads to an enquiry that says it all."""
    way, _ = WAYS[Side.UTILITY]
    visitor = place.visitor()
    text = visitor.get(f"/no-data?way={way}").text
    assert "まだ手配していません" in words(text)
    link = f"/enquiry?topic=no_data&amp;way={way}"
    assert f'class="btn primary" href="{link}"' in text
    form = visitor.get(link.replace("&amp;", "&")).text
    written = re.search(r'<textarea id="text"[^>]*>(.*?)</textarea>', form, re.DOTALL)
    assert written is not None
    assert "伝送端末の電源ランプは、光っていますか: 消えています" in written[1]
    assert "結果: 伝送端末に原因がありそうです" in written[1]
    assert '<option value="no_data" selected>' in form


def test_what_to_tell_the_maker_is_listed(place: DeskPlace) -> None:
    text = place.visitor().get(f"/no-data?way={WAYS[Side.EMS_MAKER][0]}").text
    told = re.search(r'<ul class="told">(.*?)</ul>', text, re.DOTALL)
    assert told is not None
    assert re.findall(r"<li>([^<]+)</li>", told[1]) == [
        "EMS 側のケーブルは奥まで入っている", "伝送端末側のケーブルは奥まで入っている",
        "差し口のランプは光っている", "伝送端末の電源ランプは光っている",
    ]  # fmt: skip


@pytest.mark.parametrize("way", ["nothing", "using.perhaps", "a.b.c-d", "%3Cscript%3E", "using.yes-" * 200])
def test_a_wrong_way_is_passed_over(place: DeskPlace, way: str) -> None:
    answer = place.visitor().get(f"/no-data?way={way}")
    assert answer.status_code == 200
    assert "<script>" not in main_of(answer.text)


def test_every_question_has_its_part_of_the_drawing() -> None:
    asks = {name for name, step in tree().steps.items() if isinstance(step, Ask)}
    assert set(PARTS) == asks
    assert set(PARTS.values()) == {"", "cable", "terminal", "ems"}


def test_how_many_questions_are_left_never_grows() -> None:
    where = tree()
    ways = [way.split("-") for way, _ in WAYS.values()]
    for parts in ways:
        left = []
        for length in range(len(parts) + 1):
            position = walk(where, Situation(), read_way("-".join(parts[:length])))
            left.append(questions_ahead(where, Situation(), position))
        assert left[-1] == 0
        assert all(later < earlier for earlier, later in pairwise(left))


def test_a_way_survives_being_written() -> None:
    way = WAYS[Side.UTILITY][0]
    assert written_way(walk(tree(), Situation(), read_way(way)).path) == way


@pytest.mark.parametrize(
    ("up", "answers", "said"),
    [
        (True, True, "メーターも、問いかけに"), (True, False, "メーターが答えて"),
        (True, None, "わかりませんでした"),
        (False, None, "伝送端末が答えて"), (None, None, "見られません"),
    ],
)  # fmt: skip
def test_what_the_terminal_says_is_told(up: bool | None, answers: bool | None, said: str) -> None:
    probe = Probe(POINTS[0])
    probe.up, probe.answers = up, answers
    told = {lang: seen_words(probe.ask(POINTS[0]), texts(lang)) for lang in ("ja", "en")}
    assert said in told["ja"]
    assert "192.0.2.7" not in told["ja"] + told["en"]


def test_what_the_terminal_says_is_drawn() -> None:
    probe = Probe(POINTS[0])
    probe.up, probe.answers = True, None
    notes, tones = parts_seen(probe.ask(POINTS[0]), texts("ja"))
    assert notes == {"terminal": "答えている", "meter": "わからない"}
    assert tones == {"terminal": "ok", "meter": ""}
    assert parts_seen(None, texts("ja")) == ({}, {})


# --- for a customer -------------------------------------------------------------------------------------


def test_a_customer_keeps_a_record_with_what_the_terminal_says(place: DeskPlace, case: Case) -> None:
    visitor = place.visitor(Role.CUSTOMER)
    begun = visitor.send("/no-data", case=case.number)
    page = begun.headers["location"]
    assert re.fullmatch(r"/no-data/FT-\d{4}-\d{5}", page)
    first = visitor.get(page).text
    assert "当社から見たようす" in words(first)
    assert "伝送端末もメーターも、問いかけに答えています。" in words(first)
    assert "192.0.2.7" not in first, "the addresses of the utility's network are for its staff"
    assert "12,345" not in first
    assert tree().steps["cable_ems"].question.ja in words(first), "what the desk knows is not asked"  # type: ignore[union-attr]
    asked = play(visitor, page, "firm", "firm", "lit")
    assert "EMS のメーカーには、もうおたずねになりましたか" in words(asked.text), "up and answering: not ours"
    outcome = play(visitor, page, "not_yet").text
    assert "EMS のメーカーにおたずねください" in words(outcome)
    number = page.rpartition("/")[2]
    view = place.desk.faults.view(COUNTER, number)
    assert view.fault.side is Side.EMS_MAKER
    assert number in visitor.get(f"/my/{case.number}").text


def test_a_fault_on_the_utilitys_side_waits_for_the_staff(place: DeskPlace, case: Case) -> None:
    probe = place.desk.probe
    assert isinstance(probe, Probe)
    probe.up, probe.answers = False, None
    visitor = place.visitor(Role.CUSTOMER)
    page = visitor.send("/no-data", case=case.number).headers["location"]
    text = play(visitor, page, "firm", "firm", "dark", "none", "yes").text
    assert "伝送端末が応答していません。当社がうかがいます" in words(text)
    number = page.rpartition("/")[2]
    assert f"{number} として受け付けました" in words(text)
    assert "修理を手配する" not in text, "a works order is the staff's"
    assert [one.number for one in place.desk.faults.waiting(COUNTER)] == [number]
    forced = visitor.send(page, "/account", do="order", planned_on="2026-07-10")
    assert forced.status_code == 422
    assert place.desk.lists.works(COUNTER, case.id) == []


def test_answers_can_be_taken_back_and_the_terminal_asked_again(place: DeskPlace, case: Case) -> None:
    probe = place.desk.probe
    assert isinstance(probe, Probe)
    visitor = place.visitor(Role.CUSTOMER)
    page = visitor.send("/no-data", case=case.number).headers["location"]
    play(visitor, page, "firm")
    assert visitor.send(page, do="back").status_code == 303
    assert "EMS に差してある" in words(visitor.get(page).text)
    nothing = visitor.send(page, do="back")
    assert nothing.status_code == 422
    assert "これより前には戻れません" in words(nothing.text)
    asked = probe.asked
    assert visitor.send(page, do="look").status_code == 303
    assert probe.asked == asked + 1
    unanswered = visitor.send(page, step="cable_ems", answer="")
    assert unanswered.status_code == 422
    assert "答えを 1 つ選んでください" in words(unanswered.text)
    late = visitor.send(page, step="maker", answer="not_yet")
    assert late.status_code == 422
    assert "いまの質問にお答えください" in words(late.text)


def test_asking_terminals_has_a_brake(place: DeskPlace, case: Case) -> None:
    probe = place.desk.probe
    assert isinstance(probe, Probe)
    visitor = place.visitor(Role.CUSTOMER)
    page = visitor.send("/no-data", case=case.number).headers["location"]
    for _ in range(PACES["probe"][0] + 3):
        assert visitor.send(page, do="look").status_code == 303
    assert probe.asked == PACES["probe"][0]


def test_only_service_that_runs_is_asked_of_the_terminal(place: DeskPlace) -> None:
    """Before the start, and of somebody else's place, nobody learns anything by asking."""
    probe = place.desk.probe
    assert isinstance(probe, Probe)
    early = put_case(place.desk, State.CHECKING, POINTS[3])
    place.desk.staff.assign(place.person(Role.CUSTOMER), customer=early.customer)
    visitor = place.visitor(Role.CUSTOMER)
    page = visitor.send("/no-data", case=early.number).headers["location"]
    assert "サービスはまだ始まっていません" in words(visitor.get(page).text)
    assert probe.asked == 0
    other = put_case(place.desk, State.IN_SERVICE, POINTS[4])
    assert visitor.send("/no-data", case=other.number).status_code == 404
    record = place.desk.faults.begin(COUNTER, case_id=other.id)
    assert visitor.get(f"/no-data/{record.fault.number}").status_code == 404


# --- for a caller ---------------------------------------------------------------------------------------


def test_staff_make_a_record_for_a_caller_and_order_the_works(place: DeskPlace, case: Case) -> None:
    probe = place.desk.probe
    assert isinstance(probe, Probe)
    probe.up, probe.answers = True, False
    visitor = place.visitor(Role.COUNTER)
    wrong = visitor.send("/faults/new", case="HB-1999-00001")
    assert wrong.status_code == 422
    assert "その案件はありません" in words(wrong.text)
    page = visitor.send("/faults/new", case=f" {case.number.lower()} ").headers["location"]
    assert re.fullmatch(r"/faults/FT-\d{4}-\d{5}/guide", page)
    assert "192.0.2.7" in words(visitor.get(page).text)
    early = visitor.send(page, do="order")
    assert early.status_code == 422
    assert "当社側の不具合とわかっていないため" in words(early.text), "rule fault.order"
    text = play(visitor, page, "firm", "firm", "lit").text
    assert "メーターが応答していません。当社がうかがいます" in words(text)
    past = visitor.send(page, do="order", planned_on="2026-06-01")
    assert past.status_code == 422
    assert 'id="planned_on-wrong"' in past.text
    assert place.desk.lists.works(COUNTER, case.id) == []
    ordered = visitor.send(page, do="order", planned_on="2026-07-10", window="10:00–12:00")
    assert ordered.headers["location"] == page
    [order] = place.desk.lists.works(COUNTER, case.id)
    assert (order.kind, str(order.planned_on), order.window) == (
        WorksKind.REPAIR,
        "2026-07-10",
        "10:00–12:00",
    )
    assert visitor.send(page, do="close").status_code == 303
    number = page.split("/")[2]
    assert place.desk.faults.view(COUNTER, number).fault.closed_at is not None


def test_a_caller_whose_case_is_not_known_is_noted_later(place: DeskPlace, case: Case) -> None:
    visitor = place.visitor(Role.COUNTER)
    page = visitor.send("/faults/new", case="").headers["location"]
    text = play(visitor, page, "yes", "no", "firm", "firm", "dark", "no", "dark", "yes").text
    assert "どの案件かがわかると" in words(text)
    unknown = visitor.send(page, do="case", case="HB-1999-00001")
    assert unknown.status_code == 422
    assert 'id="case-wrong"' in unknown.text
    assert visitor.send(page, do="case", case=case.number).status_code == 303
    assert "修理を手配する" in words(visitor.get(page).text)


def test_who_may_keep_records(place: DeskPlace, case: Case) -> None:
    for role in (Role.WORKS, Role.CUSTOMER):
        assert place.visitor(role).get("/faults/new").status_code == 403
    record = place.desk.faults.begin(COUNTER, case_id=case.id).fault.number
    assert place.visitor(Role.COUNTER).get(f"/no-data/{record}").status_code == 403
    assert place.visitor(Role.CUSTOMER).get(f"/no-data/{record}").status_code == 200
    assert place.visitor(Role.CUSTOMER).get(f"/faults/{record}/guide").status_code == 403
    assert "こちらから始めます" in words(place.visitor(Role.COUNTER).get("/no-data").text)


# --- equipment ------------------------------------------------------------------------------------------


@pytest.fixture
def equipped(place: DeskPlace) -> DeskPlace:
    """A register of 64 certificates, one of which has run out."""
    with place.desk.database.writing() as connection:
        connection.execute(
            insert(registers.certified),
            [
                {
                    "number": f"SMA-{at:04}", "number_key": certificate_key(f"SMA-{at:04}"),
                    "maker": "南北制御",
                    "model": f"BX-{at:03}", "kind": "BEMS", "certified_on": "2023-05-01",
                    "valid_until": "2025-03-31" if at == 10 else None,
                    "search_key": folded(f"南北制御 BX-{at:03} SMA-{at:04} BEMS"),
                    "changed_by": "system", "changed_at": 0,
                }
                for at in range(10, 73)
            ],
        )  # fmt: skip
    return place


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_equipment_is_searched_as_people_type(equipped: DeskPlace, prefix: str) -> None:
    visitor = equipped.visitor()
    for typed in ("bx-011", "BX011", "南北制御 BX-011", "sma 0011"):
        rows = re.findall(r"<td><b>([^<]+)", visitor.get(f"{prefix}/equipment?q={typed}").text)
        assert rows == ["BX-011"], typed


def test_equipment_has_pages_and_hides_what_has_run_out(equipped: DeskPlace) -> None:
    visitor = equipped.visitor()
    first = visitor.get("/equipment").text
    assert len(re.findall(r"<td><b>", first)) == 30
    assert "63 件" in words(first), "62 that hold, and the one of the small utility"
    assert "BX-010" not in first
    last = visitor.get("/equipment?page=3").text
    assert len(re.findall(r"<td><b>", last)) == 3
    past = visitor.get("/equipment?q=BX-010&all=yes").text
    assert "期限切れ" in words(past)
    for page in ("0", "-1", "x", "99999999", "²"):
        assert visitor.get(f"/equipment?page={page}").status_code == 200


def test_what_is_not_certified_is_said_and_is_no_refusal(equipped: DeskPlace) -> None:
    text = words(equipped.visitor().get("/equipment?q=SMA-9999").text)
    assert "「SMA-9999」に合う機器は、認証機器の台帳にありません" in text
    assert "認証がなくても、お申込みはできます" in text


def test_how_to_connect_says_what_is_not_published(place: DeskPlace) -> None:
    text = words(place.visitor().get("/equipment/connect").text)
    for fact in ("RJ45", "100BASE-TX", "UDP 3610", "0x028A", "ECHONET Lite", "T-2", "M-28A"):
        assert fact in text
    assert text.count("未公表") == 2, "the IP version, and the timing"


# --- enquiries ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "office"),
    [
        ({"supply": "utility", "where": "812-0011"}, NORTH),
        ({"supply": "utility", "where": "8150001"}, SOUTH),
        ({"supply": "other"}, CENTRE),
        ({"supply": "self"}, ""),
        ({"supply": "utility", "where": ""}, ""),
        ({}, ""),
    ],
)
def test_a_strangers_enquiry_goes_to_the_right_office(
    place: DeskPlace, fields: dict[str, str], office: str
) -> None:
    """Rule help.enquiry: number, office, due date."""
    answer = place.visitor().send(
        "/enquiry", "/enquiry?topic=is_it_free", topic="is_it_free", text="いくらですか。", contact="092-1",
        **fields,
    )  # fmt: skip
    assert answer.status_code == 200
    [made] = place.desk.enquiries.listing(SYSTEM)
    assert (made.office, made.topic, made.case) == (office, "is_it_free", None)
    due = add_business_days(START.date(), place.desk.settings.enquiry_days, place.desk.settings.closed_days)
    assert made.due_on == due
    assert made.number in words(answer.text)
    assert str(due) in words(answer.text)
    if office:
        assert place.desk.registers.office(office).name in words(answer.text)
    view = place.desk.enquiries.view(SYSTEM, made.number)
    assert (view.text, view.contact) == ("いくらですか。", "092-1")


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"text": ""}, "text", "内容を書いて"),
        ({"contact": ""}, "contact", "お電話番号かメールアドレス"),
        ({"text": "あ" * 4001}, "text", "4000 文字まで"),
        ({"contact": "\ue000"}, "contact", "外字"),
        ({"supply": "utility", "where": "81"}, "where", "7 けた"),
    ],
)
def test_what_is_wrong_with_an_enquiry_is_said(
    place: DeskPlace, changes: dict[str, str], field: str, sentence: str
) -> None:
    answer = place.visitor().send("/enquiry", **{"text": "こんにちは", "contact": "092-1", **changes})
    assert answer.status_code == 422
    assert re.findall(r'<p class="wrong" id="(\w+)-wrong">', answer.text) == [field]
    assert sentence in words(answer.text)
    assert place.desk.enquiries.listing(SYSTEM) == []


def test_a_form_sent_twice_is_one_enquiry(place: DeskPlace) -> None:
    visitor = place.visitor()
    form = visitor.get("/enquiry").text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))
    sent = [
        visitor.request("POST", "/enquiry", data={**fields, "text": "もう一度", "contact": "092-1"}).text
        for _ in range(2)
    ]
    assert words(main_of(sent[0])) == words(main_of(sent[1]))
    assert len(place.desk.enquiries.listing(SYSTEM)) == 1


def test_enquiries_of_strangers_have_a_brake(place: DeskPlace) -> None:
    visitor = place.visitor()
    statuses = [
        visitor.send("/enquiry", text=f"{at} 回目", contact="092-1").status_code
        for at in range(PACES["enquiry"][0] + 1)
    ]
    assert statuses == [200] * PACES["enquiry"][0] + [429]
    assert place.visitor(Role.COUNTER).send("/enquiry", text="窓口で", contact="092-1").status_code == 200
    place.clock.advance(timedelta(hours=2))
    assert visitor.send("/enquiry", text="あとで", contact="092-1").status_code == 200


def test_staff_take_an_enquiry_in_at_the_counter(place: DeskPlace, case: Case) -> None:
    visitor = place.visitor(Role.COUNTER)
    assert visitor.send("/enquiry", text="来店", contact="092-1", case=case.number).status_code == 200
    assert visitor.send("/enquiry", text="来店", contact="092-1").status_code == 200
    first, second = sorted(place.desk.enquiries.listing(SYSTEM), key=lambda one: one.id)
    assert (first.case, first.office) == (case.id, NORTH)
    assert (second.case, second.office) == (None, NORTH), "that of whoever took it in"
    unknown = visitor.send("/enquiry", text="来店", contact="092-1", case="HB-1999-00001")
    assert unknown.status_code == 422


def test_a_record_notes_the_enquiry_that_came_of_it(place: DeskPlace, case: Case) -> None:
    visitor = place.visitor(Role.CUSTOMER)
    page = visitor.send("/no-data", case=case.number).headers["location"]
    text = play(visitor, page, "firm", "firm", "lit", "sound").text
    number = page.rpartition("/")[2]
    assert f'href="/enquiry?topic=no_data&amp;fault={number}"' in text
    assert tree().outcomes["staff_look"].then is Then.ENQUIRY
    form = visitor.get(f"/enquiry?topic=no_data&fault={number}").text
    assert "EMS に異常はないと言われました" in form
    sent = visitor.send(
        "/enquiry", f"/enquiry?topic=no_data&fault={number}", topic="no_data", fault=number, case=case.number,
        text="結果のとおりです。",
    )  # fmt: skip
    assert sent.status_code == 200
    [made] = place.desk.enquiries.listing(SYSTEM)
    assert place.desk.faults.view(COUNTER, number).fault.enquiry == made.id
    foreign = place.visitor().get(f"/enquiry?topic=no_data&fault={number}").text
    assert "異常はない" not in foreign, "a stranger does not read it"
