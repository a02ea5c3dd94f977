"""Energies that somebody else states, file by file, beside the meter's counts and never among them.

A file is kept once for a channel, known by its bytes. Files that say different things of a slot stand beside
each other; the one brought in last speaks for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select

from koatsu.clock import require_aware
from koatsu.ems.store.recording import seconds, utc
from koatsu.ems.store.schema import import_energy, import_file

__all__ = [
    "ImportFile",
    "ImportedEnergy",
    "add_file",
    "energies_of",
    "file_bounds",
    "find_file",
    "forget_file",
    "import_files",
    "imported_energies",
]

_AT_ONCE: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFile:
    """A file that was brought in for one channel; ``rows`` slots of it have a value.

    ``kind`` is its format ("retailer-csv", "occto-xml"), ``source`` who states the energies, ``author`` a
    reference to who brought it in ("person:3"), no name.
    """

    name: str
    sha256: str
    kind: str
    source: str
    meter_id: str
    channel: str
    at: datetime
    author: str
    rows: int
    id: int = 0

    def __post_init__(self) -> None:
        require_aware(self.at)


@dataclass(frozen=True, slots=True)
class ImportedEnergy:
    """The energy of the slot that starts at ``start`` (seconds since 1970 UTC), in kWh, as a file says it."""

    start: int
    energy_kwh: Decimal
    file: int


def find_file(connection: Connection, channel: str, sha256: str) -> ImportFile | None:
    """The file of these bytes, if it was brought in for the channel before."""
    row = connection.execute(
        select(import_file).where(import_file.c.channel == channel, import_file.c.sha256 == sha256)
    ).first()
    return None if row is None else _file(row)


def import_files(connection: Connection, channel: str | None = None) -> tuple[ImportFile, ...]:
    """Every file, of one channel or of all, in the order in which they were brought in."""
    query = select(import_file).order_by(import_file.c.at, import_file.c.id)
    if channel is not None:
        query = query.where(import_file.c.channel == channel)
    return tuple(_file(row) for row in connection.execute(query))


def file_bounds(connection: Connection, file: int) -> tuple[int, int] | None:
    """The starts of the first and the last slot of a file; ``None`` when it has none."""
    first, last = connection.execute(
        select(func.min(import_energy.c.start), func.max(import_energy.c.start)).where(
            import_energy.c.file == file
        )
    ).one()
    return None if first is None else (first, last)


def add_file(connection: Connection, file: ImportFile, energies: Iterable[tuple[int, Decimal]]) -> ImportFile:
    """Keep a file and its energies (start of the slot, kWh); it comes back with its id."""
    made = connection.execute(
        insert(import_file)
        .values(
            name=file.name,
            sha256=file.sha256,
            kind=file.kind,
            source=file.source,
            meter=file.meter_id,
            channel=file.channel,
            at=seconds(file.at),
            author=file.author,
            rows=file.rows,
        )
        .returning(import_file.c.id)
    ).scalar_one()
    rows = [
        {"file": made, "start": start, "energy_kwh": format(energy, "f"), "quality": ""}
        for start, energy in energies
    ]
    for at in range(0, len(rows), _AT_ONCE):
        connection.execute(insert(import_energy), rows[at : at + _AT_ONCE])
    return replace(file, id=made)


def forget_file(connection: Connection, file: int) -> ImportFile:
    """Take a file out again with all that it said.

    Raises:
        KeyError: there is none of that id.
    """
    row = connection.execute(select(import_file).where(import_file.c.id == file)).first()
    if row is None:
        raise KeyError(file)
    connection.execute(delete(import_energy).where(import_energy.c.file == file))
    connection.execute(delete(import_file).where(import_file.c.id == file))
    return _file(row)


def imported_energies(
    connection: Connection, channel: str, since: int, until: int
) -> dict[int, ImportedEnergy]:
    """What the files say of the slots of a channel that start from ``since`` to before ``until``.

    By start of the slot, in order of time; of several files the one brought in last.
    """
    found = connection.execute(
        select(import_energy.c.start, import_energy.c.energy_kwh, import_energy.c.file)
        .join(import_file, import_file.c.id == import_energy.c.file)
        .where(
            import_file.c.channel == channel, import_energy.c.start >= since, import_energy.c.start < until
        )
        .order_by(import_energy.c.start, import_file.c.at, import_file.c.id)
    )
    return {start: ImportedEnergy(start, Decimal(energy), file) for start, energy, file in found}


def energies_of(connection: Connection, file: int) -> dict[int, Decimal]:
    """What one file says, in kWh by start of the slot."""
    found = connection.execute(
        select(import_energy.c.start, import_energy.c.energy_kwh).where(import_energy.c.file == file)
    )
    return {start: Decimal(energy) for start, energy in found}


def _file(row: Row[Any]) -> ImportFile:
    return ImportFile(
        id=row.id,
        name=row.name,
        sha256=row.sha256,
        kind=row.kind,
        source=row.source,
        meter_id=row.meter,
        channel=row.channel,
        at=utc(row.at),
        author=row.author,
        rows=row.rows,
    )
