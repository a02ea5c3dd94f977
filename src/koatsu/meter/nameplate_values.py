"""The nameplate from the static values that a meter answered.

What is absent was not offered or was refused. Whether that matters depends on the class: 0x0288 and
0x028D need not have a coefficient and have no multiplier, and then count with 1.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Final

from koatsu.errors import KoatsuError
from koatsu.meter.epochs import Nameplate
from koatsu.meter.scale import Scale

__all__ = ["DIGITS", "IDENTITY", "SCALED_BY", "IncompleteNameplateError", "nameplate_from"]

#: Nameplate field -> the property whose scale stands for it.
SCALED_BY: Final[Mapping[str, str]] = {
    "energy_scale": "energy_now",
    "demand_scale": "demand_slot",
    "cumulative_demand_scale": "cumulative_max_demand",
    "reactive_scale": "reactive_now",
}
DIGITS: Final = ("energy_digits", "demand_digits", "reactive_digits")
#: Where the identity of a meter is found; the first that it offers counts.
IDENTITY: Final = ("serial_number", "route_b_id", "identification")


class IncompleteNameplateError(KoatsuError):
    """A meter did not tell what its energy cannot be read without; the message names the properties."""


def nameplate_from(
    class_code: int,
    values: Mapping[str, object],
    *,
    factors: Mapping[str, tuple[str, ...]],
    may_lack: Collection[str],
) -> Nameplate:
    """The nameplate that ``values`` (by property name) make.

    Args:
        class_code: the meter class.
        values: the answered static values.
        factors: nameplate field of a scale -> names of the properties that multiply it, per class.
        may_lack: factors that count with 1 when they are absent.

    Raises:
        IncompleteNameplateError: unit, digits or a required factor of the energy is missing.
    """
    energy = _scale(factors["energy_scale"], values, may_lack)
    energy_digits = _whole(values.get("energy_digits"))
    if energy is None or energy_digits is None:
        needed = (*factors["energy_scale"], "energy_digits")
        missing = [name for name in needed if _number(values.get(name)) is None and name not in may_lack]
        raise IncompleteNameplateError(
            f"The meter did not tell {', '.join(missing)}, so its energy cannot be read.",
            ja=f"計器から {'、'.join(missing)} が得られず、電力量を読み取れません。",
        )
    others = {
        field: _scale(names, values, may_lack) for field, names in factors.items() if field != "energy_scale"
    }
    return Nameplate(
        class_code=class_code,
        serial=next((text for name in IDENTITY if (text := _text(values.get(name)))), None),
        energy_scale=energy,
        energy_digits=energy_digits,
        demand_scale=others.get("demand_scale"),
        demand_digits=_whole(values.get("demand_digits")),
        cumulative_demand_scale=others.get("cumulative_demand_scale"),
        reactive_scale=others.get("reactive_scale"),
        reactive_digits=_whole(values.get("reactive_digits")),
        fixed_day=_whole(values.get("fixed_day")),
        current_coefficient=_whole(values.get("current_coefficient")) or 1,
        voltage_coefficient=_whole(values.get("voltage_coefficient")) or 1,
    )


def _scale(names: tuple[str, ...], values: Mapping[str, object], may_lack: Collection[str]) -> Scale | None:
    """The scale that the named factors make; ``None`` when one of them is missing and may not be."""
    coefficient, multiplier, unit = 1, Decimal(1), Decimal(1)
    for name in names:
        number = _number(values.get(name))
        if number is None:
            if name in may_lack:
                continue
            return None
        if name == "coefficient":
            coefficient = int(number)
        elif name == "multiplier":
            multiplier = Decimal(number)
        else:
            unit = Decimal(number)
    return Scale(coefficient, multiplier, unit)


def _number(value: object) -> Decimal | int | None:
    return value if isinstance(value, int | Decimal) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: object) -> str | None:
    """An identity to show and compare: ASCII as it reads, other bytes in hex, nothing when empty."""
    if isinstance(value, bytes):
        bare = value.rstrip(b"\x00 ")
        if not bare:
            return None
        printable = all(0x20 <= byte < 0x7F for byte in bare)
        return bare.decode("ascii").strip() if printable else value.hex().upper()
    if isinstance(value, str):
        return value.strip(" \x00") or None
    return None
