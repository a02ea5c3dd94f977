"""What is done a second time: a survey after one that said no, a connection check after new works."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from desk_site import COUNTER, METER, STORY, WORKS, brought_to

from koatsu.desk import Desk, Event, RuleError, State
from koatsu.desk.models import WorksKind, WorksState

GIVEN: Mapping[Event, Mapping[str, str]] = {event: given for event, _, given, _ in STORY}


def test_works_wait_for_the_second_survey_too(desk: Desk) -> None:
    case = brought_to(desk, State.SURVEY)
    no = {**GIVEN[Event.RECORD_SURVEY], "installable": "no", "outage_needed": "yes"}
    desk.cases.act(WORKS, case.id, Event.RECORD_SURVEY, no)
    desk.cases.act(WORKS, case.id, Event.NOT_INSTALLABLE, {"reason": "盤に場所がありません"})
    desk.cases.act(COUNTER, case.id, Event.ACCEPT, GIVEN[Event.ACCEPT])
    again = desk.cases.act(COUNTER, case.id, Event.PLAN_SURVEY, {"survey_on": "2026-07-08"})
    assert not again.fact("surveyed_on"), "that day was the first one's"
    with pytest.raises(RuleError) as refused:
        desk.cases.act(WORKS, case.id, Event.PLAN_WORKS, GIVEN[Event.PLAN_WORKS])
    assert refused.value.rule == "works.surveyed"
    desk.cases.act(WORKS, case.id, Event.RECORD_SURVEY, GIVEN[Event.RECORD_SURVEY])
    planned = desk.cases.act(WORKS, case.id, Event.PLAN_WORKS, GIVEN[Event.PLAN_WORKS])
    assert planned.state is State.WORKS_PLANNED
    history = [one for one in desk.cases.history(COUNTER, case.id) if one.event is Event.RECORD_SURVEY]
    assert [one.detail["installable"] for one in history] == ["no", "yes"], "nothing is forgotten for good"


def test_a_check_from_before_new_works_starts_nothing(desk: Desk) -> None:
    case = brought_to(desk, State.CONNECTION_CHECK)
    back = {"works_on": "2026-07-10", "reason": "端末を取り替えます"}
    desk.cases.act(WORKS, case.id, Event.BACK_TO_WORKS, back)
    desk.cases.act(
        WORKS, case.id, Event.RECORD_WORKS, {**GIVEN[Event.RECORD_WORKS], "terminal_serial": "T20088"}
    )
    desk.cases.act(WORKS, case.id, Event.BEGIN_CONNECTION)
    with pytest.raises(RuleError) as refused:
        desk.cases.act(COUNTER, case.id, Event.START)
    assert refused.value.rule == "start.checked"
    desk.cases.act(WORKS, case.id, Event.RECORD_CHECK, GIVEN[Event.RECORD_CHECK])
    assert desk.cases.act(COUNTER, case.id, Event.START).state is State.IN_SERVICE


def test_a_meter_that_was_replaced_is_not_replaced_again(desk: Desk) -> None:
    case = brought_to(desk, State.SURVEY)
    old = {**GIVEN[Event.RECORD_SURVEY], "meter_supported": "no"}
    desk.cases.act(WORKS, case.id, Event.RECORD_SURVEY, old)
    desk.cases.act(WORKS, case.id, Event.PLAN_WORKS, GIVEN[Event.PLAN_WORKS])
    new_meter = {**GIVEN[Event.RECORD_WORKS], "meter_serial": "M30001", "meter_type": METER}
    desk.cases.act(WORKS, case.id, Event.RECORD_WORKS, new_meter)
    desk.cases.act(WORKS, case.id, Event.BEGIN_CONNECTION)
    back = {"works_on": "2026-07-10", "reason": "端末を取り替えます"}
    desk.cases.act(WORKS, case.id, Event.BACK_TO_WORKS, back)
    planned = [one.kind for one in desk.lists.works(COUNTER, case.id) if one.state is WorksState.PLANNED]
    assert planned == [WorksKind.INSTALLATION]
    terminal = {**GIVEN[Event.RECORD_WORKS], "terminal_serial": "T20088"}
    assert desk.cases.act(WORKS, case.id, Event.RECORD_WORKS, terminal).state is State.WORKS_DONE
