"""A day as a file: exactly the slots that its page shows, in the form that all slots have outside."""

from __future__ import annotations

from koatsu.ems.exchange import view_lines
from koatsu.ems.slot_columns import COLUMNS, slot_heading
from koatsu.ems.view_models import DayView

__all__ = ["COLUMNS", "day_csv", "day_file_name", "file_part"]


def day_csv(view: DayView) -> bytes:
    """The 48 slots of ``view``, one line each under a line of column names."""
    return slot_heading() + view_lines(view.slots)


def day_file_name(view: DayView) -> str:
    """``koatsu_<meter>_<date>.csv`` with nothing in it that a file system or a header could trip over."""
    return f"koatsu_{file_part(view.meter.id)}_{view.day.isoformat()}.csv"


def file_part(text: str) -> str:
    """``text`` with a hyphen for everything but ASCII letters and digits, for names of files."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text)
