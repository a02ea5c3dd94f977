"""Taking in a paper application at the counter: first the supply point, then what stands on the form.

The register says at once where the point is and whose it is, or why no application can be taken for it. What
was written is kept as a draft, or handed in; where that is refused, nothing is kept and everything stays in
the form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import FormData

from koatsu.desk.database import DeskStoreError
from koatsu.desk.errors import DeskError, InputError, RuleError, UnknownError
from koatsu.desk.fields import FIELDS
from koatsu.desk.lifecycle import Event, step_for
from koatsu.desk.models import Actor, Case
from koatsu.desk.plain_text import TextRefused
from koatsu.desk.point_numbers import in_area, masked, read_point_number, spaced
from koatsu.desk.rules import NEEDED
from koatsu.desk.states import STATE_WORDS, State
from koatsu.desk.supply_points import SUPPLY_WORDS, VOLTAGE_WORDS, Supply, SupplyPoint, Voltage
from koatsu.desk.voltages import ELSEWHERE
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.step_forms import Attempt, StepForms, typed_in
from koatsu.web.forms import Form, text_of

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["IntakePages"]

_GROUPS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("desk_intake.group_form", ("way", "received_on", "supply", "retailer", "wished_on")),
    (
        "desk_intake.group_customer",
        ("organisation", "customer_name", "customer_kana", "department", "contact_name"),
    ),
    ("desk_intake.group_contact", ("phone", "email", "postal_code", "address", "language")),
    ("desk_intake.group_ems", ("ems_installed", "sells", "ems_maker", "ems_model", "ems_certificate")),
    ("desk_intake.group_terms", ("terms_version", "terms_accepted", "remarks")),
)
"""The fields of the form as they stand on the paper."""

_REQUIRED: Final = frozenset({*NEEDED, "received_on", "terms_accepted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is known of a supply point before an application for it is taken in."""

    number: str
    point: SupplyPoint | None
    others: Sequence[Case]  #: live cases of the same point
    elsewhere: str  #: why no application can be taken in here, and where; empty where one can


class IntakePages(DeskPages):
    """The counter's page for paper."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/intake", self.show, Right.DESK_HANDLE)
        self.route("POST", "/intake", self.take, Right.DESK_HANDLE)

    def show(self, request: Request) -> HTMLResponse:
        """The first question: which supply point is it?"""
        return self._first(request, "", "")

    def take(self, request: Request, form: Form) -> Response:
        """Look the point up, keep a draft, or hand the application in."""
        typed = text_of(form, "supply_point", 100)
        try:
            number = read_point_number(typed)
        except TextRefused as error:
            return self._first(request, typed, error.words.text(self.t.lang))
        prefixes = self.desk.settings.area_prefixes
        if prefixes and not in_area(number, prefixes):
            return self._first(request, typed, self.t("desk_intake.outside"))
        place = self._place(number)
        do = text_of(form, "do")
        if do not in ("save", "submit") or place.elsewhere:
            return self._form(request, place, self._proposed(place.point), None)
        return self._kept(request, place, form, submit=do == "submit")

    # --- keeping ----------------------------------------------------------------------------------------

    def _kept(self, request: Request, place: Place, form: FormData, *, submit: bool) -> Response:
        actor = actor_of(request)
        typed = typed_in(form, _names())
        values = {name: value for name, value in typed.items() if value.strip()}
        try:
            made = self.desk.cases.open(actor, {**values, "supply_point": place.number}, submit=submit)
        except DeskStoreError:
            raise
        except DeskError as error:
            attempt = Attempt.refused(Event.SUBMIT, typed, error, self.t.lang)
            if isinstance(error, RuleError) and error.rule == "apply.complete":
                attempt = Attempt(
                    event=Event.SUBMIT,
                    typed=typed,
                    wrong=attempt.wrong,
                    by_field={name: self._lacking(name) for name in error.fields},
                )
            status = 422 if isinstance(error, InputError | RuleError) else 409
            return self._form(request, place, typed, attempt, status=status)
        try:
            self.desk.cases.get(actor, made.id)
        except UnknownError:
            return self.to("/?done=moved")
        return self.to(f"/case/{made.number}?done={'submit' if submit else 'draft'}")

    def _lacking(self, name: str) -> str:
        if name == "phone":
            return self.t("desk_intake.reach")
        return self.t("desk_intake.lacking", field=FIELDS[name].words.text(self.t.lang))

    # --- the two pages ----------------------------------------------------------------------------------

    def _first(self, request: Request, typed: str, wrong: str) -> HTMLResponse:
        values: dict[str, Any] = {"typed": typed, "wrong": wrong, "place": None}
        return self.frame.show(
            request, "desk/intake.html", values, here="worklist", status=422 if wrong else 200
        )

    def _form(
        self,
        request: Request,
        place: Place,
        typed: Mapping[str, str],
        attempt: Attempt | None,
        *,
        status: int = 200,
    ) -> HTMLResponse:
        actor, t = actor_of(request), self.t
        people = self.frame.access.people
        assert people is not None, "a desk without people has no staff"
        forms = StepForms(self.desk, t, people, self.desk.registers.today())
        wrong = attempt.by_field if attempt else {}
        groups = [
            (t(title), forms.fields(names, typed, required=_REQUIRED, wrong=wrong))
            for title, names in _GROUPS
        ]
        submitted = [one for one in place.others if one.state is not State.DRAFT]
        values = {
            "place": place,
            "number": spaced(place.number),
            "masked": masked(place.number),
            "rows": self._rows(place.point),
            "goes_to": self._goes_to(place, typed),
            "others": [self._other(actor, one) for one in place.others],
            "taken": bool(submitted),
            "groups": groups,
            "wrong": attempt.wrong if attempt else "",
            "count": len(wrong),
        }
        return self.frame.show(request, "desk/intake.html", values, here="worklist", status=status)

    def _place(self, number: str) -> Place:
        try:
            point = self.desk.registers.point(number)
        except UnknownError:
            point = None
        elsewhere = ""
        if point is not None and point.voltage is not Voltage.HIGH:
            elsewhere = "".join(words.text(self.t.lang) for words in ELSEWHERE[point.voltage])
        others = self.desk.lists.live_at_points([number])
        return Place(number=number, point=point, others=others, elsewhere=elsewhere)

    def _proposed(self, point: SupplyPoint | None) -> dict[str, str]:
        """What is so as a rule: it came in today, the terms in force; who supplies is in the register."""
        today = self.desk.registers.today()
        values = {"way": "counter", "received_on": today.isoformat(), "language": "ja"}
        terms = self.desk.terms.in_force(today)
        if terms is not None:
            values["terms_version"] = terms.id
        if point is not None:
            values["supply"] = point.supply.value
            if point.supply is Supply.OTHER and point.retailer:
                values["retailer"] = self.desk.registers.retailer(point.retailer).name
        return values

    def _rows(self, point: SupplyPoint | None) -> list[tuple[str, str]]:
        if point is None:
            return []
        t, lang = self.t, self.t.lang
        contract = t("desk_intake.under_contract")
        if not point.under_contract(self.desk.registers.today()):
            contract = t("desk_intake.no_contract")
        return [
            (t("desk_case.place"), point.place),
            (t("desk_case.voltage"), VOLTAGE_WORDS[point.voltage].text(lang)),
            (FIELDS["supply"].words.text(lang), SUPPLY_WORDS[point.supply].text(lang)),
            (t("desk_case.contract"), contract),
        ]

    def _goes_to(self, place: Place, typed: Mapping[str, str]) -> tuple[str, bool]:
        """The office to which the form goes, or why that cannot be told; and whether it can."""
        supply = typed.get("supply", "")
        if place.point is None or place.elsewhere or supply not in set(Supply):
            return "", False
        point = place.point
        try:
            office = self.desk.registers.office_for(
                supply=Supply(supply), postal_code=point.postal_code, municipality=point.municipality
            )
        except DeskStoreError:
            raise
        except DeskError as error:
            return error.text(self.t.lang), False
        return office.name, True

    def _other(self, actor: Actor, one: Case) -> tuple[str, str, str]:
        """Another case of the same point: number, state, and its address for those who may see it."""
        try:
            self.desk.cases.get(actor, one.id)
            url = f"{self.t.prefix}/case/{one.number}"
        except UnknownError:
            url = ""
        return one.number, STATE_WORDS[one.state].text(self.t.lang), url


def _names() -> tuple[str, ...]:
    step = step_for(Event.FILL, State.DRAFT)
    assert step is not None, "the table of the life cycle fills drafts in"
    return step.names
