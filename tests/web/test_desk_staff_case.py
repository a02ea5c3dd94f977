"""The page of a case: the whole story through its forms, what each role may, and nothing written over."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from desk_site import (
    AUDITOR,
    COUNTER,
    METER,
    NORTH,
    POINTS,
    SETTINGS,
    SOUTH,
    START,
    STORY,
    SUPERVISOR,
    WORKS,
    brought_to,
    drafted,
)
from desk_web import NOW, DeskPlace, desk_place
from people_site import NAMES, Visitor
from staff_site import PERSONAL, forms_of, furnished, words, wrong_at

from koatsu.desk import SYSTEM, Actor, Case, Event, ProbeResult, State, Words
from koatsu.desk.lifecycle import STEPS
from koatsu.people import Role

ACTORS = {Role.COUNTER: COUNTER, Role.WORKS: WORKS, Role.SUPERVISOR: SUPERVISOR, Role.AUDITOR: AUDITOR}
OWNER = Actor(reference="person:1", role=Role.OWNER)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    """A desk at the beginning of July, when the story of the desk's own tests begins."""
    with desk_place(tmp_path) as place:
        place.clock.set(START)
        yield place


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DeskPlace, Mapping[State, Case]]]:
    """A desk with a case in every state, which these tests only look at."""
    with desk_place(tmp_path_factory.mktemp("whole")) as place:
        yield place, furnished(place)


def url(case: Case, prefix: str = "") -> str:
    return f"{prefix}/case/{case.number}"


def step(visitor: Visitor, case: Case, event: Event, prefix: str = "", **given: str) -> httpx.Response:
    """Fill in the form of a step as it stands on the page, and send it."""
    page = url(case, prefix)
    stands = forms_of(visitor.get(page).text)[event]
    return visitor.request("POST", page, data={**stands, **given})


# --- the story ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_the_whole_story_through_the_forms(place: DeskPlace, prefix: str) -> None:
    visitors = {COUNTER: place.visitor(Role.COUNTER), WORKS: place.visitor(Role.WORKS)}
    case = drafted(place.desk, POINTS[1])
    done = {step.event: step.done.text("en" if prefix else "ja") for step in STEPS}
    for event, actor, given, after in STORY:
        visitor = visitors[actor]
        page = visitor.get(url(case, prefix))
        stands = forms_of(page.text)[event]
        assert int(stands["seen"]) == case.version
        assert set(given) <= set(stands) | set(re.findall(r'type="radio"[^>]* name="(\w+)"', page.text))
        answer = visitor.request("POST", url(case, prefix), data={**stands, **given})
        assert answer.status_code == 303, words(answer.text)
        assert answer.headers["location"] == f"{url(case, prefix)}?done={event}"
        case = place.desk.cases.get(SYSTEM, case.id)
        assert case.state is after
        shown = visitor.get(answer.headers["location"])
        assert done[event] in re.search(r'role="status">(.*?)</p>', shown.text)[1]  # type: ignore[index]
    history = words(visitors[COUNTER].get(url(case, prefix)).text)
    assert all(done[event] in history for event, _, _, _ in STORY)
    assert NAMES[Role.WORKS] in history
    assert "10:05 積算電力量を EMS の画面で確認" in history
    assert place.desk.cases.verify() is None


def test_suspension_and_a_new_meter_through_the_forms(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    counter, works = place.visitor(Role.COUNTER), place.visitor(Role.WORKS)
    why = {"suspend_reason": "meter_replacement", "resume_planned_on": "2026-07-20"}
    assert step(counter, case, Event.SUSPEND, **why).status_code == 303
    page = counter.get(url(case))
    assert "これは、工事担当、責任者がします。" in words(page.text), "the counter cannot, and hears who can"
    assert Event.METER_REPLACED not in forms_of(page.text)
    new = {"worked_on": "2026-07-01", "meter_serial": "M-9", "meter_type": METER}
    assert step(works, case, Event.METER_REPLACED, **new).status_code == 303
    assert place.desk.cases.get(SYSTEM, case.id).state is State.IN_SERVICE
    assert f"{METER} · M-9 · 対応型" in words(counter.get(url(case)).text)


# --- what each may --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.COUNTER, Role.WORKS, Role.SUPERVISOR, Role.AUDITOR, Role.OWNER])
def test_a_page_offers_exactly_the_steps_that_its_reader_may_take(
    whole: tuple[DeskPlace, Mapping[State, Case]], role: Role
) -> None:
    place, cases = whole
    visitor, actor = place.visitor(role), ACTORS.get(role, OWNER)
    for state, case in cases.items():
        text = visitor.get(url(case)).text
        titles = {one.button.ja for one in place.desk.cases.steps(actor, case)}
        offered = set(forms_of(text)) | {
            one.event
            for one in STEPS
            if state in one.before
            and one.button.ja in titles
            and (f"<summary>{one.button.ja}</summary>" in text or f"つぎにすること: {one.button.ja}" in text)
        }
        if 'action="/case/' in text and f'action="{url(case)}/documents"' in text:
            offered.add(Event.ATTACH)
        assert offered == {one.event for one in place.desk.cases.steps(actor, case)}, state
        assert NAMES[role] in text


def test_no_button_is_dead(whole: tuple[DeskPlace, Mapping[State, Case]]) -> None:
    place, cases = whole
    for role in (Role.COUNTER, Role.SUPERVISOR):
        for case in cases.values():
            text = place.visitor(role).get(url(case)).text
            assert " disabled" not in text
    blocked = words(place.visitor(Role.COUNTER).get(url(cases[State.CONNECTION_CHECK])).text)
    assert "まだ確かめられていません:端末に電源が入り、リンクが上がっている" in blocked


def test_what_somebody_may_not_see_is_not_there(place: DeskPlace) -> None:
    south = brought_to(place.desk, State.SUBMITTED, POINTS[30])
    assert south.office == SOUTH
    counter = place.visitor(Role.COUNTER)
    for path in (url(south), url(south, "/en"), "/case/HB-1999-00001", "/case/%3Cscript%3E"):
        answer = counter.get(path)
        assert answer.status_code == 404
        assert ("There is no such case." if "/en" in path else "その案件はありません。") in words(answer.text)
    assert counter.request("POST", url(south), data={"csrf": counter.secret("/")}).status_code == 404
    assert place.visitor(Role.SUPERVISOR).get(url(south)).status_code == 200
    assert place.visitor(Role.CUSTOMER).get(url(south)).status_code == 403
    assert place.visitor().get(url(south)).headers["location"].startswith("/login?next=")


@pytest.mark.parametrize(
    ("role", "state", "event"),
    [
        (Role.AUDITOR, State.CHECKING, Event.NOTE),
        (Role.COUNTER, State.CHECKING, Event.REFUSE),
        (Role.WORKS, State.CHECKING, Event.ACCEPT),
        (Role.COUNTER, State.ENDED, Event.REOPEN),
        (Role.OWNER, State.CHECKING, Event.REMIND),
    ],
)
def test_a_step_for_others_is_refused(place: DeskPlace, role: Role, state: State, event: Event) -> None:
    case = brought_to(place.desk, state, POINTS[1])
    visitor = place.visitor(role)
    sent = {"csrf": visitor.secret("/account"), "event": event, "seen": str(case.version), "note": "x"}
    answer = visitor.request("POST", url(case), data=sent)
    assert answer.status_code == 403
    assert "役割ではできません" in words(answer.text)
    assert place.desk.cases.get(SYSTEM, case.id) == case


@pytest.mark.parametrize("path", ["", "/show", "/probe", "/documents", "/documents/1"])
def test_nothing_is_done_without_the_secret_of_the_form(place: DeskPlace, path: str) -> None:
    case = brought_to(place.desk, State.CONNECTION_CHECK, POINTS[1])
    visitor = place.visitor(Role.COUNTER)
    assert visitor.request("POST", url(case) + path, data={"csrf": "guessed"}).status_code == 403
    assert place.desk.cases.get(SYSTEM, case.id) == case


def test_an_unknown_step_is_a_sentence(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[1])
    visitor = place.visitor(Role.COUNTER)
    answer = visitor.send(url(case), event="explode", seen="1")
    assert answer.status_code == 422
    assert "そのような手続きはありません。" in words(answer.text)


# --- nothing is written over ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prefix", "said"), [("", "判断 楓 が 09:00 に変更"), ("/en", "判断 楓 changed this case at 09:00")]
)
def test_what_somebody_else_has_changed_is_told_and_what_was_typed_stays(
    place: DeskPlace, prefix: str, said: str
) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[1])
    counter = place.visitor(Role.COUNTER)
    stands = forms_of(counter.get(url(case, prefix)).text)[Event.RETURN]
    place.desk.cases.act(SUPERVISOR, case.id, Event.NOTE, {"note": "電話しました"})
    given = {**stands, "reason": "印がありません <b>"}
    answer = counter.request("POST", url(case, prefix), data=given)
    assert answer.status_code == 409
    assert said in words(answer.text)
    again = forms_of(answer.text)[Event.RETURN]
    assert again["reason"] == "印がありません <b>"
    assert 'href="#step-return"' in answer.text
    assert 'id="step-return"' in answer.text
    assert int(again["seen"]) == case.version + 1
    assert "電話しました" in words(answer.text), "what has changed is on the page"
    assert place.desk.cases.get(SYSTEM, case.id).state is State.CHECKING
    assert counter.request("POST", url(case, prefix), data=again).status_code == 303
    assert place.desk.cases.get(SYSTEM, case.id).state is State.RETURNED


def test_what_was_typed_into_a_step_that_is_gone_is_not_lost(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[1])
    counter = place.visitor(Role.COUNTER)
    stands = forms_of(counter.get(url(case)).text)[Event.RETURN]
    place.desk.cases.act(SUPERVISOR, case.id, Event.ACCEPT, {"in_area": "yes", "installable": "yes"})
    answer = counter.request("POST", url(case), data={**stands, "reason": "長い説明を書いたのに"})
    assert answer.status_code == 409
    assert "書いた内容 理由 長い説明を書いたのに" in words(answer.text)
    assert Event.RETURN not in forms_of(answer.text)


def test_a_case_that_went_to_another_office_meanwhile_is_told(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[1])
    counter = place.visitor(Role.COUNTER)
    stands = forms_of(counter.get(url(case)).text)[Event.NOTE]
    moved = {"office": SOUTH, "reason": "管轄が変わりました"}
    supervisor = place.visitor(Role.SUPERVISOR)
    assert step(supervisor, case, Event.MOVE_OFFICE, **moved).status_code == 303
    assert counter.request("POST", url(case), data={**stands, "note": "x"}).status_code == 404


def test_who_sends_a_case_elsewhere_is_led_to_the_worklist(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    counter = place.visitor(Role.COUNTER)
    other = {"supply": "other", "retailer": "あおぞら電力"}
    answer = step(counter, case, Event.CHANGE_RETAILER, **other)
    assert answer.headers["location"] == "/?done=moved"
    assert "別の事業所の担当になりました" in words(counter.get("/?done=moved").text)
    assert counter.get(url(case)).status_code == 404


# --- bad input ------------------------------------------------------------------------------------------

WRONG = [
    (State.ACCEPTED, Event.PLAN_SURVEY, "survey_on", "2020-01-01", "過ぎています", "is past"),
    (State.ACCEPTED, Event.PLAN_SURVEY, "survey_on", "あした", "2026-07-15 のように", "such as 2026-07-15"),
    (State.ACCEPTED, Event.PLAN_SURVEY, "survey_on", "", "「調査日」を書いて", "Fill in “Day of the survey”"),
    (State.CHECKING, Event.RETURN, "reason", "", "「理由」を書いて", "Fill in “Reason”"),
    (State.CHECKING, Event.RETURN, "reason", "あ" * 2001, "2000", "2000"),
    (State.CHECKING, Event.ACCEPT, "in_area", "maybe", "選んでください", "Choose one of"),
    (State.CHECKING, Event.NOTE, "note", "\x07", "文字", "character"),
    (State.WORKS_PLANNED, Event.RECORD_WORKS, "worked_on", "2026-07-02", "まだ来ていません", "not come yet"),
    (State.IN_SERVICE, Event.CHANGE_NAME, "customer_name", "あ" * 101, "100", "100"),
]


@pytest.mark.parametrize(("state", "event", "field", "value", "ja", "en"), WRONG)
def test_bad_input_is_a_sentence_at_its_field(
    place: DeskPlace, state: State, event: Event, field: str, value: str, ja: str, en: str
) -> None:
    case = brought_to(place.desk, state, POINTS[1])
    actor = Role.WORKS if event is Event.RECORD_WORKS else Role.COUNTER
    right = {"works": {"terminal_type": "T-2", "terminal_serial": "T1", "outage_done": "no"}}
    for prefix, said in (("", ja), ("/en", en)):
        given = {**right.get(actor, {}), "installable": "yes", "organisation": "yes", field: value}
        answer = step(place.visitor(actor), case, event, prefix, **given)
        assert answer.status_code == 422
        text = answer.text
        assert said in wrong_at(text, f"{event}-{field}")
        again = forms_of(text)[event]
        if field not in ("in_area",):
            assert again[field].strip() == value.strip(), "what was typed stays"
        assert re.search(rf'id="{event}-{field}[^>]*(autofocus|aria-invalid)', text)
    assert place.desk.cases.get(SYSTEM, case.id) == case


def test_a_rule_that_does_not_hold_is_told_above_the_form_and_points_at_the_field(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.WORKS_PLANNED, POINTS[1])
    done = {"worked_on": "2026-07-01", "terminal_type": "T-X", "terminal_serial": "T1", "outage_done": "no"}
    answer = step(place.visitor(Role.WORKS), case, Event.RECORD_WORKS, **done)
    assert answer.status_code == 422
    text = answer.text
    assert "「T-X」は対応型の台帳にありません。" in words(text)
    assert wrong_at(text, "record_works-terminal_type")
    assert forms_of(text)[Event.RECORD_WORKS]["terminal_serial"] == "T1"
    assert re.search(r'<option value="T-2">', text), "the types that are there are proposed"


def test_what_is_typed_is_never_read_as_markup(place: DeskPlace) -> None:
    evil = '<script>alert("x")</script>'
    case = drafted(place.desk, POINTS[1], customer_name=evil, ems_model=evil)
    place.desk.cases.act(COUNTER, case.id, Event.NOTE, {"note": evil})
    text = place.visitor(Role.COUNTER).get(url(case)).text
    assert "<script>alert" not in text
    assert text.count("&lt;script&gt;alert") >= 3


def test_rare_kanji_come_back_as_they_were_typed(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    rare = "𠮷田 葛\U000e0100城 神邉 髙﨑"
    named = {"customer_name": rare, "organisation": "no"}
    assert step(place.visitor(Role.COUNTER), case, Event.CHANGE_NAME, **named).status_code == 303
    assert rare in words(place.visitor(Role.COUNTER).get(url(case)).text)


def test_a_correction_says_what_was_changed_and_nothing_else(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.WORKS_DONE, POINTS[1])
    supervisor = place.visitor(Role.SUPERVISOR)
    changed = {"terminal_serial": "T20088", "phone": "092-000-0002", "reason": "銘板を読み違えた"}
    assert step(supervisor, case, Event.CORRECT, **changed).status_code == 303
    entry = place.desk.cases.history(SYSTEM, case.id)[-1]
    assert set(entry.detail) == {"terminal_serial", "phone", "reason"}
    assert place.desk.cases.get(SYSTEM, case.id).fact("survey_on") == case.fact("survey_on")
    nothing = step(supervisor, case, Event.CORRECT, reason="何も")
    assert nothing.status_code == 422


# --- what is shown on demand ----------------------------------------------------------------------------


def test_contact_and_number_are_shown_on_demand_and_that_is_recorded(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[1])
    counter = place.visitor(Role.COUNTER)
    page = counter.get(url(case))
    for hidden in ("092-000-0001", "kobayashi@aoba.example", "みどり 2-3-4", "小林", POINTS[1]):
        assert hidden not in page.text
    assert "小●●●" in words(page.text)
    assert "青葉食品 株式会社" in words(page.text), "whoever opens a case sees whose it is"
    head = place.people.audit.head()
    contact = counter.send(f"{url(case)}/show", url(case), what="contact")
    assert contact.status_code == 200
    for shown in ("092-000-0001", "kobayashi@aoba.example", "北市みどり 2-3-4", "小林 花子"):
        assert shown in words(contact.text)
    number = counter.send(f"{url(case)}/show", url(case), what="number")
    assert "07-0000-0000-0000-0000-0002" in words(number.text)
    assert "092-000-0001" not in number.text
    application = counter.send(f"{url(case)}/show", url(case), what="application")
    assert application.status_code == 200
    entries = place.people.audit.entries(3)
    assert [(one.author, one.action, one.subject, one.detail) for one in reversed(entries)] == [
        ("person:2", "personal_shown", f"case:{case.number}", {"what": what})
        for what in ("contact", "number", "application")
    ]
    assert place.people.audit.head() != head
    assert "お客さまの情報を表示" in words(place.visitor(Role.OWNER).get("/audit").text)
    nothing = counter.send(f"{url(case)}/show", url(case), what="everything")
    assert nothing.status_code == 200
    assert "092-000-0001" not in nothing.text
    shown = [one for one in place.people.audit.entries(20) if one.action == "personal_shown"]
    assert len(shown) == 3


def test_the_form_of_an_application_is_opened_on_purpose_and_filled_in(place: DeskPlace) -> None:
    case = drafted(place.desk, POINTS[1], ems_model="E1")
    counter = place.visitor(Role.COUNTER)
    page = counter.get(url(case))
    assert Event.FILL not in forms_of(page.text)
    assert "092-000-0001" not in page.text
    opened = counter.send(f"{url(case)}/show", url(case), what="application")
    stands = forms_of(opened.text)[Event.FILL]
    assert (stands["phone"], stands["ems_model"], stands["supply"]) == ("092-000-0001", "E1", "utility")
    wrong = counter.request("POST", url(case), data={**stands, "email": "no address"})
    assert wrong.status_code == 422
    assert wrong_at(wrong.text, "fill-email") == "メールアドレスを確かめてください。"
    assert forms_of(wrong.text)[Event.FILL]["email"] == "no address"
    filled = {**stands, "phone": "092-000-0009", "ems_model": ""}
    assert counter.request("POST", url(case), data=filled).status_code == 303
    assert place.desk.cases.person(SYSTEM, case.id)["phone"] == "092-000-0009"
    assert place.desk.cases.get(SYSTEM, case.id).fact("ems_model") == "", "what is emptied is empty"


def test_the_history_tells_texts_but_no_contacts(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.RETURNED, POINTS[1])
    text = place.visitor(Role.COUNTER).get(url(case)).text
    assert "押印がありません" in words(text)
    assert "記入 電気の購入先" in words(text)
    for hidden in PERSONAL[1:]:
        assert hidden not in text


# --- the connection check -------------------------------------------------------------------------------


class Probe:
    """A wire that answers as a test says."""

    def __init__(self, **found: object) -> None:
        self.found, self.asked = found, 0

    def knows(self, supply_point: str) -> bool:
        return supply_point == POINTS[1]

    def ask(self, supply_point: str) -> ProbeResult:
        self.asked += 1
        values = {"energy_now": "8,412,118 kWh"}
        known = {
            "at": START,
            "reached": True,
            "values": values,
            "labels": {"energy_now": Words("積算電力量", "Energy")},
        }
        return ProbeResult(**{**known, "reason": Words("端末が応答しました。", "It answers."), **self.found})  # type: ignore[arg-type]


def in_check(place: DeskPlace) -> Case:
    case = brought_to(place.desk, State.WORKS_DONE, POINTS[1])
    return place.desk.cases.act(WORKS, case.id, Event.BEGIN_CONNECTION)


def test_a_probe_proposes_and_nobody_passes_unseen(place: DeskPlace) -> None:
    case = in_check(place)
    probe = place.desk.probe = Probe(terminal_up=True, meter_answers=True)
    works = place.visitor(Role.WORKS)
    stands = forms_of(works.get(url(case)).text)[Event.RECORD_CHECK]
    assert stands["check_way"] == "hand"
    assert "check_terminal" not in stands, "nothing is proposed before anybody has looked"
    answer = works.send(f"{url(case)}/probe", url(case))
    assert answer.status_code == 200
    assert probe.asked == 1
    assert place.desk.cases.get(SYSTEM, case.id) == case, "asking records nothing"
    found = forms_of(answer.text)[Event.RECORD_CHECK]
    assert (found["check_terminal"], found["check_meter"], found["check_way"]) == ("yes", "yes", "probe")
    assert "check_values" not in found, "whether the EMS has them is nothing that a probe can see"
    assert "積算電力量: 8,412,118 kWh" in found["evidence"]
    assert "2026-07-01 09:00 に自動で確認" in found["evidence"]
    assert "端末が応答しました。" in words(answer.text)
    assert works.request("POST", url(case), data=found).status_code == 422
    assert works.request("POST", url(case), data={**found, "check_values": "yes"}).status_code == 303
    checked = place.desk.cases.get(SYSTEM, case.id)
    assert [checked.fact(name) for name in ("check_terminal", "check_way")] == ["yes", "probe"]


def test_a_terminal_that_does_not_answer_is_a_finding(place: DeskPlace) -> None:
    case = in_check(place)
    place.desk.probe = Probe(reached=False, terminal_up=False, meter_answers=None, values={})
    answer = place.visitor(Role.COUNTER).send(f"{url(case, '/en')}/probe", url(case, "/en"))
    found = forms_of(answer.text)[Event.RECORD_CHECK]
    assert found["check_terminal"] == "no"
    assert "check_meter" not in found
    assert "What the terminal said" in words(answer.text)


def test_a_probe_is_offered_where_it_can_ask_and_to_those_who_may(place: DeskPlace) -> None:
    case = in_check(place)
    counter, button = place.visitor(Role.COUNTER), f'action="{url(case)}/probe"'
    assert button not in counter.get(url(case)).text
    assert counter.send(f"{url(case)}/probe", url(case)).status_code == 409
    probe = place.desk.probe = Probe(terminal_up=True, meter_answers=True)
    assert button in counter.get(url(case)).text
    auditor = place.visitor(Role.AUDITOR)
    assert button not in auditor.get(url(case)).text
    sent = {"csrf": auditor.secret("/account")}
    assert auditor.request("POST", f"{url(case)}/probe", data=sent).status_code == 403
    elsewhere = brought_to(place.desk, State.CHECKING, POINTS[2])
    assert counter.send(f"{url(elsewhere)}/probe", url(elsewhere)).status_code == 409
    assert probe.asked == 0


def test_a_check_without_evidence_does_not_pass(place: DeskPlace) -> None:
    case = in_check(place)
    seen = {"check_terminal": "yes", "check_meter": "yes", "check_values": "yes"}
    for way in ("hand", "probe"):
        answer = step(place.visitor(Role.WORKS), case, Event.RECORD_CHECK, **seen, check_way=way)
        assert answer.status_code == 422
        assert "確かめた内容が書かれていません" in words(answer.text)


# --- what stands on it ----------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_every_state_has_its_page_in_both_languages(
    whole: tuple[DeskPlace, Mapping[State, Case]], prefix: str
) -> None:
    place, cases = whole
    assert set(cases) == set(State) - {State.DRAFT}
    for case in cases.values():
        answer = place.visitor(Role.SUPERVISOR).get(url(case, prefix))
        assert answer.status_code == 200
        assert answer.text.count("<h1>") == 1
        assert len(re.findall(r' id="([^"]+)"', answer.text)) == len(
            set(re.findall(r' id="([^"]+)"', answer.text))
        )
        for label in re.findall(r'<label[^>]* for="([^"]+)"', answer.text):
            assert f'id="{label}"' in answer.text


def test_the_bar_of_steps_has_only_phases_that_were_reached(
    whole: tuple[DeskPlace, Mapping[State, Case]], tmp_path: Path
) -> None:
    place, cases = whole
    counter = place.visitor(Role.COUNTER)

    def bar(case: Case) -> list[tuple[str, str]]:
        steps = re.search(r'<ol class="steps">.*?</ol>', counter.get(url(case)).text, re.DOTALL)
        assert steps is not None
        found = re.findall(r'<li class="(\w+)".*?<span class="fine">(.*?)</span>', steps[0])
        return [(place, note) for place, note in found]

    assert [one for one, _ in bar(cases[State.WORKS_DONE])] == ["done"] * 3 + ["now"] + ["todo"] * 3
    ended = bar(cases[State.ENDED])
    assert [one for one, _ in ended] == ["done"] * 7
    assert ended[0][1] == "2025年9月18日"
    withdrawn = drafted(place.desk, POINTS[25])
    withdrawn = place.desk.cases.act(SUPERVISOR, withdrawn.id, Event.WITHDRAW)
    visitor = place.visitor(Role.SUPERVISOR)
    assert visitor.get(url(withdrawn)).text.count('<li class="todo"') == 5, "it was never surveyed"


def test_a_case_whose_data_was_erased_says_so(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.ENDED, POINTS[1])
    place.desk.cases.act(COUNTER, case.id, Event.NOTE, {"note": "秘密"})
    place.clock.set(NOW + timedelta(days=SETTINGS.retention_days + 1))
    supervisor = place.visitor(Role.SUPERVISOR)
    unsure = step(supervisor, case, Event.ERASE)
    assert unsure.status_code == 422
    assert "確認の欄を選んで" in words(unsure.text)
    assert not place.desk.cases.get(SYSTEM, case.id).erased
    assert step(supervisor, case, Event.ERASE, sure="yes").status_code == 303
    text = supervisor.get(url(case)).text
    assert "個人の情報は消去されています" in words(text)
    assert "書かれていた内容は消去されました" in words(text)
    for gone in (*PERSONAL, "秘密"):
        assert gone not in text
    assert "連絡先を表示" not in text


def test_costs_say_who_pays_and_no_amount(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[1])
    page = words(place.visitor(Role.COUNTER).get(url(case)).text)
    assert "申込み・利用・当社の作業は無料です。" in page
    assert "円" not in page.replace("〒", "")


def test_an_ems_without_certificate_is_a_warning_and_no_refusal(place: DeskPlace) -> None:
    case = drafted(place.desk, POINTS[1], ems_certificate="")
    for event in (Event.SUBMIT, Event.BEGIN_CHECK):
        case = place.desk.cases.act(COUNTER, case.id, event)
    counter = place.visitor(Role.COUNTER)
    page = counter.get(url(case))
    assert "つぎにすること: 注意の説明を記録する" in words(page.text)
    assert '<span class="badge caution">認証なし</span>' in page.text
    accepted = step(counter, case, Event.ACCEPT, in_area="yes", installable="yes")
    assert accepted.status_code == 422
    assert "EMS に SMA 認証がありません。申込は受けられますが" in words(accepted.text)
    assert step(counter, case, Event.CONFIRM_WARNING, warning_told="yes").status_code == 303
    page = counter.get(url(case))
    assert "つぎにすること: 受理する" in words(page.text)
    assert "お客さまに説明しました" in words(page.text)
    unlisted = drafted(place.desk, POINTS[2], ems_certificate="SMA-9999")
    assert "「SMA-9999」は、認証機器の台帳にありません" in words(counter.get(url(unlisted)).text)


def test_colleagues_of_the_office_can_be_assigned(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.CHECKING, POINTS[1])
    counter = place.visitor(Role.COUNTER)
    text = counter.get(url(case)).text
    options = re.search(r'<select id="assign-assignee".*?</select>', text, re.DOTALL)
    assert options is not None
    names = re.findall(r'<option value="person:\d+">(.*?)</option>', options[0])
    assert set(names) == {NAMES[role] for role in (Role.OWNER, Role.COUNTER, Role.WORKS, Role.SUPERVISOR)}
    who = f"person:{place.person(Role.WORKS)}"
    assert step(counter, case, Event.ASSIGN, assignee=who).status_code == 303
    assert f"担当 {NAMES[Role.WORKS]}" in words(counter.get(url(case)).text)
    assert place.desk.cases.get(SYSTEM, case.id).office == NORTH


def test_enquiries_and_searches_for_lost_data_stand_on_the_case_that_they_are_about(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.IN_SERVICE, POINTS[1])
    counter = place.visitor(Role.COUNTER)
    elsewhere = brought_to(place.desk, State.CHECKING, POINTS[2])
    assert "お問い合わせと不通" not in words(counter.get(url(elsewhere)).text)
    asked = place.desk.enquiries.open(COUNTER, topic="no_data", text="届きません", case_id=case.id)
    begun = counter.send("/faults/new", url(case), case=case.number)
    assert begun.status_code == 303
    (searched,) = place.desk.faults.of_case(COUNTER, case.id)
    page = words(counter.get(url(case)).text)
    assert f"{asked.number} 回答待ち" in page
    assert f"{searched.number} 確認中" in page
    assert "届きません" not in page
    assert 'action="/faults/new"' not in place.visitor(Role.WORKS).get(url(case)).text
