"""Cases over the API: the worklist, one case, what can be done with it, what is shown on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Query, Request

from koatsu.desk.errors import InputError, UnknownError
from koatsu.desk.lifecycle import Event
from koatsu.desk.models import Actor
from koatsu.desk.models import Case as DeskCase
from koatsu.desk.states import State
from koatsu.desk.words import Words
from koatsu.desk.worklists import PAGE, Turn
from koatsu.people import Right
from koatsu.web.access import access_of
from koatsu.web.answers import ApiError
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.api.case_models import (
    Act,
    CaseLine,
    CaseList,
    FoundCases,
    NewCase,
    Personal,
    Search,
    Shown,
)
from koatsu.web.desk.api.groups import Group, overtaken
from koatsu.web.desk.api.shapes import CODE, CaseNumber
from koatsu.web.desk.api.whole_case import NOT_HERE, Acted, Case, whole_case

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Cases", "OfOffice", "must_be_staff"]

_FOUND: Final = 50  #: cases that a search gives
_MOST: Final = 200

OfOffice = Annotated[str | None, Query(description="of this office only", pattern=CODE, examples=["chuo"])]


class Cases(Group):
    """``/cases``."""

    tag = "cases"

    def __init__(self, desk: Desk, router: APIRouter) -> None:
        super().__init__(desk, router)
        read, handle = Right.DESK_READ, Right.DESK_HANDLE
        self.route("GET", "/cases", self.list_cases, read, CaseList)
        self.route("POST", "/cases", self.open_case, handle, Acted, status=201)
        self.route("POST", "/cases/search", self.search_cases, read, FoundCases)
        self.route("GET", "/cases/{number}", self.get_case, read, Case)
        self.route("POST", "/cases/{number}/events", self.act_on_case, read, Acted)
        self.route("POST", "/cases/{number}/show", self.show_personal, read, Personal)

    def list_cases(
        self,
        request: Request,
        turn: Annotated[Turn, Query(description="whose turn it is")] = Turn.ALL,
        state: Annotated[State | None, Query(description="in this state, also where nothing is due")] = None,
        office: OfOffice = None,
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
        size: Annotated[int, Query(ge=1, le=_MOST, description="cases on a page")] = PAGE,
    ) -> CaseList:
        """The worklist: cases under way that you may see, the most urgent first."""
        if office is not None:
            self.desk.registers.office(office)
        found = self.desk.lists.worklist(
            actor_of(request), turn=turn, state=state, office=office, page=page, size=size
        )
        return CaseList.of(found, size, self.desk.clock.now())

    def search_cases(self, request: Request, wanted: Search) -> FoundCases:
        """Cases by number, supply point, name or address; 50 at most, the newest first."""
        found = self.desk.lists.search(actor_of(request), wanted.text)
        return FoundCases(
            now=self.desk.clock.now(),
            full=len(found) == _FOUND,
            cases=[CaseLine.of(one) for one in found],
        )

    def get_case(self, request: Request, number: CaseNumber) -> Case:
        """One case: where it is, what is known, what you can do next, what happened."""
        actor = actor_of(request)
        return whole_case(self.desk, actor, self.desk.cases.find(actor, number))

    def open_case(self, request: Request, wanted: NewCase) -> Acted:
        """Take in an application from paper: a draft, or handed in at once.

        The field ``supply_point`` is needed; the others are those of the event ``fill``.
        """
        actor = actor_of(request)
        made = self.desk.cases.open(actor, wanted.fields, submit=wanted.submit)
        return self._acted(actor, made)

    def act_on_case(self, request: Request, number: CaseNumber, wanted: Act) -> Acted:
        """Let an event happen: one of ``steps`` of the case, with its fields.

        With another ``version`` than the present one nothing is changed: 409 ``changed`` names the present
        version. 409 ``no_step``: it does not lead on from there. 422 ``rule``: a rule does not hold.
        ``correct`` takes any recorded field beside its reason.
        """
        actor = actor_of(request)
        found = self.desk.cases.find(actor, number)
        if wanted.event in NOT_HERE:
            raise ApiError(409, "on_the_page")
        if wanted.event is Event.ASSIGN and wanted.fields.get("assignee"):
            must_be_staff(request, "assignee", wanted.fields["assignee"])
        with overtaken(lambda: self.desk.cases.get(actor, found.id).version):
            moved = self.desk.cases.act(actor, found.id, wanted.event, wanted.fields, seen=wanted.version)
        return self._acted(actor, moved)

    def show_personal(self, request: Request, number: CaseNumber, wanted: Shown) -> Personal:
        """What names a person in full. That you asked is written into the audit log first."""
        actor = actor_of(request)
        found = self.desk.cases.find(actor, number)
        people = access_of(request).people
        assert people is not None, "a desk without people has no staff"
        detail = {"what": wanted.what}
        people.audit.append(actor.reference, "personal_shown", f"case:{found.number}", detail)
        if wanted.what == "number":
            values = {"supply_point": found.supply_point}
        else:
            values = self.desk.cases.person(actor, found.id)
        if wanted.what == "application":
            values = {**found.facts, **values}
        return Personal(number=found.number, what=wanted.what, values=values)

    def _acted(self, actor: Actor, moved: DeskCase) -> Acted:
        try:
            case = whole_case(self.desk, actor, self.desk.cases.get(actor, moved.id))
        except UnknownError:
            case = None
        return Acted(number=moved.number, state=moved.state, version=moved.version, case=case)


def must_be_staff(request: Request, field: str, reference: str) -> None:
    """Refuse to give work to somebody who is none of the staff.

    Raises:
        InputError: no such person takes work.
    """
    people = access_of(request).people
    staff = [] if people is None else people.people()
    able = {
        one.reference for one in staff if one.role.may(Right.DESK_HANDLE) or one.role.may(Right.DESK_WORK)
    }
    if reference not in able:
        words = Words(
            "この番号の担当者はいません(例 person:3)。",
            "Nobody of the staff has this reference (such as person:3).",
        )
        raise InputError({field: words})
