"""Enquiries: what every help answer ends in when it did not help. Number, office, owner, due date, answer.

What is written, by customers and by staff, stands under the key of a subject: the customer's where it is
known, else one of the enquiry's own. An enquiry is never deleted; whoever acts says which version was seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from koatsu.clock import JST, Clock
from koatsu.desk.cases import Cases
from koatsu.desk.database import DeskDatabase
from koatsu.desk.enquiry_intake import due_after, open_enquiry, said_text
from koatsu.desk.enquiry_rights import is_customer, may_take, steps_for
from koatsu.desk.enquiry_rows import (
    TABLE,
    Enquiry,
    EnquiryState,
    EnquiryStep,
    Step,
    add_step,
    enquiry_of,
    find_enquiry,
    steps_of,
    visible_enquiries,
)
from koatsu.desk.errors import ChangedMeanwhileError, ForbiddenError, InputError, NoStepError
from koatsu.desk.letters import NoticeKind
from koatsu.desk.lifecycle import Event
from koatsu.desk.models import SYSTEM, Actor
from koatsu.desk.offices import office_of
from koatsu.desk.schema_help import enquiry
from koatsu.desk.settings import DeskSettings
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Role

__all__ = ["Enquiries", "EnquiryView"]

PAGE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquiryView:
    """An enquiry with its texts, for those who opened it on purpose."""

    enquiry: Enquiry
    contact: str | None  #: None once erased
    steps: Sequence[EnquiryStep]

    @property
    def text(self) -> str | None:
        """What was asked first; ``None`` once erased."""
        return self.steps[0].said

    @property
    def erased(self) -> bool:
        """Whether its texts are gone for good."""
        return self.steps[0].erased

    @property
    def answer(self) -> str | None:
        """The newest answer; ``None``: there is none, or it is erased."""
        return next((step.said for step in reversed(self.steps) if step.step is Step.ANSWERED), None)


class Enquiries:
    """The enquiries of an open desk; safe to use from any thread.

    ``seen`` is always the version that whoever acts has looked at. Every change raises ``UnknownError`` where
    ``actor`` may not see the enquiry, ``ForbiddenError`` where it may not do this, ``ChangedMeanwhileError``
    where somebody else was faster, and ``NoStepError`` where the enquiry is past it.
    """

    def __init__(
        self, database: DeskDatabase, vault: Vault, settings: DeskSettings, clock: Clock, cases: Cases
    ) -> None:
        self._database, self._vault, self._settings, self._clock = database, vault, settings, clock
        self._cases = cases

    # --- looking ----------------------------------------------------------------------------------------

    def listing(
        self,
        actor: Actor,
        *,
        states: Collection[EnquiryState] = (EnquiryState.OPEN,),
        office: str | None = None,
        owner: str | None = None,
        case_id: int | None = None,
        due_until: date | None = None,
        after: Enquiry | None = None,
        offset: int = 0,
        limit: int = PAGE,
    ) -> list[Enquiry]:
        """Those that ``actor`` may see, the most urgent first.

        Args:
            actor: who looks.
            states: in any of these.
            office: of this office; empty: of none yet.
            owner: with this person; empty: with nobody.
            case_id: about this case.
            due_until: to be answered by then.
            after: the last one of the part before.
            offset: so many are left out at the beginning.
            limit: at most so many.
        """
        query = select(enquiry).where(_those(actor, states, office, owner, due_until))
        if case_id is not None:
            query = query.where(enquiry.c.case_id == case_id)
        if after is not None:
            due = after.due_on.isoformat()
            later = (enquiry.c.due_on == due) & (enquiry.c.id > after.id)
            query = query.where(or_(enquiry.c.due_on > due, later))
        with self._database.reading() as connection:
            rows = connection.execute(
                query.order_by(enquiry.c.due_on, enquiry.c.id).offset(offset).limit(limit)
            )
            return [enquiry_of(row) for row in rows]

    def how_many(
        self,
        actor: Actor,
        *,
        states: Collection[EnquiryState] = (EnquiryState.OPEN,),
        office: str | None = None,
        owner: str | None = None,
        due_until: date | None = None,
    ) -> int:
        """How many :meth:`listing` has of these."""
        query = select(func.count()).where(_those(actor, states, office, owner, due_until))
        with self._database.reading() as connection:
            return connection.execute(query.select_from(enquiry)).scalar_one()

    def counts(self, actor: Actor) -> dict[EnquiryState, int]:
        """How many there are in each state, of those that ``actor`` may see."""
        query = (
            select(enquiry.c.state, func.count()).where(visible_enquiries(actor)).group_by(enquiry.c.state)
        )
        with self._database.reading() as connection:
            found = {state: int(number) for state, number in connection.execute(query)}
        return {state: found.get(state.value, 0) for state in EnquiryState}

    def late(self, actor: Actor) -> int:
        """How many should have been answered by now."""
        today = self._clock.now().astimezone(JST).date().isoformat()
        late = (enquiry.c.state == EnquiryState.OPEN.value) & (enquiry.c.due_on < today)
        with self._database.reading() as connection:
            query = select(func.count()).select_from(enquiry).where(visible_enquiries(actor), late)
            return connection.execute(query).scalar_one()

    def view(self, actor: Actor, number: str) -> EnquiryView:
        """An enquiry with its texts; a customer sees no notes of the staff.

        Raises:
            UnknownError: there is none that ``actor`` may see.
        """
        with self._database.reading() as connection:
            one = find_enquiry(connection, actor, number)
            sealed = connection.execute(select(enquiry.c.contact).where(enquiry.c.id == one.id)).scalar_one()
            steps = steps_of(connection, self._vault, one)
            contact = self._vault.open(connection, one.subject, sealed)
        if actor.role is Role.CUSTOMER:
            steps = [step for step in steps if step.step is not Step.NOTED]
        return EnquiryView(enquiry=one, contact=contact, steps=tuple(steps))

    def acts(self, actor: Actor, view: EnquiryView) -> frozenset[Step]:
        """What ``actor`` may do with an enquiry as it stands; every other step is refused."""
        able = steps_for(actor, view.enquiry.state, erased=view.erased)
        if Step.ERASED not in able:
            return able
        with self._database.reading() as connection:
            return able - {Step.ERASED} if is_customer(connection, view.enquiry.subject) else able

    # --- acting -----------------------------------------------------------------------------------------

    def open(
        self,
        actor: Actor,
        *,
        topic: str,
        text: str,
        contact: str = "",
        office: str = "",
        case_id: int | None = None,
    ) -> Enquiry:
        """Take an enquiry in; see :func:`koatsu.desk.enquiry_intake.open_enquiry`.

        Raises:
            InputError, UnknownError: it cannot be taken.
        """
        with self._database.writing() as connection:
            return open_enquiry(
                connection, self._vault, self._settings, actor, clock=self._clock, topic=topic, text=text,
                contact=contact, office=office, case_id=case_id,
            )  # fmt: skip

    def assign(self, actor: Actor, number: str, owner: str, *, seen: int) -> Enquiry:
        """Give it to a person (``person:3``), or to nobody with an empty reference."""
        return self._act(actor, number, Step.ASSIGNED, seen, value=owner, owner=owner)

    def move(self, actor: Actor, number: str, office: str, *, seen: int) -> Enquiry:
        """Hand it to another office, where nobody has it yet.

        Raises:
            UnknownError: there is no such office.
        """
        with self._database.reading() as connection:
            office_of(connection, office)
        return self._act(actor, number, Step.MOVED, seen, value=office, office=office, owner="")

    def extend(self, actor: Actor, number: str, due_on: date, *, seen: int) -> Enquiry:
        """Give it another due date, today or later.

        Raises:
            InputError: the day is past.
        """
        today = self._clock.now().astimezone(JST).date()
        if due_on < today:
            words = Words(f"{due_on} は過ぎています。", f"{due_on} is past.")
            raise InputError({"due_on": words})
        day = due_on.isoformat()
        return self._act(actor, number, Step.EXTENDED, seen, value=day, due_on=day)

    def answer(self, actor: Actor, number: str, text: str, *, seen: int) -> Enquiry:
        """Answer it, or put a better answer behind the first; the customer of a case gets a letter of it.

        Raises:
            InputError: there is no text, or it cannot be taken.
        """
        said = said_text(text)
        with self._database.writing() as connection:
            answered = self._act_within(connection, actor, number, Step.ANSWERED, seen, said=said)
            if answered.case is not None:
                told = {
                    "notice": NoticeKind.ENQUIRY_ANSWERED.value, "enquiry_number": answered.number,
                    "answer": said,
                }  # fmt: skip
                self._cases.act_within(connection, SYSTEM, answered.case, Event.NOTIFY, told)
            return answered

    def note(self, actor: Actor, number: str, text: str, *, seen: int) -> Enquiry:
        """Write something down among staff.

        Raises:
            InputError: there is no text, or it cannot be taken.
        """
        return self._act(actor, number, Step.NOTED, seen, said=said_text(text))

    def reopen(self, actor: Actor, number: str, text: str, *, seen: int) -> Enquiry:
        """Ask again: it was not solved. The customer may, and staff; a new due date is set.

        Raises:
            InputError: there is no text, or it cannot be taken.
        """
        today = self._clock.now().astimezone(JST).date()
        due = due_after(self._settings, today).isoformat()
        return self._act(actor, number, Step.REOPENED, seen, said=said_text(text), due_on=due)

    def close(self, actor: Actor, number: str, *, seen: int) -> Enquiry:
        """End it. The customer may, and staff."""
        return self._act(actor, number, Step.CLOSED, seen)

    def erase(self, actor: Actor, number: str, *, seen: int) -> Enquiry:
        """Destroy the key of a closed enquiry of somebody who has no case; the row and its steps stay.

        Raises:
            NoStepError: it is not closed, or belongs to a customer, whose case is what is erased.
        """
        with self._database.writing() as connection:
            one = self._found(connection, actor, number, Step.ERASED, seen)
            if is_customer(connection, one.subject):
                raise NoStepError(
                    Words("お客さまの案件で消去してください。", "Erase the customer's case instead.")
                )
            self._vault.erase(connection, one.subject, self._clock.now())
            erased = self._write(connection, actor, one, Step.ERASED, "", None, {})
        self._database.forget_erased()
        return erased

    # --- inside -----------------------------------------------------------------------------------------

    def _act(self, actor: Actor, number: str, step: Step, seen: int, **what: str) -> Enquiry:
        with self._database.writing() as connection:
            return self._act_within(connection, actor, number, step, seen, **what)

    def _act_within(
        self,
        connection: Connection,
        actor: Actor,
        number: str,
        step: Step,
        seen: int,
        *,
        value: str = "",
        said: str = "",
        **columns: str,
    ) -> Enquiry:
        one = self._found(connection, actor, number, step, seen)
        sealed = self._vault.seal(connection, one.subject, said) if said else None
        return self._write(connection, actor, one, step, value, sealed, columns)

    def _found(self, connection: Connection, actor: Actor, number: str, step: Step, seen: int) -> Enquiry:
        """The enquiry, if ``actor`` may take this step with it now."""
        one = find_enquiry(connection, actor, number)
        if not may_take(actor, step):
            raise ForbiddenError(
                Words("この操作をする権限がありません。", "You may not do this with an enquiry.")
            )
        if seen != one.version:
            raise ChangedMeanwhileError(
                Words(f"お問い合わせ {one.number}", f"Enquiry {one.number}"), one.changed_by, one.changed_at
            )
        if one.state not in TABLE[step][0]:
            raise NoStepError(
                Words(
                    f"お問い合わせ {one.number} は、いまこの操作ができません。",
                    f"This cannot be done with enquiry {one.number} as it stands.",
                ),
                Words("状態を確かめてください。", "See how far it is."),
            )
        return one

    def _write(
        self,
        connection: Connection,
        actor: Actor,
        one: Enquiry,
        step: Step,
        value: str,
        said: bytes | None,
        columns: Mapping[str, Any],
    ) -> Enquiry:
        now = self._clock.now()
        after = TABLE[step][1] or one.state
        add_step(connection, one.id, step, at=now, author=actor.reference, value=value, said=said)
        connection.execute(
            update(enquiry).where(enquiry.c.id == one.id).values(
                state=after.value, version=one.version + 1, changed_at=int(now.timestamp()),
                changed_by=actor.reference, **columns,
            )
        )  # fmt: skip
        return enquiry_of(connection.execute(select(enquiry).where(enquiry.c.id == one.id)).one())


def _those(
    actor: Actor,
    states: Collection[EnquiryState],
    office: str | None,
    owner: str | None,
    due_until: date | None,
) -> ColumnElement[bool]:
    """The condition on what a list has."""
    wanted = visible_enquiries(actor) & enquiry.c.state.in_([state.value for state in states])
    for column, value in ((enquiry.c.office, office), (enquiry.c.owner, owner)):
        wanted = wanted if value is None else wanted & (column == value)
    return wanted if due_until is None else wanted & (enquiry.c.due_on <= due_until.isoformat())
