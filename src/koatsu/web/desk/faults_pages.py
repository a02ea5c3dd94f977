"""The records of "no data arrives" for the staff: what waits for the utility, and each as it went."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from koatsu.clock import JST
from koatsu.desk.errors import UnknownError
from koatsu.desk.fault_rows import FaultView
from koatsu.desk.models import Actor, Case
from koatsu.desk.point_numbers import masked
from koatsu.desk.triage import CABLE, UTILITY_FAULT, Side, Then
from koatsu.desk.works import KIND_WORDS
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.case_lines import day_words
from koatsu.web.desk.fault_acts import FaultActs
from koatsu.web.desk.fault_words import (
    SIDE_TONES,
    fault_lines,
    outcome_words,
    probe_rows,
    probe_words,
    went,
)
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.guiding import PARTS, parts_seen
from koatsu.web.desk.pages import DeskPages
from koatsu.web.forms import Errors, Form, text_of
from koatsu.web.record import callers
from koatsu.web.refusals import RefusedError

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["FaultsPages"]

_MOST: Final = 200  #: records of a list
_DONE: Final = ("answer", "back", "look", "case", "order", "close")


class FaultsPages(DeskPages):
    """``/faults``; its guide for a caller stands in :mod:`koatsu.web.desk.no_data_pages`, before it."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.acts = FaultActs(desk, frame.t)
        self.route("GET", "/faults", self.show, Right.DESK_READ)
        self.route("GET", "/faults/{number}", self.one, Right.DESK_READ)
        self.route("POST", "/faults/{number}", self.act, Right.DESK_READ)

    def show(self, request: Request) -> HTMLResponse:
        """What waits for the utility, or what is not at its end; how often it came out on which side."""
        actor, t, given = actor_of(request), self.t, request.query_params
        today, faults = self.desk.registers.today(), self.desk.faults
        offices = {one.code: one.name for one in self.desk.registers.offices(present=False)}
        office = given.get("office", "") if given.get("office", "") in offices else ""
        open_ones = given.get("which") == "unfinished"
        found = (faults.unfinished if open_ones else faults.waiting)(actor, office or None, _MOST)
        cases = self.desk.lists.numbers(actor, [one.case for one in found])
        called = callers(self.frame.access.people, t)
        waiting, unfinished = faults.how_many(actor, office or None)
        address = f"{t.prefix}/faults"
        tail = f"office={office}" if office else ""
        values = {
            "lines": fault_lines(found, t, today, called, offices, cases),
            "tabs": [
                (t("desk_faults.waiting"), f"{address}?{tail}".rstrip("?"), not open_ones, waiting),
                (
                    t("desk_faults.unfinished"),
                    f"{address}?which=unfinished{'&' + tail if tail else ''}",
                    open_ones,
                    unfinished,
                ),
            ],
            "which": "unfinished" if open_ones else "",
            "offices": self._offices(actor, office, offices),
            "full": len(found) == _MOST,
            **self._outcomes(actor),
        }
        return self.frame.show(request, "desk/faults.html", values, here="faults")

    def one(self, request: Request, number: str) -> HTMLResponse:
        """A record: the way so far, what the terminal's side says, what can be done next."""
        return self._page(request, self.desk.faults.view(actor_of(request), number), Errors())

    def act(self, request: Request, number: str, form: Form) -> Response:
        """Go on with it: for the customer at the telephone, or on the utility's side."""
        actor = actor_of(request)
        if not _may_act(actor):
            raise RefusedError("no_right", 403)
        errors = self.acts.take(request, actor, number, form, staff=True)
        view = self.desk.faults.view(actor, number)
        if errors:
            return self._page(request, view, errors, status=422)
        todo = text_of(form, "do")
        return self.to(f"/faults/{view.fault.number}?done={todo if todo in _DONE else 'answer'}")

    # --- the list ---------------------------------------------------------------------------------------

    def _offices(self, actor: Actor, office: str, offices: Mapping[str, str]) -> list[tuple[str, str, bool]]:
        """The offices to choose from, for those who see several."""
        if actor.office is not None or len(offices) < 2:
            return []
        every = ("", self.t("desk_list.every_office"), not office)
        return [every, *((code, name, code == office) for code, name in offices.items())]

    def _outcomes(self, actor: Actor) -> dict[str, object]:
        """How often it came out on which side, each with the length of its bar."""
        counts = self.desk.faults.outcomes(actor)
        most = max([1, *counts.values()])
        return {
            "outcomes": [
                (self.t(f"desk_no_data.side_{side}"), number, round(100 * number / most))
                for side, number in counts.items()
            ],
            "whole": sum(counts.values()),
        }

    # --- one record -------------------------------------------------------------------------------------

    def _page(self, request: Request, view: FaultView, errors: Errors, *, status: int = 200) -> HTMLResponse:
        actor, t, fault = actor_of(request), self.t, view.fault
        today, position = self.desk.registers.today(), view.position
        case = self._case(actor, view)
        called = callers(self.frame.access.people, t)
        named = [int(step.value) for step in view.steps if step.kind == "case"]
        cases = self.desk.lists.numbers(actor, [fault.case, *named])
        notes, tones = parts_seen(view.probe, t)
        closed = fault.closed_at is not None
        enquiry = next((step.value for step in view.steps if step.kind == "enquiry"), "")
        values = {
            "one": fault,
            "case": case,
            "point": masked(fault.supply_point) if fault.supply_point else "",
            "side": "" if fault.side is None else t(f"desk_no_data.side_{fault.side}"),
            "tone": "idle" if fault.side is None else SIDE_TONES[fault.side],
            "outcome": outcome_words(fault, t),
            "advice": "" if view.outcome is None else view.outcome.advice.text(t.lang),
            "question": None if closed else position.ask,
            "answers": []
            if position.ask is None
            else [(answer.id, answer.words.text(t.lang)) for answer in position.ask.answers],
            "path": [
                (turn.ask.question.text(t.lang), turn.answer.words.text(t.lang)) for turn in position.path
            ],
            "told": [words.text(t.lang) for words in position.told] if _for_maker(view) else [],
            "enquiry": enquiry,
            "order": self._order(actor, view, case),
            "office": self._office(fault.office),
            "came": day_words(fault.opened_at.astimezone(JST).date(), today, t),
            "by": called(fault.opened_by),
            "closed_by": called(fault.closed_by) if closed else "",
            "history": went(view.steps, t, today, called, cases),
            "first": "" if position.ask is None else PARTS[position.ask.id],
            "notes": notes,
            "tones": tones,
            "seen": view.probe,
            "seen_words": "" if view.probe is None else probe_words(view.probe, t),
            "seen_rows": [] if view.probe is None else probe_rows(view.probe, t),
            "can": self._can(actor, view),
            "can_look": self.acts.can_ask(actor, view),
            "errors": errors.by_field,
            "example": f"{self.desk.settings.case_prefix}-{today.year}-00001",
            "done": self._said(request),
        }
        return self.frame.show(request, "desk/fault.html", values, here="faults", status=status)

    def _case(self, actor: Actor, view: FaultView) -> Case | None:
        try:
            return None if view.fault.case is None else self.desk.cases.get(actor, view.fault.case)
        except UnknownError:  # it belongs to another office by now
            return None

    def _can(self, actor: Actor, view: FaultView) -> set[str]:
        """What can be done next, by whoever takes such records further."""
        fault, position = view.fault, view.position
        if not _may_act(actor):
            return set()
        able = set()
        ours = fault.side is Side.UTILITY and position.shown >= CABLE | {UTILITY_FAULT}
        by_hand = any(step.kind == "close" for step in view.steps)
        if position.ask is not None and not by_hand:
            able.add("answer")
        if position.path and fault.order is None and fault.enquiry is None and not by_hand:
            able.add("back")
        if fault.case is None:
            able.add("case")
        elif ours and fault.order is None and fault.closed_at is None:
            able.add("order")
        if fault.closed_at is None:
            able.add("close")
        return able

    def _order(self, actor: Actor, view: FaultView, case: Case | None) -> tuple[str, str]:
        """The works order that came of it: what, and when it is to be done or was done."""
        if view.fault.order is None:
            return "", ""
        works = [] if case is None else self.desk.lists.works(actor, case.id)
        found = next((one for one in works if one.id == view.fault.order), None)
        if found is None:
            return self.t("desk_faults.did_order"), ""
        kind, day = KIND_WORDS[found.kind].text(self.t.lang), found.done_on or found.planned_on
        when = day_words(day, self.desk.registers.today(), self.t) if day else self.t("desk_faults.no_day")
        return kind, f"{when} {found.window}".strip()

    def _office(self, code: str) -> str:
        names = {one.code: one.name for one in self.desk.registers.offices(present=False)}
        return names.get(code, code)

    def _said(self, request: Request) -> str:
        """What has just been done, as the address says it."""
        done = request.query_params.get("done", "") if request.method == "GET" else ""
        return self.t(f"desk_faults.done_{done}") if done in _DONE else ""


def _for_maker(view: FaultView) -> bool:
    return view.outcome is not None and view.outcome.then is Then.MAKER


def _may_act(actor: Actor) -> bool:
    """Whether somebody takes records further: the counter and the works; others look."""
    rights = (Right.DESK_HANDLE, Right.DESK_WORK)
    return actor.role is not None and any(actor.role.may(right) for right in rights)
