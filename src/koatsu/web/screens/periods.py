"""What pages of months and of years say alike: figures, gaps, and where a total comes from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from koatsu.clock import JST
from koatsu.ems.month_spans import MonthSpan
from koatsu.ems.period_models import EpochTotal, PeriodTotal
from koatsu.ems.view_models import HoleView
from koatsu.meter.slots import Slot
from koatsu.web.limits import Limits
from koatsu.web.notation import clock_time, day_label, day_plain, grouped, places_of, rounded
from koatsu.web.texts import Texts

__all__ = [
    "HOLES_SHOWN",
    "data_note",
    "holes_words",
    "instant_words",
    "mean_of_day",
    "month_title",
    "room",
    "source_words",
    "span_words",
]

HOLES_SHOWN: Final = 6


def month_title(span: MonthSpan, t: Texts) -> str:
    """``2026年7月``: the calendar month in which a month begins."""
    return t("day.month_title", y=span.year, m=t("day.months").split()[span.month - 1])


def span_words(first: date, last: date, t: Texts) -> str:
    """The days of a period, such as ``2026年7月16日–8月15日``."""
    same = first.year == last.year
    if t.lang == "ja":
        return t("periods.span", first=_date(first, t), last=day_plain(last, t) if same else _date(last, t))
    return t("periods.span", first=day_plain(first, t) if same else _date(first, t), last=_date(last, t))


def _date(day: date, t: Texts) -> str:
    return t("periods.date", y=day.year, m=t("day.months").split()[day.month - 1], d=day.day)


def mean_of_day(total: PeriodTotal) -> str:
    """The energy of 24 hours on the mean, kWh with one decimal; empty where nothing is known."""
    if total.energy_kwh is None or total.known_from is None or total.known_until is None:
        return ""
    seconds = (total.known_until - total.known_from) // timedelta(seconds=1)
    return grouped(rounded(total.energy_kwh * 86_400 / seconds, 1), 1) if seconds else ""


def data_note(total: PeriodTotal, t: Texts) -> str:
    """What is missing of the closed slots of a period, and what is in conflict."""
    said = []
    if missing := total.closed - total.known - total.disputed:
        said.append(t("periods.missing", n=grouped(missing)))
    if total.disputed:
        said.append(t("periods.disputed", n=grouped(total.disputed)))
    return " · ".join(said) or t("periods.whole")


def room(total: PeriodTotal, limits: Limits, t: Texts) -> dict[str, str] | None:
    """How far the greatest demand stays below contract power, or the target where only that is set."""
    words = ("periods.room_contract", "periods.over_contract", "periods.contract")
    limit = limits.contract_kw
    if limit is None:
        words = ("periods.room_target", "periods.over_target", "periods.target")
        limit = limits.target_kw
    if limit is None or total.peak is None:
        return None
    left = limit - total.peak.demand_kw
    below, above, name = words
    return {
        "name": t(below if left >= 0 else above),
        "value": grouped(abs(left), places_of(left)),
        "note": t("periods.limit_is", name=t(name), kw=grouped(limit)),
    }


def holes_words(total: PeriodTotal, t: Texts) -> list[dict[str, Any]]:
    """Each gap with its ends, its sum, and whether that is part of the total; of many the longest."""
    first, last = Slot(total.first, 1), Slot(total.last, 48)
    shown = total.holes
    if len(shown) > HOLES_SHOWN:
        shown = tuple(sorted(shown, key=_length, reverse=True)[:HOLES_SHOWN])
    return [
        {
            "when": t(
                "periods.hole",
                since=instant_words(hole.first.start, t),
                until=instant_words(hole.last.end, t, end=True),
            ),
            "day": max(hole.first, first).day,
            "slots": t("periods.hole_slots", n=grouped(_length(hole))),
            "sum": _sum(hole, t),
            "why": ""
            if hole.counts is None
            else t("periods.hole_across" if hole.first < first or hole.last > last else "periods.hole_shape"),
        }
        for hole in shown
    ]


def source_words(epochs: Sequence[EpochTotal], t: Texts) -> list[dict[str, Any]]:
    """For each epoch of a total the two counts behind it, their difference and what one count is worth."""
    return [
        {
            "title": t("periods.epoch", n=one.epoch) if len(epochs) > 1 else "",
            "last_when": t("periods.count_at", when=instant_words(one.last_at, t, end=True)),
            "last_count": grouped(one.last_count),
            "first_when": t("periods.count_at", when=instant_words(one.first_at, t)),
            "first_count": grouped(one.first_count),
            "counts": t("periods.counts_value", n=grouped(one.counts or 0)),
            "factor": None if one.factor is None else f"{grouped(one.factor)} kWh",
            "energy": None if one.energy_kwh is None else f"{grouped(one.energy_kwh)} kWh",
            "left_out": one.left_out > 0,
            "wrapped": not one.left_out and one.counts != one.last_count - one.first_count,
        }
        for one in epochs
        if one.counts is not None
    ]


def _sum(hole: HoleView, t: Texts) -> str:
    if hole.energy_kwh is not None:
        return t("periods.hole_sum", kwh=grouped(hole.energy_kwh))
    if hole.counts is not None:
        return t("periods.hole_counts", n=grouped(hole.counts))
    return t("periods.hole_open")


def _length(hole: HoleView) -> int:
    return (hole.last.day - hole.first.day).days * 48 + hole.last.number - hole.first.number + 1


def instant_words(at: datetime, t: Texts, *, end: bool = False) -> str:
    """Day and time in JST; an end at midnight is the 24:00 of its day."""
    local = at.astimezone(JST)
    if end and local.hour == local.minute == 0:
        return f"{day_label(local.date() - timedelta(days=1), t)} {t('periods.midnight')}"
    return f"{day_label(local.date(), t)} {clock_time(at.astimezone(UTC))}"
