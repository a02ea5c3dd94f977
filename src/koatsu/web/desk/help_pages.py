"""The living help: every question with its answer, the action that it speaks of, and the way on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.faq import LONGEST_SEARCH, Question, faq
from koatsu.people import Right
from koatsu.web.desk.actors import visitor_of
from koatsu.web.desk.leading import OWN_ACTIONS, action_path, answer_parts, ask_path, help_path
from koatsu.web.desk.own_words import next_words, own_offices, present_cases
from koatsu.web.desk.pages import DeskPages

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["HelpPages"]

#: Answers that are clearer with the drawing of who looks after what -> the part to look at first, if any.
_DRAWN: Final = {"works_cost": "", "is_it_free": "", "wired": "", "no_data": "cable"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A question as the page shows it, in its language."""

    id: str
    question: str
    lead: str
    parts: list[str]
    action: str  #: address; empty where it is for others
    label: str
    drawn: bool
    first: str  #: the part of the drawing to look at first
    related: list[tuple[str, str]]
    ask: str
    needs_login: bool


class HelpPages(DeskPages):
    """``/help``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/help", self.help, None)

    def help(self, request: Request, q: str = "", open: str = "") -> Response:  # noqa: A002 - the address says so
        """Every question by its section, or those that fit ``q``, the best first; ``open`` stands open."""
        book, lang = faq(), self.t.lang
        typed = " ".join(q.split())[:LONGEST_SEARCH]
        found = book.search(typed) if typed else ()
        visitor = visitor_of(request)
        staff = visitor is not None and visitor.role is not None and visitor.role.may(Right.DESK_READ)

        def shown(one: Question) -> Shown:
            return self._shown(one, staff=staff, stranger=visitor is None)

        sections = [
            (section.id, section.title.text(lang), [shown(one) for one in book.of_section(section.id)])
            for section in book.sections
        ]
        cases = [] if visitor is None else present_cases(self.desk, visitor)
        values = {
            "q": typed,
            "found": [shown(one) for one in found],
            "sections": sections,
            "open": open,
            "staff": staff,
            "own": [(case, next_words(case, self.t, online=self.desk.settings.online)) for case in cases[:3]],
            "offices": own_offices(self.desk, cases),
        }
        return self.frame.show(request, "desk/help.html", values, here="help", form=True)

    def _shown(self, one: Question, *, staff: bool, stranger: bool) -> Shown:
        lang = self.t.lang
        lead, parts = answer_parts(one.said(online=self.desk.settings.online).text(lang))
        own = one.action in OWN_ACTIONS
        return Shown(
            id=one.id,
            question=one.question.text(lang),
            lead=lead,
            parts=parts,
            action="" if own and staff else action_path(one.action, one.topic),
            label=one.label.text(lang),
            drawn=one.id in _DRAWN,
            first=_DRAWN.get(one.id, ""),
            related=[(help_path(other), other.question.text(lang)) for other in faq().related(one)],
            ask=ask_path(one.topic),
            needs_login=own and stranger,
        )
