"""What comes in for the fields of a step: cleaned by the table of fields, or one sentence for each wrong one.

Text is kept exactly as it was written, rare kanji and their variants included; what no machine can show alike
is refused. Nothing is half-taken: with one wrong field, none is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Final

from koatsu.desk.errors import InputError
from koatsu.desk.fields import FIELDS, Field, Kind
from koatsu.desk.plain_text import TextRefused, kept_text, read_postal
from koatsu.desk.point_numbers import read_point_number
from koatsu.desk.words import Words

__all__ = ["clean", "read_day"]

_PHONE: Final = re.compile(r"\+?[0-9]{2,5}(?:[-() ]{0,2}[0-9]{1,5}){1,4}")
_EMAIL: Final = re.compile(
    r"[^\s@<>,;\"\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?\.[A-Za-z]{2,24}"
)
_WIDE: Final = str.maketrans("0123456789-−()+.@", "0123456789--()+.@")
_FURTHEST_YEARS: Final = 5  #: a day further away than that is a slip of the pen


def clean(
    values: Mapping[str, str], allowed: Collection[str], required: Collection[str], today: date
) -> dict[str, str]:
    """The values as they are kept, of ``allowed`` fields alone; an empty one says that the field is empty.

    Args:
        values: what was typed, by field.
        allowed: the fields that may be given; others are refused.
        required: those that must hold something.
        today: the day in Japan.

    Raises:
        InputError: with one sentence for each field that is wrong.
    """
    wrong: dict[str, Words] = {}
    kept: dict[str, str] = {}
    for name, value in values.items():
        if name not in allowed:
            wrong[name] = Words(
                f"「{name}」という項目はここにはありません。", f"There is no field {name!r} here."
            )
            continue
        try:
            kept[name] = _cleaned(FIELDS[name], value, today)
        except TextRefused as error:
            wrong[name] = _named(FIELDS[name], error.words)
    for name in required:
        if name not in wrong and not kept.get(name):
            wrong[name] = _missing(FIELDS[name])
    if wrong:
        raise InputError(wrong)
    return kept


def read_day(text: str) -> date:
    """A day as it was typed: 2026-07-15, 2026/7/15 or 2026年7月15日.

    Raises:
        TextRefused: it is none.
    """
    numbers = re.findall(r"[0-9]+", text.translate(_WIDE))
    shape = re.sub(r"[0-9]+", "9", text.translate(_WIDE)).strip()
    if shape in ("9-9-9", "9/9/9", "9.9.9", "9年9月9日"):
        try:
            return date(*map(int, numbers))
        except ValueError:
            pass  # told below, with all that is no day
    raise TextRefused(Words("日付を 2026-07-15 のように書いてください。", "Write a day such as 2026-07-15."))


def _cleaned(field: Field, value: str, today: date) -> str:
    if field.kind is Kind.LONG:
        lines = [kept_text(line, field.longest) for line in value.replace("\r\n", "\n").split("\n")]
        return kept_text(" ".join(lines), field.longest) and "\n".join(lines).strip()
    if field.kind is Kind.TEXT:
        return kept_text(value, field.longest)
    text = value.strip()
    if not text:
        return ""
    if field.kind is Kind.DATE:
        return _day(field, text, today)
    if field.kind is Kind.POINT:
        return read_point_number(text)
    if field.kind is Kind.POSTAL:
        return read_postal(text)
    if field.kind is Kind.CHOICE:
        return _choice(field, text)
    plain = text.translate(_WIDE)
    pattern, sentence = (
        (
            _PHONE,
            Words(
                "電話番号を 092-000-0000 のように書いてください。",
                "Write a telephone number such as 092-000-0000.",
            ),
        )
        if field.kind is Kind.PHONE
        else (_EMAIL, Words("メールアドレスを確かめてください。", "Check the e-mail address."))
    )
    if len(plain) > field.longest or not pattern.fullmatch(plain):
        raise TextRefused(sentence)
    return plain


def _choice(field: Field, text: str) -> str:
    if text not in dict(field.choices):
        names_ja = "、".join(words.ja for _, words in field.choices)
        names_en = ", ".join(code for code, _ in field.choices)
        raise TextRefused(Words(f"{names_ja} から選んでください。", f"Choose one of {names_en}."))
    return text


def _day(field: Field, text: str, today: date) -> str:
    day = read_day(text)
    if field.days == "future" and day < today:
        raise TextRefused(
            Words(
                f"{day} は過ぎています。きょう({today})以降の日を書いてください。",
                f"{day} is past; write today ({today}) or a later day.",
            )
        )
    if field.days == "past" and day > today:
        raise TextRefused(
            Words(
                f"{day} はまだ来ていません。きょう({today})までの日を書いてください。",
                f"{day} has not come yet; write today ({today}) or an earlier day.",
            )
        )
    if abs(day.year - today.year) > _FURTHEST_YEARS:
        raise TextRefused(
            Words(
                f"{day} は離れすぎています。年を確かめてください。", f"{day} is too far away; check the year."
            )
        )
    return day.isoformat()


def _missing(field: Field) -> Words:
    return Words(f"「{field.words.ja}」を書いてください。", f"Fill in “{field.words.en}”.")


def _named(field: Field, why: Words) -> Words:
    return Words(f"{field.words.ja}:{why.ja}", f"{field.words.en}: {why.en}")
