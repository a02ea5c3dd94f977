"""Meters and terminals put in place by works: the one that was there before ends on that day.

A device is in one place: a serial number that is in use elsewhere was misread. Each function works in a
transaction of the caller.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Table, insert, or_, select, update

from koatsu.desk.equipment import MeterRole
from koatsu.desk.errors import InputError
from koatsu.desk.plain_text import folded
from koatsu.desk.point_numbers import masked
from koatsu.desk.schema_registers import meter, terminal
from koatsu.desk.words import Words

__all__ = ["place_meter", "place_terminal"]


def place_meter(
    connection: Connection, serial: str, kind: str, point: str, day: date, *, changed_by: str, now: datetime
) -> None:
    """Note the meter that counts what is bought at a point from ``day`` on; meters of other roles stay.

    Raises:
        InputError: that meter is in use at another point.
    """
    _place(connection, meter, serial, kind, point, day, changed_by, now, role=MeterRole.BUY.value)


def place_terminal(
    connection: Connection, serial: str, kind: str, point: str, day: date, *, changed_by: str, now: datetime
) -> None:
    """Note the transmission terminal of a point from ``day`` on.

    Raises:
        InputError: that terminal is in use at another point.
    """
    _place(connection, terminal, serial, kind, point, day, changed_by, now)


def _place(
    connection: Connection,
    table: Table,
    serial: str,
    kind: str,
    point: str,
    day: date,
    changed_by: str,
    now: datetime,
    **role: str,
) -> None:
    keys = {"type_key": folded(kind), "serial_key": folded(serial)}
    changed = {"changed_by": changed_by, "changed_at": int(now.timestamp())}
    there = [table.c.supply_point == point, table.c.until.is_(None)]
    there += [table.c[name] == value for name, value in role.items()]
    same = [table.c[name] == value for name, value in keys.items()]
    if connection.execute(update(table).where(*there, *same).values(**changed)).rowcount:
        return  # it is there already
    _refuse_elsewhere(connection, table, serial, same, point, day)
    connection.execute(update(table).where(*there).values(until=day.isoformat(), **changed))
    again = [*same, table.c.supply_point == point, table.c.since == day.isoformat()]
    if connection.execute(update(table).where(*again).values(until=None, **changed)).rowcount:
        return  # it was taken away and put back on one day
    values = {"supply_point": point, "serial": serial, "type": kind, "since": day.isoformat(), "until": None}
    connection.execute(insert(table).values(**values, **keys, **role, **changed))


def _refuse_elsewhere(
    connection: Connection,
    table: Table,
    serial: str,
    same: list[ColumnElement[bool]],
    point: str,
    day: date,
) -> None:
    here_too = or_(table.c.until.is_(None), table.c.since == day.isoformat())
    query = select(table.c.supply_point).where(*same, table.c.supply_point != point, here_too)
    elsewhere = connection.execute(query).scalar()
    if elsewhere is not None:
        field = "terminal_serial" if table is terminal else "meter_serial"
        raise InputError(
            {
                field: Words(
                    f"製造番号 {serial} は、別の供給地点({masked(elsewhere)})で使われています。"
                    "銘板を確かめてください。",
                    f"The serial number {serial} is in use at another supply point ({masked(elsewhere)}); "
                    "look at the rating plate.",
                )
            }
        )
