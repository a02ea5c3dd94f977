"""What a file from outside says of slots, beside what the meter says: slot by slot, and never mixed.

A difference smaller than one scaled count of the meter is its display's rounding and is marked so: the file
of a retailer has more decimals than a meter whose one count is some kWh.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from koatsu.ems.channels import Channel
from koatsu.ems.exchange.slot_csv import DAYS_AT_ONCE
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.store import Store
from koatsu.ems.store.imported import imported_energies
from koatsu.ems.view_models import SlotState
from koatsu.meter.quantity import EXACT, exact_sum
from koatsu.meter.slots import Slot

__all__ = ["Comparison", "SlotComparison", "Verdict", "compare", "contradictions", "summed_up"]

_MOST_LISTED: Final = 500


class Verdict(StrEnum):
    """How two energies of a slot stand to each other."""

    EQUAL = "equal"
    DIFFERS = "differs"
    ONLY_METER = "only_meter"  #: no file speaks of the slot
    ONLY_FILE = "only_file"  #: the meter's energy is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotComparison:
    """One slot: the meter's energy and a file's, in kWh; ``difference_kwh`` is the file's minus the meter's.

    ``within_count``: they differ by less than one scaled count of the meter.
    """

    slot: Slot
    verdict: Verdict
    meter_kwh: Decimal | None
    state: SlotState
    file_kwh: Decimal | None
    difference_kwh: Decimal | None = None
    within_count: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A run of slots summed up.

    ``meter_kwh`` and ``file_kwh`` are the sums over the slots that both know. ``listed`` are the
    contradictions, at most five hundred; what lies within one count is not among them.
    """

    tally: Mapping[Verdict, int]
    within_count: int
    meter_kwh: Decimal
    file_kwh: Decimal
    listed: tuple[SlotComparison, ...]

    @property
    def contradicting(self) -> int:
        """Slots that differ by one count of the meter or more."""
        return self.tally[Verdict.DIFFERS] - self.within_count


def compare(
    store: Store,
    channel: Channel,
    since: datetime,
    until: datetime,
    now: datetime,
    *,
    said: Mapping[int, Decimal] | None = None,
) -> Iterator[SlotComparison]:
    """Every slot from ``since`` to ``until`` (two half hours) of which the meter or a file knows the energy.

    Args:
        store: where both are.
        channel: whose energy.
        since: a half hour.
        until: a half hour.
        now: our time.
        said: what one file says, in kWh by start of the slot (seconds since 1970 UTC); ``None``: what all
            files say, and where several speak of a slot the one brought in last.

    Raises:
        KeyError: no such meter.
        ValueError: an instant is not on a half hour.
    """
    while since < until:
        end = min(until, since + timedelta(days=DAYS_AT_ONCE))
        run = ledger(store, channel.meter_id, since, end, now, register=channel.register)
        first, last = int(since.timestamp()), int(end.timestamp())
        other = said
        if other is None:
            with store.reading() as connection:
                found = imported_energies(connection, channel.id, first, last)
            other = {at: energy.energy_kwh for at, energy in found.items()}
        for view in run.slots:
            energy = other.get(int(view.slot.start.timestamp()))
            if view.energy_kwh is None and energy is None:
                continue
            difference = None
            if energy is None:
                verdict = Verdict.ONLY_METER
            elif view.energy_kwh is None:
                verdict = Verdict.ONLY_FILE
            else:
                difference = EXACT.subtract(energy, view.energy_kwh)
                verdict = Verdict.DIFFERS if difference else Verdict.EQUAL
            yield SlotComparison(
                slot=view.slot,
                verdict=verdict,
                meter_kwh=view.energy_kwh,
                state=view.state,
                file_kwh=energy,
                difference_kwh=difference,
                within_count=_within_count(difference, view.factor),
            )
        since = end


def _within_count(difference: Decimal | None, factor: Decimal | None) -> bool:
    """Whether a difference is less than what one count is worth."""
    return bool(difference) and factor is not None and difference is not None and abs(difference) < factor


def contradictions(
    store: Store, channel: Channel, since: datetime, until: datetime, now: datetime
) -> tuple[SlotComparison, ...]:
    """The slots in which a file and the meter differ by one scaled count or more."""
    return tuple(
        one
        for one in compare(store, channel, since, until, now)
        if one.verdict is Verdict.DIFFERS and not one.within_count
    )


def summed_up(slots: Iterable[SlotComparison]) -> Comparison:
    """Comparisons summed up."""
    tally: Counter[Verdict] = Counter()
    within = 0
    meter: list[Decimal] = []
    other: list[Decimal] = []
    listed: list[SlotComparison] = []
    for one in slots:
        tally[one.verdict] += 1
        within += one.within_count
        if one.meter_kwh is not None and one.file_kwh is not None:
            meter.append(one.meter_kwh)
            other.append(one.file_kwh)
        if one.verdict is Verdict.DIFFERS and not one.within_count and len(listed) < _MOST_LISTED:
            listed.append(one)
    return Comparison(
        tally=tally,
        within_count=within,
        meter_kwh=exact_sum(meter),
        file_kwh=exact_sum(other),
        listed=tuple(listed),
    )
