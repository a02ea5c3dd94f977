"""Channels: which directions of which meters a site shows, under which ids, in which order."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_site import STARTED, Site, jst, plate

from koatsu.ems.channels import Channel, channel_ids, channels, counts_reverse
from koatsu.ems.store import Store, StoredMeter
from koatsu.ems.views import SlotState, meter_head, now_view, site_view
from koatsu.meter.readings import DemandReading, Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot

D = Decimal
MINUTE = timedelta(minutes=1)
BACK = Register.ENERGY_REVERSE
IDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}", fullmatch=True)


@pytest.fixture
def store(both: Store) -> Store:
    """In a file and on a server: what is shown must not depend on it."""
    return both


@pytest.fixture
def site(store: Store) -> Site:
    """A buying meter whose normal and reverse counters run at different paces."""
    made = Site(store, ceiling_kw=100_000)
    made.begin(plate())
    made.run(jst(10), [1000 + 10 * step for step in range(21)])  # up to 10:00
    made.counts({jst(10) + HALF_HOUR * step: 500 + 3 * step for step in range(21)}, register=BACK)
    return made


def put(store: Store, meter_id: str, role: str) -> None:
    meter = StoredMeter(id=meter_id, label=meter_id, role=role, class_code=0x028F, address="127.0.0.2")
    store.put_meter(meter, at=STARTED)


def poll_back(site: Site, counts: dict[datetime, int]) -> None:
    site.counts(dict(counts), source=Source.LIVE, register=BACK)


@given(IDS, st.booleans())
def test_an_id_names_its_channel(meter_id: str, reverse: bool) -> None:
    channel = Channel(meter_id, BACK if reverse else Register.ENERGY)
    assert Channel.parse(channel.id) == channel
    assert channel.reverse is reverse
    assert (channel.id == meter_id) is not reverse
    assert channel.id in channel_ids(meter_id)
    assert len(set(channel_ids(meter_id))) == 2


def test_only_energy_is_shown_as_a_channel() -> None:
    with pytest.raises(ValueError, match="not a direction of energy"):
        Channel("main", Register.REACTIVE_PF)


def test_a_reverse_channel_begins_with_the_first_reverse_count(store: Store) -> None:
    site = Site(store)
    assert channels(store) == (Channel("main"),)
    site.begin(plate())
    site.run(jst(10), [1, 2, 3])
    site.counts({jst(10): None}, register=BACK)  # "no data" is no count
    assert channels(store) == (Channel("main"),)
    site.counts({jst(10, 0, 30): 0}, register=BACK)
    assert channels(store) == (Channel("main"), Channel("main", BACK))


def test_an_earlier_epoch_keeps_its_reverse_channel(site: Site) -> None:
    site.begin(plate(serial="B2"), jst(11))
    site.run(jst(11), [1, 2])
    assert Channel("main", BACK) in channels(site.store)


def test_bought_comes_before_sold_and_sold_before_sub_meters(store: Store) -> None:
    for meter_id, role in (("a-sub", "sub"), ("b-sell", "sell"), ("c-buy", "buy")):
        put(store, meter_id, role)
    site = Site(store)
    site.begin(plate())
    site.counts({jst(10): 5}, register=BACK)
    found = [channel.id for channel in channels(store)]
    assert found == ["c-buy", "main", "b-sell", "main.reverse", "a-sub"]


@pytest.mark.parametrize("role", ["sell", "sub"])
def test_what_runs_back_through_another_meter_is_not_sold(store: Store, role: str) -> None:
    site = Site(store)
    put(store, "main", role)
    site.begin(plate())
    site.counts({jst(10): 5}, register=BACK)
    assert channels(store) == (Channel("main"),)


def test_the_site_shows_the_reverse_channel_as_a_selling_meter(site: Site) -> None:
    view = site_view(site.store, "工場", jst(10, 10, 5))
    bought, sold = view.meters
    assert (bought.id, bought.role, sold.id, sold.role) == ("main", "buy", "main.reverse", "sell")
    same = ("label", "class_code", "serial", "address", "link")
    assert [getattr(bought, name) for name in same] == [getattr(sold, name) for name in same]
    assert sold == meter_head(site.store, "main", jst(10, 10, 5), register=BACK)
    assert [fill.known for fill in view.days["main.reverse"]] == [20]
    site.counts({jst(11): 560}, register=BACK)  # a hole of 28 slots before it
    view = site_view(site.store, "工場", jst(11, 0, 30))
    assert [fill.known for fill in view.days["main.reverse"]] == [20, 0]


def test_the_open_slot_of_each_direction_grows_by_its_own_counts(site: Site) -> None:
    site.polls({jst(10, 10, minute): 1200 + minute for minute in range(1, 13)})
    poll_back(site, {jst(10, 10, minute): 560 + minute // 4 for minute in range(1, 13)})
    bought = now_view(site.store, "main", jst(10, 10, 12, 30))
    sold = now_view(site.store, "main", jst(10, 10, 12, 30), register=BACK)
    assert (bought.energy_kwh, sold.energy_kwh) == (D(72), D(18))
    assert (sold.growth[0].energy_kwh, sold.growth[-1].instant) == (D(0), jst(10, 10, 12))
    assert sold.straight_line_kw == D(18) * 60 / 12
    assert (bought.power_kw, sold.power_kw) == (D(6 * 5) * 12, D(6 * 2) * 60 / 5)
    assert (sold.today_kwh, bought.today_kwh) == (D(60 * 6 + 18), D(200 * 6 + 72))
    assert (sold.meter.id, sold.today.meter.id, sold.today.register) == ("main.reverse",) * 2 + (BACK,)
    assert (sold.today.slots[20].state, sold.month_max_kw) == (SlotState.OPEN, D(36))


def test_the_greatest_sold_demand_is_the_meters_own_of_that_direction(site: Site) -> None:
    slot = Slot(date(2025, 6, 10), 7)
    read = DemandReading(
        slot=slot, direction="reverse", count=9, source=Source.HISTORY, received=slot.end + MINUTE
    )
    site.store.record("main", site.epoch, demands=[read])
    sold = now_view(site.store, "main", jst(10, 10, 5), register=BACK)
    assert (sold.month_max_kw, sold.month_max_slot) == (D(54), slot)
    assert now_view(site.store, "main", jst(10, 10, 5)).month_max_kw == D(120)


def test_a_clash_in_one_direction_leaves_the_other_alone(site: Site) -> None:
    site.polls({jst(10, 10, 5): 1205})
    poll_back(site, {jst(10, 10, 5): 562})
    site.counts({jst(10, 10): 999}, register=BACK)  # a second value for the start of the open slot
    assert now_view(site.store, "main", jst(10, 10, 6)).energy_kwh == D(30)
    sold = now_view(site.store, "main", jst(10, 10, 6), register=BACK)
    assert (sold.growth, sold.energy_kwh) == ((), None)


def test_a_register_without_demand_has_no_present(site: Site) -> None:
    with pytest.raises(ValueError, match="has no demand"):
        now_view(site.store, "main", jst(10, 10, 6), register=Register.REACTIVE_PF)


def test_which_classes_count_both_directions() -> None:
    codes = (0x028A, 0x028F, 0x0288, 0x028D, 0x05FF)
    assert [counts_reverse(code) for code in codes] == [False, True, True, True, False]
