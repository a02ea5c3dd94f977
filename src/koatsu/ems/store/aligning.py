"""Bringing the epochs of one meter, told by two stores, into one order.

Epochs of both stores are the same one when their nameplates do not contradict each other and their order is
kept: a meter that was replaced and put back has three epochs, two of them alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from koatsu.ems.store.rows import Epoch

__all__ = ["Pair", "aligned"]

Pair = tuple[Epoch | None, Epoch | None]
"""The same epoch here and there; ``None`` where one store does not know it."""


def aligned(ours: Sequence[Epoch], theirs: Sequence[Epoch]) -> tuple[Pair, ...]:
    """Every epoch of both, in time, as many as possible taken as one."""

    @cache
    def best(i: int, j: int) -> int:
        """How many pairs are left from the i-th of ours and the j-th of theirs on."""
        if i == len(ours) or j == len(theirs):
            return 0
        skipped = max(best(i + 1, j), best(i, j + 1))
        return max(skipped, 1 + best(i + 1, j + 1)) if _same(ours[i], theirs[j]) else skipped

    found: list[Pair] = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        mine, other = ours[i], theirs[j]
        if _same(mine, other) and best(i, j) == 1 + best(i + 1, j + 1):
            found.append((mine, other))
            i, j = i + 1, j + 1
            continue
        first = best(i + 1, j) == best(i, j)
        second = best(i, j + 1) == best(i, j)
        if first and (not second or _began(mine) <= _began(other)):
            found.append((mine, None))
            i += 1
        else:
            found.append((None, other))
            j += 1
    found += [(mine, None) for mine in ours[i:]]
    found += [(None, other) for other in theirs[j:]]
    return tuple(found)


def _same(mine: Epoch, other: Epoch) -> bool:
    return not mine.nameplate.changes(other.nameplate)


def _began(epoch: Epoch) -> datetime:
    return epoch.started_at
