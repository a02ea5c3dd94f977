"""The scale of a chart: from zero to a little above everything that must be seen, with round steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Axis"]

_STEPS = (1.0, 2.0, 5.0, 10.0)
_CLOSE, _AIR_RAISED = 0.6, 0.6  # bars all above this share of the greatest; so much of their spread below
_NOTHING = 1e-6  # below a milliwatt there is nothing to draw
_AIR, _AIR_BELOW = 1.12, 1.25  # the charts that hang down are lower, so their labels need a greater share


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from ``base`` (0, but for monthly maxima) to ``top``; ``down`` hangs them below the axis."""

    top: float
    step: float
    down: bool = False
    base: float = 0.0

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

    @classmethod
    def raised(cls, bars: Sequence[float], *lines: float, ticks: int = 4) -> Axis:
        """The scale that begins below the least bar, where bars and lines lie close together; else at 0."""
        least, greatest = min(bars, default=0.0), max([*bars, *lines, 0.0])
        if least < greatest * _CLOSE or greatest - least < _NOTHING:
            return cls.over(*bars, *lines, ticks=ticks)
        below = max(0.0, least - (greatest - least) * _AIR_RAISED)
        found = cls.over(greatest - below, ticks=ticks)
        base = math.floor(below / found.step) * found.step
        return cls(top=base + (greatest - base) * _AIR, step=found.step, base=base)

    def y(self, value: float) -> float:
        """Where ``value`` lies: 0 is the top edge of the plot, 1 its bottom; nothing lies outside."""
        share = min(1.0, max(0.0, (value - self.base) / (self.top - self.base)))
        return share if self.down else 1.0 - share

    def ticks(self) -> tuple[float, ...]:
        """The values that get a line and a figure, the base first."""
        steps = int((self.top - self.base) / self.step + 1e-9)
        return tuple(self.base + self.step * number for number in range(steps + 1))

    def label(self, value: float) -> str:
        """``value`` with as many decimals as the steps need."""
        places = max(0, -math.floor(math.log10(self.step) + 1e-9))
        return f"{value:,.{places}f}"
