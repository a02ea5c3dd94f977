"""What tells one program's pages from another's: the site's and the service desk's share one shell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from koatsu.people import Right, Role
from koatsu.web.navigation import Entry

__all__ = ["WORDS", "DemoLogin", "Program"]

#: Sentences of the shell that a program may replace by its own: what they are for -> key of the catalogue.
WORDS: Final[Mapping[str, str]] = {
    "home": "error.home",
    "failed": "error.failed",
    "demo": "nav.demo",
    "demo_why": "nav.demo_why",
    "setup_why": "account.setup_why",
    "login_why": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program with pages: what it offers and to whom."""

    entries: tuple[Entry, ...]  #: its navigation
    roles: tuple[Role, ...]  #: what it gives to people and tokens, the first where none is chosen
    reads: Right  #: what reading asks for
    #: Whoever sits at this machine may read while there is no owner, as at a meter's own display.
    open_here: bool = False
    public: bool = False  #: some pages are for everybody, so that the bar leads to the login
    sheets: tuple[str, ...] = ()  #: style sheets of every page, beside those of the shell
    search: str = ""  #: where the search box of the bar leads; empty: there is none
    words: Mapping[str, str] = field(default_factory=dict)  #: its own sentences, see ``WORDS``

    def sentence(self, name: str) -> str:
        """The key of the sentence for ``name``, one of ``WORDS``; empty where there is none."""
        return self.words.get(name, WORDS[name])


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLogin:
    """Somebody as whom whoever looks at a demo may log in, with one press of a button."""

    role: Role
    name: str
    password: str
