"""Opening the people store: where it is, who may read the file, and what stands in the way."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from household import CHEAP, PASSWORD

from koatsu.clock import ManualClock, SystemClock
from koatsu.ems.store import Store
from koatsu.people import People, PeopleStoreError, StoreTrouble
from koatsu.people.database import address
from koatsu.people.schema import HEAD, PREFIX, metadata


def opened(store: Path, busy_s: float = 5.0) -> People:
    return People.open(store, clock=SystemClock(), hashing=CHEAP, busy_s=busy_s)


def trouble(store: Path, *, busy_s: float = 5.0) -> PeopleStoreError:
    with pytest.raises(PeopleStoreError) as error:
        opened(store, busy_s).close()
    for lang in ("en", "ja"):
        text = error.value.text(lang)
        assert str(store.parent) in text
        assert "{" not in text
    return error.value


@pytest.mark.parametrize(
    ("store", "people"),
    [
        ("/data/koatsu.db", "/data/koatsu.people.db"),
        ("/data/site", "/data/site.people.db"),
        ("/data/a.b.sqlite", "/data/a.b.people.sqlite"),
        ("sqlite:////data/koatsu.db", "/data/koatsu.people.db"),
    ],
)
def test_the_people_are_beside_the_readings(store: str, people: str) -> None:
    assert address(store).database == people


def test_a_server_holds_both() -> None:
    url = address("postgresql://koatsu:secret@db/koatsu")
    assert url.drivername == "postgresql+psycopg"
    assert url.database == "koatsu"


def test_nonsense_is_told() -> None:
    with pytest.raises(PeopleStoreError) as error:
        address("://")
    assert error.value.trouble is StoreTrouble.CANNOT_OPEN


def test_readings_and_people_are_two_files(store: Path) -> None:
    with Store.open(store), opened(store) as people:
        people.create_owner("田中", PASSWORD)
        assert people.where == str(store.with_name("koatsu.people.db"))
    with Store.open(store), opened(store) as people:
        assert people.has_owner()
    with closing(sqlite3.connect(store)) as connection:
        names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert not [name for name in names if name.startswith(PREFIX)]


def test_only_its_owner_may_read_the_file(store: Path) -> None:
    old = os.umask(0)
    try:
        with opened(store) as people:
            people.create_owner("田中", PASSWORD)
            assert stat.S_IMODE(Path(people.where).stat().st_mode) == 0o600
    finally:
        os.umask(old)


def test_nothing_is_left_beside_the_file(store: Path) -> None:
    """A log beside it would keep what was erased."""
    with opened(store) as people:
        people.create_owner("田中", PASSWORD)
        assert [path.name for path in store.parent.iterdir()] == ["koatsu.people.db"]


def test_the_migrations_make_the_shape_of_the_schema(store: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    opened(store).close()
    engine = sa.create_engine(address(store))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "people_version"})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD
    engine.dispose()
    folder = Path(__file__).parents[2] / "src/koatsu/people/migrations/versions"
    assert max(path.name for path in folder.glob("0*.py")).startswith(HEAD)
    assert all(table.startswith(PREFIX) for table in metadata.tables)


def test_another_program_s_database_is_left_alone(store: Path) -> None:
    file = store.with_name("koatsu.people.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE TABLE theirs (id INTEGER)")
    before = file.read_bytes()
    assert trouble(store).trouble is StoreTrouble.FOREIGN
    assert file.read_bytes() == before


def test_a_file_that_is_no_database_is_left_alone(store: Path) -> None:
    file = store.with_name("koatsu.people.db")
    file.write_text("this is a letter\n" * 100)
    assert trouble(store).trouble is StoreTrouble.FOREIGN
    assert file.read_text().startswith("this is a letter")


def test_a_newer_version_is_told(store: Path) -> None:
    with opened(store) as people, closing(sqlite3.connect(people.where)) as connection, connection:
        connection.execute("UPDATE people_version SET version_num = '9999'")
    assert trouble(store).trouble is StoreTrouble.NEWER


def test_a_lock_is_told(store: Path) -> None:
    opened(store).close()
    with closing(sqlite3.connect(store.with_name("koatsu.people.db"), isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        assert trouble(store, busy_s=0.01).trouble is StoreTrouble.LOCKED


def test_a_damaged_file_is_told(store: Path) -> None:
    with opened(store) as people:
        people.create_owner("田中", PASSWORD)
        file = Path(people.where)
    content = bytearray(file.read_bytes())
    content[100:8192] = os.urandom(8092)
    file.write_bytes(content)
    assert trouble(store).trouble is StoreTrouble.CORRUPT


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert trouble(tmp_path / "file" / "koatsu.db").trouble is StoreTrouble.CANNOT_OPEN


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(PeopleStoreError) as error:
        People.open("postgresql://koatsu:secret@127.0.0.1:1/koatsu", clock=SystemClock(), hashing=CHEAP)
    assert error.value.trouble is StoreTrouble.CANNOT_OPEN
    assert "secret" not in error.value.text("en") + error.value.text("ja")


def test_a_closed_store_says_so(store: Path, clock: ManualClock) -> None:
    people = opened(store)
    people.close()
    people.close()
    with pytest.raises(PeopleStoreError) as error:
        people.people()
    assert error.value.trouble is StoreTrouble.CLOSED
    with pytest.raises(PeopleStoreError):
        people.has_owner()
