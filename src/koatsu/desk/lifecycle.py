"""The life of a case: the table ``tables/lifecycle.toml``, read and checked once.

The table is all there is: the engine (:mod:`koatsu.desk.cases`), the buttons of the pages, the API, the
random walks of the tests and the diagram in the documents are made from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final

from koatsu.desk.fields import FIELDS
from koatsu.desk.states import LIVE, State
from koatsu.desk.words import Words
from koatsu.people import Role

__all__ = ["BACK", "STAY", "STEPS", "Event", "Step", "step_for", "steps_from"]

STAY: Final = "stay"  #: the case stays where it is
BACK: Final = "back"  #: it goes back to where it was before it ended, or before its end was asked for


class Event(StrEnum):
    """What can happen to a case."""

    DRAFT = "draft"  #: it is made; the only event that is no step, for it leads from nowhere
    FILL = "fill"
    SUBMIT = "submit"
    BEGIN_CHECK = "begin_check"
    CONFIRM_WARNING = "confirm_warning"
    RETURN = "return"
    REFUSE = "refuse"
    ACCEPT = "accept"
    PLAN_SURVEY = "plan_survey"
    RECORD_SURVEY = "record_survey"
    NOT_INSTALLABLE = "not_installable"
    PLAN_WORKS = "plan_works"
    RECORD_WORKS = "record_works"
    BEGIN_CONNECTION = "begin_connection"
    RECORD_CHECK = "record_check"
    BACK_TO_WORKS = "back_to_works"
    START = "start"
    SUSPEND = "suspend"
    METER_REPLACED = "meter_replaced"
    RESUME = "resume"
    ASK_END = "ask_end"
    CANCEL_END = "cancel_end"
    CABLE_REMOVED = "cable_removed"
    CONTRACT_ENDED = "contract_ended"
    WITHDRAW = "withdraw"
    CHANGE_RETAILER = "change_retailer"
    CHANGE_NAME = "change_name"
    MOVE_OFFICE = "move_office"
    ASSIGN = "assign"
    EXTEND = "extend"
    NOTE = "note"
    ATTACH = "attach"
    CORRECT = "correct"
    REOPEN = "reopen"
    REMIND = "remind"
    NOTIFY = "notify"
    ERASE = "erase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One row of the table: ``event`` leads from any of ``before`` to ``after``."""

    event: Event
    before: frozenset[State]
    after: State | str  #: a state, STAY or BACK
    who: frozenset[Role]  #: empty: this program itself
    button: Words
    done: Words  #: how the history calls it
    asks: tuple[str, ...]  #: names of fields, optional ones with ``?`` behind
    rules: tuple[str, ...]  #: names of rules that must hold
    notice: str  #: the letter that the customer gets; empty for none
    main: bool  #: the way forward, not a side way
    forgets: tuple[str, ...]  #: fields of an earlier round that no longer count, though the history has them

    def remembered(self, facts: Mapping[str, str]) -> dict[str, str]:
        """What of the ``facts`` of a case still counts after this step."""
        return {name: value for name, value in facts.items() if name not in self.forgets}

    @property
    def required(self) -> frozenset[str]:
        """The names of fields that must be given."""
        return frozenset(name for name in self.asks if not name.endswith("?"))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all its fields, in the order of the form."""
        return tuple(name.removesuffix("?") for name in self.asks)


def steps_from(state: State) -> Iterator[Step]:
    """The steps that lead on from ``state``, the main ones first."""
    yield from sorted((step for step in STEPS if state in step.before), key=lambda step: not step.main)


def step_for(event: Event, state: State) -> Step | None:
    """The step that ``event`` is in ``state``; ``None`` where it is none."""
    return next((step for step in STEPS if step.event is event and state in step.before), None)


def _states(names: Iterable[str]) -> frozenset[State]:
    found: set[State] = set()
    for name in names:
        if name == "any":
            found |= set(State)
        elif name == "live":
            found |= LIVE
        elif name.startswith("-"):
            found.discard(State(name[1:]))
        else:
            found.add(State(name))
    return frozenset(found)


def _step(row: dict[str, Any]) -> Step:
    step = Step(
        event=Event(row["event"]),
        before=_states(row["from"]),
        after=row["to"] if row["to"] in (STAY, BACK) else State(row["to"]),
        who=frozenset(Role(name) for name in row["who"]),
        button=Words(**row["button"]),
        done=Words(**row["done"]),
        asks=tuple(row.get("asks", ())),
        rules=tuple(row.get("rules", ())),
        notice=row.get("notice", ""),
        main=row.get("main", False),
        forgets=tuple(row.get("forgets", ())),
    )
    unknown = {*step.names, *step.forgets} - FIELDS.keys()
    if unknown:
        raise ValueError(f"{step.event}: no such field: {', '.join(sorted(unknown))}")
    return step


def _load() -> tuple[Step, ...]:
    text = files("koatsu.desk").joinpath("tables/lifecycle.toml").read_text(encoding="utf-8")
    return tuple(_step(row) for row in tomllib.loads(text)["step"])


STEPS: Final[tuple[Step, ...]] = _load()
"""Every step; where several rows have one event, their states do not overlap (a test sees to it)."""
