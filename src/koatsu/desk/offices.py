"""The utility's offices, and the areas that each serves by postal code and by municipality."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, delete, select

from koatsu.desk.errors import UnknownError
from koatsu.desk.plain_text import folded
from koatsu.desk.schema_registers import office, office_area
from koatsu.desk.words import Words

__all__ = [
    "OFFICE_KIND_WORDS",
    "Area",
    "AreaBy",
    "Office",
    "OfficeKind",
    "all_offices",
    "area_row",
    "areas_of",
    "find_office",
    "municipality_key",
    "office_of",
    "office_serving",
    "remove_area",
]

_PREFECTURE: Final = re.compile("^(?:北海道|東京都|京都府|大阪府|.{2,3}県)")
_PARTS: Final = {"市": ("区",), "郡": ("町", "村")}  #: what a city and a district consist of
_SHORTEST_PREFIX, _POSTAL_DIGITS = 1, 7


class OfficeKind(StrEnum):
    """What an office is for."""

    DISTRIBUTION = "distribution"  #: 配電事業所, for customers of the utility's own retail
    NETWORK_SERVICE_CENTRE = "network_service_centre"  #: for customers of other retailers
    SELF_SUPPLY = "self_supply"
    OTHER = "other"


OFFICE_KIND_WORDS: Final[dict[OfficeKind, Words]] = {
    OfficeKind.DISTRIBUTION: Words("配電事業所", "Distribution office"),
    OfficeKind.NETWORK_SERVICE_CENTRE: Words("ネットワークサービスセンター", "Network service centre"),
    OfficeKind.SELF_SUPPLY: Words("自己等供給の窓口", "Self-supply office"),
    OfficeKind.OTHER: Words("その他の窓口", "Other office"),
}


class AreaBy(StrEnum):
    """By what an area is told."""

    POSTAL = "postal"  #: a postal code, or its first digits
    MUNICIPALITY = "municipality"


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """An office of the utility, with what a letter to it or a visit needs."""

    code: str
    kind: OfficeKind
    name: str
    postal_code: str  #: 7 digits
    address: str
    phone: str
    email: str
    hours: str
    closed_on: date | None

    def open_on(self, day: date) -> bool:
        """Whether the office exists on ``day``; not its opening hours."""
        return self.closed_on is None or day < self.closed_on


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """A part of the area of an office."""

    office: str  #: its code
    by: AreaBy
    value: str  #: 1 to 7 digits, or the municipality as written


def all_offices(
    connection: Connection, *, kind: OfficeKind | None = None, day: date | None = None
) -> tuple[Office, ...]:
    """The offices in the order of their codes, all or those of a kind that are open on ``day``."""
    query = select(office).order_by(office.c.code)
    if kind is not None:
        query = query.where(office.c.kind == kind.value)
    found = (_office(row) for row in connection.execute(query))
    return tuple(one for one in found if day is None or one.open_on(day))


def find_office(connection: Connection, code: str) -> Office | None:
    """The office of that code; ``None`` where there is none."""
    row = connection.execute(select(office).where(office.c.code == code)).first()
    return None if row is None else _office(row)


def office_of(connection: Connection, code: str) -> Office:
    """The office of that code.

    Raises:
        UnknownError: there is none.
    """
    found = find_office(connection, code)
    if found is None:
        raise UnknownError(Words(f"事業所「{code}」は登録されていません。", f"There is no office {code}."))
    return found


def areas_of(connection: Connection, code: str) -> tuple[Area, ...]:
    """The areas of an office, postal codes first."""
    query = select(office_area).where(office_area.c.office == code)
    rows = connection.execute(query.order_by(office_area.c.by.desc(), office_area.c.value_key))
    return tuple(Area(office=row.office, by=AreaBy(row.by), value=row.value) for row in rows)


def area_row(connection: Connection, area: Area) -> dict[str, Any] | None:
    """The row of a part of the area of an office; ``None`` where the office has no such part."""
    row = connection.execute(select(office_area).where(*_says(area))).mappings().first()
    return None if row is None else dict(row)


def remove_area(connection: Connection, area: Area) -> bool:
    """Take a part out of the area of an office; whether it had it."""
    return connection.execute(delete(office_area).where(*_says(area))).rowcount > 0


def _says(area: Area) -> tuple[ColumnElement[bool], ...]:
    return (
        office_area.c.office == area.office,
        office_area.c.by == area.by.value,
        office_area.c.value == area.value,
    )


def municipality_key(text: str) -> str:
    """The name of a municipality as it is compared: folded, without its prefecture."""
    return _PREFECTURE.sub("", folded(text))


def office_serving(
    connection: Connection, kind: OfficeKind, day: date, postal_code: str | None, municipality: str | None
) -> Office | None:
    """The office of a kind that serves a place: the longest postal prefix wins, then the municipality.

    An area of a city is that of its wards too, of a district that of its towns and villages; of two names
    that fit, the longer one wins. ``None`` where no open office has the place in its area.
    """
    query = select(office_area.c.value_key, office).join(office, office.c.code == office_area.c.office)
    query = query.where(office_area.c.office_kind == kind.value)
    if postal_code:
        prefixes = [postal_code[:length] for length in range(_SHORTEST_PREFIX, _POSTAL_DIGITS + 1)]
        postal = query.where(office_area.c.by == AreaBy.POSTAL.value, office_area.c.value_key.in_(prefixes))
        found = _longest(connection.execute(postal), day)
        if found is not None:
            return found
    key = municipality_key(municipality or "")
    if not key:
        return None
    named = connection.execute(query.where(office_area.c.by == AreaBy.MUNICIPALITY.value))
    return _longest((row for row in named if _covers(row.value_key, key)), day)


def _covers(area: str, place: str) -> bool:
    return place == area or (place.startswith(area) and place.endswith(_PARTS.get(area[-1], "\n")))


def _longest(rows: Iterable[Row[Any]], day: date) -> Office | None:
    served = [(len(row.value_key), one) for row in rows if (one := _office(row)).open_on(day)]
    return max(served, key=lambda found: found[0])[1] if served else None


def _office(row: Row[Any]) -> Office:
    return Office(
        code=row.code,
        kind=OfficeKind(row.kind),
        name=row.name,
        postal_code=row.postal_code,
        address=row.address,
        phone=row.phone,
        email=row.email,
        hours=row.hours,
        closed_on=None if row.closed_on is None else date.fromisoformat(row.closed_on),
    )
