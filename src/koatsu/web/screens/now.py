"""The open half hour: one meter in full, the others in brief."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from koatsu.ems.view_models import DayView, NowView, SlotView
from koatsu.web.hero import hero
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.notation import day_plain, grouped
from koatsu.web.outlook import outlook
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
from koatsu.web.screens.wording import NOT_CLOSED, event_words, recovery_words, sold_words, tally
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["NowScreen"]

EVENTS_SHOWN = 8


class NowScreen:
    """The open half hour of one meter in full, the other meters in brief."""

    _PARTS: Final = {
        "clock": ("tick",),
        "link-badge": ("sample", "link"),
        "alarms": ("sample", "slot", "link"),
        "hero": ("sample", "slot", "link", "tick"),
        "open-slot": ("sample", "slot", "link"),
        "today": ("sample", "slot"),
        "figures": ("sample", "slot", "link"),
        "link": ("sample", "slot", "link", "tick"),
        "recovery": ("recovery",),
        "events": ("event",),
    }

    def __init__(
        self, reader: SiteReader, t: Texts, limits: Mapping[str, Limits], meter_id: str | None = None
    ) -> None:
        self._reader, self._t, self._limits, self._meter_id = reader, t, limits, meter_id
        self._views: dict[str, NowView] = {}
        self.load()

    @property
    def template(self) -> str:
        """The page; before any meter is known it says so."""
        return "now.html" if self._views else "first.html"

    @property
    def shape(self) -> str:
        """The meters in their order."""
        return site_shape(self._site)

    def load(self, changes: Changes | None = None) -> None:
        """Read site, present of every meter, recovery and events, or what of these has changed."""
        kinds = {"epoch"} if changes is None else kinds_of(changes)
        anew = "epoch" in kinds
        if anew:
            self._site = self._reader.site()
            self._views = {}
        heard = {meter for kind, meter in changes or () if kind in FIGURES}
        for meter in self._site.meters:
            if anew or not heard.isdisjoint({meter.id, None}):
                self._views[meter.id] = self._read(meter.id)
        if anew or "recovery" in kinds:
            self._recovery = tuple(self._reader.recovery())
        if anew or "event" in kinds:
            self._events = tuple(self._reader.events(EVENTS_SHOWN))

    def _read(self, meter_id: str) -> NowView:
        now = self._reader.now(meter_id)
        return replace(now, today=with_open_slot(now.today, now))

    def values(self, at: datetime) -> dict[str, Any]:
        """The lead meter's view, what is said about it, and the other meters."""
        t = self._t
        common = common_values(self._site, t, at) | {
            "here": "now",
            "events": [event_words(event, self._site, at, t) for event in self._events],
            "recovery": [recovery_words(item, self._site, at, t) for item in self._recovery],
        }
        if not self._views:
            return common | {"lead": None}
        lead_id = self._meter_id or next(iter(self._views))
        now = self._views[lead_id]
        limits = self._limits.get(lead_id, NO_LIMITS)
        said = hero(now, t, at=at, limits=limits)
        return common | {
            "lead": now.meter,
            "now": now,
            "limits": limits,
            "hero": said,
            "step": now.resolution_kwh,
            "ahead": outlook(now),
            "sold": now.meter.role == "sell",
            "stale": said.stale,
            "have": tally(now.today),
            "last_slot": _last_closed(now.today),
            "month_max_note": _month_max_note(now, t),
            "no_sold": sold_words(now, self._site, t),
            "alarms": self._alarms(at),
            "others": [self._other(view, at) for key, view in self._views.items() if key != lead_id],
        }

    def parts(self, changes: Changes) -> Iterator[Part]:
        """The parts of the lead meter and the card of every other one."""
        kinds = kinds_of(changes)
        if not self._views:
            yield from parts_for({"clock": ("tick",), "events": ("event",)}, kinds)
            return
        yield from parts_for(self._PARTS, kinds)
        if not kinds.isdisjoint(FIGURES):
            lead_id = self._meter_id or next(iter(self._views))
            for key, view in self._views.items():
                if key != lead_id:
                    other = self._other(view, self._reader.clock_now())
                    yield Part(f"meter-{key}", "parts/other-meter.html", {"other": other})

    def _other(self, view: NowView, at: datetime) -> dict[str, Any]:
        limits = self._limits.get(view.meter.id, NO_LIMITS)
        said = hero(view, self._t, at=at, limits=limits)
        return {
            "meter": view.meter,
            "now": view,
            "ahead": outlook(view),
            "hero": said,
            "limits": limits,
            "sold": view.meter.role == "sell",
            "stale": said.stale,
        }

    def _alarms(self, at: datetime) -> list[str]:
        said: list[str] = []
        for key, view in self._views.items():
            limits = self._limits.get(key, NO_LIMITS)
            word = hero(view, self._t, at=at, limits=limits)
            if word.tone == "alarm" and limits.contract_kw is not None:
                said.append(
                    self._t("alarm.contract", label=view.meter.label, limit=grouped(limits.contract_kw))
                )
        return said


def _last_closed(view: DayView) -> SlotView | None:
    closed = [slot for slot in view.slots if slot.state not in NOT_CLOSED]
    return closed[-1] if closed and closed[-1].demand_kw is not None else None


def _month_max_note(now: NowView, t: Texts) -> str:
    at = now.month_max_slot
    if at is None:
        return ""
    slot = f"{day_plain(at.day, t)} {at.label}"
    if now.month_since.day == 1:
        return slot
    return t("figures.month_since", slot=slot, since=day_plain(now.month_since, t))
