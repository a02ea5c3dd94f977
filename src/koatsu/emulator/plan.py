"""Plans: what an emulated site is made of and what is to happen there, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from koatsu.emulator.faults import FaultOrder
from koatsu.emulator.loads import Load, NetLoad, SiteLoad, SolarGeneration
from koatsu.emulator.profile import load_profile
from koatsu.emulator.spec import MeterSpec
from koatsu.errors import UsageError

__all__ = ["MeterPlan", "PlannedEvent", "SitePlan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPlan:
    """A meter of a site: on which terminal (1, 2, …) and what share of the site's load it sees."""

    spec: MeterSpec
    terminal: int = 1
    share: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEvent:
    """What happens ``after`` the start: a fault on or off, or the load set (``None``: by itself)."""

    after: timedelta
    fault: FaultOrder | None = None
    on: bool = True
    meter: int | None = None
    load_kw: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """What a site is; ``solar_kw`` is the rating of panels behind the same point of supply."""

    kind: str = "factory"
    seed: int = 1
    scale: float = 1.0
    solar_kw: float = 0.0
    meters: tuple[MeterPlan, ...] = (MeterPlan(spec=MeterSpec()),)
    events: tuple[PlannedEvent, ...] = ()

    def __post_init__(self) -> None:
        load_profile(self.kind)
        if not self.meters:
            raise UsageError("A site has at least one meter.")
        if self.terminals != tuple(range(1, len(self.terminals) + 1)):
            raise UsageError("Terminals are numbered 1, 2, … without a gap.")

    @property
    def terminals(self) -> tuple[int, ...]:
        """The numbers of the terminals."""
        return tuple(sorted({plan.terminal for plan in self.meters}))

    def load(self) -> Load:
        """The net load at the point of supply."""
        load = SiteLoad(self.kind, self.seed, self.scale)
        if not self.solar_kw:
            return load
        return NetLoad(load, SolarGeneration(self.solar_kw, load.weather))
