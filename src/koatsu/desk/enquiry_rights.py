"""Who may do what with an enquiry: by role, by how far it is, and by what is left of it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from koatsu.desk.enquiry_rows import TABLE, EnquiryState, Step
from koatsu.desk.models import Actor
from koatsu.desk.schema_cases import case, staff
from koatsu.people import Right

__all__ = ["is_customer", "may_take", "steps_for"]

_CUSTOMERS: Final = frozenset({Step.REOPENED, Step.CLOSED})
_SAYING: Final = frozenset({Step.ANSWERED, Step.NOTED, Step.REOPENED})  #: they need the key of a subject


def may_take(actor: Actor, step: Step) -> bool:
    """Whether the role of ``actor`` allows a step at all."""
    if actor.role is None:
        return True
    if step is Step.ERASED:
        return actor.role.may(Right.DESK_DECIDE)
    return actor.role.may(Right.DESK_HANDLE) or (step in _CUSTOMERS and actor.role.may(Right.DESK_OWN))


def steps_for(actor: Actor, state: EnquiryState, *, erased: bool) -> frozenset[Step]:
    """The steps from ``state`` that ``actor`` may take; of what is erased nothing more is said."""
    able = {step for step, (before, _) in TABLE.items() if state in before and may_take(actor, step)}
    return frozenset(able - _SAYING - {Step.ERASED} if erased else able)


def is_customer(connection: Connection, subject: int) -> bool:
    """Whether somebody has a case or a login: their data is erased with their case."""
    known = (
        select(case.c.id).where(case.c.customer == subject),
        select(staff.c.person).where(staff.c.customer == subject),
    )
    return any(connection.execute(query.limit(1)).first() is not None for query in known)
