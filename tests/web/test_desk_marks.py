"""How states are drawn, and that the style sheets speak of nothing that is not there."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from koatsu.desk.states import ENDED, PHASES, Phase, State
from koatsu.web.case_marks import state_tone, state_word, step_marks
from koatsu.web.texts import texts

JA, EN = texts("ja"), texts("en")
STATIC = files("koatsu.web").joinpath("static")
SHEETS = [one.name for one in STATIC.iterdir() if one.name.endswith(".css")]


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_tone_that_the_sheets_draw_and_a_word(state: State) -> None:
    assert state_tone(state) in ("ok", "info", "caution", "idle"), "alarm is for alarms"
    assert state_word(state, JA) != state_word(state, EN)
    assert (state_tone(state) == "ok") is (state is State.IN_SERVICE)
    if state in ENDED:
        assert state_tone(state) == "idle"


@pytest.mark.parametrize("state", State)
def test_the_bar_says_where_a_case_is(state: State) -> None:
    marks = step_marks(state, JA, {Phase.APPLY: "6月24日"})
    places = [mark.place for mark in marks]
    present = next(number for number, (_, states) in enumerate(PHASES.values()) if state in states)
    assert places[:present] == ["done"] * present
    assert places[present] == ("done" if state is State.ENDED else "now")
    assert places[present + 1 :] == ["todo"] * (len(marks) - present - 1)
    assert len(marks) == (present + 1 if state is State.REFUSED else len(PHASES))
    assert [mark.note for mark in marks] == ["6月24日"] + [""] * (len(marks) - 1)
    assert [mark.word for mark in marks] == [words.ja for words, _ in PHASES.values()][: len(marks)]


@pytest.mark.parametrize("sheet", SHEETS)
def test_sheets_use_colours_and_sizes_that_exist(sheet: str) -> None:
    tokens = set(re.findall(r"--[\w-]+(?=:)", STATIC.joinpath("tokens.css").read_text(encoding="utf-8")))
    text = STATIC.joinpath(sheet).read_text(encoding="utf-8")
    assert set(re.findall(r"var\((--[\w-]+)", text)) <= tokens | set(re.findall(r"--[\w-]+(?=:)", text))
    if sheet != "tokens.css":
        assert not re.findall(r"#[0-9a-fA-F]{6}\b", text), "a colour has a name, for light and dark"
