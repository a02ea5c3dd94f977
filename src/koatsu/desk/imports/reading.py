"""The bytes of a CSV file to the rows of a register, before anything is looked up.

UTF-8 with or without a byte-order mark, and CP932 as Japanese spreadsheets write it. A cell that cannot be
read refuses its row; headings that cannot be understood, or quotation marks that do not close, the file.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from koatsu.desk.imports.cells import Value
from koatsu.desk.imports.report import ImportRefusedError, Refusals, cut
from koatsu.desk.imports.sheets import Column, Sheet, heading_key
from koatsu.desk.plain_text import TextRefused
from koatsu.desk.words import Words

__all__ = ["MAX_BYTES", "MAX_ROWS", "OnRows", "ParsedFile", "Record", "decoded", "parse", "rows_of"]

OnRows = Callable[[int, int], object]
"""Called with the steps done and those there are, about as often as a progress bar can show."""

MAX_BYTES: Final = 128 * 1024 * 1024
MAX_ROWS: Final = 500_000
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_NO_TEXT: Final = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-", b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b")
_SAMPLE: Final = 2_000  #: so many lines decide which encoding a damaged file is in
_REMEMBERED: Final = 10_000  #: texts of a column whose value is kept: many columns say little that is new
_EVERY: Final = 2_000  #: rows between two reports of progress

_CSV_HINT: Final = Words(
    "見出し行のある CSV(UTF-8 または CP932、カンマ区切り)にしてください。",
    "Save it as CSV in UTF-8 or CP932, with commas and a row of headings.",
)


class Record(NamedTuple):
    """A sound row: its number in the file, and the values of the columns that the file has."""

    row: int
    given: dict[str, Value]
    cells: list[str]  #: as written


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedFile:
    """A file that was read; ``rows`` counts refused ones too, and no empty ones."""

    sheet: Sheet
    name: str
    encoding: str
    sha256: str
    rows: int
    records: list[Record]
    places: dict[str, int]  #: where the cell of a column stands
    refusals: Refusals
    ignored: tuple[str, ...]

    def written(self, record: Record, column: str) -> str:
        """What the row says in that column; empty where the file has no such column."""
        at = self.places.get(column)
        return "" if at is None else record.cells[at]


def parse(sheet: Sheet, data: bytes, name: str, on_rows: OnRows = lambda _done, _all: None) -> ParsedFile:
    """Read a file for a register.

    Raises:
        ImportRefusedError: it is no such file, or its headings are not those of the register.
    """
    if len(data) > MAX_BYTES:
        raise ImportRefusedError(
            name,
            Words(
                f"{MAX_BYTES // 1024**2} MiB を超えるファイルは取り込めません。",
                f"A file holds at most {MAX_BYTES // 1024**2} MiB.",
            ),
            Words("分けて取り込んでください。", "Import it in parts."),
        )
    text, encoding = decoded(data, name)
    total = data.count(b"\n") + 1
    rows = rows_of(text, name)
    columns, ignored, width = _columns(sheet, next(rows, (1, [])), name)
    refusals = Refusals(sheet)
    records: list[Record] = []
    count = 0
    for number, cells in rows:
        count += 1
        if count > MAX_ROWS:
            raise ImportRefusedError(
                name,
                Words(f"{MAX_ROWS:,} 行を超えています。", f"There are more than {MAX_ROWS:,} rows."),
                Words("分けて取り込んでください。", "Import it in parts."),
            )
        record = _record(number, cells, columns, width, refusals)
        if record is not None:
            records.append(record)
        if count % _EVERY == 0:
            on_rows(min(count, total), total)
    return ParsedFile(
        sheet=sheet,
        name=name,
        encoding=encoding,
        sha256=hashlib.sha256(data).hexdigest(),
        rows=count,
        records=records,
        places={reader.column.name: reader.at for reader in columns},
        refusals=refusals,
        ignored=ignored,
    )


class _Reader:
    """A column of the file, with the texts that it has read already."""

    def __init__(self, at: int, column: Column) -> None:
        self.at, self.column, self.name = at, column, column.name
        self._known: dict[str, tuple[str, Value]] = {}

    def read(self, text: str) -> tuple[str, Value]:
        """The text, the same object each time it is read, and its value."""
        known = self._known.get(text)
        if known is None:
            known = (text, self.column.read(text))
            if len(self._known) < _REMEMBERED:
                self._known[text] = known
        return known


def _record(
    number: int, cells: list[str], columns: Sequence[_Reader], width: int, refusals: Refusals
) -> Record | None:
    if len(cells) < width or any(cells[width:]):
        words = Words(
            f"見出しは {width} 列ですが、この行は {len(cells)} 列あります。",
            f"There are {width} headings, and {len(cells)} cells in this row.",
        )
        refusals.add(number, None, "", words)
        return None
    given: dict[str, Value] = {}
    sound = True
    for reader in columns:
        at = reader.at
        try:
            cells[at], given[reader.name] = reader.read(cells[at])
        except TextRefused as refused:
            sound = False
            refusals.add(number, reader.column, cells[at], refused.words)
    return Record(number, given, cells) if sound else None


def _columns(
    sheet: Sheet, first: tuple[int, list[str]], name: str
) -> tuple[tuple[_Reader, ...], tuple[str, ...], int]:
    """The columns that the file has, the headings that are none, and how many cells a row needs."""
    number, headings = first
    found: dict[str, _Reader] = {}
    ignored = []
    width = 0
    for at, heading in enumerate(headings):
        if heading.strip():
            width = at + 1
        column = _known_as(sheet, heading)
        if column is None:
            ignored += [cut(heading.strip())] if heading.strip() else []
            continue
        twice = found.get(column.name)
        if twice is not None:
            other = cut(headings[twice.at])
            raise ImportRefusedError(
                name,
                Words(
                    f"「{column.words.ja}」の列が 2 つあります(「{other}」と「{cut(heading)}」)。",
                    f"Two columns are “{column.words.en}”: “{other}” and “{cut(heading)}”.",
                ),
                Words("片方を削除してください。", "Take one of them out."),
                number,
            )
        found[column.name] = _Reader(at, column)
    lacking = [column for column in sheet.columns if column.needed and column.name not in found]
    if lacking:
        seen = [cut(heading.strip()) for heading in headings[:12] if heading.strip()]
        raise _no_heading(sheet, lacking[0], seen, name, number)
    return tuple(found.values()), tuple(ignored), width


def _known_as(sheet: Sheet, heading: str) -> Column | None:
    key = heading_key(heading)
    return next((column for column in sheet.columns if key in column.headings), None) if key else None


def _no_heading(sheet: Sheet, column: Column, seen: Sequence[str], name: str, row: int) -> ImportRefusedError:
    what = Words(
        f"{sheet.words.ja}のファイルに必要な見出し「{column.words.ja}」がありません",
        f"The heading “{column.words.en}”, which a file of {sheet.words.en.lower()} needs, is missing",
    )
    if not seen:
        words = Words(f"{what.ja}(ファイルは空です)。", f"{what.en}: the file is empty.")
    else:
        words = Words(
            f"{what.ja}(見出し: {'、'.join(seen)})。", f"{what.en}. Its headings are: {', '.join(seen)}."
        )
    return ImportRefusedError(name, words, _CSV_HINT, row)


def rows_of(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, each with its number in the file, from 1."""
    # The csv module has one limit for the whole program: raised, so that a long cell refuses its row alone.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_BYTES))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    number = 0
    try:
        for cells in reader:
            number += 1
            if any(map(str.strip, cells)):
                yield number, cells
    except csv.Error:
        raise ImportRefusedError(
            name,
            Words(
                '引用符 " の対が合わず、行の区切りがわかりません。',
                'Quotation marks " do not come in pairs, so where rows end is not known.',
            ),
            _CSV_HINT,
            number + 1,
        ) from None


def decoded(data: bytes, name: str) -> tuple[str, str]:
    """The text of a file and the name of its encoding; bytes that it cannot have become lone surrogates.

    Raises:
        ImportRefusedError: it is no text, or in another encoding.
    """
    if data.startswith(_NO_TEXT):
        raise ImportRefusedError(
            name,
            Words(
                "CSV ではありません(Excel のブック、PDF、画像などのファイルです)。",
                "This is no CSV but a workbook, a PDF, a picture or the like.",
            ),
            _CSV_HINT,
        )
    if data[:2] in _UTF16 or data.count(b"\x00", 0, 4096) > len(data[:4096]) // 4:
        raise ImportRefusedError(
            name,
            Words("UTF-8 でも CP932 でもありません。", "This is neither UTF-8 nor CP932."),
            Words(
                "表計算ソフトで「CSV UTF-8」を選んで保存してください。",
                "Choose “CSV UTF-8” when you save it in the spreadsheet program.",
            ),
        )
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8", "surrogateescape"), "UTF-8"
    try:
        return data.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError:
        encoding = "utf-8" if _mostly_utf8(data) else "cp932"
    return data.decode(encoding, "surrogateescape"), {"utf-8": "UTF-8", "cp932": "CP932"}[encoding]


def _mostly_utf8(data: bytes) -> bool:
    """Whether a file with bytes that are no UTF-8 is a damaged one rather than CP932.

    Lines in CP932 are hardly ever valid UTF-8, while CP932 reads almost any bytes as something.
    """
    foreign = [line for line in data.splitlines() if not line.isascii()][:_SAMPLE]
    sound = 0
    for line in foreign:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            continue
        sound += 1
    return 2 * sound >= len(foreign)
