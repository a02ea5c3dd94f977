"""Pulses beside the register: what is compared with what, what a difference means, and what it cannot mean.

Both sides are cut at the half hours that both know: two slots that ran together for want of a slot pulse
stand beside the sum of the register's two, and so does a hole of the register. A difference is claimed only
where it is more than the last count and the last pulse can make; the sum of the day has the same small
doubt, so what single slots hide shows there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

from koatsu.ems.pulses.counting import PulseSpan
from koatsu.ems.pulses.models import Compared, PulseSum, Reason, in_order
from koatsu.meter.quantity import exact_sum
from koatsu.meter.slots import Slot

__all__ = ["Pair", "RegisterStep", "compared", "judged", "pairs", "summed"]

_CLOCK_SHARE = Fraction(1, 6)  # of a slot: our clock is not taken to be off by more than five minutes
_SHIFTS = (-1, 1, -2, 2)  # slots by which a clock may be off
_ENOUGH = 3  # so many rows have to differ before a whole slot of shift is thought of
_GROSS = frozenset({Reason.LOST, Reason.DOUBLED, Reason.CONSTANT})


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterStep:
    """What the register counted between two half hours at which it is known; ``unit``: kWh of one count."""

    start: datetime
    end: datetime
    counts: int
    energy: Decimal
    unit: Decimal
    epoch: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Spans of pulses and steps of the register over the same slots; every span has a constant."""

    spans: tuple[PulseSpan, ...]
    steps: tuple[RegisterStep, ...]

    @property
    def start(self) -> datetime:
        """Where both begin."""
        return self.steps[0].start

    @property
    def end(self) -> datetime:
        """Where both end."""
        return self.steps[-1].end

    @property
    def pulse_kwh(self) -> Fraction:
        """The energy of the pulses."""
        return sum((span.pulses / _constant(span) for span in self.spans), Fraction(0))

    @property
    def register_kwh(self) -> Decimal:
        """The energy of the register."""
        return exact_sum(step.energy for step in self.steps)

    @property
    def doubt(self) -> Fraction:
        """What the last count and the last pulse can make: a smaller difference means nothing."""
        return Fraction(self.steps[0].unit) + 1 / min(_constant(span) for span in self.spans)

    @property
    def difference(self) -> Fraction:
        """Pulses − register."""
        return self.pulse_kwh - Fraction(self.register_kwh)

    def follows(self, other: Pair) -> bool:
        """Whether it goes on where ``other`` ends, with the same meter and constant."""
        return (
            other.end == self.start
            and other.steps[-1].epoch == self.steps[0].epoch
            and other.spans[-1].per_kwh == self.spans[0].per_kwh
        )


def _constant(span: PulseSpan) -> Fraction:
    assert span.per_kwh is not None, "spans without a constant are not paired"
    return span.per_kwh


def pairs(spans: Sequence[PulseSpan], steps: Sequence[RegisterStep]) -> list[Pair]:
    """Whole spans and known steps over the same slots, as short as can be; both in order and apart."""
    found: list[Pair] = []
    i = j = 0
    while i < len(spans) and j < len(steps):
        if spans[i].start != steps[j].start:
            i, j = (i + 1, j) if spans[i].start < steps[j].start else (i, j + 1)
            continue
        reach = _reach(spans, steps, i, j)
        if reach is None:
            i += 1
            continue
        found.append(Pair(spans=tuple(spans[i : reach[0]]), steps=tuple(steps[j : reach[1]])))
        i, j = reach
    return found


def _reach(
    spans: Sequence[PulseSpan], steps: Sequence[RegisterStep], i: int, j: int
) -> tuple[int, int] | None:
    """The ends, exclusive, of the shortest runs from ``i`` and ``j`` that end together; ``None``: none do."""
    a, b = i + 1, j + 1
    while spans[a - 1].end != steps[b - 1].end:
        if spans[a - 1].end < steps[b - 1].end:
            if a == len(spans) or spans[a].start != spans[a - 1].end:
                return None
            a += 1
        else:
            last = steps[b - 1]
            if b == len(steps) or steps[b].start != last.end or steps[b].epoch != last.epoch:
                return None
            b += 1
    return a, b


def judged(
    difference: Fraction, doubt: Fraction, pulse_kwh: Fraction, register_kwh: Fraction, per_kwh: Fraction
) -> tuple[Reason, tuple[int, int] | None]:
    """What a difference means, and the fewest and most pulses that it can be."""
    if not difference:
        return Reason.EXACT, None
    size = abs(difference)
    if size < doubt:
        return Reason.RESOLUTION, None
    amiss = floor((size - doubt) * per_kwh) + 1, ceil((size + doubt) * per_kwh) - 1
    if difference < 0:
        return Reason.LOST, amiss
    if pulse_kwh >= 2 * (register_kwh + doubt):
        return Reason.CONSTANT, None
    return Reason.DOUBLED, amiss


def compared(found: Sequence[Pair]) -> list[Compared]:
    """A row for each pair, in their order."""
    clocks = {*_cut_by_clock(found), *_shifted(found)}
    rows = []
    for number, pair in enumerate(found):
        row = _row(pair)
        if number in clocks and not _GROSS.isdisjoint(row.reasons):
            reasons = in_order((set(row.reasons) - _GROSS) | {Reason.CLOCK})
            row = replace(row, reasons=reasons, amiss=None)
        rows.append(row)
    return rows


def _row(pair: Pair) -> Compared:
    energy = pair.pulse_kwh
    reason, amiss = judged(
        pair.difference, pair.doubt, energy, Fraction(pair.register_kwh), _constant(pair.spans[-1])
    )
    reasons = {reason}
    if any(_slots(span.start, span.end) > 1 for span in pair.spans):
        reasons.add(Reason.SLOT_LOST)
    if any(span.slot_pulses > 2 for span in pair.spans):
        reasons.add(Reason.SLOT_EXTRA)
    if any(_slots(step.start, step.end) > 1 for step in pair.steps):
        reasons.add(Reason.HOLE)
    return Compared(
        first=Slot.starting(pair.start),
        last=Slot.ending(pair.end),
        reasons=in_order(reasons),
        pulses=sum(span.pulses for span in pair.spans),
        pulse_kwh=energy,
        counts=sum(step.counts for step in pair.steps),
        register_kwh=pair.register_kwh,
        resolution_kwh=pair.doubt,
        amiss=amiss,
        heard_from=pair.spans[0].since,
        heard_until=pair.spans[-1].until,
    )


def summed(found: Sequence[Pair], rows: Sequence[Compared]) -> PulseSum | None:
    """All pairs together; ``None`` where there is none. ``rows`` are what :func:`compared` made of them."""
    if not found:
        return None
    energy = sum((pair.pulse_kwh for pair in found), Fraction(0))
    register = exact_sum(pair.register_kwh for pair in found)
    doubt = sum((max(pair.doubt for pair in chain) for chain in _chains(found)), Fraction(0))
    constant = _constant(found[-1].spans[-1])
    reason, amiss = judged(energy - Fraction(register), doubt, energy, Fraction(register), constant)
    if reason in _GROSS and any(Reason.CLOCK in row.reasons for row in rows):
        reason, amiss = Reason.CLOCK, None  # what a clock took from the slots at either end
    return PulseSum(
        slots=sum(_slots(pair.start, pair.end) for pair in found),
        pulses=sum(span.pulses for pair in found for span in pair.spans),
        pulse_kwh=energy,
        register_kwh=register,
        resolution_kwh=doubt,
        reasons=(reason,),
        amiss=amiss,
    )


def _chains(found: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Runs of pairs that follow each other without a break."""
    chain = [found[0]]
    for before, pair in pairwise(found):
        if not pair.follows(before):
            yield chain
            chain = []
        chain.append(pair)
    yield chain


def _cut_by_clock(found: Sequence[Pair]) -> set[int]:
    """Pairs cut by our clock, not by slot pulses, whose difference such a clock can make, and no loss does.

    What it gives to one slot it takes from the next, so the sum of a run does not drift.
    """
    clocks: set[int] = set()
    at = 0
    for chain in _chains(found) if found else ():
        numbers = range(at, at + len(chain))
        at += len(chain)
        if not all(span.by_clock for pair in chain for span in pair.spans):
            continue
        most = [_CLOCK_SHARE * Fraction(pair.register_kwh) for pair in chain]
        drift = sum((pair.difference for pair in chain), Fraction(0))
        if abs(drift) >= max(pair.doubt for pair in chain) + max(most):
            continue
        for n, pair in enumerate(chain):
            if abs(pair.difference) < pair.doubt + max(most[max(0, n - 1) : n + 2]):
                clocks.add(numbers[n])
    return clocks


def _shifted(found: Sequence[Pair]) -> set[int]:
    """Every pair of a chain that fits once one side is moved by whole slots, and does not as it stands."""
    clocks: set[int] = set()
    at = 0
    for chain in _chains(found) if found else ():
        numbers = range(at, at + len(chain))
        at += len(chain)
        single = all(len(pair.spans) == len(pair.steps) == 1 for pair in chain)
        if single and sum(_apart(pair, pair) for pair in chain) >= _ENOUGH:
            for shift in _SHIFTS:
                moved = [
                    (pair, chain[n + shift]) for n, pair in enumerate(chain) if 0 <= n + shift < len(chain)
                ]
                if len(moved) >= _ENOUGH and not any(_apart(one, other) for one, other in moved):
                    clocks.update(numbers)
    return clocks


def _apart(pulses: Pair, register: Pair) -> bool:
    """Whether the pulses of one pair are not the register of the other."""
    return abs(pulses.pulse_kwh - Fraction(register.register_kwh)) >= register.doubt


def _slots(start: datetime, end: datetime) -> int:
    return (end - start) // (Slot.at(start).end - Slot.at(start).start)
