"""Templates to text: one Jinja environment that knows how numbers are written and charts are drawn.

Everything is escaped unless it is markup made by the charts; a name that a template uses and nobody
gave is an error, not an empty place.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from koatsu.clock import JST
from koatsu.ems.view_models import HoleView
from koatsu.web import case_marks, charts, notation
from koatsu.web.hero import kw_text
from koatsu.web.notation import clock_time, grouped, rounded, signed
from koatsu.web.screens import Part, Screen
from koatsu.web.texts import Texts

__all__ = ["page", "part", "render"]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("koatsu.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names: dict[str, Callable[..., object]] = {
        "bar_text": charts.bar_text,
        "day_chart": charts.day_chart,
        "day_legend": charts.day_legend,
        "has_silence": charts.has_silence,
        "hatches": charts.hatches,
        "open_slot_chart": charts.open_slot_chart,
        "hole_length": _hole_length,
        "kw_text": kw_text,
        "answer_text": _answer_text,
        "seconds_text": _seconds_text,
        "stamp": _stamp,
    }
    environment.globals.update({name: getattr(notation, name) for name in notation.__all__})
    environment.globals.update(names)
    marks = ("state_tone", "state_word", "step_marks")
    environment.globals.update({name: getattr(case_marks, name) for name in marks})
    return environment


def render(template: str, t: Texts, values: dict[str, Any]) -> str:
    """The text of one template."""
    return _environment().get_template(template).render(t=t, **values)


def page(screen: Screen, t: Texts, values: dict[str, Any]) -> str:
    """The whole page of a screen."""
    return render(screen.template, t, values)


def part(item: Part, t: Texts, values: dict[str, Any]) -> Markup:
    """One live part of a page, as it stands inside the page."""
    return Markup(render(item.template, t, values | dict(item.values)).strip())  # noqa: S704 - rendered with autoescape


def _hole_length(hole: HoleView) -> int:
    return (hole.last.day - hole.first.day).days * 48 + hole.last.number - hole.first.number + 1


def _answer_text(seconds: Decimal, t: Texts) -> str:
    """How long an answer took: seconds with one decimal, below one second in milliseconds."""
    if seconds >= 1:
        return f"{_seconds_text(seconds)} {t('unit.seconds')}"
    ms = rounded(seconds * 1000, 0)
    return t("link.answer_ms", ms=grouped(ms)) if ms else t("link.answer_fast")


def _seconds_text(seconds: Decimal, *, sign: bool = False) -> str:
    """Seconds with one decimal; small differences of a clock keep their sign."""
    value = rounded(seconds, 1)
    return signed(value, 1) if sign else grouped(value, 1)


def _stamp(instant: datetime, *, seconds: bool = False) -> Markup:
    """A day and a time of day that may be long ago, JST: ``2026-07-15 13:17``."""
    local = instant.astimezone(JST)
    text = f"{local:%Y-%m-%d} {clock_time(local, seconds=seconds)}"
    return Markup('<time datetime="{}">{}</time>').format(local.isoformat(timespec="seconds"), text)
