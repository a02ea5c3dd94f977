"""A meter of the emulator, its pulse output and a detector beside it, without wire and without waiting.

The register goes into a real store as the collector would put it there; the pulses go to the detector in
steps of ten seconds, spoilt as told. What was really spoilt is counted, so that a test knows what must be
named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

from store_site import Site

from koatsu.clock import JST
from koatsu.ems.pulses import EnergyPulses, PulseCounter, PulseDay, PulseSpan, SlotPulse, spans_compared
from koatsu.ems.store import Store
from koatsu.emulator.model import Counter, HalfHour, MeterModel
from koatsu.emulator.pulses import PulseFaults, PulseOutput
from koatsu.emulator.spec import MeterSpec
from koatsu.meter.epochs import Nameplate
from koatsu.meter.scale import Scale
from koatsu.meter.slots import HALF_HOUR, Slot, slots_of_day

DAY = datetime(2025, 6, 11, tzinfo=JST).date()
START = datetime(2025, 6, 11, tzinfo=JST).astimezone(UTC)
STEP = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Uneven:
    """A load that differs from minute to minute and from slot to slot, 100 to 500 kW."""

    seed: int
    scale: float = 1.0

    def power(self, minute: int) -> tuple[float, float]:
        """Mean kW of a minute."""
        slot = Random(self.seed * 100_000 + minute // 30).uniform(100, 450)
        return self.scale * (slot + Random(minute).uniform(0, 50)), 0.0


def spec(*, coefficient: int = 600, unit: str = "0.001") -> MeterSpec:
    """0.6 kWh a count with the unit given: finer than a test's faults."""
    return MeterSpec(
        coefficient=coefficient,
        energy_unit=Decimal(unit),
        energy_digits=8,
        initial_kwh=Decimal(1000),
        history_days=0,
    )


@dataclass
class Bench:
    """One day of one meter; run it and look at what the detector made of it.

    ``faults`` by slot number are true while that slot lasts. ``deaf`` are spans in which nobody listens,
    ``clock_off`` is how far the detector's clock is ahead.
    """

    store: Store
    seed: int = 1
    spec: MeterSpec = field(default_factory=spec)
    load_scale: float = 1.0
    faults: Mapping[int, PulseFaults] = field(default_factory=dict)
    deaf: tuple[tuple[datetime, datetime], ...] = ()
    clock_off: timedelta = timedelta(0)
    slot_pulse: bool = True
    per_kwh: Fraction | None = None
    slots: int = 48

    def run(self) -> PulseDay:
        """The whole day: model, register into the store, pulses into the counter, comparison."""
        self.model = MeterModel(self.spec, Uneven(self.seed, self.load_scale), START - timedelta(minutes=20))
        self.output = PulseOutput(self.model, seed=self.seed)
        constant = self.per_kwh or self.output.pulses_per_kwh
        self.counter = PulseCounter(constant, slot_pulse=self.slot_pulse)
        self.spans: list[PulseSpan] = []
        self.amiss: dict[int, int] = {}  # pulses too many (+) or lost (-) in a slot, as it was
        self.lost_slot_pulses: list[int] = []  # numbers of slots whose closing pulse did not come
        self.counts: dict[datetime, int | None] = {}
        self.model.subscribe(self._closed)
        self.now = START - timedelta(minutes=20)
        self._listen(begin=True)
        end = START + self.slots * HALF_HOUR
        while self.now < end:
            self.now += STEP
            self.model.advance_to(self.now)
            self._pulses(self.now - timedelta(microseconds=1))
            self._listen()
            shown = self.now + self.clock_off
            self.spans += self.counter.tick(shown) if self.counter.listening else []
        self._register()
        return spans_compared(self.store, "main", DAY, end, self.spans)

    def _hearing(self) -> bool:
        return not any(first <= self.now < last for first, last in self.deaf)

    def _listen(self, *, begin: bool = False) -> None:
        if self._hearing() and (begin or not self.counter.listening):
            self.spans += self.counter.begin(self.now + self.clock_off)
        elif not self._hearing():
            self.spans += self.counter.stop(self.now + self.clock_off)

    def _pulses(self, instant: datetime) -> None:
        """Send what is due; the pulses belong to the slot of ``instant``."""
        slot = Slot.at(instant)
        faults = self.faults.get(slot.number, PulseFaults()) if slot.day == DAY else PulseFaults()
        self.output.faults = PulseFaults()
        fresh = self.output.step()
        self.output.faults = faults
        sent = self.output._spoil(fresh)
        if sent != fresh and slot.day == DAY:
            self.amiss[slot.number] = self.amiss.get(slot.number, 0) + sent - fresh
        if sent and self._hearing():
            self.spans += self.counter.hear(EnergyPulses(sent), self.now + self.clock_off)

    def _closed(self, record: HalfHour) -> None:
        at = record.at.astimezone(UTC)
        self._pulses(at - timedelta(microseconds=1))
        self.counts[at] = self.model.count(Counter.ENERGY, record.totals[Counter.ENERGY])
        if self.output.slot_pulse():
            if self._hearing():
                self.spans += self.counter.hear(SlotPulse(), at + self.clock_off)
        else:
            self.lost_slot_pulses.append(Slot.ending(at).number)

    def _register(self) -> None:
        site = Site(self.store)
        plate = Nameplate(
            class_code=0x028A,
            serial="A1",
            energy_scale=Scale(self.spec.coefficient, Decimal(1), Decimal(self.spec.energy_unit)),
            energy_digits=self.spec.energy_digits,
        )
        site.begin(plate)
        site.counts(self.counts)


def numbers(day: PulseDay) -> dict[int, str]:
    """Slot number → reasons, for the rows that begin there."""
    return {row.first.number: " ".join(row.reasons) for row in day.rows}


def all_slots() -> set[int]:
    """The numbers of a day."""
    return {slot.number for slot in slots_of_day(DAY)}
