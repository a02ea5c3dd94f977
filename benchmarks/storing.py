"""Readings recorded through the store against raw rows into the same table, on the same disk.

Both begin with the same readings and write values that were not known before to a file of their own, with
the store's table, key and settings (write-ahead log, synchronous=FULL), one transaction a batch. The baseline
makes tuples of them and hands those to the driver's ``executemany``: it checks nothing, looks for no other
value of the same instant, and touches no day.
"""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from benchmarks.figure import Figure, ratio_of_rounds
from benchmarks.stored import plate

from koatsu.ems.store import Store, StoredMeter
from koatsu.meter.readings import Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.slots import HALF_HOUR

START = datetime(2020, 1, 1, 15, tzinfo=UTC)
BATCHES = {48: 120, 4800: 12}  # readings a batch: rounds
INSERT = "INSERT INTO reading VALUES (?, ?, ?, ?, ?, ?, ?)"


def measure(seed: str) -> list[Figure]:
    """Readings a second in batches of a day and of a hundred days."""
    found = []
    for size, rounds in BATCHES.items():
        ours, bare = _raced(size, rounds, seed)
        rates = [size * rounds / sum(times) for times in (ours, bare)]
        found.append(
            Figure(
                what=f"readings stored, {size:,} at once",
                ours=f"{rates[0]:,.0f} /s",
                baseline=f"{rates[1]:,.0f} /s",
                ratio=ratio_of_rounds(bare, ours),
                sense="≥",
                target=0.5,
                unit="%",
                note=f"{rounds} alternating batches each, of values not known before. Baseline: the same "
                "readings made into tuples and handed to executemany: the same table, key and settings "
                "(write-ahead log, synchronous=FULL, one commit a batch), nothing checked or compared.",
            )
        )
    return found


def _raced(size: int, rounds: int, seed: str) -> tuple[list[float], list[float]]:
    """Seconds of each batch, through the store and raw, after one of warming up."""
    ours, bare = [], []
    with tempfile.TemporaryDirectory() as folder:
        one, other = Path(folder, "store.db"), Path(folder, "raw.db")
        _store(other).close()  # the same tables
        raw = sqlite3.connect(other, isolation_level=None)
        raw.execute("PRAGMA synchronous=FULL")
        with _store(one) as store:
            for number, batch in enumerate(_batches(size, rounds + 1, seed)):
                start = perf_counter()
                recorded = store.record("main", 1, batch)
                middle = perf_counter()
                rows = [
                    (
                        1, row.register.value, _seconds(row.instant), row.count, row.source.value,
                        _seconds(row.received), row.stamped,
                    )
                    for row in batch
                ]  # fmt: skip
                raw.execute("BEGIN IMMEDIATE")
                raw.executemany(INSERT, rows)
                raw.execute("COMMIT")
                end = perf_counter()
                assert recorded.new == size
                if number:
                    ours.append(middle - start)
                    bare.append(end - middle)
        raw.close()
    return ours, bare


def _store(path: Path) -> Store:
    store = Store.open(path)
    store.put_meter(StoredMeter(id="main", label="main", role="buy", class_code=0x028A, address="127.0.0.2"))
    store.open_epoch("main", plate(), START)
    return store


def _batches(size: int, many: int, seed: str) -> Iterator[list[Reading]]:
    draw = random.Random(seed)
    at, count = START, 0
    for _ in range(many):
        batch = []
        for _ in range(size):
            batch.append(
                Reading(
                    register=Register.ENERGY, instant=at, count=count, source=Source.HISTORY,
                    received=at + timedelta(hours=9),
                )
            )  # fmt: skip
            at, count = at + HALF_HOUR, (count + draw.randrange(200)) % 10**6
        yield batch


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
