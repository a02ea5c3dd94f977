"""A people store with a clock that the test moves, hashes that cost nothing, and a PostgreSQL server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from household import CHEAP, HERE, PASSWORD, START

import databases
from koatsu.clock import ManualClock
from koatsu.people import Login, People


@pytest.fixture
def clock() -> ManualClock:
    """Midnight UTC of a July day."""
    return ManualClock(START)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The path of the readings; the people are beside it."""
    return tmp_path / "koatsu.db"


@pytest.fixture
def people(store: Path, clock: ManualClock) -> Iterator[People]:
    """An open store with nobody in it."""
    with People.open(store, clock=clock, hashing=CHEAP) as opened:
        yield opened


@pytest.fixture
def owner(people: People) -> Login:
    """The first owner, called 田中, logged in."""
    people.create_owner("田中", PASSWORD)
    return people.log_in("田中", PASSWORD, origin=HERE)[1]


@pytest.fixture(scope="session")
def server() -> Iterator[databases.Server]:
    """A PostgreSQL server of our own."""
    with databases.server() as running:
        yield running


@pytest.fixture
def database(server: databases.Server) -> str:
    """The URL of a fresh, empty database."""
    return server.new_database()
