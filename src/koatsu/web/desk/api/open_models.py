"""The shapes of what is open to all: eligibility, help, the way of a form, equipment, terms, data."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import Field

from koatsu.desk.certified import CertifiedEquipment
from koatsu.desk.data_list import DataList as DeskDataList
from koatsu.desk.eligibility import OUTCOME_WORDS, RULES, Eligibility, Finding, Outcome, Verdict
from koatsu.desk.faq import Action, Question
from koatsu.desk.supply_points import Supply
from koatsu.desk.terms import TermsVersion
from koatsu.web.answers import Instant, Shape
from koatsu.web.desk.api.shapes import CODE, OfficeShape, Said
from koatsu.web.desk.handing_in import HandIn, Known
from koatsu.web.desk.leading import action_path, ask_path

__all__ = [
    "Asked", "DataList", "Equipment", "EquipmentList", "Help", "HelpQuestion", "Route", "TermsList",
    "TermsText", "Told",
]  # fmt: skip


class Route(Shape):
    """Where a form is handed in, for applying and for ending alike.

    ``known``: office (it is this one), where (say the place), choice (one of several), unset (self-supply,
    and the utility has not said), nobody (no such office), supply (say who supplies).
    """

    known: Known
    office: OfficeShape | None
    choices: list[OfficeShape]

    @classmethod
    def of(cls, found: HandIn) -> Self:
        """The shape of a way."""
        return cls(
            known=found.known,
            office=OfficeShape.of(found.office) if found.office else None,
            choices=[OfficeShape.of(one) for one in found.choices],
        )


class Asked(Shape):
    """What somebody says of a place; what is left out is not known. Nothing of it is kept."""

    number: str | None = Field(
        default=None, max_length=100, description="supply point number, 22 digits", examples=[None]
    )
    supply: Supply | None = Field(default=None, description="who supplies the electricity")
    ems: bool | None = Field(default=None, description="there is an EMS, or will be", examples=[True])
    certificate: str | None = Field(
        default=None, max_length=100, description="SMA certificate number of the EMS; empty: it has none"
    )
    postal_code: str = Field(default="", max_length=20, description="of the place", examples=["812-0011"])
    municipality: str = Field(default="", max_length=60)


class FindingShape(Shape):
    """What one rule says."""

    rule: str = Field(examples=["eligible.area"])
    verdict: Verdict
    statement: Said = Field(description="the rule")
    words: Said = Field(description="what it says here")
    hint: Said = Field(description="what that means, or where to go instead")
    faq: str = Field(description="id of the question that it comes from")

    @classmethod
    def of(cls, one: Finding) -> Self:
        """The shape of a finding."""
        rule = RULES[one.rule]
        return cls(
            rule=one.rule,
            verdict=one.verdict,
            statement=Said.of(rule.statement),
            words=Said.of(one.words),
            hint=Said.of(one.hint or rule.explanation),
            faq=rule.faq,
        )


class Told(Shape):
    """What all rules say, and where the application is handed in."""

    outcome: Outcome
    words: Said
    findings: list[FindingShape]
    route: Route

    @classmethod
    def of(cls, found: Eligibility, way: HandIn) -> Self:
        """The shape of a check."""
        return cls(
            outcome=found.outcome,
            words=Said.of(OUTCOME_WORDS[found.outcome]),
            findings=[FindingShape.of(one) for one in found.findings],
            route=Route.of(way),
        )


class HelpQuestion(Shape):
    """One question with its answer in both languages, and the page that it leads to."""

    id: str = Field(examples=["who_can_use"])
    number: int | None = Field(description="its place in the utility's FAQ; null: one of our own")
    section: str
    question: Said
    answer: Said
    action: Action
    label: Said = Field(description="of what it leads to")
    page: str = Field(description="address on this server, in Japanese; /en before it for English")
    related: list[str]
    ask: str = Field(description="address where an enquiry about it is written")

    @classmethod
    def of(cls, one: Question, *, online: bool) -> Self:
        """The shape of a question."""
        return cls(
            id=one.id,
            number=one.number,
            section=one.section,
            question=Said.of(one.question),
            answer=Said.of(one.said(online=online)),
            action=one.action,
            label=Said.of(one.label),
            page=action_path(one.action, one.topic),
            related=list(one.related),
            ask=ask_path(one.topic),
        )


class HelpSection(Shape):
    """A heading of the help."""

    id: str
    title: Said


class Help(Shape):
    """The help: every question in its order, or those that fit a search, the best first."""

    sections: list[HelpSection]
    questions: list[HelpQuestion]


class Equipment(Shape):
    """One SMA certificate."""

    number: str = Field(examples=["SMA-0001"])
    maker: str
    model: str
    kind: str
    certified_on: date
    valid_until: date | None = Field(description="last day; null: no end is known")
    valid: bool = Field(description="today")

    @classmethod
    def of(cls, one: CertifiedEquipment, today: date) -> Self:
        """The shape of a certificate."""
        return cls(
            number=one.number,
            maker=one.maker,
            model=one.model,
            kind=one.kind,
            certified_on=one.certified_on,
            valid_until=one.valid_until,
            valid=one.valid_on(today),
        )


class EquipmentList(Shape):
    """A part of the certified equipment, by maker and model."""

    total: int
    limit: int
    offset: int
    equipment: list[Equipment]


class DataItemShape(Shape):
    """One item that is sent to an EMS."""

    name: Said
    unit: str
    required: bool = Field(description="every meter of the service has it")
    note: Said


class DataList(Shape):
    """The list of the data that is sent. ``warning``: it is not the utility's own."""

    title: Said
    own: bool
    valid_from: date | None
    warning: Said | None
    items: list[DataItemShape]
    versions: list[date] = Field(description="the days on which lists of the utility's begin")

    @classmethod
    def of(cls, found: DeskDataList, versions: list[date]) -> Self:
        """The shape of a list."""
        return cls(
            title=Said.of(found.title),
            own=found.own,
            valid_from=found.valid_from,
            warning=Said.of(found.warning) if found.warning else None,
            items=[
                DataItemShape(
                    name=Said.of(one.words), unit=one.unit, required=one.required, note=Said.of(one.note)
                )
                for one in found.items
            ],
            versions=versions,
        )


class TermsHead(Shape):
    """A version of the terms, without its text."""

    version: str = Field(pattern=CODE, examples=["2026-04-01"])
    valid_from: date
    title: str
    title_en: str | None
    changed_at: Instant


class TermsList(Shape):
    """Every version, the newest first; ``in_force`` null: none is yet."""

    in_force: str | None
    versions: list[TermsHead]


class TermsText(TermsHead):
    """A version of the terms; the Japanese text is what holds. ``digest``: what an acceptance notes."""

    text: str
    text_en: str | None
    digest: str

    @classmethod
    def of(cls, one: TermsVersion) -> Self:
        """The shape of a version."""
        return cls(**dict(terms_head(one)), text=one.text, text_en=one.text_en, digest=one.digest)


def terms_head(one: TermsVersion) -> TermsHead:
    """The head of a version."""
    return TermsHead(
        version=one.id,
        valid_from=one.valid_from,
        title=one.title,
        title_en=one.title_en,
        changed_at=one.changed_at,
    )
