"""Which epoch of a meter speaks for which time, so that no time is covered twice.

An earlier epoch holds until the next one starts. The next one's history may reach back before its start (it
was met later than it began); it counts from the last known instant of the earlier one. Another meter (serial
number) counts after that instant, for at that instant it was not there yet. What this says of an instant is
the same whatever run of slots is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from koatsu.ems.store import Epoch, Store
from koatsu.meter.registers import Register

__all__ = ["Reign", "reigns"]

_NEXT = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Reign:
    """The instants at which the counts of one epoch count; seconds since 1970, ``None`` without end.

    ``after`` itself belongs to it when ``including``.
    """

    after: int | None = None
    including: bool = False
    until: int | None = None

    def holds(self, at: int) -> bool:
        """Whether a count at ``at`` counts."""
        begun = self.after is None or at > self.after or (self.including and at == self.after)
        return begun and (self.until is None or at <= self.until)


def reigns(store: Store, meter_id: str, register: Register, epochs: Sequence[Epoch]) -> Mapping[int, Reign]:
    """The reign of each epoch number; ``epochs`` are all of the meter, from the first to the present one."""
    found: dict[int, Reign] = {}
    border: int | None = None
    serial: str | None = None
    for index, epoch in enumerate(epochs):
        following = epochs[index + 1] if index + 1 < len(epochs) else None
        replaced = None not in (serial, epoch.nameplate.serial) and serial != epoch.nameplate.serial
        until = int(following.started_at.timestamp()) if following else None
        reign = found[epoch.number] = Reign(border, not replaced, until)
        serial = epoch.nameplate.serial
        if following is None:
            break
        for row in store.nearest_readings(meter_id, register, following.started_at + _NEXT, after=False):
            if row.epoch == epoch.number and reign.holds(row.at):
                border = row.at
    return found
