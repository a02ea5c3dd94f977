"""Faults: the guide through "no data arrives", kept step by step, up to a works order where one is due.

A works order is opened only where the outcome lies on the utility's side, which the tree gives to nobody who
has not looked at both ends of the cable and shown evidence (rule ``fault.order``).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, func, insert, select, update

from koatsu.clock import JST, Clock
from koatsu.desk import case_rows, works
from koatsu.desk.database import DeskDatabase
from koatsu.desk.enquiry_rows import Enquiry
from koatsu.desk.errors import ChangedMeanwhileError, ForbiddenError, InputError, NoStepError, RuleError
from koatsu.desk.fault_rows import (
    NUMBER_KIND,
    Fault,
    FaultView,
    StepKind,
    add_step,
    fault_of,
    find_fault,
    for_customer,
    probe_value,
    view_of,
    visible_faults,
)
from koatsu.desk.models import SYSTEM, Actor, Case, WorksKind, WorksState
from koatsu.desk.probe import ProbeResult
from koatsu.desk.schema_help import fault
from koatsu.desk.triage import CABLE, UTILITY_FAULT, Side, Situation
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Right, Role

__all__ = ["PROBE_FRESH", "Faults"]

PROBE_FRESH: Final = timedelta(minutes=30)
"""How old what a probe found may be; before that the link may have been another."""
PAGE: Final = 50


class Faults:
    """The faults of an open desk; safe to use from any thread.

    Every method raises ``UnknownError`` where ``actor`` may not see the fault or the case.
    """

    def __init__(self, database: DeskDatabase, vault: Vault, clock: Clock) -> None:
        self._database, self._vault, self._clock = database, vault, clock

    # --- looking ----------------------------------------------------------------------------------------

    def view(self, actor: Actor, number: str) -> FaultView:
        """A fault with all its steps; a customer is told nothing of what a probe said and read."""
        with self._database.reading() as connection:
            return self._view(connection, actor, find_fault(connection, actor, number))

    def waiting(self, actor: Actor, office: str | None = None, limit: int = PAGE) -> list[Fault]:
        """Those that lie on the utility's side and are not closed, the oldest first."""
        query = select(fault).where(visible_faults(actor), *_WAITING).order_by(fault.c.id)
        return self._listed(query, office, limit)

    def unfinished(self, actor: Actor, office: str | None = None, limit: int = PAGE) -> list[Fault]:
        """Those in which a question is still open, the newest first: somebody may call again."""
        query = select(fault).where(visible_faults(actor), *_UNFINISHED).order_by(fault.c.id.desc())
        return self._listed(query, office, limit)

    def how_many(self, actor: Actor, office: str | None = None) -> tuple[int, int]:
        """How many are waiting, and how many unfinished."""
        found = []
        for wanted in (_WAITING, _UNFINISHED):
            query = select(func.count()).select_from(fault).where(visible_faults(actor), *wanted)
            query = query if office is None else query.where(fault.c.office == office)
            with self._database.reading() as connection:
                found.append(int(connection.execute(query).scalar_one()))
        return found[0], found[1]

    def of_case(self, actor: Actor, case_id: int) -> list[Fault]:
        """Those of a case, the newest first."""
        with self._database.reading() as connection:
            found = case_rows.by_id(connection, actor, case_id)
            query = select(fault).where(fault.c.case_id == found.id).order_by(fault.c.id.desc())
            return [fault_of(row) for row in connection.execute(query)]

    def outcomes(self, actor: Actor) -> dict[Side, int]:
        """How often it came out on which side: what a supervisor asks of the guide."""
        query = select(fault.c.side, func.count()).where(visible_faults(actor)).group_by(fault.c.side)
        with self._database.reading() as connection:
            found = {side: int(number) for side, number in connection.execute(query)}
        return {side: found.get(side.value, 0) for side in Side}

    # --- the guide --------------------------------------------------------------------------------------

    def begin(
        self, actor: Actor, *, case_id: int | None = None, office: str = "", probe: ProbeResult | None = None
    ) -> FaultView:
        """Begin to look for why no data arrives.

        Args:
            actor: who looks.
            case_id: the case, where it is known.
            office: whose records it belongs to; that of the case where there is one.
            probe: what the terminal side has just said, where it could be asked.
        """
        now = self._clock.now()
        with self._database.writing() as connection:
            found = None if case_id is None else case_rows.by_id(connection, actor, case_id)
            situation = _situation(found)
            year, at = now.astimezone(JST).year, int(now.timestamp())
            made = connection.execute(
                insert(fault).values(
                    year=year, seq=case_rows.next_number(connection, NUMBER_KIND, year),
                    office=found.office if found else office, case_id=case_id,
                    supply_point=found.supply_point if found else None, service=situation.service.value,
                    works=situation.works.value, outcome="", side="", version=1, opened_at=at,
                    opened_by=actor.reference, changed_at=at, changed_by=actor.reference,
                )
            )  # fmt: skip
            assert made.inserted_primary_key is not None
            row = connection.execute(select(fault).where(fault.c.id == made.inserted_primary_key[0])).one()
            one = fault_of(row)
            self._note_probe(connection, actor, one, probe)
            return self._settled(connection, actor, one)

    def answer(self, actor: Actor, number: str, step: str, answer: str) -> FaultView:
        """Answer the question that is asked now; the same answer twice changes nothing.

        Raises:
            ForbiddenError: ``actor`` only reads.
            ChangedMeanwhileError: another question is asked by now.
            InputError: the question has no such answer.
            NoStepError: somebody has closed it.
        """
        _must(actor, *_ASKING)
        with self._database.writing() as connection:
            one = find_fault(connection, actor, number)
            view = _going_on(self._view(connection, actor, one))
            if any(turn.ask.id == step and turn.answer.id == answer for turn in view.position.path):
                return view
            asked = view.position.ask
            if asked is None or asked.id != step:
                raise ChangedMeanwhileError(
                    Words(f"不具合の記録 {one.number}", f"Record {one.number}"),
                    one.changed_by,
                    one.changed_at,
                )
            if asked.answer(answer) is None:
                raise InputError(
                    {"answer": Words("答えを 1 つ選んでください。", "Choose one of the answers.")}
                )
            self._step(connection, actor, one, StepKind.ANSWER, step, answer)
            return self._settled(connection, actor, one)

    def back(self, actor: Actor, number: str) -> FaultView:
        """Take the last answer back; it stays in the record.

        Raises:
            ForbiddenError: ``actor`` only reads.
            NoStepError: there is none, or something has come of the answers already.
        """
        _must(actor, *_ASKING)
        with self._database.writing() as connection:
            one = find_fault(connection, actor, number)
            path = _going_on(self._view(connection, actor, one)).position.path
            if not path or one.order is not None or one.enquiry is not None:
                raise NoStepError(
                    Words("これより前には戻れません。", "There is no way back from here."),
                    Words("はじめからやり直すことはできます。", "You can begin anew."),
                )
            last = path[-1]
            self._step(connection, actor, one, StepKind.BACK, last.ask.id, last.answer.id)
            return self._settled(connection, actor, one)

    def observe(self, actor: Actor, number: str, probe: ProbeResult) -> FaultView:
        """Note what the terminal side has just said; the way through the questions may change by it.

        Raises:
            ForbiddenError: ``actor`` only reads.
            NoStepError: there is an outcome already.
        """
        _must(actor, *_ASKING)
        with self._database.writing() as connection:
            one = find_fault(connection, actor, number)
            if one.outcome:
                raise _past(one)
            _going_on(self._view(connection, actor, one))
            self._note_probe(connection, actor, one, probe)
            return self._settled(connection, actor, one)

    # --- what comes of it -------------------------------------------------------------------------------

    def set_case(self, actor: Actor, number: str, case_id: int) -> FaultView:
        """Note whose fault it is, where it was begun by somebody unknown.

        Raises:
            ForbiddenError: ``actor`` may not.
            NoStepError: its case is known.
        """
        _must(actor, Right.DESK_HANDLE, Right.DESK_WORK)
        with self._database.writing() as connection:
            one = find_fault(connection, actor, number)
            if one.case is not None:
                raise _past(one)
            found = case_rows.by_id(connection, actor, case_id)
            place = {"case_id": found.id, "supply_point": found.supply_point, "office": found.office}
            self._step(connection, actor, one, StepKind.CASE, value=str(found.id), columns=place)
            return self._view(connection, actor, find_fault(connection, SYSTEM, one.number))

    def open_order(
        self, actor: Actor, number: str, planned_on: date | None = None, window: str = ""
    ) -> FaultView:
        """Open a works order of the utility; a second time changes nothing.

        Raises:
            ForbiddenError: ``actor`` may not.
            RuleError: the fault does not lie on the utility's side.
            NoStepError: it is closed, or its case is not known yet.
        """
        _must(actor, Right.DESK_HANDLE, Right.DESK_WORK)
        with self._database.writing() as connection:
            one = find_fault(connection, actor, number)
            view = self._view(connection, actor, one)
            if one.side is not Side.UTILITY or not view.position.shown >= CABLE | {UTILITY_FAULT}:
                raise RuleError(
                    "fault.order",
                    Words(
                        f"{one.number} は当社側の不具合とわかっていないため、工事は手配できません。",
                        f"{one.number} does not lie on the utility's side, so no works order is opened.",
                    ),
                    Words(
                        "まずケーブルの両端、つぎに EMS メーカーへの確認をご案内ください。",
                        "First the cable at both ends, then the maker of the EMS.",
                    ),
                )
            if one.order is not None:
                return view
            if one.closed_at is not None or one.case is None:
                raise _past(one)
            found = case_rows.by_id(connection, SYSTEM, one.case)
            works.plan(connection, found, WorksKind.REPAIR, planned_on, window)
            order = [
                made.id
                for made in works.orders_of(connection, found.id)
                if made.kind is WorksKind.REPAIR and made.state is WorksState.PLANNED
            ][-1]
            self._step(connection, actor, one, StepKind.ORDER, value=str(order), columns={"order_id": order})
            return self._view(connection, actor, find_fault(connection, SYSTEM, one.number))

    def note_enquiry(self, actor: Actor, number: str, enquiry: Enquiry) -> FaultView:
        """Note which enquiry came of it."""
        with self._database.writing() as connection:
            one = find_fault(connection, actor, number)
            self._step(
                connection,
                actor,
                one,
                StepKind.ENQUIRY,
                value=enquiry.number,
                columns={"enquiry": enquiry.id},
            )
            return self._view(connection, actor, find_fault(connection, SYSTEM, one.number))

    def close(self, actor: Actor, number: str) -> FaultView:
        """Close it: what the utility had to do is done; a second time changes nothing.

        Raises:
            ForbiddenError: ``actor`` may not.
        """
        _must(actor, Right.DESK_HANDLE, Right.DESK_WORK)
        with self._database.writing() as connection:
            one = find_fault(connection, actor, number)
            if one.closed_at is None:
                closed = {"closed_at": int(self._clock.now().timestamp()), "closed_by": actor.reference}
                self._step(connection, actor, one, StepKind.CLOSE, columns=closed)
            return self._view(connection, actor, find_fault(connection, SYSTEM, one.number))

    # --- inside -----------------------------------------------------------------------------------------

    def _view(self, connection: Connection, actor: Actor, one: Fault) -> FaultView:
        whole = view_of(connection, self._vault, one)
        return for_customer(whole) if actor.role is Role.CUSTOMER else whole

    def _listed(self, query: Select[Any], office: str | None, limit: int) -> list[Fault]:
        wanted = query if office is None else query.where(fault.c.office == office)
        with self._database.reading() as connection:
            return [fault_of(row) for row in connection.execute(wanted.limit(limit))]

    def _note_probe(
        self, connection: Connection, actor: Actor, one: Fault, probe: ProbeResult | None
    ) -> None:
        """Keep what a probe found, if it is not too old to say anything of now."""
        if probe is None or self._clock.now() - probe.at > PROBE_FRESH:
            return
        found = None if one.case is None else case_rows.by_id(connection, SYSTEM, one.case)
        owner = None if found is None or found.erased else found.customer
        kept = probe_value(connection, self._vault, owner, probe)
        self._step(connection, actor, one, StepKind.PROBE, value=kept)

    def _settled(self, connection: Connection, actor: Actor, one: Fault) -> FaultView:
        """The fault with the outcome that its steps lead to; what is nobody's work here is closed by it."""
        outcome = self._view(connection, actor, one).position.outcome
        done = outcome is not None and outcome.side is not Side.UTILITY
        now = int(self._clock.now().timestamp())
        values = {
            "outcome": outcome.id if outcome else "",
            "side": outcome.side.value if outcome else "",
            "closed_at": now if done else None,
            "closed_by": actor.reference if done else None,
        }
        connection.execute(update(fault).where(fault.c.id == one.id).values(**values))
        return self._view(connection, actor, find_fault(connection, SYSTEM, one.number))

    def _step(
        self,
        connection: Connection,
        actor: Actor,
        one: Fault,
        kind: StepKind,
        step: str = "",
        value: str = "",
        columns: dict[str, Any] | None = None,
    ) -> None:
        now = self._clock.now()
        add_step(connection, one, kind, at=now, author=actor.reference, step=step, value=value)
        changed = {
            "version": fault.c.version + 1,
            "changed_at": int(now.timestamp()),
            "changed_by": actor.reference,
        }
        connection.execute(update(fault).where(fault.c.id == one.id).values(**changed, **(columns or {})))


_ASKING: Final = (Right.DESK_OWN, Right.DESK_HANDLE, Right.DESK_WORK)
_WAITING: Final = (fault.c.side == Side.UTILITY.value, fault.c.closed_at.is_(None))
_UNFINISHED: Final = (fault.c.outcome == "", fault.c.closed_at.is_(None))


def _situation(found: Case | None) -> Situation:
    return Situation() if found is None else Situation.of(found.state, found.fact("suspend_reason"))


def _going_on(view: FaultView) -> FaultView:
    """The same, if nobody has closed it."""
    if any(step.kind is StepKind.CLOSE for step in view.steps):
        raise _past(view.fault)
    return view


def _must(actor: Actor, *rights: Right) -> None:
    if actor.role is not None and not any(actor.role.may(right) for right in rights):
        raise ForbiddenError(Words("この操作をする権限がありません。", "You may not do this with a fault."))


def _past(one: Fault) -> NoStepError:
    return NoStepError(
        Words(
            f"{one.number} では、いまこの操作ができません。",
            f"This cannot be done with {one.number} as it stands.",
        ),
        Words("結果と案件を確かめてください。", "See its outcome and its case."),
    )
