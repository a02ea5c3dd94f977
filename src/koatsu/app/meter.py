"""One meter for programs that import Koatsu: open it, read it, close it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from koatsu.app import access
from koatsu.app.engineering import Shown
from koatsu.app.exploring import values_of
from koatsu.app.history import HistoryRow, read_days
from koatsu.devices import Value, device_class
from koatsu.errors import KoatsuError
from koatsu.meter import Nameplate
from koatsu.node import LinkProfile, Peer

if TYPE_CHECKING:
    from koatsu.ems.collector.link import MeterLink

__all__ = ["DaySlots", "Meter", "open_meter"]


class DaySlots(tuple[HistoryRow, ...]):
    """The slots of one or more days, in order of time; ``problems`` says what could not be read soundly."""

    problems: tuple[KoatsuError, ...]

    def __new__(cls, rows: Sequence[HistoryRow], problems: Sequence[KoatsuError] = ()) -> DaySlots:
        """Slots with the problems met on the way."""
        made = super().__new__(cls, rows)
        made.problems = tuple(problems)
        return made


class Meter:
    """A meter that is open; :func:`open_meter` gives one."""

    def __init__(self, link: MeterLink) -> None:
        self.link = link

    async def read(self, *names: str) -> tuple[Shown, ...]:
        """Values in engineering units, exact; every readable property when no name is given.

        Args:
            names: property names of the class table, or codes such as ``"E2"``; see ``koatsu spec 028A``.

        Raises:
            NoAnswerError: no answer in the time of the link profile.
            UnknownPropertyError: the class has no such property; nearest names are in the hint.
            DecodeError: the meter sent what the class table does not allow.
        """
        return (await values_of(self.link, names)).values

    async def read_counts(self, *names: str) -> dict[str, Value]:
        """Values as they stand on the wire: counts, codes, records; refused properties are absent.

        Raises:
            NoAnswerError: no answer.
            DecodeError: the meter sent what the class table does not allow.
        """
        return await self.link.remote.read(*names)

    async def nameplate(self) -> Nameplate:
        """Serial number, scales, digits, fixed day.

        Raises:
            NoAnswerError: no answer.
        """
        return await self.link.open()

    async def history(self, first: int, last: int | None = None) -> DaySlots:
        """The slots of the days ``first`` to ``last`` back; 0 is the meter's today, 99 the farthest.

        Raises:
            NoAnswerError: the meter fell silent.
            ValueError: the days are out of range.
        """
        until = first if last is None else last
        if not 0 <= first <= until <= 99:
            raise ValueError(f"days back are 0 to 99, not {first} to {until}")
        report = await read_days(self.link, first, until)
        return DaySlots(report.rows, report.problems)


@asynccontextmanager
async def open_meter(
    address: str | Peer,
    *,
    class_code: int | str | None = None,
    instance: int = 1,
    profile: str | LinkProfile = "hv-assumed",
    source: str | None = None,
) -> AsyncIterator[Meter]:
    """Open the meter at ``address``; everything is closed when the block ends.

    Args:
        address: of the transmission terminal, ``"192.0.2.10"`` or ``"fe80::1%eth0"``.
        class_code: ``"028A"``, ``"028F"``, ``"0288"`` or ``"028D"``; found out when not given.
        instance: which of several meters of that class, 1 to 127.
        profile: timers and limits: the name of a link profile, or one.
        source: our own address; the route decides when not given.

    Raises:
        UnreachableError: no route, port 3610 taken, or no answer.
        NoMeterError: an answer, but no such meter.
    """
    code = device_class(class_code).code if class_code is not None else None
    async with access.open_meter(
        address, class_code=code, instance=instance, profile=profile, source=source
    ) as link:
        yield Meter(link)
