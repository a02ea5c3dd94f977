"""Six days of a meter, and the ledger's word on them, for the tests of totals."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from decimal import Decimal

from koatsu.ems.day_figures import Peak
from koatsu.ems.slot_ledger import Ledger, ledger
from koatsu.ems.store import Store
from koatsu.ems.totals import Totals
from koatsu.ems.view_models import SlotState
from koatsu.meter.slots import HALF_HOUR, Slot

FIRST, LAST = date(2025, 5, 29), date(2025, 6, 3)  # six days, the end of a month among them
DAYS = [FIRST + timedelta(days=step) for step in range(6)]
START = Slot(FIRST, 1).start
ON_FILE = (SlotState.MEASURED, SlotState.RECOVERED, SlotState.CORRECTED, SlotState.ESTIMATED)


def at(step: int) -> datetime:
    return START + HALF_HOUR * step


def truth(step: int, epoch: int) -> int:
    """What the counter of an epoch shows; it wraps on the third day."""
    return (999_200 + 7 * step + 1_000 * epoch + step * step % 5) % 10**6


def assert_equal(totals: Totals, store: Store, now: datetime, span: tuple[date, date]) -> None:
    """The totals of a run of days, and of each of them, are those of the ledger."""
    first, last = span
    for day in (first + timedelta(days=step) for step in range((last - first).days + 1)):
        if jst_day(now) < day:
            assert totals.day(day) is None
            continue
        book = ledger(store, "main", Slot(day, 1).start, Slot(day, 48).end, now)
        states = Counter(slot.state for slot in book.slots)
        total = totals.day(day)
        assert total is not None
        assert total.tally == {state: states[state] for state in ON_FILE if states[state]}
        assert total.known == sum(states[state] for state in ON_FILE)
        assert total.disputed == states[SlotState.CONFLICT]
        assert total.closed == sum(slot.slot.end <= now for slot in book.slots)
        assert (total.energy_kwh, total.known_from, total.known_until) == sums(book)
        assert peak_of(total.peak) == greatest(book)
        daytime = [
            part.energy
            for _, parts in book.parts
            for part in parts
            if Slot(day, 17).start <= part.start and part.end <= Slot(day, 44).end and hasattr(part, "energy")
        ]
        assert (total.daytime_kwh or 0) == sum(value or 0 for value in daytime)
    until = min(last, jst_day(now))
    if until < first:
        return
    book = ledger(store, "main", Slot(first, 1).start, Slot(until, 48).end, now)
    period = totals.period(first, last)
    assert (period.energy_kwh, period.known_from, period.known_until) == sums(book)
    assert peak_of(period.peak) == greatest(book)
    assert period.known == sum(slot.state in ON_FILE for slot in book.slots)
    assert period.disputed == sum(slot.state is SlotState.CONFLICT for slot in book.slots)
    assert period.holes == book.holes
    parts = {epoch.number: part for (epoch, _), part in zip(book.parts, book.totals, strict=True)}
    for one in period.epochs:
        part = parts.pop(one.epoch)
        inside = [span for span in part.conflicts if part.start <= span.start and span.end <= part.end]
        assert (one.counts, one.energy_kwh) == (part.counts, part.energy)
        assert (one.known_from, one.known_until) == (part.known_from, part.known_until)
        assert one.left_out == len(inside)
        if not inside and one.counts is not None:  # the register itself says the same
            assert (one.last_count - one.first_count - one.counts) % 10**6 == 0
    assert all(part.counts is None for part in parts.values())


def sums(book: Ledger) -> tuple[Decimal | None, datetime | None, datetime | None]:
    return book.energy_kwh, book.known_from, book.known_until


def greatest(book: Ledger) -> tuple[Slot, Decimal, str] | None:
    found = book.greatest
    if found is None or found.demand_kw is None or found.demand_from is None:
        return None
    return found.slot, found.demand_kw, found.demand_from


def peak_of(peak: Peak | None) -> tuple[Slot, Decimal, str] | None:
    return None if peak is None else (peak.slot, peak.demand_kw, peak.source)


def jst_day(now: datetime) -> date:
    return Slot.at(now).day
