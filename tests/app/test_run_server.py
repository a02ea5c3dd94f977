"""`koatsu run` over a PostgreSQL server: killed, cut off, pushed aside, and complete in the end.

Real processes: the server, an emulated meter whose day runs fast, and the program. The store is looked at
from here, and the meter's truth file says what was right.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from forks import Fork, Nursery, nursery
from program import START, EmulatedMeter, emulated_meter, fresh_address, fresh_port
from sqlalchemy import make_url

import databases
from koatsu.ems.store import Store, StoreHeldError
from koatsu.meter import Register
from koatsu.meter.slots import HALF_HOUR

SPEED = 180.0


class Place:
    """A meter, a database of a server, and the program between them."""

    def __init__(
        self, folder: Path, server: databases.Server, meter: EmulatedMeter, commands: Nursery, begun: float
    ) -> None:
        self.server, self.meter, self.commands, self._begun = server, meter, commands, begun
        self.where = server.new_database()
        self.config = folder / "koatsu.toml"
        self.config.write_text(
            f'[site]\nname = "works"\n[store]\npath = "{self.where}"\n[web]\nport = {fresh_port()}\n'
            f'[node]\naddress = "{fresh_address()}"\n'
            f'[[meter]]\nid = "main"\naddress = "{meter.address}"\nprofile = "fast"\n'
        )

    def now(self) -> datetime:
        """The meter's time, give or take what a process takes to start."""
        return datetime.fromtimestamp(START.timestamp() + (time.monotonic() - self._begun) * SPEED, UTC)

    @contextmanager
    def run(self, end: int = signal.SIGKILL) -> Iterator[Fork]:
        """The program; killed at the end, or ended by another signal, if it still runs."""
        clock = f"{self.now().isoformat(timespec='seconds')}@{SPEED:g}"
        program = self.commands.start("run", "-c", str(self.config), "--clock", clock)
        try:
            yield program
        finally:
            program.end(end)
        assert "Traceback" not in program.text, program.text

    def stored(self, store: Store) -> dict[datetime, int]:
        """The counts that are kept; nothing stands beside them."""
        span = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
        assert not store.conflicts("main", *span)
        rows = store.readings("main", Register.ENERGY, *span)
        return {datetime.fromtimestamp(row.at, UTC): row.count for row in rows if row.count is not None}

    def true(self) -> dict[datetime, int]:
        """The counts that the meter has written down."""
        return {datetime.fromisoformat(at): count for at, count in self.meter.registers().items()}

    def complete(self, store: Store) -> bool:
        """Whether every half hour that has closed is kept; none is ever wrong."""
        stored, true = self.stored(store), self.true()
        assert stored.items() <= self.true().items()
        return {at for at in true if at < self.now() - HALF_HOUR} <= stored.keys()

    def cut(self, which: str = "true") -> None:
        """End the program's connections, as a server does that is started again."""
        name = make_url(self.where).database
        self.server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND application_name <> 'koatsu {os.getpid()}' AND {which}"
        )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("server")
    with ExitStack() as stack:
        server = stack.enter_context(databases.server())
        commands = stack.enter_context(nursery(folder))
        begun = time.monotonic()
        options = ("--speed", f"{SPEED:g}", "--start", START.isoformat(), "--history-days", "20")
        meter = stack.enter_context(emulated_meter(folder, *options))
        yield Place(folder, server, meter, commands, begun)


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """The store, looked at from here, beside the program."""
    with Store.open(place.where) as opened:
        yield opened


def eventually(true: Callable[[], bool], what: str) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + 60.0
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def test_kills_and_cuts_lose_nothing(place: Place, store: Store) -> None:
    with place.run() as program:
        eventually(lambda: len(store.meters()) == 1 and len(place.stored(store)) > 48, program.text)
        place.cut()
        before = place.stored(store)
        eventually(lambda: len(place.stored(store)) > len(before) + 48, "it does not go on after the cut")
        assert not program.ended(0), program.text
    killed = place.stored(store)  # the program has been killed in the middle of its recovery
    assert before.items() <= killed.items() <= place.true().items()
    with place.run(signal.SIGTERM) as program:
        eventually(lambda: place.complete(store), program.text)
        place.cut("state = 'idle'")
        newest = max(place.stored(store))
        eventually(lambda: max(place.stored(store)) > newest and place.complete(store), program.text)
    assert killed.items() <= place.stored(store).items()


def test_one_program_collects_whatever_the_server_forgets(place: Place, store: Store) -> None:
    with place.run() as program:
        program.until("Page: ")
        eventually(lambda: pushed_aside(place, store, program), "it did not notice that another collects")
        assert f"is in use by another koatsu (koatsu {os.getpid()})" in program.text


def pushed_aside(place: Place, store: Store, program: Fork) -> bool:
    """Take the program's place as soon as the server has forgotten it; whether it has ended by that."""
    place.cut()
    try:
        with store.hold():
            return program.ended(30.0)
    except StoreHeldError:  # it was quicker: once more
        return False
