"""Times and speeds that a person writes on the command line: ISO 8601 in, aware instants and clocks out."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Final

from koatsu.clock import JST, Clock, ScaledClock, SystemClock
from koatsu.errors import UsageError

__all__ = ["clock_speed", "parse_clock", "start_instant"]

SPEEDS: Final = (0.1, 3600.0)
"""How much slower or faster than real time a clock may run: above, the waits on the wire last for hours."""

YEARS: Final = range(2000, 2100)


def start_instant(text: str | None) -> datetime | None:
    """The instant of an ISO 8601 text; JST where it names no zone.

    Raises:
        UsageError: it is none, or not of this century.
    """
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
        if instant.year not in YEARS:
            raise ValueError(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a date and time of the years 2000 to 2099.",
            ja=f"{text!r} は日時(2000年から2099年まで)ではありません。",
            hint="Write 2026-07-15T13:00 or 2026-07-15T13:00+09:00.",
            hint_ja="2026-07-15T13:00 のように書いてください。",
        ) from None
    return instant if instant.tzinfo else instant.replace(tzinfo=JST)


def clock_speed(speed: float) -> float:
    """The same speed, checked.

    Raises:
        UsageError: a clock cannot run like that.
    """
    slowest, fastest = SPEEDS
    if not math.isfinite(speed) or not slowest <= speed <= fastest:
        raise UsageError(
            f"A clock cannot run at the speed {speed:g}.",
            ja=f"時計の倍率を {speed:g} にはできません。",
            hint=f"Allowed: {slowest:g} to {fastest:g}.",
            hint_ja=f"{slowest:g} から {fastest:g} までで書いてください。",
        )
    return speed


def parse_clock(text: str | None) -> Clock:
    """The clock of ``START@SPEED`` (``2026-07-15T08:00@60``), of either part alone, or the machine's.

    Raises:
        UsageError: it is neither.
    """
    if text is None:
        return SystemClock()
    start, _, speed = text.partition("@")
    try:
        factor = float(speed or 1)
    except ValueError:
        raise UsageError(
            f"--clock {text!r} is not START@SPEED.",
            ja=f"--clock {text!r} は 開始@倍率 の形ではありません。",
            hint="Write 2026-07-15T08:00@60, or @60.",
            hint_ja="2026-07-15T08:00@60 または @60 のように書いてください。",
        ) from None
    return ScaledClock(start_instant(start or None), clock_speed(factor))
