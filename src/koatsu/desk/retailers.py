"""Retailers: who sells electricity in the area; the utility's own retail is one of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, select

from koatsu.desk.errors import UnknownError
from koatsu.desk.schema_registers import retailer
from koatsu.desk.words import Words

__all__ = ["Retailer", "all_retailers", "find_retailer", "retailer_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retailer:
    """Somebody who sells electricity."""

    code: str
    name: str
    own: bool  #: the utility's own retail
    ended_on: date | None

    def active(self, day: date) -> bool:
        """Whether it sells on ``day``."""
        return self.ended_on is None or day < self.ended_on


def all_retailers(connection: Connection, *, day: date | None = None) -> tuple[Retailer, ...]:
    """The retailers by name, the utility's own first; only those that sell on ``day``, if it is given."""
    query = select(retailer).order_by(retailer.c.own.desc(), retailer.c.name, retailer.c.code)
    found = (_retailer(row) for row in connection.execute(query))
    return tuple(one for one in found if day is None or one.active(day))


def find_retailer(connection: Connection, code: str) -> Retailer | None:
    """The retailer of that code; ``None`` where there is none."""
    row = connection.execute(select(retailer).where(retailer.c.code == code)).first()
    return None if row is None else _retailer(row)


def retailer_of(connection: Connection, code: str) -> Retailer:
    """The retailer of that code.

    Raises:
        UnknownError: there is none.
    """
    found = find_retailer(connection, code)
    if found is None:
        raise UnknownError(
            Words(f"小売電気事業者「{code}」は登録されていません。", f"There is no retailer {code}.")
        )
    return found


def _retailer(row: Row[Any]) -> Retailer:
    ended = row.ended_on
    return Retailer(
        code=row.code,
        name=row.name,
        own=row.own,
        ended_on=None if ended is None else date.fromisoformat(ended),
    )
