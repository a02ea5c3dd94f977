"""Dates, clock times and energies as people and spreadsheets write them in Japan, to exact values.

Full-width digits and signs count as their plain forms. Years are those of the common era or of an era
(令和, 平成). What could mean two things is refused, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Final

from koatsu.ems.exchange.refusals import CellError, cut

__all__ = [
    "EARLIEST",
    "MIDNIGHT",
    "clean",
    "read_clock",
    "read_day",
    "read_energy",
    "read_instant",
    "read_span",
]

EARLIEST: Final = date(2000, 1, 1)  #: no half-hour record is older; an earlier date is a wrong year
LATEST: Final = date(2099, 12, 31)  #: nor is any later
MIDNIGHT: Final = 24 * 60  #: 24:00 in minutes
_HALF: Final = 30

_ERAS: Final = {
    "令和": (2018, date(2019, 5, 1), date.max),
    "R": (2018, date(2019, 5, 1), date.max),
    "平成": (1988, date(1989, 1, 8), date(2019, 4, 30)),
    "H": (1988, date(1989, 1, 8), date(2019, 4, 30)),
}
_WEEKDAYS: Final = "月火水木金土日"
_WEEKDAY: Final = re.compile(r"(?a)\s*\(([月火水木金土日])(?:曜日?)?\)$")
_COMMON: Final = re.compile(r"(?a)(\d{4})(?:([/\-.])(\d{1,2})\2(\d{1,2})|年(\d{1,2})月(\d{1,2})日)")
_ERA: Final = re.compile(
    r"(令和|平成|R|H)\s?(元|\d{1,2})(?:年(\d{1,2})月(\d{1,2})日|([/\-.])(\d{1,2})\5(\d{1,2}))"
)
_BARE: Final = re.compile(r"(?a)(\d{4})(\d{2})(\d{2})")
_CLOCK: Final = re.compile(r"(?a)(\d{1,2})(?::(\d{2})(?::(\d{2}))?|時(?:(\d{1,2})分)?)")
_CLOCK_BARE: Final = re.compile(r"(?a)(\d{2})(\d{2})")
_DASHES: Final = "~〜-–—―‐−"  # NFKC leaves the wave dash and the minus sign as they are
_OFFSET: Final = re.compile(r"(?a)(?:Z|[+-]\d{2}:?\d{2})$")
_NUMBER: Final = re.compile(r"(?a)\d{1,12}(?:\.\d{1,9})?|\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,9})?")
_NOTHING: Final = frozenset({"", "-", "ー", "―", "−", "欠測"})

_DAY_FORMS: Final = "2026/4/1, 2026-04-01, 20260401, 2026年4月1日, 令和8年4月1日"
_CLOCK_FORMS: Final = "0:00, 00:30, 23:30, 24:00"


def clean(text: str) -> str:
    """``text`` with full-width letters, digits and signs in their plain forms, without space around it."""
    return unicodedata.normalize("NFKC", text).strip()


def read_day(text: str) -> date:
    """A date.

    Raises:
        CellError: it is none, its weekday is another one, or no half hours were recorded in that year.
    """
    plain = clean(text)
    weekday = _WEEKDAY.search(plain)
    bare = plain[: weekday.start()] if weekday else plain
    day = _common(bare) or _era(bare, text)
    if day is None:
        raise CellError(
            f"“{cut(text)}” is not a date",
            f"「{cut(text)}」は日付ではありません",
            expected=_DAY_FORMS,
            expected_ja=_DAY_FORMS,
        )
    if not EARLIEST <= day <= LATEST:
        raise CellError(
            f"“{cut(text)}” lies in a year without half-hour records",
            f"「{cut(text)}」は 30 分値の記録がない年です",
            expected="the year of the data",
            expected_ja="データの年",
        )
    if weekday and _WEEKDAYS[day.weekday()] != weekday[1]:
        raise CellError(
            f"“{cut(text)}” does not fall on that day of the week",
            f"「{cut(text)}」は曜日が合いません",
            expected=f"{day.isoformat()} is a {day:%A}; is the year right?",
            expected_ja=f"{day.isoformat()} は{_WEEKDAYS[day.weekday()]}曜日(年を確かめてください)",
        )
    return day


def _common(text: str) -> date | None:
    found = _COMMON.fullmatch(text)
    if found:
        year, _, month, day, month_ja, day_ja = found.groups()
        return _date(int(year), int(month or month_ja), int(day or day_ja))
    found = _BARE.fullmatch(text)
    return _date(*(int(part) for part in found.groups())) if found else None


def _era(text: str, written: str) -> date | None:
    found = _ERA.fullmatch(text)
    if not found:
        return None
    before, first, last = _ERAS[found[1]]
    year = before + (1 if found[2] == "元" else int(found[2]))
    day = _date(year, int(found[3] or found[6]), int(found[4] or found[7]))
    if day is not None and not first <= day <= last:
        raise CellError(
            f"“{cut(written)}” does not lie in that era",
            f"「{cut(written)}」はその元号の期間にありません",
            expected=_DAY_FORMS,
            expected_ja=_DAY_FORMS,
        )
    return day


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def read_clock(text: str) -> int:
    """A clock time on a half hour as minutes since midnight, 0 to 1440 (24:00).

    Raises:
        CellError: it is none, or not on a half hour.
    """
    plain = clean(text)
    minutes = _minutes(plain)
    if minutes is None:
        raise CellError(
            f"“{cut(text)}” is not a time of day",
            f"「{cut(text)}」は時刻ではありません",
            expected=_CLOCK_FORMS,
            expected_ja=_CLOCK_FORMS,
        )
    if minutes % _HALF:
        raise CellError(
            f"“{cut(text)}” is not on a half hour",
            f"「{cut(text)}」は 30 分の区切りではありません",
            expected=_CLOCK_FORMS,
            expected_ja=_CLOCK_FORMS,
        )
    return minutes


def _minutes(plain: str) -> int | None:
    found = _CLOCK.fullmatch(plain)
    if found:
        hour, minute, second, minute_ja = found.groups()
        hours, minutes = int(hour), int(minute or minute_ja or 0)
        if second and int(second):
            return None
    else:
        found = _CLOCK_BARE.fullmatch(plain)
        if not found:
            return None
        hours, minutes = int(found[1]), int(found[2])
    if minutes > 59 or hours * 60 + minutes > MIDNIGHT:
        return None
    return hours * 60 + minutes


def read_span(text: str) -> int:
    """The first minute of a half hour written with both its ends, such as ``0:00～0:30``; 0 to 1410.

    Raises:
        CellError: it is none, or not one half hour long.
    """
    plain = clean(text)
    for dash in _DASHES:
        first, found, last = plain.partition(dash)
        if found:
            start, end = read_clock(first), read_clock(last)
            if (end or MIDNIGHT) - start == _HALF:
                return start
            break
    raise CellError(
        f"“{cut(text)}” is not one half hour",
        f"「{cut(text)}」は 30 分の時間帯ではありません",
        expected="0:00-0:30",
        expected_ja="0:00〜0:30",
    )


def read_instant(text: str) -> tuple[date, int]:
    """A date with a time of day: the date as written, and the minutes since its midnight (0 to 1440).

    Raises:
        CellError: it is none, not on a half hour, or in another time zone than +09:00.
    """
    plain = clean(text)
    bare = plain
    zone = _OFFSET.search(plain) if ":" in plain and ("T" in plain or " " in plain) else None
    if zone:
        bare = plain[: zone.start()].rstrip()
        if zone[0].replace(":", "") != "+0900":
            raise CellError(
                f"“{cut(text)}” is not in Japan Standard Time",
                f"「{cut(text)}」は日本標準時ではありません",
                expected="times in JST, without an offset or with +09:00",
                expected_ja="日本標準時(オフセットなし、または +09:00)",
            )
    if re.fullmatch(r"(?a)\d{12}", bare):
        return read_day(bare[:8]), read_clock(bare[8:])
    for mark in ("T", " "):
        day, found, clock = bare.rpartition(mark)
        if found and day:
            return read_day(day), read_clock(clock)
    raise CellError(
        f"“{cut(text)}” is not a date with a time",
        f"「{cut(text)}」は日時ではありません",
        expected="2026/4/1 0:30, 2026-04-01T00:30:00+09:00, 202604010030",
        expected_ja="2026/4/1 0:30、2026-04-01T00:30:00+09:00、202604010030",
    )


def read_energy(text: str) -> Decimal | None:
    """An energy in kWh, not negative, without needless zeros; ``None`` for an empty cell.

    Raises:
        CellError: it is no plain number.
    """
    plain = clean(text)
    if plain in _NOTHING:
        return None
    if not _NUMBER.fullmatch(plain):
        what = (
            ("an energy of a slot is not negative", "30 分電力量は負になりません")
            if plain[0] in "-−"
            else None
        )
        raise CellError(
            f"“{cut(text)}” is not a number of kWh" + (f": {what[0]}" if what else ""),
            f"「{cut(text)}」は kWh の数値ではありません" + (f"({what[1]})" if what else ""),
            expected="1234.5 or 1,234.5; an empty cell where there is no value",
            expected_ja="1234.5 または 1,234.5(値がなければ空欄)",
        )
    value = Decimal(plain.replace(",", ""))
    return value.normalize() if value % 1 else value.quantize(Decimal(1))
