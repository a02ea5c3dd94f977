"""The way from the meter to the EMS, part by part, as far as anybody knows: what a page draws above a triage.

The meter and the terminal are the utility's; the cable and the EMS are the customer's and its maker's. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from koatsu.desk.costs import Payer
from koatsu.desk.triage import CABLE, Position, Situation
from koatsu.desk.words import Words

__all__ = ["LinkPart", "Mark", "link_parts"]


class Mark(StrEnum):
    """How a part stands."""

    OK = "ok"
    LOOK = "look"  #: this is where to look now
    UNKNOWN = "unknown"
    FAULT = "fault"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPart:
    """One part of the way."""

    id: str
    words: Words
    status: Words
    mark: Mark
    who: Payer  #: whose it is


_UNKNOWN: Final = (Mark.UNKNOWN, Words("まだわかりません", "not known yet"))
_METER: Final[Mapping[bool | None, tuple[Mark, Words]]] = {
    None: _UNKNOWN,
    True: (Mark.OK, Words("応答しています", "answers")),
    False: (Mark.FAULT, Words("応答していません", "does not answer")),
}
_TERMINAL: Final[Mapping[bool | None, tuple[Mark, Words]]] = {
    None: _UNKNOWN,
    True: (Mark.OK, Words("動いています", "is up")),
    False: (Mark.FAULT, Words("応答していません", "does not answer")),
}
_LAMP: Final = {
    "lit": (Mark.OK, Words("電源ランプが光っています", "its power lamp is lit")),
    "dark": (Mark.LOOK, Words("電源ランプが消えています", "its power lamp is dark")),
}
_FIRST: Final = (Mark.LOOK, Words("まずここです", "look here first"))
_FIRM: Final = (Mark.OK, Words("両端を確かめました", "both ends were looked at"))
_DARK: Final = (Mark.LOOK, Words("差し口のランプが消えています", "the lamp of the socket is dark"))
_BROKEN: Final = (Mark.FAULT, Words("取り替えが要ります", "has to be replaced"))
_NEXT: Final = (Mark.LOOK, Words("つぎはここです", "look here next"))
_SOUND: Final = (Mark.OK, Words("異常はないそうです", "is said to be sound"))


def link_parts(situation: Situation, position: Position) -> tuple[LinkPart, ...]:
    """Meter, terminal, cable and EMS, each with how it stands."""
    given = {turn.ask.id: turn.answer.id for turn in position.path}
    outcome = position.outcome.id if position.outcome else ""
    terminal = _TERMINAL[situation.terminal_up]
    if situation.terminal_up is None:
        terminal = _LAMP.get(given.get("terminal_lamp", ""), terminal)
    return tuple(
        LinkPart(id=name, words=words, status=status, mark=mark, who=who)
        for name, words, (mark, status), who in (
            ("meter", Words("メーター", "Meter"), _METER[situation.meter_answers], Payer.UTILITY),
            ("terminal", Words("伝送端末", "Terminal"), terminal, Payer.UTILITY),
            ("cable", Words("ケーブル", "Cable"), _cable(position, given, outcome), Payer.CUSTOMER),
            ("ems", Words("EMS", "EMS"), _ems(given, outcome), Payer.CUSTOMER),
        )
    )


def _cable(position: Position, given: Mapping[str, str], outcome: str) -> tuple[Mark, Words]:
    if outcome in ("cable_damaged", "cable_broken"):
        return _BROKEN
    if given.get("link_lamp") == "dark":
        return _DARK
    if position.shown >= CABLE or outcome == "solved":
        return _FIRM
    return _UNKNOWN if outcome and outcome != "cannot_look" else _FIRST


def _ems(given: Mapping[str, str], outcome: str) -> tuple[Mark, Words]:
    if given.get("maker") == "sound":
        return _SOUND
    return _NEXT if outcome in ("ask_maker", "with_maker") else _UNKNOWN
