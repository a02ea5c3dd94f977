"""What a person or a program is told when a page cannot be shown: one sentence, one way on.

Refusals, addresses that lead nowhere, requests that cannot be read and pages that broke while they were made
all end here; a traceback never gets out.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from koatsu.errors import KoatsuError
from koatsu.people import NotAllowedError, PeopleStoreError
from koatsu.web.forms import came_from
from koatsu.web.frame import NO_METER, Frame
from koatsu.web.guard import SAFE
from koatsu.web.refusals import RefusedError, as_json, for_program
from koatsu.web.render import render
from koatsu.web.texts import LANGUAGES, Texts, texts

__all__ = ["TroubleError", "Troubles"]

#: Whoever follows a link from elsewhere comes without the cookie of the session, which is kept from foreign
#: pages; asked for once more by a page of ours, the same address is opened with it.
_ONCE_MORE: Final = (
    '<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="refresh" content="0">'
    "<title>Koatsu</title></head><body></body></html>"
)

_log = logging.getLogger(__name__)

_NOTHING_ELSE: Final[Mapping[type[KoatsuError], tuple[int, str]]] = {}

#: What the framework answers by itself -> the code of our sentence.
_CODES: Final = {
    400: "bad_request",
    404: "not_found",
    405: "bad_method",
    413: "too_large",
    422: "bad_request",
}


class TroubleError(KoatsuError):
    """A page that cannot be shown: its status, one sentence in the language of the page, one action."""

    def __init__(self, status: int, sentence: str, *, action: str, url: str) -> None:
        super().__init__(sentence)
        self.status, self.action, self.url = status, action, url


class Troubles:
    """The answers to everything that goes wrong.

    Args:
        frame_of: the frame in the language that a request is in.
        stores: what is raised where a store of the program cannot be used.
        told: further errors whose own sentence is for whoever asks -> the status of the answer, and the code
            for programs. Of an error that is of several of these kinds, the nearest one counts.
    """

    def __init__(
        self,
        frame_of: Callable[[Request], Frame],
        *,
        stores: Sequence[type[KoatsuError]],
        told: Mapping[type[KoatsuError], tuple[int, str]] = _NOTHING_ELSE,
    ) -> None:
        self._frame_of, self._told = frame_of, told
        self._stores: list[type[KoatsuError]] = [PeopleStoreError, *stores]

    def install(self, app: FastAPI) -> None:
        """Answer for ``app``."""
        app.add_exception_handler(TroubleError, self._trouble)
        app.add_exception_handler(RefusedError, self._refused)
        app.add_exception_handler(NotAllowedError, self._not_allowed)
        for store in self._stores:
            app.add_exception_handler(store, self._store)
        for refusal in self._told:
            app.add_exception_handler(refusal, self._say)
        for kind in (HTTPException, RequestValidationError):
            app.add_exception_handler(kind, self._framework)

    def failed(self, request: Request) -> Response:
        """The answer where a page broke while it was made; asks nothing of what may be broken."""
        return self.refusing(request, 500, self._frame_of(request).program.sentence("failed"))

    def refusing(self, request: Request, status: int, key: str, /, **values: object) -> Response:
        """The answer to a request that is refused before anybody knows who asks: ``key`` with ``values``."""
        code = key.partition(".")[2]
        if for_program(request):
            return as_json(code, status, sentences={lang: texts(lang)(key, **values) for lang in LANGUAGES})
        frame = self._frame_of(request)
        return self._page(frame, frame.bare(request), status, frame.t(key, **values))

    def _store(self, request: Request, error: Exception) -> Response:
        """A database cannot be used: its sentence for those who may read here, for others that it is so."""
        assert isinstance(error, KoatsuError)
        _log.warning("%s could not be answered: %s", request.url.path, error)
        frame = self._frame_of(request)
        try:
            sees = not isinstance(error, PeopleStoreError) and frame.access.sees(request)
        except KoatsuError:
            sees = False
        if not sees or for_program(request):
            return self.refusing(request, 503, "error.no_store")
        return self._page(frame, frame.bare(request), 503, error.text(frame.t.lang))

    def _say(self, request: Request, error: Exception) -> Response:
        """What the program refused, in its own words, with its hint; nothing has changed."""
        assert isinstance(error, KoatsuError)
        status, code = next(self._told[kind] for kind in type(error).__mro__ if kind in self._told)
        if for_program(request):
            return as_json(code, status, sentences={lang: error.text(lang) for lang in LANGUAGES})
        frame = self._frame_of(request)
        values = self._values(frame, request)
        back = (frame.t("error.back"), came_from(request, frame.home()))
        return self._page(frame, values, status, error.text(frame.t.lang), back)

    def _not_allowed(self, request: Request, _error: Exception) -> Response:
        """The people themselves refused what the route had let through."""
        return self._refused(request, RefusedError("no_right", 403))

    def _trouble(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, TroubleError)
        if for_program(request):
            return as_json(_CODES.get(error.status, "bad_request"), error.status)
        frame = self._frame_of(request)
        return self._page(
            frame, self._values(frame, request), error.status, error.message, (error.action, error.url)
        )

    def _framework(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 422
        headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
        if headers.get("Allow") == "GET":
            headers["Allow"] = "GET, HEAD"  # the guard sees to it
        if for_program(request):
            return as_json(_CODES.get(status, "bad_request"), status, headers)
        frame = self._frame_of(request)
        sentence = frame.t.for_code("error", _CODES.get(status, "not_found"))
        return self._page(frame, self._values(frame, request), status, sentence, headers=headers)

    def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RefusedError)
        if for_program(request):
            return as_json(error.code, error.status)
        frame = self._frame_of(request)
        t, people = frame.t, frame.access.people
        if error.code == "login" and request.headers.get("sec-fetch-site") == "cross-site":
            return HTMLResponse(_ONCE_MORE)
        if (there := frame.instead(request, error)) is not None:
            return RedirectResponse(there, status_code=303)
        if error.code == "login":
            return RedirectResponse(f"{t.prefix}/login{_after(request, t)}", status_code=303)
        if error.code == "owner_first" and people is not None:
            return RedirectResponse(f"{t.prefix}/setup", status_code=303)
        action = (t("error.again"), came_from(request, f"{t.prefix}/")) if error.code == "forged" else None
        sentence = t.for_code("error", error.code)
        return self._page(frame, self._values(frame, request), error.status, sentence, action)

    @staticmethod
    def _values(frame: Frame, request: Request) -> dict[str, object]:
        return frame.values(request) | {"site_name": frame.site_name(request)}

    @staticmethod
    def _page(
        frame: Frame,
        values: Mapping[str, object],
        status: int,
        sentence: str,
        action: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        words, url = action or (frame.words("home"), frame.home())
        text = {"here": "", "sentence": sentence, "action": words, "action_url": url}
        whole = {"site_name": "", **NO_METER, **values, **text}
        return HTMLResponse(
            render("error.html", frame.t, whole), status_code=status, headers=dict(headers or {})
        )


def _after(request: Request, t: Texts) -> str:
    """Where a login leads back to: the page that was asked for, or the one whose form was sent."""
    if request.method in SAFE:
        url = request.url
        there = url.path + (f"?{url.query}" if url.query else "")
    else:
        there = came_from(request, f"{t.prefix}/")
    return "" if there == f"{t.prefix}/" else f"?next={quote(there, safe='/')}"
