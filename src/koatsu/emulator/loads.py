"""Load shapes: net active and reactive power of a site for any minute, as a pure function.

Positive is bought, negative is sold. Kilowatts are floats here and nowhere below: the meter model
turns each minute into whole milliwatts before it counts anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt
from typing import Protocol

from koatsu.emulator.calendar import MINUTES_OF_DAY, DayKind, date_of, day_kind
from koatsu.emulator.noise import smooth, stream_key, unit
from koatsu.emulator.profile import Motor, SiteProfile, load_profile
from koatsu.emulator.weather import Weather

__all__ = [
    "ConstantLoad",
    "Load",
    "NetLoad",
    "PartLoad",
    "SiteLoad",
    "SolarGeneration",
    "StandingLoad",
    "SwitchedLoad",
]

_BUSY_HOUR_BLOCK = 60


class Load(Protocol):
    """What flows through the point of supply."""

    def power(self, minute: int) -> tuple[float, float]:
        """Mean kW and kvar (lag positive) of the JST minute ``minute``; negative kW flows to the utility."""
        ...


@dataclass(frozen=True, slots=True)
class ConstantLoad:
    """The same power for ever: for tests and for a load set by hand."""

    kw: float
    kvar: float = 0.0

    def power(self, minute: int) -> tuple[float, float]:  # noqa: ARG002 - the protocol's argument
        """The constant, whatever the minute."""
        return self.kw, self.kvar


@dataclass(frozen=True, slots=True)
class StandingLoad:
    """A cheap load for fleets of thousands: a day wave and a little noise, no profile."""

    seed: int
    mean_kw: float = 150.0

    def power(self, minute: int) -> tuple[float, float]:
        """A triangle over the day with half-hour noise; power factor 0.95."""
        of_day = minute % MINUTES_OF_DAY
        wave = 1.0 - abs(of_day - 810) / 810
        kw = self.mean_kw * (0.4 + 1.1 * max(0.0, wave) + 0.1 * smooth(self.seed, minute, 30))
        return kw, kw * 0.33


@dataclass(frozen=True, slots=True)
class SolarGeneration:
    """Solar panels: kW generated (positive) in a minute."""

    kw_peak: float
    weather: Weather

    def generation_kw(self, minute: int) -> float:
        """Mean AC power of the minute in kW, 0 at night."""
        sun = self.weather.sun(minute)
        if sun <= 0:
            return 0.0
        hot = 1 - 0.004 * max(0.0, self.weather.temperature_c(minute) + 20 * sun - 25)
        return self.kw_peak * min(1.0, sun * self.weather.clearness(minute) * hot)


@dataclass(frozen=True, slots=True)
class NetLoad:
    """A site with generation behind the same point of supply: load less generation."""

    load: Load
    solar: SolarGeneration

    def power(self, minute: int) -> tuple[float, float]:
        """Net kW (negative when the site sells) and the load's kvar: the inverters run at unity."""
        kw, kvar = self.load.power(minute)
        return kw - self.solar.generation_kw(minute), kvar


@dataclass(frozen=True, slots=True)
class PartLoad:
    """A share of another load: what a submeter sees."""

    load: Load
    share: float

    def power(self, minute: int) -> tuple[float, float]:
        """The share of both powers."""
        kw, kvar = self.load.power(minute)
        return kw * self.share, kvar * self.share


@dataclass(slots=True)
class SwitchedLoad:
    """A load that a person may override; after a change call ``refresh`` of every model that reads it."""

    load: Load
    override_kw: float | None = None

    def power(self, minute: int) -> tuple[float, float]:
        """The overriding kW at a power factor of 0.95, or what the site draws by itself."""
        if self.override_kw is None:
            return self.load.power(minute)
        return self.override_kw, max(0.0, self.override_kw) * 0.33


@dataclass(frozen=True, slots=True)
class SiteLoad:
    """The load of one kind of site under one seed; ``scale`` makes the place bigger or smaller."""

    kind: str
    seed: int = 1
    scale: float = 1.0
    profile: SiteProfile = field(init=False, repr=False, compare=False)
    weather: Weather = field(init=False, repr=False, compare=False)
    _slow: int = field(init=False, repr=False, compare=False)
    _fast: int = field(init=False, repr=False, compare=False)
    _day: int = field(init=False, repr=False, compare=False)
    _full_kw: float = field(init=False, repr=False, compare=False)
    _starts: tuple[tuple[Motor, int], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        profile = load_profile(self.kind)
        put = object.__setattr__
        put(self, "profile", profile)
        put(self, "weather", Weather(self.seed))
        put(self, "_slow", stream_key(self.seed, f"{self.kind} slow"))
        put(self, "_fast", stream_key(self.seed, f"{self.kind} fast"))
        put(self, "_day", stream_key(self.seed, f"{self.kind} day"))
        put(self, "_full_kw", max(profile.curves[DayKind.WORKDAY]))
        starts = (
            (motor, stream_key(self.seed, f"{self.kind} motor {n}")) for n, motor in enumerate(profile.motors)
        )
        put(self, "_starts", tuple(starts))

    def power(self, minute: int) -> tuple[float, float]:
        """Mean kW and lagging kvar of the JST minute."""
        profile = self.profile
        day, of_day = divmod(minute, MINUTES_OF_DAY)
        curve = profile.curves[_kind_of(day, self.kind)][of_day]
        busy = min(1.0, curve / self._full_kw)
        kw = curve * (0.96 + 0.08 * unit(self._day, day)) + self._climate_kw(minute, busy)
        if profile.refrigeration is not None:
            kw += self._cold_kw(minute)
        for motor, key in self._starts:
            kw += _motor_kw(motor, key, minute, busy)
        slow = smooth(self._slow, minute, 20)
        fast = 2.0 * unit(self._fast, minute) - 1.0
        kw += (profile.noise_share * kw + profile.noise_kw) * (0.65 * slow + 0.35 * fast)
        kw = max(1.0, kw) * self.scale
        return kw, kw * self._reactive_share(busy, slow)

    def _climate_kw(self, minute: int, busy: float) -> float:
        climate = self.profile.climate
        # the building follows the air outside with an hour's delay
        outside = self.weather.temperature_c(minute - 60)
        warm = max(0.0, outside - climate.cool_above_c) * climate.cool_kw_per_c
        cold = max(0.0, climate.heat_below_c - outside) * climate.heat_kw_per_c
        return (warm + cold) * max(0.0, busy - 0.12) / 0.88

    def _cold_kw(self, minute: int) -> float:
        cold = self.profile.refrigeration
        assert cold is not None
        outside = self.weather.temperature_c(minute)
        base = cold.kw + cold.kw_per_c_above_15 * max(0.0, outside - 15)
        phase = (minute % cold.cycle_minutes) / cold.cycle_minutes
        return base * (1 + cold.swing * (1 if phase < 0.55 else -1.2))

    def _reactive_share(self, busy: float, slow: float) -> float:
        """Kvar per kW: tan(arccos(power factor))."""
        factor = self.profile.power_factor
        cosine = factor.at_base + (factor.at_full - factor.at_base) * busy + 0.004 * slow
        cosine = min(0.999, max(0.5, cosine))
        return sqrt(1 - cosine * cosine) / cosine


@lru_cache(maxsize=8192)
def _kind_of(day: int, kind: str) -> DayKind:
    return day_kind(date_of(day * MINUTES_OF_DAY), load_profile(kind).pauses)


def _motor_kw(motor: Motor, key: int, minute: int, busy: float) -> float:
    """What one motor draws in the minute; its starts are drawn for each block of an hour and its part."""
    if busy < 0.3:
        return 0.0
    parts = max(1, round(motor.starts_per_hour))
    length = _BUSY_HOUR_BLOCK // parts
    chance = motor.starts_per_hour / parts
    shortest, longest = motor.minutes
    kw = 0.0
    block = minute // length
    for candidate in (block, block - 1):
        if unit(key, 3 * candidate) >= chance:
            continue
        start = candidate * length + int(unit(key, 3 * candidate + 1) * length)
        run = shortest + int(unit(key, 3 * candidate + 2) * (longest - shortest + 1))
        if start <= minute < start + run:
            kw += motor.kw * (motor.surge if minute == start else 1.0)
    return kw
