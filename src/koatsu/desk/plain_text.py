"""Text of registers: kept exactly as written, compared and searched folded, shown in sentences cut short.

Rare kanji and their variants (surrogate pairs, variation sequences, compatibility ideographs) are never
normalised away: only keys for comparing are. What no machine can show alike is refused: lone surrogates,
control and direction signs, characters of private use (外字).
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from koatsu.desk.words import Words

__all__ = [
    "TextRefused",
    "bare_digits",
    "folded",
    "folded_words",
    "kept_text",
    "postal_prefix",
    "read_postal",
    "shown_postal",
]

LONGEST: Final = 160  #: characters of a text, where nothing else is said
POSTAL_DIGITS: Final = 7

_SURROGATES: Final = re.compile("[\ud800-\udfff\ufffd]")
_PRIVATE: Final = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")
_UNSEEN: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff0-\ufffc"
    "\ufffe\uffff\U000e0000-\U000e00ff]"
)
_UNSOUND: Final = re.compile(f"{_SURROGATES.pattern}|{_PRIVATE.pattern}|{_UNSEEN.pattern}")

# hyphens, dashes, minus signs and long-vowel marks, of both widths
_DASHES: Final = "-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\ufe63\uff0d\uff70"
_VARIATIONS: Final = [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
_SMALL: Final = dict(zip("ぁぃぅぇぉっゃゅょゎゕゖ", "あいうえおつやゆよわかけ", strict=True))
_HIRAGANA: Final = [chr(at) for at in range(ord("ぁ"), ord("ゖ") + 1)]
_KANA: Final = {  # hiragana and katakana, small and large, to large hiragana
    ord(kana) + shift: _SMALL.get(kana, kana) for kana in _HIRAGANA for shift in (0, ord("ァ") - ord("ぁ"))
}
_DROPPED: Final = dict.fromkeys([*map(ord, _DASHES), *map(ord, "\u30fb\uff65"), *_VARIATIONS])
_FOLDED: Final = _KANA | _DROPPED
_WIDE_DIGITS: Final = {0xFF10 + digit: ord("0") + digit for digit in range(10)}
_SEPARATORS: Final = dict.fromkeys(map(ord, f" \t\u3000{_DASHES}"))
_DIGIT_SIGNS: Final = _WIDE_DIGITS | _SEPARATORS
_POSTAL_SIGNS: Final = _DIGIT_SIGNS | dict.fromkeys(map(ord, "〒〶"))


class TextRefused(ValueError):  # noqa: N818 - it says why a cell or a field is refused, and is caught there
    """A value that cannot be taken; ``words`` says why in one sentence."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.en)
        self.words = words


def kept_text(text: str, longest: int = LONGEST) -> str:
    """``text`` as it is kept: every character as written, without space around it.

    Raises:
        TextRefused: it is too long, or holds what cannot be shown.
    """
    kept = text.strip()
    if len(kept) > longest:
        raise TextRefused(
            Words(
                f"{longest} 文字までです({len(kept):,} 文字あります)。",
                f"At most {longest} characters fit; there are {len(kept):,}.",
            )
        )
    if _UNSOUND.search(kept):
        raise TextRefused(_why_unsound(kept))
    return kept


def _why_unsound(text: str) -> Words:
    if _SURROGATES.search(text):
        return Words(
            "文字として読めない部分があります。文字コードを確かめてください。",
            "A part of it cannot be read as text; check the encoding.",
        )
    if _PRIVATE.search(text):
        return Words(
            "外字が含まれています。ほかの機械では表示できないため、通常の文字に直してください。",
            "It holds a character of private use (gaiji), which other machines cannot show; write another.",
        )
    return Words("目に見えない制御文字が含まれています。", "It holds control characters that cannot be seen.")


@lru_cache(maxsize=65_536)
def folded(text: str) -> str:
    """``text`` as it is compared and searched.

    Full and half width, capitals, hiragana and katakana, small and large kana, hyphens, long-vowel marks,
    middle dots, spaces and variation selectors make no difference.
    """
    plain = unicodedata.normalize("NFKC", text)
    folds = plain.casefold()
    if folds != plain:
        plain = unicodedata.normalize("NFKC", folds)
    return "".join(plain.translate(_FOLDED).split())


def folded_words(text: str) -> tuple[str, ...]:
    """The words of what a person looks for, each as :func:`folded` gives it; none is empty."""
    parts = unicodedata.normalize("NFKC", text).split()
    return tuple(word for word in map(folded, parts) if word)


def bare_digits(text: str) -> str:
    """``text`` with full-width digits as plain ones, without hyphens and spaces; other letters stay."""
    return text.translate(_DIGIT_SIGNS)


def postal_prefix(text: str) -> str:
    """A postal code or the beginning of one, as 1 to 7 digits.

    Raises:
        TextRefused: it is none.
    """
    digits = text.translate(_POSTAL_SIGNS)
    if digits.isascii() and digits.isdigit() and len(digits) <= POSTAL_DIGITS:
        return digits
    raise TextRefused(
        Words(
            "郵便番号またはその先頭のけたを、数字で書いてください(例 812-0011、812)。",
            "Write a postal code or its first digits (such as 812-0011 or 812).",
        )
    )


def read_postal(text: str) -> str:
    """A postal code as its seven digits; full-width digits, a hyphen and 〒 are understood.

    Raises:
        TextRefused: it is none.
    """
    digits = text.translate(_POSTAL_SIGNS)
    if len(digits) == POSTAL_DIGITS and digits.isascii() and digits.isdigit():
        return digits
    raise TextRefused(
        Words("郵便番号は 7 けたの数字です(例 812-0011)。", "A postal code has 7 digits (such as 812-0011).")
    )


def shown_postal(digits: str) -> str:
    """Seven digits as people write them: 812-0011; a shorter beginning with a hyphen where one is due."""
    return f"{digits[:3]}-{digits[3:]}" if len(digits) > 3 else digits
