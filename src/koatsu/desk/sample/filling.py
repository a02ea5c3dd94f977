"""Fills a desk with the sample: every case goes through :meth:`koatsu.desk.cases.Cases.act`, event by event.

A clock walks through the past months, so histories, deadlines and letters are what they would be. Many events
share one transaction, which makes the filling several times faster; nobody else may use the store meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Connection, update

from koatsu.clock import ManualClock
from koatsu.desk.cases import Cases
from koatsu.desk.database import DeskDatabase
from koatsu.desk.desk import Desk
from koatsu.desk.lifecycle import Event
from koatsu.desk.models import SYSTEM, Actor
from koatsu.desk.sample.asking import Moment, before_asking, enquiries, faults
from koatsu.desk.sample.life import Life, Move
from koatsu.desk.sample.plan import Plan
from koatsu.desk.sample.registers import TO_TRY, furnish
from koatsu.desk.sample.tables import sample_people
from koatsu.desk.schema_cases import notice
from koatsu.desk.settings import DeskSettings
from koatsu.desk.states import State
from koatsu.desk.vault import Vault, key_in
from koatsu.people import Role

__all__ = ["Filled", "fill"]

Progress = Callable[[int, int], object]

_AT_ONCE: Final = 400  #: events in one transaction
_PRINTED_UNTIL: Final = 3 * 86_400  #: seconds: letters older than this have been printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What stands in a desk after it was filled."""

    cases: int
    events: int
    checked: str  #: supply point of a case whose connection is to be checked
    free: tuple[str, ...]  #: supply points to try an application with


def fill(
    store: Path,
    key: Path,
    plan: Plan,
    settings: DeskSettings,
    people: Mapping[str, int],
    now: datetime,
    *,
    since: datetime | None = None,
    progress: Progress = lambda _done, _whole: None,
) -> Filled:
    """Fill a new store, or bring one on to ``now`` that was filled until ``since`` and not touched after.

    Args:
        store: the SQLite file.
        key: the file of its key.
        plan: what the sample holds.
        settings: of the sample.
        people: key of a person of the sample -> number of that person.
        now: until when things happen.
        since: until when they have happened already; ``None``: nothing has.
        progress: told of the events.
    """
    clock = ManualClock(plan.made)
    with _Joined(store, 5.0) as database:
        vault = Vault(key_in(key))
        with database.writing() as connection:
            vault.check(connection)
        desk = Desk(database, vault, settings, clock, None)
        if since is None:
            furnish(desk, plan.points, plan.first, lambda _done, _whole: None)
        lives, walk = plan.lives(now), _Walk(desk, database, clock, people, since)
        if since is None:
            whole = sum(move.at <= now for life, _ in lives for move in life.moves)
            first = walk.through(lives, before_asking(now), lambda done, _: progress(done, whole))
            asked = enquiries(desk, plan.seed, now, walk.counter, len(lives))
            events = walk.through(
                lives, now, lambda done, _: progress(min(first + done, whole), whole), asked
            )
        else:
            events = walk.through(lives, now, progress)
        if since is None:
            with database.joined():
                faults(desk, clock, plan.seed, now, walk.counter, len(lives))
        waiting = [
            found.case.supply_point
            for found in desk.lists.worklist(SYSTEM, state=State.CONNECTION_CHECK, size=1).lines
        ]
        return Filled(
            cases=len(lives),
            events=events,
            checked=next(iter(waiting), ""),
            free=tuple(point.number for point in plan.points[-TO_TRY:]),
        )


class _Joined(DeskDatabase):
    """A database whose transactions can be joined into one, for the only thread that uses it."""

    _whole: Connection | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Everything inside happens whole or not at all."""
        with super().writing() as connection:
            self._whole = connection
            try:
                yield
            finally:
                self._whole = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction, or the one that is open."""
        if self._whole is not None:
            yield self._whole
            return
        with super().reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction, or the one that is open."""
        if self._whole is not None:
            yield self._whole
            return
        with super().writing() as connection:
            yield connection


class _Walk:
    """Lets the moves of all lives happen in the order of their time."""

    def __init__(
        self,
        desk: Desk,
        database: _Joined,
        clock: ManualClock,
        people: Mapping[str, int],
        since: datetime | None,
    ) -> None:
        self._desk, self._database, self._clock, self._since = desk, database, clock, since
        self._people = people
        self._roles = {one.key: one for one in sample_people()}
        self._customer = 0

    def through(
        self,
        lives: Sequence[tuple[Life, bool]],
        until: datetime,
        progress: Progress,
        among: Sequence[Moment] = (),
    ) -> int:
        """Everything that has happened by ``until``, and was not done before; how many events it is by now.

        Args:
            lives: of the cases.
            until: when the walk ends.
            progress: told of the events.
            among: what happens among them.
        """
        moves: list[tuple[datetime, int, int, Callable[[], None]]] = [
            (move.at, order, number, partial(self._happen, self._desk.cases, order, move, own=own))
            for order, (life, own) in enumerate(lives, 1)
            for number, move in enumerate(life.moves)
            if move.at <= until
        ]
        left = [one for one in moves if self._since is None or one[0] > self._since]
        left += [(one.at, 0, number, one.happen) for number, one in enumerate(among)]
        left.sort(key=lambda one: one[:3])
        self._customer = self._own_subject()
        for first in range(0, len(left), _AT_ONCE):
            with self._database.joined():
                for at, _, _, happen in left[first : first + _AT_ONCE]:
                    self._clock.set(at)
                    happen()
            progress(min(first + _AT_ONCE, len(left)), len(left))
        self._clock.set(until)
        self._since = until
        self._printed(until)
        return len(moves)

    def _happen(self, cases: Cases, order: int, move: Move, *, own: bool) -> None:
        """One move of the case that was opened as the ``order``-th: cases are numbered from 1."""
        given = {name: self._named(value) for name, value in move.given.items()}
        actor = self._actor(move, own=own)
        if move.event is not Event.DRAFT:
            cases.act(actor, order, move.event, given)
            return
        opened = cases.open(actor, given)
        if opened.id != order:
            raise ValueError(f"the sample meets a store that has other cases: {opened.id} for {order}")

    def _actor(self, move: Move, *, own: bool) -> Actor:
        if move.who == "system":
            return SYSTEM
        if move.who == "customer":
            one, customer = self._roles["customer"], self._customer if own else None
            return Actor(reference=self._reference(one.key), role=Role.CUSTOMER, customer=customer)
        key = "supervisor" if move.who == "supervisor" else f"{move.who}-{move.office}"
        one = self._roles[key]
        return Actor(reference=self._reference(key), role=one.role, office=one.office)

    def counter(self, office: str) -> Actor:
        """Who works at the counter of an office."""
        one = self._roles[f"counter-{office}"]
        return Actor(reference=self._reference(one.key), role=one.role, office=one.office)

    def _named(self, value: str) -> str:
        """A value, or the reference of the person for whom it stands."""
        return self._reference(value[1:]) if value.startswith("@") else value

    def _reference(self, key: str) -> str:
        return f"person:{self._people[key]}"

    def _own_subject(self) -> int:
        """The customer who can log in; made before any case is."""
        person = self._people["customer"]
        found = self._desk.staff.customer_of(person)
        if found is not None:
            return found
        with self._database.writing() as connection:
            made = self._desk.vault.new_subject(connection, self._clock.now())
        for one in sample_people():
            if one.role is Role.CUSTOMER:
                self._desk.staff.assign(self._people[one.key], customer=made)
            elif one.office is not None:
                self._desk.staff.assign(self._people[one.key], office=one.office)
        return made

    def _printed(self, now: datetime) -> None:
        """Letters of some days ago have been printed: a list of thousands would hide those of today."""
        old = int(now.timestamp()) - _PRINTED_UNTIL
        by = self._reference("counter-chuo")
        waiting = (notice.c.printed_at.is_(None)) & (notice.c.made_at < old)
        with self._database.writing() as connection:
            connection.execute(
                update(notice).where(waiting).values(printed_at=notice.c.made_at + 3600, printed_by=by)
            )
