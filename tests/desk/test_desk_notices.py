"""Notices: every letter of the life of a case says what was so at its step, and printing it is noted."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from desk_help import erase
from desk_site import (
    APPLICATION,
    AUDITOR,
    CENTRE,
    COUNTER,
    METER,
    NORTH,
    POINTS,
    STRANGER,
    SUPERVISOR,
    TERMINAL,
    WORKS,
    brought_to,
    drafted,
)
from sqlalchemy import select

from koatsu.clock import JST, ManualClock
from koatsu.desk import (
    SYSTEM,
    Case,
    Desk,
    Event,
    ForbiddenError,
    State,
    UnknownError,
)
from koatsu.desk.data_items import NOT_OWN
from koatsu.desk.eligibility import RULES
from koatsu.desk.fields import FIELDS
from koatsu.desk.letters import LetterContent, NoticeKind, letter
from koatsu.desk.lifecycle import STEPS
from koatsu.desk.notices import DueLetter
from koatsu.desk.schema_cases import notice
from koatsu.render import MissingGlyphError
from paper import squeezed, text_of


def newest(desk: Desk, case: Case) -> DueLetter:
    return desk.notices.of_case(SYSTEM, case.id)[0]


def told(desk: Desk, case: Case) -> LetterContent:
    """What the newest letter of a case tells; and that it can be written in both languages, as it should."""
    one = newest(desk, case)
    content = desk.notices.content_of(SYSTEM, one.id)
    for part in (letter(one.kind, content).body, letter(one.kind, content).pdf()):
        assert part
    return content


# --- what they tell -------------------------------------------------------------------------------------


def test_every_step_with_a_letter_has_one_that_can_be_written(either: Desk) -> None:
    """The whole way and its sides: each kind of letter that the table of the life cycle names is written."""
    case = brought_to(either, State.IN_SERVICE)
    reason = {"suspend_reason": "meter_replacement", "resume_planned_on": "2026-07-20"}
    either.cases.act(COUNTER, case.id, Event.SUSPEND, reason)
    meter = {"worked_on": "2026-07-01", "meter_serial": "M-2", "meter_type": METER}
    either.cases.act(WORKS, case.id, Event.METER_REPLACED, meter)
    either.cases.act(COUNTER, case.id, Event.CHANGE_RETAILER, {"supply": "utility"})
    either.cases.act(COUNTER, case.id, Event.ASK_END, {"way": "post", "received_on": "2026-07-01"})
    either.cases.act(WORKS, case.id, Event.CABLE_REMOVED, {"cable_removed_on": "2026-07-01"})
    for point, state in ((POINTS[1], State.RETURNED), (POINTS[2], State.REFUSED)):
        brought_to(either, state, point)
    checked = brought_to(either, State.WORKS_PLANNED, POINTS[3])
    done = {
        "worked_on": "2026-07-01",
        "terminal_type": TERMINAL,
        "terminal_serial": "T3",
        "outage_done": "no",
    }
    for event, given in ((Event.RECORD_WORKS, done), (Event.BEGIN_CONNECTION, {})):
        either.cases.act(WORKS, checked.id, event, given)
    either.cases.act(
        COUNTER, checked.id, Event.BACK_TO_WORKS, {"works_on": "2026-07-20", "reason": "端末が点きません"}
    )
    ended = brought_to(either, State.ACCEPTED, POINTS[4])
    either.cases.act(COUNTER, ended.id, Event.CONTRACT_ENDED, {"contract_ended_on": "2026-06-30"})
    either.cases.act(COUNTER, drafted(either, POINTS[5]).id, Event.WITHDRAW, {"reason": "見合わせ"})
    letters = either.notices.list(SYSTEM)
    assert {one.kind.value for one in letters} == {step.notice for step in STEPS if step.notice}
    for one in letters:
        made = letter(one.kind, either.notices.content_of(SYSTEM, one.id))
        assert one.number in made.subject + made.body
        assert one.words.ja in made.subject
        assert "青葉食品 株式会社" in made.body


def test_a_letter_says_to_whom_from_whom_and_about_what(desk: Desk) -> None:
    content = told(desk, brought_to(desk, State.ACCEPTED))
    assert (content.customer_name, content.contact_name) == ("青葉食品 株式会社", "小林 花子")
    assert (content.office.code, content.case_number) == (NORTH, "HB-2026-00001")
    assert (content.supply_point, content.place) == (POINTS[0], "北市みどり 1")
    assert (content.address, content.language, content.made_on) == (
        APPLICATION["address"],
        "ja",
        date(2026, 7, 1),
    )
    assert content.details["in_area"] == "yes"


def test_who_gave_no_address_is_written_to_where_the_supply_point_is(desk: Desk) -> None:
    content = told(desk, brought_to(desk, State.ACCEPTED, address=""))
    assert (content.postal_code, content.address) == ("8120011", "北市みどり 1")


def test_a_letter_that_is_written_late_says_what_was_so_at_its_step(desk: Desk, clock: ManualClock) -> None:
    case = brought_to(desk, State.SURVEY)
    first = newest(desk, case)
    clock.advance(timedelta(days=1))
    desk.cases.act(COUNTER, case.id, Event.PLAN_SURVEY, {"survey_on": "2026-07-09", "survey_window": "13:00"})
    again = newest(desk, case)
    assert (first.kind, again.kind) == (NoticeKind.SURVEY_PLANNED, NoticeKind.SURVEY_PLANNED)
    old, new = (desk.notices.content_of(SYSTEM, one.id).details for one in (first, again))
    assert old["survey_on"] == "2026-07-03"
    assert "survey_window" not in old, "a time that was agreed on later is none of the first letter"
    assert (new["survey_on"], new["survey_window"]) == ("2026-07-09", "13:00")


def test_what_a_step_was_not_given_is_not_told_from_an_earlier_one(desk: Desk) -> None:
    case = brought_to(desk, State.WORKS_PLANNED)
    moved = desk.cases.act(WORKS, case.id, Event.PLAN_WORKS, {"works_on": "2026-07-20"})
    assert "works_window" not in told(desk, moved).details, "10:00–11:00 was for the other day"


def test_a_letter_tells_what_was_wrong_as_it_was_put_right(desk: Desk) -> None:
    case = brought_to(desk, State.WORKS_DONE)
    done = newest(desk, case)
    assert desk.notices.content_of(SYSTEM, done.id).details["terminal_serial"] == "T20087"
    right = {"terminal_serial": "T20088", "reason": "銘板を読み違えた"}
    desk.cases.act(SUPERVISOR, case.id, Event.CORRECT, right)
    assert desk.notices.content_of(SYSTEM, done.id).details["terminal_serial"] == "T20088"
    assert "reason" not in desk.notices.content_of(SYSTEM, done.id).details


def test_a_correction_of_a_later_step_is_none_of_an_earlier_letter(desk: Desk) -> None:
    """The day on which a paper came in is asked twice in the life of a case."""
    case = brought_to(desk, State.ENDING)
    received = desk.notices.of_case(SYSTEM, case.id)[-1]
    desk.cases.act(SUPERVISOR, case.id, Event.CORRECT, {"received_on": "2026-06-30", "reason": "消印"})
    assert desk.notices.content_of(SYSTEM, newest(desk, case).id).details["received_on"] == "2026-06-30"
    assert desk.notices.content_of(SYSTEM, received.id).details["received_on"] == "2026-07-01"


def test_the_returned_are_told_why_and_until_when(desk: Desk) -> None:
    case = brought_to(desk, State.RETURNED)
    details = told(desk, case).details
    assert details["reason"] == "押印がありません"
    assert details["due_on"] == case.due_on
    desk.cases.act(COUNTER, case.id, Event.SUBMIT)
    returned = next(one for one in desk.notices.list(SYSTEM) if one.kind is NoticeKind.RETURNED)
    assert "due_on" not in desk.notices.content_of(SYSTEM, returned.id).details, "that is over"


def test_the_refused_are_told_the_condition(desk: Desk) -> None:
    details = told(desk, brought_to(desk, State.REFUSED)).details
    assert details["condition"] == RULES["eligible.installable"].statement
    assert details["reason"] == "盤に場所がありません"


@pytest.mark.parametrize(("terminal", "meter", "ours"), [("no", "yes", "yes"), ("yes", "yes", "no")])
def test_a_check_that_failed_says_what_did_not_pass_and_on_whose_side(
    desk: Desk, terminal: str, meter: str, ours: str
) -> None:
    case = brought_to(desk, State.CONNECTION_CHECK)
    seen = {"check_terminal": terminal, "check_meter": meter, "check_values": "no", "check_way": "hand"}
    desk.cases.act(WORKS, case.id, Event.RECORD_CHECK, {**seen, "evidence": "表示灯を見た"})
    back = {"works_on": "2026-07-20", "reason": "値が届きません"}
    details = told(desk, desk.cases.act(WORKS, case.id, Event.BACK_TO_WORKS, back)).details
    expected = [name for name in ("check_terminal", "check_values") if seen[name] == "no"]
    assert details["failed"] == tuple(FIELDS[name].words for name in expected)
    assert (details["utility_side"], details["works_on"]) == (ours, "2026-07-20")


def test_the_start_names_the_data_and_whose_list_it_is(desk: Desk) -> None:
    details = told(desk, brought_to(desk, State.IN_SERVICE)).details
    assert details["started_on"] == date(2026, 7, 1)
    assert isinstance(details["data"], tuple)
    assert len(details["data"]) > 3
    assert details["data_note"] == NOT_OWN


def test_a_new_meter_is_told_and_no_other(desk: Desk) -> None:
    case = brought_to(desk, State.SUSPENDED)
    assert told(desk, case).details["suspended_on"] == date(2026, 7, 1)
    meter = {"worked_on": "2026-07-01", "meter_serial": "M-2", "meter_type": METER}
    details = told(desk, desk.cases.act(WORKS, case.id, Event.METER_REPLACED, meter)).details
    assert (details["meter_serial"], details["resumed_on"]) == ("M-2", "2026-07-01")
    again = {"suspend_reason": "works", "resume_planned_on": "2026-07-30"}
    desk.cases.act(COUNTER, case.id, Event.SUSPEND, again)
    details = told(desk, desk.cases.act(COUNTER, case.id, Event.RESUME)).details
    assert (details["meter_serial"], details["meter_type"]) == ("", ""), "nothing was replaced this time"


def test_a_customer_whose_application_came_back_is_reminded_by_letter(desk: Desk, clock: ManualClock) -> None:
    case = brought_to(desk, State.RETURNED)
    assert case.due_on is not None
    brought_to(desk, State.CHECKING, POINTS[1])  # the turn of the staff: noted, and no letter
    clock.set(datetime.combine(case.due_on, time(9), JST))
    before = len(desk.notices.list(SYSTEM))
    assert len(desk.chores.remind()) == 2
    assert len(desk.notices.list(SYSTEM)) == before + 1
    content = told(desk, case)
    assert newest(desk, case).kind is NoticeKind.REMINDER_TO_CUSTOMER
    assert content.details["due_on"] == case.due_on
    assert "までにお願いできますと幸いです" in letter(newest(desk, case).kind, content).body
    desk.chores.remind()
    assert len(desk.notices.list(SYSTEM)) == before + 1, "once for each deadline"


def test_a_reminder_after_the_day_says_so(desk: Desk, clock: ManualClock) -> None:
    case = brought_to(desk, State.RETURNED)
    clock.advance(timedelta(days=120))
    desk.chores.remind()
    assert "期限を過ぎて" in letter(newest(desk, case).kind, told(desk, case)).body


def test_changes_say_what_has_changed_and_which_office_answers_now(desk: Desk) -> None:
    case = brought_to(desk, State.IN_SERVICE)
    moved = {"supply": "other", "retailer": "あおぞら電力"}
    content = told(desk, desk.cases.act(COUNTER, case.id, Event.CHANGE_RETAILER, moved))
    assert content.details["office_changed"] == "yes"
    assert content.office.code == CENTRE
    assert "あおぞら電力" in str(content.details["change"])
    named = {"customer_name": "若葉食品 株式会社", "organisation": "yes"}
    content = told(desk, desk.cases.act(SUPERVISOR, case.id, Event.CHANGE_NAME, named))
    assert content.details["office_changed"] == "no"
    assert "若葉食品 株式会社" in str(content.details["change"])
    assert content.customer_name == "若葉食品 株式会社"


# --- lists and printing ---------------------------------------------------------------------------------


def test_lists_show_what_is_to_be_printed_by_office_and_no_whole_name(desk: Desk) -> None:
    brought_to(desk, State.SUBMITTED)
    brought_to(desk, State.SUBMITTED, POINTS[30])
    assert [one.office for one in desk.notices.list(SUPERVISOR)] == ["north", "south"]
    (mine,) = desk.notices.list(COUNTER)
    assert (mine.name, mine.number, mine.kind) == ("青●●● 株式会社", "HB-2026-00001", NoticeKind.RECEIVED)
    assert desk.notices.list(SUPERVISOR, "south")[0].number == "HB-2026-00002"
    assert desk.notices.list(COUNTER, "south") == []
    assert [desk.notices.waiting(SUPERVISOR), desk.notices.waiting(SUPERVISOR, "south")] == [2, 1]
    desk.notices.pdf(COUNTER, mine.id)
    assert [desk.notices.waiting(COUNTER), desk.notices.waiting(SUPERVISOR)] == [0, 1]


def test_printing_is_noted_with_who_did_it(either: Desk, clock: ManualClock) -> None:
    case = brought_to(either, State.ACCEPTED)
    accepted, received = either.notices.of_case(COUNTER, case.id)
    clock.advance(timedelta(hours=1))
    printed = either.notices.pdf(COUNTER, received.id)
    assert printed.startswith(b"%PDF-")
    assert squeezed("青葉食品 株式会社") in text_of(printed)
    assert squeezed(case.number) in text_of(printed)
    (noted,) = either.notices.list(COUNTER, printed=True)
    assert (noted.id, noted.printed_at, noted.printed_by) == (received.id, clock.now(), "person:2")
    assert [one.id for one in either.notices.list(COUNTER)] == [accepted.id]
    assert either.notices.pdf(WORKS, received.id) == printed, "as often as one likes, and the same"


def test_who_may_not_does_not(desk: Desk) -> None:
    one = newest(desk, brought_to(desk, State.SUBMITTED))
    for who, error in ((STRANGER, UnknownError), (AUDITOR, ForbiddenError)):
        with pytest.raises(error):
            desk.notices.pdf(who, one.id)
    for number in (0, one.id + 1, 2**63):
        with pytest.raises(UnknownError):
            desk.notices.pdf(COUNTER, number)
    with pytest.raises(UnknownError):
        desk.notices.of_case(STRANGER, one.case)
    assert desk.notices.list(AUDITOR)[0].printed_at is None


def test_a_character_that_cannot_be_printed_is_one_sentence_and_nothing_is_noted(desk: Desk) -> None:
    case = drafted(desk, customer_name="𓀀商店")
    one = newest(desk, desk.cases.act(COUNTER, case.id, Event.SUBMIT))
    with pytest.raises(MissingGlyphError) as refused:
        desk.notices.pdf(COUNTER, one.id)
    assert "「お客さまの名称」の 𓀀 (U+13000)" in refused.value.text("ja")
    assert "customer's name" in refused.value.text("en")
    assert desk.notices.list(COUNTER, printed=True) == []


def test_rare_kanji_are_printed(desk: Desk) -> None:
    case = drafted(desk, customer_name="𠮷田 葛\U000e0100城", organisation="no", contact_name="")
    one = newest(desk, desk.cases.act(COUNTER, case.id, Event.SUBMIT))
    assert "𠮷田葛\U000e0100城様" in text_of(desk.notices.pdf(COUNTER, one.id))


def test_a_mail_goes_to_the_customer_in_the_customers_language(desk: Desk, clock: ManualClock) -> None:
    case = drafted(desk, language="en")
    one = newest(desk, desk.cases.act(COUNTER, case.id, Event.SUBMIT))
    address, subject, body = desk.notices.mail(one.id)
    assert address == APPLICATION["email"]
    assert "We have received your application" in subject
    assert body.startswith("Dear 小林 花子")
    assert POINTS[0] not in body, "mail is read on the way"
    assert desk.notices.list(COUNTER)[0].mailed_at is None
    desk.notices.mailed(one.id)
    assert desk.notices.list(COUNTER)[0].mailed_at == clock.now(), "a mail is no letter in the post"


def test_a_mail_without_an_address_is_refused(desk: Desk) -> None:
    case = drafted(desk, email="")
    one = newest(desk, desk.cases.act(COUNTER, case.id, Event.SUBMIT))
    with pytest.raises(UnknownError, match="no e-mail address"):
        desk.notices.mail(one.id)


def test_nothing_is_written_of_who_was_erased(desk: Desk) -> None:
    case = brought_to(desk, State.ENDED)
    erase(desk, case)
    letters = desk.notices.of_case(COUNTER, case.id)
    assert {one.name for one in letters} == {""}
    for ask in (lambda: desk.notices.pdf(COUNTER, letters[0].id), lambda: desk.notices.mail(letters[0].id)):
        with pytest.raises(UnknownError, match="erased"):
            ask()


def test_a_draft_that_no_office_had_is_signed_by_the_utility(desk: Desk) -> None:
    case = desk.cases.open(SUPERVISOR, {"supply_point": POINTS[0], **APPLICATION})
    assert case.office == ""
    gone = desk.cases.act(SUPERVISOR, case.id, Event.WITHDRAW)
    content = told(desk, gone)
    assert content.office.name == "受付担当"
    assert content.details["withdrawn_on"] == date(2026, 7, 1)
    assert "電力会社" in text_of(letter(NoticeKind.WITHDRAWN, content).pdf())


def test_the_terminal_is_told_as_it_was_placed(desk: Desk) -> None:
    details = told(desk, brought_to(desk, State.WORKS_DONE)).details
    assert (details["terminal_type"], details["terminal_serial"]) == (TERMINAL, "T20087")


def test_a_letter_before_acceptance_does_not_tell_what_the_register_knows_of_a_place(desk: Desk) -> None:
    case = brought_to(desk, State.ACCEPTED, address="", postal_code="")
    with desk.database.reading() as connection:
        query = select(notice.c.kind, notice.c.id).where(notice.c.case_id == case.id)
        numbers = {row.kind: row.id for row in connection.execute(query)}
    before = desk.notices.content_of(COUNTER, numbers["received"])
    after = desk.notices.content_of(COUNTER, numbers["accepted"])
    assert (before.place, before.address) == ("", "")
    assert "みどり" in after.place
    assert "みどり" in after.address
