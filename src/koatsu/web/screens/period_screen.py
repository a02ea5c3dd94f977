"""What the screens of a month and of a year share: reading, renewing, and the figures of their sum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final, Generic, TypeVar

from koatsu.ems.period_models import MonthView, YearView
from koatsu.ems.view_models import MeterHead
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.screens.part import Changes, Part, common_values, kinds_of, parts_for
from koatsu.web.screens.periods import (
    HOLES_SHOWN,
    data_note,
    holes_words,
    instant_words,
    mean_of_day,
    room,
    source_words,
)
from koatsu.web.site import SiteReader
from koatsu.web.texts import Texts

__all__ = ["PeriodScreen"]

_RENEWING: Final = ("slot", "recovery", "epoch")

V = TypeVar("V", MonthView, YearView)


class PeriodScreen(ABC, Generic[V]):
    """A period of one meter; a screen of its own says how its view is read and what else its page needs.

    It reads on construction, so what :meth:`_read` needs has to be there before.
    """

    _PARTS: ClassVar[tuple[str, ...]]  #: everything that a slot or a recovered day changes

    def __init__(self, reader: SiteReader, t: Texts, limits: Mapping[str, Limits], meter: MeterHead) -> None:
        self._reader, self._t, self._meter_id = reader, t, meter.id
        self._limits = limits.get(meter.id, NO_LIMITS)
        self.load()

    @abstractmethod
    def _read(self) -> V:
        """Ask for the view."""

    def load(self, changes: Changes | None = None) -> None:
        """Read the site and the period; again when a slot has closed or one was recovered."""
        if changes is not None and not self._concerned(changes):
            return
        if changes is None or "epoch" in kinds_of(changes):
            self._site = self._reader.site()
        self._view: V = self._read()

    def parts(self, changes: Changes) -> Iterator[Part]:
        """Everything that a slot or a recovered day changes."""
        yield from parts_for({"clock": ("tick",)}, kinds_of(changes))
        if self._concerned(changes):
            for name in self._PARTS:
                yield Part(name, f"parts/{name}.html", {})

    @staticmethod
    def _concerned(changes: Changes) -> bool:
        return any(kind in _RENEWING for kind, _ in changes)

    def _of_the_sum(self, at: datetime) -> dict[str, Any]:
        """The values that both pages show of a meter and its sum."""
        t, view, limits = self._t, self._view, self._limits
        total, sold = view.total, view.meter.role == "sell"
        return common_values(self._site, t, at) | {
            "lead": view.meter,
            "view": view,
            "total": total,
            "sold": sold,
            "span_text": self._span_text(),
            "mean": mean_of_day(total),
            "data_note": data_note(total, t),
            "room": None if sold else room(total, limits, t),
            "holes": holes_words(total, t),
            "holes_more": len(total.holes) - HOLES_SHOWN,
            "sources": source_words(total.epochs, t),
            "limits": limits,
        }

    def _span_text(self) -> str:
        total, t = self._view.total, self._t
        if total.known_from is None or total.known_until is None:
            return t("figures.none")
        since = instant_words(total.known_from, t)
        return t("periods.until", since=since, until=instant_words(total.known_until, t, end=True))
