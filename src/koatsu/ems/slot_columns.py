"""The columns in which slots leave this program as CSV: one form for commands, pages and files.

UTF-8 with byte-order mark, lines end in CR LF (RFC 4180), times are ISO 8601 with +09:00, numbers are plain
and exact, and what is not known stays empty.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from koatsu.meter.quantity import plain
from koatsu.meter.slots import Slot

__all__ = ["COLUMNS", "slot_cells", "slot_heading", "slot_lines"]

COLUMNS: Final = (
    "slot_start",
    "slot_end",
    "energy_kwh",
    "demand_kw",
    "start_count",
    "end_count",
    "quality",
    "source",
)


def slot_cells(
    slot: Slot,
    energy_kwh: Decimal | None,
    demand_kw: Decimal | None,
    counts: tuple[int | None, int | None],
    quality: str,
    source: str,
) -> tuple[str, ...]:
    """The columns of one slot as exact text."""
    return (
        slot.start_jst.isoformat(),
        slot.end_jst.isoformat(),
        *("" if value is None else plain(value) for value in (energy_kwh, demand_kw)),
        *("" if count is None else str(count) for count in counts),
        quality,
        source,
    )


def slot_heading() -> bytes:
    """The byte-order mark and the line of column names: how every file begins."""
    return slot_lines([COLUMNS]).encode("utf-8-sig")


def slot_lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells as lines of CSV."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()
