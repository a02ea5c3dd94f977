"""Meters and their epochs: which nameplate the counts of a span are read with."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, select, update

from koatsu.ems.store.recording import seconds, utc
from koatsu.ems.store.rows import Epoch, StoredMeter
from koatsu.ems.store.schema import epoch, meter, scale
from koatsu.meter.epochs import Nameplate
from koatsu.meter.scale import Scale

__all__ = ["epochs_of", "meters", "numbers", "open_epoch", "put_meter"]

# what a scale is for -> the fields of the nameplate that hold it and the digits of its counter
_SCALES: Final[dict[str, tuple[str, str | None]]] = {
    "energy": ("energy_scale", "energy_digits"),
    "demand": ("demand_scale", "demand_digits"),
    "cumulative_demand": ("cumulative_demand_scale", None),
    "reactive": ("reactive_scale", "reactive_digits"),
}


def put_meter(connection: Connection, entry: StoredMeter, at: datetime) -> None:
    """Add a meter, or bring its label, role, class and address up to date."""
    values = {
        "label": entry.label,
        "role": entry.role,
        "class_code": entry.class_code,
        "address": entry.address,
        "ceiling_kw": None if entry.ceiling_kw is None else str(entry.ceiling_kw),
    }
    changed = connection.execute(update(meter).where(meter.c.id == entry.id).values(values))
    if not changed.rowcount:
        connection.execute(insert(meter).values(id=entry.id, added_at=seconds(at), **values))


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
    found = connection.execute(select(epoch.c.id, epoch.c.number).where(epoch.c.meter == meter_id))
    return {row.id: row.number for row in found}


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
            return replace(present, nameplate=merged)
    number = known[-1][1].number + 1 if known else 1
    made = connection.execute(
        insert(epoch)
        .values(meter=meter_id, number=number, started_at=seconds(at), **_columns(nameplate))
        .returning(epoch.c.id)
    ).scalar_one()
    _put_scales(connection, made, nameplate)
    return Epoch(meter_id=meter_id, number=number, nameplate=nameplate, started_at=utc(seconds(at)))


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
