"""The meter on the wire: bytes computed by hand, selectors, refusals, maps, announcements."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from emulated import CONTROLLER, METER, START, plain_spec, scene

from koatsu.clock import JST
from koatsu.devices import Access, Record, Special, Value
from koatsu.echonet import NODE_PROFILE, Esv
from koatsu.emulator.loads import ConstantLoad
from koatsu.emulator.meter_object import MeterObject
from koatsu.emulator.model import MeterModel
from koatsu.emulator.plan import MeterPlan
from koatsu.emulator.spec import METER_CLASSES, MeterSpec, Role
from koatsu.errors import UsageError
from koatsu.node import NoAnswerError, Peer


def meter(**changes: object) -> MeterObject:
    model = MeterModel(plain_spec(**changes), ConstantLoad(300, 90), START)
    return MeterObject(model, lambda: START)


def value(one: MeterObject, name: str) -> Value:
    definition = one.device.property(name)
    data = one.get(definition.epc)
    assert data is not None, f"{name} is not answered"
    return definition.decode(data)


def property_map(one: MeterObject, name: str) -> frozenset[int]:
    codes = value(one, name)
    assert isinstance(codes, frozenset)
    return codes


@pytest.mark.parametrize("code", METER_CLASSES)
def test_everything_required_is_answered(code: int) -> None:
    one = meter(class_code=code)
    maps = {name: property_map(one, name) for name in ("get_map", "set_map", "announce_map")}
    for definition in one.device.properties:
        data = one.get(definition.epc)
        if definition.get is Access.REQUIRED:
            assert data is not None, f"{definition.name} is required"
        if data is not None:
            definition.decode(data)
        assert (definition.epc in maps["get_map"]) == (data is not None), definition.name
        if definition.set is Access.REQUIRED:
            assert definition.epc in maps["set_map"], definition.name
        if definition.inf is Access.REQUIRED:
            assert definition.epc in maps["announce_map"], definition.name


@pytest.mark.parametrize("code", METER_CLASSES)
def test_every_metering_property_of_the_class_can_be_offered(code: int) -> None:
    one = meter(class_code=code)
    of_super_class = {"identification", "fault_description", "facility", "product_code"}
    missing = {row.name for row in one.device.properties if one.get(row.epc) is None} - of_super_class
    assert not {
        name for name in missing if name.startswith(("energy", "reactive", "demand")) and name[-1] != "n"
    }


async def test_present_energy_in_bytes() -> None:
    async with scene() as stage:
        answer = await stage.ask("energy_now")
        # 2026-07-15 10:10:00; from 23:30 two days before: 34 h 40 min at 300 kW are 10,400 kWh, 17,333 counts
        assert list(answer.values.values()) == [bytes.fromhex("07EA 070F 0A0A00 000043B5")]


async def test_scale_in_bytes() -> None:
    async with scene(spec={"multiplier": Decimal("0.1"), "energy_digits": 7, "fixed_day": 21}) as stage:
        answer = await stage.ask("coefficient", "multiplier", "energy_digits", "energy_unit", "fixed_day")
        assert b" ".join(answer.values.values()) == b"\0\0\2\x58 \1 \7 \3 \x15"


async def test_set_then_get_a_day() -> None:
    async with scene() as stage:
        assert await stage.write("history_day", 1)
        answer = await stage.ask("energy_history")
        (data,) = answer.values.values()
        assert data == b"\0\1" + b"".join((250 * slot).to_bytes(4, "big") for slot in range(1, 49))
        demand = await stage.record("demand_history")
        assert demand["day"] == 1
        assert demand["normal"] == (500,) * 48
        reactive = await stage.record("reactive_history")
        # 45 kvarh a slot from 08:00 to 22:00 are 75 counts, 28 times; before 08:00 the day begins at nought
        assert reactive["normal"] == (*[0] * 16, *[75 * n for n in range(29)], *[2100] * 3)


async def test_nothing_set_means_today() -> None:
    async with scene() as stage:
        assert await stage.read("history_day") is Special.UNSET
        today = await stage.record("energy_history")
        assert today["day"] is Special.UNSET
        assert today["normal"] == (*[12_250 + 250 * slot for slot in range(21)], *[Special.NO_DATA] * 27)


async def test_days_without_data_and_days_that_cannot_be() -> None:
    async with scene() as stage:
        assert await stage.write("history_day", 99)
        assert (await stage.record("energy_history"))["normal"] == (Special.NO_DATA,) * 48
        one = stage.site.objects[0]
        epc = one.device.property("history_day").epc
        for refused in ("64", "FE", "FF", "0001"):
            answer = await stage.controller.set(Peer(METER), one.eoj, [(epc, bytes.fromhex(refused))])
            assert answer.frame.esv is Esv.SETC_SNA
        assert await stage.read("history_day") == 99


async def test_unknown_and_unsettable_properties_are_refused() -> None:
    async with scene(spec={"omit": frozenset({"energy_pf_now"})}) as stage:
        answer = await stage.ask("energy_unit", "energy_pf_now", "energy_digits")
        assert answer.frame.esv is Esv.GET_SNA
        assert [len(data) for _, data in answer.frame.properties] == [1, 0, 1]
        assert not await stage.write("fixed_day", 3)
        assert await stage.write("location", b"\x08")


def test_only_optional_properties_may_be_left_out() -> None:
    with pytest.raises(UsageError, match="energy_now of class 0x028A is required"):
        meter(omit=frozenset({"energy_now"}))
    with pytest.raises(UsageError, match="no property 'energy_tomorrow'"):
        meter(omit=frozenset({"energy_tomorrow"}))


async def test_minutes_run_back_from_the_selected_moment() -> None:
    async with scene(spec={"class_code": 0x028F}) as stage:
        at = START - timedelta(minutes=1)
        assert await stage.write("minutes_selector", {"at": at, "segments": 3})
        history = await stage.record("energy_minutes_history")
        assert (history["at"], history["segments"]) == (at, 3)
        # 5 kWh a minute: 10,395 kWh at 10:09, then 10,390 and 10,385, in counts of 0.6 kWh
        assert history["rows"] == tuple(Record(normal=count, reverse=0) for count in (17_325, 17_316, 17_308))
        assert await stage.write("minutes_selector", {"at": at - timedelta(days=9), "segments": 1})
        rows = (await stage.record("energy_minutes_history"))["rows"]
        assert rows == (Record(normal=Special.NO_DATA, reverse=Special.NO_DATA),)
        minute = await stage.record("energy_minute")
        assert (minute["at"], minute["normal"]) == (START, 17_333)
        assert await stage.read("power_now") == 300_000


async def test_half_hours_of_a_low_voltage_meter() -> None:
    async with scene(spec={"class_code": 0x0288}) as stage:
        at = datetime(2026, 7, 15, 9, 30, tzinfo=JST)
        assert await stage.write("slots_selector", {"at": at, "segments": 2})
        history = await stage.record("energy_slots_history")
        # 09:30 is the 68th half hour since 23:30 two days before
        assert history["rows"] == (Record(normal=68 * 250, reverse=0), Record(normal=67 * 250, reverse=0))
        assert await stage.read("energy_now") == 17_333


async def test_the_half_hour_is_announced() -> None:
    async with scene() as stage:
        one = stage.site.objects[0]
        assert [heard.eoj for heard in stage.heard] == [NODE_PROFILE], "the start-up announcement"
        stage.heard.clear()
        stage.pass_time(minutes=20, seconds=19)
        await stage.network.settled()
        assert stage.heard == []
        stage.pass_time(seconds=1)
        await stage.network.settled()
        (told,) = stage.heard
        assert told.frame.esv is Esv.INF
        assert told.frame.deoj == NODE_PROFILE
        decoded = {
            one.device.property(epc).name: one.device.decode(epc, data) for epc, data in told.values.items()
        }
        at = datetime(2026, 7, 15, 10, 30, tzinfo=JST)
        assert decoded == {
            "energy_slot": Record(at=at, normal=70 * 250),
            "demand_slot": Record(at=at, normal=500),
            "reactive_slot": Record(at=at, normal=2100 + 5 * 75),
        }


async def test_the_half_hour_is_announced_with_receipt() -> None:
    async with scene(confirm_to=Peer(CONTROLLER)) as stage:
        stage.heard.clear()
        stage.pass_time(minutes=21)
        await asyncio.sleep(0)  # the announcement waits for its receipt in a task of its own
        await stage.network.settled()
        assert [heard.frame.esv for heard in stage.heard] == [Esv.INFC]
        assert stage.network.counters.sent == 3, "the start-up announcement, INFC, its receipt"


async def test_several_meters_on_one_terminal() -> None:
    meters = (
        MeterPlan(spec=plain_spec()),
        MeterPlan(spec=plain_spec(role=Role.SELL, serial="KS0000000001")),
        MeterPlan(spec=plain_spec(class_code=0x028D, serial="KC0000000001"), share=0.5),
    )
    async with scene(meters=meters) as stage:
        assert [str(one.eoj) for one in stage.site.objects] == ["0x028A01", "0x028A02", "0x028D01"]
        sold = value(stage.site.objects[1], "energy_now")
        assert isinstance(sold, Record)
        assert sold["normal"] == 0
        assert value(stage.site.objects[2], "power_now") == 150_000


async def test_a_terminal_takes_its_time() -> None:
    async with scene(answer_delay_s=0.1) as stage:
        with pytest.raises(NoAnswerError):
            await stage.ask("energy_now")
    async with scene(answer_delay_s=0.1, quick=False) as stage:
        assert (await stage.ask("energy_now")).elapsed_s >= 0.1


def test_a_meter_is_made_when_it_is_first_read() -> None:
    made: list[MeterModel] = []

    def make() -> MeterModel:
        made.append(MeterModel(MeterSpec(history_days=0), ConstantLoad(1), START))
        return made[-1]

    one = MeterObject(make, lambda: START, spec=MeterSpec(history_days=0))
    assert value(one, "maker") == b"\xff\xff\xff"
    assert made == []
    value(one, "energy_now")
    value(one, "energy_now")
    assert len(made) == 1
    with pytest.raises(UsageError, match="one of its own class"):
        one.replace_model(MeterModel(MeterSpec(class_code=0x028F, history_days=0), ConstantLoad(1), START))
