"""The demo's desk: every state, real histories, made once and brought on; and the walk of docs/desk.md."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from desk_walk import WALK, application
from program import EmulatedMeter
from sqlalchemy import select

from koatsu.app.desk_demo import PASSWORD, demo_config, logins, put_people
from koatsu.app.desk_opening import open_desk
from koatsu.app.desk_place import Place, cache_folder, demo_place
from koatsu.app.desk_probe import WireProbe
from koatsu.clock import JST, ManualClock
from koatsu.config import Address, LinkConfig
from koatsu.desk import SYSTEM, Actor, Desk, Event, State
from koatsu.desk.fields import FIELDS
from koatsu.desk.lifecycle import step_for
from koatsu.desk.models import WorksState
from koatsu.desk.sample import OWN_STATES, Plan, sample_people, sample_settings
from koatsu.desk.schema_cases import case, event
from koatsu.desk.triage import Side
from koatsu.desk.worklists import Turn
from koatsu.errors import UsageError
from koatsu.people import DESK_ROLES, Hashing, People, Role
from koatsu.web.texts import texts

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 7, 15, 13, 20, tzinfo=JST)  #: a Wednesday
CASES = 45


@contextmanager
def place_in(
    cached: Path | None, store: Path | None = None, *, now: datetime = NOW, cases: int = CASES, seed: int = 28
) -> Iterator[Place]:
    with demo_place(
        store, cases=cases, seed=seed, now=now, progress=lambda _done, _whole: None, cached=cached
    ) as place:
        yield place


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def place(cache: Path) -> Iterator[Place]:
    """A store of its own for each test; made once and copied."""
    with place_in(cache) as one:
        yield one


def opened(place: Place, clock: ManualClock | None = None, **more: object) -> Desk:
    return open_desk(demo_config(place, 8029, ()), clock or ManualClock(NOW), **more)  # type: ignore[arg-type]


# --- what stands in it ----------------------------------------------------------------------------------


def test_there_are_cases_in_every_state_and_the_chain_verifies(place: Place) -> None:
    with opened(place) as desk:
        counts = desk.lists.counts(SYSTEM)
        assert sum(counts.values()) == place.cases
        assert CASES <= place.cases <= CASES + 5
        assert [state for state, number in counts.items() if number == 0] == []
        assert desk.cases.verify() is None


def test_histories_are_those_that_the_desk_itself_writes(place: Place) -> None:
    """Folded, the events of each case give its row; times rise, on working days, until now."""
    with opened(place) as desk, desk.database.reading() as connection:
        ids = list(connection.execute(select(case.c.id)).scalars())
    with opened(place) as desk:
        for number in ids:
            found, entries = desk.cases.get(SYSTEM, number), desk.cases.history(SYSTEM, number)
            assert [one.number for one in entries] == list(range(1, len(entries) + 1))
            assert (entries[0].event, entries[0].before) == (Event.DRAFT, None)
            for before, after in pairwise(entries):
                assert before.after is after.before
                assert before.at <= after.at <= NOW
                assert step_for(after.event, after.before or State.DRAFT) is not None
            assert (entries[-1].after, found.version) == (found.state, len(entries))
            assert found.opened_at == entries[0].at
    with opened(place) as desk, desk.database.reading() as connection:
        instants = list(connection.execute(select(event.c.at).order_by(event.c.seq)).scalars())
    assert instants == sorted(instants)
    assert instants[0] < (NOW - timedelta(days=200)).timestamp()


def test_no_personal_value_stands_in_clear(place: Place) -> None:
    with opened(place) as desk:
        case_id = desk.lists.worklist(SYSTEM, state=State.IN_SERVICE).lines[0].case.id
        person = desk.cases.person(SYSTEM, case_id)
    assert person["customer_name"]
    raw = place.store.read_bytes()
    for name in ("customer_name", "address", "phone", "email"):
        assert FIELDS[name].personal
        assert person[name].encode() not in raw


def test_staff_see_a_worklist_that_is_worth_looking_at(place: Place) -> None:
    with opened(place) as desk:
        people = {one.key: number for number, one in enumerate(sample_people(), 1)}
        by = Actor(reference=f"person:{people['counter-chuo']}", role=Role.COUNTER, office="chuo")
        worklist = desk.lists.worklist(by)
        assert worklist.whole > 3
        assert worklist.turns[Turn.MINE] > 0
        assert {line.case.office for line in worklist.lines} <= {"chuo", ""}
        today = NOW.date()
        assert desk.lists.calendar(SYSTEM, today - timedelta(days=30), today + timedelta(days=30))
        assert any(Counter(desk.enquiries.counts(SYSTEM)).values())
        assert sum(desk.faults.outcomes(SYSTEM).values()) > 0
        assert set(desk.faults.outcomes(SYSTEM)) == set(Side)
        assert desk.notices.list(SYSTEM), "letters of the last days wait"
        assert desk.notices.list(SYSTEM, printed=True), "older ones were printed"


def test_another_seed_is_another_utility_and_the_same_one_the_same() -> None:
    def told(seed: int) -> list[tuple[object, ...]]:
        plan = Plan(seed=seed, cases=CASES, made=NOW, closed_days=sample_settings().closed_days)
        return [
            (life.point.number, move.at, move.event, tuple(sorted(move.given.items())))
            for life, _ in plan.lives(NOW)
            for move in life.moves
        ]

    assert told(28) == told(28)
    assert told(28) != told(29)


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 7, 19, 3, 0, tzinfo=JST),  # a Sunday, at night
        datetime(2026, 1, 2, 23, 0, tzinfo=JST),  # closed at the turn of the year
        datetime(2026, 5, 5, 12, 0, tzinfo=JST),  # in the middle of a row of holidays
        datetime(2028, 2, 29, 9, 1, tzinfo=JST),
    ],
)
def test_a_plan_has_every_state_whenever_it_is_made(now: datetime) -> None:
    from koatsu.desk.sample.life import state_at

    plan = Plan(seed=7, cases=CASES, made=now, closed_days=sample_settings().closed_days)
    states = {state_at(life, now) for life, _ in plan.lives(now)}
    assert states == set(State)


# --- made once ------------------------------------------------------------------------------------------


def rows(place: Place) -> list[tuple[object, ...]]:
    with opened(place) as desk, desk.database.reading() as connection:
        query = select(event.c.case_id, event.c.number, event.c.at, event.c.event, event.c.author)
        return [tuple(row) for row in connection.execute(query.order_by(event.c.seq))]


def test_what_was_made_once_is_copied_and_the_copy_is_the_visitor_s_own(cache: Path) -> None:
    with place_in(cache) as first:
        before = rows(first)
        with opened(first) as desk:
            desk.cases.open(SYSTEM, {"supply_point": first.free[0]})
    kept = [path for path in cache.iterdir() if path.name.startswith("desk-demo-")]
    made = (kept[0] / "desk.db").stat().st_mtime_ns
    with place_in(cache, now=NOW + timedelta(minutes=10)) as second:
        assert rows(second) == before
    assert (kept[0] / "desk.db").stat().st_mtime_ns == made
    assert not first.store.exists(), "thrown away"


def test_a_later_start_brings_it_on_to_that_day(tmp_path: Path) -> None:
    with place_in(tmp_path) as first:
        before = rows(first)
    later = NOW + timedelta(days=16)
    with place_in(tmp_path, now=later) as second:
        after = rows(second)
        with opened(second, ManualClock(later)) as desk:
            assert desk.cases.verify() is None
    assert after[: len(before)] == before, "nothing is written over"
    assert len(after) > len(before)
    assert max(row[2] for row in after) > (later - timedelta(days=5)).timestamp()  # type: ignore[type-var,operator]
    assert second.cases > first.cases
    with place_in(None, now=later) as anew:
        assert anew.cases != 0


def test_a_clock_that_went_back_makes_it_anew(tmp_path: Path) -> None:
    with place_in(tmp_path, cases=20):
        pass
    earlier = NOW - timedelta(days=40)
    with place_in(tmp_path, cases=20, now=earlier) as place, opened(place, ManualClock(earlier)) as desk:
        assert max(row[2] for row in rows(place)) <= earlier.timestamp()  # type: ignore[type-var,operator]
        assert desk.cases.verify() is None


def test_what_another_version_has_put_aside_is_removed(tmp_path: Path) -> None:
    old, other = tmp_path / "desk-demo-0123456789abcdef-20-28", tmp_path / "something else"
    for folder in (old, other):
        folder.mkdir()
        (folder / "desk.db").write_text("old")
    with place_in(tmp_path, cases=20):
        pass
    assert not old.exists()
    assert other.exists()


def test_without_a_cache_it_is_made_all_the_same(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("no folder")
    with place_in(blocked, cases=20) as place, opened(place) as desk:
        assert desk.cases.verify() is None


def test_a_store_that_is_kept_is_not_filled_again(tmp_path: Path) -> None:
    store = tmp_path / "mine.db"
    with place_in(tmp_path / "cache", store, cases=20) as first, opened(first) as desk:
        made = desk.cases.open(SYSTEM, {"supply_point": first.free[0]})
    with (
        place_in(tmp_path / "cache", store, cases=20, now=NOW + timedelta(days=20)) as again,
        opened(again) as desk,
    ):
        assert desk.cases.get(SYSTEM, made.id).number == made.number
        assert again == first


@pytest.mark.parametrize("note", [None, "{}", "no json", json.dumps({"free": [], "seed": 1})])
def test_a_store_without_the_note_of_the_demo_is_left_alone(note: str | None, tmp_path: Path) -> None:
    store = tmp_path / "real.db"
    store.write_bytes(b"somebody's")
    if note is not None:
        store.with_suffix(".demo.json").write_text(note)
    with pytest.raises(UsageError, match="is not a store of the demo"), place_in(None, store):
        raise AssertionError("it was opened")
    assert store.read_bytes() == b"somebody's"


def test_the_cache_is_the_user_s_own() -> None:
    assert cache_folder({"XDG_CACHE_HOME": "/x"}) == Path("/x/koatsu")
    assert cache_folder({}) == Path.home() / ".cache/koatsu"


# --- its people -----------------------------------------------------------------------------------------


def test_people_have_the_numbers_by_which_events_know_them(place: Place) -> None:
    clock = ManualClock(NOW)
    put_people(str(place.store), clock)
    with People.open(place.store, clock=clock, hashing=Hashing(passes=1, memory_kib=64, lanes=1)) as people:
        known = {one.reference: one for one in people.people()}
        assert [one.name for one in known.values()] == [one.name for one in sample_people()]
        with opened(place) as desk:
            authors = {row[4] for row in rows(place)}
            assert authors <= known.keys() | {"system"}
            for one, sample in zip(known.values(), sample_people(), strict=True):
                assert one.role is sample.role
                if sample.office is not None:
                    assert desk.staff.offices()[one.id] == sample.office
        put_people(str(place.store), clock)
        assert len(people.people()) == len(sample_people()), "a second time changes nothing"


def test_the_login_page_offers_one_person_for_each_role() -> None:
    offered = logins()
    assert Counter(one.role for one in offered) == Counter(DESK_ROLES)
    assert {one.password for one in offered} == {PASSWORD}


def test_the_customer_of_the_demo_follows_cases_in_three_stages(place: Place) -> None:
    with opened(place) as desk:
        number = [one.key for one in sample_people()].index("customer") + 1
        customer = desk.staff.customer_of(number)
        actor = Actor(reference=f"person:{number}", role=Role.CUSTOMER, customer=customer)
        own = desk.lists.own(actor)
        assert {one.state for one in own} == set(OWN_STATES)
        assert {desk.cases.person(actor, one.id)["contact_name"] for one in own} == {"小林 花子"}


def test_the_page_of_the_demo_is_on_this_machine_alone(place: Place) -> None:
    config = demo_config(place, 8029, ())
    assert config.web.host == "127.0.0.1"
    assert config.mail is None
    assert config.webhooks == ()


# --- the walk -------------------------------------------------------------------------------------------


def test_the_walk_of_the_document_leads_from_application_to_end(place: Place, meter: EmulatedMeter) -> None:
    clock, point = ManualClock(NOW), place.free[0]
    link = LinkConfig(supply_point=point, address=Address(meter.address), profile="fast")
    people = [one.key for one in sample_people()]
    by = Actor(reference=f"person:{people.index('supervisor') + 1}", role=Role.SUPERVISOR)
    with opened(place, clock, probe=WireProbe([link], clock)) as desk:
        terms = desk.terms.in_force()
        assert terms is not None
        found = desk.cases.open(by, application(point, terms.id, NOW.date()), submit=True)
        for what, given, leads_to in WALK[1:]:
            clock.advance(timedelta(seconds=20))
            values = dict(given(NOW.date()))
            if what is Event.RECORD_CHECK:
                assert desk.probe is not None
                seen = desk.probe.ask(point)
                assert (seen.terminal_up, seen.meter_answers) == (True, True)
                values |= {
                    "check_terminal": "yes", "check_meter": "yes", "check_way": "probe",
                    "evidence": seen.reason.ja,
                }  # fmt: skip
            found = desk.cases.act(by, found.id, what, values, seen=found.version)
            assert found.state is leads_to
        assert clock.now() - NOW < timedelta(minutes=5)
        events = [entry.event for entry in desk.cases.history(SYSTEM, found.id)]
        assert events == [Event.DRAFT, Event.FILL, *(what for what, _, _ in WALK)]
        assert found.office == "chuo"
        orders = desk.lists.works(SYSTEM, found.id)
        assert {order.state for order in orders} == {WorksState.DONE}
        letters = {one.kind.value for one in desk.notices.of_case(SYSTEM, found.id)}
        assert {"received", "accepted", "started", "ending_received", "ended"} <= letters
        assert desk.cases.verify() is None


@pytest.mark.parametrize(
    "heading", ["### From application to end in five minutes", "### 5 分でひととおり試す"]
)
def test_the_document_names_the_buttons_in_their_order(heading: str) -> None:
    text = (ROOT / "docs/desk.md").read_text(encoding="utf-8").split(heading)[1].split("\n##")[0]
    pressed = re.findall(r"\*\*「(.+?)」\*\*", text)
    state, buttons = State.DRAFT, [texts("ja")("desk_intake.submit")]
    for what, _, leads_to in WALK:
        step = step_for(what, state)
        assert step is not None
        if what is not Event.SUBMIT:
            buttons.append(step.button.ja)
        state = leads_to
    assert pressed == buttons
    assert re.findall(r"^(\d+)\. ", text, re.MULTILINE) == [str(n) for n in range(1, len(buttons) + 1)]
    assert texts("ja")("desk_list.intake") in text or "紙の申込みを受け付ける" in text
    assert "端末に自動で確かめる" in text


def test_the_diagram_of_the_document_is_that_of_the_table() -> None:
    from koatsu.app.desk_diagram import life_cycle

    text = (ROOT / "docs/desk.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"^```mermaid\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert shown == life_cycle("en")
