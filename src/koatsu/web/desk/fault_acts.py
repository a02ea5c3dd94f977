"""What is done with a record of "no data arrives": by its customer, for a caller, by the staff afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import Request
from starlette.datastructures import FormData

from koatsu.desk.checking import read_day
from koatsu.desk.errors import ChangedMeanwhileError, DeskError, ForbiddenError, InputError, UnknownError
from koatsu.desk.fault_rows import FaultView
from koatsu.desk.models import Actor, Case
from koatsu.desk.plain_text import TextRefused, kept_text
from koatsu.desk.probe import ProbeResult
from koatsu.desk.words import Words
from koatsu.web.desk.asking import add_errors
from koatsu.web.desk.own_words import IN_USE
from koatsu.web.desk.pace import let_through
from koatsu.web.forms import Errors, text_of
from koatsu.web.texts import Texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["FaultActs"]

_LONGEST_WINDOW: Final = 40
_PAST: Final = Words("この日は過ぎています。", "This day is past.")


class FaultActs:
    """The forms of a record; ``do`` says which."""

    def __init__(self, desk: Desk, t: Texts) -> None:
        self._desk, self._t = desk, t

    def take(self, request: Request, actor: Actor, number: str, form: FormData, *, staff: bool) -> Errors:
        """Answer, go back, look again; for staff also: name the case, order works, close. What went wrong.

        Raises:
            UnknownError: there is no such record for ``actor``.
            ForbiddenError: ``actor`` may not.
        """
        errors, faults, todo = Errors(), self._desk.faults, text_of(form, "do")
        view = faults.view(actor, number)
        try:
            if todo == "back":
                faults.back(actor, number)
            elif todo == "look":
                self._look_again(request, actor, view)
            elif staff and todo == "case":
                found = self._desk.cases.find(actor, text_of(form, "case", 40))
                faults.set_case(actor, number, found.id)
            elif staff and todo == "order":
                self._order(actor, number, form)
            elif staff and todo == "close":
                faults.close(actor, number)
            else:
                faults.answer(actor, number, text_of(form, "step", 40), text_of(form, "answer", 40))
        except InputError as error:
            add_errors(errors, error, self._t.lang)
        except ChangedMeanwhileError:
            errors.add("form", self._t("desk_no_data.moved_on"))
        except ForbiddenError:
            raise
        except DeskError as error:
            errors.add("case" if todo == "case" else "form", error.text(self._t.lang))
        return errors

    def asked(self, request: Request, found: Case) -> ProbeResult | None:
        """What the terminal of a case says now; ``None``: it cannot be asked, or was asked too often."""
        probe = self._desk.probe
        if probe is None or found.state not in IN_USE or not probe.knows(found.supply_point):
            return None
        return probe.ask(found.supply_point) if let_through(request, "probe") else None

    def can_ask(self, actor: Actor, view: FaultView) -> bool:
        """Whether the terminal can be asked now, and whether it would still change anything."""
        probe, fault = self._desk.probe, view.fault
        if probe is None or fault.case is None or fault.outcome or fault.closed_at is not None:
            return False
        try:
            found = self._desk.cases.get(actor, fault.case)
        except UnknownError:  # it belongs to another office by now
            return False
        return found.state in IN_USE and probe.knows(found.supply_point)

    def _look_again(self, request: Request, actor: Actor, view: FaultView) -> None:
        if view.fault.case is None:
            return
        probe = self.asked(request, self._desk.cases.get(actor, view.fault.case))
        if probe is not None:
            self._desk.faults.observe(actor, view.fault.number, probe)

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
        if day is not None and day < self._desk.registers.today():
            raise InputError({"planned_on": _PAST})
        try:
            window = kept_text(text_of(form, "window"), _LONGEST_WINDOW)
        except TextRefused as error:
            raise InputError({"window": error.words}) from error
        self._desk.faults.open_order(actor, number, day, window)
