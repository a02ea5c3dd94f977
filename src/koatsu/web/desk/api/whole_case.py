"""One case as a program sees it: everything that its page shows, and what can be done next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Self

from pydantic import Field

from koatsu.desk.documents import Document as DeskDocument
from koatsu.desk.documents import DocumentKind
from koatsu.desk.errors import RuleError
from koatsu.desk.fields import FIELDS, Kind
from koatsu.desk.fields import Field as DeskField
from koatsu.desk.letters import NoticeKind
from koatsu.desk.lifecycle import Event
from koatsu.desk.lifecycle import Step as DeskStep
from koatsu.desk.models import Actor, Entry
from koatsu.desk.models import Case as DeskCase
from koatsu.desk.next_steps import next_step
from koatsu.desk.notices import DueLetter
from koatsu.desk.point_numbers import masked
from koatsu.desk.states import State
from koatsu.desk.worklists import half_hidden
from koatsu.people import Role
from koatsu.web.answers import Instant, Shape
from koatsu.web.desk.api.case_models import CaseHead, WorksOrder, head_of
from koatsu.web.desk.api.shapes import Said
from koatsu.web.desk.case_history import event_word
from koatsu.web.desk.case_words import ems_certified
from koatsu.web.forms import sentence_of
from koatsu.web.texts import texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = [
    "NOT_HERE",
    "Acted",
    "Case",
    "Letter",
    "Paper",
    "StepShape",
    "event_said",
    "step_shape",
    "whole_case",
]

NOT_HERE: Final = frozenset({Event.ATTACH})
"""Steps that a program cannot take: a paper comes in as a file, on the page."""

_REACH: Final = ("phone", "email", "address")


class Choice(Shape):
    """One of the values of a field."""

    code: str
    label: Said


class FieldShape(Shape):
    """A field that a step asks for."""

    name: str = Field(examples=["survey_on"])
    kind: Kind
    label: Said
    hint: Said | None
    required: bool
    personal: bool = Field(description="kept encrypted under the key of its customer")
    choices: list[Choice]
    longest: int

    @classmethod
    def of(cls, one: DeskField, *, required: bool) -> Self:
        """The shape of a field."""
        return cls(
            name=one.name,
            kind=one.kind,
            label=Said.of(one.words),
            hint=Said.of(one.hint) if one.hint else None,
            required=required,
            personal=one.personal,
            choices=[Choice(code=code, label=Said.of(words)) for code, words in one.choices],
            longest=one.longest,
        )


class Blocked(Shape):
    """Why a step cannot be taken yet."""

    rule: str | None = Field(description="name of the rule that does not hold")
    ja: str
    en: str


class StepShape(Shape):
    """A step that this login may take from where the case is."""

    event: Event
    label: Said
    main: bool = Field(description="the way forward, not a side way")
    after: str = Field(description="a state; stay; back: where it was before")
    letter: NoticeKind | None = Field(description="the letter that the customer gets")
    fields: list[FieldShape]
    blocked: Blocked | None = Field(description="told for steps without fields")


class Next(Shape):
    """The step that leads on, whoever takes it."""

    event: Event
    label: Said
    who: list[Role]
    possible: bool = Field(description="this login may take it")


class Customer(Shape):
    """The customer, as the page of the case shows it; the rest on demand, which is noted."""

    name: str
    kana: str
    department: str
    contact_name: str = Field(description="half hidden")
    reached_by: list[str] = Field(description="which contacts are known")


class Paper(Shape):
    """A document of a case, without its content."""

    id: int
    kind: DocumentKind
    name: str | None = Field(description="null once erased")
    media_type: str
    size: int = Field(description="bytes")
    added_at: Instant
    withdrawn: bool

    @classmethod
    def of(cls, one: DeskDocument) -> Self:
        """The shape of a document."""
        return cls(
            id=one.id,
            kind=one.kind,
            name=one.name,
            media_type=one.scan.media_type,
            size=one.size,
            added_at=one.added_at,
            withdrawn=one.withdrawn is not None,
        )


class Letter(Shape):
    """A letter that a step has called for, and what became of it."""

    id: int
    case: str = Field(examples=["HB-2026-00001"])
    name: str = Field(description="of the customer, half hidden")
    kind: NoticeKind
    subject: Said
    office: str
    made_at: Instant
    printed_at: Instant | None
    printed_by: str
    mailed_at: Instant | None

    @classmethod
    def of(cls, one: DueLetter) -> Self:
        """The shape of a letter."""
        return cls(
            id=one.id,
            case=one.number,
            name=one.name,
            kind=one.kind,
            subject=Said.of(one.words),
            office=one.office,
            made_at=one.made_at,
            printed_at=one.printed_at,
            printed_by=one.printed_by,
            mailed_at=one.mailed_at,
        )


class Happened(Shape):
    """One event of the history, as it was written."""

    number: int
    at: Instant
    by: str = Field(examples=["person:3"])
    role: str
    event: Event
    label: Said
    before: State | None
    after: State
    values: dict[str, str] = Field(description="what was given; of personal fields only that they were")
    texts: dict[str, str | None] = Field(description="what staff wrote; null once erased")
    personal: list[str] = Field(description="personal fields that were filled in")


class Case(CaseHead):
    """One case, whole. ``back``: where it returns to when its end is taken back."""

    back: State | None
    customer: Customer
    facts: dict[str, str] = Field(description="values that are not personal, by the names of fields")
    next: Next | None
    steps: list[StepShape]
    works: list[WorksOrder]
    documents: list[Paper]
    letters: list[Letter]
    history: list[Happened] = Field(description="the oldest first")


class Acted(Shape):
    """What came of an event; ``case`` null: it belongs to an office now whose cases you do not see."""

    number: str
    state: State
    version: int
    case: Case | None


def whole_case(desk: Desk, actor: Actor, found: DeskCase) -> Case:
    """Everything that ``actor`` may see of a case."""
    person = desk.cases.person(actor, found.id)
    steps = [one for one in desk.cases.steps(actor, found) if one.event not in NOT_HERE]
    return Case(
        **dict(head_of(found)),
        back=found.back,
        customer=_customer(person),
        facts=dict(found.facts),
        next=_next(desk, found, steps),
        steps=[step_shape(desk, actor, found, one) for one in steps],
        works=[WorksOrder.of(one) for one in desk.lists.works(actor, found.id)],
        documents=[Paper.of(one) for one in desk.documents.of_case(actor, found.id)],
        letters=[Letter.of(one) for one in desk.notices.of_case(actor, found.id)],
        history=[_happened(desk, actor, one) for one in desk.cases.history(actor, found.id)],
    )


def step_shape(desk: Desk, actor: Actor, found: DeskCase, step: DeskStep) -> StepShape:
    """A step with its fields, and why it is blocked."""
    error = desk.cases.blocked(actor, found, step)
    blocked = None
    if error is not None:
        rule = error.rule if isinstance(error, RuleError) else None
        blocked = Blocked(rule=rule, ja=sentence_of(error, "ja"), en=sentence_of(error, "en"))
    return StepShape(
        event=step.event,
        label=Said.of(step.button),
        main=step.main,
        after=str(step.after),
        letter=NoticeKind(step.notice) if step.notice else None,
        fields=[FieldShape.of(FIELDS[name], required=name in step.required) for name in step.names],
        blocked=blocked,
    )


def event_said(event: Event) -> Said:
    """What an event is called once it has happened."""
    return Said(ja=event_word(event, texts("ja")), en=event_word(event, texts("en")))


def _customer(person: Mapping[str, str]) -> Customer:
    return Customer(
        name=person.get("customer_name", ""),
        kana=person.get("customer_kana", ""),
        department=person.get("department", ""),
        contact_name=half_hidden(person.get("contact_name", "")),
        reached_by=[name for name in _REACH if person.get(name)],
    )


def _next(desk: Desk, found: DeskCase, steps: Sequence[DeskStep]) -> Next | None:
    step = next_step(found, certified=ems_certified(desk, found))
    if step is None:
        return None
    return Next(event=step.event, label=Said.of(step.button), who=sorted(step.who), possible=step in steps)


def _happened(desk: Desk, actor: Actor, entry: Entry) -> Happened:
    values: dict[str, str] = {}
    texts: dict[str, str | None] = {}
    personal: list[str] = []
    for name, value in entry.detail.items():
        field = FIELDS.get(name)
        if field is None or not value:
            continue
        if not field.personal:
            values[name] = masked(value) if field.kind is Kind.POINT else value
        elif field.kind is Kind.LONG and name != "remarks":
            texts[name] = desk.cases.text(actor, entry, name)
        else:
            personal.append(name)
    return Happened(
        number=entry.number,
        at=entry.at,
        by=entry.author,
        role=entry.role,
        event=entry.event,
        label=event_said(entry.event),
        before=entry.before,
        after=entry.after,
        values=values,
        texts=texts,
        personal=personal,
    )
