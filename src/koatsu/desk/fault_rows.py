"""The rows of faults: what was answered and found when somebody looked for why no data arrives.

Steps only ever grow; where somebody stands is walked anew from them each time. Of what a probe found, a step
holds what it says of the link. Its sentence and values, with addresses of the utility's network and readings
of the customer, stand under the customer's key and are for the staff alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, false, func, insert, or_, select, true

from koatsu.desk.errors import UnknownError
from koatsu.desk.models import Actor
from koatsu.desk.probe import ProbeResult
from koatsu.desk.running_numbers import typed_number, written_number
from koatsu.desk.schema_cases import case
from koatsu.desk.schema_help import fault, fault_step
from koatsu.desk.triage import Outcome, Position, Service, Side, Situation, UnderWay, tree, walk
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Right

__all__ = [
    "NUMBER_KIND",
    "Fault",
    "FaultStep",
    "FaultView",
    "StepKind",
    "add_step",
    "fault_of",
    "find_fault",
    "for_customer",
    "probe_value",
    "view_of",
    "visible_faults",
]

NUMBER_KIND: Final = "FT"


class StepKind(StrEnum):
    """What a step of a fault is."""

    ANSWER = "answer"
    BACK = "back"  #: an answer is taken back
    PROBE = "probe"
    CASE = "case"  #: it turned out which case it is
    ORDER = "order"
    ENQUIRY = "enquiry"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Somebody's search for why no data arrives."""

    id: int
    number: str  #: FT-2026-00012
    office: str
    case: int | None
    supply_point: str | None
    begun_with: Situation  #: what the desk knew when it began, without a probe
    outcome: str  #: of the tree; empty until there is one
    side: Side | None
    order: int | None  #: id of the works order
    enquiry: int | None
    version: int
    opened_at: datetime
    opened_by: str
    changed_at: datetime
    changed_by: str
    closed_at: datetime | None
    closed_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultStep:
    """One thing that was answered, taken back, found or done."""

    number: int
    at: datetime
    author: str
    kind: StepKind
    step: str
    value: str
    probe: ProbeResult | None = None  #: what a probe found then


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultView:
    """A fault with all that was answered, and where that leads."""

    fault: Fault
    steps: Sequence[FaultStep]
    probe: ProbeResult | None  #: what was found last
    position: Position

    @property
    def situation(self) -> Situation:
        """What the desk knows now."""
        return self.fault.begun_with.seen(self.probe)

    @property
    def outcome(self) -> Outcome | None:
        """What came out, as it was recorded."""
        return tree().outcomes.get(self.fault.outcome)


def visible_faults(actor: Actor) -> ColumnElement[bool]:
    """The condition on the rows that ``actor`` may see: its office's and those of none, its own, or all."""
    if actor.role is None or actor.role.may(Right.DESK_REVIEW):
        return true()
    if actor.role.may(Right.DESK_OWN):
        own = fault.c.opened_by == actor.reference
        if actor.customer is None:
            return own
        cases = select(case.c.id).where(case.c.customer == actor.customer)
        return or_(own, fault.c.case_id.in_(cases))
    if not actor.role.may(Right.DESK_READ):
        return false()
    return true() if actor.office is None else fault.c.office.in_((actor.office, ""))


def find_fault(connection: Connection, actor: Actor, number: str) -> Fault:
    """The fault with that number, in whatever width and case it was typed.

    Raises:
        UnknownError: there is none that ``actor`` may see.
    """
    typed = typed_number(NUMBER_KIND, number)
    row = None
    if typed is not None:
        query = select(fault).where(fault.c.year == typed[0], fault.c.seq == typed[1])
        row = connection.execute(query.where(visible_faults(actor))).first()
    if row is None:
        raise UnknownError(
            Words("その不具合の記録はありません。", "There is no such record of a fault."),
            Words("番号を確かめてください(例 FT-2026-00012)。", "Check the number (such as FT-2026-00012)."),
        )
    return fault_of(row)


def view_of(connection: Connection, vault: Vault, one: Fault) -> FaultView:
    """A fault with its steps, walked through the tree as it is now; all of it, as the staff see it."""
    query = select(fault_step).where(fault_step.c.fault == one.id).order_by(fault_step.c.number)
    steps = [
        FaultStep(
            number=row.number,
            at=datetime.fromtimestamp(row.at, UTC),
            author=row.author,
            kind=StepKind(row.kind),
            step=row.step,
            value=row.value,
            probe=_probe(connection, vault, row.value) if row.kind == StepKind.PROBE.value else None,
        )
        for row in list(connection.execute(query))
    ]
    answers: dict[str, str] = {}
    probe: ProbeResult | None = None
    for step in steps:
        if step.kind is StepKind.ANSWER:
            answers[step.step] = step.value
        elif step.kind is StepKind.BACK:
            answers.pop(step.step, None)
        elif step.kind is StepKind.PROBE:
            probe = step.probe
    position = walk(tree(), one.begun_with.seen(probe), answers)
    return FaultView(fault=one, steps=tuple(steps), probe=probe, position=position)


def for_customer(view: FaultView) -> FaultView:
    """The same without what a probe said and read: of the terminal's side, whether it answers."""
    probe = None if view.probe is None else _bare(view.probe)
    steps = [replace(one, probe=None if one.probe is None else _bare(one.probe)) for one in view.steps]
    return replace(view, probe=probe, steps=tuple(steps))


def add_step(
    connection: Connection,
    one: Fault,
    kind: StepKind,
    *,
    at: datetime,
    author: str,
    step: str = "",
    value: str = "",
) -> None:
    """Write a step behind those that are there."""
    last: int | None = connection.execute(
        select(func.max(fault_step.c.number)).where(fault_step.c.fault == one.id)
    ).scalar()
    connection.execute(
        insert(fault_step).values(
            fault=one.id, number=(last or 0) + 1, at=int(at.timestamp()), author=author, kind=kind.value,
            step=step, value=value,
        )
    )  # fmt: skip


def probe_value(connection: Connection, vault: Vault, owner: int | None, probe: ProbeResult) -> str:
    """What a step holds of a probe; what it said and read goes under the key of ``owner``, if there is one.

    Raises:
        UnknownError: that customer's data is erased.
    """
    said = {
        "reason": list(probe.reason),
        "values": dict(probe.values),
        "labels": {name: list(words) for name, words in probe.labels.items()},
    }
    kept = {
        "at": int(probe.at.timestamp()),
        "reached": probe.reached,
        "terminal_up": probe.terminal_up,
        "meter_answers": probe.meter_answers,
        "said": 0 if owner is None else vault.keep_text(connection, owner, _dumped(said)),
    }
    return _dumped(kept)


def _dumped(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _probe(connection: Connection, vault: Vault, value: str) -> ProbeResult:
    """A probe as it was kept; without its words once the customer is erased."""
    kept = json.loads(value)
    text = vault.text(connection, kept.get("said", 0))
    said: dict[str, Any] = json.loads(text) if text else {"reason": _NOTHING, "values": {}, "labels": {}}
    return ProbeResult(
        at=datetime.fromtimestamp(kept["at"], UTC),
        reached=kept["reached"],
        terminal_up=kept["terminal_up"],
        meter_answers=kept["meter_answers"],
        values=said["values"],
        reason=Words(*said["reason"]),
        labels={name: Words(*words) for name, words in said["labels"].items()},
    )


def _bare(probe: ProbeResult) -> ProbeResult:
    return replace(probe, reason=_NOTHING, values={}, labels={})


_NOTHING: Final = Words("", "")


def fault_of(row: Row[Sequence[Any]]) -> Fault:
    """A row as a fault."""
    return Fault(
        id=row.id,
        number=written_number(NUMBER_KIND, row.year, row.seq),
        office=row.office,
        case=row.case_id,
        supply_point=row.supply_point,
        begun_with=Situation(service=Service(row.service), works=UnderWay(row.works)),
        outcome=row.outcome,
        side=Side(row.side) if row.side else None,
        order=row.order_id,
        enquiry=row.enquiry,
        version=row.version,
        opened_at=datetime.fromtimestamp(row.opened_at, UTC),
        opened_by=row.opened_by,
        changed_at=datetime.fromtimestamp(row.changed_at, UTC),
        changed_by=row.changed_by,
        closed_at=datetime.fromtimestamp(row.closed_at, UTC) if row.closed_at else None,
        closed_by=row.closed_by or "",
    )
