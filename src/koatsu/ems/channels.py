"""Channels: what the pages show as a meter of its own, one direction of one meter.

Bought and sold energy are never netted. A meter of class 0x028A counts one direction, so sold energy has a
meter of its own; a 0x028F or a low-voltage meter counts both, and its reverse direction is a second channel
beside it. What runs back through a selling meter or a sub-meter is not sold energy: no channel shows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from koatsu.ems.store import Store
from koatsu.meter.meter_classes import CLASSES
from koatsu.meter.registers import Register

__all__ = ["Channel", "channel_ids", "channels", "counts_reverse"]

_REVERSE: Final = ".reverse"  # no configured id has a full stop
_ORDER: Final = ("buy", "sell")  # then every other role
_REGISTERS: Final = (Register.ENERGY, Register.ENERGY_REVERSE)


@dataclass(frozen=True, slots=True)
class Channel:
    """A meter and the direction of its energy that is shown.

    Raises:
        ValueError: the register is not one of the two of active energy.
    """

    meter_id: str
    register: Register = Register.ENERGY

    def __post_init__(self) -> None:
        if self.register not in _REGISTERS:
            raise ValueError(f"{self.register} is not a direction of energy")

    @classmethod
    def parse(cls, text: str) -> Self:
        """The channel of an id such as ``main`` or ``main.reverse``; whether there is one is not asked."""
        if text.endswith(_REVERSE):
            return cls(text.removesuffix(_REVERSE), Register.ENERGY_REVERSE)
        return cls(text)

    @property
    def id(self) -> str:
        """The meter's id, with ``.reverse`` where the channel shows that direction."""
        return self.meter_id + (_REVERSE if self.reverse else "")

    @property
    def reverse(self) -> bool:
        """Whether it shows the reverse direction."""
        return self.register is Register.ENERGY_REVERSE

    def role(self, meter_role: str) -> str:
        """The role it is shown in: the meter's, but ``sell`` for the reverse direction."""
        return "sell" if self.reverse else meter_role


def channels(store: Store, *, site: str | None = None) -> tuple[Channel, ...]:
    """Every channel of a site (``None``: of all): bought, sold, then sub-meters, in the order of the store.

    A buying meter has a reverse channel as soon as one count of its reverse energy register is kept.
    """
    found: list[tuple[str, Channel]] = []
    for meter in store.meters():
        if site is not None and meter.site != site:
            continue
        found.append((meter.role, Channel(meter.id)))
        if meter.role == "buy" and store.has_counts(meter.id, Register.ENERGY_REVERSE):
            back = Channel(meter.id, Register.ENERGY_REVERSE)
            found.append((back.role(meter.role), back))
    found.sort(key=lambda pair: _ORDER.index(pair[0]) if pair[0] in _ORDER else len(_ORDER))
    return tuple(channel for _, channel in found)


def channel_ids(meter_id: str) -> tuple[str, ...]:
    """The ids of all channels that a meter can have: what concerns the meter concerns each of them."""
    return tuple(Channel(meter_id, register).id for register in _REGISTERS)


def counts_reverse(class_code: int) -> bool:
    """Whether the standard gives meters of this class, such as 0x028F, a reverse energy register."""
    return any(
        target is Register.ENERGY_REVERSE for row in CLASSES.get(class_code, ()) for _, target in row.fields
    )
