"""Days on which the desk works: no Saturday, no Sunday, no public holiday of Japan, no day that it is closed.

``closed_days`` come from the settings: "12-29" is closed every year, "2026-08-14" once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

import jpholiday

from koatsu.desk.errors import DeskSettingError
from koatsu.desk.words import Words

__all__ = ["add_business_days", "business_days_between", "is_business_day", "read_closed_days"]

_FORM: Final = re.compile(r"(?a)(?:(\d{4})-)?(\d{2})-(\d{2})")
_LEAP: Final = 2000  #: a year with a 29 February, to check yearly days
_SATURDAY: Final = 5
_LONGEST_REST: Final = 366  #: days in a row without a business day; more is a wrong setting

_Closed = tuple[frozenset[tuple[int, int]], frozenset[date]]


def is_business_day(day: date, closed_days: Collection[str] = ()) -> bool:
    """Whether the desk works on ``day``.

    Raises:
        DeskSettingError: one of ``closed_days`` is no day.
    """
    return _working(closed_days)(day)


def add_business_days(day: date, n: int, closed_days: Collection[str] = ()) -> date:
    """The ``n``-th business day after ``day``, which itself is never counted; before it where ``n`` < 0.

    ``n`` = 0 is ``day`` itself, or the next business day where it is none.

    Raises:
        DeskSettingError: one of ``closed_days`` is no day, or no business day is left.
        OverflowError: the calendar ends before that day.
    """
    works = _working(closed_days)
    if n == 0:
        return day if works(day) else _next(day, 1, works)
    for _ in range(abs(n)):
        day = _next(day, 1 if n > 0 else -1, works)
    return day


def business_days_between(first: date, last: date, closed_days: Collection[str] = ()) -> int:
    """How many business days after ``first`` have begun on ``last``: what :func:`add_business_days` undoes.

    ``first`` is not counted and ``last`` is; below zero where ``last`` lies before ``first``.

    Raises:
        DeskSettingError: one of ``closed_days`` is no day.
    """
    works = _working(closed_days)
    if last >= first:
        return sum(works(first + timedelta(days=at)) for at in range(1, (last - first).days + 1))
    return -sum(works(last + timedelta(days=at)) for at in range((first - last).days))


def read_closed_days(closed_days: Collection[str]) -> _Closed:
    """The days that are closed every year, as (month, day), and those that are closed once.

    Raises:
        DeskSettingError: one of them is no day; so settings are checked when they are read.
    """
    return _read(tuple(closed_days))


@lru_cache(maxsize=64)
def _read(closed_days: tuple[str, ...]) -> _Closed:
    yearly: set[tuple[int, int]] = set()
    once: set[date] = set()
    for text in closed_days:
        found = _FORM.fullmatch(text)
        try:
            if found is None:
                raise ValueError(text)
            year, month, day = found.groups()
            there = date(int(year or _LEAP), int(month), int(day))
        except ValueError:
            raise DeskSettingError(
                Words(f"休業日「{text}」は日付ではありません。", f"The closed day “{text}” is no day."),
                Words(
                    "毎年なら 12-29、その年だけなら 2026-08-14 のように書きます。",
                    "Write 12-29 for every year, 2026-08-14 for one.",
                ),
            ) from None
        if year:
            once.add(there)
        else:
            yearly.add((there.month, there.day))
    return frozenset(yearly), frozenset(once)


def _working(closed_days: Collection[str]) -> Callable[[date], bool]:
    yearly, once = read_closed_days(closed_days)

    def works(day: date) -> bool:
        return (
            day.weekday() < _SATURDAY
            and (day.month, day.day) not in yearly
            and day not in once
            and day not in _holidays(day.year)
        )

    return works


def _next(day: date, step: int, works: Callable[[date], bool]) -> date:
    for _ in range(_LONGEST_REST):
        day += timedelta(days=step)
        if works(day):
            return day
    raise DeskSettingError(
        Words("休業日の設定では、営業日が 1 日もありません。", "The closed days leave no business day."),
        Words("休業日の設定を減らしてください。", "Take some of the closed days out of the settings."),
    )


@lru_cache(maxsize=256)
def _holidays(year: int) -> frozenset[date]:
    """The public holidays of a year, substitute and in-between days included."""
    return frozenset(day for day, _name in jpholiday.year_holidays(year))
