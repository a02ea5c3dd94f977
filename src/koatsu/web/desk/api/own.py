"""A customer's own cases and enquiries over the API, for a page of the customer's own: sessions, no tokens.

What is told here is what the customer's pages tell: nothing of other customers, and not who works at the
desk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from koatsu.desk.database import DeskStoreError
from koatsu.desk.enquiry_rows import EnquiryState
from koatsu.desk.errors import ChangedMeanwhileError, DeskError, InputError
from koatsu.desk.lifecycle import Event, Step, step_for
from koatsu.desk.models import Actor, WorksState
from koatsu.desk.models import Case as DeskCase
from koatsu.desk.states import STATE_WORDS, State
from koatsu.errors import KoatsuError
from koatsu.people import Right
from koatsu.web.answers import ApiError, Instant, Shape
from koatsu.web.desk.api.case_models import Values, WorksOrder
from koatsu.web.desk.api.enquiries import EnquiryNumber, case_number
from koatsu.web.desk.api.enquiry_models import Enquiry, EnquiryLine, OwnEnquiryAct, SayAgain
from koatsu.web.desk.api.groups import Group, OvertakenError
from koatsu.web.desk.api.shapes import CaseNumber, Said, Version
from koatsu.web.desk.api.whole_case import Paper, StepShape, event_said, step_shape
from koatsu.web.desk.own_words import NO_NEWS, next_words, refused_words, told_reason
from koatsu.web.desk.refusing import status_of
from koatsu.web.desk.registering import own_customer
from koatsu.web.texts import LANGUAGES, texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Own"]

_STEPS: Final = (Event.FILL, Event.SUBMIT, Event.ASK_END, Event.WITHDRAW)
_GIVEN: Final = frozenset({"way", "received_on"})  #: what goes without saying here


class OwnLine(Shape):
    """A case in the list of its customer."""

    number: str = Field(examples=["HB-2026-00001"])
    state: State
    state_label: Said
    version: int
    supply_point: str
    office: str
    opened_at: Instant
    happens: Said = Field(description="what happens next")
    todo: Said = Field(description="what the customer does; empty where that is nothing")


class OwnEvent(Shape):
    """Something that happened."""

    at: Instant
    event: Event
    label: Said
    after: State


class OwnCase(OwnLine):
    """A case as its customer sees it."""

    reason: str = Field(description="why it came back or was refused, as it was written")
    person: dict[str, str]
    facts: dict[str, str] = Field(description="what was applied for")
    steps: list[StepShape]
    works: list[WorksOrder]
    documents: list[Paper]
    history: list[OwnEvent] = Field(description="the oldest first")


class OwnCases(Shape):
    """All cases of the customer, the newest first."""

    cases: list[OwnLine]


class OwnAct(Shape):
    """What a customer does with a case."""

    event: Literal["fill", "submit", "ask_end", "withdraw"]
    version: Version
    fields: Values = Field(default={}, examples=[{"phone": "092-123-4567"}])


class OwnEnquiries(Shape):
    """The enquiries of the customer."""

    enquiries: list[EnquiryLine]


class Own(Group):
    """``/my``."""

    tag = "my"

    def __init__(self, desk: Desk, router: APIRouter) -> None:
        super().__init__(desk, router)
        own = Right.DESK_OWN
        self.route("GET", "/my/cases", self.list_own_cases, own, OwnCases)
        self.route("GET", "/my/cases/{number}", self.get_own_case, own, OwnCase)
        self.route("POST", "/my/cases/{number}/events", self.act_on_own_case, own, OwnCase)
        self.route("GET", "/my/enquiries", self.list_own_enquiries, own, OwnEnquiries)
        self.route("GET", "/my/enquiries/{number}", self.get_own_enquiry, own, Enquiry)
        self.route("POST", "/my/enquiries/{number}/acts", self.act_on_own_enquiry, own, Enquiry)

    # --- cases ------------------------------------------------------------------------------------------

    def list_own_cases(self, request: Request) -> OwnCases:
        """Your cases: how far each is, and what there is for you to do."""
        actor = own_customer(self.desk, request)
        return OwnCases(cases=[self._line(one) for one in self.desk.lists.own(actor)])

    def get_own_case(self, request: Request, number: CaseNumber) -> OwnCase:
        """One of your cases."""
        actor = own_customer(self.desk, request)
        return self._whole(actor, self.desk.cases.find(actor, number))

    def act_on_own_case(self, request: Request, number: CaseNumber, wanted: OwnAct) -> OwnCase:
        """Write on an application, hand it in, withdraw it, or ask for the end.

        How and when it came in goes without saying: on this page, today.
        """
        actor, event = own_customer(self.desk, request), Event(wanted.event)
        found = self.desk.cases.find(actor, number)
        values = {**wanted.fields, **self._given(event)}
        with self._in_our_words(lambda: self.desk.cases.get(actor, found.id).version):
            moved = self.desk.cases.act(actor, found.id, event, values, seen=wanted.version)
        return self._whole(actor, moved)

    def _given(self, event: Event) -> Mapping[str, str]:
        if event is Event.FILL:
            return {"way": "online"}
        if event is Event.ASK_END:
            return {"way": "online", "received_on": self.desk.registers.today().isoformat()}
        return {}

    # --- enquiries --------------------------------------------------------------------------------------

    def list_own_enquiries(self, request: Request) -> OwnEnquiries:
        """Your enquiries, the most urgent first; at most 200."""
        actor, today = own_customer(self.desk, request), self.desk.registers.today()
        found = self.desk.enquiries.listing(actor, states=tuple(EnquiryState), limit=200)
        lines = [EnquiryLine.of(one, today).model_copy(update={"owner": ""}) for one in found]
        return OwnEnquiries(enquiries=lines)

    def get_own_enquiry(self, request: Request, number: EnquiryNumber) -> Enquiry:
        """What you asked, and what was answered."""
        return self._enquiry(own_customer(self.desk, request), number)

    def act_on_own_enquiry(self, request: Request, number: EnquiryNumber, wanted: OwnEnquiryAct) -> Enquiry:
        """Ask again, or say that it is solved."""
        actor, enquiries = own_customer(self.desk, request), self.desk.enquiries
        with self._in_our_words(lambda: enquiries.view(actor, number).enquiry.version):
            if isinstance(wanted, SayAgain):
                enquiries.reopen(actor, number, wanted.text, seen=wanted.version)
            else:
                enquiries.close(actor, number, seen=wanted.version)
        return self._enquiry(actor, number)

    # --- inside -----------------------------------------------------------------------------------------

    def _line(self, found: DeskCase) -> OwnLine:
        return OwnLine.model_validate(self._head(found))

    def _head(self, found: DeskCase) -> dict[str, object]:
        online = self.desk.settings.online
        ja, en = (next_words(found, texts(lang), online=online) for lang in LANGUAGES)
        return {
            "number": found.number,
            "state": found.state,
            "state_label": Said.of(STATE_WORDS[found.state]),
            "version": found.version,
            "supply_point": found.supply_point,
            "office": found.office,
            "opened_at": found.opened_at,
            "happens": Said(ja=ja.happens, en=en.happens),
            "todo": Said(ja=ja.todo, en=en.todo),
        }

    def _whole(self, actor: Actor, found: DeskCase) -> OwnCase:
        desk, entries = self.desk, self.desk.cases.history(actor, found.id)
        news = [one for one in entries if one.event not in NO_NEWS]
        steps = [one for one in desk.cases.steps(actor, found) if one.event in _STEPS]
        applied = step_for(Event.FILL, State.DRAFT)
        assert applied is not None, "the table of the life cycle fills drafts in"
        return OwnCase.model_validate(
            self._head(found)
            | {
                "reason": told_reason(desk, actor, entries),
                "person": desk.cases.person(actor, found.id),
                "facts": {name: found.facts[name] for name in applied.names if found.fact(name)},
                "steps": [self._step(actor, found, one) for one in steps],
                "works": [
                    WorksOrder.of(one)
                    for one in desk.lists.works(actor, found.id)
                    if one.state is not WorksState.CANCELLED
                ],
                "documents": [Paper.of(one) for one in desk.documents.of_case(actor, found.id)],
                "history": [
                    OwnEvent(at=one.at, event=one.event, label=event_said(one.event), after=one.after)
                    for one in news
                ],
            }
        )

    def _step(self, actor: Actor, found: DeskCase, step: Step) -> StepShape:
        """A step without what goes without saying; why it is blocked, as customers are told."""
        made = step_shape(self.desk, actor, found, step)
        error = self.desk.cases.blocked(actor, found, step) if made.blocked else None
        blocked = made.blocked
        if error is not None and blocked is not None:
            ja, en = (refused_words(error, texts(lang)) for lang in LANGUAGES)
            blocked = blocked.model_copy(update={"ja": ja, "en": en})
        fields = [one for one in made.fields if one.name not in _GIVEN]
        return made.model_copy(update={"fields": fields, "blocked": blocked})

    @contextmanager
    def _in_our_words(self, version: Callable[[], int]) -> Iterator[None]:
        """Refuse as a customer is told, with the present version where somebody else was faster.

        Raises:
            ApiError: instead of what the desk refused; wrong fields keep their sentences.
        """
        try:
            yield
        except (DeskStoreError, InputError):
            raise
        except ChangedMeanwhileError as error:
            raise OvertakenError(_told(error), version()) from error
        except DeskError as error:
            status, code = status_of(error)
            raise ApiError.told(status, code, _told(error)) from error

    def _enquiry(self, actor: Actor, number: str) -> Enquiry:
        view = self.desk.enquiries.view(actor, number)
        case = case_number(self.desk, actor, view.enquiry)
        return Enquiry.of_view(view, self.desk.registers.today(), case, own=True)


def _told(error: DeskError) -> KoatsuError:
    """The same as customers are told."""
    ja, en = (refused_words(error, texts(lang)) for lang in LANGUAGES)
    return KoatsuError(en, ja=ja)
