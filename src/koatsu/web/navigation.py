"""The pages that a person can go to: a table of each program.

An entry shows where the application has its route, to those who have its right.
The first ones stand in the bar itself, the rest behind the menu beside them. A page marks its own entry by
the value ``here`` that it gives to its template.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from starlette.routing import Match

from koatsu.people import Right

__all__ = ["MANAGE_ENTRIES", "SITE_ENTRIES", "Entry", "Navigation", "exists"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One page of the navigation: ``key`` is its value of ``here``."""

    key: str
    path: str
    right: Right | None  #: None: everybody
    place: str  #: "bar", "wide" (in the bar, on a phone in the menu), "menu" or "manage"
    words: str  #: its name, as a key of the catalogue
    unless: Right | None = None  #: not for those who have this right
    several_sites: bool = False  #: only where there is more than one site

    @property
    def of_site(self) -> bool:
        """Whether it shows one site, where there are several."""
        return self.place != "manage" and not self.several_sites


def _entry(key: str, place: str, right: Right = Right.VIEW, path: str = "") -> Entry:
    return Entry(
        key=key,
        path=path or f"/{key}",
        right=right,
        place=place,
        words=f"nav.{key}",
        several_sites=key == "sites",
    )


MANAGE_ENTRIES: Final = (
    _entry("people", "manage", Right.MANAGE),
    _entry("tokens", "manage", Right.MANAGE),
    _entry("audit", "manage", Right.MANAGE),
)
"""The pages of an owner, in every program."""

SITE_ENTRIES: Final = (
    _entry("now", "bar", path="/"),
    _entry("day", "bar"),
    _entry("month", "bar"),
    _entry("year", "bar"),
    _entry("days", "wide"),
    _entry("sites", "menu"),
    _entry("doubts", "menu"),
    _entry("pulse", "menu"),
    _entry("data", "menu"),
    *MANAGE_ENTRIES,
)
"""The pages of a site."""


@dataclass(frozen=True, slots=True)
class Navigation:
    """The entries that one request may see, by where they stand."""

    entries: tuple[Entry, ...] = ()

    def at(self, *places: str) -> Iterator[Entry]:
        """The entries of some places, in their order."""
        return (entry for entry in self.entries if entry.place in places)

    def has(self, *places: str) -> bool:
        """Whether anything stands at one of these places."""
        return any(True for _ in self.at(*places))

    def offers(self, key: str) -> bool:
        """Whether the page of that key can be gone to."""
        return any(entry.key == key for entry in self.entries)

    def behind(self, here: str) -> Entry | None:
        """The entry of the present page, if it stands behind the menu, be it on a phone alone."""
        return next((entry for entry in self.at("wide", "menu", "manage") if entry.key == here), None)

    @classmethod
    def of(
        cls, app: FastAPI, entries: Iterable[Entry], may: Callable[[Right], bool], *, several_sites: bool
    ) -> Navigation:
        """What ``app`` offers of ``entries`` to somebody who ``may``."""

        def shown(entry: Entry) -> bool:
            if entry.unless is not None and may(entry.unless):
                return False
            return entry.right is None or may(entry.right)

        return cls(
            tuple(
                entry
                for entry in entries
                if shown(entry) and (several_sites or not entry.several_sites) and exists(app, entry.path)
            )
        )


def exists(app: FastAPI, path: str) -> bool:
    """Whether ``app`` has a page at ``path``; asked of its routes once."""
    if not hasattr(app.state, "known_paths"):
        app.state.known_paths = {}
    known: dict[str, bool] = app.state.known_paths
    if path not in known:
        scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
        known[path] = any(route.matches(dict(scope))[0] is Match.FULL for route in app.routes)
    return known[path]
