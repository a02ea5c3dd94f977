"""The days on file, for every meter."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from koatsu.web.months import meter_calendar
from koatsu.web.screens.part import Changes, Part, common_values, kinds_of, parts_for, site_shape
from koatsu.web.screens.wording import recovery_words
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["DaysScreen"]

_RENEWING = ("recovery", "slot", "link", "epoch")


class DaysScreen:
    """Which days are on file, for every meter."""

    template = "days.html"

    def __init__(self, reader: SiteReader, t: Texts) -> None:
        self._reader, self._t = reader, t
        self.load()

    @property
    def shape(self) -> str:
        """The meters in their order."""
        return site_shape(self._site)

    def load(self, changes: Changes | None = None) -> None:
        """Read the site's calendars and the recovery."""
        if changes is None or not kinds_of(changes).isdisjoint(_RENEWING):
            self._site = self._reader.site()
            self._recovery = tuple(self._reader.recovery())

    def values(self, at: datetime) -> dict[str, Any]:
        """The calendar of every meter."""
        t = self._t
        lead = self._site.meters[0] if self._site.meters else None
        return common_values(self._site, t, at) | {
            "here": "days",
            "lead": lead,
            "weekdays": t("day.weekdays").split(),
            "calendars": [meter_calendar(self._site, meter, t) for meter in self._site.meters],
            "recovery": [recovery_words(item, self._site, at, t) for item in self._recovery],
        }

    def parts(self, changes: Changes) -> Iterator[Part]:
        """The calendars follow the recovery and the closing of slots."""
        kinds = kinds_of(changes)
        yield from parts_for({"clock": ("tick",), "link-badge": ("link",), "recovery": ("recovery",)}, kinds)
        if not kinds.isdisjoint({"recovery", "slot"}):
            for meter in self._site.meters:
                values = {"calendar": meter_calendar(self._site, meter, self._t)}
                yield Part(f"calendar-{meter.id}", "parts/calendar.html", values)
