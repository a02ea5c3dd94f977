from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import date, timedelta
from decimal import Decimal

import pytest
from store_site import Site, jst, plate

from koatsu.ems.slot_ledger import Ledger, ledger
from koatsu.ems.store import Correction, Store
from koatsu.ems.view_models import SlotState
from koatsu.ems.views import calendar, now_view
from koatsu.errors import KoatsuError, UsageError
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot

NOW = jst(5)
HAND = "person:3"


@pytest.fixture
def store(either: Store) -> Store:
    return either


@pytest.fixture
def site(store: Store) -> Site:
    made = Site(store)
    made.begin(plate())
    return made


def correct(
    site: Site, hour: float, count: int | None, *, reason: str = "検針票", day: int = 2
) -> Correction:
    return site.store.correct(
        site.id,
        Register.ENERGY,
        jst(day) + timedelta(hours=hour),
        count,
        reason=reason,
        author=HAND,
        at=NOW,
    )


def morning(site: Site, slots: int = 4) -> Ledger:
    return ledger(site.store, site.id, jst(2), jst(2) + HALF_HOUR * slots, NOW)


def states(found: Ledger) -> list[SlotState]:
    return [view.state for view in found.slots]


def test_a_missing_count_is_entered_by_hand(site: Site) -> None:
    site.run(jst(2), [10, 11])
    site.run(jst(2, 1, 30), [15, 17])
    assert states(morning(site)) == ["measured", "missing", "missing", "measured"]
    made = correct(site, 1, 12)
    assert (made.epoch, made.count, made.reason, made.author) == (1, 12, "検針票", HAND)
    found = morning(site)
    assert states(found) == ["measured", "corrected", "corrected", "measured"]
    assert [view.counts for view in found.slots] == [1, 1, 3, 2]
    assert [view.reason for view in found.slots] == [None, "検針票", "検針票", None]
    assert found.slots[1].source is Source.MANUAL
    assert found.energy_kwh == Decimal(42)
    assert found.holes == ()


def test_what_the_meter_said_stays_beside_it(site: Site) -> None:
    site.run(jst(2), [10, 99, 12])
    before = site.store.readings(site.id, Register.ENERGY, jst(2), jst(3))
    correct(site, 0.5, 11)
    assert site.store.readings(site.id, Register.ENERGY, jst(2), jst(3)) == before
    over = site.store.corrected_readings(site.id, Register.ENERGY, jst(2), jst(3))
    assert [(row.count, row.source) for row in over] == [(10, "fixed"), (11, "manual"), (12, "fixed")]
    assert [view.counts for view in morning(site, 2).slots] == [1, 1]


def test_a_count_that_is_not_believed_leaves_a_hole_with_the_exact_sum(site: Site) -> None:
    site.run(jst(2), [10, 99, 112, 13, 14])
    correct(site, 0.5, None, reason="明らかな誤り")
    correct(site, 1, None, reason="明らかな誤り")
    found = morning(site)
    assert states(found) == ["unavailable"] * 3 + ["measured"]
    assert {view.note for view in found.slots[:3]} == {"not_believed"}
    assert found.slots[0].reason == "明らかな誤り"
    (hole,) = found.holes
    assert (hole.first.number, hole.last.number, hole.counts) == (1, 3, 3)
    assert found.energy_kwh == Decimal(24)


def test_a_correction_settles_a_dispute_and_neither_value_is_lost(site: Site) -> None:
    site.run(jst(2), [10, 11, 12])
    site.run(jst(2), [10, 99, 12], source=Source.HISTORY)
    assert states(morning(site, 2)) == ["conflict", "conflict"]
    made = correct(site, 0.5, 11)
    assert states(morning(site, 2)) == ["corrected", "corrected"]
    assert len(site.store.conflicts(site.id, jst(2), jst(3))) == 1
    site.store.withdraw_correction(made.id, author=HAND, at=NOW)
    assert states(morning(site, 2)) == ["conflict", "conflict"]


def test_the_newest_correction_is_in_force_and_withdrawing_gives_way_to_the_one_before(site: Site) -> None:
    site.run(jst(2), [10, 13, 14])
    first, second = correct(site, 0.5, 11, reason="一"), correct(site, 0.5, 12, reason="二")
    assert [view.counts for view in morning(site, 2).slots] == [2, 2]
    assert {view.reason for view in morning(site, 2).slots} == {"二"}
    store = site.store
    gone = store.withdraw_correction(second.id, author="person:4", at=NOW)
    assert (gone.withdrawn_by, gone.withdrawn_at) == ("person:4", NOW)
    assert [view.counts for view in morning(site, 2).slots] == [1, 3]
    store.withdraw_correction(first.id, author=HAND, at=NOW)
    assert states(morning(site, 2)) == ["measured", "measured"]
    assert store.corrections(site.id) == ()
    assert [one.id for one in store.corrections(withdrawn=True)] == [second.id, first.id]
    with pytest.raises(UsageError, match="already"):
        store.withdraw_correction(first.id, author=HAND, at=NOW)
    with pytest.raises(KeyError):
        store.withdraw_correction(99, author=HAND, at=NOW)
    with pytest.raises(UsageError, match="author"):
        store.withdraw_correction(first.id, author=" ", at=NOW)


def test_corrections_are_found_by_meter_and_time(site: Site) -> None:
    site.run(jst(2), [10, 11])
    other = Site(site.store, meter_id="other")
    other.begin(plate())
    one, two = correct(site, 0, 9), correct(site, 5, 20)
    elsewhere = correct(other, 0, 1)
    store = site.store
    assert store.corrections() == (elsewhere, two, one)
    assert store.corrections("main") == (two, one)
    assert store.corrections("main", jst(2, 1), jst(2, 6)) == (two,)
    assert store.corrections("main", until=jst(2)) == (one,)
    assert dict(store.corrections_in_force("main", Register.ENERGY, jst(2), jst(2))) == {
        (1, int(jst(2).timestamp())): one
    }


def test_a_corrected_count_counts_beyond_the_run_that_is_looked_at(site: Site) -> None:
    """A hole at the border of a run ends at the nearest believed count, also one entered by hand."""
    site.run(jst(2), [10])
    site.run(jst(2, 4), [30, 31])
    correct(site, 1, 12)
    correct(site, 4, None)
    (before,) = site.store.nearest_readings(site.id, Register.ENERGY, jst(2, 2), after=False)
    (after,) = site.store.nearest_readings(site.id, Register.ENERGY, jst(2, 2), after=True)
    assert (before.at, before.count, before.source) == (int(jst(2, 1).timestamp()), 12, "manual")
    assert (after.at, after.count) == (int(jst(2, 4, 30).timestamp()), 31)
    (hole,) = ledger(site.store, site.id, jst(2, 2), jst(2, 3), NOW).holes
    assert hole.counts == 19


def test_a_corrected_slot_keeps_the_meters_own_demand_and_says_where_it_differs(site: Site) -> None:
    site.run(jst(2), [10, 99])
    site.demand(Slot.starting(jst(2)), 30)
    correct(site, 0.5, 25)
    (view,) = morning(site, 1).slots
    assert (view.state, view.note, view.demand_kw) == (SlotState.CORRECTED, None, Decimal(180))
    correct(site, 0.5, 12)
    (view,) = morning(site, 1).slots
    assert (view.state, view.note, view.demand_from) == (SlotState.CORRECTED, "demand_mismatch", "meter")


def test_no_difference_crosses_an_epoch_by_hand_either(site: Site) -> None:
    site.run(jst(2), [10, 11, 12])
    site.begin(plate(serial="B2"), jst(2, 1))
    site.run(jst(2, 1, 30), [0, 1])
    made = correct(site, 0.5, 9)
    later = correct(site, 1.5, 0)
    assert (made.epoch, later.epoch) == (1, 2)
    found = morning(site)
    assert [view.counts for view in found.slots] == [None, 3, None, 1]
    assert found.slots[2].note == "meter_changed"
    named = site.store.correct(
        site.id, Register.ENERGY, jst(2, 1), 0, reason="交換時", author=HAND, at=NOW, epoch=2
    )
    assert named.epoch == 2
    with pytest.raises(KeyError, match="no epoch 3"):
        site.store.correct(
            site.id, Register.ENERGY, jst(2, 1), 0, reason="交換時", author=HAND, at=NOW, epoch=3
        )


def test_an_instant_without_a_count_belongs_to_the_epoch_that_had_begun(site: Site) -> None:
    site.run(jst(2), [10])
    site.begin(plate(serial="B2"), jst(2, 3))
    assert correct(site, 2, 11).epoch == 1
    assert correct(site, 3, 0).epoch == 2
    assert correct(site, 0, 9, day=1).epoch == 1


def test_the_calendar_knows_corrected_slots(site: Site) -> None:
    site.run(jst(2), [10, 11])
    correct(site, 1, 12)
    (day,) = calendar(site.store, site.id, date(2025, 6, 2), date(2025, 6, 2), NOW)
    assert day.known == 2
    correct(site, 0.5, None)
    (day,) = calendar(site.store, site.id, date(2025, 6, 2), date(2025, 6, 2), NOW)
    assert day.known == 0


def test_the_open_slot_starts_from_the_corrected_count(site: Site) -> None:
    site.run(jst(4, 10), [90])
    site.polls({jst(4, 10, minute): 100 + minute for minute in (1, 2, 5)})

    def energy() -> Decimal | None:
        return now_view(site.store, site.id, jst(4, 10, 6)).energy_kwh

    def enter(count: int | None) -> None:
        site.store.correct(
            site.id, Register.ENERGY, jst(4, 10), count, reason="r", author=HAND, at=jst(4, 10, 6)
        )

    assert energy() == (105 - 90) * 6
    enter(100)
    assert energy() == (105 - 100) * 6
    enter(None)
    assert energy() is None


def test_recording_goes_on_under_a_correction(site: Site) -> None:
    """What is recovered later neither moves the correction nor is lost under it."""
    correct(site, 0.5, 11)
    site.run(jst(2), [10, 77, 12], source=Source.HISTORY)
    assert [view.counts for view in morning(site, 2).slots] == [1, 1]
    assert [row.count for row in site.store.readings(site.id, Register.ENERGY, jst(2), jst(3))] == [
        10,
        77,
        12,
    ]


@pytest.mark.parametrize(
    ("count", "hour", "reason", "author", "told"),
    [
        (1, 0, " \n", HAND, "needs a reason"),
        (1, 0, "x" * 501, HAND, "longer than 500"),
        (1, 0, "reason", "", "needs an author"),
        (1, 0.25, "reason", HAND, "half hour"),
        (1, 24 * 3 + 0.5, "reason", HAND, "not come yet"),
        (-1, 0, "reason", HAND, "from 0 up"),
        (True, 0, "reason", HAND, "from 0 up"),
        (1_000_000, 0, "reason", HAND, "6 digits"),
    ],
)
def test_what_cannot_be_entered_is_told_in_both_languages(
    site: Site, count: int, hour: float, reason: str, author: str, told: str
) -> None:
    with pytest.raises(KoatsuError, match=told) as caught:
        site.store.correct(
            site.id,
            Register.ENERGY,
            jst(2) + timedelta(hours=hour),
            count,
            reason=reason,
            author=author,
            at=NOW,
        )
    assert caught.value.text("ja") != caught.value.text("en")
    assert site.store.corrections(withdrawn=True) == ()


def test_the_longest_reason_is_500_characters_and_a_meter_has_to_be_there(site: Site) -> None:
    assert len(correct(site, 0, 1, reason="あ" * 500).reason) == 500
    with pytest.raises(KeyError):
        correct(Site(site.store, meter_id="new"), 0, 1)


# --- entered elsewhere first ----------------------------------------------------------------------------


class UnwillingError(Exception):
    """What an audit log raises that can take nothing."""


@pytest.mark.parametrize("willing", [True, False])
def test_nothing_stands_that_could_not_be_noted_first(site: Site, willing: bool) -> None:
    site.run(jst(2), [10, 11, 12])
    seen: list[tuple[Correction, list[Correction]]] = []

    def note(one: Correction) -> None:
        with ThreadPoolExecutor(1) as others:  # a connection of its own: what everybody sees
            seen.append((one, [*others.submit(site.store.corrections, withdrawn=True).result()]))
        if not willing:
            raise UnwillingError

    with nullcontext() if willing else pytest.raises(UnwillingError):
        site.store.correct(
            site.id, Register.ENERGY, jst(2), 9, reason="検針票", author=HAND, at=NOW, note=note
        )
    made = correct(site, 0.5, 11)
    with nullcontext() if willing else pytest.raises(UnwillingError):
        site.store.withdraw_correction(made.id, author=HAND, at=NOW, note=note)
    (corrected, before), (withdrawn, meanwhile) = seen
    assert (corrected.count, corrected.author, before) == (9, HAND, [])
    assert (withdrawn.id, withdrawn.withdrawn_by) == (made.id, HAND)
    assert meanwhile[0] == made, "not withdrawn yet"
    standing = [one.count for one in site.store.corrections()]
    assert standing == ([9] if willing else [11])
    assert states(morning(site, 2))[0] == "corrected"
