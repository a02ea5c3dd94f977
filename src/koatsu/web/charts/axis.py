"""The scale of a chart: from zero to a little above everything that must be seen, with round steps."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Axis"]

_STEPS = (1.0, 2.0, 5.0, 10.0)
_NOTHING = 1e-6  # below a milliwatt there is nothing to draw
_AIR, _AIR_BELOW = 1.12, 1.25  # the charts that hang down are lower, so their labels need a greater share


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from 0 to ``top``; ``down`` draws them below the axis (sold energy)."""

    top: float
    step: float
    down: bool = False

    @classmethod
    def over(cls, *values: float, down: bool = False, ticks: int = 4) -> Axis:
        """The scale that holds ``values``, with air for a label above the greatest."""
        greatest = max([0.0, *values])
        if greatest < _NOTHING:
            return cls(top=1.0, step=2.0, down=down)  # nothing to measure: no figure but 0
        top = greatest * (_AIR_BELOW if down else _AIR)
        rough = top / ticks
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in _STEPS if factor * power >= rough * 0.75)
        return cls(top=top, step=step, down=down)

    def y(self, value: float) -> float:
        """Where ``value`` lies: 0 is the top edge of the plot, 1 its bottom; nothing lies outside."""
        share = min(1.0, max(0.0, value / self.top))
        return share if self.down else 1.0 - share

    def ticks(self) -> tuple[float, ...]:
        """The values that get a line and a figure, 0 first."""
        return tuple(self.step * number for number in range(int(self.top / self.step + 1e-9) + 1))

    def label(self, value: float) -> str:
        """``value`` with as many decimals as the steps need."""
        places = max(0, -math.floor(math.log10(self.step) + 1e-9))
        return f"{value:,.{places}f}"
