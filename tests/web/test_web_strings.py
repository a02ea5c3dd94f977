"""The catalogue: every sentence in both languages, every key used, every use a key."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import koatsu.web
from koatsu.ems.live import LinkState
from koatsu.ems.store import Level
from koatsu.ems.view_models import SlotState
from koatsu.meter.conflicts import ConflictKind
from koatsu.meter.readings import Source
from koatsu.web.texts import LANGUAGES, Texts, catalogue, texts

WEB = Path(koatsu.web.__file__).parent
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for path in sorted([*WEB.rglob("*.py"), *WEB.rglob("*.html")])
    if path.name != "texts.py"
)

#: Keys that are made from a code: what the code may be.
FROM_CODES: dict[str, set[str]] = {
    "state": {str(state) for state in SlotState},
    "legend": {str(state) for state in SlotState} - {"future"},
    "source": {str(source) for source in Source} | {"unknown"},
    "level": {str(level) for level in Level},
    "role": {"buy", "sell", "sub", "unknown"},
    "note": {"awaited", "no_data", "expired", "meter_changed", "unscaled", "unknown"}
    | {str(kind) for kind in ConflictKind},
    "event": {"silent", "back", "recovered", "unscaled", "meter_replaced", "alignment", "conflict"}
    | {"clock_drift", "clock_right", "history_unsound", "unsound_answer", "unknown"},
}
PART_FROM_CODES: set[str] = (
    {f"link.{state}" for state in LinkState}
    | {f"slot.{state}" for state in ("missing", "unavailable", "conflict", "estimated", "open")}
    | {f"slot.demand_from_{origin}" for origin in ("meter", "energy")}
    | {f"days.{state}" for state in ("complete", "part", "none")}
    | {f"hero.{side}" for side in ("above_contract", "above_target", "below_target", "below_contract")}
    | {"hero.above_month", "hero.below_month", "chart.contract", "chart.target"}
)


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def literal_keys() -> set[str]:
    """Keys that the templates and the code name in full; ``a if … else b`` names two."""
    named = set(re.findall(r"""["']([a-z_]+\.[a-z_]+)["']""", CODE))
    named = {key for key in named if not key.endswith((".html", "_"))}
    return {key for key in named if key.split(".")[0] in {entry.split(".")[0] for entry in catalogue()}}


def test_every_sentence_stands_in_both_languages_with_the_same_values() -> None:
    for key, entry in catalogue().items():
        assert set(entry) == set(LANGUAGES), key
        assert all(entry.values()), key
        assert fields(entry["ja"]) == fields(entry["en"]), key


def test_every_key_used_exists() -> None:
    made = {f"{place}.{code}" for place, codes in FROM_CODES.items() for code in codes} | PART_FROM_CODES
    assert made <= set(catalogue())
    assert literal_keys() <= set(catalogue())


def test_every_key_is_used() -> None:
    made = {f"{place}.{code}" for place, codes in FROM_CODES.items() for code in codes} | PART_FROM_CODES
    assert set(catalogue()) == literal_keys() | made


def test_templates_hold_no_sentence_of_their_own() -> None:
    for path in WEB.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"[\u3040-\u30ff\u4e00-\u9fff]", text), path.name


def test_tone() -> None:
    for key, entry in catalogue().items():
        assert not re.search(r"!|！|\b(please|oops|sorry)\b", entry["en"] + entry["ja"], re.IGNORECASE), key


def test_number_and_unit_stay_on_one_line() -> None:
    assert texts("ja")("chart.so_far", kw="1") == "ここまで 1\N{NO-BREAK SPACE}kW"
    assert texts("en")("age.minutes", m=1, s=2) == "1\N{NO-BREAK SPACE}min 2\N{NO-BREAK SPACE}s"


def test_an_unknown_code_is_shown_as_it_came() -> None:
    t = texts("ja")
    assert t.for_code("event", "volcano") == "できごと: volcano"
    assert t.for_code("event", "recovered") == "できごと: recovered", "its number of days is missing"
    assert (
        t.for_code("event", "recovered", days="3")
        == "計量器の履歴から 3\N{NO-BREAK SPACE}日分を回収しました。"
    )


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        texts("ja")("nowhere.nothing")
    with pytest.raises(ValueError, match="speak"):
        Texts("fr")


def test_each_language_leads_to_the_other() -> None:
    assert (texts("ja").other, texts("ja").prefix) == ("en", "")
    assert (texts("en").other, texts("en").prefix) == ("ja", "/en")
