"""What a meter has proved of itself, kept over restarts for as long as it is the same meter.

How far back its histories go, which instant an energy history begins with, which end of its slot a demand
names. A kept fact is used at once at the next start and proved again; another meter epoch forgets them all.
"""

from __future__ import annotations

from typing import Final

from koatsu.ems.collector.journal import Journal

__all__ = ["DEMAND_STAMP", "ENERGY_FIRST", "HORIZON", "Learnt"]

HORIZON: Final = "horizon_days"
ENERGY_FIRST: Final = "energy_history_first"
DEMAND_STAMP: Final = "demand_history_stamp"
_FACTS: Final = (HORIZON, ENERGY_FIRST, DEMAND_STAMP)
_EPOCH: Final = "epoch"  # the meter epoch that the facts are of


class Learnt:
    """The facts of one meter; an empty value in the store is a forgotten one."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._kept: dict[str, str] = {}
        self._new: dict[str, str] = {}
        self._epoch = 0

    def get(self, what: str) -> str | None:
        """A fact of the present epoch; ``None`` while unknown."""
        return self._new.get(what, self._kept.get(what)) or None

    def keep(self, what: str, value: str) -> None:
        """Remember a fact; :meth:`save` writes it."""
        if self.get(what) != (value or None):
            self._new[what] = value

    def load(self) -> None:
        """Read the facts; those of another epoch than the present one are forgotten.

        Raises:
            StoreError: the store does not work now.
        """
        epoch = self._journal.epoch
        if epoch == self._epoch or not epoch:
            return
        found = self._journal.learnt()
        if found.get(_EPOCH) != str(epoch):
            for what in _FACTS:  # before the epoch is noted, so that a crash between leaves nothing wrong
                if found.get(what):
                    self._journal.learn(what, "")
            self._journal.learn(_EPOCH, str(epoch))
            found = {}
        self._kept = {what: found[what] for what in _FACTS if what in found}
        self._new.clear()
        self._epoch = epoch

    def save(self) -> None:
        """Write what is new.

        Raises:
            StoreError: the store does not take it now; it is written the next time.
        """
        while self._new:
            what, value = next(iter(self._new.items()))
            self._journal.learn(what, value)
            self._kept[what] = self._new.pop(what)
