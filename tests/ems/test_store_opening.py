from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from store_site import Site, jst, plate

from koatsu.ems.store import Store, StoreError, StoreErrorKind, schema
from koatsu.meter.registers import Register

MIGRATIONS = Path(schema.__file__).parent / "migrations"


@contextmanager
def plain(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


def refused(store: str | Path, kind: StoreErrorKind) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Store.open(store, busy_s=0.05)
    assert caught.value.kind is kind
    assert caught.value.text("ja") != caught.value.text("en")
    return caught.value


def test_the_head_is_the_last_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_the_migrations_make_what_the_schema_says(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    Store.open(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), schema.metadata) == []
    engine.dispose()
    expected = create_engine("sqlite://")
    schema.metadata.create_all(expected)
    with plain(path) as made, expected.connect() as wanted:
        query = "SELECT name, type, pk FROM pragma_table_info(?) ORDER BY cid"
        for table in schema.metadata.tables:
            rows = wanted.exec_driver_sql(query, (table,)).all()
            assert made.execute(query, (table,)).fetchall() == [tuple(row) for row in rows]
        kinds = dict(made.execute("SELECT name, wr FROM pragma_table_list WHERE schema = 'main'"))
        assert kinds["reading"] == 1
        assert kinds["event"] == 0
    expected.dispose()


def test_a_store_is_durable_and_keeps_its_references(store: Store) -> None:
    with store.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    path.touch()
    with Store.open(path) as store:
        assert store.meters() == ()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    path.write_text("slot_start,slot_end,energy_kwh\n" * 100)
    error = refused(path, StoreErrorKind.NOT_A_DATABASE)
    assert f"{path} is not a database." in error.message
    assert path.read_text().startswith("slot_start")


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with plain(path) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    refused(path, StoreErrorKind.FOREIGN)
    with plain(path) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("songs",)]


def test_a_database_of_another_program_that_migrates_alike(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with plain(path) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
    refused(path, StoreErrorKind.FOREIGN)


def test_a_store_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    Store.open(path).close()
    with plain(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    error = refused(path, StoreErrorKind.NEWER)
    assert "newer version of Koatsu" in error.message
    with plain(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]


def test_a_locked_store_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    with Store.open(path, busy_s=0.05) as store:
        site = Site(store)
        site.begin(plate())
        with plain(path) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError) as caught:
                site.run(jst(2), [1, 2])
            assert caught.value.kind is StoreErrorKind.LOCKED
            refused(path, StoreErrorKind.LOCKED)
            assert store.readings("main", Register.ENERGY, jst(1), jst(3)) == ()
            other.execute("ROLLBACK")
        assert site.run(jst(2), [1, 2]).new == 2


def test_a_read_only_store(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    Store.open(path).close()
    with plain(path) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
    error = refused(f"sqlite:///file:{path}?mode=ro&uri=true", StoreErrorKind.READ_ONLY)
    assert "read-only" in error.message


def test_a_full_disk_leaves_the_store_as_it_was(store: Store) -> None:
    site = Site(store)
    site.begin(plate())
    site.run(jst(2), [1, 2])
    with store.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    with pytest.raises(StoreError) as caught:
        site.run(jst(3), list(range(2000)))
    assert caught.value.kind is StoreErrorKind.FULL
    assert "空きがありません" in caught.value.text("ja")
    assert len(store.readings("main", Register.ENERGY, jst(1), jst(30))) == 2


def test_a_damaged_store(tmp_path: Path) -> None:
    path = tmp_path / "koatsu.db"
    with Store.open(path) as store:
        Site(store)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))
    refused(path, StoreErrorKind.CORRUPT)


def test_a_place_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(tmp_path / "file" / "koatsu.db", StoreErrorKind.CANNOT_OPEN)
    refused(tmp_path, StoreErrorKind.CANNOT_OPEN)
    refused("://", StoreErrorKind.CANNOT_OPEN)


def test_a_closed_store_says_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "koatsu.db")
    store.close()
    store.close()
    with pytest.raises(StoreError, match="has been closed"):
        store.meters()
