"""The life cycle of a case as a Mermaid state diagram, made from the table of its steps and nothing else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from koatsu.desk import STATE_WORDS, STEPS, State, Step, Words
from koatsu.desk.lifecycle import BACK, STAY
from koatsu.desk.states import LIVE

__all__ = ["life_cycle"]

_FEW: Final = (
    3  #: a step from more states than this is no line but a note: lines from everywhere hide the rest
)
_FROM: Final = Words("{step}: {states}から", "{step}: from {states}")
_LIVE_BUT: Final = Words("途中のどの状態({states}を除く)", "every live state but {states}")
_BACK: Final = Words("{step}: もとの状態に戻る", "{step}: back to where it was")
_BETWEEN: Final = Words("、", ", ")


def life_cycle(lang: str) -> str:
    """The diagram in "ja" or "en". What leaves a case where it is does not stand in it."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{STATE_WORDS[state].text(lang)}" as {state.value}' for state in State]
    lines.append(f"    [*] --> {State.DRAFT.value}")
    notes: dict[State, list[str]] = defaultdict(list)
    for step in STEPS:
        if step.after == STAY:
            continue
        if step.after == BACK:
            for state in _ordered(step.before):
                notes[state].append(_BACK.filled(step=_label(step, lang)).text(lang))
            continue
        after = State(step.after)
        if len(step.before) > _FEW:
            notes[after].append(_from_many(step, lang))
            continue
        before = [state for state in _ordered(step.before) if state is not after]
        lines += [f"    {state.value} --> {after.value}: {_label(step, lang)}" for state in before]
    lines += [f"    {state.value} --> [*]" for state in (State.REFUSED, State.ENDED)]
    for state in State:
        lines += _note(state, notes[state])
    return "\n".join(lines) + "\n"


def _ordered(states: frozenset[State]) -> list[State]:
    return [state for state in State if state in states]


def _label(step: Step, lang: str) -> str:
    """What the button says, without the colon, which ends a name in Mermaid."""
    return step.button.text(lang).replace(": ", " – ")


def _from_many(step: Step, lang: str) -> str:
    missing = LIVE - step.before
    shown = _names(missing if step.before < LIVE else step.before, lang)
    states = _LIVE_BUT.filled(states=shown).text(lang) if step.before < LIVE else shown
    return _FROM.filled(step=_label(step, lang), states=states).text(lang)


def _names(states: frozenset[State], lang: str) -> str:
    return _BETWEEN.text(lang).join(STATE_WORDS[state].text(lang) for state in _ordered(states))


def _note(state: State, sentences: list[str]) -> Iterator[str]:
    if sentences:
        yield f"    note right of {state.value}"
        yield from (f"        {sentence}" for sentence in sentences)
        yield "    end note"
