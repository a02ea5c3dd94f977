"""The pulse service beside the B-route: C1/C2 energy pulses and the time-slot pulse of one meter.

A stream of JSON lines on a local socket, one line for each step that brought pulses. 50,000 pulses per kWh
on the secondary side of the transformers, so 50,000 / coefficient per kWh of the site; a pulse detector
that listens knows neither the register nor the date, which is what makes it worth comparing.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from random import Random

from koatsu.emulator.model import HalfHour, MeterModel
from koatsu.errors import UnreachableError

__all__ = ["PULSES_PER_SECONDARY_KWH", "PulseFaults", "PulseOutput", "PulseServer"]

PULSES_PER_SECONDARY_KWH = 50_000
_MWH_PER_KWH = 1_000_000


@dataclass(slots=True, kw_only=True)
class PulseFaults:
    """Shares 0..1 of pulses lost and doubled, and of slot pulses lost; may be changed while it runs."""

    lost: float = 0.0
    double: float = 0.0
    slot_lost: float = 0.0


@dataclass(slots=True)
class PulseOutput:
    """Turns the growth of one model's energy register into pulses; nothing is lost between two calls."""

    model: MeterModel
    seed: int = 1
    faults: PulseFaults = field(default_factory=PulseFaults)
    _sent: int = field(init=False)
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        self._sent = self._due()
        self._random = Random(self.seed)

    @property
    def pulses_per_kwh(self) -> Fraction:
        """Pulses for one kWh of the site."""
        return PULSES_PER_SECONDARY_KWH / self.model.spec.ratio

    def step(self) -> int:
        """How many pulses came out since the last call, faults included; the model must be up to date."""
        due = self._due()
        fresh, self._sent = due - self._sent, due
        return self._spoil(fresh)

    def slot_pulse(self) -> bool:
        """Whether the pulse of a half hour that has just closed comes out."""
        return not (self.faults.slot_lost and self._random.random() < self.faults.slot_lost)

    def _due(self) -> int:
        return int(
            self.model.flowed_mwh() * PULSES_PER_SECONDARY_KWH / (self.model.spec.ratio * _MWH_PER_KWH)
        )

    def _spoil(self, pulses: int) -> int:
        lost, double = self.faults.lost, self.faults.double
        if not lost and not double:
            return pulses
        out = 0
        for _ in range(pulses):
            draw = self._random.random()
            out += 0 if draw < lost else 2 if draw < lost + double else 1
        return out


class PulseServer:
    """A line stream of one meter's pulses on a TCP or unix socket.

    Lines: ``{"pulse": "constant", "per_kwh": "250/3"}`` to each new listener, then
    ``{"pulse": "energy", "count": 7}`` and ``{"pulse": "slot"}``. No line carries a time, as no pulse does.
    """

    def __init__(self, output: PulseOutput) -> None:
        self.output = output
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._release: Callable[[], None] | None = output.model.subscribe(self._slot_closed)

    async def listen(self, where: str) -> str:
        """Listen on ``HOST:PORT`` (port 0 takes a free one) or on the path of a unix socket.

        Returns:
            Where it listens, in the same form.

        Raises:
            UnreachableError: the place is taken or not allowed.
        """
        try:
            if "/" in where:
                self._server = await asyncio.start_unix_server(self._serve, where)
                return where
            host, _, port = where.rpartition(":")
            self._server = await asyncio.start_server(self._serve, host, int(port))
        except (OSError, ValueError, OverflowError) as error:
            why = error.strerror if isinstance(error, OSError) else None
            raise UnreachableError(
                f"Pulses cannot be offered on {where}{f': {why}' if why else ''}.",
                ja=f"{where} でパルスを出力できません{f'({why})' if why else ''}。",
                hint="Write HOST:PORT or the path of a socket file.",
                hint_ja="HOST:PORT かソケットファイルのパスを書いてください。",
            ) from error
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"{host}:{port}"

    def follow(self, model: MeterModel) -> None:
        """Take the pulses of another meter from now on (a replaced meter); its constant is announced."""
        if self._release is not None:
            self._release()
        self.output = PulseOutput(model, seed=self.output.seed + 1, faults=self.output.faults)
        self._release = model.subscribe(self._slot_closed)
        self._send({"pulse": "constant", "per_kwh": str(self.output.pulses_per_kwh)})

    def tick(self, instant: datetime) -> None:
        """Bring the meter up to ``instant`` and send the pulses that are due."""
        self.output.model.advance_to(instant)
        self._send_energy()

    async def close(self) -> None:
        """Stop listening and let the listeners go."""
        if self._release is not None:
            self._release()
            self._release = None
        for writer in tuple(self._writers):
            writer.close()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
        await asyncio.gather(*self._serving)

    def _slot_closed(self, record: HalfHour) -> None:  # noqa: ARG002 - a pulse carries nothing but itself
        self._send_energy()
        if self.output.slot_pulse():
            self._send({"pulse": "slot"})

    def _send_energy(self) -> None:
        count = self.output.step()
        if count:
            self._send({"pulse": "energy", "count": count})

    def _send(self, line: dict[str, object]) -> None:
        data = (json.dumps(line) + "\n").encode()
        for writer in tuple(self._writers):
            if writer.is_closing() or writer.transport.get_write_buffer_size() > 1 << 20:
                self._writers.discard(writer)
                writer.close()
                continue
            writer.write(data)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        constant = self.output.pulses_per_kwh
        writer.write((json.dumps({"pulse": "constant", "per_kwh": str(constant)}) + "\n").encode())
        self._writers.add(writer)
        try:
            while await reader.read(1024):
                pass
        except ConnectionError:
            pass  # the listener went away without a word
        finally:
            self._writers.discard(writer)
            writer.close()
