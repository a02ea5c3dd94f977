"""A retailer's half-hour CSV to the energies of slots.

Times name the start or the end of a half hour. Where the headings do not say which, the times themselves
do: 24:00 or a midnight after 23:30 are ends, a file from midnight on has starts; else the file is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Final, Literal, TypeVar

from koatsu.ems.exchange.cells import (
    MIDNIGHT,
    clean,
    read_clock,
    read_day,
    read_energy,
    read_instant,
    read_span,
)
from koatsu.ems.exchange.headings import Layout, Stamp, check_unit, find_layout
from koatsu.ems.exchange.measured import OutsideEnergy, OutsideFile, chosen_point, whole_file
from koatsu.ems.exchange.refusals import CellError, FileRefusedError, Place
from koatsu.ems.exchange.sheets import Encoding, SheetRow, read_sheet
from koatsu.meter.slots import SLOTS_PER_DAY, Slot

__all__ = ["KIND", "Stamps", "read_retailer_csv"]

T = TypeVar("T")

KIND: Final = "retailer-csv"
Stamps = Literal["auto", "start", "end"]

_SLOT: Final = 30
_LAST: Final = MIDNIGHT - _SLOT
_SUM_ROWS: Final = ("合計", "計", "小計", "総計", "total")
_NOTES: Final = ("※", "#", "*", "注")


def read_retailer_csv(
    data: bytes,
    name: str,
    *,
    now: datetime,
    encoding: Encoding = "auto",
    stamps: Stamps = "auto",
    point: str = "",
) -> OutsideFile:
    """The energies that a retailer's file holds.

    Args:
        data: the bytes of the file.
        name: what errors call it.
        now: the present; later half hours are refused.
        encoding: "utf-8", "cp932", or "auto".
        stamps: which end of its half hour a time names where the headings leave it open.
        point: the last digits of the supply point, where the file holds several.

    Raises:
        FileRefusedError: with row and column of the first thing that is wrong.
    """
    rows = read_sheet(data, name, encoding)
    layout, before = find_layout(rows, name)
    reader = _Reader(layout, name, stamps)
    body = [row for row in rows[before:] if not _aside(row, layout)]
    reader.check_lengths(body)
    if layout.point is not None:
        points = {row.number: clean(reader.cell(row, layout.point)) for row in body}
        chosen = chosen_point(name, points.values(), point)
        body = [row for row in body if points[row.number] == chosen]
    values, empty = reader.wide(body) if layout.wide else reader.long(body)
    return whole_file(KIND, name, values, empty, now)


def _aside(row: SheetRow, layout: Layout) -> bool:
    """Whether a row stands beside the data: sums, notes, or the heading once more."""
    first = next((clean(cell) for cell in row.cells if cell.strip()), "")
    return first.casefold() in _SUM_ROWS or first.startswith(_NOTES) or row.cells == layout.headings


@dataclass(frozen=True, slots=True)
class _Timed:
    """A time as the file says it: minutes after the midnight that begins ``day``."""

    row: SheetRow
    day: date
    minutes: int
    stamp: Stamp


class _Reader:
    """The rows of one file, read by its layout."""

    def __init__(self, layout: Layout, name: str, stamps: Stamps) -> None:
        self._layout, self._name, self._stamps = layout, name, stamps

    def cell(self, row: SheetRow, column: int) -> str:
        """A cell; a row that is too short lacks it."""
        if column < len(row.cells):
            return row.cells[column]
        raise FileRefusedError(
            self._name,
            CellError(
                f"the row ends after {len(row.cells)} cells",
                f"行が {len(row.cells)} セルで終わっています",
                expected=f"{len(self._layout.headings)} cells, as in the heading row",
                expected_ja=f"見出し行と同じ {len(self._layout.headings)} セル",
            ),
            self._place(row, column),
        )

    def check_lengths(self, rows: Sequence[SheetRow]) -> None:
        """Refuse a row with more in it than the heading has columns: its values would stand in wrong ones."""
        width = len(self._layout.headings)
        for row in rows:
            beyond = next((at for at in range(width, len(row.cells)) if row.cells[at].strip()), None)
            if beyond is not None:
                raise FileRefusedError(
                    self._name,
                    CellError(
                        f"the row has {len(row.cells)} cells under {width} headings",
                        f"見出しが {width} 列なのに、行は {len(row.cells)} セルあります",
                        expected="a heading for each cell; a number with a comma stands in quotation marks",
                        expected_ja="見出しと同じ数のセル(カンマを含む数は引用符で囲みます)",
                    ),
                    self._place(row, beyond),
                )

    def wide(self, rows: Sequence[SheetRow]) -> tuple[list[OutsideEnergy], int]:
        """One row a day."""
        assert self._layout.day is not None
        values: list[OutsideEnergy] = []
        empty = 0
        for row in rows:
            day = self._day(row, self._layout.day)
            self._check_unit(row)
            for number, column in enumerate(self._layout.slots, 1):
                energy = self._energy(row, column)
                if energy is None:
                    empty += 1
                else:
                    values.append(OutsideEnergy(Slot(day, number), energy, self._place(row, column)))
        return values, empty

    def long(self, rows: Sequence[SheetRow]) -> tuple[list[OutsideEnergy], int]:
        """One row a half hour."""
        column = self._layout.energy
        assert column is not None
        values: list[OutsideEnergy] = []
        empty = 0
        for row, slot in self._slots(rows):
            self._check_unit(row)
            energy = self._energy(row, column)
            if energy is None:
                empty += 1
            else:
                values.append(OutsideEnergy(slot, energy, self._place(row, column)))
        return values, empty

    # --- which slot a row is --------------------------------------------------------------------------------

    def _slots(self, rows: Sequence[SheetRow]) -> Iterator[tuple[SheetRow, Slot]]:
        if self._layout.slot is not None and not self._layout.instants:
            assert self._layout.day is not None
            for row in rows:
                yield row, Slot(self._day(row, self._layout.day), self._number(row, self._layout.slot))
            return
        named = [self._times(row) for row in rows]
        if not named:
            return
        open_ones = [times[0] for times in named if times[0].stamp == "either"]
        stamp, wraps = self._read_as(open_ones)
        for times in named:
            slots = {_slot(one, one.stamp if one.stamp != "either" else stamp, wraps=wraps) for one in times}
            if len(slots) > 1:
                raise FileRefusedError(
                    self._name,
                    CellError(
                        "start and end do not enclose one half hour",
                        "開始と終了が 1 つの 30 分になっていません",
                        expected="an end 30 minutes after the start",
                        expected_ja="開始の 30 分後の終了",
                    ),
                    Place(row=times[0].row.number),
                )
            yield times[0].row, slots.pop()

    def _times(self, row: SheetRow) -> list[_Timed]:
        """The times of a row, those first whose meaning is said."""
        found: list[_Timed] = []
        for column, stamp in self._layout.instants:
            day, minutes = self._read(row, column, read_instant)
            found.append(_Timed(row, day, minutes, stamp))
        if not found:
            assert self._layout.day is not None
            day = self._day(row, self._layout.day)
            for column, stamp in self._layout.times:
                text = self.cell(row, column)
                try:
                    found.append(_Timed(row, day, read_span(text), "start"))
                except CellError:
                    found.append(_Timed(row, day, self._read(row, column, read_clock), stamp))
        said = [one for one in found if one.stamp != "either"]
        return said or found[:1]

    def _read_as(self, times: Sequence[_Timed]) -> tuple[Stamp, bool]:
        """Which end times name whose heading does not say it, and whether 0:00 ends the day that it names."""
        order = [(one.day, one.minutes) for one in times]
        wraps = any(
            one[0] == two[0] and {one[1], two[1]} == {0, _LAST} for one, two in pairwise(order)
        )  # 23:30 and 0:00 of one date side by side: that midnight closes the day
        if self._stamps != "auto":
            return self._stamps, wraps and self._stamps == "end"
        if not order or wraps or any(minutes == MIDNIGHT for _, minutes in order):
            return "end", wraps
        first, last = min(order), max(order)
        if first[1] == 0:
            return "start", False
        if first[1] == _SLOT and last[1] == 0:
            return "end", False
        row = times[0].row
        raise FileRefusedError(
            self._name,
            CellError(
                "whether the times are the beginnings or the ends of the half hours cannot be told",
                "時刻が 30 分の始まりか終わりか決められません",
                expected="a heading such as 開始時刻 or 終了時刻, or the option --times",
                expected_ja="見出しを「開始時刻」か「終了時刻」にするか、--times で指定",
            ),
            self._place(row, (self._layout.instants or self._layout.times)[0][0]),
        )

    # --- cells ----------------------------------------------------------------------------------------------

    def _place(self, row: SheetRow, column: int) -> Place:
        headings = self._layout.headings
        return Place(row.number, column + 1, headings[column].strip() if column < len(headings) else "")

    def _day(self, row: SheetRow, column: int) -> date:
        return self._read(row, column, read_day)

    def _energy(self, row: SheetRow, column: int) -> Decimal | None:
        return self._read(row, column, read_energy)

    def _number(self, row: SheetRow, column: int) -> int:
        return self._read(row, column, _slot_number)

    def _read(self, row: SheetRow, column: int, read: Callable[[str], T]) -> T:
        try:
            return read(self.cell(row, column))
        except CellError as cause:
            raise FileRefusedError(self._name, cause, self._place(row, column)) from cause

    def _check_unit(self, row: SheetRow) -> None:
        if self._layout.unit is not None:
            cell = self.cell(row, self._layout.unit)
            check_unit(clean(cell), cell, self._name, self._place(row, self._layout.unit))


def _slot(one: _Timed, stamp: Stamp, *, wraps: bool) -> Slot:
    """The slot that starts or ends at a time."""
    if stamp == "start":
        day, minutes = (one.day + timedelta(days=1), 0) if one.minutes == MIDNIGHT else (one.day, one.minutes)
        return Slot(day, minutes // _SLOT + 1)
    if one.minutes == 0:
        return Slot(one.day if wraps else one.day - timedelta(days=1), SLOTS_PER_DAY)
    return Slot(one.day, one.minutes // _SLOT)


def _slot_number(text: str) -> int:
    plain = clean(text)
    if plain.isascii() and plain.isdigit() and len(plain) <= 2 and 1 <= int(plain) <= SLOTS_PER_DAY:
        return int(plain)
    raise CellError(
        f"“{plain[:20]}” is not the number of a half hour",
        f"「{plain[:20]}」はコマ番号ではありません",
        expected="1 (0:00 to 0:30) to 48 (23:30 to 24:00)",
        expected_ja="1(0:00〜0:30)から 48(23:30〜24:00)",
    )
