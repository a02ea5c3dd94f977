"""The lines of lists of cases: number, half a name, state, what comes next, until when, with whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from koatsu.desk.next_steps import next_step
from koatsu.desk.point_numbers import masked
from koatsu.desk.states import State
from koatsu.desk.worklists import Band, Listed
from koatsu.web.notation import day_label, day_plain
from koatsu.web.texts import Texts

__all__ = ["Due", "Line", "day_words", "due_of", "lines_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Until when: in words, and the tone of its badge; an empty tone is a plain date."""

    words: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case in a list: nothing of it names a person."""

    number: str
    url: str
    name: str  #: half hidden; empty where there is none
    erased: bool
    point: str  #: masked
    state: State
    next: str
    due: Due | None
    by: str
    band: Band


def day_words(day: date, today: date, t: Texts) -> str:
    """A day as short as it can be: with its year where that is another one."""
    plain = day_plain(day, t)
    return plain if day.year == today.year else t("desk_list.other_year", y=day.year, day=plain)


def due_of(due: date | None, today: date, t: Texts) -> Due | None:
    """A deadline in words: late and today stand out by shape and word, other days are plain."""
    if due is None:
        return None
    days = (today - due).days
    if days > 0:
        return Due(words=t("desk_list.late_by", n=days), tone="caution")
    if days == 0:
        return Due(words=t("desk_list.today"), tone="info")
    near = -days <= 7
    return Due(words=day_label(due, t) if near else day_words(due, today, t))


def lines_of(listed: Iterable[Listed], t: Texts, today: date, called: Callable[[str], str]) -> list[Line]:
    """The lines of what a list holds; ``called`` names whoever a case is assigned to."""
    found = []
    for one in listed:
        step = next_step(one.case)
        found.append(
            Line(
                number=one.case.number,
                url=f"{t.prefix}/case/{one.case.number}",
                name=one.name,
                erased=one.case.erased,
                point=masked(one.case.supply_point),
                state=one.case.state,
                next=step.button.text(t.lang) if step else "",
                due=due_of(one.case.due_on, today, t),
                by=called(one.case.assignee) if one.case.assignee else "",
                band=one.band,
            )
        )
    return found
