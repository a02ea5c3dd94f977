"""The trail of everything: the histories of all cases and of the registers, to be read and verified.

Whoever reviews sees every office. Nothing personal stands in it: entries are shown with references and codes
as they were written, and a part of the trail is read by the numbers of its entries, so that what comes in
meanwhile moves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Table, select

from koatsu.clock import JST
from koatsu.desk import history, register_history
from koatsu.desk.database import DeskDatabase
from koatsu.desk.errors import ForbiddenError
from koatsu.desk.models import Actor
from koatsu.desk.register_history import RegisterEntry, entry_of
from koatsu.desk.schema_cases import case, event
from koatsu.desk.schema_registers import register_event
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Right
from koatsu.people.chain import AuditFinding

__all__ = ["CASES", "REGISTERS", "Traced", "Trail", "Verified", "Wanted"]

CASES: Final = "cases"
REGISTERS: Final = "registers"
"""The two chains."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which entries; what is empty leaves nothing out."""

    case: str = ""  #: number of a case
    author: str = ""  #: reference
    role: str = ""
    what: str = ""  #: event of a case, or what happened to a register
    register: str = ""
    first: date | None = None  #: day in Japan
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """One entry of the history of a case; codes that nobody knows any more are left as they are."""

    seq: int
    at: datetime
    case: str  #: its number
    author: str
    role: str  #: of the author, or "system"
    event: str
    before: str  #: state, or empty
    after: str
    detail: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A chain that was gone through."""

    chain: str
    entries: int  #: number of the last one
    head: str  #: its hash
    finding: AuditFinding | None  #: what is wrong with it first; ``None``: nothing


class Trail:
    """The trail of an open desk; safe to use from any thread.

    Every method raises ``ForbiddenError`` for those who may not review.
    """

    def __init__(self, database: DeskDatabase, vault: Vault) -> None:
        self._database, self._vault = database, vault

    def cases(
        self, actor: Actor, wanted: Wanted, *, limit: int, before: int | None = None, after: int | None = None
    ) -> list[Traced]:
        """Entries of the histories of all cases, the newest first.

        Args:
            actor: who looks.
            wanted: which.
            limit: at most so many.
            before: only those that were written before the entry of that number.
            after: only those that were written after it, and of them those next to it.
        """
        _must_review(actor)
        where = _when_who(event, wanted)
        if wanted.case:
            where.append(case.c.number == wanted.case.strip().upper())
        if wanted.what:
            where.append(event.c.event == wanted.what)
        query = select(event, case.c.number.label("case_number"))
        query = query.outerjoin(case, case.c.id == event.c.case_id).where(*where)
        with self._database.reading() as connection:
            return [_traced(row) for row in _part(connection, query, event, limit, before, after)]

    def registers(
        self, actor: Actor, wanted: Wanted, *, limit: int, before: int | None = None, after: int | None = None
    ) -> list[RegisterEntry]:
        """Entries of the history of the registers, the newest first; see :meth:`cases`."""
        _must_review(actor)
        where = _when_who(register_event, wanted)
        for column, value in (("register", wanted.register), ("change", wanted.what)):
            if value:
                where.append(register_event.c[column] == value)
        query = select(register_event).where(*where)
        with self._database.reading() as connection:
            return [entry_of(row) for row in _part(connection, query, register_event, limit, before, after)]

    def verify(self, actor: Actor, expected: str | None = None) -> list[Verified]:
        """Go through both chains; ``expected`` is a hash of a case's entry that was noted before."""
        _must_review(actor)
        digests = self._vault.digests
        with self._database.reading() as connection:
            found = (
                (CASES, history.head(connection), history.verify(connection, digests, expected)),
                (
                    REGISTERS,
                    register_history.head(connection),
                    register_history.verify(connection, digests),
                ),
            )
        return [
            Verified(chain=name, entries=number, head=closed, finding=finding)
            for name, (number, closed), finding in found
        ]


def _must_review(actor: Actor) -> None:
    if actor.role is not None and not actor.role.may(Right.DESK_REVIEW):
        raise ForbiddenError(
            Words("案件の記録を確認する権限がありません。", "You may not review the events of cases.")
        )


def _when_who(table: Table, wanted: Wanted) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.author:
        where.append(table.c.author == wanted.author)
    if wanted.role:
        where.append(table.c.role == wanted.role)
    if wanted.first is not None:
        where.append(table.c.at >= _begin(wanted.first))
    if wanted.last is not None:
        where.append(table.c.at < _begin(wanted.last + timedelta(days=1)))
    return where


def _begin(day: date) -> int:
    return int(datetime.combine(day, time(), JST).timestamp())


def _part(
    connection: Connection,
    query: Select[Any],
    table: Table,
    limit: int,
    before: int | None,
    after: int | None,
) -> Sequence[Mapping[Any, Any]]:
    seq = table.c.seq
    if after is not None:
        rows = connection.execute(query.where(seq > after).order_by(seq).limit(limit))
        return [row._mapping for row in rows][::-1]
    if before is not None:
        query = query.where(seq < before)
    return [row._mapping for row in connection.execute(query.order_by(seq.desc()).limit(limit))]


def _traced(row: Mapping[Any, Any]) -> Traced:
    try:
        detail = json.loads(row["detail"])
    except ValueError:
        detail = None  # changed behind our back: verify says so
    return Traced(
        seq=row["seq"],
        at=datetime.fromtimestamp(row["at"], UTC),
        case=row["case_number"] or str(row["case_id"]),
        author=row["author"],
        role=row["role"],
        event=row["event"],
        before=row["before"] or "",
        after=row["after"],
        detail=detail if isinstance(detail, dict) else {},
    )
