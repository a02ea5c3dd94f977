"""The table of all figures, on the terminal and as docs/benchmarks.md. Both say exactly what was measured."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from benchmarks.figure import ROOT, Figure
from rich.console import Console
from rich.table import Table

from koatsu.clock import JST

__all__ = ["show", "write"]

DOCUMENT = ROOT / "docs/benchmarks.md"
COLUMNS = ("figure", "ours", "baseline", "ratio", "target", "name")

INTRODUCTION = """\
# Benchmarks

`make bench` measures everything on this page in one run, prints the table and writes this file. A figure is a
ratio to a baseline that stands in `benchmarks/` and runs in the same run: rounds of both alternate, and the
ratio is the median of the ratios within a round, so that a busy moment of the machine hits both. Absolute
numbers depend on the machine and are given only so that a ratio can be checked; differences below 15 % are a
tie on a shared machine. What is left to chance (values, damage, loads) is drawn from the id of the commit.
"""

AGAIN = """\
## Once more

`make bench`, or some figures by their names without writing this file:
`.venv/bin/python -m benchmarks roundtrip sweep`.
The sweep and the fleet want root and iproute2 (network namespaces). Without them the sweep runs on the
loopback network, and the fleet is left out.
"""


def show(figures: Sequence[tuple[str, Figure]], seconds: float) -> None:
    """Print the table; each figure stands with the name that measures it alone."""
    table = Table(title=f"{len(figures)} figures in {seconds:.0f} s")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "figure" else "right", overflow="fold")
    for name, figure in figures:
        style = {True: "green", False: "bold red", None: ""}[figure.met]
        table.add_row(*figure.cells(), name, style=style)
    console = Console()
    if not console.is_terminal:
        console = Console(width=150)  # a log file folds no lines
    console.print(table)


def write(figures: Sequence[tuple[str, Figure]], seed: str, seconds: float) -> Path:
    """Write the document; the path, from the root of the repository."""
    rows = [
        f"| {figure.what} [{number}] | " + " | ".join(figure.cells()[1:]) + f" | `{name}` |"
        for number, (name, figure) in enumerate(figures, start=1)
    ]
    notes = [f"{number}. {figure.note}" for number, (_, figure) in enumerate(figures, start=1)]
    details = [figure.detail.strip() for _, figure in figures if figure.detail]
    parts = [
        INTRODUCTION,
        f"Measured {datetime.now(JST):%Y-%m-%d %H:%M} JST in {seconds:.0f} s on {_machine()}.\n"
        f"Commit `{seed}`{_changes()}.\n",
        f"| {' | '.join(COLUMNS)} |\n| --- | ---: | ---: | ---: | ---: | --- |\n" + "\n".join(rows) + "\n",
        "How each was measured:\n\n" + "\n".join(notes) + "\n",
        *(f"## The codec in detail\n\n{detail}\n" for detail in details),
        AGAIN,
    ]
    DOCUMENT.write_text("\n".join(parts), encoding="utf-8")
    return DOCUMENT.relative_to(ROOT)


def _machine() -> str:
    model = ""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass  # not Linux, or an architecture that names no model
    return (
        f"{os.cpu_count()} cores ({model or platform.machine()}), {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def _changes() -> str:
    found = subprocess.run(
        ["git", "status", "--porcelain", "--", "src", "benchmarks"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return " and changes that were not committed yet" if found.stdout.strip() else ""
