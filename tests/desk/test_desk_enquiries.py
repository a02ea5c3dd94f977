"""Enquiries: a number, an office, an owner, a due date, an answer; nothing lost, nothing written over."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from desk_help import RARE, customer_of, erase, put_case
from desk_site import AUDITOR, COUNTER, NORTH, SETTINGS, SOUTH, STRANGER, SUPERVISOR, WORKS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from koatsu.clock import ManualClock
from koatsu.desk import (
    SYSTEM,
    Actor,
    ChangedMeanwhileError,
    Desk,
    ForbiddenError,
    InputError,
    NoStepError,
    UnknownError,
)
from koatsu.desk.enquiry_intake import LONGEST_TEXT, said_text
from koatsu.desk.enquiry_rows import TABLE, Enquiry, EnquiryState, Step
from koatsu.desk.faq import faq
from koatsu.desk.schema_help import enquiry, enquiry_step
from koatsu.people import Role

TEXT = "データが届きません。\r\n\r\n  ケーブルは差してあります。\t確認しました。  \n"
KEPT = "データが届きません。\n\n  ケーブルは差してあります。    確認しました。"
CONTACT = "小林 092-000-0001"


def asked(desk: Desk, actor: Actor = SYSTEM, **more: object) -> Enquiry:
    given_ = {"topic": "no_data", "text": TEXT, "contact": CONTACT, "office": NORTH, **more}
    return desk.enquiries.open(actor, **given_)  # type: ignore[arg-type] # each test gives what it means


# --- coming in ------------------------------------------------------------------------------------------


def test_an_enquiry_from_its_question_to_its_end(either: Desk, clock: ManualClock) -> None:
    """Rule help.enquiry: number, office, owner, due date and answer."""
    enquiries = either.enquiries
    one = asked(either)
    assert (one.number, one.office, one.topic, one.owner) == ("EQ-2026-00001", NORTH, "no_data", "")
    assert (one.state, one.version, one.case) == (EnquiryState.OPEN, 1, None)
    assert one.due_on == date(2026, 7, 8)  # five business days after a Wednesday
    clock.advance(timedelta(hours=1))
    one = enquiries.assign(COUNTER, one.number, COUNTER.reference, seen=1)
    assert (one.owner, one.version) == (COUNTER.reference, 2)
    one = enquiries.note(COUNTER, one.number, "端末は動いている", seen=2)
    one = enquiries.answer(COUNTER, one.number, "EMS メーカーにご確認ください。", seen=3)
    assert one.state is EnquiryState.ANSWERED
    one = enquiries.reopen(SYSTEM, one.number, "メーカーは異常なしとのことです", seen=4)
    assert (one.state, one.due_on) == (EnquiryState.OPEN, date(2026, 7, 8))
    one = enquiries.answer(COUNTER, one.number, "当社でお調べします。", seen=5)
    one = enquiries.close(COUNTER, one.number, seen=6)
    view = enquiries.view(COUNTER, one.number)
    assert (view.text, view.contact, view.answer) == (KEPT, CONTACT, "当社でお調べします。")
    assert [(step.step, step.author) for step in view.steps] == [
        (Step.OPENED, "system"),
        (Step.ASSIGNED, "person:2"),
        (Step.NOTED, "person:2"),
        (Step.ANSWERED, "person:2"),
        (Step.REOPENED, "system"),
        (Step.ANSWERED, "person:2"),
        (Step.CLOSED, "person:2"),
    ]
    assert view.steps[0].at + timedelta(hours=1) == view.steps[1].at


def test_every_answer_of_the_help_can_be_asked_about(desk: Desk) -> None:
    """Rule help.enquiry, for each answer."""
    for question in faq().questions:
        assert asked(desk, topic=question.topic).topic == question.topic


def test_the_due_date_leaves_out_holidays_and_closed_days(desk: Desk, clock: ManualClock) -> None:
    clock.advance(timedelta(days=178))  # Saturday 26 December
    assert SETTINGS.enquiry_days == 5
    # Mon 28, then closed to 3 January (1 January is a holiday), Mon 4 to Thu 7
    assert asked(desk).due_on == date(2027, 1, 7)


def test_an_enquiry_about_a_case_goes_to_its_office_and_under_its_key(desk: Desk) -> None:
    case = put_case(desk)
    one = asked(desk, customer_of(case), case_id=case.id, office="", contact="")
    assert (one.office, one.subject, one.case) == (NORTH, case.customer, case.id)
    assert desk.enquiries.listing(COUNTER, case_id=case.id) == [one]


def test_a_visitor_gets_a_key_of_its_own(desk: Desk) -> None:
    assert asked(desk).subject != asked(desk).subject


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n\t "}, "text"),
        ({"text": "あ" * (LONGEST_TEXT + 1)}, "text"),
        ({"text": "名前\u202eの逆"}, "text"),
        ({"text": "外字\ue000"}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "\ud83d"}, "text"),
        ({"contact": ""}, "contact"),
        ({"contact": "0" * 201}, "contact"),
        ({"contact": "a\nb"}, "contact"),
        ({"topic": "weather"}, "topic"),
    ],
)
def test_what_cannot_be_taken_is_told_by_field_and_nothing_is_kept(
    desk: Desk, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(InputError) as refused:
        asked(desk, **changes)
    assert list(refused.value.by_field) == [field]
    assert refused.value.ja
    with desk.database.reading() as connection:
        assert connection.execute(select(enquiry)).first() is None
        assert connection.execute(select(enquiry_step)).first() is None


def test_everything_that_is_wrong_is_told_at_once(desk: Desk) -> None:
    with pytest.raises(InputError) as refused:
        asked(desk, text="", contact="")
    assert set(refused.value.by_field) == {"text", "contact"}


def test_an_office_or_a_case_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(UnknownError):
        asked(desk, office="east")
    case = put_case(desk)
    with pytest.raises(UnknownError):
        asked(desk, STRANGER, case_id=case.id)
    number = asked(desk).number
    assert number == "EQ-2026-00001"  # what was refused has used no number


# --- letter by letter -----------------------------------------------------------------------------------


def test_rare_kanji_come_back_as_they_were_written(either: Desk) -> None:
    one = asked(either, text=f"{RARE}です", contact=RARE)
    view = either.enquiries.view(COUNTER, one.number)
    assert view.text == f"{RARE}です"
    assert view.contact == RARE


#: Letters and signs that nobody sees, though Unicode counts them among letters and symbols.
FILLERS = "\u115f\u1160\u3164\ufffc\ufffd"
SEEN = st.characters(codec="utf-8", categories=["L", "N", "P", "S"], exclude_characters=FILLERS)


@given(st.text(SEEN, min_size=1, max_size=300))
def test_what_can_be_seen_is_kept_as_written(text: str) -> None:
    assert said_text(text) == text


@given(st.text(max_size=200))
def test_any_text_is_kept_or_refused(text: str) -> None:
    try:
        kept = said_text(text)
    except InputError:
        return
    assert kept == kept.strip()
    assert "\r" not in kept
    assert said_text(kept) == kept


def test_nothing_of_it_can_be_read_in_the_store(desk: Desk, tmp_path: Path) -> None:
    one = asked(desk, text="ひみつの用件", contact="小林花子")
    desk.enquiries.answer(COUNTER, one.number, "ひみつの返事", seen=1)
    desk.database.forget_erased()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("desk.db*"))
    for text in ("ひみつの用件", "小林花子", "ひみつの返事"):
        assert text.encode() not in stored


# --- lists ----------------------------------------------------------------------------------------------


def test_the_most_urgent_come_first_and_in_pages(desk: Desk, clock: ManualClock) -> None:
    first = [asked(desk) for _ in range(2)]
    clock.advance(timedelta(days=1))
    later = [asked(desk) for _ in range(2)]
    urgent = desk.enquiries.extend(COUNTER, later[1].number, date(2026, 7, 3), seen=1)
    order = [urgent, *first, later[0]]
    assert desk.enquiries.listing(COUNTER) == order
    page = desk.enquiries.listing(COUNTER, limit=2)
    assert page == order[:2]
    assert desk.enquiries.listing(COUNTER, limit=2, after=page[-1]) == order[2:]
    assert desk.enquiries.listing(COUNTER, due_until=date(2026, 7, 8)) == order[:3]
    assert desk.enquiries.counts(COUNTER) == {
        EnquiryState.OPEN: 4, EnquiryState.ANSWERED: 0, EnquiryState.CLOSED: 0,
    }  # fmt: skip


def test_lists_by_office_owner_and_state(desk: Desk) -> None:
    north, south = asked(desk), asked(desk, office=SOUTH)
    mine = desk.enquiries.assign(COUNTER, north.number, "person:2", seen=1)
    done = desk.enquiries.answer(STRANGER, south.number, "はい", seen=1)
    assert desk.enquiries.listing(SUPERVISOR) == [mine]
    assert desk.enquiries.listing(SUPERVISOR, owner="person:2") == [mine]
    assert desk.enquiries.listing(SUPERVISOR, owner="person:3") == []
    assert desk.enquiries.listing(SUPERVISOR, states=EnquiryState, office=SOUTH) == [done]
    assert desk.enquiries.listing(COUNTER, states=EnquiryState) == [mine]
    assert desk.enquiries.listing(STRANGER, states=EnquiryState) == [done]


def test_one_that_is_late(desk: Desk, clock: ManualClock) -> None:
    one = asked(desk)
    clock.set(clock.now() + timedelta(days=7))  # the due date itself
    assert desk.enquiries.late(COUNTER) == 0
    assert not one.late(date(2026, 7, 8))
    clock.advance(timedelta(days=1))
    assert desk.enquiries.late(COUNTER) == 1
    assert one.late(date(2026, 7, 9))
    assert desk.enquiries.late(STRANGER) == 0
    desk.enquiries.answer(COUNTER, one.number, "お待たせしました", seen=1)
    assert desk.enquiries.late(COUNTER) == 0


def test_one_of_no_office_is_seen_by_every_office(desk: Desk) -> None:
    one = asked(desk, office="")
    moved = desk.enquiries.move(STRANGER, one.number, NORTH, seen=1)
    assert (moved.office, moved.owner) == (NORTH, "")
    with pytest.raises(UnknownError):
        desk.enquiries.view(STRANGER, one.number)
    with pytest.raises(UnknownError):
        desk.enquiries.move(COUNTER, one.number, "east", seen=2)


# --- who may --------------------------------------------------------------------------------------------

ACTS: dict[str, Callable[[Desk, Actor, Enquiry], object]] = {
    "assign": lambda desk, actor, one: desk.enquiries.assign(actor, one.number, "person:2", seen=1),
    "move": lambda desk, actor, one: desk.enquiries.move(actor, one.number, SOUTH, seen=1),
    "extend": lambda desk, actor, one: desk.enquiries.extend(actor, one.number, date(2026, 8, 3), seen=1),
    "answer": lambda desk, actor, one: desk.enquiries.answer(actor, one.number, "はい", seen=1),
    "note": lambda desk, actor, one: desk.enquiries.note(actor, one.number, "メモ", seen=1),
    "close": lambda desk, actor, one: desk.enquiries.close(actor, one.number, seen=1),
}
NOBODY = Actor(reference="person:30", role=Role.CUSTOMER)
VIEWER = Actor(reference="person:31", role=Role.VIEWER)


@pytest.mark.parametrize("name", ACTS)
def test_who_may_act(desk: Desk, name: str) -> None:
    case = put_case(desk)
    owner = customer_of(case)
    one = asked(desk, owner, case_id=case.id)
    act = ACTS[name]
    for actor in (WORKS, AUDITOR, *(() if name == "close" else (owner,))):
        with pytest.raises(ForbiddenError):
            act(desk, actor, one)
    for actor in (STRANGER, NOBODY, VIEWER):
        with pytest.raises(UnknownError):
            act(desk, actor, one)
    act(desk, SUPERVISOR, one)
    assert desk.enquiries.view(SUPERVISOR, one.number).enquiry.version == 2


def test_a_customer_sees_own_enquiries_and_no_notes(desk: Desk) -> None:
    case, other = put_case(desk), put_case(desk)
    owner = customer_of(case)
    one = asked(desk, owner, office="")
    assert one.office == ""
    asked(desk, customer_of(other))
    asked(desk)
    desk.enquiries.note(COUNTER, one.number, "怒っている", seen=1)
    assert [found.number for found in desk.enquiries.listing(owner)] == [one.number]
    assert [step.step for step in desk.enquiries.view(owner, one.number).steps] == [Step.OPENED]
    assert desk.enquiries.listing(NOBODY) == []
    answered = desk.enquiries.answer(COUNTER, one.number, "はい", seen=2)
    again = desk.enquiries.reopen(owner, one.number, "まだです", seen=answered.version)
    assert desk.enquiries.close(owner, one.number, seen=again.version).state is EnquiryState.CLOSED


@pytest.mark.parametrize("typed", ["", "EQ", "EQ-2026-00002", "EQ-2026-x", "%", "EQ-2026-00001 OR 1=1"])
def test_a_number_that_is_none(desk: Desk, typed: str) -> None:
    asked(desk)
    with pytest.raises(UnknownError):
        desk.enquiries.view(SUPERVISOR, typed)


@pytest.mark.parametrize("typed", ["eq-2026-1", " EQ-2026-00001 ", "EQ-2026-00001"])
def test_a_number_as_people_type_it(desk: Desk, typed: str) -> None:
    assert asked(desk) == desk.enquiries.view(SUPERVISOR, typed).enquiry


# --- at the same time -----------------------------------------------------------------------------------


def test_a_stale_answer_is_refused_with_who_and_when(desk: Desk, clock: ManualClock) -> None:
    one = asked(desk)
    clock.advance(timedelta(minutes=7))
    desk.enquiries.answer(SUPERVISOR, one.number, "先の回答", seen=one.version)
    clock.advance(timedelta(minutes=7))
    with pytest.raises(ChangedMeanwhileError, match=r"EQ-2026-00001 .* person:4 at 09:07") as refused:
        desk.enquiries.answer(COUNTER, one.number, "後の回答", seen=one.version)
    assert refused.value.by == SUPERVISOR.reference
    assert "person:4 が 09:07 に変更" in (refused.value.ja or "")
    view = desk.enquiries.view(COUNTER, one.number)
    assert view.answer == "先の回答"
    assert len(view.steps) == 2


def test_of_many_at_once_one_is_taken(either: Desk) -> None:
    one = asked(either)
    taken: list[str] = []
    refused: list[str] = []

    def answer(number: int) -> None:
        try:
            either.enquiries.answer(SUPERVISOR, one.number, f"回答 {number}", seen=1)
            taken.append(f"回答 {number}")
        except ChangedMeanwhileError:
            refused.append(f"回答 {number}")

    threads = [threading.Thread(target=answer, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(refused)) == (1, 5)
    assert either.enquiries.view(COUNTER, one.number).answer == taken[0]


def test_numbers_are_given_once(either: Desk) -> None:
    numbers: list[str] = []
    threads = [threading.Thread(target=lambda: numbers.append(asked(either).number)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == [f"EQ-2026-{number:05}" for number in range(1, 7)]


# --- the table of steps ---------------------------------------------------------------------------------


def test_no_state_is_without_a_way_on() -> None:
    for state in EnquiryState:
        ways = {after for before, after in TABLE.values() if state in before and after not in (None, state)}
        assert ways, state


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from(["answer", "note", "close", "reopen", "assign", "extend"]), max_size=8))
def test_random_steps_keep_the_table_and_lose_nothing(desk: Desk, names: list[str]) -> None:
    """One desk for all of them: each walks an enquiry of its own."""
    steps = {
        "answer": Step.ANSWERED, "note": Step.NOTED, "close": Step.CLOSED, "reopen": Step.REOPENED,
        "assign": Step.ASSIGNED, "extend": Step.EXTENDED,
    }  # fmt: skip
    arguments = {"close": (), "assign": ("person:2",), "extend": (date(2026, 9, 1),)}
    one = asked(desk)
    done = 1
    for name in names:
        act = getattr(desk.enquiries, name)
        before, leads_to = TABLE[steps[name]]
        if one.state not in before:
            with pytest.raises(NoStepError):
                act(SUPERVISOR, one.number, *arguments.get(name, ("はい",)), seen=one.version)
            continue
        after = act(SUPERVISOR, one.number, *arguments.get(name, ("はい",)), seen=one.version)
        done += 1
        assert after.state is (leads_to or one.state)
        assert after.version == done
        one = after
    assert len(desk.enquiries.view(SUPERVISOR, one.number).steps) == done


def test_a_due_date_that_is_past(desk: Desk) -> None:
    one = asked(desk)
    with pytest.raises(InputError, match="past"):
        desk.enquiries.extend(COUNTER, one.number, date(2026, 6, 30), seen=1)
    assert desk.enquiries.extend(COUNTER, one.number, date(2026, 7, 1), seen=1).due_on == date(2026, 7, 1)


# --- erasing --------------------------------------------------------------------------------------------


def test_erasing_a_customer_leaves_rows_that_nobody_can_read(either: Desk) -> None:
    case = put_case(either)
    one = asked(either, COUNTER, case_id=case.id)
    one = either.enquiries.answer(COUNTER, one.number, "はい", seen=1)
    erase(either, case)
    view = either.enquiries.view(COUNTER, one.number)
    assert (view.text, view.contact, view.answer) == (None, None, None)
    assert [(step.step, step.erased) for step in view.steps] == [(Step.OPENED, True), (Step.ANSWERED, True)]
    assert view.enquiry == one
    with pytest.raises(UnknownError):  # nothing new is written of somebody who is gone
        either.enquiries.answer(COUNTER, one.number, "もう一度", seen=2)
    assert either.enquiries.close(COUNTER, one.number, seen=2).state is EnquiryState.CLOSED


def test_erasing_the_enquiry_of_a_visitor(desk: Desk) -> None:
    one, other = asked(desk), asked(desk)
    with pytest.raises(NoStepError):  # it is not closed
        desk.enquiries.erase(SUPERVISOR, one.number, seen=1)
    desk.enquiries.close(COUNTER, one.number, seen=1)
    with pytest.raises(ForbiddenError):
        desk.enquiries.erase(COUNTER, one.number, seen=2)
    erased = desk.enquiries.erase(SUPERVISOR, one.number, seen=2)
    assert erased.number == one.number
    assert desk.enquiries.view(COUNTER, one.number).text is None
    assert desk.enquiries.view(COUNTER, other.number).text == KEPT


def test_an_enquiry_does_not_erase_a_customer(desk: Desk) -> None:
    case = put_case(desk)
    one = asked(desk, customer_of(case))
    desk.enquiries.close(COUNTER, one.number, seen=1)
    with pytest.raises(NoStepError):
        desk.enquiries.erase(SUPERVISOR, one.number, seen=2)
    assert desk.enquiries.view(COUNTER, one.number).text == KEPT
