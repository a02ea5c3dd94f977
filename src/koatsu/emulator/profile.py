"""Site profiles: what kind of place draws the power, read from ``profiles/<kind>.toml``.

A profile is data: curves by day kind, climate, motors, refrigeration, power factor. ``loads`` turns
it into kilowatts. A file with an unknown key or a curve out of order is refused with its name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from koatsu.emulator.calendar import MINUTES_OF_DAY, DayKind, Pause
from koatsu.emulator.packaged import packaged_names, packaged_text
from koatsu.errors import ConfigError

__all__ = ["Climate", "Motor", "PowerFactor", "Refrigeration", "SiteProfile", "load_profile", "site_kinds"]

_FOLDER = "profiles"


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """Cooling and heating in kW per degree beyond a limit, when the site is fully busy."""

    cool_above_c: float
    cool_kw_per_c: float
    heat_below_c: float
    heat_kw_per_c: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Motor:
    """A motor that is switched on now and then while the site works."""

    kw: float
    starts_per_hour: float
    minutes: tuple[int, int]  #: shortest and longest run
    surge: float  #: mean power of the first minute over the running power


@dataclass(frozen=True, slots=True, kw_only=True)
class Refrigeration:
    """Compressors that cycle day and night."""

    kw: float
    kw_per_c_above_15: float
    cycle_minutes: int
    swing: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerFactor:
    """Lagging power factor at the lowest and at the full load; linear between."""

    at_base: float
    at_full: float

    def __post_init__(self) -> None:
        if not (0.5 <= self.at_base <= 1 and 0.5 <= self.at_full <= 1):
            raise ValueError("a power factor lies between 0.5 and 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteProfile:
    """One kind of site; ``curves`` hold 1,440 kW values for each day kind."""

    kind: str
    name_ja: str
    name_en: str
    contract_kw: float
    noise_share: float
    noise_kw: float
    pauses: tuple[Pause, ...]
    curves: Mapping[DayKind, tuple[float, ...]]
    climate: Climate
    motors: tuple[Motor, ...]
    refrigeration: Refrigeration | None
    power_factor: PowerFactor


def site_kinds() -> tuple[str, ...]:
    """The names of the profiles that come with the program."""
    return packaged_names(_FOLDER)


@cache
def load_profile(kind: str) -> SiteProfile:
    """The profile called ``kind``.

    Raises:
        UsageError: no such profile.
        ConfigError: its file is wrong.
    """
    raw = tomllib.loads(packaged_text(_FOLDER, kind, what="site profile", what_ja="需要場所の種別"))
    try:
        return _parse(kind, raw)
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"Site profile {kind}.toml is wrong: {error}.") from error


def _parse(kind: str, raw: dict[str, Any]) -> SiteProfile:
    curves = {day: _curve(raw["curves"][day.value]) for day in DayKind}
    cold = raw.get("refrigeration")
    motors = tuple(Motor(**{**motor, "minutes": tuple(motor["minutes"])}) for motor in raw.get("motors", ()))
    return SiteProfile(
        kind=kind,
        name_ja=raw["name_ja"],
        name_en=raw["name_en"],
        contract_kw=float(raw["contract_kw"]),
        noise_share=float(raw["noise_share"]),
        noise_kw=float(raw["noise_kw"]),
        pauses=tuple(_pause(text) for text in raw["pauses"]),
        curves=curves,
        climate=Climate(**raw["climate"]),
        motors=motors,
        refrigeration=Refrigeration(**cold) if cold else None,
        power_factor=PowerFactor(**raw["power_factor"]),
    )


def _minutes(text: str) -> int:
    hour, minute = (int(part) for part in text.split(":"))
    return hour * 60 + minute


def _curve(points: list[tuple[str, float]]) -> tuple[float, ...]:
    """1,440 values, straight between the points and flat after the last."""
    anchors = [(_minutes(text), float(kw)) for text, kw in points]
    if anchors[0][0] != 0 or any(a >= b for (a, _), (b, _) in pairwise(anchors)):
        raise ValueError("a curve begins at 00:00 and its times rise")
    anchors.append((MINUTES_OF_DAY, anchors[-1][1]))
    values: list[float] = []
    for (start, low), (end, high) in pairwise(anchors):
        values.extend(low + (high - low) * step / (end - start) for step in range(end - start))
    return tuple(values)


def _pause(text: str) -> Pause:
    first, last = (tuple(int(part) for part in end.split("-")) for end in text.split(".."))
    return Pause(first=(first[0], first[1]), last=(last[0], last[1]))
