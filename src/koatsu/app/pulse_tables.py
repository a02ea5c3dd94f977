"""The comparison of pulses as the command prints it: rows, CSV, JSON, in the words of the pages."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from koatsu.clock import JST
from koatsu.ems.pulses import Compared, PulseDay, PulseSum
from koatsu.meter.quantity import plain
from koatsu.web.notation import grouped, places_of, signed
from koatsu.web.pulse_words import constant_text, day_words, kwh, pulse_csv, reason_words
from koatsu.web.texts import texts

__all__ = ["csv_text", "headings", "json_text", "rows", "words"]


def headings(lang: str) -> tuple[str, ...]:
    """The columns of :func:`rows`."""
    t = texts(lang)
    names = ("time", "pulses", "pulse_kwh", "register_kwh", "difference_kwh", "resolution_kwh", "reason")
    return tuple(t(f"pulse.{name}") for name in names)


def rows(day: PulseDay, lang: str) -> list[tuple[str, ...]]:
    """A line for each row, for people."""
    t, places = texts(lang), places_of(*(row.register_kwh for row in day.rows))
    return [
        (
            row.label,
            "" if row.pulses is None else grouped(row.pulses),
            *_energies(row, places),
            reason_words(row, t),
        )
        for row in day.rows
    ]


def _energies(row: Compared, places: int) -> tuple[str, str, str, str]:
    pulses, register = kwh(row.pulse_kwh), row.register_kwh
    difference, doubt = kwh(row.difference_kwh), kwh(row.resolution_kwh)
    return (
        "" if pulses is None else grouped(pulses, 3),
        "" if register is None else grouped(register, places),
        "" if difference is None else signed(difference, 3),
        "" if doubt is None else grouped(doubt, 3),
    )


def words(day: PulseDay, lang: str) -> list[str]:
    """The verdict on the day, in sentences."""
    return [sentence for sentence, _ in day_words(day, texts(lang))]


def csv_text(day: PulseDay) -> str:
    """The day as CSV, without byte-order mark."""
    return pulse_csv(day)


def json_text(day: PulseDay) -> str:
    """The day as JSON: exact values as strings, energies of pulses to the watt-hour."""
    constant = None if day.per_kwh is None else constant_text(day.per_kwh).replace(",", "")
    told = {
        "meter": day.meter_id,
        "day": day.day.isoformat(),
        "units": {
            "pulse_kwh": "kWh",
            "register_kwh": "kWh",
            "difference_kwh": "kWh",
            "resolution_kwh": "kWh",
        },
        "pulses_per_kwh": constant,
        "slot_pulses_late_s": day.late_s,
        "total": None if day.total is None else _json_sum(day.total),
        "slots": [_json_row(row) for row in day.rows],
    }
    return json.dumps(told, ensure_ascii=False, indent=2) + "\n"


def _json_row(row: Compared) -> dict[str, object]:
    start, end = row.first.start, row.last.end
    return {
        "start": start.astimezone(JST).isoformat(),
        "end": end.astimezone(JST).isoformat(),
        "slots": (end - start) // timedelta(minutes=30),
        "pulses": row.pulses,
        "pulse_kwh": _exact(row.pulse_kwh),
        "register_counts": row.counts,
        "register_kwh": _exact(row.register_kwh),
        "difference_kwh": _exact(row.difference_kwh),
        "resolution_kwh": _exact(row.resolution_kwh),
        "reasons": list(row.reasons),
        "pulses_amiss": None if row.amiss is None else list(row.amiss),
    }


def _json_sum(total: PulseSum) -> dict[str, object]:
    return {
        "slots": total.slots,
        "pulses": total.pulses,
        "pulse_kwh": _exact(total.pulse_kwh),
        "register_kwh": _exact(total.register_kwh),
        "difference_kwh": _exact(total.difference_kwh),
        "resolution_kwh": _exact(total.resolution_kwh),
        "reasons": list(total.reasons),
        "pulses_amiss": None if total.amiss is None else list(total.amiss),
    }


def _exact(value: Any) -> str | None:
    shown = kwh(value)
    return None if shown is None else plain(shown)
