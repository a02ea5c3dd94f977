"""Supply point numbers (供給地点特定番号): 22 digits; no check digit is known, so none is checked.

Lists, logs and sentences show a number masked: the two digits of its area and the last four.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from koatsu.desk.plain_text import TextRefused, bare_digits
from koatsu.desk.words import Words

__all__ = ["DIGITS", "hide_numbers", "in_area", "masked", "read_point_number", "spaced"]

DIGITS: Final = 22
_HIDDEN: Final = "····"
_SHOWN: Final = (2, 4)  #: digits that a mask leaves at the beginning and at the end
_ANY_HYPHEN: Final = "[-\\s\u2010-\u2015\u2212\u30fc\uff0d\uff70]*"
_LOOKS_LIKE: Final = re.compile(f"(?:[0-9\uff10-\uff19]{_ANY_HYPHEN}){{14,}}")


def read_point_number(text: str) -> str:
    """The number that somebody typed, as its 22 digits.

    Full-width digits, hyphens and spaces are understood.

    Raises:
        TextRefused: it is none; the sentence does not repeat it.
    """
    if len(text) == DIGITS and text.isascii() and text.isdigit():
        return text
    digits = bare_digits(text.strip())
    if not digits:
        raise TextRefused(Words("供給地点特定番号を書いてください。", "Write the supply point number."))
    if not (digits.isascii() and digits.isdigit()):
        raise TextRefused(
            Words(
                f"供給地点特定番号は {DIGITS} けたの数字です。数字でない文字があります。",
                f"A supply point number has {DIGITS} digits; this holds something else.",
            )
        )
    if len(digits) != DIGITS:
        raise TextRefused(
            Words(
                f"供給地点特定番号は {DIGITS} けたです({len(digits)} けたあります)。",
                f"A supply point number has {DIGITS} digits, this one {len(digits)}.",
            )
        )
    return digits


def masked(number: str) -> str:
    """The number for lists and logs: ``07-····-····-····-····-0431``.

    Whatever else stands in its place (a wrong number in a file) shows its last four characters at most.
    """
    first, last = _SHOWN
    if len(number) == DIGITS and number.isascii() and number.isdigit():
        return "-".join(
            (number[:first], *[_HIDDEN] * ((DIGITS - first - last) // len(_HIDDEN)), number[-last:])
        )
    bare = number.strip()
    return f"{_HIDDEN}{bare[-last:]}" if len(bare) > 2 * last else _HIDDEN if bare else ""


def spaced(number: str) -> str:
    """The whole number in groups, as slips print it, for those who may see it: ``07-0012-3456-…-0431``."""
    first = _SHOWN[0]
    return "-".join((number[:first], *(number[at : at + 4] for at in range(first, len(number), 4))))


def hide_numbers(text: str) -> str:
    """``text`` with everything masked that looks like a supply point number, wherever it stands."""
    return _LOOKS_LIKE.sub(lambda found: masked(bare_digits(found[0])), text)


def in_area(number: str, prefixes: Collection[str]) -> bool:
    """Whether the number begins with one of the utility's area prefixes."""
    return number.startswith(tuple(prefixes))
