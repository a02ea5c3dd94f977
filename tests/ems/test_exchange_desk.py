"""What others say of energy, beside the meter's: kept by file, compared slot by slot, never mixed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import pytest
from exchange_files import running_xml, wide_rows, written
from hypothesis import given, settings
from hypothesis import strategies as st
from store_site import Site, jst, plate

from koatsu.clock import ManualClock
from koatsu.ems.channels import Channel
from koatsu.ems.exchange import (
    DataDesk,
    FileChoice,
    FileRefusedError,
    ImportReport,
    Verdict,
    compare,
    contradictions,
)
from koatsu.ems.slot_columns import COLUMNS
from koatsu.ems.store import Store
from koatsu.ems.views import day_view
from koatsu.errors import KoatsuError, UsageError
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot
from koatsu.web.download import day_csv

DAY = date(2025, 6, 2)
NOW = jst(20)
MAIN = Channel("main")


@pytest.fixture
def store(both: Store) -> Store:
    """In a file and on a server: what is shown must not depend on it."""
    return both


def made(store: Store) -> tuple[Site, DataDesk]:
    """Two days of 6 kWh a slot, and slot 5 of the first one without its border."""
    site = Site(store)
    site.begin(plate())
    counts: list[int | None] = list(range(100, 197))
    counts[5] = None
    site.run(jst(2), counts)
    return site, DataDesk(store, ManualClock(NOW))


def brought(desk: DataDesk, energies: Mapping[Slot, Decimal | None], **more: object) -> ImportReport:
    data = written(wide_rows(energies, "starts", "slash", "plain")).encode()
    report = desk.take_in(BytesIO(data), "2025-06.csv", FileChoice(), author="person:1", **more)  # type: ignore[arg-type]  # handed on by name
    assert isinstance(report, ImportReport)
    return report


def said(**energies: str) -> dict[Slot, Decimal | None]:
    """A day of 6 kWh a slot but for those named, as s7="6.5"; empty: none."""
    found: dict[Slot, Decimal | None] = {Slot(DAY, number): Decimal(6) for number in range(1, 49)}
    return found | {
        Slot(DAY, int(name[1:])): Decimal(text) if text else None for name, text in energies.items()
    }


def test_a_file_is_compared_with_the_meter_slot_by_slot(store: Store) -> None:
    _, desk = made(store)
    report = brought(desk, said(s2="", s9="5.9", s10="60"))
    assert (report.new, report.same, report.revised, report.empty, report.known) == (47, 0, 0, 1, False)
    seen = report.comparison
    assert dict(seen.tally) == {
        Verdict.EQUAL: 43, Verdict.DIFFERS: 2, Verdict.ONLY_FILE: 2, Verdict.ONLY_METER: 1,
    }  # fmt: skip
    assert (seen.within_count, seen.contradicting) == (1, 1)
    [listed] = seen.listed
    assert (listed.slot, listed.meter_kwh, listed.file_kwh) == (Slot(DAY, 10), Decimal(6), Decimal(60))
    assert listed.difference_kwh == 54
    assert (seen.meter_kwh, seen.file_kwh) == (Decimal(270), Decimal("323.9"))
    assert contradictions(store, MAIN, jst(2), jst(3), NOW) == (listed,)


def test_the_meters_own_values_stay_what_they_are(store: Store) -> None:
    _, desk = made(store)
    before = day_view(store, "main", DAY, NOW)
    brought(desk, said(s3="1000"))
    assert day_view(store, "main", DAY, NOW) == before


def test_the_same_bytes_again_change_nothing(store: Store) -> None:
    _, desk = made(store)
    first = brought(desk, said())
    again = brought(desk, said())
    assert again.known
    assert again.file == first.file
    assert (again.new, again.same) == (0, 48)
    assert len(desk.files()) == 1
    brought(desk, said(), dry_run=True)
    assert len(desk.files()) == 1


def test_a_revised_file_stands_beside_the_first_and_speaks(store: Store) -> None:
    _, desk = made(store)
    first = brought(desk, said(s3="90", s4="90"))
    second = brought(desk, said(s3="6", s4="8"))
    assert (second.new, second.same, second.revised) == (0, 46, 2)
    speaking = {one.slot.number: one.file_kwh for one in compare(store, MAIN, jst(2), jst(3), NOW)}
    assert (speaking[3], speaking[4]) == (6, 8)
    of_first = desk.comparison(desk.file(first.file.id), jst(1), jst(9))
    assert [one.file_kwh for one in of_first.listed] == [90, 90]
    desk.forget(second.file.id, author="person:1")
    speaking = {one.slot.number: one.file_kwh for one in compare(store, MAIN, jst(2), jst(3), NOW)}
    assert (speaking[3], speaking[4]) == (90, 90)
    with pytest.raises(UsageError, match="no imported file"):
        desk.forget(second.file.id, author="person:1")


def test_a_trial_keeps_nothing_and_says_the_same(store: Store) -> None:
    _, desk = made(store)
    tried = brought(desk, said(s3="9"), dry_run=True)
    assert desk.files() == ()
    kept = brought(desk, said(s3="9"))
    assert tried.comparison == kept.comparison
    assert (tried.new, tried.file.id, kept.file.id) == (48, 0, 1)


def test_a_refused_file_leaves_no_trace(store: Store) -> None:
    _, desk = made(store)
    events = len(store.events())
    data = written(wide_rows(said(), "starts", "slash", "plain")).replace(",6,", ",six,", 1).encode()
    with pytest.raises(FileRefusedError, match="row 2, column B"):
        desk.take_in(BytesIO(data), "f.csv", FileChoice(), author="person:1")
    assert desk.files() == ()
    assert len(store.events()) == events


def test_the_channel_is_chosen_or_asked_for(store: Store) -> None:
    site, desk = made(store)
    other = Site(store, meter_id="sell")
    data = running_xml({Slot(DAY, 1): Decimal(1)}).encode()
    with pytest.raises(UsageError, match="2 meters"):
        desk.take_in(BytesIO(data), "f.xml", FileChoice(), author="a")
    with pytest.raises(UsageError, match="no meter 'nobody'"):
        desk.take_in(BytesIO(data), "f.xml", FileChoice(meter_id="nobody"), author="a")
    for channel in (other.id, site.id, "main.reverse"):
        report = desk.take_in(BytesIO(data), "f.xml", FileChoice(meter_id=channel), author="a")
        assert isinstance(report, ImportReport)
        assert (report.known, report.file.channel, report.file.kind) == (False, channel, "occto-xml")
    assert [known.file.channel for known in desk.files()] == ["main.reverse", "main", "sell"]


def test_a_supply_point_number_in_a_file_name_is_cut(store: Store) -> None:
    _, desk = made(store)
    data = running_xml({Slot(DAY, 1): Decimal(1)}).encode()
    desk.take_in(BytesIO(data), "30_0712345678901234567890_2025.xml", FileChoice(), author="a")
    assert desk.files()[0].file.name == "30_…7890_2025.xml"


def test_the_exported_day_is_the_day_of_the_page(store: Store) -> None:
    site, desk = made(store)
    site.demand(Slot(DAY, 3), 2)
    view = day_view(store, "main", DAY, NOW)
    assert b"".join(desk.slot_csv(MAIN, DAY, DAY).pieces) == day_csv(view)


def test_an_export_of_many_days_is_its_days_one_after_the_other(store: Store) -> None:
    site, desk = made(store)
    site.run(jst(4), range(300, 300 + 48 * 15 + 3))
    days = [DAY + timedelta(days=number) for number in range(18)]
    whole = b"".join(desk.slot_csv(MAIN, DAY, None).pieces)
    heading = (",".join(COLUMNS) + "\r\n").encode("utf-8-sig")
    parts = [day_csv(day_view(store, "main", day, NOW)).removeprefix(heading) for day in days]
    lines = (heading + b"".join(parts)).splitlines()
    assert whole.splitlines() == [line for line in lines if not line.endswith((b",open,", b",future,"))]
    following = desk.slot_csv(MAIN, date(2025, 1, 1), date(2025, 12, 31)).following
    assert following == 6, "days that have not come are not asked for"


def test_what_is_exported_can_be_brought_in_and_is_equal(store: Store) -> None:
    _, desk = made(store)
    data = b"".join(desk.slot_csv(MAIN, None, None).pieces)
    report = desk.take_in(BytesIO(data), "own.csv", FileChoice(), author="a")
    assert isinstance(report, ImportReport)
    assert dict(report.comparison.tally) == {Verdict.EQUAL: 94}
    assert report.empty == 2


def test_nothing_stored_yet_is_said(store: Store) -> None:
    desk = DataDesk(store, ManualClock(NOW))
    with pytest.raises(UsageError, match="0 meters"):
        desk.channel(None)
    Site(store)
    with pytest.raises(UsageError, match="No count"):
        desk.slot_csv(MAIN, None, None)


@given(
    st.lists(st.none() | st.integers(0, 30), min_size=97, max_size=97),
    st.dictionaries(st.integers(1, 96), st.integers(0, 99).map(lambda n: Decimal(n) / 2), min_size=1),
)
@settings(max_examples=30)
def test_every_slot_is_judged_once_and_right(counts: list[int | None], energies: dict[int, Decimal]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder, Store.open(Path(folder) / "s.db") as store:
        site = Site(store)
        site.begin(plate())
        total = 0
        running = [None if step is None else (total := total + step) for step in counts]
        site.run(jst(2), running)
        slots = {number: Slot.at(jst(2) + HALF_HOUR * (number - 1)) for number in range(1, 97)}
        meter = {
            slots[number]: Decimal(after - before) * 6
            for number, (before, after) in enumerate(pairwise(running), 1)
            if before is not None and after is not None
        }
        other = {slots[number]: energy for number, energy in energies.items()}
        text = "date,slot,kwh\n" + "".join(
            f"{slot.day},{slot.number},{energy:f}\n" for slot, energy in other.items()
        )
        desk = DataDesk(store, ManualClock(NOW))
        desk.take_in(BytesIO(text.encode()), "f.csv", FileChoice(), author="a")
        found = {one.slot: one for one in compare(store, MAIN, jst(2), jst(4), NOW)}
        assert found.keys() == meter.keys() | other.keys()
        for slot, one in found.items():
            assert (one.meter_kwh, one.file_kwh) == (meter.get(slot), other.get(slot))
            if slot in meter and slot in other:
                difference = other[slot] - meter[slot]
                assert one.difference_kwh == difference
                assert (one.verdict is Verdict.EQUAL) == (difference == 0)
                assert one.within_count == (0 < abs(difference) < 6)


def test_an_import_is_noted_and_so_is_its_end(store: Store) -> None:
    _, desk = made(store)
    report = brought(desk, said())
    desk.forget(report.file.id, author="person:2")
    assert [event.code for event in store.events()[:2]] == ["import_forgotten", "file_imported"]
    assert store.events()[0].params == {"file": "2025-06.csv", "rows": 48, "author": "person:2"}


def test_a_clock_that_is_behind_refuses_what_it_takes_for_the_future(store: Store) -> None:
    made(store)
    desk = DataDesk(store, ManualClock(datetime(2025, 6, 2, 3, tzinfo=UTC)))
    with pytest.raises(KoatsuError, match="has not ended yet"):
        brought(desk, said())


def test_one_register_does_not_answer_for_another(store: Store) -> None:
    site, desk = made(store)
    site.counts({jst(2): 1, jst(2) + HALF_HOUR: 2}, register=Register.ENERGY_REVERSE)
    data = f"date,slot,kwh\n{DAY},1,6\n".encode()
    report = desk.take_in(BytesIO(data), "f.csv", FileChoice(meter_id="main.reverse"), author="a")
    assert isinstance(report, ImportReport)
    assert dict(report.comparison.tally) == {Verdict.EQUAL: 1}
    assert {one.verdict for one in compare(store, MAIN, jst(2), jst(3), NOW)} == {Verdict.ONLY_METER}
