"""Listening to a pulse source while the program runs: lines in, spans out, every closed span stored at once.

The source is a line stream on ``HOST:PORT`` or on the path of a socket file. When it goes away, what was
counted is kept as a part, and listening is tried again, for ever. A span that the store does not take stays
here and is tried again with the next.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from contextlib import suppress
from fractions import Fraction
from typing import Final, NoReturn

from koatsu.clock import Clock
from koatsu.ems.pulses.counting import PulseCounter, PulseSpan
from koatsu.ems.pulses.lines import LONGEST_LINE, PulseLineError, pulse_line
from koatsu.ems.pulses.views import as_stored
from koatsu.ems.store import Event, Level, Store
from koatsu.ems.store.pulse_rows import put_pulses
from koatsu.errors import KoatsuError
from koatsu.meter.slots import Slot

__all__ = ["PulseRecorder"]

log = logging.getLogger(__name__)

_PAUSES_S: Final = (1.0, 2.0, 5.0, 15.0, 60.0)  # real seconds until the source is tried again
_REACH_S: Final = 10.0  # real seconds that a connection may take
_KEPT: Final = 200  # spans that wait for the store: four days


class PulseRecorder:
    """Counts the pulses of one meter into the store.

    Args:
        meter_id: the meter whose pulses they are.
        source: ``HOST:PORT``, or the path of a socket file.
        store: where spans are kept.
        clock: our time.
        per_kwh: the constant; ``None`` takes what the source announces.
        slot_pulse: ``False`` where the installation has no slot pulse: our clock cuts.
    """

    def __init__(
        self,
        meter_id: str,
        source: str,
        store: Store,
        clock: Clock,
        *,
        per_kwh: Fraction | None = None,
        slot_pulse: bool = True,
    ) -> None:
        self._meter_id, self._source, self._store, self._clock = meter_id, source, store, clock
        self._slot_pulse = slot_pulse
        self._counter = PulseCounter(per_kwh, slot_pulse=slot_pulse)
        self._waiting: deque[PulseSpan] = deque(maxlen=_KEPT)
        self._unknown = 0
        self._silent = False
        self._failures = 0
        self._putting = threading.Lock()

    async def run(self) -> NoReturn:
        """Listen until cancelled; what is open then is kept as a part."""
        try:
            while True:
                try:
                    await self._listen()
                    why = "the other side has closed"
                except (OSError, TimeoutError, ValueError) as error:
                    why = str(error) or type(error).__name__
                await self._keep(self._counter.stop(self._clock.now()))
                await self._gone(why)
                await asyncio.sleep(_PAUSES_S[min(self._failures, len(_PAUSES_S) - 1)])
                self._failures += 1
        finally:
            self._waiting.extend(self._counter.stop(self._clock.now()))
            self._put()  # at once, not in a thread: we are about to end

    async def _listen(self) -> None:
        """One connection, to its end."""
        async with asyncio.timeout(_REACH_S):
            reader, writer = await self._connect()
        ticking = asyncio.create_task(self._tick(), name=f"half hours for pulses of {self._meter_id}")
        try:
            await self._heard()
            await self._keep(self._counter.begin(self._clock.now()))
            await self._read(reader)
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if "/" in self._source:
            return await asyncio.open_unix_connection(self._source, limit=LONGEST_LINE)
        host, _, port = self._source.rpartition(":")
        return await asyncio.open_connection(host.strip("[]"), int(port), limit=LONGEST_LINE)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return  # an end without a line end: what stands there may be half of something
            except asyncio.LimitOverrunError:
                raise ValueError("a line without end") from None
            now = self._clock.now()
            try:
                said = pulse_line(line)
            except PulseLineError as error:
                self._not_understood(error)
                continue
            await self._keep(self._counter.hear(said, now))

    async def _tick(self) -> None:
        """Tell the counter of every half hour of our clock, where there are no slot pulses."""
        while not self._slot_pulse:
            border = Slot.at(self._clock.now()).end
            await asyncio.sleep(self._clock.real_seconds_until(border))
            if self._clock.now() >= border:
                await self._keep(self._counter.tick(border))

    async def _keep(self, spans: list[PulseSpan]) -> None:
        """Store closed spans, beside the event loop: lines that come meanwhile wait in the socket."""
        self._waiting.extend(spans)
        if self._waiting:
            await asyncio.to_thread(self._put)

    def _put(self) -> None:
        try:
            with self._putting:
                while self._waiting:
                    put_pulses(self._store, as_stored(self._meter_id, self._waiting[0]))
                    self._waiting.popleft()
        except KoatsuError as error:
            log.warning("%s: %d pulse counts wait: %s", self._meter_id, len(self._waiting), error.message)

    # --- what is told -----------------------------------------------------------------------------------

    def _not_understood(self, error: PulseLineError) -> None:
        self._unknown += 1
        level = logging.WARNING if self._unknown == 1 else logging.DEBUG
        log.log(level, "%s: a line of the pulse source is not understood: %s", self._meter_id, error)

    async def _gone(self, why: str) -> None:
        if not self._silent:
            self._silent = True
            log.warning("%s: the pulse source %s cannot be heard: %s", self._meter_id, self._source, why)
            await self._tell("pulses_silent", Level.CAUTION)

    async def _heard(self) -> None:
        self._failures = 0
        if self._silent:
            self._silent = False
            log.info("%s: the pulse source %s is heard again", self._meter_id, self._source)
            await self._tell("pulses_heard", Level.OK)

    async def _tell(self, code: str, level: Level) -> None:
        event = Event(at=self._clock.now(), meter_id=self._meter_id, level=level, code=code, params={})
        try:
            await asyncio.to_thread(self._store.record_event, event)
        except KoatsuError as error:
            log.warning("%s: the event %s could not be kept: %s", self._meter_id, code, error.message)
