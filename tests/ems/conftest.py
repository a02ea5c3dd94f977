from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from store_site import empty

import databases
from koatsu.ems.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a real file."""
    with Store.open(tmp_path / "koatsu.db") as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres() -> Iterator[databases.Server]:
    """A real PostgreSQL server."""
    with databases.server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store can be made: a file that is not there yet, then an empty database of a server."""
    if request.param == "sqlite":
        return str(tmp_path / "either.db")
    server: databases.Server = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def either(where: str) -> Iterator[Store]:
    """An empty store, in a file and on a server."""
    with Store.open(where) as opened:
        yield opened


@pytest.fixture(scope="session")
def served(postgres: databases.Server) -> str:
    """One database of a server with a store in it, for tests that leave its tables to the next one."""
    where = postgres.new_database()
    Store.open(where).close()
    return where


@pytest.fixture(params=["sqlite", "postgresql"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store in a file and on a server, where emptying is quicker than making another."""
    if request.param == "sqlite":
        with Store.open(tmp_path / "koatsu.db") as opened:
            yield opened
        return
    with Store.open(request.getfixturevalue("served")) as opened:
        empty(opened)
        yield opened
