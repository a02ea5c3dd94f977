"""Supply points: where electricity is delivered, at which voltage, and who sells it there.

Every function works in a transaction of the caller. Nothing is deleted: a contract that ended has a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, or_, select

from koatsu.desk.errors import UnknownError
from koatsu.desk.plain_text import bare_digits, folded_words
from koatsu.desk.point_numbers import DIGITS, masked
from koatsu.desk.schema_registers import supply_point
from koatsu.desk.words import Words

__all__ = [
    "FEWEST_DIGITS",
    "SUPPLY_WORDS",
    "VOLTAGE_WORDS",
    "PointPage",
    "Supply",
    "SupplyPoint",
    "Voltage",
    "ended_points",
    "find_point",
    "point_of",
    "points_matching",
    "search_points",
]

FEWEST_DIGITS: Final = 4  #: of a number, to search by its end
_MOST_ROWS: Final = 500
_BY_NUMBER: Final = select(supply_point).where(supply_point.c.number == bindparam("wanted"))


class Voltage(StrEnum):
    """The voltage at which electricity is delivered."""

    LOW = "low"
    HIGH = "high"
    EXTRA_HIGH = "extra_high"


class Supply(StrEnum):
    """Who supplies the electricity."""

    UTILITY = "utility"  #: the utility's own retail
    OTHER = "other"  #: another retailer
    SELF = "self"  #: the customer, or somebody for the customer


VOLTAGE_WORDS: Final[dict[Voltage, Words]] = {
    Voltage.LOW: Words("低圧", "Low voltage"),
    Voltage.HIGH: Words("高圧", "High voltage"),
    Voltage.EXTRA_HIGH: Words("特別高圧", "Extra-high voltage"),
}

SUPPLY_WORDS: Final[dict[Supply, Words]] = {
    Supply.UTILITY: Words("当社", "The utility itself"),
    Supply.OTHER: Words("当社以外の小売電気事業者", "Another retailer"),
    Supply.SELF: Words("自己等", "Self-supply"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyPoint:
    """A place of delivery. Facility data, not a person's: in clear, but its number is masked in lists."""

    number: str  #: 22 digits
    postal_code: str  #: 7 digits
    municipality: str
    street: str
    voltage: Voltage
    contract_kw: int | None
    supply: Supply
    retailer: str | None  #: its code; None where nobody has said
    contract_from: date | None
    contract_ended_on: date | None
    meter_type: str  #: of the meter for bought energy; empty where nobody knows

    @property
    def masked(self) -> str:
        """The number for lists and logs."""
        return masked(self.number)

    @property
    def place(self) -> str:
        """Municipality and street."""
        return f"{self.municipality}{self.street}"

    def under_contract(self, day: date) -> bool:
        """Whether electricity is supplied under a contract on ``day``; the day it ends is none any more."""
        begun = self.contract_from is None or self.contract_from <= day
        return begun and (self.contract_ended_on is None or day < self.contract_ended_on)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointPage:
    """A part of what a search found."""

    points: tuple[SupplyPoint, ...]
    total: int


def find_point(connection: Connection, number: str) -> SupplyPoint | None:
    """The point of a number (22 digits); ``None`` where none is registered."""
    row = connection.execute(_BY_NUMBER, {"wanted": number}).first()
    return None if row is None else _point(row)


def point_of(connection: Connection, number: str) -> SupplyPoint:
    """The point of a number.

    Raises:
        UnknownError: none is registered; the sentence shows the number masked.
    """
    found = find_point(connection, number)
    if found is None:
        hidden = masked(number)
        raise UnknownError(
            Words(
                f"供給地点 {hidden} は登録されていません。",
                f"The supply point {hidden} is not registered.",
            ),
            Words("番号を確かめてください。", "Check the number."),
        )
    return found


def search_points(
    connection: Connection,
    text: str = "",
    *,
    voltage: Voltage | None = None,
    supply: Supply | None = None,
    retailer: str | None = None,
    limit: int = 50,
    offset: int = 0,
) -> PointPage:
    """Points by the last digits of their number or by words of their place, in the order of their numbers.

    Width, kana and capitals of the words make no difference; all of them must be found.
    """
    conditions = points_matching(text)
    for column, wanted in (("voltage", voltage), ("supply", supply), ("retailer", retailer)):
        if wanted is not None:
            conditions.append(supply_point.c[column] == str(wanted))
    where = and_(True, *conditions)
    total = connection.execute(select(func.count()).select_from(supply_point).where(where)).scalar_one()
    query = select(supply_point).where(where).order_by(supply_point.c.number)
    rows = connection.execute(query.limit(min(max(limit, 0), _MOST_ROWS)).offset(max(offset, 0)))
    return PointPage(points=tuple(map(_point, rows)), total=total)


def points_matching(text: str) -> list[ColumnElement[bool]]:
    """The conditions on the rows of points that a search sets, see :func:`search_points`."""
    digits = bare_digits(text)
    if digits.isascii() and digits.isdigit() and len(digits) >= FEWEST_DIGITS:
        if len(digits) == DIGITS:
            return [supply_point.c.number == digits]
        of_place = and_(
            *(supply_point.c.place_key.contains(word, autoescape=True) for word in folded_words(text))
        )
        return [or_(supply_point.c.number.endswith(digits, autoescape=True), of_place)]
    return [supply_point.c.place_key.contains(word, autoescape=True) for word in folded_words(text)]


def ended_points(
    connection: Connection, until: date, *, since: date | None = None
) -> tuple[tuple[str, date], ...]:
    """The points whose contract ended up to ``until``, that day included, with the day, in its order.

    ``since`` leaves out those that ended before it. Their service ends by itself, with no form.
    """
    ended = supply_point.c.contract_ended_on
    query = select(supply_point.c.number, ended).where(ended <= until.isoformat())
    if since is not None:
        query = query.where(ended >= since.isoformat())
    rows = connection.execute(query.order_by(ended, supply_point.c.number))
    return tuple((number, date.fromisoformat(day)) for number, day in rows)


def _point(row: Row[Any] | Row[Sequence[Any]]) -> SupplyPoint:
    return SupplyPoint(
        number=row.number,
        postal_code=row.postal_code,
        municipality=row.municipality,
        street=row.street,
        voltage=Voltage(row.voltage),
        contract_kw=row.contract_kw,
        supply=Supply(row.supply),
        retailer=row.retailer,
        contract_from=_day(row.contract_from),
        contract_ended_on=_day(row.contract_ended_on),
        meter_type=row.meter_type,
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
