"""No data arrives: the order of the FAQ on every path, evidence before works, a record that only grows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from desk_help import customer_of, erase, put_case
from desk_site import AUDITOR, COUNTER, NORTH, POINTS, SOUTH, START, STRANGER, SUPERVISOR, WORKS
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

import koatsu.desk
from koatsu.clock import ManualClock
from koatsu.desk.desk import Desk
from koatsu.desk.errors import (
    ChangedMeanwhileError,
    ForbiddenError,
    InputError,
    NoStepError,
    RuleError,
    UnknownError,
)
from koatsu.desk.fault_rows import FaultView, StepKind
from koatsu.desk.faults import PROBE_FRESH
from koatsu.desk.link_parts import Mark, link_parts
from koatsu.desk.models import SYSTEM, Actor, WorksKind
from koatsu.desk.probe import ProbeResult
from koatsu.desk.schema_help import fault_step
from koatsu.desk.states import State
from koatsu.desk.triage import (
    CABLE,
    FACTS,
    UTILITY_FAULT,
    Ask,
    Known,
    Position,
    Service,
    Side,
    Situation,
    Then,
    UnderWay,
    read_tree,
    tree,
    walk,
)
from koatsu.desk.words import Words
from koatsu.people import Role

IN_SERVICE = Situation(service=Service.IN_SERVICE, works=UnderWay.NONE)
TABLE = (Path(koatsu.desk.__file__).parent / "tables/triage.toml").read_text(encoding="utf-8")

situations = st.builds(
    Situation,
    service=st.sampled_from(Service),
    works=st.sampled_from(UnderWay),
    terminal_up=st.sampled_from([None, True, False]),
    meter_answers=st.sampled_from([None, True, False]),
)


def ways(situation: Situation, answers: Mapping[str, str]) -> Iterator[Position]:
    """Every end that can be reached from there."""
    here = walk(tree(), situation, answers)
    if here.ask is None:
        yield here
        return
    for answer in here.ask.answers:
        yield from ways(situation, {**answers, here.ask.id: answer.id})


EVERY_SITUATION = [
    Situation(service=service, works=under_way, terminal_up=terminal, meter_answers=meter)
    for service, under_way, terminal, meter in product(
        Service, UnderWay, (None, True, False), (None, True, False)
    )
]
EVERY_END = [(one, end) for one in EVERY_SITUATION for end in ways(one, {})]


def end_of(situation: Situation, *answers: str) -> Position:
    """Answer one question after the other."""
    given_: dict[str, str] = {}
    for answer in answers:
        here = walk(tree(), situation, given_)
        assert here.ask is not None, f"nothing more is asked before {answer!r}"
        assert here.ask.answer(answer) is not None, f"{here.ask.id} has no answer {answer!r}"
        given_[here.ask.id] = answer
    return walk(tree(), situation, given_)


def outcome(situation: Situation, *answers: str) -> str:
    here = end_of(situation, *answers)
    assert here.outcome is not None, f"{here.ask.id if here.ask else ''} is still asked"
    return here.outcome.id


# --- the whole tree, path by path -----------------------------------------------------------------------


def test_there_are_many_paths_and_all_of_them_end() -> None:
    assert len(EVERY_END) > 1_000
    assert all(end.outcome is not None for _, end in EVERY_END)
    assert {end.outcome.id for _, end in EVERY_END if end.outcome} == set(tree().outcomes)


def test_no_works_order_without_both_ends_of_the_cable_and_evidence() -> None:
    """Rule fault.order, on every path there is."""
    orders = [(one, end) for one, end in EVERY_END if end.outcome and end.outcome.then is Then.ORDER]
    assert orders
    for situation, end in orders:
        asked = [turn.ask.id for turn in end.path]
        assert asked.index("cable_ems") < asked.index("cable_terminal") < len(asked)
        assert end.outcome is not None
        assert end.outcome.side is Side.UTILITY
        lamp = {turn.ask.id: turn.answer.id for turn in end.path}
        dark_with_power = lamp.get("terminal_lamp") == "dark" and lamp.get("power") == "yes"
        assert dark_with_power or situation.terminal_up is False or situation.meter_answers is False
        assert situation.service in (Service.IN_SERVICE, Service.UNKNOWN)
        assert situation.works in (UnderWay.NONE, UnderWay.UNKNOWN) or situation.service is Service.UNKNOWN


def test_no_works_order_where_the_terminal_side_is_known_to_be_sound() -> None:
    """Rule fault.order: what a customer says of a lamp does not outweigh a terminal that answers."""
    for situation, end in EVERY_END:
        if situation.terminal_up and situation.meter_answers:
            assert end.outcome is not None
            assert end.outcome.side is not Side.UTILITY


def test_the_maker_of_the_ems_comes_after_the_cable() -> None:
    """The order of the FAQ: first the cable, then the maker."""
    for _, end in EVERY_END:
        asked = [turn.ask.id for turn in end.path]
        if "maker" in asked:
            assert asked.index("cable_ems") < asked.index("cable_terminal") < asked.index("maker")
        if end.outcome is not None and end.outcome.side is Side.EMS_MAKER:
            assert asked[-1] == "maker"


def test_nobody_is_asked_about_the_cable_where_there_is_nothing_to_arrive() -> None:
    for situation, end in EVERY_END:
        if situation.service in (Service.NOT_STARTED, Service.SUSPENDED, Service.ENDED):
            assert end.path == ()
            assert end.outcome is not None
            assert end.outcome.side is Side.NONE


@given(situations, st.lists(st.integers(0, 5), max_size=40))
def test_random_answers_come_to_an_end(situation: Situation, choices: list[int]) -> None:
    answers: dict[str, str] = {}
    for choice in [*choices, *[0] * len(tree().steps)]:
        here = walk(tree(), situation, answers)
        if here.ask is None:
            break
        assert here.ask.id not in answers
        answers[here.ask.id] = here.ask.answers[choice % len(here.ask.answers)].id
    assert here.outcome is not None
    assert [turn.ask.id for turn in here.path] == list(answers)
    if here.outcome.side is Side.UTILITY:
        assert here.shown >= CABLE | {UTILITY_FAULT}


@given(situations, st.dictionaries(st.sampled_from([*tree().steps, "gone"]), st.text(max_size=5)))
def test_answers_that_are_none_lead_nowhere(situation: Situation, answers: dict[str, str]) -> None:
    here = walk(tree(), situation, answers)
    assert (here.ask is None) != (here.outcome is None)
    for turn in here.path:
        assert answers[turn.ask.id] == turn.answer.id


# --- what comes out of it -------------------------------------------------------------------------------

TERMINAL_UP = Situation(service=Service.IN_SERVICE, works=UnderWay.NONE, terminal_up=True, meter_answers=True)
TERMINAL_DOWN = Situation(service=Service.IN_SERVICE, works=UnderWay.NONE, terminal_up=False)
METER_SILENT = Situation(
    service=Service.IN_SERVICE, works=UnderWay.NONE, terminal_up=True, meter_answers=False
)


@pytest.mark.parametrize(
    ("situation", "answers", "expected"),
    [
        (IN_SERVICE, ["loose", "yes"], "solved"),
        (IN_SERVICE, ["firm", "loose", "yes"], "solved"),
        (IN_SERVICE, ["damaged"], "cable_damaged"),
        (IN_SERVICE, ["firm", "cannot"], "cannot_look"),
        (IN_SERVICE, ["firm", "firm", "dark", "yes"], "cable_broken"),
        (IN_SERVICE, ["firm", "firm", "lit", "lit", "not_yet"], "ask_maker"),
        (IN_SERVICE, ["firm", "firm", "lit", "lit", "looking"], "with_maker"),
        (IN_SERVICE, ["firm", "firm", "lit", "lit", "sound"], "staff_look"),
        (IN_SERVICE, ["loose", "no", "loose", "no", "cannot", "dark", "yes"], "terminal_dark"),
        (IN_SERVICE, ["firm", "firm", "dark", "no", "dark", "no"], "power_out"),
        (IN_SERVICE, ["firm", "firm", "dark", "none", "dark", "cannot", "not_yet"], "ask_maker"),
        (TERMINAL_UP, ["firm", "firm", "lit", "not_yet"], "ask_maker"),
        (TERMINAL_UP, ["firm", "firm", "dark", "no", "sound"], "staff_look"),
        (TERMINAL_DOWN, ["firm", "firm", "lit", "yes"], "terminal_fault"),
        (TERMINAL_DOWN, ["firm", "firm", "lit", "no"], "power_out"),
        (METER_SILENT, ["firm", "firm", "lit"], "meter_fault"),
        (Situation(), ["yes", "yes"], "replacement"),
        (Situation(), ["not_yet"], "not_started"),
        (Situation(), ["yes", "no", "damaged"], "cable_damaged"),
    ],
)
def test_what_comes_out(situation: Situation, answers: list[str], expected: str) -> None:
    assert outcome(situation, *answers) == expected


@pytest.mark.parametrize(
    ("state", "reason", "expected"),
    [
        (State.SUSPENDED, "meter_replacement", "replacement"),
        (State.SUSPENDED, "works", "works_under_way"),
        (State.SUSPENDED, "fault", "known_fault"),
        (State.SUSPENDED, "", "suspended"),
        (State.ENDED, "", "ended"),
        (State.WORKS_PLANNED, "", "not_started"),
        (State.CONNECTION_CHECK, "", "not_started"),
        (State.REFUSED, "", "not_started"),
    ],
)
def test_a_case_that_explains_it(state: State, reason: str, expected: str) -> None:
    """Meter replacement: the customer does nothing, it resumes by itself."""
    assert outcome(Situation.of(state, reason)) == expected
    if expected == "replacement":
        found = tree().outcomes[expected]
        assert found.then is Then.WAIT
        assert "お手続きはありません" in found.advice.ja
        assert "by itself" in found.advice.en


@pytest.mark.parametrize("state", [State.IN_SERVICE, State.ENDING])
def test_a_case_that_does_not_explain_it_begins_with_the_cable(state: State) -> None:
    here = walk(tree(), Situation.of(state, "meter_replacement"), {})  # a reason of long ago
    assert here.ask is not None
    assert here.ask.id == "cable_ems"


def test_the_reasons_of_a_suspension_are_those_of_the_life_cycle() -> None:
    from koatsu.desk.fields import FIELDS

    reasons = {code for code, _ in FIELDS["suspend_reason"].choices}
    assert reasons == set(UnderWay) - {UnderWay.UNKNOWN, UnderWay.NONE}


def test_what_the_maker_is_told() -> None:
    told = end_of(IN_SERVICE, "firm", "loose", "no", "dark", "no", "lit", "not_yet").told
    assert [words.en for words in told] == [
        "The cable is firm in the EMS",
        "The cable was loose in the terminal and has been pushed in",
        "The lamp of the socket is dark",
        "It stays dark with another cable",
        "The power lamp of the terminal is lit",
    ]


@pytest.mark.parametrize("step", tree().steps.values(), ids=lambda step: step.id)
def test_every_question_speaks_both_languages(step: Ask | Known) -> None:
    if isinstance(step, Known):
        assert step.branches.keys() == FACTS[step.fact]
        return
    assert step.question.ja.endswith("か")
    assert step.question.en.endswith("?")
    assert len(step.answers) > 1
    for answer in step.answers:
        assert all(answer.words)


def test_works_of_the_utility_cost_nothing() -> None:
    """Rule cost.free."""
    for found in tree().outcomes.values():
        if found.then is Then.ORDER:
            assert "費用はかかりません" in found.advice.ja
            assert "costs you nothing" in found.advice.en


# --- a table that breaks the order ----------------------------------------------------------------------

TOLD = 'shows = ["cable_ems"]\ntold = {ja = "EMS 側のケーブルは'


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        (TOLD, TOLD.replace("cable_ems", "cable"), "nothing is called"),
        ('branches.unknown = {next = "cable_ems"}', 'branches.unknown = {next = "maker"}', "cable"),
        ('branches.none = {next = "cable_ems"}', 'branches.none = {next = "terminal"}', "cable"),
        ('"power_at_terminal", shows = ["utility_fault"]', '"power_at_terminal"', "utility_fault"),
        ('next = "@meter_fault", shows = ["utility_fault"]', 'next = "@meter_fault"', "utility_fault"),
        ('next = "@staff_look"', 'next = "cable_ems"', "circle"),
        ('next = "@staff_look"', 'next = "@gone"', "no step or outcome"),
        ('next = "@staff_look"', 'next = "@with_maker"', "no way leads to @staff_look"),
        ('branches.silent = {next = "@meter_fault", shows = ["utility_fault"]}', "", "branches"),
        ('then = "enquiry"', 'then = "order"', "works order"),
        ('id = "looking"', 'id = "sound"', "twice"),
        ("[ask.power]", "[ask.meter]", "twice"),
    ],
)  # fmt: skip
def test_a_table_that_breaks_the_order_is_refused(right: str, wrong: str, why: str) -> None:
    """Rule fault.order cannot be edited away."""
    assert TABLE.count(right) == 1
    with pytest.raises(ValueError, match=re.escape(why)):
        read_tree(TABLE.replace(right, wrong))


# --- what a page draws ----------------------------------------------------------------------------------


def marks(situation: Situation, *answers: str) -> dict[str, str]:
    return {part.id: part.mark.value for part in link_parts(situation, end_of(situation, *answers))}


def test_the_parts_of_the_way() -> None:
    unknown, ok, look, fault = (mark.value for mark in (Mark.UNKNOWN, Mark.OK, Mark.LOOK, Mark.FAULT))
    begin = {"meter": unknown, "terminal": unknown, "cable": look, "ems": unknown}
    assert marks(IN_SERVICE) == begin
    assert marks(TERMINAL_UP) == {**begin, "meter": ok, "terminal": ok}
    assert marks(METER_SILENT) == {**begin, "meter": fault, "terminal": ok}
    assert marks(IN_SERVICE, "firm", "firm", "lit", "lit", "not_yet") == {
        "meter": unknown, "terminal": ok, "cable": ok, "ems": look,
    }  # fmt: skip
    assert marks(IN_SERVICE, "firm", "firm", "dark") == {**begin, "cable": look}
    assert marks(IN_SERVICE, "damaged")["cable"] == fault
    assert marks(IN_SERVICE, "firm", "firm", "lit", "lit", "sound")["ems"] == ok
    assert marks(IN_SERVICE, "cannot")["cable"] == look
    assert marks(Situation.of(State.ENDED))["cable"] == unknown
    whose = [part.who.value for part in link_parts(IN_SERVICE, end_of(IN_SERVICE))]
    assert whose == ["utility", "utility", "customer", "customer"]


# --- records --------------------------------------------------------------------------------------------


def probe(clock: ManualClock, terminal: bool | None, meter: bool | None, **more: Any) -> ProbeResult:
    values = {
        "at": clock.now(),
        "reached": bool(terminal),
        "terminal_up": terminal,
        "meter_answers": meter,
        "values": {"積算電力量": "123456 kWh"},
        "reason": Words("端末が応答しました。", "The terminal answered."),
    }
    return ProbeResult(**{**values, **more})


def answered(desk: Desk, actor: Actor, view: FaultView, *answers: str) -> FaultView:
    for answer in answers:
        assert view.position.ask is not None
        view = desk.faults.answer(actor, view.fault.number, view.position.ask.id, answer)
    return view


def test_a_record_from_question_to_works_order(either: Desk, clock: ManualClock) -> None:
    case = put_case(either)
    begun = either.faults.begin(COUNTER, case_id=case.id, probe=probe(clock, terminal=False, meter=None))
    assert begun.fault.number == "FT-2026-00001"
    assert begun.fault.office == NORTH
    assert begun.fault.supply_point == POINTS[0]
    assert begun.fault.outcome == ""
    with pytest.raises(RuleError, match=r"FT-2026-00001 does not lie") as refused:
        either.faults.open_order(COUNTER, begun.fault.number)
    assert refused.value.rule == "fault.order"
    view = answered(either, COUNTER, begun, "firm", "firm", "lit", "yes")
    assert view.outcome is not None
    assert (view.outcome.id, view.fault.side, view.fault.closed_at) == ("terminal_fault", Side.UTILITY, None)
    assert [one.number for one in either.faults.waiting(COUNTER)] == [view.fault.number]
    assert either.faults.waiting(SUPERVISOR, SOUTH) == []
    assert either.faults.waiting(SUPERVISOR, NORTH) == [view.fault]
    assert view.situation.terminal_up is False
    ordered = either.faults.open_order(COUNTER, view.fault.number, date(2026, 7, 3), "10:00–11:00")
    orders = [one for one in either.lists.works(COUNTER, case.id) if one.kind is WorksKind.REPAIR]
    assert [(one.id, one.planned_on, one.window) for one in orders] == [
        (ordered.fault.order, date(2026, 7, 3), "10:00–11:00")
    ]
    assert either.faults.open_order(COUNTER, view.fault.number).fault == ordered.fault  # once is enough
    with pytest.raises(NoStepError):
        either.faults.back(COUNTER, view.fault.number)
    closed = either.faults.close(WORKS, view.fault.number)
    assert closed.fault.closed_by == WORKS.reference
    assert either.faults.close(COUNTER, view.fault.number).fault == closed.fault
    assert either.faults.waiting(COUNTER) == []
    assert [step.kind.value for step in closed.steps] == [
        "probe", "answer", "answer", "answer", "answer", "order", "close",
    ]  # fmt: skip
    assert either.faults.outcomes(SUPERVISOR) == {
        Side.CUSTOMER: 0, Side.EMS_MAKER: 0, Side.UTILITY: 1, Side.NONE: 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    "answers",
    [
        ["firm", "firm", "lit", "lit", "not_yet"],
        ["damaged"],
        ["cannot"],
        ["firm", "firm", "lit", "lit", "sound"],
        ["firm"],
        [],
    ],
)
def test_no_works_order_on_any_other_side(desk: Desk, answers: list[str]) -> None:
    """Rule fault.order, in the records: also for a supervisor and for the program itself."""
    case = put_case(desk)
    view = answered(desk, COUNTER, desk.faults.begin(COUNTER, case_id=case.id), *answers)
    for actor in (COUNTER, SUPERVISOR, SYSTEM):
        with pytest.raises(RuleError, match="does not lie on"):
            desk.faults.open_order(actor, view.fault.number)
    assert [one for one in desk.lists.works(COUNTER, case.id) if one.kind is WorksKind.REPAIR] == []


def test_no_works_order_for_a_terminal_without_electricity(desk: Desk, clock: ManualClock) -> None:
    """Rule fault.order: the terminal is silent and the cable was looked at, yet nothing is broken."""
    down = probe(clock, terminal=False, meter=None)
    view = desk.faults.begin(COUNTER, case_id=put_case(desk).id, probe=down)
    view = answered(desk, COUNTER, view, "firm", "firm", "lit", "no")
    assert view.fault.outcome == "power_out"
    with pytest.raises(RuleError, match="does not lie on"):
        desk.faults.open_order(COUNTER, view.fault.number)


def test_an_outcome_that_is_nobodys_work_here_closes_the_record(desk: Desk, clock: ManualClock) -> None:
    case = put_case(desk, State.SUSPENDED, suspend_reason="meter_replacement")
    view = desk.faults.begin(COUNTER, case_id=case.id)
    assert view.fault.outcome == "replacement"
    assert view.fault.closed_at == clock.now()
    assert view.fault.side is Side.NONE


def test_an_answer_is_taken_back_and_stays_in_the_record(desk: Desk) -> None:
    case = put_case(desk)
    number = answered(
        desk, COUNTER, desk.faults.begin(COUNTER, case_id=case.id), "firm", "damaged"
    ).fault.number
    closed = desk.faults.view(COUNTER, number)
    assert closed.fault.closed_at is not None
    view = desk.faults.back(COUNTER, number)
    assert view.position.ask is not None
    assert view.position.ask.id == "cable_terminal"
    assert (view.fault.outcome, view.fault.side, view.fault.closed_at) == ("", None, None)
    view = answered(desk, COUNTER, view, "firm")
    assert [(step.kind, step.step, step.value) for step in view.steps] == [
        (StepKind.ANSWER, "cable_ems", "firm"),
        (StepKind.ANSWER, "cable_terminal", "damaged"),
        (StepKind.BACK, "cable_terminal", "damaged"),
        (StepKind.ANSWER, "cable_terminal", "firm"),
    ]
    desk.faults.back(COUNTER, number)
    desk.faults.back(COUNTER, number)
    with pytest.raises(NoStepError):
        desk.faults.back(COUNTER, number)


def test_an_answer_to_a_question_that_is_past(desk: Desk) -> None:
    number = desk.faults.begin(COUNTER, case_id=put_case(desk).id).fault.number
    first = desk.faults.answer(COUNTER, number, "cable_ems", "firm")
    assert desk.faults.answer(COUNTER, number, "cable_ems", "firm") == first  # clicked twice
    with pytest.raises(ChangedMeanwhileError) as refused:
        desk.faults.answer(COUNTER, number, "cable_ems", "loose")  # from another window
    assert refused.value.by == COUNTER.reference
    with pytest.raises(InputError):
        desk.faults.answer(COUNTER, number, "cable_terminal", "perhaps")
    assert desk.faults.view(COUNTER, number) == first


def test_a_closed_record_takes_no_more_answers(desk: Desk, clock: ManualClock) -> None:
    number = desk.faults.begin(COUNTER, case_id=put_case(desk).id).fault.number
    desk.faults.close(COUNTER, number)
    with pytest.raises(NoStepError):
        desk.faults.answer(COUNTER, number, "cable_ems", "firm")
    with pytest.raises(NoStepError):
        desk.faults.observe(COUNTER, number, probe(clock, terminal=True, meter=True))
    with pytest.raises(NoStepError):
        desk.faults.back(COUNTER, number)


def test_what_the_terminal_side_says_changes_the_way(desk: Desk, clock: ManualClock) -> None:
    case = put_case(desk)
    view = answered(desk, COUNTER, desk.faults.begin(COUNTER, case_id=case.id), "firm", "firm", "lit")
    assert view.position.ask is not None
    assert view.position.ask.id == "terminal_lamp"
    seen = desk.faults.observe(SYSTEM, view.fault.number, probe(clock, terminal=True, meter=False))
    assert seen.fault.outcome == "meter_fault"
    assert seen.probe is not None
    assert seen.probe.reason.en == "The terminal answered."
    with pytest.raises(NoStepError):
        desk.faults.observe(SYSTEM, view.fault.number, probe(clock, terminal=True, meter=True))


ADDRESSED = Words("端末 192.0.2.7 が応答しました。積算電力量 123456 kWh。", "192.0.2.7 answers: 123456 kWh.")


def test_what_a_probe_said_and_read_is_for_the_staff_alone(either: Desk, clock: ManualClock) -> None:
    """Addresses of the utility's network and readings: in the staff's record, under the customer's key."""
    case = put_case(either)
    owner = customer_of(case)
    seen = probe(clock, terminal=True, meter=True, reason=ADDRESSED, labels={"積算電力量": Words("電", "E")})
    begun = either.faults.begin(owner, case_id=case.id, probe=seen)
    number = begun.fault.number
    again = either.faults.observe(owner, number, seen)
    for view in (begun, again, either.faults.view(owner, number)):
        told = f"{view.probe} {view.steps}"
        assert view.situation.meter_answers is True
        assert "192.0.2.7" not in told
        assert "123456" not in told
    whole = either.faults.view(COUNTER, number)
    assert whole.probe == seen
    assert [step.probe for step in whole.steps] == [seen, seen]
    with either.database.reading() as connection:
        kept = connection.execute(select(fault_step.c.value)).scalars().all()
    assert "123456" not in "".join(kept)
    assert "192.0.2.7" not in "".join(kept)
    assert json.loads(kept[0])["meter_answers"] is True


def test_what_a_probe_read_goes_with_its_customer(either: Desk, clock: ManualClock) -> None:
    case = put_case(either)
    seen = probe(clock, terminal=True, meter=False, reason=ADDRESSED)
    number = either.faults.begin(COUNTER, case_id=case.id, probe=seen).fault.number
    erase(either, case)
    view = either.faults.view(COUNTER, number)
    assert view.probe is not None
    assert (view.probe.meter_answers, view.probe.values, view.probe.reason) == (False, {}, Words("", ""))


def test_a_probe_of_nobody_known_says_only_whether_it_answers(desk: Desk, clock: ManualClock) -> None:
    begun = desk.faults.begin(COUNTER, probe=probe(clock, terminal=True, meter=True))
    assert begun.probe is not None
    assert (begun.probe.meter_answers, begun.probe.values) == (True, {})


def test_searches_that_are_not_at_their_end(desk: Desk) -> None:
    case = put_case(desk)
    first = answered(desk, COUNTER, desk.faults.begin(COUNTER, case_id=case.id), "firm").fault
    second = desk.faults.begin(COUNTER, case_id=case.id).fault
    done = answered(desk, COUNTER, desk.faults.begin(COUNTER, case_id=case.id), "damaged").fault
    given_up = desk.faults.close(COUNTER, desk.faults.begin(COUNTER, case_id=case.id).fault.number).fault
    listed = [one.number for one in desk.faults.unfinished(COUNTER)]
    assert listed == [second.number, first.number]
    assert {done.number, given_up.number}.isdisjoint(listed)
    assert desk.faults.unfinished(SUPERVISOR, SOUTH) == []
    assert desk.faults.how_many(COUNTER) == (0, 2)
    assert desk.faults.how_many(SUPERVISOR, SOUTH) == (0, 0)


def test_whoever_only_reads_answers_nothing(desk: Desk, clock: ManualClock) -> None:
    number = answered(
        desk, COUNTER, desk.faults.begin(COUNTER, case_id=put_case(desk).id), "firm"
    ).fault.number
    before = desk.faults.view(AUDITOR, number)
    for act in (
        lambda: desk.faults.answer(AUDITOR, number, "cable_terminal", "firm"),
        lambda: desk.faults.back(AUDITOR, number),
        lambda: desk.faults.observe(AUDITOR, number, probe(clock, terminal=True, meter=True)),
    ):
        with pytest.raises(ForbiddenError):
            act()
    assert desk.faults.view(AUDITOR, number) == before
    assert desk.faults.answer(WORKS, number, "cable_terminal", "firm").fault.version > before.fault.version


def test_an_old_probe_says_nothing_of_now(desk: Desk, clock: ManualClock) -> None:
    case = put_case(desk)
    old = probe(clock, terminal=False, meter=False)
    clock.advance(PROBE_FRESH)
    assert desk.faults.begin(COUNTER, case_id=case.id, probe=old).probe is not None
    clock.advance(timedelta(seconds=1))
    assert desk.faults.begin(COUNTER, case_id=case.id, probe=old).probe is None


def test_somebody_unknown_begins_and_staff_find_the_case(desk: Desk) -> None:
    view = answered(desk, SYSTEM, desk.faults.begin(SYSTEM, office=NORTH), "yes", "no", "firm", "firm")
    view = answered(desk, SYSTEM, view, "lit", "dark", "yes")
    assert view.fault.outcome == "terminal_dark"
    with pytest.raises(NoStepError):  # whose terminal?
        desk.faults.open_order(COUNTER, view.fault.number)
    case = put_case(desk)
    with pytest.raises(ForbiddenError):
        desk.faults.set_case(AUDITOR, view.fault.number, case.id)
    known = desk.faults.set_case(COUNTER, view.fault.number, case.id)
    assert (known.fault.case, known.fault.supply_point) == (case.id, case.supply_point)
    with pytest.raises(NoStepError):
        desk.faults.set_case(COUNTER, view.fault.number, case.id)
    assert desk.faults.open_order(COUNTER, view.fault.number).fault.order is not None
    assert [one.number for one in desk.faults.of_case(COUNTER, case.id)] == [view.fault.number]


def test_an_enquiry_that_came_of_it(desk: Desk) -> None:
    case = put_case(desk)
    view = answered(
        desk, COUNTER, desk.faults.begin(COUNTER, case_id=case.id), "firm", "firm", "lit", "lit", "sound"
    )
    asked = desk.enquiries.open(
        COUNTER, topic="no_data", text="メーカーは異常なしと言っています", case_id=case.id
    )
    noted = desk.faults.note_enquiry(COUNTER, view.fault.number, asked)
    assert noted.fault.enquiry == asked.id
    assert noted.steps[-1].value == asked.number
    with pytest.raises(NoStepError):
        desk.faults.back(COUNTER, view.fault.number)


def test_who_sees_a_record(desk: Desk) -> None:
    case = put_case(desk)
    number = desk.faults.begin(COUNTER, case_id=case.id).fault.number
    owner = Actor(reference="person:20", role=Role.CUSTOMER, customer=case.customer)
    other = Actor(reference="person:21", role=Role.CUSTOMER, customer=case.customer + 1)
    nobody = Actor(reference="person:22", role=Role.CUSTOMER)
    viewer = Actor(reference="person:23", role=Role.VIEWER)
    for actor in (COUNTER, WORKS, SUPERVISOR, AUDITOR, SYSTEM, owner):
        assert desk.faults.view(actor, f" {number.lower()} ").fault.number == number
    for actor in (STRANGER, other, nobody, viewer):
        with pytest.raises(UnknownError):
            desk.faults.view(actor, number)
    for typed in ("", "FT-2026-99999", "FT-2026", "1; DROP TABLE", "FT-2026-000000000000000001"):
        with pytest.raises(UnknownError):
            desk.faults.view(SUPERVISOR, typed)
    for actor in (AUDITOR, owner):
        with pytest.raises(ForbiddenError):
            desk.faults.close(actor, number)
    mine = desk.faults.begin(nobody)
    assert desk.faults.view(nobody, mine.fault.number) == mine


def test_numbers_run_by_year(desk: Desk, clock: ManualClock) -> None:
    numbers = [desk.faults.begin(SYSTEM).fault.number for _ in range(2)]
    clock.set(datetime(2026, 12, 31, 15, 0, tzinfo=UTC))  # a new year in Japan
    numbers.append(desk.faults.begin(SYSTEM).fault.number)
    assert numbers == ["FT-2026-00001", "FT-2026-00002", "FT-2027-00001"]
    assert START.year == 2026


def test_a_case_that_has_ended(desk: Desk) -> None:
    assert desk.faults.begin(COUNTER, case_id=put_case(desk, State.ENDED).id).fault.outcome == "ended"
