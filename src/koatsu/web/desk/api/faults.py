"""The guide through "no data arrives" over the API, for staff: step by step, up to a works order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Path, Query, Request

from koatsu.desk.errors import InputError, UnknownError
from koatsu.desk.fault_rows import Fault as DeskFault
from koatsu.desk.fault_rows import FaultView
from koatsu.desk.models import Actor
from koatsu.desk.plain_text import TextRefused, kept_text
from koatsu.desk.words import Words
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.api.cases import OfOffice
from koatsu.web.desk.api.fault_models import (
    AnswerFault,
    AnyFaultAct,
    EndFault,
    Fault,
    FaultLine,
    FaultList,
    NameCase,
    NewFault,
    OrderWorks,
)
from koatsu.web.desk.api.groups import Group, overtaken

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Faults"]

_LONGEST_WINDOW: Final = 40
_PAST: Final = Words("この日は過ぎています。", "This day is past.")
_Number = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,40}$", examples=["FT-2026-00001"])]


class Faults(Group):
    """``/faults``."""

    tag = "faults"

    def __init__(self, desk: Desk, router: APIRouter) -> None:
        super().__init__(desk, router)
        read, handle = Right.DESK_READ, Right.DESK_HANDLE
        self.route("GET", "/faults", self.list_faults, read, FaultList)
        self.route("POST", "/faults", self.begin_fault, handle, Fault, status=201)
        self.route("GET", "/faults/{number}", self.get_fault, read, Fault)
        self.route("POST", "/faults/{number}/acts", self.act_on_fault, handle, Fault)

    def list_faults(
        self, request: Request, office: OfOffice = None, limit: Annotated[int, Query(ge=1, le=200)] = 50
    ) -> FaultList:
        """What lies on the utility's side and is not closed, the oldest first."""
        actor, faults = actor_of(request), self.desk.faults
        return FaultList(
            now=self.desk.clock.now(),
            outcomes={side.value: number for side, number in faults.outcomes(actor).items()},
            faults=[
                FaultLine.of(one, self._case(actor, one)) for one in faults.waiting(actor, office, limit)
            ],
        )

    def get_fault(self, request: Request, number: _Number) -> Fault:
        """Where a record stands: the next question with its answers, or the outcome."""
        actor = actor_of(request)
        return self._told(actor, self.desk.faults.view(actor, number))

    def begin_fault(self, request: Request, wanted: NewFault) -> Fault:
        """Begin to look for why no data arrives. No terminal is asked by it."""
        actor = actor_of(request)
        case = None if wanted.case is None else self.desk.cases.find(actor, wanted.case)
        made = self.desk.faults.begin(
            actor, case_id=None if case is None else case.id, office=actor.office or ""
        )
        return self._told(actor, made)

    def act_on_fault(self, request: Request, number: _Number, wanted: AnyFaultAct) -> Fault:
        """Answer the present question, take an answer back, name the case, order works, close.

        409 ``changed``: another question is asked by now. 422 ``rule``: works are ordered only where the
        fault lies on the utility's side.
        """
        actor = actor_of(request)
        with overtaken(lambda: self.desk.faults.view(actor, number).fault.version):
            return self._told(actor, self._done(actor, number, wanted))

    def _done(
        self, actor: Actor, number: str, wanted: AnswerFault | NameCase | OrderWorks | EndFault
    ) -> FaultView:
        faults = self.desk.faults
        match wanted:
            case AnswerFault():
                return faults.answer(actor, number, wanted.step, wanted.answer)
            case NameCase():
                return faults.set_case(actor, number, self.desk.cases.find(actor, wanted.case).id)
            case OrderWorks():
                return faults.open_order(actor, number, wanted.planned_on, self._window(wanted))
            case EndFault(act="back"):
                return faults.back(actor, number)
            case EndFault():
                return faults.close(actor, number)

    def _window(self, wanted: OrderWorks) -> str:
        """The time of day, if it and the day can be taken.

        Raises:
            InputError: they cannot.
        """
        if wanted.planned_on is not None and wanted.planned_on < self.desk.registers.today():
            raise InputError({"planned_on": _PAST})
        try:
            return kept_text(wanted.window, _LONGEST_WINDOW)
        except TextRefused as error:
            raise InputError({"window": error.words}) from error

    def _told(self, actor: Actor, view: FaultView) -> Fault:
        return Fault.of_view(view, self._case(actor, view.fault))

    def _case(self, actor: Actor, one: DeskFault) -> str | None:
        try:
            return None if one.case is None else self.desk.cases.get(actor, one.case).number
        except UnknownError:
            return None
