"""Charts drawn on the server as inline SVG: pure functions from a read model to markup."""

from __future__ import annotations

from koatsu.web.charts.day import bar_text, bar_value, day_chart, day_legend
from koatsu.web.charts.layout import hatches
from koatsu.web.charts.open_slot import has_silence, open_slot_chart

__all__ = [
    "bar_text",
    "bar_value",
    "day_chart",
    "day_legend",
    "has_silence",
    "hatches",
    "open_slot_chart",
]
