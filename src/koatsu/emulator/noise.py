"""Noise without state: a number for (seed, stream, index), the same in whatever order it is asked.

The emulated site is a pure function of its seed and the instant, so that a day can be looked at
backwards, twice, or in another process. No generator object is kept anywhere.
"""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["smooth", "stream_key", "unit"]

_MASK = (1 << 64) - 1
_SCALE = 1.0 / (1 << 53)


def stream_key(seed: int, name: str) -> int:
    """A 64-bit key for one stream of noise, named in words, under ``seed`` (any integer)."""
    return int.from_bytes(blake2b(f"{seed}/{name}".encode(), digest_size=8).digest(), "big")


def unit(key: int, index: int) -> float:
    """A number in [0, 1) for ``index`` of the stream ``key`` (the splitmix64 finaliser)."""
    z = (key + index * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) * _SCALE


def smooth(key: int, position: int, period: int) -> float:
    """A continuous wave in [-1, 1): a new random level each ``period`` positions, straight between them."""
    index, rest = divmod(position, period)
    low = unit(key, index)
    return 2.0 * (low + (unit(key, index + 1) - low) * rest / period) - 1.0
