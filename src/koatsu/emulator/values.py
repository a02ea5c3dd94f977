"""What the properties of an emulated meter hold right now, by property name, for each of the four classes.

The values are those of ``koatsu.devices``: counts, records, marks. Which code a name has, how it is laid out
and who may read it is the class table's affair. Sources: ECHONET Consortium, Machine Readable Appendix
1.3.1, release R. Rows of minute and half-hour histories run back in time from the moment asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from math import hypot, sqrt

from koatsu.devices import Record, Special, Value
from koatsu.emulator.faults import MeterFaults
from koatsu.emulator.memory import Totals
from koatsu.emulator.model import Counter, MeterModel
from koatsu.emulator.noise import stream_key, unit

__all__ = ["DAY_SELECTORS", "SEGMENT_SELECTORS", "MeterValues", "Reader"]

Reader = Callable[[], Value]

DAY_SELECTORS = ("history_day",)
SEGMENT_SELECTORS: Mapping[str, timedelta] = {
    "slots_selector": timedelta(minutes=30),
    "minutes_selector": timedelta(minutes=1),
}

_ENERGY = (Counter.ENERGY, Counter.ENERGY_REVERSE)
_ENERGY_PF = (Counter.ENERGY_PF, Counter.ENERGY_PF_REVERSE)
_REACTIVE = (Counter.REACTIVE_PF, Counter.REACTIVE_PF_REVERSE)
_LAG = (Counter.REACTIVE_LAG, Counter.REACTIVE_LAG_REVERSE)
_LEAD = (Counter.REACTIVE_LEAD, Counter.REACTIVE_LEAD_REVERSE)
_HISTORY_DAYS = 100
_MOST_AMPS = Decimal("3276.5")
_TENTH = Decimal("0.1")
_MOST_VOLTS = 6553

Pair = tuple[Counter, Counter]


class MeterValues:
    """Reads one model; ``readers`` gives a function for each property that a class can have.

    Args:
        model: the meter, or what makes it when it is first read; it may be exchanged (a replaced meter).
        faults: switches of this meter.
        now: brings nothing but the instant to read at, aware.
    """

    def __init__(
        self, model: MeterModel | Callable[[], MeterModel], faults: MeterFaults, now: Callable[[], datetime]
    ) -> None:
        self._model = model
        self.faults = faults
        self._now = now
        self.history_day: int | None = None
        self.segments: dict[str, tuple[datetime, int]] = {}

    @property
    def model(self) -> MeterModel:
        """The meter that is read."""
        if not isinstance(self._model, MeterModel):
            self._model = self._model()
        return self._model

    @model.setter
    def model(self, model: MeterModel) -> None:
        self._model = model

    def forget_selectors(self) -> None:
        """Back to the initial values, as after a restart."""
        self.history_day = None
        self.segments.clear()

    def catch_up(self) -> None:
        """Bring the registers up to the present instant."""
        now = self._now()  # first: what was planned until now may hang up another meter
        self.model.advance_to(now)

    def readers(self, class_code: int) -> dict[str, Reader]:
        """Functions by property name, in the terms of the class."""
        match class_code:
            case 0x028A:
                return self._hv_readers()
            case 0x028F:
                return self._hv_readers() | self._two_way_readers()
            case 0x0288:
                return self._lv_readers()
            case _:
                return self._sub_readers()

    # --- the four classes -------------------------------------------------------------------------

    def _identity(self) -> dict[str, Reader]:
        return {
            "serial_number": lambda: self.model.spec.serial.encode("ascii").ljust(12),
            "clock_time": lambda: self._clock().time().replace(second=0),
            "clock_date": lambda: self._clock().date(),
            "coefficient": lambda: self.model.spec.coefficient,
            "energy_digits": lambda: self.model.spec.energy_digits,
            "energy_unit": lambda: self.model.spec.energy_unit,
            "history_day": lambda: self._unset(self.history_day),
        }

    def _hv_readers(self) -> dict[str, Reader]:
        return self._identity() | {
            "monthly_max_demand": lambda: self._maximum(self.model.month_max_count),
            "cumulative_max_demand": lambda: self._maximum(self.model.closed_max_count),
            "cumulative_max_demand_unit": lambda: self.model.spec.demand_unit,
            "demand_slot": self._demand_slot,
            "demand_digits": lambda: self.model.spec.demand_digits,
            "demand_unit": lambda: self.model.spec.demand_unit,
            "demand_history": lambda: self._demand_day(reverse=False),
            "reactive_now": lambda: self._present(_REACTIVE),
            "reactive_slot": lambda: self._fixed(_REACTIVE),
            "reactive_digits": lambda: self.model.spec.reactive_digits,
            "reactive_unit": lambda: self.model.spec.reactive_unit,
            "reactive_history": lambda: self._day(Counter.REACTIVE_PF, "normal"),
            "multiplier": lambda: self.model.spec.multiplier,
            "fixed_day": lambda: self.model.spec.fixed_day,
            "energy_now": lambda: self._present(_ENERGY),
            "energy_slot": lambda: self._fixed(_ENERGY),
            "energy_pf_now": lambda: self._present(_ENERGY_PF),
            "energy_history": lambda: self._day(Counter.ENERGY, "normal"),
        }

    def _two_way_readers(self) -> dict[str, Reader]:
        return {
            "route_b_id": self._route_b_id,
            "demand_history_reverse": lambda: self._demand_day(reverse=True),
            "reactive_history_reverse": lambda: self._day(Counter.REACTIVE_PF_REVERSE, "reverse"),
            "energy_history_reverse": lambda: self._day(Counter.ENERGY_REVERSE, "reverse"),
            "energy_minute": lambda: self._minute(_ENERGY),
            "reactive_minute": lambda: self._minute(_REACTIVE),
            "reactive_lag_now": lambda: self._present(_LAG),
            "reactive_lead_now": lambda: self._present(_LEAD),
            "power_now": self._power,
            "current_now": self._current,
            "energy_minutes_history": lambda: self._rows("minutes_selector", _ENERGY),
            "reactive_minutes_history": lambda: self._rows("minutes_selector", _REACTIVE),
            "minutes_selector": lambda: self._selector("minutes_selector"),
        }

    def _lv_readers(self) -> dict[str, Reader]:
        return self._identity() | {
            "route_b_id": self._route_b_id,
            "energy_minute": lambda: self._minute(_ENERGY),
            "energy_now": lambda: self._bare(Counter.ENERGY),
            "energy_now_reverse": lambda: self._bare(Counter.ENERGY_REVERSE),
            "energy_history": lambda: self._day(Counter.ENERGY, "normal"),
            "energy_history_reverse": lambda: self._day(Counter.ENERGY_REVERSE, "reverse"),
            "power_now": self._power,
            "current_now": self._current,
            "energy_slot": lambda: self._fixed_one(Counter.ENERGY, "normal"),
            "energy_slot_reverse": lambda: self._fixed_one(Counter.ENERGY_REVERSE, "reverse"),
            "energy_slots_history": lambda: self._rows("slots_selector", _ENERGY),
            "slots_selector": lambda: self._selector("slots_selector"),
            "energy_minutes_history": lambda: self._rows("minutes_selector", _ENERGY),
            "minutes_selector": lambda: self._selector("minutes_selector"),
        }

    def _sub_readers(self) -> dict[str, Reader]:
        return self._identity() | {
            "current_coefficient": lambda: 1,
            "voltage_coefficient": self._voltage_coefficient,
            "energy_now": lambda: self._bare(Counter.ENERGY),
            "energy_now_reverse": lambda: self._bare(Counter.ENERGY_REVERSE),
            "energy_history": lambda: self._day(Counter.ENERGY, "normal"),
            "energy_history_reverse": lambda: self._day(Counter.ENERGY_REVERSE, "reverse"),
            "power_now": self._power,
            "current_now": self._current,
            "voltage_now": self._voltage,
            "energy_slot": lambda: self._fixed_one(Counter.ENERGY, "normal"),
            "energy_slot_reverse": lambda: self._fixed_one(Counter.ENERGY_REVERSE, "reverse"),
        }

    # --- counters ---------------------------------------------------------------------------------

    def _clock(self) -> datetime:
        return self.model.shown_now.replace(microsecond=0)

    def _counts(self, pair: Pair, totals: Totals | None) -> dict[str, Value]:
        """The count of the normal direction and, where the class has it, of the reverse one."""
        names = ("normal", "reverse") if self.model.spec.bidirectional else ("normal",)
        return {
            name: Special.NO_DATA if totals is None else self.model.count(counter, totals[counter])
            for name, counter in zip(names, pair, strict=False)
        }

    def _bare(self, counter: Counter) -> Value:
        return self.model.count(counter, self.model.totals()[counter])

    def _present(self, pair: Pair) -> Value:
        return _record({"at": self._clock(), **self._counts(pair, self.model.totals())})

    def _fixed(self, pair: Pair) -> Value:
        last = self.model.last_half_hour()
        return _record(
            {"at": self._last_slot_end(), **self._counts(pair, None if last is None else last.totals)}
        )

    def _fixed_one(self, counter: Counter, name: str) -> Value:
        last = self.model.last_half_hour()
        count = Special.NO_DATA if last is None else self.model.count(counter, last.totals[counter])
        return _record({"at": self._last_slot_end(), name: count})

    def _minute(self, pair: Pair) -> Value:
        last = self.model.last_minute()
        at = self._clock().replace(second=0) if last is None else last[0]
        return _record({"at": at, **self._counts(pair, None if last is None else last[1])})

    def _last_slot_end(self) -> datetime:
        last = self.model.last_half_hour()
        if last is not None:
            return last.at
        shown = self._clock()
        return shown.replace(minute=shown.minute // 30 * 30, second=0)

    # --- demand -----------------------------------------------------------------------------------

    def _maximum(self, read: Callable[..., int]) -> Value:
        if not self.model.spec.bidirectional:
            return read()
        return _record({"normal": read(), "reverse": read(reverse=True)})

    def _demand_slot(self) -> Value:
        last = self.model.last_half_hour()
        demand = None if last is None else last.demand
        names = ("normal", "reverse") if self.model.spec.bidirectional else ("normal",)
        counts: dict[str, Value] = {
            name: Special.NO_DATA if demand is None else self.model.demand_count(demand[place])
            for place, name in enumerate(names)
        }
        return _record({"at": self._last_slot_end(), **counts})

    # --- histories --------------------------------------------------------------------------------

    def _day(self, counter: Counter, name: str) -> Value:
        day = self._answered_day()
        return self._history(name, counter.name, day, self.model.day_counts(counter, day))

    def _demand_day(self, *, reverse: bool) -> Value:
        day = self._answered_day()
        name = "reverse" if reverse else "normal"
        return self._history(name, f"demand {name}", day, self.model.day_demands(day, reverse=reverse))

    def _answered_day(self) -> int:
        """The day of the history: what was set, today when nothing was, another one under the fault."""
        day = self.history_day or 0
        return (day + 1) % _HISTORY_DAYS if self.faults.wrong_history_day else day

    def _history(self, name: str, stream: str, day: int, counts: Iterable[int | None]) -> Value:
        key = stream_key(self.model.spec.seed, f"holes {stream}")
        first = self.model.date_back(day).toordinal() * 48
        values = tuple(
            Special.NO_DATA if count is None or self._hole(key, first + place) else count
            for place, count in enumerate(counts)
        )
        unset = self.history_day is None and not self.faults.wrong_history_day
        return _record({"day": Special.UNSET if unset else day, name: values})

    def _hole(self, key: int, place: int) -> bool:
        return self.faults.no_data_holes > 0 and unit(key, place) < self.faults.no_data_holes

    def _rows(self, selector: str, pair: Pair) -> Value:
        step = SEGMENT_SELECTORS[selector]
        at, segments = self.segments.get(selector, (None, 1))
        rows: list[Value] = []
        for back in range(segments):
            totals = None
            if at is not None:
                kept = (
                    self.model.minute_totals if step < timedelta(minutes=30) else self.model.half_hour_totals
                )
                totals = kept(at - back * step)
            rows.append(_record(self._counts(pair, totals)))
        return _record({"at": at or Special.UNSET, "segments": segments, "rows": tuple(rows)})

    def _selector(self, selector: str) -> Value:
        at, segments = self.segments.get(selector, (None, 1))
        return _record({"at": at or Special.UNSET, "segments": segments})

    @staticmethod
    def _unset(value: int | None) -> Value:
        return Special.UNSET if value is None else value

    # --- instantaneous ----------------------------------------------------------------------------

    def _power(self) -> Value:
        return round(self.model.power_mw()[0] / 1000)

    def _current(self) -> Value:
        active, reactive = self.model.power_mw()
        volt_amps = hypot(active, reactive) / 1000
        amps = Decimal(volt_amps / (sqrt(3) * self.model.spec.voltage_v)).quantize(_TENTH)
        if active < 0:
            amps = -amps
        shown: Value = amps if abs(amps) <= _MOST_AMPS else Special.NO_DATA
        return _record({"r": shown, "t": shown})

    def _voltage_coefficient(self) -> Value:
        return 1 + self.model.spec.voltage_v // _MOST_VOLTS

    def _voltage(self) -> Value:
        ratio = 1 + self.model.spec.voltage_v // _MOST_VOLTS
        volts = (Decimal(self.model.spec.voltage_v) / ratio).quantize(_TENTH)
        return _record({"rs": volts, "st": volts})

    def _route_b_id(self) -> Value:
        maker = bytes.fromhex("00FFFFFF")
        return maker + self.model.spec.serial.encode("ascii").ljust(12, b"0")


def _record(fields: dict[str, Value]) -> Value:
    return Record(fields)
