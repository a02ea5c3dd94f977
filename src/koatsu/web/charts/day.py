"""The 48 slots of a day as bars, with the quality of each slot repeated in a strip beneath.

A gap is a gap: a slot without a value has no bar, only a wide hatch on the ground. Sold energy hangs
below the axis of its own chart. Bars carry a text for pointer and screen reader; the table beside the
chart says the same.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from markupsafe import Markup

from koatsu.ems.view_models import DayView, SlotState, SlotView
from koatsu.meter.slots import Slot
from koatsu.web.charts.axis import Axis
from koatsu.web.charts.layout import grid, limit_lines, sheet, times
from koatsu.web.charts.svg import pct, tag
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.notation import day_title, grouped, places_of
from koatsu.web.texts import Texts

__all__ = ["bar_text", "bar_value", "day_chart", "day_legend"]

_SLOTS = 48
_INSET = 0.14  # share of a slot's width left empty on each side of its bar
_WITHOUT_BAR = frozenset({SlotState.MISSING, SlotState.UNAVAILABLE})


def day_chart(
    view: DayView,
    t: Texts,
    *,
    limits: Limits = NO_LIMITS,
    link: Callable[[Slot], str] | None = None,
    at_least: Decimal | None = None,
) -> Markup:
    """The chart of one meter's day; ``link`` gives the address that a click on a slot opens.

    The scale reaches ``at_least`` kW, so that it holds still while a day begins.

    Unscaled meters are drawn in counts, and limits, which are kW, stay away from such a chart.
    """
    sold = view.meter.role == "sell"
    shown = NO_LIMITS if view.unscaled or sold else limits
    values = [bar_value(slot, unscaled=view.unscaled) for slot in view.slots]
    seen = [float(value) for value in values if value is not None]
    floor = [float(at_least)] if at_least is not None and not view.unscaled else []
    axis = Axis.over(*seen, *shown.values(), *floor, down=sold)
    columns = [
        _column(index, slot, value, axis, view, t, link)
        for index, (slot, value) in enumerate(zip(view.slots, values, strict=True))
    ]
    unit = t("unit.counts") if view.unscaled else t("chart.sold_kw") if sold else "kW"
    name = t("chart.day_name", meter=view.meter.label, day=day_title(view.day, t))
    plot = [grid(axis), *columns, limit_lines(axis, shown, t), _greatest(view, values, axis)]
    hours = [(hour / 24, t("chart.hour", h=hour)) for hour in range(0, 25, 3)]
    return sheet(axis, unit, name, plot, [_strip(view, t), times(hours)], kind="day sold" if sold else "day")


def bar_value(slot: SlotView, *, unscaled: bool = False) -> Decimal | None:
    """What the bar of a slot measures: demand in kW (so far, if open) or counts; ``None``: no bar."""
    if slot.state in _WITHOUT_BAR or slot.state is SlotState.FUTURE:
        return None
    if unscaled:
        return None if slot.counts is None else Decimal(slot.counts)
    if slot.demand_kw is not None:
        return slot.demand_kw
    return None if slot.energy_kwh is None else slot.energy_kwh * 2


def bar_text(slot: SlotView, t: Texts, *, unscaled: bool = False) -> str:
    """What a slot says: its times, its value with unit, its quality."""
    state = t(f"state.{slot.state}")
    value = bar_value(slot, unscaled=unscaled)
    if value is None:
        return t("chart.bar_empty", slot=slot.slot.label, state=state)
    if unscaled:
        return t("chart.bar_counts", slot=slot.slot.label, counts=grouped(value), state=state)
    if slot.energy_kwh is None:
        return t("chart.bar_kw", slot=slot.slot.label, kw=grouped(value), state=state)
    return t("chart.bar", slot=slot.slot.label, kw=grouped(value), kwh=grouped(slot.energy_kwh), state=state)


def day_legend(view: DayView) -> tuple[SlotState, ...]:
    """The states that occur on the day and need explaining, in the order of the legend."""
    present = {slot.state for slot in view.slots}
    return tuple(state for state in SlotState if state in present and state is not SlotState.FUTURE)


def _column(
    index: int,
    slot: SlotView,
    value: Decimal | None,
    axis: Axis,
    view: DayView,
    t: Texts,
    link: Callable[[Slot], str] | None,
) -> Markup:
    text = bar_text(slot, t, unscaled=view.unscaled)
    left, width = pct(index, _SLOTS), pct(1, _SLOTS)
    parts = [tag("title", text)]
    if slot.state in _WITHOUT_BAR:
        parts.append(tag("rect", x=left, width=width, y="0", height="100%", class_=f"ground {slot.state}"))
    parts.append(tag("rect", x=left, width=width, y="0", height="100%", class_="touch"))
    if value is not None:
        edge, zero = axis.y(float(value)), axis.y(0)
        parts.append(
            tag(
                "rect",
                x=pct(index + _INSET, _SLOTS),
                width=pct(1 - 2 * _INSET, _SLOTS),
                y=pct(min(edge, zero)),
                height=pct(abs(edge - zero)),
                class_=f"bar {slot.state}",
            )
        )
    column = tag("g", *parts, class_="column", role="img", aria_label=text)
    # The rows of the table open the same panels, so 48 bars need not be 48 more stops of the Tab key.
    return tag("a", column, href=link(slot.slot), tabindex="-1") if link else column


def _greatest(view: DayView, values: list[Decimal | None], axis: Axis) -> Markup:
    """The value of the day's greatest demand, written at the end of its bar."""
    if view.max_slot is None or view.unscaled:
        return Markup("")
    index = view.max_slot.slot.number - 1
    value = values[index]
    if not value:
        return Markup("")
    place = (index + 0.5) / _SLOTS
    anchor = "start" if place < 0.04 else "end" if place > 0.96 else "middle"
    return tag(
        "text",
        grouped(value, places_of(value)),
        x=pct(place),
        y=pct(axis.y(float(value))),
        dy="1.2em" if axis.down else "-0.4em",
        text_anchor=anchor,
        class_="label greatest",
    )


def _strip(view: DayView, t: Texts) -> Markup:
    cells = [
        tag(
            "rect",
            tag("title", f"{slot.slot.label} {t(f'state.{slot.state}')}"),
            x=pct(index + 0.03, _SLOTS),
            width=pct(0.94, _SLOTS),
            y="0",
            height="100%",
            class_=f"cell {slot.state}",
        )
        for index, slot in enumerate(view.slots)
    ]
    return tag("svg", *cells, class_="strip", aria_hidden="true")
