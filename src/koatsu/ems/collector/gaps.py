"""Which days of history to read, and in which order (rule 2 of the domain). Pure but for the store's answer.

Today and yesterday come first, then the day nearest to expiry: the oldest that the meter may still hold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from koatsu.ems.store import HistoryRead

__all__ = ["days_wanted", "settled_days"]


def settled_days(
    reads: Iterable[HistoryRead], today: date, properties: Collection[str], *, now: datetime | None = None
) -> set[date]:
    """Closed days whose histories need no further reading.

    A day is settled when each of ``properties`` was read after the day had ended, and each history that was
    read of it either holds every element, or has been read often enough with holes that stay
    (:meth:`HistoryRead.final`). A day read while it was still running is not settled: its evening was
    missing. Neither is one that was read after ``now``, the meter's time: its clock had been set forward.
    """
    final: dict[date, set[str]] = {}
    open_days: set[date] = set()
    for read in reads:
        if read.day < today and read.final() and (now is None or read.read_at <= now):
            final.setdefault(read.day, set()).add(read.property)
        else:
            open_days.add(read.day)
    return {day for day, names in final.items() if names >= set(properties)} - open_days


def days_wanted(today: date, settled: Collection[date], horizon_days: int) -> list[int]:
    """Days back to read, most urgent first.

    Args:
        today: the meter's date.
        settled: days that need no reading.
        horizon_days: how far back the meter may hold data, 0 to 99.
    """
    recent = [back for back in (0, 1) if back <= horizon_days]
    oldest_first = [
        back for back in range(horizon_days, 1, -1) if today - timedelta(days=back) not in settled
    ]
    return [
        *(back for back in recent if back == 0 or today - timedelta(days=back) not in settled),
        *oldest_first,
    ]
