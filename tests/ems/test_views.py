from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from store_site import Site, jst, plate

from koatsu.ems.live import LinkState, LiveState
from koatsu.ems.store import Event, HistoryRead, Level, Store
from koatsu.ems.views import (
    DayFill,
    DayView,
    SlotState,
    SlotView,
    calendar,
    day_view,
    event_views,
    ledger,
    meter_head,
    month_start,
    site_view,
)
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot

DAY = date(2025, 6, 10)
NEXT = jst(11, 12)  # the day after, noon: DAY is closed
D = Decimal


@pytest.fixture
def store(both: Store) -> Store:
    """In a file and on a server: what is shown must not depend on it."""
    return both


@pytest.fixture
def site(store: Store) -> Site:
    made = Site(store, ceiling_kw=100_000)
    made.begin(plate())
    return made


def full(step: int = 10, first: int = 1000) -> list[int | None]:
    """The 49 counts of a day in which each slot takes ``step`` counts."""
    return [first + step * number for number in range(49)]


def day(site: Site, now: datetime = NEXT, of: date = DAY, register: Register = Register.ENERGY) -> DayView:
    return day_view(site.store, site.id, of, now, register=register)


def states(view: DayView, *numbers: int) -> list[SlotState]:
    return [view.slots[number - 1].state for number in numbers]


def notes(slots: Iterable[SlotView]) -> set[str | None]:
    return {slot.note for slot in slots}


def test_a_whole_day(site: Site) -> None:
    site.run(jst(10), full())
    site.demand(Slot(DAY, 20), 21)
    view = day(site)
    assert [slot.slot.number for slot in view.slots] == list(range(1, 49))
    assert view.tally == {SlotState.MEASURED: 48}
    assert view.energy_kwh == D(480 * 6)
    assert (view.energy_since, view.energy_until) == (jst(10), jst(11))
    assert view.holes == ()
    assert view.resolution_kwh == D(6)
    assert not view.unscaled
    first = view.slots[0]
    assert (first.start_count, first.end_count, first.counts, first.factor) == (1000, 1010, 10, D(6))
    assert (first.energy_kwh, first.demand_kw, first.demand_from) == (D(60), D(120), "energy")
    assert (first.source, first.received) == (Source.FIXED, jst(10, 0, 30, 20))
    assert view.max_slot is view.slots[19]
    assert (view.slots[19].demand_kw, view.slots[19].demand_from) == (D(126), "meter")
    assert isinstance(first.energy_kwh, Decimal)


def test_one_unknown_count_is_one_hole_of_exact_energy(site: Site) -> None:
    counts = full()
    counts[10] = None
    site.counts({jst(10) + HALF_HOUR * n: c for n, c in enumerate(counts) if c is not None})
    view = day(site)
    assert view.tally == {SlotState.MEASURED: 46, SlotState.MISSING: 2}
    assert states(view, 10, 11) == [SlotState.MISSING] * 2
    (hole,) = view.holes
    assert (hole.first.number, hole.last.number, hole.energy_kwh, hole.counts) == (10, 11, D(120), 20)
    assert view.energy_kwh == D(480 * 6)
    assert view.slots[9].energy_kwh is None
    assert view.slots[9].demand_kw is None


def test_the_meters_own_demand_is_shown_inside_a_hole(site: Site) -> None:
    site.counts({jst(10): 1000, jst(10, 1): 1020})
    site.demand(Slot(DAY, 1), 25)
    slot = day(site).slots[0]
    assert (slot.state, slot.demand_kw, slot.demand_from, slot.energy_kwh) == (
        SlotState.MISSING,
        D(150),
        "meter",
        None,
    )


def test_no_data_is_final_when_the_history_said_so_often_enough(site: Site) -> None:
    counts = full()
    counts[10] = None
    site.run(jst(10), counts)
    assert states(day(site), 10, 11) == [SlotState.MISSING] * 2
    read = HistoryRead(epoch=1, day=DAY, property="energy_history", read_at=NEXT, elements=48, no_data=1)
    for _ in range(3):
        assert states(day(site), 10, 11) == [SlotState.MISSING] * 2
        site.store.record_history_read("main", read)
    assert states(day(site), 10, 11) == [SlotState.MISSING] * 2  # a fixed-time value said so, no history
    assert day(site).slots[9].note == "no_data"
    site.counts({jst(10, 5): None}, source=Source.HISTORY, received=NEXT)
    view = day(site)
    assert states(view, 9, 10, 11, 12) == [
        SlotState.MEASURED,
        SlotState.UNAVAILABLE,
        SlotState.UNAVAILABLE,
        SlotState.MEASURED,
    ]
    assert view.slots[9].note == "no_data"
    assert view.holes[0].energy_kwh == D(120)
    site.counts({jst(10, 5): 1100}, source=Source.HISTORY)
    assert states(day(site), 10, 11) == [SlotState.RECOVERED] * 2


def test_recovered_and_corrected_are_told_apart(site: Site) -> None:
    site.run(jst(10), full()[:10])
    site.run(jst(10, 5), full()[10:20], source=Source.HISTORY)
    site.counts({jst(10, 10): 1200}, source=Source.MANUAL)
    view = day(site)
    assert states(view, 9, 10, 11, 19, 20, 21) == [
        SlotState.MEASURED,
        SlotState.RECOVERED,
        SlotState.RECOVERED,
        SlotState.RECOVERED,
        SlotState.CORRECTED,
        SlotState.MISSING,
    ]


def test_missing_open_and_future_are_exact(site: Site) -> None:
    site.run(jst(10), full()[:20])  # known up to 09:30
    now = jst(10, 10, 40)
    view = day(site, now)
    assert states(view, 19, 20, 21, 22, 23, 48) == [
        SlotState.MEASURED,
        SlotState.MISSING,
        SlotState.MISSING,
        SlotState.OPEN,
        SlotState.FUTURE,
        SlotState.FUTURE,
    ]
    assert sum(view.tally.values()) == 48
    assert [(hole.first.number, hole.last.number, hole.energy_kwh) for hole in view.holes] == [(20, 21, None)]
    assert view.slots[20].note is None
    # the borders of a slot: it is open from its start, closed at its end
    assert states(day(site, jst(10, 10, 30)), 21, 22) == [SlotState.MISSING, SlotState.OPEN]
    just = day(site, jst(10, 10, 30, 5))
    assert (just.slots[20].state, just.slots[20].note) == (SlotState.MISSING, "awaited")
    assert [(hole.first.number, hole.last.number) for hole in just.holes] == [(20, 20)]
    assert states(day(site, jst(10, 10, 29, 59)), 21, 22) == [SlotState.OPEN, SlotState.FUTURE]


def test_a_day_to_come_and_a_day_before_anything(site: Site) -> None:
    assert day(site, jst(9, 12)).tally == {SlotState.FUTURE: 48}
    view = day(site)
    assert view.tally == {SlotState.MISSING: 48}
    assert (view.energy_kwh, view.energy_since, view.max_slot) == (None, None, None)
    assert [(hole.first.number, hole.last.number) for hole in view.holes] == [(1, 48)]


def test_what_no_meter_keeps_any_more_is_unavailable(site: Site) -> None:
    assert day(site, jst(10, 12) + timedelta(days=99)).tally == {SlotState.MISSING: 48}
    view = day(site, jst(10, 12) + timedelta(days=100))
    assert view.tally == {SlotState.UNAVAILABLE: 48}
    assert notes(view.slots) == {"expired"}


def test_a_day_that_the_meter_refused_is_unavailable(site: Site) -> None:
    read = HistoryRead(epoch=1, day=DAY, property="energy_history", read_at=NEXT, elements=0, no_data=0)
    site.store.record_history_read("main", read)
    assert notes(day(site).slots) == {"not_kept"}
    assert day(site).tally == {SlotState.UNAVAILABLE: 48}
    assert day(site, of=date(2025, 6, 9)).tally == {SlotState.MISSING: 48}


def test_a_hole_over_midnight_belongs_to_neither_day_and_is_seen_on_both(site: Site) -> None:
    site.run(jst(10), full()[:48])  # known up to 23:30
    site.run(jst(11, 1), [1500, 1510])
    view, after = day(site), day(site, of=date(2025, 6, 11))
    for hole in (view.holes[-1], after.holes[0]):
        assert (hole.first, hole.last, hole.energy_kwh) == (
            Slot(DAY, 48),
            Slot(date(2025, 6, 11), 2),
            D(30 * 6),
        )
    assert (view.energy_kwh, view.energy_until) == (D(470 * 6), jst(10, 23, 30))
    assert (after.energy_kwh, after.energy_since) == (D(60), jst(11, 1))
    both = ledger(site.store, "main", jst(10), jst(11, 1, 30), NEXT)
    assert both.energy_kwh == D(510 * 6)


def test_two_values_for_one_instant_are_believed_neither(site: Site) -> None:
    site.run(jst(10), full())
    site.counts({jst(10, 5): 1101}, source=Source.HISTORY)
    view = day(site)
    assert states(view, 9, 10, 11, 12) == [
        SlotState.MEASURED,
        SlotState.CONFLICT,
        SlotState.CONFLICT,
        SlotState.MEASURED,
    ]
    assert view.slots[9].note == "two_values"
    assert view.slots[9].energy_kwh is None
    assert view.holes[0].energy_kwh == D(120)
    assert view.energy_kwh == D(480 * 6)
    # a doubtful border of the day is passed over too
    site.counts({jst(10): 999})
    site.counts({jst(9, 23): 980})
    assert day(site).holes[0].energy_kwh == D(180)


def test_a_leap_over_the_ceiling_is_a_conflict_and_no_number(store: Store) -> None:
    site = Site(store, ceiling_kw=1000)
    site.begin(plate())
    site.run(jst(10), [1000, 1010, 1510, 1520])
    view = day(site)
    assert states(view, 1, 2, 3) == [SlotState.MEASURED, SlotState.CONFLICT, SlotState.MEASURED]
    assert view.slots[1].note == "over_ceiling"
    assert view.slots[1].demand_kw is None
    assert view.energy_kwh == D(120)
    assert (view.holes[0].first.number, view.holes[0].energy_kwh) == (2, None)


def test_a_counter_that_wraps(site: Site) -> None:
    site.run(jst(10), [999_995, 5])
    assert day(site).slots[0].energy_kwh == D(60)


def test_demand_that_contradicts_energy_is_a_conflict(site: Site) -> None:
    site.run(jst(10), [1000, 1010, 1020, 1030])
    site.demand(Slot(DAY, 1), 23)  # 138 kW beside 120 kW: within 6 + 12 kW
    site.demand(Slot(DAY, 2), 24)
    site.demand(Slot(DAY, 3), 20)
    site.demand(Slot(DAY, 3), 21)
    view = day(site)
    assert states(view, 1, 2, 3) == [SlotState.MEASURED, SlotState.CONFLICT, SlotState.CONFLICT]
    assert [slot.note for slot in view.slots[:3]] == [None, "demand_mismatch", "two_values"]
    assert [slot.demand_from for slot in view.slots[:3]] == ["meter", "meter", "energy"]
    assert view.energy_kwh == D(180)
    assert view.max_slot is view.slots[0]


def test_a_meter_without_coefficient_shows_counts_and_never_zero(store: Store) -> None:
    site = Site(store)
    site.begin(plate(coefficient=0))
    site.run(jst(10), full())
    site.demand(Slot(DAY, 1), 20)
    view = day(site)
    assert view.unscaled
    assert (view.energy_kwh, view.resolution_kwh, view.max_slot) == (None, None, None)
    slot = view.slots[0]
    assert (slot.state, slot.counts, slot.energy_kwh, slot.demand_kw, slot.factor, slot.note) == (
        SlotState.MEASURED,
        10,
        None,
        None,
        None,
        "unscaled",
    )


def test_no_difference_crosses_a_meter_change(site: Site) -> None:
    site.run(jst(10), full()[:21])  # the old meter up to 10:00
    site.begin(plate(serial="B2", coefficient=120), jst(10, 10, 12))
    site.run(jst(10, 10, 30), [3, 8, 13])
    # what the new meter tells of the time before it came is not believed over the old one
    site.run(jst(10, 8), [0, 0, 0, 0, 0], source=Source.HISTORY)
    view = day(site)
    assert states(view, 20, 21, 22, 23) == [
        SlotState.MEASURED,
        SlotState.UNAVAILABLE,
        SlotState.MEASURED,
        SlotState.MEASURED,
    ]
    assert view.slots[20].note == "meter_changed"
    assert view.slots[19].energy_kwh == D(60)
    assert view.slots[21].energy_kwh == D(60)
    assert view.energy_kwh == D(200 * 6 + 10 * 12)
    assert (view.energy_since, view.energy_until) == (jst(10), jst(10, 11, 30))
    assert view.resolution_kwh == D(12)


def test_a_new_epochs_history_fills_what_the_old_one_never_knew(site: Site) -> None:
    site.run(jst(10), full()[:5])  # up to 02:00, then nothing until the new meter was met at 20:00
    site.begin(plate(serial="B2"), jst(10, 20))
    site.run(jst(10, 8), [100, 110, 120], source=Source.HISTORY)
    view = day(site)
    assert states(view, 4, 5, 16, 17, 18, 19) == [
        SlotState.MEASURED,
        SlotState.MISSING,
        SlotState.MISSING,
        SlotState.RECOVERED,
        SlotState.RECOVERED,
        SlotState.MISSING,
    ]
    assert view.energy_kwh == D(60 * 6)


def test_the_reverse_direction_is_a_register_of_its_own(site: Site) -> None:
    site.counts({jst(10): 5, jst(10, 0, 30): 7}, register=Register.ENERGY_REVERSE)
    assert day(site).energy_kwh is None
    assert day(site, register=Register.ENERGY_REVERSE).energy_kwh == D(12)
    with pytest.raises(ValueError, match="has no demand"):
        day(site, register=Register.REACTIVE_PF)


def test_wrong_questions(site: Site) -> None:
    with pytest.raises(KeyError):
        day_view(site.store, "none", DAY, NEXT)
    with pytest.raises(ValueError, match="zone"):
        day_view(site.store, "main", DAY, datetime(2025, 6, 10))  # noqa: DTZ001  a naive time is the point
    with pytest.raises(ValueError, match="at least one"):
        ledger(site.store, "main", jst(10), jst(10), NEXT)


def test_a_meter_before_its_nameplate_was_read(store: Store) -> None:
    site = Site(store)
    view = day(site, jst(10, 10, 40))
    assert view.tally == {SlotState.MISSING: 21, SlotState.OPEN: 1, SlotState.FUTURE: 26}
    assert (view.meter.serial, view.unscaled, view.resolution_kwh) == (None, False, None)
    assert view.meter.link is LinkState.WAITING


def test_the_calendar_counts_known_slots(site: Site) -> None:
    site.run(jst(10), full())
    site.run(jst(12), [None, 2, 3, None, 5])
    found = calendar(site.store, "main", DAY, date(2025, 7, 1), jst(12, 1, 59))
    assert found == (
        DayFill(day=DAY, known=48, closed=48),
        DayFill(day=date(2025, 6, 11), known=0, closed=48),
        DayFill(day=date(2025, 6, 12), known=1, closed=3),
    )
    assert calendar(site.store, "main", date(2025, 7, 1), date(2025, 7, 2), NEXT) == ()


def test_the_site_lists_meters_and_their_days(site: Site) -> None:
    other = Site(site.store, meter_id="solar")
    site.run(jst(10), full())
    view = site_view(site.store, "工場", jst(11, 0, 10))
    assert view.name == "工場"
    assert [meter.id for meter in view.meters] == ["main", other.id]
    assert [fill.known for fill in view.days["main"]] == [48, 0]
    assert view.days["solar"] == ()
    assert view.meters[0].serial == "A1"


def test_the_link_follows_the_live_state_or_the_last_fine_count(site: Site) -> None:
    now = jst(10, 12)
    assert meter_head(site.store, "main", now).link is LinkState.WAITING
    site.polls({jst(10, 11, 59): 7})
    assert meter_head(site.store, "main", now).link is LinkState.LIVE
    assert meter_head(site.store, "main", now, live=LiveState()).link is LinkState.WAITING


def test_events_are_shown_newest_first(site: Site) -> None:
    site.store.record_event(Event(at=jst(1), level=Level.OK, code="a", params={"n": 1}))
    site.store.record_event(Event(at=jst(2), level=Level.CAUTION, code="b", meter_id="main"))
    found = event_views(site.store)
    assert [(view.code, view.level, view.meter_id, dict(view.params)) for view in found] == [
        ("b", Level.CAUTION, "main", {}),
        ("a", Level.OK, None, {"n": 1}),
    ]


@pytest.mark.parametrize(
    ("today", "fixed", "expected"),
    [
        (date(2025, 6, 10), None, date(2025, 6, 1)),
        (date(2025, 6, 10), 10, date(2025, 6, 10)),
        (date(2025, 6, 9), 10, date(2025, 5, 10)),
        (date(2025, 3, 5), 31, date(2025, 2, 28)),
        (date(2025, 2, 28), 31, date(2025, 2, 28)),
        (date(2025, 1, 5), 20, date(2024, 12, 20)),
    ],
)
def test_the_month_begins_on_the_fixed_day(
    store: Store, today: date, fixed: int | None, expected: date
) -> None:
    site = Site(store)
    site.begin(plate(fixed_day=fixed))
    assert month_start(today, store.current_epoch("main")) == expected


def test_a_change_of_scale_in_one_meter_loses_no_slot(site: Site) -> None:
    site.run(jst(10), full()[:21])  # up to 10:00
    site.begin(plate(unit="0.01"), jst(10, 10, 12))
    site.run(jst(10, 9), [10000 + 100 * step for step in range(6)], source=Source.HISTORY)
    view = day(site)
    assert states(view, 20, 21, 22, 23, 24) == [
        SlotState.MEASURED,
        SlotState.RECOVERED,
        SlotState.RECOVERED,
        SlotState.RECOVERED,
        SlotState.MISSING,
    ]
    assert view.slots[19].factor == D(6)
    assert view.slots[20].factor == D("0.6")
    assert view.energy_kwh == D(200 * 6) + D("0.6") * 300
