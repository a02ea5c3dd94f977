"""Meters and their epochs: which nameplate the counts of a span are read with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from koatsu.ems.store.prepared import Prepared
from koatsu.ems.store.recording import seconds, utc
from koatsu.ems.store.rows import Epoch, StoredMeter
from koatsu.ems.store.schema import epoch, meter, scale
from koatsu.ems.store.touched import touch_meter
from koatsu.meter.epochs import Nameplate
from koatsu.meter.scale import Scale

__all__ = [
    "add_epoch",
    "complete_epoch",
    "epochs_of",
    "meters",
    "numbers",
    "open_epoch",
    "put_meter",
    "renumber",
]

# what a scale is for -> the fields of the nameplate that hold it and the digits of its counter
_SCALES: Final[dict[str, tuple[str, str | None]]] = {
    "energy": ("energy_scale", "energy_digits"),
    "demand": ("demand_scale", "demand_digits"),
    "cumulative_demand": ("cumulative_demand_scale", None),
    "reactive": ("reactive_scale", "reactive_digits"),
}


def put_meter(connection: Connection, entry: StoredMeter, at: datetime) -> None:
    """Add a meter, or bring what is known of it up to date; another ceiling touches all its figures."""
    values = {
        "label": entry.label,
        "role": entry.role,
        "class_code": entry.class_code,
        "address": entry.address,
        "ceiling_kw": None if entry.ceiling_kw is None else str(entry.ceiling_kw),
        "site": entry.site,
    }
    before = connection.execute(select(meter.c.ceiling_kw).where(meter.c.id == entry.id)).first()
    if before is None:
        connection.execute(insert(meter).values(id=entry.id, added_at=seconds(at), **values))
        return
    connection.execute(update(meter).where(meter.c.id == entry.id).values(values))
    if before.ceiling_kw != values["ceiling_kw"]:
        touch_meter(connection, entry.id)


def meters(connection: Connection) -> tuple[StoredMeter, ...]:
    """Every meter, by the order in which they were added."""
    found = connection.execute(select(meter).order_by(meter.c.added_at, meter.c.id))
    return tuple(
        StoredMeter(
            id=row.id,
            label=row.label,
            role=row.role,
            class_code=row.class_code,
            address=row.address,
            ceiling_kw=None if row.ceiling_kw is None else Decimal(row.ceiling_kw),
            site=row.site,
        )
        for row in found
    )


def epochs_of(connection: Connection, meter_id: str) -> tuple[tuple[int, Epoch], ...]:
    """The epochs of a meter from the first to the present one, each with its key in the store."""
    found = connection.execute(select(epoch).where(epoch.c.meter == meter_id).order_by(epoch.c.number)).all()
    return tuple(
        (
            row.id,
            Epoch(
                meter_id=meter_id,
                number=row.number,
                nameplate=_nameplate(connection, row),
                started_at=utc(row.started_at),
            ),
        )
        for row in found
    )


def numbers(connection: Connection, meter_id: str) -> dict[int, int]:
    """The key of each epoch of a meter in the store, and its number."""
    return dict(_NUMBERS.run(connection, meter=meter_id))


_NUMBERS: Final = Prepared(
    lambda _: select(epoch.c.id, epoch.c.number).where(epoch.c.meter == bindparam("meter"))
)


def open_epoch(connection: Connection, meter_id: str, nameplate: Nameplate, at: datetime) -> Epoch:
    """The epoch to record into: the present one, or a new one where the nameplate changed.

    What the present nameplate lacked and this one has is added to it.
    """
    known = epochs_of(connection, meter_id)
    if known:
        key, present = known[-1]
        if not present.nameplate.changes(nameplate):
            merged = _merged(present.nameplate, nameplate)
            if merged != present.nameplate:
                connection.execute(update(epoch).where(epoch.c.id == key).values(_columns(merged)))
                _put_scales(connection, key, merged)
                touch_meter(connection, meter_id)
            return replace(present, nameplate=merged)
    number = known[-1][1].number + 1 if known else 1
    add_epoch(connection, meter_id, number, nameplate, at)
    touch_meter(connection, meter_id)
    return Epoch(meter_id=meter_id, number=number, nameplate=nameplate, started_at=utc(seconds(at)))


def add_epoch(connection: Connection, meter_id: str, number: int, nameplate: Nameplate, at: datetime) -> int:
    """Add an epoch under a number that is free; its key in the store."""
    made: int = connection.execute(
        insert(epoch)
        .values(meter=meter_id, number=number, started_at=seconds(at), **_columns(nameplate))
        .returning(epoch.c.id)
    ).scalar_one()
    _put_scales(connection, made, nameplate)
    return made


def complete_epoch(connection: Connection, key: int, present: Epoch, other: Epoch) -> None:
    """Add to an epoch what another store knows of it beside: values of the nameplate, an earlier start."""
    merged = _merged(other.nameplate, present.nameplate)
    if merged != present.nameplate:
        connection.execute(update(epoch).where(epoch.c.id == key).values(_columns(merged)))
        _put_scales(connection, key, merged)
    if other.started_at < present.started_at:
        connection.execute(
            update(epoch).where(epoch.c.id == key).values(started_at=seconds(other.started_at))
        )


def renumber(connection: Connection, meter_id: str, moved: Mapping[int, int]) -> None:
    """Give epochs of a meter other numbers: present number -> new one."""
    for present in moved:  # by way of numbers that no epoch has
        same = (epoch.c.meter == meter_id) & (epoch.c.number == present)
        connection.execute(update(epoch).where(same).values(number=-present))
    for present, new in moved.items():
        same = (epoch.c.meter == meter_id) & (epoch.c.number == -present)
        connection.execute(update(epoch).where(same).values(number=new))


def _merged(present: Nameplate, newer: Nameplate) -> Nameplate:
    """``newer`` where it says something, ``present`` where it does not."""
    told = {
        name: value
        for name in Nameplate.__dataclass_fields__
        if (value := getattr(newer, name)) is not None and value != getattr(present, name)
    }
    return replace(present, **told)


def _columns(nameplate: Nameplate) -> dict[str, Any]:
    names = ("class_code", "serial", "fixed_day", "current_coefficient", "voltage_coefficient")
    return {name: getattr(nameplate, name) for name in names}


def _put_scales(connection: Connection, key: int, nameplate: Nameplate) -> None:
    connection.execute(delete(scale).where(scale.c.epoch == key))
    rows = [
        {
            "epoch": key,
            "what": what,
            "coefficient": found.coefficient,
            "multiplier": str(found.multiplier),
            "unit": str(found.unit),
            "digits": getattr(nameplate, digits) if digits else None,
        }
        for what, (name, digits) in _SCALES.items()
        if (found := getattr(nameplate, name)) is not None
    ]
    connection.execute(insert(scale), rows)


def _nameplate(connection: Connection, row: Row[Any]) -> Nameplate:
    fields: dict[str, Any] = {}
    for found in connection.execute(select(scale).where(scale.c.epoch == row.id)):
        name, digits = _SCALES[found.what]
        fields[name] = Scale(found.coefficient, Decimal(found.multiplier), Decimal(found.unit))
        if digits:
            fields[digits] = found.digits
    return Nameplate(
        class_code=row.class_code,
        serial=row.serial,
        fixed_day=row.fixed_day,
        current_coefficient=row.current_coefficient,
        voltage_coefficient=row.voltage_coefficient,
        **fields,
    )
