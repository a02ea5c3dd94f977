"""What customers of the sample ask and miss: enquiries, and guides to why no data arrives, in every stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Final

from koatsu.clock import JST, ManualClock
from koatsu.desk.business_days import add_business_days
from koatsu.desk.desk import Desk
from koatsu.desk.enquiry_rows import Enquiry
from koatsu.desk.models import SYSTEM, Actor, Case
from koatsu.desk.sample.tables import names
from koatsu.desk.states import State
from koatsu.desk.triage import Side

__all__ = ["Moment", "before_asking", "enquiries", "faults"]

_ENQUIRIES_A_HUNDRED, _FAULTS_A_HUNDRED = 3, 1  # of each hundred cases, and some more
_LEAST: Final = 6
_LAST_DAYS: Final = 25  #: business days over which they are spread
_FRESH_DAYS: Final = 5  #: business days in which an enquiry may well still wait
_ANSWERED_FRESH, _ANSWERED, _CLOSED = 0.4, 0.95, 0.5  # shares: of the fresh, of the others, of those answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Something that happens at its time, among the moves of the cases: an answer is an entry of a case."""

    at: datetime
    happen: Callable[[], None]


def before_asking(now: datetime) -> datetime:
    """Until when nobody has asked anything."""
    return _morning(now, _LAST_DAYS + 1)


def enquiries(
    desk: Desk, seed: int, now: datetime, counter: Callable[[str], Actor], cases: int
) -> list[Moment]:
    """The enquiries of the past weeks, some of which still wait for an answer.

    Args:
        desk: as it is at :func:`before_asking`.
        seed: of the sample.
        now: until when.
        counter: who works at the counter of an office.
        cases: how many there are.
    """
    by_chance = Random(f"{seed}:asking")
    served = _served(desk)
    moments: list[Moment] = []
    for _ in range(_LEAST + cases * _ENQUIRIES_A_HUNDRED // 100):
        at, found = _some_time_ago(by_chance, now), by_chance.choice(served)
        moments += _enquiry(desk, by_chance, at, found, counter, now)
    return moments


def faults(
    desk: Desk, clock: ManualClock, seed: int, now: datetime, counter: Callable[[str], Actor], cases: int
) -> None:
    """Let people call over the past weeks because no data arrives; the clock is left at ``now``."""
    by_chance = Random(f"{seed}:calling")
    served = _served(desk)
    for _ in range(_LEAST + cases * _FAULTS_A_HUNDRED // 100):
        _fault(desk, clock, by_chance, _some_time_ago(by_chance, now), by_chance.choice(served), counter)
    clock.set(now)


def _served(desk: Desk) -> list[Case]:
    return [line.case for line in desk.lists.worklist(SYSTEM, state=State.IN_SERVICE, size=400).lines]


def _morning(now: datetime, ago: int) -> datetime:
    """The beginning of a business day."""
    day = add_business_days(now.astimezone(JST).date(), -ago)
    return datetime(day.year, day.month, day.day, tzinfo=JST)


def _some_time_ago(by_chance: Random, now: datetime) -> datetime:
    """A moment of a working day."""
    day = add_business_days(now.astimezone(JST).date(), -by_chance.randint(1, _LAST_DAYS))
    return datetime(
        day.year, day.month, day.day, by_chance.randint(9, 15), by_chance.randrange(60), tzinfo=JST
    )


def _enquiry(
    desk: Desk,
    by_chance: Random,
    at: datetime,
    found: Case,
    counter: Callable[[str], Actor],
    now: datetime,
) -> list[Moment]:
    """An enquiry that comes in, and its answer where there is one."""
    said = by_chance.choice(names()["enquiry"])
    made: list[Enquiry] = []

    def asked() -> None:
        by = counter(desk.cases.get(SYSTEM, found.id).office)
        made.append(desk.enquiries.open(by, topic=said["topic"], text=said["asked"], case_id=found.id))

    moments = [Moment(at=at, happen=asked)]
    fresh = at >= _morning(now, _FRESH_DAYS)
    if by_chance.random() >= (_ANSWERED_FRESH if fresh else _ANSWERED):
        return moments
    later, closed = at + timedelta(hours=by_chance.randint(2, 50)), by_chance.random() < _CLOSED

    def answered() -> None:
        by = counter(made[0].office)
        one = desk.enquiries.assign(by, made[0].number, by.reference, seen=made[0].version)
        one = desk.enquiries.answer(by, one.number, said["answer"], seen=one.version)
        if closed:
            desk.enquiries.close(by, one.number, seen=one.version)

    return [*moments, Moment(at=min(later, now), happen=answered)]


def _fault(
    desk: Desk,
    clock: ManualClock,
    by_chance: Random,
    at: datetime,
    found: Case,
    counter: Callable[[str], Actor],
) -> None:
    """Somebody calls; the questions are answered by chance as far as they go."""
    by = counter(found.office)
    clock.set(at)
    view = desk.faults.begin(by, case_id=found.id)
    number = view.fault.number
    while view.position.ask is not None and by_chance.random() < 0.95:
        clock.advance(timedelta(seconds=by_chance.randint(10, 90)))
        asked = view.position.ask
        view = desk.faults.answer(by, number, asked.id, _likely(by_chance, [one.id for one in asked.answers]))
    outcome = view.position.outcome
    if outcome is not None and outcome.side is Side.UTILITY and view.fault.case is not None:
        day = add_business_days(clock.now().astimezone(JST).date(), 2)
        desk.faults.open_order(by, number, day, "10:00–11:00")


def _likely(by_chance: Random, answers: Sequence[str]) -> str:
    """The first answer is the one that most people give."""
    return answers[0] if by_chance.random() < 0.6 else by_chance.choice(answers)
