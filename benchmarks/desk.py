"""The service desk of a utility with 100,000 supply points and 20,000 cases, on SQLite and on PostgreSQL.

Pages are asked of the application in this process, markup and rights included; the baseline of a page is the
bare SELECT of the rows that it shows. The import is raced against ``executemany`` of the same rows. Fifty of
the staff working at once are in :mod:`benchmarks.desk_staff`.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import httpx
from benchmarks.desk_staff import work_for_a_minute
from benchmarks.desk_stores import (
    CASES,
    NOW,
    POINTS,
    copied_to,
    imported,
    made,
    open_desk,
    points_file,
    postgres,
)
from benchmarks.figure import Figure, ratio_of_rounds
from fastapi import FastAPI
from sqlalchemy import Connection, text

from koatsu.clock import ManualClock
from koatsu.desk.sample import sample_settings
from koatsu.people import CONSOLE, People, Role
from koatsu.web.desk import create_desk_app

PAGES = 120  # of each kind
_LIST = text(
    "SELECT c.*, s.erased_at FROM desk_case c JOIN desk_subject s ON s.id = c.customer "
    "WHERE c.state NOT IN ('in_service', 'suspended', 'refused', 'ended') "
    "ORDER BY c.due_on IS NULL, c.due_on, c.id LIMIT 50"
)
_CASE = tuple(
    text(one)
    for one in (
        "SELECT * FROM desk_case WHERE number = :number",
        "SELECT e.* FROM desk_event e JOIN desk_case c ON c.id = e.case_id WHERE c.number = :number",
        "SELECT w.* FROM desk_works w JOIN desk_case c ON c.id = w.case_id WHERE c.number = :number",
        "SELECT p.* FROM desk_personal p JOIN desk_case c ON c.customer = p.subject WHERE c.number = :number",
    )
)


@dataclass(frozen=True, slots=True)
class Place:
    """A filled desk: what it is on, where it is, and its key."""

    kind: str
    store: Path | str
    key: Path


def measure(seed: str) -> list[Figure]:
    """Import, pages and a minute of work, on both databases."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="koatsu-bench-")))
        store, key = made(folder, seed)
        url = stack.enter_context(postgres())
        copied_to(url, store, key)
        places = [Place("SQLite", store, key), Place("PostgreSQL", url, key)]
        found = [figure for place in places for figure in _pages(place, seed)]
        found += [work_for_a_minute(place.kind, place.store, place.key, seed) for place in places]
        found.append(_import(folder, seed))
    return found


class _Visitor:
    """Somebody who asks an application in this process for one page after the other."""

    def __init__(self, app: FastAPI, secret: str) -> None:
        self._loop = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://127.0.0.1",
            headers={"Authorization": f"Bearer {secret}"},
        )

    def status_of(self, address: str) -> int:
        """The status of the whole page."""
        return self._loop.run(self._client.get(address)).status_code

    def close(self) -> None:
        """End the loop."""
        self._loop.run(self._client.aclose())
        self._loop.close()


# --- pages ------------------------------------------------------------------------------------------------


def _pages(place: Place, seed: str) -> list[Figure]:
    draw = random.Random(seed)
    with ExitStack() as stack:
        desk = stack.enter_context(open_desk(place.store, place.key))
        people = stack.enter_context(People.open(place.key.with_name("pages.db"), clock=ManualClock(NOW)))
        if not people.has_owner():
            people.create_owner("管理者", "bench-only-29-asa", author=CONSOLE.reference)
        secret, _ = people.make_token(CONSOLE, "pages", Role.SUPERVISOR)
        visitor = _Visitor(create_desk_app(desk, people, settings=desk.settings), secret)
        stack.callback(visitor.close)
        raw = stack.enter_context(desk.database.reading())
        numbers = [row[0] for row in raw.execute(text("SELECT number FROM desk_case"))]
        chosen = draw.sample(numbers, PAGES + 1)
        lists = [f"/?page={draw.randrange(1, 20)}" for _ in range(PAGES + 1)]
        return [
            _figure("the worklist", place, [_raced(visitor, raw, page, _rows_of_list) for page in lists][1:]),
            _figure(
                "the page of a case", place,
                [_raced(visitor, raw, f"/case/{number}", _rows_of(number)) for number in chosen][1:],
            ),
        ]  # fmt: skip


def _raced(
    visitor: _Visitor, raw: Connection, address: str, rows: Callable[[Connection], int]
) -> tuple[float, float]:
    """Seconds of the page, and of its bare rows."""
    start = perf_counter()
    status = visitor.status_of(address)
    middle = perf_counter()
    rows(raw)
    end = perf_counter()
    if status != 200:
        raise SystemExit(f"{address}: {status}")
    return middle - start, end - middle


def _rows_of_list(raw: Connection) -> int:
    return len(raw.execute(_LIST).fetchall())


def _rows_of(number: str) -> Callable[[Connection], int]:
    return lambda raw: sum(len(raw.execute(one, {"number": number}).fetchall()) for one in _CASE)


def _figure(what: str, place: Place, times: Sequence[tuple[float, float]]) -> Figure:
    ours, bare = [one for one, _ in times], [other for _, other in times]
    return Figure(
        what=f"desk, {what}; {CASES:,} cases and {POINTS:,} supply points on {place.kind}",
        ours=f"{1000 * median(ours):.0f} ms, p95 {1000 * _p95(ours):.0f} ms",
        baseline=f"{1000 * median(bare):.1f} ms",
        ratio=ratio_of_rounds(ours, bare),
        note=f"{len(ours)} pages as a supervisor sees them, asked of the application in this process: "
        "rights, rows, unsealed names, markup. Baseline: the bare rows by SELECT, fetched and not looked at.",
    )


def _p95(times: Sequence[float]) -> float:
    return quantiles(times, n=20, method="inclusive")[-1]


# --- the import -------------------------------------------------------------------------------------------


def _import(folder: Path, seed: str) -> Figure:
    prefix = sample_settings().area_prefixes[0]
    data = points_file(seed, prefix)
    with open_desk(folder / "imported.db", folder / "desk.key") as desk:
        start = perf_counter()
        report = imported(desk, data)
        ours = perf_counter() - start
        again = perf_counter()
        same = imported(desk, data).same
        again = perf_counter() - again
    if (report.new, same) != (POINTS, POINTS):
        raise SystemExit(f"{report.new:,} and {same:,} of {POINTS:,} supply points were taken")
    bare = _bare_import(folder, data)
    with postgres() as url, open_desk(url, folder / "desk.key") as desk:
        start = perf_counter()
        imported(desk, data)
        server = perf_counter() - start
    return Figure(
        what=f"desk, {POINTS:,} supply points brought in from CSV",
        ours=f"{ours:.1f} s on SQLite, {server:.1f} s on PostgreSQL",
        baseline=f"{bare:.1f} s",
        ratio=ours / bare,
        note="Read, checked row by row, compared with what is there, written; the ratio is that of SQLite. "
        f"The same file once more, which changes nothing: {again:.1f} s. Baseline: the lines split and "
        "handed to executemany of the same table in SQLite, one transaction, nothing checked or compared.",
    )


def _bare_import(folder: Path, data: bytes) -> float:
    with open_desk(folder / "bare.db", folder / "desk.key"):
        pass
    start = perf_counter()
    with closing(sqlite3.connect(folder / "bare.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO desk_supply_point (number, postal_code, municipality, street, voltage, contract_kw, "
            "supply, contract_from, place_key, meter_type, changed_by, changed_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 'system', 0)",
            (
                (*cells[:7], cells[8], cells[2] + cells[3])
                for cells in (line.split(",") for line in data.decode().splitlines()[1:])
            ),
        )
        connection.execute("COMMIT")
    return perf_counter() - start


if __name__ == "__main__":
    print(json.dumps([figure.cells() for figure in measure("by hand")], ensure_ascii=False, indent=1))
