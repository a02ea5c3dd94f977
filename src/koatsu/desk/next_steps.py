"""The next step of a case: of the ways that the table of the life cycle leaves open, the one that is due.

It is told from the case alone, so that a list of many cases needs no further question. It decides nothing:
whether the step can be taken is for its rules to say.
"""

from __future__ import annotations

from typing import Final

from koatsu.desk.fields import NO, YES
from koatsu.desk.lifecycle import Event, Step, step_for, steps_from
from koatsu.desk.models import Case
from koatsu.desk.states import State

__all__ = ["next_step", "to_be_checked"]

_CHECKS: Final = ("check_terminal", "check_meter", "check_values")


def to_be_checked(found: Case) -> tuple[str, ...]:
    """What of the connection has not been seen to work yet, by the names of its fields."""
    return tuple(name for name in _CHECKS if found.fact(name) != YES)


def next_step(found: Case, *, certified: bool | None = None) -> Step | None:
    """The step that leads the case on; ``None`` where nothing is to be done.

    Args:
        found: the case.
        certified: whether the certificate of its EMS is in the register; ``None``: nobody has looked.
    """
    event = _event(found, certified)
    if event is not None:
        return step_for(event, found.state)
    return next((step for step in steps_from(found.state) if step.main), None)


def _event(found: Case, certified: bool | None) -> Event | None:
    """Where the table has several ways on, or another one comes before."""
    match found.state:
        case State.CHECKING:
            known = bool(found.fact("ems_certificate")) and certified is not False
            return None if known or found.fact("warning_told") == YES else Event.CONFIRM_WARNING
        case State.SURVEY:
            if not found.fact("surveyed_on"):
                return Event.RECORD_SURVEY
            return Event.NOT_INSTALLABLE if found.fact("installable") == NO else Event.PLAN_WORKS
        case State.WORKS_PLANNED:
            return Event.RECORD_WORKS
        case State.CONNECTION_CHECK:
            return Event.RECORD_CHECK if to_be_checked(found) else Event.START
        case State.SUSPENDED:
            replaced = found.fact("suspend_reason") == "meter_replacement"
            return Event.METER_REPLACED if replaced else Event.RESUME
    return None
