"""What one emulated meter is: class, scale, digits, role, serial number, and which options it offers.

Facts on ranges and unit codes: ECHONET Consortium, Machine Readable Appendix 1.3.1, release R,
classes 0x028A, 0x028F, 0x0288, 0x028D. How its registers move is told in ``model``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from koatsu.errors import UsageError

__all__ = ["HISTORY_LIMIT_DAYS", "METER_CLASSES", "MeterSpec", "Role", "class_code"]

HISTORY_LIMIT_DAYS = 99  #: the standard's day selector goes back so far
METER_CLASSES = (0x028A, 0x028F, 0x0288, 0x028D)

_UNITS = tuple(
    Decimal(text) for text in ("1", "0.1", "0.01", "0.001", "0.0001", "10", "100", "1000", "10000")
)
_CLASS_UNITS = {
    0x028A: _UNITS,
    0x028F: (*_UNITS, Decimal(100000)),
    0x0288: _UNITS,
    0x028D: _UNITS[:7],
}
_MULTIPLIERS = tuple(Decimal(text) for text in ("1", "0.1", "0.01", "0.001"))
_SERIAL_BYTES = 12


class Role(StrEnum):
    """What a meter of a site is for (design, section 2: meter role)."""

    BUY = "buy"
    SELL = "sell"
    SUB = "sub"


def class_code(text: str | int) -> int:
    """The class code of ``028A``, ``0x028a`` or 0x028A.

    Raises:
        UsageError: it is none of the four meter classes.
    """
    try:
        code = text if isinstance(text, int) else int(text, 16)
    except ValueError:
        code = -1
    if code not in METER_CLASSES:
        known = ", ".join(f"{known:04X}" for known in METER_CLASSES)
        raise UsageError(
            f"{text!r} is not a meter class that can be emulated.",
            ja=f"{text!r} は模擬できる計器クラスではありません。",
            hint=f"Known: {known}.",
            hint_ja=f"使えるもの: {known}",
        )
    return code


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSpec:
    """One meter as it stands on the wall.

    ``coefficient`` 0..999,999 (VT × CT ratio; 0 is legal on the wire, the registers then count as if it were
    1), ``multiplier`` and units as the class table's codes allow, digits 1..8, ``fixed_day`` 1..31 (a shorter
    month closes on its last day), ``history_days`` full days before today that hold data, 0..99.
    ``initial_kwh``: energy counted before the history begins; ``None`` draws it from the seed.
    ``omit``: names of optional properties that this meter does not offer.

    Raises:
        UsageError: a value is outside its range.
    """

    class_code: int = 0x028A
    role: Role = Role.BUY
    serial: str = "KOATSU-00001"
    coefficient: int = 600
    multiplier: Decimal = Decimal(1)
    energy_unit: Decimal = Decimal("0.001")
    demand_unit: Decimal = Decimal("0.001")
    reactive_unit: Decimal = Decimal("0.001")
    energy_digits: int = 8
    demand_digits: int = 8
    reactive_digits: int = 8
    fixed_day: int = 1
    history_days: int = HISTORY_LIMIT_DAYS
    seed: int = 1
    initial_kwh: Decimal | None = None
    voltage_v: int = 6600
    energy_history_first: str = "00:00"
    demand_history_stamp: str = "end"
    omit: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        units = _CLASS_UNITS[class_code(self.class_code)]
        _among("multiplier", self.multiplier, _MULTIPLIERS)
        _among("energy unit", self.energy_unit, units)
        _among("demand unit", self.demand_unit, units)
        _among("reactive unit", self.reactive_unit, units)
        _within("coefficient", self.coefficient, 1 if self.class_code == 0x028D else 0, 999_999)
        for name in ("energy_digits", "demand_digits", "reactive_digits"):
            _within(name.replace("_", " "), getattr(self, name), 1, 8)
        _within("fixed day", self.fixed_day, 1, 31)
        _within("history days", self.history_days, 0, HISTORY_LIMIT_DAYS)
        _within("voltage", self.voltage_v, 100, 500_000)
        _among("energy_history_first", self.energy_history_first, ("00:00", "00:30"))
        _among("demand_history_stamp", self.demand_history_stamp, ("end", "start"))
        if not (
            self.serial.isascii() and self.serial.isprintable() and 0 < len(self.serial) <= _SERIAL_BYTES
        ):
            raise UsageError(
                f"A serial number is 1 to {_SERIAL_BYTES} ASCII characters, not {self.serial!r}."
            )
        if self.initial_kwh is not None and self.initial_kwh < 0:
            raise UsageError(f"A counter does not begin below zero: {self.initial_kwh} kWh.")

    @property
    def ratio(self) -> Fraction:
        """Coefficient × multiplier as the registers use it."""
        return Fraction(self.coefficient or 1) * Fraction(self.multiplier)

    @property
    def energy_scale(self) -> Fraction:
        """Milliwatt-hours in one count of energy."""
        return Fraction(self.energy_unit) * self.ratio * 1_000_000

    @property
    def reactive_scale(self) -> Fraction:
        """Millivar-hours in one count of reactive energy."""
        return Fraction(self.reactive_unit) * self.ratio * 1_000_000

    @property
    def demand_scale(self) -> Fraction:
        """Milliwatts in one count of demand."""
        return Fraction(self.demand_unit) * self.ratio * 1_000_000

    @property
    def bidirectional(self) -> bool:
        """Whether the class has registers of the reverse direction."""
        return self.class_code != 0x028A

    @property
    def has_minutes(self) -> bool:
        """Whether the class keeps one-minute counters."""
        return self.class_code in (0x028F, 0x0288)

    def successor(self, *, serial: str | None = None, coefficient: int | None = None) -> MeterSpec:
        """The meter that replaces this one: next serial number, no history, counters at nought."""
        return replace(
            self,
            serial=serial or _next_serial(self.serial),
            coefficient=self.coefficient if coefficient is None else coefficient,
            seed=self.seed + 1000,
            history_days=0,
            initial_kwh=Decimal(0),
        )


def _next_serial(serial: str) -> str:
    head = serial.rstrip("0123456789")
    tail = serial[len(head) :]
    if not tail:
        return (serial[: _SERIAL_BYTES - 1] + "2")[:_SERIAL_BYTES]
    return head + str((int(tail) + 1) % 10 ** len(tail)).zfill(len(tail))


def _within(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise UsageError(
            f"The {name} of a meter lies between {low} and {high}, not {value}.",
            ja=f"計器の {name} は {low} から {high} までです ({value} は使えません)。",
        )


def _among(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        listed = ", ".join(str(one) for one in allowed)
        raise UsageError(
            f"The {name} of a meter cannot be {value}.",
            ja=f"計器の {name} に {value} は使えません。",
            hint=f"Allowed: {listed}.",
            hint_ja=f"使えるもの: {listed}",
        )
