"""What a file from outside says of the energy of slots: values with their place, checked as a whole.

The same rules hold for every format: a slot stands once, lies in the past, and belongs to one supply point.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from koatsu.clock import require_aware
from koatsu.ems.exchange.refusals import CellError, FileRefusedError, Place, cut
from koatsu.meter.quantity import exact_sum
from koatsu.meter.slots import Slot

__all__ = ["OutsideEnergy", "OutsideFile", "chosen_point", "whole_file"]


@dataclass(frozen=True, slots=True)
class OutsideEnergy:
    """The energy of one slot, in kWh, and where the file says it."""

    slot: Slot
    energy_kwh: Decimal
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideFile:
    """All values of a file in order of time; ``empty`` slots were named without a value."""

    kind: str
    values: tuple[OutsideEnergy, ...]
    empty: int

    @property
    def first(self) -> Slot:
        """The earliest slot with a value."""
        return self.values[0].slot

    @property
    def last(self) -> Slot:
        """The latest slot with a value."""
        return self.values[-1].slot

    @property
    def energy_kwh(self) -> Decimal:
        """The sum of all values."""
        return exact_sum(value.energy_kwh for value in self.values)


def whole_file(
    kind: str, name: str, values: Sequence[OutsideEnergy], empty: int, now: datetime
) -> OutsideFile:
    """The values of a file, checked against each other and the clock.

    Args:
        kind: the format, a code.
        name: what errors call the file.
        values: in the order of the file.
        empty: slots without a value.
        now: no slot may end later.

    Raises:
        FileRefusedError: a slot stands twice or has not ended, or there is no value at all.
    """
    require_aware(now)
    seen: dict[Slot, OutsideEnergy] = {}
    for value in values:
        before = seen.setdefault(value.slot, value)
        if before is not value:
            raise FileRefusedError(
                name,
                CellError(
                    f"the half hour {value.slot} stands here again, after {before.place.text('en')}",
                    f"{value.slot} が 2 回あります(1 回目は {before.place.text('ja')})",
                    expected="each half hour once: the data of one supply point",
                    expected_ja="30 分ごとに 1 回(1 つの供給地点のデータ)",
                ),
                value.place,
            )
        if value.slot.end > now:
            raise FileRefusedError(
                name,
                CellError(
                    f"the half hour {value.slot} has not ended yet",
                    f"{value.slot} はまだ終わっていません",
                    expected="the past; are the year and this computer's clock right?",
                    expected_ja="過去のデータ(年と、この機器の時計を確かめてください)",
                ),
                value.place,
            )
    if not seen:
        raise FileRefusedError(
            name,
            CellError(
                "there is no value in the file",
                "ファイルに値がありません",
                expected="at least one half hour with an energy in kWh",
                expected_ja="1 つ以上の 30 分電力量 [kWh]",
            ),
        )
    return OutsideFile(kind=kind, values=tuple(seen[slot] for slot in sorted(seen)), empty=empty)


def chosen_point(name: str, points: Iterable[str], wanted: str) -> str | None:
    """The supply point to read, of those that a file names; ``None`` where it names none.

    Args:
        name: what errors call the file.
        points: the supply-point numbers of the file.
        wanted: the last digits of the right one; empty where there is only one.

    Raises:
        FileRefusedError: several are left, or none.
    """
    known = sorted(set(points))
    left = [point for point in known if point.endswith(wanted)]
    if len(left) == 1:
        return left[0]
    if not known and not wanted:
        return None
    ends = ", ".join("…" + cut(point[-4:]) for point in (left or known)[:5]) or "-"
    if not left:
        raise FileRefusedError(
            name,
            CellError(
                f"no supply point in the file ends with {cut(wanted)} (there: {ends})",
                f"末尾が {cut(wanted)} の供給地点がありません(あるのは {ends})",
                expected="the last digits of a supply point of this file",
                expected_ja="このファイルにある供給地点特定番号の末尾",
            ),
        )
    raise FileRefusedError(
        name,
        CellError(
            f"the file holds {len(left)} supply points ({ends})",
            f"ファイルに {len(left)} つの供給地点があります({ends})",
            expected="one supply point; choose it by the last digits of its number",
            expected_ja="供給地点は 1 つ(番号の末尾で選んでください)",
        ),
    )
