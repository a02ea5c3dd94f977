"""Why does no data arrive? The tree of ``tables/triage.toml``, walked one answer at a time.

Pure: a situation (what the desk knows) and the answers so far give the next question or the outcome. The
order is that of the utility's FAQ, and it is not left to whoever edits the table: reading it refuses a tree
in which a path has no end, reaches the maker of the EMS before both ends of the cable were looked at, or
reaches the utility's side without the cable and without evidence.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.resources import files
from typing import Any, Final

from koatsu.desk.probe import ProbeResult
from koatsu.desk.states import State
from koatsu.desk.words import Words

__all__ = [
    "Answer",
    "Ask",
    "Known",
    "Outcome",
    "Position",
    "Service",
    "Side",
    "Situation",
    "Then",
    "Tree",
    "Turn",
    "UnderWay",
    "read_tree",
    "tree",
    "walk",
]

UTILITY_FAULT: Final = "utility_fault"  #: what a branch shows that is evidence on the utility's side
CABLE: Final = frozenset({"cable_ems", "cable_terminal"})
SHOWABLE: Final = CABLE | {UTILITY_FAULT}


class Side(StrEnum):
    """Whose turn it is."""

    CUSTOMER = "customer"
    EMS_MAKER = "ems_maker"
    UTILITY = "utility"
    NONE = "none"  #: there is nothing to mend, or nobody knows yet


class Then(StrEnum):
    """What follows an outcome."""

    NOTHING = "nothing"
    WAIT = "wait"
    MY_CASE = "my_case"
    COSTS = "costs"  #: who provides what
    MAKER = "maker"  #: what to tell the maker of the EMS
    ENQUIRY = "enquiry"
    ORDER = "order"  #: a works order of the utility


class Service(StrEnum):
    """Whether data should arrive at all."""

    UNKNOWN = "unknown"  #: nobody has said who asks
    NOT_STARTED = "not_started"
    IN_SERVICE = "in_service"
    SUSPENDED = "suspended"
    ENDED = "ended"


class UnderWay(StrEnum):
    """What the utility is doing there just now; named like the reasons of a suspension."""

    UNKNOWN = "unknown"
    NONE = "none"
    METER_REPLACEMENT = "meter_replacement"
    WORKS = "works"
    FAULT = "fault"


_STARTED: Final = {
    State.IN_SERVICE: Service.IN_SERVICE,
    State.SUSPENDED: Service.SUSPENDED,
    State.ENDING: Service.IN_SERVICE,  # data arrives until the cable is taken out
    State.ENDED: Service.ENDED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the desk knows before it asks. ``None`` stands for what nobody knows."""

    service: Service = Service.UNKNOWN
    works: UnderWay = UnderWay.UNKNOWN
    terminal_up: bool | None = None
    meter_answers: bool | None = None

    @classmethod
    def of(cls, state: State, suspend_reason: str = "", probe: ProbeResult | None = None) -> Situation:
        """The situation of a case: its state, why it is suspended, and what its terminal side says."""
        suspended = state is State.SUSPENDED and suspend_reason in set(UnderWay)
        return cls(
            service=_STARTED.get(state, Service.NOT_STARTED),
            works=UnderWay(suspend_reason) if suspended else UnderWay.NONE,
        ).seen(probe)

    def seen(self, probe: ProbeResult | None) -> Situation:
        """The same with what a probe has found."""
        return Situation(
            service=self.service,
            works=self.works,
            terminal_up=None if probe is None else probe.terminal_up,
            meter_answers=None if probe is None else probe.meter_answers,
        )

    def fact(self, name: str) -> str:
        """A fact as the branches of the tree call it."""
        return {
            "service": self.service.value,
            "works": self.works.value,
            "terminal": _TERMINAL[self.terminal_up],
            "meter": _METER[self.meter_answers],
        }[name]


_TERMINAL: Final = {None: "unknown", True: "up", False: "down"}
_METER: Final = {None: "unknown", True: "answers", False: "silent"}
FACTS: Final[Mapping[str, frozenset[str]]] = {
    "service": frozenset(Service),
    "works": frozenset(UnderWay),
    "terminal": frozenset(_TERMINAL.values()),
    "meter": frozenset(_METER.values()),
}
"""Every fact with the values that it can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Where a value of a fact leads."""

    next: str
    shows: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A step at which nobody is asked: the desk knows."""

    id: str
    fact: str
    branches: Mapping[str, Branch]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer to a question."""

    id: str
    words: Words
    next: str
    shows: frozenset[str]
    told: Words | None  #: what the maker of the EMS is told of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question to the customer."""

    id: str
    question: Words
    hint: Words | None
    answers: tuple[Answer, ...]

    def answer(self, name: str) -> Answer | None:
        """The answer with that id."""
        return next((one for one in self.answers if one.id == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What comes out, whose turn it is and what follows."""

    id: str
    side: Side
    then: Then
    words: Words
    advice: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Steps and outcomes; ``start`` and every ``next`` name a step, or an outcome with @ before it."""

    start: str
    steps: Mapping[str, Ask | Known]
    outcomes: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A question with the answer that was given."""

    ask: Ask
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where somebody is: the way so far, and either the next question or the outcome."""

    path: tuple[Turn, ...]
    ask: Ask | None
    outcome: Outcome | None
    shown: frozenset[str]  #: what the way has established

    @property
    def told(self) -> tuple[Words, ...]:
        """What the maker of the EMS should be told: what was looked at, in its order."""
        return tuple(turn.answer.told for turn in self.path if turn.answer.told is not None)


def walk(where: Tree, situation: Situation, answers: Mapping[str, str]) -> Position:
    """Where ``answers`` (step -> id of the answer) lead; those to questions off the way are passed over."""
    path: list[Turn] = []
    shown: frozenset[str] = frozenset()
    at = where.start
    while not at.startswith("@"):
        step = where.steps[at]
        if isinstance(step, Known):
            branch: Branch | Answer = step.branches[situation.fact(step.fact)]
        else:
            given = step.answer(answers.get(step.id, ""))
            if given is None:
                return Position(path=tuple(path), ask=step, outcome=None, shown=shown)
            path.append(Turn(ask=step, answer=given))
            branch = given
        shown |= branch.shows
        at = branch.next
    return Position(path=tuple(path), ask=None, outcome=where.outcomes[at[1:]], shown=shown)


# --- reading the table ----------------------------------------------------------------------------------


@cache
def tree() -> Tree:
    """The tree, read from its table on first use."""
    return read_tree(files("koatsu.desk").joinpath("tables/triage.toml").read_text(encoding="utf-8"))


def read_tree(text: str) -> Tree:
    """The tree that a table (TOML) holds.

    Raises:
        ValueError: it has a step without an end or a way in, or breaks the order of the FAQ.
    """
    data = tomllib.loads(text)
    steps: dict[str, Ask | Known] = {name: _known(name, row) for name, row in data["known"].items()}
    for name, row in data["ask"].items():
        if name in steps:
            raise ValueError(f"step {name}: stands twice")
        steps[name] = _ask(name, row)
    made = Tree(
        start=data["start"],
        steps=steps,
        outcomes={name: _outcome(name, row) for name, row in data["outcome"].items()},
    )
    _check(made)
    return made


def _known(name: str, row: dict[str, Any]) -> Known:
    branches = {value: Branch(next=one["next"], shows=_shows(one)) for value, one in row["branches"].items()}
    if branches.keys() != FACTS[row["fact"]]:
        raise ValueError(f"step {name}: branches for {sorted(FACTS[row['fact']])} are needed, no others")
    return Known(id=name, fact=row["fact"], branches=branches)


def _ask(name: str, row: dict[str, Any]) -> Ask:
    answers = tuple(
        Answer(
            id=one["id"],
            words=Words(**one["words"]),
            next=one["next"],
            shows=_shows(one),
            told=Words(**one["told"]) if "told" in one else None,
        )
        for one in row["answer"]
    )
    if len({answer.id for answer in answers}) != len(answers):
        raise ValueError(f"step {name}: an answer stands twice")
    hint = Words(**row["hint"]) if "hint" in row else None
    return Ask(id=name, question=Words(**row["question"]), hint=hint, answers=answers)


def _outcome(name: str, row: dict[str, Any]) -> Outcome:
    return Outcome(
        id=name,
        side=Side(row["side"]),
        then=Then(row["then"]),
        words=Words(**row["words"]),
        advice=Words(**row["advice"]),
    )


def _shows(row: dict[str, Any]) -> frozenset[str]:
    shows = frozenset(row.get("shows", ()))
    if shows - SHOWABLE:
        raise ValueError(f"nothing is called {sorted(shows - SHOWABLE)}")
    return shows


def _ways(where: Tree) -> Iterator[tuple[str, Branch | Answer]]:
    """Every step with each way out of it."""
    for name, step in where.steps.items():
        ways = step.branches.values() if isinstance(step, Known) else step.answers
        yield from ((name, way) for way in ways)


def _check(where: Tree) -> None:
    names = {*where.steps, *(f"@{name}" for name in where.outcomes)}
    if unknown := {where.start, *(way.next for _, way in _ways(where))} - names:
        raise ValueError(f"there is no step or outcome {sorted(unknown)}")
    before: dict[str, set[str]] = {name: set() for name in names}
    for name, way in _ways(where):
        before[way.next].add(name)
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise ValueError(f"these steps lead in a circle: {error.args[1]}") from error
    certain: dict[str, frozenset[str]] = {where.start: frozenset()}  # what every way to a step has shown
    for name in order:
        if name not in certain:
            raise ValueError(f"no way leads to {name}")
        for step, way in _ways(where):
            if step == name:
                shown = certain[name] | way.shows
                certain[way.next] = shown & certain.get(way.next, shown)
    for name, outcome in where.outcomes.items():
        needed = _NEEDED.get(outcome.side, frozenset())
        if (outcome.then is Then.ORDER) != (outcome.side is Side.UTILITY):
            raise ValueError(f"outcome {name}: a works order belongs to the utility's side and to no other")
        if missing := needed - certain[f"@{name}"]:
            raise ValueError(f"outcome {name}: a way there has not shown {sorted(missing)}")


_NEEDED: Final = {Side.EMS_MAKER: CABLE, Side.UTILITY: CABLE | {UTILITY_FAULT}}
"""What must be shown before it is somebody's turn: the order of the FAQ, and evidence for the utility."""
