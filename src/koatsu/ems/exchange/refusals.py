"""Why a file is not taken in: one sentence with file, place, what was found and what was expected.

Readers of cells know neither file nor row: they raise :class:`CellError`, and whoever knows the place makes
a :class:`FileRefusedError` of it. Nothing of a refused file is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from koatsu.errors import KoatsuError

__all__ = ["CellError", "FileRefusedError", "Place", "column_name", "cut", "hide_points"]

_SHOWN: Final = 40  #: so many letters of what was found are shown
_POINT: Final = re.compile(r"(?<!\d)\d{18}(\d{4})(?!\d)")


def cut(text: str) -> str:
    """``text`` as a sentence can show it: one line, printable, not longer than a glance."""
    line = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    line = hide_points(line)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def hide_points(text: str) -> str:
    """``text`` with supply-point numbers (22 digits) shortened to their last four."""
    return _POINT.sub(r"…\1", text)


def column_name(number: int) -> str:
    """What spreadsheets call a column: 1 is A, 27 is AA."""
    name = ""
    while number > 0:
        number, letter = divmod(number - 1, 26)
        name = chr(ord("A") + letter) + name
    return name


class CellError(Exception):
    """A text that is not what stands there normally; ``expected`` completes "expected …"."""

    def __init__(self, en: str, ja: str, *, expected: str = "", expected_ja: str = "") -> None:
        super().__init__(en)
        self.en, self.ja = en, ja
        self.expected, self.expected_ja = expected, expected_ja


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file: a row (from 1, headings counted), a column (from 1), or words of the format's own."""

    row: int | None = None
    column: int | None = None
    heading: str = ""

    def __str__(self) -> str:
        return self.text("en")

    def text(self, lang: str) -> str:
        """The place in "en" or "ja"; empty where there is none."""
        parts = []
        if self.row is not None:
            parts.append(f"{self.row} 行目" if lang == "ja" else f"row {self.row}")
        if self.column is not None:
            name = column_name(self.column)
            parts.append(f"{name} 列" if lang == "ja" else f"column {name}")
        if self.heading:
            heading = cut(self.heading)
            parts.append(f"「{heading}」" if lang == "ja" else f"“{heading}”")
        return " ".join(parts) if lang == "ja" else ", ".join(parts)


class FileRefusedError(KoatsuError):
    """A file of which nothing was taken in; ``place`` says where the first thing wrong stands.

    Args:
        file: how the person calls the file.
        cause: what was found and what was expected.
        place: where.
    """

    def __init__(self, file: str, cause: CellError, place: Place | None = None) -> None:
        self.file, self.place = hide_points(file), place or Place()
        where, where_ja = self.place.text("en"), self.place.text("ja")
        super().__init__(
            f"{self.file}{', ' + where if where else ''}: {cause.en}.",
            ja=f"{self.file}{' ' + where_ja if where_ja else ''}: {cause.ja}。",
            hint=f"Expected: {cause.expected}. Nothing was imported."
            if cause.expected
            else "Nothing was imported.",
            hint_ja=f"正しい形: {cause.expected_ja}。何も取り込んでいません。"
            if cause.expected_ja
            else "何も取り込んでいません。",
        )
