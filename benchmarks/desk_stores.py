"""A desk of 100,000 supply points and 20,000 cases, made quickly: what its figures are measured on.

Two thousand cases and some live their lives through the desk itself, event by event. Each is then copied
nine times with its history, works and letters, straight in the tables and onto supply points that were
imported; the copies keep the customer, whose key their personal values are sealed with, so a customer has ten
cases. The search finds the lived ones only, and the chain of the history is whole within each copy only. For
PostgreSQL the rows of every table are copied as they are.
"""

from __future__ import annotations

import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from benchmarks.figure import ROOT
from sqlalchemy import Connection, Table, create_engine, func, insert, select

from koatsu.clock import JST, ManualClock
from koatsu.desk import Desk
from koatsu.desk.imports import SHEETS, ImportReport, Register
from koatsu.desk.sample import Plan, fill, sample_people, sample_settings
from koatsu.desk.schema import metadata

__all__ = ["CASES", "NOW", "POINTS", "copied_to", "imported", "made", "open_desk", "points_file", "postgres"]

NOW = datetime.now(JST).replace(minute=0, second=0, microsecond=0)  #: the program runs by the present time
POINTS, CASES = 100_000, 20_000
LIVED, COPIES = 2_020, 9  # the plan rounds, and never up
_BATCH = 5_000
_TABLES = ("desk_event", "desk_works", "desk_notice")  # what belongs to a case and is copied with it


def points_file(seed: str, prefix: str) -> bytes:
    """A register of 100,000 supply points as CSV."""
    draw = random.Random(seed)
    rows = [",".join(one.name for one in SHEETS[Register.SUPPLY_POINTS].columns)]
    for number in range(1, POINTS + 1):
        place = (
            f"{draw.randrange(1_000_000, 9_999_999)},北市みどり{number % 300}丁目,{number % 40}-{number % 17}"
        )
        rows.append(f"{prefix}{number:020},{place},high,{draw.randrange(50, 2000)},utility,,2020-04-01,,")
    return "\n".join(rows).encode()


def open_desk(store: Path | str, key: Path) -> Desk:
    """The desk at the hour of the measurement."""
    return Desk.open(store, settings=sample_settings(), clock=ManualClock(NOW), key=key)


def imported(desk: Desk, data: bytes) -> ImportReport:
    """The register taken by the desk."""
    return desk.registers.import_file(Register.SUPPLY_POINTS, data, "points.csv", author="system")


def made(folder: Path, seed: str) -> tuple[Path, Path]:
    """The filled SQLite store and its key; ``folder`` is empty."""
    store, key = folder / "desk.db", folder / "desk.key"
    settings = sample_settings()
    plan = Plan(
        seed=random.Random(seed).randrange(1 << 30), cases=LIVED, made=NOW, closed_days=settings.closed_days
    )
    people = {one.key: number for number, one in enumerate(sample_people(), 1)}
    fill(store, key, plan, settings, people, NOW)
    with open_desk(store, key) as desk:
        report = imported(desk, points_file(seed, settings.area_prefixes[0]))
        if report.new != POINTS:
            raise SystemExit(f"{report.new:,} of {POINTS:,} supply points were taken")
    with sqlite3.connect(store, isolation_level=None) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("BEGIN")
        events = connection.execute("SELECT max(seq) FROM desk_event").fetchone()[0]
        for copy in range(1, COPIES + 1):
            _copy(connection, copy, events, settings.area_prefixes[0])
        last = connection.execute("SELECT seq, hash FROM desk_event ORDER BY seq DESC LIMIT 1").fetchone()
        connection.execute(
            "UPDATE desk_info SET value = ? WHERE name = 'chain_head'", (f"{last[0]}:{last[1]}",)
        )
        connection.execute("COMMIT")
        connection.execute("ANALYZE")
        whole = connection.execute("SELECT count(*) FROM desk_case").fetchone()[0]
    connection.close()
    if whole < CASES:
        raise SystemExit(f"{whole:,} cases instead of {CASES:,}")
    return store, key


def _copy(connection: sqlite3.Connection, copy: int, events: int, prefix: str) -> None:
    """Every lived case once more: other ids, numbers and supply points.

    A trigger lets only the next number into the history, so the ``events`` of the lived ones come in order.
    """
    by = 10_000 * copy
    columns = _columns("desk_case", {
        "id": f"id + {by}",
        "number": f"substr(number, 1, length(number) - 5) || printf('%05d', substr(number, -5) + {by})",
        "supply_point": f"printf('{prefix}%020d', id + {by})",
    })  # fmt: skip
    connection.execute(f"INSERT INTO desk_case {columns} WHERE id < 10000")
    for table in _TABLES:
        changed = {"case_id": f"case_id + {by}"}
        changed |= {
            "desk_event": {"seq": f"seq + {events * copy}"},
            "desk_notice": {"id": f"id + {1_000_000 * copy}", "event_seq": f"event_seq + {events * copy}"},
        }.get(table, {"id": f"id + {1_000_000 * copy}"})
        columns = _columns(table, changed)
        connection.execute(f"INSERT INTO {table} {columns} WHERE case_id < 10000 ORDER BY 1")


def _columns(table: str, changed: dict[str, str]) -> str:
    names = [column.name for column in metadata.tables[table].columns]
    values = ", ".join(changed.get(name, f'"{name}"') for name in names)
    quoted = ", ".join(f'"{name}"' for name in names)
    return f"({quoted}) SELECT {values} FROM {table}"


def copied_to(url: str, store: Path, key: Path) -> None:
    """Every row of an SQLite store in a new PostgreSQL database."""
    open_desk(url, key).close()  # makes the tables
    source, target = (
        create_engine(f"sqlite:///{store}"),
        create_engine(url.replace("postgresql", "postgresql+psycopg")),
    )
    with source.connect() as one, target.begin() as other:
        for table in reversed(metadata.sorted_tables):
            if other.scalar(select(func.count()).select_from(table)):  # a history refuses even this
                other.execute(table.delete())
        for table in metadata.sorted_tables:
            for rows in one.execute(select(table).order_by(*table.primary_key.columns)).partitions(_BATCH):
                other.execute(insert(table), [row._asdict() for row in rows])
            _counting_on(other, table)
    with target.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
        other.exec_driver_sql("ANALYZE")
    source.dispose()
    target.dispose()


def _counting_on(connection: Connection, table: Table) -> None:
    """Let the next row of its own key come after those that were copied."""
    (key, *others) = table.primary_key.columns
    if others or key.name != "id":
        return
    sequence = connection.scalar(select(func.pg_get_serial_sequence(table.name, key.name)))
    if sequence:
        connection.execute(
            select(func.setval(sequence, select(func.coalesce(func.max(key), 0) + 1).scalar_subquery()))
        )


@contextmanager
def postgres() -> Iterator[str]:
    """The URL of an empty database on a PostgreSQL server that waits for its disk; the one the tests use."""
    sys.path.append(str(ROOT / "tests"))
    from databases import server  # the server of the tests

    with server(durable=True) as running:
        yield running.new_database()
