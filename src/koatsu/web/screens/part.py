"""What a screen is: the models of one page, and the parts of it that signals renew.

A screen is loaded once for a page and again for every batch of signals of its live stream. It holds no state
beyond the models it read last, and computes nothing that a read model could say itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

from koatsu.clock import JST
from koatsu.ems.view_models import DayView, MeterHead, NowView, SiteView, SlotState, SlotView
from koatsu.meter.slots import Slot
from koatsu.web.texts import Texts

__all__ = [
    "FIGURES",
    "Change",
    "Changes",
    "Part",
    "Screen",
    "common_values",
    "kinds_of",
    "parts_for",
    "site_shape",
    "with_open_slot",
]

#: What happened, to which channel (``None``: the site): the signals of ``ems.live``, and "tick" each second.
Change = tuple[str, str | None]
Changes = frozenset[Change]

FIGURES: Final = ("sample", "slot", "link")  #: the signals that may change a figure of a meter


@dataclass(frozen=True, slots=True)
class Part:
    """An element that is renewed by itself: its template, and what that needs beyond the screen's values."""

    key: str
    template: str
    values: Mapping[str, Any]


class Screen(Protocol):
    """A page with its live parts."""

    @property
    def template(self) -> str:
        """The template of the whole page."""
        ...

    @property
    def shape(self) -> str:
        """What the page is made of; when it changes, parts do not help and the page is loaded again."""
        ...

    def load(self, changes: Changes | None = None) -> None:
        """Read the models anew that ``changes`` concern; all of them when there is nothing to go by."""
        ...

    def values(self, at: datetime) -> dict[str, Any]:
        """What the templates of the page need, at the instant ``at``."""
        ...

    def parts(self, changes: Changes) -> Iterator[Part]:
        """The parts that ``changes`` may have changed."""
        ...


def kinds_of(changes: Changes) -> frozenset[str]:
    """What happened, whatever the meter."""
    return frozenset(kind for kind, _ in changes)


def with_open_slot(day: DayView, now: NowView) -> DayView:
    """The present day with what its open slot has come to; the day's own sums and maximum leave that out."""
    if now.energy_kwh is None or now.slot.day != day.day:
        return day

    def filled(view: SlotView) -> SlotView:
        if view.state is not SlotState.OPEN or view.slot != now.slot:
            return view
        return replace(view, energy_kwh=now.energy_kwh, demand_kw=now.demand_kw, demand_from="energy")

    return replace(day, slots=tuple(filled(view) for view in day.slots))


def parts_for(table: Mapping[str, tuple[str, ...]], kinds: frozenset[str]) -> Iterator[Part]:
    """The plain parts of a page: each is the template of the same name."""
    for name, renewed_by in table.items():
        if not kinds.isdisjoint(renewed_by):
            yield Part(name, f"parts/{name}.html", {})


def common_values(site: SiteView, t: Texts, at: datetime) -> dict[str, Any]:
    """What every page needs of the site."""
    return {
        "site_name": site.name,
        "meters": site.meters,
        "several": len(site.meters) > 1,
        "at": at.astimezone(JST),
        "at_day": at.astimezone(JST).date(),
        "slot_link": lambda meter: _slot_link(meter, t),
    }


def site_shape(site: SiteView) -> str:
    """The meters in their order: with another list, every page is another page."""
    return " ".join(meter.id for meter in site.meters)


def _slot_link(meter: MeterHead, t: Texts) -> Callable[[Slot], str]:
    return lambda slot: f"{t.prefix}/day/{meter.id}/{slot.day.isoformat()}#slot-{slot.number}"
