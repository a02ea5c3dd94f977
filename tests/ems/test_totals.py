"""Totals from the cache are what the ledger says, whatever arrives, in whatever order, across restarts."""

from __future__ import annotations

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from store_site import Site, empty, plate
from totals_site import DAYS, START, assert_equal, at, truth

from koatsu.ems.store import Store
from koatsu.ems.totals import read_totals, slots_on_file
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import Slot

# Half hours since START; those at midnight and next to it are what goes wrong.
instants = st.one_of(
    st.integers(0, 6 * 48),
    st.builds(lambda day, near: 48 * day + near, st.integers(0, 6), st.integers(-2, 2)),
).filter(lambda step: 0 <= step <= 6 * 48)
spans = st.tuples(st.integers(0, 5), st.integers(0, 5)).map(lambda pair: (min(pair), max(pair)))


class TotalsMachine(RuleBasedStateMachine):
    """A meter whose counts come late, twice, wrong, corrected and in another epoch."""

    def __init__(self, served: str | None = None) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.where = served or str(self.folder / "koatsu.db")
        self.store = Store.open(self.where)
        if served:
            empty(self.store)
        self.site = Site(self.store, ceiling_kw=100)
        self.now = at(2 * 48) + timedelta(minutes=7)
        self.serial = 0
        self.epochs = 0
        self.corrections: list[int] = []

    def teardown(self) -> None:
        self.read((0, 5))
        self.store.close()
        shutil.rmtree(self.folder)

    @initialize(digits_known=st.booleans())
    def begin(self, digits_known: bool) -> None:
        self.replace(0, digits_known)

    @rule(step=instants, anew=st.booleans())
    def replace(self, step: int, anew: bool) -> None:
        """Another meter, or the same one with another coefficient, from an instant on."""
        if self.epochs >= 3:
            return
        self.serial += anew
        started = START - timedelta(days=9) if self.epochs == 0 else at(step) + timedelta(minutes=3)
        if self.epochs and started <= self.store.epochs("main")[-1].started_at:
            return
        self.epochs += 1
        self.site.begin(plate(serial=f"S{self.serial}", coefficient=10 * self.epochs), started)

    @rule(
        epoch=st.integers(1, 3),
        steps=st.lists(instants, min_size=1, max_size=6),
        length=st.integers(1, 30),
        kind=st.sampled_from(["true", "true", "true", "wrong", "no data", "far"]),
        source=st.sampled_from([Source.FIXED, Source.HISTORY]),
    )
    def counts(self, epoch: int, steps: list[int], length: int, kind: str, source: Source) -> None:
        """Counts of some half hours and a run of them, as they are, off by some, or none."""
        self.site.epoch = min(epoch, self.epochs)
        run = {*steps, *range(steps[0], min(steps[0] + length, 6 * 48))}
        off = {"wrong": 1, "far": 70_000}.get(kind, 0)
        values = {
            at(step): None if kind == "no data" else (truth(step, self.site.epoch) + off) % 10**6
            for step in sorted(run)
            if at(step) <= self.now
        }
        self.site.counts(values, source=source)

    @rule(epoch=st.integers(1, 3), step=instants, value=st.integers(0, 60), source=st.sampled_from(Source))
    def demand(self, epoch: int, step: int, value: int, source: Source) -> None:
        """The meter's own demand of a slot, fitting its energy or not."""
        self.site.epoch = min(epoch, self.epochs)
        slot = Slot.starting(at(step))
        if slot.end <= self.now:
            self.site.demand(slot, value, source=source)

    @rule(step=instants, off=st.sampled_from([0, 1, None]), epoch=st.sampled_from([None, 1, 2]))
    def correct(self, step: int, off: int | None, epoch: int | None) -> None:
        """A count entered by hand, or one that is no longer believed."""
        if at(step) > self.now or (epoch or 1) > self.epochs:
            return
        found = self.store.correct(
            "main",
            Register.ENERGY,
            at(step),
            None if off is None else (truth(step, epoch or 1) + off) % 10**6,
            reason="read from the display",
            author="person:1",
            at=self.now,
            epoch=epoch,
        )
        self.corrections.append(found.id)

    @precondition(lambda self: self.corrections)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        """A correction taken back."""
        chosen = data.draw(st.sampled_from(self.corrections))
        self.corrections.remove(chosen)
        self.store.withdraw_correction(chosen, author="person:1", at=self.now)

    @rule(ceiling=st.sampled_from([None, 100, 5_000]))
    def ceiling(self, ceiling: int | None) -> None:
        """Another ceiling: other differences are believed."""
        Site(self.store, ceiling_kw=ceiling)

    @rule(minutes=st.sampled_from([1, 29, 45, 600, 3_000]))
    def wait(self, minutes: int) -> None:
        """Time passes."""
        self.now += timedelta(minutes=minutes)

    @rule()
    def restart(self) -> None:
        """The program ends and starts again."""
        self.store.close()
        self.store = Store.open(self.where)
        self.site.store = self.store

    @rule(span=spans)
    def read(self, span: tuple[int, int]) -> None:
        """Read a run of days twice, so that the second reading finds what the first kept."""
        first, last = DAYS[span[0]], DAYS[span[1]]
        for _ in range(2):
            totals = read_totals(self.store, "main", first, last, self.now)
            assert_equal(totals, self.store, self.now, (first, last))

    @rule(span=spans, inner=spans)
    def part(self, span: tuple[int, int], inner: tuple[int, int]) -> None:
        """A period within what was read is as if it had been read alone."""
        first, last = DAYS[span[0]], DAYS[span[1]]
        one, two = DAYS[max(span[0], inner[0])], DAYS[min(span[1], inner[1])]
        if one <= two:
            assert_equal(
                read_totals(self.store, "main", first, last, self.now), self.store, self.now, (one, two)
            )

    @rule(span=spans)
    def calendar(self, span: tuple[int, int]) -> None:
        """The slots on file are those of the totals."""
        first, last = DAYS[span[0]], DAYS[span[1]]
        known = slots_on_file(self.store, "main", first, last, self.now)
        totals = read_totals(self.store, "main", first, last, self.now)
        assert known == {
            day: found.known for day in DAYS if first <= day <= last and (found := totals.day(day))
        }


TestTotals = TotalsMachine.TestCase
TestTotals.settings = settings(max_examples=max(12, settings().max_examples // 10), stateful_step_count=30)


def test_totals_on_a_server(served: str) -> None:
    few = settings(max_examples=max(2, settings().max_examples // 100), stateful_step_count=15)
    run_state_machine_as_test(lambda: TotalsMachine(served), settings=few)  # type: ignore[no-untyped-call]
