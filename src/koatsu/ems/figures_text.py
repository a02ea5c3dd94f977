"""The figures of a closed day as text, as they are kept; text in another form is as if there were none."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any, Final

from koatsu.ems.day_figures import DayFigures, Gap, Peak, Piece
from koatsu.ems.view_models import SlotState
from koatsu.meter.slots import Slot

__all__ = ["figures_from_text", "figures_text"]

_FORM: Final = 1  #: of the text; figures in another form are made anew


def figures_text(figures: DayFigures) -> str:
    """The figures of a closed day as JSON."""
    return json.dumps(
        {
            "form": _FORM,
            "pieces": [[getattr(piece, name) for name in Piece.__slots__] for piece in figures.pieces],
            "gaps": [[gap.epoch, gap.start, gap.end, gap.counts] for gap in figures.gaps],
            "tally": {state.value: count for state, count in figures.tally.items()},
            "disputed": figures.disputed,
            "peak": _peak_text(figures.peak),
            "daytime": [
                None if figures.daytime_kwh is None else str(figures.daytime_kwh),
                figures.daytime_slots,
            ],
        },
        separators=(",", ":"),
    )


def figures_from_text(day: date, text: str) -> DayFigures | None:
    """The figures that :func:`figures_text` wrote; ``None`` when they are in another form."""
    try:
        read: dict[str, Any] = json.loads(text)
        if read["form"] != _FORM:
            return None
        energy, slots = read["daytime"]
        return DayFigures(
            day=day,
            pieces=tuple(Piece(*piece) for piece in read["pieces"]),
            gaps=tuple(Gap(*gap) for gap in read["gaps"]),
            tally={SlotState(state): count for state, count in read["tally"].items()},
            disputed=read["disputed"],
            peak=_peak_from(day, read["peak"]),
            daytime_kwh=None if energy is None else Decimal(energy),
            daytime_slots=slots,
        )
    except (ValueError, TypeError, KeyError, ArithmeticError):
        return None


def _peak_text(peak: Peak | None) -> list[Any] | None:
    return None if peak is None else [peak.slot.number, str(peak.demand_kw), peak.source]


def _peak_from(day: date, read: list[Any] | None) -> Peak | None:
    return None if read is None else Peak(Slot(day, read[0]), Decimal(read[1]), read[2])
