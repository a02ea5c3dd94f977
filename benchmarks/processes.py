"""The other side of a measurement: a process of its own, told what to do by lines of JSON.

A module of this package serves on standard input and output: it prints one line when it is ready, then
answers each line it reads. Its CPU time and memory are those of that process alone.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.figure import ROOT

__all__ = [
    "OtherProcess", "cpu_seconds", "free_port", "loopback", "memory_bytes", "on_core", "other_process",
    "serve", "two_cores",
]  # fmt: skip


class OtherProcess:
    """A running script; ``hello`` is what it said when it was ready."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.hello = self._read()

    def ask(self, **order: Any) -> Any:
        """Send one order and wait for its answer (blocking: not while a measurement runs)."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self._process.args} ended with {self._process.wait()}")
        return json.loads(line)


@contextmanager
def other_process(
    script: str, *words: str, before: Sequence[str] = (), core: int | None = None
) -> Iterator[OtherProcess]:
    """Run ``script`` with ``words`` in the background, ``before`` in front of the command, on one core."""
    command = [*before, sys.executable, "-m", f"benchmarks.{script}", *words]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            if core is not None:
                os.sched_setaffinity(process.pid, {core})
            yield OtherProcess(process)
        finally:
            process.terminate()


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Keep this process on one core for a while."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def two_cores() -> tuple[int, int]:
    """Two cores that we may use; twice the same where there is but one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


async def serve(hello: Any, answer: Callable[[dict[str, Any]], Any | Awaitable[Any]]) -> None:
    """The script's side: say ``hello``, then answer each order until standard input is closed."""
    orders = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin
    )
    print(json.dumps(hello), flush=True)
    while line := await orders.readline():
        found = answer(json.loads(line))
        print(json.dumps(await found if isinstance(found, Awaitable) else found), flush=True)


def cpu_seconds() -> float:
    """CPU time of this process so far, user and system."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def memory_bytes() -> int:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def loopback(number: int) -> str:
    """An address of 127/8 that no other run uses, ``number`` 1 to 60,000."""
    base = ipaddress.ip_address("127.128.0.0") + (os.getpid() % 64 << 16)
    return str(base + number)
