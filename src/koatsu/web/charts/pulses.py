"""Pulses beside the register as a drawing: a bar for the register, a line across it for the pulses.

Slots that run together are one wide column with the mean of its slots; a column that somebody should look
after has a hatched ground, so colour is not all that tells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from markupsafe import Markup

from koatsu.ems.pulses import Compared, PulseDay, Reason
from koatsu.meter.slots import Slot
from koatsu.web.charts.axis import Axis
from koatsu.web.charts.layout import grid, sheet, times
from koatsu.web.charts.svg import pct, tag
from koatsu.web.notation import day_title, grouped
from koatsu.web.pulse_words import kwh, reason_words
from koatsu.web.texts import Texts

__all__ = ["pulse_chart", "pulse_state"]

_SLOTS: Final = 48
_INSET: Final = 0.14
_UNKNOWN: Final = {
    Reason.NOT_HEARD: "missing",
    Reason.PART: "unavailable",
    Reason.NO_REGISTER: "unavailable",
    Reason.UNSCALED: "unavailable",
}


def pulse_state(row: Compared) -> str:
    """The state of a row as the charts of days draw it: measured, conflict, missing or unavailable."""
    if row.faulty:
        return "conflict"
    return next((_UNKNOWN[reason] for reason in row.reasons if reason in _UNKNOWN), "measured")


def pulse_chart(view: PulseDay, label: str, t: Texts, *, link: Callable[[Slot], str] | None = None) -> Markup:
    """The chart of a day of the meter called ``label``; ``link``: where a click on a row leads."""
    placed = [(row, *_place(row, view)) for row in view.rows]
    heights = [value for row, _, width in placed for value in _heights(row, width)]
    axis = Axis.over(*heights)
    columns = [_column(row, left, width, axis, t, link) for row, left, width in placed]
    cells = [
        tag(
            "rect",
            tag("title", _text(row, t)),
            x=pct(left + 0.03, _SLOTS),
            width=pct(width - 0.06, _SLOTS),
            y="0",
            height="100%",
            class_=f"cell {pulse_state(row)}",
        )
        for row, left, width in placed
    ]
    strip = tag("svg", *cells, class_="strip", aria_hidden="true")
    hours = [(hour / 24, t("chart.hour", h=hour)) for hour in range(0, 25, 3)]
    name = t("pulse.chart_name", meter=label, day=day_title(view.day, t))
    return sheet(axis, "kWh", name, [grid(axis), *columns], [strip, times(hours)], kind="day pulses")


def _place(row: Compared, view: PulseDay) -> tuple[float, float]:
    """First column and number of columns; what reaches beyond the day is cut off."""
    first = 0 if row.first.day < view.day else row.first.number - 1
    last = _SLOTS if row.last.day > view.day else row.last.number
    return first, max(1, last - first)


def _heights(row: Compared, width: float) -> list[float]:
    slots = max(1.0, float(row.slots), width)
    return [float(value) / slots for value in (row.register_kwh, row.pulse_kwh) if value is not None]


def _column(
    row: Compared,
    left: float,
    width: float,
    axis: Axis,
    t: Texts,
    link: Callable[[Slot], str] | None,
) -> Markup:
    text, state = _text(row, t), pulse_state(row)
    x, wide = pct(left, _SLOTS), pct(width, _SLOTS)
    parts = [tag("title", text)]
    if state != "measured":
        parts.append(tag("rect", x=x, width=wide, y="0", height="100%", class_=f"ground {state}"))
    parts.append(tag("rect", x=x, width=wide, y="0", height="100%", class_="touch"))
    if row.register_kwh is not None:
        top = axis.y(float(row.register_kwh) / row.slots)
        parts.append(
            tag(
                "rect",
                x=pct(left + _INSET, _SLOTS),
                width=pct(width - 2 * _INSET, _SLOTS),
                y=pct(top),
                height=pct(1 - top),
                class_="bar measured",
            )
        )
    if row.pulse_kwh is not None:
        y = pct(axis.y(float(row.pulse_kwh) / row.slots))
        ends = {"x1": pct(left + 0.03, _SLOTS), "x2": pct(left + width - 0.03, _SLOTS), "y1": y, "y2": y}
        parts += [tag("line", class_="pulse under", **ends), tag("line", class_="pulse", **ends)]
    column = tag("g", *parts, class_="column", role="img", aria_label=text)
    return tag("a", column, href=link(row.first), tabindex="-1") if link else column


def _text(row: Compared, t: Texts) -> str:
    told, register = reason_words(row, t), row.register_kwh
    if register is None:
        return t("pulse.bar_none", time=row.label, told=told)
    pulses = kwh(row.pulse_kwh)
    if pulses is None:
        return t("pulse.bar_register", time=row.label, register=grouped(register), told=told)
    return t("pulse.bar", time=row.label, register=grouped(register), pulses=grouped(pulses, 3), told=told)
