"""From the store to the comparison of one day; nothing here asks a clock or the wire.

The register is that of active energy bought, as the pulse output of a meter is; corrections by hand count as
they do everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from statistics import median_low
from typing import Final

from koatsu.clock import JST
from koatsu.ems.pulses.comparing import RegisterStep, compared, pairs, summed
from koatsu.ems.pulses.counting import PulseSpan
from koatsu.ems.pulses.lines import PulseLineError, pulse_constant
from koatsu.ems.pulses.models import Compared, PulseDay, Reason
from koatsu.ems.slot_ledger import Ledger, ledger
from koatsu.ems.store import Epoch, Store
from koatsu.ems.store.pulse_rows import StoredPulses, days_of_pulses, stored_pulses
from koatsu.meter.intervals import ConflictSpan
from koatsu.meter.slots import HALF_HOUR, Slot, slots_between, slots_of_day

__all__ = ["PULSES_PER_SECONDARY_KWH", "as_stored", "last_pulse_day", "pulse_day", "spans_compared"]

PULSES_PER_SECONDARY_KWH: Final = 50_000  #: of a high-voltage meter's pulse output
_AROUND: Final = timedelta(hours=6)  # slots that run together may begin on the day before


def as_stored(meter_id: str, span: PulseSpan) -> StoredPulses:
    """How a span is kept; seconds are cut off."""
    constant = span.per_kwh
    return StoredPulses(
        meter_id=meter_id,
        start=span.start,
        pulses=span.pulses,
        per_kwh="" if constant is None else str(constant),
        slot_pulses=span.slot_pulses,
        seen_from=span.since.replace(microsecond=0),
        seen_until=span.until.replace(microsecond=0),
    )


def last_pulse_day(store: Store, meter_id: str) -> date | None:
    """The newest JST day of which pulses are kept.

    Raises:
        StoreError: the store cannot be read.
    """
    found = days_of_pulses(store).get(meter_id)
    return None if found is None else found[1].astimezone(JST).date()


def pulse_day(store: Store, meter_id: str, day: date, now: datetime) -> PulseDay:
    """The pulses that are kept of a JST day beside the register.

    Raises:
        KeyError: no such meter.
        StoreError: the store cannot be read.
    """
    first, last = _borders(day)
    rows = stored_pulses(store, meter_id, first - _AROUND, last)
    return spans_compared(store, meter_id, day, now, [_span(row) for row in rows])


def spans_compared(
    store: Store, meter_id: str, day: date, now: datetime, spans: Sequence[PulseSpan]
) -> PulseDay:
    """A JST day of any spans beside the register.

    Raises:
        KeyError: no such meter.
        StoreError: the store cannot be read.
    """
    first, last = _borders(day)
    near = sorted((span for span in spans if span.end > first and span.start < last), key=_order)
    since = min((span.start for span in near), default=first)
    until = max((span.end for span in near), default=last)
    book = ledger(store, meter_id, min(first, since), max(last, until), now)
    near = [_with_constant(span, book) for span in near]
    whole = _apart([span for span in near if span.whole and span.per_kwh is not None])
    steps = _steps(book)
    found = pairs(whole, steps)
    rows = [row for row in compared(found) if row.last.end > first and row.first.start < last]
    rows = _filled(rows, near, steps, day, min(now, last), unscaled=_unscaled(book))
    inside = [pair for pair in found if first <= pair.start and pair.end <= last]
    late = [span.late // timedelta(seconds=1) for span in near if span.late is not None]
    return PulseDay(
        meter_id=meter_id,
        day=day,
        rows=tuple(rows),
        total=summed(inside, rows),
        per_kwh=near[-1].per_kwh if near else None,
        late_s=median_low(late) if late else None,
    )


def _borders(day: date) -> tuple[datetime, datetime]:
    first = datetime.combine(day, time(), JST).astimezone(UTC)
    return first, first + timedelta(days=1)


def _order(span: PulseSpan) -> tuple[datetime, datetime]:
    return span.start, span.since


def _span(row: StoredPulses) -> PulseSpan:
    try:
        constant = pulse_constant(row.per_kwh) if row.per_kwh else None
    except PulseLineError:  # brought in by hand
        constant = None
    return PulseSpan(
        since=row.seen_from,
        until=row.seen_until,
        pulses=row.pulses,
        slot_pulses=row.slot_pulses,
        per_kwh=constant,
    )


def _apart(spans: Sequence[PulseSpan]) -> list[PulseSpan]:
    """Those that begin where the one before has ended or later: a clock set back makes others."""
    kept: list[PulseSpan] = []
    for span in spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept


def _with_constant(span: PulseSpan, book: Ledger) -> PulseSpan:
    """Where nobody told the constant: what the meter's own ratio makes of the secondary side's."""
    if span.per_kwh is not None:
        return span
    epochs = [epoch for epoch, _ in book.parts if epoch.started_at < span.end]
    scale = (epochs[-1] if epochs else book.parts[0][0]).nameplate.energy_scale if book.parts else None
    if scale is None or not scale.coefficient:
        return span
    ratio = scale.coefficient * Fraction(scale.multiplier)
    return replace(span, per_kwh=PULSES_PER_SECONDARY_KWH / ratio)


def _steps(book: Ledger) -> list[RegisterStep]:
    """The known differences of every epoch, in order; conflicts and unscaled ones are none."""
    steps = []
    for epoch, parts in book.parts:
        for part in parts:
            if isinstance(part, ConflictSpan) or part.energy is None:
                continue
            unit = _unit(epoch)
            assert unit is not None, "an energy has a scale"
            steps.append(
                RegisterStep(
                    start=part.start,
                    end=part.end,
                    counts=part.counts,
                    energy=part.energy,
                    unit=unit,
                    epoch=epoch.number,
                )
            )
    return sorted(steps, key=lambda step: step.start)


def _unit(epoch: Epoch) -> Decimal | None:
    return epoch.nameplate.energy_scale.factor


def _unscaled(book: Ledger) -> bool:
    return bool(book.parts) and all(_unit(epoch) is None for epoch, _ in book.parts)


def _filled(
    rows: Sequence[Compared],
    spans: Sequence[PulseSpan],
    steps: Sequence[RegisterStep],
    day: date,
    until: datetime,
    *,
    unscaled: bool,
) -> list[Compared]:
    """The rows of the day, and between them one for each slot that could not be compared, with the reason."""
    covered = {slot.start for row in rows for slot in _slots(row.first.start, row.last.end)}
    found = list(rows)
    for span in _parts_together(spans):
        slots = _slots(span.start, span.end)
        if not slots or any(slot.start in covered for slot in slots):
            continue
        lacking = Reason.UNSCALED if unscaled else Reason.NO_REGISTER
        energy = span.pulses / span.per_kwh if span.whole and span.per_kwh is not None else None
        found.append(
            Compared(
                first=slots[0],
                last=slots[-1],
                reasons=(lacking,) if span.whole else (Reason.PART,),
                pulses=span.pulses,
                pulse_kwh=energy,
                heard_from=span.since,
                heard_until=span.until,
            )
        )
        covered.update(slot.start for slot in slots)
    known = {step.start: step for step in steps if step.end - step.start == HALF_HOUR}
    for slot in slots_of_day(day):
        if slot.start not in covered:
            step = known.get(slot.start)
            found.append(
                Compared(
                    first=slot,
                    last=slot,
                    reasons=(Reason.NOT_HEARD,),
                    counts=None if step is None else step.counts,
                    register_kwh=None if step is None else step.energy,
                )
            )
    first, _ = _borders(day)
    return sorted(
        (row for row in found if row.last.end > first and row.last.end <= until), key=lambda row: row.first
    )


def _parts_together(spans: Sequence[PulseSpan]) -> list[PulseSpan]:
    """Parts of one slot as one part; whole spans as they are."""
    kept: dict[datetime, PulseSpan] = {}
    for span in spans:
        before = kept.get(span.start)
        if before is None or (span.whole and not before.whole):
            kept[span.start] = span
        elif not before.whole and not span.whole:
            pulses, until = before.pulses + span.pulses, max(before.until, span.until)
            kept[span.start] = replace(before, pulses=pulses, until=until, slot_pulses=1)
    return list(kept.values())


def _slots(start: datetime, end: datetime) -> tuple[Slot, ...]:
    return slots_between(start, end) if start < end else ()
