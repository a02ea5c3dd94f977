"""The catalogue: every sentence in both languages, every key used, every use a key."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import koatsu.web
from koatsu.desk.eligibility import Verdict
from koatsu.desk.enquiry_rows import Step
from koatsu.desk.fault_rows import StepKind
from koatsu.desk.forms import FormKind
from koatsu.desk.imports.cells import KINDS
from koatsu.desk.triage import Side
from koatsu.ems.live import LinkState
from koatsu.ems.pulses import Reason
from koatsu.ems.store import Level
from koatsu.ems.view_models import SlotState
from koatsu.meter.conflicts import ConflictKind
from koatsu.meter.readings import Source
from koatsu.meter.registers import Register
from koatsu.people import Role
from koatsu.web.desk.enquiries_pages import Which, Whose
from koatsu.web.desk.handing_in import Known
from koatsu.web.desk.navigation import DESK_ENTRIES
from koatsu.web.navigation import SITE_ENTRIES
from koatsu.web.record import ACTIONS
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
    "person": {*Role, *(f"{role}_may" for role in Role), "unknown"},
    "error": {
        "bad_token",
        "no_right",
        "not_here",
        "owner_first",
        "login",
        "forged",
        "no_store",
        "busy",
        "unknown",
    }
    | {"bad_origin", "bad_method", "bad_request", "not_found", "too_large", "too_slow"},
    "register": {str(register) for register in Register} | {"unknown"},
    "ref": {"person", "somebody", "store", "token", "name", "meter", "correction", "case"}
    | {"console", "setup", "system", "nobody"},
    "trouble": {"store_full", "store_locked", "store_read_only", "store_disk", "unknown"},
    "action": set(ACTIONS) | {"unknown"},
    "api": {"no_meter", "no_day", "invalid", "backwards", "too_long"}
    | {"no_site", "no_epoch", "no_correction"}
    | {"unknown_parameter", "too_often", "on_the_page", "no_question", "no_records", "import_busy"}
    | {"no_such_day"},
    "event": {"silent", "back", "recovered", "unscaled", "meter_replaced", "alignment", "conflict"}
    | {"clock_drift", "clock_right", "history_unsound", "unsound_answer", "unknown"}
    | {"pulses_silent", "pulses_heard"}
    | {"store_back", "store_found", "store_mended", "samples_dropped"}
    | {"clock_set_back", "clock_set_forward"}
    | {"file_imported", "archive_imported", "import_forgotten", "collector_failed"},
}
PART_FROM_CODES: set[str] = (
    {f"data.kind_{kind}" for kind in ("auto", "retailer_csv", "occto_xml", "archive")}
    | {f"data.encoding_{name}" for name in ("auto", "utf_8", "cp932")}
    | {f"data.times_{name}" for name in ("auto", "start", "end")}
    | {f"data.done_{done}" for done in ("imported", "known")}
    | {f"data.{name}" for name in ("equal", "within", "contradicting", "only_file", "only_meter", "unknown")}
)
PART_FROM_CODES |= {f"pulse.{reason}" for reason in Reason if reason is not Reason.CONSTANT} | {
    "pulse.constant_wrong",
    *(f"pulse.sum_{word}" for word in ("exact", "resolution", "lost", "doubled", "constant", "clock")),
}
PART_FROM_CODES |= (
    {entry.words for entry in (*SITE_ENTRIES, *DESK_ENTRIES)}
    | {f"desk.{name}" for name in ("where_staff", "where_public", "unknown")}
    | {f"doubts.{code}" for code in ("demand", "energy", "done_corrected", "done_withdrawn", "unknown")}
    | {f"people.done_{done}" for done in ("added", "role", "password", "placed")}
    | {f"link.{state}" for state in LinkState}
    | {f"slot.{state}" for state in ("missing", "unavailable", "conflict", "estimated", "open")}
    | {f"slot.demand_from_{origin}" for origin in ("meter", "energy")}
    | {f"days.{state}" for state in ("complete", "part", "none")}
    | {f"hero.{side}" for side in ("above_contract", "above_target", "below_target", "below_contract")}
    | {"hero.above_month", "hero.below_month", "chart.contract", "chart.target"}
)

PART_FROM_CODES |= (  # the pages for customers of the desk
    {f"desk_parts.{part}" for part in ("meter", "terminal", "cable", "ems")}
    | {f"desk_where.{known}" for known in Known if known is not Known.OFFICE}
    | {f"desk_check.{verdict}" for verdict in Verdict}
    | {f"desk_paper.{word}_{kind}" for word in ("name", "for", "make", "wished") for kind in FormKind}
    | {f"desk_enquiry.step_{step}" for step in ("opened", "answered", "reopened", "closed")}
    | {f"desk_no_data.side_{side}" for side in Side}
    | {f"desk_no_data.{word}" for word in ("answers", "silent", "not_known")}
    | {f"desk_no_data.seen_{word}" for word in ("both", "no_meter", "terminal")}
)

PART_FROM_CODES |= (  # the staff's pages for enquiries and faults
    {f"desk_answer.did_{step}" for step in Step}
    | {f"desk_answer.which_{which}" for which in Which}
    | {f"desk_answer.whose_{whose}" for whose in Whose}
    | {f"desk_faults.{state}" for state in ("asking", "to_order", "ordered")}
    | {f"desk_faults.did_{kind}" for kind in StepKind if kind not in (StepKind.ANSWER, StepKind.BACK)}
    | {f"desk_faults.done_{todo}" for todo in ("answer", "back", "look", "case", "order", "close")}
)

PART_FROM_CODES |= (  # the registers of the desk
    {f"desk_imports.kind_{kind}" for kind in KINDS}
    | {f"desk_record.done_{done}" for done in ("added", "changed", "same")}
)


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def literal_keys() -> set[str]:
    """Keys that the templates and the code name in full; ``a if … else b`` names two."""
    named = set(re.findall(r"""["']([a-z_]+\.[a-z_]+)["']""", CODE))
    named = {key for key in named if not key.endswith((".html", ".css", "_"))}
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
