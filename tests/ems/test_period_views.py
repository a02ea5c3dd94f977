"""Months and years: exact totals, billing months, the twelve-month rule, and a fast present."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from store_site import Site, jst, plate

from koatsu.ems import totals as totals_module
from koatsu.ems import views
from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.period_views import YearMonth, month_view, year_view
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.store import Store
from koatsu.ems.view_models import SlotState
from koatsu.meter.readings import Source
from koatsu.meter.slots import Slot, slots_of_day

FACTOR = 6  # kWh a count, and kW a count of demand


@pytest.fixture
def store(both: Store) -> Store:
    """In a file and on a server: what is shown must not depend on it."""
    return both


@pytest.fixture
def site(store: Store) -> Site:
    """A meter that closes its month on the 16th; nothing is on file yet."""
    site = Site(store)
    site.begin(plate(fixed_day=16), jst(1, month=1))
    return site


def fill(site: Site, first: date, last: date, *, count: int = 0, each: int = 2) -> int:
    """Counts of whole days, ``each`` a slot; what the counter shows at the end."""
    since = Slot(first, 1).start
    many = ((last - first).days + 1) * 48
    site.run(since, [(count + each * step) % 10**6 for step in range(many + 1)])
    return count + each * many


def peak(site: Site, slot: Slot, kw: int) -> None:
    """A slot with the meter's own demand, far above what its energy says: only the demand is looked at."""
    site.demand(slot, kw // FACTOR, received=slot.end + timedelta(seconds=20))


# --- months -----------------------------------------------------------------------------------------------


def test_a_calendar_month_is_the_difference_of_its_outermost_counts(site: Site) -> None:
    fill(site, date(2025, 5, 30), date(2025, 7, 2))
    view = month_view(site.store, "main", date(2025, 6, 20), jst(3, month=7))
    assert (view.span.first, view.span.last) == (date(2025, 6, 1), date(2025, 6, 30))
    assert view.total.energy_kwh == 30 * 48 * 2 * FACTOR
    assert (view.total.known, view.total.closed) == (1440, 1440)
    assert not view.total.holes
    (epoch,) = view.total.epochs
    assert (epoch.last_count - epoch.first_count) * FACTOR == view.total.energy_kwh
    assert (epoch.first_at, epoch.last_at) == (jst(1), jst(1, month=7))


def test_a_billing_month_runs_from_fixed_day_to_fixed_day(site: Site) -> None:
    fill(site, date(2025, 6, 10), date(2025, 7, 20))
    view = month_view(site.store, "main", date(2025, 6, 1), jst(21, month=7), billing=True)
    assert (view.span.first, view.span.last) == (date(2025, 6, 16), date(2025, 7, 15))
    assert view.billing
    assert view.total.energy_kwh == 30 * 48 * 2 * FACTOR


def test_a_meter_without_a_fixed_day_has_calendar_months(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    view = month_view(store, "main", date(2025, 6, 1), jst(9), billing=True)
    assert (view.billing, view.fixed_day, view.span.first) == (False, None, date(2025, 6, 1))
    assert view.total.energy_kwh is None
    assert view.total.peak is None
    assert view.total.known == 0


@pytest.mark.parametrize(
    ("month", "first", "last"),
    [
        ((2025, 1), date(2025, 1, 31), date(2025, 2, 27)),
        ((2025, 2), date(2025, 2, 28), date(2025, 3, 30)),
        ((2024, 2), date(2024, 2, 29), date(2024, 3, 30)),
        ((2025, 4), date(2025, 4, 30), date(2025, 5, 30)),
        ((2025, 12), date(2025, 12, 31), date(2026, 1, 30)),
    ],
)
def test_a_short_month_begins_on_its_last_day(month: tuple[int, int], first: date, last: date) -> None:
    span = MonthSpan(*month, fixed_day=31)
    assert (span.first, span.last) == (first, last)
    assert MonthSpan.of(first, 31) == MonthSpan.of(last, 31) == span
    assert MonthSpan.of(first - timedelta(days=1), 31) == span.moved(-1)


@pytest.mark.parametrize("fixed_day", range(1, 32))
def test_billing_months_follow_each_other_without_gap(fixed_day: int) -> None:
    span = MonthSpan(2023, 11, fixed_day)
    for _ in range(40):
        assert span.moved(1).first == span.last + timedelta(days=1)
        assert span.moved(1).moved(-1) == span
        span = span.moved(1)


def test_no_such_fixed_day() -> None:
    with pytest.raises(ValueError, match="1 to 31"):
        MonthSpan(2025, 1, 32)


def test_a_hole_over_midnight_counts_whole_and_is_spread_over_nothing(site: Site) -> None:
    since = Slot(date(2025, 6, 10), 1).start
    site.run(since, [None if 46 <= step <= 50 else 3 * step for step in range(97)])
    view = month_view(site.store, "main", date(2025, 6, 1), jst(12))
    assert view.total.energy_kwh == 3 * 96 * FACTOR
    one, two = view.total.days[9:11]
    assert one.energy_kwh == 3 * 45 * FACTOR
    assert two.energy_kwh == 3 * (96 - 51) * FACTOR
    exact = next(hole for hole in view.total.holes if hole.energy_kwh is not None)
    assert (exact.first, exact.last) == (Slot(date(2025, 6, 10), 46), Slot(date(2025, 6, 11), 3))
    assert exact.energy_kwh == 3 * 6 * FACTOR


def test_a_hole_over_the_end_of_the_month_is_told_and_not_summed(site: Site) -> None:
    since = Slot(date(2025, 6, 30), 1).start
    site.run(since, [None if 46 <= step <= 50 else 3 * step for step in range(97)])
    june = month_view(site.store, "main", date(2025, 6, 1), jst(2, month=7)).total
    july = month_view(site.store, "main", date(2025, 7, 1), jst(2, month=7)).total
    both = year_view(site.store, "main", jst(2, month=7), billing=False).total
    assert june.energy_kwh == 3 * 45 * FACTOR
    assert july.energy_kwh == 3 * (96 - 51) * FACTOR
    assert june.holes[-1] == july.holes[0]
    assert june.holes[-1].energy_kwh == 3 * 6 * FACTOR
    assert both.energy_kwh == 3 * 96 * FACTOR, "the year holds it whole"


def test_no_difference_crosses_a_new_meter(site: Site) -> None:
    middle = jst(15, 12)
    site.run(jst(15), [10 * step for step in range(25)])
    site.begin(plate(serial="B2", fixed_day=16), middle)
    site.run(middle, [700 + 10 * step for step in range(26)])
    total = month_view(site.store, "main", date(2025, 6, 1), jst(17)).total
    assert [one.epoch for one in total.epochs] == [1, 2]
    # At the instant of the change the new meter was not there yet: its first count is the one after.
    assert [one.energy_kwh for one in total.epochs] == [240 * FACTOR, 240 * FACTOR]
    assert [one.first_count for one in total.epochs] == [0, 710]
    assert total.energy_kwh == 480 * FACTOR


def test_an_unscaled_meter_tells_counts_and_no_energy(store: Store) -> None:
    site = Site(store)
    site.begin(plate(coefficient=0))
    site.run(jst(1), [4 * step for step in range(49)])
    view = month_view(store, "main", date(2025, 6, 1), jst(3))
    assert view.unscaled
    assert (view.total.energy_kwh, view.total.peak, view.total.counts) == (None, None, 192)


def test_the_hours_of_power_factor(site: Site) -> None:
    fill(site, date(2025, 6, 10), date(2025, 6, 10))
    total = month_view(site.store, "main", date(2025, 6, 1), jst(12)).total
    (day,) = (found for found in total.days if found.known)
    assert (day.daytime_kwh, day.daytime_slots) == (28 * 2 * FACTOR, 28)


# --- years ------------------------------------------------------------------------------------------------


def test_contract_power_is_the_greatest_of_twelve_months(site: Site) -> None:
    peak(site, Slot(date(2024, 8, 5), 29), 420)
    peak(site, Slot(date(2024, 12, 10), 20), 360)
    peak(site, Slot(date(2025, 6, 3), 30), 408)
    view = year_view(site.store, "main", jst(20, month=7), billing=False)
    assert [month.span.first for month in view.months][::11] == [date(2024, 8, 1), date(2025, 7, 1)]
    assert [rule_kw(month) for month in view.months] == [420] * 12
    rule = view.contract
    assert rule is not None
    assert rule.peak is not None
    assert rule.peak.slot == Slot(date(2024, 8, 5), 29)
    assert rule.set_in == MonthSpan(2024, 8)
    assert rule.holds_until == MonthSpan(2025, 7)
    assert rule.then is not None
    assert rule.then.demand_kw == 408
    assert (rule.months, rule.complete) == (3, False)
    after = year_view(site.store, "main", jst(1, 1, month=8), billing=False)
    assert rule_kw(after.months[-1]) == 408, "the thirteenth month looks no further back"


def rule_kw(month: YearMonth) -> Decimal | None:
    return month.rule.peak and month.rule.peak.demand_kw


def test_the_same_demand_again_holds_from_the_later_month(site: Site) -> None:
    peak(site, Slot(date(2025, 1, 8), 29), 402)
    peak(site, Slot(date(2025, 5, 7), 29), 402)
    rule = year_view(site.store, "main", jst(20), billing=False).contract
    assert rule is not None
    assert rule.set_in == MonthSpan(2025, 5)


def test_the_rule_counts_billing_months_as_the_meter_says(site: Site) -> None:
    peak(site, Slot(date(2024, 7, 20), 29), 420)  # begins in July, twelve billing months before 16 July 2025
    now = jst(15, 23, month=7)
    billing, calendar = year_view(site.store, "main", now), year_view(site.store, "main", now, billing=False)
    assert billing.billing
    assert not calendar.billing
    assert rule_kw(billing.months[-1]) == 420
    assert rule_kw(calendar.months[-1]) is None
    assert rule_kw(year_view(site.store, "main", jst(16, 1, month=7)).months[-1]) is None


def test_a_year_is_the_exact_sum_and_months_to_come_are_none(site: Site) -> None:
    fill(site, date(2025, 3, 20), date(2025, 6, 30))
    view = year_view(site.store, "main", jst(1, 12, month=7), first=date(2025, 4, 1), billing=False)
    assert view.months[0].span == MonthSpan(2025, 4)
    sums = [month.total and month.total.energy_kwh for month in view.months]
    assert sums == [days * 48 * 2 * FACTOR for days in (30, 31, 30)] + [None] * 9
    assert view.months[4].total is None
    assert view.total.energy_kwh == 91 * 48 * 2 * FACTOR
    assert view.contract == view.months[3].rule


def test_a_year_that_has_not_begun_has_no_rule(site: Site) -> None:
    view = year_view(site.store, "main", jst(1), first=date(2026, 1, 1), billing=False)
    assert view.contract is None
    assert all(month.total is None for month in view.months)
    assert view.total.days == ()


# --- the present and the calendar -------------------------------------------------------------------------


def test_the_present_reads_one_day_of_slots_and_the_kept_rest(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(site, date(2025, 6, 16), date(2025, 6, 29))
    slot = Slot(date(2025, 6, 20), 25)
    peak(site, slot, 5 * FACTOR)  # within a count of what the energy says: 4
    now = jst(30, 12)
    assert views.now_view(site.store, "main", now).month_max_slot == slot
    days: list[float] = []

    def counted(
        store: Store, meter_id: str, since: datetime, until: datetime, *rest: Any, **more: Any
    ) -> Any:
        days.append((until - since) / timedelta(days=1))
        return ledger(store, meter_id, since, until, *rest, **more)

    monkeypatch.setattr(views, "ledger", counted)
    monkeypatch.setattr(totals_module, "ledger", counted)
    view = views.now_view(site.store, "main", now)
    assert view.month_max_slot == slot
    assert days == [1.0], "the present day once, and no closed day again"


def test_a_day_on_file_is_one_without_conflict(site: Site) -> None:
    fill(site, date(2025, 6, 10), date(2025, 6, 11))
    site.counts({jst(10, 9): 5}, source=Source.HISTORY)
    fills = views.calendar(site.store, "main", date(2025, 6, 9), date(2025, 6, 12), jst(12, 0, 40))
    found = [(one.day.day, one.known, one.closed) for one in fills]
    assert found == [(9, 0, 48), (10, 46, 48), (11, 48, 48), (12, 0, 1)]
    tally = views.day_view(site.store, "main", date(2025, 6, 10), jst(12)).tally
    assert sum(tally.values()) == len(slots_of_day(date(2025, 6, 10)))
    assert tally[SlotState.CONFLICT] == 2
