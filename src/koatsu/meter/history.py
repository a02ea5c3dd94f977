"""A day history: from 48 bare counts and a day number to readings, and whether their order is understood.

A history names neither date nor instants. The date comes from dated readings around the exchange
(:class:`koatsu.meter.Bracket`), the instants from the alignment fields of the link profile. Both
alignments are checked against values that carry a date: the fixed-time counter for energy, the
differences of energy for demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from koatsu.meter.conflicts import Conflict, ConflictKind, Refusal, RefusalKind
from koatsu.meter.demand import check_demand
from koatsu.meter.meter_clock import Bracket
from koatsu.meter.readings import DemandReading, Reading, Source
from koatsu.meter.registers import Direction, Register, difference, fits_digits
from koatsu.meter.scale import Scale
from koatsu.meter.slots import (
    HALF_HOUR,
    SLOTS_PER_DAY,
    DemandStamp,
    EnergyFirst,
    Slot,
    history_instant,
    history_slot,
    is_half_hour,
)

__all__ = [
    "MAX_DAYS_BACK",
    "DatedHistory",
    "DayHistory",
    "demand_alignment",
    "demand_readings",
    "energy_alignment",
    "energy_readings",
]

#: The farthest day that a history can be asked for (ECHONET Lite classes 0x0288, 0x028A, 0x028D, 0x028F).
MAX_DAYS_BACK: Final = 99


#: A half hour's counter is in the history by then (assumed; low voltage: announced within 5 minutes).
_ENTERED_WITHIN: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayHistory:
    """A decoded day history as the meter gave it: 48 counts (``None`` is no data) and the answered day.

    ``days_back`` is 0 for the meter's today up to 99; ``None`` when the meter has not been asked for a day.
    ``out_of_range`` are the elements (1 to 48) that came as an overflow or underflow code.

    Raises:
        ValueError: there are not 48 counts, one is negative, or the day is out of range.
    """

    subject: str
    days_back: int | None
    counts: tuple[int | None, ...]
    out_of_range: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if len(self.counts) != SLOTS_PER_DAY:
            raise ValueError(f"a day history has {SLOTS_PER_DAY} counts, not {len(self.counts)}")
        if any(count is not None and count < 0 for count in self.counts):
            raise ValueError("a count is not negative")
        if self.days_back is not None and not 0 <= self.days_back <= MAX_DAYS_BACK:
            raise ValueError(f"a history goes 0 to {MAX_DAYS_BACK} days back, not {self.days_back}")

    def dated(self, *, asked: int, bracket: Bracket) -> DatedHistory | Refusal:
        """The history with its date, or a refusal when it is not the day that was asked for."""
        if self.days_back != asked:
            answered = "no day" if self.days_back is None else f"day {self.days_back}"
            answered_ja = "未設定" if self.days_back is None else f"{self.days_back} 日前"
            return Refusal(
                kind=RefusalKind.WRONG_DAY,
                subject=self.subject,
                reason=f"The history was asked for day {asked}, and the meter answered for {answered}.",
                reason_ja=f"{asked} 日前の履歴を求めましたが、計器は{answered_ja}の履歴を返しました。",
            )
        day = bracket.day - timedelta(days=asked)
        return DatedHistory(
            subject=self.subject,
            day=day,
            counts=self.counts,
            bracket=bracket,
            out_of_range=self.out_of_range,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedHistory:
    """48 counts (or demands) of one JST day, and when by the meter's clock they were read."""

    subject: str
    day: date
    counts: tuple[int | None, ...]
    bracket: Bracket
    out_of_range: frozenset[int] = frozenset()

    def elements(self) -> tuple[tuple[int, int | None], ...]:
        """The counts with their place, 1 to 48."""
        return tuple(enumerate(self.counts, start=1))

    def instants(self, first: EnergyFirst) -> dict[datetime, int | None]:
        """The counts by instant (UTC), read as an energy history."""
        return {history_instant(self.day, element, first): count for element, count in self.elements()}

    def slots(self, stamp: DemandStamp) -> dict[Slot, int | None]:
        """The counts by slot, read as a demand history."""
        return {history_slot(self.day, element, stamp): count for element, count in self.elements()}

    def refusal(self, element: int, instant: datetime, digits: int) -> Refusal | None:
        """Why an element, which is for ``instant``, is not taken; ``None`` when it is."""
        count = self.counts[element - 1]
        if element in self.out_of_range:
            return self._refused(
                RefusalKind.OUT_OF_RANGE,
                instant,
                "The history holds an overflow code.",
                "履歴の値が表せる範囲を超えています。",
            )
        if count is None:
            return None
        if not fits_digits(count, digits):
            return self._refused(
                RefusalKind.BEYOND_DIGITS,
                instant,
                f"The count {count} does not fit {digits} digits.",
                f"値 {count} は有効桁数 {digits} 桁を超えています。",
            )
        if instant > self.bracket.latest:
            return self._refused(
                RefusalKind.FUTURE,
                instant,
                "The history holds a count for an instant that the meter's clock has not reached.",
                "計器の時計がまだ達していない時刻の値が履歴にあります。",
            )
        return None

    def not_reached(self, element: int, instant: datetime) -> bool:
        """Whether "no data" only means that the meter had not come so far when it was asked."""
        empty = self.counts[element - 1] is None and element not in self.out_of_range
        return empty and instant > self.bracket.before

    def _refused(self, kind: RefusalKind, instant: datetime, reason: str, reason_ja: str) -> Refusal:
        return Refusal(kind=kind, subject=self.subject, instant=instant, reason=reason, reason_ja=reason_ja)


def energy_readings(
    history: DatedHistory,
    *,
    register: Register,
    first: EnergyFirst,
    digits: int,
    received: datetime,
) -> list[Reading | Refusal]:
    """The counter readings of a day history.

    "No data" becomes a reading without count, so that the caller can tell asked from not asked; where the
    meter's clock had not yet come so far it becomes nothing. A count beyond the digits, or for an instant
    in the meter's future, is refused.
    """
    found: list[Reading | Refusal] = []
    for element, count in history.elements():
        instant = history_instant(history.day, element, first)
        if history.not_reached(element, instant):
            continue
        found.append(
            history.refusal(element, instant, digits)
            or Reading(
                register=register, instant=instant, count=count, source=Source.HISTORY, received=received
            )
        )
    return found


def demand_readings(
    history: DatedHistory,
    *,
    direction: Direction,
    stamp: DemandStamp,
    digits: int,
    received: datetime,
) -> list[DemandReading | Refusal]:
    """The demands of a day history; "no data", future and digits as in :func:`energy_readings`.

    A slot has come when it has ended.
    """
    found: list[DemandReading | Refusal] = []
    for element, count in history.elements():
        slot = history_slot(history.day, element, stamp)
        end = slot.end
        if history.not_reached(element, end):
            continue
        found.append(
            history.refusal(element, end, digits)
            or DemandReading(
                slot=slot, direction=direction, count=count, source=Source.HISTORY, received=received
            )
        )
    return found


def energy_alignment(history: DatedHistory, fixed: Reading) -> EnergyFirst | Conflict | None:
    """Which alignment an energy history has, told by a dated fixed-time value of the same register.

    The value stands in the history at one of two neighbouring places. ``None`` means cannot tell: one of
    the places lies outside this day or holds no data, or both hold the value because nothing flowed. A
    value that stands in neither place is a conflict.

    The newest value of a meter that counts from 00:30 always has an empty place behind it. That place is
    taken as proof when it cannot be a hole or a late entry: see :func:`_newest_at_half_past`.

    Raises:
        ValueError: the fixed-time value is not on a half hour.
    """
    if not is_half_hour(fixed.instant):
        raise ValueError(f"a fixed-time value is on a half hour, not at {fixed.instant.isoformat()}")
    at_midnight = history.instants("00:00").get(fixed.instant)
    at_half_past = history.instants("00:30").get(fixed.instant)
    if fixed.count is None or at_half_past is None:
        return None
    if at_midnight is None:
        return "00:30" if _newest_at_half_past(history, fixed) else None
    if at_midnight == at_half_past:
        return None if fixed.count == at_midnight else _no_alignment(history.subject)
    if fixed.count == at_midnight:
        return "00:00"
    if fixed.count == at_half_past:
        return "00:30"
    return _no_alignment(history.subject)


def _newest_at_half_past(history: DatedHistory, fixed: Reading) -> bool:
    """Whether the empty place for ``fixed`` under 00:00 means that the meter counts from 00:30.

    The meter's clock is well past the instant, so the entry is not late; the history has no hole before,
    so emptiness is not its habit; and energy flowed in the slot before, so the same value one place earlier
    is not the counter of an idle site.
    """
    if history.bracket.before < fixed.instant + _ENTERED_WITHIN:
        return False
    by_instant = history.instants("00:30")
    filled = [by_instant[at] for at in sorted(by_instant) if at <= fixed.instant]
    return len(filled) > 1 and None not in filled and filled[-2] != filled[-1] == fixed.count


def demand_alignment(
    demand: DatedHistory,
    energy: DatedHistory,
    *,
    energy_first: EnergyFirst,
    energy_digits: int,
    energy_scale: Scale,
    demand_scale: Scale,
) -> DemandStamp | Conflict | None:
    """Which end of its slot a demand history is stamped with, told by the energy history of the same day.

    Each slot whose energy is known is compared under both readings by :func:`check_demand`. ``None`` means
    cannot tell: both fit (a load too even, or units too coarse), nothing could be compared, or the meter
    is unscaled. When neither fits it is a conflict.

    Raises:
        ValueError: the histories are of different days.
    """
    if demand.day != energy.day:
        raise ValueError(f"histories of {demand.day} and {energy.day} cannot be compared")
    demand_unit, energy_unit = demand_scale.factor, energy_scale.factor
    if demand_unit is None or energy_unit is None:
        return None
    known = energy.instants(energy_first)
    by_end, by_start = demand.slots("end"), demand.slots("start")
    fits_end = fits_start = True
    compared = False
    for instant, first in known.items():
        last = known.get(instant + HALF_HOUR)
        if first is None or last is None:
            continue
        slot = Slot.starting(instant)
        step = difference(
            first, last, digits=energy_digits, scale=energy_scale, span=HALF_HOUR, ceiling_kw=None
        )
        said_end, said_start = by_end.get(slot), by_start.get(slot)
        if isinstance(step, Conflict) or step.value is None or said_end is None or said_start is None:
            continue
        compared = True
        for said, stamp in ((said_end, "end"), (said_start, "start")):
            kw = demand_scale.apply(said)
            assert kw is not None  # the factor is known
            if check_demand(kw, step.value, demand_unit, energy_unit) is None:
                continue
            if stamp == "end":
                fits_end = False
            else:
                fits_start = False
    if not compared or (fits_end and fits_start):
        return None
    if fits_end or fits_start:
        return "end" if fits_end else "start"
    return _no_alignment(demand.subject)


def _no_alignment(subject: str) -> Conflict:
    return Conflict(
        ConflictKind.ALIGNMENT,
        f"The history {subject} fits neither way of counting its elements.",
        f"履歴 {subject} の要素は、どちらの時刻の数え方にも合いません。",
    )
