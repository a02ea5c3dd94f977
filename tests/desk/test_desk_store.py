"""The desk's database and its keys: one shape by migrations and by tables, forward only, and private."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from desk_site import KEY, SETTINGS, START, open_desk
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Inspector, create_engine, inspect, select

import databases
from koatsu.clock import ManualClock
from koatsu.desk import (
    Desk,
    DeskError,
    DeskSettingError,
    key_path,
    schema_cases,
    schema_help,
    schema_registers,
)
from koatsu.desk.database import DeskDatabase, DeskStoreError
from koatsu.desk.metadata import metadata
from koatsu.desk.schema import HEAD, VERSION_TABLE
from koatsu.desk.vault import Vault, key_in
from koatsu.sql import Cause, Trouble

NOW = START


def shape(url: str) -> dict[str, object]:
    """Tables, columns, keys and indexes as a database has them."""
    engine = create_engine(url)
    try:
        found = inspect(engine)
        return {name: _table(found, name) for name in found.get_table_names() if name != VERSION_TABLE}
    finally:
        engine.dispose()


def _table(found: Inspector, name: str) -> tuple[object, ...]:
    indexes = found.get_indexes(name)
    return (
        sorted((one["name"], str(one["type"]), one["nullable"]) for one in found.get_columns(name)),
        found.get_pk_constraint(name)["constrained_columns"],
        sorted((one["name"], tuple(one["column_names"]), bool(one["unique"])) for one in indexes),
        sorted((one["name"], tuple(one["column_names"])) for one in found.get_unique_constraints(name)),
        sorted((one["name"], tuple(one["constrained_columns"])) for one in found.get_foreign_keys(name)),
    )


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrations_lead_to_the_shape_of_the_tables(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    def fresh(name: str) -> str:
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / name}"
        server: databases.Server = request.getfixturevalue("server")
        return server.new_database().replace("postgresql://", "postgresql+psycopg://")

    migrated, made = fresh("a.db"), fresh("b.db")
    DeskDatabase(migrated, 5.0).close()
    engine = create_engine(made)
    metadata.create_all(engine)
    engine.dispose()
    assert shape(migrated) == shape(made)


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(DeskDatabase.migrations))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_what_is_only_added_to_cannot_be_changed(either: Desk) -> None:
    for table in (schema_cases.event, schema_registers.register_event, *schema_help.APPEND_ONLY):
        column = next(iter(table.columns)).name
        # A trigger for each statement fires in PostgreSQL without a row, in SQLite for each row alone.
        if either.database.where.startswith("postgresql"):
            with pytest.raises(DeskError), either.database.writing() as connection:
                connection.exec_driver_sql(f"UPDATE {table.name} SET {column} = {column}")
        else:
            with either.database.reading() as connection:
                names = connection.exec_driver_sql(
                    "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?",
                    (table.name,),
                ).scalar()
            assert names is not None
            assert names >= 2


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"not a database at all, but long enough to be looked at", Cause.NOT_A_DATABASE),
        ("create table other(x)", Trouble.FOREIGN),
        (f"update {VERSION_TABLE} set version_num = '9999'", Trouble.NEWER),
    ],
)
def test_a_store_that_is_not_ours_is_left_as_it_is(tmp_path: Path, content: bytes | str, why: object) -> None:
    path = tmp_path / "desk.db"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        if "update" in content:
            open_desk(path).close()
        connection = sqlite3.connect(path)
        connection.execute(content)
        connection.commit()
        connection.close()
    before = path.read_bytes()
    with pytest.raises(DeskStoreError) as caught:
        Desk.open(path, settings=SETTINGS, clock=ManualClock(NOW), key=KEY)
    assert caught.value.why is why
    assert caught.value.ja
    assert path.read_bytes() == before


def test_store_and_key_are_for_their_owner_alone(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        Desk.open(tmp_path / "desk.db", settings=SETTINGS, clock=ManualClock(NOW)).close()
    finally:
        os.umask(old)
    for name in ("desk.db", "desk.key"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600, name
    again = Desk.open(tmp_path / "desk.db", settings=SETTINGS, clock=ManualClock(NOW))
    again.close()


def test_a_store_on_a_server_wants_its_key_named() -> None:
    with pytest.raises(DeskSettingError, match="key"):
        key_path("postgresql://127.0.0.1/desk")


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "00" * 33])
def test_a_file_that_is_no_key_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "desk.key"
    path.write_text(content)
    with pytest.raises(DeskSettingError) as caught:
        key_in(path)
    assert str(path) in caught.value.text("ja")


def test_a_lost_key_is_told_and_nothing_is_made_anew(tmp_path: Path) -> None:
    Desk.open(tmp_path / "desk.db", settings=SETTINGS, clock=ManualClock(NOW)).close()
    (tmp_path / "desk.key").unlink()
    with pytest.raises(DeskSettingError, match="does not belong"):
        Desk.open(tmp_path / "desk.db", settings=SETTINGS, clock=ManualClock(NOW))


@pytest.fixture(scope="module")
def vault_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskDatabase]:
    store = DeskDatabase(tmp_path_factory.mktemp("vault") / "desk.db", 5.0)
    yield store
    store.close()


@given(text=st.text(st.characters(exclude_categories=("Cs",)), max_size=200))
def test_what_is_sealed_opens_to_the_same_and_for_nobody_else(vault_store: DeskDatabase, text: str) -> None:
    vault = Vault(KEY)
    with vault_store.writing() as connection:
        one, other = vault.new_subject(connection, NOW), vault.new_subject(connection, NOW)
        sealed = vault.seal(connection, one, text)
        assert vault.open(connection, one, sealed) == text
        assert sealed != vault.seal(connection, one, text), "never twice the same"
        assert len(text) < 4 or text.encode() not in sealed
        with pytest.raises(DeskSettingError):
            vault.open(connection, other, sealed)
        with pytest.raises(DeskSettingError):
            vault.open(connection, one, sealed[:-1] + bytes([sealed[-1] ^ 1]))
        assert vault.digest(connection, one, "name", text) != vault.digest(connection, other, "name", text)


def test_an_erased_subject_opens_nothing_any_more(vault_store: DeskDatabase) -> None:
    vault = Vault(KEY)
    with vault_store.writing() as connection:
        one = vault.new_subject(connection, NOW)
        sealed, number = vault.seal(connection, one, "秘"), vault.keep_text(connection, one, "密")
        vault.erase(connection, one, NOW)
        assert vault.open(connection, one, sealed) is None
        assert vault.text(connection, number) is None
        with pytest.raises(DeskError):
            vault.seal(connection, one, "x")
        with pytest.raises(DeskError):
            vault.digest(connection, one, "name", "x")
        row = connection.execute(select(schema_cases.subject).where(schema_cases.subject.c.id == one)).one()
    assert (row.key, row.erased_at) == (None, int(NOW.timestamp()))
