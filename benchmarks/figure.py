"""What a benchmark gives: a figure beside its baseline, and where the chance in it comes from."""

from __future__ import annotations

import operator
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

__all__ = ["ROOT", "Figure", "commit", "ratio_of_rounds"]

ROOT = Path(__file__).resolve().parent.parent
_COMPARE = {"≥": operator.ge, "≤": operator.le}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table.

    Attributes:
        what: the work.
        ours: what Koatsu takes or does, with its unit.
        baseline: the same of the baseline; empty where a figure has none.
        ratio: the two compared within each round, the median over the rounds.
        sense: ``≥`` or ``≤``: which way ``ratio`` has to lie of ``target``.
        target: what the ratio has to be; ``None`` for a figure that is only stated.
        unit: of ratio and target, ``×`` or ``%``; empty for a number of its own kind.
        note: how it was measured.
        detail: a table of its own for the document, in Markdown.
    """

    what: str
    ours: str
    baseline: str = ""
    ratio: float | None = None
    sense: str = "≤"
    target: float | None = None
    unit: str = "×"
    note: str = ""
    detail: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; ``None`` where there is none."""
        if self.target is None or self.ratio is None:
            return None
        return bool(_COMPARE[self.sense](self.ratio, self.target))

    def cells(self) -> tuple[str, str, str, str, str]:
        """The row as text: figure, ours, baseline, ratio, target."""
        verdict = {True: ", met", False: ", MISSED", None: ""}[self.met]
        return (
            self.what,
            self.ours,
            self.baseline or "–",
            "–" if self.ratio is None else self._number(self.ratio, 2),
            "–" if self.target is None else f"{self.sense} {self._number(self.target, 1)}{verdict}",
        )

    def _number(self, value: float, digits: int) -> str:
        if self.unit == "%":
            return f"{100 * value:.0f} %"
        return f"{value:.{digits}f} ×" if self.unit else f"{value:.0f}"


def commit() -> str:
    """The id of the commit that is measured; it seeds all chance. Fixed where there is no repository."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() if found.returncode == 0 else "no commit"


def ratio_of_rounds(one: Sequence[float], other: Sequence[float]) -> float:
    """The median of ``one / other`` over rounds that were run side by side."""
    return median(a / b for a, b in zip(one, other, strict=True))
