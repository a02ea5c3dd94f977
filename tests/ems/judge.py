"""The judge of long runs: what the store and its ledger say at the end, held against the emulator's truth.

It knows nothing of how the collector works. The truth file has every count that a meter ever showed, by
serial number and instant; the emulated meter itself tells what it still remembers at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from long_bench import CEILING, LongBench, Truth

from koatsu.clock import JST
from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.period_models import EpochTotal, PeriodTotal
from koatsu.ems.period_views import month_view
from koatsu.ems.slot_ledger import Ledger, ledger
from koatsu.ems.view_models import SlotState, SlotView
from koatsu.emulator.model import Counter as Total
from koatsu.meter import Register
from koatsu.meter.intervals import ConflictSpan
from koatsu.meter.slots import Slot

HALF_HOUR = timedelta(minutes=30)
KNOWN = (SlotState.MEASURED, SlotState.RECOVERED)
LAP = 10**8  #: where the emulated counters begin again


@dataclass(frozen=True)
class Verdict:
    """How many slots ended in each state, over the days that were judged."""

    states: Counter[SlotState]
    known_kwh: Decimal | None


def judge(bench: LongBench, since: datetime, until: datetime, *, whole: bool) -> Verdict:
    """Check everything; ``whole``: the meter forgot nothing, so every slot must be known.

    Raises:
        AssertionError: something is wrong; the message says which slot.
    """
    truth = bench.truth()
    _counts(bench, truth)
    _demands(bench, truth)
    _memory(bench, truth, until)
    book = ledger(bench.store, "main", since, until, bench.clock.now())
    plates = {epoch.number: epoch.nameplate for epoch in bench.store.epochs("main")}
    in_time = _known_in_their_time(bench)
    for view in book.slots:
        _slot(view, book, truth, bench, in_time, whole=whole)
    if whole and len({plate.energy_scale for plate in plates.values()}) == 1:
        (told,) = [counts for (_, name), counts in truth.registers.items() if name == "energy"]
        factor = plates[1].energy_scale.factor
        assert factor is not None
        assert book.energy_kwh == (told[until][0] - told[since][0]) * factor, "the total is not exact"
    judge_months(bench, since, until)
    return Verdict(Counter(view.state for view in book.slots), book.energy_kwh)


def _counts(bench: LongBench, truth: Truth) -> None:
    """No stored count that the meter of that serial number has not shown at that instant."""
    serials = {epoch.number: epoch.nameplate.serial or "" for epoch in bench.store.epochs("main")}
    for register in (Register.ENERGY, Register.ENERGY_PF, Register.REACTIVE_PF):
        for (epoch, at), count in bench.kept(register).items():
            shown = truth.registers[serials[epoch], register.value].get(at, [])
            assert count is None or count in shown, (
                f"{register} at {at}: {count} was never shown, but {shown}"
            )


def _demands(bench: LongBench, truth: Truth) -> None:
    serials = {epoch.number: epoch.nameplate.serial or "" for epoch in bench.store.epochs("main")}
    for row in bench.store.demands("main", "normal", *bench.ever):
        at = datetime.fromtimestamp(row.at, JST)
        shown = truth.demands[serials[row.epoch], "normal"].get(at, [])
        assert row.count is None or row.count in shown, f"demand at {at}: {row.count}, but {shown}"


def _memory(bench: LongBench, truth: Truth, until: datetime) -> None:
    """Whatever the meter still remembers is in the store, beside an earlier value where there are two."""
    (model,) = bench.site.models
    epoch = bench.store.current_epoch("main")
    assert epoch is not None
    assert epoch.nameplate.serial == model.spec.serial
    kept = bench.kept()
    horizon = bench.horizon
    clashes = {
        (clash.instant, clash.other)
        for clash in bench.store.conflicts("main", *bench.ever, kind="reading")
        if clash.name == Register.ENERGY.value and clash.epoch == epoch.number
    }
    for back in range(horizon + 1):
        day = model.date_back(back)
        for place, count in enumerate(model.day_counts(Total.ENERGY, back)):
            at = datetime.combine(day, datetime.min.time(), JST) + place * HALF_HOUR
            if count is None or at > until:
                continue
            here = kept.get((epoch.number, at))
            assert here == count or (at, count) in clashes, f"the meter has {count} at {at}, the store {here}"


def _slot(
    view: SlotView,
    book: Ledger,
    truth: Truth,
    bench: LongBench,
    in_time: set[tuple[datetime, datetime]],
    *,
    whole: bool,
) -> None:
    start, end = (one.astimezone(JST) for one in (view.slot.start, view.slot.end))
    told = {
        serial: (counts.get(start, []), counts.get(end, []))
        for (serial, name), counts in truth.registers.items()
        if name == "energy"
    }
    if view.state in KNOWN:
        pairs = [(a, b) for one, two in told.values() for a in one for b in two]
        assert (view.start_count, view.end_count) in pairs, f"{view.slot}: no meter counted that: {view}"
        last = [(one[-1], two[-1]) for one, two in told.values() if one and two]
        assert (view.start_count, view.end_count) in last, (
            f"{view.slot}: the meter has thought better: {told}"
        )
        if view.energy_kwh is not None:
            assert view.factor is not None
            assert view.end_count is not None
            assert view.start_count is not None
            counts = (view.end_count - view.start_count) % LAP
            assert view.energy_kwh == counts * view.factor, f"{view.slot}: a wrong energy"
            assert 2 * view.energy_kwh <= CEILING, f"{view.slot}: more than the site can draw"
        said = [told[start] for (_, way), told in truth.demands.items() if way == "normal" and start in told]
        if whole and said and None not in said[-1]:
            assert view.demand_from in ("meter", None), f"{view.slot}: the meter's own demand is lost"
        return
    changes = [epoch.started_at for epoch in bench.store.epochs("main")[1:]]
    if changes and start < changes[-1] + HALF_HOUR and view.state is SlotState.UNAVAILABLE:
        # No difference crosses a change of meter or scale, and a later epoch's scale is not that of the time.
        assert (start, end) not in in_time, f"{view.slot} was known, and is not any more: {view}"
        return
    assert not whole, f"{view.slot} is {view.state} ({view.note}), and the meter has forgotten nothing"
    two = any(len(one) > 1 or len(other) > 1 for one, other in told.values())
    leap = any(_leaps(one, other) for one, other in told.values())
    recoverable = _recoverable(bench, start, end)
    if view.state is SlotState.CONFLICT:
        allowed = two or leap or _impossible(view, book, truth)
        assert allowed, f"{view.slot} is in conflict, and nothing contradicts: {view} {told}"
    else:
        assert view.state is SlotState.UNAVAILABLE, f"{view.slot} is not final: {view}"
        assert not recoverable or two or leap, f"{view.slot} could be known: {view} {told}"


def _known_in_their_time(bench: LongBench) -> set[tuple[datetime, datetime]]:
    """The slots of which the epoch of the time has a count at both ends."""
    epochs, found = bench.store.epochs("main"), set()
    counts = {key: count for key, count in bench.kept().items() if count is not None}
    for index, epoch in enumerate(epochs):
        over = epochs[index + 1].started_at if index + 1 < len(epochs) else None
        for number, start in counts:
            end = start + HALF_HOUR
            in_time = epoch.started_at <= start and (over is None or end <= over)
            if number == epoch.number and in_time and (number, end) in counts:
                found.add((start, end))
    return found


def _recoverable(bench: LongBench, start: datetime, end: datetime) -> bool:
    """Whether the meter that hangs there remembers both ends of a slot."""
    (model,) = bench.site.models
    return None not in (model.half_hour_totals(start), model.half_hour_totals(end))


def _impossible(view: SlotView, book: Ledger, truth: Truth) -> bool:
    """Whether a slot lies between two true counts between which nobody can have drawn so much."""
    for epoch, parts in book.parts:
        counts = truth.registers[epoch.nameplate.serial or "", "energy"]
        for part in parts:
            if isinstance(part, ConflictSpan) and part.start <= view.slot.start < part.end:
                ends = [counts[at.astimezone(JST)] for at in (part.start, part.end)]
                hours = Decimal((part.end - part.start) // HALF_HOUR) / 2
                drawn = ((part.end_count - part.start_count) % LAP) * Decimal("0.6")
                true = part.start_count in ends[0] and part.end_count in ends[1]
                return true and drawn > CEILING * hours
    return False


def _leaps(first: list[int], last: list[int]) -> bool:
    """Whether the counts rise by more than a site can draw: somebody has set the counter."""
    factor = Decimal("0.6")
    return any(((b - a) % LAP) * factor * 2 > CEILING for a in first for b in last)


# --- months ---------------------------------------------------------------------------------------------


def months(bench: LongBench, since: datetime, until: datetime) -> Iterator[tuple[MonthSpan, PeriodTotal]]:
    """The calendar and the billing months of a run of days, and their totals, as the page asks for them."""
    month = MonthSpan(since.year, since.month).moved(-1)
    while month.first <= until.date():
        for billing in (False, True):
            view = month_view(bench.store, "main", month.first, bench.clock.now(), billing=billing)
            yield view.span, view.total
        month = month.moved(1)


def judge_months(bench: LongBench, since: datetime, until: datetime) -> None:
    """Check the totals of all months alone.

    Raises:
        AssertionError: one is wrong.
    """
    truth, book = bench.truth(), ledger(bench.store, "main", since, until, bench.clock.now())
    for span, total in months(bench, since, until):
        _month(span, total, book, truth, bench)


def _month(span: MonthSpan, total: PeriodTotal, book: Ledger, truth: Truth, bench: LongBench) -> None:
    """A month is what the meter counted between the outermost ends that are known."""
    for part in total.epochs:
        _epoch(span, part, truth, bench)
    known = [part.energy_kwh for part in total.epochs if part.energy_kwh is not None]
    assert total.energy_kwh == (sum(known) if known else None), f"{span}: the parts are not the whole"
    slots = [view for view in book.slots if span.first <= view.slot.day <= span.last]
    for view in slots:
        inside = any(
            part.known_from <= view.slot.start and view.slot.end <= part.known_until
            for part in total.epochs
            if part.known_from is not None and part.known_until is not None
        )
        assert inside or view.state not in KNOWN, f"{span}: {view.slot} is known, and not in the total"
    if slots and all(view.state in KNOWN for view in slots):
        assert total.known_from is not None
        assert total.known_until is not None
        assert total.known_from <= slots[0].slot.start, f"{span} begins late"
        assert total.known_until >= slots[-1].slot.end, f"{span} ends early"
        serials = {epoch.nameplate.serial for epoch in bench.store.epochs("main")}
        if len(serials) == 1:
            told = truth.registers[serials.pop() or "", "energy"]
            drawn = _differences(told, [(total.known_from, total.known_until)])
            assert total.counts in drawn, f"{span} is {total.counts}, and {drawn} were counted"


def _epoch(span: MonthSpan, part: EpochTotal, truth: Truth, bench: LongBench) -> None:
    """What is summed of one epoch is the difference of the truth at its ends, less what is in conflict."""
    if part.counts is None or part.known_from is None or part.known_until is None:
        assert part.energy_kwh is None
        return
    (epoch,) = [one for one in bench.store.epochs("main") if one.number == part.epoch]
    assert Slot(span.first, 1).start <= part.known_from < part.known_until <= Slot(span.last, 48).end
    runs = [(part.known_from, part.known_until)]
    if part.left_out:
        book = ledger(bench.store, "main", part.known_from, part.known_until, bench.clock.now())
        (parts,) = [parts for one, parts in book.parts if one.number == part.epoch]
        for left in [one for one in parts if isinstance(one, ConflictSpan)]:
            start, end = runs.pop()
            runs += [(start, left.start), (left.end, end)]
    drawn = _differences(truth.registers[epoch.nameplate.serial or "", "energy"], runs)
    assert part.counts in drawn, f"{span} is {part.counts} in epoch {part.epoch}, and {drawn} were counted"
    factor = epoch.nameplate.energy_scale.factor
    assert part.energy_kwh == (None if factor is None else part.counts * factor)


def _differences(told: dict[datetime, list[int]], runs: Iterable[tuple[datetime, datetime]]) -> set[int]:
    """What a meter may have counted over some runs: one number, unless it showed two values at an end."""
    sums = {0}
    for start, end in runs:
        drawn = {(last - first) % LAP for first in told[start] for last in told[end]}
        sums = {one + more for one in sums for more in drawn}
    return sums
