"""Day histories of one meter as slots: read, turned into energies and demands, written as CSV, JSON, Parquet.

Columns: slot_start, slot_end, energy_kwh, demand_kw, start_count, end_count, quality, source. Times are
ISO 8601 in JST. The CSV carries a byte-order mark, so that spreadsheets show Japanese as it is.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from koatsu.app.access import open_meter
from koatsu.app.holding import check_free
from koatsu.ems.slot_columns import COLUMNS, slot_cells, slot_lines
from koatsu.errors import KoatsuError, UsageError
from koatsu.meter import (
    HALF_HOUR,
    Conflict,
    DemandReading,
    Nameplate,
    Reading,
    Register,
    Slot,
    difference,
    slots_of_day,
)
from koatsu.node import Peer, RefusedError

if TYPE_CHECKING:
    from koatsu.ems.collector.link import MeterLink

__all__ = [
    "COLUMNS",
    "FORMATS",
    "HistoryReport",
    "HistoryRow",
    "read_days",
    "read_history",
    "rows_of",
    "write_history",
]

FORMATS: Final = ("csv", "json", "parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryRow:
    """One slot; ``None`` is what the meter does not tell."""

    slot: Slot
    energy_kwh: Decimal | None
    demand_kw: Decimal | None
    start_count: int | None
    end_count: int | None
    quality: str
    source: str

    def cells(self) -> tuple[str, ...]:
        """The columns as exact text."""
        counts = (self.start_count, self.end_count)
        return slot_cells(self.slot, self.energy_kwh, self.demand_kw, counts, self.quality, self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryReport:
    """What a reading of several days gave: slots in order of time, and what went wrong."""

    rows: tuple[HistoryRow, ...]
    problems: tuple[KoatsuError, ...]
    nameplate: Nameplate


async def read_history(
    address: str,
    first: int,
    last: int,
    *,
    class_code: int | None = None,
    instance: int = 1,
    profile: str = "hv-assumed",
    source: str | None = None,
    on_day: Callable[[], object] = lambda: None,
) -> HistoryReport:
    """Read the days ``first`` to ``last`` back (0 is the meter's today) from the meter at ``address``.

    The day after the last one is asked for too where there is one: its first counter ends the last slot.

    Raises:
        MeterHeldError: a running EMS collects from this meter.
        UnreachableError: no route, port taken, no answer.
        NoMeterError: an answer, but no such meter.
    """
    peer = Peer.parse(address)
    check_free(peer)
    async with open_meter(
        peer, class_code=class_code, instance=instance, profile=profile, source=source
    ) as link:
        return await read_days(link, first, last, on_day=on_day)


async def read_days(
    link: MeterLink, first: int, last: int, *, on_day: Callable[[], object] = lambda: None
) -> HistoryReport:
    """Read days of a meter that is open already; ``on_day`` is called after each.

    Raises:
        NoAnswerError: the meter fell silent.
    """
    counts: dict[datetime, int | None] = {}
    demands: dict[Slot, int | None] = {}
    problems: list[KoatsuError] = []
    slots: list[Slot] = []
    until: datetime | None = None
    plate = await link.open()
    warning: KoatsuError | None
    try:
        warning = await link.check_alignment()
    except RefusedError as error:  # today's history cannot be used; other days may
        warning = error
    if warning:
        problems.append(warning)
    async for read in link.days(range(max(0, first - 1), last + 1)):
        if read.days_back >= first:
            on_day()
            if read.problem:
                problems.append(read.problem)
            if read.day:
                slots += slots_of_day(read.day)
        until = max(filter(None, (until, read.meter_time)), default=None)
        for one in read.measured:
            if isinstance(one, Reading) and one.register is Register.ENERGY:
                counts[one.instant] = one.count
            elif isinstance(one, DemandReading) and one.direction == "normal":
                demands[one.slot] = one.count
    known = [slot for slot in sorted(slots) if _has_ended(slot, counts, until)]
    rows = rows_of(known, counts, demands, plate)
    return HistoryReport(rows=rows, problems=tuple(problems), nameplate=plate)


def _has_ended(slot: Slot, counts: dict[datetime, int | None], until: datetime | None) -> bool:
    """Whether the slot is over: by the counts that are there, else by the meter's clock."""
    return slot.end in counts or (until is not None and slot.end <= until)


def rows_of(
    slots: Sequence[Slot],
    counts: dict[datetime, int | None],
    demands: dict[Slot, int | None],
    plate: Nameplate,
) -> tuple[HistoryRow, ...]:
    """The slots from counts at half hours and the meter's own demands."""
    rows = []
    for slot in slots:
        start, end = counts.get(slot.start), counts.get(slot.end)
        energy, quality = None, "unavailable"
        if start is not None and end is not None:
            step = difference(
                start,
                end,
                digits=plate.energy_digits,
                scale=plate.energy_scale,
                span=HALF_HOUR,
                ceiling_kw=None,
            )
            if isinstance(step, Conflict):
                quality = "conflict"
            else:
                energy, quality = step.value, "recovered"
        said = demands.get(slot)
        demand = plate.demand_scale.apply(said) if said is not None and plate.demand_scale else None
        if demand is None and energy is not None:
            demand = energy * 2
        rows.append(
            HistoryRow(
                slot=slot, energy_kwh=energy, demand_kw=demand, start_count=start, end_count=end,
                quality=quality, source="history",
            )
        )  # fmt: skip
    return tuple(rows)


def write_history(report: HistoryReport, form: str, output: Path | None) -> None:
    """Write the slots as ``form`` to ``output`` or to standard output.

    Raises:
        UsageError: the parquet library is not installed, or the file cannot be written.
    """
    try:
        if form == "parquet":
            _parquet(report, output)
        elif output is None:
            sys.stdout.write(_csv(report) if form == "csv" else _json(report))
        elif form == "csv":
            output.write_text(_csv(report), encoding="utf-8-sig", newline="")
        else:
            output.write_text(_json(report), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}.",
            ja=f"{output} に書き込めません({error.strerror})。",
        ) from error


def _csv(report: HistoryReport) -> str:
    return slot_lines([COLUMNS, *(row.cells() for row in report.rows)])


def _json(report: HistoryReport) -> str:
    rows: list[dict[str, Any]] = [
        {name: cell or None for name, cell in zip(COLUMNS, row.cells(), strict=True)} for row in report.rows
    ]
    return json.dumps({"units": {"energy_kwh": "kWh", "demand_kw": "kW"}, "slots": rows}, indent=2) + "\n"


def _parquet(report: HistoryReport, output: Path | None) -> None:
    try:
        pa, pq = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError(
            "Writing Parquet needs the package pyarrow.",
            ja="Parquet の書き出しには pyarrow が必要です。",
            hint="Install it with: pip install 'koatsu[parquet]'",
            hint_ja="pip install 'koatsu[parquet]' で入ります。",
        ) from None
    rows = report.rows
    decimal = pa.decimal128(30, 9)
    table = pa.table(
        {
            "slot_start": pa.array([row.slot.start for row in rows], pa.timestamp("s", "UTC")),
            "slot_end": pa.array([row.slot.end for row in rows], pa.timestamp("s", "UTC")),
            "energy_kwh": pa.array([row.energy_kwh for row in rows], decimal),
            "demand_kw": pa.array([row.demand_kw for row in rows], decimal),
            "start_count": pa.array([row.start_count for row in rows], pa.int64()),
            "end_count": pa.array([row.end_count for row in rows], pa.int64()),
            "quality": [row.quality for row in rows],
            "source": [row.source for row in rows],
        }
    )
    pq.write_table(table, output)
