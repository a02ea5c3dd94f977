"""Meters and transmission terminals at supply points, and the types with which the service works.

Sold energy is counted by the meter for sold energy, or by one that counts both ways: which of them a point
has is recorded here; whether an EMS can show it is for its maker to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, Table, select

from koatsu.desk.plain_text import folded
from koatsu.desk.schema_registers import meter, supported_type, terminal
from koatsu.desk.supply_points import SupplyPoint
from koatsu.desk.words import Words

__all__ = [
    "METER_ROLE_WORDS",
    "SOLD_ENERGY_WORDS",
    "DeviceKind",
    "Meter",
    "MeterRole",
    "SoldEnergy",
    "SupportedType",
    "Terminal",
    "find_type",
    "meter_type_of",
    "meters_of",
    "sold_energy_of",
    "supported",
    "supported_types",
    "terminals_of",
]


class DeviceKind(StrEnum):
    """What of the utility's stands at a supply point."""

    METER = "meter"
    TERMINAL = "terminal"


class MeterRole(StrEnum):
    """What a meter is for."""

    BUY = "buy"
    SELL = "sell"
    SUB = "sub"


METER_ROLE_WORDS: Final[dict[MeterRole, Words]] = {
    MeterRole.BUY: Words("買電用", "Bought energy"),
    MeterRole.SELL: Words("売電用", "Sold energy"),
    MeterRole.SUB: Words("参考用", "Sub-meter"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """The stay of a meter at a supply point."""

    serial: str
    type: str
    supply_point: str  #: 22 digits
    role: MeterRole
    since: date
    until: date | None  #: the day on which it was taken away

    def there_on(self, day: date) -> bool:
        """Whether it is at the point on ``day``; on the day it is taken away it is not."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """The stay of a transmission terminal at a supply point."""

    serial: str
    type: str
    supply_point: str  #: 22 digits
    since: date
    until: date | None  #: the day on which it was taken away

    def there_on(self, day: date) -> bool:
        """Whether it is at the point on ``day``; on the day it is taken away it is not."""
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportedType:
    """A type of meter or terminal with which the service works."""

    kind: DeviceKind
    type: str
    maker: str
    two_way: bool  #: one such meter counts bought and sold energy
    since: date
    until: date | None  #: last day

    def supported_on(self, day: date) -> bool:
        """Whether the service works with it on ``day``."""
        return self.since <= day and (self.until is None or day <= self.until)


class SoldEnergy(StrEnum):
    """How the energy that a customer sells is measured."""

    SELL_METER = "sell_meter"
    TWO_WAY = "two_way"
    NONE = "none"
    UNKNOWN = "unknown"


_ASK_MAKER: Final = Words(
    "EMS に表示できるかは、EMS のメーカーにおたずねください。",
    "Ask the maker of the EMS whether the EMS can show it.",
)

SOLD_ENERGY_WORDS: Final[dict[SoldEnergy, Words]] = {
    SoldEnergy.SELL_METER: Words(
        "売電用の計量器があり、売った電気を測っています。" + _ASK_MAKER.ja,
        "There is a meter for sold energy, and it counts what is sold. " + _ASK_MAKER.en,
    ),
    SoldEnergy.TWO_WAY: Words(
        "計量器は双方向で、売った電気も同じ計量器が測っています。" + _ASK_MAKER.ja,
        "The meter counts both ways, sold energy too. " + _ASK_MAKER.en,
    ),
    SoldEnergy.NONE: Words(
        "売電用の計量器はありません。この地点では売った電気の値は届きません。",
        "There is no meter for sold energy: no figures of sold energy come from this point.",
    ),
    SoldEnergy.UNKNOWN: Words(
        "この地点の計量器はまだ登録されていません。現地調査で確かめます。",
        "The meters of this point are not registered yet; the survey will tell.",
    ),
}


def meters_of(connection: Connection, point: str, *, day: date | None = None) -> tuple[Meter, ...]:
    """The meters of a supply point, the newest first; only those that are there on ``day``, if given."""
    found = (
        Meter(
            serial=row.serial,
            type=row.type,
            supply_point=row.supply_point,
            role=MeterRole(row.role),
            since=date.fromisoformat(row.since),
            until=_day(row.until),
        )
        for row in _placed(connection, meter, point)
    )
    return tuple(one for one in found if day is None or one.there_on(day))


def terminals_of(connection: Connection, point: str, *, day: date | None = None) -> tuple[Terminal, ...]:
    """The terminals of a supply point, the newest first; only those that are there on ``day``, if given."""
    found = (
        Terminal(
            serial=row.serial,
            type=row.type,
            supply_point=row.supply_point,
            since=date.fromisoformat(row.since),
            until=_day(row.until),
        )
        for row in _placed(connection, terminal, point)
    )
    return tuple(one for one in found if day is None or one.there_on(day))


def supported_types(
    connection: Connection, kind: DeviceKind, *, day: date | None = None
) -> tuple[SupportedType, ...]:
    """The types of a kind of device by name; only those with which the service works on ``day``, if given."""
    query = select(supported_type).where(supported_type.c.kind == kind.value)
    rows = connection.execute(query.order_by(supported_type.c.type_key))
    found = (_type(row) for row in rows)
    return tuple(one for one in found if day is None or one.supported_on(day))


def find_type(connection: Connection, kind: DeviceKind, name: str) -> SupportedType | None:
    """The supported type of that name, however it is written; ``None`` where there is none."""
    query = select(supported_type).where(
        supported_type.c.kind == kind.value, supported_type.c.type_key == folded(name)
    )
    row = connection.execute(query).first()
    return None if row is None else _type(row)


def supported(connection: Connection, kind: DeviceKind, name: str, day: date) -> bool:
    """Whether the service works with a type of that name on ``day``."""
    found = find_type(connection, kind, name)
    return found is not None and found.supported_on(day)


def meter_type_of(connection: Connection, point: SupplyPoint, day: date) -> str:
    """The type of the meter for bought energy at a point; empty where nobody knows.

    It is that of the meter that is there on ``day``, else what the register of points says.
    """
    there = [one for one in meters_of(connection, point.number, day=day) if one.role is MeterRole.BUY]
    return there[0].type if there else point.meter_type


def sold_energy_of(connection: Connection, point: str, day: date) -> SoldEnergy:
    """How sold energy is measured at a point on ``day``."""
    there = meters_of(connection, point, day=day)
    if any(one.role is MeterRole.SELL for one in there):
        return SoldEnergy.SELL_METER
    for one in there:
        known = find_type(connection, DeviceKind.METER, one.type) if one.role is MeterRole.BUY else None
        if known is not None and known.two_way:
            return SoldEnergy.TWO_WAY
    return SoldEnergy.NONE if there else SoldEnergy.UNKNOWN


def _placed(connection: Connection, table: Table, point: str) -> list[Row[Any]]:
    query = select(table).where(table.c.supply_point == point)
    return list(connection.execute(query.order_by(table.c.since.desc(), table.c.id.desc())))


def _type(row: Row[Any]) -> SupportedType:
    return SupportedType(
        kind=DeviceKind(row.kind),
        type=row.type,
        maker=row.maker,
        two_way=row.two_way,
        since=date.fromisoformat(row.since),
        until=_day(row.until),
    )


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
