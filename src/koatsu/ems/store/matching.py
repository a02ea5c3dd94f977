"""Which epoch of this store an epoch of another store is: same meter, same serial number, same scales.

Counts of what may be another meter are never put together: an epoch that is neither one of those here nor
later than all of them is left out.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, select

from koatsu.ems.store.archived import TABLES, PlainRow
from koatsu.ems.store.schema import epoch, scale

__all__ = ["NEW", "EpochMatch", "match_epochs"]

NEW: Final = -1  #: in place of a key: the epoch is not here yet

_SCALE_COLUMNS: Final = ("what", "coefficient", "multiplier", "unit", "digits")


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochMatch:
    """An epoch of another store, and what it is here.

    ``key`` is that of the epoch here, :data:`NEW`, or ``None`` where it is left out; then ``unlike`` says
    what is here and what is there. ``number_here`` may be another number than there.
    """

    meter_id: str
    number: int
    columns: Mapping[str, Any]
    scales: tuple[Mapping[str, Any], ...]
    key: int | None
    number_here: int
    unlike: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class _Plate:
    """What tells epochs apart: class, serial number, and by purpose coefficient, multiplier, unit, digits."""

    key: int
    number: int
    started_at: int
    says: Mapping[str, object]

    def agrees(self, other: _Plate) -> bool:
        """Whether nothing that both say differs."""
        return all(
            self.says[name] == value
            for name, value in other.says.items()
            if value is not None and self.says.get(name) is not None
        )

    @property
    def serial(self) -> object:
        return self.says["serial"]

    def __str__(self) -> str:
        scales = "; ".join(f"{name} {value}" for name, value in self.says.items() if value is not None)
        return f"epoch {self.number}: {scales}"


def match_epochs(
    connection: Connection, epochs: Sequence[PlainRow], scales: Sequence[PlainRow]
) -> Iterator[EpochMatch]:
    """Match epochs with those here, meter by meter, in their order.

    Args:
        connection: what is here.
        epochs: rows of ``epochs``, by meter and number.
        scales: rows of ``scales`` of the same epochs.
    """
    by_epoch: dict[tuple[str, int], list[Mapping[str, Any]]] = defaultdict(list)
    for row in scales:
        by_epoch[row[0], row[1]].append(dict(zip(_SCALE_COLUMNS, row[2:], strict=True)))
    here: dict[str, list[_Plate]] = {}
    taken: set[int] = set()
    twins = _twins(epochs)
    for row in epochs:
        columns = {column.name: value for column, value in zip(TABLES["epochs"].fields, row, strict=True)}
        meter_id, number = columns.pop("meter"), columns.pop("number")
        own = tuple(by_epoch[meter_id, number])
        if meter_id not in here:
            here[meter_id] = _here(connection, meter_id)
        known = here[meter_id]
        plate = _plate(NEW, number, columns, own)
        found = _match(plate, [one for one in known if one.key not in taken], twins[meter_id])
        unlike, key, number_here = None, NEW, number
        if found is not None:
            key, number_here = found.key, found.number
            taken.add(key)
        elif all(one.key == NEW for one in known):
            pass  # a meter that was not known here keeps its numbers
        elif known[-1].key == NEW or (
            plate.started_at > known[-1].started_at and not plate.agrees(known[-1])
        ):
            number_here = known[-1].number + 1
        else:
            same = next((one for one in known if one.number == number), known[-1])
            unlike = (str(same), str(plate))
        if key == NEW and unlike is None:
            known.append(_plate(NEW, number_here, columns, own))
        yield EpochMatch(
            meter_id=meter_id,
            number=number,
            columns=columns,
            scales=own,
            key=None if unlike else key,
            number_here=number_here,
            unlike=unlike,
        )


def _match(plate: _Plate, known: Sequence[_Plate], twins: Counter[tuple[object, ...]]) -> _Plate | None:
    """The epoch here that is meant: of the same number, else the only one of the same serial number.

    A meter that came back has two epochs of one serial number: then the start has to tell them apart.
    """
    alike = [one for one in known if one.key != NEW and one.agrees(plate)]
    for one in alike:
        if one.number == plate.number:
            return one
    named = [one for one in alike if plate.serial is not None and one.serial == plate.serial]
    begun = [one for one in named if one.started_at == plate.started_at]
    if len(begun) == 1 and twins[plate.serial, plate.started_at] == 1:
        return begun[0]
    return named[0] if len(named) == 1 and twins[plate.serial,] == 1 else None


def _twins(epochs: Sequence[PlainRow]) -> Mapping[str, Counter[tuple[object, ...]]]:
    """By meter, how many epochs there have a serial number, and how many of these a start."""
    found: dict[str, Counter[tuple[object, ...]]] = defaultdict(Counter)
    for row in epochs:
        columns = {column.name: value for column, value in zip(TABLES["epochs"].fields, row, strict=True)}
        serial, started = columns["serial"], columns["started_at"]
        found[columns["meter"]].update([(serial,), (serial, started)])
    return found


def _here(connection: Connection, meter_id: str) -> list[_Plate]:
    found = connection.execute(
        select(epoch).where(epoch.c.meter == meter_id).order_by(epoch.c.number)
    ).mappings()
    rows = [dict(row) for row in found]
    return [
        _plate(
            row["id"],
            row["number"],
            row,
            [
                dict(one)
                for one in connection.execute(select(scale).where(scale.c.epoch == row["id"])).mappings()
            ],
        )
        for row in rows
    ]


def _plate(key: int, number: int, columns: Mapping[str, Any], scales: Sequence[Mapping[str, Any]]) -> _Plate:
    says: dict[str, object] = {"class": columns["class_code"], "serial": columns["serial"]}
    for one in scales:
        says[one["what"]] = (one["coefficient"], Decimal(one["multiplier"]), Decimal(one["unit"]))
        says[f"{one['what']} digits"] = one["digits"]
    return _Plate(key, number, columns["started_at"], says)
