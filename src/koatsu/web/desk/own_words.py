"""A customer's case in plain words: what happens next, and what the customer does, mostly nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from koatsu.clock import JST
from koatsu.desk.errors import (
    ChangedMeanwhileError,
    DeskError,
    DeskSettingError,
    RuleError,
    UnknownError,
)
from koatsu.desk.lifecycle import Event
from koatsu.desk.models import Actor, Case, Entry
from koatsu.desk.offices import Office
from koatsu.desk.routing import RoutingError
from koatsu.desk.states import ENDED, LIVE, PHASES, Phase, State
from koatsu.desk.voltages import ELSEWHERE
from koatsu.web.texts import Texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = [
    "IN_USE",
    "NO_NEWS",
    "NextWords",
    "next_words",
    "own_offices",
    "phase_days",
    "present_cases",
    "refused_words",
    "shows_place",
    "told_reason",
]

IN_USE: Final = frozenset({State.IN_SERVICE, State.SUSPENDED, State.ENDING})
"""States in which data arrives, or should again."""

NO_NEWS: Final = frozenset(
    {
        *(Event.NOTE, Event.ASSIGN, Event.REMIND, Event.EXTEND, Event.CONFIRM_WARNING, Event.FILL),
        *(Event.NOTIFY, Event.CORRECT, Event.RECORD_CHECK, Event.RECORD_SURVEY, Event.ATTACH),
    }
)
"""What happens at the utility's desk, or stands elsewhere on the page: no news for the customer."""

_TOLD: Final = frozenset({Event.RETURN, Event.REFUSE})  #: events of which the reason is told

#: State -> what happens, and what the customer does; the second is empty where that is nothing.
_WORDS: Final[Mapping[State, tuple[str, str]]] = {
    State.DRAFT: ("desk_my.next_draft", "desk_my.do_draft"),
    State.SUBMITTED: ("desk_my.next_submitted", ""),
    State.CHECKING: ("desk_my.next_checking", ""),
    State.RETURNED: ("desk_my.next_returned", "desk_my.do_returned"),
    State.REFUSED: ("desk_my.next_refused", "desk_my.do_refused"),
    State.ACCEPTED: ("desk_my.next_accepted", ""),
    State.SURVEY: ("desk_my.next_survey", "desk_my.do_survey"),
    State.WORKS_PLANNED: ("desk_my.next_works_planned", "desk_my.do_works_planned"),
    State.WORKS_DONE: ("desk_my.next_works_done", "desk_my.do_works_done"),
    State.CONNECTION_CHECK: ("desk_my.next_connection_check", "desk_my.do_connection_check"),
    State.IN_SERVICE: ("desk_my.next_in_service", ""),
    State.SUSPENDED: ("desk_my.next_suspended", ""),
    State.ENDING: ("desk_my.next_ending", "desk_my.do_ending"),
    State.ENDED: ("desk_my.next_ended", ""),
}
#: The same where it depends on how the application came in, or why the service rests.
_BY_HAND: Final = {
    State.DRAFT: ("desk_my.next_draft_paper", ""),
    State.RETURNED: ("desk_my.next_returned", "desk_my.do_returned_paper"),
}
_SUSPENDED: Final = {
    "meter_replacement": "desk_my.next_suspended_meter",
    "works": "desk_my.next_suspended_works",
    "fault": "desk_my.next_suspended_fault",
}
_ENDED: Final = {
    Event.CABLE_REMOVED: ("desk_my.next_ended_asked", "desk_my.do_ended_asked"),
    Event.CONTRACT_ENDED: ("desk_my.next_ended_contract", ""),
    Event.WITHDRAW: ("desk_my.next_ended_withdrawn", ""),
}

_ACCEPTED: Final = (
    frozenset({State.ACCEPTED, State.SURVEY, State.WORKS_PLANNED, State.WORKS_DONE, State.CONNECTION_CHECK})
    | IN_USE
)
"""States in which the utility has looked at the application and found that it is the customer's own place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextWords:
    """What happens next with a case; ``todo`` is what the customer does, empty where that is nothing."""

    happens: str
    todo: str


def next_words(case: Case, t: Texts, *, online: bool, entries: Sequence[Entry] = ()) -> NextWords:
    """What happens next with a case, and what its customer has to do.

    Args:
        case: it.
        t: the language.
        online: applications are taken on the page.
        entries: its history, where the page tells why it has ended.
    """
    happens, todo = _WORDS[case.state]
    if case.state in _BY_HAND and not (online and case.fact("way") in ("", "online")):
        happens, todo = _BY_HAND[case.state]
    elif case.state is State.SUSPENDED:
        happens = _SUSPENDED.get(case.fact("suspend_reason"), happens)
    elif case.state is State.ENDED:
        last = next((one.event for one in reversed(entries) if one.before is not one.after), None)
        happens, todo = (happens, todo) if last is None else _ENDED.get(last, (happens, todo))
    return NextWords(happens=t(happens), todo=t(todo) if todo else "")


def present_cases(desk: Desk, actor: Actor) -> list[Case]:
    """The cases of a customer that are not over, the newest first; nothing for anybody else."""
    return [case for case in desk.lists.own(actor) if case.state not in ENDED]


def own_offices(desk: Desk, cases: Iterable[Case]) -> list[Office]:
    """The offices that look after these cases, each once."""
    found = []
    for code in dict.fromkeys(case.office for case in cases if case.office):
        try:
            found.append(desk.registers.office(code))
        except UnknownError:  # it was taken in by hand, and the register has no such office any more
            continue
    return found


def shows_place(case: Case, entries: Iterable[Entry]) -> bool:
    """Whether what the register knows of the place may be shown to the customer of this case.

    Anybody can write somebody else's number into an application, so the utility must have accepted it once;
    and whoever has moved out does not see what stands there now.
    """
    return case.state in LIVE and any(entry.after in _ACCEPTED for entry in entries)


def told_reason(desk: Desk, actor: Actor, entries: Sequence[Entry]) -> str:
    """Why a case came back or was refused, where that is the last that happened, as it was written."""
    last = next((one for one in reversed(entries) if one.before is not one.after), None)
    if last is None or last.event not in _TOLD:
        return ""
    return desk.cases.text(actor, last, "reason") or ""


def refused_words(error: DeskError, t: Texts) -> str:
    """Why something was refused, as a customer is told: nothing of others, nor who works at the desk."""
    rule = error.rule if isinstance(error, RuleError) else ""
    if isinstance(error, ChangedMeanwhileError):
        return t("desk_my.changed")
    if rule == "apply.one":  # whose the other one is, and its number, are nobody else's business
        return t("desk_apply.taken")
    if rule == "apply.high_voltage" and error.ja not in {words.ja for words, _ in ELSEWHERE.values()}:
        return t("desk_apply.unknown_point")
    if isinstance(error, DeskSettingError | RoutingError):  # nothing that a customer could mend
        return t("desk_apply.no_office")
    return error.text(t.lang)


def phase_days(entries: Iterable[Entry]) -> dict[Phase, date]:
    """The day on which a case last came into each phase that it has been in."""
    days: dict[Phase, date] = {}
    for entry in entries:
        if entry.before is not entry.after:
            phase = next(phase for phase, (_, states) in PHASES.items() if entry.after in states)
            before = entry.before is not None and entry.before in PHASES[phase][1]
            if not before or phase not in days:
                days[phase] = entry.at.astimezone(JST).date()
    return days
