"""What every group of pages of the desk is made of: its routes, each with its rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from koatsu.people import Right
from koatsu.web.access import add_page
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.trouble import TroubleError

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["DeskPages"]


class DeskPages:
    """A group of pages of one language over the desk; ``router`` holds their routes.

    A group is a class of its own: it names its routes in ``__init__`` with :meth:`route`, its views are plain
    functions (the framework calls them beside the event loop), and it stands in ``PAGES`` of
    :mod:`koatsu.web.desk.app`.

    Args:
        desk: the open desk.
        frame: what stands around every page.
    """

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        self.desk, self.frame, self.t = desk, frame, frame.t
        self.router = APIRouter(prefix=frame.t.prefix, default_response_class=HTMLResponse)

    def route(self, method: str, path: str, view: Callable[..., Any], right: Right | None) -> None:
        """Add a page or a form; ``right`` is what it asks for, ``None`` lets everybody in."""
        add_page(self.router, method, path, view, right)

    def to(self, path: str) -> Response:
        """Lead on to a page of the same language, as after a form that was taken."""
        return RedirectResponse(f"{self.t.prefix}{path}", status_code=303)

    def gone(self, sentence: str, *, action: str, path: str) -> TroubleError:
        """A page that is not there: one sentence, and the way to one that is."""
        return TroubleError(404, sentence, action=action, url=f"{self.t.prefix}{path}")
