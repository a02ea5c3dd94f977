"""Stores full of years, made quickly: what the figures of queries are measured on.

The rows are what a collector would have recorded from meters of class 0x028A, written straight into the
tables: a count of energy at each half hour, the meter's own demand of each slot, and for one meter its
reactive register too. One count in a thousand is lost.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from koatsu.ems.store import Store, StoredMeter
from koatsu.meter.epochs import Nameplate
from koatsu.meter.registers import Register
from koatsu.meter.scale import Scale

__all__ = ["END", "SLOTS", "fill", "plate"]

END = datetime(2026, 7, 31, 15, tzinfo=UTC)  # midnight in Japan
SLOTS = 48
SLOT_S = 1800
LOST = 0.001


def fill(path: Path, days: dict[str, int], *, reactive: str = "", seed: str) -> int:
    """Make a store of meters with so many days each, up to ``END``; how many rows of counts it holds."""
    start = END - timedelta(days=max(days.values()))
    with Store.open(path) as store:
        for meter in days:
            store.put_meter(
                StoredMeter(
                    id=meter, label=meter, role="buy", class_code=0x028A, address="127.0.0.2",
                    ceiling_kw=Decimal(5000),
                ),
                at=start,
            )  # fmt: skip
            store.open_epoch(meter, plate(), start - timedelta(days=1))
    draw = random.Random(seed)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous=OFF")
    keys = dict(connection.execute("SELECT meter, id FROM epoch").fetchall())
    rows = 0
    connection.execute("BEGIN")
    for meter, many in days.items():
        energy = list(_energies(draw, many))
        rows += _insert(connection, "reading", keys[meter], Register.ENERGY, _counts(energy, draw))
        rows += _insert(connection, "demand", keys[meter], "normal", _demands(energy))
        if meter == reactive:
            rows += _insert(connection, "reading", keys[meter], Register.REACTIVE_PF, _counts(energy, draw))
    connection.execute("COMMIT")
    connection.execute("ANALYZE")
    connection.close()
    return rows


def plate() -> Nameplate:
    scale = Scale(120, Decimal(1), Decimal("0.01"))
    return Nameplate(
        class_code=0x028A, serial="A1", energy_scale=scale, energy_digits=6, demand_scale=scale,
        demand_digits=6, reactive_scale=scale, reactive_digits=6, fixed_day=16,
    )  # fmt: skip


def _energies(draw: random.Random, days: int) -> Iterator[tuple[int, int]]:
    """Start and counts of each slot; the load of a day is drawn once, each slot around it."""
    at = int(END.timestamp()) - days * SLOTS * SLOT_S
    for _ in range(days):
        level = draw.uniform(60, 160)
        for slot in range(SLOTS):
            busy = 1.0 if 16 <= slot < 40 else 0.3
            yield at, int(level * busy * draw.uniform(0.8, 1.2))
            at += SLOT_S


def _counts(energy: list[tuple[int, int]], draw: random.Random) -> Iterator[tuple[int, int]]:
    count = 0
    for at, more in energy:
        if draw.random() >= LOST:
            yield at, count
        count = (count + more) % 10**6
    yield energy[-1][0] + SLOT_S, count


def _demands(energy: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    return ((at, 2 * more) for at, more in energy)


def _insert(
    connection: sqlite3.Connection, table: str, key: int, name: str, rows: Iterator[tuple[int, int]]
) -> int:
    columns = "?, ?, ?, ?, 'history', ?" + (", 1" if table == "reading" else "")
    found = connection.executemany(
        f"INSERT INTO {table} VALUES ({columns})", ((key, name, at, count, at + 20) for at, count in rows)
    )
    return found.rowcount
