"""How the service ends: by a form, by itself with the supply contract; and what is no end at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.states import State
from koatsu.web.desk.actors import visitor_of
from koatsu.web.desk.own_words import present_cases
from koatsu.web.desk.pages import DeskPages

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["EndingPages"]


class EndingPages(DeskPages):
    """``/ending``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/ending", self.guide, None)

    def guide(self, request: Request) -> Response:
        """What to do, and what happens then; for a customer with the way to the own case."""
        visitor = visitor_of(request)
        cases = [] if visitor is None else present_cases(self.desk, visitor)
        values = {
            "online": self.desk.settings.online,
            "cases": [one for one in cases if one.state in (State.IN_SERVICE, State.SUSPENDED)],
            "ending": [one for one in cases if one.state is State.ENDING],
        }
        return self.frame.show(request, "desk/ending.html", values, here="help")
