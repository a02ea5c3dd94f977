"""Shapes that several groups of the desk's API share: words in both languages, offices, refusals."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final, Self

from fastapi import Path
from pydantic import BeforeValidator, Field

from koatsu.desk.offices import OFFICE_KIND_WORDS, OfficeKind
from koatsu.desk.offices import Office as DeskOffice
from koatsu.desk.words import Words
from koatsu.errors import KoatsuError
from koatsu.web.answers import ErrorBody, Instant, Shape

__all__ = ["CODE", "CaseNumber", "Day", "OfficeShape", "Refusal", "Said", "Version"]

_DAY: Final = re.compile(r"(?a)\d{4}-\d{2}-\d{2}")
CODE: Final = r"^[A-Za-z0-9_.-]{1,40}$"  #: what codes of offices, retailers and topics look like

CaseNumber = Annotated[
    str, Path(description="number of the case", pattern=r"^[A-Za-z0-9-]{1,40}$", examples=["HB-2026-00001"])
]
Version = Annotated[
    int,
    Field(
        ge=1,
        le=2**31 - 1,
        strict=True,
        description="the version that was looked at; another one now: 409, nothing is changed",
        examples=[3],
    ),
]


def _iso_day(value: object) -> object:
    """Only a day as ISO 8601 writes it: not the seconds that the framework would take for one too."""
    if isinstance(value, date) or (isinstance(value, str) and _DAY.fullmatch(value)):
        return value
    raise ValueError("a day such as 2026-07-15")


Day = Annotated[date, BeforeValidator(_iso_day)]
"""A day that somebody sends."""


class Said(Shape):
    """A label or a sentence in both languages."""

    ja: str
    en: str

    @classmethod
    def of(cls, words: Words) -> Self:
        """The shape of words."""
        return cls(ja=words.ja, en=words.en)

    @classmethod
    def of_error(cls, error: KoatsuError) -> Self:
        """What an error says, with what to do."""
        return cls(ja=error.text("ja"), en=error.text("en"))


class OfficeShape(Shape):
    """An office of the utility, with what a letter to it or a visit needs."""

    code: str = Field(examples=["chuo"])
    kind: OfficeKind
    kind_label: Said
    name: str
    postal_code: str
    address: str
    phone: str
    email: str
    hours: str

    @classmethod
    def of(cls, one: DeskOffice) -> Self:
        """The shape of an office."""
        return cls(
            code=one.code,
            kind=one.kind,
            kind_label=Said.of(OFFICE_KIND_WORDS[one.kind]),
            name=one.name,
            postal_code=one.postal_code,
            address=one.address,
            phone=one.phone,
            email=one.email,
            hours=one.hours,
        )


class RefusalBody(ErrorBody):
    """What went wrong, and what else a program can use of it."""

    rule: str | None = Field(default=None, description="name of the rule that does not hold")
    lacking: list[str] | None = Field(default=None, description="fields that the rule misses")
    fields: dict[str, Said] | None = Field(default=None, description="a sentence for each wrong field")
    version: int | None = Field(default=None, description="the version as it is now")
    changed_by: str | None = Field(default=None, description="reference of who changed it meanwhile")
    changed_at: Instant | None = None


class Refusal(Shape):
    """Every answer that is not a success."""

    error: RefusalBody
