"""Bars for days and months: one column each, with its value, its link and what is said of it.

A column without a value has no bar, only the wide hatch of what is missing; one that is not over is drawn as
what has come to it so far. The strip beneath says how much of each is on file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from koatsu.web.charts.axis import Axis
from koatsu.web.charts.layout import grid, sheet
from koatsu.web.charts.svg import pct, tag
from koatsu.web.limits import Limits
from koatsu.web.notation import grouped
from koatsu.web.texts import Texts

__all__ = ["Column", "Level", "Share", "columns_chart", "levels_of", "marks", "shares"]

_INSET = 0.14  # share of a column's width left empty on each side of its bar
_LINE = 0.085  # share of the plot's height that a line of text beside it takes
_FOOT = 0.16  # a bar of this share of the plot's height holds its figure inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One bar: ``text`` is read aloud, ``state`` is its class ("" before it begins), ``label`` its figure.

    ``tint`` gives the ground a shade, as of a weekend; ``greatest`` marks the bar that counts.
    """

    text: str
    value: Decimal | None
    state: str = "measured"
    href: str | None = None
    label: str = ""
    tint: bool = False
    greatest: bool = False


@dataclass(frozen=True, slots=True)
class Level:
    """A line across the plot, "contract", "target" or "rule"; ``text`` names it beside the plot.

    ``drawn``: the line itself; without it only the name stands there, at the height of ``value``.
    """

    name: str
    value: Decimal
    text: str
    drawn: bool = True


@dataclass(frozen=True, slots=True)
class Share:
    """A cell of the strip: how much of its slots is on file, from 0 to 1, and whether any is in conflict."""

    share: float
    disputed: bool
    begun: bool
    text: str


def columns_chart(
    columns: Sequence[Column],
    axis: Axis,
    unit: str,
    name: str,
    *,
    levels: Sequence[Level] = (),
    over: Sequence[Markup] = (),
    below: Sequence[Markup] = (),
    inside: bool = False,
    named: bool = False,
    kind: str,
) -> Markup:
    """The drawing of all columns, with lines across them that are named on the right.

    ``over`` lies on the bars, ``below`` under the axis; ``inside``: figures stand at the foot of their bars;
    ``named``: leave room for names of lines, so that columns stand under those of a chart that has some.
    """
    many = len(columns)
    drawn = [_column(index, many, column, axis) for index, column in enumerate(columns)]
    labels = [
        _label(index, many, column, axis, inside=inside)
        for index, column in enumerate(columns)
        if column.label
    ]
    lines = [_line(level, axis) for level in levels if level.drawn]
    plot = [grid(axis), *drawn, *lines, *over, *labels]
    if not levels and not named:
        return sheet(axis, unit, name, plot, below, kind=kind)
    return sheet(axis, unit, name, plot, [_names(levels, axis), *below], kind=f"lined {kind}")


def levels_of(limits: Limits, t: Texts) -> list[Level]:
    """Contract power and target, where the site has set them."""
    lines = (
        ("contract", limits.contract_kw, "periods.line_contract"),
        ("target", limits.target_kw, "periods.line_target"),
    )
    return [Level(name, value, t(key, kw=grouped(value))) for name, value, key in lines if value is not None]


def shares(cells: Sequence[Share]) -> Markup:
    """The strip: the part on file solid, the rest hatched; what has not begun is empty."""
    many, drawn = len(cells), []
    for index, cell in enumerate(cells):
        left, width = index + 0.06, 0.88
        if not cell.begun:
            drawn.append(_cell(left, width, many, "future", cell.text))
            continue
        drawn.append(_cell(left, width, many, "conflict" if cell.disputed else "missing", cell.text))
        if cell.share > 0:
            drawn.append(_cell(left, width * cell.share, many, "measured", cell.text))
    return tag("svg", *drawn, class_="strip", aria_hidden="true")


def marks(labels: Sequence[tuple[str, str]]) -> Markup:
    """What stands under the middle of each column: text and class ("" always, "minor" not where narrow)."""
    many = len(labels)
    texts = [
        tag(
            "text",
            text,
            x=pct(index + 0.5, many),
            y="1.25em",
            text_anchor="middle",
            class_=class_ or None,
        )
        for index, (text, class_) in enumerate(labels)
        if text
    ]
    return tag("svg", *texts, class_="times", aria_hidden="true")


def _column(index: int, many: int, column: Column, axis: Axis) -> Markup:
    left, width = pct(index, many), pct(1, many)
    parts = [tag("title", column.text)]
    if column.tint:
        parts.append(tag("rect", x=left, width=width, y="0", height="100%", class_="tint"))
    if column.value is None and column.state:
        parts.append(tag("rect", x=left, width=width, y="0", height="100%", class_="ground missing"))
    parts.append(tag("rect", x=left, width=width, y="0", height="100%", class_="touch"))
    if column.value is not None:
        edge, foot = axis.y(float(column.value)), axis.y(axis.base)
        parts.append(
            tag(
                "rect",
                x=pct(index + _INSET, many),
                width=pct(1 - 2 * _INSET, many),
                y=pct(min(edge, foot)),
                height=pct(abs(edge - foot)),
                class_=f"bar {column.state}{' greatest' if column.greatest else ''}",
            )
        )
    drawn = tag("g", *parts, class_="column", role="img", aria_label=column.text)
    # The table beside the chart holds the same links, so bars need not be further stops of the Tab key.
    return tag("a", drawn, href=column.href, tabindex="-1") if column.href else drawn


def _label(index: int, many: int, column: Column, axis: Axis, *, inside: bool) -> Markup:
    place = (index + 0.5) / many
    value = float(column.value) if column.value is not None else axis.base
    edge, foot = axis.y(value), axis.y(axis.base)
    holds = inside and abs(edge - foot) >= _FOOT
    state = f" in {column.state}" if holds else ""
    return tag(
        "text",
        column.label,
        x=pct(place),
        y=pct(foot if holds else edge),
        dy="1.2em" if axis.down else "-0.5em",
        text_anchor="start" if place < 0.03 else "end" if place > 0.97 else "middle",
        class_=f"label value{state}{' greatest' if column.greatest else ''}",
    )


def _line(level: Level, axis: Axis) -> Markup:
    y = pct(axis.y(float(level.value)))
    return tag("line", x1="0", x2="100%", y1=y, y2=y, class_=f"limit {level.name}")


def _names(levels: Sequence[Level], axis: Axis) -> Markup:
    """The names of the lines beside the plot, kept apart where the lines lie close together."""
    placed: list[tuple[float, Level]] = []
    for level in sorted(levels, key=lambda level: axis.y(float(level.value))):
        y = axis.y(float(level.value))
        placed.append((max(y, placed[-1][0] + _LINE) if placed else y, level))
    over = max(0.0, placed[-1][0] - 1) if placed else 0.0
    texts = [
        tag("text", level.text, x="0", y=pct(y - over), dy="0.35em", class_=f"label {level.name}")
        for y, level in placed
    ]
    return tag("svg", *texts, class_="names", aria_hidden="true")


def _cell(left: float, width: float, many: int, class_: str, text: str) -> Markup:
    return tag(
        "rect",
        tag("title", text),
        x=pct(left, many),
        width=pct(width, many),
        y="0",
        height="100%",
        class_=f"cell {class_}",
    )
