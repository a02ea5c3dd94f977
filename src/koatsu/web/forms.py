"""Forms that work without scripts and cannot be sent by anybody else's page.

Every form carries the secret of its session in a hidden field ``csrf`` (a program that uses a session may
send it as X-CSRF-Token). Before there is a session, that secret is a cookie of the form itself. Requests with
an API token need none: no browser sends one by itself.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import unquote, urlsplit

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.responses import Response

from koatsu.errors import KoatsuError
from koatsu.people import Login, LoginKind
from koatsu.web.hosts import split_host
from koatsu.web.refusals import RefusedError

__all__ = [
    "Errors",
    "Form",
    "came_from",
    "check_form",
    "close_form",
    "form_secret",
    "keep_form_secret",
    "password_of",
    "safe_next",
    "sentence_of",
    "text_of",
]

_FIELDS: Final = 200
_FILES: Final = 1
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def check_form(request: Request, login: Login | None, cookie: str) -> None:
    """Read the form of a request and make sure that one of our pages sent it.

    Raises:
        RefusedError: its secret is missing or not that of this session.
    """
    if login is not None and login.kind is LoginKind.TOKEN:
        return
    expected = login.csrf if login is not None else request.cookies.get(f"{cookie}_form", "")
    given = request.headers.get("x-csrf-token")
    if given is None:
        given = text_of(await _read(request), "csrf")
    if not expected or not secrets.compare_digest(given.encode(), expected.encode()):
        raise RefusedError("forged", 403)


async def _read(request: Request) -> FormData:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in _FORMS:
        return FormData()
    return await request.form(max_files=_FILES, max_fields=_FIELDS)


async def close_form(request: Request) -> None:
    """Let go of the files of a form that was read."""
    await request.close()


async def checked_form(request: Request) -> FormData:
    """The form of a request that has passed its rule."""
    return await _read(request)


Form = Annotated[FormData, Depends(checked_form)]
"""The parameter of a view that takes a form."""


def text_of(form: FormData, name: str, limit: int = 1000) -> str:
    """A field as text without the blanks around it; empty where it is missing, a file or longer than that."""
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) and len(value) <= limit else ""


def password_of(form: FormData, name: str) -> str:
    """A password as it was typed: blanks around it belong to it."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def sentence_of(error: KoatsuError, lang: str) -> str:
    """What an error says, without its hint: for a field whose own hint says that already."""
    return error.ja if lang == "ja" and error.ja else error.message


@dataclass(slots=True)
class Errors:
    """What is wrong in a form, by field: one sentence each, in the language of the page."""

    by_field: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, sentence: str) -> None:
        """Say what is wrong with a field; the first word on it stays."""
        self.by_field.setdefault(name, sentence)

    def __bool__(self) -> bool:
        return bool(self.by_field)


def form_secret(request: Request, cookie: str) -> str:
    """The secret of a form that is shown before there is a session: the one the browser has, or a new one."""
    if not hasattr(request.state, "form_secret"):
        request.state.form_secret = request.cookies.get(f"{cookie}_form") or secrets.token_urlsafe(32)
    found: str = request.state.form_secret
    return found


def keep_form_secret(request: Request, response: Response, cookie: str, *, secure: bool) -> None:
    """Give the browser the secret of the form that ``response`` shows, where it has shown one."""
    secret = getattr(request.state, "form_secret", None)
    if secret is not None and request.cookies.get(f"{cookie}_form") != secret:
        response.set_cookie(
            f"{cookie}_form", secret, httponly=True, samesite="strict", secure=secure, path="/"
        )


def safe_next(text: str, otherwise: str) -> str:
    """The address on this server that ``text`` names, or ``otherwise``: a login never leads elsewhere."""
    plain = unquote(text)
    if not text.startswith("/") or len(text) > 1000 or any(mark in plain for mark in ("\\", "//")):
        return otherwise
    if any(ord(letter) <= 0x20 or ord(letter) == 0x7F for letter in plain):
        return otherwise
    try:
        parts = urlsplit(text)
    except ValueError:
        return otherwise
    return otherwise if parts.scheme or parts.netloc or parts.path.endswith(("/login", "/logout")) else text


def came_from(request: Request, otherwise: str) -> str:
    """The page of this server from which a request came, as far as the browser says."""
    try:
        parts = urlsplit(request.headers.get("referer", ""))
        same = split_host(parts.netloc) == split_host(request.headers.get("host", ""))
    except ValueError:
        return otherwise
    if not same:
        return otherwise
    return safe_next(parts.path + (f"?{parts.query}" if parts.query else ""), otherwise)
