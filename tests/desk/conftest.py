"""A desk of a small utility for each test, and a PostgreSQL server for those that ask for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from desk_site import START, open_desk

import databases
from koatsu.clock import ManualClock
from koatsu.desk import Desk


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def desk(tmp_path: Path, clock: ManualClock) -> Iterator[Desk]:
    with open_desk(tmp_path / "desk.db", clock) as one:
        yield one


@pytest.fixture(scope="session")
def server() -> Iterator[databases.Server]:
    with databases.server() as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Iterator[Desk]:
    """The same desk on SQLite and on a real PostgreSQL server."""
    if request.param == "sqlite":
        store: Path | str = tmp_path / "desk.db"
    else:
        store = request.getfixturevalue("server").new_database()
    with open_desk(store, clock) as one:
        yield one
