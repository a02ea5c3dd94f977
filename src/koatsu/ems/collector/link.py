"""One meter, asked in the terms of metering: nameplate, present values, closed slot, days of history.

It knows how to ask (Set then Get, brackets, partial answers, alignment) and leaves when to ask to the
collector. Rules 3, 5 and 7 of the domain are kept here. It stores nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from koatsu.clock import JST, Clock, SystemClock
from koatsu.devices import Value
from koatsu.echonet import DecodeError
from koatsu.ems.collector.alignment import demand_stamp, energy_first
from koatsu.ems.collector.results import DayRead, NotSelectableError, ReplacedError, Sample
from koatsu.errors import KoatsuError
from koatsu.meter import (
    DatedHistory,
    DayHistory,
    DemandStamp,
    EnergyFirst,
    Measured,
    MeterTime,
    Nameplate,
    Refusal,
    Source,
    bracket_around,
    meter_time,
)
from koatsu.meter.from_echonet import MeterKind
from koatsu.node import LinkProfile, RefusedError, RemoteObject

__all__ = ["MeterLink"]

_IDENTITY = ("serial_number", "coefficient")  # asked for with every value: counts of two meters never mix
_TRIES = 3  # a day whose bracket broke (midnight) or that was answered for another day is read again


_UNSOUND = (NotSelectableError, ReplacedError, DecodeError, RefusedError)


@dataclass(frozen=True, slots=True)
class _Raw:
    days_back: int
    before: Mapping[str, Value]
    values: Mapping[str, Value]
    received: datetime
    whole: bool  # in one answer, so that its identity is that of the meter that gave the histories
    meter: int


class MeterLink:
    """A meter behind its terminal.

    Args:
        remote: the meter object.
        profile: the link profile: alignment of the histories, limits.
        clock: what time it is on our side.
    """

    def __init__(self, remote: RemoteObject, profile: LinkProfile, clock: Clock | None = None) -> None:
        self.remote = remote
        self.profile = profile
        self.clock = clock or SystemClock()
        self.kind = MeterKind.of(remote.eoj.class_code)
        self.energy_first: EnergyFirst = profile.energy_history_first
        self.demand_stamp: DemandStamp = profile.demand_history_stamp
        self.statics: dict[str, Value] = {}
        self._nameplate: Nameplate | None = None
        self._offered: frozenset[int] = frozenset()
        self._meters = 1  # so many have been read here: what one gave is never taken for another's
        self.alignment_known = False  #: whether the meter has proved how it counts its elements
        self.stamp_proven = False  #: whether the meter has proved which end of a slot its demands name
        self._together = True  # all histories of a day in one request, until the meter leaves some out

    @property
    def nameplate(self) -> Nameplate:
        """The static values as last read; :meth:`open` reads them.

        Raises:
            RuntimeError: they have not been read.
        """
        if self._nameplate is None:
            raise RuntimeError("open() comes first")
        return self._nameplate

    def trust(self, energy_history_first: str | None, demand_history_stamp: str | None) -> None:
        """Read histories as this meter has proved earlier; as the profile says where it has not.

        It is proved again; what has been proved since :meth:`open` stays.
        """
        if not self.alignment_known:
            kept = [one for one in get_args(EnergyFirst) if one == energy_history_first]
            self.energy_first = kept[0] if kept else self.profile.energy_history_first
        if not self.stamp_proven:
            stamps = [one for one in get_args(DemandStamp) if one == demand_history_stamp]
            self.demand_stamp = stamps[0] if stamps else self.profile.demand_history_stamp

    async def open(self) -> Nameplate:
        """Read the Get map and the static values, again on each call: the meter may have been replaced.

        Raises:
            NoAnswerError: no answer.
            IncompleteNameplateError: what energy cannot be read without is missing.
        """
        self.remote.forget()
        offered = await self.remote.offered()
        names = self.kind.offered(self.kind.static_properties, offered)
        statics = await self.remote.read(*names)
        identity = self.kind.offered(_IDENTITY, offered)
        for _ in range(_TRIES):  # it takes several exchanges: the meter may have been replaced between them
            again = await self.remote.read(*identity)
            if all(again.get(name) == statics.get(name) for name in identity):
                break
            statics = await self.remote.read(*names)
        nameplate = self.kind.nameplate(statics)
        if self._nameplate is not None and self._nameplate.changes(nameplate):
            self.stamp_proven = self.alignment_known = False
            self._together = True
            self._meters += 1
        self._offered, self.statics, self._nameplate = offered, statics, nameplate
        return nameplate

    async def now(self) -> Sample:
        """The present values.

        Raises:
            NoAnswerError: no answer.
            DecodeError: a value is not what the class table says.
        """
        return await self.sample(self._have((*self.kind.live_properties, *self.kind.minute_properties)))

    async def meter_time(self) -> MeterTime | None:
        """What time it is at the meter; ``None`` when it does not tell.

        Raises:
            NoAnswerError: no answer.
            DecodeError: its time is none.
        """
        return meter_time(await self._dated())

    async def present(self) -> Sample:
        """The energy counter alone, with the meter's time: the cheapest poll."""
        return await self.sample(self._have(self.kind.live_properties[:1]))

    async def closed_slot(self) -> Sample:
        """The newest half-hour values and the month's maximum."""
        return await self.sample(self._have((*self.kind.slot_properties, *self.kind.maximum_properties)))

    def announced(self, values: Mapping[int, bytes], received: datetime) -> list[Measured]:
        """What an announcement tells; properties that measure nothing are left out.

        Raises:
            DecodeError: a value is not what the class table says.
        """
        device = self.remote.device
        wanted = {device.property(name).epc for name in self.kind.slot_properties}
        decoded = {
            device.property(epc).name: device.decode(epc, edt) for epc, edt in values.items() if epc in wanted
        }
        return self._measured(decoded, received, Source.NOTIFIED)

    # -- histories ------------------------------------------------------------------------------------------

    async def days(self, wanted: Iterable[int]) -> AsyncGenerator[DayRead, None]:
        """Read day histories one after the other, in two exchanges a day.

        Each request for histories also asks for the meter's time, so the next day's answer closes the
        bracket of this one; one more dated reading closes the last.

        Args:
            wanted: days back, 0 (the meter's today) to 99, in the order wanted; consumed as it goes.

        Yields:
            One result a day, sound or with the problem that made it unsound.

        Raises:
            NoAnswerError: the meter fell silent; what was not yielded was not read.
        """
        before: Mapping[str, Value] = {}
        pending: _Raw | None = None
        for days_back in wanted:
            if not before:
                before = await self._dated()
            try:
                raw = await self._select(days_back, before)
            except _UNSOUND as problem:
                yield DayRead(days_back=days_back, day=None, problem=problem)
                continue
            if pending is not None:
                yield await self._finish(pending, raw.values)
            pending, before = raw, raw.values
        if pending is not None:
            yield await self._finish(pending, await self._dated())

    async def _finish(self, raw: _Raw, after: Mapping[str, Value]) -> DayRead:
        """The day, read again where its bracket broke or another day was answered."""
        for _ in range(_TRIES - 1):
            result = self._day(raw, after)
            if result.problem is None:
                return result
            before = await self._dated()
            try:
                raw = await self._select(raw.days_back, before)
            except _UNSOUND as problem:
                return DayRead(days_back=raw.days_back, day=None, problem=problem)
            after = await self._dated()
        return self._day(raw, after)

    async def _select(self, days_back: int, before: Mapping[str, Value]) -> _Raw:
        """Set the day and read its histories: a pair that nobody else may come between."""
        async with self.remote.selecting:
            try:
                await self.remote.write(**{self.kind.history_selector: days_back})
            except RefusedError as error:
                raise NotSelectableError(
                    f"{self.remote.peer} refuses the history of day {days_back}.",
                    ja=f"{self.remote.peer} は {days_back} 日前の履歴を拒否しました。",
                ) from error
            values, whole = await self._histories()
        return _Raw(days_back, before, values, self.clock.now(), whole, self._meters)

    async def _histories(self) -> tuple[dict[str, Value], bool]:
        histories = self._have(self.kind.history_properties)
        names = (*self._date_names(), *self._have(_IDENTITY), *histories)
        values: dict[str, Value] = {}
        if self._together:
            size = self.profile.max_properties
            for at in range(0, len(names), size):
                values |= await self._read_once(names[at : at + size])
        whole = self._together and len(names) <= size
        missing = [name for name in names if name not in values]
        for name in missing:
            values |= await self._read_once([name])
        if missing and any(name in values for name in missing):
            self._together = False
        if not any(name in values for name in histories):
            raise RefusedError(
                f"{self.remote.peer} gives no day history.", ja=f"{self.remote.peer} は履歴を返しません。"
            )
        self._same_meter(values)
        return values, whole and not missing

    async def _read_once(self, names: Sequence[str]) -> dict[str, Value]:
        device = self.remote.device
        epcs = [device.property(name).epc for name in names]
        answer = await self.remote.once(epcs)
        return {device.property(epc).name: device.decode(epc, edt) for epc, edt in answer.values.items()}

    def _day(self, raw: _Raw, after: Mapping[str, Value]) -> DayRead:
        try:
            self._still(raw.meter)
            if not raw.whole:
                self._same_meter(after)
        except ReplacedError as problem:
            return DayRead(days_back=raw.days_back, day=None, problem=problem)
        bracket = bracket_around(raw.before, after)
        if isinstance(bracket, Refusal):
            return DayRead.unsound(raw.days_back, bracket)
        dated: dict[str, DatedHistory] = {}
        elements: dict[str, tuple[int, int]] = {}
        for name in self._have(self.kind.history_properties):
            if name in raw.values:
                history: DayHistory = self.kind.day_history(name, raw.values[name])
                one = history.dated(asked=raw.days_back, bracket=bracket)
                if isinstance(one, Refusal):
                    return DayRead.unsound(raw.days_back, one)
                dated[name] = one
                elements[name] = (len(history.counts), history.counts.count(None))
        if not self.stamp_proven and (stamp := demand_stamp(dated, self.nameplate, self.energy_first)):
            self.demand_stamp, self.stamp_proven = stamp, True
        measured: list[Measured] = []
        for name in dated:
            measured += self.kind.history_readings(
                name, raw.values[name], asked=raw.days_back, bracket=bracket, received=raw.received,
                nameplate=self.nameplate, energy_first=self.energy_first, demand_stamp=self.demand_stamp,
            )  # fmt: skip
        day = next(iter(dated.values())).day if dated else None
        return DayRead(
            days_back=raw.days_back,
            day=day,
            measured=tuple(measured),
            elements=elements,
            received=raw.received,
            meter_time=bracket.after,
        )

    # -- alignment (rule 7) ---------------------------------------------------------------------------------

    async def check_alignment(self) -> KoatsuError | None:
        """Compare a history with the dated fixed-time value; take over what the meter proves.

        Just after midnight today's history is too short to tell, and yesterday's may.

        Returns:
            A problem to report: the alignment differs from the profile (and was taken over), or fits neither
            way. ``None`` when it agrees or cannot be told; ``alignment_known`` says which.

        Raises:
            NoAnswerError: no answer.
        """
        found = await self._alignment(0)
        at = meter_time(await self._dated())
        if found is None and at is not None and at.stamp.astimezone(JST).hour == 0:
            found = await self._alignment(1)
        if not isinstance(found, str):
            return found
        self.alignment_known = True
        if found == self.energy_first:
            return None
        assumed, self.energy_first = self.energy_first, found
        return KoatsuError(
            f"The first element of an energy history is the counter at {found}, not at {assumed} as the "
            f"profile {self.profile.name} says; the meter is believed.",
            ja=f"履歴の先頭は {found} の指示値です(設定では {assumed})。計器に従います。",
        )

    async def _alignment(self, days_back: int) -> EnergyFirst | KoatsuError | None:
        before = await self._dated()
        raw = await self._select(days_back, before)
        fixed = await self.sample(self._have(self.kind.slot_properties[:1]))
        bracket = bracket_around(before, await self._dated())
        if isinstance(bracket, Refusal) or "energy_history" not in raw.values:
            return None
        history = self.kind.day_history("energy_history", raw.values["energy_history"])
        return energy_first(history.dated(asked=days_back, bracket=bracket), fixed.measured)

    # -- asking ---------------------------------------------------------------------------------------------

    def _have(self, names: Iterable[str]) -> tuple[str, ...]:
        return self.kind.offered(names, self._offered)

    def _date_names(self) -> tuple[str, ...]:
        return self.kind.dated_properties(self._offered)

    async def _dated(self) -> Mapping[str, Value]:
        """The meter's time and what identifies it, in one request where the profile allows as many."""
        return await self.remote.read(*self._date_names(), *self._have(_IDENTITY))

    async def sample(self, names: Sequence[str]) -> Sample:
        """The values of these properties and the identity of the meter, in as few requests as allowed."""
        sent, meter = self.clock.now(), self._meters
        values = await self.remote.read(*names, *self._have(_IDENTITY))
        self._same_meter(values)
        self._still(meter)
        if not any(name in values for name in names):
            raise RefusedError(
                f"{self.remote.peer} refuses every value that it was asked for.",
                ja=f"{self.remote.peer} は求めた値をすべて拒否しました。",
            )
        received = self.clock.now()
        answer = self.remote.last_answer
        return Sample(
            values=values,
            measured=tuple(self._measured(values, received)),
            sent=sent,
            received=received,
            answer_s=answer.elapsed_s if answer else 0.0,
            meter_time=meter_time(values),
        )

    def _same_meter(self, values: Mapping[str, Value]) -> None:
        """Compare what identifies the meter with what :meth:`open` read.

        Raises:
            ReplacedError: it differs.
        """
        for name in _IDENTITY:
            if name in values and name in self.statics and values[name] != self.statics[name]:
                raise ReplacedError(
                    f"{self.remote.peer} now has another {name}: the meter was replaced.",
                    ja=f"{self.remote.peer} の {name} が変わりました。計器が取り替えられています。",
                )

    def _still(self, meter: int) -> None:
        """Check that the nameplate of no other meter has been read since ``meter`` answered.

        Raises:
            ReplacedError: it has.
        """
        if meter != self._meters:
            raise ReplacedError(
                f"{self.remote.peer} was replaced while it was read.",
                ja=f"{self.remote.peer} は読み出し中に取り替えられました。",
            )

    def _measured(
        self, values: Mapping[str, Value], received: datetime, source: Source | None = None
    ) -> list[Measured]:
        found: list[Measured] = []
        for name, value in values.items():
            if name in self.kind.rows:
                found += self.kind.readings(
                    name, value, received=received, source=source, nameplate=self._nameplate
                )
        return found
