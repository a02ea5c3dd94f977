"""The rows of enquiries: what an enquiry is, its steps, who may see it, and its texts under their key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, false, func, insert, select, true

from koatsu.desk.errors import UnknownError
from koatsu.desk.models import Actor
from koatsu.desk.running_numbers import typed_number, written_number
from koatsu.desk.schema_help import enquiry, enquiry_step
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Right

__all__ = [
    "ENQUIRY_STATE_WORDS",
    "NUMBER_KIND",
    "TABLE",
    "Enquiry",
    "EnquiryState",
    "EnquiryStep",
    "Step",
    "add_step",
    "enquiry_of",
    "find_enquiry",
    "steps_of",
    "visible_enquiries",
]

NUMBER_KIND: Final = "EQ"


class EnquiryState(StrEnum):
    """How far an enquiry is."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


ENQUIRY_STATE_WORDS: Final[dict[EnquiryState, Words]] = {
    EnquiryState.OPEN: Words("回答待ち", "Open"),
    EnquiryState.ANSWERED: Words("回答済み", "Answered"),
    EnquiryState.CLOSED: Words("完了", "Closed"),
}


class Step(StrEnum):
    """What can happen to an enquiry."""

    OPENED = "opened"
    ASSIGNED = "assigned"
    MOVED = "moved"  #: to another office
    EXTENDED = "extended"  #: another due date
    ANSWERED = "answered"
    NOTED = "noted"  #: among staff: customers do not see it
    REOPENED = "reopened"
    CLOSED = "closed"
    ERASED = "erased"


_S: Final = EnquiryState
_UNDER_WAY: Final = frozenset({_S.OPEN, _S.ANSWERED})
TABLE: Final[Mapping[Step, tuple[frozenset[EnquiryState], EnquiryState | None]]] = {
    Step.ASSIGNED: (_UNDER_WAY, None),
    Step.MOVED: (_UNDER_WAY, None),
    Step.EXTENDED: (_UNDER_WAY, None),
    Step.ANSWERED: (_UNDER_WAY, _S.ANSWERED),
    Step.NOTED: (frozenset(_S), None),
    Step.REOPENED: (frozenset({_S.ANSWERED, _S.CLOSED}), _S.OPEN),
    Step.CLOSED: (_UNDER_WAY, _S.CLOSED),
    Step.ERASED: (frozenset({_S.CLOSED}), None),
}
"""From which states a step leads, and to which; None: where it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Enquiry:
    """An enquiry without its texts, as lists show it."""

    id: int
    number: str  #: EQ-2026-00001
    office: str  #: code; empty until it is known
    topic: str  #: id of a question of the FAQ, or empty
    case: int | None
    subject: int  #: under whose key its texts are
    state: EnquiryState
    owner: str  #: reference of a person, or empty
    due_on: date
    version: int
    opened_at: datetime
    changed_at: datetime
    changed_by: str

    def late(self, today: date) -> bool:
        """Whether it should have been answered by now."""
        return self.state is EnquiryState.OPEN and self.due_on < today


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquiryStep:
    """Something that was asked, answered or done."""

    number: int
    at: datetime
    author: str
    step: Step
    value: str  #: an office, a reference, a day
    said: str | None  #: None: nothing was said, or it is erased
    erased: bool


def visible_enquiries(actor: Actor) -> ColumnElement[bool]:
    """The condition on the rows that ``actor`` may see: its office's and those of none, its own, or all."""
    if actor.role is None or actor.role.may(Right.DESK_REVIEW):
        return true()
    if actor.role.may(Right.DESK_OWN):
        return false() if actor.customer is None else enquiry.c.subject == actor.customer
    if not actor.role.may(Right.DESK_READ):
        return false()
    return true() if actor.office is None else enquiry.c.office.in_((actor.office, ""))


def find_enquiry(connection: Connection, actor: Actor, number: str) -> Enquiry:
    """The enquiry with that number, in whatever width and case it was typed.

    Raises:
        UnknownError: there is none that ``actor`` may see.
    """
    typed = typed_number(NUMBER_KIND, number)
    row = None
    if typed is not None:
        query = select(enquiry).where(enquiry.c.year == typed[0], enquiry.c.seq == typed[1])
        row = connection.execute(query.where(visible_enquiries(actor))).first()
    if row is None:
        raise UnknownError(
            Words("そのお問い合わせはありません。", "There is no such enquiry."),
            Words("番号を確かめてください(例 EQ-2026-00001)。", "Check the number (such as EQ-2026-00001)."),
        )
    return enquiry_of(row)


def steps_of(connection: Connection, vault: Vault, one: Enquiry) -> list[EnquiryStep]:
    """What happened to an enquiry, the oldest first, with its texts as far as they can be read."""
    query = select(enquiry_step).where(enquiry_step.c.enquiry == one.id).order_by(enquiry_step.c.number)
    steps = []
    for row in connection.execute(query):
        said = None if row.said is None else vault.open(connection, one.subject, row.said)
        steps.append(
            EnquiryStep(
                number=row.number,
                at=datetime.fromtimestamp(row.at, UTC),
                author=row.author,
                step=Step(row.step),
                value=row.value,
                said=said,
                erased=row.said is not None and said is None,
            )
        )
    return steps


def add_step(
    connection: Connection,
    enquiry_id: int,
    step: Step,
    *,
    at: datetime,
    author: str,
    value: str,
    said: bytes | None,
) -> None:
    """Write a step behind those that are there; ``said`` is sealed."""
    last: int | None = connection.execute(
        select(func.max(enquiry_step.c.number)).where(enquiry_step.c.enquiry == enquiry_id)
    ).scalar()
    connection.execute(
        insert(enquiry_step).values(
            enquiry=enquiry_id, number=(last or 0) + 1, at=int(at.timestamp()), author=author,
            step=step.value, value=value, said=said,
        )
    )  # fmt: skip


def enquiry_of(row: Row[Sequence[Any]]) -> Enquiry:
    """A row as an enquiry."""
    return Enquiry(
        id=row.id,
        number=written_number(NUMBER_KIND, row.year, row.seq),
        office=row.office,
        topic=row.topic,
        case=row.case_id,
        subject=row.subject,
        state=EnquiryState(row.state),
        owner=row.owner,
        due_on=date.fromisoformat(row.due_on),
        version=row.version,
        opened_at=datetime.fromtimestamp(row.opened_at, UTC),
        changed_at=datetime.fromtimestamp(row.changed_at, UTC),
        changed_by=row.changed_by,
    )
