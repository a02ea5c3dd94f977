"""What stands on a form: every field may be empty, an empty one is a line to write on.

Fields that a case has too are called as in ``tables/fields.toml`` and are as long at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from koatsu.desk.errors import InputError
from koatsu.desk.fields import FIELDS
from koatsu.desk.point_numbers import DIGITS
from koatsu.desk.words import Words

__all__ = ["CONTENT_WORDS", "FormContent", "FormKind"]

WAYS: Final = ("post", "counter")
"""How paper reaches an office."""


class FormKind(StrEnum):
    """Which form."""

    APPLICATION = "application"
    ENDING = "ending"


_OWN: Final[dict[str, tuple[Words, int]]] = {
    "utility": (Words("電力会社の名称", "name of the utility"), 60),
    "office": (Words("提出先の事業所", "office"), 60),
    "office_postal_code": (Words("提出先の郵便番号", "postal code of the office"), 7),
    "office_address": (Words("提出先の住所", "address of the office"), 160),
    "office_phone": (Words("提出先の電話番号", "telephone of the office"), 20),
    "case_number": (Words("受付番号", "case number"), 40),
    "supply_point": (FIELDS["supply_point"].words, DIGITS),
    "place": (Words("ご使用場所", "place of use"), 200),
    "postal_code": (FIELDS["postal_code"].words, 7),
    "contract_kw": (Words("契約電力", "contract power"), 12),
    "ems_certified": (Words("SMA 認証の有無", "whether the EMS is certified"), 3),
}
"""Fields that a case does not have, or has in another form: name and greatest length."""

CONTENT_WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {name: field.words for name, field in FIELDS.items()} | {name: words for name, (words, _) in _OWN.items()}
)
"""What people call the fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormContent:
    """The values of a form.

    Postal codes are 7 digits, the supply point number 22, dates ``date`` or ``None``. ``supply`` is one of
    utility, other, self; ``sells`` yes, no, unknown; ``ems_certified`` and ``terms_accepted`` yes or no.
    ``hand_in`` says how the office takes paper: post, counter.

    Raises:
        InputError: a value is too long or cannot be what the field is; every such field is named.
    """

    kind: FormKind
    utility: str = ""
    office: str = ""
    office_postal_code: str = ""
    office_address: str = ""
    office_phone: str = ""
    hand_in: tuple[str, ...] = WAYS
    case_number: str = ""
    made_on: date | None = None
    supply_point: str = ""
    place: str = ""
    customer_name: str = ""
    customer_kana: str = ""
    contact_name: str = ""
    department: str = ""
    phone: str = ""
    email: str = ""
    postal_code: str = ""
    address: str = ""
    supply: str = ""
    retailer: str = ""
    contract_kw: str = ""
    ems_maker: str = ""
    ems_model: str = ""
    ems_certificate: str = ""
    ems_certified: str = ""
    sells: str = ""
    wished_on: date | None = None
    terms_version: str = ""
    terms_accepted: str = ""
    remarks: str = ""

    def __post_init__(self) -> None:
        """Refuse what the form has no room for, or could only show wrongly."""
        wrong = {name: words for name in self._texts() if (words := self._wrong(name)) is not None}
        if set(self.hand_in) - set(WAYS):
            wrong["hand_in"] = Words("提出方法は郵送か窓口です。", "Paper goes by post or to the counter.")
        if wrong:
            raise InputError(wrong)

    def data(self) -> dict[str, object]:
        """The values as a template gets them: dates are ISO, or empty."""
        texts: dict[str, object] = {name: getattr(self, name) for name in self._texts()}
        return texts | {
            "kind": self.kind.value,
            "hand_in": list(self.hand_in),
            "made_on": self.made_on.isoformat() if self.made_on else "",
            "wished_on": self.wished_on.isoformat() if self.wished_on else "",
        }

    @classmethod
    def _texts(cls) -> tuple[str, ...]:
        return tuple(one.name for one in fields(cls) if one.type == "str")

    def _wrong(self, name: str) -> Words | None:
        value, words = getattr(self, name), CONTENT_WORDS[name]
        longest = _OWN[name][1] if name in _OWN else FIELDS[name].longest
        if not value:
            return None
        if name in _CODES and value not in _CODES[name]:
            return Words(f"{words.ja}に「{value}」は選べません。", f"{words.en} cannot be {value!r}.")
        if name in _DIGITS and not (value.isascii() and value.isdigit() and len(value) == _DIGITS[name]):
            return Words(
                f"{words.ja}は {_DIGITS[name]} けたの数字です。", f"{words.en} has {_DIGITS[name]} digits."
            )
        if len(value) > longest:
            return Words(
                f"{words.ja}は {longest} 文字までです({len(value)} 文字あります)。",
                f"{words.en} has at most {longest} characters, not {len(value)}.",
            )
        return None


_DIGITS: Final = {"supply_point": DIGITS, "postal_code": 7, "office_postal_code": 7}
_CODES: Final = {
    "supply": {"utility", "other", "self"},
    "sells": {"yes", "no", "unknown"},
    "ems_certified": {"yes", "no"},
    "terms_accepted": {"yes", "no"},
}
