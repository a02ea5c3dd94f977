"""Where a key stands in a TOML text: the standard parser keeps no line numbers, so this looks again.

It follows table headers, dotted and quoted keys, and skips the inside of multi-line texts and lists.
The text has already been accepted by the parser; nothing is validated here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

__all__ = ["Lines"]

_HEADER = re.compile(r"\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")

Path = tuple[str | int, ...]


class Lines:
    """The line of each key path of one text, such as ``("meter", 0, "address")``."""

    def __init__(self, text: str) -> None:
        self._at: dict[Path, int] = {}
        counts: dict[str, int] = {}
        table: Path = ()
        for number, statement in _statements(text):
            header = _HEADER.match(statement)
            key = _KEY.match(statement)
            if key:
                self._note((*table, *_parts(key[1])), number)
            elif header:
                table = _parts(header[2])
                if header[1] == "[[":
                    name = str(table[0])
                    counts[name] = counts.get(name, -1) + 1
                    table = (name, counts[name], *table[1:])
                self._note(table, number)

    def _note(self, path: Path, number: int) -> None:
        for end in range(1, len(path) + 1):
            self._at.setdefault(path[:end], number)

    def of(self, path: Path) -> int | None:
        """The line (from 1) of ``path``, else of the nearest thing around it, else ``None``."""
        for end in range(len(path), 0, -1):
            if path[:end] in self._at:
                return self._at[path[:end]]
        return None


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each statement's first line number and text; a line that does not parse alone is joined to the next."""
    lines = text.splitlines()
    number = 0
    while number < len(lines):
        first = number
        statement = lines[number]
        number += 1
        while number < len(lines) and not _whole(statement):
            statement += "\n" + lines[number]
            number += 1
        yield first + 1, statement


def _whole(statement: str) -> bool:
    try:
        tomllib.loads(statement)
    except tomllib.TOMLDecodeError:
        return False
    return True
