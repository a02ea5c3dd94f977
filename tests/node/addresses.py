"""Loopback addresses that no other test process uses: all of 127/8 is ours on Linux."""

from __future__ import annotations

import itertools
import os

_counter = itertools.count(1)


def fresh_address() -> str:
    """A new address of 127/8; port 3610 is free on it."""
    number = next(_counter)
    return f"127.{64 + os.getpid() // 256 % 64}.{os.getpid() % 256}.{number % 254 + 1}"
