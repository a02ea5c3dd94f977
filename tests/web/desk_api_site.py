"""The desk for the tests of its API: cases in every state, an enquiry, a fault, a program for every role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from desk_site import COUNTER, NORTH
from desk_web import DeskPlace, desk_place
from people_site import HOME, Visitor
from staff_site import furnished

from koatsu.desk import Case, State
from koatsu.people import CONSOLE, DESK_ROLES, Login, LoginKind, Role

__all__ = ["SESSIONS", "V1", "ApiDesk", "api_desk"]

V1 = "/api/v1"
SESSIONS = (Role.COUNTER, Role.WORKS, Role.CUSTOMER)  #: who has an office, or cases of their own: persons


@dataclass(frozen=True)
class ApiDesk:
    """The desk, what is in it, and who may ask."""

    place: DeskPlace
    cases: dict[State, Case]
    enquiry: str
    fault: str
    own_case: str  #: of the customer
    own_enquiry: str
    headers: dict[Role, dict[str, str]]  #: a token, or a session with its secret

    def ask(self, role: Role | None, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """The answer to a program of that role; ``None``: to somebody without a login."""
        headers = {"Origin": HOME} if role is None else self.headers[role]
        visitor = Visitor(self.place.app)
        if isinstance(body, bytes):
            content, kind = body, "text/csv"
        else:
            content = None if body is None else httpx.Request("POST", HOME, json=body).read()
            kind = "application/json"
        told = {"Content-Type": kind} if content is not None else {}
        return visitor.request(
            method, V1 + path, content=content, headers={"Origin": None, **headers, **told, **more}
        )

    def get(self, role: Role | None, path: str) -> Any:
        """What a good answer says."""
        answer = self.ask(role, "GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, role: Role | None, path: str, body: Any = None, status: int = 200) -> Any:
        """What the answer of that status says."""
        answer = self.ask(role, "POST", path, {} if body is None else body)
        assert answer.status_code == status, answer.text
        return answer.json()


@contextmanager
def api_desk(folder: Path, *, filled: bool = True, **changes: Any) -> Iterator[ApiDesk]:
    """The small utility; counter and works ask with sessions, for a token has no office."""
    with desk_place(folder, **changes) as place:
        cases = furnished(place) if filled else {}
        desk, headers = place.desk, {}
        for role in DESK_ROLES:
            if role in SESSIONS:
                visitor = place.visitor(role)
                cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
                secret = visitor.secret("/account")
                headers[role] = {"Cookie": cookies, "X-CSRF-Token": secret, "Origin": HOME}
            else:
                token, _ = place.people.make_token(CONSOLE, f"program of {role}", role)
                headers[role] = {"Authorization": f"Bearer {token}"}
        enquiry = desk.enquiries.open(
            COUNTER, topic="no_data", text="値が出ません。", contact="092-000-0009", office=NORTH
        )
        fault = desk.faults.begin(COUNTER, office=NORTH)
        person = next(one for one in place.people.people() if one.role is Role.CUSTOMER)
        own = desk.staff.actor(Login(kind=LoginKind.SESSION, role=person.role, person=person))
        asked = desk.enquiries.open(own, topic="", text="いつ始まりますか。")
        (case,) = desk.lists.own(own)
        yield ApiDesk(place, cases, enquiry.number, fault.fault.number, case.number, asked.number, headers)
