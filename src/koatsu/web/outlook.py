"""Where the open half hour would end if it went on as so far: a straight line, and how little it knows.

In the first moments one count more or less would swing the line's end by half its height, so nothing is said
until it has settled. This is no forecast, and the pages say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from koatsu.ems.live import LinkState
from koatsu.ems.view_models import NowView
from koatsu.meter.slots import HALF_HOUR

__all__ = ["Outlook", "outlook", "straight"]

_TOO_EARLY: Final = timedelta(minutes=2)
_SETTLED: Final = timedelta(minutes=10)  #: from here on even a coarse line is worth showing
_COARSE: Final = Decimal("0.125")  #: of the value: a greater error of one count is too coarse before that
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Outlook:
    """Demand at the end of the slot, kW, and how far one count moves it; ``None`` where that is not known."""

    kw: Decimal
    error_kw: Decimal | None


def outlook(view: NowView) -> Outlook | None:
    """The straight line's end; ``None`` while it says nothing, and when the meter is not heard."""
    if not view.growth:
        return None
    gone = view.growth[-1].instant - view.slot.start
    return straight(view.straight_line_kw, gone, view.resolution_kwh, view.link)


def straight(
    line_kw: Decimal | None, gone: timedelta, resolution_kwh: Decimal | None, link: LinkState
) -> Outlook | None:
    """The same from its parts: the line's end, the time that it rests on, one scaled count, and the link."""
    if line_kw is None or gone < _TOO_EARLY or link in (LinkState.STALE, LinkState.SILENT):
        return None
    error = None
    if resolution_kwh is not None:
        # one count × 2 (kWh in half an hour to kW), stretched from the time gone by to the whole slot
        error = resolution_kwh * 2 * (HALF_HOUR // _MICROSECOND) / (gone // _MICROSECOND)
        if error > line_kw * _COARSE and gone < _SETTLED:
            return None
    return Outlook(line_kw, error)
