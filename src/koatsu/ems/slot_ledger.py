"""The ledger: for any run of slots of a meter, what is known of each, and why of what is not.

Energy comes from neighbouring counts of one epoch; no difference crosses an epoch. Where an instant has
two different counts neither is believed, and its neighbours give the exact sum instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from koatsu.clock import JST
from koatsu.ems.in_force import reigns
from koatsu.ems.moment import at_one_moment
from koatsu.ems.store import Epoch, Store, StoredCount, overlaid
from koatsu.ems.view_models import HoleView, SlotState, SlotView
from koatsu.meter.conflicts import ConflictKind
from koatsu.meter.demand import check_demand
from koatsu.meter.history import MAX_DAYS_BACK
from koatsu.meter.intervals import ConflictSpan, Hole, Interval, SlotEnergy, Total, intervals, total
from koatsu.meter.quantity import demand_of, exact_sum
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot, slots_between

__all__ = ["AWAITED", "Ledger", "ledger"]

AWAITED: Final = timedelta(minutes=5)  #: so long after its end a slot without value is only late
#: the property whose answer tells that a day is no longer kept
_HISTORY: Final = {
    Register.ENERGY: "energy_history",
    Register.ENERGY_REVERSE: "energy_history_reverse",
}
_SLOT_S: Final = HALF_HOUR // timedelta(seconds=1)
_UNKNOWN: Final = (SlotState.MISSING, SlotState.UNAVAILABLE, SlotState.CONFLICT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """A run of slots with what is known of each; ``totals`` are the sums of each epoch inside the run.

    ``parts`` are the intervals that those sums are made of, ``believed`` the counts they lie between, the
    nearest beyond the run included.
    """

    slots: tuple[SlotView, ...]
    holes: tuple[HoleView, ...]
    totals: tuple[Total, ...]
    parts: tuple[tuple[Epoch, tuple[Interval, ...]], ...]
    believed: tuple[StoredCount, ...]

    @property
    def energy_kwh(self) -> Decimal | None:
        """The exact energy of all slots and whole holes of the run; ``None`` when nothing is known."""
        known = [part.energy for part in self.totals if part.energy is not None]
        return exact_sum(known) if known else None

    @property
    def known_from(self) -> datetime | None:
        """The first instant of what ``energy_kwh`` sums."""
        return min((part.known_from for part in self.totals if part.known_from), default=None)

    @property
    def known_until(self) -> datetime | None:
        """The last instant of what ``energy_kwh`` sums."""
        return max((part.known_until for part in self.totals if part.known_until), default=None)

    @property
    def greatest(self) -> SlotView | None:
        """The slot of the greatest demand, the earliest of equals; slots in conflict do not count."""
        best: SlotView | None = None
        most: Decimal | None = None
        for view in self.slots:
            value = view.demand_kw
            if value is None or view.state is SlotState.CONFLICT:
                continue
            if most is None or value > most:
                best, most = view, value
        return best


@at_one_moment
def ledger(
    store: Store,
    meter_id: str,
    since: datetime,
    until: datetime,
    now: datetime,
    *,
    register: Register = Register.ENERGY,
) -> Ledger:
    """What is known of the slots of an energy register from ``since`` to ``until``, two half hours.

    Raises:
        KeyError: no such meter.
        ValueError: an instant is not on a half hour, the run is empty, or the register has no demand.
    """
    if since >= until:
        raise ValueError("a run of slots has at least one")
    if register not in _HISTORY:
        raise ValueError(f"{register} has no demand")
    return _Book(store, meter_id, since, until, now, register).ledger()


class _Book:
    """The counts of one run, read in a few range queries, and what follows from them."""

    def __init__(
        self, store: Store, meter_id: str, since: datetime, until: datetime, now: datetime, register: Register
    ) -> None:
        self.now = now
        self.now_s = now.timestamp()
        self.run = slots_between(since, until)
        self.since, self.until = since.astimezone(UTC), until.astimezone(UTC)
        self.ceiling_kw = store.meter(meter_id).ceiling_kw
        self.epochs = {epoch.number: epoch for epoch in store.epochs(meter_id)}
        clashes = store.conflicts(meter_id, since, until)
        self.hands = store.corrections_in_force(meter_id, register, since, until)
        self.doubtful = {  # a person who has looked settles a dispute
            (clash.epoch, _at(clash.instant))
            for clash in clashes
            if clash.kind == "reading" and clash.name == register.value
        } - self.hands.keys()
        self.doubtful_demands = {
            _at(clash.instant)
            for clash in clashes
            if clash.kind == "demand" and clash.name == register.direction
        }
        reign = reigns(store, meter_id, register, tuple(self.epochs.values()))
        self.begun = reign[max(reign)].after if reign else None  # the present epoch counts from here on
        found = (  # a hole at a border ends at the nearest known count beyond it
            *overlaid(store.readings(meter_id, register, since, until), self.hands),
            *store.nearest_readings(meter_id, register, since, after=False),
            *store.nearest_readings(meter_id, register, until, after=True),
        )
        self.rows = sorted(
            (row for row in found if reign[row.epoch].holds(row.at)), key=lambda row: (row.epoch, row.at)
        )
        self.row = {(row.epoch, row.at): row for row in self.rows}
        self.at: dict[int, StoredCount] = {}
        for row in self.rows:  # a later epoch speaks for an instant that both have only where it has a count
            if row.count is not None or row.at not in self.at:
                self.at[row.at] = row
        self.demands: dict[int, StoredCount] = {}
        for row in store.demands(meter_id, register.direction, since, until - HALF_HOUR):
            if row.count is not None:
                self.demands.setdefault(row.at, row)  # in the scale of the epoch that saw it first
        reads = store.history_reads(
            meter_id, since=self.run[0].day - timedelta(days=1), property_name=_HISTORY[register]
        )
        self.refused_days = {read.day for read in reads if read.elements == 0}
        self.final_days = {read.day for read in reads if read.final()}
        self.parts = self._intervals()

    def ledger(self) -> Ledger:
        by_start: dict[int, tuple[Epoch, Interval]] = {}
        for epoch, parts in self.parts:
            for part in parts:
                first, last = max(part.start, self.since), min(part.end, self.until)
                by_start.update(dict.fromkeys(range(_at(first), _at(last), _SLOT_S), (epoch, part)))
        views = tuple(
            self._slot(slot, at, by_start.get(at))
            for slot, at in zip(self.run, range(_at(self.since), _at(self.until), _SLOT_S), strict=True)
        )
        totals = tuple(
            total(parts, self.since, self.until, scale=epoch.nameplate.energy_scale)
            for epoch, parts in self.parts
        )
        return Ledger(
            slots=views,
            holes=self._holes(views, by_start),
            totals=totals,
            parts=tuple(self.parts),
            believed=tuple(
                row for row in self.rows if row.count is not None and (row.epoch, row.at) not in self.doubtful
            ),
        )

    def _intervals(self) -> list[tuple[Epoch, tuple[Interval, ...]]]:
        found = []
        for number, epoch in self.epochs.items():
            counts = {
                datetime.fromtimestamp(row.at, UTC): row.count
                for row in self.rows
                if row.epoch == number and (number, row.at) not in self.doubtful
            }
            plate = epoch.nameplate
            parts = intervals(
                counts, digits=plate.energy_digits, scale=plate.energy_scale, ceiling_kw=self.ceiling_kw
            )
            found.append((epoch, parts))
        return found

    # --- slots ------------------------------------------------------------------------------------------

    def _slot(self, slot: Slot, at: int, part: tuple[Epoch, Interval] | None) -> SlotView:
        demand_kw = self._demand(at)
        if part is not None and isinstance(part[1], SlotEnergy):
            return self._known(slot, at, part[0], part[1], demand_kw)
        state, note = self._unknown(slot, at, part[1] if part else None)
        start, end = self.at.get(at), self.at.get(at + _SLOT_S)
        return SlotView(
            slot=slot,
            state=state,
            demand_kw=demand_kw,
            demand_from=None if demand_kw is None else "meter",
            start_count=start.count if start else None,
            end_count=end.count if end else None,
            note=note,
            reason=self._reason(start, end),
        )

    def _reason(self, *ends: StoredCount | None) -> str | None:
        """Why a count at one of the ends was entered by hand; ``None`` where none was."""
        hands = [self.hands.get((row.epoch, row.at)) for row in ends if row is not None]
        return " / ".join(dict.fromkeys(hand.reason for hand in hands if hand)) or None

    def _demand(self, at: int) -> Decimal | None:
        """The meter's own demand of a slot, where it gave one and only one."""
        row = self.demands.get(at)
        if row is None or row.count is None or row.at in self.doubtful_demands:
            return None
        scale = self.epochs[row.epoch].nameplate.demand_scale
        return None if scale is None else scale.apply(row.count)

    def _known(
        self, slot: Slot, at: int, epoch: Epoch, part: SlotEnergy, demand_kw: Decimal | None
    ) -> SlotView:
        start, end = self.row[epoch.number, at], self.row[epoch.number, at + _SLOT_S]
        state, note = _quality(start, end), None
        plate = epoch.nameplate
        unit, demand_unit = plate.energy_scale.factor, plate.demand_scale and plate.demand_scale.factor
        if unit is None:
            note = "unscaled"
        if at in self.doubtful_demands:
            state, note = SlotState.CONFLICT, ConflictKind.TWO_VALUES.value
        elif (
            demand_kw is not None
            and part.energy is not None
            and unit
            and demand_unit
            and check_demand(demand_kw, part.energy, demand_unit, unit)
        ):
            note = ConflictKind.DEMAND_MISMATCH.value
            state = state if state is SlotState.CORRECTED else SlotState.CONFLICT
        own = demand_kw is not None
        if demand_kw is None and part.energy is not None:
            demand_kw = demand_of(part.energy)
        return SlotView(
            slot=slot,
            state=state,
            demand_kw=demand_kw,
            energy_kwh=part.energy,
            start_count=part.start_count,
            end_count=part.end_count,
            counts=part.counts,
            factor=unit,
            demand_from=None if demand_kw is None else "meter" if own else "energy",
            source=Source(end.source),
            received=datetime.fromtimestamp(max(start.received, end.received), UTC),
            note=note,
            reason=self._reason(start, end),
        )

    def _unknown(self, slot: Slot, at: int, part: Interval | None) -> tuple[SlotState, str | None]:
        """Why a slot has no energy: the state and a note."""
        if at > self.now_s:
            return SlotState.FUTURE, None
        if isinstance(part, ConflictSpan):
            return SlotState.CONFLICT, part.conflict.kind.value
        borders = [self.at.get(at), self.at.get(at + _SLOT_S)]
        if any(row is not None and (row.epoch, row.at) in self.doubtful for row in borders):
            return SlotState.CONFLICT, ConflictKind.TWO_VALUES.value
        if at + _SLOT_S > self.now_s:
            return SlotState.OPEN, None
        without = [row for row in borders if row is not None and row.count is None]
        if any(_by_hand(row) for row in without):
            return SlotState.UNAVAILABLE, "not_believed"
        if any(self._final(row) for row in without):
            return SlotState.UNAVAILABLE, "no_data"
        if all(row is not None and row.count is not None for row in borders):
            return SlotState.UNAVAILABLE, "meter_changed"  # known at both ends, by two epochs
        if self.begun is not None and at + _SLOT_S <= self.begun:
            return SlotState.UNAVAILABLE, "meter_changed"  # nobody can be asked any more
        if slot.day < self.now.astimezone(JST).date() - timedelta(days=MAX_DAYS_BACK):
            return SlotState.UNAVAILABLE, "expired"
        if slot.day in self.refused_days:
            return SlotState.UNAVAILABLE, "not_kept"
        if self.now_s - at - _SLOT_S < AWAITED.total_seconds():
            return SlotState.MISSING, "awaited"
        return SlotState.MISSING, "no_data" if without else None

    def _final(self, row: StoredCount) -> bool:
        """Whether a "no data" is the meter's last word: told by a history that will not be read again.

        Midnight stands in the history of the day that it begins or ends, as the meter counts.
        """
        slot = Slot.at(datetime.fromtimestamp(row.at, UTC))
        days = {slot.day, slot.previous.day}
        return row.source == Source.HISTORY and bool(days & self.final_days)

    # --- holes ------------------------------------------------------------------------------------------

    def _holes(
        self, views: tuple[SlotView, ...], by_start: Mapping[int, tuple[Epoch, Interval]]
    ) -> tuple[HoleView, ...]:
        """Holes with an exact sum, and between them the runs of slots of which nothing is known."""
        found: list[HoleView] = []
        last: Interval | None = None
        for view, at in zip(views, range(_at(self.since), _at(self.until), _SLOT_S), strict=True):
            part = by_start.get(at, (None, None))[1]
            if isinstance(part, SlotEnergy) or view.state not in _UNKNOWN or view.note == "awaited":
                last = None
                continue
            if isinstance(part, Hole | ConflictSpan):
                if part is not last:
                    found.append(_hole(part))
            elif found and last is None and found[-1].last == view.slot.previous and found[-1].counts is None:
                found[-1] = HoleView(first=found[-1].first, last=view.slot, energy_kwh=None)
            else:
                found.append(HoleView(first=view.slot, last=view.slot, energy_kwh=None))
            last = part
        return tuple(found)


def _hole(part: Hole | ConflictSpan) -> HoleView:
    first, last = Slot.starting(part.start), Slot.ending(part.end)
    if isinstance(part, Hole):
        return HoleView(first=first, last=last, energy_kwh=part.energy, counts=part.counts)
    return HoleView(first=first, last=last, energy_kwh=None)


def _by_hand(row: StoredCount) -> bool:
    return row.source == Source.MANUAL


def _quality(start: StoredCount, end: StoredCount) -> SlotState:
    sources = {start.source, end.source}
    if Source.MANUAL in sources:
        return SlotState.CORRECTED
    return SlotState.RECOVERED if Source.HISTORY in sources else SlotState.MEASURED


def _at(instant: datetime) -> int:
    return int(instant.timestamp())
