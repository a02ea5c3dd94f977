"""Rule 7 of the domain: which instant an element of a history means, told by values that carry a date.

Pure: what the meter answered goes in, what it proves comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from koatsu.errors import KoatsuError
from koatsu.meter import (
    Conflict,
    DatedHistory,
    DemandStamp,
    EnergyFirst,
    Measured,
    Nameplate,
    Reading,
    Refusal,
    Register,
    demand_alignment,
    energy_alignment,
)
from koatsu.node import RefusedError

__all__ = ["demand_stamp", "energy_first"]


def energy_first(
    history: DatedHistory | Refusal, fixed: Iterable[Measured]
) -> EnergyFirst | KoatsuError | None:
    """Where an energy history begins, by the fixed-time value among ``fixed``.

    A problem where it fits neither way, ``None`` where it cannot be told.

    Raises:
        RefusedError: the history cannot be used at all.
    """
    energies = (one for one in fixed if isinstance(one, Reading))
    readings = [one for one in energies if one.register is Register.ENERGY]
    if not readings:
        return None
    if isinstance(history, Refusal):
        raise RefusedError(history.reason, ja=history.reason_ja)
    found = energy_alignment(history, readings[0])
    return KoatsuError(found.reason, ja=found.reason_ja) if isinstance(found, Conflict) else found


def demand_stamp(
    dated: Mapping[str, DatedHistory], plate: Nameplate, first: EnergyFirst
) -> DemandStamp | None:
    """Which end of its slot a demand names, where the histories of one day prove it."""
    if "energy_history" not in dated or "demand_history" not in dated or plate.demand_scale is None:
        return None
    found = demand_alignment(
        dated["demand_history"],
        dated["energy_history"],
        energy_first=first,
        energy_digits=plate.energy_digits,
        energy_scale=plate.energy_scale,
        demand_scale=plate.demand_scale,
    )
    return found if isinstance(found, str) else None
