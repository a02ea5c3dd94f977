"""Works orders: made and ended by the steps of a case, listed as a calendar.

Every works of the utility is free of charge: an order has no amount, and there is no place for one.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, insert, select, update

from koatsu.desk.case_rows import of_case, visible
from koatsu.desk.models import Actor, Case, Works, WorksKind, WorksState
from koatsu.desk.schema_cases import case, subject, works
from koatsu.desk.words import Words

__all__ = [
    "KIND_WORDS",
    "cancel",
    "finish",
    "move_office",
    "orders_between",
    "orders_of",
    "plan",
    "planned_between",
]

KIND_WORDS = {
    WorksKind.SURVEY: Words("現地調査", "Survey"),
    WorksKind.INSTALLATION: Words("端末の取付", "Terminal installation"),
    WorksKind.METER_REPLACEMENT: Words("計量器の取替", "Meter replacement"),
    WorksKind.CABLE_REMOVAL: Words("ケーブルの取外し", "Cable taken out"),
    WorksKind.REPAIR: Words("当社設備の修理", "Repair on the utility's side"),
}


def plan(
    connection: Connection, found: Case, kind: WorksKind, day: date | None, window: str = "", outage: str = ""
) -> None:
    """Plan works for a case; a planned order of that kind is moved, not doubled."""
    values: dict[str, Any] = {
        "office": found.office,
        "planned_on": day.isoformat() if day else None,
        "window": window,
        "outage": outage,
    }
    if connection.execute(update(works).where(*_planned(found, kind)).values(**values)).rowcount == 0:
        values |= {"case_id": found.id, "kind": kind.value, "state": WorksState.PLANNED.value}
        connection.execute(insert(works).values(**values, done_on=None))


def finish(connection: Connection, found: Case, kind: WorksKind, day: date) -> None:
    """Note that the planned works of a kind are done; where none was planned, that they were done anyway."""
    done = {"state": WorksState.DONE.value, "done_on": day.isoformat()}
    if connection.execute(update(works).where(*_planned(found, kind)).values(**done)).rowcount == 0:
        plan(connection, found, kind, day)
        connection.execute(update(works).where(*_planned(found, kind)).values(**done))


def cancel(connection: Connection, found: Case, *kinds: WorksKind) -> None:
    """Cancel what is planned of these kinds, or of all kinds."""
    condition = [works.c.case_id == found.id, works.c.state == WorksState.PLANNED.value]
    if kinds:
        condition.append(works.c.kind.in_([kind.value for kind in kinds]))
    connection.execute(update(works).where(*condition).values(state=WorksState.CANCELLED.value))


def move_office(connection: Connection, found: Case, office: str) -> None:
    """What is planned is done by the office that the case has moved to."""
    planned = (works.c.case_id == found.id, works.c.state == WorksState.PLANNED.value)
    connection.execute(update(works).where(*planned).values(office=office))


def orders_of(connection: Connection, case_id: int) -> list[Works]:
    """The works of a case, in the order in which they were made."""
    query = select(works).where(works.c.case_id == case_id).order_by(works.c.id)
    return [_works(row) for row in connection.execute(query)]


def orders_between(connection: Connection, actor: Actor, first: date, last: date) -> list[tuple[Works, Case]]:
    """The works from ``first`` to ``last``, each with its case, as far as ``actor`` may see."""
    where = (_on_days(first, last), works.c.state != WorksState.CANCELLED.value, visible(actor))
    return _with_cases(connection, select(works).join(case, case.c.id == works.c.case_id).where(*where))


def planned_between(
    connection: Connection, actor: Actor, first: date, last: date, office: str | None, size: int
) -> tuple[list[tuple[Works, Case]], int]:
    """The next ``size`` works still to be done from ``first`` to ``last``, and how many there are in all."""
    where = [_on_days(first, last), works.c.state == WorksState.PLANNED.value, visible(actor)]
    if office:
        where.append(works.c.office == office)
    query = select(works).join(case, case.c.id == works.c.case_id).where(*where)
    whole = connection.scalar(select(func.count()).select_from(query.subquery())) or 0
    return _with_cases(connection, query.limit(size)), whole


def _on_days(first: date, last: date) -> ColumnElement[bool]:
    return works.c.planned_on.between(first.isoformat(), last.isoformat())


def _with_cases(connection: Connection, query: Select[Any]) -> list[tuple[Works, Case]]:
    """What ``query`` selects of the works, in the order of the days, each with its case."""
    rows = connection.execute(query.order_by(works.c.planned_on, works.c.window, works.c.id))
    found = [_works(row) for row in rows]
    wanted = select(case, subject.c.erased_at).join(subject, subject.c.id == case.c.customer)
    cases = {
        row.id: of_case(row._mapping)
        for row in connection.execute(wanted.where(case.c.id.in_({one.case for one in found})))
    }
    return [(one, cases[one.case]) for one in found]


def _planned(found: Case, kind: WorksKind) -> tuple[Any, ...]:
    return (
        works.c.case_id == found.id,
        works.c.kind == kind.value,
        works.c.state == WorksState.PLANNED.value,
    )


def _works(row: Row[Any]) -> Works:
    return Works(
        id=row.id,
        case=row.case_id,
        kind=WorksKind(row.kind),
        state=WorksState(row.state),
        office=row.office,
        planned_on=date.fromisoformat(row.planned_on) if row.planned_on else None,
        window=row.window,
        outage=row.outage,
        done_on=date.fromisoformat(row.done_on) if row.done_on else None,
    )
