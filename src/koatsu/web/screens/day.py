"""One day of one meter: chart, table, the counts behind each slot, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from koatsu.clock import JST
from koatsu.ems.view_models import DayView, MeterHead, SlotState
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.notation import clock_time, grouped, places_of, rounded
from koatsu.web.screens.part import (
    FIGURES,
    Changes,
    Part,
    common_values,
    kinds_of,
    parts_for,
    site_shape,
    with_open_slot,
)
from koatsu.web.screens.wording import tally, tally_text
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["DayScreen"]


class DayScreen:
    """One JST day of one meter: chart, table, the counts behind each slot, gaps."""

    template = "day.html"

    def __init__(
        self, reader: SiteReader, t: Texts, limits: Mapping[str, Limits], meter: MeterHead, day: date
    ) -> None:
        self._reader, self._t, self._meter_id, self._day = reader, t, meter.id, day
        self._limits = limits.get(meter.id, NO_LIMITS)
        self.load()

    @property
    def shape(self) -> str:
        """The meters to choose from, and the day."""
        return f"{site_shape(self._site)} {self._view.day}"

    def load(self, changes: Changes | None = None) -> None:
        """Read the site and the day; the present day with its open slot."""
        if changes is None or "epoch" in kinds_of(changes):
            self._site = self._reader.site()
        elif not self._concerned(changes):
            return
        view = self._reader.day(self._meter_id, self._day)
        if any(slot.state is SlotState.OPEN for slot in view.slots):
            view = with_open_slot(view, self._reader.now(self._meter_id))
        self._view = view

    def _concerned(self, changes: Changes) -> bool:
        return any(kind in FIGURES and meter in (self._meter_id, None) for kind, meter in changes)

    def values(self, at: datetime) -> dict[str, Any]:
        """The day's view and its neighbours."""
        t, view = self._t, self._view
        today = at.astimezone(JST).date()
        biggest = view.max_slot.slot if view.max_slot else None
        return common_values(self._site, t, at) | {
            "here": "day",
            "lead": view.meter,
            "view": view,
            "limits": self._limits,
            "sold": view.meter.role == "sell",
            "today": today,
            "previous_day": view.day - timedelta(days=1),
            "next_day": view.day + timedelta(days=1) if view.day < today else None,
            "have": tally(view),
            "tally_text": tally_text(view, t),
            "mean_kw": _mean_kw(view),
            "until_text": _until_text(view),
            "default_slot": biggest,
            "places": {
                "demand": places_of(*(slot.demand_kw for slot in view.slots)),
                "energy": places_of(*(slot.energy_kwh for slot in view.slots)),
            },
            "here_link": lambda slot: f"#slot-{slot.number}",
        }

    def parts(self, changes: Changes) -> Iterator[Part]:
        """The cards of the day, every row and every panel: only what differs goes out."""
        yield from parts_for({"clock": ("tick",)}, kinds_of(changes))
        if not self._concerned(changes):
            return
        for name in ("link-badge", "day-figures", "day-chart", "day-holes"):
            yield Part(name, f"parts/{name}.html", {})
        for row in self._view.slots:
            yield Part(f"row-{row.slot.number}", "parts/slot-row.html", {"row": row})
            yield Part(f"slot-{row.slot.number}", "parts/slot-panel.html", {"row": row})


def _until_text(view: DayView) -> str:
    """When the day's sum ends; midnight is the 24:00 of this day, not the 0:00 of the next."""
    if view.energy_until is None:
        return ""
    local = view.energy_until.astimezone(JST)
    return "24:00" if local.date() > view.day else clock_time(local)


def _mean_kw(view: DayView) -> str:
    if view.energy_kwh is None or view.energy_since is None or view.energy_until is None or view.unscaled:
        return ""
    span = view.energy_until - view.energy_since
    if span <= timedelta(0):
        return ""
    hours = Decimal(span // timedelta(seconds=1)) / 3600
    return grouped(rounded(view.energy_kwh / hours, 1), 1) if hours else ""
