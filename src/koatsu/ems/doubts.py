"""What does not fit together: every pair of values of a meter that must agree and do not.

Two values for one instant, a slot whose demand is not twice its energy, a difference that no site can draw.
Each is listed with both values; none is ever resolved here, and none is hidden because a person has decided:
it is marked as settled then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from koatsu.ems.correcting import contradictions
from koatsu.ems.slot_ledger import Ledger, ledger
from koatsu.ems.store import Store
from koatsu.ems.view_models import SlotView
from koatsu.meter.conflicts import ConflictKind
from koatsu.meter.intervals import ConflictSpan, SlotEnergy
from koatsu.meter.quantity import demand_of
from koatsu.meter.registers import Direction, Register
from koatsu.meter.slots import Slot

__all__ = ["Doubt", "doubts"]

#: Registers whose differences are slots.
_OF_SLOTS: Final = (Register.ENERGY, Register.ENERGY_REVERSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Values of one meter that do not fit together.

    ``kind`` is a code whose sentence the pages have. ``since`` and ``until`` are UTC: one instant twice for
    two counts of an instant, the borders of the slot or slots otherwise. ``values`` are counts (the one that
    was kept first, then each other; or the counts at the two borders), or kW (the meter's demand, then twice
    its energy). ``settled``: a person has decided by a correction.
    """

    kind: ConflictKind
    register: Register
    epoch: int
    since: datetime
    until: datetime
    values: tuple[int | Decimal, ...]
    unit: Literal["count", "kW"]
    settled: bool = False

    @property
    def slot(self) -> Slot | None:
        """The slot in doubt; ``None`` for an instant or several slots."""
        slot = Slot.at(self.since)
        return slot if (slot.start, slot.end) == (self.since, self.until) else None


def doubts(store: Store, meter_id: str, since: datetime, until: datetime, now: datetime) -> tuple[Doubt, ...]:
    """Every doubt about a meter between two half hours, oldest first.

    Raises:
        KeyError: no such meter.
        ValueError: a border is not on a half hour, or they are in the wrong order.
    """
    found = [*_two_values(store, meter_id, since, until)]
    for register in _OF_SLOTS:
        if store.has_counts(meter_id, register):
            found += _in_ledger(ledger(store, meter_id, since, until, now, register=register), register)
    return tuple(sorted(found, key=lambda one: (one.since, one.kind, one.register, one.epoch)))


def _two_values(store: Store, meter_id: str, since: datetime, until: datetime) -> Iterator[Doubt]:
    for one in contradictions(store, meter_id, since, until):
        if one.kind == "demand":
            slot = Slot.starting(one.instant)
            if slot.end > until:
                continue
            register, ends = _register_of(one.name), (slot.start, slot.end)
        else:
            register, ends = Register(one.name), (one.instant, one.instant)
        yield Doubt(
            kind=ConflictKind.TWO_VALUES,
            register=register,
            epoch=one.epoch,
            since=ends[0],
            until=ends[1],
            values=tuple(value for value in (one.kept, *one.others) if value is not None),
            unit="count",
            settled=one.settled_by is not None,
        )


def _in_ledger(book: Ledger, register: Register) -> Iterator[Doubt]:
    mismatch = ConflictKind.DEMAND_MISMATCH.value
    mismatched = {view.slot: view for view in book.slots if view.note == mismatch}
    for epoch, parts in book.parts:
        for part in parts:
            if isinstance(part, ConflictSpan):
                yield Doubt(
                    kind=part.conflict.kind,
                    register=register,
                    epoch=epoch.number,
                    since=part.start,
                    until=part.end,
                    values=(part.start_count, part.end_count),
                    unit="count",
                )
            elif isinstance(part, SlotEnergy) and part.slot in mismatched:
                yield _mismatch(mismatched[part.slot], epoch.number, register)


def _mismatch(view: SlotView, epoch: int, register: Register) -> Doubt:
    assert view.demand_kw is not None
    assert view.energy_kwh is not None
    return Doubt(
        kind=ConflictKind.DEMAND_MISMATCH,
        register=register,
        epoch=epoch,
        since=view.slot.start,
        until=view.slot.end,
        values=(view.demand_kw, demand_of(view.energy_kwh)),
        unit="kW",
    )


def _register_of(direction: Direction | str) -> Register:
    return Register.ENERGY if direction == "normal" else Register.ENERGY_REVERSE
