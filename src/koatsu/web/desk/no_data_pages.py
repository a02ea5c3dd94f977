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

from koatsu.desk.checking import read_day
from koatsu.desk.errors import ChangedMeanwhileError, DeskError, InputError
from koatsu.desk.fault_rows import FaultView
from koatsu.desk.models import Actor, Case
from koatsu.desk.plain_text import TextRefused, kept_text
from koatsu.desk.point_numbers import masked
from koatsu.desk.probe import ProbeResult
from koatsu.desk.triage import Position, Side, Situation, Then, tree, walk
from koatsu.desk.words import Words
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of, visitor_of
from koatsu.web.desk.asking import add_errors
from koatsu.web.desk.guiding import (
    PARTS,
    parts_seen,
    questions_ahead,
    read_way,
    seen_words,
    summary,
    written_way,
)
from koatsu.web.desk.own_words import IN_USE, present_cases
from koatsu.web.desk.pace import let_through
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.registering import own_customer
from koatsu.web.forms import Errors, Form, text_of
from koatsu.web.navigation import exists

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["NoDataPages"]

_TONES: Final = {
    Side.CUSTOMER: "info",
    Side.EMS_MAKER: "info",
    Side.UTILITY: "caution",
    Side.NONE: "idle",
}
_LONGEST_WINDOW: Final = 40
_PAST: Final = Words("この日は過ぎています。", "This day is past.")
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
        probe = self._asked(request, found)
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
        probe = None if found is None else self._asked(request, found)
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
        errors, faults, todo = Errors(), self.desk.faults, text_of(form, "do")
        view = faults.view(actor, number)
        try:
            if todo == "back":
                faults.back(actor, number)
            elif todo == "look":
                self._look_again(request, actor, view)
            elif caller and todo == "case":
                found = self.desk.cases.find(actor, text_of(form, "case", 40))
                faults.set_case(actor, number, found.id)
            elif caller and todo == "order":
                self._order(actor, number, form)
            elif caller and todo == "close":
                faults.close(actor, number)
            else:
                faults.answer(actor, number, text_of(form, "step", 40), text_of(form, "answer", 40))
        except InputError as error:
            add_errors(errors, error, self.t.lang)
        except ChangedMeanwhileError:
            errors.add("form", self.t("desk_no_data.moved_on"))
        except DeskError as error:
            errors.add("case" if todo == "case" else "form", error.text(self.t.lang))
        if errors:
            view = faults.view(actor, number)
            return self._page(request, actor, view, errors, caller=caller, status=422)
        return self.to(f"/faults/{view.fault.number}/guide" if caller else f"/no-data/{view.fault.number}")

    def _look_again(self, request: Request, actor: Actor, view: FaultView) -> None:
        if view.fault.case is None:
            return
        probe = self._asked(request, self.desk.cases.get(actor, view.fault.case))
        if probe is not None:
            self.desk.faults.observe(actor, view.fault.number, probe)

    def _order(self, actor: Actor, number: str, form: FormData) -> None:
        """Open the works order, with a day and a time of day where they are known already.

        Raises:
            DeskError: it cannot be opened, or what was written cannot be taken.
        """
        day, typed = None, text_of(form, "planned_on", 20)
        try:
            day = read_day(typed) if typed else None
        except TextRefused as error:
            raise InputError({"planned_on": error.words}) from error
        if day is not None and day < self.desk.registers.today():
            raise InputError({"planned_on": _PAST})
        try:
            window = kept_text(text_of(form, "window"), _LONGEST_WINDOW)
        except TextRefused as error:
            raise InputError({"window": error.words}) from error
        self.desk.faults.open_order(actor, number, day, window)

    def _asked(self, request: Request, found: Case) -> ProbeResult | None:
        """What the terminal of a case says now; ``None``: it cannot be asked, or was asked too often."""
        probe = self.desk.probe
        if probe is None or found.state not in IN_USE or not probe.knows(found.supply_point):
            return None
        return probe.ask(found.supply_point) if let_through(request, "probe") else None

    def _can_ask(self, actor: Actor, view: FaultView) -> bool:
        probe, fault = self.desk.probe, view.fault
        if probe is None or fault.case is None or fault.outcome or fault.closed_at is not None:
            return False
        found = self.desk.cases.get(actor, fault.case)
        return found.state in IN_USE and probe.knows(found.supply_point)

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
            "seen_words": self._seen(view.probe, caller=caller),
            "can_ask": self._can_ask(actor, view),
            "errors": errors.by_field,
            "caller": caller,
            "example": self._example(),
            "staff": caller,
        }
        here_key = "faults" if caller else "my"
        return self.frame.show(request, "desk/no-data.html", values, here=here_key, status=status)

    def _seen(self, probe: ProbeResult | None, *, caller: bool) -> str:
        """What the terminal side says: in full for the staff, whether it answers for a customer."""
        if probe is None:
            return ""
        return probe.reason.text(self.t.lang) if caller else seen_words(probe, self.t)

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
            "tone": "" if outcome is None else _TONES[outcome.side],
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
