"""The totals of days, months and years of a register: always what the ledger of the same run says.

The figures of closed days are kept in the store and made anew when a revision says so. Where the store cannot
be written, nothing is kept and nothing else changes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from koatsu.clock import JST, require_aware
from koatsu.ems.day_figures import DayFigures, day_figures
from koatsu.ems.figures_text import figures_from_text, figures_text
from koatsu.ems.in_force import Reign, reigns
from koatsu.ems.moment import at_one_moment
from koatsu.ems.period_sums import Totals, gaps_across
from koatsu.ems.slot_ledger import AWAITED, ledger
from koatsu.ems.store import Store, StoredCount, StoreError
from koatsu.ems.store.day_totals import KeptDay, KeptDays, keep_days, kept_days, kept_slots
from koatsu.meter.registers import Register
from koatsu.meter.slots import SLOTS_PER_DAY, Slot

__all__ = ["Totals", "read_totals", "slots_on_file"]

_LOG: Final = logging.getLogger(__name__)
_AT_ONCE: Final = 92  #: days of which one ledger is made: a quarter of a year is some megabytes


@at_one_moment
def read_totals(
    store: Store,
    meter_id: str,
    first: date,
    last: date,
    now: datetime,
    *,
    register: Register = Register.ENERGY,
    made: Iterable[DayFigures] = (),
) -> Totals:
    """The days of an energy register from ``first`` to ``last``, both included; days to come left out.

    What had to be made anew is kept for the next time, where the store can be written. Figures that the
    caller has just ``made``, such as those of the present day, are taken as they are.

    Raises:
        KeyError: no such meter.
        ValueError: ``now`` is naive, or the register has no demand.
        StoreError: the store cannot be read.
    """
    days = _days(first, last, now)
    if not days:
        return Totals((), (), {}, now)
    # The revisions are read before what the figures are made of, so that they are never newer.
    kept = kept_days(store, meter_id, register, days[0], days[-1])
    epochs = {epoch.number: epoch for epoch in store.epochs(meter_id)}
    reign = reigns(store, meter_id, register, tuple(epochs.values()))
    found = {
        day: figures
        for day, row in kept.days.items()
        if _is_over(day, now) and (figures := figures_from_text(day, row.figures)) is not None
    }
    found |= {figures.day: figures for figures in made}
    for run in _runs(day for day in days if day not in found):
        since, until = Slot(run[0], 1).start, Slot(run[-1], SLOTS_PER_DAY).end
        book = day_figures(ledger(store, meter_id, since, until, now, register=register))
        found |= {figures.day: figures for figures in book}
        _keep(store, meter_id, register, kept, book, now)
    ordered = [found[day] for day in days]
    outside = _outside(store, meter_id, register, ordered, reign)
    ceiling_kw = store.meter(meter_id).ceiling_kw
    return Totals(ordered, gaps_across(ordered, outside, epochs, ceiling_kw), epochs, now)


@at_one_moment
def slots_on_file(
    store: Store,
    meter_id: str,
    first: date,
    last: date,
    now: datetime,
    *,
    register: Register = Register.ENERGY,
) -> Mapping[date, int]:
    """How many slots of each day from ``first`` to ``last`` are on file; days to come left out.

    Raises:
        KeyError: no such meter.
        ValueError: ``now`` is naive, or the register has no demand.
        StoreError: the store cannot be read.
    """
    days = _days(first, last, now)
    if not days:
        return {}
    kept = kept_slots(store, meter_id, register, days[0], days[-1])
    known = {day: count for day, count in kept.items() if _is_over(day, now)}
    for run in _runs(day for day in days if day not in known):
        totals = read_totals(store, meter_id, run[0], run[-1], now, register=register)
        known |= {day: found.known for day in run if (found := totals.day(day)) is not None}
    return known


def _days(first: date, last: date, now: datetime) -> list[date]:
    today = require_aware(now).astimezone(JST).date()
    return [first + timedelta(days=step) for step in range((min(last, today) - first).days + 1)]


def _is_over(day: date, now: datetime) -> bool:
    """Whether nothing of a day is still awaited."""
    return now >= Slot(day, SLOTS_PER_DAY).end + AWAITED


def _runs(days: Iterable[date]) -> Iterator[list[date]]:
    """Neighbouring days together, but not too many."""
    run: list[date] = []
    for day in days:
        if run and (day != run[-1] + timedelta(days=1) or len(run) == _AT_ONCE):
            yield run
            run = []
        run.append(day)
    if run:
        yield run


def _keep(
    store: Store,
    meter_id: str,
    register: Register,
    rest_on: KeptDays,
    made: Iterable[DayFigures],
    now: datetime,
) -> None:
    """Keep the figures of days that are over; a store that cannot be written is told of elsewhere."""
    texts = {
        figures.day: KeptDay(figures.known, figures_text(figures))
        for figures in made
        if _is_over(figures.day, now)
    }
    try:
        if texts:
            keep_days(store, meter_id, register, rest_on, texts, now)
    except StoreError as error:
        _LOG.debug("the totals of %d days were not kept: %s", len(texts), error)


def _outside(
    store: Store,
    meter_id: str,
    register: Register,
    figures: Sequence[DayFigures],
    reign: Mapping[int, Reign],
) -> list[StoredCount]:
    """The counts next to the run on either side, where no count stands on its border."""
    since, until = figures[0], figures[-1]
    found: list[StoredCount] = []
    if since.first != since.start:
        at = Slot(since.day, 1).start
        found += store.nearest_readings(meter_id, register, at, after=False)
    if until.last != until.end:
        at = Slot(until.day, SLOTS_PER_DAY).end
        found += store.nearest_readings(meter_id, register, at, after=True)
    return [row for row in found if reign[row.epoch].holds(row.at)]
