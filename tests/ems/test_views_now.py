from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from store_site import Site, jst, plate

from koatsu.ems.live import LinkState, LiveState, Recovery, RecoveryState
from koatsu.ems.store import Store
from koatsu.ems.views import NowView, SlotState, now_view, recovery_view
from koatsu.meter.readings import Source
from koatsu.meter.slots import HALF_HOUR, Slot

D = Decimal
MINUTE = timedelta(minutes=1)


@pytest.fixture
def store(both: Store) -> Store:
    """In a file and on a server: what is shown must not depend on it."""
    return both


@pytest.fixture
def site(store: Store) -> Site:
    made = Site(store, ceiling_kw=100_000)
    made.begin(plate(fixed_day=5))
    return made


def now(site: Site, at: datetime, live: LiveState | None = None) -> NowView:
    return now_view(site.store, site.id, at, live=live)


def test_the_open_slot_grows_by_counts(site: Site) -> None:
    site.run(jst(10), [1000 + 10 * step for step in range(21)])  # up to 10:00
    site.polls({jst(10, 10, minute): 1200 + minute // 3 for minute in range(1, 13)})
    view = now(site, jst(10, 10, 12, 30))
    assert view.slot == Slot(date(2025, 6, 10), 21)
    assert view.remaining_s == 17 * 60 + 30
    assert (view.growth[0].instant, view.growth[0].energy_kwh) == (jst(10, 10), D(0))
    assert (view.growth[-1].instant, view.growth[-1].energy_kwh) == (jst(10, 10, 12), D(24))
    assert len(view.growth) == 13
    assert (view.energy_kwh, view.demand_kw) == (D(24), D(48))
    assert view.straight_line_kw == D(24) * 60 / 12
    assert view.power_kw == D(12) * 12  # two counts of 6 kWh in the last five minutes
    assert view.power_error_kw == D(6) * 12
    assert view.resolution_kwh == D(6)
    assert view.today_kwh == D(200 * 6 + 24)
    assert view.today_until == jst(10, 10, 12)
    assert view.today.slots[20].state is SlotState.OPEN
    assert (view.month_since, view.month_max_kw) == (date(2025, 6, 5), D(120))


def test_the_greatest_demand_of_the_month(site: Site) -> None:
    site.run(jst(4, 23), [0, 500, 1000])  # before the fixed day, and its last slot
    site.run(jst(7, 9), [1100, 1150, 1190])
    site.demand(Slot(date(2025, 6, 7), 20), 82)
    view = now(site, jst(10, 10))
    assert (view.month_max_kw, view.month_max_slot) == (D(600), Slot(date(2025, 6, 7), 19))


def test_nothing_is_shown_that_is_not_known(site: Site) -> None:
    site.polls({jst(10, 10, minute): 1200 + minute for minute in range(5, 9)})
    view = now(site, jst(10, 10, 8))
    assert view.growth == ()  # the count at 10:00 is unknown
    assert (view.energy_kwh, view.demand_kw, view.straight_line_kw) == (None, None, None)
    assert view.power_kw is None  # three minutes are too few
    assert (view.today_kwh, view.month_max_kw, view.month_max_slot) == (None, None, None)
    assert (view.last_received, view.answer_s, view.clock_offset_s) == (jst(10, 10, 8, 20), None, None)


def test_power_needs_fresh_counts_and_crosses_slots(site: Site) -> None:
    site.polls({jst(10, 9, 50) + MINUTE * step: 100 + step for step in range(0, 15, 7)})
    view = now(site, jst(10, 10, 5))
    assert view.power_kw == D(7 * 6 * 60) / 7
    assert now(site, jst(10, 10, 30)).power_kw is None


def test_power_and_growth_do_not_cross_a_meter_change(site: Site) -> None:
    site.run(jst(10, 10), [1200])
    site.polls({jst(10, 10, 1): 1201})
    site.begin(plate(serial="B2"), jst(10, 10, 2))
    site.polls({jst(10, 10, minute): minute for minute in range(3, 9)})
    view = now(site, jst(10, 10, 9))
    assert view.growth == ()
    assert view.power_kw == D(5 * 6 * 12)


def test_a_count_in_dispute_starts_no_growth(site: Site) -> None:
    site.run(jst(10, 10), [1200])
    site.counts({jst(10, 10): 1300}, source=Source.HISTORY)
    site.polls({jst(10, 10, 5): 1205})
    assert now(site, jst(10, 10, 6)).growth == ()


def test_a_leap_in_the_open_slot_is_left_out(store: Store) -> None:
    site = Site(store, ceiling_kw=1000)
    site.begin(plate())
    site.run(jst(10, 10), [1200])
    site.polls({jst(10, 10, 5): 1205, jst(10, 10, 6): 9000, jst(10, 10, 7): 1206})
    view = now(site, jst(10, 10, 8))
    assert [point.energy_kwh for point in view.growth] == [D(0), D(30), D(36)]


def test_an_unscaled_meter_has_no_energy_now(store: Store) -> None:
    site = Site(store)
    site.begin(plate(coefficient=0))
    site.run(jst(10, 10), [1200])
    site.polls({jst(10, 10, minute): 1200 + minute for minute in range(1, 9)})
    view = now(site, jst(10, 10, 9))
    assert view.unscaled
    assert (view.energy_kwh, view.demand_kw, view.power_kw, view.today_kwh) == (None, None, None, None)


def test_a_meter_never_heard_of(store: Store) -> None:
    view = now(Site(store), jst(10, 10))
    assert (view.link, view.growth, view.month_since) == (LinkState.WAITING, (), date(2025, 6, 1))


def test_live_state_is_shown(site: Site) -> None:
    live = LiveState()
    live.started("main", jst(10, 9), poll=MINUTE)
    live.answered("main", jst(10, 10), answer=timedelta(milliseconds=340))
    live.clock("main", timedelta(seconds=-2, milliseconds=500))
    live.recovery(
        "main",
        Recovery(
            state=RecoveryState.RUNNING,
            days_done=3,
            days_total=100,
            current_day=date(2025, 6, 7),
            eta=timedelta(seconds=61.7),
            horizon_days=99,
        ),
    )
    view = now(site, jst(10, 10, 1), live)
    assert (view.link, view.last_received) == (LinkState.LIVE, jst(10, 10))
    assert (view.answer_s, view.clock_offset_s) == (D("0.34"), D("-1.5"))
    shown = recovery_view("main", live)
    assert (shown.state, shown.days_done, shown.days_total, shown.eta_s) == (
        RecoveryState.RUNNING,
        3,
        100,
        61,
    )
    assert (shown.current_day, shown.horizon_days) == (date(2025, 6, 7), 99)
    assert recovery_view("other", live).state is RecoveryState.IDLE


def test_the_first_slot_of_the_day(site: Site) -> None:
    site.run(jst(9, 23, 30), [990, 1000])
    site.polls({jst(10, 0, 10): 1002})
    view = now(site, jst(10, 0, 11))
    assert (view.today_kwh, view.today_until) == (D(12), jst(10, 0, 10))
    assert view.today.tally[SlotState.FUTURE] == 47


def test_the_slot_start_may_be_a_poll_of_that_second(site: Site) -> None:
    site.polls({jst(10, 10): 1200, jst(10, 10, 5): 1203})
    assert now(site, jst(10, 10, 6)).energy_kwh == D(18)


def test_half_an_hour_is_half_an_hour(site: Site) -> None:
    assert now(site, jst(10, 10)).remaining_s == HALF_HOUR.total_seconds()
