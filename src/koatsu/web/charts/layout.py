"""What the charts share: figures of the axis, grid, limit lines, hatches, and how the parts stand."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from markupsafe import Markup

from koatsu.web.charts.axis import Axis
from koatsu.web.charts.svg import pct, tag
from koatsu.web.limits import Limits
from koatsu.web.notation import grouped
from koatsu.web.texts import Texts

__all__ = ["grid", "hatches", "limit_lines", "reference_line", "sheet", "times"]


def hatches() -> Markup:
    """The fills that are not plain colours; once a page, since charts name them by id."""

    def hatch(name: str, size: int, angle: int, line: float) -> Markup:
        ground = tag("rect", width=size, height=size, class_="ground")
        stroke = tag("rect", width=line, height=size, class_="stroke")
        return tag(
            "pattern",
            ground,
            stroke,
            id=f"hatch-{name}",
            class_=f"hatch {name}",
            width=size,
            height=size,
            patternUnits="userSpaceOnUse",
            patternTransform=f"rotate({angle})",
        )

    patterns = (
        hatch("recovered", 5, 45, 2.4),
        hatch("corrected", 5, 90, 1.6),
        hatch("missing", 9, -45, 1.3),
        hatch("unavailable", 9, 45, 1.3),
        hatch("conflict", 5, 0, 2.4),
    )
    return tag("svg", tag("defs", *patterns), class_="hatches", width=0, height=0, aria_hidden="true")


def grid(axis: Axis) -> Markup:
    """One thin line at each step; the zero line is stronger."""
    return Markup("").join(
        tag(
            "line",
            x1="0",
            x2="100%",
            y1=pct(axis.y(value)),
            y2=pct(axis.y(value)),
            class_="zero" if value == axis.base else "grid",
        )
        for value in axis.ticks()
    )


def limit_lines(axis: Axis, limits: Limits, t: Texts) -> Markup:
    """Target and contract power across the plot, each with its name and value; the labels keep apart."""
    lines: list[Markup] = []
    pairs = (("contract", limits.contract_kw, "-0.5em"), ("target", limits.target_kw, "1.25em"))
    for name, value, offset in pairs:
        if value is None:
            continue
        y = pct(axis.y(float(value)))
        lines.append(tag("line", x1="0", x2="100%", y1=y, y2=y, class_=f"limit {name}"))
        label = t(f"chart.{name}", kw=grouped(value))
        lines.append(tag("text", label, x="0", y=y, dx=6, dy=offset, class_=f"label {name}"))
    return Markup("").join(lines)


def reference_line(axis: Axis, value: Decimal, t: Texts) -> Markup:
    """The greatest demand of the month, as a thin line of the past."""
    y = pct(axis.y(float(value)))
    label = t("chart.month", kw=grouped(value))
    line = tag("line", x1="0", x2="100%", y1=y, y2=y, class_="past")
    return line + tag("text", label, x="0", y=y, dx=6, dy="-0.5em", class_="label quiet")


def times(labels: Sequence[tuple[float, str]]) -> Markup:
    """The times under the axis: (place from 0 to 1, text); every second one yields where it is narrow."""
    texts = [
        tag(
            "text",
            text,
            x=pct(place),
            y="1.25em",
            text_anchor="start" if place <= 0 else "end" if place >= 1 else "middle",
            class_="minor" if index % 2 else None,
        )
        for index, (place, text) in enumerate(labels)
    ]
    return tag("svg", *texts, class_="times", aria_hidden="true")


def sheet(
    axis: Axis, unit: str, name: str, plot: Sequence[Markup], below: Sequence[Markup], *, kind: str
) -> Markup:
    """The whole drawing: unit, figures of the axis, plot, what lies below. ``name`` is read aloud."""
    figures = [
        tag("text", axis.label(value), x="100%", y=pct(axis.y(value)), dy="0.35em", text_anchor="end")
        for value in axis.ticks()
    ]
    return tag(
        "div",
        tag("span", unit, class_="unit-above"),
        tag("svg", *figures, class_="figures", aria_hidden="true"),
        tag("svg", *plot, class_="plot", role="group", aria_label=name),
        *below,
        class_=f"drawing {kind}",
    )
