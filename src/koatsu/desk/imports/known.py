"""What the rules of a row may ask of the registers, looked up for some hundred rows at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, RowMapping, Table, exists, select

from koatsu.desk.schema_registers import office, office_area, retailer, supply_point

__all__ = ["Known", "Stay"]


class Stay(NamedTuple):
    """When a device was at which point; ``until`` is empty while it is there."""

    point: str
    since: str
    until: str | None

    def overlaps(self, other: Stay) -> bool:
        """Whether both hold on some day; a device may leave and come on the same one."""
        return (self.until is None or other.since < self.until) and (
            other.until is None or self.since < other.until
        )


_Device = tuple[str, str]  #: type and serial number, folded


class Known:
    """The registers as rules see them while a file is brought in."""

    def __init__(self, connection: Connection, area_prefixes: Collection[str]) -> None:
        self.area_prefixes: Final = tuple(area_prefixes)
        self._connection = connection
        self._points: set[str] = set()
        self._stays: dict[_Device, dict[str, Stay]] = {}

    @cached_property
    def retailers(self) -> Mapping[str, RowMapping]:
        """Every retailer by its code."""
        return {row["code"]: row for row in self._connection.execute(select(retailer)).mappings()}

    @cached_property
    def offices(self) -> Mapping[str, RowMapping]:
        """Every office by its code."""
        return {row["code"]: row for row in self._connection.execute(select(office)).mappings()}

    def buys_at_some_point(self, code: str) -> bool:
        """Whether a supply point names the retailer."""
        return self._any(supply_point, supply_point.c.retailer == code)

    def has_areas(self, code: str) -> bool:
        """Whether an office has an area."""
        return self._any(office_area, office_area.c.office == code)

    def look_up(self, table: Table, rows: Collection[Mapping[str, Any]]) -> None:
        """Learn of the points at which the devices of ``rows`` are, and of where else they were."""
        points = {row["supply_point"] for row in rows if row.get("supply_point")}
        query = select(supply_point.c.number).where(supply_point.c.number.in_(points - self._points))
        self._points.update(self._connection.execute(query).scalars())
        serials = {row["serial_key"] for row in rows}
        for row in self._connection.execute(select(table).where(table.c.serial_key.in_(serials))):
            stays = self._stays.setdefault((row.type_key, row.serial_key), {})
            stays.setdefault(row.since, Stay(row.supply_point, row.since, row.until))

    def has_point(self, number: str) -> bool:
        """Whether a supply point is registered, of those that were looked up."""
        return number in self._points

    def clash(self, device: _Device, stay: Stay) -> Stay | None:
        """Another stay of the device that overlaps, registered or in the rows before; else it is noted."""
        stays = self._stays.setdefault(device, {})
        for since, other in stays.items():
            if since != stay.since and stay.overlaps(other):
                return other
        stays[stay.since] = stay
        return None

    def _any(self, table: Table, condition: Any) -> bool:
        return bool(self._connection.execute(select(exists().where(condition).select_from(table))).scalar())
