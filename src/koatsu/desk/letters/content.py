"""What a letter tells: whom, about which case, from which office, and the values of the step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, TypeAlias

from koatsu.desk.errors import InputError
from koatsu.desk.fields import Kind
from koatsu.desk.letters.notices import NoticeTable
from koatsu.desk.offices import Office
from koatsu.desk.point_numbers import masked, spaced
from koatsu.desk.words import Words

__all__ = ["LETTER_WORDS", "LetterContent", "Value", "codes_of", "day_words", "values_of"]

Value: TypeAlias = str | date | Words | Sequence[str | Words]

LETTER_WORDS: Final[dict[str, Words]] = {
    "customer_name": Words("お客さまの名称", "customer's name"),
    "department": Words("部署", "department"),
    "contact_name": Words("ご担当者", "contact person"),
    "address": Words("住所", "address"),
    "place": Words("ご使用場所", "place of use"),
    "case_number": Words("受付番号", "case number"),
}
"""What people call the values that are no details."""

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterContent:
    """The values of one letter.

    ``organisation``: whether the customer is a company or another body. ``language``: of the mail, "ja" or
    "en"; the letter on paper is Japanese. ``office``: who answers questions from now on. ``details``: values
    by the names of a case's fields or of ``letters.toml``; a date is a ``date`` or ISO text, a choice its
    code. Names that the notice does not use do no harm, so the facts of a case can be given as they are; a
    value that has an attribute of its own here is taken from that.
    """

    utility: Words
    office: Office
    made_on: date
    customer_name: str = ""
    organisation: bool = True
    department: str = ""
    contact_name: str = ""
    postal_code: str = ""  #: 7 digits, or empty
    address: str = ""
    language: str = "ja"
    case_number: str = ""
    supply_point: str = ""  #: 22 digits; a mail shows it masked
    place: str = ""
    site_url: str = ""
    details: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a language that there is not."""
        if self.language not in ("ja", "en"):
            raise InputError(
                {"language": Words("日本語か英語を選んでください。", "Choose Japanese or English.")}
            )


def day_words(day: date) -> Words:
    """A day as letters write it: 2026年5月15日(金)."""
    weekday = "月火水木金土日"[day.weekday()]
    return Words(
        f"{day.year}年{day.month}月{day.day}日({weekday})",
        f"{_WEEKDAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}",
    )


def codes_of(content: LetterContent) -> dict[str, str]:
    """The values as conditions ask for them: choices by their code, anything else empty or not."""
    found = {name: _code(value) for name, value in content.details.items()}
    return found | {
        "case_number": content.case_number,
        "supply_point": content.supply_point,
        "place": content.place,
    }


def values_of(
    content: LetterContent, table: NoticeTable, lang: str, *, mask: bool
) -> dict[str, tuple[str, ...]]:
    """The values as a letter in ``lang`` shows them, each as its lines; empty ones are left out.

    With ``mask`` the supply point number is cut to its last digits: mail is read on the way.

    Raises:
        InputError: a detail has a name that neither a case nor ``letters.toml`` knows, or is no date.
    """
    if unknown := sorted(content.details.keys() - table.fields.keys()):
        raise InputError(
            {name: Words(f"{name} という項目はありません。", f"There is no {name}.") for name in unknown}
        )
    point = content.supply_point
    lines: dict[str, tuple[str, ...]] = {
        "utility": (content.utility.text(lang),),
        "office": (content.office.name,),
        "case_number": (content.case_number,),
        "supply_point": ((masked(point) if mask else spaced(point)) if point else "",),
        "place": (content.place,),
    }
    for name, value in content.details.items():
        if name not in lines:
            lines[name] = _lines(name, value, table, lang)
    return {name: kept for name, shown in lines.items() if (kept := tuple(filter(None, shown)))}


def _code(value: Value) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, date | Words):
        return "yes"
    return "yes" if any(value) else ""


def _lines(name: str, value: Value, table: NoticeTable, lang: str) -> tuple[str, ...]:
    known = table.fields[name]
    match value:
        case Words():
            return tuple(value.text(lang).splitlines())
        case date():
            return (day_words(value).text(lang),)
        case str() if known.kind is Kind.DATE and value:
            return (day_words(_day(name, value)).text(lang),)
        case str() if known.kind is Kind.CHOICE:
            return (known.choice(value).text(lang),) if value else ()
        case str():
            return tuple(value.splitlines())
        case _:
            return tuple(one.text(lang) if isinstance(one, Words) else one for one in value)


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(
            {name: Words(f"「{text}」は日付ではありません。", f"{text!r} is no date.")}
        ) from None
