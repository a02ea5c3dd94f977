"""A login for a customer who applies on the page: made by the customer, with a name and a password.

Nobody's identity is known by it: the utility looks at what is applied for before anything of it is shown.
"""

from __future__ import annotations

from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.models import Actor
from koatsu.people import SHORTEST, Login, NameRefusedError, PasswordRefusedError, People, Person
from koatsu.web.accounts import logged_in, origin_of
from koatsu.web.desk.actors import actor_of, visitor_of
from koatsu.web.desk.pace import let_through
from koatsu.web.desk.pages import DeskPages
from koatsu.web.forms import Errors, Form, password_of, sentence_of, text_of
from koatsu.web.refusals import RefusedError
from koatsu.web.trouble import TroubleError

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["RegisterPages", "own_customer"]

_HASHING: Final = BoundedSemaphore(2)  #: passwords that are hashed at once: each takes memory and time
_WAIT_S: Final = 10.0
_placing: Final = Lock()


def own_customer(desk: Desk, request: Request) -> Actor:
    """The customer who asks, with a subject under whose key everything of that customer stands.

    Raises:
        RefusedError: nobody has logged in.
        DeskStoreError: the desk's store cannot be used.
    """
    actor = actor_of(request)
    login: Login = request.state.login
    if actor.customer is None and login.person is not None:
        actor = request.state.actor = _placed(desk, login.person, login)
    return actor


def _placed(desk: Desk, person: Person, login: Login) -> Actor:
    with _placing:  # two windows of one customer get one subject
        if desk.staff.customer_of(person.id) is None:
            with desk.database.writing() as connection:
                subject = desk.vault.new_subject(connection, desk.clock.now())
            desk.staff.assign(person.id, customer=subject)
    return desk.staff.actor(login)


class RegisterPages(DeskPages):
    """``/register``, where applications are taken on the page."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/register", self.ask, None)
        self.route("POST", "/register", self.register, None)

    def ask(self, request: Request) -> Response:
        """The form."""
        self._people()
        if visitor_of(request) is not None:
            return self.to("/apply")
        return self._page(request, Errors())

    def register(self, request: Request, form: Form) -> Response:
        """Make the login, log in with it, and lead on to the application."""
        people = self._people()
        if visitor_of(request) is not None:
            return self.to("/apply")
        name, password, errors = text_of(form, "name"), password_of(form, "password"), Errors()
        if password != password_of(form, "again"):
            errors.add("again", self.t("account.not_same"))
        elif not let_through(request, "register"):
            errors.add("name", self.t("desk_help.too_often"))
            return self._page(request, errors, name=name, status=429)
        else:
            try:
                return self._registered(request, people, name, password)
            except NameRefusedError as error:
                errors.add("name", error.text(self.t.lang))
            except PasswordRefusedError as error:
                errors.add("password", sentence_of(error, self.t.lang))
        return self._page(request, errors, name=name, status=422)

    def _registered(self, request: Request, people: People, name: str, password: str) -> Response:
        if not _HASHING.acquire(timeout=_WAIT_S):
            raise RefusedError("busy", 503)
        try:
            person = people.register_customer(name, password)
            secret, login = people.log_in(name, password, origin=origin_of(request))
        finally:
            _HASHING.release()
        _placed(self.desk, person, login)
        return logged_in(self.frame.access, request, secret, f"{self.t.prefix}/apply")

    def _people(self) -> People:
        """Those who may log in, where customers may add themselves.

        Raises:
            TroubleError: applications are taken on paper alone.
        """
        people = self.frame.access.people
        if people is None or not self.desk.settings.online or not self.frame.access.owned():
            raise TroubleError(
                404,
                self.t("desk_apply.paper_only"),
                action=self.t("desk_nav.apply"),
                url=f"{self.t.prefix}/apply",
            )
        return people

    def _page(self, request: Request, errors: Errors, *, name: str = "", status: int = 200) -> Response:
        values = {"errors": errors.by_field, "name": name[:64], "shortest": SHORTEST}
        return self.frame.show(
            request, "desk/apply-register.html", values, here="apply", status=status, form=True
        )
