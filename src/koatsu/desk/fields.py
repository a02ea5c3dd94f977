"""Every value that a case can be given: the table ``tables/fields.toml``, read once.

Forms of pages, the API and the checks of what comes in are made from it. A field that is ``personal`` is kept
encrypted under the key of its customer; everything else stands in the case's facts in clear.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from typing import Any, Final

from koatsu.desk.words import Words

__all__ = ["FIELDS", "NO", "YES", "Field", "Kind"]

YES: Final = "yes"
NO: Final = "no"


class Kind(StrEnum):
    """What a value looks like."""

    TEXT = "text"  #: one line
    LONG = "long"  #: several lines
    DATE = "date"  #: ISO, a day of Japan
    CHOICE = "choice"
    POINT = "point"  #: a supply point number
    POSTAL = "postal"  #: a postal code, seven digits
    PHONE = "phone"
    EMAIL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. ``days`` bounds a date: "past" (today too), "future" (today too), or any."""

    name: str
    kind: Kind
    words: Words
    hint: Words | None = None
    choices: tuple[tuple[str, Words], ...] = ()
    personal: bool = False
    longest: int = 80
    days: str = ""

    def choice(self, code: str) -> Words:
        """The name of a choice; the code itself where there is none of that code."""
        return dict(self.choices).get(code, Words(code, code))


def _field(name: str, row: dict[str, Any]) -> Field:
    hint = row.get("hint")
    return Field(
        name=name,
        kind=Kind(row["kind"]),
        words=Words(row["ja"], row["en"]),
        hint=Words(**hint) if hint else None,
        choices=tuple((code, Words(**words)) for code, words in row.get("choices", {}).items()),
        personal=row.get("personal", False),
        longest=row.get("longest", 80),
        days=row.get("days", ""),
    )


def _load() -> dict[str, Field]:
    text = files("koatsu.desk").joinpath("tables/fields.toml").read_text(encoding="utf-8")
    return {name: _field(name, row) for name, row in tomllib.loads(text).items()}


FIELDS: Final[dict[str, Field]] = _load()
"""Every field by its name."""
