"""Enquiries over the API: what waits for an answer, one with its texts, and what is done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, assert_never

from fastapi import APIRouter, Path, Query, Request

from koatsu.desk.enquiry_rows import Enquiry as DeskEnquiry
from koatsu.desk.enquiry_rows import EnquiryState
from koatsu.desk.errors import UnknownError
from koatsu.desk.models import Actor
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.api.cases import OfOffice, must_be_staff
from koatsu.web.desk.api.enquiry_models import (
    AnyEnquiryAct,
    Assign,
    End,
    Enquiry,
    EnquiryLine,
    EnquiryList,
    Extend,
    Move,
    NewEnquiry,
    Say,
)
from koatsu.web.desk.api.groups import Group, overtaken

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Enquiries", "EnquiryNumber", "case_number"]

EnquiryNumber = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{1,40}$", examples=["EQ-2026-00001"])]
_After = Annotated[str | None, Query(description="`next` of the part before", pattern=r"^[A-Z0-9-]{1,40}$")]
_Person = Annotated[str | None, Query(description="given to this person", pattern=r"^person:\d{1,9}$")]


class Enquiries(Group):
    """``/enquiries``."""

    tag = "enquiries"

    def __init__(self, desk: Desk, router: APIRouter) -> None:
        super().__init__(desk, router)
        read, handle = Right.DESK_READ, Right.DESK_HANDLE
        self.route("GET", "/enquiries", self.list_enquiries, read, EnquiryList)
        self.route("POST", "/enquiries", self.open_enquiry, handle, Enquiry, status=201)
        self.route("GET", "/enquiries/{number}", self.get_enquiry, read, Enquiry)
        self.route("POST", "/enquiries/{number}/acts", self.act_on_enquiry, handle, Enquiry)

    def list_enquiries(
        self,
        request: Request,
        state: Annotated[EnquiryState, Query(description="in this state")] = EnquiryState.OPEN,
        office: OfOffice = None,
        owner: _Person = None,
        after: _After = None,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> EnquiryList:
        """Enquiries that you may see, the most urgent first, without their texts."""
        actor, enquiries = actor_of(request), self.desk.enquiries
        last = None if after is None else enquiries.view(actor, after).enquiry
        found = enquiries.listing(
            actor, states=(state,), office=office, owner=owner, after=last, limit=limit + 1
        )
        today = self.desk.registers.today()
        shown = found[:limit]
        return EnquiryList(
            now=self.desk.clock.now(),
            counts={one.value: number for one, number in enquiries.counts(actor).items()},
            next=shown[-1].number if len(found) > limit else None,
            enquiries=[EnquiryLine.of(one, today) for one in shown],
        )

    def get_enquiry(self, request: Request, number: EnquiryNumber) -> Enquiry:
        """An enquiry with what was asked, answered and noted."""
        return self._told(actor_of(request), number)

    def open_enquiry(self, request: Request, wanted: NewEnquiry) -> Enquiry:
        """Take in an enquiry for somebody; it gets a number, an office and a due date."""
        actor = actor_of(request)
        case = self.desk.cases.find(actor, wanted.case) if wanted.case else None
        made = self.desk.enquiries.open(
            actor,
            topic=wanted.topic,
            text=wanted.text,
            contact=wanted.contact,
            office=wanted.office or ("" if case else actor.office or ""),
            case_id=case.id if case else None,
        )
        return self._told(actor, made.number, made)

    def act_on_enquiry(self, request: Request, number: EnquiryNumber, wanted: AnyEnquiryAct) -> Enquiry:
        """Assign, move, extend, answer, note, reopen, close or erase it."""
        actor = actor_of(request)
        if isinstance(wanted, Assign) and wanted.owner:
            must_be_staff(request, "owner", wanted.owner)
        with overtaken(lambda: self.desk.enquiries.view(actor, number).enquiry.version):
            done = self._done(actor, number, wanted)
        return self._told(actor, number, done)

    def _done(self, actor: Actor, number: str, wanted: Assign | Move | Extend | Say | End) -> DeskEnquiry:
        enquiries, seen = self.desk.enquiries, wanted.version
        match wanted:
            case Assign():
                return enquiries.assign(actor, number, wanted.owner, seen=seen)
            case Move():
                return enquiries.move(actor, number, wanted.office, seen=seen)
            case Extend():
                return enquiries.extend(actor, number, wanted.due_on, seen=seen)
            case Say(act="answer"):
                return enquiries.answer(actor, number, wanted.text, seen=seen)
            case Say(act="note"):
                return enquiries.note(actor, number, wanted.text, seen=seen)
            case Say():
                return enquiries.reopen(actor, number, wanted.text, seen=seen)
            case End(act="close"):
                return enquiries.close(actor, number, seen=seen)
            case End():
                return enquiries.erase(actor, number, seen=seen)
        assert_never(wanted)

    def _told(self, actor: Actor, number: str, done: DeskEnquiry | None = None) -> Enquiry:
        """The enquiry as it is; what has gone to another office is told once more, without its texts."""
        today = self.desk.registers.today()
        try:
            view = self.desk.enquiries.view(actor, number)
        except UnknownError:
            if done is None:
                raise
            return Enquiry(**dict(EnquiryLine.of(done, today)), case=None, contact=None, steps=[])
        return Enquiry.of_view(view, today, case_number(self.desk, actor, view.enquiry))


def case_number(desk: Desk, actor: Actor, one: DeskEnquiry) -> str | None:
    """The number of the case of an enquiry, where ``actor`` may see that case."""
    try:
        return None if one.case is None else desk.cases.get(actor, one.case).number
    except UnknownError:
        return None
