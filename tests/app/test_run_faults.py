"""`koatsu run` as a process, while disk, store and clock misbehave: a clear sentence, and nothing lost.

A fault that passes is survived: the program carries on by itself and fetches what it missed. One that does
not is told in one sentence when the program starts, and the store is left as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from forks import Fork
from witness import Works, eventually, works

DAYS = ("--history-days", "3")
PAGE = 4096  # of an SQLite file


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Works]:
    """A meter with some days of history and a store that each test leaves whole."""
    with works(tmp_path_factory.mktemp("work"), 21, *DAYS) as one:
        yield one


@contextmanager
def started(one: Works) -> Iterator[tuple[Fork, str]]:
    """The program and where its page is; ended in order."""
    program = one.start()
    try:
        yield program, one.url(program)
    finally:
        program.end(signal.SIGTERM)
    assert "Traceback" not in program.text, program.text


def refused(one: Works) -> str:
    """What the program says when it will not start; it ends by itself."""
    program = one.start()
    assert program.ended(), f"it started: {program.text}"
    program.end(signal.SIGKILL)
    assert "Traceback" not in program.text, program.text
    [line] = [line for line in program.text.splitlines() if line.startswith("koatsu: ")]
    return line


def health(url: str) -> dict[str, object]:
    """What the program says of itself, well or not; nothing while it is too busy to answer."""
    try:
        with urllib.request.urlopen(f"{url}healthz", timeout=30) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        with error:
            return dict(json.load(error))
    except OSError:
        return {}


def troubled(url: str, code: str) -> bool | None:
    """Whether the program says that it suffers from ``code``; ``None`` while it does not say anything."""
    found = health(url)
    reasons = found.get("reasons", [])
    assert isinstance(reasons, list)
    return code in [reason["code"] for reason in reasons] if found else None


def seen_some(one: Works, url: str) -> None:
    """Wait until the observer has seen enough to be lost."""

    def enough() -> bool:
        for day in one.days()[-3:]:
            one.observer.note(url, day)
        return len(one.observer.seen) > 48

    eventually(enough)


# --- the disk -------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own, which can be filled and made read-only."""
    place = folder / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.skip("a small file system needs root; run as root (sudo make test)")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount; run outside a container, as root (sudo make test)")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """Use up every byte of a disk; the file that does."""
    ballast = place / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            try:
                while file.write(b"\0" * size):
                    pass
            except OSError:
                continue
    return ballast


def test_a_full_disk_is_survived_and_told(tmp_path: Path) -> None:
    with small_disk(tmp_path, "16m") as disk, works(tmp_path, 22, *DAYS, store=disk / "koatsu.db") as one:
        with started(one) as (program, url):
            seen_some(one, url)
            ballast = fill(disk)
            eventually(lambda: troubled(url, "store_full") is True)
            assert not program.ended(2.0), program.text
            ballast.unlink()
            eventually(lambda: troubled(url, "store_full") is False)
            one.complete(program)
        fill(disk)
        assert "is full" in refused(one)
        (disk / "ballast").unlink()
        one.complete()


@contextmanager
def failing_disk(folder: Path) -> Iterator[tuple[Path, Callable[[], None], Callable[[], None]]]:
    """A file system on a disk of its own, what makes it fail while it is in use, and what mends it.

    It does what a system does when a disk answers no more: nothing can be written from that moment on, into
    open files neither, until somebody has put it right and mounted it anew.
    """
    place, image = folder / "disk", folder / "disk.img"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(32 << 20)
    if os.geteuid() != 0:
        pytest.skip("a disk of its own needs root; run as root (sudo make test)")
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("mkfs.ext4 is missing; apt-get install e2fsprogs")
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    mount = ["mount", "-o", "loop", str(image), str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount; run outside a container, as root (sudo make test)")

    def fail() -> None:
        subprocess.run(["mount", "-o", "remount,abort", str(place)], check=True)

    def mend() -> None:
        subprocess.run(["umount", str(place)], check=True)
        subprocess.run(mount, check=True)

    try:
        yield place, fail, mend
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_turns_read_only_is_survived_and_told(tmp_path: Path) -> None:
    with (
        failing_disk(tmp_path) as (disk, fail, mend),
        works(tmp_path, 23, *DAYS, store=disk / "koatsu.db") as one,
    ):
        with started(one) as (program, url):
            seen_some(one, url)
            fail()
            eventually(lambda: troubled(url, "store_disk") is True)
            assert not program.ended(2.0), program.text
            for day in one.days():
                one.observer.note(url, day)  # what was stored can still be seen
        line = refused(one)
        assert "koatsu.db" in line
        assert "ead-only" in line
        mend()
        one.complete()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Where root may do everything, a folder below a file is what nobody can make."""
    (tmp_path / "file").write_text("")
    with works(tmp_path, 24, "--history-days", "0", store=tmp_path / "file" / "koatsu.db") as one:
        line = refused(one)
        assert f"{one.store.parent} is not a folder" in line
        assert "name another store" in line


# --- the store ------------------------------------------------------------------------------------------


def test_a_store_locked_by_another_program_is_waited_for(work: Works) -> None:
    with started(work) as (program, url):
        seen_some(work, url)
        other = sqlite3.connect(work.store, isolation_level=None)
        try:
            other.execute("begin immediate")
            eventually(lambda: troubled(url, "store_locked") is True)
            time.sleep(1.0)
            other.execute("rollback")
        finally:
            other.close()
        eventually(lambda: troubled(url, "store_locked") is False)
        assert not program.ended(0), program.text
        work.complete(program)


def test_a_store_locked_at_the_start_is_told(work: Works) -> None:
    with started(work) as (_, url):
        seen_some(work, url)
    other = sqlite3.connect(work.store, isolation_level=None)
    try:
        other.execute("begin immediate")
        assert f"{work.store} is locked by another program" in refused(work)
    finally:
        other.close()
    work.check()


LEFT_OPEN = """
import os, sqlite3, sys
store = sqlite3.connect(sys.argv[1], isolation_level=None)
store.execute("pragma wal_checkpoint(truncate)")
store.execute("update store_info set value = value")
os._exit(0)
"""


def test_a_damaged_store_is_told_and_left_as_it_is(work: Works) -> None:
    program = work.start()
    seen_some(work, work.url(program))
    program.end(signal.SIGKILL)
    subprocess.run([sys.executable, "-c", LEFT_OPEN, str(work.store)], check=True)
    sound = work.store.read_bytes()
    broken = bytearray(sound)
    for page in range(8, len(broken) // PAGE, 3):
        broken[page * PAGE : page * PAGE + 64] = bytes(range(64))
    work.store.write_bytes(broken)
    line = refused(work)
    assert f"The store {work.store} is damaged." in line
    assert "koatsu restore" in line
    assert work.store.read_bytes()[PAGE:] == bytes(broken)[PAGE:], "nothing was mended in silence"
    work.store.write_bytes(sound)
    for beside in ("-wal", "-shm"):
        Path(f"{work.store}{beside}").unlink(missing_ok=True)
    work.check()


def test_a_store_of_a_newer_version_is_told_and_left_as_it_is(work: Works) -> None:
    with started(work) as (_, url):
        seen_some(work, url)
    version = change_version(work.store, "9999")
    assert f"{work.store} was written by a newer version of Koatsu" in refused(work)
    assert change_version(work.store, version) == "9999"
    work.check()


def change_version(store: Path, version: str) -> str:
    """Say that another version wrote the store; which one it said before."""
    raw = sqlite3.connect(store)
    try:
        [(before,)] = raw.execute("select version_num from alembic_version").fetchall()
        raw.execute("update alembic_version set version_num = ?", (version,))
        raw.commit()
    finally:
        raw.close()
    return str(before)


def test_another_file_in_the_place_of_the_store_is_told(tmp_path: Path, work: Works) -> None:
    work.store.rename(tmp_path / "koatsu.db")
    work.store.write_text("This is a letter.\n" * 1000)
    assert f"{work.store} is not a database" in refused(work)
    work.store.unlink()
    raw = sqlite3.connect(work.store)
    raw.execute("create table letters (text text)")
    raw.close()
    assert "is a database of another program" in refused(work)
    (tmp_path / "koatsu.db").rename(work.store)


def test_two_programs_do_not_collect_into_one_store(work: Works) -> None:
    with started(work) as (first, url):
        assert f"is in use by another koatsu (process {first.pid})" in refused(work)
        seen_some(work, url)


# --- the clock ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [-2, 26], ids=lambda hours: f"{hours:+}h")
def test_a_clock_that_was_wrong_at_the_start_makes_nothing_wrong(work: Works, hours: int) -> None:
    """Slots follow the meter's clock: with ours far off, what is stored is right; with ours right, whole."""
    with started(work) as (_, url):
        seen_some(work, url)
    program = work.start(off=timedelta(hours=hours))
    try:
        url = work.url(program)
        assert not program.ended(2.5), program.text
        health(url)
    finally:
        program.end(signal.SIGKILL)
    work.check()
    work.complete()
