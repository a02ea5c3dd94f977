"""The `koatsu` program for tests: started as a person starts it, or called in this process to be quicker.

Addresses of 127/8 derive from the process number, so that runs beside each other do not meet.
"""

from __future__ import annotations

import itertools
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from koatsu.cli import main
from koatsu.clock import JST, ScaledClock

KOATSU = str(Path(sys.executable).with_name("koatsu"))
PATIENCE_S = 60.0
#: where an emulated meter's day begins unless told otherwise
START = datetime(2026, 7, 15, 13, 10, tzinfo=JST)
_numbers = itertools.count(1)


def fresh_address() -> str:
    """A new address of 127/8 that no other test process uses."""
    number = next(_numbers)
    return f"127.{128 + os.getpid() // 256 % 64}.{os.getpid() % 256}.{number % 254 + 1}"


def fresh_port() -> int:
    """A TCP port of 127.0.0.1 that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """English, plain, wide, and nothing of the person who runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "KOATSU_"))}
    return kept | {"LANG": "C.UTF-8", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"} | more


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON; a number with a fraction in it would not be exact."""
        assert self.status in (0, 1), self
        return json.loads(self.out, parse_float=_no_fraction)


def _no_fraction(text: str) -> object:
    raise AssertionError(f"{text} is a JSON number; exact values are strings")


def koatsu(*words: str, cwd: Path | None = None, stdin: str = "", **env: str) -> Done:
    """Run the console script to its end."""
    done = subprocess.run(
        [KOATSU, *words], env=environment(**env), cwd=cwd, input=stdin, capture_output=True, text=True,
        timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)


class Here:
    """Calls the entry point of the console script in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setenv("COLUMNS", "200")

    def __call__(self, *words: str, lang: str = "en") -> Done:
        """Run a command line to its end."""
        self._monkeypatch.setenv("KOATSU_LANG", lang)
        self._monkeypatch.setattr(sys, "argv", ["koatsu", *words])
        self._capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(bool(ended.code))
        printed = self._capsys.readouterr()
        assert "Traceback" not in printed.err, printed.err
        return Done(status, printed.out, printed.err)


class Running:
    """A command that keeps running; what it prints on standard error is heard line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.heard: list[str] = []
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.put(line)
        self._lines.put(None)

    def _next(self, deadline: float) -> str | None:
        try:
            line = self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise AssertionError(f"not in time; heard so far: {self.text}") from None
        if line is not None:
            self.heard.append(line)
        return line

    @property
    def text(self) -> str:
        """Everything that was heard."""
        return "".join(self.heard)

    def until(self, wanted: str) -> str:
        """The first line from now on that holds ``wanted``."""
        deadline = time.monotonic() + PATIENCE_S
        while (line := self._next(deadline)) is not None:
            if wanted in line:
                return line
        raise AssertionError(f"it ended before saying {wanted!r}: {self.text}")

    def ended(self, number: int | None = None) -> Done:
        """Wait for the end, brought about by a signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        deadline = time.monotonic() + PATIENCE_S
        while self._next(deadline) is not None:
            pass
        status = self.process.wait(PATIENCE_S)
        assert "Traceback" not in self.text, self.text
        return Done(status, "", self.text)

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self._thread.join(PATIENCE_S)
        assert self.process.stderr is not None
        self.process.stderr.close()


@contextmanager
def running(
    *words: str, before: Sequence[str] = (), program: Sequence[str] = (KOATSU,), **env: str
) -> Iterator[Running]:
    """A command in the background; killed at the end if it still runs."""
    process = subprocess.Popen(
        [*before, *program, *words], env=environment(PYTHONUNBUFFERED="1", **env), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    one = Running(process)
    try:
        yield one
    finally:
        one.close()


@dataclass(frozen=True)
class EmulatedMeter:
    """A `koatsu meter` that answers."""

    address: str
    truth: Path
    program: Running
    clock: ScaledClock  #: runs beside the meter's own, give or take its start-up, where it began at START

    def registers(self) -> dict[str, int]:
        """The truth's counts of active energy by instant."""
        return {
            line["instant"]: line["count"]
            for line in self._lines()
            if line["kind"] == "register" and line["register"] == "energy"
        }

    def demands(self) -> dict[str, int | None]:
        """The truth's counts of demand by the start of the slot."""
        return {
            line["slot_start"]: line["count"]
            for line in self._lines()
            if line["kind"] == "demand" and line["direction"] == "normal"
        }

    def plate(self) -> dict[str, Any]:
        """The truth's nameplate."""
        return next(line for line in self._lines() if line["kind"] == "meter")

    def _lines(self) -> Iterable[dict[str, Any]]:
        return [json.loads(line) for line in self.truth.read_text(encoding="utf-8").splitlines()]


@contextmanager
def emulated_meter(folder: Path, *options: str) -> Iterator[EmulatedMeter]:
    """A `koatsu meter` on an address of its own: ten past one on a working day, two days of history."""
    address = fresh_address()
    truth = folder / f"truth-{address}.jsonl"
    words = ("--listen", address, "--truth", str(truth), *options)
    if "--start" not in options and "--scenario" not in options:
        words += ("--start", f"{START:%Y-%m-%dT%H:%M}", "--history-days", "2")
    with running("meter", *words) as program:
        program.until("Stop with")
        yield EmulatedMeter(address, truth, program, ScaledClock(START))
        assert program.ended(signal.SIGTERM).status == 0
