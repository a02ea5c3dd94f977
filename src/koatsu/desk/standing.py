"""A case in the middle of a step: what it was, what was given, what it will be. Rules look, effects act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from koatsu.desk.lifecycle import Step
from koatsu.desk.models import Actor, Case
from koatsu.desk.settings import DeskSettings
from koatsu.desk.states import State
from koatsu.desk.supply_points import SupplyPoint, find_point
from koatsu.desk.vault import Vault

__all__ = ["Standing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One step of one case, in its transaction."""

    connection: Connection
    vault: Vault
    settings: DeskSettings
    now: datetime
    today: date  #: in Japan
    actor: Actor
    case: Case  #: as it was
    step: Step
    after: State
    given: Mapping[str, str]  #: what the step was given, cleaned
    facts: Mapping[str, str]  #: what the case will know, personal values left out
    person: Mapping[str, str]  #: personal values as they will be

    def value(self, name: str) -> str:
        """A value as it will be, or empty."""
        return self.facts.get(name) or self.person.get(name, "")

    def day(self, name: str) -> date | None:
        """A date as it will be."""
        text = self.value(name)
        return date.fromisoformat(text) if text else None

    @property
    def point(self) -> SupplyPoint | None:
        """The supply point in the register."""
        return find_point(self.connection, self.case.supply_point)
