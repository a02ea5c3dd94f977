"""`koatsu doctor` on the loopback network: each thing that can be wanting is found at its own step, once.

What needs a cable, a second host or a file system of its own is in tests/integration/test_doctor_hosts.py.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from program import START, EmulatedMeter, Here, emulated_meter, fresh_address, fresh_port, running

from koatsu.app.doctor import Finding, Step, Verdict, examine, exit_status
from koatsu.app.doctor.findings import NEEDS, TITLES
from koatsu.clock import JST, Clock, ManualClock, ScaledClock
from koatsu.ems.store import Store, StoredMeter
from koatsu.meter.epochs import Nameplate
from koatsu.meter.readings import Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.scale import Scale

METER_STEPS = [Step.CABLE, Step.ADDRESS, Step.ROUTE, Step.NEIGHBOUR, Step.PORT, Step.ANSWER]
METER_STEPS += [Step.CLASS, Step.NAMEPLATE, Step.CLOCK, Step.DATA]
JAPANESE = re.compile(r"[ぁ-んァ-ン一-龥]")


@pytest.fixture
def began(meter: EmulatedMeter) -> Clock:
    """A clock that agrees with the emulated meter of the session, however long ago its day began."""
    return meter.clock


@pytest.fixture
def own() -> str:
    return fresh_address()


async def found(
    config: Path | None, address: str | None = None, *, source: str | None = None, clock: Clock | None = None
) -> dict[Step, Finding]:
    """The findings by step; each in both languages, and each that is wanting with something to do."""
    every = [one async for one in examine(config, address, profile="fast", source=source, clock=clock)]
    for one in every:
        assert one.en.isascii() or "–" in one.en or "”" in one.en or "“" in one.en, one.en
        assert JAPANESE.search(one.ja), one
        if one.verdict is Verdict.WANTING:
            assert one.hint, one
            assert JAPANESE.search(one.hint_ja), one
    assert len({(one.step, one.meter) for one in every}) == len(every)
    return {one.step: one for one in every}


def wanting(findings: dict[Step, Finding]) -> list[Step]:
    return [step for step, one in findings.items() if one.verdict is Verdict.WANTING]


def blocked(findings: dict[Step, Finding]) -> dict[Step, str]:
    return {step: one.facts["because"] for step, one in findings.items() if "because" in one.facts}


def configuration(folder: Path, address: str, **more: str) -> Path:
    path = folder / "koatsu.toml"
    web = more.get("port") or fresh_port()
    path.write_text(
        f'[site]\nname = "works"\n[store]\npath = "koatsu.db"\n[web]\nport = {web}\n'
        f'[node]\naddress = "{more.get("own") or fresh_address()}"\n{more.get("node", "")}'
        f'[[meter]]\nid = "main"\naddress = "{address}"\nprofile = "fast"\n'
        f'class = "{more.get("code", "028A")}"\n'
    )
    return path


def recorded(path: Path, at: datetime) -> None:
    """A store with one count."""
    scale = Scale(1, Decimal(1), Decimal(1))
    plate = Nameplate(
        class_code=0x028A,
        serial="A",
        energy_scale=scale,
        energy_digits=6,
        demand_scale=None,
        demand_digits=None,
    )
    with Store.open(path) as store:
        store.put_meter(
            StoredMeter(id="main", label="m", role="buy", class_code=0x028A, address="127.0.0.2"), at=at
        )
        store.open_epoch("main", plate, at)
        store.record(
            "main",
            1,
            [Reading(register=Register.ENERGY, instant=at, count=7, source=Source.FIXED, received=at)],
        )


# --- the order ------------------------------------------------------------------------------------------


def test_every_step_has_a_title_and_needs_only_earlier_ones() -> None:
    order = list(Step)
    assert set(TITLES) == set(order)
    for step, needs in NEEDS.items():
        assert all(order.index(need) < order.index(step) for need in needs)


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([], 0),
        ([Step.DATA], 1),
        ([Step.CONFIG, Step.CABLE], 2),
        ([Step.DISK, Step.PORT], 3),
        ([Step.PAGE], 1),
    ],
)
def test_the_exit_status_is_that_of_the_worst(steps: list[Step], status: int) -> None:
    findings = [Finding.wanting(step, "x", "x", hint="y", hint_ja="y") for step in steps]
    assert exit_status([*findings, Finding.ok(Step.AGE, "x", "x")]) == status


# --- the meter ------------------------------------------------------------------------------------------


async def test_all_is_well_with_a_meter_that_is_well(
    meter: EmulatedMeter, began: Clock, own: str, tmp_path: Path
) -> None:
    config = configuration(tmp_path, meter.address, own=own)
    findings = await found(config, clock=began)
    assert wanting(findings) == []
    assert list(findings) == list(Step)
    assert findings[Step.NAMEPLATE].facts["kwh_per_count"] == "0.600"
    assert findings[Step.DATA].facts["values"] == "48"
    assert "koatsu run makes it" in findings[Step.STORE].en
    assert sorted(one.name for one in tmp_path.iterdir()) == ["koatsu.toml"], "nothing is made by looking"


async def test_an_address_alone_is_enough(meter: EmulatedMeter, began: Clock, own: str) -> None:
    findings = await found(None, meter.address, source=own, clock=began)
    assert list(findings) == METER_STEPS
    assert wanting(findings) == []


async def test_a_clock_that_is_off_is_found(meter: EmulatedMeter, own: str) -> None:
    clock = ManualClock(datetime(2026, 7, 15, 15, 0, tzinfo=JST))
    findings = await found(None, meter.address, source=own, clock=clock)
    assert wanting(findings) == [Step.CLOCK]
    assert "behind" in findings[Step.CLOCK].en
    assert int(findings[Step.CLOCK].facts["seconds"]) < -3000


@pytest.mark.parametrize(
    ("options", "step", "words", "status"),
    [
        (("--coefficient", "0"), Step.NAMEPLATE, "coefficient is 0", 1),
        (("--history-days", "0", "--start", "2026-07-15T13:10"), Step.DATA, "holds no value", 1),
        (("--fault", "silent"), Step.ANSWER, "does not answer", 3),
    ],
)
async def test_what_is_wrong_with_a_meter_is_found_at_its_step(
    options: tuple[str, ...], step: Step, words: str, status: int, tmp_path: Path, own: str
) -> None:
    with emulated_meter(tmp_path, *options) as one:
        findings = await found(None, one.address, source=own, clock=ScaledClock(START))
    assert wanting(findings) == [step]
    assert words in findings[step].en
    assert exit_status(list(findings.values())) == status
    assert all(cause == step for cause in blocked(findings).values())


async def test_a_wrong_class_is_named_with_what_is_there(
    meter: EmulatedMeter, began: Clock, tmp_path: Path
) -> None:
    findings = await found(configuration(tmp_path, meter.address, code="028F"), clock=began)
    assert wanting(findings) == [Step.CLASS]
    assert "0x028A01" in findings[Step.CLASS].en
    assert blocked(findings) == {
        Step.NAMEPLATE: Step.CLASS, Step.CLOCK: Step.CLASS, Step.DATA: Step.CLASS,
    }  # fmt: skip


async def test_nobody_at_the_address_is_told_apart_from_silence(own: str) -> None:
    findings = await found(None, fresh_address(), source=own)
    assert wanting(findings) == [Step.ANSWER]
    assert "no ECHONET Lite node runs there" in findings[Step.ANSWER].en


async def test_a_port_taken_by_another_program_is_found(meter: EmulatedMeter, own: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((own, 3610))
        findings = await found(None, meter.address, source=own)
    assert wanting(findings) == [Step.PORT]
    assert "is taken by" in findings[Step.PORT].en
    assert blocked(findings)[Step.DATA] == Step.PORT


async def test_an_interface_that_is_not_there_is_found_first(meter: EmulatedMeter, tmp_path: Path) -> None:
    config = configuration(tmp_path, meter.address, node='interface = "nosuch0"\n')
    findings = await found(config)
    assert wanting(findings) == [Step.CABLE]
    assert "nosuch0" in findings[Step.CABLE].en
    assert set(blocked(findings)) == set(METER_STEPS) - {Step.CABLE}


async def test_an_own_address_that_is_not_ours_is_found(meter: EmulatedMeter, tmp_path: Path) -> None:
    findings = await found(configuration(tmp_path, meter.address, own="192.0.2.77"))
    assert wanting(findings) == [Step.ADDRESS]
    assert "192.0.2.77 is not an address of this machine" in findings[Step.ADDRESS].en


# --- beside a running EMS -------------------------------------------------------------------------------


async def test_beside_our_own_program_nothing_is_asked_of_the_meter(
    meter: EmulatedMeter, tmp_path: Path
) -> None:
    config = configuration(tmp_path, meter.address)
    clock = ScaledClock(START)
    with running("run", "-c", str(config), "--clock", "2026-07-15T13:10") as ems:
        page = ems.until("Page: ").split()[1]
        findings = await _until_live(config, clock)
        assert findings[Step.PORT].facts["process"] == str(ems.process.pid)
    assert wanting(findings) in ([], [Step.AGE]), findings
    assert findings[Step.PORT].facts["page"] == page
    assert f"process {ems.process.pid}" in findings[Step.CLASS].en
    assert {findings[step].verdict for step in (Step.CLASS, Step.NAMEPLATE, Step.CLOCK, Step.DATA)} == {
        Verdict.UNKNOWN
    }
    assert findings[Step.INTEGRITY].verdict is Verdict.OK


async def _until_live(config: Path, clock: Clock) -> dict[Step, Finding]:
    for _ in range(50):
        findings = await found(config, clock=clock)
        if Step.ANSWER not in wanting(findings):
            break
    return findings


# --- the configuration and the machine ------------------------------------------------------------------


async def test_without_a_configuration_nothing_else_can_be_checked(tmp_path: Path) -> None:
    findings = await found(tmp_path / "koatsu.toml")
    assert wanting(findings) == [Step.CONFIG]
    assert exit_status(list(findings.values())) == 2
    assert set(blocked(findings).values()) == {Step.CONFIG}


async def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    config = tmp_path / "koatsu.toml"
    config.write_text('[site]\nname = "works"\n[[meter]]\nid = "main"\naddres = "127.0.0.2"\n')
    findings = await found(config)
    assert "koatsu.toml:5" in findings[Step.CONFIG].en


@pytest.fixture
def quiet(meter: EmulatedMeter, tmp_path: Path) -> Path:
    """A configuration whose meter is well."""
    return configuration(tmp_path, meter.address)


async def test_a_store_that_stands_still_is_found(quiet: Path, began: Clock) -> None:
    recorded(quiet.with_name("koatsu.db"), START - timedelta(days=2, minutes=10))
    findings = await found(quiet, clock=began)
    assert wanting(findings) == [Step.AGE]
    assert "2026-07-13 13:00" in findings[Step.AGE].en


async def test_a_fresh_store_is_well_and_left_as_it_is(quiet: Path, began: Clock) -> None:
    store = quiet.with_name("koatsu.db")
    recorded(store, datetime(2026, 7, 15, 13, 0, tzinfo=JST))
    before = {one.name: one.read_bytes() for one in store.parent.iterdir()}
    findings = await found(quiet, clock=began)
    assert wanting(findings) == []
    assert {one.name: one.read_bytes() for one in store.parent.iterdir()} == before


async def test_damage_is_found(quiet: Path, began: Clock) -> None:
    store = quiet.with_name("koatsu.db")
    recorded(store, datetime(2026, 7, 15, 13, 0, tzinfo=JST))
    with sqlite3.connect(store) as connection:
        root = connection.execute("select rootpage from sqlite_master where name='event'").fetchone()[0]
        size = connection.execute("pragma page_size").fetchone()[0]
    connection.close()
    pages = bytearray(store.read_bytes())
    pages[(root - 1) * size : (root - 1) * size + 64] = b"\xff" * 64
    store.write_bytes(pages)
    findings = await found(quiet, clock=began)
    assert set(wanting(findings)) & {Step.STORE, Step.INTEGRITY}
    assert "damaged" in (findings[Step.INTEGRITY].en + findings[Step.STORE].en)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a database at all, but long enough to be looked at", "is not a database"),
        ("create table other(x)", "database of another program"),
        ("update alembic_version set version_num='9999'", "newer version"),
    ],
)
async def test_a_store_that_is_none_of_ours_is_found(
    quiet: Path, began: Clock, content: bytes | str, words: str
) -> None:
    store = quiet.with_name("koatsu.db")
    if isinstance(content, bytes):
        store.write_bytes(content)
    else:
        if "alembic" in content:
            recorded(store, datetime(2026, 7, 15, 13, 0, tzinfo=JST))
        connection = sqlite3.connect(store)
        connection.execute(content)
        connection.commit()
        connection.close()
    findings = await found(quiet, clock=began)
    assert wanting(findings) == [Step.STORE]
    assert words in findings[Step.STORE].en
    assert blocked(findings) == {Step.INTEGRITY: Step.STORE, Step.AGE: Step.STORE}


async def test_a_disk_that_is_nearly_full_is_found(
    quiet: Path, began: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("koatsu.app.doctor.machine.LEAST_FREE", shutil.disk_usage("/").total * 1000)
    findings = await found(quiet, clock=began)
    assert wanting(findings) == [Step.DISK]
    assert findings[Step.DISK].hint.startswith("Make space")


# --- the page -------------------------------------------------------------------------------------------


@contextmanager
def page(status: int, body: str) -> Iterator[int]:
    """Something that answers HTTP on a port of 127.0.0.1."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, "<html>another program</html>", "The page cannot use 127.0.0.1 port"),
        (503, json.dumps({"status": "degraded", "reasons": [{"code": "store_full"}]}), "store_full"),
    ],
)
async def test_what_is_wrong_with_the_page_is_found(
    meter: EmulatedMeter, began: Clock, tmp_path: Path, status: int, body: str, words: str
) -> None:
    with page(status, body) as port:
        findings = await found(configuration(tmp_path, meter.address, port=str(port)), clock=began)
    assert wanting(findings) == [Step.PAGE]
    assert words in findings[Step.PAGE].en


# --- the command ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_a_person_reads_step_by_step_what_to_do(here: Here, lang: str, own: str) -> None:
    done = here("doctor", fresh_address(), "--link-profile", "fast", "--from", own, lang=lang)
    assert done.status == 3
    lines = done.out.splitlines()
    assert sum(line.startswith(("✓", "✗", "–")) for line in lines) == len(METER_STEPS)
    [at] = [number for number, line in enumerate(lines) if line.startswith("✗")]
    assert lines[at + 1].startswith("    → ")
    assert bool(JAPANESE.search(done.out)) is (lang == "ja")


def test_a_program_reads_the_same(here: Here, tmp_path: Path) -> None:
    done = here("doctor", "-c", str(tmp_path / "none.toml"), "--json")
    assert done.status == 2
    told = json.loads(done.out)
    assert told[0]["step"] == "config"
    assert told[0]["verdict"] == "wanting"
    assert set(told[0]) == {"step", "meter", "verdict", "en", "ja", "hint", "hint_ja", "facts"}


def test_an_address_that_is_none_is_wrong_use(here: Here) -> None:
    done = here("doctor", "nowhere")
    assert (done.status, done.out) == (2, "")
    assert "is not an address" in done.err
