"""Where a case can be, from the first draft of the application to the end of the service."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from koatsu.desk.words import Words

__all__ = ["ENDED", "LIVE", "PHASES", "STATE_WORDS", "UNDER_WAY", "Phase", "State"]


class State(StrEnum):
    """Where a case is."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CHECKING = "checking"
    RETURNED = "returned"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    SURVEY = "survey"
    WORKS_PLANNED = "works_planned"
    WORKS_DONE = "works_done"
    CONNECTION_CHECK = "connection_check"
    IN_SERVICE = "in_service"
    SUSPENDED = "suspended"
    ENDING = "ending"
    ENDED = "ended"


STATE_WORDS: Final[dict[State, Words]] = {
    State.DRAFT: Words("下書き", "Draft"),
    State.SUBMITTED: Words("提出済み", "Submitted"),
    State.CHECKING: Words("審査中", "Under check"),
    State.RETURNED: Words("差し戻し", "Returned"),
    State.REFUSED: Words("お断り", "Refused"),
    State.ACCEPTED: Words("受理", "Accepted"),
    State.SURVEY: Words("現地調査", "Survey"),
    State.WORKS_PLANNED: Words("工事予定", "Works planned"),
    State.WORKS_DONE: Words("工事完了", "Works done"),
    State.CONNECTION_CHECK: Words("接続確認", "Connection check"),
    State.IN_SERVICE: Words("利用中", "In service"),
    State.SUSPENDED: Words("一時停止", "Suspended"),
    State.ENDING: Words("終了手続中", "Ending"),
    State.ENDED: Words("終了", "Ended"),
}

ENDED: Final = frozenset({State.REFUSED, State.ENDED})
"""Where a case rests; only a correction leads out of it."""

LIVE: Final = frozenset(State) - ENDED
"""Every other state: one supply point has at most one case in them."""

UNDER_WAY: Final = LIVE - {State.IN_SERVICE}
"""States in which somebody has something to do: what worklists show."""


class Phase(StrEnum):
    """The steps of the bar above a case, in their order."""

    APPLY = "apply"
    CHECK = "check"
    SURVEY = "survey"
    WORKS = "works"
    CONNECTION = "connection"
    SERVICE = "service"
    END = "end"


PHASES: Final[dict[Phase, tuple[Words, frozenset[State]]]] = {
    Phase.APPLY: (Words("申込", "Application"), frozenset({State.DRAFT, State.SUBMITTED, State.RETURNED})),
    Phase.CHECK: (Words("審査", "Check"), frozenset({State.CHECKING, State.REFUSED, State.ACCEPTED})),
    Phase.SURVEY: (Words("現地調査", "Survey"), frozenset({State.SURVEY})),
    Phase.WORKS: (Words("工事", "Works"), frozenset({State.WORKS_PLANNED, State.WORKS_DONE})),
    Phase.CONNECTION: (Words("接続確認", "Connection check"), frozenset({State.CONNECTION_CHECK})),
    Phase.SERVICE: (Words("利用", "Service"), frozenset({State.IN_SERVICE, State.SUSPENDED})),
    Phase.END: (Words("終了", "End"), frozenset({State.ENDING, State.ENDED})),
}
"""Each phase: its name, and the states that belong to it."""
