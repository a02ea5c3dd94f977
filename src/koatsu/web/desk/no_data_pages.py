"""No data arrives: question by question, first the cable, then the maker of the EMS, then the utility.

Everybody may go through it, without a login and without a trace. For a customer who has logged in it is a
record: what is known of the case and of the terminal's side goes in, and the staff see what came of it. Staff
make such a record for somebody who calls, and theirs alone is the works order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from koatsu.desk.errors import DeskError
from koatsu.desk.fault_rows import FaultView
from koatsu.desk.models import Actor
from koatsu.desk.point_numbers import masked
from koatsu.desk.probe import ProbeResult
from koatsu.desk.triage import Position, Situation, Then, tree, walk
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of, visitor_of
from koatsu.web.desk.fault_acts import FaultActs
from koatsu.web.desk.fault_words import SIDE_TONES, probe_words
from koatsu.web.desk.guiding import (
    PARTS,
    parts_seen,
    questions_ahead,
    read_way,
    summary,
    written_way,
)
from koatsu.web.desk.own_words import present_cases
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.registering import own_customer
from koatsu.web.forms import Errors, Form, text_of
from koatsu.web.navigation import exists

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["NoDataPages"]

_NO_RECORD: Final[dict[str, Any]] = {
    "record": None,
    "record_page": "",
    "here_at": "",
    "case": None,
    "point": "",
    "seen_words": "",
    "can_ask": False,
    "errors": {},
    "caller": False,
    "example": "",
}


class NoDataPages(DeskPages):
    """``/no-data``, and the same for a caller on ``/faults``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.acts = FaultActs(desk, frame.t)
        own, handle = Right.DESK_OWN, Right.DESK_HANDLE
        self.route("GET", "/no-data", self.guide, None)
        self.route("POST", "/no-data", self.begin, own)
        self.route("GET", "/no-data/{number}", self.recorded, own)
        self.route("POST", "/no-data/{number}", self.go_on, own)
        self.route("GET", "/faults/new", self.for_caller, handle)
        self.route("POST", "/faults/new", self.begin_for_caller, handle)
        self.route("GET", "/faults/{number}/guide", self.recorded_for_caller, handle)
        self.route("POST", "/faults/{number}/guide", self.go_on_for_caller, handle)

    # --- for everybody ----------------------------------------------------------------------------------

    def guide(self, request: Request, way: str = "") -> Response:
        """The questions, with the answers so far in the address."""
        visitor, situation = visitor_of(request), Situation()
        position = walk(tree(), situation, read_way(way))
        own = visitor is not None and visitor.role is not None and visitor.role.may(Right.DESK_OWN)
        cases = present_cases(self.desk, visitor) if own and visitor is not None else []
        here = f"{self.t.prefix}/no-data"

        def at(part: str) -> str:
            return f"{here}?way={written_way(position.path, part)}"

        back = written_way(position.path[:-1])
        values = {
            **self._position(position, situation, None),
            "answers": [] if position.ask is None else self._links(position, at),
            "back": (f"{here}?way={back}" if back else here) if position.path else "",
            "again": here,
            "ask": f"/enquiry?topic=no_data&way={written_way(position.path)}",
            "own_cases": [] if position.path else [(one, masked(one.supply_point)) for one in cases],
            **_NO_RECORD,
            "staff": visitor is not None and not own,
        }
        return self.frame.show(request, "desk/no-data.html", values, here="help")

    def _links(self, position: Position, at: Callable[[str], str]) -> list[tuple[str, str]]:
        assert position.ask is not None
        return [
            (at(f"{position.ask.id}.{one.id}"), one.words.text(self.t.lang)) for one in position.ask.answers
        ]

    # --- for a customer ---------------------------------------------------------------------------------

    def begin(self, request: Request, form: Form) -> Response:
        """Begin a record about one of the customer's cases."""
        actor = own_customer(self.desk, request)
        found = self.desk.cases.find(actor, text_of(form, "case", 40))
        probe = self.acts.asked(request, found)
        made = self.desk.faults.begin(actor, case_id=found.id, probe=probe)
        return self.to(f"/no-data/{made.fault.number}")

    def recorded(self, request: Request, number: str) -> Response:
        """Where a record stands."""
        actor = own_customer(self.desk, request)
        return self._page(request, actor, self.desk.faults.view(actor, number), Errors(), caller=False)

    def go_on(self, request: Request, number: str, form: Form) -> Response:
        """Answer, take the last answer back, or look at the terminal's side again."""
        return self._go_on(request, own_customer(self.desk, request), number, form, caller=False)

    # --- for a caller -----------------------------------------------------------------------------------

    def for_caller(self, request: Request) -> Response:
        """Staff: whose data does not arrive?"""
        return self._ask_case(request, "", Errors())

    def begin_for_caller(self, request: Request, form: Form) -> Response:
        """Staff: begin a record, of a case or of somebody whose case is not known yet."""
        actor, typed, errors = actor_of(request), text_of(form, "case", 40), Errors()
        found = None
        if typed:
            try:
                found = self.desk.cases.find(actor, typed)
            except DeskError as error:
                errors.add("case", error.text(self.t.lang))
                return self._ask_case(request, typed, errors, status=422)
        probe = None if found is None else self.acts.asked(request, found)
        made = self.desk.faults.begin(
            actor, case_id=None if found is None else found.id, office=actor.office or "", probe=probe
        )
        return self.to(f"/faults/{made.fault.number}/guide")

    def recorded_for_caller(self, request: Request, number: str) -> Response:
        """Staff: where a record stands, and the works order where one is due."""
        actor = actor_of(request)
        return self._page(request, actor, self.desk.faults.view(actor, number), Errors(), caller=True)

    def go_on_for_caller(self, request: Request, number: str, form: Form) -> Response:
        """Staff: answer for the caller, say whose case it is, order works, close."""
        return self._go_on(request, actor_of(request), number, form, caller=True)

    def _ask_case(self, request: Request, typed: str, errors: Errors, *, status: int = 200) -> Response:
        values = {"typed": typed, "errors": errors.by_field, "example": self._example()}
        return self.frame.show(request, "desk/no-data-caller.html", values, here="faults", status=status)

    def _example(self) -> str:
        return f"{self.desk.settings.case_prefix}-{self.desk.registers.today().year}-00001"

    # --- the record -------------------------------------------------------------------------------------

    def _go_on(
        self, request: Request, actor: Actor, number: str, form: FormData, *, caller: bool
    ) -> Response:
        errors = self.acts.take(request, actor, number, form, staff=caller)
        view = self.desk.faults.view(actor, number)
        if errors:
            return self._page(request, actor, view, errors, caller=caller, status=422)
        return self.to(f"/faults/{view.fault.number}/guide" if caller else f"/no-data/{view.fault.number}")

    # --- what is shown ----------------------------------------------------------------------------------

    def _page(
        self,
        request: Request,
        actor: Actor,
        view: FaultView,
        errors: Errors,
        *,
        caller: bool,
        status: int = 200,
    ) -> Response:
        fault = view.fault
        case = None if fault.case is None else self.desk.cases.get(actor, fault.case)
        here = f"{self.t.prefix}/{f'faults/{fault.number}/guide' if caller else f'no-data/{fault.number}'}"
        ask = view.position.ask
        page = f"{self.t.prefix}/faults/{fault.number}"
        values = {
            **self._position(view.position, view.situation, view.probe),
            "answers": [] if ask is None else [(one.id, one.words.text(self.t.lang)) for one in ask.answers],
            "back": here if view.position.path and fault.order is None and fault.enquiry is None else "",
            "again": f"{self.t.prefix}{'/faults/new' if caller else '/no-data'}",
            "ask": f"/enquiry?topic=no_data&fault={fault.number}",
            "own_cases": [],
            "record": fault,
            "record_page": page if caller and exists(request.app, f"{self.t.prefix}/faults/-") else "",
            "here_at": here,
            "case": case,
            "point": "" if case is None else masked(case.supply_point),
            "seen_words": "" if view.probe is None else probe_words(view.probe, self.t),
            "can_ask": self.acts.can_ask(actor, view),
            "errors": errors.by_field,
            "caller": caller,
            "example": self._example(),
            "staff": caller,
        }
        here_key = "faults" if caller else "my"
        return self.frame.show(request, "desk/no-data.html", values, here=here_key, status=status)

    def _position(
        self, position: Position, situation: Situation, probe: ProbeResult | None
    ) -> dict[str, Any]:
        """The question or the outcome, how far it is, and the drawing."""
        lang, ask, outcome = self.t.lang, position.ask, position.outcome
        notes, tones = parts_seen(probe, self.t)
        first = "" if ask is None else PARTS[ask.id]
        notes.setdefault(first, self.t("desk_parts.here"))
        done = len(position.path)
        ahead = questions_ahead(tree(), situation, position)
        return {
            "question": None if ask is None else ask,
            "outcome": outcome,
            "tone": "" if outcome is None else SIDE_TONES[outcome.side],
            "then": "" if outcome is None else outcome.then.value,
            "ends_well": outcome is not None and outcome.then in (Then.NOTHING, Then.WAIT),
            "number": done + 1,
            "most": done + ahead,
            "path": [(turn.ask.question.text(lang), turn.answer.words.text(lang)) for turn in position.path],
            "first": first,
            "notes": notes,
            "tones": tones,
            "seen": probe,
            "told": [words.text(lang) for words in position.told],
            "summary": summary(position, self.t),
        }
