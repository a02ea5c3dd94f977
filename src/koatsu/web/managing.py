"""The pages of an owner: who may come in and as what, API tokens, and the record of what was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import FormData

from koatsu.clock import Clock
from koatsu.errors import UsageError
from koatsu.people import (
    LONGEST_DAYS,
    SHORTEST,
    LastOwnerError,
    Login,
    LoginKind,
    NameRefusedError,
    PasswordRefusedError,
    People,
    Person,
    Right,
    Role,
    TokenRefusedError,
    UnknownTokenError,
)
from koatsu.web.access import add_page
from koatsu.web.forms import Errors, Form, password_of, sentence_of, text_of
from koatsu.web.frame import Frame
from koatsu.web.record import record_rows
from koatsu.web.trouble import TroubleError

__all__ = ["Managing", "Placing"]

_PAGE: Final = 50  #: entries of the audit log on a page
_DAYS: Final = (30, 90, 365, LONGEST_DAYS)  #: what a token's form offers


class Placing(Protocol):
    """Where people belong beside their role, as a program says it on their pages."""

    template: str  #: the part of a person's page, with a form that sends ``do=place`` and ``place``

    def shown(self, people: list[Person]) -> Mapping[int, str]:
        """Where each of them belongs, in words."""

    def of(self, person: Person) -> Mapping[str, Any]:
        """What ``template`` needs as ``place``."""

    def keep(self, by: Login, person: Person, form: FormData) -> Mapping[str, str]:
        """Keep what the form says, and return what the audit log is to know of it.

        Raises:
            UsageError: it says nothing that can be.
        """


class Managing:
    """The routes of one language, for owners alone; they offer the roles of the frame's program.

    Args:
        people: who may come in.
        frame: what stands around every page.
        clock: the time by which tokens end.
        places: where people belong, in a program in which they do.
    """

    def __init__(self, people: People, frame: Frame, clock: Clock, *, places: Placing | None = None) -> None:
        self._people, self._frame, self._t, self._clock = people, frame, frame.t, clock
        self._places = places
        self._roles = frame.program.roles
        self._token_roles = [role for role in self._roles if role.within(Role.OWNER) is role]
        self.router = APIRouter(prefix=frame.t.prefix, default_response_class=HTMLResponse)
        routes: tuple[tuple[str, str, Callable[..., Any]], ...] = (
            ("GET", "/people", self.everybody),
            ("POST", "/people", self.add),
            ("GET", "/people/{person_id}", self.person),
            ("POST", "/people/{person_id}", self.change),
            ("GET", "/tokens", self.tokens),
            ("POST", "/tokens", self.change_tokens),
            ("GET", "/audit", self.audit),
        )
        for method, path, view in routes:
            add_page(self.router, method, path, view, Right.MANAGE)

    # --- people -----------------------------------------------------------------------------------------

    def everybody(self, request: Request) -> HTMLResponse:
        """Who may come in, and the form that adds somebody."""
        return self._people_page(request, Errors())

    def add(self, request: Request, form: Form) -> Response:
        """Add a person."""
        name, role, errors = text_of(form, "name"), self._role(form, self._roles), Errors()
        if role is None:
            errors.add("role", self._t("people.role_first"))
            return self._people_page(request, errors, name=name, status=422)
        try:
            made = self._people.add(_login(request), name, role, password_of(form, "password"))
        except NameRefusedError as error:
            errors.add("name", error.text(self._t.lang))
        except PasswordRefusedError as error:
            errors.add("password", sentence_of(error, self._t.lang))
        else:
            placed = self._places is None or made.role.may(Right.MANAGE)
            page = f"/people?done=added&who={made.id}" if placed else f"/people/{made.id}?done=added"
            return self._to(page)
        return self._people_page(request, errors, name=name, role=role, status=422)

    def person(self, request: Request, person_id: int) -> HTMLResponse:
        """One person: role, password, removal."""
        return self._person_page(request, self._person(person_id), Errors())

    def change(self, request: Request, person_id: int, form: Form) -> Response:
        """Give a person another role or password, or erase that person."""
        person, by, errors = self._person(person_id), _login(request), Errors()
        do = text_of(form, "do")
        try:
            if do == "role" and (role := self._role(form, self._roles)) is not None:
                self._people.set_role(by, person.id, role)
                return self._to(f"/people?done=role&who={person.id}")
            if do == "role":
                errors.add("role", self._t("people.role_first"))
            if do == "password":
                self._people.set_password(by, person.id, password_of(form, "password"))
                return self._to(f"/people?done=password&who={person.id}")
            if do == "place" and self._places is not None:
                detail = self._places.keep(by, person, form)
                self._people.audit.append(by.reference, "person_placed", person.reference, detail)
                return self._to(f"/people/{person.id}?done=placed")
            if do == "remove" and text_of(form, "sure"):
                self._people.remove(by, person.id)
                return self._to("/people?done=removed")
            if do == "remove":
                errors.add("sure", self._t("people.sure_first"))
        except LastOwnerError as error:
            errors.add("role" if do == "role" else "sure", error.text(self._t.lang))
        except PasswordRefusedError as error:
            errors.add("password", sentence_of(error, self._t.lang))
        except UsageError as error:
            errors.add("place", error.text(self._t.lang))
        return self._person_page(request, person, errors, typed=text_of(form, "place"), status=422)

    def _people_page(
        self,
        request: Request,
        errors: Errors,
        *,
        name: str = "",
        role: Role | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        everybody = self._people.people()
        values = {
            "people": everybody,
            "places": None if self._places is None else self._places.shown(everybody),
            "roles": self._roles,
            "errors": errors.by_field,
            "name": name,
            "role": role or self._roles[0],
            "shortest": SHORTEST,
            "done": "" if errors else self._done(request, everybody),
        }
        return self._frame.show(request, "people.html", values, here="people", status=status)

    def _person_page(
        self, request: Request, person: Person, errors: Errors, *, typed: str = "", status: int = 200
    ) -> HTMLResponse:
        login = _login(request)
        values = {
            "person": person,
            "own": login.person is not None and login.person.id == person.id,
            "done": "" if errors else self._done(request, [person], str(person.id)),
            "place": None if self._places is None else self._places.of(person),
            "typed": typed,
            "place_template": None if self._places is None else self._places.template,
            "roles": self._roles,
            "errors": errors.by_field,
            "shortest": SHORTEST,
        }
        return self._frame.show(request, "person.html", values, here="people", status=status)

    def _person(self, person_id: int) -> Person:
        for person in self._people.people():
            if person.id == person_id:
                return person
        raise self._gone("people", "people.unknown", "people.back")

    def _done(self, request: Request, everybody: list[Person], who: str = "") -> str:
        """What has just been done, as the address says it after a form was sent."""
        done, who = request.query_params.get("done", ""), who or request.query_params.get("who", "")
        if done == "removed":
            return self._t("people.done_removed")
        name = next((person.name for person in everybody if str(person.id) == who), None)
        if name is None or done not in ("added", "role", "password", "placed"):
            return ""
        return self._t.for_code("people", f"done_{done}", name=name)

    # --- tokens -----------------------------------------------------------------------------------------

    def tokens(self, request: Request) -> HTMLResponse:
        """The tokens, and the form that makes one."""
        return self._tokens_page(request, Errors(), done=request.query_params.get("done", ""))

    def change_tokens(self, request: Request, form: Form) -> Response:
        """Make a token and show its secret, this once; or revoke one."""
        by = _login(request)
        if text_of(form, "do") == "revoke":
            number = text_of(form, "token")
            try:
                self._people.revoke(by, int(number) if number.isascii() and number.isdigit() else 0)
            except UnknownTokenError:
                raise self._gone("tokens", "tokens.unknown", "tokens.back") from None
            return self._to("/tokens?done=revoked")
        label, days, errors = text_of(form, "label"), text_of(form, "days"), Errors()
        role = self._role(form, self._token_roles)
        if role is None:
            errors.add("role", self._t("people.role_first"))
            return self._tokens_page(request, errors, label=label, status=422)
        try:
            known = days.isascii() and days.isdigit() and len(days) < 6
            secret, _ = self._people.make_token(by, label, role, int(days) if known else 0)
        except TokenRefusedError as error:
            errors.add("days" if label else "label", error.text(self._t.lang))
            return self._tokens_page(request, errors, label=label, role=role, status=422)
        return self._tokens_page(request, errors, secret=secret)

    def _tokens_page(
        self,
        request: Request,
        errors: Errors,
        *,
        label: str = "",
        role: Role | None = None,
        secret: str = "",
        done: str = "",
        status: int = 200,
    ) -> HTMLResponse:
        now = self._clock.now()
        names = {person.id: person.name for person in self._people.people()}
        values = {
            "tokens": [
                {"token": one, "maker": names.get(one.maker or 0, ""), "valid": one.valid(now)}
                for one in reversed(self._people.tokens())
            ],
            "roles": self._token_roles,
            "days": _DAYS,
            "errors": errors.by_field,
            "label": label,
            "role": role or self._token_roles[0],
            "secret": secret,
            "may_make": _login(request).kind is not LoginKind.TOKEN,
            "done": self._t("tokens.done_revoked") if done == "revoked" else "",
        }
        return self._frame.show(request, "tokens.html", values, here="tokens", status=status)

    # --- the record -------------------------------------------------------------------------------------

    def audit(self, request: Request, before: int | None = None) -> HTMLResponse:
        """What was done, newest first, and whether the record is as it was written."""
        entries = self._people.audit.entries(_PAGE + 1, before)
        finding = self._people.audit.verify()
        values = {
            "rows": record_rows(entries[:_PAGE], self._people, self._t),
            "finding": finding.text(self._t.lang) if finding is not None else "",
            "total": self._people.audit.head()[0],
            "older": entries[_PAGE - 1].seq if len(entries) > _PAGE else None,
            "first_page": before is None,
        }
        return self._frame.show(request, "audit.html", values, here="audit")

    # --- inside -----------------------------------------------------------------------------------------

    @staticmethod
    def _role(form: FormData, offered: Sequence[Role]) -> Role | None:
        """The role that a form names, if it is offered; the first of them where the form names none."""
        text = text_of(form, "role") or offered[0]
        return next((role for role in offered if role == text), None)

    def _to(self, path: str) -> Response:
        return RedirectResponse(f"{self._t.prefix}{path}", status_code=303)

    def _gone(self, page: str, key: str, back: str) -> TroubleError:
        t = self._t
        return TroubleError(404, t(key), action=t(back), url=f"{t.prefix}/{page}")


def _login(request: Request) -> Login:
    """Who asks: the rule of these routes has let nobody else in."""
    login = request.state.login
    assert isinstance(login, Login)
    return login
