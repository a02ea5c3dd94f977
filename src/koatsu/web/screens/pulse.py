"""One day of pulses beside the register: the sum, the chart, every slot with its reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from koatsu.clock import JST
from koatsu.ems.pulses import PulseDay, PulseDesk
from koatsu.ems.view_models import MeterHead
from koatsu.meter.slots import Slot
from koatsu.web.charts.pulses import pulse_chart, pulse_state
from koatsu.web.notation import places_of
from koatsu.web.pulse_words import constant_text, day_words, kwh, reason_words
from koatsu.web.screens.part import Changes, Part, common_values, kinds_of, parts_for, site_shape
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["PulseScreen"]


class PulseScreen:
    """One JST day of the pulses of one meter."""

    template = "pulse.html"

    def __init__(self, reader: SiteReader, desk: PulseDesk, t: Texts, meter: MeterHead, day: date) -> None:
        self._reader, self._desk, self._t, self._meter, self._day = reader, desk, t, meter, day
        self.load()

    @property
    def shape(self) -> str:
        """The meters to choose from, and the day."""
        return f"{site_shape(self._site)} pulse {self._day}"

    def load(self, changes: Changes | None = None) -> None:
        """Read the site and the day."""
        if changes is None or "epoch" in kinds_of(changes):
            self._site = self._reader.site()
        elif not self._concerned(changes):
            return
        self._view: PulseDay = self._desk.day(self._meter.id, self._day)
        self._heard = self._desk.meters()
        self._last = self._desk.last_day(self._meter.id)

    def _concerned(self, changes: Changes) -> bool:
        return any(kind == "slot" and meter in (self._meter.id, None) for kind, meter in changes)

    def values(self, at: datetime) -> dict[str, Any]:
        """The day's comparison and its neighbours."""
        t, view = self._t, self._view
        today = at.astimezone(JST).date()
        return common_values(self._site, t, at) | {
            "here": "pulse",
            "lead": next((one for one in self._site.meters if one.id == self._meter.id), self._meter),
            "view": view,
            "choices": [meter for meter in self._site.meters if meter.id in self._heard],
            "previous_day": view.day - timedelta(days=1),
            "next_day": view.day + timedelta(days=1) if view.day < today else None,
            "newest": self._last if self._last != view.day else None,
            "told": day_words(view, t),
            "places": places_of(*(row.register_kwh for row in view.rows)),
            "kwh": kwh,
            "constant": constant_text(view.per_kwh) if view.per_kwh is not None else "",
            "reason_words": lambda row: reason_words(row, t),
            "pulse_state": pulse_state,
            "pulse_chart": lambda: pulse_chart(view, self._meter.label, t, link=_row),
        }

    def parts(self, changes: Changes) -> Iterator[Part]:
        """The cards of the day, when a slot has closed."""
        yield from parts_for({"clock": ("tick",), "link-badge": ("link",)}, kinds_of(changes))
        if self._concerned(changes):
            for name in ("pulse-figures", "pulse-chart", "pulse-table"):
                yield Part(name, f"parts/{name}.html", {})


def _row(slot: Slot) -> str:
    return f"#at-{slot.day}-{slot.number}"
