"""Random staff do random things to random cases: no state without a way on, no forbidden step, history whole.

The model is the table of the life cycle and nothing else; the desk is the real one, on SQLite. Values come
from the table of fields, right and wrong ones.
"""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

from desk_site import (
    APPLICATION,
    CERTIFICATE,
    KEY,
    METER,
    NORTH,
    POINTS,
    SETTINGS,
    SOUTH,
    START,
    TERMINAL,
    furnish,
)
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from koatsu.clock import JST, ManualClock
from koatsu.desk import SYSTEM, Actor, Case, Desk, DeskError, Event, State
from koatsu.desk.fields import FIELDS, Field, Kind
from koatsu.desk.lifecycle import BACK, STAY, STEPS, Step, step_for, steps_from
from koatsu.desk.states import ENDED, LIVE
from koatsu.people import Role

ACTORS = [
    Actor(reference="person:1", role=Role.OWNER),
    Actor(reference="person:2", role=Role.COUNTER, office=NORTH),
    Actor(reference="person:3", role=Role.WORKS, office=NORTH),
    Actor(reference="person:4", role=Role.SUPERVISOR),
    Actor(reference="person:5", role=Role.AUDITOR),
    Actor(reference="person:6", role=Role.COUNTER, office=SOUTH),
    Actor(reference="person:7", role=Role.CUSTOMER, customer=1),
]
STAFF_ROLES = {Role.COUNTER, Role.WORKS, Role.SUPERVISOR}
GOOD = {
    "terminal_type": TERMINAL,
    "meter_type": METER,
    "rule": "eligible.ems",
    "office": NORTH,
    "assignee": "person:2",
    "ems_certificate": CERTIFICATE,
    "retailer": "あおぞら電力",
    **{name: value for name, value in APPLICATION.items() if name not in ("supply", "ems_installed")},
}


def value_of(field: Field, today: date, draw: st.DrawFn) -> str:
    """Something for a field, mostly sound."""
    if field.name in GOOD and draw(st.integers(0, 9)):
        return GOOD[field.name]
    if field.kind is Kind.CHOICE:
        return draw(st.sampled_from([code for code, _ in field.choices]))
    if field.kind is Kind.DATE:
        near = draw(st.integers(-2, 12))
        days = {"future": abs(near), "past": -abs(near)}.get(field.days, near)
        return (today + timedelta(days=days)).isoformat()
    if field.kind in (Kind.TEXT, Kind.LONG):
        return draw(st.sampled_from(["試験", "A-1", "𠮷野", "10:00–11:00"]))
    return {Kind.PHONE: "092-000-0002", Kind.EMAIL: "a@b.example", Kind.POSTAL: "812-0011"}.get(
        field.kind, ""
    )


@st.composite
def given_to(draw: st.DrawFn, step: Step, today: date) -> dict[str, str]:
    """What somebody types into the form of a step; now and then a field is left out or too much."""
    names = [name for name in step.names if name in step.required or draw(st.booleans())]
    if step.event is Event.CORRECT:
        names.append(draw(st.sampled_from(["terminal_serial", "customer_name", "works_on"])))
    if names and not draw(st.integers(0, 11)):
        names.remove(draw(st.sampled_from(names)))
    return {name: value_of(FIELDS[name], today, draw) for name in names}


class Staff(RuleBasedStateMachine):
    """Many people at one desk."""

    cases = Bundle("cases")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="koatsu-desk-")
        self.clock = ManualClock(START)
        store = Path(self.folder.name) / "desk.db"
        self.desk = Desk.open(store, settings=SETTINGS, clock=self.clock, key=KEY)
        with self.desk.database.writing() as connection:
            furnish(connection)
        self.seen: dict[int, Case] = {}
        self.entries: dict[int, int] = {}

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            assert self.desk.cases.verify() is None
            for case_id, number in self.entries.items():
                history = self.desk.cases.history(SYSTEM, case_id)
                assert len(history) == number
                self.history_tells_the_case(self.desk.cases.get(SYSTEM, case_id), history)
            self.desk.close()
            self.folder.cleanup()

    @property
    def today(self) -> date:
        return self.clock.now().astimezone(JST).date()

    @rule(target=cases, actor=st.sampled_from(ACTORS[1:4]), point=st.sampled_from(POINTS[:3]))
    def take_in(self, actor: Actor, point: str) -> object:
        """A form comes in."""
        try:
            case = self.desk.cases.open(actor, {"supply_point": point, **APPLICATION})
        except DeskError:
            assert actor.role is Role.WORKS
            return multiple()
        self.seen[case.id], self.entries[case.id] = case, 2
        return case.id

    @rule(case_id=cases, actor=st.sampled_from(ACTORS), data=st.data(), stale=st.integers(0, 9))
    def act(self, case_id: int, actor: Actor, data: st.DataObject, stale: int) -> None:
        """Somebody presses a button, or sends what no button sends."""
        before = self.desk.cases.get(SYSTEM, case_id)
        sound = list(steps_from(before.state)) if data.draw(st.integers(0, 5)) else list(STEPS)
        step = data.draw(st.sampled_from(sound))
        given = data.draw(given_to(step, self.today))
        try:
            after = self.desk.cases.act(actor, case_id, step.event, given, seen=before.version - (not stale))
        except DeskError:
            assert self.desk.cases.get(SYSTEM, case_id) == before, (
                "a refused step leaves everything as it was"
            )
            return
        self.was_allowed(before, after, step.event, actor)
        self.seen[case_id] = after
        self.entries[case_id] += 1

    @rule(case_id=cases)
    def go_on(self, case_id: int) -> None:
        """The main way is open to somebody, given what it asks for, or its rule says what is missing."""
        case = self.seen[case_id]
        if case.state not in LIVE:
            return
        assert any(self.desk.cases.steps(actor, case) for actor in ACTORS), "no state without a way on"

    @rule(days=st.integers(0, 40))
    def pass_time(self, days: int) -> None:
        self.clock.advance(timedelta(days=days))
        for case in self.desk.chores.remind():
            self.seen[case.id] = case
            self.entries[case.id] += 1

    @invariant()
    def nobody_else_changed_anything(self) -> None:
        for case_id, case in getattr(self, "seen", {}).items():
            assert self.desk.cases.get(SYSTEM, case_id) == case

    @invariant()
    def a_point_has_one_application(self) -> None:
        live = [
            case.supply_point
            for case in getattr(self, "seen", {}).values()
            if case.state in LIVE - {State.DRAFT}
        ]
        assert len(live) == len(set(live))

    @staticmethod
    def was_allowed(before: Case, after: Case, event: Event, actor: Actor) -> None:
        """The table, read a second time."""
        step = step_for(event, before.state)
        assert step is not None, "only from where the table says"
        assert actor.role in step.who or (actor.role is Role.OWNER and Role.SUPERVISOR in step.who)
        if actor.office is not None:
            assert before.office in (actor.office, "")
        if actor.role is Role.CUSTOMER:
            assert before.customer == actor.customer
        if step.after == STAY:
            assert after.state is before.state
        elif step.after == BACK:
            assert after.state is before.back
        else:
            assert after.state is step.after
        assert after.version == before.version + 1
        if after.state is State.IN_SERVICE and before.state is State.CONNECTION_CHECK:
            checks = ("check_terminal", "check_meter", "check_values")
            assert all(after.fact(name) == "yes" for name in checks), "never assumed passed"
        if after.state is State.REFUSED:
            assert event is Event.REFUSE

    @staticmethod
    def history_tells_the_case(case: Case, history: list) -> None:
        """Folding the entries gives the case as it stands."""
        facts: dict[str, str] = {}
        state = None
        for number, entry in enumerate(history, start=1):
            assert (entry.number, entry.before) == (number, state)
            state = entry.after
            facts |= {
                name: value
                for name, value in entry.detail.items()
                if not value.startswith("text:") and not FIELDS[name].personal
            }
        assert state is case.state
        assert (case.state in ENDED) == (case.state in {State.ENDED, State.REFUSED})
        for name, value in case.facts.items():
            assert facts[name] == value
        assert case.office in ("", facts.get("office", case.office), NORTH, SOUTH)


TestStaff = Staff.TestCase
TestStaff.settings = settings(max_examples=25, stateful_step_count=40)
