"""Every sentence of the pages, in Japanese and English, from one catalogue.

The files of ``strings`` hold one line a sentence: ``key = {ja = "…", en = "…"}`` under a table that names
its place; a place stands in one file. A key that does not exist is an error of the program and raises; codes
that come from outside (events, notes of a slot) are looked up with :meth:`Texts.for_code`, which has an
answer for the unknown ones too.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

__all__ = ["LANGUAGES", "Texts", "catalogue", "texts"]

_UNIT = re.compile(r"\} (?=kWh?\b|s\b|min\b|h\b|[秒分日時])")
LANGUAGES = ("ja", "en")  #: the first one is the default and has no prefix in its addresses


@cache
def catalogue() -> Mapping[str, Mapping[str, str]]:
    """All sentences: ``"place.key"`` → language → text."""
    found: dict[str, Mapping[str, str]] = {}
    for file in sorted(files("koatsu.web").joinpath("strings").iterdir(), key=lambda file: file.name):
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        read = {f"{place}.{key}": entry for place, entries in raw.items() for key, entry in entries.items()}
        if twice := found.keys() & read.keys():
            raise ValueError(f"{file.name} repeats {', '.join(sorted(twice))}")
        found |= read
    return found


class Texts:
    """The sentences of one language; call it with a key and the values to fill in."""

    def __init__(self, lang: str) -> None:
        if lang not in LANGUAGES:
            raise ValueError(f"the pages speak {', '.join(LANGUAGES)}, not {lang!r}")
        self.lang = lang
        self._sentences = {key: _unbroken(entry[lang]) for key, entry in catalogue().items()}

    def __call__(self, key: str, /, **values: object) -> str:
        """The sentence ``key`` with ``values`` filled in.

        Raises:
            KeyError: no such key, or a value that the sentence names was not given.
        """
        return self._sentences[key].format(**values) if values else self._sentences[key]

    def for_code(self, place: str, code: str, /, **values: object) -> str:
        """The sentence of a code that another part of the program reports.

        An unknown code, or one whose values do not fit its sentence, gives the general sentence of that
        place, which shows the code as it came.
        """
        sentence = self._sentences.get(f"{place}.{code}")
        if sentence is not None:
            try:
                return sentence.format(**values)
            except (KeyError, IndexError, ValueError):
                pass  # the general sentence says less, but never nothing
        return self._sentences[f"{place}.unknown"].format(code=code)

    @property
    def other(self) -> str:
        """The language that the link to the other language leads to."""
        return LANGUAGES[1 - LANGUAGES.index(self.lang)]

    @property
    def prefix(self) -> str:
        """What addresses of this language begin with: ``""`` or ``"/en"``."""
        return "" if self.lang == LANGUAGES[0] else f"/{self.lang}"


@cache
def texts(lang: str) -> Texts:
    """The sentences of ``lang`` ("ja" or "en"), loaded once."""
    return Texts(lang)


def _unbroken(sentence: str) -> str:
    """Keep a number and its unit on one line: the space between them becomes one that does not break."""
    return _UNIT.sub("}\u00a0", sentence)
