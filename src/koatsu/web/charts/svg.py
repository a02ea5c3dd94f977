"""SVG as text: elements with escaped content, positions as percentages.

The charts are fluid: bars and lines are placed in per cent of the drawing, so one drawing fits a phone
and a wall display while its text keeps the size of the style sheet. Floats are allowed here, and only
here: they are ink. A position that is not a finite number is an error of the program and raises.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal

from markupsafe import Markup, escape

__all__ = ["Number", "path", "pct", "stretched", "tag"]

Number = int | float | Decimal


def tag(name: str, /, *children: str | Markup, **attributes: str | Number | None) -> Markup:
    """One element: ``class_`` writes ``class``, ``_`` in a name ``-``; ``None`` leaves the attribute out.

    Children that are not :class:`~markupsafe.Markup` are escaped.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = "".join(escape(child) for child in children)
    return Markup(f"<{name}{written}>{inner}</{name}>" if children else f"<{name}{written}/>")  # noqa: S704 - every part is escaped above


def pct(part: Number, whole: Number = 1) -> str:
    """``part / whole`` as ``"12.5%"``."""
    return f"{_text(float(part) / float(whole) * 100)}%"


def stretched(*children: Markup) -> Markup:
    """A drawing of 1,000 × 1,000 units pulled over the plot, for paths, which know no percentages."""
    return tag(
        "svg", *children, viewBox="0 0 1000 1000", preserveAspectRatio="none", width="100%", height="100%"
    )


def path(points: Iterable[tuple[float, float]], *, close: bool = False) -> str:
    """Path data through ``points``, each (x, y) from 0 to 1 with y downward."""
    steps = " L".join(f"{_text(x * 1000)} {_text(y * 1000)}" for x, y in points)
    return f"M{steps}{' Z' if close else ''}"


def _text(value: str | Number) -> str:
    if isinstance(value, str):
        return value
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"a position in a drawing must be a finite number, not {value!r}")
    return f"{number:.2f}".rstrip("0").rstrip(".") or "0"
