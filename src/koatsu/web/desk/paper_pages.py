"""The forms on paper: blank, or filled in here and printed with the right addressee; nothing is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi import Request
from fastapi.responses import Response

from koatsu.clock import JST
from koatsu.desk.checking import clean
from koatsu.desk.errors import InputError, UnknownError
from koatsu.desk.fields import FIELDS
from koatsu.desk.file_names import attachment
from koatsu.desk.forms import FORM_WORDS, FormContent, FormKind, Forms
from koatsu.desk.models import Actor
from koatsu.desk.plain_text import TextRefused, kept_text
from koatsu.desk.point_numbers import read_point_number
from koatsu.desk.supply_points import SUPPLY_WORDS, Supply
from koatsu.people import Right, Role
from koatsu.render import MissingGlyphError
from koatsu.web.desk.actors import visitor_of
from koatsu.web.desk.asking import add_errors, asked, given
from koatsu.web.desk.handing_in import HandIn, Known, hand_in, read_place
from koatsu.web.desk.own_words import shows_place
from koatsu.web.desk.pace import let_through, too_often
from koatsu.web.desk.pages import DeskPages
from koatsu.web.forms import Errors, Form, text_of

if TYPE_CHECKING:
    from koatsu.desk import Desk
    from koatsu.web.desk.frame import DeskFrame

__all__ = ["PaperPages"]

_CUSTOMER: Final = (
    "customer_name",
    "customer_kana",
    "department",
    "contact_name",
    "phone",
    "email",
    "postal_code",
    "address",
)
_EMS: Final = ("ems_maker", "ems_model", "ems_certificate")
_SECTIONS: Final[dict[FormKind, tuple[tuple[str, tuple[str, ...]], ...]]] = {
    FormKind.APPLICATION: (
        ("desk_paper.customer", _CUSTOMER),
        ("desk_paper.ems", (*_EMS, "sells")),
        ("desk_paper.wishes", ("wished_on", "remarks")),
    ),
    FormKind.ENDING: (
        ("desk_paper.customer", _CUSTOMER),
        ("desk_paper.wishes", ("wished_on", "remarks")),
    ),
}
"""What each form asks for beside the supply point and who supplies: headings, and fields of the table."""

_OWN: Final = ("supply_point", "supply", "retailer", "where", "place", "contract_kw")
"""Fields at the top of the page; ``where`` is a postal code or municipality, to tell the office."""

_LENGTHS: Final = {"place": 200, "contract_kw": 12}
_UNADDRESSED: Final = frozenset({Known.UNSET, Known.NOBODY, Known.CHOICE})
"""Where no office can be told, the form is printed with its lines empty, if somebody asks for that."""


class PaperPages(DeskPages):
    """``/forms``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/forms", self.forms, None)
        self.route("GET", "/forms/{kind}", self.fill, None)
        self.route("POST", "/forms/{kind}", self.make, None)
        self.route("GET", "/forms/{kind}/blank", self.blank, None)

    def forms(self, request: Request) -> Response:
        """Which forms there are."""
        values = {
            "kinds": [(kind.value, words.ja) for kind, words in FORM_WORDS.items()],  # as on the paper
            "online": self.desk.settings.online,
        }
        return self.frame.show(request, "desk/blank-forms.html", values, here="forms")

    def blank(self, request: Request, kind: str) -> Response:
        """An empty form, to be printed and written by hand."""
        which = self._kind(kind)
        if not let_through(request, "paper"):
            raise too_often(self)
        return self._file(which, FormContent(kind=which, utility=self.desk.settings.utility.ja))

    def fill(self, request: Request, kind: str, case: str = "") -> Response:
        """A form to fill in; with ``case``, with what is known of it to whoever may see it."""
        which, actor = self._kind(kind), visitor_of(request)
        typed = self._known(actor, case, which) if actor is not None and case else {}
        return self._page(request, which, typed, Errors())

    def make(self, request: Request, kind: str, form: Form) -> Response:
        """The form, filled in, as a PDF to be saved; or the page again, with one sentence at each field."""
        which = self._kind(kind)
        names = [*_OWN, *self._names(which)]
        typed, errors = given(form, names), Errors()
        if text_of(form, "do") == "carry":  # from the page before, which knows some of it
            return self._page(request, which, typed, errors)
        found = self._content(which, typed, errors, unaddressed=text_of(form, "do") == "unaddressed")
        if found is None:
            return self._page(request, which, typed, errors, status=422)
        if not let_through(request, "paper"):
            raise too_often(self)
        try:
            return self._file(which, found)
        except MissingGlyphError as error:
            for name in dict.fromkeys(one.field for one in error.missing):
                signs = ", ".join(one.shown for one in error.missing if one.field == name)
                said = self.t("desk_paper.missing", signs=signs) if name in names else error.text(self.t.lang)
                errors.add(name if name in names else "form", said)
            return self._page(request, which, typed, errors, status=422)

    # --- inside -----------------------------------------------------------------------------------------

    def _kind(self, kind: str) -> FormKind:
        if kind not in set(FormKind):
            raise self.gone(self.t("desk_paper.no_form"), action=self.t("desk_paper.title"), path="/forms")
        return FormKind(kind)

    @staticmethod
    def _names(kind: FormKind) -> list[str]:
        return [name for _, names in _SECTIONS[kind] for name in names]

    def _content(
        self, kind: FormKind, typed: dict[str, str], errors: Errors, *, unaddressed: bool
    ) -> FormContent | None:
        """What the form says; ``None``: something is wrong, and said at its field."""
        today, names = self.desk.registers.today(), self._names(kind)
        kept: dict[str, str] = {}
        try:
            known = {*names, "retailer"}
            kept = clean({name: typed[name] for name in known}, known, (), today)
        except InputError as error:
            add_errors(errors, error, self.t.lang)
        own = self._own(typed, errors)
        found = self._addressee(typed, errors, unaddressed=unaddressed)
        if errors:
            return None
        office = None if found is None else found.office
        wished = kept.pop("wished_on", "")
        values: dict[str, Any] = {**kept, **own, "supply": typed["supply"]}
        if kind is FormKind.APPLICATION:
            terms = self.desk.terms.in_force()
            values["terms_version"] = terms.id if terms is not None else ""
            if kept.get("ems_model") and not kept.get("ems_certificate"):
                values["ems_certified"] = "no"  # the box says: not certified, or not known
        try:
            return FormContent(
                kind=kind,
                utility=self.desk.settings.utility.ja,
                office=office.name if office else "",
                office_postal_code=office.postal_code if office else "",
                office_address=office.address if office else "",
                office_phone=office.phone if office else "",
                made_on=today,
                wished_on=today.fromisoformat(wished) if wished else None,
                **values,
            )
        except InputError as error:
            add_errors(errors, error, self.t.lang)
            return None

    def _own(self, typed: dict[str, str], errors: Errors) -> dict[str, str]:
        """The fields that only the form has."""
        own: dict[str, str] = {}
        try:
            own["supply_point"] = read_point_number(typed["supply_point"]) if typed["supply_point"] else ""
        except TextRefused as error:
            errors.add("supply_point", error.words.text(self.t.lang))
        for name, longest in _LENGTHS.items():
            try:
                own[name] = kept_text(typed[name], longest)
            except TextRefused as error:
                errors.add(name, error.words.text(self.t.lang))
        return own

    def _addressee(self, typed: dict[str, str], errors: Errors, *, unaddressed: bool) -> HandIn | None:
        """Where the form goes; an error at the field that has to be written, unless the lines stay empty."""
        if typed["supply"] not in set(Supply):
            errors.add("supply", self.t("desk_paper.supply_first"))
            return None
        try:
            place = read_place(typed["where"])
        except TextRefused as error:
            errors.add("where", error.words.text(self.t.lang))
            return None
        found = hand_in(self.desk.registers, Supply(typed["supply"]), place)
        if found.known is Known.OFFICE or (unaddressed and found.known in _UNADDRESSED):
            return found
        name = "supply" if found.known in (Known.UNSET, Known.NOBODY) else "where"
        errors.add(name, self.t(f"desk_where.{found.known}"))
        return found

    def _known(self, actor: Actor, number: str, kind: FormKind) -> dict[str, str]:
        """What the desk knows of a case, for its customer and for the staff of its office."""
        found = self.desk.cases.find(actor, number)
        known = {**found.facts, **self.desk.cases.person(actor, found.id), "supply_point": found.supply_point}
        own = actor.role is Role.CUSTOMER
        if not own or shows_place(found, self.desk.cases.history(actor, found.id)):
            try:
                point = self.desk.registers.point(found.supply_point)
                known |= {"where": point.postal_code, "place": point.place}
            except UnknownError:  # the register has lost it, or never had it
                pass
        return {name: known.get(name, "") for name in (*_OWN, *self._names(kind)) if name != "wished_on"}

    def _page(
        self, request: Request, kind: FormKind, typed: dict[str, str], errors: Errors, *, status: int = 200
    ) -> Response:
        lang, fields = self.t.lang, FIELDS
        supply = typed.get("supply", "")
        found = None
        if errors.by_field.keys() & {"supply", "where"} and supply in set(Supply):
            try:
                found = hand_in(self.desk.registers, Supply(supply), read_place(typed.get("where", "")))
            except TextRefused:  # said at its field
                found = None
        hints = {"remarks": "", "ems_certificate": self.t("desk_paper.certificate_hint")}
        labels = {"wished_on": self.t(f"desk_paper.wished_{kind}"), "sells": self.t("desk_paper.sells")}
        choices = {("sells", "unknown"): self.t("desk_paper.not_sure")}
        values = {
            "kind": kind.value,
            "form_words": FORM_WORDS[kind].text(lang),
            "typed": {name: typed.get(name, "") for name in _OWN},
            "errors": errors.by_field,
            "supplies": [(one.value, words.text(lang)) for one, words in SUPPLY_WORDS.items()],
            "point_hint": fields["supply_point"].hint.text(lang) if fields["supply_point"].hint else "",
            "retailer_label": fields["retailer"].words.text(lang),
            "sections": [
                (
                    self.t(title),
                    asked(names, lang, typed, errors, labels=labels, hints=hints, choices=choices),
                )
                for title, names in _SECTIONS[kind]
            ],
            "handin": found,
            "unaddressed": found is not None and found.known in _UNADDRESSED,
            "staff": self.frame.access.sees(request, Right.DESK_READ),
        }
        return self.frame.show(
            request, "desk/blank-forms-fill.html", values, here="forms", status=status, form=True
        )

    def _file(self, kind: FormKind, content: FormContent) -> Response:
        made = self.desk.clock.now()
        printed = Forms(self.desk.settings.templates).pdf(content, made=made)
        name = f"{FORM_WORDS[kind].ja}_{made.astimezone(JST):%Y%m%d}.pdf"
        return Response(
            printed, media_type="application/pdf", headers={"Content-Disposition": attachment(name)}
        )
