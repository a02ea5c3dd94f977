"""The store under any sequence of recording, correcting, replacing the meter, restarting and restoring.

A model that is a few dictionaries says what must be there. After every step: nothing that was acknowledged
is gone, no value took the place of another, the ledger's sums are register differences, and a day whose
revisions stayed has the figures that it had.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from store_site import Site, jst, plate

from koatsu.ems.slot_ledger import Ledger, ledger
from koatsu.ems.store import Recorded, Store
from koatsu.ems.view_models import SlotState
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR

START = jst(2, 21, 30)
STEPS = 10  # half hours, midnight in their middle
NOW = jst(20)
LAP = 10**6
SOURCES = [Source.FIXED, Source.NOTIFIED, Source.HISTORY]

steps = st.integers(0, STEPS)
counts = st.integers(0, 9)
said = st.dictionaries(steps, st.none() | counts, min_size=1, max_size=6)

Key = tuple[int, int]  # epoch, seconds since 1970


def seconds(step: int) -> int:
    return int((START + HALF_HOUR * step).timestamp())


class Kept:
    """What must be known of one count: the first number said, every other one, corrections in order."""

    def __init__(self) -> None:
        self.first: int | None = None
        self.others: set[int] = set()
        self.hands: list[tuple[int, int | None]] = []

    def hear(self, count: int | None) -> None:
        if count is None or count == self.first:
            return
        if self.first is None:
            self.first = count
        else:
            self.others.add(count)

    @property
    def believed(self) -> int | None:
        if self.hands:
            return self.hands[-1][1]
        return None if self.others else self.first


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # hundreds of commits: no waiting
        self.folder = Path(tempfile.mkdtemp(prefix="koatsu-machine-", dir=memory))
        self.store = Store.open(self.folder / "koatsu.db")
        self.site = Site(self.store)
        self.kept: dict[Key, Kept] = defaultdict(Kept)
        self.told: set[Key] = set()  # every count that was said, "no data" too
        self.begins = [0]  # the first step of each epoch
        self.seen: dict[date, tuple[tuple[int, int], object]] = {}

    def teardown(self) -> None:
        self.store.close()
        shutil.rmtree(self.folder)

    @property
    def epoch(self) -> int:
        return len(self.begins)

    # --- what happens -----------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.site.begin(plate(serial="S1"))

    @rule(said=said, source=st.sampled_from(SOURCES), epoch=st.integers(1, 3))
    def record(self, said: dict[int, int | None], source: Source, epoch: int) -> None:
        """Also for an epoch of before, as an import or a restore does."""
        self.site.epoch = min(epoch, self.epoch)
        inside = {step: count for step, count in said.items() if self.owner(step) == self.site.epoch}
        found = self.site.counts(
            {START + HALF_HOUR * step: count for step, count in inside.items()}, source=source, received=NOW
        )
        assert found.new + found.same + len(found.conflicts) == len(inside)
        for step, count in inside.items():
            self.told.add((self.site.epoch, seconds(step)))
            self.kept[self.site.epoch, seconds(step)].hear(count)

    @rule(said=said)
    def record_twice(self, said: dict[int, int | None]) -> None:
        self.record(said, Source.HISTORY, self.epoch)
        self.site.epoch = self.epoch
        again = {START + HALF_HOUR * step: n for step, n in said.items() if self.owner(step) == self.epoch}
        found = self.site.counts(again, source=Source.HISTORY, received=NOW)
        assert found == Recorded(same=len(again))

    @rule(step=steps, count=st.none() | counts)
    def correct(self, step: int, count: int | None) -> None:
        made = self.store.correct(
            "main",
            Register.ENERGY,
            START + HALF_HOUR * step,
            count,
            reason="test",
            author="person:1",
            at=NOW,
            epoch=self.owner(step),
        )
        self.kept[made.epoch, seconds(step)].hands.append((made.id, count))

    @precondition(lambda self: any(one.others for one in self.kept.values()))
    @rule(data=st.data(), count=counts)
    def settle(self, data: st.DataObject, count: int) -> None:
        """A person looks at a dispute."""
        disputed = [at for (_, at), one in self.kept.items() if one.others]
        at = data.draw(st.sampled_from(disputed))
        self.correct((at - seconds(0)) // 1_800, count)

    @precondition(lambda self: any(one.hands for one in self.kept.values()))
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        standing = [(key, hand) for key, one in self.kept.items() for hand in one.hands]
        key, hand = data.draw(st.sampled_from(standing))
        self.store.withdraw_correction(hand[0], author="person:2", at=NOW)
        self.kept[key].hands.remove(hand)

    @precondition(lambda self: self.begins[-1] < STEPS - 2 and self.epoch < 3)
    @rule(later=st.integers(1, 4))
    def replace_meter(self, later: int) -> None:
        first = min(self.begins[-1] + later, STEPS - 1)
        last_told = max((at for epoch, at in self.told if epoch == self.epoch), default=0)
        handed = max((at for key, one in self.kept.items() for at in [key[1]] if one.hands), default=0)
        if seconds(first) <= max(last_told, handed):
            return  # the counts of a meter end when the next one begins
        self.begins.append(first)
        at = START + HALF_HOUR * first - timedelta(minutes=10)
        assert self.site.begin(plate(serial=f"S{self.epoch}"), at) == self.epoch

    @rule(orderly=st.booleans())
    def restart(self, orderly: bool) -> None:
        """Orderly, or as after a kill: with the log beside the file, taken from another place."""
        if orderly:
            self.store.close()
        else:
            left = self.folder / "left"
            left.mkdir()
            for end in ("", "-wal"):
                shutil.copy(f"{self.store.where}{end}", left / f"koatsu.db{end}")
            self.store.close()
            for end in ("", "-wal"):
                shutil.copy(left / f"koatsu.db{end}", f"{self.store.where}{end}")
            shutil.rmtree(left)
        self.store = Store.open(self.folder / "koatsu.db")
        self.site.store = self.store

    @rule()
    def lose_all_but_the_backup(self) -> None:
        self.store.backup(self.folder / "backup", at=NOW)
        store_id = self.store.id
        self.store.close()
        for path in self.folder.glob("koatsu.db*"):
            path.unlink()
        self.store = Store.open(self.folder / "koatsu.db")
        self.store.restore(self.folder / "backup", at=NOW)
        again = self.store.restore(self.folder / "backup", at=NOW)
        assert (again.counts, again.contradictions, again.epochs, again.events) == (0, 0, 0, 0)
        assert self.store.id == store_id
        self.site.store = self.store
        self.seen.clear()  # revisions are told by another store now
        self.renew_hands()

    # --- what must hold ---------------------------------------------------------------------------------

    @invariant()
    def nothing_acknowledged_is_gone(self) -> None:
        rows = self.store.readings("main", Register.ENERGY, START, jst(4))
        assert {(row.epoch, row.at): row.count for row in rows} == {
            key: self.kept[key].first for key in self.told
        }
        clashes = self.store.conflicts("main", START, jst(4))
        found: dict[Key, set[int]] = defaultdict(set)
        for clash in clashes:
            found[clash.epoch, int(clash.instant.timestamp())].add(clash.other)
        assert found == {key: one.others for key, one in self.kept.items() if one.others}

    @invariant()
    def slots_and_holes_are_register_differences(self) -> None:
        book = self.book()
        wanted, whole = self.expected()
        seen = {int(view.slot.start.timestamp()): view.counts for view in book.slots}
        for (start, end), difference in wanted.items():
            if end - start == 1_800:
                assert seen.pop(start) == difference
            else:
                assert all(seen.pop(at) is None for at in range(start, end, 1_800))
        assert set(seen.values()) <= {None}, "a slot of which nothing is known"
        assert sum(total.counts or 0 for total in book.totals) == whole
        holes = sum(hole.counts or 0 for hole in book.holes)
        assert sum(view.counts or 0 for view in book.slots) + holes == whole

    @invariant()
    def a_day_that_was_not_touched_has_not_changed(self) -> None:
        for day in (2, 3):
            revision, days = self.store.revisions("main", date(2025, 6, day), date(2025, 6, day))
            told = (revision, days.get(date(2025, 6, day), 0))
            book = ledger(self.store, "main", jst(day), jst(day + 1), NOW)
            disputed = sum(1 for view in book.slots if view.state is SlotState.CONFLICT)
            figures = (book.energy_kwh, book.greatest and book.greatest.demand_kw, disputed)
            before = self.seen.get(date(2025, 6, day))
            assert before is None or before[0] != told or before[1] == figures
            self.seen[date(2025, 6, day)] = (told, figures)

    # --- the model --------------------------------------------------------------------------------------

    def owner(self, step: int) -> int:
        """The epoch that a step belongs to."""
        return max(number for number, first in enumerate(self.begins, 1) if first <= step)

    def book(self) -> Ledger:
        return ledger(self.store, "main", START, START + HALF_HOUR * STEPS, NOW)

    def expected(self) -> tuple[dict[tuple[int, int], int | None], int]:
        """The difference of each pair of neighbouring believed counts, and the sum of those that can be."""
        found: dict[tuple[int, int], int | None] = {}
        for number in range(1, self.epoch + 1):
            known = sorted(
                (at, one.believed)
                for (epoch, at), one in self.kept.items()
                if epoch == number and one.believed is not None
            )
            for (start, first), (end, last) in pairwise(known):
                counted = (last - first) % LAP
                found[start, end] = None if last < first and counted * 10 >= LAP else counted
        return found, sum(counted or 0 for counted in found.values())

    def renew_hands(self) -> None:
        """The corrections have other ids in another store."""
        for key, one in self.kept.items():
            standing = [
                made
                for made in reversed(self.store.corrections("main"))
                if (made.epoch, int(made.instant.timestamp())) == key
            ]
            assert [made.count for made in standing] == [count for _, count in one.hands]
            one.hands = [(made.id, made.count) for made in standing]


TestStore = StoreMachine.TestCase
TestStore.settings = settings(max_examples=settings().max_examples // 10, stateful_step_count=16)
