"""The rows of cases: read as :class:`Case`, by id, number or supply point, by those who may see them.

Statements that every step needs are made once, with parameters: making one costs more than it takes to run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, bindparam, false, insert, select, true, update

from koatsu.desk.errors import UnknownError
from koatsu.desk.models import Actor, Case
from koatsu.desk.schema_cases import case, info, subject
from koatsu.desk.states import LIVE, State
from koatsu.desk.words import Words
from koatsu.people import Right

__all__ = ["by_id", "by_number", "live_at", "next_number", "of_case", "put", "replace_row", "visible"]

_SELECTED = select(case, subject.c.erased_at).join(subject, subject.c.id == case.c.customer)


_SCOPES: Final[Mapping[str, ColumnElement[bool]]] = {
    "all": true(),
    "own": case.c.customer == bindparam("seen_customer"),
    "office": case.c.office.in_((bindparam("seen_office"), "")),
    "none": false(),
}
"""The conditions on the rows of cases that somebody may see."""

_REPLACED: Final = update(case).where(case.c.id == bindparam("replaced"))
_NUMBERED: Final = select(info.c.value).where(info.c.name == bindparam("wanted"))


def _scope(actor: Actor) -> tuple[str, dict[str, Any]]:
    """Which of these is that of ``actor``, with its parameters."""
    if actor.role is None or actor.role.may(Right.DESK_REVIEW):
        return "all", {}
    if actor.role.may(Right.DESK_OWN):
        return ("none", {}) if actor.customer is None else ("own", {"seen_customer": actor.customer})
    if not actor.role.may(Right.DESK_READ):
        return "none", {}
    return ("all", {}) if actor.office is None else ("office", {"seen_office": actor.office})


def visible(actor: Actor) -> ColumnElement[bool]:
    """The condition on the rows of cases that ``actor`` may see: its office's, its own, or all."""
    scope, values = _scope(actor)
    if scope == "own":
        own: ColumnElement[bool] = case.c.customer == values["seen_customer"]
        return own
    if scope == "office":
        return case.c.office.in_((values["seen_office"], ""))
    return _SCOPES[scope]


def by_id(connection: Connection, actor: Actor, case_id: int) -> Case:
    """The case with that id.

    Raises:
        UnknownError: there is none that ``actor`` may see.
    """
    return _one(connection, actor, "id", case_id)


def by_number(connection: Connection, actor: Actor, number: str) -> Case:
    """The case with that number.

    Raises:
        UnknownError: there is none that ``actor`` may see.
    """
    return _one(connection, actor, "number", number.strip().upper())


def live_at(connection: Connection, supply_point: str) -> Case | None:
    """The live case of a supply point that has been submitted; of whom it is does not matter."""
    live = [state.value for state in LIVE - {State.DRAFT}]
    query = _SELECTED.where(case.c.supply_point == supply_point, case.c.state.in_(live))
    row = connection.execute(query).first()
    return None if row is None else of_case(row._mapping)


def put(connection: Connection, values: Mapping[str, Any]) -> None:
    """Write the first row of a case."""
    connection.execute(insert(case).values(**values))


def replace_row(connection: Connection, found: Case, values: Mapping[str, Any]) -> None:
    """Write what an event has made of a case; its version rises by one."""
    connection.execute(_REPLACED, {"replaced": found.id, "version": found.version + 1, **values})


def next_number(connection: Connection, kind: str, year: int) -> int:
    """The next running number of ``kind`` in a year; no number is given twice."""
    name = f"number:{kind}:{year}"
    last = connection.execute(_NUMBERED, {"wanted": name}).scalar()
    number = int(last or 0) + 1
    if last is None:
        connection.execute(insert(info).values(name=name, value=str(number)))
    else:
        connection.execute(update(info).where(info.c.name == name).values(value=str(number)))
    return number


def of_case(row: Mapping[Any, Any]) -> Case:
    """A row as a case."""
    return Case(
        id=row["id"],
        number=row["number"],
        state=State(row["state"]),
        back=State(row["back"]) if row["back"] else None,
        supply_point=row["supply_point"],
        office=row["office"],
        assignee=row["assignee"],
        customer=row["customer"],
        due_on=date.fromisoformat(row["due_on"]) if row["due_on"] else None,
        opened_at=datetime.fromtimestamp(row["opened_at"], UTC),
        changed_at=datetime.fromtimestamp(row["changed_at"], UTC),
        changed_by=row["changed_by"],
        version=row["version"],
        facts=json.loads(row["facts"]),
        erased=row["erased_at"] is not None,
    )


@cache
def _found_by(column: str, scope: str) -> Select[Any]:
    return _SELECTED.where(case.c[column] == bindparam("wanted"), _SCOPES[scope])


def _one(connection: Connection, actor: Actor, column: str, wanted: int | str) -> Case:
    scope, values = _scope(actor)
    row = connection.execute(_found_by(column, scope), {"wanted": wanted, **values}).first()
    if row is None:
        raise UnknownError(
            Words("その案件はありません。", "There is no such case."),
            Words("番号を確かめてください。", "Check the number."),
        )
    return of_case(row._mapping)
