"""Which layout a sheet has, told by its heading row: one row a day with 48 columns, or one row a half hour.

There is no single standard for retailers' half-hour files. What is recognised is listed here and described
in docs/data.md; a sheet that fits nothing, or fits twice, is refused with the headings that were seen.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, Literal

from koatsu.ems.exchange.cells import MIDNIGHT, clean, read_clock, read_span
from koatsu.ems.exchange.refusals import CellError, FileRefusedError, Place, cut
from koatsu.ems.exchange.sheets import SheetRow
from koatsu.meter.slots import SLOTS_PER_DAY

__all__ = ["Layout", "Stamp", "check_unit", "find_layout"]

Stamp = Literal["start", "end", "either"]  #: which end of its slot a time names; "either": not said

_SEARCHED: Final = 30  #: a heading row stands among the first rows
_UNIT: Final = re.compile(
    r"[(\[〔{]\s*(?:単位\s*[::]?\s*)?([a-zµ]+)(?:/[^)\]]*)?\s*[)\]〕}]|単位\s*[::]\s*([a-zµ]+)"
    r"|(?<![a-z])([kmg]?wh|kw|kvarh)$",
    re.IGNORECASE,
)

_WORDS: Final = tomllib.loads(files(__package__).joinpath("headings.toml").read_text(encoding="utf-8"))
_DAY: Final = frozenset(_WORDS["day"])
_TIME: Final[dict[str, Stamp]] = {word: stamp for stamp, words in _WORDS["time"].items() for word in words}
_INSTANT: Final[dict[str, Stamp]] = {
    word: stamp for stamp, words in _WORDS["instant"].items() for word in words
}
_SLOT, _ENERGY, _POINT, _UNITS = (
    frozenset(_WORDS["column"][name]) for name in ("slot", "energy", "point", "unit")
)
_SUMS: Final = ("合計", "累計", "計", "total", "sum")
_NUMBERED: Final = re.compile(r"(?a)(?:コマ|時限|no\.?|slot)?\s*(\d{1,2})\s*(?:コマ|時限)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where things stand in the rows below ``row``; columns count from 0, ``None`` where there is none.

    Wide: ``slots`` has the columns of slots 1 to 48 in order. Long: ``energy`` and either ``instants``, or
    ``day`` with ``times`` (each with the end of the slot that it names) or with ``slot`` (1 to 48).
    """

    row: int
    headings: tuple[str, ...]
    day: int | None = None
    slots: tuple[int, ...] = ()
    energy: int | None = None
    instants: tuple[tuple[int, Stamp], ...] = ()
    times: tuple[tuple[int, Stamp], ...] = ()
    slot: int | None = None
    point: int | None = None
    unit: int | None = None

    @property
    def wide(self) -> bool:
        """Whether a row is a day."""
        return bool(self.slots)


def find_layout(rows: Sequence[SheetRow], name: str) -> tuple[Layout, int]:
    """The layout of a sheet, and how many of its rows stand before the first one of data.

    Raises:
        FileRefusedError: no row is a heading that is known, or the unit is another one than kWh.
    """
    best: tuple[int, SheetRow] | None = None
    for index, row in enumerate(rows[:_SEARCHED]):
        plain = tuple(_plain(cell) for cell in row.cells)
        dated = [at for at, cell in enumerate(plain) if cell in _DAY or cell in _INSTANT]
        score = len(dated) and sum(1 for cell in plain if cell)
        if not dated or (best and score <= best[0]):
            continue
        best = (score, row)
        layout = _layout(row, plain, name)
        if layout is not None:
            for before in rows[: index + 1]:
                _check_units(before, name, layout if before is row else None)
            return layout, index + 1
    shown = best[1] if best else rows[0] if rows else None
    seen = ", ".join(cut(cell) for cell in (shown.cells[:8] if shown else ()) if cell.strip())
    raise FileRefusedError(
        name,
        CellError(
            f"no heading row of half-hour data was found; the row read here is “{seen}”"
            if seen
            else "the file holds no rows",
            f"30 分値の見出し行が見つかりません(ここにあるのは「{seen}」)"
            if seen
            else "ファイルに行がありません",
            expected="日付 (date) and 48 columns 0:00 to 23:30, or a date, a time and 使用電力量(kWh)",
            expected_ja="「日付」と 0:00〜23:30 の 48 列、または日付・時刻・使用電力量(kWh)の列",
        ),
        Place(row=shown.number if shown else None),
    )


def _layout(row: SheetRow, plain: tuple[str, ...], name: str) -> Layout | None:
    def first(names: frozenset[str]) -> int | None:
        return next((at for at, cell in enumerate(plain) if cell in names), None)

    shared = {"row": row.number, "headings": row.cells, "point": first(_POINT), "unit": first(_UNITS)}
    day = first(_DAY)
    slots = _wide(row, plain, day, name) if day is not None else None
    if slots:
        return Layout(day=day, slots=slots, **shared)  # type: ignore[arg-type] # a dict of the four fields above
    energy = _energy(row, plain, name)
    if energy is None:
        return None
    instants = tuple((at, _INSTANT[cell]) for at, cell in enumerate(plain) if cell in _INSTANT)
    times = tuple((at, _TIME[cell]) for at, cell in enumerate(plain) if cell in _TIME)
    slot = first(_SLOT)
    if not instants and (day is None or (not times and slot is None)):
        return None
    return Layout(day=day, energy=energy, instants=instants, times=times, slot=slot, **shared)  # type: ignore[arg-type]


def _wide(row: SheetRow, plain: tuple[str, ...], day: int | None, name: str) -> tuple[int, ...] | None:
    """The columns of slots 1 to 48; ``None`` when the headings are not those of half hours."""
    spans: dict[int, int] = {}
    clocks: list[tuple[int, int]] = []
    numbers: dict[int, int] = {}
    for at, cell in enumerate(plain):
        if at == day or not cell:
            continue
        found = _NUMBERED.fullmatch(cell)
        if found and 1 <= int(found[1]) <= SLOTS_PER_DAY:
            numbers.setdefault(int(found[1]), at)
            continue
        for read, keep in ((read_span, "span"), (read_clock, "clock")):
            try:
                minutes = read(cell)
            except CellError:
                continue
            if keep == "span":
                spans.setdefault(minutes // 30 + 1, at)
            else:
                clocks.append((minutes, at))
            break
    found_slots = max((spans, _by_clock(clocks), numbers), key=len)
    if len(found_slots) < 12:  # a date, a time and some numbers: not one row a day
        return None
    lacking = [number for number in range(1, SLOTS_PER_DAY + 1) if number not in found_slots]
    if lacking:
        first = (lacking[0] - 1) * 30
        raise FileRefusedError(
            name,
            CellError(
                f"{len(found_slots)} half-hour columns were found, and none for"
                f" {first // 60}:{first % 60:02} (slot {lacking[0]})",
                f"30 分の列が {len(found_slots)} 列しかなく、{first // 60}:{first % 60:02}"
                f"({lacking[0]} コマ目)がありません",
                expected="48 columns, 0:00 to 23:30, or 0:30 to 24:00, or 1 to 48",
                expected_ja="0:00〜23:30、0:30〜24:00、または 1〜48 の 48 列",
            ),
            Place(row=row.number),
        )
    return tuple(found_slots[number] for number in range(1, SLOTS_PER_DAY + 1))


def _by_clock(clocks: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Slots of columns headed by a bare time: its start, or its end where 24:00 or a last 0:00 shows it."""
    order = [minutes for minutes, _ in clocks]
    ends = MIDNIGHT in order or (len(order) > 1 and order[0] == 30 and order[-1] == 0)
    found: dict[int, int] = {}
    for minutes, at in clocks:
        found.setdefault((minutes or MIDNIGHT) // 30 if ends else minutes // 30 + 1, at)
    return found


def _energy(row: SheetRow, plain: tuple[str, ...], name: str) -> int | None:
    """The column of energies: a known name in kWh or without a unit, else the only one in kWh."""
    units = [_unit(cell) for cell in row.cells]
    known = [at for at, cell in enumerate(plain) if cell in _ENERGY and units[at] in (None, "kwh")]
    in_kwh = [
        at
        for at, cell in enumerate(plain)
        if units[at] == "kwh" and not cell.endswith(_SUMS) and not cell.startswith(_SUMS)
    ]
    found = [at for at in known if units[at] == "kwh"] or known or in_kwh
    if len(found) > 1:
        raise FileRefusedError(
            name,
            CellError(
                f"“{cut(row.cells[found[0]])}” and “{cut(row.cells[found[1]])}” could both be the energy",
                f"「{cut(row.cells[found[0]])}」と「{cut(row.cells[found[1]])}」のどちらが電力量か決められません",
                expected="one column of kWh; remove the other from the file",
                expected_ja="kWh の列は 1 つ(もう一方を削除してください)",
            ),
            Place(row=row.number, column=found[1] + 1),
        )
    if found:
        return found[0]
    for at, cell in enumerate(plain):
        if cell in _ENERGY or (units[at] in ("kw", "mwh", "wh") and not cell.endswith(_SUMS)):
            check_unit(units[at] or "", row.cells[at], name, Place(row=row.number, column=at + 1))
    return None


def _check_units(row: SheetRow, name: str, layout: Layout | None) -> None:
    """Refuse a sheet that says beside its table, or over its columns of energy, that it is not in kWh."""
    columns = range(len(row.cells)) if layout is None else layout.slots
    for at in columns:
        unit = _unit(row.cells[at])
        if unit is not None and (layout is not None or "単位" in clean(row.cells[at])):
            check_unit(unit, row.cells[at], name, Place(row=row.number, column=at + 1))


def check_unit(unit: str, cell: str, name: str, place: Place) -> None:
    """Accept kWh alone.

    Raises:
        FileRefusedError: it is another unit.
    """
    if unit.casefold() != "kwh":
        raise FileRefusedError(
            name,
            CellError(
                f"“{cut(cell)}” is not in kWh",
                f"「{cut(cell)}」の単位は kWh ではありません",
                expected="energies in kWh",
                expected_ja="kWh の電力量",
            ),
            place,
        )


def _unit(cell: str) -> str | None:
    """The unit that a heading names, in small letters."""
    found = _UNIT.search(clean(cell))
    return next((part for part in found.groups() if part), "").casefold() if found else None


def _plain(cell: str) -> str:
    """A heading without unit, spaces, underscores and capitals; ``kwh`` alone stays."""
    text = clean(cell).casefold()
    bare = _UNIT.sub("", text) if _UNIT.search(text) and not re.fullmatch(r"k?wh", text) else text
    return re.sub(r"[\s_]", "", bare)
