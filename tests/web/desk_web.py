"""The desk as a web application: the small utility of the desk's tests, and a person of each of its roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from desk_site import NORTH, POINTS, SETTINGS, drafted, open_desk
from fastapi import FastAPI
from people_site import CHEAP, NAMES, PASSWORD, HandClock, Visitor

from koatsu.clock import ManualClock
from koatsu.desk import Desk, DeskSettings
from koatsu.people import CONSOLE, DESK_ROLES, People, Role
from koatsu.web.desk import create_desk_app
from koatsu.web.program import DemoLogin

NOW = HandClock().at  #: the time of both clocks, of cases and of logins


@dataclass(frozen=True, slots=True)
class DeskPlace:
    """A desk that can be visited."""

    app: FastAPI
    desk: Desk
    people: People
    clock: ManualClock  #: of cases and notices

    def visitor(self, role: Role | None = None) -> Visitor:
        """A browser; with ``role``, one in which the person of that role has logged in."""
        visitor = Visitor(self.app)
        if role is not None:
            assert visitor.log_in(role).status_code == 303
        return visitor

    def person(self, role: Role) -> int:
        """The number of the person of that role."""
        return next(one.id for one in self.people.people() if one.role is role)


@contextmanager
def desk_place(
    folder: Path,
    *roles: Role,
    settings: DeskSettings = SETTINGS,
    demo: Sequence[DemoLogin] | None = None,
    **changes: Any,
) -> Iterator[DeskPlace]:
    """A desk with a person of each role (all of the desk's where none is given).

    The counter and the works belong to the northern office; the customer has a draft at the first point.

    Args:
        folder: where its stores are made.
        roles: who is there beside the owner.
        settings: of the desk.
        demo: as for ``create_desk_app``.
        changes: to ``settings``.
    """
    settings, clock = replace(settings, **changes), ManualClock(NOW)
    wanted = roles or DESK_ROLES
    with (
        open_desk(folder / "desk.db", clock, settings) as desk,
        People.open(folder / "desk.db", clock=HandClock(), hashing=CHEAP) as people,
    ):
        people.create_owner(NAMES[Role.OWNER], PASSWORD)
        for role in wanted:
            if role is not Role.OWNER:
                person = people.add(CONSOLE, NAMES[role], role, PASSWORD)
                if role in (Role.COUNTER, Role.WORKS):
                    desk.staff.assign(person.id, office=NORTH)
                elif role is Role.CUSTOMER:
                    desk.staff.assign(person.id, customer=drafted(desk, POINTS[0]).customer)
        app = create_desk_app(desk, people, settings=settings, demo=demo)
        yield DeskPlace(app, desk, people, clock)


@contextmanager
def ownerless_desk(folder: Path) -> Iterator[DeskPlace]:
    """A desk that nobody looks after yet."""
    clock = ManualClock(NOW)
    with (
        open_desk(folder / "desk.db", clock) as desk,
        People.open(folder / "desk.db", clock=HandClock(), hashing=CHEAP) as people,
    ):
        yield DeskPlace(create_desk_app(desk, people, settings=desk.settings), desk, people, clock)
