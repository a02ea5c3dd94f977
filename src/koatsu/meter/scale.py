"""The exact factor from a count on the wire to kWh, kvarh or kW.

A scale is the product of what the class table names for a value: coefficient × multiplier × unit.
A class without a coefficient or a multiplier counts with 1. The coefficient 0 is legal on the wire and
means that nobody has set it: the counts are kept, the value is unknown, and it is never shown as zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from koatsu.meter.quantity import EXACT, plain, require_decimal

__all__ = ["MAX_COEFFICIENT", "Scale"]

MAX_COEFFICIENT: Final = 999_999


@dataclass(frozen=True, slots=True)
class Scale:
    """``coefficient`` (0 to 999,999) × ``multiplier`` × ``unit`` (kWh, kvarh or kW of one raw count).

    Raises:
        TypeError: the multiplier or the unit is not a Decimal.
        ValueError: a part is out of its range.
    """

    coefficient: int
    multiplier: Decimal
    unit: Decimal
    _factor: Decimal | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.coefficient, bool) or not isinstance(self.coefficient, int):
            raise TypeError(f"a coefficient is an integer, not {self.coefficient!r}")
        if not 0 <= self.coefficient <= MAX_COEFFICIENT:
            raise ValueError(f"a coefficient is 0 to {MAX_COEFFICIENT}, not {self.coefficient}")
        for name in ("multiplier", "unit"):
            if require_decimal(getattr(self, name), f"the {name} of a scale") <= 0:
                raise ValueError(f"the {name} of a scale is positive, not {getattr(self, name)}")
        factor = EXACT.multiply(EXACT.multiply(Decimal(self.coefficient), self.multiplier), self.unit)
        object.__setattr__(self, "_factor", factor if self.coefficient else None)

    @property
    def factor(self) -> Decimal | None:
        """What one count is worth; ``None`` when the coefficient is 0, that is: unscaled."""
        return self._factor

    def apply(self, counts: int) -> Decimal | None:
        """The exact value of ``counts``; ``None`` when unscaled.

        Raises:
            TypeError: ``counts`` is not an integer.
        """
        if isinstance(counts, bool) or not isinstance(counts, int):
            raise TypeError(f"counts are integers, not {counts!r}")
        if self._factor is None:
            return None
        return EXACT.multiply(Decimal(counts), self._factor)

    def __str__(self) -> str:
        return f"{self.coefficient} × {plain(self.multiplier)} × {plain(self.unit)}"
