"""What an answer brings about: the letter to the customer of a case; and which acts are open to whom."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from desk_help import customer_of, erase, put_case
from desk_site import AUDITOR, COUNTER, NORTH, POINTS, SOUTH, SUPERVISOR, WORKS, brought_to
from sqlalchemy import select

from koatsu.clock import ManualClock
from koatsu.desk import SYSTEM, Actor, Case, Desk, Event, ForbiddenError, NoStepError, State, UnknownError
from koatsu.desk import cases as cases_module
from koatsu.desk.enquiry_rows import TABLE, Enquiry, EnquiryState, Step
from koatsu.desk.faq import faq
from koatsu.desk.letters import NoticeKind, letter
from koatsu.desk.schema_cases import event
from koatsu.desk.standing import Standing
from paper import squeezed, text_of

ANSWER = "端末の登録を直しました。\n\nあす 10 時から届きます。"


def asked(desk: Desk, case: Case | None = None, **more: str) -> Enquiry:
    given = {"topic": "no_data", "text": "届きません", "contact": "小林 092-000-0001", **more}
    return desk.enquiries.open(COUNTER, case_id=case.id if case else None, office=NORTH, **given)


# --- the letter -----------------------------------------------------------------------------------------


def test_the_customer_of_a_case_gets_the_answer_as_a_letter(either: Desk) -> None:
    case = brought_to(either, State.IN_SERVICE)
    one = asked(either, case)
    before = len(either.notices.of_case(COUNTER, case.id))
    either.enquiries.answer(COUNTER, one.number, ANSWER, seen=1)
    due, *others = either.notices.of_case(COUNTER, case.id)
    assert len(others) == before
    assert (due.kind, due.office, due.printed_at) == (NoticeKind.ENQUIRY_ANSWERED, NORTH, None)
    content = either.notices.content_of(COUNTER, due.id)
    question = faq().question("no_data")
    assert question is not None
    for text in (letter(due.kind, content).body, text_of(letter(due.kind, content).pdf())):
        read = squeezed(text)
        assert one.number in read
        assert "端末の登録を直しました。" in read
        assert squeezed("あす 10 時から届きます。") in read
        assert squeezed(question.question.ja) in read
    assert content.details["answer"] == ANSWER
    noted = either.cases.history(SYSTEM, case.id)[-1]
    assert (noted.event, noted.author, noted.after) == (Event.NOTIFY, "system", State.IN_SERVICE)


def test_each_answer_has_a_letter_of_its_own(desk: Desk, clock: ManualClock) -> None:
    case = brought_to(desk, State.IN_SERVICE)
    one = asked(desk, case, topic="")
    desk.enquiries.answer(COUNTER, one.number, "はじめの答え", seen=1)
    clock.advance(timedelta(hours=1))
    desk.enquiries.answer(COUNTER, one.number, "よりよい答え", seen=2)
    newer, older = desk.notices.of_case(COUNTER, case.id)[:2]
    told = [desk.notices.content_of(COUNTER, due.id).details for due in (newer, older)]
    assert [details["answer"] for details in told] == ["よりよい答え", "はじめの答え"]
    assert all("question" not in details for details in told)


def test_the_answer_stands_under_the_key_and_never_in_the_chain(desk: Desk) -> None:
    case = brought_to(desk, State.IN_SERVICE)
    desk.enquiries.answer(COUNTER, asked(desk, case).number, ANSWER, seen=1)
    noted = desk.cases.history(SYSTEM, case.id)[-1]
    assert noted.detail["answer"].startswith("text:")
    assert desk.cases.text(COUNTER, noted, "answer") == ANSWER
    with desk.database.reading() as connection:
        chain = "".join(connection.execute(select(event.c.detail)).scalars())
    assert "端末の登録" not in chain.encode().decode("unicode_escape")
    assert desk.cases.get(SYSTEM, case.id).facts.keys().isdisjoint({"answer", "enquiry_number", "notice"})
    erase(desk, case)
    assert desk.cases.text(COUNTER, noted, "answer") is None
    assert desk.cases.verify() is None


def test_nothing_is_sent_for_an_enquiry_without_a_case(desk: Desk) -> None:
    case = put_case(desk)
    own = desk.enquiries.open(customer_of(case), topic="no_data", text="届きません", office=NORTH)
    for number in (own.number, asked(desk).number):
        assert desk.enquiries.answer(COUNTER, number, ANSWER, seen=1).state is EnquiryState.ANSWERED
    assert desk.notices.list(SYSTEM) == []
    assert desk.cases.history(SYSTEM, case.id) == []


def test_answer_and_letter_stand_or_fall_together(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    case = brought_to(desk, State.IN_SERVICE)
    one = asked(desk, case)
    letters, entries = desk.notices.of_case(SYSTEM, case.id), desk.cases.history(SYSTEM, case.id)
    real = cases_module.tell_outside

    def torn(standing: Standing, entry: object) -> None:
        real(standing, entry)  # type: ignore[arg-type] # it is what it was called with
        raise OSError("the disk is gone")

    monkeypatch.setattr(cases_module, "tell_outside", torn)
    with pytest.raises(OSError, match="the disk is gone"):
        desk.enquiries.answer(COUNTER, one.number, ANSWER, seen=1)
    view = desk.enquiries.view(COUNTER, one.number)
    assert (view.enquiry, view.answer) == (one, None)
    assert desk.notices.of_case(SYSTEM, case.id) == letters
    assert desk.cases.history(SYSTEM, case.id) == entries


def test_an_answer_is_sent_whatever_has_become_of_the_case(desk: Desk) -> None:
    case = brought_to(desk, State.ENDED)
    desk.enquiries.answer(COUNTER, asked(desk, case).number, ANSWER, seen=1)
    assert desk.notices.of_case(COUNTER, case.id)[0].kind is NoticeKind.ENQUIRY_ANSWERED


# --- what is open to whom -------------------------------------------------------------------------------

ACTS = {
    Step.ASSIGNED: lambda desk, actor, one: desk.enquiries.assign(actor, one.number, "", seen=one.version),
    Step.MOVED: lambda desk, actor, one: desk.enquiries.move(actor, one.number, NORTH, seen=one.version),
    Step.EXTENDED: lambda desk, actor, one: desk.enquiries.extend(
        actor, one.number, date(2026, 8, 3), seen=one.version
    ),
    Step.ANSWERED: lambda desk, actor, one: desk.enquiries.answer(
        actor, one.number, "はい", seen=one.version
    ),
    Step.NOTED: lambda desk, actor, one: desk.enquiries.note(actor, one.number, "はい", seen=one.version),
    Step.REOPENED: lambda desk, actor, one: desk.enquiries.reopen(
        actor, one.number, "はい", seen=one.version
    ),
    Step.CLOSED: lambda desk, actor, one: desk.enquiries.close(actor, one.number, seen=one.version),
    Step.ERASED: lambda desk, actor, one: desk.enquiries.erase(actor, one.number, seen=one.version),
}


def in_state(desk: Desk, state: EnquiryState, case: Case | None) -> Enquiry:
    one = asked(desk, case)
    if state is EnquiryState.ANSWERED:
        return desk.enquiries.answer(COUNTER, one.number, "はい", seen=1)
    return desk.enquiries.close(COUNTER, one.number, seen=1) if state is EnquiryState.CLOSED else one


@pytest.mark.parametrize("actor", [COUNTER, WORKS, AUDITOR, SUPERVISOR], ids=lambda actor: str(actor.role))
@pytest.mark.parametrize("state", EnquiryState)
@pytest.mark.parametrize("about", ["nobody", "a case", "an erased one"])
def test_the_acts_that_are_offered_are_those_that_are_taken(
    desk: Desk, actor: Actor, state: EnquiryState, about: str
) -> None:
    """Each step, tried: what is offered succeeds, and what is not offered is refused."""
    assert ACTS.keys() | {Step.OPENED} == TABLE.keys() | {Step.OPENED}
    for step, act in ACTS.items():
        case = put_case(desk) if about == "a case" else None
        one = in_state(desk, state, case)
        if about == "an erased one":
            with desk.database.writing() as connection:
                desk.vault.erase(connection, one.subject, desk.clock.now())
        offered = desk.enquiries.acts(actor, desk.enquiries.view(actor, one.number))
        if step in offered:
            assert act(desk, actor, one).version == one.version + 1
        elif (step, about, state) == (Step.ERASED, "an erased one", EnquiryState.CLOSED):
            continue  # a second time does no harm, and is not offered
        else:
            with pytest.raises((ForbiddenError, NoStepError, UnknownError)):
                act(desk, actor, one)


def test_lists_know_how_long_they_are(desk: Desk) -> None:
    ones = [asked(desk) for _ in range(5)]
    desk.enquiries.move(COUNTER, ones[0].number, SOUTH, seen=1)
    desk.enquiries.assign(COUNTER, ones[1].number, COUNTER.reference, seen=1)
    desk.enquiries.close(COUNTER, ones[2].number, seen=1)
    enquiries = desk.enquiries
    assert (enquiries.how_many(SUPERVISOR), enquiries.how_many(COUNTER)) == (4, 3)
    assert enquiries.how_many(SUPERVISOR, office=SOUTH) == 1
    assert enquiries.how_many(COUNTER, owner=COUNTER.reference) == 1
    assert enquiries.how_many(COUNTER, owner="") == 2
    assert enquiries.how_many(COUNTER, states=EnquiryState) == 4
    assert enquiries.how_many(COUNTER, due_until=date(2026, 7, 7)) == 0
    every = enquiries.listing(COUNTER)
    assert enquiries.listing(COUNTER, offset=1, limit=1) == every[1:2]


def test_an_answer_for_an_erased_customer_is_refused_as_a_whole(desk: Desk) -> None:
    case = put_case(desk, point=POINTS[1])
    one = asked(desk, case)
    erase(desk, case)
    assert desk.enquiries.acts(COUNTER, desk.enquiries.view(COUNTER, one.number)) == {
        Step.ASSIGNED, Step.MOVED, Step.EXTENDED, Step.CLOSED,
    }  # fmt: skip
    closed = desk.enquiries.close(COUNTER, one.number, seen=1)
    with pytest.raises(NoStepError):
        desk.enquiries.erase(SUPERVISOR, closed.number, seen=2)
