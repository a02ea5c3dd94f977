"""How many datagrams to take from a socket in one wake-up of the event loop.

A socket that is asked once too often says so by an exception, which costs as much as a datagram; a wake-up
costs more than that. So single datagrams are taken one a wake-up, and only a socket that keeps waking us is
drained in larger and larger batches, up to a limit that gives others their turn.
"""

from __future__ import annotations

from typing import Final

__all__ = ["DrainPace"]

_LARGEST: Final = 64  # datagrams taken in one wake-up before others get their turn
_PATIENCE: Final = 16  # wake-ups with one datagram each before a second one is looked for


class DrainPace:
    """``batch`` is how many to take now; say afterwards whether the socket ran :meth:`empty` before that."""

    __slots__ = ("_wakeups", "batch")

    def __init__(self) -> None:
        self.batch = 1
        self._wakeups = 0

    def full(self) -> None:
        """The batch was there, and perhaps more."""
        self._wakeups += 1
        if self._wakeups >= _PATIENCE and self.batch < _LARGEST:
            self.batch *= 2

    def empty(self) -> None:
        """There was less than the batch."""
        self.batch = 1
        self._wakeups = 0
