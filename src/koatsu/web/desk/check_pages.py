"""May I have the service? Found out in one minute, from what somebody writes, by the rules of eligibility.

What a stranger may learn from somebody's supply point number is decided here: whether it lies in the
utility's area, and of which voltage it is (low and extra-high voltage have services of their own, and nobody
can be sent there without being told). The contract and its end, the meter, the place and the retailer stay in
the register: the other rules hear only what was written into the form. The office is told by the place that
was written. Numbers can be tried out so many times an hour (:mod:`koatsu.web.desk.pace`). Nothing is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.eligibility import OUTCOME_WORDS, RULES, Asked, Eligibility, Finding, Outcome, Verdict
from koatsu.desk.plain_text import TextRefused, kept_text
from koatsu.desk.point_numbers import masked, read_point_number
from koatsu.desk.supply_points import SUPPLY_WORDS, Supply
from koatsu.web.desk.handing_in import hand_in, read_place
from koatsu.web.desk.leading import help_path
from koatsu.web.desk.pace import let_through
from koatsu.web.desk.pages import DeskPages
from koatsu.web.forms import Errors, Form, text_of

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["TOLD_BY_NUMBER", "CheckPages", "public_eligibility"]

TOLD_BY_NUMBER: Final = ("eligible.area", "eligible.high_voltage")
"""The rules that may ask the register about a number that a stranger has written."""

_EMS: Final = {"decided": True, "planned": True, "none": False}
_FIELDS: Final = ("number", "supply", "ems", "certificate", "place")
_TONES: Final = {
    Verdict.OK: "ok",
    Verdict.REFUSED: "caution",  # red is for alarms of a site alone
    Verdict.UNKNOWN: "idle",
    Verdict.WARNING: "caution",
}
_OUTCOME_TONES: Final = {Outcome.ELIGIBLE: "ok", Outcome.OPEN: "info", Outcome.REFUSED: "caution"}


class CheckPages(DeskPages):
    """``/check``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/check", self.ask, None)
        self.route("POST", "/check", self.check, None)

    def ask(self, request: Request) -> Response:
        """The form."""
        return self._page(request, dict.fromkeys(_FIELDS, ""), Errors())

    def check(self, request: Request, form: Form) -> Response:
        """What every rule says of what was written; unsaid is unknown, and found out later."""
        typed = {name: text_of(form, name, 200) for name in _FIELDS}
        errors = Errors()
        asked, place = self._read(typed, errors)
        if not errors and asked.number and not let_through(request, "check"):
            errors.add("number", self.t("desk_check.too_often"))
            return self._page(request, typed, errors, status=429)
        if errors:
            return self._page(request, typed, errors, status=422)
        found = public_eligibility(self.desk, asked)
        return self._page(request, typed, errors, found=found, asked=asked, place=place)

    def _read(self, typed: dict[str, str], errors: Errors) -> tuple[Asked, tuple[str, str]]:
        """What was written, as the rules ask for it; what cannot be taken is said at its field."""
        number, certificate, place = None, None, ("", "")
        try:
            number = read_point_number(typed["number"]) if typed["number"] else None
        except TextRefused as error:
            errors.add("number", error.words.text(self.t.lang))
        try:
            certificate = kept_text(typed["certificate"], 40) or None
        except TextRefused as error:
            errors.add("certificate", error.words.text(self.t.lang))
        try:
            place = read_place(typed["place"])
        except TextRefused as error:
            errors.add("place", error.words.text(self.t.lang))
        supply = Supply(typed["supply"]) if typed["supply"] in set(Supply) else None
        ems = _EMS.get(typed["ems"])
        return Asked(number=number, supply=supply, ems=ems, certificate=certificate if ems else None), place

    def _page(
        self,
        request: Request,
        typed: dict[str, str],
        errors: Errors,
        *,
        found: Eligibility | None = None,
        asked: Asked | None = None,
        place: tuple[str, str] = ("", ""),
        status: int = 200,
    ) -> Response:
        lang = self.t.lang
        supply = None if asked is None else asked.supply
        values = {
            "typed": typed,
            "errors": errors.by_field,
            "supplies": [(one.value, words.text(lang)) for one, words in SUPPLY_WORDS.items()],
            "outcome": None if found is None else OUTCOME_WORDS[found.outcome].text(lang),
            "tone": "" if found is None else _OUTCOME_TONES[found.outcome],
            "refused": found is not None and found.outcome is Outcome.REFUSED,
            "findings": [] if found is None else [self._shown(one) for one in found.findings],
            "number": masked(asked.number) if asked is not None and asked.number else "",
            "handin": None if found is None else hand_in(self.desk.registers, supply, place),
            "online": self.desk.settings.online,
        }
        return self.frame.show(request, "desk/check.html", values, here="check", status=status, form=True)

    def _shown(self, one: Finding) -> dict[str, str]:
        lang, rule = self.t.lang, RULES[one.rule]
        return {
            "tone": _TONES[one.verdict],
            "verdict": self.t(f"desk_check.{one.verdict}"),
            "rule": rule.statement.text(lang),
            "words": one.words.text(lang),
            "hint": one.hint.text(lang) if one.hint is not None else rule.explanation.text(lang),
            "help": help_path(rule.faq),
        }


def public_eligibility(desk: Desk, asked: Asked) -> Eligibility:
    """What every rule says, without what the register knows of a number beyond :data:`TOLD_BY_NUMBER`."""
    of_number = {one.rule: one for one in desk.registers.check(asked).findings}
    of_form = desk.registers.check(replace(asked, number=None)).findings
    return Eligibility(
        findings=tuple(of_number[one.rule] if one.rule in TOLD_BY_NUMBER else one for one in of_form)
    )
