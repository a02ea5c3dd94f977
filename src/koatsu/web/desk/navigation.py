"""Where one can go at the desk: what staff see, what customers see, what is for everybody."""

from __future__ import annotations

from typing import Final

from koatsu.people import Right
from koatsu.web.navigation import MANAGE_ENTRIES, Entry

__all__ = ["DESK_ENTRIES"]

_READ: Final = Right.DESK_READ


def _staff(key: str, place: str, right: Right = _READ, path: str = "") -> Entry:
    return Entry(key=key, path=path or f"/{key}", right=right, place=place, words=f"desk_nav.{key}")


def _public(key: str, place: str) -> tuple[Entry, Entry]:
    """A page for everybody: in the bar of those for whom it is made, in the menu of the staff."""
    path, words = f"/{key}", f"desk_nav.{key}"
    return (
        Entry(key=key, path=path, right=None, place=place, words=words, unless=_READ),
        Entry(key=key, path=path, right=_READ, place="menu", words=words),
    )


DESK_ENTRIES: Final = (
    _staff("worklist", "bar", path="/"),
    _staff("calendar", "bar"),
    _staff("enquiries", "bar"),
    _staff("faults", "bar"),
    _staff("registers", "wide"),
    _staff("search", "menu"),
    _staff("call", "menu", Right.DESK_HANDLE, path="/faults/new"),
    _staff("letters", "menu"),
    _staff("imports", "menu", Right.DESK_HANDLE),
    _staff("events", "menu", Right.DESK_REVIEW),
    *_public("help", "bar"),
    *_public("check", "bar"),
    Entry(key="apply", path="/apply", right=None, place="bar", words="desk_nav.apply", unless=_READ),
    _staff("my", "bar", Right.DESK_OWN),
    *_public("forms", "wide"),
    *_public("equipment", "wide"),
    *MANAGE_ENTRIES,
)
"""The pages of the desk. The right of each is that of its route, or nothing where that is open to all."""
