"""What a cell or a field of a register holds: from what people write to a value, and back.

Every kind has a reader, which raises ``TextRefused`` with one sentence, and a writer, whose text the reader
understands: what is exported can be imported.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Final, NamedTuple

from koatsu.desk.plain_text import (
    TextRefused,
    folded,
    kept_text,
    postal_prefix,
    read_postal,
    shown_postal,
)
from koatsu.desk.point_numbers import read_point_number
from koatsu.desk.words import Words

__all__ = [
    "KINDS",
    "CellKind",
    "Choice",
    "Value",
    "read_choice",
    "read_code",
    "read_day",
    "read_flag",
    "read_kw",
]

Value = str | int | bool | None

_EARLIEST, _LATEST = date(1900, 1, 1), date(2099, 12, 31)
_MOST_KW: Final = 9_999_999
_LONGEST_CODE: Final = 32
_LONGEST_PHONE, _LONGEST_EMAIL = 20, 254

_REIWA = (2018, date(2019, 5, 1), date.max)
_HEISEI = (1988, date(1989, 1, 8), date(2019, 4, 30))
_SHOWA = (1925, date(1926, 12, 25), date(1989, 1, 7))
# the year before the first one, the first day, the last
_ERAS: Final = {"令和": _REIWA, "r": _REIWA, "平成": _HEISEI, "h": _HEISEI, "昭和": _SHOWA, "s": _SHOWA}
_COMMON: Final = re.compile(
    r"(?a)(\d{4})(?:([/\-.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日|(\d{2})(\d{2}))"
)
_ERA: Final = re.compile(
    r"(?a)(令和|平成|昭和|r|h|s)\s?(元|\d{1,2})(?:年(\d{1,2})月(\d{1,2})日|([/\-.])(\d{1,2})\5(\d{1,2}))"
)
_KW: Final = re.compile(r"(?a)(\d{1,7}|\d{1,3}(?:,\d{3}){1,2})(?:\.0+)?\s*(?:kw)?")
_CODE: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PHONE: Final = re.compile(r"(?a)\+?[\d()][\d() -]*\d")
_EMAIL: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")

_YES: Final = frozenset(
    map(folded, ("yes", "y", "true", "1", "はい", "有", "あり", "該当", "対応", "○", "〇", "◯"))
)
_NO: Final = frozenset(
    map(folded, ("no", "n", "false", "0", "いいえ", "無", "なし", "非該当", "非対応", "×", "✕"))
)

Choice = tuple[tuple[str, tuple[str, ...]], ...]
"""Codes, each with the names that people write: the Japanese one, the English one, then others."""


class CellKind(NamedTuple):
    """A kind of cell: how its text is read, and how its value is written."""

    read: Callable[[str], Value]
    write: Callable[[Value], str]


def read_day(text: str) -> str:
    """A day of 1900 to 2099 in any of the forms in use, as ISO text.

    Raises:
        TextRefused: it is none.
    """
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    try:
        day = _common_day(plain) or _era_day(plain)
    except ValueError:  # no such day in the calendar
        day = None
    if day is None or not _EARLIEST <= day <= _LATEST:
        raise TextRefused(
            Words(
                "日付として読めません(例 2026/4/1、2026-04-01、20260401、令和8年4月1日)。",
                "This is not a date (such as 2026/4/1, 2026-04-01 or 20260401).",
            )
        )
    return day.isoformat()


def _common_day(plain: str) -> date | None:
    found = _COMMON.fullmatch(plain)
    if found is None:
        return None
    year, _, *rest = found.groups()
    month, day = (int(part) for part in rest if part)
    return date(int(year), month, day)


def _era_day(plain: str) -> date | None:
    found = _ERA.fullmatch(plain)
    if found is None:
        return None
    before, first, last = _ERAS[found[1]]
    year = before + (1 if found[2] == "元" else int(found[2]))
    day = date(year, int(found[3] or found[6]), int(found[4] or found[7]))
    return day if first <= day <= last else None


def read_kw(text: str) -> int:
    """A contract power in whole kW.

    Raises:
        TextRefused: it is none.
    """
    found = _KW.fullmatch(unicodedata.normalize("NFKC", text).strip().casefold())
    value = int(found[1].replace(",", "")) if found else 0
    if not 1 <= value <= _MOST_KW:
        raise TextRefused(
            Words(
                f"契約電力は 1〜{_MOST_KW:,} の整数(kW)です。",
                f"Contract power is a whole number of kW from 1 to {_MOST_KW:,}.",
            )
        )
    return value


def read_code(text: str) -> str:
    """A code of an office or a retailer: letters and digits in their plain forms, with . _ - between.

    Raises:
        TextRefused: it is none.
    """
    code = unicodedata.normalize("NFKC", text).strip()
    if len(code) > _LONGEST_CODE or not _CODE.fullmatch(code):
        raise TextRefused(
            Words(
                f"コードは英数字と . _ - で {_LONGEST_CODE} 文字までです。",
                f"A code consists of up to {_LONGEST_CODE} letters, digits and . _ - between them.",
            )
        )
    return code


def read_flag(text: str) -> bool:
    """Yes or no.

    Raises:
        TextRefused: it is neither.
    """
    said = folded(text)
    if said in _YES or said in _NO:
        return said in _YES
    raise TextRefused(Words("「はい」か「いいえ」で書いてください。", "Write yes or no."))


def read_choice(text: str, choices: Choice) -> str:
    """The code of one of several things, written as its code or any of its names.

    Raises:
        TextRefused: it is none of them.
    """
    said = folded(text)
    for code, names in choices:
        if said == folded(code) or said in map(folded, names):
            return code
    raise TextRefused(
        Words(
            f"{'、'.join(names[0] for _, names in choices)} のいずれかを書いてください。",
            f"Write one of: {', '.join(names[1] for _, names in choices)}.",
        )
    )


def _read_phone(text: str) -> str:
    phone = unicodedata.normalize("NFKC", text).strip()
    phone = re.sub("[\u2010-\u2015\u2212\u30fc]", "-", phone)
    if len(phone) > _LONGEST_PHONE or not _PHONE.fullmatch(phone):
        raise TextRefused(
            Words(
                "電話番号として読めません(例 092-123-4567)。",
                "This is not a telephone number (such as 092-123-4567).",
            )
        )
    return phone


def _read_email(text: str) -> str:
    email = unicodedata.normalize("NFKC", text).strip()
    if len(email) > _LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise TextRefused(Words("メールアドレスとして読めません。", "This is not an e-mail address."))
    return email


def _plain(value: Value) -> str:
    return "" if value is None else str(value)


def _postal(value: Value) -> str:
    return shown_postal(_plain(value))


def _flag(value: Value) -> str:
    return "はい" if value else "いいえ"


KINDS: Final[dict[str, CellKind]] = {
    "point": CellKind(read_point_number, _plain),
    "postal": CellKind(read_postal, _postal),
    "prefix": CellKind(postal_prefix, _postal),
    "code": CellKind(read_code, _plain),
    "day": CellKind(read_day, _plain),
    "kw": CellKind(read_kw, _plain),
    "flag": CellKind(read_flag, _flag),
    "phone": CellKind(_read_phone, _plain),
    "email": CellKind(_read_email, _plain),
    "text": CellKind(kept_text, _plain),  # its length is the column's
}
"""Every kind but ``choice``, which has a reader of its own for each column."""
