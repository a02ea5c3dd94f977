"""What goes wrong around a store: one sentence in either language, nothing acknowledged is lost."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from store_site import Site, jst, plate

import databases
from koatsu.clock import SystemClock
from koatsu.ems.store import (
    BackupError,
    Event,
    Level,
    Recorded,
    Store,
    StoreError,
    StoreErrorKind,
    StoreHeldError,
)
from koatsu.errors import KoatsuError
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR
from koatsu.people import People

Mount = Callable[..., Path]


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Makes a file system of its own, in memory."""
    mounted: list[Path] = []

    def make(size: str) -> Path:
        place = tmp_path / "mounted"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(
                f"no file system can be mounted ({done.stderr.strip()}); run as root (sudo make test)"
            )
        mounted.append(place)
        return place

    yield make
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


def one_sentence(error: KoatsuError, kind: StoreErrorKind | None = None) -> None:
    """The message is one sentence in English and one in Japanese, and says where."""
    if kind is not None:
        assert isinstance(error, StoreError)
        assert error.kind is kind
    assert error.message.endswith(".")
    assert ". " not in error.message
    assert error.ja is not None
    assert error.ja.count("。") == 1
    assert error.hint
    assert error.hint_ja


def counts(store: Store) -> list[int | None]:
    return [row.count for row in store.readings("main", Register.ENERGY, jst(1), jst(30))]


def begun(path: Path) -> Path:
    with Store.open(path) as store:
        site = Site(store)
        site.begin(plate())
        site.run(jst(2), [1, 2, 3])
    return path


def remount(place: Path, *options: str) -> None:
    subprocess.run(["mount", "-o", ",".join(["remount", *options]), str(place)], check=True)


def test_a_full_disk_refuses_and_goes_on_when_there_is_space(mount: Mount) -> None:
    place = mount("900k")
    with Store.open(place / "koatsu.db") as store:
        site = Site(store)
        site.begin(plate())
        acknowledged: list[int] = []

        def fill() -> None:
            for start in range(0, 100_000, 40):
                numbers = list(range(start, start + 40))
                site.run(jst(2) + HALF_HOUR * start, numbers)
                acknowledged.extend(numbers)

        with pytest.raises(StoreError) as caught:
            fill()
        one_sentence(caught.value, StoreErrorKind.FULL)
        assert acknowledged
        assert [row.count for row in all_counts(store)] == acknowledged
        remount(place, "size=4m")
        start = len(acknowledged)
        assert site.run(jst(2) + HALF_HOUR * start, [start]).new == 1
    with Store.open(place / "koatsu.db") as store:
        assert [row.count for row in all_counts(store)] == [*acknowledged, start]
        assert store.check() == ()


def all_counts(store: Store) -> tuple[object, ...]:
    return store.readings("main", Register.ENERGY, jst(1), jst(30).replace(year=2099))


def test_no_store_on_a_full_disk(mount: Mount) -> None:
    place = mount("64k")
    (place / "ballast").write_bytes(b"x" * 40_000)
    with pytest.raises(StoreError) as caught:
        Store.open(place / "koatsu.db")
    one_sentence(caught.value, StoreErrorKind.FULL)
    (place / "ballast").unlink()
    remount(place, "size=8m")
    begun(place / "koatsu.db")


def test_a_read_only_disk_can_be_neither_opened_nor_written(mount: Mount) -> None:
    place = mount("8m")
    path = begun(place / "koatsu.db")
    remount(place, "ro")
    with pytest.raises(StoreError) as caught:
        Store.open(path)
    one_sentence(caught.value)
    assert caught.value.kind in (StoreErrorKind.READ_ONLY, StoreErrorKind.CANNOT_OPEN)
    remount(place, "rw")
    with Store.open(path) as store:
        assert counts(store) == [1, 2, 3]


def test_a_backup_onto_a_full_disk_leaves_nothing_half_written(mount: Mount, tmp_path: Path) -> None:
    path = begun(tmp_path / "koatsu.db")
    place = mount("64k")
    with Store.open(path) as store:
        with pytest.raises(KoatsuError) as caught:
            store.backup(place / "full.backup", at=jst(3))
        one_sentence(caught.value)
        assert list(place.iterdir()) == []
        assert counts(store) == [1, 2, 3]


def test_a_backup_to_a_place_that_cannot_be(tmp_path: Path) -> None:
    path = begun(tmp_path / "koatsu.db")
    (tmp_path / "file").touch()
    with Store.open(path) as store, pytest.raises(BackupError) as caught:
        store.backup(tmp_path / "file" / "a.backup", at=jst(3))
    one_sentence(caught.value)


def test_a_locked_store_says_so_and_then_goes_on(tmp_path: Path) -> None:
    path = begun(tmp_path / "koatsu.db")
    with (
        Store.open(path, busy_s=0.05) as store,
        closing(sqlite3.connect(path, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError) as caught:
            store.record_event(Event(at=jst(3), level=Level.INFO, code="x"))
        one_sentence(caught.value, StoreErrorKind.LOCKED)
        assert counts(store) == [1, 2, 3], "reading goes on under the lock"
        other.execute("ROLLBACK")
        assert store.record_event(Event(at=jst(3), level=Level.INFO, code="x")).id


def test_a_locked_server_says_so_and_then_goes_on(postgres: databases.Server) -> None:
    where = postgres.new_database()
    with Store.open(where, busy_s=0.1) as store, Store.open(where) as other:
        Site(store).begin(plate())
        with other.writing():
            with pytest.raises(StoreError) as caught:
                store.record_event(Event(at=jst(3), level=Level.INFO, code="x"))
            one_sentence(caught.value, StoreErrorKind.LOCKED)
            assert store.current_epoch("main")
        assert store.record_event(Event(at=jst(3), level=Level.INFO, code="x")).id


def test_a_store_of_a_newer_version_on_a_server_is_left_alone(postgres: databases.Server) -> None:
    where = postgres.new_database()
    with Store.open(where) as store, store.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError) as caught:
        Store.open(where)
    one_sentence(caught.value, StoreErrorKind.NEWER)


def test_a_database_of_another_program_on_a_server_is_left_alone(postgres: databases.Server) -> None:
    where = postgres.new_database()
    with Store.open(where) as store, store.writing() as connection:
        for table in ("reading", "alembic_version"):
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO other_{table}")
    with pytest.raises(StoreError) as caught:
        Store.open(where)
    one_sentence(caught.value, StoreErrorKind.FOREIGN)


def test_the_tables_of_the_people_do_not_make_a_database_foreign(postgres: databases.Server) -> None:
    where = postgres.new_database()
    with Store.open(where) as store, store.writing() as connection:
        connection.exec_driver_sql("CREATE TABLE people_person (id int)")
        for table in ("day_total", "alembic_version"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
    with pytest.raises(StoreError):
        Store.open(where)
    fresh = postgres.new_database()
    with Store.open(fresh) as store, store.writing() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
        connection.exec_driver_sql("CREATE TABLE people_person (id int)")
    with Store.open(fresh) as store:
        assert store.meters() == ()


@pytest.mark.parametrize(
    "where",
    [
        "postgresql://nobody@127.0.0.1:1/koatsu",
        "postgresql://nobody:secret@127.0.0.1:1/koatsu",
        "mysql+nothing://127.0.0.1/koatsu",
    ],
)
def test_a_server_out_of_reach(where: str) -> None:
    with pytest.raises(StoreError) as caught:
        Store.open(where, busy_s=0.1)
    one_sentence(caught.value, StoreErrorKind.CANNOT_OPEN)
    assert "secret" not in caught.value.text()


def test_a_database_that_is_not_there(postgres: databases.Server) -> None:
    where = postgres.new_database()
    with pytest.raises(StoreError) as caught:
        Store.open(where.replace("koatsu_", "nowhere_"))
    one_sentence(caught.value, StoreErrorKind.CANNOT_OPEN)


def cut(postgres: databases.Server, where: str) -> None:
    """End every connection to a database, as a server does that is started again."""
    name = make_url(where).database
    postgres.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


def test_a_server_that_was_started_again_in_between(postgres: databases.Server) -> None:
    """The first call afterwards finds a connection that is dead, and takes another."""
    where = postgres.new_database()
    with Store.open(where) as store, People.open(where, clock=SystemClock()) as people:
        site = Site(store)
        site.begin(plate())
        cut(postgres, where)
        assert site.run(jst(2), [1, 2, 3]).new == 3
        assert not people.has_owner()
        cut(postgres, where)
        assert counts(store) == [1, 2, 3]
        people.audit.append("console", "file_imported", "main", {})


def test_one_program_collects_into_a_server(postgres: databases.Server) -> None:
    where = postgres.new_database()
    with Store.open(where) as store, Store.open(where) as other:
        with store.hold():
            with pytest.raises(StoreHeldError) as caught, other.hold():
                pass
            one_sentence(caught.value, StoreErrorKind.HELD)
            assert caught.value.exit_status == 2
            assert f"koatsu {os.getpid()}" in caught.value.message
            Site(other), "others may write and read all the same"
        with other.hold():
            pass


def test_a_hold_that_the_server_has_forgotten_is_taken_again(postgres: databases.Server) -> None:
    where = postgres.new_database()
    with Store.open(where) as store, Store.open(where) as other:
        store.keep_hold()  # nothing is held, and nothing is amiss
        with store.hold():
            store.keep_hold()
            cut(postgres, where)
            store.keep_hold()
            with pytest.raises(StoreHeldError), other.hold():
                pytest.fail("two collect")
        store.keep_hold()
        with other.hold():
            pass


def test_a_program_whose_hold_another_has_taken_learns_of_it(postgres: databases.Server) -> None:
    where = postgres.new_database()
    with Store.open(where) as store, Store.open(where) as other, store.hold():
        cut(postgres, where)
        with other.hold():
            with pytest.raises(StoreHeldError) as caught:
                store.keep_hold()
            one_sentence(caught.value, StoreErrorKind.HELD)
        store.keep_hold()  # the other has ended
        with pytest.raises(StoreHeldError), other.hold():
            pytest.fail("two collect")


def test_a_line_that_broke_is_no_other_program(postgres: databases.Server) -> None:
    """The server may not know for hours that a connection has ended, and keep the lock for it."""
    where = postgres.new_database()
    with Store.open(where) as store, Store.open(where) as other, store.hold():
        assert store._held is not None
        half_open = store._held._connection
        assert half_open is not None
        broken = store.engine.connect()
        broken.connection.driver_connection.close()  # type: ignore[union-attr] # psycopg's
        store._held._connection = broken
        store.keep_hold()
        with pytest.raises(DBAPIError):
            half_open.exec_driver_sql("SELECT 1")  # ended, so that nobody holds it in secret
        with pytest.raises(StoreHeldError), other.hold():
            pytest.fail("two collect")


def test_a_hold_outlives_a_server_that_is_away(
    postgres: databases.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = postgres.new_database()
    with Store.open(where) as store, store.hold():
        cut(postgres, where)
        with monkeypatch.context() as away:
            gone = OperationalError("SELECT 1", {}, Exception("connection refused"))
            away.setattr(store.engine, "connect", raising(gone))
            for _ in range(2):
                with pytest.raises(StoreError) as caught:
                    store.keep_hold()
                assert not isinstance(caught.value, StoreHeldError)
        store.keep_hold()
        with Store.open(where) as other, pytest.raises(StoreHeldError), other.hold():
            pytest.fail("two collect")


def raising(error: Exception) -> Callable[[], NoReturn]:
    """A function that does nothing else."""

    def fail() -> NoReturn:
        raise error

    return fail


def test_the_hold_on_a_server_ends_with_its_program(postgres: databases.Server) -> None:
    where = postgres.new_database()
    program = (
        "import sys, time; from koatsu.ems.store import Store\n"
        "with Store.open(sys.argv[1]) as store, store.hold():\n"
        "    print('held', flush=True); time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", program, where], stdout=subprocess.PIPE, text=True) as held:
        try:
            assert held.stdout is not None
            assert held.stdout.readline() == "held\n"
            with Store.open(where) as store:
                with pytest.raises(StoreHeldError, match=f"koatsu {held.pid}"), store.hold():
                    pass
                held.send_signal(signal.SIGKILL)
                held.wait()
                eventually_held(store)
        finally:
            held.kill()


def eventually_held(store: Store) -> None:
    """The server notices the end of a connection when it comes to it."""
    for _ in range(200):
        try:
            with store.hold():
                return
        except StoreHeldError:
            threading.Event().wait(0.05)
    raise AssertionError("still held")


def test_two_programs_open_one_store_at_once(where: str) -> None:
    """Both make it, one of them first; they write beside each other and lose nothing."""
    barrier = threading.Barrier(2)

    def work(number: int) -> list[Recorded]:
        barrier.wait()
        with Store.open(where, busy_s=30) as store:
            site = Site(store)
            site.begin(plate())
            return [site.counts({jst(2) + HALF_HOUR * step: step}) for step in range(number, 40 + number)]

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(work, (0, 10)))
    assert sum(one.new for each in done for one in each) == 50
    assert sum(one.same for each in done for one in each) == 30
    with Store.open(where) as store:
        assert counts(store) == list(range(50))
        assert [epoch.number for epoch in store.epochs("main")] == [1]


def test_two_writers_who_disagree_leave_one_conflict(where: str) -> None:
    barrier = threading.Barrier(2)
    with Store.open(where) as store:
        Site(store).begin(plate())

    def work(number: int) -> Recorded:
        with Store.open(where, busy_s=30) as store:
            site = Site(store)
            barrier.wait()
            return site.run(jst(2), [number * 100 + step for step in range(30)])

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(work, (0, 1)))
    assert sorted((one.new, len(one.conflicts)) for one in done) == [(0, 30), (30, 0)]
    with Store.open(where) as store:
        assert len(store.conflicts("main", jst(1), jst(30))) == 30
        assert len(counts(store)) == 30
