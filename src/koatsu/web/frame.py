"""What stands around every page: the bar with its navigation, who is logged in, and the secret of its forms.

Pages that are no live screens are shown by :meth:`Frame.show`; live screens take :meth:`Frame.values` into
their own values. What differs from program to program stands in its :class:`koatsu.web.program.Program`, and
in the methods of :class:`Frame` that say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse

from koatsu.people import Login, Right
from koatsu.web.access import Access
from koatsu.web.forms import came_from, form_secret, keep_form_secret
from koatsu.web.guard import SAFE
from koatsu.web.navigation import Navigation, exists
from koatsu.web.program import DemoLogin, Program
from koatsu.web.refusals import RefusedError
from koatsu.web.render import render
from koatsu.web.texts import Texts

__all__ = ["NO_METER", "Frame"]

#: What a page without a meter of its own leaves out of the bar: the state of the link, and the clock.
NO_METER: Final = {"lead": None, "at": None}


class Frame:
    """The frame of every page of one program in one language.

    Args:
        t: the language.
        access: who may see what.
        program: what the program offers.
        demo: say on every page that this is the demo.
    """

    def __init__(self, t: Texts, access: Access, program: Program, *, demo: bool = False) -> None:
        self.t, self.access, self.program, self._demo = t, access, program, demo

    # --- what a program may say in its own way ----------------------------------------------------------

    def site_name(self, _request: Request) -> str:
        """What stands beside the name of the program, for those who may see it: whose pages these are."""
        return ""

    def several_sites(self) -> bool:
        """Whether there is more than one site."""
        return False

    def of_site(self, _request: Request) -> str:
        """What keeps the navigation at the site of this page: the query that its links end in."""
        return ""

    def store_trouble(self) -> str:
        """What is wrong with what the program keeps, in one sentence; empty when nothing is."""
        return ""

    def home(self) -> str:
        """The address to go on from where nothing better is known."""
        return f"{self.t.prefix}/"

    def logins(self) -> Sequence[DemoLogin]:
        """Who can log in at a demo; nobody where it is none."""
        return ()

    def instead(self, _request: Request, _error: RefusedError) -> str | None:
        """Where somebody is led who may not open a page, instead of being told so; ``None``: nowhere."""
        return None

    def kept(self, request: Request) -> str:
        """What stays in the address of the page in the other language: all but what was just done."""
        pairs = [(key, value) for key, value in request.query_params.multi_items() if key != "done"]
        return f"?{urlencode(pairs, quote_via=quote)}" if pairs else ""

    # --- the same for all -------------------------------------------------------------------------------

    def words(self, name: str) -> str:
        """A sentence of the shell as this program says it, see :data:`koatsu.web.program.WORDS`."""
        key = self.program.sentence(name)
        return self.t(key) if key else ""

    def bare(self, request: Request) -> dict[str, Any]:
        """What ``base.html`` needs, asked of nobody: for the page that says that something broke."""
        return {
            "demo": False,
            "stream": "",
            "shape": "",
            "elsewhere": self._elsewhere(request),
            "login": None,
            "csrf": "",
            "nav": Navigation(),
            "may": dict.fromkeys(map(str, Right), False),
            "ownerless": False,
            "may_log_in": False,
            "search": "",
            "logins": (),
            "sheets": self.program.sheets,
            "words": self.words,
            "of_site": "",
            "store_trouble": lambda: "",
        }

    def values(self, request: Request, *, stream: str = "") -> dict[str, Any]:
        """What ``base.html`` needs beside a page's own values; ``stream``: the address of its live parts."""
        access, program = self.access, self.program
        login = self._login(request)
        sees = access.sees(request)

        def may(right: Right) -> bool:
            return login.may(right) if login is not None else sees and right is program.reads

        navigation = Navigation.of(
            request.app, program.entries, may, several_sites=sees and self.several_sites()
        )
        return self.bare(request) | {
            "demo": self._demo and (sees or program.public),
            "stream": stream,
            "login": login,
            "csrf": login.csrf if login is not None else "",
            "nav": navigation,
            "may": {str(right): may(right) for right in Right},
            "ownerless": access.people is not None and sees and login is None,
            "may_log_in": program.public and access.people is not None and login is None,
            "search": program.search if sees else "",
            "logins": self.logins(),
            "of_site": self.of_site(request) if sees else "",
            "elsewhere": self._elsewhere(request) + self.kept(request),
            "store_trouble": self.store_trouble if sees else lambda: "",
        }

    def show(
        self,
        request: Request,
        template: str,
        values: Mapping[str, Any],
        *,
        here: str = "",
        status: int = 200,
        form: bool = False,
    ) -> HTMLResponse:
        """A page that is no live screen.

        Args:
            request: what it answers.
            template: its file.
            values: of the template.
            here: its entry of the navigation.
            status: of the answer.
            form: it holds a form although nobody may be logged in.
        """
        whole = self.values(request) | {"site_name": self.site_name(request), "here": here} | NO_METER
        cookie, secure = self.access.cookie(request), self.access.is_secure(request)
        if form and not whole["csrf"]:
            whole["csrf"] = form_secret(request, cookie)
        answer = HTMLResponse(render(template, self.t, {**whole, **values}), status_code=status)
        keep_form_secret(request, answer, cookie, secure=secure)
        return answer

    def _login(self, request: Request) -> Login | None:
        try:
            return self.access.login(request)
        except RefusedError:
            return None

    def _elsewhere(self, request: Request) -> str:
        """The address of this page in the other language; of a form that was sent, the page it stands on."""
        path, prefix = request.url.path, self.t.prefix
        if request.method not in SAFE and not exists(request.app, path):
            path = came_from(request, f"{prefix}/").partition("?")[0]
        return (path.removeprefix(prefix) or "/") if prefix else f"/{self.t.other}{path}"
