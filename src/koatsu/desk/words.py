"""What the desk says, in the two languages of its readers."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Words"]


class Words(NamedTuple):
    """One label or sentence, in Japanese and in English."""

    ja: str
    en: str

    def text(self, lang: str) -> str:
        """The words in ``lang`` ("ja" or "en")."""
        return self.ja if lang == "ja" else self.en

    def filled(self, **values: object) -> Words:
        """The same with values filled in."""
        return Words(self.ja.format(**values), self.en.format(**values))
