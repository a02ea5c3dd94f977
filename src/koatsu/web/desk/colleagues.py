"""Those of the staff who can be given work of an office."""

from __future__ import annotations

from typing import TYPE_CHECKING

from koatsu.desk.staff import NOWHERE
from koatsu.people import People, Right

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["colleagues"]


def colleagues(desk: Desk, people: People, office: str, *rights: Right) -> list[tuple[str, str]]:
    """Reference and name of those who have one of ``rights`` and see what belongs to the office."""
    placed = desk.staff.offices()
    found = []
    for one in people.people():
        everywhere = None if one.role.may(Right.DESK_DECIDE) else NOWHERE
        belongs = placed.get(one.id, everywhere)
        if any(one.role.may(right) for right in rights) and (belongs is None or belongs == office):
            found.append((one.reference, one.name))
    return found
