"""The open half hour: how demand stacks up, and where a straight line would end.

Demand so far is energy × 2, so that the curve ends at the slot's demand. It is drawn in steps, as the meter
counts; a step is not smoothed, and a long silence leaves a gap. The dashed line is a simple extension of the
mean so far, and the chart says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from markupsafe import Markup

from koatsu.clock import JST
from koatsu.ems.view_models import NowView
from koatsu.meter.slots import HALF_HOUR
from koatsu.web.charts.axis import Axis
from koatsu.web.charts.layout import grid, limit_lines, reference_line, sheet, times
from koatsu.web.charts.svg import path, pct, stretched, tag
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.notation import clock_time, exact, grouped, rounded
from koatsu.web.outlook import Outlook, outlook
from koatsu.web.texts import Texts

__all__ = ["has_silence", "open_slot_chart", "staircases"]

_LABEL = 0.11  # share of the plot's height that a label over a line takes
_SHORTEST_GAP = timedelta(seconds=90)
Point = tuple[datetime, Decimal]  # instant, demand so far in kW


def open_slot_chart(view: NowView, t: Texts, *, limits: Limits = NO_LIMITS) -> Markup:
    """The chart of the slot that is running; empty axes while nothing has been received in it."""
    sold = view.meter.role == "sell"
    shown = NO_LIMITS if sold else limits
    points = [(point.instant, point.energy_kwh * 2) for point in view.growth]
    ahead = outlook(view)
    seen = [float(value) for _, value in points]
    if ahead is not None:
        seen.append(float(ahead.kw + (ahead.error_kw or 0)))
    reference = view.month_max_kw  # keeps the scale still while the slot grows, and gives it a measure
    axis = Axis.over(*seen, *shown.values(), *([float(reference)] if reference is not None else []))
    plot = [grid(axis)]
    runs = staircases(points, until=view.at if points else None)
    plot.extend(_gaps(runs, view))
    levels = [axis.y(value) for value in shown.values()]
    if reference is not None and not levels:
        plot.append(reference_line(axis, reference, t))
        levels.append(axis.y(float(reference)))
    plot.append(stretched(*_curves(runs, view, axis, sold=sold)))
    if ahead is not None:
        plot.append(stretched(*_extension(points[-1], ahead, view, axis)))
    plot.append(limit_lines(axis, shown, t))
    if points:
        plot.extend(_marks(points[-1], view, axis, t, levels, sold=sold))
    name = t("chart.open_name", meter=view.meter.label, slot=view.slot.label)
    ticks = [(minute / 30, _tick(view, minute)) for minute in range(0, 31, 5)]
    kind = "open sold" if sold else "open"
    return sheet(axis, t("chart.sold_kw") if sold else "kW", name, plot, [times(ticks)], kind=kind)


def has_silence(view: NowView) -> bool:
    """Whether the curve has a gap, which the legend then explains."""
    return len(staircases([(point.instant, point.energy_kwh) for point in view.growth])) > 1


def staircases(points: Sequence[Point], *, until: datetime | None = None) -> list[list[Point]]:
    """The steps to draw, cut where the meter was silent for much longer than usual.

    Each run holds its corners: a value lasts until the next one is received. ``until`` carries the last
    value on to the present, unless that would span a silence too.
    """
    if not points:
        return []
    waits = [after[0] - before[0] for before, after in pairwise(points)]
    usual = sorted(waits)[len(waits) // 2] if waits else timedelta(0)
    longest = max(_SHORTEST_GAP, usual * 4)
    runs = [[points[0]]]
    for before, after in pairwise(points):
        if after[0] - before[0] > longest:
            runs.append([after])
        else:
            runs[-1] += [(after[0], before[1]), after]
    last = points[-1]
    if until is not None and timedelta(0) < until - last[0] <= longest:
        runs[-1].append((until, last[1]))
    return runs


def _x(instant: datetime, view: NowView) -> float:
    return min(1.0, max(0.0, (instant - view.slot.start) / HALF_HOUR))


def _tick(view: NowView, minute: int) -> str:
    instant = view.slot.start.astimezone(JST) + timedelta(minutes=minute)
    return "24:00" if minute == 30 and view.slot.number == 48 else clock_time(instant)


def _curves(runs: Sequence[Sequence[Point]], view: NowView, axis: Axis, *, sold: bool) -> list[Markup]:
    drawn: list[Markup] = []
    for run in runs:
        corners = [(_x(instant, view), axis.y(float(value))) for instant, value in run]
        floor = axis.y(0)
        area = [(corners[0][0], floor), *corners, (corners[-1][0], floor)]
        tint = "sold" if sold else "measured"
        drawn.append(tag("path", d=path(area, close=True), class_=f"area {tint}"))
        drawn.append(tag("path", d=path(corners), class_=f"curve {tint}"))
    return drawn


def _gaps(runs: Sequence[Sequence[Point]], view: NowView) -> list[Markup]:
    """A wide hatch over each silence between two runs."""
    edges = [(before[-1][0], after[0][0]) for before, after in pairwise(runs)]
    return [
        tag(
            "rect",
            x=pct(_x(start, view)),
            width=pct(_x(end, view) - _x(start, view)),
            y="0",
            height="100%",
            class_="ground missing",
        )
        for start, end in edges
    ]


def _extension(last: Point, ahead: Outlook, view: NowView, axis: Axis) -> list[Markup]:
    start = (_x(last[0], view), axis.y(float(last[1])))
    parts: list[Markup] = []
    if ahead.error_kw is not None:
        high = axis.y(float(ahead.kw + ahead.error_kw))
        low = axis.y(max(0.0, float(ahead.kw - ahead.error_kw)))
        parts.append(tag("path", d=path([start, (1.0, high), (1.0, low)], close=True), class_="fan"))
    parts.append(tag("path", d=path([start, (1.0, axis.y(float(ahead.kw)))]), class_="extension"))
    return parts


def _clear_of(y: float, lines: Sequence[float]) -> float:
    """Where a label at ``y`` must move up to, so that none of the level ``lines`` runs through it."""
    for line in sorted(lines, reverse=True):
        if y - _LABEL < line < y:
            y = line
    return y


def _marks(
    last: Point, view: NowView, axis: Axis, t: Texts, lines: Sequence[float], *, sold: bool
) -> list[Markup]:
    """The present as a dot with its figure, the end of the straight line with its own."""
    x, y = _x(last[0], view), axis.y(float(last[1]))
    late = x > 0.62
    tint = "sold" if sold else "measured"
    side = {"text_anchor": "end" if late else "start", "dx": -12 if late else 12}
    low = y > 0.85
    marks = [
        tag("line", x1=pct(x), x2=pct(x), y1=pct(y), y2="100%", class_="now"),
        tag("circle", cx=pct(x), cy=pct(y), r=6, class_=f"dot {tint}"),
        tag(
            "text",
            t("chart.so_far", kw=exact(last[1], view.resolution_kwh)),
            x=pct(x),
            y=pct(y),
            dy="-1.85em" if late or low else "1.7em",
            class_=f"label {tint}",
            **side,
        ),
        tag(
            "text",
            t("chart.so_far_kwh", kwh=exact(last[1] / 2, view.resolution_kwh), time=clock_time(last[0])),
            x=pct(x),
            y=pct(y),
            dy="-0.5em" if late or low else "3.05em",
            class_="label quiet",
            **side,
        ),
    ]
    ahead = outlook(view)
    if ahead is not None:
        end = axis.y(float(ahead.kw))
        marks.append(tag("circle", cx="100%", cy=pct(end), r=5, class_="dot extension"))
        text = t("chart.extension", kw=grouped(rounded(ahead.kw, 0)))
        end = _clear_of(end, lines)
        marks.append(
            tag(
                "text",
                text,
                x="100%",
                y=pct(end),
                dx=-10,
                dy="-0.85em",
                text_anchor="end",
                class_="label extension",
            )
        )
    return marks
