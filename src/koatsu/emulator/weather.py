"""Weather-like noise: an outdoor temperature and a sky for every minute, in the manner of northern Kyushu.

Nothing is forecast or measured here: a yearly and a daily wave, and what passing fronts add, all
drawn from the seed. Used by cooling, heating, refrigeration and solar generation alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import asin, cos, pi, sin, sqrt

from koatsu.emulator.calendar import MINUTES_OF_DAY, date_of
from koatsu.emulator.noise import smooth, stream_key, unit

__all__ = ["Weather"]

_YEAR = 365.25
_LATITUDE = 33.6 * pi / 180  # Fukuoka
_MEAN_C = 17.3
_SWING_C = 11.0
_COLDEST_DAY = 28  # end of January


@dataclass(frozen=True, slots=True)
class Weather:
    """The weather of one seed; two sites of one seed share it."""

    seed: int
    _front: int = field(init=False, repr=False, compare=False)
    _sky: int = field(init=False, repr=False, compare=False)
    _cloud: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_front", stream_key(self.seed, "weather front"))
        object.__setattr__(self, "_sky", stream_key(self.seed, "sky of the day"))
        object.__setattr__(self, "_cloud", stream_key(self.seed, "passing cloud"))

    def temperature_c(self, minute: int) -> float:
        """Outdoor temperature in °C at the JST minute."""
        day = minute / MINUTES_OF_DAY
        season = -cos(2 * pi * (day - _COLDEST_DAY) / _YEAR)
        hour = -cos(2 * pi * ((minute % MINUTES_OF_DAY) / MINUTES_OF_DAY - 2.5 / 24))
        front = smooth(self._front, minute, 3 * MINUTES_OF_DAY)
        return _MEAN_C + _SWING_C * season + 3.6 * hour * (1 - 0.3 * abs(front)) + 3.5 * front

    def clearness(self, minute: int) -> float:
        """How much of a clear sky's sun reaches the ground, 0.08 to 1."""
        day = minute // MINUTES_OF_DAY
        sky = 0.25 + 0.75 * sqrt(unit(self._sky, day))
        passing = 0.5 + 0.5 * smooth(self._cloud, minute, 7)
        return max(0.08, min(1.0, sky - (1 - sky) * 0.9 * passing))

    def sun(self, minute: int) -> float:
        """Clear-sky irradiance on a panel, as a share of its rating, 0 at night to about 0.9 at noon."""
        day, of_day = divmod(minute, MINUTES_OF_DAY)
        level, swing = _height_terms(day)
        height = level + swing * cos(2 * pi * (of_day - 12.3 * 60) / MINUTES_OF_DAY)
        # a panel tilted to the south evens out the seasons: that is what the constant term stands for
        return max(0.0, 0.9 * height * (1.25 - 0.3 * height)) if height > 0 else 0.0


@lru_cache(maxsize=1024)
def _height_terms(day: int) -> tuple[float, float]:
    """The sine of the sun's height is the first term plus the second times the cosine of the hour angle."""
    of_year = date_of(day * MINUTES_OF_DAY).timetuple().tm_yday
    declination = asin(0.3978 * sin(2 * pi * (of_year - 80.2) / _YEAR))
    return sin(_LATITUDE) * sin(declination), cos(_LATITUDE) * cos(declination)
