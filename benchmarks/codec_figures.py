"""The rows of codec.py for the common table: decode and encode together, and damaged frames."""

from __future__ import annotations

import contextlib
import io
from typing import Any

from benchmarks import codec
from benchmarks.figure import Figure

__all__ = ["measure"]

ROUNDS = 150
MUTANTS = 10_000


def measure(seed: str) -> list[Figure]:
    """Koatsu against pychonet and against the strict ``struct`` loop."""
    table = io.StringIO()
    with contextlib.redirect_stdout(table):
        found = codec.report(seed, ROUNDS, MUTANTS)
    figures = []
    for message, rows in found["speed"].items():
        (both,) = (row for row in rows if row["work"] == "both")
        figures += [_against_pychonet(message, both), _against_struct(message, both)]
    return [*figures, _verdicts(found["verdicts"]["koatsu"], table.getvalue())]


def _against_pychonet(message: str, row: dict[str, Any]) -> Figure:
    return Figure(
        what=f"decode and encode, {message}, against pychonet",
        ours=_rate(row["koatsu_ns"]),
        baseline=_rate(row["pychonet_ns"]),
        ratio=row["pychonet_over_koatsu"],
        sense="≥",
        target=1.3,
        note=f"{ROUNDS} alternating rounds of 200 messages each; a message decoded and one encoded is one. "
        "How many times as fast as pychonet, which checks neither lengths nor trailing bytes.",
    )


def _against_struct(message: str, row: dict[str, Any]) -> Figure:
    return Figure(
        what=f"decode and encode, {message}, against a strict struct loop",
        ours=_rate(row["koatsu_ns"]),
        baseline=_rate(row["struct_ns"]),
        ratio=row["koatsu_over_struct"],
        target=1.5,
        note="The same rounds; time in multiples of hand-written code with the same checks and no types.",
    )


def _verdicts(score: dict[str, int], detail: str) -> Figure:
    wrong = sum(score.get(what, 0) for what in ("malformed accepted", "well-formed refused", "wrong value"))
    return Figure(
        what=f"{MUTANTS:,} damaged frames: malformed accepted, well-formed refused or wrong value",
        ours=str(wrong),
        ratio=float(wrong),
        target=0.0,
        unit="",
        note=f"{score['well-formed']:,} of them are still well-formed, says a reader written from the "
        "standard's tables alone.",
        detail=detail,
    )


def _rate(nanoseconds: float) -> str:
    return f"{1e9 / nanoseconds:,.0f} /s"
