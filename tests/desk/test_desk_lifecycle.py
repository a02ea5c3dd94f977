"""The table of the life cycle: sound in itself, and true to what the utility's public answers say."""

from __future__ import annotations

import pytest

from koatsu.desk.fields import FIELDS, Kind
from koatsu.desk.letters import NoticeKind
from koatsu.desk.lifecycle import BACK, STAY, STEPS, Event, step_for, steps_from
from koatsu.desk.rules import RULES
from koatsu.desk.states import ENDED, LIVE, PHASES, STATE_WORDS, State
from koatsu.people import Role


def test_every_event_is_a_step_and_no_two_rows_of_one_event_overlap() -> None:
    assert {step.event for step in STEPS} == set(Event) - {Event.DRAFT}
    for event in Event:
        rows = [step.before for step in STEPS if step.event is event]
        assert sum(map(len, rows)) == len(frozenset().union(*rows)), event


def test_every_rule_and_every_notice_that_a_step_names_exists_and_none_is_left_over() -> None:
    assert {rule for step in STEPS for rule in step.rules} == set(RULES)
    assert {step.notice for step in STEPS if step.notice} <= set(NoticeKind)


def test_every_field_is_asked_by_some_step() -> None:
    asked = {name for step in STEPS for name in step.names} | {"supply_point", "started_on", "end_reason"}
    assert set(FIELDS) == asked


@pytest.mark.parametrize("state", State)
def test_a_state_has_a_name_and_a_place_in_the_bar(state: State) -> None:
    assert STATE_WORDS[state].ja
    assert sum(state in states for _, states in PHASES.values()) == 1


@pytest.mark.parametrize("state", sorted(LIVE))
def test_no_live_state_is_a_dead_end_and_each_way_leads_to_an_end(state: State) -> None:
    reached, left = {state}, [state]
    while left:
        for step in steps_from(left.pop()):
            if step.who and isinstance(step.after, State) and step.after not in reached:
                reached.add(step.after)
                left.append(step.after)
    assert reached & ENDED
    assert any(step.who and step.after not in (STAY, state) for step in steps_from(state))


def test_every_live_state_but_service_itself_has_a_way_forward() -> None:
    for state in LIVE - {State.IN_SERVICE}:
        assert any(step.main for step in steps_from(state)), state


def test_only_corrections_lead_out_of_an_end() -> None:
    for state in ENDED:
        leaving = [step for step in steps_from(state) if step.after != STAY]
        assert [step.event for step in leaving] == [Event.REOPEN]
        assert leaving[0].after == BACK
        assert leaving[0].who == {Role.SUPERVISOR}


def test_customers_apply_withdraw_and_end_and_do_nothing_else() -> None:
    own = {step.event for step in STEPS if Role.CUSTOMER in step.who}
    assert own == {Event.FILL, Event.SUBMIT, Event.WITHDRAW, Event.ASK_END, Event.ATTACH}


def test_auditors_do_nothing() -> None:
    assert not any(Role.AUDITOR in step.who for step in STEPS)


def test_a_refusal_a_correction_and_an_erasure_need_who_decides() -> None:
    for event in (Event.REFUSE, Event.CORRECT, Event.REOPEN, Event.ERASE, Event.MOVE_OFFICE):
        assert {Role.SUPERVISOR} == next(step.who for step in STEPS if step.event is event)


# --- rules of the public answers, by name ---------------------------------------------------------------


def test_end_contract_is_no_form_and_comes_by_itself() -> None:
    for state in LIVE - {State.DRAFT}:
        step = step_for(Event.CONTRACT_ENDED, state)
        assert step is not None
        assert step.after is State.ENDED
        assert step.names == ("contract_ended_on",), "no form of the customer"


def test_change_retailer_and_change_name_are_no_end() -> None:
    for event in (Event.CHANGE_RETAILER, Event.CHANGE_NAME):
        rows = [step for step in STEPS if step.event is event]
        assert all(step.after == STAY for step in rows)
        assert frozenset().union(*(step.before for step in rows)) == LIVE - {State.DRAFT}


def test_suspend_meter_asks_nothing_of_the_customer() -> None:
    for event in (Event.SUSPEND, Event.METER_REPLACED, Event.RESUME):
        assert not any(Role.CUSTOMER in step.who for step in STEPS if step.event is event)


def test_end_cable_closes_without_waiting_for_the_customer() -> None:
    step = step_for(Event.CABLE_REMOVED, State.ENDING)
    assert step is not None
    assert (step.after, step.notice) == (State.ENDED, "ended")
    assert step.required == {"cable_removed_on"}


def test_start_comes_only_from_a_connection_check() -> None:
    starts = [step for step in STEPS if step.after is State.IN_SERVICE and step.before - {State.SUSPENDED}]
    assert [step.before for step in starts] == [{State.CONNECTION_CHECK}]
    assert "start.checked" in starts[0].rules


def test_no_field_is_an_amount_of_money() -> None:
    for field in FIELDS.values():
        assert not any(word in field.words.ja for word in ("円", "料金", "費用", "金額", "請求"))
        assert not any(word in field.name for word in ("fee", "price", "amount", "charge", "cost", "yen"))


def test_free_text_is_personal_and_choices_have_names() -> None:
    for field in FIELDS.values():
        assert field.kind is not Kind.LONG or field.personal, field.name
        assert (field.kind is Kind.CHOICE) == bool(field.choices), field.name
        assert all(words.ja and words.en for _, words in field.choices)
