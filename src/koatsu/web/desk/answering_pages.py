"""One enquiry for those who answer it: all that was said and done, and every act that is open to them now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import FormData

from koatsu.desk.checking import read_day
from koatsu.desk.enquiries import EnquiryView
from koatsu.desk.enquiry_intake import LONGEST_TEXT
from koatsu.desk.enquiry_rows import ENQUIRY_STATE_WORDS, Enquiry, EnquiryState, Step
from koatsu.desk.errors import ChangedMeanwhileError, InputError, NoStepError, UnknownError
from koatsu.desk.faq import faq
from koatsu.desk.letters import NoticeKind, notice_table
from koatsu.desk.models import Actor
from koatsu.desk.plain_text import TextRefused
from koatsu.desk.words import Words
from koatsu.people import People, Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.asking import add_errors, given
from koatsu.web.desk.case_lines import due_of
from koatsu.web.desk.colleagues import colleagues
from koatsu.web.desk.enquiry_words import TONES, about, happened
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.leading import help_path
from koatsu.web.desk.pages import DeskPages
from koatsu.web.forms import Errors, Form, text_of
from koatsu.web.notation import clock_time
from koatsu.web.record import callers
from koatsu.web.trouble import TroubleError

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["AnsweringPages"]

#: What a form asks for -> the step that it is.
_ACTS: Final[Mapping[str, Step]] = {
    "answer": Step.ANSWERED,
    "note": Step.NOTED,
    "reopen": Step.REOPENED,
    "assign": Step.ASSIGNED,
    "extend": Step.EXTENDED,
    "move": Step.MOVED,
    "close": Step.CLOSED,
    "erase": Step.ERASED,
}
_FIELDS: Final = ("answer", "note", "reopen", "owner", "office", "due_on", "sure")
_SAID: Final = frozenset({Step.OPENED, Step.ANSWERED, Step.REOPENED})  #: between the customer and the staff
_STAFF: Final = Words("一覧にある人から選んでください。", "Choose one of those listed.")
_OFFICE: Final = Words("移す先の事業所を選んでください。", "Choose the office that it goes to.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page shows beside the enquiry: what was typed, what is wrong with it."""

    status: int = 200
    act: str = ""  #: whose form was sent
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Errors = field(default_factory=Errors)
    stale: str = ""


class AnsweringPages(DeskPages):
    """``/enquiries/{number}``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/enquiries/{number}", self.show, Right.DESK_READ)
        self.route("POST", "/enquiries/{number}", self.act, Right.DESK_HANDLE)

    def show(self, request: Request, number: str) -> HTMLResponse:
        """Everything of an enquiry, and what can be done with it."""
        return self._page(request, self.desk.enquiries.view(actor_of(request), number), Shown())

    def act(self, request: Request, number: str, form: Form) -> Response:
        """Do one thing with it, if nobody else was faster."""
        actor, act = actor_of(request), text_of(form, "do", 20)
        if act not in _ACTS:
            url = f"{self.t.prefix}/enquiries/{number}"
            raise TroubleError(422, self.t("desk_answer.no_act"), action=self.t("desk_answer.to_it"), url=url)
        before, errors = self._still_here(actor, number).enquiry, Errors()
        typed, stale, status = given(form, _FIELDS), "", 422
        if act == "erase" and typed["sure"] != "yes":
            errors.add("sure", self.t("desk_answer.sure_first"))
        try:
            if not errors:
                self._done(actor, before, act, typed, _version(form))
        except InputError as error:
            add_errors(errors, _at_field(error, act), self.t.lang)
        except ChangedMeanwhileError as error:
            who, time = callers(self._people, self.t)(error.by), clock_time(error.at)
            stale, status = self.t("desk_answer.changed", who=who, time=time), 409
        except (NoStepError, UnknownError) as error:
            stale, status = error.text(self.t.lang), 409
        if errors or stale:
            shown = Shown(status=status, act=act, typed=typed, errors=errors, stale=stale)
            return self._page(request, self._still_here(actor, number), shown)
        return self._on(actor, before.number, _ACTS[act])

    def _done(self, actor: Actor, one: Enquiry, act: str, typed: Mapping[str, str], seen: int) -> None:
        """Let it happen.

        Raises:
            DeskError: it cannot be done.
        """
        enquiries, number = self.desk.enquiries, one.number
        match act:
            case "answer":
                enquiries.answer(actor, number, typed["answer"], seen=seen)
            case "note":
                enquiries.note(actor, number, typed["note"], seen=seen)
            case "reopen":
                enquiries.reopen(actor, number, typed["reopen"], seen=seen)
            case "assign":
                if typed["owner"] and typed["owner"] not in dict(self._able(one)):
                    raise InputError({"owner": _STAFF})
                enquiries.assign(actor, number, typed["owner"], seen=seen)
            case "move":
                if typed["office"] not in dict(self._elsewhere(one)):
                    raise InputError({"office": _OFFICE})
                enquiries.move(actor, number, typed["office"], seen=seen)
            case "extend":
                try:
                    enquiries.extend(actor, number, read_day(typed["due_on"]), seen=seen)
                except TextRefused as error:
                    raise InputError({"due_on": error.words}) from error
            case "close":
                enquiries.close(actor, number, seen=seen)
            case _:
                enquiries.erase(actor, number, seen=seen)

    # --- the page ---------------------------------------------------------------------------------------

    def _page(self, request: Request, view: EnquiryView, shown: Shown) -> HTMLResponse:
        actor, t, one, today = actor_of(request), self.t, view.enquiry, self.desk.registers.today()
        offices = {found.code: found.name for found in self.desk.registers.offices(present=False)}
        called = callers(self._people, t)
        steps = happened(view.steps, t, today, called, offices)
        question = faq().question(one.topic)
        waiting = one.state is EnquiryState.OPEN
        acts, able = self.desk.enquiries.acts(actor, view), self._able(one)
        values = {
            "one": one,
            "about": about(one, t),
            "help": "" if question is None else f"{t.prefix}{help_path(question)}",
            "state": ENQUIRY_STATE_WORDS[one.state].text(t.lang),
            "tone": TONES[one.state],
            "due": due_of(one.due_on, today, t) if waiting else None,
            "by": called(one.owner) if one.owner else "",
            "office": offices.get(one.office, one.office),
            "contact": view.contact,
            "erased": view.erased,
            "case": self.desk.lists.numbers(actor, [one.case]).get(one.case or 0, ""),
            "talk": [step for step in steps if step.step in _SAID],
            "history": [(step, step.step in _SAID) for step in reversed(steps)],
            "can": {act for act, step in _ACTS.items() if step in acts},
            "mine": one.owner == actor.reference,
            "me": actor.reference if actor.reference in dict(able) else "",
            "people": able,
            "elsewhere": self._elsewhere(one),
            "today": today.isoformat(),
            "letter": self._letter(one),
            "longest": LONGEST_TEXT,
            "act": shown.act,
            "typed": dict.fromkeys(_FIELDS, "") | dict(shown.typed),
            "errors": shown.errors.by_field,
            "stale": shown.stale,
            "done": self._said(request),
        }
        return self.frame.show(
            request, "desk/enquiry-answer.html", values, here="enquiries", status=shown.status
        )

    def _letter(self, one: Enquiry) -> str:
        """The letter that an answer makes; empty where there is no case to send it for."""
        words = notice_table().notices[NoticeKind.ENQUIRY_ANSWERED].subject
        return "" if one.case is None else words.text(self.t.lang)

    def _able(self, one: Enquiry) -> list[tuple[str, str]]:
        """Those who can answer it."""
        office = one.office
        if office:
            return colleagues(self.desk, self._people, office, Right.DESK_HANDLE)
        found = self._people.people()
        return [(who.reference, who.name) for who in found if who.role.may(Right.DESK_HANDLE)]

    def _elsewhere(self, one: Enquiry) -> list[tuple[str, str]]:
        """The offices that it can be moved to."""
        return [(each.code, each.name) for each in self.desk.registers.offices() if each.code != one.office]

    # --- after an act -----------------------------------------------------------------------------------

    def _on(self, actor: Actor, number: str, step: Step) -> Response:
        """On to its page, or to the list where it has gone to another office."""
        try:
            self.desk.enquiries.view(actor, number)
        except UnknownError:
            return self.to("/enquiries?done=moved")
        return self.to(f"/enquiries/{number}?done={step.value}")

    def _still_here(self, actor: Actor, number: str) -> EnquiryView:
        """The enquiry as it is now.

        Raises:
            TroubleError: it cannot be seen, perhaps because it belongs to another office by now.
        """
        try:
            return self.desk.enquiries.view(actor, number)
        except UnknownError as error:
            action = self.t("desk_answer.to_list")
            raise self.gone(self.t("desk_answer.not_here"), action=action, path="/enquiries") from error

    def _said(self, request: Request) -> str:
        """What has just been done, as the address says it."""
        done = request.query_params.get("done", "") if request.method == "GET" else ""
        if done not in set(_ACTS.values()):
            return ""
        return self.t("desk_case.done", what=self.t(f"desk_answer.did_{done}"))

    @property
    def _people(self) -> People:
        people = self.frame.access.people
        assert people is not None, "a desk without people has no staff"
        return people


def _version(form: FormData) -> int:
    seen = text_of(form, "seen")
    return int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 10 else 0


def _at_field(error: InputError, act: str) -> dict[str, Words]:
    """What is wrong, at the field of the form that was sent: every text has a field of its own."""
    return {act if name == "text" else name: words for name, words in error.by_field.items()}
