"""Letters: what waits to be printed, and the letter itself as PDF. Printing is noted with who did it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from koatsu.desk.errors import InputError
from koatsu.errors import KoatsuError
from koatsu.people import Right
from koatsu.render import RenderError
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.forms import came_from
from koatsu.web.record import callers
from koatsu.web.trouble import TroubleError

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["LettersPages"]


class LettersPages(DeskPages):
    """The letters of the offices that somebody sees."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/letters", self.show, Right.DESK_READ)
        self.route("POST", "/letters/{letter_id}", self.print, Right.DESK_READ)

    def show(self, request: Request) -> HTMLResponse:
        """What waits to be printed, or what was printed last."""
        actor, given = actor_of(request), request.query_params
        offices = {one.code: one.name for one in self.desk.registers.offices(present=False)}
        office = given.get("office", "") if given.get("office", "") in offices else ""
        printed = given.get("printed") == "yes"
        called = callers(self.frame.access.people, self.t)
        letters = self.desk.notices.list(actor, office or None, printed=printed)
        every = [("", self.t("desk_list.every_office"), not office)]
        choices = [*every, *((code, name, code == office) for code, name in offices.items())]
        values = {
            "letters": [
                (one, one.words.text(self.t.lang), offices.get(one.office, ""), called(one.printed_by))
                for one in letters
            ],
            "waiting": self.desk.notices.waiting(actor, office or None),
            "printed": printed,
            "office": office,
            "offices": choices if actor.office is None and len(offices) > 1 else [],
        }
        return self.frame.show(request, "desk/letters.html", values, here="letters")

    def print(self, request: Request, letter_id: int) -> Response:
        """The letter as a file to save and print; that it was is noted."""
        try:
            content = self.desk.notices.pdf(actor_of(request), letter_id)
        except (InputError, RenderError) as error:
            raise self._unprinted(request, error) from error
        headers = {"Content-Disposition": f'attachment; filename="koatsu_letter_{letter_id}.pdf"'}
        return Response(content, media_type="application/pdf", headers=headers)

    def _unprinted(self, request: Request, error: KoatsuError) -> TroubleError:
        """What keeps a letter from being written: a value that is missing, a character that has no shape."""
        back = came_from(request, f"{self.t.prefix}/letters")
        return TroubleError(422, error.text(self.t.lang), action=self.t("desk_letters.back"), url=back)
