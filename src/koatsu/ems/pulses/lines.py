"""The lines of a pulse source: what a pulse detector says, one JSON object a line.

``{"pulse": "constant", "per_kwh": "250/3"}``, ``{"pulse": "energy", "count": 7}``, ``{"pulse": "slot"}``.
A line from a file carries its time too, ``"at": "2026-07-15T10:00:00+09:00"``; from a socket it has none, as
no pulse has. Any bytes are one of these or are refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

__all__ = [
    "LONGEST_LINE",
    "Constant",
    "EnergyPulses",
    "PulseLine",
    "PulseLineError",
    "SlotPulse",
    "pulse_constant",
    "pulse_line",
]

LONGEST_LINE: Final = 1024  #: bytes
_MOST_PULSES: Final = 10**9  # in one line
_CONSTANT: Final = re.compile(r"(\d{1,12})(?:/(\d{1,12})|\.(\d{1,12}))?")


class PulseLineError(ValueError):
    """A line that says nothing that we know."""


@dataclass(frozen=True, slots=True)
class Constant:
    """So many pulses are one kWh of the site."""

    per_kwh: Fraction
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class EnergyPulses:
    """So many energy pulses since the last line."""

    count: int
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SlotPulse:
    """The pulse at the end of a slot."""

    at: datetime | None = None


PulseLine = Constant | EnergyPulses | SlotPulse


def pulse_constant(text: str) -> Fraction:
    """Pulses for one kWh as written: ``833``, ``83.5`` or ``250/3``.

    Raises:
        PulseLineError: it is none of these, or not above 0.
    """
    if _CONSTANT.fullmatch(text):
        try:
            constant = Fraction(text)
        except ZeroDivisionError:
            constant = Fraction(0)
        if constant > 0:
            return constant
    raise PulseLineError("pulses per kWh are a positive number such as 833, 83.5 or 250/3")


def pulse_line(line: bytes) -> PulseLine:
    """What a line says.

    Raises:
        PulseLineError: nothing that we know.
    """
    if len(line) > LONGEST_LINE:
        raise PulseLineError(f"a line has at most {LONGEST_LINE} bytes")
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PulseLineError("a line is one JSON object") from error
    if not isinstance(said, dict):
        raise PulseLineError("a line is one JSON object")
    at = _instant(said.get("at"))
    match said.get("pulse"):
        case "constant":
            return Constant(pulse_constant(str(said.get("per_kwh"))), at)
        case "energy":
            count = said.get("count")
            if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= _MOST_PULSES:
                raise PulseLineError(f"a count of pulses is a whole number up to {_MOST_PULSES}")
            return EnergyPulses(count, at)
        case "slot":
            return SlotPulse(at)
        case _:
            raise PulseLineError('"pulse" is constant, energy or slot')


def _instant(written: object) -> datetime | None:
    if written is None:
        return None
    try:
        at = datetime.fromisoformat(written) if isinstance(written, str) else None
        at = None if at is None or at.utcoffset() is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise PulseLineError('"at" is a time with its zone, ISO 8601') from error
    if at is None:
        raise PulseLineError('"at" is a time with its zone, ISO 8601')
    return at
