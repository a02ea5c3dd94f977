"""Programs that start quickly: one process loads `koatsu` once, and every command is a fork of it.

A forked command is a process of its own, with the same entry point and arguments as from a shell; it can be
killed and leaves nothing behind. Only the second of imports is saved, which a test that starts a program two
hundred times would otherwise wait for.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from program import PATIENCE_S, environment


class Fork:
    """A command that runs in the background; what it says on standard error is in a file."""

    def __init__(self, pid: int, heard: Path) -> None:
        self.pid, self._heard = pid, heard
        self._end = os.pidfd_open(pid)

    @property
    def text(self) -> str:
        """Everything it has said so far."""
        return self._heard.read_text(encoding="utf-8")

    def until(self, wanted: str) -> str:
        """The first line that holds ``wanted``."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            ended = self.ended(0)
            for line in self.text.splitlines(keepends=True):
                if wanted in line and line.endswith("\n"):
                    return line
            assert not ended, f"it ended before saying {wanted!r}: {self.text}"
            assert time.monotonic() < deadline, f"not in time: {self.text}"
            time.sleep(0.01)

    def ended(self, wait_s: float = PATIENCE_S) -> bool:
        """Whether it has ended, at the latest after ``wait_s`` seconds."""
        return bool(select.select([self._end], [], [], wait_s)[0])

    def end(self, number: int) -> None:
        """End it by a signal and wait until it is gone."""
        if not self.ended(0):
            signal.pidfd_send_signal(self._end, number)
        assert self.ended(), f"it did not end: {self.text}"
        os.close(self._end)


class Nursery:
    """The process that has everything loaded."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self._process, self._folder, self._number = process, folder, 0

    def start(self, *words: str, unsafe: bool = False) -> Fork:
        """Start a command; ``unsafe``: its store shows what it has not written yet."""
        self._number += 1
        heard = self._folder / f"heard-{self._number}.txt"
        heard.touch()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        order = {"argv": ["koatsu", *words], "heard": str(heard), "unsafe": unsafe}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return Fork(int(self._process.stdout.readline()), heard)


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """Forks of one process; whoever starts them ends them."""
    process = subprocess.Popen(
        [sys.executable, __file__], env=environment(KOATSU_DEBUG="1"), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parent,
    )  # fmt: skip
    try:
        yield Nursery(process, folder)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait(PATIENCE_S)
        process.stdout.close()


# --- the other side -------------------------------------------------------------------------------------


def _commit_late() -> None:
    """What a careless store would do: everything in one transaction that is committed now and then."""
    import threading

    from koatsu.ems.store.database import Database
    from koatsu.ems.store.errors import told
    from koatsu.sql import WRITE

    lock, open_ones, written = threading.RLock(), {}, {}

    @contextmanager
    def working(self: Database) -> Iterator[object]:
        with lock, told(self.where):
            if self not in open_ones:
                engine = self.engine.execution_options(**{WRITE: True})
                open_ones[self] = engine.connect()
            yield open_ones[self]
            written[self] = written.get(self, 0) + 1
            if written[self] % 400 == 0:
                open_ones.pop(self).commit()

    Database.reading = Database.writing = working  # type: ignore[method-assign,assignment] # the fault on trial


def _serve() -> None:
    """Fork for each order on standard input; answer with the number of the process."""
    from koatsu.app import serving  # noqa: F401 - loaded before the forks
    from koatsu.cli import main, meters, services  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits here for those that end
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid:
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        heard = os.open(order["heard"], os.O_WRONLY | os.O_APPEND)
        null = os.open(os.devnull, os.O_RDWR)
        for number, source in enumerate((null, null, heard)):
            os.dup2(source, number)
        sys.stderr.flush()
        sys.argv = order["argv"]
        if order["unsafe"]:
            _commit_late()
        try:
            main()
        finally:
            os._exit(0)


if __name__ == "__main__":
    _serve()
