"""Contrast of the colours, computed from the style sheet: text 4.5 : 1, marks 3 : 1, in both themes."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

SHEET = files("koatsu.web").joinpath("static/tokens.css").read_text(encoding="utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+):\s*(#[0-9a-fA-F]{6})\b", block))
    for block in SHEET.split("@media (prefers-color-scheme: dark)")
)
THEMES = {"light": LIGHT, "dark": DARK}

TONES = ("ok", "caution", "alarm")
WRITTEN = (*TONES, "outlook", "target", "measured", "sold", "contract")
DRAWN = ("measured", "recovered", "estimated", "missing", "outlook", "target", "contract", "sold", "past")
TEXT = [
    *(
        (ink, ground)
        for ink in ("ink", "ink-2", "ink-3", "accent")
        for ground in ("surface", "ground", "sunken")
    ),
    *((tone, f"{tone}-soft") for tone in TONES),
    *((tone, "surface") for tone in WRITTEN),
    *(("ink", f"{tone}-soft") for tone in TONES),
    ("accent-ink", "accent"),
    ("accent", "accent-soft"),
    ("surface", "alarm"),
]
MARKS = [
    *((mark, "surface") for mark in (*DRAWN, "rule-strong", "caution-rule", "focus")),
    *((mark, f"{mark}-soft") for mark in ("measured", "recovered", "sold", "outlook")),
    ("focus", "ground"),
]


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_both_themes_name_the_same_colours() -> None:
    assert set(LIGHT) == set(DARK)
    assert len(LIGHT) > 30


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_can_be_read(theme: str, ink: str, ground: str) -> None:
    assert contrast(THEMES[theme][ink], THEMES[theme][ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("mark", "ground"), MARKS)
def test_marks_can_be_seen(theme: str, mark: str, ground: str) -> None:
    assert contrast(THEMES[theme][mark], THEMES[theme][ground]) >= 3


@pytest.mark.parametrize("theme", THEMES)
def test_red_is_alarm_and_nothing_else(theme: str) -> None:
    for name, colour in THEMES[theme].items():
        red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
        strong = red - max(green, blue) > 60 and abs(green - blue) < 40
        assert not strong or name.startswith("alarm"), f"--{name} {colour} looks red"


def test_colours_stand_in_the_tokens_only() -> None:
    for name in ("frame.css", "pages.css", "charts.css"):
        sheet = files("koatsu.web").joinpath(f"static/{name}").read_text(encoding="utf-8")
        assert not re.search(r"#[0-9a-fA-F]{6}\b", sheet), name
        unknown = set(re.findall(r"var\(--([\w-]+)\)", sheet)) - set(re.findall(r"--([\w-]+):", SHEET))
        assert not unknown, name
