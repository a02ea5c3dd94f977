"""What can happen to a datagram on the in-process network, as probabilities, and how corruption looks.

Pure: chance comes from the stream that the caller hands in.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TypedDict

from koatsu.errors import UsageError

__all__ = ["FaultChanges", "Faults", "corrupted"]


class FaultChanges(TypedDict, total=False):
    """The fields of `Faults`, as keyword arguments."""

    loss: float
    duplicate: float
    corrupt: float
    reorder: float
    delay_s: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """What a network does to datagrams: probabilities 0.0 to 1.0, and the range of the delay in seconds.

    Raises:
        UsageError: a probability outside 0 to 1, or a delay that is negative or whose ends are swapped.
    """

    loss: float = 0.0
    duplicate: float = 0.0
    corrupt: float = 0.0
    reorder: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "corrupt", "reorder"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise UsageError(f"{name} is a probability from 0 to 1, not {getattr(self, name)}.")
        low, high = self.delay_s
        if not 0.0 <= low <= high < float("inf"):
            raise UsageError(f"delay_s is (shortest, longest) in seconds, not {self.delay_s}.")

    @property
    def random(self) -> bool:
        """Whether any fate is drawn by chance."""
        low, high = self.delay_s
        return bool(self.loss or self.duplicate or self.corrupt or self.reorder or low != high)


def corrupted(data: bytes, stream: random.Random) -> bytes:
    """Flip bits, cut or extend ``data``; the result always differs from it."""
    kind = stream.randrange(3) if data else 2
    if kind == 0:
        changed = bytearray(data)
        positions = stream.sample(range(len(data)), min(len(data), stream.randint(1, 3)))
        for position in positions:  # distinct positions, so that no flip undoes another
            changed[position] ^= 1 << stream.randrange(8)
        return bytes(changed)
    if kind == 1:
        return data[: stream.randrange(len(data))]
    return data + stream.randbytes(stream.randint(1, 8))
