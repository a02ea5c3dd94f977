"""What time it is at the meter, from whichever dated value it offers, and the bracket around an exchange.

The high-voltage classes stamp their present value. The others do not, so their clock properties, their
one-minute or their half-hour value must do; those stamps lag behind the clock, and the lag is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from koatsu.clock import JST
from koatsu.meter.conflicts import Refusal, RefusalKind
from koatsu.meter.meter_clock import Bracket, same_meter_day
from koatsu.meter.slots import HALF_HOUR

__all__ = ["DATED", "MeterTime", "bracket_around", "meter_time"]

#: Properties that tell the meter's time, the closest to its clock first, and how far the true time may run
#: ahead of the stamp. Assumed: one-minute and half-hour values appear within a minute of their time.
DATED: Final[Mapping[tuple[str, ...], timedelta]] = {
    ("energy_now",): timedelta(0),
    ("clock_date", "clock_time"): timedelta(minutes=1),
    ("energy_minute",): timedelta(minutes=2),
    ("energy_slot",): HALF_HOUR + timedelta(minutes=1),
}


class MeterTime(NamedTuple):
    """The meter's own time: between ``stamp`` and ``stamp + lag`` when the values were read."""

    stamp: datetime
    lag: timedelta


def meter_time(values: Mapping[str, object]) -> MeterTime | None:
    """The meter's time that the answered values (by property name) tell, ``None`` when none of them does."""
    for names, lag in DATED.items():
        found = [values.get(name) for name in names]
        stamp = _clock(*found) if len(found) == 2 else _stamp(found[0])
        if stamp is not None:
            return MeterTime(stamp, lag)
    return None


def _clock(day: object, clock: object) -> datetime | None:
    if isinstance(day, date) and isinstance(clock, time):
        return datetime.combine(day, clock.replace(tzinfo=None), JST)
    return None


def _stamp(value: object) -> datetime | None:
    stamp = value.get("at") if isinstance(value, Mapping) else None
    return stamp if isinstance(stamp, datetime) else None


def bracket_around(before: Mapping[str, object], after: Mapping[str, object]) -> Bracket | Refusal:
    """The bracket of an exchange from the dated values that were read before and after it.

    A refusal when they tell no time, run backwards, or the meter's date may differ between them: then what
    was read between is thrown away and read again.
    """
    first, last = meter_time(before), meter_time(after)
    if first is None or last is None:
        return Refusal(
            kind=RefusalKind.NO_TIME,
            subject="history",
            reason="The meter told no date around its history, so the history cannot be dated.",
            reason_ja="履歴の前後で計器の日時が得られず、履歴の日付を決められません。",
        )
    lag = max(first.lag, last.lag)
    if last.stamp < first.stamp or not same_meter_day(first.stamp, last.stamp, lag=lag):
        return Refusal(
            kind=RefusalKind.DATE_CHANGED,
            subject="history",
            reason="The meter's date may have changed while its history was read; it must be read again.",
            reason_ja="履歴の読み出し中に計器の日付が変わった可能性があるため、読み直します。",
        )
    return Bracket(first.stamp, last.stamp, lag)
