"""A month and a year of a site as the page asks for them, with years stored, against the bare SELECT.

What is measured is the view that page, API and export share, in this process: no markup, no HTTP.
The baseline fetches the rows that the answer rests on (counts and demands of the period, and of the eleven
months before for the twelve-month rule) with one range SELECT a table, and looks at none. "Made anew" is a
store whose kept totals were thrown away before each question: every day is made from its counts and judged.
A hundred sites have two years each, since a year of figures rests on 23 months; twelve of them are asked.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

from benchmarks.figure import Figure, ratio_of_rounds
from benchmarks.stored import fill

from koatsu.clock import JST
from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.period_views import month_view, year_view
from koatsu.ems.store import Store
from koatsu.ems.views import now_view

NOW = datetime(2026, 7, 28, 4, 17, tzinfo=UTC)
TEN_YEARS, TWO_YEARS, SITES = 3_652, 730, 100
ASKED = 12  # sites
WARM, COLD = 36, 5
FIXED_DAY = 16
SELECTS = (
    "SELECT instant, count, source, received FROM reading "
    "WHERE epoch = ? AND register = 'energy' AND instant BETWEEN ? AND ?",
    "SELECT start, count, source, received FROM demand "
    "WHERE epoch = ? AND direction = 'normal' AND start BETWEEN ? AND ?",
)


@dataclass(frozen=True, slots=True)
class Question:
    """What a page asks of one meter, and the days of counts behind the answer."""

    name: str
    ask: Callable[[Store, str], object]
    first: date
    last: date


def measure(seed: str) -> list[Figure]:
    """Ten years of one site, then a hundred sites."""
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder, "one.db"), Path(folder, "many.db")
        rows = fill(one, {"main": TEN_YEARS}, reactive="main", seed=seed)
        how = f"one site, ten years stored ({rows:,} counts and demands in three registers)"
        found = _figures(one, ["main"], how, cold=True)
        sites = {f"site-{number:03}": TWO_YEARS for number in range(SITES)}
        rows = fill(many, sites, seed=seed)
        how = f"{SITES} sites, {TWO_YEARS} days each ({rows:,} counts and demands in two registers)"
        return found + _figures(many, list(sites)[:: SITES // ASKED], how, cold=False)


def _questions() -> Iterator[Question]:
    today = NOW.astimezone(JST).date()
    span = MonthSpan.of(today)
    yield Question("a month", lambda store, meter: month_view(store, meter, today, NOW), span.first, today)
    start = MonthSpan.of(today, FIXED_DAY).moved(-22)
    yield Question("a year", lambda store, meter: year_view(store, meter, NOW), start.first, today)
    since = MonthSpan.of(today, FIXED_DAY)
    yield Question("the present", lambda store, meter: now_view(store, meter, NOW), since.first, today)


def _figures(path: Path, meters: list[str], how: str, *, cold: bool) -> list[Figure]:
    found = []
    raw = sqlite3.connect(path, isolation_level=None)
    keys = dict(raw.execute("SELECT meter, id FROM epoch").fetchall())
    with Store.open(path) as store:
        for question in _questions():
            warm = [meters[number % len(meters)] for number in range(WARM)]
            for meter in dict.fromkeys(warm):
                question.ask(store, meter)
            times = [_raced(question, store, raw, keys, one) for one in warm]
            found.append(_figure(question, how, "kept", list(times)))
            if cold:
                times.clear()
                for _ in range(COLD):
                    raw.execute("DELETE FROM day_total")
                    times.append(_raced(question, store, raw, keys, meters[0]))
                found.append(_figure(question, how, "made anew", times))
    raw.close()
    return found


def _raced(
    question: Question, store: Store, raw: sqlite3.Connection, keys: dict[str, int], meter: str
) -> tuple[float, float, int]:
    """Seconds of the answer, seconds of the bare rows, and how many rows those are."""
    since, until = (
        int(datetime.combine(day, datetime.min.time(), JST).timestamp())
        for day in (question.first, question.last + timedelta(days=1))
    )
    start = perf_counter()
    question.ask(store, meter)
    middle = perf_counter()
    rows = sum(len(raw.execute(select, (keys[meter], since, until)).fetchall()) for select in SELECTS)
    return middle - start, perf_counter() - middle, rows


def _figure(question: Question, how: str, state: str, times: list[tuple[float, float, int]]) -> Figure:
    ours, bare = [one for one, _, _ in times], [other for _, other, _ in times]
    return Figure(
        what=f"{question.name} as the page asks for it, totals of closed days {state}; {how}",
        ours=f"{1000 * median(ours):.1f} ms, p95 {1000 * _p95(ours):.1f} ms",
        baseline=f"{1000 * median(bare):.1f} ms",
        ratio=ratio_of_rounds(ours, bare),
        note="The view in this process, without markup and HTTP. "
        f"{len(times)} alternating questions{', the first of each meter left out' * (state == 'kept')}. "
        f"Baseline: {times[0][2]:,} rows of the same period by one range SELECT a table through the driver, "
        "fetched and not looked at.",
    )


def _p95(times: list[float]) -> float:
    return quantiles(times, n=20, method="inclusive")[-1]
