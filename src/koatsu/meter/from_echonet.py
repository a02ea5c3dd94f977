"""From decoded ECHONET Lite values to readings: the four meter classes through one interface.

The only file of this package that knows ``koatsu.devices``. It takes values, never bytes, and gives
readings or refusals. Which property is which stands in ``meter_classes``; which values make a scale,
which property selects a history, and what a class must offer stand in the class tables.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Final, Literal

from koatsu.devices import Access, DeviceClass, Record, Special, Value, device_class
from koatsu.errors import UsageError
from koatsu.meter.conflicts import Refusal, RefusalKind
from koatsu.meter.epochs import Nameplate, Scaled
from koatsu.meter.history import DayHistory, demand_readings, energy_readings
from koatsu.meter.meter_classes import CLASSES, Gauge, Kind, Row, Target
from koatsu.meter.meter_clock import Bracket
from koatsu.meter.meter_time import DATED
from koatsu.meter.nameplate_values import DIGITS, IDENTITY, SCALED_BY, nameplate_from
from koatsu.meter.readings import Measured, Source
from koatsu.meter.registers import MAX_DIGITS, Register
from koatsu.meter.samples import Sample, measured, scaled_of
from koatsu.meter.scale import Scale
from koatsu.meter.slots import HALF_HOUR, DemandStamp, EnergyFirst

__all__ = ["MeterKind", "SegmentOrder"]

#: Which way the rows of a selected (not daily) history run from its date and time. No text at hand says;
#: low-voltage clients in use read them backward, newest first. Assumed.
SegmentOrder = Literal["backward", "forward"]

_SOURCES: Final = {
    Kind.NOW: Source.LIVE,
    Kind.MAXIMUM: Source.LIVE,
    Kind.SLOT: Source.FIXED,
    Kind.MINUTE: Source.MINUTE,
    Kind.SLOTS_HISTORY: Source.HISTORY,
    Kind.MINUTES_HISTORY: Source.HISTORY,
}
_OUT_OF_RANGE: Final = (Special.OVERFLOW, Special.UNDERFLOW)
_COEFFICIENTS: Final[Mapping[Target, str]] = {
    Gauge.CURRENT_R: "current_coefficient",
    Gauge.CURRENT_T: "current_coefficient",
    Gauge.VOLTAGE_RS: "voltage_coefficient",
    Gauge.VOLTAGE_ST: "voltage_coefficient",
}


@dataclass(frozen=True, slots=True)
class MeterKind:
    """One of the meter classes 0x028A, 0x028F, 0x0288, 0x028D, with the names of its properties by use."""

    device_class: DeviceClass
    rows: Mapping[str, Row]

    @staticmethod
    def of(class_code: int) -> MeterKind:
        """The kind of a class code such as 0x028A.

        Raises:
            UsageError: it is not one of the meter classes.
        """
        if class_code not in CLASSES:
            known = ", ".join(f"0x{code:04X}" for code in CLASSES)
            raise UsageError(
                f"Class 0x{class_code:04X} is not a meter class that Koatsu reads.",
                ja=f"クラス 0x{class_code:04X} は Koatsu が読めるメータではありません。",
                hint=f"Meter classes are {known}.",
                hint_ja=f"メータのクラスは {known} です。",
            )
        return _kind(class_code)

    @property
    def code(self) -> int:
        """The class code."""
        return self.device_class.code

    # -- names by use

    def names(self, *kinds: Kind) -> tuple[str, ...]:
        """The properties of these kinds, the most wanted first."""
        return tuple(row.name for row in self.rows.values() if row.kind in kinds)

    @property
    def static_properties(self) -> tuple[str, ...]:
        """What to read once: everything that :meth:`nameplate` uses."""
        factors = [name for names in self._factors().values() for name in names]
        names = dict.fromkeys((*factors, *DIGITS, "fixed_day", *_COEFFICIENTS.values(), *IDENTITY))
        return tuple(name for name in names if self.device_class.has(name))

    @property
    def live_properties(self) -> tuple[str, ...]:
        """Present values: counters, power, currents, voltages."""
        return self.names(Kind.NOW)

    @property
    def slot_properties(self) -> tuple[str, ...]:
        """Newest half-hour values."""
        return self.names(Kind.SLOT)

    @property
    def minute_properties(self) -> tuple[str, ...]:
        """Newest one-minute values."""
        return self.names(Kind.MINUTE)

    @property
    def maximum_properties(self) -> tuple[str, ...]:
        """Maximum demands that the meter keeps."""
        return self.names(Kind.MAXIMUM)

    @property
    def history_properties(self) -> tuple[str, ...]:
        """Day histories, all selected by :attr:`history_selector`."""
        return self.names(Kind.HISTORY)

    @property
    def history_selector(self) -> str:
        """The property to Set to the days back before a day history is read."""
        return self.selector_of("energy_history") or "history_day"

    def selector_of(self, name: str) -> str | None:
        """The property to Set before ``name`` is read; ``None`` where none is needed."""
        return self.device_class.property(name).selector

    def offered(self, names: Iterable[str], get_map: Collection[int]) -> tuple[str, ...]:
        """Those of ``names`` that a meter with this Get property map offers."""
        return tuple(name for name in names if self.device_class.property(name).epc in get_map)

    def dated_properties(self, get_map: Collection[int] | None = None) -> tuple[str, ...]:
        """What to read around an exchange for :func:`koatsu.meter.bracket_around`, the closest to the clock.

        The stamped present value where there is one; else the clock properties, the one-minute value or
        the half-hour value. ``get_map`` (the meter's Get property map) limits the choice.
        """
        for names in DATED:
            row = self.rows.get(names[0])
            known = all(self.device_class.has(name) for name in names) and (row is None or row.stamped)
            if known and (get_map is None or len(self.offered(names, get_map)) == len(names)):
                return names
        return ()

    def targets_of(self, name: str) -> tuple[Target, ...]:
        """Which registers or gauges the property holds.

        Raises:
            UsageError: the property measures nothing.
        """
        return tuple(target for _, target in self._row(name).fields)

    def _row(self, name: str) -> Row:
        row = self.rows.get(self.device_class.property(name).name)
        if row is None:
            raise UsageError(f"{name} of class {self.device_class} is not a measured value.")
        return row

    # -- the nameplate

    def nameplate(self, values: Mapping[str, Value]) -> Nameplate:
        """The nameplate that the answered static values make; what is absent was not offered.

        Raises:
            IncompleteNameplateError: unit, digits or a required factor of the energy is missing.
        """
        factors = self._factors()
        may_lack = {
            name
            for names in factors.values()
            for name in names
            if name == "coefficient" and self.device_class.property(name).get is not Access.REQUIRED
        }
        return nameplate_from(self.code, values, factors=factors, may_lack=may_lack)

    def scale_of(self, what: Scaled, nameplate: Nameplate) -> Scale | None:
        """The scale of a register, of "demand" or of "cumulative_demand"; ``None`` when not offered."""
        return nameplate.scale_of(what)

    def _factors(self) -> dict[str, tuple[str, ...]]:
        """Nameplate field of a scale -> names of the properties that multiply, as the class table says."""
        return {
            field: self.device_class.property(name).scale
            for field, name in SCALED_BY.items()
            if self.device_class.has(name)
        }

    # -- readings

    def readings(
        self,
        name: str,
        value: Value,
        *,
        received: datetime,
        source: Source | None = None,
        nameplate: Nameplate | None = None,
        segments: SegmentOrder = "backward",
    ) -> list[Measured]:
        """What the value of property ``name`` says; any kind but a day history.

        Args:
            name: property name of the class table.
            value: as decoded by it.
            received: our time of receipt; the instant of values that carry none.
            source: how it came, where that is not as its kind says (``Source.NOTIFIED``).
            nameplate: checks the digits, and scales currents and voltages of class 0x028D.
            segments: which way the rows of a selected history run.

        Raises:
            UsageError: the property measures nothing, or is a day history.
            TypeError: the value is not of the property's form.
        """
        row = self._row(name)
        if row.kind is Kind.HISTORY:
            raise UsageError(f"{name} carries no date: read it with history_readings().")
        found: list[Measured] = []
        for stamp, fields in _parts(row, value, segments):
            for field, target in row.fields:
                number = fields if field is None else _part(fields, field)
                if isinstance(stamp, Special) or number in _OUT_OF_RANGE:
                    found.append(_refused(name, stamp))
                    continue
                sample = Sample(
                    subject=name,
                    kind=row.kind,
                    target=target,
                    number=number if isinstance(number, int | Decimal) else None,
                    at=stamp,
                    received=received,
                    source=source or _SOURCES[row.kind],
                    nameplate=nameplate,
                    coefficient=self._coefficient(target, nameplate),
                )
                found.append(measured(sample))
        return found

    def _coefficient(self, target: Target, nameplate: Nameplate | None) -> int | None:
        """What multiplies a current or voltage of this class; ``None`` when that is not known yet."""
        name = _COEFFICIENTS.get(target)
        if name is None or not self.device_class.has(name):
            return 1
        if nameplate is None:
            return None
        if name == "current_coefficient":
            return nameplate.current_coefficient
        return nameplate.voltage_coefficient

    def day_history(self, name: str, value: Value) -> DayHistory:
        """The day history ``name`` as it was answered, not dated yet.

        Raises:
            UsageError: ``name`` is not a day history.
            TypeError: the value is not of the property's form.
        """
        row = self._row(name)
        if row.kind is not Kind.HISTORY:
            raise UsageError(f"{name} is not a day history.")
        day, counts = _part(value, "day"), _part(value, row.fields[0][0] or "")
        if not isinstance(counts, tuple):
            raise TypeError(f"{name} holds 48 counts, not {counts!r}")
        return DayHistory(
            subject=name,
            days_back=day if isinstance(day, int) else None,
            counts=tuple(count if isinstance(count, int) else None for count in counts),
            out_of_range=frozenset(
                element for element, count in enumerate(counts, start=1) if count in _OUT_OF_RANGE
            ),
        )

    def history_readings(
        self,
        name: str,
        value: Value,
        *,
        asked: int,
        bracket: Bracket,
        received: datetime,
        nameplate: Nameplate | None = None,
        energy_first: EnergyFirst = "00:00",
        demand_stamp: DemandStamp = "end",
    ) -> list[Measured]:
        """The readings of a day history that was asked for ``asked`` days back inside ``bracket``.

        One refusal alone when the meter answered for another day; else one entry for each element that
        the meter's clock had reached.

        Raises:
            UsageError: ``name`` is not a day history.
            TypeError: the value is not of the property's form.
        """
        dated = self.day_history(name, value).dated(asked=asked, bracket=bracket)
        if isinstance(dated, Refusal):
            return [dated]
        target = self._row(name).fields[0][1]
        scaled = scaled_of(target)
        digits = nameplate.digits_of(scaled) if nameplate and scaled else MAX_DIGITS
        found: list[Measured] = []
        if isinstance(target, Register):
            found += energy_readings(
                dated, register=target, first=energy_first, digits=digits, received=received
            )
        else:
            direction: Literal["normal", "reverse"] = "normal" if target is Gauge.DEMAND else "reverse"
            found += demand_readings(
                dated, direction=direction, stamp=demand_stamp, digits=digits, received=received
            )
        return found


@cache
def _kind(class_code: int) -> MeterKind:
    return MeterKind(device_class(class_code), {row.name: row for row in CLASSES[class_code]})


def _parts(row: Row, value: Value, segments: SegmentOrder) -> list[tuple[datetime | Special | None, Value]]:
    """Each moment of a property with its fields: one, or one for each row of a selected history."""
    if not row.stamped:
        return [(None, value)]
    stamp = _part(value, "at")
    if not isinstance(stamp, datetime | Special):
        raise TypeError(f"{row.name} is stamped with a time, not {stamp!r}")
    if row.kind not in (Kind.SLOTS_HISTORY, Kind.MINUTES_HISTORY):
        return [(stamp, value)]
    rows = _part(value, "rows")
    if not isinstance(rows, tuple):
        raise TypeError(f"{row.name} holds rows, not {rows!r}")
    if isinstance(stamp, Special):
        return [(stamp, fields) for fields in rows]
    step = HALF_HOUR if row.kind is Kind.SLOTS_HISTORY else timedelta(minutes=1)
    sign = -1 if segments == "backward" else 1
    return [(stamp + sign * number * step, fields) for number, fields in enumerate(rows)]


def _part(value: Value, name: str) -> Value:
    if not isinstance(value, Record) or name not in value:
        raise TypeError(f"a record with {name!r} was expected, not {value!r}")
    return value[name]


def _refused(name: str, stamp: datetime | Special | None) -> Refusal:
    if isinstance(stamp, Special):
        return Refusal(
            kind=RefusalKind.NO_TIME,
            subject=name,
            reason=f"{name}: the meter has not stamped the value with a time yet.",
            reason_ja=f"{name}: 計器の値にまだ日時が付いていません。",
        )
    return Refusal(
        kind=RefusalKind.OUT_OF_RANGE,
        subject=name,
        instant=stamp,
        reason=f"{name}: the value is outside what the property can carry.",
        reason_ja=f"{name}: 値がプロパティの表せる範囲を超えています。",
    )
