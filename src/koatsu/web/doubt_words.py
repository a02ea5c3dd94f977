"""What does not fit together, put into words: the values, what each would mean in kWh, and how to decide.

A decision names an instant and what to believe there: one of the values, none of them, or a count that a
person enters. What a value would mean is taken from the day as it is shown, so that both can be compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Final

from koatsu.clock import JST
from koatsu.ems.channels import Channel
from koatsu.ems.doubts import Doubt
from koatsu.ems.view_models import DayView, MeterHead, SlotView
from koatsu.meter.conflicts import ConflictKind
from koatsu.meter.registers import Register
from koatsu.meter.slots import Slot
from koatsu.web.notation import clock_time, day_title, grouped, slot_end, slot_start
from koatsu.web.texts import Texts

__all__ = ["ENTER", "NONE", "Choice", "DoubtRow", "DoubtWords", "Line"]

ENTER: Final = "enter"
NONE: Final = "none"
_SHOWN: Final = (Register.ENERGY, Register.ENERGY_REVERSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One value: what it is, the value with its unit, and what it would mean."""

    name: str
    value: str
    means: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One way to decide; the form sends ``value``: ``<seconds since 1970>:<count, none or enter>``."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtRow:
    """One doubt as its page shows it. ``choices`` is empty where no count can settle it."""

    key: str
    meter_id: str
    register: Register
    epoch: int
    label: str
    when: str
    sentence: str
    lines: tuple[Line, ...]
    settled: bool
    choices: tuple[Choice, ...]
    day: date
    channel: str  #: of the day page; empty where the register has none
    slot: int


class DoubtWords:
    """Doubts in one language.

    Args:
        t: the language.
        heads: the channels, with their labels.
        day_of: a day of a channel.
    """

    def __init__(self, t: Texts, heads: Iterable[MeterHead], day_of: Callable[[str, date], DayView]) -> None:
        self._t, self._heads = t, {head.id: head for head in heads}
        self._day = cache(day_of)

    def row(self, meter_id: str, doubt: Doubt) -> DoubtRow:
        """One doubt of a meter."""
        channel = self._channel(meter_id, doubt.register)
        at = Slot.at(doubt.since)
        if doubt.since == doubt.until:
            at = at.previous  # the slot that ends with the count
        return DoubtRow(
            key=f"{meter_id}-{doubt.register}-{doubt.epoch}-{int(doubt.since.timestamp())}-{doubt.kind}",
            meter_id=meter_id,
            register=doubt.register,
            epoch=doubt.epoch,
            label=self.label(meter_id, doubt.register),
            when=self._when(doubt),
            sentence=self._t.for_code("note", doubt.kind),
            lines=tuple(self._lines(doubt, channel)),
            settled=doubt.settled,
            choices=tuple(self._choices(doubt)),
            day=at.day,
            channel=channel,
            slot=at.number,
        )

    def label(self, meter_id: str, register: Register) -> str:
        """The meter's name, and the register where it is not the one of the channel."""
        t = self._t
        channel = self._channel(meter_id, register)
        if channel:
            return self._heads[channel].label
        head = self._heads.get(meter_id)
        name = head.label if head is not None else meter_id
        return t("doubts.of_register", label=name, register=t.for_code("register", register))

    def borders(self, since: datetime, until: datetime) -> tuple[Choice, ...]:
        """The ways to decide on the counts at both borders of a slot or a span."""
        t, found = self._t, []
        for instant in (since, until):
            at, time = int(instant.timestamp()), self.moment(instant)
            found.append(Choice(value=f"{at}:{NONE}", label=t("doubts.none_at", time=time)))
            found.append(Choice(value=f"{at}:{ENTER}", label=t("doubts.enter_at", time=time)))
        return tuple(found)

    def moment(self, instant: datetime) -> str:
        """A day and a time; the end of a day is its 24:00."""
        local = instant.astimezone(JST)
        if local.hour == local.minute == 0:
            before = Slot.at(instant).previous
            return f"{day_title(before.day, self._t)} {slot_end(before)}"
        return f"{day_title(local.date(), self._t)} {clock_time(local)}"

    def _channel(self, meter_id: str, register: Register) -> str:
        found = Channel(meter_id, register).id if register in _SHOWN else ""
        return found if found in self._heads else ""

    def _when(self, doubt: Doubt) -> str:
        if doubt.since == doubt.until:
            return self.moment(doubt.since)
        if (slot := doubt.slot) is not None:
            return f"{day_title(slot.day, self._t)} {slot.label}"
        return f"{self.moment(doubt.since)} – {self.moment(doubt.until)}"

    def _lines(self, doubt: Doubt, channel: str) -> Iterable[Line]:
        t = self._t
        if doubt.unit == "kW":
            for name, value in zip(("demand", "energy"), doubt.values, strict=False):
                half = t("doubts.in_kwh", kwh=grouped(Decimal(value) / 2))
                yield Line(name=t.for_code("doubts", name), value=f"{grouped(value)} kW", means=(half,))
        elif doubt.kind is not ConflictKind.TWO_VALUES:
            for instant, value in zip((doubt.since, doubt.until), doubt.values, strict=False):
                yield Line(name=self.moment(instant), value=self._counts(value))
            yield self._difference(doubt, channel)
        else:
            for number, value in enumerate(doubt.values):
                name = t("doubts.kept") if number == 0 else t("doubts.other")
                means = self._means(doubt, channel, int(value)) if doubt.slot is None else ()
                yield Line(name=name, value=self._counts(value), means=tuple(means))

    def _difference(self, doubt: Doubt, channel: str) -> Line:
        first, last = doubt.values
        counts = int(last) - int(first)
        factor = self._factor(channel, Slot.at(doubt.since).day)
        means = () if factor is None else (self._t("doubts.in_kwh", kwh=grouped(counts * factor)),)
        return Line(name=self._t("slot.counts"), value=self._counts(counts), means=means)

    def _means(self, doubt: Doubt, channel: str, value: int) -> Iterable[str]:
        """The energy of the slots on both sides, if ``value`` were true."""
        after = Slot.at(doubt.since)
        for slot, sign in ((after.previous, 1), (after, -1)):
            view = self._slot(channel, slot)
            factor = self._factor(channel, slot.day)
            there = None if view is None else view.start_count if sign == 1 else view.end_count
            if there is not None and factor is not None and sign * (value - there) >= 0:
                kwh = grouped(sign * (value - there) * factor)
                yield self._t("doubts.would_be", slot=slot.label, kwh=kwh)

    def _slot(self, channel: str, slot: Slot) -> SlotView | None:
        return self._day(channel, slot.day).slots[slot.number - 1] if channel else None

    def _factor(self, channel: str, day: date) -> Decimal | None:
        """What one count is worth, kWh."""
        if not channel:
            return None
        return next((view.factor for view in self._day(channel, day).slots if view.factor), None)

    def _choices(self, doubt: Doubt) -> Iterable[Choice]:
        if doubt.kind is not ConflictKind.TWO_VALUES:
            yield from self.borders(doubt.since, doubt.until)
        elif doubt.slot is None:  # demands of a slot are not corrected: they follow from no count of ours
            t, at = self._t, int(doubt.since.timestamp())
            for value in dict.fromkeys(doubt.values):
                yield Choice(value=f"{at}:{value}", label=t("doubts.believe", count=self._counts(value)))
            yield Choice(value=f"{at}:{ENTER}", label=t("doubts.enter"))
            yield Choice(value=f"{at}:{NONE}", label=t("doubts.believe_none"))

    def _counts(self, value: Decimal | int) -> str:
        return self._t("slot.counts_value", n=grouped(value))


def slot_words(slot: Slot, t: Texts) -> str:
    """A slot with its day."""
    return f"{day_title(slot.day, t)} {slot_start(slot)}–{slot_end(slot)}"
