"""Reading a list of the data that is sent from TOML or CSV: whole, or not at all. Pure."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any, Final

from koatsu.desk.errors import InputError
from koatsu.desk.plain_text import TextRefused, folded, kept_text
from koatsu.desk.words import Words

__all__ = ["NOT_OWN", "DataItem", "DataList", "read_csv_list", "read_toml_list", "standard_list"]

NOT_OWN: Final = Words(
    "規格による標準の項目です。当社の利用規約の一覧ではありません。",
    "These are the items of the standard, not the utility's own list.",
)
MOST_ITEMS: Final = 200
MOST_BYTES: Final = 1_000_000
LONGEST_NAME: Final = 120
LONGEST_UNIT: Final = 12
LONGEST_NOTE: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class DataItem:
    """One item that is sent."""

    words: Words
    unit: str  #: empty where it has none
    required: bool  #: every meter of the service has it
    note: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class DataList:
    """A list of what is sent. ``own`` is whether it is the utility's."""

    title: Words
    items: tuple[DataItem, ...]
    own: bool
    valid_from: date | None = None  #: None: the standard's, which holds where there is no other

    @property
    def warning(self) -> Words | None:
        """What every page must say above a list that is not the utility's own."""
        return None if self.own else NOT_OWN


@cache
def standard_list() -> DataList:
    """The items of the standard."""
    text = files("koatsu.desk").joinpath("tables/data_list.toml").read_text(encoding="utf-8")
    return _made(tomllib.loads(text), own=False)


def read_toml_list(content: bytes) -> DataList:
    """The utility's list in the shape of ``tables/data_list.toml``.

    Raises:
        InputError: it is no such file, or rows of it are wrong; a sentence for each.
    """
    _must_fit(content)
    try:
        data = tomllib.loads(content.decode("utf-8-sig").replace("\r\n", "\n"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _wrong_file(
            Words(f"TOML として読めません({error})。", f"It cannot be read as TOML: {error}.")
        ) from error
    return _made(data, own=True)


_HEADINGS: Final = {
    "ja": ("ja", "項目", "項目名", "データ項目", "日本語"),
    "en": ("en", "英語", "英語名", "english"),
    "unit": ("unit", "単位"),
    "required": ("required", "必須"),
    "note": ("note", "備考", "注記"),
    "note_en": ("note_en", "備考(英語)"),
}
_BY_HEADING: Final = {folded(heading): name for name, all_ in _HEADINGS.items() for heading in all_}
_YES: Final = frozenset(map(folded, ("yes", "true", "1", "必須", "はい", "○", "〇", "◯")))
_NO: Final = frozenset(map(folded, ("no", "false", "0", "任意", "いいえ", "", "×")))


def read_csv_list(content: bytes, title: Words) -> DataList:
    """The utility's list from a CSV file (UTF-8 or CP932) headed ja, en, unit, required, note, note_en.

    Raises:
        InputError: it is no such file, or rows of it are wrong; a sentence for each, named by its line.
    """
    _must_fit(content)
    rows = csv.reader(io.StringIO(_decoded(content), newline=""), strict=True)
    try:
        lines = [(rows.line_num, cells) for cells in rows if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise _wrong_file(
            Words(
                "CSV として読めません(引用符の対を確かめてください)。",
                "It cannot be read as CSV: check the quotation marks.",
            )
        ) from error
    names = [_BY_HEADING.get(folded(cell)) for cell in lines[0][1]] if lines else []
    if "ja" not in names:
        raise _wrong_file(Words("見出し「項目」の列がありません。", "There is no column headed “ja”."))
    wrong: dict[str, Words] = {}
    items = []
    for line, cells in lines[1:]:
        row: dict[str, Any] = {name: cell for name, cell in zip(names, cells, strict=False) if name}
        required = folded(row.get("required", ""))
        place = Words(f"{line} 行目", f"Line {line}")
        if len(cells) > len(names) or required not in _YES | _NO:
            wrong[f"line {line}"] = _at(
                place,
                Words(
                    "列の数か「必須」の値が違います。",
                    "wrong number of cells, or “required” is neither yes nor no.",
                ),
            )
            continue
        row["required"] = required in _YES
        items.append((place, {**row, "note": {"ja": row.get("note", ""), "en": row.get("note_en", "")}}))
    return _checked(title, items, wrong, own=True)


def _made(data: Mapping[str, Any], *, own: bool) -> DataList:
    title, rows = data.get("title"), data.get("item")
    if not isinstance(title, dict) or not isinstance(rows, list):
        raise _wrong_file(Words("title と [[item]] が必要です。", "It needs title and [[item]]."))
    items = [
        (Words(f"{number} 番目の項目", f"Item {number}"), row if isinstance(row, dict) else {})
        for number, row in enumerate(rows, 1)
    ]
    return _checked(Words(str(title.get("ja", "")), str(title.get("en", ""))), items, {}, own=own)


def _checked(
    title: Words, rows: Iterable[tuple[Words, Mapping[str, Any]]], wrong: dict[str, Words], *, own: bool
) -> DataList:
    """The list of these rows, or a sentence for each that is wrong."""
    items: list[DataItem] = []
    seen: set[str] = set()
    for place, row in rows:
        try:
            item = _item(row)
        except TextRefused as error:
            wrong[place.en.lower()] = _at(place, error.words)
            continue
        if folded(item.words.ja) in seen:
            wrong[place.en.lower()] = _at(
                place, Words("同じ項目が 2 回あります。", "this item stands twice.")
            )
        seen.add(folded(item.words.ja))
        items.append(item)
    try:
        named = Words(_said(title.ja, LONGEST_NAME, needed=True), _said(title.en, LONGEST_NAME) or title.ja)
    except TextRefused as error:
        wrong["title"] = _at(Words("題名", "Title"), error.words)
    if not wrong and not 0 < len(items) <= MOST_ITEMS:
        wrong["file"] = Words(
            f"項目は 1〜{MOST_ITEMS} 個です。", f"There are 1 to {MOST_ITEMS} items in a list."
        )
    if wrong:
        raise InputError(wrong)
    return DataList(title=named, items=tuple(items), own=own)


def _item(row: Mapping[str, Any]) -> DataItem:
    note = row.get("note", {})
    if not isinstance(note, dict) or not isinstance(row.get("required", False), bool):
        raise TextRefused(Words("note か required の形が違います。", "note or required has the wrong shape."))
    ja = _said(row.get("ja", ""), LONGEST_NAME, needed=True)
    note_ja = _said(note.get("ja", ""), LONGEST_NOTE)
    return DataItem(
        words=Words(ja, _said(row.get("en", ""), LONGEST_NAME) or ja),
        unit=_said(row.get("unit", ""), LONGEST_UNIT),
        required=row.get("required", False),
        note=Words(note_ja, _said(note.get("en", ""), LONGEST_NOTE) or note_ja),
    )


def _said(text: object, longest: int, *, needed: bool = False) -> str:
    if not isinstance(text, str):
        raise TextRefused(Words("文字で書いてください。", "this must be text."))
    kept = kept_text(text, longest)
    if needed and not kept:
        raise TextRefused(Words("項目名か題名が空です。", "a name or title is empty."))
    return kept


def _at(place: Words, why: Words) -> Words:
    return Words(f"{place.ja}:{why.ja}", f"{place.en}: {why.en}")


def _must_fit(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        raise _wrong_file(
            Words("ファイルが大きすぎます(1 MB まで)。", "The file is too large: 1 MB at most.")
        )


def _decoded(content: bytes) -> str:
    for encoding in ("utf-8-sig", "cp932"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise _wrong_file(Words("UTF-8 でも CP932 でもありません。", "This is neither UTF-8 nor CP932."))


def _wrong_file(words: Words) -> InputError:
    return InputError({"file": words})
