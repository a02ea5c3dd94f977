"""Where the answers of the help lead, and how they are set: actions as addresses, parts as a list."""

from __future__ import annotations

import re
from typing import Final

from koatsu.desk.faq import Action, Question

__all__ = ["OWN_ACTIONS", "action_path", "answer_parts", "ask_path", "help_path"]

_PATHS: Final[dict[Action, str]] = {
    Action.CHECK: "/check",
    Action.APPLY: "/apply",
    Action.FORMS: "/forms",
    Action.MY_CASE: "/my",
    Action.EQUIPMENT: "/equipment",
    Action.CONNECT: "/equipment/connect",
    Action.COSTS: "/costs",
    Action.METERS: "/my",
    Action.TRIAGE: "/no-data",
    Action.END: "/ending",
    Action.DATA_LIST: "/data",
    Action.TERMS: "/terms",
    Action.SAMPLE_PAGE: "/sample",
}
OWN_ACTIONS: Final = frozenset({Action.MY_CASE, Action.METERS})
"""Actions for which a customer logs in; staff have pages of their own for them."""

_NUMBERED: Final = re.compile(r"(?<=。)([1-9]) (?=\S)|(?:(?<=\s)|^)([1-9]): ")
"""Where a numbered part begins: "…。1 …" in Japanese, "1: …" in English; not the 3 of "all 3 hold"."""


def action_path(action: Action, topic: str) -> str:
    """The address, without its language, that an answer about ``topic`` leads to."""
    return ask_path(topic) if action is Action.ENQUIRY else _PATHS[action]


def ask_path(topic: str) -> str:
    """The address of an enquiry about a question."""
    return f"/enquiry?topic={topic}"


def help_path(question: Question | str) -> str:
    """The address of an answer, open: browsers that do not open it for its mark alone are told to."""
    name = question if isinstance(question, str) else question.id
    return f"/help?open={name}#{name}"


def answer_parts(text: str) -> tuple[str, list[str]]:
    """An answer as its first sentences and its numbered parts: "1 …。2 …。" becomes a list of two."""
    marks = list(_NUMBERED.finditer(text))
    if len(marks) < 2 or [int(mark[1] or mark[2]) for mark in marks] != list(range(1, len(marks) + 1)):
        return text, []
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    parts = [text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)]
    return text[: marks[0].start()].strip(), [part[:1].upper() + part[1:] for part in parts]
