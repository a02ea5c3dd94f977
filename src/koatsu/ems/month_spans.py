"""Months as runs of days: from the first to the last of a calendar month, or from fixed day to fixed day.

A month is named by the calendar month in which it begins. The fixed day is the day on which the meter closes
its month; a short month that lacks it begins on its last day.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

__all__ = ["MonthSpan"]


@dataclass(frozen=True, slots=True, order=True)
class MonthSpan:
    """The days ``first`` to ``last``, both included, of one month; ``fixed_day`` is 1 for calendar months.

    Raises:
        ValueError: the fixed day is not 1 to 31, or the year is out of the calendar.
    """

    year: int
    month: int
    fixed_day: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.fixed_day <= 31:
            raise ValueError(f"a fixed day is 1 to 31, not {self.fixed_day}")
        date(self.year, self.month, 1)

    @classmethod
    def of(cls, day: date, fixed_day: int = 1) -> Self:
        """The month that ``day`` lies in."""
        here = cls(day.year, day.month, fixed_day)
        return here if day >= here.first else here.moved(-1)

    @property
    def name(self) -> str:
        """The month in which it begins, as ``2026-07``."""
        return f"{self.year:04}-{self.month:02}"

    @property
    def first(self) -> date:
        """The first day."""
        start = date(self.year, self.month, 1)
        following = (start.replace(day=28) + timedelta(days=4)).replace(day=1)
        return start.replace(day=min(self.fixed_day, (following - timedelta(days=1)).day))

    @property
    def last(self) -> date:
        """The last day."""
        return self.moved(1).first - timedelta(days=1)

    def moved(self, months: int) -> Self:
        """So many months later, or earlier.

        Raises:
            ValueError: there is no such year.
        """
        years, month = divmod(self.month - 1 + months, 12)
        return type(self)(self.year + years, month + 1, self.fixed_day)
