"""The next step of a case, handing in at once, and the fields that a refusal points at."""

from __future__ import annotations

import pytest
from desk_site import APPLICATION, COUNTER, METER, POINTS, STORY, SUPERVISOR, WORKS, brought_to, drafted

from koatsu.desk import SYSTEM, Desk, Event, RuleError, State
from koatsu.desk.fields import FIELDS
from koatsu.desk.lifecycle import steps_from
from koatsu.desk.next_steps import next_step, to_be_checked


def test_the_next_step_leads_along_the_whole_story(desk: Desk) -> None:
    """Whoever always does what is next gets from the draft to the service, and from there to the end."""
    case = drafted(desk)
    for event, actor, given, _ in STORY:
        step = next_step(case)
        if event is Event.ASK_END:
            assert step is None, "while the service runs there is nothing to do"
        else:
            assert step is not None
            assert step.event is event
        case = desk.cases.act(actor, case.id, event, given)
    assert next_step(case) is None


@pytest.mark.parametrize("state", State)
def test_the_next_step_is_one_from_where_the_case_is(desk: Desk, state: State) -> None:
    case = brought_to(desk, state)
    step = next_step(case)
    assert step is None or step in list(steps_from(state))
    assert (step is None) is (state in (State.IN_SERVICE, State.REFUSED, State.ENDED))


def test_what_comes_first_depends_on_what_is_known(desk: Desk) -> None:
    def event(case_id: int, **more: bool) -> Event:
        step = next_step(desk.cases.get(SYSTEM, case_id), **more)
        assert step is not None
        return step.event

    checked = brought_to(desk, State.CHECKING)
    assert event(checked.id) is Event.ACCEPT
    assert event(checked.id, certified=False) is Event.CONFIRM_WARNING
    bare = brought_to(desk, State.CHECKING, POINTS[1], ems_certificate="")
    assert event(bare.id) is Event.CONFIRM_WARNING
    desk.cases.act(COUNTER, bare.id, Event.CONFIRM_WARNING, {"warning_told": "yes"})
    assert event(bare.id) is Event.ACCEPT
    surveyed = brought_to(desk, State.SURVEY, POINTS[2])
    assert event(surveyed.id) is Event.RECORD_SURVEY
    found = {
        "surveyed_on": "2026-07-01",
        "meter_supported": "yes",
        "outage_needed": "no",
        "installable": "no",
    }
    desk.cases.act(WORKS, surveyed.id, Event.RECORD_SURVEY, found)
    assert event(surveyed.id) is Event.NOT_INSTALLABLE
    suspended = brought_to(desk, State.SUSPENDED, POINTS[3])
    assert event(suspended.id) is Event.METER_REPLACED
    meter = {"worked_on": "2026-07-01", "meter_serial": "M-2", "meter_type": METER}
    desk.cases.act(WORKS, suspended.id, Event.METER_REPLACED, meter)
    other = {"suspend_reason": "works", "resume_planned_on": "2026-07-20"}
    desk.cases.act(COUNTER, suspended.id, Event.SUSPEND, other)
    assert event(suspended.id) is Event.RESUME


def test_a_check_is_next_until_everything_was_seen(desk: Desk) -> None:
    case = brought_to(desk, State.CONNECTION_CHECK)
    assert to_be_checked(case) == ()
    half = {"check_terminal": "yes", "check_meter": "no", "check_values": "no", "check_way": "hand"}
    case = desk.cases.act(WORKS, case.id, Event.RECORD_CHECK, {**half, "evidence": "表示灯のみ"})
    assert to_be_checked(case) == ("check_meter", "check_values")
    step = next_step(case)
    assert step is not None
    assert step.event is Event.RECORD_CHECK


def test_an_application_is_handed_in_at_once_or_not_at_all(either: Desk) -> None:
    values = {"supply_point": POINTS[0], **APPLICATION}
    made = either.cases.open(COUNTER, values, submit=True)
    assert made.state is State.SUBMITTED
    assert [one.event for one in either.cases.history(SYSTEM, made.id)] == [
        Event.DRAFT,
        Event.FILL,
        Event.SUBMIT,
    ]
    for refused in (values, {"supply_point": POINTS[1], **APPLICATION, "customer_name": ""}):
        with pytest.raises(RuleError):
            either.cases.open(COUNTER, refused, submit=True)
    assert sum(either.lists.counts(SUPERVISOR).values()) == 1
    assert either.cases.verify() is None


@pytest.mark.parametrize(
    ("event", "given", "fields"),
    [
        (Event.ACCEPT, {"in_area": "no", "installable": "yes"}, ("in_area",)),
        (Event.ACCEPT, {"in_area": "yes", "installable": "no"}, ("installable",)),
        (Event.REFUSE, {"rule": "taste", "reason": "x"}, ("rule",)),
        (Event.CHANGE_RETAILER, {"supply": "other"}, ("retailer",)),
    ],
)
def test_a_refusal_points_at_the_fields_that_it_lacks(
    desk: Desk, event: Event, given: dict[str, str], fields: tuple[str, ...]
) -> None:
    case = brought_to(desk, State.CHECKING)
    with pytest.raises(RuleError) as refused:
        desk.cases.act(SUPERVISOR, case.id, event, given)
    assert refused.value.fields == fields
    assert set(fields) <= set(FIELDS)
