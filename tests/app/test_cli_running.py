"""`koatsu meter`, `run` and `demo` as programs that run, are used, and are stopped."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from program import (
    KOATSU,
    PATIENCE_S,
    EmulatedMeter,
    Here,
    Running,
    emulated_meter,
    environment,
    fresh_address,
    fresh_port,
    running,
)

from koatsu.emulator.faults import FAULTS
from koatsu.emulator.scenarios import scenario_names

CLOCK = "2026-07-15T13:10"
STOPPED = pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])


def eventually(true: Callable[[], object]) -> None:
    """Poll until it holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.05)


def page(url: str) -> str:
    """The text of a page."""
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())


# --- meter ----------------------------------------------------------------------------------------------


@STOPPED
def test_a_meter_says_where_it_is_and_ends_well(number: int, tmp_path: Path) -> None:
    address, port = fresh_address(), fresh_port()
    words = ("--listen", address, "--start", CLOCK, "--history-days", "0", "--control", f"127.0.0.1:{port}")
    with running("meter", *words, "--pulses", str(tmp_path / "pulses")) as meter:
        line = meter.until("Answering on")
        assert f"{address}, UDP port 3610 (meter time 2026-07-15 13:10)" in line
        assert f"http://127.0.0.1:{port}/" in meter.until("Control page")
        meter.until("Ctrl-C")
        assert "<html" in page(f"http://127.0.0.1:{port}/")
        assert meter.ended(number).status == 0
        assert len(meter.heard) == 3


def test_a_meter_speaks_japanese() -> None:
    words = ("--listen", fresh_address(), "--start", CLOCK, "--history-days", "0")
    with running("meter", *words, KOATSU_LANG="ja") as meter:
        assert "で応答しています(計器時刻 2026-07-15 13:10)。" in meter.until("応答")
        meter.until("止めるには Ctrl-C")


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_faults_and_scenarios_are_listed(lang: str, here: Here) -> None:
    done = here("meter", "--list-faults", lang=lang)
    assert (done.status, done.err) == (0, "")
    listed = {line.split()[0].partition("[")[0] for line in done.out.splitlines() if line.startswith("  ")}
    assert listed == {fault.name for fault in FAULTS} | set(scenario_names())


def test_a_scenario_keeps_its_own_class_and_time(tmp_path: Path, here: Here) -> None:
    """Options that nobody gave do not overrule the scenario."""
    with emulated_meter(tmp_path, "--scenario", "office-summer", "--history-days", "0") as meter:
        words = ("read", meter.address, "power_now", "--link-profile", "fast", "--json")
        told = here(*words, "--from", fresh_address()).json
    assert told["class"] == "0x028F"
    assert [value["unit"] for value in told["values"]] == ["W"]


def test_a_faulty_meter_is_faulty_from_the_start(tmp_path: Path, here: Here) -> None:
    quick = tmp_path / "quick.toml"
    short = '{ value = 0.2, assumed = true, note = "a test" }'
    quick.write_text(f'extends = "fast"\n[fields]\ntimer_one_s = {short}\ntimer_many_s = {short}\n')
    with emulated_meter(tmp_path, "--fault", "silent", "--start", CLOCK, "--history-days", "0") as meter:
        done = here("read", meter.address, "--link-profile", str(quick), "--from", fresh_address())
    assert done.status == 3
    assert f"{meter.address} does not answer" in done.err


# --- run ------------------------------------------------------------------------------------------------


class Ems:
    """A `koatsu run` on one emulated meter."""

    def __init__(self, program: Running, config: Path, url: str) -> None:
        self.program, self.config, self.url = program, config, url
        self.store = config.with_name("koatsu.db")


def configuration(folder: Path, meter: str, *, store: str = "koatsu.db", port: int | None = None) -> Path:
    """A configuration file for one meter."""
    path = folder / f"{Path(store).stem}.toml"
    path.write_text(
        f'[site]\nname = "works"\nstore = "{store}"\n[web]\nport = {port or fresh_port()}\n'
        f'[node]\naddress = "{fresh_address()}"\n'
        f'[[meter]]\nid = "main"\naddress = "{meter}"\nprofile = "fast"\n'
    )
    return path


@pytest.fixture
def ems(meter: EmulatedMeter, tmp_path: Path) -> Iterator[Ems]:
    """The EMS at work."""
    config = configuration(tmp_path, meter.address)
    with running("run", "-c", str(config), "--clock", CLOCK) as program:
        url = program.until("Page: ").split()[1]
        yield Ems(program, config, url)


@STOPPED
def test_the_ems_serves_its_page_until_it_is_stopped_and_keeps_what_it_stored(ems: Ems, number: int) -> None:
    def days() -> int:
        store = sqlite3.connect(f"file:{ems.store}?mode=ro", uri=True)
        try:
            return int(store.execute("select count(distinct day) from history_read").fetchone()[0])
        finally:
            store.close()

    assert "works" in page(ems.url)
    eventually(lambda: days() >= 3)
    stream = urllib.request.urlopen(f"{ems.url}events/stream?screen=now", timeout=PATIENCE_S)
    with stream:
        assert stream.readline()  # a page is open, as it usually is
        assert ems.program.ended(number).status == 0
    logged = [line for line in ems.program.heard if line.startswith("{")]
    assert len(ems.program.heard) - len(logged) == 1, ems.program.text
    told = [entry for entry in map(json.loads, logged) if entry["level"] != "info"]
    # The emulated meter began its day with the first test that asked for it, the EMS with this one.
    assert {entry.get("code") for entry in told} <= {"clock_drift"}, ems.program.text
    assert days() >= 3


def test_a_store_and_a_meter_in_use_say_by_whom(
    ems: Ems, meter: EmulatedMeter, here: Here, tmp_path: Path
) -> None:
    """The same store; then another store and the same meter, whose selector nobody else may turn away."""
    process = ems.program.process.pid
    same = here("run", "-c", str(ems.config))
    assert same.status == 2
    assert f"{ems.store} is in use by another koatsu (process {process})" in same.err
    assert f"プロセス {process}" in here("run", "-c", str(ems.config), lang="ja").err
    other = configuration(tmp_path, meter.address, store="other.db")
    for words in (("run", "-c", str(other)), ("history", meter.address, "--days", "1")):
        done = here(*words)
        assert (done.status, done.out) == (3, "")
        assert f"{meter.address} is held by another koatsu (process {process})" in done.err
        assert ems.url in done.err
        assert f"プロセス {process}" in here(*words, lang="ja").err
    read = here("read", meter.address, "energy_now", "--link-profile", "fast", "--from", fresh_address())
    assert read.status == 0, "a present value disturbs nobody"
    assert ems.program.ended(signal.SIGTERM).status == 0
    words = ("history", meter.address, "--days", "1", "--link-profile", "fast", "--from", fresh_address())
    assert here(*words).status == 0


def test_a_crash_frees_the_meter_and_the_store(ems: Ems, meter: EmulatedMeter, here: Here) -> None:
    ems.program.process.kill()
    ems.program.ended()
    words = ("history", meter.address, "--days", "1", "--link-profile", "fast", "--from", fresh_address())
    assert here(*words).status == 0
    with running("run", "-c", str(ems.config), "--clock", CLOCK) as again:
        again.until("Page: ")


def test_a_store_that_is_damaged_in_use_ends_the_ems_with_one_sentence(ems: Ems) -> None:
    """The error comes out of nested task groups while a page is open; what passes by itself is survived."""
    stream = urllib.request.urlopen(f"{ems.url}events/stream?screen=now", timeout=PATIENCE_S)
    with stream:
        assert stream.readline()
        for file in (ems.store, ems.store.with_name(f"{ems.store.name}-wal")):
            with file.open("r+b") as raw:
                size = raw.seek(0, os.SEEK_END)
                raw.seek(0)
                raw.write(b"\xff" * size)
        done = ems.program.ended()
    assert done.status == 1
    [said] = [line for line in done.err.splitlines() if line.startswith("koatsu: ")]
    assert said.startswith(f"koatsu: The store {ems.store} is damaged.") or "is not a database" in said


# --- demo -----------------------------------------------------------------------------------------------


@pytest.fixture
def host() -> Iterator[tuple[str, ...]]:
    """Words that run a command on a host of its own (a network namespace): the demo has fixed addresses."""
    name = f"koatsu-demo-{os.getpid()}"
    for words in (("netns", "add", name), ("-n", name, "link", "set", "lo", "up")):
        subprocess.run(["ip", *words], check=True, capture_output=True, timeout=PATIENCE_S)
    try:
        yield "ip", "netns", "exec", name
    finally:
        subprocess.run(["ip", "netns", "delete", name], capture_output=True, timeout=PATIENCE_S, check=False)


@pytest.mark.netns
def test_the_demo_is_a_site_with_two_meters_and_an_ems(host: tuple[str, ...], tmp_path: Path) -> None:
    def inside(*words: str) -> str:
        done = subprocess.run(
            [*host, *words], env=environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=True
        )
        return done.stdout

    fetch = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=30).read().decode())"
    words = ("demo", "--history-days", "1", "--start", CLOCK, "--speed", "1", "--seed", "3")
    with running(*words, "--store", str(tmp_path / "demo.db"), before=host) as demo:
        assert "127.0.0.2" in demo.until("Meters: ")
        assert "http://127.0.0.1:8038/" in demo.until("Control the meters")
        assert "http://127.0.0.1:8028/" in demo.until("Page: ")
        shown = inside(sys.executable, "-c", fetch, "http://127.0.0.1:8028/")
        assert "<html" in shown
        found = json.loads(inside(KOATSU, "discover", "--json", "--wait", "0.5", "--from", "127.0.0.9"))
        assert [(row["address"], row["class_code"]) for row in found if row["class_code"] == "0x028A"] == [
            ("127.0.0.2", "0x028A"), ("127.0.0.3", "0x028A"),
        ]  # fmt: skip
        assert demo.ended(signal.SIGINT).status == 0
    assert (tmp_path / "demo.db").exists()
