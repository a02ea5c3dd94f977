"""How a meter is asked (rules 3, 5, 7), against a scripted meter: brackets, replacement, partial answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from koatsu.clock import JST
from koatsu.devices import Special, Value, device_class
from koatsu.echonet import Eoj, Frame
from koatsu.ems.collector import DayRead, MeterLink, NotSelectableError, ReplacedError
from koatsu.meter import DemandReading, Reading
from koatsu.node import HostedObject, Network, Node, Peer, RemoteObject, load_profile

METER, OWN = "192.0.2.2", "192.0.2.1"
TABLE = device_class(0x028A)
FAST = load_profile("fast")
DAY = date(2026, 7, 15)


class ScriptedMeter(HostedObject):
    """A meter whose clock shows what the script says, one moment for each time it is asked."""

    def __init__(self, *moments: datetime, **values: Value) -> None:
        statics: dict[str, Value] = {
            "coefficient": 600, "multiplier": Decimal(1), "fixed_day": 1, "serial_number": b"SCRIPTED-001",
            "energy_unit": Decimal("0.001"), "energy_digits": 8,
            "demand_unit": Decimal("0.001"), "demand_digits": 8,
            "energy_now": {"at": datetime(2026, 7, 15, 12, tzinfo=JST), "normal": 5000},
            "energy_slot": {"at": datetime(2026, 7, 15, 12, tzinfo=JST), "normal": 4990},
            "energy_history": {"day": 0, "normal": [0] * 48},
            "demand_history": {"day": 0, "normal": [0] * 48},
            "history_day": 0,
        }  # fmt: skip
        super().__init__(Eoj(0x028A01), statics | values, settable=["history_day"])
        self.moments = list(moments)
        self.before_answer: Callable[[str], object] = lambda name: None
        self.refused: set[str] = set()
        self.largest = 99

    def get(self, epc: int) -> bytes | None:
        name = TABLE.property(epc).name
        self.before_answer(name)
        if name == "energy_now" and self.moments:
            at = self.moments.pop(0) if len(self.moments) > 1 else self.moments[0]
            return TABLE.encode("energy_now", {"at": at, "normal": 5000})
        return None if name in self.refused else super().get(epc)

    def accept(self, name: str, value: Value) -> bool:
        if name in self.refused:
            return False
        counts = [1000 + 10 * slot for slot in range(48)]
        self.update(
            energy_history={"day": value, "normal": counts},
            demand_history={"day": value, "normal": [20] * 48},
        )
        return True


@dataclass
class Scene:
    meter: ScriptedMeter
    link: MeterLink
    asked: list[Frame]

    async def day(self, days_back: int) -> DayRead:
        (read,) = [one async for one in self.link.days([days_back])]
        return read


@asynccontextmanager
async def scene(meter: ScriptedMeter, **profile: Any) -> AsyncIterator[Scene]:
    network = Network(1)
    chosen = replace(FAST, **profile)
    asked: list[Frame] = []
    async with (
        Node(network.attach(METER), chosen, [meter]) as device,
        Node(network.attach(OWN), chosen) as node,
    ):
        device.watch(lambda event, _: asked.append(event.frame) if hasattr(event, "frame") else None)
        link = MeterLink(RemoteObject(node, Peer(METER), meter.eoj), chosen)
        await link.open()
        asked.clear()
        yield Scene(meter, link, asked)


def at(hour: int, minute: int, second: int = 0, *, day: int = 15) -> datetime:
    return datetime(2026, 7, day, hour, minute, second, tzinfo=JST)


async def test_a_day_is_dated_by_the_meters_clock_and_takes_two_exchanges_and_two_dates() -> None:
    async with scene(ScriptedMeter(at(12, 10))) as some:
        read = await some.day(3)
        assert read.problem is None
        assert read.day == DAY - timedelta(days=3)
        readings = [one for one in read.measured if isinstance(one, Reading)]
        assert readings[0].instant == datetime(2026, 7, 12, tzinfo=JST)
        assert [one.count for one in readings] == [1000 + 10 * slot for slot in range(48)]
        assert len(some.asked) == 4


async def test_many_days_take_two_exchanges_each() -> None:
    async with scene(ScriptedMeter(at(12, 10))) as some:
        reads = [one async for one in some.link.days(range(10))]
        assert [one.day for one in reads] == [DAY - timedelta(days=back) for back in range(10)]
        assert len(some.asked) == 2 * 10 + 2


async def test_a_read_across_midnight_is_thrown_away_and_repeated() -> None:
    """Rule 5: between Set and the date read afterwards, yesterday has become another day."""
    meter = ScriptedMeter(at(23, 59, 58), at(23, 59, 59), at(0, 0, 1, day=16), at(0, 0, 2, day=16))
    async with scene(meter) as some:
        read = await some.day(1)
        assert read.problem is None
        assert read.day == DAY


async def test_midnight_between_two_days_shifts_neither() -> None:
    """The bracket of a day is closed by the answer to the next one, not by its own."""
    before = [at(23, 59, 50 + second) for second in range(3)]
    meter = ScriptedMeter(*before, at(0, 0, 1, day=16), at(0, 0, 2, day=16))
    async with scene(meter) as some:
        reads = [one async for one in some.link.days([9, 8, 7, 6])]
        assert all(one.problem is None for one in reads)
        first = reads[0]
        assert first.day == DAY - timedelta(days=9)
        for one in reads:
            labelled = [reading.instant for reading in one.measured if isinstance(reading, Reading)]
            assert one.day is not None
            assert labelled[0] == datetime(one.day.year, one.day.month, one.day.day, tzinfo=JST)
        assert reads[-1].day == DAY + timedelta(days=1) - timedelta(days=6)
        asked = {one.days_back: one.day for one in reads}
        assert asked[7] == DAY + timedelta(days=1) - timedelta(days=7)


async def test_a_clock_that_changes_its_date_each_time_gives_nothing() -> None:
    moments = [at(12, 0, day=1) + timedelta(days=number) for number in range(20)]
    async with scene(ScriptedMeter(*moments)) as some:
        read = await some.day(1)
        assert read.problem is not None
        assert read.day is None
        assert read.measured == ()


@pytest.mark.parametrize(
    "change", [{"coefficient": 1200}, {"serial_number": b"SCRIPTED-002"}], ids=["coefficient", "serial"]
)
async def test_counts_of_another_meter_are_never_taken(change: dict[str, Value]) -> None:
    async with scene(ScriptedMeter(at(12, 10))) as some:
        some.meter.update(**change)
        read = await some.day(1)
        assert isinstance(read.problem, ReplacedError)
        assert read.measured == ()
        for ask in (some.link.now, some.link.present, some.link.closed_slot):
            with pytest.raises(ReplacedError):
                await ask()
        await some.link.open()
        assert (await some.day(1)).problem is None
        assert (await some.link.now()).measured


async def test_a_meter_that_leaves_histories_out_of_a_large_answer_is_asked_for_each() -> None:
    """An SNA may carry some values only; what it left out is asked for alone, from then on at once."""
    meter = ScriptedMeter(at(12, 10))
    async with scene(meter) as some:
        times = {"asked": 0}

        def crowded(name: str) -> None:
            """Left out of the first answer, given when asked for alone."""
            times["asked"] += name == "demand_history"
            meter.refused = {"demand_history"} if times["asked"] == 1 else set()

        meter.before_answer = crowded
        read = await some.day(1)
        assert read.problem is None
        assert sum(isinstance(one, DemandReading) for one in read.measured) == 48
        some.asked.clear()
        assert (await some.day(2)).problem is None
        epc = TABLE.property("demand_history").epc
        sizes = [len(frame.properties) for frame in some.asked if epc in frame.epcs]
        assert sizes == [1], "it is not asked for together again"


async def test_a_day_that_the_meter_refuses_lies_beyond_its_horizon() -> None:
    async with scene(ScriptedMeter(at(12, 10))) as some:
        some.meter.refused = {"history_day"}
        assert isinstance((await some.day(60)).problem, NotSelectableError)


async def test_no_request_asks_for_more_than_the_profile_allows() -> None:
    async with scene(ScriptedMeter(at(12, 10)), max_properties=2) as some:
        assert (await some.day(1)).problem is None
        await some.link.now()
        assert max(len(frame.properties) for frame in some.asked) == 2


async def test_a_meter_without_data_for_a_day_gives_readings_without_counts() -> None:
    async with scene(ScriptedMeter(at(12, 10))) as some:

        def empty(name: str) -> None:
            if name == "energy_history":
                some.meter.update(energy_history={"day": 1, "normal": [Special.NO_DATA] * 48})

        some.meter.before_answer = empty
        read = await some.day(1)
        assert read.elements["energy_history"] == (48, 48)
        assert {one.count for one in read.measured if isinstance(one, Reading)} == {None}


async def test_a_day_of_the_old_meter_is_not_given_out_after_the_new_ones_nameplate() -> None:
    """It was read before the change, and would be kept in the epoch of the new meter."""
    async with scene(ScriptedMeter(at(12, 10))) as some:
        before = await some.link._dated()
        old = await some.link._select(3, before)
        after = await some.link._dated()
        assert some.link._day(old, after).problem is None
        some.meter.update(serial_number=b"SCRIPTED-002")
        await some.link.open()
        assert isinstance(some.link._day(old, after).problem, ReplacedError)
