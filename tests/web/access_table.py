"""What the tables of who may open what are compared with: the routes as they are, and what really happens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import httpx
from fastapi import FastAPI
from fastapi.routing import RouteContext, iter_route_contexts
from people_site import Visitor

from koatsu.web.access import Rule

__all__ = ["asked", "outcome", "plain", "routes", "rules_of"]


def routes(app: FastAPI) -> Iterator[tuple[str, str, RouteContext]]:
    """Every route as method and path; the files of the program are no routes."""
    for route in iter_route_contexts(app.routes):
        if route.path == "/static":
            continue
        assert route.path is not None
        assert route.methods, f"{route.path} has no methods: a mount or a socket needs a rule of its own"
        for method in route.methods:
            yield method, route.path, route


def rules_of(route: RouteContext) -> list[Rule]:
    """The rules among everything that a route depends on."""
    found, left = [], list(route.dependant.dependencies)  # type: ignore[attr-defined]
    while left:
        one = left.pop()
        left += one.dependencies
        if isinstance(one.call, Rule):
            found.append(one.call)
    return found


def plain(path: str) -> str:
    """The path without its language."""
    return re.sub(r"^/en(?=/)", "", path)


@cache
def _secret(visitor: Visitor) -> str:
    """The secret of the forms of a session, or of the one before a login; a program has none."""
    if "Authorization" in visitor.headers:
        return ""
    return visitor.secret("/account") or visitor.secret("/login")


def asked(visitor: Visitor, method: str, address: str) -> httpx.Response:
    """The answer; a form is sent empty, with the secret of its session."""
    if method == "GET":
        return visitor.request(method, address)
    secret = _secret(visitor)
    if address.startswith("/api"):
        return visitor.request(method, address, data={}, headers={"X-CSRF-Token": secret or None})
    return visitor.request(method, address, data={"csrf": secret})


def outcome(answer: httpx.Response, passed: set[int]) -> str:
    """What an answer means: ``login``, ``owner first``, ``refused``, or ``passed`` with one of its states."""
    there = answer.headers.get("location", "").partition("?")[0].removeprefix("/en")
    if answer.status_code == 401 or (answer.status_code == 303 and there == "/login"):
        return "login"
    if answer.status_code == 303 and there == "/setup":
        return "owner first"
    if answer.status_code == 403:
        is_api = answer.url.path.startswith("/api")
        return "owner first" if is_api and answer.json()["error"]["code"] == "owner_first" else "refused"
    assert answer.status_code in passed, answer.text
    return "passed"
