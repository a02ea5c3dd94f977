"""The shell as the desk uses it: whose desk it is, where the start page leads whom, who is at the demo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from fastapi import Request

from koatsu.people import DESK_ROLES, Right
from koatsu.web.access import Access
from koatsu.web.desk.navigation import DESK_ENTRIES
from koatsu.web.frame import Frame
from koatsu.web.guard import SAFE
from koatsu.web.navigation import exists
from koatsu.web.program import DemoLogin, Program
from koatsu.web.refusals import RefusedError
from koatsu.web.texts import Texts

if TYPE_CHECKING:
    from koatsu.desk import DeskSettings

__all__ = ["DESK", "DeskFrame"]

DESK: Final = Program(
    entries=DESK_ENTRIES,
    roles=DESK_ROLES,
    reads=Right.DESK_READ,
    public=True,
    sheets=("desk.css",),
    search="/search",
    words={
        "home": "desk.home",
        "failed": "desk.failed",
        "demo": "desk.demo",
        "demo_why": "desk.demo_why",
        "setup_why": "desk.setup_why",
        "login_why": "desk.login_why",
    },
)
"""The pages of the service desk."""


class DeskFrame(Frame):
    """The frame of every page of the desk in one language.

    Args:
        t: the language.
        access: who may see what.
        settings: what the utility has decided.
        demo: who can log in at the demo; ``None``: this is no demo.
    """

    def __init__(
        self, t: Texts, access: Access, settings: DeskSettings, *, demo: Sequence[DemoLogin] | None = None
    ) -> None:
        super().__init__(t, access, DESK, demo=demo is not None)
        self.settings, self._logins = settings, tuple(demo or ())

    def site_name(self, request: Request) -> str:
        """The utility, and which side of its desk this is."""
        side = "where_staff" if self.access.sees(request) else "where_public"
        return self.t.for_code("desk", side, utility=self.settings.utility.text(self.t.lang))

    def logins(self) -> Sequence[DemoLogin]:
        """Who can log in at the demo."""
        return self._logins

    def instead(self, request: Request, error: RefusedError) -> str | None:
        """Where the start page leads those for whom the worklist is not: customers, and everybody else."""
        if request.method not in SAFE or request.url.path.rstrip("/") != self.t.prefix:
            return None
        login = getattr(request.state, "login", None)
        own = error.code == "no_right" and login is not None and login.may(Right.DESK_OWN)
        path = f"{self.t.prefix}{'/my' if own else '/help'}"
        return path if (own or error.code == "login") and exists(request.app, path) else None
