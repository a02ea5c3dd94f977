"""The clock half hour (slot, 時限), and which instant an element of a day history means.

A slot is a value of its own, so nobody has to remember which end a bare time names. Slots follow
the meter's clock, in JST, 48 a day. The position-to-instant rules of day histories stand here, once:
the standard says that a history holds the values of 0:00 to 23:30 in order (ECHONET Consortium,
Machine Readable Appendix 1.3.1, release R, notes on the histories of class 0x028F), which is the
default; meters that see it otherwise are told apart by a field of the link profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, Literal, Self

from koatsu.clock import JST, require_aware

__all__ = [
    "HALF_HOUR",
    "SLOTS_PER_DAY",
    "DemandStamp",
    "EnergyFirst",
    "Slot",
    "history_instant",
    "history_slot",
    "is_half_hour",
    "slots_between",
    "slots_of_day",
]

HALF_HOUR: Final = timedelta(minutes=30)
SLOTS_PER_DAY: Final = 48

#: What element 1 of an energy history is: the counter at 00:00 of the day, or at 00:30.
EnergyFirst = Literal["00:00", "00:30"]
#: Which end of its slot the label of a demand history element names; element 1 is labelled 00:00.
DemandStamp = Literal["end", "start"]


def is_half_hour(instant: datetime) -> bool:
    """Whether ``instant`` lies exactly on :00 or :30.

    Raises:
        ValueError: ``instant`` is naive.
    """
    local = require_aware(instant).astimezone(UTC)
    return local.minute in (0, 30) and local.second == 0 and local.microsecond == 0


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """One clock half hour of a JST day; slot 1 is 00:00–00:30, slot 48 is 23:30–24:00.

    Raises:
        ValueError: ``number`` is not 1 to 48, or ``day`` is not a plain date.
    """

    day: date
    number: int

    def __post_init__(self) -> None:
        if isinstance(self.day, datetime) or not isinstance(self.day, date):
            raise ValueError(f"the day of a slot is a date, not {self.day!r}")
        if isinstance(self.number, bool) or not isinstance(self.number, int):
            raise ValueError(f"a slot number is an integer, not {self.number!r}")
        if not 1 <= self.number <= SLOTS_PER_DAY:
            raise ValueError(f"a day has slots 1 to {SLOTS_PER_DAY}, not {self.number}")

    @classmethod
    def at(cls, instant: datetime) -> Self:
        """The slot that contains ``instant``; a border belongs to the slot that starts there.

        Raises:
            ValueError: ``instant`` is naive.
        """
        local = require_aware(instant).astimezone(JST)
        return cls(local.date(), 2 * local.hour + local.minute // 30 + 1)

    @classmethod
    def starting(cls, instant: datetime) -> Self:
        """The slot that starts at ``instant``.

        Raises:
            ValueError: ``instant`` is naive or not on a half hour.
        """
        if not is_half_hour(instant):
            raise ValueError(f"{instant.isoformat()} is not on a half hour, so no slot starts there")
        return cls.at(instant)

    @classmethod
    def ending(cls, instant: datetime) -> Self:
        """The slot that ends at ``instant``.

        Raises:
            ValueError: ``instant`` is naive or not on a half hour.
        """
        if not is_half_hour(instant):
            raise ValueError(f"{instant.isoformat()} is not on a half hour, so no slot ends there")
        return cls.at(instant - HALF_HOUR)

    @property
    def start(self) -> datetime:
        """The first instant of the slot, UTC."""
        return _borders(self.day)[self.number - 1]

    @property
    def end(self) -> datetime:
        """The first instant after the slot, UTC."""
        return _borders(self.day)[self.number]

    @property
    def start_jst(self) -> datetime:
        """The first instant of the slot, JST."""
        return datetime.combine(self.day, time((self.number - 1) // 2, 30 * ((self.number - 1) % 2)), JST)

    @property
    def end_jst(self) -> datetime:
        """The first instant after the slot, JST: 00:00 of the next day for slot 48."""
        return self.start_jst + HALF_HOUR

    @property
    def next(self) -> Slot:
        """The slot that follows."""
        if self.number < SLOTS_PER_DAY:
            return Slot(self.day, self.number + 1)
        return Slot(self.day + timedelta(days=1), 1)

    @property
    def previous(self) -> Slot:
        """The slot before."""
        if self.number > 1:
            return Slot(self.day, self.number - 1)
        return Slot(self.day - timedelta(days=1), SLOTS_PER_DAY)

    @property
    def label(self) -> str:
        """The clock times of the slot for people, such as ``13:00–13:30``; the day ends with ``24:00``."""
        first, last = 30 * (self.number - 1), 30 * self.number
        return f"{first // 60:02}:{first % 60:02}–{last // 60:02}:{last % 60:02}"

    def __str__(self) -> str:
        return f"{self.day.isoformat()} {self.label}"


def slots_of_day(day: date) -> tuple[Slot, ...]:
    """The 48 slots of a JST day, in order."""
    return tuple(Slot(day, number) for number in range(1, SLOTS_PER_DAY + 1))


def slots_between(start: datetime, end: datetime) -> tuple[Slot, ...]:
    """The slots from ``start`` to ``end``, both instants on a half hour; none when they are equal.

    Raises:
        ValueError: an instant is naive or not on a half hour, or ``end`` lies before ``start``.
    """
    slot = Slot.starting(start)
    if not is_half_hour(end) or end < start:
        raise ValueError(f"slots end at a half hour not before {start.isoformat()}, not at {end.isoformat()}")
    count = (end - start) // HALF_HOUR
    found = []
    for _ in range(count):
        found.append(slot)
        slot = slot.next
    return tuple(found)


def history_instant(day: date, element: int, first: EnergyFirst = "00:00") -> datetime:
    """The instant (UTC) of element 1 to 48 of an energy history of ``day``.

    Raises:
        ValueError: ``element`` is not 1 to 48, or ``first`` is not a known alignment.
    """
    if not 1 <= element <= SLOTS_PER_DAY:
        raise ValueError(f"a history has elements 1 to {SLOTS_PER_DAY}, not {element}")
    if first == "00:00":
        return _borders(day)[element - 1]
    if first == "00:30":
        return _borders(day)[element]
    raise ValueError(f'an energy history starts at "00:00" or "00:30", not {first!r}')


def history_slot(day: date, element: int, stamp: DemandStamp = "end") -> Slot:
    """The slot whose demand element 1 to 48 of a demand history of ``day`` holds.

    Elements are labelled 00:00 to 23:30. When the label names the end, element 1 is the last slot
    of the day before.

    Raises:
        ValueError: ``element`` is not 1 to 48, or ``stamp`` is not a known alignment.
    """
    if not 1 <= element <= SLOTS_PER_DAY:
        raise ValueError(f"a history has elements 1 to {SLOTS_PER_DAY}, not {element}")
    if stamp == "end":
        return _slots(day)[element - 1].previous if element == 1 else _slots(day)[element - 2]
    if stamp == "start":
        return _slots(day)[element - 1]
    raise ValueError(f'a demand history is stamped with the "end" or "start" of its slot, not {stamp!r}')


@lru_cache(maxsize=128)
def _slots(day: date) -> tuple[Slot, ...]:
    """The slots of a day, made once for the several histories of it."""
    return tuple(Slot(day, number) for number in range(1, SLOTS_PER_DAY + 1))


@lru_cache(maxsize=128)
def _borders(day: date) -> tuple[datetime, ...]:
    """The 49 instants (UTC) at which slots of a day start or end."""
    start = datetime.combine(day, time(), JST).astimezone(UTC)
    return tuple(start + number * HALF_HOUR for number in range(SLOTS_PER_DAY + 1))
