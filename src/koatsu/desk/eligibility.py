"""Who may have the service: named rules, and a check that answers what it can from what is known.

The table ``tables/eligibility.toml`` holds the rules and every sentence. A rule says ok, refused, unknown or
warning; what is not known yet is no reason to refuse, and neither is a warning.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection

from koatsu.desk.certified import find_certificate
from koatsu.desk.equipment import DeviceKind, meter_type_of, supported, supported_types
from koatsu.desk.point_numbers import in_area
from koatsu.desk.settings import DeskSettings
from koatsu.desk.supply_points import Supply, SupplyPoint, Voltage, find_point
from koatsu.desk.voltages import ELSEWHERE
from koatsu.desk.words import Words

__all__ = [
    "OUTCOME_WORDS",
    "RULES",
    "Asked",
    "Eligibility",
    "EligibilityRule",
    "Finding",
    "Outcome",
    "Verdict",
    "check",
]


class Verdict(StrEnum):
    """What a rule says of a place."""

    OK = "ok"
    REFUSED = "refused"
    UNKNOWN = "unknown"  #: found out during the check or the survey
    WARNING = "warning"  #: told and explained, never a refusal


class Outcome(StrEnum):
    """What all rules together say."""

    ELIGIBLE = "eligible"
    OPEN = "open"
    REFUSED = "refused"


OUTCOME_WORDS: Final[dict[Outcome, Words]] = {
    Outcome.ELIGIBLE: Words("お申込みいただけます。", "You can have this service."),
    Outcome.OPEN: Words(
        "お申込みいただけます。まだわからないことは、当社で確かめます。",
        "You can apply; we find out what is not known yet.",
    ),
    Outcome.REFUSED: Words("お申込みいただけません。", "You cannot have this service."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityRule:
    """A named rule. ``says`` has its sentences, each with the verdict that it means."""

    id: str
    faq: str  #: id of the question that it comes from
    statement: Words
    explanation: Words
    says: Mapping[str, tuple[Verdict, Words]]

    @property
    def needed(self) -> bool:
        """Whether an application depends on it; the other rules only warn."""
        return self.id.startswith("eligible.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one rule says of one place, in one sentence; ``hint``: where to go instead, if anywhere."""

    rule: str
    verdict: Verdict
    words: Words
    hint: Words | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody says of a place. ``None`` is "not said"; the registers are asked for what they know.

    ``number`` are 22 digits. ``installable`` is what a survey found. ``certificate`` is the number of the
    EMS's SMA certificate, empty where it has none.
    """

    number: str | None = None
    supply: Supply | None = None
    voltage: Voltage | None = None
    meter_type: str | None = None
    installable: bool | None = None
    ems: bool | None = None
    certificate: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """What every rule says, in the order of the table."""

    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """Eligible when all conditions hold, refused when one does not, open otherwise."""
        verdicts = {finding.verdict for finding in self.findings if RULES[finding.rule].needed}
        if Verdict.REFUSED in verdicts:
            return Outcome.REFUSED
        return Outcome.ELIGIBLE if verdicts == {Verdict.OK} else Outcome.OPEN

    @property
    def eligible(self) -> bool:
        """Whether every condition is known to hold; warnings do not matter."""
        return self.outcome is Outcome.ELIGIBLE

    def of(self, rule: str) -> Finding:
        """What that rule says; ``KeyError`` where it is none."""
        return {finding.rule: finding for finding in self.findings}[rule]

    def those(self, verdict: Verdict) -> tuple[Finding, ...]:
        """The findings of one verdict."""
        return tuple(finding for finding in self.findings if finding.verdict is verdict)


def check(connection: Connection, settings: DeskSettings, asked: Asked, today: date) -> Eligibility:
    """Ask every rule about a place, on a day of Japan.

    For voltage and contract the register counts; who supplies is as asked, for a register may lag behind a
    change of retailer.
    """
    point = find_point(connection, asked.number) if asked.number else None
    meter_type = _meter_type(connection, asked, point, today)
    return Eligibility(
        findings=(
            _area(settings, asked, point),
            _supplied(asked, point, today),
            _high_voltage(asked, point),
            _installable(asked, meter_type),
            _ems(asked),
            _sma(connection, asked, today),
            _replacement(meter_type),
        )
    )


def _finding(rule: str, sentence: str, **values: object) -> Finding:
    verdict, words = RULES[rule].says[sentence]
    return Finding(rule=rule, verdict=verdict, words=words.filled(**values) if values else words)


def _area(settings: DeskSettings, asked: Asked, point: SupplyPoint | None) -> Finding:
    if not asked.number or (not settings.area_prefixes and point is None):
        return _finding("eligible.area", "unchecked")
    inside = point is not None or in_area(asked.number, settings.area_prefixes)
    return _finding("eligible.area", "inside" if inside else "outside")


def _supplied(asked: Asked, point: SupplyPoint | None, today: date) -> Finding:
    if point is not None and not point.under_contract(today):
        ended = point.contract_ended_on
        if ended is not None and ended <= today:
            return _finding("eligible.supplied", "ended", day=ended)
        return _finding("eligible.supplied", "not_begun", day=point.contract_from)
    supply = asked.supply or (point.supply if point else None)
    return _finding("eligible.supplied", supply.value if supply else "unknown")


def _high_voltage(asked: Asked, point: SupplyPoint | None) -> Finding:
    voltage = point.voltage if point else asked.voltage
    if voltage is None:
        return _finding("eligible.high_voltage", "unknown")
    if voltage is Voltage.HIGH:
        return _finding("eligible.high_voltage", "high")
    what, where = ELSEWHERE[voltage]
    hint = Words(what.ja + where.ja, f"{what.en} {where.en}")
    return replace(_finding("eligible.high_voltage", "other"), hint=hint)


@dataclass(frozen=True, slots=True)
class _MeterType:
    name: str  #: empty where nobody knows
    supported: bool


def _meter_type(connection: Connection, asked: Asked, point: SupplyPoint | None, today: date) -> _MeterType:
    name = asked.meter_type or (meter_type_of(connection, point, today) if point else "")
    if not supported_types(connection, DeviceKind.METER, day=today):
        name = ""  # with an empty register no type can be judged
    return _MeterType(name, bool(name) and supported(connection, DeviceKind.METER, name, today))


def _installable(asked: Asked, meter_type: _MeterType) -> Finding:
    if asked.installable is not None:
        return _finding("eligible.installable", "surveyed" if asked.installable else "impossible")
    if not meter_type.name:
        return _finding("eligible.installable", "unknown")
    sentence = "supported" if meter_type.supported else "replaced"
    return _finding("eligible.installable", sentence, type=meter_type.name)


def _replacement(meter_type: _MeterType) -> Finding:
    if not meter_type.name:
        return _finding("warn.replacement", "unknown")
    return _finding("warn.replacement", "stays" if meter_type.supported else "needed")


def _ems(asked: Asked) -> Finding:
    sentence = {None: "unknown", True: "there", False: "none"}[asked.ems]
    return _finding("eligible.ems", sentence)


def _sma(connection: Connection, asked: Asked, today: date) -> Finding:
    if asked.certificate is None:
        return _finding("warn.sma", "unknown")
    number = asked.certificate.strip()
    if not number:
        return _finding("warn.sma", "without")
    found = find_certificate(connection, number)
    if found is None:
        return _finding("warn.sma", "not_listed", number=number)
    if not found.valid_on(today):
        return _finding("warn.sma", "expired", number=found.number, day=today)
    return _finding("warn.sma", "certified", maker=found.maker, model=found.model, number=found.number)


def _rule(name: str, row: Mapping[str, Any]) -> EligibilityRule:
    says = {
        sentence: (Verdict(said["verdict"]), Words(said["ja"], said["en"]))
        for sentence, said in row["says"].items()
    }
    return EligibilityRule(
        id=name,
        faq=row["faq"],
        statement=Words(**row["statement"]),
        explanation=Words(**row["explanation"]),
        says=MappingProxyType(says),
    )


def _load() -> Mapping[str, EligibilityRule]:
    text = files("koatsu.desk").joinpath("tables/eligibility.toml").read_text(encoding="utf-8")
    return MappingProxyType({name: _rule(name, row) for name, row in tomllib.loads(text).items()})


RULES: Final[Mapping[str, EligibilityRule]] = _load()
"""Every rule by its name, in the order in which they are asked."""
