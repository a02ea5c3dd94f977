"""The shapes of enquiries, and of what is done with them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field

from koatsu.desk.enquiries import EnquiryView
from koatsu.desk.enquiry_intake import LONGEST_TEXT
from koatsu.desk.enquiry_rows import ENQUIRY_STATE_WORDS, EnquiryState, EnquiryStep, Step
from koatsu.desk.enquiry_rows import Enquiry as DeskEnquiry
from koatsu.web.answers import Instant, Shape
from koatsu.web.desk.api.shapes import CODE, Day, Said, Version

__all__ = ["AnyEnquiryAct", "Enquiry", "EnquiryLine", "EnquiryList", "NewEnquiry", "OwnEnquiryAct"]

Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, examples=["登録を確かめました。"])]


class EnquiryLine(Shape):
    """An enquiry without its texts."""

    number: str = Field(examples=["EQ-2026-00001"])
    state: EnquiryState
    state_label: Said
    version: int = Field(description="rises with each act; hand it back with what you do")
    office: str = Field(description="code; empty until it is known: then every office sees it")
    topic: str = Field(description="id of a question of the help, or empty")
    owner: str = Field(description="reference of a person, or empty", examples=["person:3"])
    due_on: date
    late: bool
    opened_at: Instant
    changed_at: Instant

    @classmethod
    def of(cls, one: DeskEnquiry, today: date) -> Self:
        """The line of an enquiry."""
        return cls(
            number=one.number,
            state=one.state,
            state_label=Said.of(ENQUIRY_STATE_WORDS[one.state]),
            version=one.version,
            office=one.office,
            topic=one.topic,
            owner=one.owner,
            due_on=one.due_on,
            late=one.late(today),
            opened_at=one.opened_at,
            changed_at=one.changed_at,
        )


class EnquiryList(Shape):
    """A part of the enquiries, the most urgent first; ``after`` of the next part, null at the end."""

    now: Instant
    counts: dict[str, int] = Field(description="how many there are in each state")
    next: str | None = Field(description="hand it back as `after`")
    enquiries: list[EnquiryLine]


class EnquiryEvent(Shape):
    """Something that was asked, answered or done."""

    number: int
    at: Instant
    by: str = Field(description="reference; empty where it is not told to you")
    step: Step
    value: str = Field(description="an office, a reference, a day")
    text: str | None = Field(description="null: nothing was said, or it is erased")
    erased: bool

    @classmethod
    def of(cls, one: EnquiryStep, *, own: bool) -> Self:
        """The shape of a step; who of the utility it was is not told to customers."""
        return cls(
            number=one.number,
            at=one.at,
            by="" if own else one.author,
            step=one.step,
            value="" if own else one.value,
            text=one.said,
            erased=one.erased,
        )


class Enquiry(EnquiryLine):
    """An enquiry with its texts."""

    case: str | None = Field(description="number of the case, where you see it", examples=["HB-2026-00001"])
    contact: str | None = Field(description="null once erased")
    steps: list[EnquiryEvent] = Field(description="the oldest first")

    @classmethod
    def of_view(cls, view: EnquiryView, today: date, case: str | None, *, own: bool = False) -> Self:
        """The shape of an opened enquiry."""
        line = EnquiryLine.of(view.enquiry, today)
        if own:
            line = line.model_copy(update={"owner": ""})
        hidden = (Step.ASSIGNED, Step.MOVED, Step.EXTENDED, Step.NOTED) if own else ()
        steps = [EnquiryEvent.of(one, own=own) for one in view.steps if one.step not in hidden]
        return cls(**dict(line), case=case, contact=view.contact, steps=steps)


class NewEnquiry(Shape):
    """An enquiry that somebody makes at the counter or by telephone."""

    text: Text
    topic: str = Field(default="", max_length=60, description="id of a question of the help")
    contact: str = Field(default="", max_length=200, description="needed where no case is named")
    office: str = Field(default="", max_length=40, description="that of the case where it is empty")
    case: str = Field(default="", max_length=40, description="number of the case", examples=[""])


class _Act(Shape):
    version: Version


class Assign(_Act):
    """Give it to a person, or with an empty reference to nobody."""

    act: Literal["assign"]
    owner: str = Field(pattern=r"^(person:\d{1,9})?$", examples=["person:3"])


class Move(_Act):
    """Hand it to another office, where nobody has it yet."""

    act: Literal["move"]
    office: str = Field(pattern=CODE, examples=["kita"])


class Extend(_Act):
    """Give it another due date, today or later."""

    act: Literal["extend"]
    due_on: Day = Field(examples=["2026-07-31"])


class Say(_Act):
    """Answer it, write a note among staff, or ask again."""

    act: Literal["answer", "note", "reopen"]
    text: Text


class End(_Act):
    """Close it, or destroy the texts of a closed one of somebody who has no case."""

    act: Literal["close", "erase"]


class SayAgain(_Act):
    """Ask again: it was not solved."""

    act: Literal["reopen"]
    text: Text


class Solved(_Act):
    """End it."""

    act: Literal["close"]


AnyEnquiryAct = Annotated[Assign | Move | Extend | Say | End, Field(discriminator="act")]
OwnEnquiryAct = Annotated[SayAgain | Solved, Field(discriminator="act")]
