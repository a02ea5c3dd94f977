"""What must hold between the rows of an archive before any of them is brought into a store.

Each row is looked at once, in order, without keeping the long tables: keys rise, words are known, and what
is referred to has been named before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from koatsu.ems.exchange.refusals import CellError
from koatsu.ems.store.archived import TABLES, PlainRow
from koatsu.meter.readings import Source
from koatsu.meter.registers import MAX_DIGITS, Register

__all__ = ["ArchiveRules"]

_REGISTERS: Final = frozenset(Register)
_DIRECTIONS: Final = frozenset(("normal", "reverse"))
_SOURCES: Final = frozenset(Source)
_SCALES: Final = frozenset(("energy", "demand", "cumulative_demand", "reactive"))


def _within(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: value is None or least <= value <= most


def _one_of(words: frozenset[Any]) -> Callable[[Any], bool]:
    return lambda value: value in words


def _half_hour(value: int) -> bool:
    return value % 1800 == 0


_COUNT: Final = _within(0, 10**MAX_DIGITS - 1)
_AMOUNT: Final = _within(0, 2**31 - 1)
_VALUES: Final[dict[str, dict[str, Callable[[Any], bool]]]] = {
    "sites": {"id": bool},
    "meters": {"id": bool, "class_code": _within(0, 0xFFFF)},
    "epochs": {
        "number": _within(1, 10**6),
        "class_code": _within(0, 0xFFFF),
        "fixed_day": _within(1, 31),
        "current_coefficient": _AMOUNT,
        "voltage_coefficient": _AMOUNT,
    },
    "scales": {"what": _one_of(_SCALES), "coefficient": _AMOUNT, "digits": _within(1, MAX_DIGITS)},
    "readings": {
        "register": _one_of(_REGISTERS),
        "instant": _half_hour,
        "count": _COUNT,
        "source": _one_of(_SOURCES),
    },
    "demands": {
        "direction": _one_of(_DIRECTIONS),
        "start": _half_hour,
        "count": _COUNT,
        "source": _one_of(_SOURCES),
    },
    "conflicts": {
        "kind": _one_of(frozenset(("reading", "demand"))),
        "name": _one_of(_REGISTERS | _DIRECTIONS),
        "instant": _half_hour,
        "count": _COUNT,
        "source": _one_of(_SOURCES),
    },
    "corrections": {"register": _one_of(_REGISTERS), "instant": _half_hour, "count": _COUNT},
    "history_reads": {
        "elements": _within(0, 10**6),
        "no_data": _within(0, 10**6),
        "reads": _within(0, 10**6),
    },
    "learnt": {},
    "pulses": {"start": _half_hour, "pulses": _AMOUNT, "slot_pulses": _AMOUNT},
    "imports": {"rows": _AMOUNT, "number": _within(1, 10**6)},
    "imported": {"start": _half_hour},
}


class ArchiveRules:
    """Looks at the rows of an archive, table by table in the order of ``TABLES``."""

    def __init__(self) -> None:
        self._last: dict[str, PlainRow] = {}
        self._meters: set[str] = set()
        self._epochs: set[tuple[str, int]] = set()
        self._scaled: set[tuple[str, int]] = set()
        self._files: set[int] = set()
        self._channels: set[tuple[str, str]] = set()

    def look(self, table: str, rows: Sequence[PlainRow]) -> None:
        """Look at further rows of a table.

        Raises:
            CellError: with the row among ``rows`` (from 0) and the column (from 1) as ``args[1:]``.
        """
        layout = TABLES[table]
        checks = [
            (at, check)
            for at, field in enumerate(layout.fields)
            if (check := _VALUES[table].get(field.name)) is not None
        ]
        last = self._last.get(table)
        for index, row in enumerate(rows):
            for at, check in checks:
                if not check(row[at]):
                    raise _at(index, at, _no_such(layout.fields[at].name, row[at]))
            key = row[: layout.key]
            if layout.key and last is not None and key <= last:
                raise _at(index, 0, _no_order())
            last = key
            if not self._refers(table, row):
                raise _at(index, 0, _no_reference())
        if last is not None:
            self._last[table] = last

    def whole(self) -> None:
        """Look at what can only be seen at the end.

        Raises:
            CellError: an epoch has no scale of energy.
        """
        if self._epochs - self._scaled:
            meter_id, number = min(self._epochs - self._scaled)
            raise CellError(
                f"epoch {number} of meter {meter_id} has no scale of energy",
                f"計器 {meter_id} の第 {number} 期に電力量の係数がありません",
                expected="a row of scales with energy for each epoch",
                expected_ja="各期に energy の scales の行",
            )

    def _refers(self, table: str, row: PlainRow) -> bool:
        """Whether what a row refers to is there; notes what others may refer to."""
        match table:
            case "sites":
                return True
            case "meters":
                self._meters.add(row[0])
                return True
            case "epochs":
                self._epochs.add(row[:2])
                return row[0] in self._meters
            case "scales":
                if row[2] == "energy" and row[6] is not None:
                    self._scaled.add(row[:2])
                return row[:2] in self._epochs
            case "learnt" | "pulses":
                return row[0] in self._meters
            case "imports":
                known = (row[6], row[2]) in self._channels
                self._files.add(row[0])
                self._channels.add((row[6], row[2]))
                return row[5] in self._meters and not known
            case "imported":
                return row[0] in self._files
            case _:
                return row[:2] in self._epochs


def _at(index: int, column: int, error: CellError) -> CellError:
    error.args = (error.args[0], index, column + 1)
    return error


def _no_such(name: str, value: object) -> CellError:
    return CellError(
        f"“{str(value)[:40]}” cannot stand under {name}",
        f"「{str(value)[:40]}」は {name} の値ではありません",
        expected="a value that Koatsu itself wrote",
        expected_ja="Koatsu が書き出した値",
    )


def _no_order() -> CellError:
    return CellError(
        "the row is out of order or stands twice",
        "行の順序が違うか、重複しています",
        expected="rows in the order of their keys, each once",
        expected_ja="キーの順に 1 行ずつ",
    )


def _no_reference() -> CellError:
    return CellError(
        "the row belongs to something that the archive does not hold, or that it holds already",
        "行の参照先がアーカイブにないか、重複しています",
        expected="a meter, an epoch or a file of this archive",
        expected_ja="このアーカイブにある計器・期・ファイル",
    )
