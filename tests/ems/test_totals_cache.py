"""Kept figures are used while they are good, made anew when they are not, and never in the way."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from store_site import Site, plate
from totals_site import DAYS, FIRST, LAST, START, assert_equal, at, truth

from koatsu.ems import totals as totals_module
from koatsu.ems.store import Store, StoreError, StoreErrorKind
from koatsu.ems.store.day_totals import KeptDay, keep_days, kept_days
from koatsu.ems.totals import read_totals
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot

NOW = at(6 * 48) + timedelta(hours=1)


@pytest.fixture
def store(both: Store) -> Store:
    """In a file and on a server: what is shown must not depend on it."""
    return both


@pytest.fixture
def site(store: Store) -> Site:
    """Six whole days of one meter, some counts lost, those around a midnight among them."""
    site = Site(store, ceiling_kw=5_000)
    site.begin(plate(fixed_day=31), START - timedelta(days=9))
    lost = (47, 48, 49, 100)
    site.counts({at(step): truth(step, 1) for step in range(6 * 48 + 1) if step not in lost})
    return site


def test_figures_that_are_good_are_not_made_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_totals(site.store, "main", FIRST, LAST, NOW).period(FIRST, LAST)
    monkeypatch.setattr(totals_module, "ledger", None)
    assert read_totals(site.store, "main", FIRST, LAST, NOW).period(FIRST, LAST) == first


def test_a_kept_row_is_believed_while_its_revisions_are_present(site: Site) -> None:
    day = DAYS[3]
    right = read_totals(site.store, "main", day, day, NOW).day(day)
    rest_on = kept_days(site.store, "main", Register.ENERGY, day, day)
    row = rest_on.days[day]
    false = KeptDay(row.known, row.figures.replace('"disputed":0', '"disputed":9'))
    keep_days(site.store, "main", Register.ENERGY, rest_on, {day: false}, NOW)
    planted = read_totals(site.store, "main", day, day, NOW).day(day)
    assert planted is not None
    assert planted.disputed == 9, "the row was there under the right revisions, and was not looked at"
    site.demand(Slot(day, 5), 2 * (truth(3 * 48 + 5, 1) - truth(3 * 48 + 4, 1)))
    again = read_totals(site.store, "main", day, day, NOW).day(day)
    assert again is not None
    assert right is not None
    assert again.disputed == 0, "one more value of the day, and the row still spoke for it"
    assert again.energy_kwh == right.energy_kwh


def test_figures_that_something_was_recorded_beside_are_not_kept(site: Site) -> None:
    day = DAYS[2]
    rest_on = kept_days(site.store, "main", Register.ENERGY, day, day)
    site.counts({at(100): truth(100, 1)}, source=Source.HISTORY)
    keep_days(site.store, "main", Register.ENERGY, rest_on, {day: KeptDay(0, "{}")}, NOW)
    assert not kept_days(site.store, "main", Register.ENERGY, day, day).days
    total = read_totals(site.store, "main", day, day, NOW).day(day)
    assert total is not None
    assert total.known == 48


def test_figures_of_another_ceiling_are_not_kept(site: Site) -> None:
    rest_on = kept_days(site.store, "main", Register.ENERGY, FIRST, FIRST)
    Site(site.store, ceiling_kw=100)
    keep_days(site.store, "main", Register.ENERGY, rest_on, {FIRST: KeptDay(0, "{}")}, NOW)
    assert not kept_days(site.store, "main", Register.ENERGY, FIRST, FIRST).days


def test_text_in_another_form_is_made_anew(site: Site) -> None:
    rest_on = kept_days(site.store, "main", Register.ENERGY, FIRST, FIRST)
    for text in ('{"form":99}', "no JSON", '{"form":1}'):
        keep_days(site.store, "main", Register.ENERGY, rest_on, {FIRST: KeptDay(48, text)}, NOW)
        assert_equal(read_totals(site.store, "main", FIRST, FIRST, NOW), site.store, NOW, (FIRST, FIRST))


def test_a_late_word_on_an_old_epoch_moves_where_the_next_one_begins(site: Site) -> None:
    """It lies on another day than the figures that it changes: they are made anew all the same."""
    site.begin(plate(serial="B2"), at(5 * 48 + 10))
    early = {at(step): truth(step, 2) for step in range(4 * 48 + 2, 6 * 48)}
    site.counts(early, source=Source.HISTORY, received=NOW)
    assert_equal(read_totals(site.store, "main", FIRST, LAST, NOW), site.store, NOW, (FIRST, LAST))
    before = read_totals(site.store, "main", FIRST, LAST, NOW).day(DAYS[4])
    for step in range(4 * 48 + 20, 5 * 48 + 11):
        site.store.correct(
            "main", Register.ENERGY, at(step), None, reason="?", author="person:1", at=NOW, epoch=1
        )
    after = read_totals(site.store, "main", FIRST, LAST, NOW)
    assert_equal(after, site.store, NOW, (FIRST, LAST))
    assert after.day(DAYS[4]) != before


def test_the_present_day_is_never_kept(site: Site) -> None:
    """Nor is a day of which something is still awaited."""
    day = DAYS[4]
    for now in (Slot(day, 20).start, Slot(day, 48).end + timedelta(minutes=4)):
        read_totals(site.store, "main", FIRST, day, now)
        kept = kept_days(site.store, "main", Register.ENERGY, FIRST, LAST).days
        assert set(kept) == set(DAYS[:4])
    read_totals(site.store, "main", FIRST, day, Slot(day, 48).end + timedelta(minutes=5))
    assert day in kept_days(site.store, "main", Register.ENERGY, FIRST, LAST).days


def test_a_store_that_is_locked_is_read_all_the_same(site: Site) -> None:
    with Store.open(site.store.where) as other, other.writing():
        started = time.monotonic()
        totals = read_totals(site.store, "main", FIRST, LAST, NOW)
        assert time.monotonic() - started < 4, "the usual patience of five seconds would be felt on a page"
    assert_equal(totals, site.store, NOW, (FIRST, LAST))
    assert not kept_days(site.store, "main", Register.ENERGY, FIRST, LAST).days
    with site.store.writing() as connection:
        server = connection.dialect.name == "postgresql"
        how_long = "SHOW lock_timeout" if server else "PRAGMA busy_timeout"
        usual = connection.exec_driver_sql(how_long).scalar_one()
    wanted = "5s" if server else 5_000
    assert usual == wanted, "the connection went back to the pool as impatient as it was made"


def test_a_full_disk_is_no_reason_not_to_read(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise StoreError(StoreErrorKind.FULL, site.store.where)

    monkeypatch.setattr(totals_module, "keep_days", full)
    assert_equal(read_totals(site.store, "main", FIRST, LAST, NOW), site.store, NOW, (FIRST, LAST))


def test_a_register_without_demand_and_a_meter_that_is_not_there(site: Site) -> None:
    with pytest.raises(ValueError, match="no demand"):
        read_totals(site.store, "main", FIRST, LAST, NOW, register=Register.REACTIVE_PF)
    with pytest.raises(KeyError):
        read_totals(site.store, "other", FIRST, LAST, NOW)


def test_days_to_come_are_left_out(site: Site) -> None:
    totals = read_totals(site.store, "main", LAST, LAST + timedelta(days=40), at(6 * 48) - HALF_HOUR)
    assert [found.day for found in totals.period(FIRST, LAST + timedelta(days=40)).days] == [LAST]
    assert read_totals(site.store, "main", LAST, LAST, START).period(LAST, LAST).days == ()
