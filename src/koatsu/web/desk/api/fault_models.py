"""The shapes of the guide through "no data arrives", and of what is done with a record of it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field

from koatsu.desk.fault_rows import Fault as DeskFault
from koatsu.desk.fault_rows import FaultView
from koatsu.desk.point_numbers import masked
from koatsu.desk.triage import Side, Then
from koatsu.web.answers import Instant, Shape
from koatsu.web.desk.api.shapes import Day, Said

__all__ = [
    "AnswerFault", "AnyFaultAct", "EndFault", "Fault", "FaultLine", "FaultList", "NameCase", "NewFault",
    "OrderWorks",
]  # fmt: skip

_CASE = r"^[A-Za-z0-9-]{1,40}$"


class FaultLine(Shape):
    """Somebody's search for why no data arrives."""

    number: str = Field(examples=["FT-2026-00001"])
    version: int
    office: str
    case: str | None = Field(description="number of the case, where it is known and you see it")
    supply_point: str | None = Field(description="masked")
    outcome: str = Field(description="id; empty until there is one")
    side: Side | None = Field(description="whose turn it is")
    order: int | None = Field(description="id of the works order")
    opened_at: Instant
    changed_at: Instant
    closed_at: Instant | None

    @classmethod
    def of(cls, one: DeskFault, case: str | None) -> Self:
        """The line of a fault."""
        return cls(
            number=one.number,
            version=one.version,
            office=one.office,
            case=case,
            supply_point=masked(one.supply_point) if one.supply_point else None,
            outcome=one.outcome,
            side=one.side,
            order=one.order,
            opened_at=one.opened_at,
            changed_at=one.changed_at,
            closed_at=one.closed_at,
        )


class FaultList(Shape):
    """Faults on the utility's side that are not closed, the oldest first."""

    now: Instant
    outcomes: dict[str, int] = Field(description="how often it came out on which side")
    faults: list[FaultLine]


class PossibleAnswer(Shape):
    """An answer that can be given."""

    id: str
    words: Said


class Question(Shape):
    """The question that is asked now."""

    step: str = Field(examples=["cable_ems"])
    words: Said
    hint: Said | None
    answers: list[PossibleAnswer]


class Answered(Shape):
    """A question with the answer that was given."""

    step: str
    answer: str
    question: Said
    words: Said


class OutcomeShape(Shape):
    """What came out, and what follows."""

    id: str
    side: Side
    then: Then
    words: Said
    advice: Said


class Fault(FaultLine):
    """A record of the guide: the way so far, and the next question or the outcome."""

    path: list[Answered]
    question: Question | None
    result: OutcomeShape | None
    told: list[Said] = Field(description="what the maker of the EMS is told")

    @classmethod
    def of_view(cls, view: FaultView, case: str | None) -> Self:
        """The shape of a record."""
        position = view.position
        ask, result = position.ask, position.outcome
        return cls(
            **dict(FaultLine.of(view.fault, case)),
            path=[
                Answered(
                    step=turn.ask.id,
                    answer=turn.answer.id,
                    question=Said.of(turn.ask.question),
                    words=Said.of(turn.answer.words),
                )
                for turn in position.path
            ],
            question=None
            if ask is None
            else Question(
                step=ask.id,
                words=Said.of(ask.question),
                hint=Said.of(ask.hint) if ask.hint else None,
                answers=[PossibleAnswer(id=one.id, words=Said.of(one.words)) for one in ask.answers],
            ),
            result=None
            if result is None
            else OutcomeShape(
                id=result.id,
                side=result.side,
                then=result.then,
                words=Said.of(result.words),
                advice=Said.of(result.advice),
            ),
            told=[Said.of(words) for words in position.told],
        )


class NewFault(Shape):
    """A search that begins; without a case it is of somebody whose case is not known yet."""

    case: str | None = Field(default=None, pattern=_CASE, description="number of the case", examples=[None])


class AnswerFault(Shape):
    """Answer the question that is asked now; the same answer twice changes nothing."""

    act: Literal["answer"]
    step: str = Field(max_length=40, examples=["cable_ems"])
    answer: str = Field(max_length=40, examples=["firm"])


class NameCase(Shape):
    """Say whose fault it is."""

    act: Literal["case"]
    case: str = Field(pattern=_CASE, examples=["HB-2026-00001"])


class OrderWorks(Shape):
    """Open a works order, where it lies on the utility's side; a second time changes nothing."""

    act: Literal["order"]
    planned_on: Day | None = Field(default=None, examples=["2026-07-31"])
    window: str = Field(default="", max_length=40, examples=["10:00–11:00"])


class EndFault(Shape):
    """Take the last answer back, or close the record."""

    act: Literal["back", "close"]


AnyFaultAct = Annotated[AnswerFault | NameCase | OrderWorks | EndFault, Field(discriminator="act")]
