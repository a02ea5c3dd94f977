"""What the pages ask about pulses: whose there are, and one day of them beside the register."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from koatsu.clock import Clock
from koatsu.ems.pulses.models import PulseDay
from koatsu.ems.pulses.views import last_pulse_day, pulse_day
from koatsu.ems.store import Store
from koatsu.ems.store.pulse_rows import days_of_pulses

__all__ = ["PulseDesk"]


class PulseDesk:
    """Pulses of an open store.

    Args:
        store: where they are.
        clock: our time.
        listened: ids of the meters that a detector is set up for, heard or not.
    """

    def __init__(self, store: Store, clock: Clock, listened: Collection[str] = ()) -> None:
        self._store, self._clock, self._listened = store, clock, frozenset(listened)

    def meters(self) -> frozenset[str]:
        """Meters with a detector, or with pulses from the time when they had one.

        Raises:
            StoreError: the store cannot be read.
        """
        return self._listened | days_of_pulses(self._store).keys()

    def last_day(self, meter_id: str) -> date | None:
        """The newest JST day of which pulses are kept.

        Raises:
            StoreError: the store cannot be read.
        """
        return last_pulse_day(self._store, meter_id)

    def day(self, meter_id: str, day: date) -> PulseDay:
        """A JST day of a meter, its slots up to now.

        Raises:
            KeyError: no such meter.
            StoreError: the store cannot be read.
        """
        return pulse_day(self._store, meter_id, day, self._clock.now())
