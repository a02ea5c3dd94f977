"""One day of a register, in few numbers: what its months and years are made of.

They hold what no other day need be asked for again; what hangs over midnight is settled where days are put
together (:mod:`koatsu.ems.period_sums`). The figures of a closed day can be kept until something touches it
(:mod:`koatsu.ems.store.touched`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Literal

from koatsu.ems.slot_ledger import Ledger
from koatsu.ems.view_models import SlotState, SlotView
from koatsu.meter.intervals import ConflictSpan, Interval, SlotEnergy
from koatsu.meter.quantity import exact_sum
from koatsu.meter.slots import HALF_HOUR, SLOTS_PER_DAY, Slot

__all__ = [
    "SLOT_S",
    "DayFigures",
    "Gap",
    "Peak",
    "Piece",
    "day_figures",
]

SLOT_S: Final = HALF_HOUR // timedelta(seconds=1)
DAY_S: Final = SLOTS_PER_DAY * SLOT_S
_JST_S: Final = 9 * 3600
_1970: Final = date(1970, 1, 1).toordinal()
_DAYTIME: Final = (16 * SLOT_S, 44 * SLOT_S)  # slots 17 to 44, 8 to 22 o'clock: what power factor rests on
_ON_FILE: Final = (SlotState.MEASURED, SlotState.RECOVERED, SlotState.CORRECTED, SlotState.ESTIMATED)
_AWAITED: Final = "awaited"


@dataclass(frozen=True, slots=True)
class Peak:
    """A slot and its demand: the meter's own ("meter") or twice the energy ("energy")."""

    slot: Slot
    demand_kw: Decimal
    source: Literal["meter", "energy"]


@dataclass(frozen=True, slots=True)
class Piece:
    """The believed counts of one epoch on one day; instants in seconds since 1970.

    ``counts`` is the sum of the slots and holes between them, from ``summed_from`` to ``summed_until``;
    all three are ``None`` where there is none.
    """

    epoch: int
    first_at: int
    first_count: int
    last_at: int
    last_count: int
    counts: int | None = None
    summed_from: int | None = None
    summed_until: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Slots between two believed counts; ``counts`` is ``None`` where their difference is not believed."""

    epoch: int
    start: int
    end: int
    counts: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFigures:
    """A day of 48 slots, and the counts and gaps within it.

    ``tally`` counts slots on file by their state, ``disputed`` those in conflict, ``peak`` is the greatest
    demand of all others. ``daytime_kwh`` is the energy of ``daytime_slots`` slots from 8 to 22 o'clock. On a
    day that is not over, ``unlisted`` are the instants of slots that are no gap yet.
    """

    day: date
    pieces: tuple[Piece, ...]
    gaps: tuple[Gap, ...]
    tally: Mapping[SlotState, int]
    disputed: int
    peak: Peak | None
    daytime_kwh: Decimal | None
    daytime_slots: int
    unlisted: frozenset[int] = field(default_factory=frozenset)

    @property
    def start(self) -> int:
        """The first second of the day."""
        return (self.day.toordinal() - _1970) * DAY_S - _JST_S

    @property
    def end(self) -> int:
        """The first second after the day."""
        return self.start + DAY_S

    @property
    def first(self) -> int | None:
        """The instant of the first believed count."""
        return min((piece.first_at for piece in self.pieces), default=None)

    @property
    def last(self) -> int | None:
        """The instant of the last believed count."""
        return max((piece.last_at for piece in self.pieces), default=None)

    @property
    def known(self) -> int:
        """How many slots are on file."""
        return sum(self.tally.values())


def day_figures(book: Ledger) -> tuple[DayFigures, ...]:
    """The figures of each whole day of a ledger that runs from midnight to midnight.

    Raises:
        ValueError: the ledger begins or ends within a day.
    """
    if book.slots[0].slot.number != 1 or book.slots[-1].slot.number != SLOTS_PER_DAY:
        raise ValueError("figures of days are made of whole days")
    counts = _counts(book)
    parts = _parts(book)
    return tuple(
        _figures(
            book.slots[at : at + SLOTS_PER_DAY],
            counts.get(day.toordinal(), {}),
            parts.get(day.toordinal(), []),
        )
        for at in range(0, len(book.slots), SLOTS_PER_DAY)
        for day in [book.slots[at].slot.day]
    )


def _ordinal(at: int) -> int:
    """The day, as an ordinal, that holds the second ``at``."""
    return _1970 + (at + _JST_S) // DAY_S


def _counts(book: Ledger) -> dict[int, dict[int, list[tuple[int, int]]]]:
    """For each day and epoch the believed counts with their instants; midnight stands in both days."""
    found: dict[int, dict[int, list[tuple[int, int]]]] = {}
    for row in book.believed:
        assert row.count is not None
        day = _ordinal(row.at)
        for one in (day - 1, day) if (row.at + _JST_S) % DAY_S == 0 else (day,):
            found.setdefault(one, {}).setdefault(row.epoch, []).append((row.at, row.count))
    return found


def _parts(book: Ledger) -> dict[int, list[tuple[int, Interval, int, int]]]:
    """For each day the intervals that lie within it: epoch, interval, start, end."""
    found: dict[int, list[tuple[int, Interval, int, int]]] = {}
    for epoch, parts in book.parts:
        for part in parts:
            start, end = int(part.start.timestamp()), int(part.end.timestamp())
            if _ordinal(start) == _ordinal(end - 1):
                found.setdefault(_ordinal(start), []).append((epoch.number, part, start, end))
    return found


def _figures(
    views: Sequence[SlotView],
    counts: Mapping[int, Sequence[tuple[int, int]]],
    parts: Sequence[tuple[int, Interval, int, int]],
) -> DayFigures:
    day = views[0].slot.day
    start = (day.toordinal() - _1970) * DAY_S - _JST_S
    daytime = [
        (part, (to - since) // SLOT_S)
        for _, part, since, to in parts
        if start + _DAYTIME[0] <= since and to <= start + _DAYTIME[1] and not isinstance(part, ConflictSpan)
    ]
    energies = [part.energy for part, _ in daytime if part.energy is not None]
    return DayFigures(
        day=day,
        pieces=tuple(_piece(epoch, rows, parts) for epoch, rows in sorted(counts.items())),
        gaps=tuple(
            Gap(epoch, since, to, None if isinstance(part, ConflictSpan) else part.counts)
            for epoch, part, since, to in parts
            if not isinstance(part, SlotEnergy)
        ),
        tally=Counter(view.state for view in views if view.state in _ON_FILE),
        disputed=sum(view.state is SlotState.CONFLICT for view in views),
        peak=_peak(view for view in views if view.state is not SlotState.CONFLICT),
        daytime_kwh=exact_sum(energies) if energies else None,
        daytime_slots=sum(length for _, length in daytime) if energies else 0,
        unlisted=frozenset(
            at
            for at, view in zip(range(start, start + DAY_S, SLOT_S), views, strict=True)
            if _too_early(view)
        ),
    )


def _piece(
    epoch: int, rows: Sequence[tuple[int, int]], parts: Iterable[tuple[int, Interval, int, int]]
) -> Piece:
    summed = [
        (part.counts, start, end)
        for number, part, start, end in parts
        if number == epoch and not isinstance(part, ConflictSpan)
    ]
    if not summed:
        return Piece(epoch, *rows[0], *rows[-1])
    whole = sum(counts for counts, _, _ in summed)
    return Piece(epoch, *rows[0], *rows[-1], whole, summed[0][1], summed[-1][2])


def _peak(views: Iterable[SlotView]) -> Peak | None:
    best: Peak | None = None
    for view in views:
        value = view.demand_kw
        if value is not None and view.demand_from and (best is None or value > best.demand_kw):
            best = Peak(view.slot, value, view.demand_from)
    return best


def _too_early(view: SlotView) -> bool:
    return view.state in (SlotState.OPEN, SlotState.FUTURE) or view.note == _AWAITED
