"""Fine samples after an outage, from the one-minute history of the classes that keep one.

A few minutes a request: worth it for the last hours, which a person looks at, and never for a bill. Nothing
depends on it, so whatever goes wrong here is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from koatsu.clock import JST
from koatsu.devices import Record
from koatsu.ems.collector.journal import Journal
from koatsu.ems.collector.link import MeterLink
from koatsu.meter import Measured
from koatsu.meter.from_echonet import SegmentOrder

__all__ = ["MINUTES_BACK", "refill_minutes"]

MINUTES_BACK: Final = timedelta(hours=3)  #: gaps further back are left as they are
_AT_ONCE: Final = 10  # minutes that one answer holds
_MINUTE: Final = timedelta(minutes=1)
_GAP: Final = timedelta(minutes=3)
_HISTORY: Final = "energy_minutes_history"


async def refill_minutes(link: MeterLink, journal: Journal, now: datetime) -> int:
    """Fetch the minutes that are missing in the last hours before ``now``, the meter's time.

    Returns:
        How many values were fetched.

    Raises:
        NoAnswerError: the meter fell silent.
        RefusedError: it refuses them.
        DecodeError: a value is not what the class table says.
        ReplacedError: another meter answers.
    """
    selector = link.kind.selector_of(_HISTORY) if _HISTORY in link.kind.rows else None
    if selector is None or not await link.remote.offers(_HISTORY):
        return 0
    gap = max(_GAP, timedelta(seconds=3 * link.profile.poll_now_s))
    fetched, forward = 0, False
    for first, last in _blocks(journal.fine_instants(now - MINUTES_BACK, now), gap):
        found, runs_forward = await _read(link, selector, first, last, forward)
        if runs_forward != forward:
            forward = runs_forward  # it has told other minutes than those that are missing: once more
            journal.record(found)
            found, forward = await _read(link, selector, first, last, forward)
        journal.record(found)
        fetched += len(found)
    return fetched


async def _read(
    link: MeterLink, selector: str, first: datetime, last: datetime, forward: bool
) -> tuple[list[Measured], bool]:
    """The values of the minutes from ``first`` to ``last``, and whether the rows run forward in time."""
    at, count = first if forward else last, (last - first) // _MINUTE + 1
    async with link.remote.selecting:
        await link.remote.write(**{selector: Record({"at": at.astimezone(JST), "segments": count})})
        sample = await link.sample([_HISTORY])
    answered = sample.values.get(_HISTORY)
    if not isinstance(answered, Record) or answered["at"] != at:
        return [], forward
    counts = _counts(answered)
    if not counts or 2 * abs(counts[-1] - counts[0]) > 10**link.nameplate.energy_digits:
        return [], forward  # nothing, or a wrap, which looks like the other direction
    forward = forward if counts[0] == counts[-1] else counts[0] < counts[-1]
    order: SegmentOrder = "forward" if forward else "backward"
    found = link.kind.readings(
        _HISTORY, answered, received=sample.received, nameplate=link.nameplate, segments=order
    )
    return found, forward


def _counts(answered: Record) -> list[int]:
    """The counts in the order of the rows.

    No text at hand says which way the rows run; a counter that rises does, and where it stands still either
    way is right.
    """
    rows = answered["rows"]
    counts = [row["normal"] for row in rows if isinstance(row, Record)] if isinstance(rows, tuple) else []
    return [count for count in counts if isinstance(count, int)]


def _blocks(known: list[datetime], gap: timedelta) -> Iterator[tuple[datetime, datetime]]:
    """The first and the last minute of each request that the gaps between samples need."""
    for before, after in pairwise(known):
        if after - before <= gap:
            continue
        last = after.replace(second=0, microsecond=0)
        first = before.replace(second=0, microsecond=0) + _MINUTE
        while last >= first:
            yield max(first, last - (_AT_ONCE - 1) * _MINUTE), last
            last -= _AT_ONCE * _MINUTE
