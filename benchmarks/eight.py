"""The eight properties that the network figures ask for: what changes on a high-voltage meter."""

from __future__ import annotations

import random
from datetime import datetime

from koatsu.clock import JST
from koatsu.devices import Record, Value, device_class
from koatsu.echonet import Eoj

__all__ = ["CLASS_CODE", "EIGHT", "METER", "epcs", "random_values"]

CLASS_CODE = 0x028A
METER = Eoj.of(CLASS_CODE)
EIGHT = (
    "energy_now", "energy_slot", "energy_pf_now", "demand_slot", "reactive_now", "reactive_slot",
    "monthly_max_demand", "cumulative_max_demand",
)  # fmt: skip


def epcs() -> list[int]:
    """Their codes."""
    return [device_class(CLASS_CODE).property(name).epc for name in EIGHT]


def random_values(rng: random.Random) -> dict[str, Value]:
    """A value for each: what a device that is not an emulated meter serves."""
    at = datetime(2026, 7, 15, 13, 30, tzinfo=JST)
    values: dict[str, Value] = {}
    for name in EIGHT:
        count = rng.randrange(100_000_000)
        values[name] = count if name.endswith("demand") else Record({"at": at, "normal": count})
    return values
