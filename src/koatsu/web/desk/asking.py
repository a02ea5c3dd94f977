"""Fields of the desk's table as a page asks for them: label, hint, choices, what was typed, what is wrong.

The labels and choices are those of :mod:`koatsu.desk.fields`; a page may say them in its own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import FormData

from koatsu.desk.errors import InputError
from koatsu.desk.fields import FIELDS, Kind
from koatsu.desk.words import Words
from koatsu.web.bodies import PLAIN_BYTES
from koatsu.web.forms import Errors, text_of

__all__ = ["AskedField", "add_errors", "asked", "given"]

_AUTOCOMPLETE: Final = {
    "contact_name": "name",
    "phone": "tel",
    "email": "email",
    "postal_code": "postal-code",
    "address": "street-address",
}
_TYPES: Final = {Kind.DATE: "date", Kind.EMAIL: "email", Kind.PHONE: "tel"}
_NUMERIC: Final = frozenset({Kind.POINT, Kind.POSTAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedField:
    """One field of a form; ``choices`` are (code, words), empty where something is written."""

    name: str
    label: str
    hint: str
    type: str  #: of the input element, or "long", "choice"
    numeric: bool  #: a phone shows its keys for digits
    choices: Sequence[tuple[str, str]]
    value: str
    wrong: str
    longest: int
    autocomplete: str
    wide: bool  #: it stands across both columns


def asked(
    names: Iterable[str],
    lang: str,
    values: Mapping[str, str],
    errors: Errors,
    *,
    labels: Mapping[str, str] | None = None,
    hints: Mapping[str, str] | None = None,
    choices: Mapping[tuple[str, str], str] | None = None,
) -> list[AskedField]:
    """The fields ``names`` in their order.

    Args:
        names: fields of the table.
        lang: of the page.
        values: what stands in them.
        errors: what is wrong.
        labels: other labels than the table's.
        hints: other hints than the table's.
        choices: other words than the table's for a choice, by field and code.
    """
    own = labels or {}, hints or {}, choices or {}
    return [_asked(name, lang, values, errors, *own) for name in names]


def _asked(
    name: str,
    lang: str,
    values: Mapping[str, str],
    errors: Errors,
    labels: Mapping[str, str],
    hints: Mapping[str, str],
    choices: Mapping[tuple[str, str], str],
) -> AskedField:
    field = FIELDS[name]
    kind = "long" if field.kind is Kind.LONG else "choice" if field.kind is Kind.CHOICE else ""
    return AskedField(
        name=name,
        label=labels.get(name) or field.words.text(lang),
        hint=hints.get(name) or (field.hint.text(lang) if field.hint else ""),
        type=kind or _TYPES.get(field.kind, "text"),
        numeric=field.kind in _NUMERIC,
        choices=[(code, choices.get((name, code)) or words.text(lang)) for code, words in field.choices],
        value=values.get(name, ""),
        wrong=errors.by_field.get(name, ""),
        longest=40 if field.kind is Kind.POINT else field.longest,
        autocomplete=_AUTOCOMPLETE.get(name, "off"),
        wide=field.kind in (Kind.LONG, Kind.POINT) or name == "address",
    )


def given(form: FormData, names: Iterable[str]) -> dict[str, str]:
    """What a form says of these fields, as it was typed; a field that the form lacks is empty."""
    return {name: text_of(form, name, PLAIN_BYTES) for name in names}


def add_errors(errors: Errors, wrong: InputError | Mapping[str, Words], lang: str) -> None:
    """Say what the desk found wrong, each at its field."""
    by_field = wrong.by_field if isinstance(wrong, InputError) else wrong
    for name, words in by_field.items():
        errors.add(name, words.text(lang))
