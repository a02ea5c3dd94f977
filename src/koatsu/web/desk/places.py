"""Where people belong at the desk: staff to an office, customers to their cases; said on their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import FormData

from koatsu.desk.errors import InputError
from koatsu.desk.models import Actor
from koatsu.desk.offices import all_offices
from koatsu.desk.staff import NOWHERE
from koatsu.desk.words import Words
from koatsu.people import Login, LoginKind, Person, Right
from koatsu.web.forms import text_of
from koatsu.web.texts import Texts, texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Places"]

_EVERYWHERE: Final = "*"  #: in the form: every office


class Places:
    """Where people belong, in one language: a :class:`koatsu.web.managing.Placing`."""

    template = "desk/place.html"

    def __init__(self, desk: Desk, t: Texts) -> None:
        self._desk, self._t = desk, t

    def shown(self, people: list[Person]) -> Mapping[int, str]:
        """Where each of them belongs, in words."""
        names, placed = dict(self._offices()), self._desk.staff.offices()
        cases = self._desk.staff.case_numbers() if any(_own(one) for one in people) else {}

        def of_staff(person: Person) -> str:
            if person.role.may(Right.DESK_REVIEW):
                return self._t("desk_place.every")
            office = placed[person.id] if person.id in placed else self._actor(person).office
            return self._t("desk_place.every") if office is None else names.get(office, office)

        return {one.id: self._cases(cases.get(one.id, ())) if _own(one) else of_staff(one) for one in people}

    def of(self, person: Person) -> Mapping[str, Any]:
        """What the template needs: which kind of place it is, and what there is to choose."""
        if _own(person):
            return {
                "kind": "customer",
                "cases": self._desk.staff.case_numbers().get(person.id, []),
                "example": f"{self._desk.settings.case_prefix}-2026-00001",
            }
        if person.role.may(Right.DESK_REVIEW):
            return {"kind": "every"}
        office = self._actor(person).office
        chosen = _EVERYWHERE if office is None else office
        every = (_EVERYWHERE, self._t("desk_place.every"))
        return {"kind": "office", "offices": [*self._offices(), every], "chosen": chosen}

    def keep(self, by: Login, person: Person, form: FormData) -> Mapping[str, str]:
        """Assign a person as the form says.

        Returns:
            What the audit log is to know of it.

        Raises:
            InputError: there is no such office or case; nothing was kept.
        """
        if _own(person):
            number = text_of(form, "place")
            if not number:
                raise InputError({"place": _words("desk_place.case_first")})
            found = self._desk.cases.find(self._desk.staff.actor(by), number)
            self._desk.staff.assign(person.id, customer=found.customer)
            return {"customer": str(found.customer)}
        office = text_of(form, "place")
        if office not in {_EVERYWHERE, *(code for code, _ in self._offices())}:
            raise InputError({"place": _words("desk_place.office_first")})
        self._desk.staff.assign(person.id, office=None if office == _EVERYWHERE else office)
        return {"office": "every" if office == _EVERYWHERE else office or "none"}

    def _offices(self) -> list[tuple[str, str]]:
        with self._desk.database.reading() as connection:
            offices = all_offices(connection)
        return [(NOWHERE, self._t("desk_place.none")), *((one.code, one.name) for one in offices)]

    def _actor(self, person: Person) -> Actor:
        return self._desk.staff.actor(Login(kind=LoginKind.SESSION, role=person.role, person=person))

    def _cases(self, numbers: Sequence[str]) -> str:
        more = f" +{len(numbers) - 1}" if len(numbers) > 1 else ""
        return f"{numbers[0]}{more}" if numbers else self._t("desk_place.no_case")


def _own(person: Person) -> bool:
    """Whether this is a customer, who sees cases of their own."""
    return person.role.may(Right.DESK_OWN)


def _words(key: str) -> Words:
    return Words(texts("ja")(key), texts("en")(key))
