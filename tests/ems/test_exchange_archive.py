"""Archives: out and in again to the same bytes, into a store that has something without overwriting it."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_site import Site, jst, plate

from koatsu.clock import ManualClock
from koatsu.ems.exchange import (
    ArchiveReport,
    DataDesk,
    FileChoice,
    FileRefusedError,
    Scope,
    export_parquet,
    export_zip,
    import_archive,
)
from koatsu.ems.exchange.plain_text import read_cells, text_cells
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.store import HistoryRead, Store, StoredMeter
from koatsu.ems.store.archived import TABLES, PlainRow
from koatsu.errors import KoatsuError
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot

NOW = jst(20)


@contextmanager
def stores(count: int = 2) -> Iterator[list[Store]]:
    """Empty stores in real files."""
    with TemporaryDirectory() as folder:
        opened = [Store.open(Path(folder) / f"{number}.db") for number in range(count)]
        try:
            yield opened
        finally:
            for store in opened:
                store.close()


def zipped(store: Store, scope: Scope | None = None) -> BytesIO:
    target = BytesIO()
    export_zip(store, target, scope)
    return target


def copied(store: Store, other: Store) -> ArchiveReport:
    return import_archive(other, zipped(store), "a.zip")


def full(store: Store) -> Site:
    """A store with something in every table."""
    store.put_site("east", '東工場, "第1"\n', at=jst(1))
    site = Site(store, ceiling_kw=2000)
    store.put_meter(
        StoredMeter(id="sell", label="", role="sell", class_code=0x028A, address="::1", site="east"),
        at=jst(1),
    )
    site.begin(plate(serial=None))
    site.run(jst(1), [*range(100, 148), None, 150])
    site.run(jst(1), range(7, 50), source=Source.HISTORY)
    site.counts({jst(1): 101, jst(1, 1): 7})
    site.counts({jst(1): 3}, register=Register.REACTIVE_LAG)
    site.demand(Slot(jst(1).date() + timedelta(days=1), 3), 12)
    site.demand(Slot(jst(1).date() + timedelta(days=1), 3), 13)
    store.record_history_read(
        "main",
        HistoryRead(
            epoch=1, day=date(2025, 6, 1), property="energy_history", read_at=jst(2), elements=48, no_data=2
        ),
    )
    site.begin(plate(serial="B2", unit="1"), at=jst(2))
    site.run(jst(2, 1), range(10))
    for count, reason in ((104, "写真"), (None, '\\backslash, "quoted"\r\n'), (105, "")):
        with suppress(KoatsuError):
            store.correct(
                "main", Register.ENERGY, jst(1, 2), count, reason=reason, author="person:1", at=jst(3)
            )
    first = store.correct("main", Register.ENERGY, jst(1, 3), 5, reason="見た", author="person:1", at=jst(3))
    store.withdraw_correction(first.id, author="person:2", at=jst(4))
    store.learn("main", "horizon_days", "62", jst(3))
    desk = DataDesk(store, ManualClock(NOW))
    for kwh in ("6", "6.5"):
        data = f"日付,コマ,電力量\n2025/6/1,1,{kwh}\n2025/6/2,9,1\n".encode()
        desk.take_in(
            BytesIO(data), "小売 0312345678901234567890.csv", FileChoice(meter_id="main"), author="person:1"
        )
    return site


def tables_of(archive: BytesIO) -> dict[str, list[str]]:
    with zipfile.ZipFile(archive) as packed:
        return {name: packed.read(name).decode().splitlines() for name in packed.namelist()}


def test_an_empty_store_that_takes_an_archive_in_is_the_same_store(tmp_path: Path) -> None:
    with stores(3) as (one, two, three):
        full(one)
        report = copied(one, two)
        assert report.adopted
        assert (report.differing, report.left_out, report.same) == (0, 0, 0)
        archive = zipped(one)
        assert zipped(two).getvalue() == archive.getvalue()
        filled = {name: len(lines) for name, lines in tables_of(archive).items()}
        assert [name for name, lines in filled.items() if lines < 2] == ["pulses.csv"], "every table has rows"
        folders = [tmp_path / "a", tmp_path / "b"]
        for folder, store in zip(folders, (one, three), strict=True):
            folder.mkdir()
            if store is three:
                assert import_archive(three, folders[0], "a").adopted
            export_parquet(store, folder)
        for file in folders[0].iterdir():
            assert file.read_bytes() == (folders[1] / file.name).read_bytes(), file.name
        assert zipped(three).getvalue() == archive.getvalue(), "one form is as good as the other"


def test_what_is_shown_of_a_store_and_of_its_copy_is_the_same() -> None:
    with stores() as (one, two):
        full(one)
        copied(one, two)
        for store in (one, two):
            store.forget_samples(NOW)
        seen = [ledger(store, "main", jst(1), jst(3), NOW) for store in (one, two)]
        assert seen[0] == seen[1]
        assert one.corrections(withdrawn=True) == two.corrections(withdrawn=True)
        files = [DataDesk(store, ManualClock(NOW)).files() for store in (one, two)]
        assert files[0] == files[1] != ()


def test_an_archive_twice_or_of_itself_changes_nothing() -> None:
    with stores(1) as (one,):
        full(one)
        before = zipped(one).getvalue()
        for dry_run in (True, False):
            report = import_archive(one, BytesIO(before), "a.zip", dry_run=dry_run)
            assert (report.new, report.differing, report.left_out, report.adopted) == (0, 0, 0, False)
            assert report.same > 100
        assert zipped(one).getvalue() == before


def test_a_trial_says_what_would_happen_and_writes_nothing() -> None:
    with stores() as (one, two):
        full(one)
        empty = zipped(two).getvalue()
        tried = import_archive(two, zipped(one), "a.zip", dry_run=True)
        assert zipped(two).getvalue() == empty
        assert tried.new == copied(one, two).new


def test_only_what_is_missing_is_added_and_contradictions_are_listed() -> None:
    with stores() as (one, two):
        for store, counts in ((one, [10, 11, None, 13, 14]), (two, [10, 99, 12, None])):
            site = Site(store)
            site.begin(plate())
            site.run(jst(1), counts)
        before = zipped(two).getvalue()
        report = copied(one, two)
        assert [(difference.table, difference.here, difference.there) for difference in report.listed] == [
            ("readings", "99", "11")
        ]
        counts = [row.count for row in two.readings("main", Register.ENERGY, jst(1), jst(2))]
        assert counts == [10, 99, 12, 13, 14], "13 took the place of a no data, 14 was missing"
        assert two.conflicts("main", jst(1), jst(2)) == (), "listed, not stored"
        assert copied(one, two).new == 0
        assert before != zipped(two).getvalue()


def test_figures_kept_for_days_are_made_again_after_an_import() -> None:
    with stores() as (one, two):
        for store, counts in ((one, range(97)), (two, range(49))):
            site = Site(store)
            site.begin(plate())
            site.run(jst(1), counts)
        before = two.revisions("main", date(2025, 6, 1), date(2025, 6, 3))
        copied(one, two)
        assert two.revisions("main", date(2025, 6, 1), date(2025, 6, 3)) != before


def test_counts_of_what_may_be_another_meter_are_left_out() -> None:
    with stores() as (one, two):
        for store, serial in ((one, "A"), (two, "B")):
            site = Site(store)
            site.begin(plate(serial=serial))
            site.run(jst(1), range(10))
        report = copied(one, two)
        assert (report.left_out, report.differing, report.new) == (10, 1, 0)
        assert len(two.epochs("main")) == 1


def test_an_epoch_is_known_by_its_serial_number_whatever_its_number() -> None:
    """A store that was begun anew, brought into the older one that came back from an archive."""
    with stores() as (newer, older):
        site = Site(newer)
        site.begin(plate(serial="B"), at=jst(3))
        site.run(jst(3), range(20, 30))
        site.begin(plate(serial="C"), at=jst(5))
        site.run(jst(5), range(5))
        site = Site(older)
        site.begin(plate(serial="A"), at=jst(1))
        site.run(jst(1), range(10))
        site.begin(plate(serial="B"), at=jst(2))
        site.run(jst(2), range(10))
        report = copied(newer, older)
        assert (report.left_out, report.differing) == (0, 0)
        assert [epoch.nameplate.serial for epoch in older.epochs("main")] == ["A", "B", "C"]
        assert len(older.readings("main", Register.ENERGY, jst(1), jst(9))) == 35


def test_a_part_of_the_days_and_of_the_meters_can_be_written_out() -> None:
    with stores() as (one, two):
        full(one)
        scope = Scope(first=date(2025, 6, 1), last=date(2025, 6, 1), meter_id="main")
        tables = tables_of(zipped(one, scope))
        assert len(tables["readings.csv"]) == 1 + 48 + 1 + 1, (
            "48 slots have 49 borders; and the reactive count"
        )
        assert [line.partition(",")[0] for line in tables["meters.csv"]] == ["id", "main"]
        assert len(tables["imported.csv"]) == 1 + 2
        report = import_archive(two, zipped(one, scope), "a.zip")
        assert report.adopted
        assert zipped(two, scope).getvalue() == zipped(one, scope).getvalue()


def test_an_archive_is_taken_in_beside_a_program_that_records() -> None:
    with stores() as (one, two):
        full(one)
        site = Site(two, meter_id="other")
        site.begin(plate())

        def record(done: int, _all: int) -> None:
            site.counts({jst(1) + HALF_HOUR * (done % 400): done})

        import_archive(two, zipped(one), "a.zip", on_rows=record)
        assert two.readings("other", Register.ENERGY, jst(1), jst(12))


# --- damage ---------------------------------------------------------------------------------------------


def changed(archive: BytesIO, table: str, old: str, new: str, *, sealed: bool = True) -> BytesIO:
    """The archive with a table changed; ``sealed``: with a right checksum and number of rows."""
    target = BytesIO()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as out:
        manifest = json.loads(source.read("manifest.json"))
        for entry in manifest["files"]:
            data = source.read(entry["name"])
            if entry["name"] == f"{table}.csv":
                assert old.encode() in data
                data = data.replace(old.encode(), new.encode(), 1)
                if sealed:
                    entry["sha256"] = hashlib.sha256(data).hexdigest()
                    entry["rows"] = data.count(b"\r\n") - 1
            out.writestr(entry["name"], data)
        out.writestr("manifest.json", json.dumps(manifest))
    return target


@pytest.mark.parametrize(
    ("table", "old", "new", "found"),
    [
        ("readings", ",101,", ",1O1,", "row 3, column E"),
        ("readings", ",101,", ",999999999,", "cannot stand under count"),
        ("readings", ",energy,", ",energie,", "cannot stand under register"),
        (
            "readings",
            "main,1,energy,2025-05-31T15:30:00Z",
            "main,1,energy,2025-05-31T15:00:00Z",
            "out of order",
        ),
        ("readings", "T15:30:00Z", "T15:31:00Z", "cannot stand under instant"),
        ("readings", "main,1,", "nobody,1,", "belongs to something"),
        ("readings", "register", "registers", "headings are others"),
        ("readings", ",101,", ",101,,", "damaged here"),
        ("scales", "main,1,energy", "main,1,reactive", "no scale of energy"),
        ("demands", ",normal,", ",normal ,", "cannot stand under direction"),
        ("imported", "1,2025", "7,2025", "belongs to something"),
    ],
)
def test_an_archive_that_says_what_cannot_be_is_refused_whole(
    table: str, old: str, new: str, found: str
) -> None:
    with stores() as (one, two):
        full(one)
        empty = zipped(two).getvalue()
        with pytest.raises(FileRefusedError, match=found) as refused:
            import_archive(two, changed(zipped(one), table, old, new), "a.zip")
        assert f"a.zip / {table}.csv" in refused.value.text("ja")
        assert zipped(two).getvalue() == empty


def test_a_table_changed_behind_the_manifest_is_refused(tmp_path: Path) -> None:
    with stores() as (one, two):
        full(one)
        empty = zipped(two).getvalue()
        with pytest.raises(FileRefusedError, match="changed after it was written"):
            import_archive(two, changed(zipped(one), "learnt", "62", "63", sealed=False), "a.zip")
        folder = tmp_path / "p"
        folder.mkdir()
        export_parquet(one, folder)
        shutil.copy(folder / "demands.parquet", folder / "readings.parquet")
        with pytest.raises(FileRefusedError, match="changed after it was written"):
            import_archive(two, folder, "p")
        (folder / "readings.parquet").unlink()
        with pytest.raises(FileRefusedError, match="damaged"):
            import_archive(two, folder, "p")
        with pytest.raises(FileRefusedError, match="not an archive"):
            import_archive(two, tmp_path, "p")
        assert zipped(two).getvalue() == empty


def test_an_archive_of_a_later_version_says_so() -> None:
    with stores(1) as (one,):
        target = BytesIO()
        with zipfile.ZipFile(target, "w") as out:
            out.writestr("manifest.json", json.dumps({"format": "koatsu-archive", "version": 2}))
        with pytest.raises(FileRefusedError, match="version 2"):
            import_archive(one, target, "a.zip")


def test_a_damaged_archive_is_one_sentence_and_leaves_the_store_alone() -> None:
    with stores() as (one, two):
        site = Site(one)
        site.begin(plate())
        site.run(jst(1), range(10))
        whole = zipped(one).getvalue()

        @given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(1, 255)), min_size=1, max_size=3))
        @settings(max_examples=60)
        def damaged(flips: list[tuple[int, int]]) -> None:
            archive = bytearray(whole)
            for at, flip in flips:
                archive[at % len(archive)] ^= flip
            before, told = zipped(two).getvalue(), ""
            try:
                import_archive(two, BytesIO(archive), "a.zip")
            except KoatsuError as error:
                told = error.text("ja")
            assert not told or zipped(two).getvalue() == before

        damaged()


def test_any_bytes_are_no_archive() -> None:
    with stores(1) as (one,):

        @given(st.binary(max_size=200))
        def refused(data: bytes) -> None:
            with pytest.raises(FileRefusedError, match="not an archive"):
                import_archive(one, BytesIO(data), "a.zip")

        refused()


# --- cells ----------------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12) | st.sampled_from(
    ["", "\\", "\\N"]
)
VALUES = {
    "text": TEXTS,
    "int": st.integers(-(10**17), 10**17),
    "flag": st.booleans(),
    "day": st.dates().map(date.isoformat),
    "instant": st.integers(0, 7_258_118_399),
    "decimal": st.decimals(
        allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6
    ).map(lambda value: f"{value:f}" if value else "0"),
}


@given(st.data(), st.sampled_from(sorted(TABLES)))
def test_cells_give_back_the_row_they_were_written_from(data: st.DataObject, table: str) -> None:
    fields = TABLES[table].fields
    row: PlainRow = tuple(
        data.draw(VALUES[field.kind] | st.none() if field.optional else VALUES[field.kind])
        for field in fields
    )
    assert read_cells(fields, text_cells(fields, row)) == row


# --- any history of two stores --------------------------------------------------------------------------


class TwoStores(RuleBasedStateMachine):
    """Two stores that record what they like and take in each other's archives: nothing is overwritten."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self.sites: list[Site] = []
        self.kept: list[dict[tuple[int, str, int], int]] = [{}, {}]

    @initialize(serials=st.tuples(*[st.sampled_from([None, "A", "B"])] * 2))
    def begin(self, serials: tuple[str | None, str | None]) -> None:
        for number, serial in enumerate(serials):
            site = Site(Store.open(Path(self._folder.name) / f"{number}.db"))
            site.begin(plate(serial=serial), at=jst(1))
            self.sites.append(site)

    @rule(
        which=st.integers(0, 1),
        at=st.integers(0, 60),
        counts=st.lists(st.none() | st.integers(0, 9), max_size=5),
    )
    def record(self, which: int, at: int, counts: list[int | None]) -> None:
        self.sites[which].run(jst(1) + HALF_HOUR * at, counts)

    @rule(which=st.integers(0, 1), serial=st.sampled_from(["A", "B", "C"]), day=st.integers(2, 9))
    def replace_meter(self, which: int, serial: str, day: int) -> None:
        self.sites[which].begin(plate(serial=serial), at=jst(day))

    @rule(which=st.integers(0, 1), at=st.integers(0, 20), count=st.none() | st.integers(0, 9))
    def correct(self, which: int, at: int, count: int | None) -> None:
        store = self.sites[which].store
        instant = jst(1) + HALF_HOUR * at
        store.correct("main", Register.ENERGY, instant, count, reason="r", author="a", at=jst(12))

    @rule(which=st.integers(0, 1), at=st.integers(1, 48), kwh=st.integers(0, 3))
    def bring_in(self, which: int, at: int, kwh: int) -> None:
        data = f"date,slot,kwh\n2025-06-01,{at},{kwh}\n".encode()
        DataDesk(self.sites[which].store, ManualClock(NOW)).take_in(
            BytesIO(data), "f.csv", FileChoice(meter_id="main"), author="a"
        )

    @rule(which=st.integers(0, 1))
    def merge(self, which: int) -> None:
        source, target = self.sites[which].store, self.sites[1 - which].store
        archive = zipped(source)
        tried = import_archive(target, BytesIO(archive.getvalue()), "a.zip", dry_run=True)
        done = import_archive(target, archive, "a.zip")
        assert (tried.differing, tried.left_out) == (done.differing, done.left_out)
        assert tried.new >= done.new
        after = zipped(target).getvalue()
        again = import_archive(target, archive, "a.zip")
        assert (again.new, again.differing) == (0, done.differing)
        assert zipped(target).getvalue() == after

    @invariant()
    def nothing_known_is_lost_or_changed(self) -> None:
        for site, kept in zip(self.sites, self.kept, strict=False):
            now = {
                (row.epoch, "energy", row.at): row.count
                for row in site.store.readings("main", Register.ENERGY, jst(1), jst(12))
                if row.count is not None
            }
            assert kept.items() <= now.items()
            kept.update(now)

    def teardown(self) -> None:
        for site in self.sites:
            with stores(1) as (copy,):
                copied(site.store, copy)
                assert zipped(copy).getvalue() == zipped(site.store).getvalue()
            site.store.close()
        self._folder.cleanup()


TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = settings(max_examples=10, stateful_step_count=10, deadline=None)


def test_a_meter_that_came_back_is_not_taken_for_its_earlier_time() -> None:
    """Found by the machine above: on the second import the first epoch of C was taken for the second."""
    state = TwoStores()
    try:
        state.begin(serials=(None, None))
        state.replace_meter(day=2, serial="A", which=1)
        state.correct(at=0, count=None, which=0)
        for serial in "CAC":
            state.replace_meter(day=2, serial=serial, which=0)
        state.merge(which=0)
        state.merge(which=1)
    finally:
        state.teardown()
