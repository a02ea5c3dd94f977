"""Finding a case: by its number, its supply point, a name or an address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.plain_text import bare_digits
from koatsu.desk.point_numbers import DIGITS
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.case_lines import lines_of
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.record import callers

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["SearchPages"]

_LONGEST: Final = 100
_SHOWN: Final = 50  #: cases that a search shows


class SearchPages(DeskPages):
    """The search of the staff; what is looked for is written into no log."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/search", self.show, Right.DESK_READ)

    def show(self, request: Request) -> Response:
        """What was found; whoever writes the whole number of a case is at that case."""
        actor, text = actor_of(request), request.query_params.get("q", "").strip()[:_LONGEST]
        found = self.desk.lists.search(actor, text) if text else []
        if len(found) == 1 and found[0].case.number == text.upper():
            return self.to(f"/case/{found[0].case.number}")
        called = callers(self.frame.access.people, self.t)
        digits = bare_digits(text)
        values = {
            "q": text,
            "lines": lines_of(found, self.t, self.desk.registers.today(), called),
            "full": len(found) == _SHOWN,
            "point": digits if digits.isascii() and digits.isdigit() and len(digits) == DIGITS else "",
        }
        return self.frame.show(request, "desk/search.html", values, here="search")
