"""A case in words: the cards of its page. Contacts are shown on demand alone, and that is recorded."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Final

from koatsu.desk.costs import PAYER_WORDS, cost_items
from koatsu.desk.eligibility import Asked, Eligibility, Verdict
from koatsu.desk.equipment import METER_ROLE_WORDS, SOLD_ENERGY_WORDS, DeviceKind, MeterRole
from koatsu.desk.errors import UnknownError
from koatsu.desk.fields import FIELDS, NO, YES
from koatsu.desk.models import Actor, Case, WorksState
from koatsu.desk.plain_text import shown_postal
from koatsu.desk.point_numbers import masked, spaced
from koatsu.desk.states import State
from koatsu.desk.supply_points import VOLTAGE_WORDS, Supply, SupplyPoint
from koatsu.desk.terms import AcceptedWay
from koatsu.desk.worklists import half_hidden
from koatsu.desk.works import KIND_WORDS
from koatsu.web.desk.case_lines import day_words
from koatsu.web.notation import day_title, grouped
from koatsu.web.texts import Texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["CaseWords", "Ems", "Seen", "WorksRow", "ems_certified"]

Rows = list[tuple[str, str]]

_TONES: Final[Mapping[Verdict, str]] = {
    Verdict.OK: "ok",
    Verdict.REFUSED: "caution",
    Verdict.UNKNOWN: "idle",
    Verdict.WARNING: "caution",
}
_CONTACTS: Final = ("phone", "email", "address")
_CHECKS: Final = ("check_terminal", "check_meter", "check_values")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ems:
    """What is known of the customer's EMS."""

    rows: Rows
    tone: str  #: of its certification
    word: str
    why: str  #: the sentence of its rule
    told: bool  #: the warning was explained


@dataclass(frozen=True, slots=True, kw_only=True)
class WorksRow:
    """One works order."""

    planned: bool  #: it is still to come
    kind: str
    day: str
    window: str
    outage: str
    tone: str
    word: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One thing that is looked at: whether it holds, what it is, and what is known."""

    tone: str
    word: str
    what: str
    note: str = ""


class CaseWords:
    """Puts one case into words, for one request.

    Args:
        desk: the open desk.
        t: the language.
        offices: names of offices by code.
        called: names whoever stands behind a reference.
    """

    def __init__(
        self, desk: Desk, t: Texts, offices: Mapping[str, str], called: Callable[[str], str]
    ) -> None:
        self._desk, self._t, self._offices, self._called = desk, t, offices, called
        self._today = desk.registers.today()

    def point(self, found: Case) -> SupplyPoint | None:
        """The supply point in the register; ``None`` where none is registered."""
        try:
            return self._desk.registers.point(found.supply_point)
        except UnknownError:
            return None

    def supply(self, found: Case, point: SupplyPoint | None, shown: Collection[str]) -> dict[str, object]:
        """The card of the supply point: its number masked, unless it was asked for."""
        t, lang = self._t, self._t.lang
        supply = found.fact("supply")
        whom = FIELDS["supply"].choice(supply).text(lang) if supply else ""
        if supply == Supply.OTHER and found.fact("retailer"):
            whom = found.fact("retailer")
        rows: Rows = []
        if point is not None:
            rows = [
                (t("desk_case.place"), point.place),
                (t("desk_case.voltage"), VOLTAGE_WORDS[point.voltage].text(lang)),
                (t("desk_case.contract_kw"), self._kw(point.contract_kw)),
            ]
        rows += [
            (FIELDS["supply"].words.text(lang), whom),
            (t("desk_case.office"), self._offices.get(found.office, found.office)),
        ]
        ended = point.contract_ended_on if point is not None else None
        if point is not None and not point.under_contract(self._today):
            day = day_title(ended, t) if ended else ""
            rows.append((t("desk_case.contract"), t("desk_case.contract_ended", day=day) if day else ""))
        number = spaced(found.supply_point) if "number" in shown else masked(found.supply_point)
        return {"number": number, "whole": "number" in shown, "rows": rows, "known": point is not None}

    def customer(
        self, actor: Actor, found: Case, person: Mapping[str, str], shown: Collection[str]
    ) -> dict[str, object]:
        """The card of the customer: name in full, whom to call and where only where it was asked for."""
        t, lang = self._t, self._t.lang
        whole = "contact" in shown

        def label(name: str) -> str:
            return FIELDS[name].words.text(lang)

        rows: Rows = [(label("customer_name"), person.get("customer_name", ""))]
        if person.get("customer_kana"):
            rows.append((label("customer_kana"), person["customer_kana"]))
        if found.fact("organisation"):
            kind = FIELDS["organisation"].choice(found.fact("organisation")).text(lang)
            rows.append((label("organisation"), kind))
        contact = person.get("contact_name", "")
        who = " ".join(
            filter(None, (person.get("department", ""), contact if whole else half_hidden(contact)))
        )
        rows.append((label("contact_name"), who))
        reached = [label(name) for name in _CONTACTS if person.get(name)]
        if whole:
            rows += [(label(name), person[name]) for name in ("phone", "email") if person.get(name)]
            postal = shown_postal(person["postal_code"]) if person.get("postal_code") else ""
            rows.append((label("address"), " ".join(filter(None, (postal, person.get("address", ""))))))
            if person.get("remarks"):
                rows.append((label("remarks"), person["remarks"]))
        after: Rows = []
        if found.fact("way"):
            received = found.fact("received_on")
            day = f" {self._day(received)}" if received else ""
            after.append((label("way"), FIELDS["way"].choice(found.fact("way")).text(lang) + day))
        if found.fact("wished_on"):
            after.append((label("wished_on"), self._day(found.fact("wished_on"))))
        after.append((t("desk_case.terms"), self._terms(actor, found)))
        return {
            "rows": rows,
            "reached": t("desk_case.and").join(reached),
            "whole": whole,
            "after": after,
            "english": found.fact("language") == "en",
        }

    def devices(self, found: Case, point: SupplyPoint | None) -> dict[str, object]:
        """The card of meters and terminal, as the registers know them and as the survey found."""
        t, lang = self._t, self._t.lang
        rows: Rows = []
        registers = self._desk.registers
        supported = {one.type for one in registers.supported_types(DeviceKind.METER)}
        meters = registers.meters(found.supply_point, present=True)
        for one in meters:
            fits = "" if one.role is not MeterRole.BUY else self._fits(one.type in supported)
            name = t("desk_case.meter_of", role=METER_ROLE_WORDS[one.role].text(lang))
            rows.append((name, " · ".join(filter(None, (one.type, one.serial, fits)))))
        if not meters:
            kind = found.fact("meter_type") or (point.meter_type if point else "")
            fits = found.fact("meter_supported")
            fit = self._fits(fits == YES if fits else kind in supported) if kind else ""
            rows.append((t("desk_case.meter"), " · ".join(filter(None, (kind, fit)))))
        terminals = registers.terminals(found.supply_point, present=True)
        there = " / ".join(f"{one.type} · {one.serial}" for one in terminals)
        rows.append((t("desk_case.terminal"), there or t("desk_case.not_yet")))
        if found.fact("meter_supported"):
            stays = found.fact("meter_supported") == YES
            word = t("desk_case.replacement_no") if stays else t("desk_case.replacement_yes")
            rows.append((t("desk_case.replacement"), word))
        if found.fact("outage_needed"):
            needed = found.fact("outage_needed") == YES
            agreed = found.fact("outage_window")
            word = t("desk_case.outage_yes") if needed else t("desk_case.outage_no")
            rows.append((t("desk_case.outage"), f"{word} {agreed}" if needed and agreed else word))
        if found.fact("sells"):
            sells = FIELDS["sells"]
            rows.append((sells.words.text(lang), sells.choice(found.fact("sells")).text(lang)))
        sold = SOLD_ENERGY_WORDS[registers.sold_energy(found.supply_point)].text(lang)
        return {"rows": rows, "sold": sold}

    def ems(self, found: Case) -> Ems:
        """The card of the EMS: its certification as a badge, and the sentence of the rule on it."""
        t, lang = self._t, self._t.lang

        def fact(name: str) -> tuple[str, str]:
            one, value = FIELDS[name], found.fact(name)
            shown = one.choice(value).text(lang) if value and one.choices else value
            return one.words.text(lang), shown

        rows = [fact("ems_installed"), fact("ems_maker"), fact("ems_model")]
        finding = self._eligibility(found).of("warn.sma")
        word = {
            Verdict.OK: t("desk_case.certified"),
            Verdict.WARNING: t("desk_case.uncertified")
            if found.fact("ems_certificate")
            else t("desk_case.no_certificate"),
        }.get(finding.verdict, t("desk_case.unknown"))
        return Ems(
            rows=rows,
            tone=_TONES[finding.verdict],
            word=word,
            why=finding.words.text(lang),
            told=found.fact("warning_told") == YES,
        )

    def costs(self) -> list[tuple[str, str]]:
        """Who pays for what."""
        both = groupby(cost_items(), key=lambda item: item.who)
        joined = self._t("desk_case.and")
        return [
            (
                PAYER_WORDS[who].text(self._t.lang),
                joined.join(item.words.text(self._t.lang) for item in items),
            )
            for who, items in both
        ]

    def works(self, actor: Actor, found: Case) -> list[WorksRow]:
        """The works orders."""
        t = self._t
        said = {
            WorksState.PLANNED: ("info", t("desk_case.works_planned")),
            WorksState.DONE: ("ok", t("desk_case.works_done")),
            WorksState.CANCELLED: ("idle", t("desk_case.works_cancelled")),
        }
        rows = []
        for one in self._desk.lists.works(actor, found.id):
            day = one.done_on or one.planned_on
            rows.append(
                WorksRow(
                    planned=one.state is WorksState.PLANNED,
                    kind=KIND_WORDS[one.kind].text(t.lang),
                    day=day_words(day, self._today, t) if day else "",
                    window=one.window if one.state is WorksState.PLANNED else "",
                    outage=one.outage,
                    tone=said[one.state][0],
                    word=said[one.state][1],
                )
            )
        return rows

    # --- what is looked at before the next step ---------------------------------------------------------

    def findings(self, found: Case) -> list[Seen]:
        """What the registers say of each rule, while the application is checked."""
        if found.state is not State.CHECKING:
            return []
        t, lang = self._t, self._t.lang
        words = {
            Verdict.OK: t("desk_case.holds"),
            Verdict.REFUSED: t("desk_case.holds_not"),
            Verdict.UNKNOWN: t("desk_case.unknown"),
            Verdict.WARNING: t("desk_case.warning"),
        }
        return [
            Seen(tone=_TONES[one.verdict], word=words[one.verdict], what=one.words.text(lang))
            for one in self._eligibility(found).findings
        ]

    def checks(self, found: Case) -> list[Seen]:
        """How far the connection check is."""
        if found.state is not State.CONNECTION_CHECK:
            return []
        t = self._t
        if not any(found.fact(name) for name in _CHECKS):
            return []  # the form below asks the same
        said = {
            YES: ("ok", t("desk_case.check_yes")),
            NO: ("caution", t("desk_case.check_no")),
            "": ("idle", t("desk_case.check_open")),
        }
        return [
            Seen(
                tone=said[found.fact(name)][0],
                word=said[found.fact(name)][1],
                what=FIELDS[name].words.text(t.lang),
            )
            for name in _CHECKS
        ]

    # --- inside -----------------------------------------------------------------------------------------

    def _eligibility(self, found: Case) -> Eligibility:
        supply, ems, there = found.fact("supply"), found.fact("ems_installed"), found.fact("installable")
        return self._desk.registers.check(
            Asked(
                number=found.supply_point,
                supply=Supply(supply) if supply else None,
                installable={YES: True, NO: False}.get(there),
                ems=None if not ems else ems != NO,
                certificate=found.fact("ems_certificate") if ems else None,
            )
        )

    def _terms(self, actor: Actor, found: Case) -> str:
        t = self._t
        accepted: Sequence[str] = [
            t(
                "desk_case.accepted_paper" if one.way is AcceptedWay.PAPER else "desk_case.accepted_online",
                version=one.version,
                day=day_words(one.day, self._today, t),
            )
            for one in self._desk.terms.acceptances(actor, found.id)
        ]
        if accepted:
            return " / ".join(accepted)
        version = found.fact("terms_version")
        return t("desk_case.terms_open", version=version) if version else t("desk_case.not_yet")

    def _day(self, text: str) -> str:
        return day_words(date.fromisoformat(text), self._today, self._t)

    def _fits(self, yes: bool) -> str:
        return self._t("desk_case.supported") if yes else self._t("desk_case.unsupported")

    def _kw(self, kw: int | None) -> str:
        return "" if kw is None else f"{grouped(kw)}\u00a0kW"


def ems_certified(desk: Desk, found: Case) -> bool:
    """Whether the certificate of the EMS of a case is in the register."""
    number = found.fact("ems_certificate")
    try:
        return bool(number) and desk.registers.certificate(number) is not None
    except UnknownError:
        return False
