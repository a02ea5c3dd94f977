from __future__ import annotations

import json
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from sqlalchemy import insert
from store_site import STARTED, Site, jst, plate

from koatsu.ems.store import (
    BackupError,
    Event,
    HistoryRead,
    Level,
    Store,
    StoreError,
    StoreErrorKind,
    read_manifest,
    restore_whole,
    schema,
    unpacked_store,
)
from koatsu.ems.store.backup import quiet
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR, Slot

NOW = jst(20)

#: What is compared between stores: keys of the database and cached figures are each store's own.
TABLES = {
    "site": ("id", "name", "added_at"),
    "meter": ("id", "label", "role", "class_code", "address", "ceiling_kw", "added_at", "site"),
    "epoch": ("meter", "number", "started_at", "class_code", "serial", "fixed_day"),
    "scale": ("what", "coefficient", "multiplier", "unit", "digits"),
    "reading": ("register", "instant", "count", "source", "received", "stamped"),
    "demand": ("direction", "start", "count", "source", "received"),
    "conflict": ("kind", "name", "instant", "count", "source", "received"),
    "sample": ("register", "instant", "count", "received"),
    "history_read": ("day", "property", "read_at", "elements", "no_data", "reads"),
    "event": ("at", "meter", "level", "code"),
    "correction": ("register", "instant", "count", "reason", "author", "at", "withdrawn_at", "withdrawn_by"),
    "learnt": ("meter", "what", "value", "at"),
    "import_file": ("name", "sha256", "kind", "source", "meter", "channel", "at", "author", "rows"),
    "import_energy": ("start", "energy_kwh", "quality"),
    "pulse_slot": ("meter", "start", "pulses", "per_kwh", "slot_pulses", "seen_from", "seen_until"),
}


def contents(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """Everything that a backup carries, each row with the meter and number of its epoch."""
    found = {}
    with store.reading() as connection:
        for name, columns in TABLES.items():
            table = schema.metadata.tables[name]
            epoch = ", e.meter, e.number" if "epoch" in table.c else ""
            joined = " JOIN epoch e ON e.id = t.epoch" if epoch else ""
            wanted = ", ".join(f't."{column}"' for column in columns)
            rows = connection.exec_driver_sql(f'SELECT {wanted}{epoch} FROM "{name}" t{joined}')
            found[name] = sorted((tuple(row) for row in rows), key=repr)
    return found


def fill(store: Store) -> Site:
    """A bit of everything."""
    store.put_site("site", "本社工場", at=STARTED)
    site = Site(store, ceiling_kw=2400)
    site.begin(plate(fixed_day=20))
    site.run(jst(1), list(range(100)))
    site.run(jst(3, 5), [None, 120, 121], source=Source.HISTORY)
    site.counts({jst(1, 3): 77})
    for step in range(20):
        site.demand(Slot.starting(jst(1) + HALF_HOUR * step), step % 3)
    site.demand(Slot.starting(jst(1)), 9)
    site.polls({jst(3, 7, 0, second): 121 for second in (1, 11, 21)})
    read = HistoryRead(
        epoch=1, day=date(2025, 6, 1), property="energy_history", read_at=jst(4), elements=48, no_data=1
    )
    store.record_history_read("main", read)
    for count in (99, 98):
        made = store.correct(
            "main", Register.ENERGY, jst(2), count, reason="検針票", author="person:1", at=jst(4)
        )
    store.withdraw_correction(made.id, author="person:2", at=jst(5))
    site.begin(plate(serial="B2"), jst(4))
    site.run(jst(4, 0, 30), [0, 3, 5])
    other = Site(store, meter_id="solar")
    store.put_meter(replace(store.meter("solar"), role="sell"), at=STARTED)
    other.begin(plate(serial="S9"))
    other.counts({jst(1): 5}, register=Register.ENERGY_REVERSE)
    store.record_event(Event(at=jst(1), level=Level.INFO, code="started"))
    store.record_event(Event(at=jst(4), level=Level.ALARM, code="x", meter_id="main", params={"n": "半"}))
    store.learn("main", "horizon_days", "44", jst(4))
    with store.writing() as connection:
        tables = schema.metadata.tables
        file = {"name": "a.csv", "sha256": "00", "kind": "retailer-csv", "source": "小売", "meter": "main"}
        file |= {"channel": "main", "at": 1, "author": "person:1", "rows": 1}
        key = connection.execute(
            insert(tables["import_file"]).values(file).returning(schema.import_file.c.id)
        ).scalar_one()
        energy = {"file": key, "start": int(jst(1).timestamp()), "energy_kwh": "1.20"}
        connection.execute(insert(tables["import_energy"]).values(energy))
        pulses = {"meter": "main", "start": 0, "pulses": 5, "per_kwh": "0.5", "slot_pulses": 1}
        connection.execute(
            insert(tables["pulse_slot"]).values(pulses | {"seen_from": 0, "seen_until": 1_800})
        )
    return site


def refused(error: pytest.ExceptionInfo[BackupError], words: str) -> None:
    assert words in error.value.message
    assert error.value.message.endswith(".")
    assert error.value.ja is not None
    assert error.value.ja.endswith("。")


def test_a_backup_says_whose_it_is(either: Store, tmp_path: Path) -> None:
    fill(either)
    path = tmp_path / "out" / "a.backup"
    made = either.backup(path, at=NOW)
    assert made == read_manifest(path)
    assert (made.store, made.sites) == (either.id, {"site": "本社工場"})
    assert made.meters == {"main": ["A1", "B2"], "solar": ["S9"]}
    assert (made.readings, made.revision, made.made_at) == (107, schema.HEAD, NOW.isoformat())
    assert [one.name for one in path.parent.iterdir()] == ["a.backup"]


def test_a_backup_is_a_store_that_any_tool_can_read(store: Store, tmp_path: Path) -> None:
    fill(store)
    store.backup(tmp_path / "a.backup", at=NOW)
    with ZipFile(tmp_path / "a.backup") as archive:
        assert sorted(archive.namelist()) == ["koatsu.db", "manifest.json"]
        archive.extract("koatsu.db", tmp_path / "out")
    with closing(sqlite3.connect(tmp_path / "out/koatsu.db")) as connection:
        assert connection.execute("SELECT count(*) FROM reading").fetchone() == (107,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_restored_store_is_the_one_that_was_backed_up(either: Store, tmp_path: Path) -> None:
    """From a file or a server into a new file: whole."""
    fill(either)
    either.backup(tmp_path / "a.backup", at=NOW)
    target = tmp_path / "new" / "koatsu.db"
    restore_whole(tmp_path / "a.backup", target, at=NOW, progress=quiet)
    assert [path.name for path in target.parent.iterdir()] == ["koatsu.db"]
    with Store.open(target) as restored:
        assert restored.id == either.id
        assert contents(restored) == contents(either)
        assert restored.check() == ()
        assert restored.corrections("main", withdrawn=True)[0].withdrawn_by == "person:2"


def test_a_backup_of_a_file_goes_to_a_server_and_back(store: Store, where: str, tmp_path: Path) -> None:
    fill(store)
    store.backup(tmp_path / "a.backup", at=NOW)
    with Store.open(where) as target:
        done = target.restore(tmp_path / "a.backup", at=NOW)
        assert (done.meters, done.epochs, done.corrections, done.events) == (("main", "solar"), 3, 2, 2)
        assert (done.contradictions, target.id) == (2, store.id)  # the two disputes that the store had
        assert contents(target) == contents(store)
        before = contents(target)
        again = target.restore(tmp_path / "a.backup", at=NOW)
        assert (again.meters, again.epochs, again.counts, again.events, again.contradictions) == (
            (),
            0,
            0,
            0,
            0,
        )
        assert contents(target) == before
        site = Site(target)
        assert site.begin(plate(serial="C3"), jst(6)) == 3, "new epochs and rows get keys of their own"
        target.record_event(Event(at=jst(6), level=Level.INFO, code="y"))
        target.correct("main", Register.ENERGY, jst(6), 1, reason="r", author="person:1", at=NOW)


def test_a_restore_adds_what_is_missing_and_overwrites_nothing(either: Store, tmp_path: Path) -> None:
    """The store has gone on, lost some rows and learnt others that contradict."""
    site = fill(either)
    either.backup(tmp_path / "a.backup", at=NOW)
    with either.writing() as connection:
        for table in ("conflict", "history_read", "event", "learnt", "pulse_slot", "sample"):
            connection.exec_driver_sql(f"DELETE FROM {table}")
        connection.exec_driver_sql(f"DELETE FROM reading WHERE instant > {int(jst(1, 12).timestamp())}")
        connection.exec_driver_sql("UPDATE reading SET count = 500 WHERE count = 7")
    site.run(jst(4, 2), [8, 9])
    done = either.restore(tmp_path / "a.backup", at=NOW)
    assert done.meters == ()
    assert {clash.kept for _, clash in done.clashes} == {500, 6, 0}
    kept = {row.at: row.count for row in either.readings("main", Register.ENERGY, jst(1), jst(10))}
    assert kept[int(jst(1, 3, 30).timestamp())] == 500
    assert kept[int(jst(4, 2, 30).timestamp())] == 9
    assert len(kept) == 108
    assert len(either.events()) == 2
    assert either.learnt("main") == {"horizon_days": "44"}


def test_epochs_of_before_come_in_before(either: Store, tmp_path: Path) -> None:
    """The store was lost, a new one began with the new meter; the backup knows the old one."""
    with Store.open(tmp_path / "old.db") as old:
        site = Site(old)
        site.begin(plate())
        site.run(jst(2), [10, 11, 12])
        site.begin(plate(serial="B2"), jst(3))
        site.run(jst(3), [0, 1])
        old.backup(tmp_path / "a.backup", at=NOW)
    site = Site(either)
    site.begin(plate(serial="B2", fixed_day=20), jst(4))
    site.run(jst(3, 0, 30), [1, 2])
    site.begin(plate(serial="C3"), jst(5))
    site.run(jst(5), [7])
    with pytest.raises(BackupError) as caught:
        either.restore(tmp_path / "a.backup", at=NOW, in_use=True)
    refused(caught, "knows a meter epoch of main")
    assert [one.nameplate.serial for one in either.epochs("main")] == ["B2", "C3"]
    done = either.restore(tmp_path / "a.backup", at=NOW)
    assert (done.epochs, done.counts, done.contradictions) == (1, 4, 0)
    assert [(one.number, one.nameplate.serial) for one in either.epochs("main")] == [
        (1, "A1"),
        (2, "B2"),
        (3, "C3"),
    ]
    assert either.epochs("main")[1].nameplate.fixed_day == 20
    assert either.epochs("main")[1].started_at == jst(3)
    rows = either.readings("main", Register.ENERGY, jst(1), jst(9))
    assert [(row.epoch, row.count) for row in rows] == [
        (1, 10), (1, 11), (1, 12), (2, 0), (2, 1), (2, 2), (3, 7)
    ]  # fmt: skip
    assert Site(either).begin(plate(serial="C3"), jst(6)) == 3
    site.epoch = 3
    assert site.counts({jst(5, 0, 30): 8}).new == 1


def test_a_restore_into_a_store_in_use(either: Store, tmp_path: Path) -> None:
    site = fill(either)
    either.backup(tmp_path / "a.backup", at=NOW)
    with either.writing() as connection:
        connection.exec_driver_sql("DELETE FROM reading WHERE count > 50")
    assert either.restore(tmp_path / "a.backup", at=NOW, in_use=True).counts == 51
    assert site.run(jst(4, 2), [6]).new == 1


def test_a_correction_in_force_stays_in_force(either: Store, tmp_path: Path) -> None:
    site = Site(either)
    site.begin(plate())
    site.run(jst(2), [10, 11])

    def correct(count: int) -> int:
        return either.correct(
            "main", Register.ENERGY, jst(2), count, reason="r", author="person:1", at=NOW
        ).id

    first = correct(1)
    either.backup(tmp_path / "a.backup", at=NOW)
    with either.writing() as connection:
        connection.exec_driver_sql("DELETE FROM correction")
    correct(2)
    done = either.restore(tmp_path / "a.backup", at=NOW)
    assert (done.corrections, done.against, done.contradictions) == (1, 1, 1)
    (standing,) = either.corrections("main")
    assert standing.count == 2
    assert {(one.count, one.withdrawn_by) for one in either.corrections("main", withdrawn=True)} == {
        (2, None),
        (1, "restore"),
    }
    assert first
    assert either.restore(tmp_path / "a.backup", at=NOW).corrections == 0


def test_a_correction_that_the_backup_knows_to_be_withdrawn(either: Store, tmp_path: Path) -> None:
    site = Site(either)
    site.begin(plate())
    made = either.correct("main", Register.ENERGY, jst(2), 1, reason="r", author="person:1", at=NOW)
    either.withdraw_correction(made.id, author="person:1", at=NOW)
    either.backup(tmp_path / "a.backup", at=NOW)
    with either.writing() as connection:
        connection.exec_driver_sql("UPDATE correction SET withdrawn_at = NULL, withdrawn_by = NULL")
    either.restore(tmp_path / "a.backup", at=NOW)
    assert either.corrections("main") == ()


def test_the_same_correction_entered_withdrawn_and_entered_again(either: Store, tmp_path: Path) -> None:
    """Found by the state machine: all of it within one second."""
    Site(either).begin(plate())

    def correct() -> int:
        return either.correct("main", Register.ENERGY, jst(2), 1, reason="r", author="person:1", at=NOW).id

    either.withdraw_correction(correct(), author="person:1", at=NOW)
    correct()
    either.backup(tmp_path / "a.backup", at=NOW)
    assert either.restore(tmp_path / "a.backup", at=NOW).contradictions == 0
    assert [one.count for one in either.corrections("main")] == [1]
    assert len(either.corrections("main", withdrawn=True)) == 2


def test_another_sites_backup_is_refused_unless_it_is_named(either: Store, tmp_path: Path) -> None:
    with Store.open(tmp_path / "other.db") as other:
        other.put_site("site", "第二工場", at=STARTED)
        site = Site(other)
        site.begin(plate(serial="X9"))
        site.run(jst(2), [1, 2])
        other.backup(tmp_path / "other.backup", at=NOW)
    fill(either)
    before = contents(either)
    with pytest.raises(BackupError) as caught:
        either.restore(tmp_path / "other.backup", at=NOW)
    refused(caught, "another site (第二工場)")
    with pytest.raises(BackupError):
        either.restore(tmp_path / "other.backup", at=NOW, site="第三工場")
    assert contents(either) == before
    done = either.restore(tmp_path / "other.backup", at=NOW, site="第二工場")
    assert done.counts == 2
    assert either.id != read_manifest(tmp_path / "other.backup").store


def test_the_same_meters_are_the_same_site(either: Store, tmp_path: Path) -> None:
    """A new store of the old site: another id, the same serial numbers."""
    with Store.open(tmp_path / "lost.db") as lost:
        fill(lost)
        lost.backup(tmp_path / "a.backup", at=NOW)
    site = Site(either)
    site.begin(plate(serial="B2"), jst(6))
    assert either.restore(tmp_path / "a.backup", at=NOW).counts > 100


@pytest.mark.parametrize("spoilt", ["text", "other zip", "truncated", "changed", "manifest", "format"])
def test_a_spoilt_backup_is_refused_and_nothing_restored(store: Store, tmp_path: Path, spoilt: str) -> None:
    fill(store)
    path = tmp_path / "a.backup"
    store.backup(path, at=NOW)
    words = "is not a backup of Koatsu"
    if spoilt == "text":
        path.write_text("slot_start,slot_end\n")
    elif spoilt == "other zip":
        with ZipFile(path, "w") as archive:
            archive.writestr("songs.txt", "la")
    elif spoilt == "truncated":
        path.write_bytes(path.read_bytes()[:-2_000])
    else:
        words = "checksum does not match" if spoilt == "changed" else words
        with ZipFile(path) as archive:
            document = json.loads(archive.read("manifest.json"))
            database = bytearray(archive.read("koatsu.db"))
        database[-5] ^= 1 if spoilt == "changed" else 0
        if spoilt == "manifest":
            del document["sha256"]
        if spoilt == "format":
            document["format"] = "tar"
        with ZipFile(path, "w") as archive:
            archive.writestr("koatsu.db", bytes(database))
            archive.writestr("manifest.json", json.dumps(document))
    before = contents(store)
    with pytest.raises(BackupError) as caught:
        store.restore(path, at=NOW)
    refused(caught, words)
    with pytest.raises(BackupError):
        restore_whole(path, tmp_path / "new.db", at=NOW, progress=quiet)
    assert not (tmp_path / "new.db").exists()
    assert contents(store) == before


def test_a_backup_whose_bytes_rotted_is_refused(store: Store, tmp_path: Path) -> None:
    fill(store)
    path = tmp_path / "a.backup"
    store.backup(path, at=NOW)
    rotten = bytearray(path.read_bytes())
    rotten[2_000] ^= 0xFF
    path.write_bytes(rotten)
    with pytest.raises(BackupError) as caught:
        store.restore(path, at=NOW)
    refused(caught, "damaged")


def test_a_backup_of_a_newer_version_is_refused(store: Store, tmp_path: Path) -> None:
    store.backup(tmp_path / "a.backup", at=NOW)
    with ZipFile(tmp_path / "a.backup") as archive:
        document = json.loads(archive.read("manifest.json"))
        database = archive.read("koatsu.db")
    with ZipFile(tmp_path / "a.backup", "w") as archive:
        archive.writestr("koatsu.db", database)
        archive.writestr("manifest.json", json.dumps(document | {"revision": "9999", "version": "9.0"}))
    with pytest.raises(BackupError) as caught:
        store.restore(tmp_path / "a.backup", at=NOW)
    refused(caught, "newer version of Koatsu (9.0)")
    with pytest.raises(BackupError) as caught:
        store.restore(tmp_path / "none", at=NOW)
    refused(caught, "There is no file")


def test_a_damaged_store_is_not_passed_on_as_a_backup(store: Store, tmp_path: Path) -> None:
    fill(store)
    store.close()
    path = Path(store.where)
    with closing(sqlite3.connect(path)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'reading'").fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    with Store.open(path) as opened, pytest.raises(StoreError) as caught:  # looked at this week
        opened.backup(tmp_path / "a.backup", at=NOW)
    assert caught.value.kind is StoreErrorKind.CORRUPT
    assert not (tmp_path / "a.backup").exists()


def test_what_was_there_is_put_aside_with_its_log(store: Store, tmp_path: Path) -> None:
    fill(store)
    store.backup(tmp_path / "a.backup", at=NOW)
    target = tmp_path / "there" / "koatsu.db"
    target.parent.mkdir()
    for end in ("", "-wal"):
        shutil.copy(f"{store.where}{end}", f"{target}{end}")  # as a killed program leaves them
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("DELETE FROM pulse_slot")
        restore_whole(tmp_path / "a.backup", target, at=NOW, progress=quiet)
    names = {path.name for path in target.parent.iterdir()}
    assert "koatsu.db.before-20250620T000000" in names
    assert "koatsu.db-wal" not in names
    with Store.open(target) as restored:
        assert contents(restored) == contents(store)
    with Store.open(target.with_name("koatsu.db.before-20250620T000000")) as before:
        wanted = contents(store)
        assert contents(before) == wanted | {"pulse_slot": []}


def test_writers_go_on_while_a_backup_is_made(either: Store, tmp_path: Path) -> None:
    """The backup is of one moment; nobody waits for it."""
    site = Site(either)
    site.begin(plate())
    site.run(jst(1), list(range(4_000)))
    stop = threading.Event()
    waits: list[float] = []

    def write() -> None:
        step = 5_000
        while not stop.is_set():
            started = time.monotonic()
            site.run(jst(1) + HALF_HOUR * step, [step, step + 1])
            waits.append(time.monotonic() - started)
            step += 2

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            made = either.backup(tmp_path / f"{number}.backup", at=NOW)
            with unpacked_store(tmp_path / f"{number}.backup", quiet) as (manifest, copied):
                rows = copied.readings("main", Register.ENERGY, jst(1), jst(1) + timedelta(days=4_000))
                counts = [row.count for row in rows]
                assert manifest == made
                assert len(counts) == made.readings
                assert counts == [*range(4_000), *range(5_000, 5_000 + made.readings - 4_000)]
                assert made.readings % 2 == 0, "never a part of what one call recorded"
    finally:
        stop.set()
        writer.join()
    assert max(waits) < 4, "a writer waits less than its patience"
    assert len(waits) > 3


def test_progress_is_told(either: Store, tmp_path: Path) -> None:
    fill(either)
    told: list[tuple[int, int]] = []
    either.backup(tmp_path / "a.backup", at=NOW, progress=lambda done, whole: told.append((done, whole)))
    assert told
    assert all(0 <= done <= whole for done, whole in told)
    told.clear()
    either.restore(tmp_path / "a.backup", at=NOW, progress=lambda done, whole: told.append((done, whole)))
    assert told[-1][0] == told[-1][1] > 0
