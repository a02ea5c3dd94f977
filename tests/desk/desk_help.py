"""Cases that stand where a test of the help wants them, without the way that led there."""

from __future__ import annotations

import json
from typing import Final

from desk_site import NORTH, POINTS
from sqlalchemy import func, select

from koatsu.desk import SYSTEM, Actor, Case, Desk, State, case_rows
from koatsu.desk.schema_cases import case as case_table
from koatsu.people import Role

#: Names that must come back sign by sign: a surrogate pair, a variation sequence, a compatibility ideograph.
RARE: Final = "𠮷田 葛󠄀城 神邉 髙﨑"


def put_case(
    desk: Desk, state: State = State.IN_SERVICE, point: str = POINTS[0], office: str = NORTH, **facts: str
) -> Case:
    """A case in ``state`` with a customer of its own."""
    now = desk.clock.now()
    with desk.database.writing() as connection:
        owner = desk.vault.new_subject(connection, now)
        last: int = connection.execute(select(func.max(case_table.c.id))).scalar() or 0
        at = int(now.timestamp())
        case_rows.put(
            connection,
            {
                "id": last + 1, "number": f"HB-2026-{last + 1:05}", "state": state.value, "back": None,
                "supply_point": point, "office": office, "assignee": "", "customer": owner, "due_on": None,
                "opened_at": at, "changed_at": at, "changed_by": "system", "version": 1,
                "facts": json.dumps(facts),
            },
        )  # fmt: skip
        return case_rows.by_id(connection, SYSTEM, last + 1)


def customer_of(case: Case, number: int = 20) -> Actor:
    """The customer of a case, logged in."""
    return Actor(reference=f"person:{number}", role=Role.CUSTOMER, customer=case.customer)


def erase(desk: Desk, case: Case) -> None:
    """Destroy the key of a case's customer."""
    with desk.database.writing() as connection:
        desk.vault.erase(connection, case.customer, desk.clock.now())
