"""Stores made by every released version open with this one, and every value is still there, exactly.

``stores/NNNN.sql`` is the dump of a small store that the program of that shape made itself.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, insert, select
from sqlalchemy.engine import make_url
from store_site import jst

import databases
from koatsu.ems.slot_ledger import ledger
from koatsu.ems.store import Store, schema
from koatsu.ems.view_models import SlotState
from koatsu.meter.registers import Register

RELEASED = sorted(Path(__file__).with_name("stores").glob("*.sql"))
MIGRATIONS = Path(schema.__file__).parent / "migrations"

Tables = dict[str, tuple[list[str], set[tuple[Any, ...]]]]

released = pytest.mark.parametrize("dump", RELEASED, ids=lambda path: path.stem)


def rows(path: Path) -> Tables:
    """Every table of an SQLite file: its columns and its rows."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        found: Tables = {}
        for (name,) in names:
            cursor = connection.execute(f'SELECT * FROM "{name}"')
            found[name] = ([column[0] for column in cursor.description], set(cursor.fetchall()))
        return found


def made(path: Path, dump: Path) -> Tables:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text())
    before = rows(path)
    assert before.pop("alembic_version")[1] == {(dump.stem,)}
    return before


def test_every_shape_but_the_newest_has_its_dump() -> None:
    versions = {path.name[:4] for path in (MIGRATIONS / "versions").glob("0*.py")}
    assert {path.stem for path in RELEASED} == versions - {schema.HEAD}


@released
def test_every_value_is_still_there(tmp_path: Path, dump: Path) -> None:
    path = tmp_path / "koatsu.db"
    before = made(path, dump)
    assert sum(len(found) for _, found in before.values()) > 100
    with Store.open(path) as store:
        assert store.check() == ()
    after = rows(path)
    assert after["alembic_version"][1] == {(schema.HEAD,)}
    for table, (columns, wanted) in before.items():
        names, found = after[table]
        places = [names.index(column) for column in columns]
        assert {tuple(row[place] for place in places) for row in found} == wanted, table


@released
def test_the_values_mean_what_they_meant(tmp_path: Path, dump: Path) -> None:
    path = tmp_path / "koatsu.db"
    made(path, dump)
    with Store.open(path) as store:
        assert [meter.site for meter in store.meters()] == ["site", "site"]
        assert [epoch.nameplate.serial for epoch in store.epochs("main")] == ["A1", "B2"]
        found = ledger(store, "main", jst(1), jst(2, 8), jst(2, 12))
        states = [view.state for view in found.slots]
        assert states[10:12] == [SlotState.CONFLICT] * 2  # two counts for one instant
        assert {one.counts for one in found.slots[19:21]} == {None}
        holes = {(one.first.number, one.last.number) for one in found.holes if one.counts}
        assert {(7, 9), (11, 12), (20, 21)} <= holes
        assert found.slots[0].counts == 5
        assert len(store.conflicts("main", jst(1), jst(3))) == 2
        (polled,) = {sample.epoch for sample in store.samples("main", Register.ENERGY, jst(2), jst(3))}
        assert polled == 1
        assert [read.reads for read in store.history_reads("main", since=date(2025, 6, 1))] == [2, 1]
        assert [event.code for event in store.events()] == ["replaced", "started"]
        assert store.revisions("main", date(2025, 6, 1), date(2025, 6, 3)) == (0, {})


@released
def test_opening_it_again_changes_nothing(tmp_path: Path, dump: Path) -> None:
    path = tmp_path / "koatsu.db"
    made(path, dump)
    with Store.open(path) as store:
        first = store.id
    once = rows(path)
    with Store.open(path) as store:
        assert store.id == first
    assert rows(path) == once


@released
def test_a_store_on_a_server_comes_along_too(tmp_path: Path, postgres: databases.Server, dump: Path) -> None:
    path = tmp_path / "koatsu.db"
    before = made(path, dump)
    where = postgres.new_database()
    engine = create_engine(make_url(where).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, dump.stem)
        there = MetaData()
        there.reflect(connection)
        source = create_engine(f"sqlite:///{path}")
        with source.connect() as old:
            known = MetaData()
            known.reflect(source)
            for table in there.sorted_tables:
                found = old.execute(select(known.tables[table.name])).mappings().all()
                if table.name != "alembic_version" and found:
                    connection.execute(insert(table), [dict(row) for row in found])
        source.dispose()
    engine.dispose()
    with Store.open(where) as store, store.reading() as connection:
        for table in schema.metadata.sorted_tables:
            if table.name in before:
                columns, wanted = before[table.name]
                if table.name == "event":
                    columns = [name for name in columns if name != "params"]
                query = select(*(table.c[name] for name in columns))
                assert {tuple(row) for row in connection.execute(query)} == (
                    {row[:-1] for row in wanted} if table.name == "event" else wanted
                )
