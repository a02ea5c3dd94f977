"""The walk of docs/desk.md: one case of the demo from application to end, on one day, by one person."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from koatsu.desk import Event, State

__all__ = ["WALK", "application"]

Given = Callable[[date], Mapping[str, str]]

#: Event, what is given, and where it leads. The first one hands the application in.
WALK: Final[tuple[tuple[Event, Given, State], ...]] = (
    (Event.SUBMIT, lambda day: {}, State.SUBMITTED),
    (Event.BEGIN_CHECK, lambda day: {}, State.CHECKING),
    (Event.ACCEPT, lambda day: {"in_area": "yes", "installable": "yes"}, State.ACCEPTED),
    (Event.PLAN_SURVEY, lambda day: {"survey_on": day.isoformat()}, State.SURVEY),
    (
        Event.RECORD_SURVEY,
        lambda day: {
            "surveyed_on": day.isoformat(), "meter_supported": "yes", "outage_needed": "no",
            "installable": "yes",
        },
        State.SURVEY,
    ),
    (Event.PLAN_WORKS, lambda day: {"works_on": day.isoformat()}, State.WORKS_PLANNED),
    (
        Event.RECORD_WORKS,
        lambda day: {
            "worked_on": day.isoformat(), "terminal_type": "BT-1", "terminal_serial": "T-900001",
            "outage_done": "no",
        },
        State.WORKS_DONE,
    ),
    (Event.BEGIN_CONNECTION, lambda day: {}, State.CONNECTION_CHECK),
    (Event.RECORD_CHECK, lambda day: {"check_values": "yes"}, State.CONNECTION_CHECK),
    (Event.START, lambda day: {}, State.IN_SERVICE),
    (Event.ASK_END, lambda day: {"way": "counter", "received_on": day.isoformat()}, State.ENDING),
    (Event.CABLE_REMOVED, lambda day: {"cable_removed_on": day.isoformat()}, State.ENDED),
)  # fmt: skip


def application(point: str, terms: str, day: date) -> dict[str, str]:
    """What the walk types into the form."""
    return {
        "supply_point": point,
        "supply": "utility",
        "way": "counter",
        "received_on": day.isoformat(),
        "customer_name": "株式会社 こもれび製作所",
        "organisation": "yes",
        "phone": "000-100-1234",
        "ems_installed": "yes",
        "ems_certificate": "SMA-9901",
        "terms_version": terms,
        "terms_accepted": "yes",
    }
