"""One page per case: everything that is known, and what can be done next, as forms of the life cycle.

Every form says which version of the case it was made of: what somebody else has changed meanwhile is told
with who and when, and what was typed stays in the form. What names a person in full is shown on demand, and
that somebody asked is written into the audit log before it is shown.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from koatsu.clock import JST
from koatsu.desk.documents import KIND_WORDS as DOCUMENT_WORDS
from koatsu.desk.documents import WITHDRAWN_WORDS
from koatsu.desk.enquiry_rows import ENQUIRY_STATE_WORDS, EnquiryState
from koatsu.desk.errors import ChangedMeanwhileError, InputError, NoStepError, RuleError, UnknownError
from koatsu.desk.fields import FIELDS, NO, YES
from koatsu.desk.letters import NoticeKind, notice_table
from koatsu.desk.lifecycle import STEPS, Event, Step, step_for
from koatsu.desk.models import Actor, Case
from koatsu.desk.next_steps import next_step
from koatsu.desk.notices import DueLetter
from koatsu.desk.probe import ProbeResult
from koatsu.desk.states import State
from koatsu.desk.step_refusals import forbidden
from koatsu.people import DESK_ROLES, People, Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.case_history import happened, phase_marks
from koatsu.web.desk.case_lines import day_words, due_of
from koatsu.web.desk.case_words import CaseWords, ems_certified
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.step_forms import Attempt, FormView, StepForms, typed_in
from koatsu.web.forms import Form, text_of
from koatsu.web.navigation import exists
from koatsu.web.notation import clock_time
from koatsu.web.record import callers
from koatsu.web.trouble import TroubleError

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["CasePages", "Shown"]

_SHOWN: Final = ("number", "contact", "application")  #: what is shown on demand
_ELSEWHERE: Final = frozenset({Event.NOTE, Event.ATTACH})  #: steps that have a place of their own on the page
_RUNNING: Final = frozenset({State.IN_SERVICE, State.SUSPENDED})  #: in which data should arrive, or did
_LAST: Final = (
    Event.ASSIGN,
    Event.EXTEND,
    Event.CHANGE_RETAILER,
    Event.CHANGE_NAME,
    Event.MOVE_OFFICE,
    Event.CORRECT,
    Event.WITHDRAW,
    Event.CONTRACT_ENDED,
    Event.ERASE,
)
"""Steps of nearly every state, in this order behind those of this state alone."""

_ASKING: Final = BoundedSemaphore(1)  #: of all pages, one asks a terminal at a time


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How the page of a case is to look this time."""

    status: int = 200
    open: Collection[str] = ()  #: of ``_SHOWN``
    attempt: Attempt | None = None
    stale: str = ""  #: who has changed the case meanwhile, in a sentence
    probe: ProbeResult | None = None
    paper_wrong: str = ""  #: why a file was not taken
    lost: Sequence[tuple[str, str]] = field(default_factory=tuple)  #: what was typed into a form that is gone


class CasePages(DeskPages):
    """The page of a case, its steps, and what of it is shown on demand."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/case/{number}", self.show, Right.DESK_READ)
        self.route("POST", "/case/{number}", self.act, Right.DESK_READ)
        self.route("POST", "/case/{number}/show", self.open, Right.DESK_READ)
        self.route("POST", "/case/{number}/probe", self.ask, Right.DESK_READ)

    # --- looking ----------------------------------------------------------------------------------------

    def show(self, request: Request, number: str) -> HTMLResponse:
        """The page."""
        return self.page(request, self.desk.cases.find(actor_of(request), number), Shown())

    def open(self, request: Request, number: str, form: Form) -> HTMLResponse:
        """The page with what is shown on demand, once that was recorded."""
        found = self.desk.cases.find(actor_of(request), number)
        what = text_of(form, "what")
        if what in _SHOWN:
            login = request.state.login
            self._people.audit.append(
                login.reference, "personal_shown", f"case:{found.number}", {"what": what}
            )
        return self.page(request, found, Shown(open=(what,) if what in _SHOWN else ()))

    # --- acting -----------------------------------------------------------------------------------------

    def act(self, request: Request, number: str, form: Form) -> Response:
        """Take a step."""
        actor, cases = actor_of(request), self.desk.cases
        found = cases.find(actor, number)
        event = self._event(text_of(form, "event"))
        step = step_for(event, found.state)
        forms = self._forms()
        values = forms.given(found, step, form) if step else typed_in(form, FIELDS)
        if event is Event.ERASE and not text_of(form, "sure"):
            wrong = Attempt(event=event, wrong=self.t("desk_case.erase_first"))
            return self.page(request, found, Shown(status=422, attempt=wrong))
        seen = text_of(form, "seen")
        version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else -1
        try:
            after = cases.act(actor, found.id, event, values, seen=version)
        except (ChangedMeanwhileError, NoStepError) as error:
            return self._overtaken(request, found, event, typed_in(form, FIELDS), error)
        except (InputError, RuleError) as error:
            attempt = Attempt.refused(event, typed_in(form, FIELDS), error, self.t.lang)
            opened = ("application",) if event is Event.FILL else ()
            return self.page(request, found, Shown(status=422, attempt=attempt, open=opened))
        return self._done(actor, after, event)

    def ask(self, request: Request, number: str) -> HTMLResponse:
        """Ask the terminal of the supply point, and propose what was found; nothing is recorded by it."""
        actor, probe = actor_of(request), self.desk.probe
        found = self.desk.cases.find(actor, number)
        step = step_for(Event.RECORD_CHECK, found.state)
        if step is None or probe is None or not probe.knows(found.supply_point):
            raise self._back(409, self.t("desk_case.no_probe"), found)
        if step not in self.desk.cases.steps(actor, found):
            raise forbidden()
        if not _ASKING.acquire(blocking=False):
            raise self._back(503, self.t("desk_case.probe_busy"), found)
        try:
            result = probe.ask(found.supply_point)
        finally:
            _ASKING.release()
        return self.page(request, found, Shown(probe=result))

    # --- the page ---------------------------------------------------------------------------------------

    def page(self, request: Request, found: Case, shown: Shown) -> HTMLResponse:
        """The page of a case as ``shown`` says."""
        actor, t, desk = actor_of(request), self.t, self.desk
        offices = {one.code: one.name for one in desk.registers.offices(present=False)}
        called = callers(self._people, t)
        words, today = CaseWords(desk, t, offices, called), desk.registers.today()
        person = desk.cases.person(actor, found.id)
        point, entries = words.point(found), desk.cases.history(actor, found.id)
        papers = desk.documents.of_case(actor, found.id)
        name = person.get("customer_name", "")
        values = {
            "case": found,
            "name": name,
            "due": due_of(found.due_on, today, t),
            "by": called(found.assignee) if found.assignee else "",
            "marks": phase_marks(found, entries, t, today),
            **self._steps(actor, found, words, shown, person),
            "supply": words.supply(found, point, shown.open),
            "customer": words.customer(actor, found, person, shown.open),
            "devices": words.devices(found, point),
            "ems": words.ems(found),
            "costs": words.costs(),
            "works": words.works(actor, found),
            "letters": [self._letter(one) for one in desk.notices.of_case(actor, found.id)],
            "papers": [(one, DOCUMENT_WORDS[one.kind].text(t.lang), called(one.added_by)) for one in papers],
            "kinds": [(kind.value, kind_words.text(t.lang)) for kind, kind_words in DOCUMENT_WORDS.items()],
            "withdrawn": {kind.value: one.text(t.lang) for kind, one in WITHDRAWN_WORDS.items()},
            "history": happened(desk, actor, entries, t, called, offices, papers, today),
            "questions": self._questions(request, actor, found),
            "can_search": found.state in _RUNNING and exists(request.app, f"{t.prefix}/faults/new"),
            "stale": shown.stale,
            "tried": shown.attempt.event.value if shown.attempt else "",
            "lost": shown.lost,
            "paper_wrong": shown.paper_wrong,
            "probe": shown.probe,
            "done": self._said(request) if request.method == "GET" else "",
        }
        return self.frame.show(request, "desk/case.html", values, here="worklist", status=shown.status)

    def _steps(
        self, actor: Actor, found: Case, words: CaseWords, shown: Shown, person: Mapping[str, str]
    ) -> dict[str, Any]:
        """What comes next, with its form where this person may take it, and what else can be done."""
        forms, t = self._forms(), self.t
        steps = self.desk.cases.steps(actor, found)
        following = next_step(found, certified=ems_certified(self.desk, found))
        may = following is not None and following in steps
        attempt = self._probed(shown)

        def view(step: Step) -> FormView:
            return self._view(forms, actor, found, step, attempt, person)

        others = [step for step in steps if step != following and step.event not in _ELSEWHERE]
        others.sort(key=lambda step: _LAST.index(step.event) + 1 if step.event in _LAST else 0)
        who = following.who if following is not None else frozenset()
        probe = self.desk.probe
        asked = any(step.event is Event.RECORD_CHECK for step in steps)
        return {
            "next": following.button.text(t.lang) if following is not None else "",
            "next_form": view(following) if following is not None and may else None,
            "next_who": t("desk_case.and").join(
                t.for_code("person", str(role)) for role in DESK_ROLES if role in who
            ),
            "others": [view(step) for step in others],
            "note": next((view(step) for step in steps if step.event is Event.NOTE), None),
            "attach": any(step.event is Event.ATTACH for step in steps),
            "fill_open": "application" in shown.open,
            "findings": words.findings(found),
            "checks": words.checks(found),
            "can_ask": asked and probe is not None and probe.knows(found.supply_point),
        }

    def _view(
        self,
        forms: StepForms,
        actor: Actor,
        found: Case,
        step: Step,
        attempt: Attempt | None,
        person: Mapping[str, str],
    ) -> FormView:
        if step.event is Event.FILL and (attempt is None or attempt.event is not Event.FILL):
            kept = {name: person.get(name, found.fact(name)) for name in step.names}
            made = forms.of(actor, found, step, Attempt(event=Event.FILL, typed=kept))
            made = replace(made, opened=False)
        else:
            made = forms.of(actor, found, step, attempt)
        if not step.notice:
            return made
        notice = notice_table().notices[NoticeKind(step.notice)]
        told = "reason" in step.names and "reason" in notice.record
        return replace(made, letter=notice.subject.text(self.t.lang), told=told)

    def _probed(self, shown: Shown) -> Attempt | None:
        """What a probe has found, as the fields of the check; what it could not ask stays open."""
        result = shown.probe
        if result is None:
            return shown.attempt
        t, lang = self.t, self.t.lang
        seen = {True: YES, False: NO, None: ""}
        values = [
            f"{result.labels[name].text(lang) if name in result.labels else name}: {value}"
            for name, value in result.values.items()
        ]
        at = f"{result.at.astimezone(JST):%Y-%m-%d} {clock_time(result.at)}"
        lines = [t("desk_case.probed", at=at), result.reason.text(lang), *values]
        typed = {
            "check_terminal": seen[result.terminal_up],
            "check_meter": seen[result.meter_answers],
            "check_way": "probe",
            "evidence": "\n".join(lines),
        }
        return Attempt(event=Event.RECORD_CHECK, typed=typed)

    def _letter(self, one: DueLetter) -> tuple[DueLetter, str, list[str]]:
        """A letter with what it is about, and what became of it."""
        today = self.desk.registers.today()

        def day(at: datetime) -> str:
            return day_words(at.astimezone(JST).date(), today, self.t)

        marks = [day(one.made_at)]
        if one.printed_at is not None:
            marks.append(self.t("desk_case.printed", when=day(one.printed_at)))
        if one.mailed_at is not None:
            marks.append(self.t("desk_case.mailed", when=day(one.mailed_at)))
        return one, one.words.text(self.t.lang), marks

    def _questions(self, request: Request, actor: Actor, found: Case) -> list[tuple[str, str, str]]:
        """Enquiries and searches for lost data that belong to the case: number, address, state."""
        lang = self.t.lang

        def address(number: str, *pages: str) -> str:
            """The first of these pages that there is; empty where there is none."""
            there = (f"{self.t.prefix}{page}" for page in pages)
            found = next((page for page in there if exists(request.app, page.format("0"))), "")
            return found.format(number)

        asked = self.desk.enquiries.listing(actor, states=tuple(EnquiryState), case_id=found.id)
        rows = [
            (one.number, address(one.number, "/enquiries/{}"), ENQUIRY_STATE_WORDS[one.state].text(lang))
            for one in asked
        ]
        for fault in self.desk.faults.of_case(actor, found.id):
            word = self.t("desk_case.fault_open" if fault.closed_at is None else "desk_case.fault_closed")
            handles = actor.role is not None and actor.role.may(Right.DESK_HANDLE)
            pages = ("/faults/{}", "/faults/{}/guide") if handles else ("/faults/{}",)
            rows.append((fault.number, address(fault.number, *pages), word))
        return rows

    # --- after a step -----------------------------------------------------------------------------------

    def _done(self, actor: Actor, after: Case, event: Event) -> Response:
        """On to the page of the case, or to the worklist where it has gone to another office."""
        try:
            self.desk.cases.get(actor, after.id)
        except UnknownError:
            return self.to("/?done=moved")
        return self.to(f"/case/{after.number}?done={event.value}")

    def _said(self, request: Request) -> str:
        """What has just been done, as the address says it."""
        done = request.query_params.get("done", "")
        step = next((step for step in STEPS if step.event.value == done), None)
        if step is not None:
            return self.t("desk_case.done", what=step.done.text(self.t.lang))
        return {
            "draft": self.t("desk_case.done_draft"),
            "withdrawn": self.t("desk_papers.done_withdrawn"),
        }.get(done, "")

    def _overtaken(
        self,
        request: Request,
        before: Case,
        event: Event,
        typed: Mapping[str, str],
        error: ChangedMeanwhileError | NoStepError,
    ) -> HTMLResponse:
        """The case as it is now, with who has changed it; what was typed stays, in its form or above."""
        actor, t = actor_of(request), self.t
        try:
            found = self.desk.cases.get(actor, before.id)
        except UnknownError:
            raise self.gone(t("desk_list.moved"), action=t("desk_case.to_list"), path="/") from error
        if isinstance(error, ChangedMeanwhileError):
            who = callers(self._people, t)(error.by)
            stale = t("desk_case.changed", who=who, time=clock_time(error.at))
        else:
            stale = error.text(t.lang)
        steps = self.desk.cases.steps(actor, found)
        if any(step.event is event for step in steps):
            attempt = Attempt(event=event, typed=typed)
            opened = ("application",) if event is Event.FILL else ()
            return self.page(request, found, Shown(status=409, stale=stale, attempt=attempt, open=opened))
        lost = [(FIELDS[name].words.text(t.lang), value) for name, value in typed.items() if value.strip()]
        return self.page(request, found, Shown(status=409, stale=stale, lost=lost))

    # --- inside -----------------------------------------------------------------------------------------

    @property
    def _people(self) -> People:
        people = self.frame.access.people
        assert people is not None, "a desk without people has no staff"
        return people

    def _forms(self) -> StepForms:
        return StepForms(self.desk, self.t, self._people, self.desk.registers.today())

    def _event(self, text: str) -> Event:
        if text not in set(Event):
            raise TroubleError(
                422, self.t("desk_case.no_step"), action=self.t("desk_case.to_list"), url=self.frame.home()
            )
        return Event(text)

    def _back(self, status: int, sentence: str, found: Case) -> TroubleError:
        url = f"{self.t.prefix}/case/{found.number}"
        return TroubleError(status, sentence, action=self.t("desk_case.to_case"), url=url)
