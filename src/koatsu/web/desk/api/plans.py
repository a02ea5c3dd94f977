"""Works of some weeks, and letters with what became of them; and who is asking."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Query, Request
from pydantic import Field

from koatsu.people import Login, LoginKind, Right, Role
from koatsu.web.answers import ApiError, Instant, Shape
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.api.case_models import CaseLine, WorksOrder
from koatsu.web.desk.api.cases import OfOffice
from koatsu.web.desk.api.groups import Group
from koatsu.web.desk.api.shapes import Day
from koatsu.web.desk.api.whole_case import Letter

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Plans"]

LONGEST: Final = timedelta(days=92)


class PlannedWorks(Shape):
    """An order with its case."""

    order: WorksOrder
    case: CaseLine


class Calendar(Shape):
    """The works from one day to another, both included."""

    first: date
    last: date
    works: list[PlannedWorks]


class LetterList(Shape):
    """Letters still to be printed, the oldest first; or printed ones, the newest first; 200 at most."""

    waiting: int = Field(description="how many are still to be printed")
    letters: list[Letter]


class Me(Shape):
    """Who asks, and what that login may."""

    reference: str = Field(examples=["token:5"])
    kind: LoginKind
    name: str = Field(description="one's own, or the label of the token")
    role: Role
    rights: list[Right]
    office: str | None = Field(description="whose cases are seen; empty: none yet; null: see every_office")
    every_office: bool
    cases: list[str] = Field(description="numbers of a customer's own cases")
    until: Instant | None = Field(description="when the login ends at the latest")


class Plans(Group):
    """``/works``, ``/letters`` and ``/me``."""

    tag = "plans"

    def __init__(self, desk: Desk, router: APIRouter) -> None:
        super().__init__(desk, router)
        self.route("GET", "/me", self.get_me, Right.ACCOUNT, Me)
        self.route("GET", "/works", self.list_works, Right.DESK_READ, Calendar)
        self.route("GET", "/letters", self.list_letters, Right.DESK_READ, LetterList)

    def get_me(self, request: Request) -> Me:
        """Who you are here: role, rights, and whose cases you see."""
        actor, login = actor_of(request), request.state.login
        assert isinstance(login, Login), "the rule of the route has seen to it"
        own = login.may(Right.DESK_OWN)
        reads = login.may(Right.DESK_READ)
        return Me(
            reference=login.reference,
            kind=login.kind,
            name=login.name,
            role=login.role,
            rights=[right for right in Right if login.may(right)],
            office=actor.office if reads else None,
            every_office=reads and (actor.office is None or login.may(Right.DESK_REVIEW)),
            cases=[one.number for one in self.desk.lists.own(actor)] if own else [],
            until=login.until,
        )

    def list_works(
        self,
        request: Request,
        since: Annotated[Day | None, Query(alias="from", description="first day; today")] = None,
        until: Annotated[Day | None, Query(alias="to", description="last day; 6 days later")] = None,
        office: OfOffice = None,
    ) -> Calendar:
        """The works that you may see, by day; cancelled ones are left out. 92 days at most."""
        first = since or (min(until, self.desk.registers.today()) if until else self.desk.registers.today())
        last = until or min(first, date.max - LONGEST) + timedelta(days=6)
        if last < first:
            raise ApiError(422, "backwards")
        if last - first > LONGEST:
            raise ApiError(422, "too_long", days=LONGEST.days)
        found = self.desk.lists.calendar(actor_of(request), first, last)
        return Calendar(
            first=first,
            last=last,
            works=[
                PlannedWorks(order=WorksOrder.of(order), case=CaseLine.of(line))
                for order, line in found
                if office is None or order.office == office
            ],
        )

    def list_letters(
        self,
        request: Request,
        printed: Annotated[bool, Query(description="those that were printed")] = False,
        office: OfOffice = None,
    ) -> LetterList:
        """The letters that steps have called for, and when they were printed and mailed."""
        actor, notices = actor_of(request), self.desk.notices
        return LetterList(
            waiting=notices.waiting(actor, office),
            letters=[Letter.of(one) for one in notices.list(actor, office, printed=printed)],
        )
