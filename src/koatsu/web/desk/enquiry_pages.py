"""What every answer ends in: an enquiry to the office that can answer it, with its number and its day."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.enquiry_intake import LONGEST_TEXT
from koatsu.desk.enquiry_rows import ENQUIRY_STATE_WORDS, Enquiry, EnquiryState, Step
from koatsu.desk.errors import ChangedMeanwhileError, DeskError, InputError, UnknownError
from koatsu.desk.faq import faq
from koatsu.desk.models import SYSTEM, Actor, Case
from koatsu.desk.offices import Office
from koatsu.desk.plain_text import TextRefused
from koatsu.desk.supply_points import SUPPLY_WORDS, Supply
from koatsu.desk.triage import Situation, tree, walk
from koatsu.people import Right, Role
from koatsu.web.bodies import PLAIN_BYTES
from koatsu.web.desk.actors import visitor_of
from koatsu.web.desk.asking import add_errors, given
from koatsu.web.desk.enquiry_words import TONES
from koatsu.web.desk.guiding import read_way, summary
from koatsu.web.desk.handing_in import Known, hand_in, read_place
from koatsu.web.desk.leading import help_path
from koatsu.web.desk.pace import let_through
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.registering import own_customer
from koatsu.web.forms import Errors, Form, text_of
from koatsu.web.navigation import exists

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["EnquiryPages", "Once"]

_FIELDS: Final = ("topic", "text", "contact", "case", "supply", "where", "fault", "once")
_KEPT: Final = 1_000  #: forms that were sent, so that one sent twice is one enquiry
_SAID: Final = frozenset({Step.OPENED, Step.ANSWERED, Step.REOPENED, Step.CLOSED})


class Once:
    """What came of forms that have a number of their own: the same form sent again makes nothing new."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, Enquiry] = OrderedDict()
        self.lock = Lock()  #: held from looking until noting

    def find(self, form: str) -> Enquiry | None:
        """What that form has made."""
        return self._made.get(form) if form else None

    def note(self, form: str, made: Enquiry) -> None:
        """Remember what a form has made."""
        if form:
            self._made[form] = made
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)


class EnquiryPages(DeskPages):
    """``/enquiry``, and a customer's own ones."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self._once = Once()
        self.route("GET", "/enquiry", self.ask, None)
        self.route("POST", "/enquiry", self.send, None)
        self.route("GET", "/my/enquiries/{number}", self.own, Right.DESK_OWN)
        self.route("POST", "/my/enquiries/{number}", self.go_on, Right.DESK_OWN)

    # --- asking -----------------------------------------------------------------------------------------

    def ask(
        self, request: Request, topic: str = "", case: str = "", fault: str = "", way: str = ""
    ) -> Response:
        """The form, with what is known already: what it is about, the case, what the guide has found."""
        typed = dict.fromkeys(_FIELDS, "") | {
            "topic": topic if faq().question(topic) is not None else "",
            "case": case,
            "fault": fault,
            "text": self._found(request, fault, way),
            "once": secrets.token_urlsafe(12),
        }
        return self._page(request, typed, Errors())

    def send(self, request: Request, form: Form) -> Response:
        """Take the enquiry in, and show its number and the day by which it is answered."""
        typed, errors, visitor = given(form, _FIELDS), Errors(), visitor_of(request)
        typed["text"] = text_of(form, "text", PLAIN_BYTES)
        with self._once.lock:
            made = self._once.find(typed["once"])
            if made is None:
                if visitor is None and not let_through(request, "enquiry"):
                    errors.add("form", self.t("desk_help.too_often"))
                    return self._page(request, typed, errors, status=429)
                made = self._taken(request, visitor, typed, errors)
                if made is None:
                    return self._page(request, typed, errors, status=422)
                self._once.note(typed["once"], made)
        return self._sent(request, visitor, made)

    def _taken(
        self, request: Request, visitor: Actor | None, typed: dict[str, str], errors: Errors
    ) -> Enquiry | None:
        """The enquiry, or ``None`` and what is wrong."""
        own = visitor is not None and visitor.role is Role.CUSTOMER
        actor = SYSTEM if visitor is None else own_customer(self.desk, request) if own else visitor
        try:
            case = self.desk.cases.find(actor, typed["case"]) if visitor and typed["case"] else None
            office = "" if case is not None else self._office(visitor, typed, errors)
            if errors:
                return None
            made = self.desk.enquiries.open(
                actor, topic=typed["topic"], text=typed["text"], contact=typed["contact"], office=office,
                case_id=None if case is None else case.id,
            )  # fmt: skip
            if visitor is not None and typed["fault"]:
                self.desk.faults.note_enquiry(actor, typed["fault"], made)
        except InputError as error:
            add_errors(errors, error, self.t.lang)
            return None
        except UnknownError as error:
            errors.add("form", error.text(self.t.lang))
            return None
        return made

    def _office(self, visitor: Actor | None, typed: dict[str, str], errors: Errors) -> str:
        """The code of the office that answers; empty where nobody can tell yet: then every office sees it."""
        if typed["supply"] not in set(Supply):
            return (visitor.office or "") if visitor is not None else ""
        try:
            found = hand_in(self.desk.registers, Supply(typed["supply"]), read_place(typed["where"]))
        except TextRefused as error:
            errors.add("where", error.words.text(self.t.lang))
            return ""
        return found.office.code if found.known is Known.OFFICE and found.office is not None else ""

    def _found(self, request: Request, fault: str, way: str) -> str:
        """What the guide through "no data arrives" has found, to be sent along."""
        visitor, t = visitor_of(request), self.t
        position = walk(tree(), Situation(), read_way(way))
        if visitor is not None and fault:
            try:
                position = self.desk.faults.view(visitor, fault).position
            except UnknownError:  # somebody else's
                return ""
        return f"{t('desk_enquiry.found')}\n{summary(position, t)}\n\n" if position.path else ""

    def _page(
        self, request: Request, typed: dict[str, str], errors: Errors, *, status: int = 200
    ) -> Response:
        visitor, lang, book = visitor_of(request), self.t.lang, faq()
        question = book.question(typed["topic"])
        own = visitor is not None and visitor.role is Role.CUSTOMER
        values = {
            "typed": typed,
            "errors": errors.by_field,
            "about": None if question is None else (help_path(question), question.question.text(lang)),
            "topics": [
                (
                    section.title.text(lang),
                    [(one.id, one.question.text(lang)) for one in book.of_section(section.id)],
                )
                for section in book.sections
            ],
            "supplies": [(one.value, words.text(lang)) for one, words in SUPPLY_WORDS.items()],
            "cases": self._cases(visitor) if own and visitor is not None else [],
            "customer": own,
            "staff": visitor is not None and not own,
            "days": self.desk.settings.enquiry_days,
            "longest": LONGEST_TEXT,
        }
        return self.frame.show(request, "desk/enquiry.html", values, here="help", status=status, form=True)

    def _cases(self, visitor: Actor) -> list[Case]:
        return self.desk.lists.own(visitor)

    def _sent(self, request: Request, visitor: Actor | None, made: Enquiry) -> Response:
        own = visitor is not None and visitor.role is Role.CUSTOMER
        staff = visitor is not None and not own and exists(request.app, f"{self.t.prefix}/enquiries/-")
        question = faq().question(made.topic)
        values = {
            "made": made,
            "office": self._office_of(made),
            "about": None if question is None else question.question.text(self.t.lang),
            "page": f"/my/enquiries/{made.number}" if own else f"/enquiries/{made.number}" if staff else "",
        }
        return self.frame.show(request, "desk/enquiry-sent.html", values, here="help")

    def _office_of(self, one: Enquiry) -> Office | None:
        try:
            return self.desk.registers.office(one.office) if one.office else None
        except UnknownError:  # the register has lost it
            return None

    # --- one's own --------------------------------------------------------------------------------------

    def own(self, request: Request, number: str) -> Response:
        """What was asked and answered."""
        return self._own_page(request, own_customer(self.desk, request), number, "", Errors())

    def go_on(self, request: Request, number: str, form: Form) -> Response:
        """Ask again, or say that it is solved."""
        actor, errors = own_customer(self.desk, request), Errors()
        seen, text = text_of(form, "seen"), text_of(form, "text", PLAIN_BYTES)
        version = int(seen) if seen.isdecimal() and len(seen) < 10 else 0
        try:
            if text_of(form, "do") == "close":
                self.desk.enquiries.close(actor, number, seen=version)
            else:
                self.desk.enquiries.reopen(actor, number, text, seen=version)
        except InputError as error:
            add_errors(errors, error, self.t.lang)
        except ChangedMeanwhileError:  # who answers for the utility is not named to customers
            errors.add("form", self.t("desk_my.changed"))
        except DeskError as error:
            errors.add("form", error.text(self.t.lang))
        if errors:
            return self._own_page(request, actor, number, text, errors, status=422)
        return self.to(f"/my/enquiries/{number}")

    def _own_page(
        self, request: Request, actor: Actor, number: str, text: str, errors: Errors, *, status: int = 200
    ) -> Response:
        view = self.desk.enquiries.view(actor, number)
        one, question = view.enquiry, faq().question(view.enquiry.topic)
        values: dict[str, Any] = {
            "one": one,
            "state": ENQUIRY_STATE_WORDS[one.state].text(self.t.lang),
            "tone": TONES[one.state],
            "about": None if question is None else (help_path(question), question.question.text(self.t.lang)),
            "steps": [step for step in view.steps if step.step in _SAID],
            "office": self._office_of(one),
            "text": text,
            "errors": errors.by_field,
            "may_reopen": one.state in (EnquiryState.ANSWERED, EnquiryState.CLOSED),
            "may_close": one.state is not EnquiryState.CLOSED,
        }
        return self.frame.show(request, "desk/own-enquiry.html", values, here="my", status=status)
