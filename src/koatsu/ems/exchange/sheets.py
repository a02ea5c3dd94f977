"""Bytes of a spreadsheet file to rows of cells: encoding, separator and sizes, nothing of their meaning.

UTF-8 with or without a byte-order mark is tried first: text in CP932 (Shift_JIS of Windows) is hardly ever
valid UTF-8, while CP932 reads almost any bytes as something.
"""

from __future__ import annotations

import csv
import io
from typing import Final, Literal, NamedTuple

from koatsu.ems.exchange.refusals import CellError, FileRefusedError, Place, cut

__all__ = ["MAX_ROWS", "Encoding", "SheetRow", "read_sheet"]

Encoding = Literal["auto", "utf-8", "cp932"]

MAX_ROWS: Final = 400_000  #: twenty years of half hours, with room
_MAX_CELLS: Final = 2_000
_MAX_CELL: Final = 4_096
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_NAMES: Final = {"utf-8": "UTF-8", "cp932": "CP932 (Shift_JIS)"}


class SheetRow(NamedTuple):
    """A row with its number in the file, from 1."""

    number: int
    cells: tuple[str, ...]


def read_sheet(data: bytes, name: str, encoding: Encoding = "auto") -> tuple[SheetRow, ...]:
    """The rows of a CSV or tab-separated file that hold anything at all.

    Args:
        data: the bytes of the file.
        name: what errors call it.
        encoding: "utf-8", "cp932", or "auto" to try both.

    Raises:
        FileRefusedError: the bytes are no such text, or a row breaks the rules of CSV.
    """
    text = _decoded(data, name, encoding)
    head = text[:4096]
    separator = "\t" if head.count("\t") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows: list[SheetRow] = []
    try:
        for cells in reader:
            if len(cells) > _MAX_CELLS or any(len(cell) > _MAX_CELL for cell in cells):
                raise csv.Error("a cell or a row is too long")
            if any(cell.strip() for cell in cells):
                rows.append(SheetRow(reader.line_num, tuple(cells)))
            if len(rows) > MAX_ROWS:
                raise csv.Error(f"more than {MAX_ROWS} rows")
    except csv.Error as error:
        raise FileRefusedError(
            name,
            CellError(
                f"this is not a row of a CSV file ({error})",
                f"CSV の行として読めません({error})",
                expected="cells between separators, and quotation marks in pairs",
                expected_ja="区切り文字で分けたセル(引用符は対で)",
            ),
            Place(row=max(reader.line_num, 1)),
        ) from error
    return tuple(rows)


def _decoded(data: bytes, name: str, encoding: Encoding) -> str:
    if data[:2] in _UTF16 or b"\x00" in data[:4096]:
        raise FileRefusedError(
            name,
            CellError(
                "this is not text in UTF-8 or CP932",
                "UTF-8 でも CP932 でもありません",
                expected="a CSV file; in the spreadsheet program choose “CSV UTF-8” when saving",
                expected_ja="CSV ファイル(表計算ソフトでは「CSV UTF-8」で保存)",
            ),
        )
    failed: UnicodeDecodeError | None = None
    for codec in ("utf-8", "cp932") if encoding == "auto" else (encoding,):
        try:
            return data.decode("utf-8-sig" if codec == "utf-8" else codec)
        except UnicodeDecodeError as error:
            if failed is None or error.start > failed.start:  # the one that came further is meant
                failed = error
    assert failed is not None
    row = data.count(b"\n", 0, failed.start) + 1
    line = data[data.rfind(b"\n", 0, failed.start) + 1 : failed.start].decode("ascii", "replace")
    wanted = " / ".join(_NAMES.values()) if encoding == "auto" else _NAMES[encoding]
    raise FileRefusedError(
        name,
        CellError(
            f"byte 0x{data[failed.start]:02X} after “{cut(line[-20:])}” is not {wanted} text",
            f"「{cut(line[-20:])}」の後のバイト 0x{data[failed.start]:02X} は {wanted} の文字ではありません",
            expected="text in UTF-8 or CP932 (Shift_JIS)",
            expected_ja="UTF-8 または CP932 (Shift_JIS) の文字",
        ),
        Place(row=row),
    ) from failed
