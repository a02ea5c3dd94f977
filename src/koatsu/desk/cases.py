"""Cases: opened, and moved by events along the table of the life cycle. Nothing else changes a case.

An event is one transaction: the rules are asked, the entry is written, the row follows, works, letters and
calls are queued, or nothing of it happens. Whoever acts says which version was looked at; what somebody else
has changed meanwhile is never written over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from koatsu.clock import JST, Clock
from koatsu.desk import case_rows, history, personal
from koatsu.desk.checking import clean
from koatsu.desk.database import DeskDatabase
from koatsu.desk.effects import EFFECTS, due_after, tell_outside
from koatsu.desk.errors import ChangedMeanwhileError, DeskError, RuleError
from koatsu.desk.fields import FIELDS, Kind
from koatsu.desk.lifecycle import BACK, STAY, Event, Step, step_for, steps_from
from koatsu.desk.models import Actor, Case, Entry
from koatsu.desk.rules import check_area, check_rules, office_of
from koatsu.desk.schema_cases import case as case_table
from koatsu.desk.settings import DeskSettings
from koatsu.desk.standing import Standing
from koatsu.desk.states import ENDED, State
from koatsu.desk.step_refusals import forbidden, no_step
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Role
from koatsu.people.chain import AuditFinding

__all__ = ["Cases"]

_COLUMNS: Final = frozenset({"assignee", "office", "due_on", "supply_point"})
#: values that belong to the entry alone
_PASSING: Final = frozenset({"document", "notice", "rule", "reminded_of", "enquiry_number", "answer"})
_ROUTED: Final = frozenset({Event.SUBMIT, Event.CHANGE_RETAILER})  #: after these the office is asked anew
_APPLICATION, _SUBMIT = (
    next(step for step in steps_from(State.DRAFT) if step.event is event)
    for event in (Event.FILL, Event.SUBMIT)
)


class Cases:
    """The cases of an open desk; safe to use from any thread."""

    def __init__(self, database: DeskDatabase, vault: Vault, settings: DeskSettings, clock: Clock) -> None:
        self._database, self._vault, self._settings, self._clock = database, vault, settings, clock

    # --- looking ----------------------------------------------------------------------------------------

    def get(self, actor: Actor, case_id: int) -> Case:
        """A case by its id.

        Raises:
            UnknownError: there is none that ``actor`` may see.
        """
        with self._database.reading() as connection:
            return case_rows.by_id(connection, actor, case_id)

    def find(self, actor: Actor, number: str) -> Case:
        """A case by its number.

        Raises:
            UnknownError: there is none that ``actor`` may see.
        """
        with self._database.reading() as connection:
            return case_rows.by_number(connection, actor, number)

    def history(self, actor: Actor, case_id: int) -> list[Entry]:
        """What happened to a case, the oldest first.

        Raises:
            UnknownError: there is none that ``actor`` may see.
        """
        with self._database.reading() as connection:
            case_rows.by_id(connection, actor, case_id)
            return history.entries_of(connection, case_id)

    def person(self, actor: Actor, case_id: int) -> dict[str, str]:
        """The personal values of a case by field; empty once erased.

        Raises:
            UnknownError: there is no case that ``actor`` may see.
        """
        with self._database.reading() as connection:
            found = case_rows.by_id(connection, actor, case_id)
            return personal.values_of(connection, self._vault, found.customer)

    def text(self, actor: Actor, entry: Entry, name: str) -> str | None:
        """A text of an entry that stands under a key; ``None`` once erased.

        Raises:
            UnknownError: ``actor`` may not see the case.
        """
        value = entry.detail.get(name, "")
        if not value.startswith("text:"):
            return value
        with self._database.reading() as connection:
            case_rows.by_id(connection, actor, entry.case)
            return self._vault.text(connection, int(value.split(":")[1]))

    def steps(self, actor: Actor, found: Case) -> list[Step]:
        """The steps that ``actor`` may take from where the case is, the main ones first."""
        return [step for step in steps_from(found.state) if step.who and _may(actor, found, step)]

    def blocked(self, actor: Actor, found: Case, step: Step) -> DeskError | None:
        """Why a step without a form cannot be taken yet; ``None``: it can, or it has a form."""
        if step.asks:
            return None
        try:
            with self._database.reading() as connection:
                person = personal.values_of(connection, self._vault, found.customer)
                check_rules(self._standing(connection, actor, found, step, {}, person))
        except DeskError as error:
            return error
        return None

    # --- acting -----------------------------------------------------------------------------------------

    def open(self, actor: Actor, values: Mapping[str, str], *, submit: bool = False) -> Case:
        """Open a draft for a supply point; further values of the application may come with it.

        With ``submit`` it is handed in at once: where that is refused, there is no draft either.

        Raises:
            InputError: a value cannot be taken.
            RuleError: the point lies outside the area, drafts on the page are not taken, or a rule of handing
                in does not hold.
            ForbiddenError: ``actor`` may not.
        """
        if not _may_role(actor, _APPLICATION):
            raise forbidden()
        if actor.role is Role.CUSTOMER and not self._settings.online:
            raise RuleError(
                "apply.online",
                Words("画面からの申込は受け付けていません。", "Applications on this page are not taken."),
            )
        now = self._clock.now()
        today = now.astimezone(JST).date()
        kept = clean(values, {"supply_point", *_APPLICATION.names}, {"supply_point"}, today)
        with self._database.writing() as connection:
            owner = actor.customer or self._vault.new_subject(connection, now)
            opened = self._new_row(connection, actor, kept.pop("supply_point"), owner, now)
            check_area(self._standing(connection, actor, opened, _APPLICATION, {}, {}))
            detail = {"supply_point": opened.supply_point}
            history.append(
                connection, self._vault.digests, now, actor, case_id=opened.id, number=1, what=Event.DRAFT,
                before=None, after=State.DRAFT, detail=detail,
            )  # fmt: skip
            if kept:
                opened = self._take(connection, actor, opened, _APPLICATION, kept)
            return self._take(connection, actor, opened, _SUBMIT, {}) if submit else opened

    def act(
        self,
        actor: Actor,
        case_id: int,
        what: Event,
        values: Mapping[str, str] | None = None,
        *,
        seen: int | None = None,
    ) -> Case:
        """Let an event happen to a case.

        Args:
            actor: who acts.
            case_id: the case.
            what: the event.
            values: of the fields that its step asks for.
            seen: the version that ``actor`` has looked at; ``None`` for a program that does not care.

        Raises:
            UnknownError: there is no such case for ``actor``.
            ChangedMeanwhileError: somebody else has changed it since.
            NoStepError: the event is no step from where the case is.
            ForbiddenError: ``actor`` may not take this step.
            InputError: values are wrong or missing; a sentence for each field.
            RuleError: a rule does not hold.
        """
        with self._database.writing() as connection:
            moved = self.act_within(connection, actor, case_id, what, values, seen=seen)
        if what is Event.ERASE:
            self._database.forget_erased()
        return moved

    def act_within(
        self,
        connection: Connection,
        actor: Actor,
        case_id: int,
        what: Event,
        values: Mapping[str, str] | None = None,
        *,
        seen: int | None = None,
    ) -> Case:
        """Like :meth:`act`, in a writing transaction of the caller."""
        today = self._clock.now().astimezone(JST).date()
        found = case_rows.by_id(connection, actor, case_id)
        if seen is not None and seen != found.version:
            raise ChangedMeanwhileError(
                Words(f"案件 {found.number}", f"Case {found.number}"), found.changed_by, found.changed_at
            )
        step = step_for(what, found.state)
        if step is None:
            raise no_step(found, what)
        if not _may(actor, found, step):
            raise forbidden()
        kept = clean(values or {}, _allowed(step), step.required, today)
        return self._take(connection, actor, found, step, kept)

    def verify(self, expected: str | None = None) -> AuditFinding | None:
        """Go through the history of all cases; ``None``: every entry is as it was written."""
        with self._database.reading() as connection:
            return history.verify(connection, self._vault.digests, expected)

    # --- inside -----------------------------------------------------------------------------------------

    def _take(
        self, connection: Connection, actor: Actor, found: Case, step: Step, kept: Mapping[str, str]
    ) -> Case:
        person = personal.values_of(connection, self._vault, found.customer)
        before = self._standing(connection, actor, found, step, kept, person)
        check_rules(before)
        one = self._routed(before)
        if not found.erased:
            fields = {name: value for name, value in kept.items() if _stays_personal(name)}
            personal.keep_values(connection, self._vault, found.customer, fields)
        entry = history.append(
            connection, self._vault.digests, one.now, actor, case_id=found.id, number=found.version + 1,
            what=step.event, before=found.state, after=one.after, detail=self._detail(one),
        )  # fmt: skip
        case_rows.replace_row(connection, found, _row(one))
        for effect in EFFECTS.get(step.event, ()):
            effect(one)
        tell_outside(one, entry)
        return case_rows.by_id(connection, _seeing_all(actor), found.id)

    def _standing(
        self,
        connection: Connection,
        actor: Actor,
        found: Case,
        step: Step,
        kept: Mapping[str, str],
        person: Mapping[str, str],
    ) -> Standing:
        now = self._clock.now()
        stays = {
            name: value for name, value in kept.items() if not FIELDS[name].personal and name not in _PASSING
        }
        personal_now = {**person, **{name: value for name, value in kept.items() if _stays_personal(name)}}
        after = (
            found.state
            if step.after == STAY
            else found.back or State.CHECKING
            if step.after == BACK
            else State(step.after)
        )
        return Standing(
            connection=connection,
            vault=self._vault,
            settings=self._settings,
            now=now,
            today=now.astimezone(JST).date(),
            actor=actor,
            case=found,
            step=step,
            after=after,
            given=kept,
            facts={**step.remembered(found.facts), **stays},
            person=personal_now,
        )

    @staticmethod
    def _routed(one: Standing) -> Standing:
        """With the office that the case belongs to from now on."""
        if one.step.event not in _ROUTED:
            return one
        return replace(one, facts={**one.facts, "office": office_of(one)})

    def _detail(self, one: Standing) -> dict[str, str]:
        """What the entry says: values in clear, personal ones and free text by reference and digest."""
        detail = dict(one.given)
        told = [name for name, value in one.given.items() if FIELDS[name].personal and value]
        if told:
            sealer = self._vault.sealer(one.connection, one.case.customer)
            for name in told:
                kept = sealer.keep_text(one.connection, one.given[name])
                detail[name] = f"text:{kept}:{sealer.digest(name, one.given[name])}"
        if one.facts.get("office", "") not in ("", one.case.office):
            detail["office"] = one.facts["office"]
        return detail

    def _new_row(self, connection: Connection, actor: Actor, point: str, owner: int, now: datetime) -> Case:
        year = now.astimezone(JST).year
        running = case_rows.next_number(connection, self._settings.case_prefix, year)
        last: int = connection.execute(select(func.max(case_table.c.id))).scalar() or 0
        at = int(now.timestamp())
        values = {
            "id": last + 1,
            "number": f"{self._settings.case_prefix}-{year}-{running:05}",
            "state": State.DRAFT.value,
            "back": None,
            "supply_point": point,
            "office": actor.office or "",
            "assignee": "",
            "customer": owner,
            "due_on": None,
            "opened_at": at,
            "changed_at": at,
            "changed_by": actor.reference,
            "version": 1,
            "facts": "{}",
        }
        case_rows.put(connection, values)
        return case_rows.of_case({**values, "erased_at": None})


def _row(one: Standing) -> dict[str, Any]:
    """The columns of a case after a step."""
    keeps = {name: value for name, value in one.facts.items() if name not in _COLUMNS and value}
    due = (
        one.day("due_on")
        if one.given.get("due_on")
        else due_after(one)
        if _moves_deadline(one)
        else one.case.due_on
    )
    return {
        "state": one.after.value,
        "back": _code(_back(one)),
        "office": one.facts.get("office") or one.case.office,
        "assignee": one.given.get("assignee", one.case.assignee),
        "due_on": due.isoformat() if due else None,
        "changed_at": int(one.now.timestamp()),
        "changed_by": one.actor.reference,
        "facts": json.dumps(dict(sorted(keeps.items())), ensure_ascii=False, separators=(",", ":")),
    }


def _back(one: Standing) -> State | None:
    """Where the case returns to when its end is taken back, or was a mistake."""
    if one.after is one.case.state:
        return one.case.back
    if one.after in ENDED or one.step.event is Event.ASK_END:
        return one.case.state
    return State.IN_SERVICE if one.after is State.ENDING else None  # an ending that is taken up again


def _code(state: State | None) -> str | None:
    return None if state is None else state.value


def _moves_deadline(one: Standing) -> bool:
    """A main step, or one that leads elsewhere, gives the case a new deadline; a note does not."""
    return one.after is not one.case.state or one.step.main


def _allowed(step: Step) -> frozenset[str]:
    if step.event is Event.CORRECT:
        return frozenset(FIELDS) - _PASSING - _COLUMNS - {"note", "evidence"}
    return frozenset(step.names)


def _stays_personal(name: str) -> bool:
    """Whether a value is one of the customer's present values; free text belongs to its entry alone."""
    field = FIELDS[name]
    return field.personal and (field.kind is not Kind.LONG or name == "remarks")


def _may_role(actor: Actor, step: Step) -> bool:
    if actor.role is None:
        return True
    if actor.role is Role.OWNER:
        return Role.SUPERVISOR in step.who
    return actor.role in step.who


def _may(actor: Actor, found: Case, step: Step) -> bool:
    if not _may_role(actor, step):
        return False
    return actor.role is not Role.CUSTOMER or found.customer == actor.customer


def _seeing_all(actor: Actor) -> Actor:
    """Whoever has moved a case to another office still gets to see where it went."""
    return Actor(reference=actor.reference, role=None)
