"""What can be seen on paper: characters as they are printed, and those that never show.

A cluster is a base character with the marks and variation selectors behind it. An ideographic variation
sequence (base + U+E0100 to U+E01EF) that the font knows is drawn as asked; one that it does not know falls
back to the glyph of its base, because the registered name is still readable and the difference is one of
shape. The selector stays in the text of the PDF either way. A selector without a base selects nothing and is
refused.
"""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["clusters", "code_points", "unseen", "written"]

#: Characters that draw nothing although Unicode calls them letters or marks (Default_Ignorable_Code_Point).
_BLANKS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u3164\uffa0")

#: Control, format, surrogate, private use, unassigned; separators of lines and paragraphs.
_NEVER: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def written(text: str) -> str:
    """The text as it is printed: every line end is a line feed, a tab is a space."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")


def clusters(text: str) -> list[str]:
    """The text in pieces that are drawn as one: a character, its combining marks, its variation selector."""
    found: list[str] = []
    for one in text:
        if found and _joins(one) and not found[-1].isspace():
            found[-1] += one
        else:
            found.append(one)
    return found


def unseen(text: str) -> tuple[str, ...]:
    """The characters of ``text`` that no font shows, each once; a line end is none of them."""
    found: dict[str, None] = {}
    for cluster in clusters(text):
        for one in cluster:
            if one != "\n" and (unicodedata.category(one) in _NEVER or one in _BLANKS):
                found[one] = None
        if _selects(cluster[0]):
            found[cluster[0]] = None
    return tuple(found)


def code_points(text: str) -> str:
    """``U+845B U+E0100``: how characters are named where they cannot be shown."""
    return " ".join(f"U+{ord(one):04X}" for one in text)


def _selects(one: str) -> bool:
    return "\ufe00" <= one <= "\ufe0f" or "\U000e0100" <= one <= "\U000e01ef"


def _joins(one: str) -> bool:
    return unicodedata.category(one).startswith("M")
