"""What customers of the sample ask and miss: enquiries, and guides to why no data arrives, in every stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Final

from koatsu.clock import JST, ManualClock
from koatsu.desk.business_days import add_business_days
from koatsu.desk.desk import Desk
from koatsu.desk.models import SYSTEM, Actor, Case
from koatsu.desk.sample.tables import names
from koatsu.desk.states import State
from koatsu.desk.triage import Side

__all__ = ["ask"]

_ENQUIRIES_A_HUNDRED, _FAULTS_A_HUNDRED = 3, 1  # of each hundred cases, and some more
_LEAST: Final = 6
_LAST_DAYS: Final = 25  #: business days over which they are spread
_ANSWERED, _CLOSED = 0.6, 0.5  # shares: of all, and of those that were answered


def ask(
    desk: Desk, clock: ManualClock, seed: int, now: datetime, counter: Callable[[str], Actor], cases: int
) -> None:
    """Let enquiries and faults come in over the past weeks; some wait for an answer.

    Args:
        desk: filled with cases.
        clock: its clock, which is left at ``now``.
        seed: of the sample.
        now: until when.
        counter: who works at the counter of an office.
        cases: how many there are.
    """
    by_chance = Random(f"{seed}:asking")
    served = [line.case for line in desk.lists.worklist(SYSTEM, state=State.IN_SERVICE, size=400).lines]
    for _ in range(_LEAST + cases * _ENQUIRIES_A_HUNDRED // 100):
        _enquiry(
            desk, clock, by_chance, _some_time_ago(by_chance, now), by_chance.choice(served), counter, now
        )
    for _ in range(_LEAST + cases * _FAULTS_A_HUNDRED // 100):
        _fault(desk, clock, by_chance, _some_time_ago(by_chance, now), by_chance.choice(served), counter)
    clock.set(now)


def _some_time_ago(by_chance: Random, now: datetime) -> datetime:
    """A moment of a working day."""
    day = add_business_days(now.astimezone(JST).date(), -by_chance.randint(1, _LAST_DAYS))
    return datetime(
        day.year, day.month, day.day, by_chance.randint(9, 15), by_chance.randrange(60), tzinfo=JST
    )


def _enquiry(
    desk: Desk,
    clock: ManualClock,
    by_chance: Random,
    at: datetime,
    found: Case,
    counter: Callable[[str], Actor],
    now: datetime,
) -> None:
    said = by_chance.choice(names()["enquiry"])
    by = counter(found.office)
    clock.set(at)
    one = desk.enquiries.open(by, topic=said["topic"], text=said["asked"], case_id=found.id)
    if by_chance.random() >= _ANSWERED:
        return
    clock.set(min(at + timedelta(hours=by_chance.randint(2, 50)), now))
    one = desk.enquiries.assign(by, one.number, by.reference, seen=one.version)
    one = desk.enquiries.answer(by, one.number, said["answer"], seen=one.version)
    if by_chance.random() < _CLOSED:
        desk.enquiries.close(by, one.number, seen=one.version)


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
