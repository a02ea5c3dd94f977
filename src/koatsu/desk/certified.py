"""The register of equipment with SMA certification: imported from the list outside, searched as people type.

SMA certification says that an EMS was tested together with the smart meter. An EMS without it is no reason
to refuse an application; a certificate number that the register does not know is said so in one sentence.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, select

from koatsu.desk.errors import UnknownError
from koatsu.desk.plain_text import folded_words
from koatsu.desk.schema_registers import certified
from koatsu.desk.words import Words

__all__ = [
    "CertifiedEquipment",
    "CertifiedPage",
    "UnknownCertificateError",
    "certificate_key",
    "certificate_of",
    "find_certificate",
    "search_certified",
]

_DASHES: Final = re.compile("[\u2010-\u2015\u2212\u30fc\uff0d\uff70]")
_SHOWN: Final = 40
_MOST_ROWS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedEquipment:
    """One certificate, as the register outside lists it."""

    number: str
    maker: str
    model: str
    kind: str
    certified_on: date
    valid_until: date | None  #: last day; None: no end is known

    def valid_on(self, day: date) -> bool:
        """Whether the certificate holds on ``day``."""
        return self.certified_on <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedPage:
    """A part of what a search found."""

    equipment: tuple[CertifiedEquipment, ...]
    total: int


class UnknownCertificateError(UnknownError):
    """The register has no certificate of that number."""

    def __init__(self, number: str) -> None:
        shown = "".join(letter for letter in number.strip() if letter.isprintable())[:_SHOWN]
        super().__init__(
            Words(
                f"SMA 認証番号「{shown}」は、認証機器の台帳にありません。",
                f"The register of certified equipment has no certificate {shown}.",
            ),
            Words(
                "番号を確かめるか、メーカー名や型番でさがしてください。認証がなくても申込はできます。",
                "Check the number, or search by maker or model. One can apply without a certificate too.",
            ),
        )


def certificate_key(number: str) -> str:
    """A certificate number as it is compared: width, capitals, spaces and kinds of hyphen do not matter."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", number).casefold())
    return "".join(_DASHES.sub("-", plain).split())


def find_certificate(connection: Connection, number: str) -> CertifiedEquipment | None:
    """The certificate of a number in whatever way it is written; ``None`` where there is none."""
    query = select(certified).where(certified.c.number_key == certificate_key(number))
    row = connection.execute(query).first()
    return None if row is None else _equipment(row)


def certificate_of(connection: Connection, number: str) -> CertifiedEquipment:
    """The certificate of a number in whatever way it is written.

    Raises:
        UnknownCertificateError: the register has none.
    """
    found = find_certificate(connection, number)
    if found is None:
        raise UnknownCertificateError(number)
    return found


def search_certified(
    connection: Connection, text: str = "", *, day: date | None = None, limit: int = 50, offset: int = 0
) -> CertifiedPage:
    """Equipment of which maker, model, number or kind holds every word, by maker and model.

    Width, kana, capitals, hyphens and spaces inside a word make no difference. ``day`` leaves out
    certificates that do not hold on it.
    """
    conditions = [certified.c.search_key.contains(word, autoescape=True) for word in folded_words(text)]
    if day is not None:
        conditions.append(certified.c.certified_on <= day.isoformat())
        until = certified.c.valid_until
        conditions.append(until.is_(None) | (until >= day.isoformat()))
    where = and_(True, *conditions)
    total = connection.execute(select(func.count()).select_from(certified).where(where)).scalar_one()
    query = select(certified).where(where)
    query = query.order_by(certified.c.maker, certified.c.model, certified.c.number_key)
    rows = connection.execute(query.limit(min(max(limit, 0), _MOST_ROWS)).offset(max(offset, 0)))
    return CertifiedPage(equipment=tuple(map(_equipment, rows)), total=total)


def _equipment(row: Row[Any]) -> CertifiedEquipment:
    until = row.valid_until
    return CertifiedEquipment(
        number=row.number,
        maker=row.maker,
        model=row.model,
        kind=row.kind,
        certified_on=date.fromisoformat(row.certified_on),
        valid_until=None if until is None else date.fromisoformat(until),
    )
