"""Works on their days: what, where, when, and whether the electricity is off meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from koatsu.desk.business_days import is_business_day
from koatsu.desk.models import Works, WorksState
from koatsu.desk.worklists import Listed
from koatsu.desk.works import KIND_WORDS
from koatsu.web.notation import day_label
from koatsu.web.texts import Texts

__all__ = ["DayOfWorks", "WorksLine", "days_of", "monday_of", "works_line"]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorksLine:
    """One works order in a list."""

    number: str  #: of the case
    url: str
    name: str  #: half hidden
    kind: str
    window: str
    outage: str  #: its agreed time; empty: there is none
    office: str
    done: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfWorks:
    """One day with its works."""

    day: date
    words: str
    today: bool
    works_day: bool  #: the desk works on it
    lines: Sequence[WorksLine]


def monday_of(day: date) -> date:
    """The first day of the week."""
    return day - timedelta(days=day.weekday())


def works_line(order: Works, listed: Listed, offices: Mapping[str, str], t: Texts) -> WorksLine:
    """A works order in words."""
    return WorksLine(
        number=listed.case.number,
        url=f"{t.prefix}/case/{listed.case.number}",
        name=listed.name,
        kind=KIND_WORDS[order.kind].text(t.lang),
        window=order.window,
        outage=order.outage,
        office=offices.get(order.office, order.office),
        done=order.state is WorksState.DONE,
    )


def days_of(
    first: date,
    orders: Iterable[tuple[Works, Listed]],
    offices: Mapping[str, str],
    t: Texts,
    *,
    today: date,
    closed: Collection[str],
) -> list[DayOfWorks]:
    """The seven days from ``first`` on with their works; days without any are there too.

    What is done stands on the day on which it was done.
    """
    held: dict[date | None, list[WorksLine]] = {first + timedelta(days=n): [] for n in range(7)}
    for order, listed in orders:
        day = order.done_on or order.planned_on
        if day in held:
            held[day].append(works_line(order, listed, offices, t))
    return [
        DayOfWorks(
            day=day,
            words=day_label(day, t),
            today=day == today,
            works_day=is_business_day(day, closed),
            lines=lines,
        )
        for day, lines in held.items()
        if day is not None
    ]
