"""A day as a file: exactly the slots that its page shows, in a form that spreadsheets open.

UTF-8 with byte-order mark, lines end in CR LF (RFC 4180), times are ISO 8601 with +09:00, numbers are
plain and exact, and what is not known stays empty.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal

from koatsu.ems.view_models import DayView

__all__ = ["COLUMNS", "day_csv", "day_file_name"]

COLUMNS = (
    "slot_start",
    "slot_end",
    "energy_kwh",
    "demand_kw",
    "start_count",
    "end_count",
    "quality",
    "source",
)


def day_csv(view: DayView) -> bytes:
    """The 48 slots of ``view``, one line each under a line of column names."""
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(COLUMNS)
    for slot in view.slots:
        rows.writerow(
            (
                slot.slot.start_jst.isoformat(),
                slot.slot.end_jst.isoformat(),
                _plain(slot.energy_kwh),
                _plain(slot.demand_kw),
                _plain(slot.start_count),
                _plain(slot.end_count),
                str(slot.state),
                slot.source or "",
            )
        )
    return text.getvalue().encode("utf-8-sig")


def day_file_name(view: DayView) -> str:
    """``koatsu_<meter>_<date>.csv`` with nothing in it that a file system or a header could trip over."""
    meter = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in view.meter.id)
    return f"koatsu_{meter}_{view.day.isoformat()}.csv"


def _plain(value: Decimal | int | None) -> str:
    return "" if value is None else format(value, "f" if isinstance(value, Decimal) else "d")
