"""The table of notices (``letters.toml``), read and checked: no sentence has a hole or states an amount."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from koatsu.desk.fields import FIELDS, Field, Kind
from koatsu.desk.forms import amounts_in
from koatsu.desk.forms.folder import own_files
from koatsu.desk.words import Words
from koatsu.render import TemplateError

__all__ = ["ALWAYS", "COMMON", "FILE", "Notice", "NoticeKind", "NoticeTable", "Paragraph", "notice_table"]

FILE: Final = "letters.toml"

ALWAYS: Final = frozenset({"utility", "office"})
"""Values that every letter has."""

COMMON: Final[dict[str, Words]] = {
    "case_number": Words("受付番号", "Case number"),
    "supply_point": FIELDS["supply_point"].words,
    "place": Words("ご使用場所", "Place of use"),
}
"""Values that a letter has beside its details."""

_CONDITION: Final = re.compile(r"(!?)([a-z_]+)(?:=([a-z_]+))?")
_FEES: Final = re.compile(
    "料金|手数料|利用料|使用料|代金|請求|有料|課金|\\b(?:fees?|charged?|charges|invoiced?|price)\\b", re.I
)
_FREE: Final = re.compile("無料|free of charge", re.I)


class NoticeKind(StrEnum):
    """What is written about."""

    RECEIVED = "received"
    RETURNED = "returned"
    REFUSED = "refused"
    ACCEPTED = "accepted"
    SURVEY_PLANNED = "survey_planned"
    WORKS_PLANNED = "works_planned"
    WORKS_DONE = "works_done"
    CONNECTION_CHECK_FAILED = "connection_check_failed"
    STARTED = "started"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    CHANGED = "changed"
    ENDING_RECEIVED = "ending_received"
    ENDED = "ended"
    ENDED_BY_CONTRACT = "ended_by_contract"
    WITHDRAWN = "withdrawn"
    ENQUIRY_ANSWERED = "enquiry_answered"
    REMINDER_TO_CUSTOMER = "reminder_to_customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph, and when it is written: a condition, or empty for always."""

    words: Words
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One row of the table."""

    kind: NoticeKind
    subject: Words
    needs: tuple[str, ...]  #: conditions; of each "a|b" one must hold
    text: tuple[Paragraph, ...]
    record: tuple[str, ...]  #: values in the table below the text, by name


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeTable:
    """All notices, what every letter has, and the values that a case does not have."""

    frame: Mapping[str, Words]
    fields: Mapping[str, Field]
    lists: frozenset[str]  #: names of fields that hold several values
    notices: Mapping[NoticeKind, Notice]

    def label(self, name: str) -> Words:
        """What a value is called in a letter."""
        return COMMON[name] if name in COMMON else self.fields[name].words


def holds(condition: str, values: Mapping[str, str]) -> bool:
    """Whether a condition holds: ``field``, ``!field``, ``field=code``, ``a|b``; an empty one always does."""
    return not condition or any(_holds_one(part, values) for part in condition.split("|"))


def _holds_one(condition: str, values: Mapping[str, str]) -> bool:
    parts = _CONDITION.fullmatch(condition)
    assert parts is not None, condition  # the table was checked when it was read
    negated, name, code = parts.groups()
    value = values.get(name, "")
    return (value == code if code else bool(value)) != bool(negated)


def notice_table(folder: Path | None = None) -> NoticeTable:
    """The notices of the program, each replaced by one of the same name in the utility's ``letters.toml``.

    Raises:
        TemplateError: the utility's file is not right; the sentence says where.
    """
    own = own_files(folder, frozenset({".toml"})).get(FILE)
    return _built_in() if own is None else _table(_parsed(own.decode("utf-8", "replace")))


@cache
def _built_in() -> NoticeTable:
    return _table({})


@cache
def _raw() -> dict[str, Any]:
    return tomllib.loads(files("koatsu.desk.letters").joinpath(FILE).read_text(encoding="utf-8"))


# --- reading --------------------------------------------------------------------------------------------


def _parsed(text: str) -> dict[str, Any]:
    for number, line in enumerate(text.splitlines(), start=1):
        if found := amounts_in(line):
            raise TemplateError(FILE, f"it states an amount ({found[0]}), but the service is free", number)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(FILE, str(error)) from error


def _table(own: dict[str, Any]) -> NoticeTable:
    raw = _raw()
    if strange := own.keys() - raw.keys():
        raise TemplateError(FILE, f"there is no table [{min(strange)}]")
    if strange := own.get("frame", {}).keys() - raw["frame"].keys():
        raise TemplateError(FILE, f"[frame] has no {min(strange)}")
    frame = {
        name: _words(row, f"frame.{name}") for name, row in (raw["frame"] | own.get("frame", {})).items()
    }
    rows = raw["fields"] | own.get("fields", {})
    fields = dict(FIELDS) | {name: _field(name, row) for name, row in rows.items()}
    lists = frozenset(name for name, row in rows.items() if row.get("kind") == "list")
    table = NoticeTable(frame=frame, fields=fields, lists=lists, notices={})
    notices = {}
    for name, row in (raw["notice"] | own.get("notice", {})).items():
        if name not in set(NoticeKind):
            raise TemplateError(FILE, f"there is no notice {name}")
        notices[NoticeKind(name)] = _notice(NoticeKind(name), row, table)
    return NoticeTable(frame=frame, fields=fields, lists=lists, notices=notices)


def _words(row: Any, place: str) -> Words:
    if not isinstance(row, dict) or not all(isinstance(row.get(lang), str) for lang in ("ja", "en")):
        raise TemplateError(FILE, f"{place} needs a text in ja and in en")
    words = Words(row["ja"], row["en"])
    for text in words:
        if _FEES.search(text) and not _FREE.search(text):
            raise TemplateError(FILE, f"{place} speaks of a fee, but the service is free")
    return words


def _field(name: str, row: Any) -> Field:
    words = _words(row, f"fields.{name}")
    kinds = {"text": Kind.LONG, "list": Kind.LONG, "date": Kind.DATE, "choice": Kind.CHOICE}
    if row.get("kind") not in kinds:
        raise TemplateError(FILE, f"fields.{name} needs a kind: {', '.join(kinds)}")
    choices = tuple(
        (code, _words(choice, f"fields.{name}.choices.{code}"))
        for code, choice in row.get("choices", {}).items()
    )
    return Field(name=name, kind=kinds[row["kind"]], words=words, choices=choices)


def _notice(kind: NoticeKind, row: Any, table: NoticeTable) -> Notice:
    place = f"notice.{kind}"
    needs, record = tuple(row.get("needs", ())), tuple(row.get("record", ()))
    known = table.fields.keys() | COMMON.keys() | ALWAYS
    for name in (*_named(needs, place), *record):
        if name not in known:
            raise TemplateError(FILE, f"{place}: there is no field {name}")
    sure = ALWAYS | {need for need in needs if need in known}
    subject = _words(row.get("subject"), f"{place}.subject")
    _refuse_holes(subject, sure, f"{place}.subject")
    paragraphs = []
    for number, part in enumerate(row.get("text", ()), start=1):
        when = part.get("when", "")
        for name in _named((when,) if when else (), place):
            if name not in known:
                raise TemplateError(FILE, f"{place}: there is no field {name}")
        words = _words(part, f"{place}.text {number}")
        _refuse_holes(words, sure | {when}, f"{place}.text {number}")
        paragraphs.append(Paragraph(words=words, when=when))
    if not paragraphs:
        raise TemplateError(FILE, f"{place} has no text")
    return Notice(kind=kind, subject=subject, needs=needs, text=tuple(paragraphs), record=record)


def _named(conditions: Iterable[str], place: str) -> list[str]:
    """The fields that conditions speak of."""
    names = []
    for condition in conditions:
        for part in condition.split("|"):
            parts = _CONDITION.fullmatch(part)
            if parts is None:
                raise TemplateError(FILE, f"{place}: {part!r} is no condition")
            names.append(parts[2])
    return names


def _refuse_holes(words: Words, sure: Iterable[str], place: str) -> None:
    """Every ``{field}`` must be there whenever the sentence is written."""
    for text in words:
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError as error:
            raise TemplateError(FILE, f"{place}: {error}") from error
        for _, name, spec, conversion in parts:
            if name is not None and (name not in sure or spec or conversion):
                raise TemplateError(FILE, f"{place}: {{{name}}} may be empty; name it in needs or in when")
