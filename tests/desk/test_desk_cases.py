"""Cases: the whole story on both databases, who may do what, what is refused, and what history keeps."""

from __future__ import annotations

import json
import sqlite3
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from desk_site import (
    APPLICATION,
    AUDITOR,
    CENTRE,
    COUNTER,
    ENDED_POINT,
    EXTRA_HIGH,
    LOW,
    METER,
    NORTH,
    OUTSIDE,
    POINTS,
    SETTINGS,
    SOUTH,
    STORY,
    STRANGE,
    STRANGER,
    SUPERVISOR,
    TERMINAL,
    WORKS,
    brought_to,
    drafted,
    open_desk,
)
from sqlalchemy import select

from koatsu.clock import ManualClock
from koatsu.desk import (
    SYSTEM,
    Actor,
    ChangedMeanwhileError,
    Desk,
    DeskError,
    Event,
    ForbiddenError,
    InputError,
    NoStepError,
    RuleError,
    State,
    UnknownError,
)
from koatsu.desk.models import WorksKind, WorksState
from koatsu.desk.schema_cases import notice, personal
from koatsu.people import Role


def kept(desk: Desk, case_id: int) -> list[Event]:
    return [entry.event for entry in desk.cases.history(SYSTEM, case_id)]


def refusal(desk: Desk, what: Event, case_id: int, actor: Actor = COUNTER, **given: str) -> DeskError:
    """The error; and that nothing was half-done."""
    before = (desk.cases.get(SYSTEM, case_id), kept(desk, case_id))
    with pytest.raises(DeskError) as caught:
        desk.cases.act(actor, case_id, what, given)
    assert (desk.cases.get(SYSTEM, case_id), kept(desk, case_id)) == before
    assert caught.value.ja
    assert caught.value.message
    return caught.value


# --- the story ------------------------------------------------------------------------------------------


def test_a_case_goes_from_the_application_to_the_end(either: Desk) -> None:
    case = drafted(either)
    assert (case.number, case.state, case.office) == ("HB-2026-00001", State.DRAFT, NORTH)
    for event, actor, given, after in STORY:
        case = either.cases.act(actor, case.id, event, given, seen=case.version)
        assert case.state is after
    assert kept(either, case.id) == [Event.DRAFT, Event.FILL, *(event for event, _, _, _ in STORY)]
    assert either.cases.verify() is None
    works = either.lists.works(COUNTER, case.id)
    assert [(one.kind, one.state) for one in works] == [
        (WorksKind.SURVEY, WorksState.DONE),
        (WorksKind.INSTALLATION, WorksState.DONE),
        (WorksKind.CABLE_REMOVAL, WorksState.DONE),
    ]
    with either.database.reading() as connection:
        notices = connection.execute(select(notice.c.kind).order_by(notice.c.id)).scalars().all()
    assert notices == [
        "received",
        "accepted",
        "survey_planned",
        "works_planned",
        "works_done",
        "started",
        "ending_received",
        "ended",
    ]


def test_personal_values_are_nowhere_in_clear(desk: Desk, tmp_path: Path) -> None:
    case = brought_to(desk, State.IN_SERVICE)
    desk.cases.act(COUNTER, case.id, Event.NOTE, {"note": "小林さまより電話あり"})
    assert desk.cases.person(COUNTER, case.id)["customer_name"] == APPLICATION["customer_name"]
    desk.close()
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for word in ("青葉食品", "小林", "kobayashi", "092-000-0001", "みどり 2-3-4", "電話あり"):
        assert word.encode() not in files
        assert json.dumps(word)[1:-1].encode() not in files


def test_what_history_keeps_of_a_text_can_be_read_by_who_sees_the_case(desk: Desk) -> None:
    case = brought_to(desk, State.RETURNED)
    entry = desk.cases.history(COUNTER, case.id)[-1]
    assert entry.detail["reason"].startswith("text:")
    assert desk.cases.text(COUNTER, entry, "reason") == "押印がありません"
    with pytest.raises(UnknownError):
        desk.cases.text(STRANGER, entry, "reason")


def test_erasing_takes_everything_personal_and_history_still_verifies(
    desk: Desk, clock: ManualClock, tmp_path: Path
) -> None:
    case = brought_to(desk, State.ENDED)
    assert "から消去" in (refusal(desk, Event.ERASE, case.id, SUPERVISOR).ja or "")
    clock.advance(timedelta(days=SETTINGS.retention_days + 1))
    assert desk.lists.search(COUNTER, "青葉")
    with desk.database.reading() as connection:
        sealed = connection.execute(select(personal.c.value)).scalars().all()
    erased = desk.cases.act(SUPERVISOR, case.id, Event.ERASE)
    files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert sealed
    assert not any(value in files for value in sealed), "gone from the files, too"
    assert erased.erased
    assert desk.cases.person(COUNTER, case.id) == {}
    assert desk.lists.search(COUNTER, "青葉") == []
    filled = desk.cases.history(COUNTER, case.id)[1]
    assert desk.cases.text(COUNTER, filled, "customer_name") is None
    assert desk.cases.verify() is None
    assert isinstance(refusal(desk, Event.REOPEN, case.id, SUPERVISOR, reason="誤り"), RuleError)
    assert isinstance(refusal(desk, Event.ERASE, case.id, SUPERVISOR), RuleError)
    desk.cases.act(COUNTER, case.id, Event.ATTACH, {"document": "3"})


# --- who may --------------------------------------------------------------------------------------------


def test_an_office_sees_its_own_cases_alone(desk: Desk) -> None:
    north = brought_to(desk, State.SUBMITTED, POINTS[0])
    south = brought_to(desk, State.SUBMITTED, POINTS[-1])
    assert (north.office, south.office) == (NORTH, SOUTH)
    with pytest.raises(UnknownError):
        desk.cases.get(STRANGER, north.id)
    with pytest.raises(UnknownError):
        desk.cases.act(STRANGER, north.id, Event.BEGIN_CHECK)
    assert [line.case.id for line in desk.lists.worklist(STRANGER).lines] == [south.id]
    assert [line.case.id for line in desk.lists.worklist(AUDITOR).lines] == [north.id, south.id]
    assert desk.lists.counts(COUNTER)[State.SUBMITTED] == 1


def test_a_customer_sees_its_own_cases_alone(desk: Desk) -> None:
    mine, other = brought_to(desk, State.SUBMITTED, POINTS[0]), brought_to(desk, State.SUBMITTED, POINTS[1])
    customer = Actor(reference="person:9", role=Role.CUSTOMER, customer=mine.customer)
    assert desk.cases.get(customer, mine.id) == mine
    assert [one.id for one in desk.lists.own(customer)] == [mine.id]
    with pytest.raises(UnknownError):
        desk.cases.get(customer, other.id)
    nobody = Actor(reference="person:10", role=Role.CUSTOMER)
    assert desk.lists.own(nobody) == []


@pytest.mark.parametrize("actor", [AUDITOR, WORKS, Actor(reference="person:8", role=Role.VIEWER)])
def test_who_may_not_handle_does_not(desk: Desk, actor: Actor) -> None:
    case = brought_to(desk, State.SUBMITTED)
    with pytest.raises((ForbiddenError, UnknownError)):
        desk.cases.act(actor, case.id, Event.BEGIN_CHECK)


def test_an_owner_may_what_a_supervisor_may(desk: Desk) -> None:
    owner = Actor(reference="person:1", role=Role.OWNER)
    case = brought_to(desk, State.CHECKING)
    given = {"rule": "eligible.ems", "reason": "設置の予定なし"}
    assert desk.cases.act(owner, case.id, Event.REFUSE, given).state is State.REFUSED


# --- nobody is written over -----------------------------------------------------------------------------


def test_what_somebody_else_has_changed_is_not_written_over(desk: Desk) -> None:
    case = brought_to(desk, State.SUBMITTED)
    changed = desk.cases.act(SUPERVISOR, case.id, Event.ASSIGN, {"assignee": "person:2"})
    with pytest.raises(ChangedMeanwhileError) as caught:
        desk.cases.act(COUNTER, case.id, Event.BEGIN_CHECK, seen=case.version)
    assert (caught.value.by, "person:4" in caught.value.text("ja")) == ("person:4", True)
    assert desk.cases.get(COUNTER, case.id) == changed
    assert desk.cases.act(COUNTER, case.id, Event.BEGIN_CHECK, seen=changed.version).state is State.CHECKING


def test_of_many_who_act_on_one_version_one_succeeds(either: Desk) -> None:
    case = brought_to(either, State.SUBMITTED)
    barrier, results = threading.Barrier(6), []

    def act() -> None:
        barrier.wait(30)
        try:
            either.cases.act(COUNTER, case.id, Event.NOTE, {"note": "x"}, seen=case.version)
            results.append("done")
        except ChangedMeanwhileError:
            results.append("late")

    threads = [threading.Thread(target=act) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(results) == ["done", *["late"] * 5]
    assert either.cases.verify() is None


def test_history_cannot_be_changed_or_deleted(either: Desk) -> None:
    brought_to(either, State.SUBMITTED)
    for statement in (
        "UPDATE desk_event SET author = 'person:99'",
        "DELETE FROM desk_event",
        "DELETE FROM desk_event WHERE seq = 1",
    ):
        with pytest.raises(DeskError), either.database.writing() as connection:
            connection.exec_driver_sql(statement)
    assert either.cases.verify() is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE desk_event SET author = 'person:99' WHERE seq = 2",
        "DELETE FROM desk_event WHERE seq = 2",
        "DELETE FROM desk_event WHERE seq = 3",
        "UPDATE desk_event SET after = 'ended' WHERE seq = 3",
    ],
)
def test_history_that_was_tampered_with_behind_our_back_is_found(
    desk: Desk, tmp_path: Path, statement: str
) -> None:
    brought_to(desk, State.SUBMITTED)
    assert desk.cases.verify() is None
    with sqlite3.connect(tmp_path / "desk.db") as plain:
        for (name,) in plain.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            plain.execute(f'DROP TRIGGER "{name}"')
        plain.execute(statement)
    plain.close()
    assert desk.cases.verify() is not None


# --- the rules, by name ---------------------------------------------------------------------------------


def rule_of(error: DeskError) -> str:
    assert isinstance(error, RuleError), error
    return error.rule


@pytest.mark.parametrize(
    "missing", ["supply", "customer_name", "organisation", "ems_installed", "received_on"]
)
def test_apply_complete(desk: Desk, missing: str) -> None:
    case = drafted(desk, **{missing: ""})
    assert rule_of(refusal(desk, Event.SUBMIT, case.id)) == "apply.complete"


def test_apply_complete_wants_a_way_to_reach_the_customer(desk: Desk) -> None:
    case = drafted(desk, phone="", email="", address="")
    assert "連絡先" in (refusal(desk, Event.SUBMIT, case.id).ja or "")


@pytest.mark.parametrize("changes", [{"terms_accepted": "no"}, {"terms_version": "2020-01-01"}])
def test_apply_terms(desk: Desk, changes: dict[str, str]) -> None:
    case = drafted(desk, **changes)
    assert rule_of(refusal(desk, Event.SUBMIT, case.id)) == "apply.terms"


def test_apply_one(desk: Desk) -> None:
    first = brought_to(desk, State.IN_SERVICE)
    second = drafted(desk)
    error = refusal(desk, Event.SUBMIT, second.id)
    assert rule_of(error) == "apply.one"
    assert first.number in (error.ja or "")
    desk.cases.act(COUNTER, first.id, Event.CONTRACT_ENDED, {"contract_ended_on": "2026-07-01"})
    assert desk.cases.act(COUNTER, second.id, Event.SUBMIT).state is State.SUBMITTED
    assert rule_of(refusal(desk, Event.REOPEN, first.id, SUPERVISOR, reason="誤り")) == "apply.one"


@pytest.mark.parametrize(("point", "word"), [(LOW, "低圧"), (EXTRA_HIGH, "特別高圧"), (STRANGE, "台帳")])
def test_apply_high_voltage(desk: Desk, point: str, word: str) -> None:
    case = drafted(desk, point)
    error = refusal(desk, Event.SUBMIT, case.id)
    assert rule_of(error) == "apply.high_voltage"
    assert word in error.text("ja")


def test_eligible_area_is_told_at_once(desk: Desk) -> None:
    with pytest.raises(RuleError) as caught:
        drafted(desk, OUTSIDE)
    assert caught.value.rule == "eligible.area"
    assert OUTSIDE not in caught.value.text("ja") + caught.value.text("en")
    assert desk.lists.worklist(SUPERVISOR).whole == 0


def test_apply_online_is_off_at_first(desk: Desk) -> None:
    customer = Actor(reference="person:9", role=Role.CUSTOMER, customer=1)
    with pytest.raises(RuleError, match="not taken"):
        desk.cases.open(customer, {"supply_point": POINTS[0]})
    case = drafted(desk, way="online")
    assert rule_of(refusal(desk, Event.SUBMIT, case.id)) == "apply.online"


def test_apply_office_goes_by_who_supplies(desk: Desk) -> None:
    assert brought_to(desk, State.SUBMITTED, POINTS[0]).office == NORTH
    assert brought_to(desk, State.SUBMITTED, POINTS[-1]).office == SOUTH
    other = brought_to(desk, State.SUBMITTED, POINTS[1], supply="other", retailer="あおぞら電力")
    assert other.office == CENTRE


def test_apply_office_of_self_supply_has_no_silent_default(desk: Desk) -> None:
    case = drafted(desk, supply="self")
    error = refusal(desk, Event.SUBMIT, case.id)
    assert "self_supply_office" in error.text("ja")


def test_eligible_supplied(desk: Desk) -> None:
    case = brought_to(desk, State.CHECKING)
    error = refusal(desk, Event.ACCEPT, case.id, in_area="no", installable="yes")
    assert rule_of(error) == "eligible.supplied"
    ended = brought_to(desk, State.CHECKING, ENDED_POINT)
    error = refusal(desk, Event.ACCEPT, ended.id, in_area="yes", installable="yes")
    assert rule_of(error) == "eligible.supplied"


def test_eligible_installable(desk: Desk) -> None:
    case = brought_to(desk, State.CHECKING)
    error = refusal(desk, Event.ACCEPT, case.id, in_area="yes", installable="no")
    assert rule_of(error) == "eligible.installable"


def test_eligible_ems(desk: Desk) -> None:
    case = brought_to(desk, State.CHECKING, ems_installed="no")
    error = refusal(desk, Event.ACCEPT, case.id, in_area="yes", installable="yes")
    assert rule_of(error) == "eligible.ems"


@pytest.mark.parametrize("certificate", ["", "SMA-9999"])
def test_warn_sma_is_a_warning_and_no_refusal(desk: Desk, certificate: str) -> None:
    case = brought_to(desk, State.CHECKING, ems_certificate=certificate)
    given = {"in_area": "yes", "installable": "yes"}
    assert rule_of(refusal(desk, Event.ACCEPT, case.id, **given)) == "warn.sma"
    refused = refusal(desk, Event.REFUSE, case.id, SUPERVISOR, rule="warn.sma", reason="認証なし")
    assert rule_of(refused) == "refuse.because"
    desk.cases.act(COUNTER, case.id, Event.CONFIRM_WARNING, {"warning_told": "yes"})
    assert desk.cases.act(COUNTER, case.id, Event.ACCEPT, given).state is State.ACCEPTED


def test_works_surveyed_and_outage_agreed(desk: Desk) -> None:
    case = brought_to(desk, State.SURVEY)
    planned = {"works_on": "2026-07-10"}
    assert rule_of(refusal(desk, Event.PLAN_WORKS, case.id, **planned)) == "works.surveyed"
    given = {
        "surveyed_on": "2026-07-01",
        "meter_supported": "no",
        "outage_needed": "yes",
        "installable": "yes",
    }
    desk.cases.act(WORKS, case.id, Event.RECORD_SURVEY, given)
    assert rule_of(refusal(desk, Event.PLAN_WORKS, case.id, **planned)) == "works.outage_agreed"
    agreed = planned | {"outage_agreed_on": "2026-07-01", "outage_window": "14:00–14:30"}
    case = desk.cases.act(COUNTER, case.id, Event.PLAN_WORKS, agreed)
    kinds = {one.kind: one for one in desk.lists.works(COUNTER, case.id)}
    assert kinds[WorksKind.METER_REPLACEMENT].outage == "14:00–14:30"
    done = {"worked_on": "2026-07-01", "terminal_type": TERMINAL, "terminal_serial": "1", "outage_done": "no"}
    assert rule_of(refusal(desk, Event.RECORD_WORKS, case.id, WORKS, **done)) == "works.meter_replaced"
    done |= {"meter_type": METER, "meter_serial": "28A0001"}
    assert desk.cases.act(WORKS, case.id, Event.RECORD_WORKS, done).state is State.WORKS_DONE


def test_works_supported(desk: Desk) -> None:
    case = brought_to(desk, State.WORKS_PLANNED)
    given = {"worked_on": "2026-07-01", "terminal_type": "T-99", "terminal_serial": "1", "outage_done": "no"}
    assert rule_of(refusal(desk, Event.RECORD_WORKS, case.id, WORKS, **given)) == "works.supported"


def test_check_evidence_and_start_checked(desk: Desk) -> None:
    case = desk.cases.act(WORKS, brought_to(desk, State.WORKS_DONE).id, Event.BEGIN_CONNECTION)
    assert rule_of(refusal(desk, Event.START, case.id)) == "start.checked"
    found = {"check_terminal": "yes", "check_meter": "yes", "check_values": "no", "check_way": "hand"}
    assert rule_of(refusal(desk, Event.RECORD_CHECK, case.id, WORKS, **found)) == "check.evidence"
    case = desk.cases.act(WORKS, case.id, Event.RECORD_CHECK, found | {"evidence": "表示灯は緑"})
    step = next(step for step in desk.cases.steps(COUNTER, case) if step.event is Event.START)
    blocked = desk.cases.blocked(COUNTER, case, step)
    assert blocked is not None
    assert "最初の値" in blocked.ja
    assert rule_of(refusal(desk, Event.START, case.id)) == "start.checked"


def test_suspend_meter_resumes_by_itself(desk: Desk) -> None:
    case = brought_to(desk, State.SUSPENDED)
    assert rule_of(refusal(desk, Event.RESUME, case.id)) == "suspend.other"
    new = {"worked_on": "2026-07-01", "meter_serial": "28A0002", "meter_type": METER}
    assert desk.cases.act(WORKS, case.id, Event.METER_REPLACED, new).state is State.IN_SERVICE


def test_suspend_for_other_works_is_resumed_by_hand(desk: Desk) -> None:
    case = brought_to(desk, State.IN_SERVICE)
    given = {"suspend_reason": "fault", "resume_planned_on": "2026-07-20"}
    case = desk.cases.act(COUNTER, case.id, Event.SUSPEND, given)
    new = {"worked_on": "2026-07-01", "meter_serial": "28A0002", "meter_type": METER}
    assert rule_of(refusal(desk, Event.METER_REPLACED, case.id, WORKS, **new)) == "suspend.meter"
    assert desk.cases.act(COUNTER, case.id, Event.RESUME).state is State.IN_SERVICE


def test_a_change_of_retailer_moves_the_office_and_ends_nothing(desk: Desk) -> None:
    case = brought_to(desk, State.IN_SERVICE)
    assert rule_of(refusal(desk, Event.CHANGE_RETAILER, case.id, supply="other")) == "change.retailer"
    moved = desk.cases.act(
        COUNTER, case.id, Event.CHANGE_RETAILER, {"supply": "other", "retailer": "あおぞら電力"}
    )
    assert (moved.state, moved.office) == (State.IN_SERVICE, CENTRE)


def test_a_change_of_name_ends_nothing_and_keeps_the_old_one_in_history(desk: Desk) -> None:
    case = brought_to(desk, State.IN_SERVICE)
    new = {"customer_name": "みどり食品 株式会社", "organisation": "yes"}
    assert desk.cases.act(COUNTER, case.id, Event.CHANGE_NAME, new).state is State.IN_SERVICE
    assert desk.cases.person(COUNTER, case.id)["customer_name"] == "みどり食品 株式会社"
    assert [line.case.id for line in desk.lists.search(COUNTER, "みどり食品")] == [case.id]
    assert desk.lists.search(COUNTER, "青葉食品") == []
    filled = desk.cases.history(COUNTER, case.id)[1]
    assert desk.cases.text(COUNTER, filled, "customer_name") == APPLICATION["customer_name"]


def test_an_ended_contract_ends_the_service_without_a_form(desk: Desk) -> None:
    live = brought_to(desk, State.IN_SERVICE)
    with desk.database.writing() as connection:
        connection.exec_driver_sql(
            f"UPDATE desk_supply_point SET contract_ended_on = '2026-06-30' WHERE number = '{POINTS[0]}'"
        )
    assert [one.id for one in desk.chores.end_with_contracts()] == [live.id]
    ended = desk.cases.get(SYSTEM, live.id)
    assert (ended.state, ended.fact("contract_ended_on")) == (State.ENDED, "2026-06-30")
    assert desk.chores.end_with_contracts() == []


def test_corrections_are_events_and_only_of_what_was_recorded(desk: Desk) -> None:
    case = brought_to(desk, State.IN_SERVICE)
    error = refusal(desk, Event.CORRECT, case.id, SUPERVISOR, reason="写し間違い", meter_serial="28A0009")
    assert rule_of(error) == "correct.recorded"
    given = {"reason": "写し間違い", "terminal_serial": "T20088"}
    corrected = desk.cases.act(SUPERVISOR, case.id, Event.CORRECT, given)
    assert (corrected.fact("terminal_serial"), corrected.state) == ("T20088", State.IN_SERVICE)
    values = [entry.detail.get("terminal_serial") for entry in desk.cases.history(COUNTER, case.id)]
    assert [value for value in values if value] == ["T20087", "T20088"]


@pytest.mark.parametrize(
    "state", [State.SUBMITTED, State.SURVEY, State.WORKS_PLANNED, State.CONNECTION_CHECK]
)
def test_a_mistaken_end_goes_back_to_where_it_was(desk: Desk, state: State) -> None:
    case = brought_to(desk, state)
    ended = desk.cases.act(COUNTER, case.id, Event.WITHDRAW)
    assert ended.state is State.ENDED
    assert desk.cases.act(SUPERVISOR, case.id, Event.REOPEN, {"reason": "取り違え"}).state is state


def test_an_end_that_was_asked_for_by_mistake_is_taken_back(desk: Desk) -> None:
    case = brought_to(desk, State.ENDING)
    ended = desk.cases.act(WORKS, case.id, Event.CABLE_REMOVED, {"cable_removed_on": "2026-07-01"})
    again = desk.cases.act(SUPERVISOR, ended.id, Event.REOPEN, {"reason": "別の端末だった"})
    assert again.state is State.ENDING
    back = desk.cases.act(COUNTER, again.id, Event.CANCEL_END, {"reason": "お客さまの申し出"})
    assert back.state is State.IN_SERVICE


# --- deadlines ------------------------------------------------------------------------------------------


def test_deadlines_are_business_days_and_extended_with_a_reason(desk: Desk, clock: ManualClock) -> None:
    case = brought_to(desk, State.SUBMITTED)
    assert str(case.due_on) == "2026-07-03"
    error = refusal(desk, Event.EXTEND, case.id, reason="x", due_on="")
    assert isinstance(error, InputError)
    assert set(error.by_field) == {"due_on"}
    later = desk.cases.act(COUNTER, case.id, Event.EXTEND, {"due_on": "2026-07-21", "reason": "休業"})
    assert str(later.due_on) == "2026-07-21"
    assert desk.chores.remind() == []
    clock.advance(timedelta(days=16))  # the 17th, a Friday; the 20th is Marine Day
    assert [one.id for one in desk.chores.remind()] == [case.id]
    assert desk.chores.remind() == [], "once for each deadline"
    assert kept(desk, case.id)[-1] is Event.REMIND
    late = desk.cases.act(COUNTER, case.id, Event.EXTEND, {"due_on": "2026-07-18", "reason": "再度"})
    clock.advance(timedelta(days=10))
    assert [one.id for one in desk.chores.remind()] == [late.id], "a deadline that has passed, too"


def test_a_planned_day_is_the_deadline(desk: Desk) -> None:
    assert str(brought_to(desk, State.WORKS_PLANNED).due_on) == "2026-07-10"


def test_no_deadline_while_in_service(desk: Desk) -> None:
    assert brought_to(desk, State.IN_SERVICE).due_on is None


# --- bad input ------------------------------------------------------------------------------------------


def test_every_wrong_field_gets_its_sentence_and_nothing_is_kept(desk: Desk) -> None:
    wrong = {
        "supply_point": "07-12",
        "email": "no",
        "phone": "x",
        "received_on": "2026-13-01",
        "supply": "moon",
    }
    with pytest.raises(InputError) as caught:
        desk.cases.open(COUNTER, APPLICATION | wrong)
    assert set(caught.value.by_field) == set(wrong)
    assert all(words.ja and words.en for words in caught.value.by_field.values())
    assert desk.lists.worklist(SUPERVISOR).whole == 0


@pytest.mark.parametrize(("given", "field"), [({"survey_on": "2026-06-30"}, "survey_on"), ({}, "survey_on")])
def test_a_day_in_the_past_or_none_is_refused(desk: Desk, given: dict[str, str], field: str) -> None:
    case = brought_to(desk, State.ACCEPTED)
    error = refusal(desk, Event.PLAN_SURVEY, case.id, **given)
    assert isinstance(error, InputError)
    assert set(error.by_field) == {field}


def test_a_field_that_does_not_belong_there_is_refused(desk: Desk) -> None:
    case = brought_to(desk, State.SUBMITTED)
    assert isinstance(refusal(desk, Event.BEGIN_CHECK, case.id, works_on="2026-07-10"), InputError)


@pytest.mark.parametrize(
    "name", ["𠮷野家 株式会社", "葛󠄀城 太郎", "髙﨑 花子", "①商店", "㈱あおば", "ヴァイツェン商会"]
)
def test_rare_kanji_are_kept_as_they_were_written(desk: Desk, name: str) -> None:
    case = drafted(desk, customer_name=name)
    assert desk.cases.person(COUNTER, case.id)["customer_name"] == name


@pytest.mark.parametrize("name", ["\ud842", "a\x00b", "右\u202e左", "\ue000"])
def test_what_no_machine_can_show_alike_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(InputError) as caught:
        drafted(desk, customer_name=name)
    assert set(caught.value.by_field) == {"customer_name"}


def test_a_step_from_elsewhere_says_what_can_be_done(desk: Desk) -> None:
    case = brought_to(desk, State.SUBMITTED)
    error = refusal(desk, Event.START, case.id)
    assert isinstance(error, NoStepError)
    assert "審査を始める" in error.text("ja")


def test_a_case_that_does_not_exist(desk: Desk) -> None:
    with pytest.raises(UnknownError):
        desk.cases.find(COUNTER, "HB-2026-99999")
    with pytest.raises(UnknownError):
        desk.cases.act(COUNTER, 99, Event.NOTE, {"note": "x"})


# --- finding --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["HB-2026-00001", "hb-2026-00001", "0001", "青葉", "あおば", "アオバショク", "小林 花", "みどり 2"],
)
def test_a_case_is_found_by_what_people_know(desk: Desk, text: str) -> None:
    case = brought_to(desk, State.SUBMITTED)
    brought_to(
        desk,
        State.SUBMITTED,
        POINTS[1],
        customer_name="別会社",
        customer_kana="ベツ",
        contact_name="佐藤",
        address="西町 1",
    )
    found = desk.lists.search(COUNTER, text)
    assert case.id in [line.case.id for line in found]
    assert all("青葉食品" not in line.name for line in found)


def test_two_desks_with_another_key_do_not_read_each_other(tmp_path: Path, clock: ManualClock) -> None:
    open_desk(tmp_path / "desk.db", clock).close()
    with pytest.raises(DeskError, match="does not belong"):
        Desk.open(tmp_path / "desk.db", settings=SETTINGS, clock=clock, key=bytes(32))
