"""Who may open which address: every route carries exactly one rule, made by :func:`needs`.

While there is no owner, whoever sits at this machine may read where the program says so, as at a meter's own
display; everything else leads to making an owner. From then on every page asks for a login and every right
for a role. A request that changes something must also prove that it comes from a page of this server
(:mod:`koatsu.web.forms`), which the same rule sees to: no route can forget it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, Final

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool

from koatsu.people import Login, People, Right
from koatsu.web.forms import check_form, close_form
from koatsu.web.guard import SAFE
from koatsu.web.hosts import is_loopback, is_loopback_address
from koatsu.web.refusals import RefusedError

__all__ = ["OPEN", "Access", "Rule", "access_of", "add_page", "at_this_machine", "needs", "while_admitted"]

RECHECK_S: Final = 15.0  #: how soon an open page notices that its login has ended

#: What a proxy adds: a request that carries one of these does not come from a person at this machine.
_PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


class Access:
    """Who asks, and what they may.

    Args:
        people: those who may log in; ``None``: there are no logins, reading from this machine alone.
        secure: every connection is encrypted, here or by a proxy in front.
        reads: what reading asks for.
        open_here: whoever sits at this machine may read while there is no owner.
    """

    def __init__(
        self,
        people: People | None,
        *,
        secure: bool = False,
        reads: Right = Right.VIEW,
        open_here: bool = True,
    ) -> None:
        self.people, self.secure, self.reads, self._open_here = people, secure, reads, open_here
        self._owned = False

    def owned(self) -> bool:
        """Whether there is an owner; what has once been closed stays closed."""
        if not self._owned and self.people is not None:
            self._owned = self.people.has_owner()
        return self._owned

    def login(self, request: Request) -> Login | None:
        """Who asks, found out once a request. A token in the request goes before the cookie of a session.

        Raises:
            RefusedError: the request carries a token that opens nothing.
        """
        if not hasattr(request.state, "login"):
            request.state.login = self._login(request)
        found: Login | None = request.state.login
        return found

    def _login(self, request: Request) -> Login | None:
        secret = bearer_token(request)
        if secret is not None:
            login = self.people.token(secret) if self.people is not None else None
            if login is None:
                raise RefusedError("bad_token", 401)
            return login
        cookie = request.cookies.get(self.cookie(request))
        return self.people.session(cookie) if cookie and self.people is not None else None

    def admit(self, request: Request, right: Right | None, *, changing: bool = False) -> None:
        """Let a request with ``right`` pass; ``None`` is for what everybody may open.

        Args:
            request: who asks.
            right: what for.
            changing: it is to change something, not to read.

        Raises:
            RefusedError: it may not pass, and why.
        """
        if right is None:
            if bearer_token(request) is None:  # a program has no business at these; a bad token is no matter
                self.login(request)
            return
        login = self.login(request)
        if login is not None:
            if not login.may(right):
                raise RefusedError("no_right", 403)
        elif self.owned():
            raise RefusedError("login", 401)
        elif not at_this_machine(request):
            raise RefusedError("not_here", 403)
        elif changing or not self._open_here or right is not self.reads:
            raise RefusedError("owner_first", 403)

    def still(self, request: Request, right: Right) -> bool:
        """Whether a request that was admitted would be admitted now: asked anew, and a sign of life."""
        del request.state.login
        return self.sees(request, right)

    def sees(self, request: Request, right: Right | None = None) -> bool:
        """Whether whoever asks may read with ``right``, for pages that show more to some."""
        try:
            self.admit(request, right or self.reads)
        except RefusedError:
            return False
        return True

    def is_secure(self, request: Request) -> bool:
        """Whether the way to the browser is encrypted."""
        return self.secure or request.url.scheme == "https"

    def cookie(self, request: Request) -> str:
        """The name of the session's cookie.

        Browsers give cookies to every port of a host, so the port is part of the name: two programs on one
        machine do not log each other's people out.
        """
        port = f"_{request.url.port}" if request.url.port else ""
        return f"{'__Host-' if self.is_secure(request) else ''}koatsu{port}"


def access_of(request: Request) -> Access:
    """The :class:`Access` of the application that answers ``request``."""
    found: Access = request.app.state.access
    return found


class Rule:
    """What a route asks of a request; used as a dependency through :func:`needs`."""

    def __init__(self, right: Right | None, *, asks_only: bool = False) -> None:
        self.right, self._asks_only = right, asks_only

    async def __call__(self, request: Request) -> AsyncIterator[None]:
        """Let the request pass or end it; its form is open meanwhile."""
        access = access_of(request)
        changing = request.method not in SAFE and not self._asks_only
        await run_in_threadpool(access.admit, request, self.right, changing=changing)
        try:  # a file that came with a forged form is let go of too
            if changing:
                await check_form(request, getattr(request.state, "login", None), access.cookie(request))
            yield
        finally:
            await close_form(request)


def needs(right: Right | None, *, asks_only: bool = False) -> Any:
    """The rule of a route: ``dependencies=[needs(Right.VIEW)]``; ``None`` lets everybody in.

    ``asks_only`` is for a POST that changes nothing and carries what must not stand in an address.
    """
    return Depends(Rule(right, asks_only=asks_only))


OPEN = needs(None)  #: for what everybody may open: the login itself, a word on the program's health


def add_page(
    router: APIRouter, method: str, path: str, view: Callable[..., Any], right: Right | None
) -> None:
    """Add a page or a form to ``router``; it stands in no description of the API."""
    router.add_api_route(
        path,
        view,
        methods=[method],
        dependencies=[needs(right)],
        include_in_schema=False,
        response_model=None,
    )


async def while_admitted(
    request: Request, right: Right, parts: AsyncGenerator[str, None], *, every_s: float = RECHECK_S
) -> AsyncIterator[str]:
    """Pass on ``parts`` of an answer without end; it ends soon after the login that asked for it."""
    access, clock = access_of(request), asyncio.get_running_loop().time
    due = clock() + every_s
    async with aclosing(parts):
        async for part in parts:
            yield part
            if clock() >= due:
                if not await run_in_threadpool(access.still, request, right):
                    return
                due = clock() + every_s


def at_this_machine(request: Request) -> bool:
    """Whether a request comes from a person at this machine, as far as that can be told."""
    peer = request.client.host if request.client else ""
    passed_on = any(name in request.headers for name in _PASSED_ON)
    return is_loopback_address(peer) and is_loopback(request.headers.get("host", "")) and not passed_on


def bearer_token(request: Request) -> str | None:
    """The token that a program carries; ``None`` where there is none (other schemes are a proxy's)."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None
