"""All figures: ``python -m benchmarks [NAME ...]``.

Prints one table. A run of all figures also writes docs/benchmarks.md; a run of some of them does not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from time import perf_counter

from benchmarks import (
    codec_figures,
    desk,
    fleet,
    longrun,
    periods,
    recovery,
    roundtrip,
    sites,
    startup,
    storing,
    sweep,
)
from benchmarks.figure import Figure, commit
from benchmarks.report import show, write

FIGURES: dict[str, Callable[[str], list[Figure]]] = {
    "codec": codec_figures.measure,
    "roundtrip": roundtrip.measure,
    "sweep": sweep.measure,
    "fleet": fleet.measure,
    "recovery": recovery.measure,
    "sites": sites.measure,
    "startup": startup.measure,
    "memory": longrun.measure,
    "storing": storing.measure,
    "periods": periods.measure,
    "desk": desk.measure,
}


def main() -> None:
    """Parse, measure one after the other, report."""
    names = ", ".join(FIGURES)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {names}; all by default")
    wanted = parser.parse_args().names or list(FIGURES)
    for name in wanted:
        if name not in FIGURES:
            parser.error(f"there is no figure {name!r}; there are {names}")
    seed, start = commit(), perf_counter()
    figures: list[tuple[str, Figure]] = []
    for name in wanted:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        figures += [(name, figure) for figure in FIGURES[name](seed)]
    seconds = perf_counter() - start
    show(figures, seconds)
    if set(wanted) == set(FIGURES):
        print(f"written: {write(figures, seed, seconds)}")


if __name__ == "__main__":
    main()
