"""What the four meter classes call their values: property name and field -> register or gauge.

Pure data. The names are those of the class tables in ``koatsu.devices``; scales and selectors are not
repeated here, because those tables hold them. Source: ECHONET Consortium, Machine Readable Appendix
1.3.1, release R, classes 0x028A, 0x028F (high voltage), 0x0288 (low voltage), 0x028D (sub-metering).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from koatsu.meter.registers import Register

__all__ = ["CLASSES", "Gauge", "Kind", "Row", "Target"]


class Kind(StrEnum):
    """What time a property's value is for."""

    NOW = "now"  #: the present value
    SLOT = "slot"  #: the newest half-hour value
    MINUTE = "minute"  #: the newest one-minute value
    MAXIMUM = "maximum"  #: the maximum demand of the month, or the sum of those
    HISTORY = "history"  #: 48 values of a day
    SLOTS_HISTORY = "slots_history"  #: up to 12 half-hour values, by date and time
    MINUTES_HISTORY = "minutes_history"  #: up to 10 one-minute values, by date and time


class Gauge(StrEnum):
    """A measured value that is no cumulative counter."""

    DEMAND = "demand"
    DEMAND_REVERSE = "demand_reverse"
    MONTHLY_MAXIMUM = "monthly_maximum"
    MONTHLY_MAXIMUM_REVERSE = "monthly_maximum_reverse"
    CUMULATIVE_MAXIMUM = "cumulative_maximum"
    CUMULATIVE_MAXIMUM_REVERSE = "cumulative_maximum_reverse"
    POWER = "power"
    CURRENT_R = "current_r"
    CURRENT_T = "current_t"
    VOLTAGE_RS = "voltage_rs"
    VOLTAGE_ST = "voltage_st"


Target = Register | Gauge


@dataclass(frozen=True, slots=True)
class Row:
    """One property: its fields and what each is.

    A field of ``None`` means that the value is the whole property. ``stamped`` tells whether the property
    carries a time of its own (field ``at``).
    """

    name: str
    kind: Kind
    fields: tuple[tuple[str | None, Target], ...]
    stamped: bool = True


def _normal(name: str, kind: Kind, target: Target) -> Row:
    return Row(name, kind, (("normal", target),))


def _reverse(name: str, kind: Kind, target: Target) -> Row:
    return Row(name, kind, (("reverse", target),))


def _both(name: str, kind: Kind, normal: Target, reverse: Target) -> Row:
    return Row(name, kind, (("normal", normal), ("reverse", reverse)))


def _bare(name: str, kind: Kind, target: Target) -> Row:
    return Row(name, kind, ((None, target),), stamped=False)


def _unstamped(name: str, kind: Kind, *fields: tuple[str, Target]) -> Row:
    return Row(name, kind, fields, stamped=False)


_CURRENTS: Final = _unstamped("current_now", Kind.NOW, ("r", Gauge.CURRENT_R), ("t", Gauge.CURRENT_T))

_HIGH_VOLTAGE: Final = (
    _normal("energy_now", Kind.NOW, Register.ENERGY),
    _normal("energy_pf_now", Kind.NOW, Register.ENERGY_PF),
    _normal("reactive_now", Kind.NOW, Register.REACTIVE_PF),
    _normal("energy_slot", Kind.SLOT, Register.ENERGY),
    _normal("demand_slot", Kind.SLOT, Gauge.DEMAND),
    _normal("reactive_slot", Kind.SLOT, Register.REACTIVE_PF),
    _bare("monthly_max_demand", Kind.MAXIMUM, Gauge.MONTHLY_MAXIMUM),
    _bare("cumulative_max_demand", Kind.MAXIMUM, Gauge.CUMULATIVE_MAXIMUM),
    _normal("energy_history", Kind.HISTORY, Register.ENERGY),
    _normal("demand_history", Kind.HISTORY, Gauge.DEMAND),
    _normal("reactive_history", Kind.HISTORY, Register.REACTIVE_PF),
)

_ENERGY: Final = (Register.ENERGY, Register.ENERGY_REVERSE)
_ENERGY_PF: Final = (Register.ENERGY_PF, Register.ENERGY_PF_REVERSE)
_REACTIVE_PF: Final = (Register.REACTIVE_PF, Register.REACTIVE_PF_REVERSE)
_DEMAND: Final = (Gauge.DEMAND, Gauge.DEMAND_REVERSE)

_HIGH_VOLTAGE_BOTH_WAYS: Final = (
    _both("energy_now", Kind.NOW, *_ENERGY),
    _bare("power_now", Kind.NOW, Gauge.POWER),
    _CURRENTS,
    _both("energy_pf_now", Kind.NOW, *_ENERGY_PF),
    _both("reactive_now", Kind.NOW, *_REACTIVE_PF),
    _both("reactive_lag_now", Kind.NOW, Register.REACTIVE_LAG, Register.REACTIVE_LAG_REVERSE),
    _both("reactive_lead_now", Kind.NOW, Register.REACTIVE_LEAD, Register.REACTIVE_LEAD_REVERSE),
    _both("energy_slot", Kind.SLOT, *_ENERGY),
    _both("demand_slot", Kind.SLOT, *_DEMAND),
    _both("reactive_slot", Kind.SLOT, *_REACTIVE_PF),
    _both("energy_minute", Kind.MINUTE, *_ENERGY),
    _both("reactive_minute", Kind.MINUTE, *_REACTIVE_PF),
    _unstamped(
        "monthly_max_demand",
        Kind.MAXIMUM,
        ("normal", Gauge.MONTHLY_MAXIMUM),
        ("reverse", Gauge.MONTHLY_MAXIMUM_REVERSE),
    ),
    _unstamped(
        "cumulative_max_demand",
        Kind.MAXIMUM,
        ("normal", Gauge.CUMULATIVE_MAXIMUM),
        ("reverse", Gauge.CUMULATIVE_MAXIMUM_REVERSE),
    ),
    _normal("energy_history", Kind.HISTORY, Register.ENERGY),
    _reverse("energy_history_reverse", Kind.HISTORY, Register.ENERGY_REVERSE),
    _normal("demand_history", Kind.HISTORY, Gauge.DEMAND),
    _reverse("demand_history_reverse", Kind.HISTORY, Gauge.DEMAND_REVERSE),
    _normal("reactive_history", Kind.HISTORY, Register.REACTIVE_PF),
    _reverse("reactive_history_reverse", Kind.HISTORY, Register.REACTIVE_PF_REVERSE),
    _both("energy_minutes_history", Kind.MINUTES_HISTORY, *_ENERGY),
    _both("reactive_minutes_history", Kind.MINUTES_HISTORY, *_REACTIVE_PF),
)

_BARE_COUNTERS: Final = (
    _bare("energy_now", Kind.NOW, Register.ENERGY),
    _bare("energy_now_reverse", Kind.NOW, Register.ENERGY_REVERSE),
    _bare("power_now", Kind.NOW, Gauge.POWER),
    _CURRENTS,
    _normal("energy_slot", Kind.SLOT, Register.ENERGY),
    _reverse("energy_slot_reverse", Kind.SLOT, Register.ENERGY_REVERSE),
    _normal("energy_history", Kind.HISTORY, Register.ENERGY),
    _reverse("energy_history_reverse", Kind.HISTORY, Register.ENERGY_REVERSE),
)

_LOW_VOLTAGE: Final = (
    *_BARE_COUNTERS,
    _both("energy_minute", Kind.MINUTE, *_ENERGY),
    _both("energy_slots_history", Kind.SLOTS_HISTORY, *_ENERGY),
    _both("energy_minutes_history", Kind.MINUTES_HISTORY, *_ENERGY),
)

_SUB_METER: Final = (
    *_BARE_COUNTERS,
    _unstamped("voltage_now", Kind.NOW, ("rs", Gauge.VOLTAGE_RS), ("st", Gauge.VOLTAGE_ST)),
)

#: Class code -> its rows, the most wanted of each kind first.
CLASSES: Final[Mapping[int, tuple[Row, ...]]] = MappingProxyType(
    {
        0x0288: _LOW_VOLTAGE,
        0x028A: _HIGH_VOLTAGE,
        0x028D: _SUB_METER,
        0x028F: _HIGH_VOLTAGE_BOTH_WAYS,
    }
)
