"""Scenario files, options, and a whole emulated site that runs."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from emulated import START

from koatsu.clock import JST, ManualClock, ScaledClock
from koatsu.devices import Record
from koatsu.emulator import EmulatorOptions, Fleet, load_scenario, open_emulator, run_emulator, scenario_names
from koatsu.emulator.agenda import Agenda
from koatsu.emulator.model import Counter
from koatsu.emulator.plan import MeterPlan, SitePlan
from koatsu.emulator.scenarios import parse_scenario
from koatsu.emulator.spec import MeterSpec, Role
from koatsu.errors import ConfigError, UsageError
from koatsu.node import Network, Node, Peer

NAMES = (
    "clock-drift", "counter-wrap", "factory-solar", "factory-weekday", "meter-replacement", "office-summer",
    "outage-night", "school-holiday", "supermarket",
)  # fmt: skip

SMALL = """
title_ja = "小"
title_en = "small"
text_ja = "小さい。"
text_en = "It is small."
start = 2026-07-15T10:10:00+09:00
[site]
kind = "school"
[[meters]]
serial = "KB2800000001"
"""


def test_the_scenarios_that_come_along() -> None:
    assert scenario_names() == NAMES
    with pytest.raises(UsageError, match="no scenario 'flood'"):
        load_scenario("flood")


@pytest.mark.parametrize("name", NAMES)
async def test_each_scenario_runs_through_its_events(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.title("ja") != scenario.title("en")
    assert scenario.text("ja") != scenario.text("en")
    network = Network(1)
    clock = ManualClock(scenario.start)
    links = [network.attach(f"192.0.2.{number + 1}") for number in scenario.plan.terminals]
    options = EmulatorOptions(scenario=name, history_days=1)
    async with open_emulator(options, clock=clock, links=links) as site:
        clock.advance(timedelta(hours=13))
        site.agenda.step()
        for model, hung in zip(site.models, scenario.plan.meters, strict=True):
            assert model.true_now >= site.begun
            assert model.spec.class_code == hung.spec.class_code
        await network.settled()


async def test_the_stories_happen() -> None:
    async def after(name: str, **step: float) -> tuple[MeterSpec, list[int | None], dict[str, object]]:
        scenario = load_scenario(name)
        clock = ManualClock(scenario.start)
        network = Network(1)
        options = EmulatorOptions(scenario=name, history_days=1)
        links = [network.attach("192.0.2.2"), network.attach("192.0.2.3")][: len(scenario.plan.terminals)]
        async with open_emulator(options, clock=clock, links=links) as site:
            clock.advance(timedelta(**step))
            site.agenda.step()
            model = site.models[0]
            return model.spec, model.day_counts(Counter.ENERGY, 0), dict(site.switches.on)

    spec, _, _ = await after("meter-replacement", minutes=40)
    assert (spec.serial, spec.coefficient) == ("KB2800000102", 480)
    _, counts, _ = await after("counter-wrap", minutes=60)
    known = [count for count in counts if count is not None]
    assert max(known) > 999_000
    assert known[-1] < 1_000, "it ran over"
    assert "cable-out" in (await after("outage-night", hours=4))[2]
    assert (await after("outage-night", hours=6))[2].keys() == {"no-data-holes"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[site]", "[site]\ncolour = 1"), "unknown key site.colour"),
        (("[site]", "[sight]"), "unknown key sight"),
        (('serial = "KB2800000001"', "serials = 1"), "unknown key meters\\[1\\].serials"),
        (('kind = "school"', 'kind = "castle"'), "no site profile 'castle'"),
        (('serial = "KB2800000001"', "coefficient = -4"), "coefficient of a meter lies between"),
        (('serial = "KB2800000001"', 'role = "thief"'), "'thief' is not a valid Role"),
        (('serial = "KB2800000001"', "terminal = 2"), "numbered 1, 2"),
        (("start = 2026-07-15T10:10:00+09:00", "start = 2026-07-15T10:10:00"), "without zone"),
        (('title_ja = "小"', ""), "the key 'title_ja' is missing"),
        (('title_ja = "小"', "title_ja = ="), "Invalid value"),
        (("[[meters]]", '[[events]]\nafter = "later"\nfault = "silent"\n[[meters]]'), "not enough values"),
        (("[[meters]]", '[[events]]\nafter = "0:10"\n[[meters]]'), "neither has a fault nor sets the load"),
        (("[[meters]]", '[[events]]\nafter = "0:10"\nfault = "fire"\n[[meters]]'), "no fault 'fire'"),
    ],
)
def test_a_scenario_that_is_wrong(change: tuple[str, str], message: str) -> None:
    assert parse_scenario("small", SMALL).plan.kind == "school"
    with pytest.raises(ConfigError, match=message):
        parse_scenario("small", SMALL.replace(*change, 1))


# --- options --------------------------------------------------------------------------------------


def test_options_change_every_meter_of_a_scenario() -> None:
    options = EmulatorOptions(
        scenario="factory-solar", coefficient=1200, unit_kwh=Decimal("0.01"), digits=6, history_days=3, seed=9
    )
    plan, faults = options.plan()
    assert faults == ()
    assert plan.seed == 9
    for hung in plan.meters:
        spec = hung.spec
        assert (spec.coefficient, spec.energy_unit, spec.energy_digits, spec.history_days) == (
            1200,
            Decimal("0.01"),
            6,
            3,
        )
        assert (spec.demand_unit, spec.demand_digits) == (Decimal("0.01"), 6)
    assert [hung.spec.role for hung in plan.meters] == [Role.BUY, Role.SELL]


def test_options_without_a_scenario() -> None:
    plan, faults = EmulatorOptions(
        meter_class="028F", role="sell", faults=["drop=5"], link_profile="strict"
    ).plan()
    assert plan.solar_kw > 0, "a selling meter has something to sell"
    assert plan.meters[0].spec.class_code == 0x028F
    assert faults[0].value == 5
    clock = EmulatorOptions(start=START, speed=60).clock()
    assert clock.speed == 60
    assert timedelta(0) <= clock.now() - START < timedelta(minutes=10)
    assert EmulatorOptions(scenario="supermarket").clock().now().astimezone(JST).hour == 16


@pytest.mark.parametrize(
    "wrong", [{"role": "thief"}, {"meter_class": "0130"}, {"unit_kwh": Decimal("0.5")}, {"faults": ["fire"]}]
)
def test_wrong_options(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        EmulatorOptions(**wrong).plan()  # type: ignore[arg-type]


def test_plans_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="at least one meter"):
        SitePlan(meters=())
    with pytest.raises(UsageError, match="numbered"):
        SitePlan(meters=(MeterPlan(spec=MeterSpec(), terminal=3),))


async def test_running_over_real_sockets(tmp_path: Path) -> None:
    options = EmulatorOptions(
        listen="127.0.0.62",
        port=36162,
        scenario="factory-solar",
        history_days=1,
        truth=tmp_path / "truth.jsonl",
        pulses="127.0.0.1:0",
        speed=600,
    )
    up = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(run_emulator(options, ready=up.set_result))
    await asyncio.wait({task, up}, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    assert up.done(), task
    await asyncio.sleep(0.3)  # three emulated minutes and more: the loop turns
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    serials = {json.loads(line)["serial"] for line in (tmp_path / "truth.jsonl").read_text().splitlines()}
    assert serials == {"KB2800000101", "KS2800000201"}
    async with open_emulator(
        replace(options, truth=None, pulses=None)
    ) as site:  # every address is free again
        assert [str(terminal.address.host) for terminal in site.terminals] == ["127.0.0.62", "127.0.0.63"]


async def test_the_loop_follows_a_fast_clock() -> None:
    network = Network(1)
    options = EmulatorOptions(history_days=0, start=START)
    async with open_emulator(
        options, clock=ScaledClock(START, 36_000), links=[network.attach("192.0.2.2")]
    ) as site:
        async with asyncio.timeout(10):
            while site.models[0].last_half_hour() is None:
                await asyncio.sleep(0.01)


async def test_an_agenda_keeps_its_order() -> None:
    clock = ManualClock(START)
    agenda = Agenda(clock)
    done: list[tuple[str, datetime]] = []

    def note(name: str, due: datetime) -> None:
        done.append((name, agenda.now()))
        assert agenda.now() == due

    agenda.at(START + timedelta(minutes=2), lambda due: note("second", due))
    agenda.at(START + timedelta(minutes=1), lambda due: note("first", due))
    call_off = agenda.at(START + timedelta(minutes=1), lambda due: note("never", due))
    call_off()
    agenda.step()
    assert done == []
    clock.advance(timedelta(hours=1))
    assert agenda.now() == START + timedelta(hours=1)
    assert done == [("first", START + timedelta(minutes=1)), ("second", START + timedelta(minutes=2))]


# --- a fleet --------------------------------------------------------------------------------------


async def test_a_fleet_answers_from_every_address() -> None:
    network = Network(1)
    clock = ManualClock(START)
    fleet = Fleet(network.attach, clock, count=300, first="127.1.0.250")
    controller = Node(network.attach("127.0.0.1"))
    one = fleet.objects[0]
    epc = one.device.property("energy_now").epc
    clock.advance(timedelta(minutes=30))
    answers = await asyncio.gather(*(controller.get(peer, one.eoj, [epc]) for peer in fleet.peers))
    counts = set()
    for answer in answers:
        value = one.device.decode(epc, answer.values[epc])
        assert isinstance(value, Record)
        counts.add(value["normal"])
    assert len(counts) > 290, "each counts its own"
    assert fleet.peers[6] == Peer("127.1.1.0")
    assert fleet.objects[299].spec.serial == "KF0000000299"
    await controller.close()
    await fleet.close()
    assert len(network.hosts) == 0
    with pytest.raises(UsageError):
        Fleet(network.attach, clock, count=0)
