"""What cannot be printed or written, with the place and the way out, in both languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from koatsu.errors import KoatsuError, UsageError
from koatsu.render.characters import code_points

__all__ = ["CellError", "MissingGlyph", "MissingGlyphError", "RenderError", "TemplateError"]

_SHOWN: Final = 5
"""So many characters are named in the sentence; the error carries all of them."""


class RenderError(KoatsuError):
    """A document could not be made; nothing was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingGlyph:
    """A character that cannot be printed: ``text`` with its marks and selectors, and where it stands."""

    text: str
    field: str  #: the path in the data: ``customer_name``, ``rows[2].label``

    @property
    def code(self) -> str:
        """Its code points: ``U+1F600``."""
        return code_points(self.text)

    @property
    def shown(self) -> str:
        """The character itself and its code points; the code points alone where it shows nothing."""
        return f"{self.text} ({self.code})" if self.text.isprintable() else self.code


class MissingGlyphError(RenderError, UsageError):
    """Characters that the fonts of the documents do not have.

    Args:
        missing: each character once a field, at least one.
        names: what people call the fields, Japanese and English; a field that is not there is named as it is.
    """

    def __init__(
        self, missing: Sequence[MissingGlyph], names: Mapping[str, tuple[str, str]] | None = None
    ) -> None:
        named = [
            (one.shown, (names or {}).get(one.field, (one.field, one.field))) for one in missing[:_SHOWN]
        ]
        more = len(missing) - len(named)
        listed = "、".join(f"「{field[0]}」の {shown}" for shown, field in named)
        listed_en = ", ".join(f"{shown} in {field[1]}" for shown, field in named)
        super().__init__(
            f"These characters cannot be printed: {listed_en}{f' and {more} more' if more else ''}.",
            ja=f"印刷できない文字があります: {listed}{f' ほか{more}字' if more else ''}。",
            hint="Write another form of the character, or its reading in kana.",
            hint_ja="別の字体か、読みのかなに置きかえてください。",
        )
        self.missing = tuple(missing)


class TemplateError(RenderError):
    """A template that cannot be used: it does not compile, or asks for what it may not have.

    Args:
        name: the file as whoever keeps the templates knows it.
        reason: what the compiler said, in its own words.
        line: where, counted from 1; ``None`` where it is the whole file.
    """

    def __init__(self, name: str, reason: str, line: int | None = None) -> None:
        at = f"line {line}: " if line else ""
        at_ja = f"{line} 行目: " if line else ""
        super().__init__(
            f"The template {name} does not work ({at}{reason}).",
            ja=f"テンプレート {name} に誤りがあります({at_ja}{reason})。",
            hint="Correct the file, or take it away: the built-in template is used then.",
            hint_ja="ファイルを直すか、取り除いてください。取り除くと標準のテンプレートを使います。",
        )
        self.name, self.reason, self.line = name, reason, line


class CellError(RenderError, UsageError):
    """A value that does not fit its column; ``row`` counts from 1, without the line of titles."""

    def __init__(self, title: str, row: int, reason: str, reason_ja: str) -> None:
        super().__init__(
            f"Row {row}, column {title}: {reason}.",
            ja=f"{row} 行目の「{title}」: {reason_ja}。",
        )
        self.title, self.row = title, row
