"""What every answer and every request must satisfy before a page is made.

Only requests addressed to this server by one of its own names are answered, and what changes something must
come from one of its own pages, so that no foreign page can use a person's browser against the site. A body
has a limit in bytes and seconds. Answers carry a policy that lets nothing but this server's own files run.
Who may do what is not decided here: :mod:`koatsu.web.access`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from koatsu.web.bodies import IMPORTS, Body, BodyLimit
from koatsu.web.hosts import from_here, is_loopback, is_ours
from koatsu.web.texts import LANGUAGES, texts

__all__ = ["SAFE", "Guard", "Mishaps"]

_log = logging.getLogger(__name__)

SAFE = ("GET", "HEAD", "OPTIONS")  #: the methods that change nothing

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    # Not "no-referrer": with it a browser hides the origin of our own forms, too.
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)
_HSTS = "max-age=31536000"
_STATUS = {"bad_origin": 403, "too_large": 413, "too_slow": 408}


class Refusing(Protocol):
    """Makes the answer to a refused request: status, the key of its sentence, and what to fill in there."""

    def __call__(self, request: Request, status: int, key: str, /, **values: object) -> Response:
        """The answer."""


class Mishaps:
    """ASGI middleware: a page that breaks while it is made becomes one sentence, its cause goes to the log.

    Args:
        app: what may break.
        page: makes the answer that a person sees instead; it must not depend on what broke.
    """

    def __init__(self, app: ASGIApp, page: Callable[[Request], Response]) -> None:
        self._app, self._page = app, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; answer for what failed, unless an answer was under way already."""
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except ClientDisconnect:
            return  # nobody is there to answer, and nothing is wrong here
        except Exception:  # noqa: BLE001 - the edge of the program: whatever it was, a reader gets a sentence
            _log.exception("the page %s could not be made", scope.get("path"))
            if begun:
                return
            await self._page(Request(scope))(scope, receive, send)


class Guard:
    """ASGI middleware: the checks of Host, origin and body, and the headers of every answer.

    Args:
        app: what is guarded.
        refusing: makes the answer to a request that is refused for its origin or its body.
        names: names of this server beside those of the loopback, without ports.
        secure: every connection is encrypted, here or by a proxy in front.
        bodies: the addresses that take files, and how large.
    """

    def __init__(
        self,
        app: ASGIApp,
        refusing: Refusing,
        names: Collection[str] = (),
        *,
        secure: bool = False,
        bodies: Sequence[BodyLimit] = IMPORTS,
    ) -> None:
        self._app, self._refusing, self._bodies = app, refusing, bodies
        self._names = frozenset(name.lower().removesuffix(".") for name in names)
        self._secure = secure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or pass on with headers added."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scheme = "https" if self._secure else scope["scheme"]
        send = self._with_headers(scope, send, pinned=scheme == "https" and not _from_loopback(headers))
        body = Body(scope, receive, self._bodies)

        async def refuse(why: str) -> None:
            if why == "too_large" and body.line is not None:
                key, values = "error.file_too_large", {"mib": body.line.mebibytes}
            else:
                key, values = f"error.{why}", {}
            answer = self._refusing(Request(scope), _STATUS[why], key, **values)
            if why == "too_slow":
                answer.headers["Connection"] = "close"
            await answer(scope, receive, send)

        if not self._addressed_to_us(scope, headers):
            await PlainTextResponse(_both("error.bad_host"), status_code=400)(scope, receive, send)
        elif scope["method"] not in SAFE and not from_here(headers, scheme):
            await refuse("bad_origin")
        else:
            asked = scope
            if scope["method"] == "HEAD":  # what reads may be asked for its head alone
                asked, send = {**scope, "method": "GET"}, _head_alone(send)
            await body.pass_on(self._app, asked, send, refuse)

    def _addressed_to_us(self, scope: Scope, headers: Headers) -> bool:
        hosts = headers.getlist("host")
        arrived_at = (scope.get("server") or (None,))[0]
        return len(hosts) == 1 and is_ours(hosts[0], self._names, arrived_at)

    @staticmethod
    def _with_headers(scope: Scope, send: Send, *, pinned: bool) -> Send:
        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS:
                    headers[name] = value
                if pinned:
                    headers["Strict-Transport-Security"] = _HSTS
                # Files of the program may be kept but must be asked for again; figures are never kept.
                headers.setdefault(
                    "Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store"
                )
            await send(message)

        return send_guarded


def _head_alone(send: Send) -> Send:
    """Send the head of an answer and end it there; an answer without end then hears that nobody listens."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head


def _from_loopback(headers: Headers) -> bool:
    """Whether a loopback name was used: a promise of encryption would bind every program behind that name."""
    return is_loopback(headers.get("host", ""))


def _both(key: str) -> str:
    """A sentence in every language, for an answer given before one is known."""
    return "".join(f"{texts(lang)(key)}\n" for lang in LANGUAGES)
