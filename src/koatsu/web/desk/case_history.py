"""What happened to a case, in words: the line of time, and the day on which each phase was reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from koatsu.clock import JST
from koatsu.desk.documents import KIND_WORDS as DOCUMENT_WORDS
from koatsu.desk.documents import Document
from koatsu.desk.eligibility import RULES
from koatsu.desk.fields import FIELDS, Kind
from koatsu.desk.letters import NoticeKind, notice_table
from koatsu.desk.lifecycle import STEPS, Event
from koatsu.desk.models import Actor, Case, Entry
from koatsu.desk.point_numbers import masked
from koatsu.desk.states import PHASES, Phase, State
from koatsu.desk.words import Words
from koatsu.web.case_marks import StepMark, step_marks
from koatsu.web.desk.case_lines import day_words
from koatsu.web.notation import clock_time, day_plain
from koatsu.web.texts import Texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Told", "event_word", "happened", "phase_marks"]

_DONE: Final[Mapping[Event, Words]] = {step.event: step.done for step in STEPS}
_DRAFT: Final = Words("下書きを作成", "Draft made")
_MANY: Final = 6  #: so many values are told one by one; of more, only what they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One entry of the history in words."""

    at: datetime
    when: str
    what: str
    lines: Sequence[tuple[str, str]]  #: (name, value) of what was given; the name may be empty
    erased: bool  #: it had a text that is gone
    by: str
    wrote: bool  #: somebody wrote a text of their own


def event_word(code: str, t: Texts) -> str:
    """What an event is called once it has happened; the code itself where nobody knows it any more."""
    return _DONE.get(Event(code), _DRAFT).text(t.lang) if code in set(Event) else code


def happened(
    desk: Desk,
    actor: Actor,
    entries: Sequence[Entry],
    t: Texts,
    called: Callable[[str], str],
    offices: Mapping[str, str],
    papers: Sequence[Document],
    today: date,
) -> list[Told]:
    """The history of a case, the newest first. Texts that staff wrote are opened; contacts are not."""
    names = {one.reference: one.name or DOCUMENT_WORDS[one.kind].text(t.lang) for one in papers}
    codes = {"office": offices, "document": names}
    return [_told(desk, actor, entry, t, called, codes, today) for entry in reversed(entries)]


def _told(
    desk: Desk,
    actor: Actor,
    entry: Entry,
    t: Texts,
    called: Callable[[str], str],
    codes: Mapping[str, Mapping[str, str]],
    today: date,
) -> Told:
    lines: list[tuple[str, str]] = []
    named: list[str] = []
    erased = wrote = False
    plain = len(entry.detail) <= _MANY
    for name, value in sorted(entry.detail.items(), key=lambda item: _place(item[0])):
        if name not in FIELDS or not value:
            continue
        one = FIELDS[name]
        label = one.words.text(t.lang)
        if one.personal and (one.kind is not Kind.LONG or name == "remarks"):
            named.append(label)
        elif one.personal:
            text = desk.cases.text(actor, entry, name)
            erased, wrote = erased or text is None, True
            if text:
                lines.append(("", text))
        elif plain:
            lines.append((label, _value(name, value, t, called, codes)))
        else:
            named.append(label)
    if named:
        lines.append((t("desk_case.filled_in"), t("desk_case.and").join(named)))
    return Told(
        at=entry.at.astimezone(JST),
        when=_when(entry.at.astimezone(JST), t, today),
        what=event_word(entry.event, t),
        lines=lines,
        erased=erased,
        by=called(entry.author),
        wrote=wrote,
    )


def _when(at: datetime, t: Texts, today: date) -> str:
    """A day and a time; the year where it is another one."""
    return f"{day_words(at.date(), today, t)} {clock_time(at)}"


def _place(name: str) -> int:
    """Where a value stands: in the order of the table of fields, texts last."""
    order = list(FIELDS)
    return order.index(name) if name in FIELDS else len(order)


def _value(
    name: str, value: str, t: Texts, called: Callable[[str], str], codes: Mapping[str, Mapping[str, str]]
) -> str:
    one = FIELDS[name]
    if name == "assignee":
        return called(value)
    if name in codes:
        return codes[name].get(value, value)
    if name == "notice" and value in set(NoticeKind):
        return notice_table().notices[NoticeKind(value)].subject.text(t.lang)
    if name == "rule":
        return RULES[value].statement.text(t.lang) if value in RULES else value
    if one.kind is Kind.POINT:
        return masked(value)
    if one.kind is Kind.DATE:
        return day_plain(date.fromisoformat(value), t)
    return one.choice(value).text(t.lang) if one.kind is Kind.CHOICE else value


# --- the bar of steps -----------------------------------------------------------------------------------


def phase_marks(found: Case, entries: Sequence[Entry], t: Texts, today: date) -> list[StepMark]:
    """The bar above a case: each phase with the day on which it was reached last.

    A phase through which the case never went is none that it has behind it, whatever it is now.
    """
    phase_of: dict[State, Phase] = {state: phase for phase, (_, states) in PHASES.items() for state in states}
    reached: dict[Phase, date] = {}
    for entry in entries:
        if entry.before is None or phase_of[entry.before] is not phase_of[entry.after]:
            reached[phase_of[entry.after]] = entry.at.astimezone(JST).date()
    notes = {
        phase: t("desk_list.today") if day == today else day_words(day, today, t)
        for phase, day in reached.items()
    }
    marks = step_marks(found.state, t, notes)
    return [replace(mark, place="todo") if mark.place == "done" and not mark.note else mark for mark in marks]
