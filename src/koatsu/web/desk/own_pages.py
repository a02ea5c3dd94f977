"""A customer's own cases: how far each is, what comes next, what there is to do, papers, works, the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from koatsu.desk.documents import KIND_WORDS as DOCUMENT_WORDS
from koatsu.desk.documents import DocumentKind
from koatsu.desk.enquiry_rows import ENQUIRY_STATE_WORDS, EnquiryState
from koatsu.desk.equipment import METER_ROLE_WORDS, SOLD_ENERGY_WORDS
from koatsu.desk.errors import ChangedMeanwhileError, DeskError, InputError, UnknownError
from koatsu.desk.fields import FIELDS
from koatsu.desk.letters import letter
from koatsu.desk.lifecycle import STEPS, Event
from koatsu.desk.models import Actor, Case, Entry, WorksState
from koatsu.desk.point_numbers import masked, spaced
from koatsu.desk.supply_points import SUPPLY_WORDS, Supply
from koatsu.desk.works import KIND_WORDS as WORKS_WORDS
from koatsu.people import Right
from koatsu.web.case_marks import step_marks
from koatsu.web.desk.asking import add_errors, asked, given
from koatsu.web.desk.own_words import (
    IN_USE,
    NO_NEWS,
    next_words,
    own_offices,
    phase_days,
    shows_place,
    told_reason,
)
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.registering import own_customer
from koatsu.web.forms import Errors, Form, text_of

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["OwnPages"]

_BRINGS: Final = (DocumentKind.APPLICATION, DocumentKind.DRAWING, DocumentKind.ENDING, DocumentKind.OTHER)
_DONE: Final = {
    "saved": "desk_my.done_saved",
    "sent": "desk_my.done_sent",
    "withdrawn": "desk_my.done_withdrawn",
    "ending": "desk_my.done_ending",
    "document": "desk_my.done_document",
}
_PERSON: Final = ("customer_name", "department", "contact_name", "phone", "email", "address")
_EVENT_WORDS: Final = {step.event: step.done for step in STEPS}


class OwnPages(DeskPages):
    """``/my``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        own = Right.DESK_OWN
        self.route("GET", "/my", self.cases, own)
        self.route("GET", "/my/{number}", self.case, own)
        self.route("POST", "/my/{number}", self.act, own)
        self.route("POST", "/my/{number}/documents", self.bring, own)
        self.route("GET", "/my/{number}/documents/{document_id}", self.document, own)
        self.route("GET", "/my/{number}/letters/{letter_id}", self.letter, own)

    def cases(self, request: Request) -> Response:
        """All cases of the customer; the only one opens by itself."""
        actor = own_customer(self.desk, request)
        found = self.desk.lists.own(actor)
        enquiries = self._enquiries(actor)
        if len(found) == 1 and not request.query_params.get("done"):
            return self.to(f"/my/{found[0].number}")
        online = self.desk.settings.online
        values = {
            "cases": [
                (one, masked(one.supply_point), next_words(one, self.t, online=online)) for one in found
            ],
            "enquiries": enquiries,
            "online": online,
        }
        return self.frame.show(request, "desk/own-cases.html", values, here="my")

    def case(self, request: Request, number: str) -> Response:
        """One case, whole."""
        actor = own_customer(self.desk, request)
        return self._page(request, actor, self.desk.cases.find(actor, number), Errors())

    def act(self, request: Request, number: str, form: Form) -> Response:
        """Hand in what is written, withdraw, or ask for the end."""
        actor, errors = own_customer(self.desk, request), Errors()
        found = self.desk.cases.find(actor, number)
        seen = text_of(form, "seen")
        version = int(seen) if seen.isdecimal() and len(seen) < 10 else found.version
        todo = text_of(form, "do")
        typed = given(form, ("reason", "end_wished_on"))
        try:
            if todo == "withdraw":
                reason = {"reason": typed["reason"]} if typed["reason"] else {}
                self.desk.cases.act(actor, found.id, Event.WITHDRAW, reason, seen=version)
                return self.to(f"/my/{found.number}?done=withdrawn")
            if todo == "end":
                today = self.desk.registers.today().isoformat()
                values = {"way": "online", "received_on": today, "end_wished_on": typed["end_wished_on"]}
                self.desk.cases.act(actor, found.id, Event.ASK_END, values, seen=version)
                return self.to(f"/my/{found.number}?done=ending")
        except InputError as error:
            add_errors(errors, error, self.t.lang)
        except ChangedMeanwhileError:  # who else acts for the utility is not the customer's business
            errors.add("form", self.t("desk_my.changed"))
        except DeskError as error:
            errors.add("form", error.text(self.t.lang))
        found = self.desk.cases.find(actor, number)
        return self._page(request, actor, found, errors, typed=typed, status=422)

    def bring(self, request: Request, number: str, form: Form) -> Response:
        """Take in a paper that the customer adds."""
        actor, errors = own_customer(self.desk, request), Errors()
        found = self.desk.cases.find(actor, number)
        upload, kind = form.get("document"), text_of(form, "kind")
        if not isinstance(upload, UploadFile) or not upload.filename:
            errors.add("document", self.t("desk_my.document_first"))
        elif kind not in _BRINGS:
            errors.add("kind", self.t("desk_my.kind_first"))
        else:
            try:
                self.desk.documents.refuse_large(upload.size or 0)
                self.desk.documents.add(
                    actor, found.id, upload.file.read(), upload.filename, DocumentKind(kind),
                    noting=lambda connection, made: self.desk.cases.act_within(
                        connection, actor, found.id, Event.ATTACH, {"document": made.reference}
                    ),
                )  # fmt: skip
                return self.to(f"/my/{found.number}?done=document#papers")
            except DeskError as error:
                errors.add("document", error.text(self.t.lang))
        return self._page(request, actor, found, errors, status=422)

    def document(self, request: Request, number: str, document_id: int) -> Response:
        """A paper of the case, to be saved."""
        actor = own_customer(self.desk, request)
        found = self.desk.cases.find(actor, number)
        given_out = self.desk.documents.download(actor, found.id, document_id)
        return Response(given_out.content, headers=dict(given_out.headers))

    def letter(self, request: Request, number: str, letter_id: int) -> Response:
        """A letter of the utility, to be read."""
        actor = own_customer(self.desk, request)
        found = self.desk.cases.find(actor, number)
        due = next((one for one in self.desk.notices.of_case(actor, found.id) if one.id == letter_id), None)
        if due is None:
            raise self.gone(
                self.t("desk_my.no_letter"), action=self.t("desk_my.open"), path=f"/my/{found.number}"
            )
        content = replace(self.desk.notices.content_of(actor, letter_id), language=self.t.lang)
        if not shows_place(found, self.desk.cases.history(actor, found.id)):
            person = self.desk.cases.person(actor, found.id)
            content = replace(  # what the register says of the place is not told yet
                content,
                place="",
                postal_code=person.get("postal_code", ""),
                address=person.get("address", ""),
            )
        written = letter(due.kind, content, folder=self.desk.settings.templates)
        values = {"case": found, "letter": written, "due": due}
        return self.frame.show(request, "desk/own-letter.html", values, here="my")

    # --- inside -----------------------------------------------------------------------------------------

    def _page(
        self,
        request: Request,
        actor: Actor,
        found: Case,
        errors: Errors,
        *,
        typed: dict[str, str] | None = None,
        status: int = 200,
    ) -> Response:
        t, online = self.t, self.desk.settings.online
        entries = self.desk.cases.history(actor, found.id)
        open_place = shows_place(found, entries)
        days = {phase: day.strftime("%m-%d") for phase, day in phase_days(entries).items()}
        done = request.query_params.get("done", "")
        may = {step.event for step in self.desk.cases.steps(actor, found)}
        values = {
            "case": found,
            "number": spaced(found.supply_point),
            "marks": step_marks(found.state, t, days),
            "words": next_words(found, t, online=online, entries=entries),
            "reason": told_reason(self.desk, actor, entries),
            "errors": errors.by_field,
            "typed": typed or {},
            "done": t(_DONE[done]) if done in _DONE and not errors else "",
            "may_write": online and Event.FILL in may,
            "may_withdraw": Event.WITHDRAW in may,
            "may_end": Event.ASK_END in may,
            "online": online,
            "in_use": found.state in IN_USE,
            "end_field": asked(("end_wished_on",), t.lang, typed or {}, errors)[0],
            "works": self._works(actor, found),
            "place": self._place(found) if open_place else None,
            "office": next(iter(own_offices(self.desk, [found])), None),
            "person": self._person(actor, found),
            "supply": self._supply(found),
            "documents": self.desk.documents.of_case(actor, found.id),
            "document_words": {kind: words.text(t.lang) for kind, words in DOCUMENT_WORDS.items()},
            "kinds": [(kind.value, DOCUMENT_WORDS[kind].text(t.lang)) for kind in _BRINGS],
            "letters": self.desk.notices.of_case(actor, found.id),
            "terms": self.desk.terms.acceptances(actor, found.id),
            "events": self._events(entries),
            "enquiries": self._enquiries(actor),
            "faults": self.desk.faults.of_case(actor, found.id),
        }
        return self.frame.show(request, "desk/own-case.html", values, here="my", status=status)

    def _works(self, actor: Actor, found: Case) -> list[dict[str, Any]]:
        lang = self.t.lang
        return [
            {
                "words": WORKS_WORDS[one.kind].text(lang),
                "day": one.planned_on,
                "window": one.window,
                "outage": one.outage,
                "done": one.done_on,
            }
            for one in self.desk.lists.works(actor, found.id)
            if one.state is not WorksState.CANCELLED
        ]

    def _place(self, found: Case) -> dict[str, Any] | None:
        """What stands at the place, as the register has it."""
        lang, registers = self.t.lang, self.desk.registers
        try:
            point = registers.point(found.supply_point)
        except UnknownError:  # never registered, or brought in by hand
            return None
        return {
            "place": point.place,
            "meters": [
                (METER_ROLE_WORDS[one.role].text(lang), one.type, one.serial)
                for one in registers.meters(found.supply_point, present=True)
            ],
            "terminals": [
                (one.type, one.serial) for one in registers.terminals(found.supply_point, present=True)
            ],
            "sold": SOLD_ENERGY_WORDS[registers.sold_energy(found.supply_point)].text(lang),
        }

    def _person(self, actor: Actor, found: Case) -> list[tuple[str, str]]:
        known = self.desk.cases.person(actor, found.id)
        return [(FIELDS[name].words.text(self.t.lang), known[name]) for name in _PERSON if known.get(name)]

    def _supply(self, found: Case) -> str:
        code = found.fact("supply")
        words = SUPPLY_WORDS[Supply(code)].text(self.t.lang) if code in set(Supply) else ""
        return f"{words} ({found.fact('retailer')})" if words and found.fact("retailer") else words

    def _events(self, entries: list[Entry]) -> list[tuple[Any, str]]:
        """What happened, the newest first, as far as it is news for the customer."""
        lang = self.t.lang
        first = self.t("desk_my.opened")
        return [
            (one.at, _EVENT_WORDS[one.event].text(lang) if one.event in _EVENT_WORDS else first)
            for one in reversed(entries)
            if one.event not in NO_NEWS
        ]

    def _enquiries(self, actor: Actor) -> list[tuple[Any, str]]:
        found = self.desk.enquiries.listing(actor, states=tuple(EnquiryState))
        newest = sorted(found, key=lambda one: one.id, reverse=True)
        return [(one, ENQUIRY_STATE_WORDS[one.state].text(self.t.lang)) for one in newest[:10]]
