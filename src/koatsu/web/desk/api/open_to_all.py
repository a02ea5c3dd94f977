"""What everybody may ask: may I have it, the help, where a form goes, certified equipment, terms, data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Path, Query, Request

from koatsu.desk.eligibility import Asked as Place
from koatsu.desk.errors import InputError
from koatsu.desk.faq import LONGEST_SEARCH, faq
from koatsu.desk.plain_text import TextRefused, kept_text, read_postal
from koatsu.desk.point_numbers import read_point_number
from koatsu.desk.supply_points import Supply
from koatsu.desk.words import Words
from koatsu.web.answers import ApiError
from koatsu.web.desk.api.groups import Group
from koatsu.web.desk.api.open_models import (
    Asked,
    DataList,
    Equipment,
    EquipmentList,
    Help,
    HelpQuestion,
    HelpSection,
    Route,
    TermsList,
    TermsText,
    Told,
    terms_head,
)
from koatsu.web.desk.api.shapes import Said
from koatsu.web.desk.check_pages import public_eligibility
from koatsu.web.desk.handing_in import LONGEST_PLACE, hand_in
from koatsu.web.desk.pace import let_through

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["OpenToAll"]

_LONGEST_NUMBER: Final = 40  #: of a certificate
_FURTHEST: Final = 1_000_000

_Search = Annotated[str, Query(description="words; all of them must fit", max_length=LONGEST_SEARCH)]
_PostalCode = Annotated[str, Query(description="of the supply point", max_length=20, examples=["812-0011"])]
_Municipality = Annotated[str, Query(description="of the supply point", max_length=LONGEST_PLACE)]


class OpenToAll(Group):
    """What is open to all; those without a login are counted."""

    tag = "open"

    def __init__(self, desk: Desk, router: APIRouter) -> None:
        super().__init__(desk, router)
        self.route("POST", "/eligibility", self.check_eligibility, None, Told, asks_only=True, paced=False)
        self.route("GET", "/routing", self.get_route, None, Route)
        self.route("GET", "/help", self.list_questions, None, Help)
        self.route("GET", "/help/{question}", self.get_question, None, HelpQuestion)
        self.route("GET", "/equipment", self.search_equipment, None, EquipmentList)
        self.route("GET", "/data-list", self.get_data_list, None, DataList)
        self.route("GET", "/terms", self.list_terms, None, TermsList)
        self.route("GET", "/terms/{version}", self.get_terms, None, TermsText)

    def check_eligibility(self, request: Request, asked: Asked) -> Told:
        """May somebody have the service? What every rule says, by what was written; nothing is kept.

        Of a number the register tells only whether it lies in the area, and its voltage. A POST, for a supply
        point number stands in no address; as with every POST, a program without a token says in ``Origin``
        whom it asks.
        """
        wrong: dict[str, Words] = {}
        place = _place(asked.postal_code, asked.municipality, wrong)
        number = certificate = None
        try:
            number = read_point_number(asked.number) if asked.number else None
        except TextRefused as error:
            wrong["number"] = error.words
        try:
            certificate = None if asked.certificate is None else kept_text(asked.certificate, _LONGEST_NUMBER)
        except TextRefused as error:
            wrong["certificate"] = error.words
        if wrong:
            raise InputError(wrong)
        if not let_through(request, "check" if number else "api"):
            raise ApiError(429, "too_often")
        certificate = certificate if asked.ems else None
        found = Place(number=number, supply=asked.supply, ems=asked.ems, certificate=certificate)
        return Told.of(
            public_eligibility(self.desk, found), hand_in(self.desk.registers, asked.supply, place)
        )

    def get_route(
        self,
        supply: Annotated[Supply | None, Query(description="who supplies the electricity")] = None,
        postal_code: _PostalCode = "",
        municipality: _Municipality = "",
    ) -> Route:
        """Which office takes a form about a place, for applying and for ending alike."""
        wrong: dict[str, Words] = {}
        place = _place(postal_code, municipality, wrong)
        if wrong:
            raise InputError(wrong)
        return Route.of(hand_in(self.desk.registers, supply, place))

    def list_questions(self, q: _Search = "") -> Help:
        """The help in both languages: every question in its order, or what fits ``q``, the best first."""
        book, typed = faq(), " ".join(q.split())
        found = book.search(typed) if typed else book.questions
        online = self.desk.settings.online
        return Help(
            sections=[HelpSection(id=one.id, title=Said.of(one.title)) for one in book.sections],
            questions=[HelpQuestion.of(one, online=online) for one in found],
        )

    def get_question(
        self, question: Annotated[str, Path(pattern="^[a-z0-9_]{1,60}$", examples=["wired"])]
    ) -> HelpQuestion:
        """One question of the help."""
        found = faq().question(question)
        if found is None:
            raise ApiError(404, "no_question", question=question)
        return HelpQuestion.of(found, online=self.desk.settings.online)

    def search_equipment(
        self,
        q: _Search = "",
        present: Annotated[bool, Query(description="only what is valid today")] = False,
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
        offset: Annotated[int, Query(ge=0, le=_FURTHEST)] = 0,
    ) -> EquipmentList:
        """Equipment with SMA certification, by maker, model, number and kind."""
        found = self.desk.registers.search_certified(q, present=present, limit=limit, offset=offset)
        today = self.desk.registers.today()
        return EquipmentList(
            total=found.total,
            limit=limit,
            offset=offset,
            equipment=[Equipment.of(one, today) for one in found.equipment],
        )

    def get_data_list(self) -> DataList:
        """The list of the data that is sent to an EMS, in force today."""
        return DataList.of(self.desk.data_lists.in_force(), self.desk.data_lists.versions())

    def list_terms(self) -> TermsList:
        """The versions of the terms of use, and which is in force today."""
        present = self.desk.terms.in_force()
        versions = [terms_head(one) for one in self.desk.terms.versions()]
        return TermsList(in_force=present.id if present else None, versions=versions)

    def get_terms(
        self, version: Annotated[str, Path(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-04-01"])]
    ) -> TermsText:
        """One version of the terms of use, with its text."""
        return TermsText.of(self.desk.terms.version(version))


def _place(postal_code: str, municipality: str, wrong: dict[str, Words]) -> tuple[str, str]:
    """A place as it was written; what cannot be taken goes into ``wrong``."""
    postal = named = ""
    try:
        postal = read_postal(postal_code) if postal_code.strip() else ""
    except TextRefused as error:
        wrong["postal_code"] = error.words
    try:
        named = kept_text(municipality, LONGEST_PLACE)
    except TextRefused as error:
        wrong["municipality"] = error.words
    return postal, named
