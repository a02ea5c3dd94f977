"""The staff's pages for "no data arrives": what waits, a record as it went, and what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from desk_help import erase, put_case
from desk_site import COUNTER, NORTH, POINTS, SOUTH, START, STRANGER, SUPERVISOR
from desk_web import DeskPlace, desk_place
from people_site import NAMES
from staff_site import words, wrong_at
from test_desk_help_guide import Probe, play

from koatsu.desk import SYSTEM, Case, Event, State
from koatsu.desk.fault_rows import FaultView
from koatsu.desk.models import WorksKind
from koatsu.desk.probe import ProbeResult
from koatsu.desk.triage import Side, tree
from koatsu.desk.words import Words
from koatsu.people import Role

OURS = ("firm", "firm", "lit")  #: with a silent meter these lead to the utility's side
ASKED = re.compile(r'<form class="answers" method="post">.*?</form>', re.DOTALL)


class Named(Probe):
    """A terminal whose values have names for people."""

    def ask(self, supply_point: str) -> ProbeResult:
        return replace(super().ask(supply_point), labels={"secret": Words("積算電力量", "Energy")})


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    with desk_place(tmp_path) as place:
        place.clock.set(START)
        probe = place.desk.probe = Named(POINTS[3])
        probe.up, probe.answers = True, False
        yield place


@pytest.fixture
def case(place: DeskPlace) -> Case:
    return put_case(place.desk, State.IN_SERVICE, POINTS[3])


def record(place: DeskPlace, case: Case | None, *answers: str, seen: bool = False) -> FaultView:
    """A record made by the counter of the north."""
    faults, probe = place.desk.faults, place.desk.probe
    found = probe.ask(case.supply_point) if seen and probe and case else None
    view = faults.begin(COUNTER, case_id=case.id if case else None, office=NORTH, probe=found)
    for answer in answers:
        assert view.position.ask is not None
        view = faults.answer(COUNTER, view.fault.number, view.position.ask.id, answer)
    return view


def offered(text: str) -> set[str]:
    """What a page offers to do; ``answer`` where a question can be answered."""
    return set(re.findall(r'name="do" value="(\w+)"', text)) | ({"answer"} if ASKED.search(text) else set())


# --- the list -------------------------------------------------------------------------------------------


def test_what_waits_and_what_is_not_at_its_end(place: DeskPlace, case: Case) -> None:
    ours = record(place, case, *OURS, seen=True).fault.number
    open_one = record(place, None, "yes", "no").fault.number
    record(place, case, "damaged")
    visitor = place.visitor(Role.COUNTER)
    text = visitor.get("/faults").text
    read = words(text)
    assert f"{ours} {case.number}" in read
    assert "手配待ち メーターが応答していません。当社がうかがいます" in read
    assert NAMES[Role.COUNTER] in read
    assert open_one not in text
    assert "当社の番 1 確認の途中 1" in read
    assert POINTS[3] not in text
    assert "結果の内訳 2 件 お客さまの側 1 EMS メーカー 0 当社の側 1 どちらでもない 0" in read
    text = visitor.get("/faults?which=unfinished").text
    assert open_one in text
    assert ours not in text
    place.desk.faults.open_order(COUNTER, ours)
    assert "修理を手配済み" in words(visitor.get("/faults").text)
    place.desk.faults.close(COUNTER, ours)
    assert "当社の対応を待つ記録はありません。" in words(visitor.get("/faults").text)


def test_each_office_sees_its_own(place: DeskPlace, case: Case) -> None:
    north = record(place, case, *OURS, seen=True).fault.number
    other = put_case(place.desk, State.IN_SERVICE, POINTS[25], SOUTH)
    south = place.desk.faults.begin(STRANGER, case_id=other.id).fault.number
    counter, supervisor = place.visitor(Role.COUNTER), place.visitor(Role.SUPERVISOR)
    assert south not in counter.get("/faults?which=unfinished").text
    assert counter.get(f"/faults/{south}").status_code == 404
    assert south in supervisor.get("/faults?which=unfinished").text
    assert north in supervisor.get(f"/faults?office={NORTH}").text
    assert north not in supervisor.get(f"/faults?office={SOUTH}").text
    assert 'name="office"' not in counter.get("/faults").text


# --- one record -----------------------------------------------------------------------------------------


def test_a_record_shows_how_it_went_and_what_the_terminal_said(place: DeskPlace, case: Case) -> None:
    number = record(place, case, "firm", "damaged", seen=True).fault.number
    place.desk.faults.back(COUNTER, number)
    text = place.visitor(Role.COUNTER).get(f"/faults/{number}").text
    read = words(text)
    assert "伝送端末 192.0.2.7 は 12,345 kWh と答えました。" in read, (
        "addresses and readings are for the staff"
    )
    assert "積算電力量 12,345 kWh" in read
    assert "アドレスと計量値は職員だけに表示します。" in read
    question = tree().steps["cable_terminal"].question.ja  # type: ignore[union-attr] # it is one
    assert f"つぎにすること: 質問に答える {question}" in read
    steps = re.findall(r"<time.*?</li>", text, re.DOTALL)
    assert [("taken-back" in step, "取消し" in step) for step in steps] == [
        (True, True), (False, False), (False, False), (False, False),
    ]  # fmt: skip
    assert "端末側を確認" in steps[-1]
    assert all(NAMES[Role.COUNTER] in step for step in steps)
    assert f'href="/case/{case.number}"' in text
    erase(place.desk, case)
    later = place.visitor(Role.COUNTER).get(f"/faults/{number}").text
    assert "192.0.2.7" not in later
    assert "伝送端末は答えていますが、メーターが答えていません。" in words(later)


def test_a_customer_learns_no_address_and_no_reading(place: DeskPlace, case: Case) -> None:
    """By no page: the record, its question, its outcome, the list of one's own, the enquiry about it."""
    place.desk.staff.assign(place.person(Role.CUSTOMER), customer=case.customer)
    number = record(place, case, *OURS, seen=True).fault.number
    visitor = place.visitor(Role.CUSTOMER)
    begun = visitor.send("/no-data", case=case.number).headers["location"]
    pages = [f"/no-data/{number}", begun, f"/my/{case.number}", f"/enquiry?topic=no_data&fault={number}"]
    for page in [*pages, *(f"/en{page}" for page in pages)]:
        answer = visitor.get(page)
        assert answer.status_code == 200
        for secret in ("192.0.2.7", "12,345", "kWh"):
            assert secret not in answer.text, page


def test_a_call_from_its_first_question_to_the_works(place: DeskPlace, case: Case) -> None:
    visitor = place.visitor(Role.COUNTER)
    number = visitor.send("/faults/new", case=case.number).headers["location"].split("/")[2]
    page = f"/faults/{number}"
    assert offered(visitor.get(page).text) == {"answer", "look", "close"}
    for answer in OURS:
        form = ASKED.search(visitor.get(page).text)
        assert form is not None
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
        sent = visitor.request("POST", page, data={**fields, "answer": answer})
        assert sent.headers["location"] == f"{page}?done=answer"
    text = visitor.get(f"{page}?done=answer").text
    assert "答えを記録しました。" in words(text)
    assert offered(text) == {"order", "back", "close"}
    past = visitor.send(page, do="order", planned_on="2026-06-01", window="10:00")
    assert past.status_code == 422
    assert "この日は過ぎています。" in wrong_at(past.text, "planned_on")
    assert place.desk.lists.works(COUNTER, case.id) == []
    ordered = visitor.send(page, do="order", planned_on="2026-07-10", window="10:00–12:00")
    assert ordered.headers["location"] == f"{page}?done=order"
    [order] = place.desk.lists.works(COUNTER, case.id)
    assert (order.kind, str(order.planned_on)) == (WorksKind.REPAIR, "2026-07-10")
    text = visitor.get(page).text
    assert "当社設備の修理 7月10日 10:00–12:00" in words(text)
    assert offered(text) == {"close"}
    assert visitor.send(page, do="close").headers["location"] == f"{page}?done=close"
    text = visitor.get(page).text
    assert "この記録は終わっています。" in words(text)
    assert offered(text) == set()


def test_an_order_is_opened_on_the_utilitys_side_alone(place: DeskPlace, case: Case) -> None:
    """Rule fault.order, on the page."""
    visitor = place.visitor(Role.SUPERVISOR)
    for answers in ((), ("firm",), ("damaged",), ("cannot",)):
        number = record(place, case, *answers).fault.number
        assert "order" not in offered(visitor.get(f"/faults/{number}").text)
        forced = visitor.send(f"/faults/{number}", "/account", do="order")
        assert forced.status_code == 422
        assert "当社側の不具合とわかっていないため" in words(forced.text)
    assert place.desk.lists.works(SYSTEM, case.id) == []


def test_back_and_another_look_at_the_terminal(place: DeskPlace, case: Case) -> None:
    probe = place.desk.probe
    assert isinstance(probe, Named)
    visitor = place.visitor(Role.COUNTER)
    number = record(place, case, "firm").fault.number
    page = f"/faults/{number}"
    assert offered(visitor.get(page).text) == {"answer", "back", "look", "close"}
    assert "端末側は、まだ見ていません。" in words(visitor.get(page).text)
    assert visitor.send(page, do="look").headers["location"] == f"{page}?done=look"
    assert probe.asked == 1
    assert "192.0.2.7" in visitor.get(page).text
    assert visitor.send(page, do="back").headers["location"] == f"{page}?done=back"
    assert place.desk.faults.view(COUNTER, number).position.path == ()
    nothing = visitor.send(page, do="back")
    assert nothing.status_code == 422
    assert "これより前には戻れません" in words(nothing.text)
    late = visitor.send(page, step="maker", answer="not_yet")
    assert late.status_code == 422
    assert "いまの質問にお答えください" in words(late.text)
    unanswered = visitor.send(page, step="cable_ems", answer="")
    assert "答えを 1 つ選んでください" in words(unanswered.text)


def test_somebody_unknown_gets_a_case_and_then_works(place: DeskPlace, case: Case) -> None:
    number = record(place, None, "yes", "no", "firm", "firm", "dark", "no", "dark", "yes").fault.number
    visitor, page = place.visitor(Role.COUNTER), f"/faults/{number}"
    text = visitor.get(page).text
    assert offered(text) == {"case", "back", "close"}
    assert "どの案件かがわかると" in words(text)
    unknown = visitor.send(page, do="case", case="HB-1999-00001")
    assert unknown.status_code == 422
    assert "その案件はありません" in wrong_at(unknown.text, "case")
    assert visitor.send(page, do="case", case=case.number).headers["location"] == f"{page}?done=case"
    text = visitor.get(page).text
    assert "order" in offered(text)
    assert f"案件を決定 {case.number}" in words(text)


def test_what_the_maker_is_told_and_an_enquiry_that_comes_of_it(place: DeskPlace, case: Case) -> None:
    number = record(place, case, "firm", "firm", "lit", "lit", "not_yet").fault.number
    visitor, page = place.visitor(Role.COUNTER), f"/faults/{number}"
    text = visitor.get(page).text
    assert "EMS メーカーに伝えること" in words(text)
    link = f"/enquiry?topic=no_data&amp;fault={number}&amp;case={case.number}"
    assert f'href="{link}"' in text
    form = visitor.get(link.replace("&amp;", "&")).text
    assert f'value="{case.number}"' in form
    visitor.send(
        "/enquiry", topic="no_data", text="メーカーに確認中", case=case.number, fault=number, once="1"
    )
    text = visitor.get(page).text
    assert 'href="/enquiries/EQ-2026-00001"' in text
    assert "問い合わせとして残す" not in words(text)
    assert "back" not in offered(text), "something has come of the answers"


def test_who_may_do_what(place: DeskPlace, case: Case) -> None:
    number = record(place, case, *OURS, seen=True).fault.number
    page = f"/faults/{number}"
    auditor = place.visitor(Role.AUDITOR)
    text = auditor.get(page).text
    assert offered(text) == set()
    assert "192.0.2.7" in text
    for todo in ("back", "look", "order", "close", "case"):
        assert auditor.send(page, "/account", do=todo).status_code == 403
    assert auditor.send(page, "/account", step="cable_ems", answer="firm").status_code == 403
    works = place.visitor(Role.WORKS)
    assert offered(works.get(page).text) == {"order", "back", "close"}
    assert "届かないとの連絡を受ける" not in words(works.get("/faults").text), "calls come to the counter"
    assert works.send(page, do="order").status_code == 303
    assert works.send(page, do="close").status_code == 303
    assert place.desk.faults.view(COUNTER, number).fault.closed_by == f"person:{place.person(Role.WORKS)}"
    assert place.visitor(Role.CUSTOMER).get(page).status_code == 403


def test_a_case_that_has_gone_to_another_office_is_not_shown(place: DeskPlace, case: Case) -> None:
    number = record(place, case, "firm").fault.number
    place.desk.cases.act(SUPERVISOR, case.id, Event.MOVE_OFFICE, {"office": SOUTH, "reason": "担当の変更"})
    text = place.visitor(Role.COUNTER).get(f"/faults/{number}").text
    assert case.number not in text
    assert "別の事業所の案件" in words(text)


# --- the way there --------------------------------------------------------------------------------------


def test_calls_are_begun_from_navigation_list_and_case(place: DeskPlace, case: Case) -> None:
    visitor = place.visitor(Role.COUNTER)
    for page in ("/help", "/faults"):
        assert 'href="/faults/new"' in visitor.get(page).text
    shown = visitor.get(f"/case/{case.number}").text
    assert 'action="/faults/new"' in shown
    begun = visitor.send("/faults/new", f"/case/{case.number}", case=case.number).headers["location"]
    number = begun.split("/")[2]
    assert f'href="/faults/{number}"' in visitor.get(f"/case/{case.number}").text
    guide = visitor.get(begun).text
    assert f'href="/faults/{number}"' in guide, "from the page for calls to the record"
    assert f'href="/faults/{number}/guide"' in visitor.get(f"/faults/{number}").text, "and back"
    assert "当社の工事" not in words(play(visitor, begun, "damaged").text)
    assert place.desk.faults.view(COUNTER, number).fault.side is Side.CUSTOMER
    works = place.visitor(Role.WORKS)
    assert 'href="/faults/new"' not in works.get("/help").text
    assert works.get("/faults").status_code == 200
