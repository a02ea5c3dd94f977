"""One measured number with its property, target and time -> the reading of it, or the reason against it.

The last step from any meter class to the domain's own types; it knows no device library.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from koatsu.meter.conflicts import Refusal, RefusalKind
from koatsu.meter.epochs import Nameplate, Scaled
from koatsu.meter.meter_classes import Gauge, Kind, Target
from koatsu.meter.quantity import EXACT
from koatsu.meter.readings import (
    CurrentReading,
    DemandReading,
    MaximumReading,
    Measured,
    PowerReading,
    Reading,
    Source,
    VoltageReading,
)
from koatsu.meter.registers import MAX_DIGITS, Direction, Register, fits_digits
from koatsu.meter.slots import Slot, is_half_hour

__all__ = ["Sample", "measured", "scaled_of"]

_CURRENTS: Final[dict[Target, Literal["R", "T"]]] = {Gauge.CURRENT_R: "R", Gauge.CURRENT_T: "T"}
_VOLTAGES: Final[dict[Target, Literal["R-S", "S-T"]]] = {Gauge.VOLTAGE_RS: "R-S", Gauge.VOLTAGE_ST: "S-T"}
_MAXIMA: Final[dict[Target, tuple[Literal["monthly", "cumulative"], Direction]]] = {
    Gauge.MONTHLY_MAXIMUM: ("monthly", "normal"),
    Gauge.MONTHLY_MAXIMUM_REVERSE: ("monthly", "reverse"),
    Gauge.CUMULATIVE_MAXIMUM: ("cumulative", "normal"),
    Gauge.CUMULATIVE_MAXIMUM_REVERSE: ("cumulative", "reverse"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A number (``None`` is no data) as it came; ``at`` is its own time, ``None`` when it carries none.

    ``number`` is a raw count for registers, demands and maxima, W, A or V for the rest; ``coefficient``
    multiplies the last two and is ``None`` when it should be known and is not.
    """

    subject: str
    kind: Kind
    target: Target
    number: int | Decimal | None
    at: datetime | None
    received: datetime
    source: Source
    nameplate: Nameplate | None = None
    coefficient: int | None = 1


def scaled_of(target: Target) -> Scaled | None:
    """The name under which a nameplate holds the scale and digits of ``target``; ``None`` for W, A, V."""
    if isinstance(target, Register):
        return target
    if target in (Gauge.DEMAND, Gauge.DEMAND_REVERSE, Gauge.MONTHLY_MAXIMUM, Gauge.MONTHLY_MAXIMUM_REVERSE):
        return "demand"
    if target in _MAXIMA:
        return "cumulative_demand"
    return None


def measured(sample: Sample) -> Measured:
    """The reading that ``sample`` is, or the refusal."""
    scaled = scaled_of(sample.target)
    if scaled is None:
        return _gauge(sample)
    count = sample.number
    assert count is None or isinstance(count, int)  # the class tables give counts as integers
    digits = sample.nameplate.digits_of(scaled) if sample.nameplate else MAX_DIGITS
    if count is not None and not fits_digits(count, digits):
        return Refusal(
            kind=RefusalKind.BEYOND_DIGITS,
            subject=sample.subject,
            instant=sample.at,
            reason=f"{sample.subject}: the count {count} does not fit {digits} digits.",
            reason_ja=f"{sample.subject}: 値 {count} は有効桁数 {digits} 桁を超えています。",
        )
    return _off_grid(sample) or _count(sample, count)


def _off_grid(sample: Sample) -> Refusal | None:
    """A fixed-time value belongs to a half hour or a whole minute; any other stamp is not believed."""
    at = sample.at
    if at is None or sample.kind in (Kind.NOW, Kind.MAXIMUM):
        return None
    if sample.kind in (Kind.MINUTE, Kind.MINUTES_HISTORY):
        good = at.second == 0 and at.microsecond == 0
    else:
        good = is_half_hour(at)
    if good:
        return None
    return Refusal(
        kind=RefusalKind.NOT_ON_GRID,
        subject=sample.subject,
        instant=at,
        reason=f"{sample.subject}: a fixed-time value is stamped {at.isoformat()}.",
        reason_ja=f"{sample.subject}: 定時の値の時刻が {at.isoformat()} になっています。",
    )


def _count(sample: Sample, count: int | None) -> Measured:
    target, source, received = sample.target, sample.source, sample.received
    if isinstance(target, Register):
        return Reading(
            register=target,
            instant=received if sample.at is None else sample.at,
            count=count,
            source=source,
            received=received,
            stamped=sample.at is not None,
        )
    if target in _MAXIMA:
        period, direction = _MAXIMA[target]
        return MaximumReading(
            period=period, direction=direction, count=count, source=source, received=received
        )
    assert sample.at is not None  # a demand is always stamped, with the end of its slot
    return DemandReading(
        slot=Slot.ending(sample.at),
        direction="normal" if target is Gauge.DEMAND else "reverse",
        count=count,
        source=source,
        received=received,
    )


def _gauge(sample: Sample) -> Measured:
    number, source, received = sample.number, sample.source, sample.received
    if sample.target is Gauge.POWER:
        assert number is None or isinstance(number, int)  # whole W
        return PowerReading(watts=number, source=source, received=received)
    if sample.coefficient is None:
        return Refusal(
            kind=RefusalKind.UNSCALED,
            subject=sample.subject,
            reason=f"{sample.subject}: its coefficient has not been read yet.",
            reason_ja=f"{sample.subject}: 係数がまだ読み出されていません。",
        )
    value = None if number is None else EXACT.multiply(Decimal(number), Decimal(sample.coefficient))
    if sample.target in _CURRENTS:
        return CurrentReading(phase=_CURRENTS[sample.target], amperes=value, source=source, received=received)
    return VoltageReading(between=_VOLTAGES[sample.target], volts=value, source=source, received=received)
