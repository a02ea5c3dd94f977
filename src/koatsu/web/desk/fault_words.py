"""Records of "no data arrives" in words, for the staff: the lines of their lists, and how the triage went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from koatsu.clock import JST
from koatsu.desk.fault_rows import Fault, FaultStep, StepKind
from koatsu.desk.point_numbers import masked
from koatsu.desk.probe import ProbeResult
from koatsu.desk.triage import Ask, Side, tree
from koatsu.web.desk.case_lines import day_words
from koatsu.web.desk.guiding import seen_words
from koatsu.web.notation import clock_time
from koatsu.web.texts import Texts

__all__ = [
    "SIDE_TONES",
    "FaultLine",
    "Went",
    "fault_lines",
    "outcome_words",
    "probe_rows",
    "probe_words",
    "went",
]

SIDE_TONES: Final = {
    Side.CUSTOMER: "info",
    Side.EMS_MAKER: "info",
    Side.UTILITY: "caution",
    Side.NONE: "idle",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultLine:
    """One record in a list."""

    number: str
    url: str
    outcome: str  #: empty while a question is open
    case: str  #: its number; empty: not known, or none that one sees
    point: str  #: masked
    state: str
    tone: str
    office: str
    by: str
    came: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """One step of a record in words."""

    at: datetime
    when: str
    what: str
    value: str
    url: str  #: of what the value names; empty where there is no page
    back: bool  #: an answer that was taken back
    by: str


def outcome_words(one: Fault, t: Texts) -> str:
    """What came out; the id where the tree has no such outcome any more."""
    found = tree().outcomes.get(one.outcome)
    return one.outcome if found is None else found.words.text(t.lang)


def fault_lines(
    found: Iterable[Fault],
    t: Texts,
    today: date,
    called: Callable[[str], str],
    offices: Mapping[str, str],
    cases: Mapping[int, str],
) -> list[FaultLine]:
    """The lines of a list; ``called`` names whoever has begun a record."""
    lines = []
    for one in found:
        state = "asking" if not one.outcome else "to_order" if one.order is None else "ordered"
        lines.append(
            FaultLine(
                number=one.number,
                url=f"{t.prefix}/faults/{one.number}",
                outcome=outcome_words(one, t),
                case=cases.get(one.case or 0, ""),
                point=masked(one.supply_point) if one.supply_point else "",
                state=t(f"desk_faults.{state}"),
                tone={"asking": "idle", "to_order": "caution", "ordered": "info"}[state],
                office=offices.get(one.office, one.office),
                by=called(one.opened_by),
                came=day_words(one.opened_at.astimezone(JST).date(), today, t),
            )
        )
    return lines


def probe_words(probe: ProbeResult, t: Texts) -> str:
    """What the terminal side said; to customers, from whom the desk keeps that, whether it answers."""
    return probe.reason.text(t.lang) or seen_words(probe, t)


def probe_rows(probe: ProbeResult, t: Texts) -> list[tuple[str, str]]:
    """What a probe read: name and value."""
    return [
        (probe.labels[name].text(t.lang) if name in probe.labels else name, value)
        for name, value in probe.values.items()
    ]


def went(
    steps: Iterable[FaultStep],
    t: Texts,
    today: date,
    called: Callable[[str], str],
    cases: Mapping[int, str],
) -> list[Went]:
    """How it went, the newest first."""
    found = []
    for one in steps:
        at = one.at.astimezone(JST)
        what, value, url = _told(one, t, cases)
        found.append(
            Went(
                at=at,
                when=f"{day_words(at.date(), today, t)} {clock_time(at)}",
                what=what,
                value=value,
                url=url,
                back=one.kind is StepKind.BACK,
                by=called(one.author),
            )
        )
    return found[::-1]


def _told(one: FaultStep, t: Texts, cases: Mapping[int, str]) -> tuple[str, str, str]:
    """What it was, what came of it, and where that stands."""
    if one.kind in (StepKind.ANSWER, StepKind.BACK):
        asked = tree().steps.get(one.step)
        if not isinstance(asked, Ask):  # of an earlier tree
            return one.step, one.value, ""
        given = asked.answer(one.value)
        return asked.question.text(t.lang), one.value if given is None else given.words.text(t.lang), ""
    what = t(f"desk_faults.did_{one.kind}")
    if one.kind is StepKind.PROBE:
        return what, "" if one.probe is None else probe_words(one.probe, t), ""
    if one.kind is StepKind.ENQUIRY:
        return what, one.value, f"{t.prefix}/enquiries/{one.value}"
    if one.kind is StepKind.CASE:
        number = cases.get(int(one.value), "")
        return what, number, f"{t.prefix}/case/{number}" if number else ""
    return what, "", ""
