"""The pages by which a person comes in: making the first owner, logging in and out, one's own account.

Every form is sent to the address it stands on, so that a page with an error has an address of its own.
Checking a password takes memory and time on purpose; so many at once are done here, the rest waits, and
beyond that is refused, so that a flood of logins leaves the figures readable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from koatsu.people import (
    SESSION_LIFE,
    SHORTEST,
    LockedOutError,
    Login,
    LoginKind,
    NameRefusedError,
    OwnerExistsError,
    PasswordRefusedError,
    People,
    Right,
    WrongPasswordError,
)
from koatsu.web.access import Access, add_page, at_this_machine
from koatsu.web.forms import Errors, Form, password_of, safe_next, sentence_of, text_of
from koatsu.web.frame import Frame
from koatsu.web.refusals import RefusedError

__all__ = ["Accounts", "logged_in", "origin_of"]

T = TypeVar("T")

_AT_ONCE: Final = 2
_WAITING: Final = 20


class Accounts:
    """The routes of one language over the people of an installation."""

    def __init__(self, people: People, frame: Frame) -> None:
        self._people, self._frame, self._t = people, frame, frame.t
        self._limiter: CapacityLimiter | None = None
        self.router = APIRouter(prefix=frame.t.prefix, default_response_class=HTMLResponse)
        routes: tuple[tuple[str, str, Callable[..., Any], Right | None], ...] = (
            ("GET", "/setup", self.setup, None),
            ("POST", "/setup", self.set_up, None),
            ("GET", "/login", self.login, None),
            ("POST", "/login", self.log_in, None),
            ("POST", "/logout", self.log_out, Right.ACCOUNT),
            ("GET", "/account", self.account, Right.ACCOUNT),
            ("POST", "/account", self.change, Right.ACCOUNT),
        )
        for method, path, view, right in routes:
            add_page(self.router, method, path, view, right)

    # --- the first owner --------------------------------------------------------------------------------

    def setup(self, request: Request) -> Response:
        """The form that makes the first owner."""
        return self._elsewhere_once_owned(request) or self._setup_page(request, Errors())

    async def set_up(self, request: Request, form: Form) -> Response:
        """Make the first owner, and log that person in."""
        if (gone := await run_in_threadpool(self._elsewhere_once_owned, request)) is not None:
            return gone
        name, password = text_of(form, "name"), password_of(form, "password")
        errors = Errors()
        if password != password_of(form, "again"):
            errors.add("again", self._t("account.not_same"))
        else:
            try:
                return await self._hashing(lambda: self._made_owner(request, name, password))
            except OwnerExistsError:
                return self._to("/login")
            except NameRefusedError as error:
                errors.add("name", error.text(self._t.lang))
            except PasswordRefusedError as error:
                errors.add("password", sentence_of(error, self._t.lang))
        return await run_in_threadpool(self._setup_page, request, errors, name=name, status=422)

    def _made_owner(self, request: Request, name: str, password: str) -> Response:
        self._people.create_owner(name, password)
        secret, _ = self._people.log_in(name, password, origin=origin_of(request))
        return self._logged_in(request, secret, self._frame.home())

    def _elsewhere_once_owned(self, request: Request) -> Response | None:
        access = self._frame.access
        if access.owned():
            return self._to("/" if access.login(request) is not None else "/login")
        if not at_this_machine(request):
            raise RefusedError("not_here", 403)
        return None

    def _setup_page(
        self, request: Request, errors: Errors, *, name: str = "", status: int = 200
    ) -> HTMLResponse:
        values = {"errors": errors.by_field, "name": name, "shortest": SHORTEST}
        return self._frame.show(request, "setup.html", values, here="setup", status=status, form=True)

    # --- in and out -------------------------------------------------------------------------------------

    def login(self, request: Request, next: str = "") -> Response:  # noqa: A002 - the word in the address
        """The form to log in."""
        after = safe_next(next, f"{self._t.prefix}/")
        if not self._frame.access.owned():
            return self._to("/setup")
        if self._frame.access.login(request) is not None:
            return RedirectResponse(after, status_code=303)
        return self._login_page(request, Errors(), after)

    async def log_in(self, request: Request, form: Form) -> Response:
        """Begin a session and lead on to where the person wanted to go."""
        name, password = text_of(form, "name"), password_of(form, "password")
        after = safe_next(text_of(form, "next"), f"{self._t.prefix}/")
        access = self._frame.access
        before = request.cookies.get(access.cookie(request))
        errors = Errors()
        try:
            secret, _ = await self._hashing(
                lambda: self._people.log_in(name, password, origin=origin_of(request), replacing=before)
            )
        except (WrongPasswordError, LockedOutError) as error:
            errors.add("password", error.text(self._t.lang))
            status = 429 if isinstance(error, LockedOutError) else 403
            return await run_in_threadpool(
                self._login_page, request, errors, after, name=name[:64], status=status
            )
        return self._logged_in(request, secret, after)

    def log_out(self, request: Request) -> Response:
        """End the session of this browser."""
        _in_session(request)
        secret = request.cookies.get(self._frame.access.cookie(request))
        if secret:
            self._people.log_out(secret)
        return self._logged_out(request)

    def _login_page(
        self, request: Request, errors: Errors, after: str, *, name: str = "", status: int = 200
    ) -> HTMLResponse:
        elsewhere = f"/{self._t.other}/login" if not self._t.prefix else "/login"
        if after != f"{self._t.prefix}/":
            elsewhere += f"?next={quote(after, safe='/')}"
        values = {"errors": errors.by_field, "name": name, "after": after, "elsewhere": elsewhere}
        return self._frame.show(request, "login.html", values, here="login", status=status, form=True)

    # --- one's own account ------------------------------------------------------------------------------

    def account(self, request: Request) -> Response:
        """Who one is here, a new password, and the way out everywhere."""
        _in_session(request)
        return self._account_page(request, Errors())

    async def change(self, request: Request, form: Form) -> Response:
        """A new password of one's own, or the end of all one's sessions."""
        login = _in_session(request)
        if text_of(form, "do") == "leave":
            await run_in_threadpool(self._people.log_out_everywhere, login)
            return self._logged_out(request)
        old, new = password_of(form, "old"), password_of(form, "password")
        errors = Errors()
        if new != password_of(form, "again"):
            errors.add("again", self._t("account.not_same"))
        else:
            try:
                secret, _ = await self._hashing(
                    lambda: self._people.change_password(login, old, new, origin=origin_of(request))
                )
                return self._logged_in(request, secret, f"{self._t.prefix}/account?done=password")
            except (WrongPasswordError, LockedOutError) as error:
                locked = isinstance(error, LockedOutError)
                errors.add("old", error.text(self._t.lang) if locked else self._t("account.old_wrong"))
            except PasswordRefusedError as error:
                errors.add("password", sentence_of(error, self._t.lang))
        return await run_in_threadpool(self._account_page, request, errors, status=422)

    def _account_page(self, request: Request, errors: Errors, *, status: int = 200) -> HTMLResponse:
        values = {
            "errors": errors.by_field,
            "shortest": SHORTEST,
            "done": request.query_params.get("done") == "password" and not errors,
        }
        return self._frame.show(request, "account.html", values, here="account", status=status)

    # --- inside -----------------------------------------------------------------------------------------

    async def _hashing(self, work: Callable[[], T]) -> T:
        """Do what checks or makes a password; few at once, and not too many waiting.

        Raises:
            RefusedError: too many wait.
        """
        if self._limiter is None:
            self._limiter = CapacityLimiter(_AT_ONCE)
        if self._limiter.statistics().tasks_waiting >= _WAITING:
            raise RefusedError("busy", 503)
        return await to_thread.run_sync(work, limiter=self._limiter)

    def _to(self, path: str) -> Response:
        return RedirectResponse(f"{self._t.prefix}{path}", status_code=303)

    def _logged_in(self, request: Request, secret: str, after: str) -> Response:
        return logged_in(self._frame.access, request, secret, after)

    def _logged_out(self, request: Request) -> Response:
        access = self._frame.access
        answer = self._to("/login" if access.owned() else "/")
        answer.delete_cookie(
            access.cookie(request),
            path="/",
            secure=access.is_secure(request),
            httponly=True,
            samesite="strict",
        )
        return answer


def logged_in(access: Access, request: Request, secret: str, after: str) -> Response:
    """Lead on to ``after`` with the cookie of a session that has just begun."""
    answer = RedirectResponse(after, status_code=303)
    answer.set_cookie(
        access.cookie(request),
        secret,
        max_age=int(SESSION_LIFE.total_seconds()),  # no date: the clocks need not agree
        httponly=True,
        samesite="strict",
        secure=access.is_secure(request),
        path="/",
    )
    return answer


def _in_session(request: Request) -> Login:
    """Who asks, where that is a person in a session.

    Raises:
        RefusedError: it is a program with a token, which has no account.
    """
    login = request.state.login
    if not isinstance(login, Login) or login.kind is not LoginKind.SESSION:
        raise RefusedError("no_right", 403)
    return login


def origin_of(request: Request) -> str:
    """Where attempts are counted: the address of the peer, as far as the server below knows it."""
    return request.client.host if request.client else ""
