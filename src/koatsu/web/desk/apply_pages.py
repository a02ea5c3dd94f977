"""The application: on paper, always; on this page, where the utility takes it here, as a draft first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData

from koatsu.desk.errors import DeskError, InputError, RuleError
from koatsu.desk.lifecycle import Event
from koatsu.desk.models import Actor, Case
from koatsu.desk.plain_text import TextRefused
from koatsu.desk.point_numbers import masked, read_point_number
from koatsu.desk.states import ENDED, State
from koatsu.people import Right
from koatsu.web.desk.actors import visitor_of
from koatsu.web.desk.asking import add_errors, asked, given
from koatsu.web.desk.own_words import refused_words
from koatsu.web.desk.pace import let_through, too_often
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.registering import own_customer
from koatsu.web.forms import Errors, Form, text_of

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["ApplyPages"]

_SECTIONS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("desk_paper.supply", ("supply", "retailer")),
    (
        "desk_paper.customer",
        (
            *("organisation", "customer_name", "customer_kana", "department", "contact_name"),
            *("phone", "email", "postal_code", "address", "language"),
        ),
    ),
    ("desk_paper.ems", ("ems_installed", "ems_maker", "ems_model", "ems_certificate", "sells")),
    ("desk_paper.wishes", ("wished_on", "remarks")),
)
"""What the application asks for beside the supply point and the terms: headings, and fields of the table."""

_NAMES: Final = tuple(name for _, names in _SECTIONS for name in names)
_OPEN: Final = frozenset({State.DRAFT, State.RETURNED})


class ApplyPages(DeskPages):
    """``/apply``, and a draft on ``/my/{number}/application``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/apply", self.apply, None)
        self.route("POST", "/apply", self.begin, Right.DESK_OWN)
        self.route("GET", "/my/{number}/application", self.draft, Right.DESK_OWN)
        self.route("POST", "/my/{number}/application", self.go_on, Right.DESK_OWN)

    def apply(self, request: Request) -> Response:
        """The form, for a customer who has logged in where it is taken here; else the ways that there are."""
        visitor = visitor_of(request)
        own = visitor is not None and visitor.role is not None and visitor.role.may(Right.DESK_OWN)
        if self.desk.settings.online and own:
            return self._form(request, None, {"language": self.t.lang}, Errors())
        values = {
            "online": self.desk.settings.online and self.frame.access.people is not None,
            "owned": self.frame.access.owned(),
            "visitor": visitor is not None,
        }
        return self.frame.show(request, "desk/apply.html", values, here="apply")

    def begin(self, request: Request, form: Form) -> Response:
        """Keep a new application as a draft, and hand it in if that is asked for."""
        actor, errors = own_customer(self.desk, request), Errors()
        typed = given(form, ("supply_point", *_NAMES))
        point = self._point(actor, typed["supply_point"], errors)
        values = self._values(form, typed)
        if errors:
            return self._form(request, None, typed | values, errors, status=422)
        if not let_through(request, "apply"):
            raise too_often(self)
        try:
            made = self.desk.cases.open(actor, {**values, "supply_point": point})
        except (InputError, RuleError) as error:
            self._note(errors, error)
            return self._form(request, None, typed | values, errors, status=422)
        return self._kept(request, actor, made, form, typed | values)

    def draft(self, request: Request, number: str) -> Response:
        """A draft, or an application that has come back, to be written on."""
        found = self._open_case(own_customer(self.desk, request), number)
        return self._form(request, found, self._known(request, found), Errors())

    def go_on(self, request: Request, number: str, form: Form) -> Response:
        """Keep what was written, and hand it in if that is asked for."""
        actor, errors = own_customer(self.desk, request), Errors()
        found = self._open_case(actor, number)
        typed = given(form, _NAMES)
        values = self._values(form, typed)
        seen = text_of(form, "seen")
        try:
            kept = self.desk.cases.act(
                actor, found.id, Event.FILL, values, seen=int(seen) if seen.isdecimal() else None
            )
        except (InputError, RuleError) as error:
            self._note(errors, error)
            return self._form(request, found, typed | values, errors, status=422)
        return self._kept(request, actor, kept, form, typed | values)

    # --- inside -----------------------------------------------------------------------------------------

    def _kept(
        self, request: Request, actor: Actor, case: Case, form: FormData, values: dict[str, str]
    ) -> Response:
        """Lead on to the case that was kept; where it is to be handed in and cannot be yet, say why."""
        if text_of(form, "do") != "send":
            return self.to(f"/my/{case.number}?done=saved")
        errors = Errors()
        try:
            self.desk.cases.act(actor, case.id, Event.SUBMIT, {}, seen=case.version)
        except DeskError as error:
            self._note(errors, error)
            return self._form(request, case, values, errors, kept=True, status=422)
        return self.to(f"/my/{case.number}?done=sent")

    def _point(self, actor: Actor, typed: str, errors: Errors) -> str:
        """The number that was written; a customer goes on with an application that there is already."""
        try:
            number = read_point_number(typed)
        except TextRefused as error:
            errors.add("supply_point", error.words.text(self.t.lang))
            return ""
        for case in self.desk.lists.own(actor):
            if case.supply_point == number and case.state not in ENDED:
                errors.add("supply_point", self.t("desk_apply.already", number=case.number))
        return number

    def _values(self, form: FormData, typed: Mapping[str, str]) -> dict[str, str]:
        """What is kept of the form, with what goes without saying on this page."""
        return {
            **{name: typed[name] for name in _NAMES},
            "way": "online",
            "terms_version": text_of(form, "terms_version", 40),
            "terms_accepted": "yes" if text_of(form, "terms_accepted") == "yes" else "no",
        }

    def _note(self, errors: Errors, error: DeskError) -> None:
        """Say why something was refused, at its field where it has one, and as customers understand it."""
        if isinstance(error, InputError):
            add_errors(errors, error, self.t.lang)
            return
        rule = error.rule if isinstance(error, RuleError) else ""
        at = {"eligible.area": "supply_point", "apply.terms": "terms_accepted"}.get(rule, "form")
        errors.add(at, refused_words(error, self.t))

    def _open_case(self, actor: Actor, number: str) -> Case:
        """A case that its customer may write on.

        Raises:
            UnknownError: there is none of this customer.
            TroubleError: it is past that, or applications are taken on paper.
        """
        found = self.desk.cases.find(actor, number)
        if found.state not in _OPEN or not self.desk.settings.online:
            raise self.gone(
                self.t("desk_apply.not_open"), action=self.t("desk_my.open"), path=f"/my/{found.number}"
            )
        return found

    def _known(self, request: Request, case: Case) -> dict[str, str]:
        actor = own_customer(self.desk, request)
        return {**case.facts, **self.desk.cases.person(actor, case.id)}

    def _form(
        self,
        request: Request,
        case: Case | None,
        values: Mapping[str, str],
        errors: Errors,
        *,
        kept: bool = False,
        status: int = 200,
    ) -> Response:
        lang, t = self.t.lang, self.t
        terms = self.desk.terms.in_force()
        labels = {
            "ems_installed": t("desk_apply.ems_installed"),
            "language": t("desk_apply.language"),
            "sells": t("desk_paper.sells"),
        }
        choices = {("sells", "unknown"): t("desk_paper.not_sure")}
        hints = {"retailer": t("desk_paper.retailer_hint"), "customer_name": t("desk_apply.name_hint")}
        shown = {
            "case": case,
            "number": masked(case.supply_point) if case else "",
            "returned": case is not None and case.state is State.RETURNED,
            "kept": kept,
            "point": asked(("supply_point",), lang, values, errors)[0],
            "sections": [
                (t(title), asked(names, lang, values, errors, labels=labels, hints=hints, choices=choices))
                for title, names in _SECTIONS
            ],
            "errors": errors.by_field,
            "terms": None if terms is None else (terms.id, terms.title_in(lang)),
            "accepted": values.get("terms_accepted") == "yes"
            and terms is not None
            and values.get("terms_version") == terms.id,
        }
        return self.frame.show(
            request, "desk/apply-form.html", shown, here="apply" if case is None else "my", status=status
        )
