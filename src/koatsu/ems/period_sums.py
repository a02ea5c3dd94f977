"""Days put together: what hangs over their midnights is settled, and any period is summed.

A hole between two believed counts of one epoch is one exact sum, judged like any difference, never spread
over slots; no difference crosses an epoch. So the total of a period is the difference of the outermost counts
of each epoch, less what is in conflict. Pure: :mod:`koatsu.ems.totals` reads what is put together here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

from koatsu.ems.day_figures import SLOT_S, DayFigures, Gap, Peak, Piece
from koatsu.ems.period_models import DayTotal, EpochTotal, PeriodTotal
from koatsu.ems.store import Epoch, StoredCount
from koatsu.ems.view_models import HoleView, SlotState
from koatsu.meter.intervals import ConflictSpan, intervals
from koatsu.meter.quantity import exact_sum
from koatsu.meter.slots import HALF_HOUR, SLOTS_PER_DAY, Slot

__all__ = ["Totals", "gaps_across"]


class Totals:
    """The days of one register from ``first`` to ``last``, and any period within them."""

    def __init__(
        self,
        figures: Sequence[DayFigures],
        gaps: Sequence[Gap],
        epochs: Mapping[int, Epoch],
        now: datetime,
    ) -> None:
        self._figures = {found.day: found for found in figures}
        self._gaps = tuple(gaps)
        self._epochs = epochs
        self._now = now
        self._days: dict[date, DayTotal] = {}

    def day(self, day: date) -> DayTotal | None:
        """One day; ``None`` when it is not among those that were read, or has not begun."""
        if day not in self._days and day in self._figures:
            self._days[day] = self._settled(self._figures[day])
        return self._days.get(day)

    def _settled(self, found: DayFigures) -> DayTotal:
        epochs = _epoch_totals((found,), (), self._epochs)
        return DayTotal(
            day=found.day,
            closed=_closed(found.day, self._now),
            known=found.known,
            disputed=found.disputed,
            tally=found.tally,
            energy_kwh=_energy(epochs),
            known_from=_from(epochs),
            known_until=_until(epochs),
            peak=found.peak,
            epochs=epochs,
            daytime_kwh=found.daytime_kwh,
            daytime_slots=found.daytime_slots,
        )

    def period(self, first: date, last: date) -> PeriodTotal:
        """The days from ``first`` to ``last``, both included, as far as they were read and have begun."""
        figures = [found for day, found in self._figures.items() if first <= day <= last]
        days = tuple(total for found in figures if (total := self.day(found.day)) is not None)
        since, until = (figures[0].start, figures[-1].end) if figures else (0, 0)
        gaps = [gap for gap in self._gaps if gap.end > since and gap.start < until]
        inside = [gap for gap in gaps if gap.start >= since and gap.end <= until]
        epochs = _epoch_totals(figures, inside, self._epochs)
        tally: dict[SlotState, int] = {}
        for total in days:
            for state, count in total.tally.items():
                tally[state] = tally.get(state, 0) + count
        return PeriodTotal(
            first=first,
            last=last,
            days=days,
            closed=sum(total.closed for total in days),
            known=sum(total.known for total in days),
            disputed=sum(total.disputed for total in days),
            tally=tally,
            energy_kwh=_energy(epochs),
            known_from=_from(epochs),
            known_until=_until(epochs),
            peak=_greatest(total.peak for total in days),
            epochs=epochs,
            holes=tuple(self._holes(figures, gaps)),
        )

    def _holes(self, figures: Sequence[DayFigures], gaps: Iterable[Gap]) -> Iterator[HoleView]:
        found = [*(gap for day in figures for gap in day.gaps), *gaps]
        between = [
            (piece.first_at, piece.last_at)
            for day in figures
            for piece in day.pieces
            if piece.first_at < piece.last_at
        ]
        covered = sorted([*between, *((gap.start, gap.end) for gap in gaps)])
        if figures:
            unlisted = frozenset[int]().union(*(day.unlisted for day in figures))
            found += _uncovered(covered, figures[0].start, figures[-1].end, unlisted)
        for gap in sorted(found, key=lambda gap: gap.start):
            epoch = self._epochs.get(gap.epoch)
            yield HoleView(
                first=Slot.starting(_utc(gap.start)),
                last=Slot.ending(_utc(gap.end)),
                energy_kwh=None
                if gap.counts is None or epoch is None
                else epoch.nameplate.energy_scale.apply(gap.counts),
                counts=gap.counts,
            )


def gaps_across(
    figures: Sequence[DayFigures],
    outside: Iterable[StoredCount],
    epochs: Mapping[int, Epoch],
    ceiling_kw: Decimal | None,
) -> tuple[Gap, ...]:
    """The gaps between believed counts of different days; ``outside`` are the nearest beyond the run."""
    chains: dict[int, list[Piece]] = {}
    for row in outside:
        if row.count is not None:
            chains.setdefault(row.epoch, []).append(Piece(row.epoch, row.at, row.count, row.at, row.count))
    for day in figures:
        for piece in day.pieces:
            chains.setdefault(piece.epoch, []).append(piece)
    found = []
    for number, chain in chains.items():
        chain.sort(key=lambda piece: piece.first_at)
        found += [
            _gap(number, one, two, epochs[number], ceiling_kw)
            for one, two in pairwise(chain)
            if two.first_at > one.last_at
        ]
    return tuple(sorted(found, key=lambda gap: gap.start))


def _gap(number: int, one: Piece, two: Piece, epoch: Epoch, ceiling_kw: Decimal | None) -> Gap:
    plate = epoch.nameplate
    (part,) = intervals(
        {_utc(one.last_at): one.last_count, _utc(two.first_at): two.first_count},
        digits=plate.energy_digits,
        scale=plate.energy_scale,
        ceiling_kw=ceiling_kw,
    )
    counts = None if isinstance(part, ConflictSpan) else part.counts
    return Gap(number, one.last_at, two.first_at, counts)


def _uncovered(
    covered: Iterable[tuple[int, int]], since: int, until: int, unlisted: frozenset[int]
) -> Iterator[Gap]:
    """The runs of slots that lie between no believed counts of one epoch; what is no gap yet is left out."""
    at = since
    for start, end in (*covered, (until, until)):
        first: int | None = None
        for slot in range(at, start, SLOT_S):
            if slot in unlisted:
                if first is not None:
                    yield Gap(0, first, slot, None)
                first = None
            elif first is None:
                first = slot
        if first is not None:
            yield Gap(0, first, start, None)
        at = max(at, end)


def _epoch_totals(
    figures: Sequence[DayFigures], inside: Sequence[Gap], epochs: Mapping[int, Epoch]
) -> tuple[EpochTotal, ...]:
    """The sums of each epoch over days and the gaps between them."""
    pieces: dict[int, list[Piece]] = {}
    for day in figures:
        for piece in day.pieces:
            pieces.setdefault(piece.epoch, []).append(piece)
    between: dict[int, list[Gap]] = {}
    for gap in inside:
        between.setdefault(gap.epoch, []).append(gap)
    left_out = Counter(gap.epoch for day in figures for gap in day.gaps if gap.counts is None)
    left_out.update(gap.epoch for gap in inside if gap.counts is None)
    return tuple(
        _epoch_total(number, pieces[number], between.get(number, ()), left_out[number], epochs[number])
        for number in sorted(pieces)
    )


def _epoch_total(
    number: int, pieces: Sequence[Piece], gaps: Iterable[Gap], left_out: int, epoch: Epoch
) -> EpochTotal:
    summed = [
        (piece.counts, piece.summed_from, piece.summed_until)
        for piece in pieces
        if piece.counts is not None and piece.summed_from is not None and piece.summed_until is not None
    ]
    summed += [(gap.counts, gap.start, gap.end) for gap in gaps if gap.counts is not None]
    counts = sum(found for found, _, _ in summed) if summed else None
    first = min(pieces, key=lambda piece: piece.first_at)
    last = max(pieces, key=lambda piece: piece.last_at)
    return EpochTotal(
        epoch=number,
        first_at=_utc(first.first_at),
        first_count=first.first_count,
        last_at=_utc(last.last_at),
        last_count=last.last_count,
        counts=counts,
        factor=epoch.nameplate.energy_scale.factor,
        energy_kwh=None if counts is None else epoch.nameplate.energy_scale.apply(counts),
        known_from=_utc(min(start for _, start, _ in summed)) if summed else None,
        known_until=_utc(max(end for _, _, end in summed)) if summed else None,
        left_out=left_out,
    )


def _energy(epochs: Iterable[EpochTotal]) -> Decimal | None:
    known = [found.energy_kwh for found in epochs if found.energy_kwh is not None]
    return exact_sum(known) if known else None


def _from(epochs: Iterable[EpochTotal]) -> datetime | None:
    return min((found.known_from for found in epochs if found.known_from), default=None)


def _until(epochs: Iterable[EpochTotal]) -> datetime | None:
    return max((found.known_until for found in epochs if found.known_until), default=None)


def _greatest(peaks: Iterable[Peak | None]) -> Peak | None:
    """The greatest demand, the earliest of equals."""
    best: Peak | None = None
    for peak in peaks:
        if peak is not None and (best is None or peak.demand_kw > best.demand_kw):
            best = peak
    return best


def _closed(day: date, now: datetime) -> int:
    return max(0, min(SLOTS_PER_DAY, (now - Slot(day, 1).start) // HALF_HOUR))


def _utc(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
