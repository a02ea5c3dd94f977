"""Asking one meter: what came is taken, what went wrong is counted, shown and told once.

It knows whether the meter is silent, and tells whoever wants to know that it is back, that it was replaced,
or that something was missed and has to be fetched from its history.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final, TypeVar

from koatsu.clock import Clock
from koatsu.echonet import DecodeError
from koatsu.ems.collector.journal import Journal
from koatsu.ems.collector.results import NotSelectableError, ReplacedError
from koatsu.ems.store import Level
from koatsu.errors import KoatsuError
from koatsu.meter import IncompleteNameplateError
from koatsu.node import NoAnswerError, RefusedError, RemoteObject

__all__ = ["BACK_OFF", "PROBLEMS", "Asking"]

T = TypeVar("T")

PROBLEMS: Final = (
    NoAnswerError,
    RefusedError,
    DecodeError,
    IncompleteNameplateError,
    NotSelectableError,
    ReplacedError,
)
"""What may go wrong when a meter is asked; anything else is a fault of this program."""

_SILENT: Final = 2  # one question in vain may be a lost datagram

BACK_OFF: Final = tuple(timedelta(seconds=s) for s in (2, 5, 10, 20, 40, 60, 120, 300))


class Asking:
    """The questions to one meter.

    ``refill`` is set when something has to be fetched from the history, ``look_again`` when the meter may be
    another one. ``failures`` counts how many questions in a row have gone wrong.
    """

    def __init__(self, journal: Journal, remote: RemoteObject, clock: Clock) -> None:
        self._journal = journal
        self._remote = remote
        self._clock = clock
        self.silent = False
        self.failures = 0
        self._known = False  # whether it has ever answered
        self.refill = asyncio.Event()
        self.look_again = asyncio.Event()

    async def ask(self, ask: Callable[[], Awaitable[T]], take: Callable[[T], None]) -> T | None:
        """Ask, note how it went, take what came; ``None`` when nothing sound came."""
        try:
            answer = await ask()
        except PROBLEMS as error:
            self.failed(error)
            return None
        self.answered()
        take(answer)
        return answer

    def answered(self) -> None:
        """Something sound came."""
        self.failures, self._known = 0, True
        if self.silent:
            self.silent = False
            self._journal.log(Level.OK, "back")
            self.refill.set()
        last = self._remote.last_answer
        took = timedelta(seconds=last.elapsed_s) if last else None
        self._journal.live.answered(self._journal.meter_id, self._clock.now(), answer=took)

    def failed(self, error: KoatsuError) -> None:
        """Nothing sound came."""
        meter = self._journal.meter_id
        self.failures += 1
        if isinstance(error, ReplacedError):
            self.look_again.set()
            return
        live = self._journal.live
        live.failed(meter, self._clock.now())
        self._journal.publish("link")
        if not isinstance(error, NoAnswerError):
            live.count(meter, refused=1)
            self._journal.log_error("unsound_answer", error)
            return
        live.count(meter, failures=1)
        if not self.silent and (self.failures >= _SILENT or not self._known):
            self.silent = True
            self._journal.log(Level.CAUTION, "silent")

    def pause(self, tries: int) -> timedelta:
        """How long to leave the meter alone after so many tries in a row that went wrong."""
        return BACK_OFF[min(tries, len(BACK_OFF) - 1)]
