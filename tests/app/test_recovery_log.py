"""The course of a recovery for whoever reads the terminal or the log: how far it is, and when it will end."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from program import (
    KOATSU,
    PATIENCE_S,
    START,
    emulated_meter,
    environment,
    fresh_address,
    fresh_port,
)

from koatsu.app import recovery_log
from koatsu.app.logs import start_logs, stop_logs
from koatsu.app.recovery_log import recovery_told
from koatsu.config import LogConfig
from koatsu.ems.live import Listener, LiveHub, RecoveryState, Signal
from koatsu.ems.view_models import RecoveryView

NOW = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)  # 13:00 in Japan


class Source:
    """Recoveries as a test makes them go on."""

    def __init__(self) -> None:
        self.hub, self.views, self.looked = LiveHub(), dict[str, RecoveryView](), 0

    def goes_on(
        self,
        done: int,
        total: int = 100,
        *,
        eta_s: int | None = 180,
        meter: str = "main",
        state: str = "running",
    ) -> None:
        self.views[meter] = RecoveryView(
            meter_id=meter,
            state=RecoveryState(state),
            days_done=done,
            days_total=total,
            current_day=date(2026, 7, 1),
            eta_s=eta_s,
            horizon_days=None,
        )
        self.hub.publish(Signal("recovery", meter, NOW))

    def recovery(self) -> Sequence[RecoveryView]:
        self.looked += 1
        return [*self.views.values()]

    def clock_now(self) -> datetime:
        return NOW

    def listen(self) -> Listener:
        return self.hub.listen()


class Terminal(io.StringIO):
    """What a person would see, with the signs that move the cursor."""

    def isatty(self) -> bool:
        return True

    def shows(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self.getvalue())


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(recovery_log, "LOOK_EVERY_S", 0.01)
    out = Terminal()
    start_logs(LogConfig(), lang="en", stream=out, variables={})
    try:
        yield out
    finally:
        stop_logs()


async def until(condition: object) -> None:
    async with asyncio.timeout(20):
        while not condition():  # type: ignore[operator] # a function without arguments
            await asyncio.sleep(0.01)


# --- where no person watches ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lang", "wanted"),
    [
        ("en", "histories: 37 of 100 days read, about 3 min 0 s left (done near 13:03)"),
        ("ja", "履歴の回収: 100 日のうち 37 日、あと約 3 分 0 秒(13:03 ごろ)"),
    ],
)
async def test_a_line_says_how_far_it_is(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, lang: str, wanted: str
) -> None:
    caplog.set_level(logging.INFO, "koatsu")
    monkeypatch.setattr(recovery_log, "LOOK_EVERY_S", 0.01)
    source = Source()
    async with recovery_told(source, lang, every_s=0, after_s=0):
        source.goes_on(37)
        await until(lambda: caplog.records)
        source.goes_on(38, eta_s=None)
        await until(lambda: len(caplog.records) == 2)
    first, second = caplog.records
    assert first.getMessage().replace("\u00a0", " ") == wanted
    assert first.levelname == "INFO"
    assert (first.days_done, first.days_total, first.left_s) == (37, 100, 180)  # type: ignore[attr-defined]
    assert "38" in second.getMessage()
    assert "13:03" not in second.getMessage()
    assert len(source.hub) == 0


async def test_the_next_line_comes_a_minute_later(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "koatsu")
    monkeypatch.setattr(recovery_log, "LOOK_EVERY_S", 0.01)
    source = Source()
    async with recovery_told(source, "en", every_s=60, after_s=0):
        for day in range(20):
            source.goes_on(day)
            await until(lambda day=day: source.looked > day)
    assert [record.days_done for record in caplog.records] == [0]  # type: ignore[attr-defined]


async def test_what_is_over_in_a_moment_is_not_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every night today and yesterday are read again."""
    caplog.set_level(logging.INFO, "koatsu")
    monkeypatch.setattr(recovery_log, "LOOK_EVERY_S", 0.01)
    source = Source()
    async with recovery_told(source, "en", every_s=0, after_s=60):
        for number, state in enumerate(("running", "running", "done"), start=1):
            source.goes_on(97 + number, state=state)
            await until(lambda number=number: source.looked == number)
    assert not caplog.records


async def test_several_meters_are_one_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "koatsu")
    monkeypatch.setattr(recovery_log, "LOOK_EVERY_S", 0.01)
    source = Source()
    source.goes_on(100, state="done", meter="ready")
    source.goes_on(10, eta_s=60, meter="a")
    async with recovery_told(source, "en", every_s=0, after_s=0):
        source.goes_on(20, eta_s=3600, meter="b")
        await until(lambda: caplog.records)
    (record,) = caplog.records
    assert record.getMessage().replace("\u00a0", " ") == (
        "histories of 2 meters: 30 of 200 days read, about 1 h 0 min left (done near 14:00)"
    )


# --- where a person watches -----------------------------------------------------------------------------


async def test_a_terminal_shows_a_bar_while_it_lasts(terminal: Terminal) -> None:
    source = Source()
    async with recovery_told(source, "en", after_s=0):
        source.goes_on(37)
        await until(lambda: "37" in terminal.shows())
        assert "done near 13:03" in terminal.shows()
        logging.getLogger("koatsu.test").warning("a line of the log meanwhile")
        await until(lambda: "meanwhile" in terminal.shows())
        shown = terminal.getvalue()
        source.goes_on(100, state="done")
        await until(lambda: "\x1b[?25h" in terminal.getvalue()[len(shown) - 1 :])  # the cursor is back
        logging.getLogger("koatsu.test").warning("afterwards")
    lines = terminal.shows().splitlines()
    assert [line for line in lines if line.endswith("WARNING a line of the log meanwhile")]
    assert lines[-1].endswith("WARNING afterwards"), "the bar is gone"


async def test_a_terminal_is_left_as_it_was_when_the_program_ends_meanwhile(terminal: Terminal) -> None:
    source = Source()
    async with recovery_told(source, "ja", after_s=0):
        source.goes_on(37)
        await until(lambda: "あと約" in terminal.shows())
    assert terminal.getvalue().count("\x1b[?25l") == terminal.getvalue().count("\x1b[?25h") == 1
    logging.getLogger("koatsu.test").warning("afterwards")
    assert terminal.shows().splitlines()[-1].endswith("afterwards")


# --- the program itself ---------------------------------------------------------------------------------


def test_the_program_shows_it_on_a_real_terminal(tmp_path: Path) -> None:
    config = tmp_path / "koatsu.toml"
    start = f"{START:%Y-%m-%dT%H:%M}"
    with emulated_meter(tmp_path, "--start", start, "--history-days", "60", "--fault", "slow=0.1") as meter:
        config.write_text(
            f'[site]\nname = "works"\n[web]\nport = {fresh_port()}\n[node]\naddress = "{fresh_address()}"\n'
            f'[[meter]]\nid = "main"\naddress = "{meter.address}"\nprofile = "fast"\n'
        )
        ours, its = os.openpty()
        words = [KOATSU, "run", "-c", str(config)]
        env = environment(TERM="xterm-256color", COLUMNS="120") | {"KOATSU_LANG": "ja"}
        try:
            with subprocess.Popen(words, stdin=its, stdout=its, stderr=its, env=env) as program:
                os.close(its)
                shown = read_until(ours, re.compile(r"履歴の回収: \d+ 日のうち [1-9]\d* 日、あと約 .*ごろ"))
                program.send_signal(signal.SIGTERM)
                shown += read_until(ours, re.compile(r"\x1b\[\?25h"))
                assert program.wait(PATIENCE_S) == 0
        finally:
            os.close(ours)
    assert "画面: http://" in shown
    assert "Traceback" not in shown


def read_until(terminal: int, wanted: re.Pattern[str]) -> str:
    """What a program writes on its terminal until it has written ``wanted``."""
    shown, deadline = b"", time.monotonic() + PATIENCE_S
    while not wanted.search(shown.decode(errors="replace")):
        assert select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0], shown
        shown += os.read(terminal, 1 << 16)
    return shown.decode(errors="replace")
