"""The nameplate of a meter: what decides how its counts are read, and when a new meter epoch begins.

Counts of different epochs are never subtracted. An epoch ends when the meter is another one (class or
serial number) or reads its counts otherwise (a scale or a number of digits).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from koatsu.meter.registers import MAX_DIGITS, Register
from koatsu.meter.scale import Scale

__all__ = ["Nameplate", "Scaled"]

#: What has a scale beside the registers: a slot's or month's demand, and the sum of monthly maxima.
Scaled = Register | Literal["demand", "cumulative_demand"]

_EPOCH_FIELDS: Final = (
    "class_code",
    "serial",
    "energy_scale",
    "demand_scale",
    "reactive_scale",
    "cumulative_demand_scale",
    "energy_digits",
    "demand_digits",
    "reactive_digits",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nameplate:
    """The static values of one meter; ``None`` is what the meter does not offer.

    ``fixed_day`` (1 to 31) is the day on which the meter closes its month; it may change within an epoch.
    ``current_coefficient`` and ``voltage_coefficient`` multiply instantaneous values of class 0x028D.

    Raises:
        ValueError: digits or the fixed day are out of their range.
    """

    class_code: int
    serial: str | None
    energy_scale: Scale
    energy_digits: int
    demand_scale: Scale | None = None
    demand_digits: int | None = None
    cumulative_demand_scale: Scale | None = None
    reactive_scale: Scale | None = None
    reactive_digits: int | None = None
    fixed_day: int | None = None
    current_coefficient: int = 1
    voltage_coefficient: int = 1

    def __post_init__(self) -> None:
        for digits in (self.energy_digits, self.demand_digits, self.reactive_digits):
            if digits is not None and not 1 <= digits <= MAX_DIGITS:
                raise ValueError(f"a register has 1 to {MAX_DIGITS} digits, not {digits}")
        if self.fixed_day is not None and not 1 <= self.fixed_day <= 31:
            raise ValueError(f"the fixed day is 1 to 31, not {self.fixed_day}")

    @property
    def unscaled(self) -> bool:
        """Whether the coefficient is 0, so that counts cannot be turned into energy."""
        return self.energy_scale.factor is None

    def scale_of(self, what: Scaled) -> Scale | None:
        """The scale of a register, of "demand" or of "cumulative_demand"; ``None`` when not offered."""
        if isinstance(what, Register):
            return self.reactive_scale if what.reactive else self.energy_scale
        return self.demand_scale if what == "demand" else self.cumulative_demand_scale

    def digits_of(self, what: Scaled) -> int:
        """The effective digits of a register or a demand; 8, the widest the wire carries, where not offered.

        The standard names no digits for the cumulative maximum demand, so it counts with 8.
        """
        if isinstance(what, Register):
            digits = self.reactive_digits if what.reactive else self.energy_digits
        else:
            digits = self.demand_digits if what == "demand" else None
        return digits or MAX_DIGITS

    def changes(self, other: Nameplate) -> tuple[str, ...]:
        """The fields in which ``other`` (read later) differs so that a new epoch begins; empty for none.

        A field that one side lacks is no evidence: a meter may refuse an optional property once.
        """
        changed = []
        for name in _EPOCH_FIELDS:
            before, after = getattr(self, name), getattr(other, name)
            if before is not None and after is not None and before != after:
                changed.append(name)
        return tuple(changed)
