"""Leaf codecs of the calendar: date and time of the meter's clock, dates, times of day.

The meter's clock is Japan Standard Time. An impossible date does not fit; all bytes FF mean "never set"
where the type says so. Source: ECHONET device object appendix, data types date, time and date-time.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, Final

from koatsu.clock import JST
from koatsu.devices.errors import MisfitError
from koatsu.devices.leaf import Shape
from koatsu.devices.record import Special, Value

__all__ = ["DateLeaf", "DateTimeLeaf", "TimeLeaf"]

_FIRST: Final = datetime(1, 1, 1, 9, tzinfo=JST)  # earlier moments have no UTC form, so nobody could use them


class DateTimeLeaf(Shape):
    """Year (2 bytes), month, day, hour, minute and, with ``seconds``, second: an aware ``datetime`` in JST.

    Args:
        seconds: 7 bytes with the second, or 6 without.
        minutes: the minutes that are allowed; ``None`` for all.
    """

    __slots__ = ("minutes", "seconds", "unset")

    def __init__(self, *, seconds: bool, minutes: frozenset[int] | None = None) -> None:
        self.seconds = seconds
        self.minutes = minutes
        self.items = 6 if seconds else 5
        self.fmt = "H" + "B" * (self.items - 1)
        self.size = self.items + 1
        self.unset = (0xFFFF, *(0xFF,) * (self.items - 1))

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Value:
        """An aware moment in JST, or ``Special.UNSET``."""
        parts = raw[start : start + self.items]
        year, month, day, hour, minute = parts[:5]
        try:
            moment = datetime(year, month, day, hour, minute, parts[5] if self.seconds else 0, tzinfo=JST)
        except ValueError:
            if parts == self.unset:
                return Special.UNSET
            raise MisfitError("an impossible date and time", offset, self.describe()) from None
        if moment < _FIRST:
            raise MisfitError("a time that UTC cannot express", offset, self.describe())
        if self.minutes is not None and minute not in self.minutes:
            raise MisfitError(f"minute {minute}", offset + 5, self.describe())
        return moment

    def flatten(self, value: object, out: list[Any]) -> None:
        """Any aware moment without a finer part than the form has, or ``Special.UNSET``."""
        if value is Special.UNSET:
            out.extend(self.unset)
            return
        if not isinstance(value, datetime) or value.tzinfo is None or value.utcoffset() is None:
            raise ValueError(f"a date and time with zone is needed, not {value!r}")
        try:
            moment = value.astimezone(JST)
        except OverflowError as error:
            raise ValueError(f"{value} is beyond the calendar of Japan") from error
        if moment < _FIRST:
            raise ValueError(f"{value} cannot be expressed in UTC")
        if moment.microsecond or (not self.seconds and moment.second):
            raise ValueError(f"{value} is finer than a {'second' if self.seconds else 'minute'}")
        if self.minutes is not None and moment.minute not in self.minutes:
            raise ValueError(f"minute {moment.minute} is not allowed: {self.describe()}")
        clock = (moment.hour, moment.minute, moment.second)[: self.items - 3]
        out.extend((moment.year, moment.month, moment.day, *clock))

    def describe(self, lang: str = "en") -> str:
        """The form and the code of "never set"."""
        form = "YYYY MM DD hh mm ss" if self.seconds else "YYYY MM DD hh mm"
        allowed = f" (mm {', '.join(f'{m:02}' for m in sorted(self.minutes))})" if self.minutes else ""
        return f"{form}{allowed}, {'FF' * self.size} {Special.UNSET.label(lang)}"


class DateLeaf(Shape):
    """Year (2 bytes), month, day: a ``date``."""

    __slots__ = ()

    def __init__(self) -> None:
        self.fmt, self.items, self.size = "HBB", 3, 4

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Value:
        """The date."""
        try:
            return date(*raw[start : start + 3])
        except ValueError:
            raise MisfitError("an impossible date", offset, self.describe()) from None

    def flatten(self, value: object, out: list[Any]) -> None:
        """A date that is no moment."""
        if not isinstance(value, date) or isinstance(value, datetime):
            raise ValueError(f"a date is needed, not {value!r}")
        out.extend((value.year, value.month, value.day))

    def describe(self, lang: str = "en") -> str:  # noqa: ARG002 - reads the same in both
        """The form."""
        return "YYYY MM DD"


class TimeLeaf(Shape):
    """Hour and minute of the device's clock: a ``time`` without zone (it belongs to the date beside it)."""

    __slots__ = ()

    def __init__(self) -> None:
        self.fmt, self.items, self.size = "BB", 2, 2

    def build(self, raw: tuple[Any, ...], start: int, offset: int) -> Value:
        """The time of day."""
        try:
            return time(raw[start], raw[start + 1])
        except ValueError:
            raise MisfitError("an impossible time of day", offset, self.describe()) from None

    def flatten(self, value: object, out: list[Any]) -> None:
        """A time of day in whole minutes."""
        if not isinstance(value, time) or value.tzinfo is not None or value.second or value.microsecond:
            raise ValueError(f"a time of day in whole minutes, without zone, is needed, not {value!r}")
        out.extend((value.hour, value.minute))

    def describe(self, lang: str = "en") -> str:  # noqa: ARG002 - reads the same in both
        """The form."""
        return "hh mm"
