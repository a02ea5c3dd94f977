"""Enquiries in words, for the staff: the lines of their list, and what has happened to one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from koatsu.clock import JST
from koatsu.desk.enquiry_rows import ENQUIRY_STATE_WORDS, Enquiry, EnquiryState, EnquiryStep, Step
from koatsu.desk.faq import faq
from koatsu.web.desk.case_lines import Due, day_words, due_of
from koatsu.web.notation import clock_time, day_plain
from koatsu.web.texts import Texts

__all__ = ["TONES", "EnquiryLine", "Happened", "about", "enquiry_lines", "happened"]

TONES: Final = {EnquiryState.OPEN: "info", EnquiryState.ANSWERED: "ok", EnquiryState.CLOSED: "idle"}


@dataclass(frozen=True, slots=True, kw_only=True)
class EnquiryLine:
    """One enquiry in a list: nothing of what was written."""

    number: str
    url: str
    about: str
    case: str  #: number of its case; empty: none, or none that one sees
    state: str
    tone: str
    due: Due | None  #: only while it is to be answered
    by: str
    office: str
    came: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One step of an enquiry in words."""

    step: Step
    at: datetime
    when: str
    what: str
    value: str  #: to whom, where to, until when
    by: str
    said: str
    erased: bool


def about(one: Enquiry, t: Texts) -> str:
    """What an enquiry is about: a question of the help, or something else."""
    question = faq().question(one.topic)
    return t("desk_enquiry.other") if question is None else question.question.text(t.lang)


def enquiry_lines(
    found: Iterable[Enquiry],
    t: Texts,
    today: date,
    called: Callable[[str], str],
    offices: Mapping[str, str],
    cases: Mapping[int, str],
) -> list[EnquiryLine]:
    """The lines of a list; ``called`` names whoever an enquiry is assigned to."""
    return [
        EnquiryLine(
            number=one.number,
            url=f"{t.prefix}/enquiries/{one.number}",
            about=about(one, t),
            case=cases.get(one.case or 0, ""),
            state=ENQUIRY_STATE_WORDS[one.state].text(t.lang),
            tone=TONES[one.state],
            due=due_of(one.due_on, today, t) if one.state is EnquiryState.OPEN else None,
            by=called(one.owner) if one.owner else "",
            office=offices.get(one.office, one.office),
            came=day_words(one.opened_at.astimezone(JST).date(), today, t),
        )
        for one in found
    ]


def happened(
    steps: Iterable[EnquiryStep],
    t: Texts,
    today: date,
    called: Callable[[str], str],
    offices: Mapping[str, str],
) -> list[Happened]:
    """What happened to an enquiry, the oldest first."""
    found = []
    for one in steps:
        at = one.at.astimezone(JST)
        found.append(
            Happened(
                step=one.step,
                at=at,
                when=f"{day_words(at.date(), today, t)} {clock_time(at)}",
                what=t(f"desk_answer.did_{one.step}"),
                value=_value(one, t, called, offices),
                by=called(one.author),
                said=one.said or "",
                erased=one.erased,
            )
        )
    return found


def _value(one: EnquiryStep, t: Texts, called: Callable[[str], str], offices: Mapping[str, str]) -> str:
    if one.step is Step.ASSIGNED:
        return called(one.value) if one.value else t("desk_case.nobody")
    if one.step is Step.MOVED:
        return offices.get(one.value, one.value)
    return day_plain(date.fromisoformat(one.value), t) if one.step is Step.EXTENDED else ""
