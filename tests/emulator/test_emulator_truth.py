"""The truth file and the pulses: what they say, and that they say it again."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from emulated import START, plain_spec, scene
from hypothesis import given, settings
from hypothesis import strategies as st

from koatsu.clock import JST
from koatsu.emulator.faults import parse_fault
from koatsu.emulator.loads import ConstantLoad, SiteLoad
from koatsu.emulator.model import MeterModel
from koatsu.emulator.pulses import PulseOutput, PulseServer
from koatsu.emulator.spec import MeterSpec
from koatsu.emulator.truth import TruthFile
from koatsu.errors import UnreachableError, UsageError


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_a_line_says(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    model = MeterModel(
        plain_spec(history_days=0), ConstantLoad(300, 90), datetime(2026, 7, 15, 10, 0, tzinfo=JST)
    )
    truth = TruthFile(path)
    truth.attach(model)
    assert [line["kind"] for line in lines(path)] == ["meter"]
    assert lines(path)[0]["class"] == "0x028A"
    model.advance_to(START + timedelta(minutes=25))
    truth.close()
    model.advance_to(START + timedelta(minutes=55))
    who = {"serial": "KOATSU-00001", "epoch": 1}
    at = {"instant": "2026-07-15T10:30:00+09:00"}
    assert lines(path)[1:] == [
        {"kind": "register", **who, "register": "energy", **at, "count": 250},
        {"kind": "register", **who, "register": "energy_pf", **at, "count": 250},
        {"kind": "register", **who, "register": "reactive_pf", **at, "count": 75},
        {
            "kind": "demand",
            **who,
            "direction": "normal",
            "slot_start": "2026-07-15T10:00:00+09:00",
            "slot_end": "2026-07-15T10:30:00+09:00",
            "count": 500,
        },
    ]


def test_the_past_is_written_too(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    truth = TruthFile(path)
    truth.attach(MeterModel(plain_spec(class_code=0x028F), ConstantLoad(300), START))
    truth.close()
    energy = [line for line in lines(path) if line.get("register") == "energy"]
    assert len(energy) == 48 + 21
    assert energy[0] == {
        "kind": "register",
        "serial": "KOATSU-00001",
        "epoch": 1,
        "register": "energy",
        "instant": "2026-07-14T00:00:00+09:00",
        "count": 250,
    }
    assert {line["direction"] for line in lines(path) if line["kind"] == "demand"} == {"normal", "reverse"}


@pytest.mark.parametrize("steps", [[7 * 3600], [60] * 420, [1, 3599, 10, 7000, 14590]])
def test_the_same_seed_gives_the_same_file(tmp_path: Path, steps: list[int]) -> None:
    def write(name: str, steps: list[int], seed: int) -> bytes:
        model = MeterModel(MeterSpec(seed=seed, history_days=2), SiteLoad("factory", seed), START)
        truth = TruthFile(tmp_path / name)
        truth.attach(model)
        now = START
        for step in steps:
            now += timedelta(seconds=step)
            model.advance_to(now)
        truth.close()
        return (tmp_path / name).read_bytes()

    whole = write("whole", [sum(steps)], 28)
    assert write("stepped", steps, 28) == whole
    assert write("other", [sum(steps)], 29) != whole


async def test_a_replaced_meter_is_another_epoch(tmp_path: Path) -> None:
    path = tmp_path / "truth.jsonl"
    async with scene(truth=path) as stage:
        stage.pass_time(minutes=25)
        stage.site.switches.turn(parse_fault("replaced-meter=480"))
        stage.pass_time(minutes=60)
    meters = [line for line in lines(path) if line["kind"] == "meter"]
    assert [(line["epoch"], line["serial"], line["coefficient"]) for line in meters] == [
        (1, "KOATSU-00001", 600),
        (2, "KOATSU-00002", 480),
    ]
    after = [line for line in lines(path) if line["epoch"] == 2 and line.get("register") == "energy"]
    assert [line["instant"][11:16] for line in after] == ["11:00", "11:30"]
    demand = [line["count"] for line in lines(path) if line["epoch"] == 2 and line["kind"] == "demand"]
    assert demand == [None, 625], "a slot that was not measured whole has no demand"


def test_a_truth_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        TruthFile(tmp_path / "nowhere" / "truth.jsonl")


# --- pulses ---------------------------------------------------------------------------------------


def output(**faults: float) -> PulseOutput:
    pulses = PulseOutput(MeterModel(plain_spec(), ConstantLoad(300), START), seed=1)
    for name, share in faults.items():
        setattr(pulses.faults, name, share)
    return pulses


def test_fifty_thousand_pulses_on_the_secondary_side() -> None:
    pulses = output()
    assert str(pulses.pulses_per_kwh) == "250/3"
    pulses.model.advance_to(START + timedelta(minutes=30))
    assert pulses.step() == 12_500  # 150 kWh / 600 × 50,000
    assert pulses.step() == 0


@settings(max_examples=40)
@given(steps=st.lists(st.integers(1, 900), min_size=1, max_size=30))
def test_no_pulse_falls_between_two_steps(steps: list[int]) -> None:
    pulses = output()
    now, sent = START, 0
    for step in steps:
        now += timedelta(seconds=step)
        pulses.model.advance_to(now)
        sent += pulses.step()
    whole = 25_000 * sum(steps) // 3600
    assert sent in {whole, whole + 1}, "the first and the last second may hold a part of one"


def test_a_wrap_makes_no_pulses() -> None:
    pulses = output()
    pulses.model.set_below_wrap(5, past_too=False)
    assert pulses.step() == 0


def test_faults_of_pulses() -> None:
    counts = {}
    for name in ("lost", "double"):
        pulses = output(**{name: 0.1})
        pulses.model.advance_to(START + timedelta(minutes=30))
        counts[name] = pulses.step()
    assert 11_000 < counts["lost"] < 11_500
    assert 13_500 < counts["double"] < 14_000
    assert not output(slot_lost=1.0).slot_pulse()
    assert output().slot_pulse()


async def read_pulses(reader: asyncio.StreamReader, count: int) -> list[dict[str, Any]]:
    return [json.loads(await reader.readline()) for _ in range(count)]


@pytest.mark.parametrize("unix", [False, True])
async def test_the_stream(tmp_path: Path, unix: bool) -> None:
    async with scene() as stage:
        where = await stage.site.offer_pulses(str(tmp_path / "pulses") if unix else "127.0.0.1:0")
        if unix:
            reader, writer = await asyncio.open_unix_connection(where)
        else:
            host, _, port = where.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
        assert await read_pulses(reader, 1) == [{"pulse": "constant", "per_kwh": "250/3"}]
        stage.pass_time(seconds=3)
        told = await read_pulses(reader, 3)
        assert sum(line["count"] for line in told) == 21  # 6.94 a second, from 866,666.7 on
        stage.fault("replaced-meter=480")
        assert await read_pulses(reader, 1) == [{"pulse": "constant", "per_kwh": "625/6"}]
        stage.fault("slot-lost")
        assert stage.site.pulses is not None
        assert stage.site.pulses.output.faults.slot_lost == 1
        stage.fault("slot-lost", on=False)
        stage.pass_time(minutes=20)
        slots = 0
        while not slots:
            slots += (await read_pulses(reader, 1))[0]["pulse"] == "slot"
        writer.close()
        await writer.wait_closed()


async def test_pulses_that_cannot_be_offered() -> None:
    server = PulseServer(output())
    with pytest.raises(UnreachableError, match=r"Pulses cannot be offered on 127\.0\.0\.1:telegraph"):
        await server.listen("127.0.0.1:telegraph")
    await server.close()
