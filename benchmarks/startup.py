"""How long `koatsu run` takes until its page is there: with ten years stored against an empty store.

Both are started by turns as a person starts them. The stored years are those of one meter of 0x028A: energy,
reactive energy and demand of every half hour. The third is started after a kill: then the pages of the file
are looked at before anything else.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.figure import Figure, ratio_of_rounds
from benchmarks.processes import free_port, loopback
from benchmarks.stored import fill

ROUNDS = 5
YEARS = 10
_PROGRAM = Path(sys.executable).with_name("koatsu")


def measure(seed: str) -> list[Figure]:
    """Seconds from the call to the line that names the page."""
    with tempfile.TemporaryDirectory(prefix="koatsu-bench-") as name:
        empty, full = Path(name, "empty"), Path(name, "full")
        for folder in (empty, full):
            folder.mkdir()
            _configure(folder)
        rows = fill(full / "koatsu.db", {"m0": 365 * YEARS}, reactive="m0", seed=seed)
        _started(empty, signal.SIGTERM)  # the empty store is made once, not in every round
        _started(full, signal.SIGTERM)
        found: dict[str, list[float]] = {"empty": [], "full": [], "killed": []}
        for _ in range(ROUNDS):
            found["empty"].append(_started(empty, signal.SIGTERM))
            found["full"].append(_started(full, signal.SIGKILL))
            found["killed"].append(_started(full, signal.SIGTERM))
        size = (full / "koatsu.db").stat().st_size
    note = (
        f"Ten years of one meter: {rows:,} counts, {size / 2**20:.0f} MiB. {ROUNDS} starts each, by turns, "
        "from the call of `koatsu run` to the line that names the page."
    )
    return [
        Figure(
            what="start of koatsu run with ten years stored, against an empty store",
            ours=f"{median(found['full']):.2f} s",
            baseline=f"{median(found['empty']):.2f} s",
            ratio=ratio_of_rounds(found["full"], found["empty"]),
            target=1.2,
            note=note,
        ),
        Figure(
            what="the same after a kill: the pages of the file are checked first",
            ours=f"{median(found['killed']):.2f} s",
            baseline=f"{median(found['empty']):.2f} s",
            ratio=ratio_of_rounds(found["killed"], found["empty"]),
            note="Every page of the file is read before the first value is written.",
        ),
    ]


def _configure(folder: Path) -> None:
    """One meter that nobody answers for: what is measured is the start, not the meter."""
    (folder / "koatsu.toml").write_text(
        f'[site]\nname = "bench"\n[web]\nport = {free_port()}\n'
        f'[node]\naddress = "{loopback(7)}"\n'
        f'[[meter]]\nid = "m0"\naddress = "{loopback(8)}"\n',
        encoding="utf-8",
    )


def _started(folder: Path, number: int) -> float:
    """Seconds until the page of a program is named; it is ended by this signal then."""
    begun = perf_counter()
    words = [str(_PROGRAM), "run", "-c", str(folder / "koatsu.toml")]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as program:
        assert program.stderr is not None
        for line in program.stderr:
            if "http://" in line:
                break
        else:
            raise SystemExit(f"koatsu run ended with {program.wait()}")
        taken = perf_counter() - begun
        program.send_signal(number)
        program.stderr.read()
    return taken
