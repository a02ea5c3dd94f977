"""How the state of a case is drawn: the tone of its badge, and the bar of steps above a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from koatsu.desk.states import PHASES, STATE_WORDS, Phase, State
from koatsu.web.texts import Texts

__all__ = ["StepMark", "state_tone", "state_word", "step_marks"]

_WAITING: Final = frozenset({State.DRAFT, State.RETURNED})  #: it is not our turn
_RESTING: Final = frozenset({State.REFUSED, State.ENDED})


def state_tone(state: State) -> str:
    """The tone of the badge of a state: which shape and which colour it has, never its meaning alone."""
    if state in _WAITING or state in _RESTING:
        return "idle"
    if state is State.SUSPENDED:
        return "caution"
    return "ok" if state is State.IN_SERVICE else "info"


def state_word(state: State, t: Texts) -> str:
    """The state in one word."""
    return STATE_WORDS[state].text(t.lang)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepMark:
    """One step of the bar above a case."""

    word: str
    note: str  #: when it was reached; empty where that is not known
    place: str  #: "done", "now" or "todo"


def step_marks(state: State, t: Texts, notes: Mapping[Phase, str] | None = None) -> list[StepMark]:
    """The bar of a case in ``state``; ``notes`` stand below the steps: the day on which each was reached.

    A case that was refused has no step after the one in which that was decided, and one that has ended has
    them all behind it.
    """
    present = next(phase for phase, (_, states) in PHASES.items() if state in states)
    marks, passed = [], True
    for phase, (words, _) in PHASES.items():
        if phase is present:
            passed = False
            place = "done" if state is State.ENDED else "now"
        else:
            place = "done" if passed else "todo"
        marks.append(StepMark(word=words.text(t.lang), note=(notes or {}).get(phase, ""), place=place))
        if phase is present and state is State.REFUSED:
            break
    return marks
