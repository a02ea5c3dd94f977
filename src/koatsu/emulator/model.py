"""The registers of one meter: whole mWh and mvarh that only ever grow, and what is kept of them.

The load of each minute is read once, at its beginning, so the registers at an instant do not depend on
how often anybody asked. Half hours, days and minutes follow the meter's own clock. Knows no ECHONET.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from fractions import Fraction

from koatsu.emulator.loads import Load
from koatsu.emulator.memory import KEPT_MINUTES, Memory, Totals
from koatsu.emulator.meter_clock import DAY_MS, HALF_HOUR_MS, MINUTE_MS, MeterClock, from_ms, to_ms
from koatsu.emulator.noise import stream_key, unit
from koatsu.emulator.spec import HISTORY_LIMIT_DAYS, MeterSpec, Role

__all__ = ["Counter", "HalfHour", "MeterModel"]

_PF_FIRST_MS = 8 * 3_600_000  # power-factor registers run from 08:00 to 22:00 JST
_PF_LAST_MS = 22 * 3_600_000
_COARSE_MS = 5 * MINUTE_MS
_HOUR_MS = 3_600_000
_MILLI = 1_000_000  # kW to mW


class Counter(IntEnum):
    """The cumulative registers; the value is the place in a tuple of totals."""

    ENERGY = 0
    ENERGY_REVERSE = 1
    ENERGY_PF = 2
    ENERGY_PF_REVERSE = 3
    REACTIVE_PF = 4
    REACTIVE_PF_REVERSE = 5
    REACTIVE_LAG = 6
    REACTIVE_LAG_REVERSE = 7
    REACTIVE_LEAD = 8
    REACTIVE_LEAD_REVERSE = 9

    @property
    def is_reactive(self) -> bool:
        """Whether the register counts varh."""
        return self >= Counter.REACTIVE_PF


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfHour:
    """What the meter keeps when a half hour of its clock closes; ``at`` is the end of the slot.

    ``demand``: mWh of the closed slot (normal, reverse); ``None`` when the slot was not measured whole.
    """

    at: datetime
    totals: Totals
    demand: tuple[int, int] | None


def _scale(unit: Fraction, digits: int) -> tuple[int, int, int]:
    """Numerator and denominator of one count, and the count that wraps to nought."""
    return unit.numerator, unit.denominator, int(10**digits)


class MeterModel:
    """The metering part of one meter, from its birth (``history_days`` full days before ``start``) on.

    Args:
        spec: what the meter is.
        load: net power at its point; positive is bought.
        start: the present instant; the days before it are filled in at once.
        epoch: number of this meter at this place, one more after each replacement.
    """

    def __init__(self, spec: MeterSpec, load: Load, start: datetime, *, epoch: int = 1) -> None:
        self.spec = spec
        self.load = load
        self.epoch = epoch
        self.clock = MeterClock()
        self._scales = (
            _scale(spec.energy_scale, spec.energy_digits),
            _scale(spec.reactive_scale, spec.reactive_digits),
        )
        self._demand_scale = _scale(spec.demand_scale, spec.demand_digits)
        self._totals = self._first_totals()
        self._memory = Memory()
        self._shifted_mwh = 0
        self._listeners: list[Callable[[HalfHour], None]] = []
        self._month_max = [0, 0]
        self._closed_max = [0, 0]
        now = to_ms(start)
        birth = now
        if spec.history_days:
            # one slot early, so that the demand that ends at the first midnight is known too
            birth = now // DAY_MS * DAY_MS - spec.history_days * DAY_MS - HALF_HOUR_MS
        self._coarse_until = now // HALF_HOUR_MS * HALF_HOUR_MS - KEPT_MINUTES * MINUTE_MS
        self._true = self._now = birth
        self._slot_from = self._totals.copy()
        self._slot_whole = birth % HALF_HOUR_MS == 0
        self._month = self._billing_month(birth)
        self._begin_step()
        self.advance_to(start)

    # --- moving -----------------------------------------------------------------------------------

    def advance_to(self, instant: datetime) -> None:
        """Count up to ``instant``; an earlier instant than the last changes nothing."""
        target = to_ms(instant)
        while self._until <= target:
            self._commit(self._until)
            self._cross(self._until_shown)
            self._begin_step()
        self._now = max(self._now, target)

    def refresh(self, instant: datetime) -> None:
        """Count up to ``instant`` and read the load anew: call it when the load has been changed."""
        self.advance_to(instant)
        self._commit(self._now)
        self._begin_step()

    def jump_clock(self, instant: datetime, by: timedelta) -> None:
        """Step the meter's clock; the slot that is open then is not measured whole."""
        self._change_clock(instant, lambda true: self.clock.jump(true, by // timedelta(milliseconds=1)))

    def drift_clock(self, instant: datetime, ppm: int) -> None:
        """Let the meter's clock gain ``ppm`` millionths from ``instant`` on."""
        self.advance_to(instant)
        self._commit(self._now)
        self.clock.drift(self._now, ppm)
        self._begin_step()

    def correct_clock(self, instant: datetime) -> None:
        """Set the meter's clock right, as the utility would: a jump back to true time."""
        self._change_clock(instant, self.clock.correct)

    def set_below_wrap(self, counts: int, *, past_too: bool) -> None:
        """Put every register ``counts`` below its overflow at the present instant.

        Args:
            counts: how many counts are left before 10^digits, 1 or more.
            past_too: move the kept history along, as if the meter had always counted from there.
        """
        shift = []
        for counter, total in zip(Counter, self.totals(), strict=True):
            scale = self.spec.reactive_scale if counter.is_reactive else self.spec.energy_scale
            digits = self.spec.reactive_digits if counter.is_reactive else self.spec.energy_digits
            missing = (10**digits - counts - self.count(counter, total)) % 10**digits
            shift.append(-(-missing * scale.numerator // scale.denominator))
        moved = [total + by for total, by in zip(self._totals, shift, strict=True)]
        self._slot_from = [total + by for total, by in zip(self._slot_from, shift, strict=True)]
        self._totals = moved
        self._shifted_mwh += shift[Counter.ENERGY]
        if past_too:
            self._memory.shift(shift)

    # --- asking -----------------------------------------------------------------------------------

    def subscribe(self, listener: Callable[[HalfHour], None]) -> Callable[[], None]:
        """Call ``listener`` at each half hour that closes from now on; the return value ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def true_now(self) -> datetime:
        """The instant that the registers stand at, true time, JST."""
        return from_ms(self._now)

    @property
    def shown_now(self) -> datetime:
        """The same instant on the meter's own clock, JST."""
        return from_ms(self.clock.shown(self._now))

    def totals(self) -> Totals:
        """All registers at the present instant, mWh and mvarh."""
        return tuple(
            total + part
            for total, part in zip(self._totals, self._parts(self._now - self._true), strict=True)
        )

    def flowed_mwh(self) -> int:
        """Energy of the normal direction as it flowed, whatever the register was set to meanwhile."""
        return self.totals()[Counter.ENERGY] - self._shifted_mwh

    def count(self, counter: Counter, total: int) -> int:
        """The count that the meter shows for a total of one register, wrapped at its digits."""
        numerator, denominator, wrap = self._scales[counter >= Counter.REACTIVE_PF]
        return total * denominator // numerator % wrap

    def demand_count(self, slot_mwh: int) -> int:
        """The demand count of a slot of ``slot_mwh``: mean kW in demand units, cut off, wrapped."""
        numerator, denominator, wrap = self._demand_scale
        return 2 * slot_mwh * denominator // numerator % wrap

    def power_mw(self) -> tuple[int, int]:
        """Active power (reverse negative) in mW and reactive power (lag positive) in mvar, now."""
        return self._power

    def month_max_count(self, *, reverse: bool = False) -> int:
        """The greatest demand count since the last fixed day."""
        return self._month_max[reverse]

    def closed_max_count(self, *, reverse: bool = False) -> int:
        """The sum of the monthly maxima of all closed months, in demand units."""
        return int(self._closed_max[reverse] % 10**self.spec.demand_digits)

    def last_half_hour(self) -> HalfHour | None:
        """The half hour that closed last on the meter's clock; ``None`` before the first."""
        index = self.clock.shown(self._now) // HALF_HOUR_MS
        for back in range(2):
            if index - back in self._memory.half_hours:
                return self._record(index - back)
        return None

    def half_hours(self) -> Iterator[HalfHour]:
        """Every half hour that the meter keeps, oldest first."""
        return (self._record(index) for index in sorted(self._memory.half_hours))

    def day_counts(self, counter: Counter, days_back: int) -> list[int | None]:
        """48 counts of one day as the history shows them; ``None`` where the meter keeps nothing."""
        first = self._first_index(days_back) + (self.spec.energy_history_first == "00:30")
        kept = self._memory.half_hours
        totals = (kept.get(index) for index in range(first, first + 48))
        return [None if one is None else self.count(counter, one[counter]) for one in totals]

    def day_demands(self, days_back: int, *, reverse: bool = False) -> list[int | None]:
        """48 demand counts of one day as the history shows them."""
        first = self._first_index(days_back) - (self.spec.demand_history_stamp == "end")
        slots = (self._memory.demands.get(index) for index in range(first, first + 48))
        return [None if slot is None else self.demand_count(slot[reverse]) for slot in slots]

    def half_hour_totals(self, at: datetime) -> Totals | None:
        """The registers kept for a half hour of the meter's clock; ``None`` when there are none."""
        ms = to_ms(at)
        return None if ms % HALF_HOUR_MS else self._memory.half_hours.get(ms // HALF_HOUR_MS)

    def minute_totals(self, at: datetime) -> Totals | None:
        """The registers kept for a minute of the meter's clock, a day back at the most."""
        return self._memory.minutes.get(to_ms(at) // MINUTE_MS)

    def last_minute(self) -> tuple[datetime, Totals] | None:
        """The minute that closed last and its registers."""
        minute = self.clock.shown(self._now) // MINUTE_MS
        totals = self._memory.minutes.get(minute)
        return None if totals is None else (from_ms(minute * MINUTE_MS), totals)

    # --- inside -----------------------------------------------------------------------------------

    def _first_totals(self) -> list[int]:
        if self.spec.initial_kwh is not None:
            energy = int(self.spec.initial_kwh * _MILLI)
        else:
            # a meter that has hung there for some months: between 1 and 31 % of its range
            share = 0.01 + 0.3 * unit(stream_key(self.spec.seed, f"initial {self.spec.serial}"), 0)
            energy = int(self.spec.energy_scale * int(10**self.spec.energy_digits * share))
        day, lag = energy * 7 // 10, energy * 2 // 10
        normal = {
            Counter.ENERGY: energy,
            Counter.ENERGY_PF: day,
            Counter.REACTIVE_PF: lag,
            Counter.REACTIVE_LAG: lag,
        }
        return [normal.get(counter, 0) for counter in Counter]

    def _begin_step(self) -> None:
        """Open the step that begins at the committed instant: its power and its end."""
        shown = self.clock.shown(self._true)
        length = _COARSE_MS if self._true + _COARSE_MS <= self._coarse_until else MINUTE_MS
        self._until_shown = shown // length * length + length
        self._until = self.clock.when(self._until_shown)
        minute = self._true // MINUTE_MS + (2 if length == _COARSE_MS else 0)
        kw, kvar = self.load.power(minute)
        if self.spec.role is Role.SELL:
            kw = -kw
        self._power = round(kw * _MILLI), round(kvar * _MILLI)
        self._in_pf = _PF_FIRST_MS <= shown % DAY_MS < _PF_LAST_MS

    def _parts(self, elapsed_ms: int) -> list[int]:
        """What each register has gained ``elapsed_ms`` into the open step."""
        active, reactive = self._power
        energy = abs(active) * elapsed_ms // _HOUR_MS
        varh = abs(reactive) * elapsed_ms // _HOUR_MS
        parts = [0] * len(Counter)
        reverse = 1 if active < 0 else 0
        parts[Counter.ENERGY + reverse] = energy
        if reactive < 0:
            parts[Counter.REACTIVE_LEAD + reverse] = varh
        else:
            parts[Counter.REACTIVE_LAG + reverse] = varh
        if self._in_pf:
            parts[Counter.ENERGY_PF + reverse] = energy
            parts[Counter.REACTIVE_PF + reverse] = 0 if reactive < 0 else varh
        return parts

    def _commit(self, true_ms: int) -> None:
        parts = self._parts(true_ms - self._true)
        self._totals = [total + part for total, part in zip(self._totals, parts, strict=True)]
        self._true = self._now = true_ms

    def _cross(self, shown: int) -> None:
        """The meter's clock shows a full minute (or, filling in the past, five)."""
        if self.spec.has_minutes and self._true > self._coarse_until:
            self._memory.keep_minute(shown // MINUTE_MS, tuple(self._totals))
        if shown % HALF_HOUR_MS == 0:
            self._close_slot(shown // HALF_HOUR_MS)

    def _close_slot(self, index: int) -> None:
        totals = self._totals
        demand = None
        if self._slot_whole:
            demand = (
                totals[Counter.ENERGY] - self._slot_from[Counter.ENERGY],
                totals[Counter.ENERGY_REVERSE] - self._slot_from[Counter.ENERGY_REVERSE],
            )
            for direction, slot in enumerate(demand):
                self._month_max[direction] = max(self._month_max[direction], self.demand_count(slot))
        self._memory.keep_half_hour(index, tuple(totals), demand)
        self._slot_from = totals.copy()
        self._slot_whole = True
        self._close_month(index * HALF_HOUR_MS)
        if self._listeners:
            record = self._record(index)
            for listener in tuple(self._listeners):
                listener(record)

    def _close_month(self, shown: int) -> None:
        month = self._billing_month(shown)
        if month > self._month:
            for direction in range(2):
                self._closed_max[direction] += self._month_max[direction]
            self._month_max = [0, 0]
        self._month = month

    def _billing_month(self, shown: int) -> int:
        """A number for the month between two fixed days; it rises at 00:00 of the fixed day."""
        day = from_ms(shown).date()
        last = monthrange(day.year, day.month)[1]
        return day.year * 12 + day.month + (day.day >= min(self.spec.fixed_day, last))

    def _change_clock(self, instant: datetime, change: Callable[[int], None]) -> None:
        self.advance_to(instant)
        self._commit(self._now)
        change(self._now)
        shown = self.clock.shown(self._now)
        self._memory.forget_after(shown)
        self._slot_whole = False
        self._close_month(shown)
        self._begin_step()

    def _record(self, index: int) -> HalfHour:
        memory = self._memory
        return HalfHour(
            at=from_ms(index * HALF_HOUR_MS),
            totals=memory.half_hours[index],
            demand=memory.demands.get(index - 1),
        )

    def _first_index(self, days_back: int) -> int:
        """The half-hour index of 00:00, ``days_back`` days before the meter's today."""
        if not 0 <= days_back <= HISTORY_LIMIT_DAYS:
            raise ValueError(f"a meter keeps today and {HISTORY_LIMIT_DAYS} days before, not {days_back}")
        return (self.clock.shown(self._now) // DAY_MS - days_back) * 48

    def date_back(self, days_back: int) -> date:
        """The date, on the meter's clock, that ``days_back`` stands for."""
        return from_ms(self._first_index(days_back) * HALF_HOUR_MS).date()
