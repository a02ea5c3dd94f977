"""What every answer and every request must satisfy before a page is made.

Only requests addressed to this machine by a loopback name are answered, so that no foreign page can reach the
site through a name that it controls (DNS rebinding). Only reading is possible. Answers carry a policy that
lets nothing but this server's own files run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from koatsu.web.texts import LANGUAGES, texts

__all__ = ["Guard", "Mishaps", "is_loopback"]

_log = logging.getLogger(__name__)

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = (
    ("Content-Security-Policy", _POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


def is_loopback(host: str) -> bool:
    """Whether a Host header names this machine's loopback: localhost, 127.0.0.0/8 or [::1], any port."""
    name = host.strip().lower()
    if name.startswith("["):
        name, bracket, port = name[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            return False
        port = port[1:]
    else:
        name, _, port = name.partition(":")
    if port and not (port.isascii() and port.isdigit()):
        return False
    if name in ("localhost", "localhost."):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


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
        except Exception:  # noqa: BLE001 - the edge of the program: whatever it was, a reader gets a sentence
            _log.exception("the page %s could not be made", scope.get("path"))
            if begun:
                return
            await self._page(Request(scope))(scope, receive, send)


class Guard:
    """ASGI middleware: Host check, reading only, and the headers of every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or pass on with headers added."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS:
                    headers[name] = value
                # Files of the program may be kept but must be asked for again; figures are never kept.
                headers.setdefault(
                    "Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store"
                )
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_guarded)

    @staticmethod
    def _refusal(scope: Scope) -> PlainTextResponse | None:
        hosts = Headers(scope=scope).getlist("host")
        if len(hosts) != 1 or not is_loopback(hosts[0]):
            return PlainTextResponse(_both("error.bad_host"), status_code=400)
        if scope["method"] not in ("GET", "HEAD"):
            return PlainTextResponse(
                _both("error.bad_method"), status_code=405, headers={"Allow": "GET, HEAD"}
            )
        return None


def _both(key: str) -> str:
    """A sentence in every language, for an answer given before one is known."""
    return "".join(f"{texts(lang)(key)}\n" for lang in LANGUAGES)
