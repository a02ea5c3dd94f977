"""What the comparison of pulses says, in words: the reasons of a row, the verdict on a day, a file of it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from fractions import Fraction
from typing import Final

from koatsu.clock import JST
from koatsu.ems.pulses import Compared, PulseDay, PulseSum, Reason, shown
from koatsu.meter.quantity import plain
from koatsu.web.notation import clock_time, grouped
from koatsu.web.texts import Texts

__all__ = ["COLUMNS", "constant_text", "day_words", "kwh", "pulse_csv", "reason_words", "sum_words"]

_LATE_S: Final = 90  #: a slot pulse that is this far off means that a clock is wrong

COLUMNS: Final = (
    "start", "end", "pulses", "pulse_kwh", "register_kwh", "difference_kwh", "resolution_kwh",
    "reasons", "pulses_fewest", "pulses_most",
)  # fmt: skip
"""The columns of the file; times are ISO 8601 +09:00."""


def kwh(value: Fraction | Decimal | None) -> Decimal | None:
    """An energy for people: the register's as it is, the pulses' to the watt-hour."""
    return shown(value) if isinstance(value, Fraction) else value


def reason_words(row: Compared, t: Texts) -> str:
    """Why the two sides of a row differ or cannot be compared, and by how much."""
    told = [t(f"pulse.{'constant_wrong' if one is Reason.CONSTANT else one.value}") for one in row.reasons]
    if row.amiss is not None:
        told[0] += f" {_amount(row.amiss, t)}"
    if Reason.PART in row.reasons and row.heard_from is not None and row.heard_until is not None:
        told.append(t("pulse.heard", since=clock_time(row.heard_from), until=clock_time(row.heard_until)))
    return "、".join(told) if t.lang == "ja" else ", ".join([told[0], *(_lower(one) for one in told[1:])])


def sum_words(total: PulseSum, t: Texts) -> str:
    """The verdict on all slots together."""
    fewest, most = total.amiss or (0, 0)
    return t(f"pulse.sum_{total.reasons[0].value}", fewest=grouped(fewest), most=grouped(most))


def day_words(day: PulseDay, t: Texts) -> list[tuple[str, bool]]:
    """What has to be said of a day beside its rows, and whether somebody should look after it."""
    told = [] if day.total is None else [(sum_words(day.total, t), day.total.faulty)]
    if day.late_s is not None and abs(day.late_s) >= _LATE_S:
        told.append((t("pulse.late_notice", seconds=grouped(abs(day.late_s))), True))
    return told


def constant_text(value: Fraction) -> str:
    """Pulses for one kWh: a decimal where that is exact, else the fraction."""
    if 10**6 % value.denominator == 0:
        exact = Decimal(value.numerator * (10**6 // value.denominator)).scaleb(-6)
        return grouped(exact)
    return f"{value.numerator}/{value.denominator}"


def pulse_csv(day: PulseDay) -> str:
    """The rows of a day as CSV, without byte-order mark."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in day.rows:
        fewest, most = row.amiss or ("", "")
        start, end = (at.astimezone(JST).isoformat() for at in (row.first.start, row.last.end))
        energies = (row.pulse_kwh, row.register_kwh, row.difference_kwh, row.resolution_kwh)
        cells = ["" if value is None else plain(value) for value in map(kwh, energies)]
        pulses = "" if row.pulses is None else row.pulses
        writer.writerow([start, end, pulses, *cells, " ".join(row.reasons), fewest, most])
    return out.getvalue()


def _amount(amiss: tuple[int, int], t: Texts) -> str:
    fewest, most = amiss
    key = "pulse.amount_one" if fewest == most else "pulse.amount"
    return t(key, fewest=grouped(fewest), most=grouped(most))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
