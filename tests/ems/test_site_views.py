"""Many sites in one line each: every figure is the one that the site's own page shows."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event
from store_site import STARTED, Site, jst, plate

from koatsu.clock import JST
from koatsu.ems.live import LinkState, LiveState
from koatsu.ems.site_models import SiteDays
from koatsu.ems.site_views import DAYS_SHOWN, site_briefs, site_heads
from koatsu.ems.store import Event, Level, Store, StoredMeter
from koatsu.ems.views import calendar, now_view, site_view
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot

NOW = jst(28, 10, 17)


def put(store: Store, site_id: str, meter_id: str, *, role: str = "buy", digits: int = 6) -> Site:
    """A meter of a site, in its first epoch."""
    made = Site(store, meter_id=meter_id)
    store.put_site(site_id, f"site {site_id}", at=STARTED)
    store.put_meter(
        StoredMeter(
            id=meter_id, label=meter_id, role=role, class_code=0x028A, address="127.0.0.2", site=site_id
        )
    )
    made.begin(plate(serial=meter_id, digits=digits))
    return made


def fill(site: Site, since: datetime, until: datetime, *, lost: frozenset[datetime] = frozenset()) -> None:
    """Counts of every half hour, ten a slot, without the ``lost`` ones."""
    at, counts = since, {}
    for step in range((until - since) // HALF_HOUR + 1):
        at = since + HALF_HOUR * step
        if at not in lost:
            counts[at] = (1000 + 10 * step) % 1_000_000
    site.counts(counts)


def heard(live: LiveState, meter_id: str, ago: timedelta) -> None:
    live.started(meter_id, NOW - timedelta(hours=1), poll=timedelta(minutes=1))
    live.answered(meter_id, NOW - ago)


def test_sites_stand_in_the_order_of_the_settings_then_of_earlier_times(store: Store) -> None:
    for name in ("b", "a", "gone"):
        put(store, name, f"{name}-1")
    put(store, "a", "a-2")
    store.put_site("empty", "no meter", at=STARTED)
    heads = site_heads(store, ["a", "b"])
    assert [(one.id, one.name, one.meter_ids) for one in heads] == [
        ("a", "site a", ("a-1", "a-2")), ("b", "site b", ("b-1",)), ("gone", "site gone", ("gone-1",)),
    ]  # fmt: skip


def test_a_site_has_its_own_meters_only(store: Store) -> None:
    for name in ("a", "b"):
        put(store, name, f"{name}-1").run(jst(27), [1, 2, 3])
    shown = site_view(store, "site b", NOW, site="b")
    assert [meter.id for meter in shown.meters] == ["b-1"]
    assert list(shown.days) == ["b-1"]
    assert [fill.known for fill in shown.days["b-1"]] == [2, 0]
    with pytest.raises(KeyError):
        shown.days["a-1"]


@pytest.mark.parametrize("seed", range(3))
def test_a_brief_says_what_the_pages_of_its_meters_say(either: Store, seed: int) -> None:
    chance = random.Random(seed)
    live = LiveState()
    slot = Slot.at(NOW)
    for number in range(6):
        site = put(either, f"s{number // 2}", f"m{number}", digits=chance.choice((4, 6)))
        heard(live, site.id, timedelta(minutes=chance.choice((0, 5, 50))))
        begun = slot.start - HALF_HOUR * chance.randrange(1, 45 * 48)
        every = [begun + HALF_HOUR * step for step in range((slot.start - begun) // HALF_HOUR + 1)]
        lost = frozenset(at for at in every if chance.random() < 0.02)
        fill(site, begun, slot.start, lost=lost)
        if chance.random() < 0.3:
            site.begin(plate(serial="B"), slot.start - HALF_HOUR * chance.randrange(2, 300))
            site.run(slot.start - HALF_HOUR * 2, [7, 8, 9], source=Source.HISTORY)
        if chance.random() < 0.3:
            site.counts({slot.start: 5}, source=Source.HISTORY)  # another value for the same instant
        if chance.random() < 0.5:
            either.correct(
                site.id, Register.ENERGY, chance.choice(every[-40:]), chance.choice((None, 77)), reason="x",
                author="person:1", at=NOW,
            )  # fmt: skip
        last = 1000 + 10 * (len(every) - 1)
        site.polls({slot.start + timedelta(minutes=m): last + m // 4 for m in range(chance.randrange(17))})
    today = NOW.astimezone(JST).date()
    briefs = site_briefs(either, site_heads(either), NOW, live, counting=6)
    for brief in briefs:
        whole: dict[date, int] = {}
        for meter in brief.meters:
            page = now_view(either, meter.id, NOW, live=live)
            assert (meter.demand_kw, meter.straight_line_kw) == (page.demand_kw, page.straight_line_kw)
            assert (meter.link, meter.last_received) == (page.meter.link, page.last_received)
            bounds = either.bounds(meter.id)
            assert bounds is not None
            first = max(bounds[0].astimezone(JST).date(), today - timedelta(days=DAYS_SHOWN))
            for day in calendar(either, meter.id, first, today - timedelta(days=1), NOW):
                whole[day.day] = whole.get(day.day, 0) + day.closed - day.known
        assert brief.days == SiteDays(
            closed=len(whole), whole=list(whole.values()).count(0), missing_slots=sum(whole.values())
        )
    assert site_briefs(either, site_heads(either), NOW, live, counting=6) == briefs, (
        "kept figures are the same"
    )


def test_the_worst_link_and_the_newest_trouble_stand_for_the_site(store: Store) -> None:
    live = LiveState()
    for name in ("a", "b"):
        put(store, "one", name)
        heard(live, name, timedelta(seconds=3) if name == "a" else timedelta(hours=2))
    for ago, code, level in ((3, "x", Level.ALARM), (2, "silent", Level.CAUTION), (1, "back", Level.OK)):
        at = NOW - timedelta(hours=ago)
        store.record_event(Event(at=at, meter_id="b", level=level, code=code))
    store.record_event(Event(at=NOW - timedelta(days=40), meter_id="a", level=Level.ALARM, code="long ago"))
    [brief] = site_briefs(store, site_heads(store), NOW, live)
    assert brief.link is LinkState.SILENT
    assert brief.trouble is not None
    assert brief.trouble.code == "silent"
    assert brief.days == SiteDays(closed=0, whole=0, missing_slots=0), "nothing known is nothing missing"


def test_days_are_counted_some_meters_at_a_time(store: Store) -> None:
    for number in range(5):
        fill(put(store, f"s{number}", f"m{number}"), jst(20), jst(28, 10))
    counted = []
    for _ in range(3):
        briefs = site_briefs(store, site_heads(store), NOW, LiveState(), counting=2)
        counted.append([brief.days is not None for brief in briefs])
    assert [sum(one) for one in counted] == [2, 4, 5]
    assert all(brief.days == SiteDays(closed=8, whole=8, missing_slots=0) for brief in briefs)


def test_a_hundred_sites_take_as_many_questions_as_one(store: Store) -> None:
    fill(put(store, "s0", "m0"), jst(27), jst(28, 10))
    one = asked(store)
    for number in range(1, 12):
        fill(put(store, f"s{number}", f"m{number}"), jst(27), jst(28, 10))
    assert asked(store) == one


def asked(store: Store) -> int:
    """How many statements a look at all sites takes, once their days are counted."""
    site_briefs(store, site_heads(store), NOW, LiveState(), counting=20)
    with statements(store) as heard_of:
        assert site_briefs(store, site_heads(store), NOW, LiveState())
    return len(heard_of)


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """The statements that reach the database."""
    heard_of: list[str] = []

    def note(connection: object, cursor: object, statement: str, *_: object) -> None:
        heard_of.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    try:
        yield heard_of
    finally:
        event.remove(store.engine, "before_cursor_execute", note)
