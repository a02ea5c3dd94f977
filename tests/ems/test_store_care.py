"""What the store looks at when it is opened and when it is told to, and what it throws away in time."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Integer, insert
from store_site import Site, jst, plate

from koatsu.ems.slot_ledger import ledger
from koatsu.ems.store import Event, Finding, Level, Store, StoreError, StoreErrorKind, integrity, schema
from koatsu.ems.store.sites import put_info
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import Slot


def filled(path: Path) -> Path:
    """A closed store of a month."""
    with Store.open(path) as store:
        site = Site(store)
        site.begin(plate())
        site.run(jst(1), list(range(1_400)))
        store.record_event(Event(at=jst(1), level=Level.INFO, code="started", meter_id="main"))
    return path


def change(path: Path, *statements: str) -> None:
    """What no program of ours would do."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            connection.execute(statement)


def counts(store: Store) -> list[int | None]:
    rows = store.readings("main", Register.ENERGY, jst(1), jst(30) + timedelta(days=30))
    return [row.count for row in rows]


def spoil(path: Path, table: str) -> None:
    """Overwrite the root page of a table or index."""
    with closing(sqlite3.connect(path)) as connection:
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xde" * size)


# --- at start -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["reading", "meter", "event", "ix_event_at"])
def test_a_corrupt_page_is_found_when_the_week_is_over_and_nothing_is_changed(
    tmp_path: Path, table: str
) -> None:
    path = filled(tmp_path / "koatsu.db")
    change(path, "UPDATE store_info SET value = '2001-01-01T00:00:00+00:00' WHERE key = 'checked_at'")
    spoil(path, table)
    before = path.read_bytes()
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    assert caught.value.kind is StoreErrorKind.CORRUPT
    assert caught.value.message == f"The store {path} is damaged."
    assert caught.value.ja == f"保存先 {path} は壊れています。"
    assert "koatsu restore" in caught.value.text("en")
    assert "koatsu restore" in caught.value.text("ja")
    assert path.read_bytes() == before


@pytest.mark.parametrize("linked", [False, True], ids=["file", "link"])
def test_a_corrupt_page_is_found_when_the_program_was_killed(tmp_path: Path, linked: bool) -> None:
    path = filled(tmp_path / "koatsu.db")
    spoil(path, "reading")
    copy = tmp_path / "killed.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("UPDATE store_info SET value = 'x' WHERE key = 'made_by'")
        connection.commit()
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{copy}{end}")
    named = tmp_path / "link" / "koatsu.db" if linked else copy
    if linked:
        named.parent.mkdir()
        named.symlink_to(copy)
    with pytest.raises(StoreError) as caught:
        Store.open(named)
    assert caught.value.kind is StoreErrorKind.CORRUPT


def test_a_corrupt_page_that_is_met_later_is_told_alike(tmp_path: Path) -> None:
    path = filled(tmp_path / "koatsu.db")
    spoil(path, "reading")
    with Store.open(path) as store:  # looked at today, closed in order
        site = Site(store)
        site.epoch = 1
        for call in (lambda: counts(store), lambda: site.run(jst(1), [1])):
            with pytest.raises(StoreError) as caught:
                call()
            assert caught.value.kind is StoreErrorKind.CORRUPT
        assert store.events()[0].code == "started", "what can be read is read"


def test_a_sound_store_is_looked_at_once_a_week(tmp_path: Path) -> None:
    path = filled(tmp_path / "koatsu.db")

    def looked() -> str:
        with closing(sqlite3.connect(path)) as connection:
            query = "SELECT value FROM store_info WHERE key = 'checked_at'"
            return str(connection.execute(query).fetchone()[0])

    first = looked()
    Store.open(path).close()
    assert looked() == first
    for old in ("2001-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00", "yesterday"):
        change(path, f"UPDATE store_info SET value = '{old}' WHERE key = 'checked_at'")
        Store.open(path).close()
        assert datetime.fromisoformat(looked()) > datetime.now(UTC) - timedelta(minutes=5)


WRITER = """
import sys, time
sys.path.insert(0, sys.argv[2])
from store_site import Site, jst, plate
from koatsu.ems.store import Store
store = Store.open(sys.argv[1])
site = Site(store)
site.begin(plate())
site.run(jst(1), list(range(300)))
print("written", flush=True)
time.sleep(600)
"""


def test_the_log_of_a_killed_program_is_taken_in(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    command = [sys.executable, "-c", WRITER, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signal.SIGKILL)
    assert Path(f"{path}-wal").stat().st_size > 0
    with Store.open(path) as store:
        assert counts(store) == list(range(300))
        assert store.check() == ()
    assert not Path(f"{path}-wal").exists()


# --- told to --------------------------------------------------------------------------------------------


def codes(found: tuple[Finding, ...]) -> list[str]:
    for one in found:
        assert one.text("en").endswith(".")
        assert one.text("ja").endswith("。")
        assert "{" not in one.text("en") + one.text("ja")
    return [one.code for one in found]


def test_an_index_that_does_not_fit_is_made_anew(tmp_path: Path) -> None:
    path = filled(tmp_path / "koatsu.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        wanted = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'ix_event_at'").fetchone()[0]
        connection.execute("UPDATE sqlite_master SET sql = 'CREATE INDEX ix_event_at ON event (id)'"
                           " WHERE name = 'ix_event_at'")  # fmt: skip
    change(path, "INSERT INTO event (at, level, code, params) VALUES (7, 'info', 'x', '{}')")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        connection.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'ix_event_at'", (wanted,))
    with Store.open(path) as store:
        (found,) = store.check()
        assert (found.code, found.mended) == ("indexes", True)
        assert store.check() == ()
        assert len(store.events()) == 2


def test_damaged_pages_are_left_to_the_person(tmp_path: Path) -> None:
    path = filled(tmp_path / "koatsu.db")
    spoil(path, "sample")
    with Store.open(path) as store:
        (found,) = store.check()
        assert codes((found,)) == ["pages"]
        assert not found.mended
        assert "restore a backup" in found.text()
        assert len(counts(store)) == 1_400


def test_rows_that_cannot_be_go_into_the_events(either: Store) -> None:
    """Otherwise one of them would keep the page of its day from being made."""
    site = Site(either)
    site.begin(plate())
    site.run(jst(2), [1, 2, 3])
    site.demand(Slot.starting(jst(2)), 5)
    at = int(jst(2).timestamp())
    with either.writing() as connection:
        connection.exec_driver_sql(f"UPDATE reading SET count = -4 WHERE instant = {at}")
        connection.exec_driver_sql(f"UPDATE reading SET instant = {at + 7} WHERE instant = {at + 1_800}")
        connection.exec_driver_sql("UPDATE demand SET count = -1")
    revision = either.revisions("main", jst(2).date(), jst(2).date())[0]
    (found,) = either.check()
    assert (found.code, found.rows, found.mended) == ("impossible", 3, True)
    assert [row.count for row in either.readings("main", Register.ENERGY, jst(1), jst(3))] == [3]
    told = {event.params["table"]: event.params["rows"] for event in either.events()}
    assert {row["count"] for row in told["reading"]} == {-4, 2}  # type: ignore[attr-defined] # rows
    assert told["demand"][0]["count"] == -1  # type: ignore[index] # rows
    assert either.revisions("main", jst(2).date(), jst(2).date())[0] > revision
    assert either.check() == ()
    assert len(ledger(either, "main", jst(2), jst(3), jst(4)).slots) == 48


def test_counts_beyond_their_digits_are_told_and_kept(either: Store) -> None:
    site = Site(either)
    site.begin(plate())
    site.run(jst(2), [1, 2])
    site.demand(Slot.starting(jst(2)), 9_999)
    site.counts({jst(2): 9_999_999}, register=Register.REACTIVE_LAG)
    assert either.check() == ()
    with either.writing() as connection:
        connection.exec_driver_sql("UPDATE reading SET count = 1000000 WHERE count = 2")
        connection.exec_driver_sql("UPDATE demand SET count = 10000")
    (found,) = either.check()
    assert (found.code, found.rows, found.mended) == ("digits", 2, False)
    assert [row.count for row in either.readings("main", Register.ENERGY, jst(2), jst(3))] == [1, 1_000_000]


@pytest.mark.parametrize(
    ("statements", "code", "rows"),
    [
        (["INSERT INTO day_touched VALUES ('ghost', '2025-06-01', 1)"], "references", 1),
        (["DELETE FROM epoch"], "references", 1_400),
        (["DROP TABLE learnt"], "shape", 0),
        (["ALTER TABLE correction RENAME COLUMN reason TO why"], "shape", 0),
    ],
)
def test_what_only_a_backup_can_mend(tmp_path: Path, statements: list[str], code: str, rows: int) -> None:
    path = filled(tmp_path / "koatsu.db")
    change(path, *statements)
    with Store.open(path) as store:
        found = store.check()
        assert code in codes(found)
        (told,) = (one for one in found if one.code == code)
        assert not told.mended
        assert told.rows >= rows
        assert "restore a backup" in told.text()


def test_kept_figures_that_cannot_be_good_are_thrown_away(either: Store) -> None:
    site = Site(either)
    site.begin(plate())
    site.run(jst(2), [1, 2])
    with either.writing() as connection:
        for day, revision, figures in (("02", 1, "{}"), ("03", 1, "{}"), ("04", 0, "broken")):
            keep_figures(connection, f"2025-06-{day}", 1, revision, figures)
    (found,) = either.check()
    assert (found.code, found.rows, found.mended) == ("figures", 2, True)
    assert either.check() == ()


def keep_figures(connection: Connection, day: str, whole: int, revision: int, figures: str) -> None:
    """A row of ``day_total``, whatever else its columns are."""
    values: dict[str, object] = {
        column.name: 0 if isinstance(column.type, Integer) else ""
        for column in schema.day_total.columns
        if not column.nullable
    }
    values |= {"meter": "main", "register": "energy", "day": day, "figures": figures}
    connection.execute(
        insert(schema.day_total).values(values | {"meter_revision": whole, "revision": revision})
    )


# --- by the program, when it starts ---------------------------------------------------------------------


def found_events(store: Store) -> list[tuple[str, str, str]]:
    """What examinations have left in the events: what was found, how grave it is, what is said of it."""
    return [
        (str(event.params["finding"]), event.level.value, str(event.params["en"]))
        for event in store.events(limit=100)
        if event.code == "store_found"
    ]


def test_a_store_that_was_not_examined_for_a_week_is_mended_and_told(either: Store) -> None:
    site = Site(either)
    site.begin(plate())
    site.run(jst(2), [1, 2, 3])
    assert either.examine(jst(3)) == ()
    assert found_events(either) == []
    with either.writing() as connection:
        connection.exec_driver_sql("UPDATE reading SET count = -4 WHERE count = 2")
        connection.exec_driver_sql("UPDATE reading SET count = 7000000 WHERE count = 3")
    assert either.examine(jst(4)) == (), "a day later it is not due"
    for old in ("2001-01-01T00:00:00+00:00", "2999-01-01T00:00:00+00:00", ""):
        with either.writing() as connection:
            put_info(connection, "examined_at", old)
        found = codes(either.examine(jst(9)))
        assert found == (["impossible", "digits"] if old.startswith("2001") else ["digits"])
    told = found_events(either)
    assert [one[:2] for one in told] == [("digits", "caution")] * 3 + [("impossible", "caution")]
    assert all(event.at == jst(9) for event in either.events() if event.code == "store_found")
    assert told[-1][2].startswith("Counts that no meter can have said: 1")
    assert [row.count for row in either.readings("main", Register.ENERGY, jst(1), jst(3))] == [1, 7_000_000]


def test_what_only_a_backup_can_mend_is_told_as_an_alarm(tmp_path: Path) -> None:
    path = filled(tmp_path / "koatsu.db")
    change(path, "INSERT INTO day_touched VALUES ('ghost', '2025-06-01', 1)")
    with Store.open(path) as store:
        assert codes(store.examine(jst(4))) == ["references"]
        assert [one[:2] for one in found_events(store)] == [("references", "alarm")]


def test_a_store_that_was_left_open_is_examined_whenever_that_was_done_last(tmp_path: Path) -> None:
    path = filled(tmp_path / "koatsu.db")
    with Store.open(path) as store:
        store.examine(jst(3))
    change(path, "UPDATE reading SET count = -4 WHERE count = 2")
    with Store.open(path) as store:
        assert store.examine(jst(4)) == ()
    copy = tmp_path / "killed.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_autocheckpoint=0")
        connection.execute("UPDATE store_info SET value = 'x' WHERE key = 'made_by'")
        connection.commit()
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{copy}{end}")
    Store.open(copy).close()  # a backup, say, before the program starts again
    with Store.open(copy) as store:
        assert codes(store.examine(jst(4))) == ["impossible"]
        assert store.examine(jst(4)) == ()


def test_an_examination_that_is_broken_off_stays_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that ends waits for nothing."""
    monkeypatch.setattr(integrity, "_STEPS", 10)
    path = filled(tmp_path / "koatsu.db")
    change(path, "UPDATE reading SET count = -4 WHERE count = 2")
    with Store.open(path) as store:
        asked: list[bool] = []

        def stop() -> bool:
            asked.append(True)
            return len(asked) > 3

        assert store.examine(jst(4), stop=stop) == ()
        assert len(asked) > 3
        assert not found_events(store)
        assert codes(store.examine(jst(4), stop=lambda: False)) == ["impossible"]


def test_nobody_waits_while_a_store_is_looked_at(
    either: Store, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that records does not notice, as long as nothing has to be mended."""
    site = Site(either)
    site.begin(plate())
    site.run(jst(2), [1, 2, 3])
    looked = integrity.check

    with Store.open(where, busy_s=0.01) as other:

        def check(connection: Connection, *, mend: bool = True) -> tuple[Finding, ...]:
            found = looked(connection, mend=mend)
            other.record_event(Event(at=jst(3), level=Level.INFO, code="between"))
            return found

        monkeypatch.setattr(integrity, "check", check)
        assert either.check() == ()
    assert [event.code for event in either.events()] == ["between"]


# --- house-keeping --------------------------------------------------------------------------------------


def test_fine_counts_are_thinned_and_then_forgotten(either: Store) -> None:
    site = Site(either)
    site.begin(plate())
    now = jst(20, 12)
    site.run(now, [1])
    for age in (0, 1, 3, 8):
        start = now - timedelta(days=age)
        site.polls({start - timedelta(seconds=second): 1_000 - second for second in range(1, 181, 10)})
    kept = either.keep_house(now)
    days = [
        [
            sample.at
            for sample in either.samples(
                "main", Register.ENERGY, now - timedelta(days=age, hours=1), now - timedelta(days=age)
            )
        ]
        for age in (0, 1, 3, 8)
    ]
    assert [len(found) for found in days] == [18, 18, 3, 0]
    assert [at % 60 for at in days[2]] == [59, 59, 59], "the last of each minute"
    assert kept.samples == 15 + 18
    assert either.keep_house(now).samples == 0


def test_what_counts_stays_for_ever(either: Store) -> None:
    site = Site(either)
    site.begin(plate())
    site.run(jst(2), [1, 2, 3])
    site.counts({jst(2): 9})
    site.demand(Slot.starting(jst(2)), 5)
    either.correct("main", Register.ENERGY, jst(2), 1, reason="r", author="person:1", at=jst(3))
    either.record_event(Event(at=jst(2), level=Level.INFO, code="old"))
    later = jst(2) + timedelta(days=4_000)
    either.record_event(Event(at=later, level=Level.INFO, code="new"))
    site.run(later, [4])
    assert either.keep_house(later).events == 1
    assert [event.code for event in either.events()] == ["new"]
    assert len(either.readings("main", Register.ENERGY, jst(1), jst(3))) == 3
    assert len(either.conflicts("main", jst(1), jst(3))) == 1
    assert len(either.corrections()) == 1
    assert len(either.demands("main", "normal", jst(1), jst(3))) == 1


@pytest.mark.parametrize("ahead", [timedelta(days=30), timedelta(days=10 * 365)], ids=str)
def test_a_clock_set_forward_throws_nothing_away(either: Store, ahead: timedelta) -> None:
    """Our clock may be wrong by years; what is old is told by the newest half hour that a meter dated."""
    site = Site(either)
    site.begin(plate())
    now = jst(20, 12)
    site.run(now - timedelta(hours=1), [1, 2, 3])
    site.counts({now + timedelta(hours=6): None}, source=Source.HISTORY)  # "no data": it has not come yet
    site.polls({now - timedelta(hours=hours): 9 for hours in range(4 * 24)})
    either.record_event(Event(at=jst(2), level=Level.INFO, code="started"))
    kept = either.keep_house(now + ahead)
    assert (kept.samples, kept.events) == (0, 0)
    assert len(either.samples("main", Register.ENERGY, jst(10), now)) == 4 * 24
    site.run(now + ahead, [4])  # the meter says the same: it is true
    assert either.keep_house(now + ahead).samples == 4 * 24
    assert len(either.events()) == (1 if ahead < timedelta(days=3 * 366) else 0)


def test_where_no_meter_tells_the_time_nothing_is_old(either: Store) -> None:
    Site(either)
    either.record_event(Event(at=jst(2), level=Level.INFO, code="started"))
    assert either.keep_house(jst(2) + timedelta(days=10 * 365)).events == 0
    assert len(either.events()) == 1


def test_kept_figures_of_days_that_changed_go(either: Store) -> None:
    site = Site(either)
    site.begin(plate())
    site.run(jst(2), [1, 2])
    revision, days = either.revisions("main", jst(1).date(), jst(9).date())
    with either.writing() as connection:
        for day, touched in (("2025-06-02", days[jst(2, 12).date()]), ("2025-06-03", 0), ("2025-06-01", 0)):
            keep_figures(connection, day, revision, touched, "{}")
    assert either.keep_house(jst(20)).figures == 1, "midnight belongs to the first, too"
    site.begin(plate(serial="B2"), jst(4))
    assert either.keep_house(jst(20)).figures == 2


def test_a_file_gives_back_what_it_does_not_need(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    with Store.open(path) as store:
        site = Site(store)
        site.begin(plate())
        start = jst(2)
        for block in range(40):
            site.polls({start + timedelta(seconds=block * 5_000 + step): step for step in range(5_000)})
        site.run(start + timedelta(days=30), [9_999])
        before = path.stat().st_size
        gone = store.keep_house(start + timedelta(days=30))
        assert gone.samples == 200_000
        assert gone.pages > 0
        while store.keep_house(start + timedelta(days=30)).pages:
            pass
    assert path.stat().st_size < before / 2


def test_a_writer_waits_only_for_a_part_of_it(either: Store, where: str) -> None:
    """Each transaction of the house-keeping is small: another program gets its turn in between."""
    site = Site(either)
    site.begin(plate())
    for day in range(12):
        site.polls({jst(1) + timedelta(days=day, seconds=step * 30): step for step in range(1_000)})
    site.run(jst(20), [9_999])
    turns: list[int] = []
    with Store.open(where, busy_s=5) as other:
        plain = either.writing

        def writing():  # type: ignore[no-untyped-def] # stands in for a context manager
            turns.append(1)
            other.record_event(Event(at=jst(2), level=Level.INFO, code="between"))
            return plain()

        either.writing = writing  # type: ignore[method-assign] # watched
        either.keep_house(jst(20))
    assert len(turns) > 10
    assert len(other_events(where)) == len(turns)


def other_events(where: str) -> tuple[Event, ...]:
    with Store.open(where) as store:
        return store.events(limit=1_000)
