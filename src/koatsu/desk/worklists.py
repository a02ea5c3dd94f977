"""What lies on the desk: cases by due date and state, for an office, for one person, or found by a search.

A list shows no name in full; whoever opens a case sees it. Everything is limited to what the actor may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, true

from koatsu.clock import JST, Clock
from koatsu.desk import personal
from koatsu.desk.case_rows import by_id, of_case, visible
from koatsu.desk.database import DeskDatabase
from koatsu.desk.models import Actor, Case, Works
from koatsu.desk.plain_text import bare_digits
from koatsu.desk.schema_cases import case, subject
from koatsu.desk.states import ENDED, UNDER_WAY, State
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.desk.works import orders_between, orders_of, planned_between

__all__ = [
    "BAND_WORDS",
    "PAGE",
    "TURN_WORDS",
    "Band",
    "Listed",
    "Turn",
    "Worklist",
    "Worklists",
    "half_hidden",
]

PAGE: Final = 50  #: cases on a page
_FOUND: Final = 50  #: cases that a search shows
_COVER: Final = "●"


class Turn(StrEnum):
    """Whose turn it is."""

    ALL = "all"
    MINE = "mine"  #: assigned to whoever asks
    LATE = "late"  #: past their date
    CUSTOMER = "customer"  #: the customer has to do something


TURN_WORDS: Final[dict[Turn, Words]] = {
    Turn.ALL: Words("すべて", "All"),
    Turn.MINE: Words("わたしの番", "Mine"),
    Turn.LATE: Words("期限を過ぎた", "Late"),
    Turn.CUSTOMER: Words("お客さま待ち", "Waiting for the customer"),
}


class Band(StrEnum):
    """When a case is due, from today."""

    LATE = "late"
    TODAY = "today"
    WEEK = "week"
    LATER = "later"
    NONE = "none"


BAND_WORDS: Final[dict[Band, Words]] = {
    Band.LATE: Words("期限を過ぎています", "Late"),
    Band.TODAY: Words("きょう", "Today"),
    Band.WEEK: Words("7 日以内", "Within 7 days"),
    Band.LATER: Words("その先", "Later"),
    Band.NONE: Words("期限なし", "No deadline"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A line of a worklist."""

    case: Case
    name: str  #: of the customer, half hidden; empty once erased
    band: Band


@dataclass(frozen=True, slots=True, kw_only=True)
class Worklist:
    """One page of a worklist."""

    lines: Sequence[Listed]
    whole: int  #: cases on all its pages
    page: int  #: from 1
    turns: Mapping[Turn, int]  #: how many cases each filter would show


class Worklists:
    """Lists over the cases of an open desk; safe to use from any thread."""

    def __init__(self, database: DeskDatabase, vault: Vault, clock: Clock) -> None:
        self._database, self._vault, self._clock = database, vault, clock

    def worklist(
        self,
        actor: Actor,
        *,
        turn: Turn = Turn.ALL,
        state: State | None = None,
        office: str | None = None,
        page: int = 1,
        size: int = PAGE,
    ) -> Worklist:
        """Cases under way by due date; with ``state``, those in that state, whatever it is."""
        today = self._clock.now().astimezone(JST).date()
        where = [visible(actor), _under_way(state)]
        if office:
            where.append(case.c.office == office)
        filters = {one: _turn(one, actor, today) for one in Turn}
        with self._database.reading() as connection:
            turns = _counted(connection, where, filters)
            late_last = (case.c.due_on.is_(None), case.c.due_on, case.c.id)
            query = _cases().where(*where, filters[turn]).order_by(*late_last)
            rows = connection.execute(query.limit(size).offset(max(page - 1, 0) * size))
            found = [of_case(row._mapping) for row in rows]
            lines = self._lines(connection, found, today)
        return Worklist(lines=lines, whole=turns[turn], page=max(page, 1), turns=turns)

    def counts(self, actor: Actor, office: str | None = None) -> dict[State, int]:
        """How many cases are in each state."""
        query = select(case.c.state, func.count()).where(visible(actor)).group_by(case.c.state)
        if office:
            query = query.where(case.c.office == office)
        with self._database.reading() as connection:
            found = {State(state): number for state, number in connection.execute(query)}
        return {state: found.get(state, 0) for state in State}

    def search(self, actor: Actor, text: str) -> list[Listed]:
        """Cases by number, supply point (its last four digits will do), name or address, the newest first."""
        today = self._clock.now().astimezone(JST).date()
        with self._database.reading() as connection:
            condition = self._matching(connection, text)
            if condition is None:
                return []
            query = _cases().where(visible(actor), condition).order_by(case.c.id.desc()).limit(_FOUND)
            found = [of_case(row._mapping) for row in connection.execute(query)]
            return self._lines(connection, found, today)

    def own(self, actor: Actor) -> list[Case]:
        """The cases of a customer, the newest first."""
        if actor.customer is None:
            return []
        query = _cases().where(visible(actor), case.c.customer == actor.customer)
        with self._database.reading() as connection:
            return [of_case(row._mapping) for row in connection.execute(query.order_by(case.c.id.desc()))]

    def calendar(self, actor: Actor, first: date, last: date) -> list[tuple[Works, Listed]]:
        """The works from ``first`` to ``last``, each with its case."""
        today = self._clock.now().astimezone(JST).date()
        with self._database.reading() as connection:
            orders = orders_between(connection, actor, first, last)
            lines = self._lines(connection, [found for _, found in orders], today)
        return [(order, line) for (order, _), line in zip(orders, lines, strict=True)]

    def next_works(
        self, actor: Actor, last: date, office: str | None = None, size: int = PAGE
    ) -> tuple[list[tuple[Works, Listed]], int]:
        """The next works still to be done from today to ``last``; how many there are in all."""
        today = self._clock.now().astimezone(JST).date()
        with self._database.reading() as connection:
            orders, whole = planned_between(connection, actor, today, last, office, size)
            lines = self._lines(connection, [found for _, found in orders], today)
        return [(order, line) for (order, _), line in zip(orders, lines, strict=True)], whole

    def works(self, actor: Actor, case_id: int) -> list[Works]:
        """The works orders of a case.

        Raises:
            UnknownError: there is no case that ``actor`` may see.
        """
        with self._database.reading() as connection:
            return orders_of(connection, by_id(connection, actor, case_id).id)

    def numbers(self, actor: Actor, ids: Iterable[int | None]) -> dict[int, str]:
        """The numbers of those of these cases that ``actor`` may see; of ``None`` there is none."""
        wanted = {one for one in ids if one is not None}
        query = select(case.c.id, case.c.number).where(visible(actor), case.c.id.in_(wanted))
        with self._database.reading() as connection:
            return {row.id: row.number for row in connection.execute(query)}

    def due_soon(self, until: date) -> list[Case]:
        """Cases under way that are due by ``until``."""
        states = [state.value for state in UNDER_WAY]
        query = _cases().where(case.c.due_on <= until.isoformat(), case.c.state.in_(states))
        with self._database.reading() as connection:
            return [of_case(row._mapping) for row in connection.execute(query.order_by(case.c.due_on))]

    def live_at_points(self, points: Sequence[str]) -> list[Case]:
        """Live cases of these supply points."""
        live = [state.value for state in set(State) - ENDED]
        query = _cases().where(case.c.supply_point.in_(points), case.c.state.in_(live))
        with self._database.reading() as connection:
            return [of_case(row._mapping) for row in connection.execute(query)]

    def _lines(self, connection: Connection, found: Sequence[Case], today: date) -> list[Listed]:
        names = personal.names_of(connection, self._vault, {one.customer for one in found})
        return [
            Listed(case=one, name=half_hidden(names.get(one.customer, "")), band=_band(one.due_on, today))
            for one in found
        ]

    def _matching(self, connection: Connection, text: str) -> ColumnElement[bool] | None:
        words = text.strip()
        digits = bare_digits(words)
        if digits.isascii() and digits.isdigit() and len(digits) >= 4:
            ends = case.c.supply_point.endswith(digits) if len(digits) < 22 else case.c.supply_point == digits
            return or_(ends, case.c.number.endswith(f"-{digits}"))
        upper = words.upper()
        if "-" in upper and upper.isascii():
            return case.c.number == upper
        found = personal.found_cases(connection, self._vault, words, _FOUND)
        return case.c.id.in_(found) if found else None


def half_hidden(name: str) -> str:
    """A name for lists: its first letter, and of a company the form it has; the rest is covered."""
    forms = ("株式会社", "有限会社", "合同会社", "医療法人", "学校法人", "社会福祉法人", "一般社団法人")
    for form in forms:
        if name.startswith(form):
            return f"{form} {half_hidden(name.removeprefix(form).strip())}"
        if name.endswith(form):
            return f"{half_hidden(name.removesuffix(form).strip())} {form}"
    return name[:1] + _COVER * min(max(len(name) - 1, 1), 3) if name else ""


def _cases() -> Select[Any]:
    return select(case, subject.c.erased_at).join(subject, subject.c.id == case.c.customer)


def _under_way(state: State | None) -> ColumnElement[bool]:
    if state is not None:
        return case.c.state == state.value
    return case.c.state.in_([one.value for one in UNDER_WAY])


def _turn(turn: Turn, actor: Actor, today: date) -> ColumnElement[bool]:
    if turn is Turn.MINE:
        return case.c.assignee == actor.reference
    if turn is Turn.LATE:
        return and_(case.c.due_on.is_not(None), case.c.due_on < today.isoformat())
    if turn is Turn.CUSTOMER:
        return case.c.state.in_((State.DRAFT.value, State.RETURNED.value))
    return true()


def _counted(
    connection: Connection, where: Sequence[ColumnElement[bool]], filters: Mapping[Turn, ColumnElement[bool]]
) -> dict[Turn, int]:
    """How many cases each filter shows, in one question."""
    columns = [func.count().filter(condition).label(turn.value) for turn, condition in filters.items()]
    row = connection.execute(select(*columns).select_from(case).where(*where)).one()
    return {turn: row._mapping[turn.value] for turn in filters}


def _band(due: date | None, today: date) -> Band:
    if due is None:
        return Band.NONE
    days = (due - today).days
    if days < 0:
        return Band.LATE
    return Band.TODAY if days == 0 else Band.WEEK if days <= 7 else Band.LATER
