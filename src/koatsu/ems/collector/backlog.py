"""What was measured and could not be written yet: bounded, in memory, in the order of the epochs.

Fine samples are bounded to 48 hours and to a number, the oldest go first. Half-hour values and demands are
never dropped: there are some hundreds a day, and each is a slot of somebody's bill. Events are bounded too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from koatsu.ems.store import Event
from koatsu.meter import DemandReading, Nameplate, Reading, Source
from koatsu.meter.slots import is_half_hour

__all__ = ["EVENTS_KEPT", "FINE_KEPT", "FINE_LIMIT", "Backlog", "Batch", "Era"]

FINE_KEPT: Final = timedelta(hours=48)  #: fine samples older than this, counted from the newest, are dropped
FINE_LIMIT: Final = (
    50_000  #: and never more of them than this: three registers every ten seconds for 46 hours
)
EVENTS_KEPT: Final = 500

_FINE: Final = (Source.LIVE, Source.MINUTE)


@dataclass(eq=False, slots=True)
class Era:
    """A nameplate and since when it is read; ``number`` of its epoch as soon as the store has given one."""

    plate: Nameplate
    since: datetime
    number: int | None = None


@dataclass(slots=True)
class Batch:
    """What waits of one era."""

    era: Era
    readings: dict[tuple[object, ...], Reading] = field(default_factory=dict)
    demands: dict[tuple[object, ...], DemandReading] = field(default_factory=dict)
    fine: deque[Reading] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self.readings) + len(self.demands) + len(self.fine)


class Backlog:
    """Batches by era, oldest first, and events beside them. ``dropped`` counts fine samples that went."""

    def __init__(self) -> None:
        self._batches: list[Batch] = []
        self.events: deque[Event] = deque(maxlen=EVENTS_KEPT)
        self.dropped = 0

    def __len__(self) -> int:
        return sum(map(len, self._batches)) + len(self.events)

    def put(self, era: Era, readings: Iterable[Reading], demands: Iterable[DemandReading]) -> None:
        """Keep what was measured; what waits already is kept once."""
        batch = self._batches[-1] if self._batches else None
        if batch is None or batch.era is not era:
            batch = Batch(era)
            self._batches.append(batch)
        for one in readings:
            if one.stamped and one.source not in _FINE and is_half_hour(one.instant):
                batch.readings.setdefault((one.register, one.instant, one.count, one.source), one)
            elif one.count is not None:
                batch.fine.append(one)
        for slot in demands:
            batch.demands.setdefault((slot.direction, slot.slot, slot.count, slot.source), slot)
        self._drop_old()

    def batches(self) -> Iterator[Batch]:
        """The batches in the order in which they have to be written; ``done`` takes the first off."""
        while self._batches:
            yield self._batches[0]

    def done(self, batch: Batch) -> None:
        """``batch``, the first, has been written."""
        assert self._batches[0] is batch
        del self._batches[0]

    def _drop_old(self) -> None:
        newest = max((batch.fine[-1].received for batch in self._batches if batch.fine), default=None)
        if newest is None:
            return
        many = sum(len(batch.fine) for batch in self._batches)
        for batch in self._batches:
            fine = batch.fine
            while fine and (many > FINE_LIMIT or newest - fine[0].received > FINE_KEPT):
                fine.popleft()
                many -= 1
                self.dropped += 1
