"""Cases, what happened to them, works and who acts, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from koatsu.desk.lifecycle import Event
from koatsu.desk.states import State
from koatsu.people import Role

__all__ = ["SYSTEM", "Actor", "Case", "Entry", "Works", "WorksKind", "WorksState"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts or looks. ``role`` is ``None`` for this program itself."""

    reference: str  #: "person:3", "token:5" or "system"
    role: Role | None
    office: str | None = None  #: whose cases staff see; None: those of every office
    customer: int | None = None  #: whose cases a customer sees

    @property
    def system(self) -> bool:
        """Whether it is this program itself."""
        return self.role is None


SYSTEM: Final = Actor(reference="system", role=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One supply point's way through the service, as it stands after its last event."""

    id: int
    number: str  #: HB-2026-00431
    state: State
    back: State | None  #: where it returns to when its end is taken back
    supply_point: str  #: 22 digits
    office: str  #: id; empty until the application is submitted
    assignee: str  #: reference of a person, or empty
    customer: int  #: under whose key the personal values are
    due_on: date | None
    opened_at: datetime
    changed_at: datetime
    changed_by: str
    version: int  #: rises with each event
    facts: Mapping[str, str]  #: values that are not personal, by field
    erased: bool  #: its personal values are gone for good

    def fact(self, name: str) -> str:
        """A value, or empty."""
        return self.facts.get(name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of a case's history, as it was written."""

    seq: int  #: in the chain of all cases
    case: int
    number: int  #: in its case, from 1
    at: datetime
    author: str
    role: str  #: role of the author, or "system"
    event: Event
    before: State | None
    after: State
    detail: Mapping[str, str]  #: values; of personal ones digests, of free text references
    hash: str


class WorksKind(StrEnum):
    """What is done at a site."""

    SURVEY = "survey"
    INSTALLATION = "installation"
    METER_REPLACEMENT = "meter_replacement"
    CABLE_REMOVAL = "cable_removal"
    REPAIR = "repair"


class WorksState(StrEnum):
    """How far an order is."""

    PLANNED = "planned"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """A works order: who goes where and when; every works of the utility is free of charge."""

    id: int
    case: int
    kind: WorksKind
    state: WorksState
    office: str
    planned_on: date | None
    window: str
    outage: str  #: agreed time of an outage; empty: none
    done_on: date | None
