"""Where a customer hands in a form: the one office, or what has to be said before it is known.

The place is what the customer writes, never what the register knows of a number: that somebody's supply point
lies in the area of an office is not for everybody who has the number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from koatsu.desk.errors import DeskSettingError
from koatsu.desk.offices import Office, OfficeKind
from koatsu.desk.plain_text import bare_digits, kept_text, read_postal
from koatsu.desk.registers import Registers
from koatsu.desk.routing import RoutingError
from koatsu.desk.supply_points import Supply

__all__ = ["HandIn", "Known", "hand_in", "read_place"]

LONGEST_PLACE: Final = 60
_KINDS: Final = {
    Supply.UTILITY: OfficeKind.DISTRIBUTION,
    Supply.OTHER: OfficeKind.NETWORK_SERVICE_CENTRE,
}


class Known(StrEnum):
    """How well it is known which office takes a form."""

    OFFICE = "office"  #: it is this one
    WHERE = "where"  #: the place has to be said
    CHOICE = "choice"  #: no office has the place written down; it is one of several
    UNSET = "unset"  #: self-supply, and the utility has not said
    NOBODY = "nobody"  #: there is no office of that kind
    SUPPLY = "supply"  #: who supplies has to be said


@dataclass(frozen=True, slots=True, kw_only=True)
class HandIn:
    """Where a form goes. ``choices`` are the offices among which it is, where that is all that is known."""

    known: Known
    office: Office | None = None
    choices: tuple[Office, ...] = ()


def hand_in(registers: Registers, supply: Supply | None, place: tuple[str, str] = ("", "")) -> HandIn:
    """Where a form about a place goes today; for applying and for ending alike.

    Args:
        registers: of the desk.
        supply: who supplies; ``None``: not said.
        place: postal code and municipality, as :func:`read_place` gives them.
    """
    if supply is None:
        return HandIn(known=Known.SUPPLY)
    postal_code, municipality = place
    try:
        found = registers.office_for(supply=supply, postal_code=postal_code, municipality=municipality)
    except DeskSettingError:
        return HandIn(known=Known.UNSET)
    except RoutingError:
        return _without_area(registers.offices(kind=_KINDS[supply]), said=any(place))
    return HandIn(known=Known.OFFICE, office=found)


def _without_area(offices: tuple[Office, ...], *, said: bool) -> HandIn:
    if len(offices) == 1:  # the only one is the nearest one, wherever the place is
        return HandIn(known=Known.OFFICE, office=offices[0])
    if not offices:
        return HandIn(known=Known.NOBODY)
    return HandIn(known=Known.CHOICE if said else Known.WHERE, choices=offices)


def read_place(text: str) -> tuple[str, str]:
    """Postal code and municipality of what somebody wrote: the one or the other, or neither.

    Raises:
        TextRefused: digits that are no postal code, or what cannot be kept.
    """
    kept = kept_text(text, LONGEST_PLACE)
    digits = bare_digits(kept.lstrip("〒")).strip()
    if digits and digits.isascii() and digits.isdigit():
        return read_postal(kept), ""
    return "", kept
