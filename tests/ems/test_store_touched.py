"""A day's figures may be kept as long as its revision and its meter's stay: here is what moves them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from store_site import STARTED, Site, jst, plate

from koatsu.ems.store import Store
from koatsu.ems.store.touched import day_of
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import Slot

FIRST, LAST = date(2024, 1, 1), date(2026, 12, 31)


@pytest.fixture
def site(either: Store) -> Site:
    made = Site(either)
    made.begin(plate())
    return made


def days(site: Site) -> dict[int, int]:
    """Revisions of days of June by number."""
    _, found = site.store.revisions(site.id, FIRST, LAST)
    assert all(day.month == 6 for day in found)
    return {day.day: revision for day, revision in found.items()}


def whole(site: Site) -> int:
    return site.store.revisions(site.id, FIRST, LAST)[0]


def test_a_new_count_touches_its_day_and_the_same_again_nothing(site: Site) -> None:
    site.run(jst(2, 10), [1, 2])
    assert days(site) == {2: 1}
    site.run(jst(2, 10), [1, 2], source=Source.HISTORY)
    assert days(site) == {2: 1}
    site.run(jst(2, 11), [3])
    assert days(site) == {2: 2}


def test_a_count_at_midnight_touches_both_days(site: Site) -> None:
    site.run(jst(3), [1])
    assert days(site) == {2: 1, 3: 1}


def test_a_second_value_touches_and_so_does_a_demand(site: Site) -> None:
    site.run(jst(2, 10), [1, 2])
    site.run(jst(2, 10), [1, 9])
    assert days(site) == {2: 2}
    site.demand(Slot.starting(jst(4, 23, 30)), 1)
    assert days(site) == {2: 2, 4: 1}
    site.demand(Slot.starting(jst(4, 23, 30)), 2)
    assert days(site) == {2: 2, 4: 2}


def test_a_count_far_from_its_neighbours_touches_the_days_between(site: Site) -> None:
    """It decides over the differences to them: a hole, or a leap that is none any more."""
    site.run(jst(2, 10), [1])
    site.run(jst(8, 10), [90])
    before = days(site)
    site.run(jst(5, 12), [50])
    assert days(site) == {day: before[day] + 1 for day in range(2, 9)}


def test_a_count_years_away_touches_the_whole_meter(site: Site) -> None:
    site.run(jst(2, 10), [1])
    before = whole(site)
    site.counts({jst(2, 10) + timedelta(days=900): 5})
    assert whole(site) == before + 1


def test_corrections_touch_when_they_come_and_when_they_go(site: Site) -> None:
    site.run(jst(2, 10), [1, 2, 3])
    made = site.store.correct(
        site.id, Register.ENERGY, jst(2, 10, 30), 1, reason="r", author="person:1", at=jst(3)
    )
    assert days(site) == {2: 2}
    site.store.withdraw_correction(made.id, author="person:1", at=jst(3))
    assert days(site) == {2: 3}


def test_epochs_and_ceilings_touch_the_meter(site: Site) -> None:
    store = site.store
    assert whole(site) == 1
    site.begin(plate())
    assert whole(site) == 1
    site.begin(plate(fixed_day=20))
    assert whole(site) == 2
    site.begin(plate(serial="B2"), jst(3))
    assert whole(site) == 3
    entry = store.meter(site.id)
    store.put_meter(replace(entry, label="新"), at=STARTED)
    assert whole(site) == 3
    store.put_meter(replace(entry, ceiling_kw=Decimal(900)), at=STARTED)
    assert whole(site) == 4
    assert store.meter(site.id).ceiling_kw == 900


def test_a_count_for_an_epoch_of_before_touches_the_meter(site: Site) -> None:
    """The next epoch counts from the last count of the one before, wherever that is."""
    site.begin(plate(serial="B2"), jst(3))
    before = whole(site)
    site.counts({jst(3, 1): 1})
    assert whole(site) == before
    site.store.record(site.id, 1, [])
    site.epoch = 1
    site.counts({jst(2): 1})
    assert whole(site) == before + 1


def test_other_meters_are_left_alone(site: Site) -> None:
    other = Site(site.store, meter_id="other")
    site.run(jst(2, 10), [1, 2])
    assert days(other) == {}
    with pytest.raises(KeyError):
        site.store.revisions("none", FIRST, LAST)


def test_days_are_those_of_japan() -> None:
    assert day_of(int(jst(2).timestamp())) == date(2025, 6, 2)
    assert day_of(int(jst(2).timestamp()) - 1) == date(2025, 6, 1)
    assert day_of(0) == date(1970, 1, 1)
    assert day_of(-9 * 3600 - 1) == date(1969, 12, 31)


def test_what_was_learnt_is_there_again(site: Site) -> None:
    store = site.store
    store.learn(site.id, "horizon_days", "44", jst(2))
    store.learn(site.id, "horizon_days", "45", jst(3))
    store.learn(site.id, "energy_history_first", "00:00", jst(3))
    assert store.learnt(site.id) == {"horizon_days": "45", "energy_history_first": "00:00"}
    assert store.learnt("other") == {}


def test_sites_have_names_and_the_store_one_of_its_own(either: Store, where: str) -> None:
    either.put_site("b", "第二工場", at=jst(2))
    either.put_site("a", "本社", at=jst(3))
    either.put_site("b", "第二", at=jst(4))
    assert [(one.id, one.name) for one in either.sites()] == [("b", "第二"), ("a", "本社")]
    site = Site(either)
    assert either.meter(site.id).site == "site"
    either.put_meter(replace(either.meter(site.id), site="b"), at=STARTED)
    assert either.meter(site.id).site == "b"
    assert len(either.id) == 32
    with Store.open(where) as again:
        assert again.id == either.id
