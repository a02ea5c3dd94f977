"""Forms of one record, made of the table of registers: a field for each column, and what was typed read back.

The columns that name a record are not for changing. The number of a supply point to which a device belongs is
not shown: an empty field leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from starlette.datastructures import FormData

from koatsu.desk.imports import SHEETS, Column, Register
from koatsu.desk.imports.cells import read_choice, read_flag
from koatsu.desk.plain_text import TextRefused
from koatsu.desk.point_numbers import masked
from koatsu.web.desk.step_forms import FieldView
from koatsu.web.forms import text_of
from koatsu.web.texts import Texts

__all__ = ["EDITED", "fields_of", "naming", "typed_fields"]

EDITED: Final = tuple(
    register for register, sheet in SHEETS.items() if sheet.adds and register is not Register.AREAS
)
"""The registers of which a record can be changed; an area is taken out, and put in where it belongs."""

_LONGEST: Final = 20_000  #: what a field takes at all; the column says what fits
_INPUTS: Final[Mapping[str, str]] = {
    "point": "digits", "postal": "digits", "prefix": "digits", "kw": "digits", "day": "date",
    "phone": "tel", "email": "email",
}  # fmt: skip
_FEW: Final = 4  #: so many choices stand side by side; more are a list to open


def naming(register: Register) -> frozenset[str]:
    """The columns of a file that name a record."""
    return frozenset(name.removesuffix("_key") for name in SHEETS[register].key)


def typed_fields(register: Register, form: FormData, kept: Mapping[str, str] | None) -> dict[str, str]:
    """What was typed, by column. ``kept``: the record as it is, which says what is not in the form."""
    fields = {}
    for column in SHEETS[register].columns:
        typed = text_of(form, column.name, _LONGEST)
        if kept is not None and (column.name in naming(register) or (column.kind == "point" and not typed)):
            typed = kept[column.name]
        fields[column.name] = typed
    return fields


def fields_of(
    register: Register,
    values: Mapping[str, str],
    t: Texts,
    *,
    new: bool,
    wrong: Mapping[str, str],
    suggested: Mapping[str, Collection[str]],
) -> list[FieldView]:
    """The fields of the form of a record.

    Args:
        register: of which.
        values: what stands in them, as text by column.
        t: the language.
        new: the record does not exist yet, so the columns that name it are fields too.
        wrong: what is wrong, by column.
        suggested: what is proposed, by column.
    """
    columns = [one for one in SHEETS[register].columns if new or one.name not in naming(register)]
    return [
        _field(column, values.get(column.name, ""), t, new, wrong.get(column.name, ""), suggested)
        for column in columns
    ]


def _field(
    column: Column,
    value: str,
    t: Texts,
    new: bool,
    wrong: str,
    suggested: Mapping[str, Collection[str]],
) -> FieldView:
    kind, hint = _INPUTS.get(column.kind, "text"), ""
    choices: tuple[tuple[str, str], ...] = ()
    if column.kind == "choice":
        value = _code(column, value)
        choices = tuple((code, names[t.lang != "ja"]) for code, names in column.choices)
        kind = "radio" if len(choices) <= _FEW else "select"
    elif column.kind == "flag":
        value = _flag(value)
        choices, kind = (("yes", t("desk_registers.yes")), ("no", t("desk_registers.no"))), "radio"
    elif column.kind == "point" and not new:
        hint, value = t("desk_record.point_stays", number=masked(value)), ""
    elif column.example and kind not in ("date", "radio"):
        hint = t("desk_record.example", example=column.example)
    views: dict[str, Any] = {"choices": choices, "suggested": tuple(suggested.get(column.name, ()))}
    return FieldView(
        name=column.name,
        id=f"record-{column.name}",
        kind=kind,
        label=column.words.text(t.lang),
        value=value,
        hint=hint,
        required=column.required and (new or column.kind != "point"),
        wrong=wrong,
        longest=column.longest,
        **views,
    )


def _code(column: Column, text: str) -> str:
    try:
        return read_choice(text, column.choices) if text else ""
    except TextRefused:
        return ""


def _flag(text: str) -> str:
    try:
        return "yes" if text and read_flag(text) else "no"
    except TextRefused:
        return "no"
