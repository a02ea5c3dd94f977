"""The shapes of cases in lists, and of what is sent about a case."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field

from koatsu.desk.lifecycle import Event
from koatsu.desk.models import Case, Works, WorksKind, WorksState
from koatsu.desk.next_steps import next_step
from koatsu.desk.point_numbers import masked
from koatsu.desk.states import STATE_WORDS, State
from koatsu.desk.worklists import Band, Listed, Worklist
from koatsu.desk.works import KIND_WORDS
from koatsu.web.answers import Instant, Shape
from koatsu.web.desk.api.shapes import Said, Version

__all__ = [
    "Act", "CaseHead", "CaseLine", "CaseList", "FoundCases", "NewCase", "Personal", "Search", "Shown",
    "WorksOrder", "head_of",
]  # fmt: skip

Values = Annotated[
    dict[Annotated[str, Field(max_length=40)], Annotated[str, Field(max_length=4_000)]],
    Field(max_length=64, description="by the names of fields; days are ISO, choices are codes"),
]


class CaseHead(Shape):
    """A case as every answer about it begins."""

    number: str = Field(examples=["HB-2026-00001"])
    state: State
    state_label: Said
    version: int = Field(description="rises with each event; hand it back with what you do")
    supply_point: str = Field(description="masked", examples=["07-····-····-····-····-0431"])
    office: str = Field(description="code; empty until the application is submitted")
    assignee: str = Field(description="reference of a person, or empty", examples=["person:3"])
    due_on: date | None
    opened_at: Instant
    changed_at: Instant
    erased: bool = Field(description="its personal values are gone for good")


class CaseLine(CaseHead):
    """A line of a list; it names nobody in full."""

    name: str = Field(description="of the customer, half hidden; empty once erased", examples=["青●●●"])
    band: Band
    next: Event | None = Field(description="the step that leads on")

    @classmethod
    def of(cls, listed: Listed) -> Self:
        """The line of a case."""
        step = next_step(listed.case)
        return cls(
            **dict(head_of(listed.case)),
            name=listed.name,
            band=listed.band,
            next=step.event if step else None,
        )


class CaseList(Shape):
    """A page of the worklist; ``turns`` says how many cases each filter would show."""

    now: Instant
    whole: int = Field(description="cases on all pages")
    page: int
    size: int
    turns: dict[str, int]
    cases: list[CaseLine]

    @classmethod
    def of(cls, found: Worklist, size: int, now: Instant) -> Self:
        """The shape of a page."""
        return cls(
            now=now,
            whole=found.whole,
            page=found.page,
            size=size,
            turns={turn.value: number for turn, number in found.turns.items()},
            cases=[CaseLine.of(line) for line in found.lines],
        )


class FoundCases(Shape):
    """What a search found, the newest first; ``full``: there may be more, look for something narrower."""

    now: Instant
    full: bool
    cases: list[CaseLine]


class Search(Shape):
    """What is looked for; it stands in no address, for it may be a name."""

    text: str = Field(
        min_length=1,
        max_length=100,
        description="number of a case, (the last digits of) a supply point number, a name or an address",
        examples=["HB-2026-00001"],
    )


class NewCase(Shape):
    """An application that came on paper."""

    fields: Values = Field(
        examples=[
            {
                "supply_point": "07-0012-3456-7890-1234-0431",
                "supply": "utility",
                "way": "counter",
                "received_on": "2026-07-15",
            }
        ]
    )
    submit: bool = Field(
        default=False, description="hand it in at once; where that is refused, there is no draft either"
    )


class Act(Shape):
    """Something that is to happen to a case."""

    event: Event = Field(examples=["begin_check"])
    version: Version
    fields: Values = Field(default={}, examples=[{"in_area": "yes", "installable": "unknown"}])


class Shown(Shape):
    """What is to be shown in full; that somebody asked is written into the audit log before."""

    what: Literal["number", "contact", "application"] = Field(examples=["contact"])


class Personal(Shape):
    """What was asked for, in full; empty once erased."""

    number: str
    what: Literal["number", "contact", "application"]
    values: dict[str, str] = Field(description="by the names of fields")


class WorksOrder(Shape):
    """Works of the utility: free of charge, so no order has an amount."""

    kind: WorksKind
    label: Said
    state: WorksState
    office: str
    planned_on: date | None
    window: str
    outage: str = Field(description="agreed time of an outage; empty: none")
    done_on: date | None

    @classmethod
    def of(cls, one: Works) -> Self:
        """The shape of an order."""
        return cls(
            kind=one.kind,
            label=Said.of(KIND_WORDS[one.kind]),
            state=one.state,
            office=one.office,
            planned_on=one.planned_on,
            window=one.window,
            outage=one.outage,
            done_on=one.done_on,
        )


def head_of(one: Case) -> CaseHead:
    """The head of a case."""
    return CaseHead(
        number=one.number,
        state=one.state,
        state_label=Said.of(STATE_WORDS[one.state]),
        version=one.version,
        supply_point=masked(one.supply_point),
        office=one.office,
        assignee=one.assignee,
        due_on=one.due_on,
        opened_at=one.opened_at,
        changed_at=one.changed_at,
        erased=one.erased,
    )
