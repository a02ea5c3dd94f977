"""The guide through "no data arrives" as a page shows it: the way as an address, how far it is, its result.

Whoever has no login leaves no trace: the answers stand in the address alone, so that the browser's own way
back works, and nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from koatsu.desk.probe import ProbeResult
from koatsu.desk.triage import Ask, Position, Situation, Tree, Turn
from koatsu.web.texts import Texts

__all__ = ["PARTS", "parts_seen", "questions_ahead", "read_way", "seen_words", "summary", "written_way"]

PARTS: Final[Mapping[str, str]] = {
    "using": "",
    "replacing": "",
    "cable_ems": "cable",
    "again_ems": "cable",
    "cable_terminal": "cable",
    "again_terminal": "cable",
    "link_lamp": "cable",
    "other_cable": "cable",
    "terminal_lamp": "terminal",
    "power": "terminal",
    "power_at_terminal": "terminal",
    "maker": "ems",
}
"""Question -> the part between meter and EMS that it is about; empty: none of them."""

_LONGEST: Final = 1_000  #: characters of a way that are looked at


def read_way(text: str) -> dict[str, str]:
    """The answers in an address: ``using.yes-cable_ems.firm``; what is none is passed over."""
    pairs = (part.partition(".") for part in text[:_LONGEST].split("-"))
    return {step: answer for step, dot, answer in pairs if dot and step and answer}


def written_way(turns: Iterable[Turn], *more: str) -> str:
    """The way as an address has it, with further parts behind it."""
    return "-".join([*(f"{turn.ask.id}.{turn.answer.id}" for turn in turns), *more])


def questions_ahead(where: Tree, situation: Situation, position: Position) -> int:
    """How many questions there can be from here on, the present one counted; 0: there is an outcome."""
    return 0 if position.ask is None else _longest(where, situation, position.ask.id)


def _longest(where: Tree, situation: Situation, name: str) -> int:
    """The longest way from a step, counted in questions; the tree has no circles."""
    if name.startswith("@"):
        return 0
    step = where.steps[name]
    if isinstance(step, Ask):
        return 1 + max(_longest(where, situation, answer.next) for answer in step.answers)
    return _longest(where, situation, step.branches[situation.fact(step.fact)].next)


def summary(position: Position, t: Texts) -> str:
    """What was asked and answered, one line each, for whoever has to know."""
    lines = [f"{turn.ask.question.text(t.lang)}: {turn.answer.words.text(t.lang)}" for turn in position.path]
    if position.outcome is not None:
        lines.append(f"{t('desk_no_data.came_to')}: {position.outcome.words.text(t.lang)}")
    return "\n".join(lines)


def seen_words(probe: ProbeResult, t: Texts) -> str:
    """What a customer is told of the terminal side: whether it answers, and no address in the network."""
    if probe.terminal_up is None:
        return t("desk_no_data.seen_unknown")
    if not probe.terminal_up:
        return t("desk_no_data.seen_down")
    heard = {True: "seen_both", False: "seen_no_meter", None: "seen_terminal"}
    return t(f"desk_no_data.{heard[probe.meter_answers]}")


def parts_seen(probe: ProbeResult | None, t: Texts) -> tuple[dict[str, str], dict[str, str]]:
    """What the terminal side says of each part, in words and as the tone of the drawing."""
    if probe is None:
        return {}, {}
    notes, tones = {}, {}
    for part, good in (("terminal", probe.terminal_up), ("meter", probe.meter_answers)):
        word = {True: "answers", False: "silent", None: "not_known"}[good]
        notes[part] = t(f"desk_no_data.{word}")
        tones[part] = {True: "ok", False: "caution", None: ""}[good]
    return notes, tones
